//! Payload after a prompt, and the recovery when the prompt or the result does not come.
//!
//! After a prompt the module takes all bytes for payload; without a prompt it takes payload for commands. So while the
//! module may be waiting for payload, only that payload is written. It is shortened so that it is harmless as commands,
//! also twice in a row ([`harmless_len`]). A send that ends in this way has failed, because the bytes that the peer got
//! are unknown.

use std::time::Duration;

use crate::at::{ChannelId, Line, Refusal, Verdict, harmless_len};
use crate::time::Timestamp;

use super::super::Event;
use super::super::issuer::{Issuer, Job};
use super::super::outbox::Outbox;
use super::barrier::Barrier;
use super::exchange::{Exchange, Failure, Finished, Phase, UnexpectedLine};
use super::open_send::OpenSend;
use super::prompt_timeout::{self, GRACE};
use super::wake::Wake;
use super::{Session, State, Step};

/// The time-out of the result when the payload was written without a prompt. An assumption: the result comes at once or
/// never.
const BLIND_TIMEOUT: Duration = Duration::from_secs(5);

impl Session {
    /// A prompt came: the module takes the next bytes for payload.
    pub(in crate::proto) fn prompt(&mut self, now: Timestamp, out: &mut Outbox) -> Step {
        match &mut self.state {
            State::Busy(exchange) => {
                match exchange.phase {
                    Phase::Prompt(_) => {
                        let buffer = out.buffer();
                        if let Some(payload) = exchange.prompted(now, buffer) {
                            out.write(payload);
                            return Step::Consumed;
                        }
                    }
                    // The prompt is late: the module may not have accepted the bytes before it.
                    Phase::Blind(ref mut payload) => {
                        exchange.phase = Phase::Result(std::mem::take(payload));
                        exchange.deadline = now + BLIND_TIMEOUT;
                    }
                    Phase::Result(_) => exchange.prompted_again(now + BLIND_TIMEOUT),
                    Phase::Answer => exchange.doubt(UnexpectedLine::Prompted, exchange.deadline),
                }
                out.event(Event::Dropped(">".to_owned()));
                Step::Consumed
            }
            State::AtBarrier(barrier) => {
                // The bytes that filled up a send may have been lost: then the module still waits.
                if let Some(open) = self.unproved.take() {
                    barrier.opens(open);
                }
                if barrier.has_open() {
                    return self.settle_at_barrier(now, out);
                }
                barrier.prompted(now);
                out.event(Event::Dropped(">".to_owned()));
                Step::Consumed
            }
            State::Waking(wake) => {
                if let Some(payload) = wake.prompted(now) {
                    out.write(payload);
                }
                Step::Consumed
            }
            State::Idle => {
                out.event(Event::Dropped(">".to_owned()));
                self.stray_prompt.came(now);
                self.settle_stray_prompt(now, out);
                Step::Consumed
            }
            State::Online => Step::Consumed,
        }
    }

    /// Ends a prompt that nothing has asked for, and asks whether commands are read again, if that is due.
    pub(super) fn settle_stray_prompt(&mut self, now: Timestamp, out: &mut Outbox) {
        if matches!(self.state, State::Idle) && self.stray_prompt.is_asked_about(now) {
            self.abort_prompt(out);
            self.barrier_nothing(now, out);
        }
    }

    /// True if a send of a channel waits for its prompt. The prompts of other commands may have another form.
    pub(in crate::proto) fn awaits_prompt_of_send(&self) -> bool {
        matches!(
            &self.state,
            State::Busy(Exchange { phase: Phase::Prompt(_), issuer: Issuer::Channel(_, Job::Send), .. })
        )
    }

    /// True if a send was written with its payload.
    pub(in crate::proto) fn is_sent_without_prompt(&self) -> bool {
        matches!(&self.state, State::Busy(exchange) if exchange.is_without_prompt())
    }

    /// True if a line would be the result of the send in flight, if the module had accepted the payload.
    pub(in crate::proto) fn would_end_send(&self, line: &[u8]) -> bool {
        let State::Busy(exchange @ Exchange { phase: Phase::Result(_), .. }) = &self.state else {
            return false;
        };
        exchange.command.judge(&Line::parse(line), false) == Verdict::Done(Ok(()))
    }

    /// A channel has ended: the time-out of its command becomes shorter.
    pub(in crate::proto) fn channel_ended(&mut self, now: Timestamp, channel: ChannelId) {
        if let State::Busy(exchange) = &mut self.state
            && matches!(exchange.phase, Phase::Prompt(_) | Phase::Blind(_) | Phase::Result(_))
            && exchange.issuer.channel() == Some(channel)
            && !exchange.command.gives_up()
        {
            exchange.doubt(UnexpectedLine::Closed, now + GRACE);
        }
    }

    /// Takes the send that the module may be waiting for without a time limit.
    pub(super) fn take_open(&mut self) -> Option<OpenSend> {
        match &mut self.state {
            State::Busy(exchange) => exchange.take_open(),
            State::AtBarrier(barrier) => barrier.take_open(),
            State::Waking(wake) => wake.take_open(),
            State::Idle | State::Online => None,
        }
    }

    /// The payload that the module may still wait for after the port was lost: that of the open send, or of the last
    /// send that was filled up. Bytes that the port had accepted may be lost.
    pub(in crate::proto) fn unfinished_send(&mut self) -> Option<OpenSend> {
        if let Some(open) = self.take_open() {
            self.unproved = Some(open);
        }
        self.unproved.clone()
    }

    /// True if a send was filled up and no question after it was answered yet.
    pub(in crate::proto) fn is_filling(&self) -> bool {
        self.unproved.is_some()
    }

    /// Returns true once if a question after a filled send got no answer.
    pub(in crate::proto) fn take_doubt_of_filling(&mut self) -> bool {
        std::mem::take(&mut self.filling_is_doubted)
    }

    /// Writes the bytes that end the wait of the module for a send.
    pub(super) fn fill_up(&mut self, open: Option<OpenSend>, out: &mut Outbox) {
        self.fill(open.map(OpenSend::filled), out);
    }

    fn fill(&mut self, open: Option<OpenSend>, out: &mut Outbox) {
        if let Some(open) = open {
            out.write(open.clone().into_fill());
            self.unproved = Some(open);
        }
    }

    /// The module has restarted, so no earlier answer can come. The state of the session is reset. The command in
    /// flight is returned without an answer. A send that waits for its prompt is filled up first, because the report of
    /// the restart may be wrong.
    pub(in crate::proto) fn restart(&mut self, wake: Wake, out: &mut Outbox) -> Option<Finished> {
        self.late_answers.forget();
        let is_written =
            matches!(&self.state, State::Busy(Exchange { phase: Phase::Blind(_) | Phase::Result(_), .. }));
        let open = if is_written { None } else { self.take_open() };
        let given_up = self.wake(wake.after_prompt(open));
        out.count().commands.abandoned += u64::from(given_up.is_some());
        given_up
    }

    pub(super) fn wake(&mut self, wake: Wake) -> Option<Finished> {
        self.resync = None;
        match std::mem::replace(&mut self.state, State::Waking(wake)) {
            State::Busy(exchange) => Some(exchange.settled_by_filling()),
            State::AtBarrier(barrier) => barrier.into_held(),
            State::Waking(_) | State::Idle | State::Online => None,
        }
    }

    pub(super) fn barrier_expired(&mut self, now: Timestamp, out: &mut Outbox) -> Step {
        let State::AtBarrier(barrier) = &self.state else { return Step::Consumed };
        if barrier.has_open() {
            return self.settle_at_barrier(now, out);
        }
        if barrier.is_prompted() {
            self.abort_prompt(out);
        }
        let State::AtBarrier(barrier) = std::mem::replace(&mut self.state, State::Idle) else {
            return Step::Consumed;
        };
        if barrier.may_be_answered() {
            self.late_answers.begin(now, barrier.probe());
        }
        let open = self.unproved.clone();
        self.filling_is_doubted |= open.is_some();
        if barrier.is_exhausted() {
            out.event(Event::Unresponsive);
            self.state = State::AtBarrier(barrier);
            return self.wake(Wake::in_a_send(now, open)).map_or(Step::Consumed, Step::Finished);
        }
        // A module that was deaf has not read the filling, and would take the next question for payload.
        self.fill(open, out);
        self.ask_again(now, barrier, out);
        Step::Consumed
    }

    /// The module may have taken the question after a send for payload. The payload is written to end its wait.
    fn settle_at_barrier(&mut self, now: Timestamp, out: &mut Outbox) -> Step {
        let State::AtBarrier(mut barrier) = std::mem::replace(&mut self.state, State::Idle) else {
            return Step::Consumed;
        };
        self.fill_up(barrier.take_open(), out);
        let settled = barrier.take_settled();
        self.late_answers.begin(now, barrier.probe());
        if let Some(finished) = &settled {
            self.late_answers.begin(now, &finished.command);
        }
        self.ask_again(now, barrier, out);
        settled.map_or(Step::Consumed, Step::Finished)
    }

    /// The error in place of the prompt may belong to another command. Then the module waits, and a question would be
    /// payload. The payload is written to end its wait.
    fn settle_doubted(&mut self, now: Timestamp, out: &mut Outbox) -> Step {
        let State::Busy(mut exchange) = std::mem::replace(&mut self.state, State::Idle) else {
            return Step::Consumed;
        };
        self.late_answers.begin(now, &exchange.command);
        self.fill_up(exchange.take_open(), out);
        self.barrier_nothing(now, out);
        Step::Finished(exchange.settled_by_filling())
    }

    /// An error came in place of the prompt, or of the result of a payload that was written with its command. It may
    /// belong to another command, so the expected line may still come.
    pub(super) fn doubt_refusal(
        &mut self,
        now: Timestamp,
        refusal: Refusal,
        suspicious: bool,
        out: &mut Outbox,
    ) -> Step {
        let State::Busy(exchange) = &mut self.state else { return Step::Consumed };
        let is_closed = exchange.unexpected() == Some(UnexpectedLine::Closed);
        exchange.doubt(UnexpectedLine::Refused(refusal), now + prompt_timeout::of(exchange, suspicious));
        if is_closed {
            self.ask_after_open(now, out);
        }
        Step::Consumed
    }

    fn ask_again(&mut self, now: Timestamp, barrier: Barrier, out: &mut Outbox) {
        let probe = self.next_probe(&barrier.others());
        self.barrier(barrier.ask(now, probe), out);
    }

    /// The command in flight may never end, and the module may be waiting for its payload. A question shows whether it
    /// is.
    pub(super) fn ask_after_open(&mut self, now: Timestamp, out: &mut Outbox) {
        let State::Busy(mut exchange) = std::mem::replace(&mut self.state, State::Idle) else { return };
        out.count().resynchronisations += 1;
        let probe = self.next_probe(&[&exchange.command]);
        exchange.end_of_refused_payload().into_iter().for_each(|bytes| out.write(bytes));
        let open = exchange.take_open();
        let barrier = match exchange.unexpected() {
            Some(UnexpectedLine::Refused(refusal)) => Barrier::after(now, exchange, Err(refusal), probe),
            Some(UnexpectedLine::Closed | UnexpectedLine::Prompted) | None => {
                Barrier::after_open(now, exchange, probe)
            }
        };
        self.barrier(barrier.with_open(open), out);
    }

    /// Ends the wait of the module for text up to Ctrl-Z. A module that does not wait ignores the byte (A32).
    fn abort_prompt(&self, out: &mut Outbox) {
        out.write(vec![0x1b]);
    }

    pub(super) fn busy_expired(&mut self, now: Timestamp, out: &mut Outbox) -> Step {
        let State::Busy(exchange) = &mut self.state else { return Step::Consumed };
        match (&exchange.phase, exchange.unexpected()) {
            (Phase::Prompt(_), Some(UnexpectedLine::Refused(refusal)))
                if !exchange.command.gives_up()
                    && self.late_answers.may_be_of_another(now, &exchange.command, Err(refusal)) =>
            {
                return self.settle_doubted(now, out);
            }
            (_, Some(UnexpectedLine::Refused(_) | UnexpectedLine::Closed)) => {
                self.ask_after_open(now, out);
                return Step::Consumed;
            }
            // The module may be waiting for exactly these bytes, so no others are written. If it does not wait, they
            // are harmless as commands. A datagram can't be shortened to be harmless: it is filled up, and the send has
            // failed.
            (Phase::Prompt(payload), _)
                if !exchange.command.gives_up()
                    && !exchange.command.is_cancellable()
                    && harmless_len(payload, usize::MAX) == payload.len() =>
            {
                if let Some(payload) = exchange.go_blind(now + BLIND_TIMEOUT) {
                    out.write(payload);
                }
                return Step::Consumed;
            }
            (Phase::Answer | Phase::Prompt(_) | Phase::Blind(_) | Phase::Result(_), _) => {}
        }
        self.give_up(now, out)
    }

    /// The command in flight has timed out.
    fn give_up(&mut self, now: Timestamp, out: &mut Outbox) -> Step {
        let State::Busy(mut exchange) = std::mem::replace(&mut self.state, State::Idle) else {
            return Step::Consumed;
        };
        self.late_answers.begin(now, &exchange.command);
        if exchange.command.enters_data_mode() {
            // The command may have started data mode: then a question would be payload.
            self.search(now, out);
            return Step::Finished(exchange.finish(Err(Failure::Timeout)));
        }
        if exchange.unexpected() == Some(UnexpectedLine::Prompted) {
            self.abort_prompt(out);
            self.barrier_nothing(now, out);
            return Step::Finished(exchange.finish(Err(Failure::Refused(Refusal::Prompt))));
        }
        match exchange.phase {
            // The module waits for the number of bytes that the line has lost. That may be all bytes that were written
            // without a prompt.
            Phase::Prompt(_) | Phase::Blind(_) | Phase::Result(_) => self.fill_up(exchange.take_open(), out),
            Phase::Answer => {}
        }
        self.barrier_nothing(now, out);
        Step::Finished(exchange.finish(Err(Failure::Timeout)))
    }
}
