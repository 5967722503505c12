//! Sends that the module has neither accepted nor refused.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::{ChannelId, ChannelNews};
use crate::error::CloseReason;
use crate::proto::outbox::Outbox;
use crate::time::Timestamp;

use super::channel::End;
use super::pressure::{Pressure, SendVerdict};
use super::{Channels, STALE};

impl Channels {
    /// The result of a stream's send did not come, though its payload was written after the prompt.
    pub(super) fn send_unconfirmed(&mut self, now: Timestamp, id: ChannelId) {
        let security = self.channel(id).security;
        let Some(socket) = self.channel(id).open_socket() else { return };
        let in_flight = socket.sends.front().map_or(0, |send| send.in_flight);
        let len = socket.abandoned.unwrap_or(in_flight);
        socket.pressure = Pressure::unconfirmed(now, len, security);
    }

    /// No question after the filling is answered yet: a result may belong to the filling.
    pub(in crate::proto) fn still_filling(&mut self, now: Timestamp, id: ChannelId) {
        if let Some(socket) = self.channel(id).open_socket() {
            socket.pressure.still_filling(now);
        }
    }

    /// The module has not answered a question after the filling in time: it may have taken the question for payload.
    pub(in crate::proto) fn filling_is_doubted(&mut self) {
        for channel in &mut self.all {
            if let Some(socket) = channel.open_socket() {
                socket.pressure.filling_is_doubted();
            }
        }
    }

    /// The result of a send came that no command waits for: perhaps the missing result.
    pub(super) fn late_result(&mut self, now: Timestamp, id: ChannelId, news: ChannelNews, out: &mut Outbox) {
        self.result_came(news, out);
        let Some(socket) = self.channel(id).open_socket() else { return };
        match socket.pressure.late_result(now, news) {
            SendVerdict::Open(pressure) => socket.pressure = pressure,
            SendVerdict::Accepted => self.piece_accepted(now, id, out),
            SendVerdict::Gone(refusal) => {
                self.end(id, End::Closed(CloseReason::SendRefused(refusal)), out);
            }
            SendVerdict::Unknown => self.unconfirmed_ends(now, id, out),
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

    /// It can't be known any more which bytes the module has.
    pub(super) fn unconfirmed_ends(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        self.channel(id).stale_until = now + STALE;
        self.end(id, End::Closed(CloseReason::SendUnconfirmed), out);
    }
}
