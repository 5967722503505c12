//! The transitions of the session: every state and every input.

use std::time::Duration;

use crate::at::{ChannelId, Command, Quotable};
use crate::proto::Ticket;
use crate::proto::issuer::{Issuer, Job};
use crate::proto::outbox::Outbox;
use crate::proto::transition_table::{self, Act};
use crate::query::{Query, Signal};
use crate::time::Timestamp;

use super::wake::Wake;
use super::{ChannelSet, Phase, Session, State};

const NOW: Timestamp = Timestamp::from_secs(100);

/// A session, the moment, and its outputs.
struct Walk {
    session: Session,
    now: Timestamp,
    out: Outbox,
}

impl Walk {
    fn waking() -> Self {
        let mut walk = Self { session: Session::new(NOW), now: NOW, out: Outbox::default() };
        walk.expire();
        walk
    }

    /// Every state that the table of [`Session`] distinguishes, with the inputs that lead to it.
    fn states() -> Vec<Self> {
        vec![
            Self::waking(),
            Self::waking().and(|it| it.line("OK")),
            Self::idle(),
            Self::idle().and(|it| it.start(Signal.command(), None)),
            Self::idle().and(|it| it.start(Command::dial(&Quotable::host("a.test").unwrap(), 80), None)),
            Self::idle().and(Self::send),
            Self::idle().and(Self::send).and(|it| it.line("ERROR")),
            Self::idle().and(Self::send).and(|it| it.line("ERROR")).and(Self::expire),
            Self::idle().and(Self::send).and(Self::expire),
            Self::idle().and(Self::send).and(Self::prompt),
            Self::idle().and(|it| it.session.go_online()),
        ]
    }

    fn idle() -> Self {
        let mut walk = Self::waking().and(|it| it.line("OK"));
        walk.answer_question();
        walk
    }

    fn and(mut self, act: fn(&mut Self)) -> Self {
        act(&mut self);
        self
    }

    fn start(&mut self, command: Command, payload: Option<Vec<u8>>) {
        let issuer = match payload {
            Some(_) => Issuer::Channel(ChannelId::FIRST, Job::Send),
            None => Issuer::Caller(Ticket(1)),
        };
        self.session.start(self.now, command, issuer, payload, &mut self.out);
    }

    fn send(&mut self) {
        self.start(Command::send(ChannelId::FIRST, 5), Some(b"hello".to_vec()));
    }

    fn line(&mut self, text: &str) {
        self.now += Duration::from_millis(10);
        let _ = self.session.line(self.now, text.as_bytes(), &mut self.out);
    }

    fn prompt(&mut self) {
        let _ = self.session.prompt(self.now, &mut self.out);
    }

    /// The module answers the question that was written last.
    fn answer_question(&mut self) {
        let State::AtBarrier(barrier) = &self.session.state else { return };
        let name = barrier.probe().text().trim_start_matches("AT").trim_end_matches('?').to_owned();
        self.line(&format!("{name}: 1"));
        self.line("OK");
    }

    fn expire(&mut self) {
        let Some((deadline, _)) = self.session.deadline() else { return };
        self.now = self.now.max(deadline);
        let _ = self.session.expire(self.now, None, &mut self.out);
    }

    fn name(&self) -> &'static str {
        if self.session.resync.is_some() {
            return "distrusting";
        }
        match &self.session.state {
            State::Waking(_) => "waking",
            State::AtBarrier(barrier) if barrier.has_open() => "send open",
            State::AtBarrier(_) => "barrier",
            State::Idle => "idle",
            State::Busy(exchange) => match exchange.phase {
                Phase::Answer if exchange.command.enters_data_mode() => "dialling",
                Phase::Answer => "busy",
                Phase::Prompt(_) if exchange.unexpected().is_some() => "no prompt, doubtful",
                Phase::Prompt(_) => "prompt",
                Phase::Blind(_) => "blind",
                Phase::Result(_) => "result",
            },
            State::Online => "online",
        }
    }
}

#[test]
fn every_transition_is_as_the_table_says() {
    let table = "
        | input | waking | barrier | idle | busy | dialling | prompt | no prompt, doubtful | send open | blind | result | online |
        | the turn of a command | - | - | busy | - | - | - | - | - | - | - | - |
        | the begin of data mode | - | - | online | - | - | - | - | - | - | - | - |
        | OK | barrier | - | - | barrier | - | - | - | - | - | - | - |
        | ERROR | barrier | - | - | idle | idle | no prompt, doubtful | - | - | barrier | barrier | - |
        | ERROR after a time-out | barrier | - | - | barrier | waking | no prompt, doubtful | - | - | barrier | barrier | - |
        | CONNECT | - | - | - | - | idle | - | - | - | - | - | - |
        | an answer and OK | barrier | - | - | idle | - | - | - | - | - | - | - |
        | DATA ACCEPT | - | - | - | - | - | - | - | - | idle | idle | - |
        | an unsolicited line | - | - | - | - | - | - | - | - | - | - | - |
        | a prompt | - | - | barrier | - | - | result | result | barrier | result | - | - |
        | the answer to the question | - | idle | - | - | - | - | - | idle | - | - | - |
        | the deadline | - | - | - | barrier | waking | blind | send open | barrier | barrier | barrier | - |
        | the last of many deadlines | - | waking | - | waking | waking | waking | waking | waking | waking | waking | - |
        | the end of the channel | - | - | - | - | - | no prompt, doubtful | - | - | - | - | - |
        | a restart | - | waking | waking | waking | waking | waking | waking | waking | waking | waking | waking |
        | a search | - | waking | waking | waking | waking | waking | waking | waking | waking | waking | waking |
        | the end of data mode | - | - | - | - | - | - | - | - | - | - | idle |
        | damage | - | distrusting | distrusting | distrusting | distrusting | distrusting | distrusting | distrusting | distrusting | distrusting | - |";
    let inputs: [Act<Walk>; 18] = [
        ("the turn of a command", |it| {
            if it.session.is_idle() {
                it.start(Signal.command(), None);
            }
        }),
        ("the begin of data mode", |it| {
            if it.session.is_idle() {
                it.session.go_online();
            }
        }),
        ("OK", |it| it.line("OK")),
        ("ERROR", |it| it.line("ERROR")),
        ("ERROR after a time-out", |it| {
            it.session.late_answers.begin(it.now, &Signal.command());
            it.line("ERROR");
        }),
        ("CONNECT", |it| it.line("CONNECT")),
        ("an answer and OK", |it| {
            it.line("+CSQ: 24,99");
            it.line("OK");
        }),
        ("DATA ACCEPT", |it| it.line("DATA ACCEPT:0,5")),
        ("an unsolicited line", |it| it.line("+CREG: 1")),
        ("a prompt", Walk::prompt),
        ("the answer to the question", Walk::answer_question),
        ("the deadline", Walk::expire),
        ("the last of many deadlines", |it| (0..20).for_each(|_| it.expire())),
        ("the end of the channel", |it| it.session.channel_ended(it.now, ChannelId::FIRST)),
        ("a restart", |it| drop(it.session.restart(Wake::after_boot(it.now), &mut it.out))),
        ("a search", |it| it.session.search(it.now, &mut it.out)),
        ("the end of data mode", |it| it.session.go_offline()),
        ("damage", |it| drop(it.session.distrust(it.now, it.now, ChannelSet::default(), &mut it.out))),
    ];
    transition_table::check(table, Walk::states, &inputs, Walk::name);
}
