//! What to do when the module takes no data at the moment.

use std::time::Duration;

use crate::at::{ChannelId, Field, Line, Refusal};
use crate::config::ReceiveMode;
use crate::error::{CloseReason, Error};
use crate::time::Timestamp;

use super::channel::End;
use super::channels::Channels;
use super::exchange::Failure;
use super::link::Link;
use super::outbox::Outbox;
use super::unconfirmed::Unconfirmed;

/// Whether the module takes data of a socket.
///
/// A module whose send buffer is full refuses the next send in place of the prompt (protocol section 9: 10220 bytes in
/// quick mode), with the same words as one whose connection is gone. `AT+CIPACK` tells the two apart.
///
/// | state | on | next |
/// |---|---|---|
/// | `None`, `Wait` | a refusal in place of the prompt | `Ask` |
/// | `Ask` | bytes that the peer has not acknowledged | `Wait`, longer each time |
/// | `Ask` | no such bytes, for the first time | `Wait`: they may have gone out meanwhile |
/// | `Ask` | no such bytes again, or a refusal | the socket has ended |
/// | `Wait` | its time | the send is tried again |
/// | any | a send that is accepted | `None` |
/// | `None`, `Wait` | the result of a send did not come | `Unconfirmed` |
/// | `Unconfirmed` | the module has counted the bytes, or says late that it has them | `None` |
/// | `Unconfirmed` | anything else | the socket has ended |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pressure {
    None,
    Ask(Refused),
    Wait(Timestamp, Refused),
    Unconfirmed(Unconfirmed),
}

/// A send that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    refusal: Refusal,
    /// The next pause.
    pause: Duration,
    /// Whether the module has said once that it holds nothing.
    was_empty: bool,
}

/// The first pause, and the longest. Short against the time that a buffer of 10 KB takes on the network, and long enough
/// that other channels do not notice.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Pressure {
    /// When the send is tried again, if it waits for that.
    pub(super) fn retry_at(self) -> Option<Timestamp> {
        match self {
            Self::Wait(until, _) => Some(until),
            Self::None | Self::Ask(_) | Self::Unconfirmed(_) => None,
        }
    }

    /// When the module is asked about a send that it has not confirmed.
    pub(super) fn confirm_at(self) -> Option<Timestamp> {
        match self {
            Self::Unconfirmed(unconfirmed) => Some(unconfirmed.ask_at()),
            Self::None | Self::Ask(_) | Self::Wait(..) => None,
        }
    }

    /// Whether the module is to be asked what it has of the socket's data.
    pub(super) fn asks(self, now: Timestamp) -> bool {
        matches!(self, Self::Ask(_)) || self.confirm_at().is_some_and(|at| at <= now)
    }

    /// Whether the next send can be tried.
    pub(super) fn allows(self, now: Timestamp) -> bool {
        match self {
            Self::None => true,
            Self::Ask(_) | Self::Unconfirmed(_) => false,
            Self::Wait(until, _) => until <= now,
        }
    }

    fn refused(self, refusal: Refusal) -> Self {
        match self {
            Self::None | Self::Unconfirmed(_) => {
                Self::Ask(Refused { refusal, pause: FIRST_PAUSE, was_empty: false })
            }
            Self::Ask(before) | Self::Wait(_, before) => Self::Ask(Refused { refusal, ..before }),
        }
    }
}

impl Refused {
    fn wait(self, now: Timestamp, is_empty: bool) -> Pressure {
        let pause = (self.pause * 2).min(LONGEST_PAUSE);
        Pressure::Wait(now + self.pause, Self { pause, was_empty: is_empty, ..self })
    }
}

impl Channels {
    /// A send was refused in place of the prompt.
    pub(super) fn send_refused(&mut self, id: ChannelId, refusal: Refusal, out: &mut Outbox) {
        let Some(socket) = self.channel(id).open_socket() else { return };
        if let Some(len) = socket.abandoned.take() {
            // The caller was told of a time-out, and the module has not taken them after all.
            socket.statistics.given -= len as u64;
        }
        socket.statistics.refusals += 1;
        if let Some(send) = socket.sends.front_mut() {
            send.in_flight = 0;
        }
        socket.pressure = socket.pressure.refused(refusal);
        socket.tell_drained(out);
    }

    /// The module has said what it still holds, or not.
    pub(super) fn acknowledgement_finished(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        result: &Result<Vec<String>, Failure>,
        out: &mut Outbox,
    ) {
        self.tell_delivery(now, id, result, out);
        let Some(socket) = self.channel(id).open_socket() else { return };
        let refused = match socket.pressure {
            Pressure::Ask(refused) => refused,
            Pressure::Unconfirmed(unconfirmed) => {
                return self.unconfirmed_asked(now, id, unconfirmed, result, out);
            }
            Pressure::None | Pressure::Wait(..) => return,
        };
        let is_empty = match result {
            Ok(lines) => match unacknowledged(lines) {
                Some(0) => true,
                Some(_) => false,
                None => return self.cannot_send(now, id, refused.refusal, out),
            },
            // Nothing was learned.
            Err(Failure::Timeout | Failure::Refused(Refusal::Ambiguous | Refusal::Empty)) => false,
            Err(Failure::Refused(_) | Failure::NoPrompt(_)) => {
                return self.cannot_send(now, id, refused.refusal, out);
            }
        };
        if is_empty && refused.was_empty {
            self.cannot_send(now, id, refused.refusal, out);
        } else {
            socket.pressure = refused.wait(now, is_empty);
        }
    }

    /// The connection is gone, and the refusal was how it was told.
    fn cannot_send(&mut self, now: Timestamp, id: ChannelId, refusal: Refusal, out: &mut Outbox) {
        let reason = CloseReason::SendRefused(refusal);
        if self.mode == ReceiveMode::Push || !matches!(self.channel(id).link, Link::Up) {
            self.end(id, End::Closed(reason), out);
            return;
        }
        self.fail_sends(id, &|| Error::Closed(reason), out);
        self.drain(now, id, reason);
    }
}

/// The last number of `+CIPACK: sent,acknowledged,not acknowledged`.
pub(super) fn unacknowledged(lines: &[String]) -> Option<u32> {
    let list = lines.iter().find_map(|line| Line::parse(line.as_bytes()).info("+CIPACK"))?;
    list.get(2).and_then(Field::number)
}
