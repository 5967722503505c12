//! Sends that the module has neither accepted nor refused.

use crate::at::{ChannelId, ChannelNews, Field, Line, Refusal};
use crate::error::CloseReason;
use crate::proto::outbox::Outbox;
use crate::proto::session::Failure;
use crate::time::Timestamp;

use super::channel::End;
use super::pressure::Pressure;
use super::security::Security;
use super::unconfirmed::{MAX_QUESTIONS, SETTLE, Unconfirmed};
use super::{Channels, STALE};

impl Channels {
    /// The result of a stream's send did not come, though its payload was written after the prompt.
    pub(super) fn send_unconfirmed(&mut self, now: Timestamp, id: ChannelId) {
        let can_ask = self.channel(id).security == Security::Plain;
        let Some(socket) = self.channel(id).open_socket() else { return };
        let in_flight = socket.sends.front().map_or(0, |send| send.in_flight);
        let len = socket.abandoned.unwrap_or(in_flight);
        socket.pressure = Pressure::Unconfirmed(Unconfirmed::new(now, len, can_ask));
    }

    /// No question after the filling is answered yet: a result may belong to the filling.
    pub(in crate::proto) fn still_filling(&mut self, now: Timestamp, id: ChannelId) {
        if let Some(socket) = self.channel(id).open_socket()
            && let Pressure::Unconfirmed(unconfirmed) = &mut socket.pressure
        {
            unconfirmed.filled_at = now;
        }
    }

    /// The module has not answered a question after the filling in time: it may have taken the question for payload.
    pub(in crate::proto) fn filling_is_doubted(&mut self) {
        for channel in &mut self.all {
            if let Some(socket) = channel.open_socket()
                && let Pressure::Unconfirmed(unconfirmed) = &mut socket.pressure
            {
                unconfirmed.is_doubted = true;
            }
        }
    }

    /// The result of a send came that no command waits for: perhaps the missing result.
    pub(super) fn late_result(&mut self, now: Timestamp, id: ChannelId, news: ChannelNews, out: &mut Outbox) {
        self.result_came(news, out);
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
        } else if unconfirmed.is_doubted || now < unconfirmed.filled_at + SETTLE {
            self.unconfirmed_ends(now, id, out);
        } else {
            self.piece_accepted(now, id, out);
        }
    }

    /// The result of a send came that no command waits for.
    pub(super) fn result_came(&mut self, news: ChannelNews, out: &mut Outbox) {
        if news == ChannelNews::SendOk {
            self.keep_prompt(out);
        }
    }

    /// The channel whose send is not confirmed, if there is exactly one.
    pub(super) fn only_unconfirmed(&self) -> Option<ChannelId> {
        let mut unconfirmed = self.all.iter().filter(|channel| {
            channel.socket.as_ref().is_some_and(|socket| matches!(socket.pressure, Pressure::Unconfirmed(_)))
        });
        let first = unconfirmed.next()?.id;
        unconfirmed.next().is_none().then_some(first)
    }

    /// The question for the number of counted bytes has ended, with an answer or without.
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
            // The question had another reason.
            return;
        }
        // The counter of the module may have 32 bits.
        let expected = socket.statistics.sent.wrapping_add(unconfirmed.len as u64) as u32;
        match result.as_deref().map(counted) {
            Ok(Some(count)) if can_ask && count == expected && !unconfirmed.is_doubted => {
                self.piece_accepted(now, id, out)
            }
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

    pub(super) fn unconfirmed_ends(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        self.channel(id).stale_until = now + STALE;
        self.end(id, End::Closed(CloseReason::SendUnconfirmed), out);
    }
}

/// The first number of `+CIPACK: sent,acknowledged,not acknowledged`.
pub(super) fn counted(lines: &[String]) -> Option<u32> {
    let list = lines.iter().find_map(|line| Line::parse(line.as_bytes()).info("+CIPACK"))?;
    list.first().and_then(Field::number)
}
