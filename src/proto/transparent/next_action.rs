//! The next action of the stream in every state.

use crate::at::{Command, Refusal, Urc};
use crate::error::{CloseReason, Error};
use crate::proto::Event;
use crate::proto::bring_up::ConnectionMode;
use crate::proto::channels::End;
use crate::proto::session::{Failure, Finished};
use crate::time::Timestamp;

use super::end_detector::ESCAPED;
use super::end_lines::Ending;
use super::{
    Deadline, ESCAPE_TIMEOUT, ESCAPES, EscapeAnswer, EscapeMethod, Facts, GUARD, GuardReason, Mode, STALLED,
    StepOutcome, StreamAction, StreamRequest, StreamState, Transparent,
};

impl Transparent {
    /// Runs one step that depends on time only. A command may be in flight.
    pub(in crate::proto) fn drive(&mut self, now: Timestamp, facts: &Facts) -> StepOutcome {
        if self.dtr_is_off && !self.waits_for_dtr() {
            self.switch_dtr(true);
        }
        let ended = !facts.socket.is_open();
        match self.state {
            StreamState::Off => match self.next.take() {
                Some(request) => self.prepare(request, facts),
                None => return StepOutcome::Nothing,
            },
            StreamState::Online => {
                let suspicious = self.wire.end_detector.is_in_doubt() || self.wire.mirror.take_echo();
                if !(ended || suspicious || self.wants_command()) {
                    self.reached(Mode::Data);
                    return StepOutcome::Write;
                }
                let why = if suspicious { GuardReason::Suspected } else { GuardReason::Wanted };
                self.state = StreamState::Guarding { failed: 0, since: now, why };
            }
            StreamState::Guarding { failed, since, why } => {
                let suspicious = why == GuardReason::Suspected || self.wire.end_detector.is_in_doubt();
                if self.wire.end_detector.is_escaped(now) {
                    self.escaped();
                } else if !(ended || suspicious || failed > 0 || self.wants_command()) {
                    self.state = StreamState::Online;
                } else {
                    return self.guard(now, failed, since, facts);
                }
            }
            StreamState::Escaping { failed, since, by } => {
                if self.wire.end_detector.is_escaped(now) {
                    self.escaped();
                } else if now >= since + self.escape_timeout && !self.wire.end_detector.has_answer() {
                    self.unanswered(now, failed + 1, by, facts);
                } else {
                    return StepOutcome::Nothing;
                }
            }
            StreamState::Recovering if facts.set_up_for == ConnectionMode::Sockets && facts.has_shut => {
                self.is_over()
            }
            StreamState::Command => {
                self.reached(Mode::Command);
                return StepOutcome::Nothing;
            }
            StreamState::Preparing(_)
            | StreamState::Dialling(_)
            | StreamState::Proving(_)
            | StreamState::Resuming
            | StreamState::Closing
            | StreamState::Recovering => return StepOutcome::Nothing,
        }
        StepOutcome::Again
    }

    /// Writes the escape when the line has been silent for [`GUARD`].
    fn guard(&mut self, now: Timestamp, failed: u32, since: Timestamp, facts: &Facts) -> StepOutcome {
        match self.wire.silent_since() {
            Some(silent) if now >= silent + GUARD => {
                self.act(StreamAction::Write(Command::ESCAPE.to_vec()));
                self.wire.wrote(now, Command::ESCAPE);
                self.escape_timeout = ESCAPE_TIMEOUT + facts.slowness;
                self.state = StreamState::Escaping { failed, since: now, by: EscapeMethod::Pluses };
            }
            None if now >= since + STALLED => self.give_up_escaping(facts),
            Some(_) | None => return StepOutcome::Nothing,
        }
        StepOutcome::Again
    }

    /// The command of the state, if it has one. No command is in flight.
    pub(in crate::proto) fn poll_command(&mut self, now: Timestamp, facts: &Facts) -> Option<Command> {
        let is_free = !facts.has_commands;
        match &self.state {
            StreamState::Preparing(request)
                if facts.set_up_for == ConnectionMode::Stream && facts.not_ready.is_none() && is_free =>
            {
                let command = Command::dial(&request.host, request.port);
                let left = (request.deadline - now).min(command.timeout());
                self.state = StreamState::Dialling(request.clone());
                Some(command.with_timeout(left))
            }
            StreamState::Proving(_) => Some(Command::proof(facts.slowness)),
            StreamState::Command if !facts.socket.is_open() => {
                self.state = StreamState::Closing;
                Some(Command::hang_up())
            }
            StreamState::Command if is_free && !self.wants_command() => {
                self.state = StreamState::Resuming;
                Some(Command::data_mode())
            }
            StreamState::Preparing(_) | StreamState::Command => None,
            StreamState::Off | StreamState::Online | StreamState::Recovering => None,
            StreamState::Dialling(_) | StreamState::Resuming | StreamState::Closing => None,
            StreamState::Guarding { .. } | StreamState::Escaping { .. } => None,
        }
    }

    /// The command of the stream has ended.
    pub(in crate::proto) fn finished(&mut self, now: Timestamp, finished: &Finished, facts: &Facts) {
        match (&self.state, &finished.result) {
            (StreamState::Dialling(request), Ok(_)) => {
                let ticket = request.ticket;
                self.go_online(now);
                // If no request waits any more, the connection is closed. A socket that was opened before would need an
                // end.
                if let Some(ticket) = ticket {
                    self.act(StreamAction::Open(ticket));
                }
            }
            (StreamState::Dialling(request), Err(failure)) => {
                let error = match failure {
                    Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout => {
                        Error::timeout("connect", now - request.asked_at)
                    }
                    Failure::Refused(code) | Failure::NoPrompt(code) => Error::ConnectFailed(*code),
                };
                self.fail_dial(error);
                self.leave_by(*failure);
            }
            (StreamState::Proving(EscapeAnswer::None), Ok(_) | Err(Failure::Refused(Refusal::Ambiguous))) => {
                if finished.extra_oks == 0 {
                    self.end_is_proved(facts);
                }
                // Otherwise the answer was late. `ATO` proves that.
                self.proved(facts);
            }
            (StreamState::Proving(EscapeAnswer::Came), Ok(_) | Err(Failure::Refused(Refusal::Ambiguous))) => {
                if finished.extra_oks > 0 && self.unanswered > 0 {
                    self.answer_is_uncertain(facts);
                } else if finished.extra_finals > 0 && !self.late_answer() {
                    self.answer_was_payload();
                }
                self.proved(facts);
            }
            (StreamState::Proving(_), Err(_)) => self.unproved(facts),
            (StreamState::Resuming, Ok(_)) => {
                // The connection was kept, so the bytes that looked like its end were payload.
                self.give_held();
                self.go_online(now);
            }
            (StreamState::Resuming, Err(failure)) => self.not_resumed(*failure, facts),
            (StreamState::Closing, _) => self.leave(),
            (_, _) => {}
        }
    }

    fn prepare(&mut self, request: StreamRequest, facts: &Facts) {
        if facts.has_free_channel {
            self.act(StreamAction::Occupy);
            self.wire.forget();
            self.state = StreamState::Preparing(request);
        } else {
            self.answer(request.ticket, Err(Error::NoFreeChannel));
        }
    }

    fn go_online(&mut self, now: Timestamp) {
        self.act(StreamAction::GoOnline);
        self.unanswered = 0;
        self.wire.begin(now);
        self.state = StreamState::Online;
    }

    /// The module seems to have answered the escape.
    fn escaped(&mut self) {
        self.prove(EscapeAnswer::Came);
        self.wire.news = self.wire.end_detector.take_answer();
        self.wire.after_answer = self.wire.news.len();
        if !self.wire.end_detector.is_in_doubt() {
            self.give_held();
        }
    }

    /// A question is asked to find out whether the module is in command mode.
    fn prove(&mut self, answer: EscapeAnswer) {
        self.act(StreamAction::GoOffline);
        self.state = StreamState::Proving(answer);
        if self.unanswered > 0 {
            // The module may have read an escape as the beginning of a command: a later one than that it has answered,
            // or one after the end of the connection.
            self.act(StreamAction::Write(b"\r\n".to_vec()));
        }
    }

    /// The module was in command mode before the escape, so the line that ends a connection is its own.
    fn end_is_proved(&mut self, facts: &Facts) {
        if let Some(Ending::Closed(reason)) = self.end_by_tail(facts.echo_is_off) {
            self.end(End::Closed(reason), facts);
        }
    }

    /// The answer to the escape came after the question. So the one before it, and the lines after that, were payload.
    fn answer_was_payload(&mut self) {
        let after: Vec<u8> = self.wire.news.drain(..self.wire.after_answer).collect();
        self.wire.end_detector.keep_answer(&after);
        if !self.wire.end_detector.is_in_doubt() {
            self.give_held();
        }
    }

    /// Two `OK` came after several escapes. A module that is in command mode answers an escape with an error, so one of
    /// the two seems to be payload. If it answers `OK` there, too, neither is.
    fn answer_is_uncertain(&mut self, facts: &Facts) {
        let held = ESCAPED.len() + self.wire.after_answer;
        self.end(End::Closed(CloseReason::EndUncertain { held }), facts);
    }

    /// The escape was answered, and the module accepts commands. A line that ends a connection seems to be payload,
    /// because the module answers an escape in data mode only. `ATO` proves that: the line stays held until then.
    fn proved(&mut self, facts: &Facts) {
        if !facts.socket.is_open() {
            self.give_held();
        }
        self.state = StreamState::Command;
        self.reached(Mode::Command);
        let news = std::mem::take(&mut self.wire.news);
        self.act(StreamAction::Read(news));
    }

    /// The escape was not answered: the bytes that looked like the answer came from the peer, or the module has
    /// restarted.
    fn unproved(&mut self, facts: &Facts) {
        let news = std::mem::take(&mut self.wire.news);
        if news.split(|byte| *byte == b'\n').any(|line| Urc::parse(line).is_restart()) {
            self.act(StreamAction::Restarted);
        } else {
            self.give_up_escaping(facts);
        }
    }

    /// The return to data mode was refused, or no answer came.
    fn not_resumed(&mut self, failure: Failure, facts: &Facts) {
        let unanswered =
            matches!(failure, Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout);
        let reason = if unanswered { CloseReason::ResumeUnanswered } else { CloseReason::Reset };
        let said = if unanswered { None } else { self.end_by_tail(facts.echo_is_off) };
        match said {
            Some(Ending::Closed(reason)) => self.end(End::Closed(reason), facts),
            Some(Ending::Restarted) => return self.act(StreamAction::Restarted),
            None => self.end(End::Closed(reason), facts),
        }
        // `CONNECT` may have been lost, and the refusal a word of the peer. A command would then be data for the peer.
        self.recover();
    }

    /// The module has not answered the escape.
    fn unanswered(&mut self, now: Timestamp, failed: u32, by: EscapeMethod, facts: &Facts) {
        self.act(StreamAction::Event(Event::Expired(Deadline::Escape)));
        self.unanswered += 1;
        if self.wire.end_detector.reports_clean_end(facts.echo_is_off) {
            // The module may also have missed the escape, or answer it late, and the line may be the peer's.
            return self.prove(EscapeAnswer::None);
        }
        match self.end_by_tail(facts.echo_is_off) {
            Some(Ending::Restarted) => self.act(StreamAction::Restarted),
            Some(Ending::Closed(reason)) => {
                self.end(End::Closed(reason), facts);
                self.recover();
            }
            None if failed < ESCAPES => {
                self.state = StreamState::Guarding { failed, since: now, why: GuardReason::Wanted };
            }
            None if by == EscapeMethod::Pluses => {
                self.switch_dtr(false);
                self.state = StreamState::Escaping { failed, since: now, by: EscapeMethod::Dtr };
            }
            None => self.give_up_escaping(facts),
        }
    }

    fn switch_dtr(&mut self, on: bool) {
        self.dtr_is_off = !on;
        self.act(StreamAction::Dtr(on));
    }

    /// The mode of the module is unknown. Held bytes look like its text, and are dropped.
    fn give_up_escaping(&mut self, facts: &Facts) {
        self.wire.end_detector.forget();
        self.end(End::Closed(CloseReason::EscapeUnanswered), facts);
        self.recover();
    }

    /// Leaves the stream after a failed command.
    fn leave_by(&mut self, failure: Failure) {
        match failure {
            Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout => self.recover(),
            Failure::Refused(_) | Failure::NoPrompt(_) => self.leave(),
        }
    }
}
