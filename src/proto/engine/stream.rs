//! The connection between the transparent stream and the rest of the core.

use crate::at::{Command, Urc};
use crate::error::{Error, InUse};
use crate::proto::bring_up::ConnectionMode;
use crate::proto::channels::End;
use crate::proto::transparent::{Facts, Mode, StepOutcome, StreamAction, StreamInput};
use crate::proto::{Request, Ticket};
use crate::time::Timestamp;

use super::Engine;

impl Engine {
    /// A request that concerns the stream.
    pub(super) fn stream_asked(&mut self, now: Timestamp, ticket: Ticket, request: Request) {
        let (mode, socket, timeout) = match request {
            Request::Transparent { .. } if self.channels.has_open_socket() => {
                return self.out.answer(ticket, Err(Error::InUse(InUse::Sockets)));
            }
            Request::Transparent { host, port, timeout } => {
                return self.stream_handles(now, StreamInput::Connect { ticket, host, port, timeout });
            }
            Request::Escape { socket, timeout } => (Mode::Command, socket, timeout),
            Request::Resume { socket, timeout } => (Mode::Data, socket, timeout),
            _ => return,
        };
        match self.channels.has_no_modes(socket) {
            Some(error) => self.out.answer(ticket, Err(error)),
            None => self.stream_handles(now, StreamInput::Want { ticket, mode, timeout }),
        }
    }

    pub(super) fn stream_handles(&mut self, now: Timestamp, input: StreamInput<'_>) {
        let facts = self.stream_facts();
        self.transparent.handle(now, input, &facts);
        self.stream_acts(now);
    }

    /// Bytes came in command mode that no module writes there.
    pub(super) fn stream_fault(&mut self, now: Timestamp) {
        if self.transparent.is_beside() {
            self.stream_handles(now, StreamInput::Fault);
        }
    }

    /// Bytes came while no command is in flight. Returns true if they end the stream.
    pub(super) fn stream_bytes(&mut self, now: Timestamp, bytes: &[u8]) -> bool {
        // No line of a module contains NUL; the decoder skips NULs before a line.
        let is_data = self.transparent.is_beside() && bytes.contains(&0);
        if is_data {
            self.stream_fault(now);
        }
        is_data
    }

    /// An unsolicited line came while the module is in command mode and the stream is kept.
    pub(super) fn stream_news(&mut self, now: Timestamp, line: &[u8], urc: &Urc) {
        if self.transparent.is_beside() {
            self.stream_handles(now, StreamInput::News(line, urc));
        }
    }

    /// Everything on the module is lost: the stream or the request for one ends. The sockets are ended elsewhere.
    pub(super) fn drop_stream(&mut self, now: Timestamp, end: &End) {
        self.stream_handles(now, StreamInput::Lost(end));
        self.session.go_offline();
        self.bring_up.set_up_sockets();
    }

    /// Bytes came in data mode.
    pub(super) fn stream_received(&mut self, now: Timestamp, bytes: &[u8]) {
        let Self { transparent, channels, out, .. } = self;
        transparent.received(now, bytes, |payload| channels.stream_payload(now, payload, out));
    }

    /// Runs the steps that depend on time only. The session may be busy.
    pub(super) fn drive_stream(&mut self, now: Timestamp) {
        while !self.transparent.is_idle() {
            let facts = self.stream_facts();
            let Self { transparent, channels, out, .. } = self;
            transparent.settle(now, |payload| channels.stream_payload(now, payload, out));
            let next = self.transparent.drive(now, &facts);
            self.stream_acts(now);
            match next {
                StepOutcome::Again => {}
                StepOutcome::Write => return self.write_stream(now),
                StepOutcome::Nothing => return,
            }
        }
    }

    /// The next command of the stream, while the session is free. If the module is in the wrong connection mode,
    /// bring-up is started to change it.
    pub(super) fn stream_command(&mut self, now: Timestamp) -> Option<Command> {
        let connection_mode = self.transparent.connection_mode();
        if self.bring_up.connection_mode() != connection_mode {
            self.bring_up.set_up_for(now, connection_mode);
        }
        if connection_mode == ConnectionMode::Sockets {
            return None;
        }
        let facts = self.stream_facts();
        self.transparent.poll_command(now, &facts)
    }

    /// Writes the next piece of data, if the port has taken the last one.
    fn write_stream(&mut self, now: Timestamp) {
        let len = self.transparent.write(now, self.channels.stream_piece());
        if len > 0 {
            self.channels.write_stream(now, len, &mut self.out);
        }
    }

    pub(super) fn stream_facts(&self) -> Facts {
        Facts {
            socket: self.channels.stream_socket(),
            has_free_channel: self.channels.has_free(),
            set_up_for: self.bring_up.connection_mode(),
            not_ready: (!self.bring_up.is_ready()).then_some(self.bring_up.reason()),
            has_shut: self.bring_up.has_shut(),
            echo_is_off: self.bring_up.knows_echo_off(),
            slowness: self.session.slowness(),
            has_commands: self.requests.has_commands(),
        }
    }

    pub(super) fn stream_acts(&mut self, now: Timestamp) {
        while let Some(action) = self.transparent.poll() {
            let out = &mut self.out;
            match action {
                StreamAction::Answer(ticket, result) => out.answer(ticket, result),
                StreamAction::Event(event) => out.event(event),
                StreamAction::Write(bytes) => out.write(bytes),
                StreamAction::Dtr(on) => out.dtr(on),
                StreamAction::Payload(payload) => self.channels.stream_payload(now, &payload, out),
                StreamAction::Occupy => self.channels.occupy_for_stream(),
                StreamAction::Open(ticket) => self.channels.open_stream(ticket, out),
                StreamAction::End(end) => self.channels.end_stream(end, out),
                StreamAction::Vacate => self.channels.vacate_stream(out),
                StreamAction::GoOnline => self.session.go_online(),
                StreamAction::GoOffline => self.session.go_offline(),
                StreamAction::Search => {
                    self.session.search(now, &mut self.out);
                    self.bring_up.set_up_sockets_after_search();
                }
                StreamAction::SetUpSockets => self.bring_up.set_up_for(now, ConnectionMode::Sockets),
                StreamAction::Restarted => self.restarted(now),
                StreamAction::Read(bytes) => {
                    self.received(now, &bytes);
                }
            }
        }
    }
}
