//! The inputs of a transparent stream, and its transitions to an end.

use std::time::Duration;

use crate::at::{ChannelNews, Final, Line, Urc};
use crate::error::{CloseReason, Error};
use crate::proto::channels::End;
use crate::time::Timestamp;

use super::{Facts, Mode, StreamAction, StreamInput, StreamRequest, StreamState, Transparent, Waiter};

impl Transparent {
    /// Processes an input. Call [`poll`](Self::poll) afterwards until it returns `None`.
    pub(in crate::proto) fn handle(&mut self, now: Timestamp, input: StreamInput<'_>, facts: &Facts) {
        match input {
            StreamInput::Connect { ticket, host, port, timeout } => {
                let (ticket, deadline) = (Some(ticket), now + timeout);
                self.next = Some(StreamRequest { ticket, host, port, asked_at: now, deadline, timeout });
            }
            StreamInput::Want { ticket, mode, timeout } => {
                self.wanted = mode;
                self.waiting.push(Waiter { ticket, wants: mode, deadline: now + timeout, timeout });
            }
            StreamInput::Left => {
                if !facts.socket.is_open() {
                    self.fail_waiting(&|| Error::Closed(CloseReason::Local));
                }
            }
            StreamInput::News(line, urc) => self.news(line, urc, facts),
            StreamInput::Stray(line) => self.stray(line, facts),
            StreamInput::Fault => self.fault(facts),
            StreamInput::Unable(command, code) => {
                if matches!(self.state, StreamState::Preparing(_)) {
                    self.fail_dial(Error::Refused { command: command.into(), code });
                    self.is_over();
                }
            }
            StreamInput::Lost(end) => self.lost(end, facts),
            StreamInput::Expired => self.expire(now, facts),
        }
    }

    /// The module is in command mode and nothing on it is needed any more: bring-up shuts it down.
    pub(super) fn leave(&mut self) {
        self.is_over();
        self.act(StreamAction::SetUpSockets);
    }

    /// The mode of the module is unknown: the driver searches for the module, and brings it up again.
    pub(super) fn recover(&mut self) {
        self.act(StreamAction::Search);
        self.wire.forget();
        self.state = StreamState::Recovering;
    }

    /// The stream ends for the application.
    pub(super) fn end(&mut self, end: End, facts: &Facts) {
        let first = facts.socket.end().unwrap_or(&end).clone();
        self.act(StreamAction::End(end));
        self.fail_waiting(&|| first.error());
    }

    /// The stream could not be connected.
    pub(super) fn fail_dial(&mut self, error: Error) {
        if let StreamState::Preparing(request) | StreamState::Dialling(request) =
            std::mem::replace(&mut self.state, StreamState::Off)
        {
            self.answer(request.ticket, Err(error));
        }
    }

    /// The module has no connection of the stream any more.
    pub(super) fn is_over(&mut self) {
        self.fail_waiting(&|| Error::Closed(CloseReason::Local));
        self.state = StreamState::Off;
        self.wire.forget();
        self.act(StreamAction::Vacate);
    }

    /// Everything on the module is lost: the stream or the request for one ends. The sockets are ended elsewhere.
    fn lost(&mut self, end: &End, facts: &Facts) {
        if let Some(request) = self.next.take() {
            self.answer(request.ticket, Err(end.error()));
        }
        if self.request().is_some() {
            self.fail_dial(end.error());
        } else if !matches!(self.state, StreamState::Off) {
            self.end(end.clone(), facts);
        }
        self.is_over();
    }

    /// Ends the requests for a stream whose time-out has passed.
    fn expire(&mut self, now: Timestamp, facts: &Facts) {
        let late = |span| facts.not_ready.map_or_else(|| Error::timeout("connect", span), Error::NotReady);
        self.expire_requests(now, &late);
        if let StreamState::Preparing(request) = &self.state
            && request.deadline <= now
        {
            let error = late(request.timeout);
            self.fail_dial(error);
            self.is_over();
        }
        if let StreamState::Dialling(request) = &mut self.state
            && request.deadline <= now
        {
            // The result of the command is unknown. If it makes a connection, that is closed.
            request.deadline = Timestamp::MAX;
            let (ticket, timeout) = (request.ticket.take(), request.timeout);
            self.answer(ticket, Err(Error::timeout("connect", timeout)));
        }
    }

    /// Ends the requests for the next stream and for modes whose time-out has passed.
    fn expire_requests(&mut self, now: Timestamp, late: &dyn Fn(Duration) -> Error) {
        if let Some(request) = self.next.take_if(|request| request.deadline <= now) {
            self.answer(request.ticket, Err(late(request.timeout)));
        }
        let mut gave_up = false;
        for waiter in self.waiting.extract_if(.., |waiter| waiter.deadline <= now) {
            gave_up |= waiter.wants == Mode::Command;
            let name = match waiter.wants {
                Mode::Command => "+++",
                Mode::Data => "ATO",
            };
            let late = Err(Error::timeout(name, waiter.timeout));
            self.actions.push_back(StreamAction::Answer(waiter.ticket, late));
        }
        if gave_up && !self.is_escaped() {
            self.wanted = Mode::Data;
        }
    }

    /// An unsolicited line came in command mode, while the connection is kept.
    fn news(&mut self, line: &[u8], urc: &Urc, facts: &Facts) {
        if !self.is_beside() {
            return;
        }
        let reason = match Line::parse(line) {
            Line::Channel { channel: None, news } => match news {
                ChannelNews::Closed | ChannelNews::CloseOk => CloseReason::Peer,
                ChannelNews::TcpError(_) | ChannelNews::UdpError(_) => CloseReason::Reset,
                _ => return,
            },
            _ if urc.is_known() => return,
            _ => CloseReason::DataInCommandMode,
        };
        if reason != CloseReason::DataInCommandMode {
            // The connection ends now, so no earlier line was its end.
            self.give_held();
        }
        match reason {
            CloseReason::DataInCommandMode => self.fault(facts),
            _ => self.end(End::Closed(reason), facts),
        }
    }

    /// Keeps an unsolicited line until the module is proved to be in command mode. Returns true if it was kept.
    pub(in crate::proto) fn keeps(&mut self, line: &[u8]) -> bool {
        let keeps = self.is_proving();
        if keeps {
            self.wire.news.extend_from_slice(line);
            self.wire.news.extend_from_slice(b"\r\n");
        }
        keeps
    }

    /// Bytes came in command mode that no module writes there. Before an escape is proved, and after `ATO`, they may be
    /// data: the `OK` was the peer's, or `CONNECT` was lost. A command would then be data for the peer, and a line of
    /// the peer its answer.
    fn fault(&mut self, facts: &Facts) {
        if self.is_beside() {
            self.end(End::Closed(CloseReason::DataInCommandMode), facts);
        }
        if matches!(self.state, StreamState::Proving(_) | StreamState::Resuming) {
            self.recover();
        }
    }

    /// A result code that belongs to no command.
    fn stray(&mut self, line: &[u8], facts: &Facts) {
        let is_result =
            matches!(Line::parse(line), Line::Final(_) | Line::ShutOk | Line::State(_) | Line::Row(_));
        if !is_result || !self.is_escaped() || self.late_answer() {
            return;
        }
        match Line::parse(line) {
            Line::Final(Final::NoCarrier) => self.end(End::Closed(CloseReason::Reset), facts),
            _ => self.fault(facts),
        }
    }
}
