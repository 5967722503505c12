//! Sends that the module has refused in place of the prompt.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::{ChannelId, Refusal};
use crate::config::ReceiveMode;
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::session::Failure;
use crate::time::Timestamp;

use super::Channels;
use super::channel::End;
use super::link::Link;
use super::pressure::SendVerdict;

impl Channels {
    /// A send was refused in place of the prompt. If its payload was written already, the count of the module shows
    /// whether the refusal was that of another command.
    pub(super) fn send_refused(
        &mut self,
        id: ChannelId,
        refusal: Refusal,
        was_written: bool,
        out: &mut Outbox,
    ) {
        let Some(socket) = self.channel(id).open_socket() else { return };
        if let Some(len) = socket.abandoned.take() {
            // The caller got a time-out, and the module did not accept these bytes.
            socket.statistics.given = socket.statistics.given.saturating_sub(len as u64);
        }
        socket.statistics.refusals = socket.statistics.refusals.saturating_add(1);
        if let Some(send) = socket.sends.front_mut() {
            send.in_flight = 0;
        }
        socket.pressure = socket.pressure.refused(refusal, was_written);
        out.answer_all(socket.answers_when_drained());
    }

    /// The question for the number of bytes that the module holds has ended, with an answer or without.
    pub(super) fn acknowledgement_finished(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        result: &Result<Vec<String>, Failure>,
        out: &mut Outbox,
    ) {
        self.delivery_answered(now, id, result, out);
        let security = self.channel(id).security;
        let Some(socket) = self.channel(id).open_socket() else { return };
        match socket.pressure.asked(now, socket.statistics.sent, security, result) {
            SendVerdict::Open(pressure) => socket.pressure = pressure,
            SendVerdict::Accepted => self.piece_accepted(now, id, out),
            SendVerdict::Gone(refusal) => self.cannot_send(now, id, refusal, out),
            SendVerdict::Unknown => self.unconfirmed_ends(now, id, out),
        }
    }

    /// The connection is gone: that was the cause of the refusal.
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
