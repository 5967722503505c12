//! Bytes of a transparent stream, both ways.

use std::time::Duration;

use crate::time::Timestamp;

use super::super::channel::{Channel, End};
use super::super::engine::Engine;
use super::super::heartbeat::Heart;
use super::super::{Deadline, Event, Response};
use super::mirror::Mirror;
use super::plus::{Allowed, Plus};
use super::tail::{Escape, Tail};
use super::{NO_ANSWER_YET, State};

/// The line in data mode.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) tail: Tail,
    plus: Plus,
    baud_rate: u32,
    /// Whether the port has taken what was written.
    port: Taking,
    /// When payload may go on that would be an escape.
    resume_at: Option<Timestamp>,
    /// Whether what comes is what was written.
    pub(super) mirror: Mirror,
    /// What the module has said behind its answer to an escape, until that is proved to be one.
    pub(super) news: Vec<u8>,
}

/// What the port does with the latest piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Taking {
    /// It has taken it; the last byte leaves it then at the latest.
    Done(Timestamp),
    /// It is taking it, of this length, behind what leaves it then at the latest.
    Busy(usize, Timestamp),
}

/// The most that is written at once. The next piece follows when the port has taken this one, so this and what the port
/// keeps itself is all that is under way: enough to keep the line busy, and little to wait for before an escape.
const PIECE: usize = 4 * 1024;
/// What a port keeps of what it has taken (a terminal of Linux: 4 KiB).
const PORT_BUFFER: usize = 4 * 1024;
/// Bits on the line for one byte (8N1).
const BITS: u64 = 10;

impl Wire {
    pub(super) fn new(baud_rate: u32) -> Self {
        Self {
            tail: Tail::default(),
            plus: Plus::default(),
            baud_rate,
            port: Taking::Done(Timestamp::ZERO),
            resume_at: None,
            mirror: Mirror::default(),
            news: Vec::new(),
        }
    }

    /// Data mode begins: the module's silence counts from now.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.port = Taking::Done(now);
    }

    /// Since when the line has been silent; `None` while the port is taking bytes.
    pub(super) fn silent_since(&self) -> Option<Timestamp> {
        match self.port {
            Taking::Done(at) => Some(at),
            Taking::Busy(..) => None,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.port, Taking::Busy(..))
    }

    /// The port has taken everything.
    pub(super) fn taken(&mut self, now: Timestamp) {
        if let Taking::Busy(len, before) = self.port {
            let last = now.max(before) + self.on_the_line(len);
            self.port = Taking::Done(last.min(now + self.on_the_line(PORT_BUFFER)));
            self.plus.taken(now);
        }
    }

    fn on_the_line(&self, len: usize) -> Duration {
        Duration::from_micros(len as u64 * BITS * 1_000_000 / u64::from(self.baud_rate.max(1)))
    }

    /// Bytes that were written are gone with the port.
    pub(super) fn forget(&mut self) {
        self.port = Taking::Done(Timestamp::ZERO);
        self.tail.forget();
        self.news.clear();
        self.mirror.forget();
        self.resume_at = None;
    }

    pub(super) fn wrote(&mut self, now: Timestamp, bytes: &[u8]) {
        self.plus.wrote(now, bytes);
        let before = self.silent_since().unwrap_or(now);
        self.port = Taking::Busy(bytes.len(), before);
    }

    pub(super) fn resume_at(&self) -> Option<(Timestamp, Deadline)> {
        self.resume_at.map(|at| (at, Deadline::Guard))
    }

    pub(super) fn tail_deadline(&self) -> Option<(Timestamp, Deadline)> {
        self.tail.deadline().map(|at| (at, Deadline::Tail))
    }
}

impl Engine {
    /// The channel whose socket the stream is.
    pub(super) fn stream_channel(&mut self) -> &mut Channel {
        self.channels.channel(self.transparent.channel)
    }

    /// The port has taken everything that was written.
    pub(in crate::proto) fn port_took(&mut self, now: Timestamp) {
        self.transparent.wire.taken(now);
    }

    /// Whether the core waits for [`Input::Written`](crate::proto::Input::Written) before it writes more.
    pub fn awaits_port(&self) -> bool {
        self.transparent.wire.is_busy()
    }

    /// Bytes in data mode.
    pub(in crate::proto) fn stream_received(&mut self, now: Timestamp, bytes: &[u8]) {
        let mut tail = std::mem::take(&mut self.transparent.wire.tail);
        tail.escape_is(self.escape_at(now));
        tail.push(now, bytes, |payload| self.stream_payload(now, payload));
        self.transparent.wire.tail = tail;
    }

    /// Time has passed without a byte: what was held back may be payload.
    pub(super) fn settle_tail(&mut self, now: Timestamp) {
        let mut tail = std::mem::take(&mut self.transparent.wire.tail);
        tail.escape_is(self.escape_at(now));
        tail.settle(now, |payload| self.stream_payload(now, payload));
        self.transparent.wire.tail = tail;
    }

    /// Works on what is held back.
    pub(super) fn with_tail(&mut self, now: Timestamp, work: impl FnOnce(&mut Tail, &mut dyn FnMut(&[u8]))) {
        let mut tail = std::mem::take(&mut self.transparent.wire.tail);
        work(&mut tail, &mut |payload| self.stream_payload(now, payload));
        self.transparent.wire.tail = tail;
    }

    fn escape_at(&self, now: Timestamp) -> Escape {
        match self.transparent.state {
            // An earlier one may be answered late.
            State::Escaping { failed: 1.., .. } | State::Guarding { failed: 1.., .. } => Escape::Answerable,
            State::Escaping { since, .. } if now >= since + NO_ANSWER_YET => Escape::Answerable,
            State::Escaping { .. } => Escape::Written,
            _ => Escape::None,
        }
    }

    /// Payload for the socket; what does not fit ends it.
    fn stream_payload(&mut self, now: Timestamp, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        let id = self.stream_channel().socket_id();
        let Some(socket) = &mut self.channels.channel(self.transparent.channel).socket else { return };
        match &mut socket.end {
            None => self.transparent.wire.mirror.received(payload),
            Some(End::Overrun { lost }) => {
                *lost += payload.len() as u64;
                self.out.statistics.lost(&mut socket.statistics, payload.len());
                return;
            }
            Some(End::Closed(_) | End::Restarted | End::PortLost(_)) => return,
        }
        let (kept, lost) = payload.split_at(payload.len().min(socket.window.room()));
        let was_empty = socket.window.readable() == 0;
        socket.window.push(kept);
        self.out.statistics.unread(&mut socket.statistics, socket.window.held());
        let len = socket.window.finish_frame();
        if len > 0 {
            socket.heard(now, len);
            self.out.event(Event::Received(id, len));
            if was_empty {
                self.out.readable(id);
            }
        }
        if !lost.is_empty() {
            self.out.statistics.lost(&mut socket.statistics, lost.len());
            self.channels.end(
                self.transparent.channel,
                End::Overrun { lost: lost.len() as u64 },
                &mut self.out,
            );
        }
    }

    /// Writes the next piece, if the port has taken the last one.
    pub(super) fn write_stream(&mut self, now: Timestamp) {
        self.transparent.wire.resume_at = None;
        if self.transparent.wire.is_busy() || self.transparent.wire.tail.is_in_doubt() {
            return;
        }
        let id = self.stream_channel().socket_id();
        let Some(socket) = self.channels.channel(self.transparent.channel).open_socket() else { return };
        let more = socket.sends.len() > 1;
        let Some(send) = socket.sends.front_mut() else { return };
        let rest = &send.data[send.accepted..];
        let rest = &rest[..rest.len().min(PIECE)];
        let wire = &mut self.transparent.wire;
        let len = match wire.plus.allow(now, rest, more || rest.len() == PIECE) {
            Allowed::Now(len) => len,
            Allowed::Wait(until) => {
                wire.resume_at = Some(until);
                return;
            }
        };
        wire.wrote(now, &rest[..len]);
        self.out.write(rest[..len].to_vec());
        if socket.heart.as_ref().is_some_and(Heart::is_waiting) {
            wire.mirror.wrote(&rest[..len]);
        } else {
            wire.mirror.forget();
        }
        send.accepted += len;
        let whole = send.accepted == send.data.len();
        socket.accepted(len, &mut self.out);
        if let Some(heart) = &mut socket.heart {
            heart.sent(now);
        }
        if whole && let Some(send) = socket.sends.pop_front() {
            let accepted = send.accepted;
            self.out.event(Event::Sent(id, accepted));
            if let Some(ticket) = send.ticket {
                self.out.answer(ticket, Ok(Response::Sent { accepted, data: send.data }));
            }
        }
    }
}
