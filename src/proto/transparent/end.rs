//! The ways out of a transparent stream.

use std::time::Duration;

use crate::at::{ChannelNews, Final, Line, Urc};
use crate::error::{CloseReason, Error};
use crate::proto::bring_up::Carries;
use crate::proto::channels::{End, Link};
use crate::proto::engine::Engine;
use crate::proto::transparent::{State, answer};
use crate::time::Timestamp;

impl Engine {
    /// The module is in command mode and holds nothing that is worth keeping: bring-up shuts it down.
    pub(in crate::proto) fn leave(&mut self, now: Timestamp) {
        self.stream_is_over();
        self.bring_up.carry(now, Carries::Sockets);
    }

    /// Nobody knows in which mode the module is: it is looked for, and then brought up anew.
    pub(in crate::proto) fn recover(&mut self, now: Timestamp) {
        self.session.search(now);
        self.bring_up.carry_sockets_again();
        self.transparent.wire.forget();
        self.transparent.state = State::Recovering;
    }

    /// The stream ends for the application.
    pub(in crate::proto) fn end_stream(&mut self, end: End) {
        self.channels.end(self.transparent.channel, end.clone(), &mut self.out);
        let channel = self.stream_channel();
        let error = channel.socket.as_ref().and_then(|socket| socket.end.clone()).unwrap_or(end);
        self.transparent.fail_waiting(&|| error.error(), &mut self.out);
    }

    /// The stream was never there.
    pub(in crate::proto) fn fail_dial(&mut self, error: Error) {
        if let State::Preparing(dial) | State::Dialling(dial) =
            std::mem::replace(&mut self.transparent.state, State::Off)
        {
            answer(dial.ticket, Err(error), &mut self.out);
        }
    }

    /// The module holds nothing of the stream any more.
    pub(in crate::proto) fn stream_is_over(&mut self) {
        let over = || Error::Closed(CloseReason::Local);
        self.transparent.fail_waiting(&over, &mut self.out);
        self.transparent.state = State::Off;
        self.transparent.wire.forget();
        if self.stream_channel().link.stream_is_over() {
            self.channels.settle(self.transparent.channel, &mut self.out);
        }
    }

    /// Everything on the module is gone: the stream, or the wish for one. Sockets end elsewhere.
    pub(in crate::proto) fn drop_stream(&mut self, end: &End) {
        if let Some(dial) = self.transparent.next.take() {
            answer(dial.ticket, Err(end.error()), &mut self.out);
        }
        if self.transparent.dial().is_some() {
            self.fail_dial(end.error());
        } else if matches!(self.stream_channel().link, Link::Stream) {
            self.end_stream(end.clone());
        }
        self.stream_is_over();
        self.session.go_offline();
        self.bring_up.carry_sockets();
    }

    /// The handle of a stream is gone, or it was closed: nobody waits for a mode any more.
    pub(in crate::proto) fn stream_left(&mut self) {
        let is_stream = matches!(self.stream_channel().link, Link::Stream);
        if is_stream && self.stream_channel().open_socket().is_none() {
            self.transparent.fail_waiting(&|| Error::Closed(CloseReason::Local), &mut self.out);
        }
    }

    /// Requests for a stream whose time is up.
    pub(in crate::proto) fn expire_stream(&mut self, now: Timestamp) {
        let reason = self.bring_up_reason();
        let late = |span: Duration| reason.map_or_else(|| Error::timeout("connect", span), Error::NotReady);
        self.transparent.expire(now, &late, &mut self.out);
        if let State::Preparing(dial) = &self.transparent.state
            && dial.deadline <= now
        {
            let error = late(dial.timeout);
            self.fail_dial(error);
            self.stream_is_over();
        }
        if let State::Dialling(dial) = &mut self.transparent.state
            && dial.deadline <= now
        {
            // The command is in doubt; what comes of it is undone.
            dial.deadline = Timestamp::MAX;
            answer(dial.ticket.take(), Err(Error::timeout("connect", dial.timeout)), &mut self.out);
        }
    }

    /// News while the module is in command mode beside the connection.
    pub(in crate::proto) fn stream_news(&mut self, line: &[u8], urc: &Urc) {
        if !self.transparent.is_beside() {
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
        self.end_stream(End::Closed(reason));
    }

    /// Keeps a line that answers nothing until the module is proved to be in command mode; whether it has.
    pub(in crate::proto) fn stream_keeps(&mut self, line: &[u8]) -> bool {
        let keeps = self.transparent.is_proving();
        if keeps {
            let news = &mut self.transparent.wire.news;
            news.extend_from_slice(line);
            news.extend_from_slice(b"\r\n");
        }
        keeps
    }

    /// Something came in command mode beside the connection that no module says.
    pub(in crate::proto) fn stream_fault(&mut self) {
        if self.transparent.is_beside() {
            self.end_stream(End::Closed(CloseReason::DataInCommandMode));
        }
    }

    /// A result code that was not asked for, while no answer of the module's is outstanding.
    pub(in crate::proto) fn stream_stray(&mut self, line: &[u8]) {
        let is_result =
            matches!(Line::parse(line), Line::Final(_) | Line::ShutOk | Line::State(_) | Line::Row(_));
        if !is_result || !self.transparent.is_escaped() || self.transparent.late_answer() {
            return;
        }
        match Line::parse(line) {
            Line::Final(Final::NoCarrier) => self.end_stream(End::Closed(CloseReason::Reset)),
            _ => self.stream_fault(),
        }
    }

    /// Bytes in command mode beside the connection, while nothing was asked.
    /// Whether they end the stream.
    pub(in crate::proto) fn stream_bytes(&mut self, bytes: &[u8]) -> bool {
        // No answer and no news have NULs in them; the decoder passes over those before a line.
        let is_data = self.transparent.is_beside() && bytes.contains(&0);
        if is_data {
            self.stream_fault();
        }
        is_data
    }
}
