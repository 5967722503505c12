//! Requests and questions about the peer's acknowledgements.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::time::Duration;

use crate::at::{ChannelId, Refusal};
use crate::error::{DeliveryUnknown, Error};
use crate::proto::outbox::Outbox;
use crate::proto::session::Failure;
use crate::proto::{Response, SocketId, Ticket};
use crate::time::Timestamp;

use super::Channels;
use super::acknowledgements::{WaitCondition, WaitingFlush, unacknowledged};
use super::security::Security;

impl Channels {
    /// A request that waits for acknowledgements or acceptance.
    pub(in crate::proto) fn ask_delivery(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        what: WaitCondition,
        timeout: Duration,
        out: &mut Outbox,
    ) {
        let channel = self.channel(id.channel);
        let is_tls = channel.security != Security::Plain;
        let (can_send, ended) = (channel.link.can_send(), channel.link.ended());
        let Some(socket) = channel.socket_of(id) else {
            out.answer(ticket, Err(Error::Closed(crate::CloseReason::Local)));
            return;
        };
        if let Some(error) = socket.report_error() {
            out.answer(ticket, Err(error));
        } else if what.asks() && (socket.window.keeps_boundaries() || is_tls) {
            let why = if is_tls { DeliveryUnknown::Tls } else { DeliveryUnknown::Datagrams };
            out.answer(ticket, Err(Error::DeliveryUnknown(why)));
        } else if !what.asks() && !can_send && socket.statistics.unsent > 0 {
            // The socket has no end yet, because data of the peer are still being fetched. Queued data are lost
            // already.
            out.answer(ticket, Err(Error::Closed(ended)));
        } else if !what.asks() && socket.is_drained() {
            out.answer(ticket, Ok(Response::Done));
        } else {
            let after = socket.writes.last_number();
            let deadline = now + timeout;
            socket.delivery.wait(WaitingFlush { ticket, what, after, asked_at: now, deadline, timeout });
        }
    }

    /// From now on the module is asked without a request as well.
    pub(in crate::proto) fn follow_delivery(&mut self, id: SocketId) {
        let channel = self.channel(id.channel);
        let is_plain = channel.security == Security::Plain;
        if let Some(socket) =
            channel.socket_of(id).filter(|socket| is_plain && !socket.window.keeps_boundaries())
        {
            socket.delivery.follow_sends();
        }
    }

    /// A question about acknowledgements has ended, with an answer or without.
    pub(super) fn delivery_answered(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        result: &Result<Vec<String>, Failure>,
        out: &mut Outbox,
    ) {
        let is_plain = self.channel(id).security == Security::Plain;
        let Some(socket) = self.channel(id).open_socket() else { return };
        let is_sending = !socket.is_drained();
        match (result.as_deref().map(unacknowledged), result) {
            (Ok(Some(left)), _) => {
                let before = socket.statistics.acknowledged;
                if is_plain && !socket.window.keeps_boundaries() {
                    let statistics = &mut socket.statistics;
                    let known = statistics.sent.saturating_sub(u64::from(left));
                    statistics.acknowledged = statistics.acknowledged.max(known);
                }
                out.answer_all(socket.delivery.acknowledged(now, left, is_sending));
                if left > 0 {
                    socket.delivery.follow_on(now, socket.statistics.acknowledged > before);
                }
            }
            (_, Err(Failure::Refused(refusal)))
                if *refusal != Refusal::Empty && *refusal != Refusal::Ambiguous =>
            {
                out.answer_all(socket.delivery.refused(now, *refusal));
                socket.delivery.follow_on(now, false);
            }
            (_, _) => {
                socket.delivery.ask_later(now);
                socket.delivery.follow_on(now, false);
            }
        }
    }
}
