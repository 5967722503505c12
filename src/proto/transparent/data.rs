//! Bytes of a transparent stream, both ways.

use crate::proto::channels::{Channel, End, Heart};
use crate::proto::engine::Engine;
use crate::proto::transparent::end_detector::{EndDetector, Escape};
use crate::proto::transparent::escape_guard::Allowed;
use crate::proto::transparent::wire::PIECE;
use crate::proto::transparent::{NO_ANSWER_YET, State};
use crate::proto::{Event, Response};
use crate::time::Timestamp;

impl Engine {
    /// The channel whose socket the stream is.
    pub(in crate::proto) fn stream_channel(&mut self) -> &mut Channel {
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
    pub(in crate::proto) fn settle_tail(&mut self, now: Timestamp) {
        let mut tail = std::mem::take(&mut self.transparent.wire.tail);
        tail.escape_is(self.escape_at(now));
        tail.settle(now, |payload| self.stream_payload(now, payload));
        self.transparent.wire.tail = tail;
    }

    /// Works on what is held back.
    pub(super) fn with_tail(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&mut EndDetector, &mut dyn FnMut(&[u8])),
    ) {
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
    pub(in crate::proto) fn write_stream(&mut self, now: Timestamp) {
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
