//! The distribution of the application's requests to the parts of the engine.

use crate::at::{Command, Protocol};
use crate::proto::channels::{Opening, WaitCondition};
use crate::proto::requests::Effect;
use crate::proto::transparent::StreamInput;
use crate::proto::{Request, Response, Ticket};
use crate::time::Timestamp;

use super::Engine;

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
                self.requests.wait_ready(ticket, now + timeout);
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
                self.channels.ask_delivery(now, socket, ticket, WaitCondition::Nothing, timeout, out);
            }
            Request::Drain { socket, timeout } => {
                self.channels.ask_delivery(now, socket, ticket, WaitCondition::Acceptance, timeout, out);
            }
            Request::Unacknowledged { socket, timeout } => {
                self.channels.ask_delivery(now, socket, ticket, WaitCondition::Count, timeout, out);
            }
            Request::Transparent { .. } | Request::Escape { .. } | Request::Resume { .. } => {
                self.stream_asked(now, ticket, request);
            }
            Request::WaitLeft { timeout } => self.channels.wait_left(now, ticket, timeout, out),
            Request::Cancel { ticket: cancelled } => {
                self.channels.cancel_connect(now, cancelled, out);
                out.answer_all(self.requests.cancel(cancelled));
                out.answer(ticket, Ok(Response::Done));
            }
            Request::Close { socket, timeout } => {
                self.channels.close(now, socket, ticket, timeout, out);
                self.stream_handles(now, StreamInput::Left);
            }
            Request::Forget { socket } => {
                self.channels.forget(now, socket, out);
                out.answer(ticket, Ok(Response::Closed));
                self.stream_handles(now, StreamInput::Left);
            }
            Request::Run(command) => self.requests.ask(now, ticket, command, Effect::Reply),
            Request::RunWithPayload { command, payload, timeout } => {
                self.requests.ask_until(now, ticket, command, Effect::Reply, now + timeout);
                self.requests.give(payload);
            }
            Request::RemoveFile(name) => {
                self.requests.ask(now, ticket, Command::remove_file(&name), Effect::Done);
            }
            Request::Radio { on } => {
                let effect = if on { Effect::RadioOn } else { Effect::RadioOff };
                self.requests.ask(now, ticket, Command::radio(on), effect);
            }
            Request::ResetBearer => {
                self.take_bearer_down(now);
                self.out.answer(ticket, Ok(Response::Done));
            }
            Request::Restart => {
                self.requests.ask(now, ticket, Command::reset(), Effect::Restart);
            }
        }
    }
}
