//! What the peer has acknowledged.

use std::time::Duration;

use crate::at::ChannelId;
use crate::error::Error;
use crate::time::Timestamp;

use super::channels::Channels;
use super::outbox::Outbox;
use super::traffic::timeout;
use super::{Response, SocketId, Ticket};

/// Who wants to know what the peer has acknowledged, and when the module is asked next (`AT+CIPACK`).
#[derive(Debug)]
pub(super) struct Delivery {
    waiting: Vec<Waiting>,
    pub(super) ask_at: Timestamp,
    pause: Duration,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    what: Wanted,
    deadline: Timestamp,
    timeout: Duration,
}

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// That nothing is unacknowledged.
    Nothing,
    /// How much is.
    Count,
}

/// Between two questions: short enough for a network's round trip, growing so that the port is not flooded.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Default for Delivery {
    fn default() -> Self {
        Self { waiting: Vec::new(), ask_at: Timestamp::MAX, pause: FIRST_PAUSE }
    }
}

impl Delivery {
    /// Whether the module is to be asked now. Whoever waits for everything waits for what is still to be sent, too.
    pub(super) fn is_due(&self, now: Timestamp, is_sending: bool) -> bool {
        let only_counts = self.waiting.iter().all(|waiting| waiting.what == Wanted::Count);
        self.ask_at <= now && (only_counts || !is_sending)
    }

    /// The module has said how many bytes are not acknowledged.
    pub(super) fn acknowledged(&mut self, now: Timestamp, left: u32, is_sending: bool, out: &mut Outbox) {
        self.waiting.retain(|waiting| {
            let answer = match waiting.what {
                Wanted::Count => Response::Unacknowledged(left),
                Wanted::Nothing if left == 0 && !is_sending => Response::Done,
                Wanted::Nothing => return true,
            };
            out.answer(waiting.ticket, Ok(answer));
            false
        });
        self.ask_later(now);
    }

    /// The module could not be asked.
    pub(super) fn ask_later(&mut self, now: Timestamp) {
        self.ask_at = if self.waiting.is_empty() { Timestamp::MAX } else { now + self.pause };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Nobody will ever know.
    pub(super) fn fail(&mut self, error: &dyn Fn() -> Error, out: &mut Outbox) {
        for waiting in std::mem::take(&mut self.waiting) {
            out.answer(waiting.ticket, Err(error()));
        }
        self.ask_at = Timestamp::MAX;
    }

    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Outbox) {
        self.waiting.retain(|waiting| {
            let keep = waiting.deadline > now;
            if !keep {
                out.answer(waiting.ticket, Err(timeout("flush", waiting.timeout)));
            }
            keep
        });
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.waiting.iter().map(|waiting| waiting.deadline).min().unwrap_or(Timestamp::MAX)
    }
}

impl Channels {
    /// Somebody wants to know what the peer has acknowledged.
    pub(super) fn ask_delivery(
        &mut self,
        now: Timestamp,
        id: SocketId,
        ticket: Ticket,
        what: Wanted,
        timeout: Duration,
        out: &mut Outbox,
    ) {
        let Some(socket) = self.channel(id.channel).socket_of(id) else {
            out.answer(ticket, Err(Error::Closed(crate::CloseReason::Local)));
            return;
        };
        if let Some(error) = socket.error() {
            out.answer(ticket, Err(error));
        } else if socket.window.has_borders() {
            out.answer(ticket, Err(Error::invalid("socket", "sends datagrams, which nobody acknowledges")));
        } else {
            let delivery = &mut socket.delivery;
            delivery.waiting.push(Waiting { ticket, what, deadline: now + timeout, timeout });
            delivery.ask_at = now;
            delivery.pause = FIRST_PAUSE;
        }
    }

    /// The module has answered a question about delivery, or not.
    pub(super) fn tell_delivery(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        left: Option<u32>,
        out: &mut Outbox,
    ) {
        let Some(socket) = self.channel(id).open_socket() else { return };
        let is_sending = !socket.sends.is_empty();
        match left {
            Some(left) => socket.delivery.acknowledged(now, left, is_sending, out),
            None => socket.delivery.ask_later(now),
        }
    }
}
