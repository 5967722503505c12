//! What is known, before anybody judges it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::{ChannelId, CmeError, DnsError, Final, Line, Refusal, Urc};
use crate::error::{Error, NotReady};
use crate::proto::{BringUpStep, Event};

use super::finding::Proof;
use super::report::Diagnosis;
use super::sample::Sample;
use super::{MAX_LINES, PortFault, Server, rules};

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// With this line: `OK`, `+CME ERROR: 10`, `0, CONNECT FAIL`.
    Final(String),
    /// Nothing came.
    Silence,
    /// It was not sent: all channels of the module are in use.
    NoFreeChannel,
    /// It was not sent, or nobody can say; the reason in words.
    Other(String),
}

/// A command and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// The command, without line end.
    pub command: String,
    /// The lines of the answer but the last.
    pub lines: Vec<String>,
    /// How it ended.
    pub end: End,
    /// How long that took, if known.
    pub took: Option<Duration>,
}

/// Something that was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    Exchange(Exchange),
    News {
        urc: Urc,
        line: String,
    },
    /// Bytes that no line of a module has.
    Noise(String),
}

/// The port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Port {
    /// Nobody has looked.
    Unknown,
    Open {
        path: String,
        rate: Option<u32>,
    },
    Failed {
        fault: PortFault,
        why: String,
    },
    Lost(String),
}

/// Everything that was seen of a module, in order. Give it what you saw, then [`diagnose`](Self::diagnose).
///
/// ```
/// use air724ug::diagnosis::{Code, End, Evidence, Exchange};
///
/// let mut evidence = Evidence::new();
/// evidence.exchange(Exchange {
///     command: "AT+CGATT?".into(),
///     lines: vec!["+CGATT: 0".into()],
///     end: End::Final("OK".into()),
///     took: None,
/// });
/// assert_eq!(evidence.diagnose().root_cause().unwrap().code, Code::NotAttached);
/// ```
#[derive(Clone, Debug)]
pub struct Evidence {
    pub(super) port: Port,
    pub(super) items: VecDeque<Item>,
    pub(super) sample: Sample,
    /// Whether something came back that was only what had been sent.
    pub(super) echo: bool,
    /// Other line rates that were tried, and whether the module answered.
    pub(super) rates: Vec<(u32, bool)>,
    pub(super) server: Option<Server>,
    pub(super) ready: bool,
    pub(super) missing: Option<NotReady>,
    /// The line that is being received, as far as it may be an echo.
    line: Vec<u8>,
    /// The last step of bring-up without which there are no sockets.
    step: Option<BringUpStep>,
}

/// What the driver sends until something answers.
const ECHO: &[u8] = b"AT";

/// The most that is remembered; the oldest goes first, because what is newest counts.
pub const MAX_ITEMS: usize = 10_000;

impl Default for Evidence {
    fn default() -> Self {
        Self::new()
    }
}

impl Evidence {
    /// Nothing is known.
    pub fn new() -> Self {
        Self {
            port: Port::Unknown,
            items: VecDeque::new(),
            sample: Sample::default(),
            echo: false,
            rates: Vec::new(),
            server: None,
            ready: false,
            missing: None,
            line: Vec::new(),
            step: None,
        }
    }

    /// Judges it.
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis::new(rules::apply(self))
    }

    /// The port was opened, at this rate if it has one.
    pub fn port_opened(&mut self, path: &str, rate: Option<u32>) {
        self.port = Port::Open { path: path.to_owned(), rate };
    }

    /// The port could not be opened.
    pub fn port_failed(&mut self, fault: PortFault, why: impl Into<String>) {
        self.port = Port::Failed { fault, why: why.into() };
    }

    /// The port went away.
    pub fn port_lost(&mut self, why: impl Into<String>) {
        self.port = Port::Lost(why.into());
    }

    /// Nothing answered `AT` for so long.
    pub fn silent(&mut self, took: Duration) {
        self.exchange(Exchange {
            command: "AT".into(),
            lines: Vec::new(),
            end: End::Silence,
            took: Some(took),
        });
    }

    /// The module answered, or not, at another rate than the port was opened with at first.
    pub fn rate_tried(&mut self, rate: u32, answered: bool) {
        self.rates.push((rate, answered));
    }

    /// Bytes came from the module while it answered nothing.
    pub fn received(&mut self, bytes: &[u8]) {
        self.sample.add(bytes);
        for byte in bytes {
            if matches!(byte, b'\r' | b'\n') {
                self.echo |= self.line == ECHO;
                self.line.clear();
            } else if self.line.len() <= ECHO.len() {
                self.line.push(*byte);
            }
        }
    }

    /// A command and its answer.
    pub fn exchange(&mut self, exchange: Exchange) {
        self.push(Item::Exchange(exchange));
    }

    /// What [`Connector::connect`](crate::Connector::connect) gave, on this channel if it is known.
    pub fn connection(
        &mut self,
        server: &Server,
        channel: Option<ChannelId>,
        result: Result<(), Error>,
        took: Duration,
    ) {
        let failed = || {
            self.items.iter().rev().find_map(|item| match item {
                Item::News { urc: Urc::ConnectFail(channel), .. } => *channel,
                Item::News { .. } | Item::Exchange(_) | Item::Noise(_) => None,
            })
        };
        let failed = if result.is_err() { failed() } else { None };
        let channel = channel.or(failed).map(|channel| channel.to_string());
        let said =
            |news: &str| channel.as_ref().map_or(news.to_owned(), |channel| format!("{channel}, {news}"));
        let end = match result {
            Ok(()) => End::Final(said("CONNECT OK")),
            Err(Error::ConnectFailed(Refusal::ConnectFail)) => End::Final(said("CONNECT FAIL")),
            Err(error) => end_of(error),
        };
        let channel = channel.as_deref().unwrap_or("n");
        let command = format!("AT+CIPSTART={channel},\"TCP\",\"{}\",{}", server.host, server.port);
        self.exchange(Exchange { command, lines: Vec::new(), end, took: Some(took) });
    }

    /// A line that came unasked.
    pub fn line(&mut self, line: &str) {
        self.news(Urc::parse(line.as_bytes()), line.to_owned());
    }

    /// The server that a connection is wanted to.
    pub fn server(&mut self, server: Server) {
        self.server = Some(server);
    }

    /// Sockets can be opened.
    pub fn ready(&mut self) {
        self.ready = true;
        self.missing = None;
    }

    /// Sockets can't be opened, for the reason that the driver gives.
    pub fn not_ready(&mut self, reason: NotReady) {
        self.ready = false;
        self.missing = Some(reason);
    }

    /// What the driver reports of a module that is in use.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Urc(urc) => self.news(urc.clone(), line_of(urc)),
            Event::Step(step) if command_of(*step).is_some() => self.step = Some(*step),
            Event::NotReady(NotReady::BearerRefused(refusal)) => {
                let command = self.step.and_then(command_of).unwrap_or("AT+CIICR");
                self.exchange(Exchange::refused(command, *refusal));
            }
            Event::Ready(_) => self.ready(),
            Event::Fault(fault) => self.push(Item::Noise(fault.to_string())),
            Event::PortLost => self.port_lost("the port went away"),
            _ => {}
        }
    }

    /// A line that belongs to an answer behind its final.
    pub(super) fn late(&mut self, command: &str, line: &str) {
        let same = self.items.iter_mut().rev().find_map(|item| match item {
            Item::Exchange(exchange) if exchange.command == command => Some(exchange),
            Item::Exchange(_) | Item::News { .. } | Item::Noise(_) => None,
        });
        match same {
            Some(exchange) if exchange.lines.len() < MAX_LINES => exchange.lines.push(line.to_owned()),
            Some(_) => {}
            None => self.line(line),
        }
    }

    fn news(&mut self, urc: Urc, line: String) {
        self.push(match urc {
            Urc::Unknown(_) if is_noise(&line) => Item::Noise(line),
            urc => Item::News { urc, line },
        });
    }

    pub(super) fn push(&mut self, item: Item) {
        if self.items.len() == MAX_ITEMS {
            self.items.pop_front();
        }
        self.items.push_back(item);
    }

    /// The newest exchanges first.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.items.iter().rev().filter_map(|item| match item {
            Item::Exchange(exchange) => Some(exchange),
            Item::News { .. } | Item::Noise(_) => None,
        })
    }

    /// The newest answer to a command.
    pub(super) fn answer_to(&self, command: &str) -> Option<&Exchange> {
        self.exchanges().find(|exchange| exchange.is(command) && exchange.is_answered())
    }

    /// Whether the module has answered anything.
    pub(super) fn is_answered(&self) -> bool {
        self.ready || self.exchanges().any(Exchange::is_answered)
    }
}

impl Exchange {
    /// From what [`Modem::command`](crate::Modem::command) gave.
    pub fn of(command: &str, result: Result<Vec<String>, Error>, took: Duration) -> Self {
        let (lines, end) = match result {
            Ok(lines) => (lines, End::Final("OK".into())),
            Err(error) => (Vec::new(), end_of(error)),
        };
        Self { command: command.to_owned(), lines, end, took: Some(took) }
    }

    /// From what [`Modem::resolve`](crate::Modem::resolve) gave.
    pub fn resolved(host: &str, result: Result<Vec<std::net::Ipv4Addr>, Error>, took: Duration) -> Self {
        let (lines, end) = match result {
            Ok(addresses) => {
                let addresses: String = addresses.iter().map(|address| format!(",\"{address}\"")).collect();
                (vec!["OK".into()], End::Final(format!("+CDNSGIP: 1,\"{host}\"{addresses}")))
            }
            Err(Error::ResolveFailed(code)) => (vec!["OK".into()], End::Final(dns_line(code))),
            Err(error) => (Vec::new(), end_of(error)),
        };
        Self { command: format!("AT+CDNSGIP=\"{host}\""), lines, end, took: Some(took) }
    }

    fn refused(command: &str, refusal: Refusal) -> Self {
        Self {
            command: command.to_owned(),
            lines: Vec::new(),
            end: End::Final(final_of(refusal)),
            took: None,
        }
    }

    /// Whether it is this command, however it is spelled.
    pub(super) fn is(&self, command: &str) -> bool {
        self.command.trim().eq_ignore_ascii_case(command)
    }

    /// Whether it is a command of this name: `AT+CIPSTART`.
    pub(super) fn begins(&self, name: &str) -> bool {
        let text = self.command.trim().as_bytes();
        text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    }

    pub(super) fn is_answered(&self) -> bool {
        matches!(self.end, End::Final(_)) || !self.lines.is_empty()
    }

    /// The fields of its line with this key.
    pub(super) fn info(&self, key: &str) -> Option<Vec<crate::at::Field<'_>>> {
        self.lines.iter().find_map(|line| Line::parse(line.as_bytes()).info(key))
    }

    /// Every line, the last included.
    pub(super) fn all_lines(&self) -> impl Iterator<Item = &String> {
        let end = match &self.end {
            End::Final(line) => Some(line),
            End::Silence | End::NoFreeChannel | End::Other(_) => None,
        };
        self.lines.iter().chain(end)
    }

    /// The number behind `+CME ERROR:`.
    pub(super) fn cme(&self) -> Option<CmeError> {
        match &self.end {
            End::Final(line) => match Line::parse(line.as_bytes()) {
                Line::Final(Final::Cme(code)) => Some(code),
                _ => None,
            },
            End::Silence | End::NoFreeChannel | End::Other(_) => None,
        }
    }

    /// Whether the module said no.
    pub(super) fn is_refused(&self) -> bool {
        match &self.end {
            End::Final(line) => matches!(
                Line::parse(line.as_bytes()),
                Line::Final(Final::Error | Final::Cme(_) | Final::Cms(_) | Final::NoCarrier)
            ),
            End::Silence | End::NoFreeChannel | End::Other(_) => false,
        }
    }

    pub(super) fn proof(&self) -> Proof {
        let end = match &self.end {
            End::Final(line) => line.clone(),
            End::Silence => "(no answer)".into(),
            End::NoFreeChannel => "(not sent: all channels are in use)".into(),
            End::Other(words) => format!("({words})"),
        };
        let slow = self.took.filter(|took| *took >= Duration::from_secs(1));
        let end = slow.map_or(end.clone(), |took| format!("{end} (after {:.1} s)", took.as_secs_f64()));
        Proof::answer(&self.command, self.lines.iter().cloned().chain([end]))
    }
}

fn end_of(error: Error) -> End {
    match error {
        Error::Timeout { .. } => End::Silence,
        Error::NoFreeChannel => End::NoFreeChannel,
        Error::Refused { code, .. } | Error::ConnectFailed(code) => End::Final(final_of(code)),
        other => End::Other(other.to_string()),
    }
}

/// The line behind a refusal.
fn final_of(refusal: Refusal) -> String {
    match refusal {
        Refusal::Cme(code) => format!("+CME ERROR: {}", code.code()),
        Refusal::Cms(code) => format!("+CMS ERROR: {}", code.code()),
        other => other.to_string(),
    }
}

fn dns_line(code: DnsError) -> String {
    format!("+CDNSGIP: 0,{}", code.code())
}

/// The command of a step without which there are no sockets.
fn command_of(step: BringUpStep) -> Option<&'static str> {
    match step {
        BringUpStep::Multiple => Some("AT+CIPMUX=1"),
        BringUpStep::Receive => Some("AT+CIPRXGET"),
        BringUpStep::Bearer => Some("AT+CSTT"),
        BringUpStep::Activate => Some("AT+CIICR"),
        BringUpStep::Address => Some("AT+CIFSR"),
        _ => None,
    }
}

/// The line that a URC was read from, where that is known for certain; else its meaning.
fn line_of(urc: &Urc) -> String {
    match urc {
        Urc::PdpDeactivated => "+PDP: DEACT".into(),
        Urc::Ready => "RDY".into(),
        Urc::ResolveFailed(code) => dns_line(*code),
        Urc::Unknown(line) | Urc::Note(line) | Urc::Started(line) => line.clone(),
        other => format!("{other:?}"),
    }
}

/// Whether a line that nobody knows holds what no line of a module does.
fn is_noise(line: &str) -> bool {
    line.chars().any(|c| c == char::REPLACEMENT_CHARACTER || (c.is_control() && c != '\t'))
}
