//! Evidence from a recorded session.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::{ChannelId, Urc, fields};
use crate::capture::{self, Capture, Coverage, Entry, TimelineEntry, TimelineEntryKind, UnexplainedReason};
use crate::time::Timestamp;

use super::evidence::{Evidence, Item, Port};
use super::exchange::{ends_bearer, is_restart};
use super::sample::is_odd;
use super::trial::Trust;
use super::{End, Exchange};

/// The most commands that wait for an answer. Beyond that the oldest counts as unanswered.
const MAX_OPEN: usize = 32;
/// The time after which a command without an answer counts as unanswered at the end of a capture (the vendor's default
/// time-out; protocol section 15). With less time the result is unknown.
const TIMEOUT: Duration = Duration::from_secs(9);
/// The same for a connection, which may take 75 s. It is more than the time of a server's answer (see
/// `ANSWERED_WITHIN`).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

impl Evidence {
    /// The evidence of a capture, in any layout that [`capture`] reads. The newest answer of each kind counts, so a
    /// capture that ends well has no faults.
    pub fn of_capture(capture: &Capture) -> Self {
        let timeline = capture::replay(capture);
        let coverage = Coverage::of(capture, &timeline);
        let mut reader = Reader::new(timeline.entries.iter().any(|one| one.at > Timestamp::ZERO));
        for located in &capture.records {
            if let Entry::FromModem(bytes) = &located.record.what {
                reader.evidence.received(bytes);
            }
        }
        // If the capture shows no commands, their echoes are used.
        let shows_commands =
            timeline.entries.iter().any(|one| matches!(one.what, TimelineEntryKind::Command(_)));
        for entry in &timeline.entries {
            reader.take(entry, shows_commands);
        }
        let mut evidence = reader.finish();
        evidence.unexplained = coverage.unexplained;
        evidence
    }
}

struct Reader {
    evidence: Evidence,
    open: VecDeque<Open>,
    /// Connections whose result comes as an unsolicited line.
    connecting: Vec<Open>,
    /// The newest line of an answer to a command that the capture does not show.
    unasked: Option<String>,
    /// True if the capture has times.
    is_timed: bool,
    now: Timestamp,
}

/// A command that is not answered yet.
struct Open {
    command: String,
    lines: Vec<String>,
    at: Timestamp,
    /// The checks of a connection with TLS; `None` for other commands.
    secure: Option<Trust>,
}

impl Open {
    fn channel(&self) -> Option<ChannelId> {
        let (_, list) = self.command.split_once('=')?;
        ChannelId::new(fields(list.as_bytes()).first()?.number()?)
    }

    fn end(self, end: End, took: Option<Duration>) -> Exchange {
        Exchange { command: self.command, lines: self.lines, end, took }
    }
}

impl Reader {
    fn new(is_timed: bool) -> Self {
        Self {
            evidence: Evidence::new(),
            open: VecDeque::new(),
            connecting: Vec::new(),
            unasked: None,
            is_timed,
            now: Timestamp::ZERO,
        }
    }

    fn take(&mut self, entry: &TimelineEntry, shows_commands: bool) {
        self.now = entry.at;
        // What the module says later shows that the port is back.
        if matches!(self.evidence.port, Port::Lost(_)) && is_of_modem(&entry.what) {
            self.evidence.port = Port::Unknown;
        }
        match &entry.what {
            TimelineEntryKind::Command(text) => self.command(text),
            TimelineEntryKind::Echo(text) => {
                self.evidence.echo = true;
                if !shows_commands {
                    self.command(text);
                }
            }
            TimelineEntryKind::Reply { command: Some(command), line } => self.reply(command, line),
            TimelineEntryKind::Final { command: Some(command), line } => self.answered(command, line),
            TimelineEntryKind::Reply { command: None, line } => {
                self.unasked = Some(line.clone());
                self.evidence.line(line);
            }
            TimelineEntryKind::Final { command: None, line } => self.stray(line),
            TimelineEntryKind::Urc { urc, line } => self.news(urc, line),
            TimelineEntryKind::Unexplained {
                bytes,
                why: UnexplainedReason::UnknownLine | UnexplainedReason::Fault(_),
            } => self.unexplained(bytes),
            TimelineEntryKind::Gap => self.open.clear(),
            TimelineEntryKind::Note(words) => self.port(words),
            // A connection that delivers data is open, independent of its state by the module.
            TimelineEntryKind::Payload { kind, bytes } if kind.channel().is_some() && !bytes.is_empty() => {
                self.connected(kind.channel(), End::Other("data came from it".into()));
            }
            TimelineEntryKind::Sent(_)
            | TimelineEntryKind::DataEcho(_)
            | TimelineEntryKind::Prompt
            | TimelineEntryKind::Payload { .. }
            | TimelineEntryKind::Request(_)
            | TimelineEntryKind::Unexplained { .. } => {}
        }
    }

    /// The note of a recording about the port: lost, unless the program closed it, or back.
    fn port(&mut self, words: &str) {
        match words.strip_prefix("the port is lost: ") {
            Some(why) if !why.contains("closed by the application") => self.evidence.port_lost(why),
            None if words == "the port is back" => self.evidence.port = Port::Unknown,
            _ => {}
        }
    }

    fn command(&mut self, text: &str) {
        self.unasked = None;
        if let Some(list) = text.to_ascii_uppercase().strip_prefix("AT+CIPCLOSE=") {
            let channel = fields(list.as_bytes()).first().and_then(|field| ChannelId::new(field.number()?));
            // A close before the connection is open means that the program gave up.
            self.connected(channel, End::Silence);
        }
        // What was under way before ends by intention.
        if is_restart(text) {
            self.restarted();
        }
        if self.open.len() == MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            self.ended(oldest, End::Silence, None);
        }
        // What the module has said to an earlier command counts, although the log shows no end of it.
        for open in std::mem::take(&mut self.open) {
            match open.lines.is_empty() {
                true => self.open.push_back(open),
                false => self.ended(open, End::NotShown, None),
            }
        }
        let secure = self.evidence.secured.trust(text);
        self.open.push_back(Open { command: text.to_owned(), lines: Vec::new(), at: self.now, secure });
    }

    fn ended(&mut self, open: Open, end: End, took: Option<Duration>) {
        let secure = open.secure;
        let exchange = open.end(end, took);
        match secure {
            Some(trust) => self.evidence.secure(trust, &exchange),
            None => self.evidence.plain(exchange),
        }
    }

    fn position(&self, command: &str) -> Option<usize> {
        self.open.iter().rposition(|open| open.command == command)
    }

    fn reply(&mut self, command: &str, line: &str) {
        match self.position(command).and_then(|index| self.open.get_mut(index)) {
            Some(open) => open.lines.push(line.to_owned()),
            // A state after the start means that the connection has failed.
            None if line.starts_with("STATE:")
                && self.connecting.iter().any(|open| open.command == command) =>
            {
                let index = self.connecting.iter().position(|open| open.command == command);
                if let Some(open) = index.map(|index| self.connecting.remove(index)) {
                    let took = self.since(open.at);
                    self.ended(open, End::Final(line.to_owned()), took);
                }
            }
            // Lines after the final result code: the state of the IP application, addresses of a name.
            None => self.evidence.late(command, line),
        }
    }

    fn answered(&mut self, command: &str, line: &str) {
        let Some(mut open) = self.position(command).and_then(|index| self.open.remove(index)) else {
            // `CONNECT` of transparent mode comes after its `OK`.
            return match self.connecting.iter().any(|open| open.command == command) {
                true => self.connected(None, End::Final(line.to_owned())),
                false => self.stray(line),
            };
        };
        if is_start(&open) && line == "OK" {
            open.lines.push(line.to_owned());
            self.connecting.push(open);
            return;
        }
        let took = self.since(open.at);
        self.ended(open, End::Final(line.to_owned()), took);
    }

    /// An answer to a command that the capture does not show. A line with a name shows which question it was.
    fn stray(&mut self, line: &str) {
        let unasked = self.unasked.take();
        let question = unasked.as_deref().and_then(question_of);
        let lines = unasked.filter(|_| question.is_some()).into_iter().collect();
        let command = question.unwrap_or_else(|| "(not shown)".into());
        let open = Open { command, lines, at: self.now, secure: None };
        self.ended(open, End::Final(line.to_owned()), None);
    }

    fn news(&mut self, urc: &Urc, line: &str) {
        if urc.is_restart() {
            self.restarted();
        }
        match urc {
            Urc::ConnectOk(channel) | Urc::ConnectFail(channel) | Urc::AlreadyConnect(channel) => {
                self.connected(*channel, End::Final(line.to_owned()));
            }
            Urc::Closed(Some(channel)) => self.unsent(*channel, line),
            _ => {}
        }
        // The module ends the bearer as commanded, and its answer comes later.
        let is_commanded = self.open.iter().any(|open| ends_bearer(&open.command));
        if !(is_commanded && *urc == Urc::PdpDeactivated) {
            self.evidence.line(line);
        }
    }

    /// A restart ends the connections: their results will not come. What the module has answered before it counts.
    fn restarted(&mut self) {
        for open in std::mem::take(&mut self.connecting) {
            self.given_up(open);
        }
    }

    /// Nothing shows the result of a connection. After a long time, that is the server's silence.
    fn given_up(&mut self, open: Open) {
        let took = self.since(open.at);
        let is_late = took.is_some_and(|took| took >= CONNECT_TIMEOUT);
        self.ended(open, if is_late { End::Silence } else { End::NotShown }, took);
    }

    /// A close instead of the prompt ends a send: no other answer will come.
    fn unsent(&mut self, channel: ChannelId, line: &str) {
        let is_send = |open: &Open| open.command.to_ascii_uppercase().starts_with("AT+CIPSEND=");
        let index = self.open.iter().rposition(|open| is_send(open) && open.channel() == Some(channel));
        if let Some(open) = index.and_then(|index| self.open.remove(index)) {
            let took = self.since(open.at);
            self.ended(open, End::Final(line.to_owned()), took);
        }
    }

    fn connected(&mut self, channel: Option<ChannelId>, end: End) {
        let index = self.connecting.iter().position(|open| open.channel() == channel);
        if let Some(open) =
            index.map(|index| self.connecting.remove(index)).or_else(|| self.unconfirmed(channel))
        {
            let took = self.since(open.at);
            self.ended(open, end, took);
        }
    }

    /// The start of a connection whose `OK` was lost.
    fn unconfirmed(&mut self, channel: Option<ChannelId>) -> Option<Open> {
        let index = self.open.iter().rposition(|open| is_start(open) && open.channel() == channel)?;
        self.open.remove(index)
    }

    fn unexplained(&mut self, bytes: &[u8]) {
        if bytes.iter().any(|byte| is_odd(*byte)) {
            self.evidence.push(Item::Noise(String::from_utf8_lossy(bytes).into_owned()));
        }
    }

    fn since(&self, at: Timestamp) -> Option<Duration> {
        self.is_timed.then(|| self.now - at)
    }

    /// Commands that were skipped, or waited until their time-out, have no answer.
    fn finish(mut self) -> Evidence {
        // Commands without a time, and without one byte from a module, may be a script.
        let is_session = self.is_timed || self.evidence.sample.received() > 0;
        let nothing_answered = is_session && !self.evidence.is_answered() && self.connecting.is_empty();
        let last = self.open.back().map(|open| open.at);
        while let Some(open) = self.open.pop_front() {
            let took = self.since(open.at);
            let waited = took.is_some_and(|took| took >= TIMEOUT) || Some(open.at) < last;
            if waited || nothing_answered {
                self.ended(open, End::Silence, took);
            } else if !open.lines.is_empty() {
                self.ended(open, End::NotShown, None);
            }
        }
        for open in std::mem::take(&mut self.connecting) {
            self.given_up(open);
        }
        self.evidence
    }
}

/// True for what a module has said.
fn is_of_modem(what: &TimelineEntryKind) -> bool {
    matches!(
        what,
        TimelineEntryKind::Reply { .. }
            | TimelineEntryKind::Final { .. }
            | TimelineEntryKind::Urc { .. }
            | TimelineEntryKind::Prompt
            | TimelineEntryKind::Payload { .. }
    )
}

/// The question that a line with a name answers: `AT+CREG?`.
fn question_of(line: &str) -> Option<String> {
    let (name, _) = line.split_once(':').filter(|(name, _)| name.starts_with('+'))?;
    Some(format!("AT{name}?"))
}

fn is_start(open: &Open) -> bool {
    open.command.to_ascii_uppercase().starts_with("AT+CIPSTART=")
}
