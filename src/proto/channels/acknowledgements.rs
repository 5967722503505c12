//! The requests that wait until the peer has acknowledged data or the module has accepted them.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::time::Duration;

use crate::at::{Field, Line, Refusal};
use crate::error::Error;
use crate::proto::outbox::RequestResult;
use crate::proto::{Response, Ticket};
use crate::time::Timestamp;

/// The requests that wait for acknowledgements of the peer, and the moment of the next question (`AT+CIPACK`).
#[derive(Debug)]
pub(super) struct Delivery {
    waiting: Vec<WaitingFlush>,
    ask_at: Timestamp,
    pause: Duration,
    /// The number of refusals of `AT+CIPACK` in a row.
    refusals: u32,
    follow: FollowUp,
    /// The pause before the next question without a request.
    follow_pause: Duration,
}

/// The questions that are asked without a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FollowUp {
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
const FIRST_PAUSE: Duration = Duration::from_millis(100);

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After this number of refusals in a row, the firmware counts as one without `AT+CIPACK`. A single refusal may have
/// another cause: the connection is gone, as the next lines then show.
const MAX_REFUSALS: u32 = 3;

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
    /// A request waits from now on.
    pub(super) fn wait(&mut self, request: WaitingFlush) {
        if request.what.asks() {
            self.ask_at = request.asked_at;
            self.pause = FIRST_PAUSE;
        }
        self.waiting.push(request);
    }

    /// From now on questions are asked without a request as well.
    pub(super) fn follow_sends(&mut self) {
        self.follow = FollowUp::Sends;
    }

    /// The question is written.
    pub(super) fn asked(&mut self) {
        self.ask_at = Timestamp::MAX;
    }

    /// The moment of the next question; `Timestamp::MAX` if there is none.
    pub(super) fn ask_at(&self) -> Timestamp {
        self.ask_at
    }

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
        self.follow_pause = self.follow_pause.saturating_mul(2).min(LONGEST_FOLLOW_PAUSE);
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
        self.refusals = self.refusals.saturating_add(1);
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
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    const NOW: Timestamp = Timestamp::from_secs(100);

    fn request(what: WaitCondition) -> WaitingFlush {
        let (ticket, timeout) = (Ticket(1), Duration::from_secs(9));
        WaitingFlush { ticket, what, after: 1, asked_at: NOW, deadline: NOW + timeout, timeout }
    }

    /// No request, one that waits for acknowledgements, one for acceptance; each without and with questions of its own.
    fn states() -> Vec<Delivery> {
        let of = |what: Option<WaitCondition>, follow| {
            let mut delivery = Delivery { follow, ..Delivery::default() };
            what.into_iter().for_each(|what| delivery.wait(request(what)));
            delivery
        };
        let follows = [FollowUp::Nothing, FollowUp::Sends];
        let waits = [None, Some(WaitCondition::Nothing), Some(WaitCondition::Acceptance)];
        follows.into_iter().flat_map(|follow| waits.map(|what| of(what, follow))).collect()
    }

    fn name(delivery: &Delivery) -> String {
        let waits = match delivery.waiting.first() {
            None => "no request",
            Some(request) if request.what.asks() => "for all",
            Some(_) => "accepted",
        };
        let asks = match delivery.ask_at {
            Timestamp::MAX => "",
            at if at <= NOW => ", due",
            _ => ", later",
        };
        let follow = if delivery.follow == FollowUp::Sends { ", follows" } else { "" };
        format!("{waits}{asks}{follow}")
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        transition_table::check(
            "
            | input | no request | for all, due | accepted | no request, follows | for all, due, follows | accepted, follows |
            | a request for all | for all, due | - | accepted, due | for all, due, follows | - | accepted, due, follows |
            | a request for acceptance | accepted | - | - | accepted, follows | - | - |
            | questions without a request | no request, follows | for all, due, follows | accepted, follows | - | - | - |
            | a send | - | - | - | no request, later, follows | - | accepted, later, follows |
            | the question is written | - | for all | - | - | for all, follows | - |
            | nothing is left | - | no request | - | - | no request, follows | - |
            | some is left | - | for all, later | - | - | for all, later, follows | - |
            | a refusal | - | for all, later | - | - | for all, later, follows | - |
            | the last refusal | - | no request | - | no request | no request | accepted |
            | no answer | - | for all, later | - | - | for all, later, follows | - |
            | accepted | - | - | no request | - | - | no request, follows |
            | the socket ends | - | no request | no request | - | no request, follows | no request, follows |",
            states,
            &[
                ("a request for all", |it| it.wait(request(WaitCondition::Nothing))),
                ("a request for acceptance", |it| it.wait(request(WaitCondition::Acceptance))),
                ("questions without a request", Delivery::follow_sends),
                ("a send", |it| it.follow(NOW)),
                ("the question is written", Delivery::asked),
                ("nothing is left", |it| drop(it.acknowledged(NOW, 0, false))),
                ("some is left", |it| drop(it.acknowledged(NOW, 1, false))),
                ("a refusal", |it| drop(it.refused(NOW, Refusal::Error))),
                ("the last refusal", |it| {
                    it.refusals = MAX_REFUSALS - 1;
                    drop(it.refused(NOW, Refusal::Error));
                }),
                ("no answer", |it| it.ask_later(NOW)),
                ("accepted", |it| drop(it.accepted(2))),
                ("the socket ends", |it| drop(it.fail(&|| Error::QueueFull { room: 0 }))),
            ],
            name,
        );
    }
}
