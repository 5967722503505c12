//! The requests that wait until the peer has acknowledged data or the module has accepted them.

use std::time::Duration;

use crate::at::{Field, Line, Refusal};
use crate::error::Error;
use crate::proto::outbox::RequestResult;
use crate::proto::{Response, Ticket};
use crate::time::Timestamp;

/// The requests for what the peer has acknowledged, and when the module is asked next (`AT+CIPACK`).
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) waiting: Vec<WaitingFlush>,
    pub(super) ask_at: Timestamp,
    pub(super) pause: Duration,
    /// How often in a row the module has refused to tell.
    pub(super) refusals: u32,
    pub(super) follow: FollowUp,
    /// Before the next question that no request asks for.
    follow_pause: Duration,
}

/// The questions that no request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FollowUp {
    Nothing,
    /// One a while behind each send, and again until everything is acknowledged, later each time while nothing changes.
    Sends,
}

/// How long behind a send the module is asked without a request. Most networks acknowledge sooner, and a transfer is asked
/// about once in that time: two short lines against 10 KB of 115200 baud.
const FOLLOW_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before a question that no request asks for, where the peer acknowledges nothing or the module does not
/// tell.
const LONGEST_FOLLOW_PAUSE: Duration = Duration::from_secs(16);

#[derive(Debug)]
pub(super) struct WaitingFlush {
    pub(super) ticket: Ticket,
    pub(super) what: WaitCondition,
    /// The number of the last send by then.
    pub(super) behind: u64,
    pub(super) asked_at: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) timeout: Duration,
}

/// The condition that a request waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum WaitCondition {
    /// That nothing is unacknowledged.
    Nothing,
    /// How much is.
    Count,
    /// The module's acceptance of the data that were given so far. No question is needed for it.
    Acceptance,
}

/// Between two questions: short enough for a network's round trip, growing so that the port is not flooded.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);

pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The number of refusals in a row after which the firmware counts as one without `AT+CIPACK`. A single refusal may mean that
/// the connection is gone, which the next lines show.
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
    /// Whether the module is to be asked now. A request that waits for everything waits for what is still to be sent, too.
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

    /// The peer has not acknowledged everything, or the module has not told. More of it than before is `progress`.
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

    /// The module has said how many bytes are not acknowledged.
    pub(super) fn acknowledged(&mut self, now: Timestamp, left: u32, is_sending: bool) -> Vec<RequestResult> {
        let is_clear = left == 0 && !is_sending;
        let answers = self.answer_those(
            |waiting| {
                waiting.what == WaitCondition::Count || (waiting.what == WaitCondition::Nothing && is_clear)
            },
            |waiting| match waiting.what {
                WaitCondition::Count => Ok(Response::Unacknowledged(left)),
                WaitCondition::Nothing | WaitCondition::Acceptance => Ok(Response::Done),
            },
        );
        self.refusals = 0;
        self.ask_later(now);
        answers
    }

    /// The module has refused to tell.
    pub(super) fn refused(&mut self, now: Timestamp, refusal: Refusal) -> Vec<RequestResult> {
        self.refusals += 1;
        let mut answers = Vec::new();
        if self.refusals >= MAX_REFUSALS {
            self.refusals = 0;
            self.follow = FollowUp::Nothing;
            let error = |_: &WaitingFlush| Err(Error::Refused { command: "AT+CIPACK".into(), code: refusal });
            answers = self.answer_those(|waiting| waiting.what.asks(), error);
        }
        self.ask_later(now);
        answers
    }

    /// The module has accepted everything before the send of this number.
    pub(super) fn accepted(&mut self, first: u64) -> Vec<RequestResult> {
        self.answer_those(|waiting| !waiting.what.asks() && waiting.behind < first, |_| Ok(Response::Done))
    }

    /// Whether a request waits until the module has what was given.
    pub(super) fn awaits_acceptance(&self) -> bool {
        self.waiting.iter().any(|waiting| !waiting.what.asks())
    }

    /// The module has not accepted the send of this number, and will not. The error depends on when the request was made.
    pub(super) fn not_accepted(
        &mut self,
        number: u64,
        error: &dyn Fn(Timestamp) -> Error,
    ) -> Vec<RequestResult> {
        let waits_for = |waiting: &WaitingFlush| !waiting.what.asks() && waiting.behind >= number;
        self.answer_those(waits_for, |waiting| Err(error(waiting.asked_at)))
    }

    fn answer_those(
        &mut self,
        which: impl Fn(&WaitingFlush) -> bool,
        answer: impl Fn(&WaitingFlush) -> Result<Response, Error>,
    ) -> Vec<RequestResult> {
        let those = self.waiting.extract_if(.., |waiting| which(waiting));
        those.map(|waiting| (waiting.ticket, answer(&waiting))).collect()
    }

    /// The module could not be asked, or is to be asked again.
    pub(super) fn ask_later(&mut self, now: Timestamp) {
        let is_over = !self.waiting.iter().any(|waiting| waiting.what.asks());
        self.ask_at = if is_over { Timestamp::MAX } else { now + self.pause };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The acknowledgements will not be known any more: every waiting request gets the error.
    pub(super) fn fail(&mut self, error: &dyn Fn() -> Error) -> Vec<RequestResult> {
        self.ask_at = Timestamp::MAX;
        self.answer_those(|_| true, |_| Err(error()))
    }

    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<RequestResult> {
        let late = |waiting: &WaitingFlush| Err(Error::timeout(waiting.what.name(), waiting.timeout));
        self.answer_those(|waiting| waiting.deadline <= now, late)
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.waiting.iter().map(|waiting| waiting.deadline).min().unwrap_or(Timestamp::MAX)
    }
}

impl WaitCondition {
    /// Whether the module must be asked.
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
