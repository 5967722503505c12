//! The requests that wait until the peer has acknowledged data or the module has accepted them.

use std::time::Duration;

use crate::at::{Field, Line, Refusal};
use crate::error::Error;
use crate::proto::outbox::RequestResult;
use crate::proto::{Response, Ticket};
use crate::time::Timestamp;

/// The requests that wait for acknowledgements of the peer, and the moment of the next question (`AT+CIPACK`).
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) waiting: Vec<WaitingFlush>,
    pub(super) ask_at: Timestamp,
    pub(super) pause: Duration,
    /// The number of refusals of `AT+CIPACK` in a row.
    pub(super) refusals: u32,
    pub(super) follow: FollowUp,
    /// The pause before the next question without a request.
    follow_pause: Duration,
}

/// The questions that are asked without a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FollowUp {
    Nothing,
    /// A question after each send, and more until everything is acknowledged. The pause grows while nothing changes.
    Sends,
}

/// The pause between a send and a question without a request. Most networks acknowledge sooner. During a transfer there
/// is one question in this time: two short lines beside 10 KB at 115200 baud.
const FOLLOW_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before a question without a request, while the peer acknowledges nothing or the module refuses the
/// question.
const LONGEST_FOLLOW_PAUSE: Duration = Duration::from_secs(16);

#[derive(Debug)]
pub(super) struct WaitingFlush {
    pub(super) ticket: Ticket,
    pub(super) what: WaitCondition,
    /// The number of the last send at the time of the request.
    pub(super) after: u64,
    pub(super) asked_at: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
}

/// The condition that a request waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum WaitCondition {
    /// All data are acknowledged.
    Nothing,
    /// The number of unacknowledged bytes is known.
    Count,
    /// The module has accepted the data that were given before the request. This needs no question.
    Acceptance,
}

/// The first pause between two questions: shorter than a round trip of most networks. It grows, so that the port is not
/// flooded.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);

pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After this number of refusals in a row, the firmware counts as one without `AT+CIPACK`. A single refusal may have
/// another cause: the connection is gone, as the next lines then show.
pub(super) const MAX_REFUSALS: u32 = 3;

impl Default for Delivery {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            ask_at: Timestamp::MAX,
            pause: FIRST_PAUSE,
            refusals: 0,
            follow: FollowUp::Nothing,
            follow_pause: FOLLOW_PAUSE,
        }
    }
}

impl Delivery {
    /// True if a question is due. A request for all data also waits for data that are still to be sent.
    pub(super) fn is_due(&self, now: Timestamp, is_sending: bool) -> bool {
        let for_everything = self.waiting.iter().any(|waiting| waiting.what == WaitCondition::Nothing);
        self.ask_at <= now && !(for_everything && is_sending)
    }

    /// The module has data that the peer may not have acknowledged.
    pub(super) fn follow(&mut self, now: Timestamp) {
        if self.follow == FollowUp::Sends {
            self.follow_pause = FOLLOW_PAUSE;
            self.ask_at = self.ask_at.min(now + FOLLOW_PAUSE);
        }
    }

    /// The peer has not acknowledged everything, or the module has refused the question. `progress` is true if it has
    /// acknowledged more than before.
    pub(super) fn follow_on(&mut self, now: Timestamp, progress: bool) {
        if self.follow != FollowUp::Sends || self.ask_at != Timestamp::MAX {
            return;
        }
        if progress {
            self.follow_pause = FOLLOW_PAUSE;
        }
        self.ask_at = now + self.follow_pause;
        self.follow_pause = (self.follow_pause * 2).min(LONGEST_FOLLOW_PAUSE);
    }

    /// The module has reported the number of unacknowledged bytes.
    pub(super) fn acknowledged(&mut self, now: Timestamp, left: u32, is_sending: bool) -> Vec<RequestResult> {
        let is_clear = left == 0 && !is_sending;
        let answers = self.answer_those(
            &|waiting| {
                waiting.what == WaitCondition::Count || (waiting.what == WaitCondition::Nothing && is_clear)
            },
            &|waiting| match waiting.what {
                WaitCondition::Count => Ok(Response::Unacknowledged(left)),
                WaitCondition::Nothing | WaitCondition::Acceptance => Ok(Response::Done),
            },
        );
        self.refusals = 0;
        self.ask_later(now);
        answers
    }

    /// The module has refused the question.
    pub(super) fn refused(&mut self, now: Timestamp, refusal: Refusal) -> Vec<RequestResult> {
        self.refusals += 1;
        let mut answers = Vec::new();
        if self.refusals >= MAX_REFUSALS {
            self.refusals = 0;
            self.follow = FollowUp::Nothing;
            let error = |_: &WaitingFlush| Err(Error::Refused { command: "AT+CIPACK".into(), code: refusal });
            answers = self.answer_those(&|waiting| waiting.what.asks(), &error);
        }
        self.ask_later(now);
        answers
    }

    /// The module has accepted everything before the send of this number.
    pub(super) fn accepted(&mut self, first: u64) -> Vec<RequestResult> {
        self.answer_those(&|waiting| !waiting.what.asks() && waiting.after < first, &|_| Ok(Response::Done))
    }

    /// True if a request waits until the module has accepted the data.
    pub(super) fn awaits_acceptance(&self) -> bool {
        self.waiting.iter().any(|waiting| !waiting.what.asks())
    }

    /// The module has not accepted the send of this number, and will not. The error depends on when the request was
    /// made.
    pub(super) fn not_accepted(
        &mut self,
        number: u64,
        error: &dyn Fn(Timestamp) -> Error,
    ) -> Vec<RequestResult> {
        let waits_for = |waiting: &WaitingFlush| !waiting.what.asks() && waiting.after >= number;
        self.answer_those(&waits_for, &|waiting| Err(error(waiting.asked_at)))
    }

    fn answer_those(
        &mut self,
        which: &dyn Fn(&WaitingFlush) -> bool,
        answer: &dyn Fn(&WaitingFlush) -> Result<Response, Error>,
    ) -> Vec<RequestResult> {
        let those = self.waiting.extract_if(.., |waiting| which(waiting));
        those.map(|waiting| (waiting.ticket, answer(&waiting))).collect()
    }

    /// The question failed, or must be asked again.
    pub(super) fn ask_later(&mut self, now: Timestamp) {
        let is_over = !self.waiting.iter().any(|waiting| waiting.what.asks());
        self.ask_at = if is_over { Timestamp::MAX } else { now + self.pause };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The acknowledgements can't become known any more: every waiting request fails with the error.
    pub(super) fn fail(&mut self, error: &dyn Fn() -> Error) -> Vec<RequestResult> {
        self.ask_at = Timestamp::MAX;
        self.answer_those(&|_| true, &|_| Err(error()))
    }

    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<RequestResult> {
        let late = |waiting: &WaitingFlush| Err(Error::timeout(waiting.what.name(), waiting.timeout));
        self.answer_those(&|waiting| waiting.deadline <= now, &late)
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.waiting.iter().map(|waiting| waiting.deadline).min().unwrap_or(Timestamp::MAX)
    }
}

impl WaitCondition {
    /// True if the condition needs a question to the module.
    pub(super) fn asks(self) -> bool {
        match self {
            Self::Nothing | Self::Count => true,
            Self::Acceptance => false,
        }
    }

    /// The name of the wait in a time-out.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "flush",
            Self::Count => "AT+CIPACK",
            Self::Acceptance => "send",
        }
    }
}

/// The last number of `+CIPACK: sent,acknowledged,not acknowledged`.
pub(super) fn unacknowledged(lines: &[String]) -> Option<u32> {
    let list = lines.iter().find_map(|line| Line::parse(line.as_bytes()).info("+CIPACK"))?;
    list.get(2).and_then(Field::number)
}
