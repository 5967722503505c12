//! Sends and their results: accepted, refused, not confirmed, or timed out.

use std::time::Duration;

use crate::at::{ChannelId, Refusal};
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::session::{Failure, Finished};
use crate::proto::{Event, Response, SocketId, Ticket};
use crate::time::Timestamp;

use super::channel::{End, Origin, Send, Socket, too_long};
use super::fetch::says_closed;
use super::link::Link;
use super::unconfirmed::Acceptance;
use super::{Channels, STALE};

impl Channels {
    /// Appends data to those that wait.
    pub(in crate::proto) fn send(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        data: Vec<u8>,
        timeout: Duration,
        out: &mut Outbox,
    ) {
        let channel = self.channel(id.channel);
        let (can_send, ended) = (channel.link.can_send(), channel.link.ended());
        match channel.socket_of(id) {
            Some(socket) if data.is_empty() && socket.window.keeps_boundaries() => {
                out.answer(ticket, Err(empty_datagram()));
            }
            _ if data.is_empty() => out.answer(ticket, Ok(Response::Sent { accepted: 0, data })),
            Some(socket) if !socket.carries(data.len()) => out.answer(ticket, Err(too_long("datagram"))),
            Some(socket) if can_send && socket.error().is_none() => {
                push(socket, Send::new(ticket, data, now, timeout), out);
            }
            Some(socket) => {
                // The socket has no end yet, but its connection has: data of the peer are still being fetched.
                let error = socket.report_error().unwrap_or(Error::Closed(ended));
                out.answer(ticket, Err(error));
            }
            None => out.answer(ticket, Err(Error::Closed(CloseReason::Local))),
        }
    }

    /// Appends data without a waiting request. Their number is limited.
    pub(in crate::proto) fn queue(&mut self, id: SocketId, ticket: Ticket, data: Vec<u8>, out: &mut Outbox) {
        let limit = self.queue_limit;
        let channel = self.channel(id.channel);
        let (can_send, ended) = (channel.link.can_send(), channel.link.ended());
        let answer = match channel.socket_of(id) {
            Some(socket) if data.is_empty() && socket.window.keeps_boundaries() => Err(empty_datagram()),
            Some(socket) if !socket.carries(data.len()) => Err(too_long("datagram")),
            Some(socket) if can_send && socket.error().is_none() => {
                let room = limit.saturating_sub(socket.queued());
                if data.len() > room {
                    Err(Error::QueueFull { room })
                } else {
                    if !data.is_empty() {
                        push(socket, Send::queued(data), out);
                    }
                    Ok(Response::Done)
                }
            }
            Some(socket) => Err(socket.report_error().unwrap_or(Error::Closed(ended))),
            None => Err(Error::Closed(CloseReason::Local)),
        };
        out.answer(ticket, answer);
    }

    /// Sends wait for the prompt from now on.
    pub(in crate::proto) fn keep_prompt(&mut self, out: &mut Outbox) {
        self.prompts.keep().into_iter().for_each(|event| out.event(event));
    }

    pub(super) fn send_finished(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        finished: &Finished,
        out: &mut Outbox,
    ) {
        let is_datagram =
            self.channel(id).socket.as_ref().is_some_and(|socket| socket.window.keeps_boundaries());
        if finished.is_prompted {
            self.keep_prompt(out);
        } else if finished.result.is_ok() && !finished.is_given {
            self.prompts.missing();
        }
        match &finished.result {
            Ok(_) => self.piece_accepted(now, id, out),
            // The connection has ended, and data of the peer are still being fetched.
            Err(_) if matches!(self.channel(id).link, Link::Draining(_)) => {}
            // The module's buffer is full, or the report of a close was lost (protocol section 9).
            Err(Failure::NoPrompt(refusal)) => {
                self.send_refused(id, *refusal, finished.command.carries_payload(), out)
            }
            Err(Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout) if is_datagram => {
                self.channel(id).stale_until = now + STALE;
                self.datagram_lost(id, &|asked_at| Error::timeout("send", now - asked_at), out);
            }
            Err(Failure::Refused(code)) if is_datagram => {
                let command = || "AT+CIPSEND".into();
                self.datagram_lost(id, &|_| Error::Refused { command: command(), code: *code }, out);
            }
            Err(Failure::Refused(refusal)) => {
                self.channel(id).stale_until = now + STALE;
                match self.channel(id).doubtful_end().filter(|_| says_closed(*refusal)) {
                    Some(news) => self.believe(now, id, news, out),
                    None => self.end(id, End::Closed(CloseReason::SendRefused(*refusal)), out),
                }
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

    /// The module has accepted the bytes in flight.
    pub(super) fn piece_accepted(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        let Some(socket) = self.channel(id).open_socket() else { return };
        socket.pressure.over();
        if let Some(len) = socket.abandoned.take() {
            accepted(socket, len, out);
            out.answer_all(socket.answers_when_drained());
            return;
        }
        let Some(send) = socket.sends.front_mut() else { return };
        let len = std::mem::take(&mut send.in_flight);
        self.piece_given(now, id, len, out);
        if let Some(socket) = self.channel(id).open_socket() {
            out.answer_all(socket.answers_when_drained());
        }
    }

    /// The module or the port has accepted `len` more bytes of the first send. Its request is answered after the last
    /// ones.
    pub(super) fn piece_given(&mut self, now: Timestamp, id: ChannelId, len: usize, out: &mut Outbox) {
        let socket_id = self.channel(id).socket_id();
        let Some(socket) = self.channel(id).open_socket() else { return };
        let Some(send) = socket.sends.front_mut() else { return };
        send.accepted += len;
        let is_over = send.accepted == send.data.len();
        let is_written = send.origin == Origin::Written;
        accepted(socket, len, out);
        if let Some(heartbeat) = &mut socket.heartbeat {
            heartbeat.sent(now);
        }
        socket.delivery.follow(now);
        if is_written {
            // More data may be appended, so each piece is reported.
            out.event(Event::Sent(socket_id, len));
            socket.written_piece_is_over(socket_id, out);
        } else if is_over && let Some(send) = socket.sends.pop_front() {
            let accepted = send.accepted;
            out.event(Event::Sent(socket_id, accepted));
            if let Origin::Asked(ticket) = send.origin {
                out.answer(ticket, Ok(Response::Sent { accepted, data: send.data }));
            }
            socket.signal_room(socket_id, out);
        }
    }

    /// The module has refused a datagram or has not confirmed it. The datagram is lost; the socket stays open.
    fn datagram_lost(&mut self, id: ChannelId, error: &dyn Fn(Timestamp) -> Error, out: &mut Outbox) {
        let socket_id = self.channel(id).socket_id();
        let Some(socket) = self.channel(id).open_socket() else { return };
        let len = match socket.abandoned.take() {
            Some(len) => len,
            None => {
                let Some(send) = socket.sends.pop_front() else { return };
                match send.origin {
                    Origin::Asked(ticket) => out.answer(ticket, Err(error(send.asked_at))),
                    Origin::Queued | Origin::Written => {
                        out.answer_all(socket.delivery.not_accepted(send.number, error));
                    }
                }
                send.data.len()
            }
        };
        socket.statistics.unsent += len as u64;
        out.event(Event::Unsent(socket_id, len));
        out.answer_all(socket.answers_when_drained());
    }

    /// Answers the sends whose time-out has passed. Their bytes in flight stay in flight.
    pub(super) fn expire_sends(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        let socket_id = self.channel(id).socket_id();
        let Some(socket) = &mut self.channel(id).socket else { return };
        let mut index = 0;
        while index < socket.sends.len() {
            if socket.sends[index].deadline > now {
                index += 1;
                continue;
            }
            let Some(send) = socket.sends.remove(index) else { return };
            // The piece in flight may still be accepted. The answer counts only the bytes that were accepted before.
            socket.statistics.given -= (send.data.len() - send.accepted - send.in_flight) as u64;
            let answer = match send.accepted {
                0 => Err(Error::timeout("send", send.timeout)),
                accepted => Ok(Response::Sent { accepted, data: send.data }),
            };
            if send.in_flight > 0 {
                // The result of the piece has still to come. It must not count for the next send.
                socket.abandoned = Some(send.in_flight);
            }
            if let Origin::Asked(ticket) = send.origin {
                out.answer(ticket, answer);
            }
        }
        socket.signal_room(socket_id, out);
        out.answer_all(socket.answers_when_drained());
    }
}

impl Send {
    /// A send whose caller waits for at most `timeout`.
    pub(super) fn new(ticket: Ticket, data: Vec<u8>, now: Timestamp, timeout: Duration) -> Self {
        Self {
            origin: Origin::Asked(ticket),
            number: 0,
            data,
            accepted: 0,
            in_flight: 0,
            asked_at: now,
            deadline: now + timeout,
            timeout,
        }
    }

    /// A send whose caller does not wait.
    pub(super) fn queued(data: Vec<u8>) -> Self {
        Self::unasked(Origin::Queued, data)
    }

    /// Written data, to which more may be appended.
    pub(super) fn written(data: Vec<u8>) -> Self {
        Self::unasked(Origin::Written, data)
    }

    fn unasked(origin: Origin, data: Vec<u8>) -> Self {
        Self {
            origin,
            number: 0,
            data,
            accepted: 0,
            in_flight: 0,
            asked_at: Timestamp::ZERO,
            deadline: Timestamp::MAX,
            timeout: Duration::MAX,
        }
    }
}

/// Appends data to those that wait.
pub(super) fn push(socket: &mut Socket, mut send: Send, out: &mut Outbox) {
    socket.statistics.given += send.data.len() as u64;
    send.number = socket.writes.next_number();
    socket.sends.push_back(send);
    let queued = socket.queued();
    out.count().queued(&mut socket.statistics, queued);
}

/// The module has accepted `len` bytes.
fn accepted(socket: &mut Socket, len: usize, out: &mut Outbox) {
    socket.statistics.sent += len as u64;
    socket.statistics.sends += 1;
    out.count().sent += len as u64;
}

/// The error of an empty datagram. The module can't send one: with a length of zero, Ctrl-Z ends a send.
fn empty_datagram() -> Error {
    Error::invalid("datagram", "is empty, and the module can't send one")
}
