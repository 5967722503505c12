//! Requests of the application that are no socket's.

use std::collections::VecDeque;

use crate::at::{Command, Domain, Field, Line, Refusal, RegistrationStatus, SignalQuality};
use crate::error::{Error, NotReady};
use crate::time::Timestamp;

use super::engine::Engine;
use super::exchange::{Failure, Finished};
use super::link::Opening;
use super::outbox::Outbox;
use super::traffic::timeout;
use super::{Owner, Request, Response, Ticket};

/// Who waits, and for what.
#[derive(Debug, Default)]
pub(super) struct Requests {
    commands: VecDeque<Asked>,
    in_flight: Option<Asked>,
    waiting: Vec<Waiting>,
    bearer_check: bool,
}

/// A command that was asked for.
#[derive(Debug)]
struct Asked {
    ticket: Ticket,
    command: Command,
    kind: Kind,
    deadline: Timestamp,
}

/// What its answer becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Lines,
    Signal,
    Registration(Domain),
}

/// Somebody who waits for readiness.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    deadline: Timestamp,
}

impl Engine {
    pub(super) fn asked(&mut self, now: Timestamp, ticket: Ticket, request: Request) {
        let out = &mut self.out;
        match request {
            Request::WaitReady { .. } if self.bring_up.is_ready() => out.answer(ticket, Ok(Response::Ready)),
            Request::WaitReady { timeout } => {
                self.requests.waiting.push(Waiting { ticket, deadline: now + timeout });
            }
            Request::Connect { protocol, host, port, timeout } => {
                let opening = Opening::new(ticket, protocol, host, port, now, timeout);
                self.channels.connect(now, opening, out);
            }
            Request::Send { socket, data, timeout } => {
                self.channels.send(now, socket, ticket, data, timeout, out)
            }
            Request::Close { socket, timeout } => self.channels.close(now, socket, ticket, timeout, out),
            Request::Forget { socket } => {
                self.channels.forget(socket, out);
                out.answer(ticket, Ok(Response::Closed));
            }
            Request::Run(command) => self.requests.ask(now, ticket, command, Kind::Lines),
            Request::Signal => self.requests.ask(now, ticket, Command::signal_quality(), Kind::Signal),
            Request::Registration(domain) => {
                self.requests.ask(now, ticket, Command::registration(domain), Kind::Registration(domain));
            }
        }
    }
}

impl Requests {
    fn ask(&mut self, now: Timestamp, ticket: Ticket, command: Command, kind: Kind) {
        let deadline = now + command.timeout();
        self.commands.push_back(Asked { ticket, command, kind, deadline });
    }

    /// After news of a bearer: is it the sockets'?
    pub(super) fn check_bearer(&mut self) {
        self.bearer_check = true;
    }

    /// The next command, and whose it is.
    pub(super) fn next(&mut self) -> Option<(Command, Owner)> {
        if std::mem::take(&mut self.bearer_check) {
            return Some((Command::ip_status(), Owner::BearerCheck));
        }
        let asked = self.commands.pop_front()?;
        let (command, ticket) = (asked.command.clone(), asked.ticket);
        self.in_flight = Some(asked);
        Some((command, Owner::Caller(ticket)))
    }

    /// A command has ended.
    pub(super) fn finished(&mut self, ticket: Ticket, finished: Finished, out: &mut Outbox) {
        // Answered already, if its time was up before that of its command.
        let Some(asked) = self.in_flight.take().filter(|asked| asked.ticket == ticket) else { return };
        let command = finished.command.name();
        let answer = match finished.result {
            Ok(lines) => response(asked.kind, lines, command),
            Err(Failure::Refused(Refusal::Empty | Refusal::Ambiguous)) => Err(Error::Unexpected(
                format!("{command}: the answer is empty or mixed with an older one").into(),
            )),
            Err(Failure::Refused(code) | Failure::NoPrompt(code)) => {
                Err(Error::Refused { command: command.into(), code })
            }
            Err(Failure::Timeout) => Err(timeout(command, finished.command.timeout())),
        };
        out.answer(ticket, answer);
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
        for asked in self.in_flight.take().into_iter().chain(std::mem::take(&mut self.commands)) {
            out.answer(asked.ticket, Err(error()));
        }
        self.bearer_check = false;
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
        for asked in late {
            out.answer(asked.ticket, Err(timeout(asked.command.name(), asked.command.timeout())));
        }
    }

    pub(super) fn deadline(&self) -> Timestamp {
        let commands = self.commands.iter().chain(&self.in_flight).map(|asked| asked.deadline);
        commands.chain(self.waiting.iter().map(|waiting| waiting.deadline)).min().unwrap_or(Timestamp::MAX)
    }
}

fn response(kind: Kind, lines: Vec<String>, command: &str) -> Result<Response, Error> {
    let unexpected = || Error::Unexpected(format!("{command} was answered with {lines:?}").into());
    match kind {
        Kind::Lines => Ok(Response::Lines(lines)),
        Kind::Signal => {
            let list = fields_of(&lines, &["+CSQ"]).ok_or_else(unexpected)?;
            SignalQuality::parse(&list).map(Response::Signal).ok_or_else(unexpected)
        }
        Kind::Registration(domain) => {
            let keys: &[&str] = match domain {
                Domain::Circuit => &["+CREG"],
                Domain::Packet => &["+CGREG", "+CEREG"],
                Domain::Lte => &["+CEREG", "+CGREG"],
            };
            let list = fields_of(&lines, keys).ok_or_else(unexpected)?;
            let status = list.get(1).and_then(Field::number).and_then(RegistrationStatus::new);
            status.map(Response::Registration).ok_or_else(unexpected)
        }
    }
}

fn fields_of<'a>(lines: &'a [String], keys: &[&str]) -> Option<Vec<Field<'a>>> {
    lines.iter().find_map(|line| {
        let line = Line::parse(line.as_bytes());
        keys.iter().find_map(|key| line.info(key))
    })
}
