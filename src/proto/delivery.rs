//! What the peer has acknowledged.

use std::time::Duration;

use crate::at::{ChannelId, Refusal};
use crate::error::{DeliveryUnknown, Error};
use crate::time::Timestamp;

use super::channels::Channels;
use super::exchange::Failure;
use super::outbox::Outbox;
use super::pressure::unacknowledged;
use super::tls::Security;
use super::traffic::timeout;
use super::{Response, SocketId, Ticket};

/// Who wants to know what the peer has acknowledged, and when the module is asked next (`AT+CIPACK`).
#[derive(Debug)]
pub(super) struct Delivery {
    waiting: Vec<Waiting>,
    pub(super) ask_at: Timestamp,
    pause: Duration,
    /// How often in a row the module has refused to say.
    refusals: u32,
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
    /// That the module has everything, which it need not be asked for.
    Acceptance,
}

/// Between two questions: short enough for a network's round trip, growing so that the port is not flooded.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Refusals in a row after which the firmware counts as one that can't say. One may be the news that the connection is
/// gone, which the next lines tell better.
const MAX_REFUSALS: u32 = 3;

impl Default for Delivery {
    fn default() -> Self {
        Self { waiting: Vec::new(), ask_at: Timestamp::MAX, pause: FIRST_PAUSE, refusals: 0 }
    }
}

impl Delivery {
    /// Whether the module is to be asked now. Whoever waits for everything waits for what is still to be sent, too.
    pub(super) fn is_due(&self, now: Timestamp, is_sending: bool) -> bool {
        let for_everything = self.waiting.iter().any(|waiting| waiting.what == Wanted::Nothing);
        self.ask_at <= now && !(for_everything && is_sending)
    }

    /// The module has said how many bytes are not acknowledged.
    fn acknowledged(&mut self, now: Timestamp, left: u32, is_sending: bool, out: &mut Outbox) {
        self.waiting.retain(|waiting| {
            let answer = match waiting.what {
                Wanted::Count => Response::Unacknowledged(left),
                Wanted::Nothing if left == 0 && !is_sending => Response::Done,
                Wanted::Nothing | Wanted::Acceptance => return true,
            };
            out.answer(waiting.ticket, Ok(answer));
            false
        });
        self.refusals = 0;
        self.ask_later(now);
    }

    /// The module would not say.
    fn refused(&mut self, now: Timestamp, refusal: Refusal, out: &mut Outbox) {
        self.refusals += 1;
        if self.refusals >= MAX_REFUSALS {
            self.refusals = 0;
            self.answer_those(Wanted::asks, out, &|| {
                Err(Error::Refused { command: "AT+CIPACK".into(), code: refusal })
            });
        }
        self.ask_later(now);
    }

    /// The module has accepted everything that was sent and queued.
    pub(super) fn accepted(&mut self, out: &mut Outbox) {
        self.answer_those(|what| !what.asks(), out, &|| Ok(Response::Done));
    }

    /// The module has not accepted something that was queued.
    pub(super) fn not_accepted(&mut self, error: &dyn Fn() -> Error, out: &mut Outbox) {
        self.answer_those(|what| !what.asks(), out, &|| Err(error()));
    }

    fn answer_those(
        &mut self,
        which: impl Fn(Wanted) -> bool,
        out: &mut Outbox,
        answer: &dyn Fn() -> Result<Response, Error>,
    ) {
        for waiting in self.waiting.extract_if(.., |waiting| which(waiting.what)) {
            out.answer(waiting.ticket, answer());
        }
    }

    /// The module could not be asked, or is to be asked again.
    fn ask_later(&mut self, now: Timestamp) {
        let is_over = !self.waiting.iter().any(|waiting| waiting.what.asks());
        self.ask_at = if is_over { Timestamp::MAX } else { now + self.pause };
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
                out.answer(waiting.ticket, Err(timeout(waiting.what.name(), waiting.timeout)));
            }
            keep
        });
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.waiting.iter().map(|waiting| waiting.deadline).min().unwrap_or(Timestamp::MAX)
    }
}

impl Wanted {
    /// Whether the module must be asked.
    fn asks(self) -> bool {
        match self {
            Self::Nothing | Self::Count => true,
            Self::Acceptance => false,
        }
    }

    /// What a time-out calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "flush",
            Self::Count => "AT+CIPACK",
            Self::Acceptance => "send",
        }
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
        let channel = self.channel(id.channel);
        let is_tls = channel.security != Security::Plain;
        let Some(socket) = channel.socket_of(id) else {
            out.answer(ticket, Err(Error::Closed(crate::CloseReason::Local)));
            return;
        };
        if let Some(error) = socket.error() {
            out.answer(ticket, Err(error));
        } else if what.asks() && (socket.window.has_borders() || is_tls) {
            let why = if is_tls { DeliveryUnknown::Tls } else { DeliveryUnknown::Datagrams };
            out.answer(ticket, Err(Error::DeliveryUnknown(why)));
        } else if !what.asks() && socket.is_drained() {
            out.answer(ticket, Ok(Response::Done));
        } else {
            let delivery = &mut socket.delivery;
            delivery.waiting.push(Waiting { ticket, what, deadline: now + timeout, timeout });
            if what.asks() {
                delivery.ask_at = now;
                delivery.pause = FIRST_PAUSE;
            }
        }
    }

    /// The module has answered a question about delivery, or not.
    pub(super) fn tell_delivery(
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
                if is_plain && !socket.window.has_borders() {
                    let statistics = &mut socket.statistics;
                    let known = statistics.sent.saturating_sub(u64::from(left));
                    statistics.acknowledged = statistics.acknowledged.max(known);
                }
                socket.delivery.acknowledged(now, left, is_sending, out);
            }
            (_, Err(Failure::Refused(refusal)))
                if *refusal != Refusal::Empty && *refusal != Refusal::Ambiguous =>
            {
                socket.delivery.refused(now, *refusal, out);
            }
            (_, _) => socket.delivery.ask_later(now),
        }
    }
}
