//! The outcomes of a send: accepted, refused, not confirmed, or given up by its caller.

use crate::at::{ChannelId, Refusal};
use crate::error::{CloseReason, Error};
use crate::proto::exchange::{Failure, Finished};
use crate::proto::outbox::Outbox;
use crate::proto::{Event, Response};
use crate::time::Timestamp;

use super::channel::{End, Send};
use super::link::Link;
use super::pressure::Pressure;
use super::unconfirmed::Acceptance;
use super::{Channels, STALE};

impl Channels {
    pub(in crate::proto) fn send_finished(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        finished: &Finished,
        out: &mut Outbox,
    ) {
        let is_datagram = self.channel(id).socket.as_ref().is_some_and(|socket| socket.window.has_borders());
        match &finished.result {
            Ok(_) => self.piece_accepted(now, id, out),
            // The connection has ended, and its data are still being fetched.
            Err(_) if matches!(self.channel(id).link, Link::Draining(_)) => {}
            // The module is full, or the news of a close was lost (protocol section 9).
            Err(Failure::NoPrompt(refusal)) => self.send_refused(id, *refusal, out),
            Err(Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout) if is_datagram => {
                self.channel(id).stale_until = now + STALE;
                self.datagram_lost(id, &|send| Error::timeout("send", now - send.asked_at), out);
            }
            Err(Failure::Refused(code)) if is_datagram => {
                let command = || "AT+CIPSEND".into();
                self.datagram_lost(id, &|_| Error::Refused { command: command(), code: *code }, out);
            }
            Err(Failure::Refused(refusal)) => {
                self.channel(id).stale_until = now + STALE;
                self.end(id, End::Closed(CloseReason::SendRefused(*refusal)), out);
            }
            Err(Failure::Timeout) if finished.is_given && self.acceptance == Acceptance::Quick => {
                self.send_unconfirmed(now, id);
            }
            Err(Failure::Timeout) => {
                self.channel(id).stale_until = now + STALE;
                self.end(id, End::Closed(CloseReason::SendUnconfirmed), out);
            }
        }
    }

    /// The module has what was in flight.
    pub(in crate::proto) fn piece_accepted(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        let Some(socket) = self.channel(id).open_socket() else { return };
        socket.pressure = Pressure::None;
        if let Some(len) = socket.abandoned.take() {
            socket.accepted(len, out);
            socket.tell_drained(out);
            return;
        }
        let Some(send) = socket.sends.front_mut() else { return };
        let len = std::mem::take(&mut send.in_flight);
        self.piece_given(now, id, len, out);
        if let Some(socket) = self.channel(id).open_socket() {
            socket.tell_drained(out);
        }
    }

    /// `len` bytes more of the first send are with the module, or the port; its request is answered when that is all of it.
    pub(super) fn piece_given(&mut self, now: Timestamp, id: ChannelId, len: usize, out: &mut Outbox) {
        let socket_id = self.channel(id).socket_id();
        let Some(socket) = self.channel(id).open_socket() else { return };
        let Some(send) = socket.sends.front_mut() else { return };
        send.accepted += len;
        let is_over = send.accepted == send.data.len();
        socket.accepted(len, out);
        if let Some(heart) = &mut socket.heart {
            heart.sent(now);
        }
        if is_over && let Some(send) = socket.sends.pop_front() {
            let accepted = send.accepted;
            out.event(Event::Sent(socket_id, accepted));
            if let Some(ticket) = send.ticket {
                out.answer(ticket, Ok(Response::Sent { accepted, data: send.data }));
            }
        }
    }

    /// The module has refused a datagram, or has not confirmed it: it is lost, and the association goes on.
    fn datagram_lost(&mut self, id: ChannelId, error: &dyn Fn(&Send) -> Error, out: &mut Outbox) {
        let socket_id = self.channel(id).socket_id();
        let Some(socket) = self.channel(id).open_socket() else { return };
        let len = match socket.abandoned.take() {
            Some(len) => len,
            None => {
                let Some(send) = socket.sends.pop_front() else { return };
                match send.ticket {
                    Some(ticket) => out.answer(ticket, Err(error(&send))),
                    None => socket.delivery.not_accepted(&|| error(&send), out),
                }
                send.data.len()
            }
        };
        socket.statistics.unsent += len as u64;
        out.event(Event::Unsent(socket_id, len));
        socket.tell_drained(out);
    }

    /// Sends whose time is up are answered; what is in flight of them goes on.
    pub(in crate::proto) fn expire_sends(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        let Some(socket) = &mut self.channel(id).socket else { return };
        let mut index = 0;
        while index < socket.sends.len() {
            if socket.sends[index].deadline > now {
                index += 1;
                continue;
            }
            let Some(send) = socket.sends.remove(index) else { return };
            // The piece in flight may still be accepted: only what was accepted before is told.
            socket.statistics.given -= (send.data.len() - send.accepted - send.in_flight) as u64;
            let answer = match send.accepted {
                0 => Err(Error::timeout("send", send.timeout)),
                accepted => Ok(Response::Sent { accepted, data: send.data }),
            };
            if send.in_flight > 0 {
                // The result of the piece is still to come, and must not be counted for the next send.
                socket.abandoned = Some(send.in_flight);
            }
            if let Some(ticket) = send.ticket {
                out.answer(ticket, answer);
            }
        }
        socket.tell_drained(out);
    }
}
