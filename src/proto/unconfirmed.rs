//! A send whose payload was written behind its prompt, and whose result did not come.

use std::time::Duration;

use crate::at::{ChannelId, ChannelNews, Command, Field, Line, Refusal};
use crate::error::CloseReason;
use crate::time::Timestamp;

use super::channel::End;
use super::channels::{Channels, STALE};
use super::exchange::Failure;
use super::outbox::Outbox;
use super::pressure::Pressure;
use super::tls::Security;

/// Bytes of which the module has not said whether it has them.
///
/// Before this begins the session has filled up what the module might still have waited for (bytes of the payload that the
/// line has lost), and goes on with other commands. A result that follows the filling at once is not believed: it may be
/// that of the payload with the filling in it. After [`SETTLE`] the module is asked how many bytes it has counted on the
/// connection (`AT+CIPACK`); and a result that comes later still is a late one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unconfirmed {
    len: usize,
    filled_at: Timestamp,
    ask_at: Timestamp,
    asked: u32,
}

/// How the module says that it has the bytes of a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Acceptance {
    /// At once, when it has them (`AT+CIPQSEND=1`).
    Quick,
    /// When the peer has them: firmware that refuses the quick mode.
    Slow,
}

/// How long `DATA ACCEPT` may take behind the payload, beyond twice the time of the payload on the line. The module says it
/// when it has the bytes; answers come within 10 ms (protocol section 15). No source gives a limit, 5 s is an assumption.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bits on the line for one byte, twice.
const BITS_TWICE: u64 = 20;
/// How long a result that follows the filling may be one of the filling.
const SETTLE: Duration = Duration::from_secs(1);
/// How long a late result is waited for where the module's count says nothing (TLS): what a send may take in all (section
/// 15), less what was waited before.
const LATE_RESULT: Duration = Duration::from_secs(45);
/// Questions that may go unanswered before the bytes count as lost.
const MAX_QUESTIONS: u32 = 3;

impl Unconfirmed {
    fn new(now: Timestamp, len: usize, can_ask: bool) -> Self {
        let ask_at = now + if can_ask { SETTLE } else { LATE_RESULT };
        Self { len, filled_at: now, ask_at, asked: 0 }
    }

    /// When the module is to be asked.
    pub(super) fn ask_at(self) -> Timestamp {
        self.ask_at
    }
}

impl Acceptance {
    /// The command with the time that its result may take.
    pub(super) fn limit(self, command: Command, len: usize, baud_rate: u32) -> Command {
        match self {
            Self::Slow => command,
            Self::Quick => {
                let micros =
                    (len as u64).saturating_mul(BITS_TWICE * 1_000_000) / u64::from(baud_rate.max(1));
                let timeout = ACCEPT_TIMEOUT.saturating_add(Duration::from_micros(micros));
                let timeout = timeout.min(command.timeout());
                command.with_timeout(timeout)
            }
        }
    }
}

impl Channels {
    /// The result of a stream's send did not come, though its payload was written behind the prompt.
    pub(super) fn send_unconfirmed(&mut self, now: Timestamp, id: ChannelId) {
        let can_ask = self.channel(id).security == Security::Plain;
        let Some(socket) = self.channel(id).open_socket() else { return };
        let in_flight = socket.sends.front().map_or(0, |send| send.in_flight);
        let len = socket.abandoned.unwrap_or(in_flight);
        socket.pressure = Pressure::Unconfirmed(Unconfirmed::new(now, len, can_ask));
    }

    /// News of a send that nothing waits for: the result that was missed, if it comes late.
    pub(super) fn late_result(&mut self, now: Timestamp, id: ChannelId, news: ChannelNews, out: &mut Outbox) {
        let Some(socket) = self.channel(id).open_socket() else { return };
        let Pressure::Unconfirmed(unconfirmed) = socket.pressure else { return };
        let is_it = match news {
            ChannelNews::DataAccept(len) => len == unconfirmed.len,
            ChannelNews::SendOk | ChannelNews::SendFail => true,
            _ => false,
        };
        if !is_it {
            return;
        }
        if news == ChannelNews::SendFail {
            self.end(id, End::Closed(CloseReason::SendRefused(Refusal::SendFail)), out);
        } else if now < unconfirmed.filled_at + SETTLE {
            self.unconfirmed_ends(now, id, out);
        } else {
            self.piece_accepted(now, id, out);
        }
    }

    /// The channel whose send is not confirmed, if there is one and no other.
    pub(super) fn only_unconfirmed(&self) -> Option<ChannelId> {
        let mut unconfirmed = self.all.iter().filter(|channel| {
            channel.socket.as_ref().is_some_and(|socket| matches!(socket.pressure, Pressure::Unconfirmed(_)))
        });
        let first = unconfirmed.next()?.id;
        unconfirmed.next().is_none().then_some(first)
    }

    /// The module has said how many bytes it has counted, or not.
    pub(super) fn unconfirmed_asked(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        unconfirmed: Unconfirmed,
        result: &Result<Vec<String>, Failure>,
        out: &mut Outbox,
    ) {
        let can_ask = self.channel(id).security == Security::Plain;
        let Some(socket) = self.channel(id).open_socket() else { return };
        if now < unconfirmed.ask_at {
            // It was asked for another reason.
            return;
        }
        // The module may count with 32 bits.
        let expected = socket.statistics.sent.wrapping_add(unconfirmed.len as u64) as u32;
        match result.as_deref().map(counted) {
            Ok(Some(count)) if can_ask && count == expected => self.piece_accepted(now, id, out),
            Err(Failure::Timeout | Failure::Refused(Refusal::Ambiguous | Refusal::Empty))
                if can_ask && unconfirmed.asked + 1 < MAX_QUESTIONS =>
            {
                let ask_at = now + SETTLE;
                let asked = unconfirmed.asked + 1;
                socket.pressure = Pressure::Unconfirmed(Unconfirmed { ask_at, asked, ..unconfirmed });
            }
            Ok(_) | Err(_) => self.unconfirmed_ends(now, id, out),
        }
    }

    fn unconfirmed_ends(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        self.channel(id).stale_until = now + STALE;
        self.end(id, End::Closed(CloseReason::SendUnconfirmed), out);
    }
}

/// The first number of `+CIPACK: sent,acknowledged,not acknowledged`.
fn counted(lines: &[String]) -> Option<u32> {
    let list = lines.iter().find_map(|line| Line::parse(line.as_bytes()).info("+CIPACK"))?;
    list.first().and_then(Field::number)
}
