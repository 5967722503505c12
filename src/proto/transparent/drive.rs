//! What is done next, in every state.

use std::time::Duration;

use crate::at::{Command, Refusal, Urc};
use crate::error::{CloseReason, Error, InUse};
use crate::proto::bring_up::Carries;
use crate::proto::channels::{End, Link};
use crate::proto::engine::Engine;
use crate::proto::exchange::{Failure, Finished};
use crate::proto::owner::Owner;
use crate::proto::transparent::end_lines::Ending;
use crate::proto::transparent::{
    Dial, ESCAPE_TIMEOUT, ESCAPES, GUARD, Means, STALLED, State, Waiter, Wanted, Why, answer,
};
use crate::proto::{Event, Request, Response, SocketId, Ticket};
use crate::time::Timestamp;

impl Engine {
    /// A request that concerns the stream.
    pub(in crate::proto) fn stream_asked(&mut self, now: Timestamp, ticket: Ticket, request: Request) {
        match request {
            Request::Transparent { host, port, timeout } => {
                if self.channels.has_open_socket() {
                    self.out.answer(ticket, Err(Error::InUse(InUse::Sockets)));
                    return;
                }
                let (ticket, deadline) = (Some(ticket), now + timeout);
                let dial = Dial { ticket, host, port, asked_at: now, deadline, timeout };
                self.transparent.next = Some(dial);
            }
            Request::Escape { socket, timeout } => self.want(now, ticket, socket, timeout, Wanted::Command),
            Request::Resume { socket, timeout } => self.want(now, ticket, socket, timeout, Wanted::Data),
            _ => {}
        }
    }

    fn want(&mut self, now: Timestamp, ticket: Ticket, socket: SocketId, timeout: Duration, wants: Wanted) {
        let channel = self.channels.channel(socket.channel);
        let is_stream = matches!(channel.link, Link::Stream);
        let error = match channel.socket_of(socket) {
            Some(open) => open.error(),
            None => Some(Error::Closed(CloseReason::Local)),
        };
        if let Some(error) = error {
            self.out.answer(ticket, Err(error));
        } else if !is_stream {
            self.out.answer(ticket, Err(Error::invalid("socket", "is no transparent stream")));
        } else {
            self.transparent.wanted = wants;
            let deadline = now + timeout;
            self.transparent.waiting.push(Waiter { ticket, wants, deadline, timeout });
        }
    }

    /// Steps that need nothing but the moment. The session need not be free.
    pub(in crate::proto) fn drive_stream(&mut self, now: Timestamp) {
        loop {
            if self.transparent.dtr_is_off && !self.transparent.waits_for_dtr() {
                self.switch_dtr(true);
            }
            let ended = self.stream_channel().open_socket().is_none();
            match self.transparent.state {
                State::Off => match self.transparent.next.take() {
                    Some(dial) => self.prepare(dial),
                    None => return,
                },
                State::Online => {
                    self.settle_tail(now);
                    let wire = &mut self.transparent.wire;
                    let suspicious = wire.tail.is_in_doubt() || wire.mirror.take_echo();
                    if ended || suspicious || self.transparent.wants_command() {
                        let why = if suspicious { Why::Suspected } else { Why::Wanted };
                        self.transparent.state = State::Guarding { failed: 0, since: now, why };
                        continue;
                    }
                    self.transparent.reached(Wanted::Data, &mut self.out);
                    self.write_stream(now);
                    return;
                }
                State::Guarding { failed, since, why } => {
                    self.settle_tail(now);
                    if self.transparent.wire.tail.is_escaped(now) {
                        self.escaped(now);
                        continue;
                    }
                    let suspicious = why == Why::Suspected || self.transparent.wire.tail.is_in_doubt();
                    if !(ended || suspicious || failed > 0 || self.transparent.wants_command()) {
                        self.transparent.state = State::Online;
                        continue;
                    }
                    match self.transparent.wire.silent_since() {
                        Some(silent) if now >= silent + GUARD => {
                            self.out.write(Command::ESCAPE.to_vec());
                            self.transparent.wire.wrote(now, Command::ESCAPE);
                            self.transparent.state =
                                State::Escaping { failed, since: now, by: Means::Pluses };
                        }
                        None if now >= since + STALLED => self.give_up_escaping(now),
                        Some(_) | None => return,
                    }
                }
                State::Escaping { failed, since, by } => {
                    self.settle_tail(now);
                    if self.transparent.wire.tail.is_escaped(now) {
                        self.escaped(now);
                    } else if now >= since + ESCAPE_TIMEOUT && !self.transparent.wire.tail.has_answer() {
                        self.unanswered(now, failed + 1, by);
                    } else {
                        return;
                    }
                }
                State::Recovering
                    if self.bring_up.carries() == Carries::Sockets && self.bring_up.has_shut() =>
                {
                    self.stream_is_over();
                }
                State::Command => {
                    self.transparent.reached(Wanted::Command, &mut self.out);
                    return;
                }
                State::Preparing(_)
                | State::Dialling(_)
                | State::Proving
                | State::Resuming
                | State::Closing
                | State::Recovering => return,
            }
        }
    }

    /// Has the module set up anew if it is not set up for what it is to carry. The session is free.
    pub(in crate::proto) fn change_over(&mut self, now: Timestamp) {
        let carries = self.transparent.carries();
        if self.bring_up.carries() != carries {
            self.bring_up.carry(now, carries);
        }
    }

    /// The command of the state, if it has one. The session is free.
    pub(in crate::proto) fn stream_command(&mut self, now: Timestamp) -> Option<(Command, Owner)> {
        let free = !self.requests.has_commands();
        let ended = self.stream_channel().open_socket().is_none();
        let command = match &self.transparent.state {
            State::Preparing(dial)
                if self.bring_up.carries() == Carries::Stream && self.bring_up.is_ready() && free =>
            {
                let command = Command::dial(&dial.host, dial.port);
                let left = (dial.deadline - now).min(command.timeout());
                self.transparent.state = State::Dialling(dial.clone());
                command.with_timeout(left)
            }
            State::Proving => Command::proof(),
            State::Command if ended => {
                self.transparent.state = State::Closing;
                Command::hang_up()
            }
            State::Command if free && !self.transparent.wants_command() => {
                self.transparent.state = State::Resuming;
                Command::data_mode()
            }
            _ => return None,
        };
        Some((command, Owner::Stream))
    }

    /// A command of the stream has ended.
    pub(in crate::proto) fn stream_finished(&mut self, now: Timestamp, finished: &Finished) {
        match (&self.transparent.state, &finished.result) {
            (State::Dialling(dial), Ok(_)) => {
                let ticket = dial.ticket;
                self.go_online(now);
                if ticket.is_none() {
                    // Nobody waits any more: it is hung up.
                    return;
                }
                // Not before: until it stands it has no end that anybody must hear of.
                let id = self.channels.occupy_for_stream(self.transparent.channel);
                self.out.event(Event::Connected(id));
                answer(ticket, Ok(Response::Connected(id)), &mut self.out);
            }
            (State::Dialling(dial), Err(failure)) => {
                let error = match failure {
                    Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout => {
                        Error::timeout("connect", now - dial.asked_at)
                    }
                    Failure::Refused(code) | Failure::NoPrompt(code) => Error::ConnectFailed(*code),
                };
                self.fail_dial(error);
                self.leave_by(now, *failure);
            }
            (State::Proving, Ok(_) | Err(Failure::Refused(Refusal::Ambiguous))) => self.proved(now),
            (State::Proving, Err(_)) => self.unproved(now),
            (State::Resuming, Ok(_)) => {
                // The connection stands, so what looked like its end was payload.
                self.with_tail(now, |tail, give| tail.give_up(give));
                self.go_online(now);
            }
            (State::Resuming, Err(failure)) => self.not_resumed(now, *failure),
            (State::Closing, _) => self.leave(now),
            (_, _) => {}
        }
    }

    /// The module can't be set up for a stream.
    pub(in crate::proto) fn stream_unable(&mut self, command: &str, code: Refusal) {
        if matches!(self.transparent.state, State::Preparing(_)) {
            self.fail_dial(Error::Refused { command: command.into(), code });
            self.stream_is_over();
        }
    }

    fn prepare(&mut self, dial: Dial) {
        let Some(free) = self.channels.free() else {
            answer(dial.ticket, Err(Error::NoFreeChannel), &mut self.out);
            return;
        };
        self.transparent.channel = free;
        self.stream_channel().link.stream_begins();
        self.transparent.wire.forget();
        self.transparent.state = State::Preparing(dial);
    }

    fn go_online(&mut self, now: Timestamp) {
        self.session.go_online();
        self.transparent.unanswered = 0;
        self.transparent.wire.begin(now);
        self.transparent.state = State::Online;
    }

    /// The module seems to have answered the escape.
    fn escaped(&mut self, now: Timestamp) {
        self.session.go_offline();
        self.transparent.state = State::Proving;
        self.transparent.wire.news = self.transparent.wire.tail.take_answer();
        if !self.transparent.wire.tail.is_in_doubt() {
            self.with_tail(now, |tail, give| tail.give_up(give));
        }
    }

    /// It has: it takes commands. A word that ends a connection was payload, for the module answers an escape in data mode
    /// alone; if the way back is next, that shows it, too.
    fn proved(&mut self, now: Timestamp) {
        let has_ended = self.stream_channel().open_socket().is_none();
        if has_ended || self.transparent.wants_command() {
            self.with_tail(now, |tail, give| tail.give_up(give));
        }
        self.transparent.state = State::Command;
        self.transparent.reached(Wanted::Command, &mut self.out);
        let news = std::mem::take(&mut self.transparent.wire.news);
        self.received(now, &news);
    }

    /// It has not: what seemed to be its answer was the peer's, or it has started anew.
    fn unproved(&mut self, now: Timestamp) {
        let news = std::mem::take(&mut self.transparent.wire.news);
        if news.split(|byte| *byte == b'\n').any(|line| Urc::parse(line).is_restart()) {
            self.restarted(now);
        } else {
            self.give_up_escaping(now);
        }
    }

    /// The way back to data mode is refused, or no answer came.
    fn not_resumed(&mut self, now: Timestamp, failure: Failure) {
        let unanswered =
            matches!(failure, Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout);
        let reason = if unanswered { CloseReason::ResumeUnanswered } else { CloseReason::Reset };
        let said = if unanswered { None } else { self.end_by_tail(now) };
        match said {
            Some(Ending::Closed(reason)) => self.end_stream(End::Closed(reason)),
            Some(Ending::Restarted) => return self.restarted(now),
            None => self.end_stream(End::Closed(reason)),
        }
        self.leave_by(now, failure);
    }

    /// How the connection has ended by what is held, if it is that.
    fn end_by_tail(&mut self, now: Timestamp) -> Option<Ending> {
        let is_silent = self.bring_up.knows_echo_off();
        let mut ending = None;
        if self.transparent.wire.tail.is_in_doubt() {
            self.with_tail(now, |tail, give| ending = tail.end(is_silent, give));
        }
        ending
    }

    /// The module has not answered the escape.
    fn unanswered(&mut self, now: Timestamp, failed: u32, by: Means) {
        self.out.event(Event::Expired(super::super::Deadline::Escape));
        self.transparent.unanswered += 1;
        match self.end_by_tail(now) {
            Some(Ending::Restarted) => self.restarted(now),
            Some(Ending::Closed(reason)) => {
                self.end_stream(End::Closed(reason));
                self.recover(now);
            }
            None if failed < ESCAPES => {
                self.transparent.state = State::Guarding { failed, since: now, why: Why::Wanted };
            }
            None if by == Means::Pluses => {
                self.switch_dtr(false);
                self.transparent.state = State::Escaping { failed, since: now, by: Means::Dtr };
            }
            None => self.give_up_escaping(now),
        }
    }

    fn switch_dtr(&mut self, on: bool) {
        self.transparent.dtr_is_off = !on;
        self.out.dtr(on);
    }

    /// Nobody knows in which mode the module is. What is held looks like its words, and is given to nobody.
    fn give_up_escaping(&mut self, now: Timestamp) {
        self.transparent.wire.tail.forget();
        self.end_stream(End::Closed(CloseReason::EscapeUnanswered));
        self.recover(now);
    }

    /// Leaves after a command that has failed.
    fn leave_by(&mut self, now: Timestamp, failure: Failure) {
        match failure {
            Failure::Refused(Refusal::Ambiguous | Refusal::Empty) | Failure::Timeout => self.recover(now),
            Failure::Refused(_) | Failure::NoPrompt(_) => self.leave(now),
        }
    }
}
