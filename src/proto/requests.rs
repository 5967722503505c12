//! Requests of the application that are no socket's.

use std::collections::VecDeque;

use crate::at::{Command, Payload, Protocol, Refusal, Urc};
use crate::error::{Error, NotReady};
use crate::time::Timestamp;

use super::check::Check;
use super::delivery::Wanted;
use super::engine::Engine;
use super::exchange::{Failure, Finished};
use super::link::Opening;
use super::outbox::Outbox;
use super::question::{Early, Effect, Kind, response};
use super::traffic::timeout;
use super::{Owner, Request, Response, Ticket};

/// Who waits, and for what.
#[derive(Debug, Default)]
pub(super) struct Requests {
    commands: VecDeque<Asked>,
    in_flight: Option<Asked>,
    waiting: Vec<Waiting>,
    check: Option<Check>,
    /// Requests whose command has ended and whose answer comes as news.
    later: Vec<Asked>,
}

/// A command that was asked for.
#[derive(Debug)]
struct Asked {
    ticket: Ticket,
    command: Command,
    /// What it waits for behind its prompt.
    payload: Option<Payload>,
    kind: Kind,
    asked_at: Timestamp,
    deadline: Timestamp,
    /// What the answer will be, when it came as news before its command's final.
    early: Early,
}

/// Somebody who waits for readiness.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    deadline: Timestamp,
}

impl Engine {
    pub(super) fn asked(&mut self, now: Timestamp, ticket: Ticket, request: Request) {
        if let Some(error) = self.transparent.refuses(&request) {
            self.out.answer(ticket, Err(error));
            return;
        }
        let is_ready = self.is_ready();
        let out = &mut self.out;
        match request {
            Request::WaitReady { .. } if is_ready => out.answer(ticket, Ok(Response::Ready)),
            Request::WaitReady { timeout } => {
                self.requests.waiting.push(Waiting { ticket, deadline: now + timeout });
            }
            Request::Connect { protocol, host, port, timeout } => {
                let opening = Opening::new(ticket, protocol, host, port, now, timeout);
                self.channels.connect(now, opening, out);
            }
            Request::ConnectTls { tls, host, port, timeout } => {
                let opening = Opening::new(ticket, Protocol::Tcp, host, port, now, timeout);
                self.channels.connect(now, opening.secured(tls), out);
            }
            Request::Send { socket, data, timeout } => {
                self.channels.send(now, socket, ticket, data, timeout, out)
            }
            Request::Queue { socket, data } => self.channels.queue(socket, ticket, data, out),
            Request::Beat { socket, beat } => self.channels.beat_with(now, socket, ticket, beat, out),
            Request::Flush { socket, timeout } => {
                self.channels.ask_delivery(now, socket, ticket, Wanted::Nothing, timeout, out);
            }
            Request::Drain { socket, timeout } => {
                self.channels.ask_delivery(now, socket, ticket, Wanted::Acceptance, timeout, out);
            }
            Request::Unacknowledged { socket, timeout } => {
                self.channels.ask_delivery(now, socket, ticket, Wanted::Count, timeout, out);
            }
            Request::Transparent { .. } | Request::Escape { .. } | Request::Resume { .. } => {
                self.stream_asked(now, ticket, request);
            }
            Request::Close { socket, timeout } => {
                self.channels.close(now, socket, ticket, timeout, out);
                self.stream_left();
            }
            Request::Forget { socket } => {
                self.channels.forget(socket, out);
                out.answer(ticket, Ok(Response::Closed));
                self.stream_left();
            }
            Request::Run(command) => self.requests.ask(now, ticket, command, Kind::Lines),
            Request::RunWithPayload { command, payload, timeout } => {
                self.requests.ask_until(now, ticket, command, Kind::Lines, now + timeout);
                self.requests.give(payload);
            }
            Request::Signal => self.requests.ask(now, ticket, Command::signal_quality(), Kind::Signal),
            Request::Registration(domain) => {
                self.requests.ask(now, ticket, Command::registration(domain), Kind::Registration(domain));
            }
            Request::Resolve { host, timeout } => {
                let deadline = now + timeout;
                self.requests.ask_until(now, ticket, Command::resolve(&host), Kind::Resolve, deadline);
            }
            Request::Ping { host, timeout } => {
                let command = Command::ping(&host).with_timeout(timeout);
                self.requests.ask_until(now, ticket, command, Kind::Ping, now + timeout);
            }
            Request::RemoveFile(name) => {
                self.requests.ask(now, ticket, Command::remove_file(&name), Kind::Done(Effect::None));
            }
            Request::Clock => self.requests.ask(now, ticket, Command::clock(), Kind::Clock),
            Request::Radio { on } => {
                let effect = if on { Effect::RadioOn } else { Effect::RadioOff };
                self.requests.ask(now, ticket, Command::radio(on), Kind::Done(effect));
            }
            Request::ResetBearer => {
                self.take_bearer_down(now);
                self.out.answer(ticket, Ok(Response::Done));
            }
            Request::Restart => {
                self.requests.ask(now, ticket, Command::reset(), Kind::Done(Effect::Restart));
            }
        }
    }
}

impl Requests {
    fn ask(&mut self, now: Timestamp, ticket: Ticket, command: Command, kind: Kind) {
        let deadline = now + command.timeout();
        self.ask_until(now, ticket, command, kind, deadline);
    }

    fn ask_until(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        command: Command,
        kind: Kind,
        deadline: Timestamp,
    ) {
        let early = Early::default();
        self.commands.push_back(Asked {
            ticket,
            command,
            payload: None,
            kind,
            asked_at: now,
            deadline,
            early,
        });
    }

    /// What the command that was asked for last waits for behind its prompt.
    fn give(&mut self, payload: Payload) {
        if let Some(asked) = self.commands.back_mut() {
            asked.payload = Some(payload);
        }
    }

    /// Whether any command waits for its turn.
    pub(super) fn has_commands(&self) -> bool {
        self.check.is_some() || !self.commands.is_empty()
    }

    /// Asks the module, before anything else, whether it still is what it is taken for.
    pub(super) fn check(&mut self, check: Check) {
        // A question that another has led to is not put off by that one again.
        self.check = self.check.max(Some(check));
    }

    /// The next command, and whose it is.
    pub(super) fn next(&mut self) -> Option<(Command, Owner, Option<Vec<u8>>)> {
        if let Some(check) = self.check.take() {
            return Some((check.command(), Owner::Check(check), None));
        }
        // One of a kind at a time where the answers are news: they do not all say whose they are.
        let is_free = |asked: &Asked| !self.later.iter().any(|later| later.kind == asked.kind);
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
            Ok(_) if asked.kind.is_news() && !asked.early.is_complete(asked.kind) => {
                self.later.push(asked);
                return None;
            }
            Ok(lines) => response(asked.kind, lines, asked.early, command),
            // Firmware without the first way to restart has the second.
            Err(Failure::Refused(Refusal::Error))
                if asked.kind == Kind::Done(Effect::Restart) && command == "AT+RESET" =>
            {
                self.commands.push_front(Asked { command: Command::restart(), ..asked });
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
            Err(Failure::Timeout) => Err(timeout(command, now - asked.asked_at)),
        };
        let effect = asked.kind.effect().filter(|_| answer.is_ok());
        out.answer(ticket, answer);
        effect
    }

    /// News that may be the answer to a request.
    pub(super) fn news(&mut self, urc: &Urc, out: &mut Outbox) {
        if let Some(asked) = &mut self.in_flight {
            asked.early.take(asked.kind, urc);
        }
        let Some(index) = self.later.iter_mut().position(|later| {
            later.early.take(later.kind, urc);
            later.early.is_complete(later.kind)
        }) else {
            return;
        };
        let asked = self.later.swap_remove(index);
        out.answer(asked.ticket, response(asked.kind, Vec::new(), asked.early, asked.command.name()));
    }

    /// The module is ready: tells everybody who waits for that.
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
        let expired = |asked: &Asked| asked.deadline <= now;
        let mut late: Vec<Asked> = self.in_flight.take_if(|asked| expired(asked)).into_iter().collect();
        let (over, kept): (Vec<_>, _) = std::mem::take(&mut self.commands).into_iter().partition(expired);
        self.commands = kept.into();
        late.extend(over);
        late.extend(self.later.extract_if(.., |asked| expired(asked)));
        for asked in late {
            let answer = match asked.early.partial(asked.kind) {
                Some(response) => Ok(response),
                None => Err(timeout(asked.command.name(), asked.deadline - asked.asked_at)),
            };
            out.answer(asked.ticket, answer);
        }
    }

    pub(super) fn deadline(&self) -> Timestamp {
        let asked = self.commands.iter().chain(&self.in_flight).chain(&self.later);
        let commands = asked.map(|asked| asked.deadline);
        commands.chain(self.waiting.iter().map(|waiting| waiting.deadline)).min().unwrap_or(Timestamp::MAX)
    }
}
