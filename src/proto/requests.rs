//! Requests of the application that do not belong to a socket.

use std::collections::VecDeque;

use crate::at::{Command, Payload, Refusal, Urc};
use crate::error::{CloseReason, Error, NotReady};
use crate::proto::issuer::Issuer;
use crate::proto::outbox::RequestResult;
use crate::proto::self_check::SelfCheck;
use crate::proto::session::{Failure, Finished};
use crate::proto::{Response, Ticket};
use crate::query::Reply;
use crate::time::Timestamp;

/// The requests that wait, with the event that each waits for.
#[derive(Debug, Default)]
pub(super) struct Requests {
    commands: VecDeque<PendingCommand>,
    /// The request whose command is in flight, unless it was answered already.
    begun: Option<PendingCommand>,
    waiting: Vec<Waiting>,
    check: Option<SelfCheck>,
    /// The requests whose command has ended and whose answer comes as unsolicited lines.
    later: Vec<PendingCommand>,
}

/// A request for a command.
#[derive(Debug)]
struct PendingCommand {
    ticket: Ticket,
    command: Command,
    /// The payload that is written after the prompt.
    payload: Option<Payload>,
    effect: Effect,
    asked_at: Timestamp,
    deadline: Timestamp,
    /// Unsolicited lines that carry the answer.
    urcs: Vec<Urc>,
}

/// The effect of a command that has succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// The application reads the answer.
    Reply,
    /// The application gets a confirmation.
    Done,
    RadioOff,
    RadioOn,
    Restart,
}

/// The most unsolicited lines that are kept for one answer. No answer has more than a few.
const MAX_URCS: usize = 16;

/// A request that waits for readiness.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    deadline: Timestamp,
}

impl PendingCommand {
    /// The key of the unsolicited lines that carry the answer.
    fn urc_key(&self) -> Option<&'static str> {
        self.command.urc_answer().map(|answer| answer.key)
    }

    /// Keeps an unsolicited line that carries the answer, or a part of it.
    fn keep(&mut self, urc: &Urc) {
        let Some(answer) = self.command.urc_answer() else { return };
        if (answer.accepts)(urc) && self.urcs.len() < MAX_URCS {
            self.urcs.push(urc.clone());
        }
    }

    /// True if all unsolicited lines of the answer came.
    fn has_its_urcs(&self) -> bool {
        self.command.urc_answer().is_none_or(|answer| (answer.is_complete)(&self.urcs))
    }

    /// True if the lines that came are an answer although the time-out has passed.
    fn counts_in_part(&self) -> bool {
        !self.urcs.is_empty() && self.command.urc_answer().is_some_and(|answer| answer.counts_in_part)
    }

    fn reply(self) -> Response {
        Response::Reply(Reply::new(self.command.name(), Vec::new(), self.urcs))
    }
}

impl Requests {
    pub(super) fn wait_ready(&mut self, ticket: Ticket, deadline: Timestamp) {
        self.waiting.push(Waiting { ticket, deadline });
    }

    pub(super) fn ask(&mut self, now: Timestamp, ticket: Ticket, command: Command, effect: Effect) {
        let deadline = now + command.answer_timeout();
        self.ask_until(now, ticket, command, effect, deadline);
    }

    pub(super) fn ask_until(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        command: Command,
        effect: Effect,
        deadline: Timestamp,
    ) {
        self.commands.push_back(PendingCommand {
            ticket,
            command,
            payload: None,
            effect,
            asked_at: now,
            deadline,
            urcs: Vec::new(),
        });
    }

    /// Sets the payload of the latest command, which is written after its prompt.
    pub(super) fn give(&mut self, payload: Payload) {
        if let Some(asked) = self.commands.back_mut() {
            asked.payload = Some(payload);
        }
    }

    /// Whether any command waits for its turn.
    pub(super) fn has_commands(&self) -> bool {
        self.check.is_some() || !self.commands.is_empty()
    }

    /// Requests a question about the module's state, which is asked before other commands.
    pub(super) fn check(&mut self, check: SelfCheck) {
        // The more urgent question remains: it is a consequence of the other one.
        self.check = self.check.max(Some(check));
    }

    /// The next command, its issuer and its payload.
    pub(super) fn next(&mut self) -> Option<(Command, Issuer, Option<Vec<u8>>)> {
        if let Some(check) = self.check.take() {
            return Some((check.command(), Issuer::SelfCheck(check), None));
        }
        // Some unsolicited lines do not name the command that they answer.
        let is_free = |asked: &PendingCommand| {
            asked.urc_key().is_none() || !self.later.iter().any(|later| later.urc_key() == asked.urc_key())
        };
        let index = self.commands.iter().position(is_free)?;
        let mut asked = self.commands.remove(index)?;
        let (command, ticket) = (asked.command.clone(), asked.ticket);
        let payload = asked.payload.take().map(Payload::into_bytes);
        self.begun = Some(asked);
        Some((command, Issuer::Caller(ticket), payload))
    }

    /// A command has ended. Returns the answer to its request, if there is one, and the effect on other parts.
    pub(super) fn finished(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        finished: Finished,
    ) -> (Option<RequestResult>, Option<Effect>) {
        // The request was answered already if its time-out passed before that of its command.
        let Some(asked) = self.begun.take().filter(|asked| asked.ticket == ticket) else {
            return (None, None);
        };
        let command = finished.command.name();
        let error = match finished.result {
            Ok(_) if !asked.has_its_urcs() => {
                self.later.push(asked);
                return (None, None);
            }
            Ok(lines) => {
                let reply = Reply::new(command, lines, asked.urcs);
                let answer =
                    if asked.effect == Effect::Reply { Response::Reply(reply) } else { Response::Done };
                return (Some((ticket, Ok(answer))), Some(asked.effect));
            }
            // Firmware that refuses the first command for a restart has the second.
            Err(Failure::Refused(Refusal::Error))
                if asked.effect == Effect::Restart && command == "AT+RESET" =>
            {
                self.commands.push_front(PendingCommand { command: Command::restart(), ..asked });
                return (None, None);
            }
            Err(Failure::Refused(Refusal::Empty | Refusal::Ambiguous)) => {
                Error::Unexpected(format!("{command}: the answer is empty or mixed with an older one").into())
            }
            Err(Failure::Refused(Refusal::TooLong)) => {
                Error::Unexpected(format!("{command}: the answer is too long to be kept").into())
            }
            Err(Failure::Refused(code) | Failure::NoPrompt(code)) => {
                Error::Refused { command: command.into(), code }
            }
            Err(Failure::Timeout) => Error::timeout(command, now - asked.asked_at),
        };
        (Some((ticket, Err(error))), None)
    }

    /// An unsolicited line that may be the answer to a request.
    pub(super) fn news(&mut self, urc: &Urc) -> Option<RequestResult> {
        if let Some(asked) = &mut self.begun {
            asked.keep(urc);
        }
        let index = self.later.iter_mut().position(|later| {
            later.keep(urc);
            later.has_its_urcs()
        })?;
        let asked = self.later.swap_remove(index);
        Some((asked.ticket, Ok(asked.reply())))
    }

    /// The module is ready: answers the requests that wait for readiness.
    pub(super) fn ready(&mut self) -> Vec<RequestResult> {
        self.waiting.drain(..).map(|waiting| (waiting.ticket, Ok(Response::Ready))).collect()
    }

    /// The command that was begun fails.
    pub(super) fn fail(&mut self, ticket: Ticket, error: Error) -> Option<RequestResult> {
        self.begun.take_if(|asked| asked.ticket == ticket).map(|asked| (asked.ticket, Err(error)))
    }

    /// All commands fail, begun or not.
    pub(super) fn fail_commands(&mut self, error: &dyn Fn() -> Error) -> Vec<RequestResult> {
        self.check = None;
        let asked = self.begun.take().into_iter().chain(self.commands.drain(..)).chain(self.later.drain(..));
        asked.map(|asked| (asked.ticket, Err(error()))).collect()
    }

    /// Everything fails.
    pub(super) fn fail_all(&mut self, error: &dyn Fn() -> Error) -> Vec<RequestResult> {
        let mut answers = self.fail_commands(error);
        answers.extend(self.waiting.drain(..).map(|waiting| (waiting.ticket, Err(error()))));
        answers
    }

    /// Gives up a request that waits for readiness.
    pub(super) fn cancel(&mut self, ticket: Ticket) -> Vec<RequestResult> {
        let cancelled = self.waiting.extract_if(.., |waiting| waiting.ticket == ticket);
        cancelled.map(|waiting| (waiting.ticket, Err(Error::Closed(CloseReason::Local)))).collect()
    }

    /// Ends the requests whose time-out has passed.
    pub(super) fn expire(&mut self, now: Timestamp, reason: Option<NotReady>) -> Vec<RequestResult> {
        let reason = reason.unwrap_or(NotReady::Starting);
        let late = self.waiting.extract_if(.., |waiting| waiting.deadline <= now);
        let mut answers: Vec<RequestResult> =
            late.map(|waiting| (waiting.ticket, Err(Error::NotReady(reason)))).collect();
        let expired = |asked: &PendingCommand| asked.deadline <= now;
        let mut late: Vec<PendingCommand> = self.begun.take_if(|asked| expired(asked)).into_iter().collect();
        let (over, kept): (Vec<_>, _) = std::mem::take(&mut self.commands).into_iter().partition(expired);
        self.commands = kept.into();
        late.extend(over);
        late.extend(self.later.extract_if(.., |asked| expired(asked)));
        answers.extend(late.into_iter().map(|asked| {
            let late = Error::timeout(asked.command.name(), asked.deadline - asked.asked_at);
            (asked.ticket, if asked.counts_in_part() { Ok(asked.reply()) } else { Err(late) })
        }));
        answers
    }

    pub(super) fn deadline(&self) -> Timestamp {
        let asked = self.commands.iter().chain(&self.begun).chain(&self.later);
        let commands = asked.map(|asked| asked.deadline);
        commands.chain(self.waiting.iter().map(|waiting| waiting.deadline)).min().unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_or_a_command_waits_for_its_turn() {
        let mut requests = Requests::default();
        assert!(!requests.has_commands());
        requests.check(SelfCheck::Bearer);
        assert!(requests.has_commands());
        assert!(requests.next().is_some() && !requests.has_commands());
        requests.ask_until(Timestamp::ZERO, Ticket(1), Command::ip_status(), Effect::Done, Timestamp::MAX);
        assert!(requests.has_commands());
    }
}
