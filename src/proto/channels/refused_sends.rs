//! Sends that the module has refused in place of the prompt.

use crate::at::{ChannelId, Refusal};
use crate::config::ReceiveMode;
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::session::Failure;
use crate::time::Timestamp;

use super::Channels;
use super::acknowledgements::unacknowledged;
use super::channel::End;
use super::link::Link;
use super::pressure::Pressure;
use super::unconfirmed_sends::counted;

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
            socket.statistics.given -= len as u64;
        }
        socket.statistics.refusals += 1;
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
        self.tell_delivery(now, id, result, out);
        let Some(socket) = self.channel(id).open_socket() else { return };
        let refused = match socket.pressure {
            Pressure::Ask(refused) => refused,
            Pressure::Unconfirmed(unconfirmed) => {
                return self.unconfirmed_asked(now, id, unconfirmed, result, out);
            }
            Pressure::None | Pressure::Wait(..) => return,
        };
        // Only the count proves that the module has not accepted a piece that was written. A module that refuses the
        // question may have lost the connection after that.
        let sent = socket.statistics.sent as u32;
        let is_proved = result.as_ref().is_ok_and(|lines| counted(lines) == Some(sent));
        if refused.was_written && !is_proved {
            return self.unconfirmed_ends(now, id, out);
        }
        let is_empty = match result {
            Ok(lines) => match unacknowledged(lines) {
                Some(0) => true,
                Some(_) => false,
                None => return self.cannot_send(now, id, refused.refusal, out),
            },
            // The answer has no number.
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
