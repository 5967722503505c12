//! The transitions of the transparent stream: every state and every input.

mod outputs;

use std::time::Duration;

use crate::at::{Command, Quotable, Refusal, Urc};
use crate::error::CloseReason;
use crate::proto::Ticket;
use crate::proto::bring_up::ConnectionMode;
use crate::proto::channels::{End, StreamSocket};
use crate::proto::issuer::Issuer;
use crate::proto::session::{Failure, Finished};
use crate::proto::transition_table::{self, Act};
use crate::time::Timestamp;

use super::{
    EscapeAnswer, EscapeMethod, Facts, GuardReason, Mode, STALLED, StepOutcome, StreamAction, StreamInput,
    StreamState, Transparent,
};

const TIMEOUT: Duration = Duration::from_secs(300);

/// A stream, the moment, and the facts that the engine would pass to it.
struct Walk {
    stream: Transparent,
    now: Timestamp,
    facts: Facts,
    actions: Vec<StreamAction>,
}

impl Walk {
    fn off() -> Self {
        let facts = Facts {
            socket: StreamSocket::None,
            has_free_channel: true,
            set_up_for: ConnectionMode::Stream,
            not_ready: None,
            has_shut: false,
            echo_is_off: true,
            slowness: Duration::ZERO,
            has_commands: false,
        };
        let now = Timestamp::from_secs(100);
        Self { stream: Transparent::new(115_200), now, facts, actions: Vec::new() }
    }

    /// Every state, with the inputs that lead to it.
    fn states() -> Vec<Self> {
        vec![
            Self::off(),
            Self::off().and(Self::request),
            Self::dialling(),
            Self::online(),
            Self::online().and(|it| it.want(Mode::Command)),
            Self::online().and(|it| it.receive(b"\r\nCLOSED\r\n")),
            Self::escaping(),
            Self::escaping().and(|it| it.receive(b"\r\nCLOSED\r\n")),
            Self::escaping().and(Self::no_answers),
            Self::escaping().and(Self::escaped),
            Self::escaping().and(|it| it.receive(b"\r\nCLOSED\r\n")).and(Self::wait),
            Self::command(),
            Self::command().and(|it| it.want(Mode::Data)).and(Self::command_is_due),
            Self::command().and(|it| it.socket_ends(CloseReason::Local)).and(Self::command_is_due),
            Self::dialling().and(|it| it.finish(Err(Failure::Timeout))),
        ]
    }

    fn dialling() -> Self {
        Self::off().and(Self::request).and(Self::command_is_due)
    }

    fn online() -> Self {
        Self::dialling().and(|it| it.finish(Ok(Vec::new())))
    }

    fn escaping() -> Self {
        Self::online().and(|it| it.want(Mode::Command)).and(Self::wait)
    }

    fn command() -> Self {
        Self::escaping().and(Self::escaped).and(|it| it.finish(Ok(Vec::new())))
    }

    fn and(mut self, act: fn(&mut Self)) -> Self {
        act(&mut self);
        self
    }

    fn request(&mut self) {
        let host = Quotable::host("a.test").unwrap();
        self.handle(StreamInput::Connect { ticket: Ticket(1), host, port: 80, timeout: TIMEOUT });
    }

    fn want(&mut self, mode: Mode) {
        self.handle(StreamInput::Want { ticket: Ticket(2), mode, timeout: TIMEOUT });
    }

    fn handle(&mut self, input: StreamInput<'_>) {
        self.stream.handle(self.now, input, &self.facts);
        self.drive();
    }

    /// Runs all that is due, as the engine does.
    fn drive(&mut self) {
        self.take();
        while self.stream.drive(self.now, &self.facts) == StepOutcome::Again {
            self.take();
        }
        self.take();
    }

    fn take(&mut self) {
        while let Some(action) = self.stream.poll() {
            match &action {
                StreamAction::Open(_) => self.facts.socket = StreamSocket::Open,
                StreamAction::End(end) => self.facts.socket = StreamSocket::Ended(end.clone()),
                StreamAction::Vacate => self.facts.socket = StreamSocket::None,
                StreamAction::Payload(bytes) => assert!(!bytes.is_empty()),
                _ => {}
            }
            self.actions.push(action);
        }
        self.stream.port_took(self.now);
    }

    /// The next deadline has come.
    fn wait(&mut self) {
        let Some((deadline, _)) = self.stream.deadline() else { return };
        self.now = self.now.max(deadline);
        self.stream.settle(self.now, |_| {});
        self.handle(StreamInput::Expired);
    }

    /// No escape is answered, until DTR is switched off.
    fn no_answers(&mut self) {
        for _ in 0..20 {
            if self.stream.waits_for_dtr() {
                return;
            }
            self.wait();
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.stream.received(self.now, bytes, |_| {});
        self.drive();
    }

    /// The answer to the escape, and the silence after it.
    fn escaped(&mut self) {
        self.now += Duration::from_millis(600);
        self.receive(b"\r\nOK\r\n");
        self.now += Duration::from_millis(400);
        self.stream.settle(self.now, |_| {});
        self.drive();
    }

    fn command_is_due(&mut self) {
        let _ = self.stream.poll_command(self.now, &self.facts);
        self.drive();
    }

    fn finish(&mut self, result: Result<Vec<String>, Failure>) {
        let finished = finished(result);
        self.stream.finished(self.now, &finished, &self.facts);
        self.drive();
    }

    fn socket_ends(&mut self, reason: CloseReason) {
        self.facts.socket = StreamSocket::Ended(End::Closed(reason));
        self.handle(StreamInput::Left);
    }

    fn name(&self) -> &'static str {
        match &self.stream.state {
            StreamState::Off => "off",
            StreamState::Preparing(_) => "preparing",
            StreamState::Dialling(_) => "dialling",
            StreamState::Online => "online",
            StreamState::Guarding { why: GuardReason::Wanted, .. } => "guarding",
            StreamState::Guarding { why: GuardReason::Suspected, .. } => "suspecting",
            StreamState::Escaping { by: EscapeMethod::Pluses, .. }
                if self.stream.wire.end_detector.is_in_doubt() =>
            {
                "escaping, suspecting"
            }
            StreamState::Escaping { by: EscapeMethod::Pluses, .. } => "escaping",
            StreamState::Escaping { by: EscapeMethod::Dtr, .. } => "DTR off",
            StreamState::Proving(EscapeAnswer::Came) => "proving",
            StreamState::Proving(EscapeAnswer::None) => "proving the end",
            StreamState::Command => "command",
            StreamState::Resuming => "resuming",
            StreamState::Closing => "closing",
            StreamState::Recovering => "recovering",
        }
    }
}

fn finished(result: Result<Vec<String>, Failure>) -> Finished {
    Finished {
        command: Command::attention(),
        issuer: Issuer::Stream,
        result,
        latency: None,
        is_given: false,
        is_prompted: false,
        extra_finals: 0,
        extra_oks: 0,
    }
}

#[test]
fn every_transition_is_as_the_table_says() {
    let table = "
        | input | off | preparing | dialling | online | guarding | suspecting | escaping | escaping, suspecting | DTR off | proving | proving the end | command | resuming | closing | recovering |
        | a request for a stream | preparing | - | - | - | - | - | - | - | - | - | - | - | - | - | - |
        | the turn of a command | - | dialling | - | - | - | - | - | - | - | - | - | - | - | - | - |
        | OK or CONNECT | - | - | online | - | - | - | - | - | - | command | command | - | online | off | - |
        | a refusal | - | - | off | - | - | - | - | - | - | recovering | recovering | - | recovering | off | - |
        | no answer | - | - | recovering | - | - | - | - | - | - | recovering | recovering | - | recovering | off | - |
        | a deadline | - | off | - | - | escaping | escaping, suspecting | - | proving the end | recovering | - | - | - | - | - | - |
        | the port takes no byte | - | - | - | - | recovering | recovering | guarding | proving the end | recovering | - | - | - | - | - | - |
        | command mode is wanted | - | - | - | guarding | - | - | - | - | - | - | - | - | - | - | - |
        | command mode is not wanted any more | - | - | - | - | online | - | - | - | - | - | - | - | - | - | - |
        | data mode is wanted | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - |
        | data mode is wanted, and its turn | - | dialling | - | - | - | - | - | - | - | - | - | resuming | - | - | - |
        | the socket is closed | - | - | - | guarding | - | - | - | - | - | - | - | - | - | - | - |
        | the socket is closed, and its turn | - | dialling | - | guarding | - | - | - | - | - | - | - | closing | - | - | - |
        | payload | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - |
        | a line that ends a connection | - | - | - | suspecting | - | - | escaping, suspecting | - | - | - | - | - | - | - | - |
        | the answer to an escape | - | - | - | - | - | - | proving | proving | proving | - | - | - | - | - | - |
        | CLOSED in command mode | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - |
        | an unknown line in command mode | - | - | - | - | - | - | - | - | - | recovering | recovering | - | recovering | - | - |
        | damage | - | - | - | - | - | - | - | - | - | recovering | recovering | - | recovering | - | - |
        | a required command is refused | - | off | - | - | - | - | - | - | - | - | - | - | - | - | - |
        | bring-up has shut everything down | - | - | - | - | - | - | - | - | - | - | - | - | - | - | off |
        | everything is lost | - | off | off | off | off | off | off | off | off | off | off | off | off | off | off |";
    let inputs: [Act<Walk>; 22] = [
        ("a request for a stream", Walk::request),
        ("the turn of a command", Walk::command_is_due),
        ("OK or CONNECT", |it| it.finish(Ok(Vec::new()))),
        ("a refusal", |it| it.finish(Err(Failure::Refused(Refusal::Error)))),
        ("no answer", |it| it.finish(Err(Failure::Timeout))),
        ("a deadline", Walk::wait),
        ("the port takes no byte", |it| {
            it.stream.wire.wrote(it.now, b"x");
            it.now += STALLED;
            while it.stream.drive(it.now, &it.facts) == StepOutcome::Again {}
            it.take();
        }),
        ("command mode is wanted", |it| it.want(Mode::Command)),
        ("command mode is not wanted any more", |it| {
            it.stream.waiting.clear();
            it.stream.wanted = Mode::Data;
            it.drive();
        }),
        ("data mode is wanted", |it| it.want(Mode::Data)),
        ("data mode is wanted, and its turn", |it| {
            it.want(Mode::Data);
            it.command_is_due();
        }),
        ("the socket is closed", |it| it.socket_ends(CloseReason::Local)),
        ("the socket is closed, and its turn", |it| {
            it.socket_ends(CloseReason::Local);
            it.command_is_due();
        }),
        ("payload", |it| it.receive(b"data")),
        ("a line that ends a connection", |it| it.receive(b"\r\nCLOSED\r\n")),
        ("the answer to an escape", Walk::escaped),
        ("CLOSED in command mode", |it| {
            it.handle(StreamInput::News(b"CLOSED", &Urc::parse(b"CLOSED")));
        }),
        ("an unknown line in command mode", |it| {
            it.handle(StreamInput::News(b"what is this", &Urc::parse(b"what is this")));
        }),
        ("damage", |it| it.handle(StreamInput::Fault)),
        ("a required command is refused", |it| {
            it.handle(StreamInput::Unable("AT+CIPMODE=1", Refusal::Error));
        }),
        ("bring-up has shut everything down", |it| {
            it.facts.set_up_for = ConnectionMode::Sockets;
            it.facts.has_shut = true;
            it.drive();
        }),
        ("everything is lost", |it| it.handle(StreamInput::Lost(&End::Restarted))),
    ];
    transition_table::check(table, Walk::states, &inputs, Walk::name);
}
