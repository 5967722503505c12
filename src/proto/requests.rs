//! Requests of the application that are no socket's.

use std::collections::VecDeque;

use crate::at::{Command, Payload, Refusal, Urc};
use crate::error::{Error, NotReady};
use crate::proto::exchange::{Failure, Finished};
use crate::proto::outbox::Outbox;
use crate::proto::owner::Owner;
use crate::proto::self_check::SelfCheck;
use crate::proto::{Response, Ticket};
use crate::query::Reply;
use crate::time::Timestamp;

/// The requests that wait, and what they wait for.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) commands: VecDeque<PendingCommand>,
    pub(super) in_flight: Option<PendingCommand>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) check: Option<SelfCheck>,
    /// Requests whose command has ended and whose answer comes as news.
    pub(super) later: Vec<PendingCommand>,
}

/// A command that was asked for.
#[derive(Debug)]
pub(super) struct PendingCommand {
    pub(super) ticket: Ticket,
    pub(super) command: Command,
    /// What it waits for behind its prompt.
    pub(super) payload: Option<Payload>,
    pub(super) effect: Effect,
    pub(super) asked_at: Timestamp,
    pub(super) deadline: Timestamp,
    /// Unsolicited lines that carry the answer.
    pub(super) urcs: Vec<Urc>,
}

/// The effect of a command that has succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// The application reads the answer.
    Reply,
    /// It is told that it was done.
    Done,
    RadioOff,
    RadioOn,
    Restart,
}

/// The most unsolicited lines that are kept for one answer: several times as many as any answer has.
pub(super) const MAX_URCS: usize = 16;

/// A request that waits for readiness.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) deadline: Timestamp,
}

impl PendingCommand {
    /// The key of the unsolicited lines that carry the answer.
    pub(super) fn urc_key(&self) -> Option<&'static str> {
        self.command.urc_answer().map(|answer| answer.key)
    }

    /// Keeps an unsolicited line that carries the answer, or a part of it.
    pub(super) fn keep(&mut self, urc: &Urc) {
        let Some(answer) = self.command.urc_answer() else { return };
        if (answer.accepts)(urc) && self.urcs.len() < MAX_URCS {
            self.urcs.push(urc.clone());
        }
    }

    /// Whether no unsolicited line is missing.
    pub(super) fn has_its_urcs(&self) -> bool {
        self.command.urc_answer().is_none_or(|answer| (answer.is_complete)(&self.urcs))
    }

    /// Whether what has come is an answer although time is up.
    pub(super) fn counts_in_part(&self) -> bool {
        !self.urcs.is_empty() && self.command.urc_answer().is_some_and(|answer| answer.counts_in_part)
    }

    pub(super) fn reply(self) -> Response {
        Response::Reply(Reply::new(self.command.name(), Vec::new(), self.urcs))
    }
}

impl Requests {
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

    /// Sets the payload of the latest command, which is written behind its prompt.
    pub(super) fn give(&mut self, payload: Payload) {
        if let Some(asked) = self.commands.back_mut() {
            asked.payload = Some(payload);
        }
    }

    /// Whether any command waits for its turn.
    pub(super) fn has_commands(&self) -> bool {
        self.check.is_some() || !self.commands.is_empty()
    }

    /// Asks the module, before anything else, whether it still is what it is taken for.
    pub(super) fn check(&mut self, check: SelfCheck) {
        // A question that another has led to is not put off by that one again.
        self.check = self.check.max(Some(check));
    }

    /// The next command, and whose it is.
    pub(super) fn next(&mut self) -> Option<(Command, Owner, Option<Vec<u8>>)> {
        if let Some(check) = self.check.take() {
            return Some((check.command(), Owner::SelfCheck(check), None));
        }
        // Unsolicited lines do not all say which command they answer.
        let is_free = |asked: &PendingCommand| {
            asked.urc_key().is_none() || !self.later.iter().any(|later| later.urc_key() == asked.urc_key())
        };
        let index = self.commands.iter().position(is_free)?;
        let mut asked = self.commands.remove(index)?;
        let (command, ticket) = (asked.command.clone(), asked.ticket);
        let payload = asked.payload.take().map(Payload::into_bytes);
        self.in_flight = Some(asked);
        Some((command, Owner::Caller(ticket), payload))
    }

    /// A command has ended; what that means for the rest.
    pub(super) fn finished(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        finished: Finished,
        out: &mut Outbox,
    ) -> Option<Effect> {
        // Answered already, if its time was up before that of its command.
        let asked = self.in_flight.take().filter(|asked| asked.ticket == ticket)?;
        let command = finished.command.name();
        let answer = match finished.result {
            Ok(_) if !asked.has_its_urcs() => {
                self.later.push(asked);
                return None;
            }
            Ok(lines) => {
                let reply = Reply::new(command, lines, asked.urcs);
                let answer =
                    if asked.effect == Effect::Reply { Response::Reply(reply) } else { Response::Done };
                out.answer(ticket, Ok(answer));
                return Some(asked.effect);
            }
            // Firmware without the first way to restart has the second.
            Err(Failure::Refused(Refusal::Error))
                if asked.effect == Effect::Restart && command == "AT+RESET" =>
            {
                self.commands.push_front(PendingCommand { command: Command::restart(), ..asked });
                return None;
            }
            Err(Failure::Refused(Refusal::Empty | Refusal::Ambiguous)) => Err(Error::Unexpected(
                format!("{command}: the answer is empty or mixed with an older one").into(),
            )),
            Err(Failure::Refused(Refusal::TooLong)) => {
                Err(Error::Unexpected(format!("{command}: the answer is too long to be kept").into()))
            }
            Err(Failure::Refused(code) | Failure::NoPrompt(code)) => {
                Err(Error::Refused { command: command.into(), code })
            }
            Err(Failure::Timeout) => Err(Error::timeout(command, now - asked.asked_at)),
        };
        out.answer(ticket, answer);
        None
    }

    /// News that may be the answer to a request.
    pub(super) fn news(&mut self, urc: &Urc, out: &mut Outbox) {
        if let Some(asked) = &mut self.in_flight {
            asked.keep(urc);
        }
        let Some(index) = self.later.iter_mut().position(|later| {
            later.keep(urc);
            later.has_its_urcs()
        }) else {
            return;
        };
        let asked = self.later.swap_remove(index);
        out.answer(asked.ticket, Ok(asked.reply()));
    }

    /// The module is ready: answers the requests that wait for that.
    pub(super) fn ready(&mut self, out: &mut Outbox) {
        for waiting in std::mem::take(&mut self.waiting) {
            out.answer(waiting.ticket, Ok(Response::Ready));
        }
    }

    /// The command in flight fails.
    pub(super) fn fail(&mut self, ticket: Ticket, error: Error, out: &mut Outbox) {
        if self.in_flight.take_if(|asked| asked.ticket == ticket).is_some() {
            out.answer(ticket, Err(error));
        }
    }

    /// All commands fail, in flight or not.
    pub(super) fn fail_commands(&mut self, error: &dyn Fn() -> Error, out: &mut Outbox) {
        let asked = self.in_flight.take().into_iter().chain(std::mem::take(&mut self.commands));
        for asked in asked.chain(std::mem::take(&mut self.later)) {
            out.answer(asked.ticket, Err(error()));
        }
        self.check = None;
    }

    /// Everything fails.
    pub(super) fn fail_all(&mut self, error: &dyn Fn() -> Error, out: &mut Outbox) {
        self.fail_commands(error, out);
        for waiting in std::mem::take(&mut self.waiting) {
            out.answer(waiting.ticket, Err(error()));
        }
    }

    /// Requests whose time is up.
    pub(super) fn expire(&mut self, now: Timestamp, reason: Option<NotReady>, out: &mut Outbox) {
        self.waiting.retain(|waiting| {
            let keep = waiting.deadline > now;
            if !keep {
                out.answer(waiting.ticket, Err(Error::NotReady(reason.unwrap_or(NotReady::Starting))));
            }
            keep
        });
        let expired = |asked: &PendingCommand| asked.deadline <= now;
        let mut late: Vec<PendingCommand> =
            self.in_flight.take_if(|asked| expired(asked)).into_iter().collect();
        let (over, kept): (Vec<_>, _) = std::mem::take(&mut self.commands).into_iter().partition(expired);
        self.commands = kept.into();
        late.extend(over);
        late.extend(self.later.extract_if(.., |asked| expired(asked)));
        for asked in late {
            let (ticket, counts) = (asked.ticket, asked.counts_in_part());
            let late = Error::timeout(asked.command.name(), asked.deadline - asked.asked_at);
            out.answer(ticket, if counts { Ok(asked.reply()) } else { Err(late) });
        }
    }

    pub(super) fn deadline(&self) -> Timestamp {
        let asked = self.commands.iter().chain(&self.in_flight).chain(&self.later);
        let commands = asked.map(|asked| asked.deadline);
        commands.chain(self.waiting.iter().map(|waiting| waiting.deadline)).min().unwrap_or(Timestamp::MAX)
    }
}
