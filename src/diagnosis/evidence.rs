//! The evidence of a diagnosis.

use std::collections::VecDeque;
use std::time::Duration;

use crate::at::{ChannelId, Refusal, Urc};
use crate::error::{Error, NotReady};
use crate::proto::{BringUpStep, Event};

#[cfg(feature = "import")]
use super::MAX_LINES;
use super::exchange::{dns_line, end_of};
use super::sample::Sample;
use super::trial::{Secured, Trial, Trust};
use super::{End, Exchange, PortFault, Server};

/// One observation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    Exchange(Exchange),
    /// A connection with TLS.
    Trial(Trial),
    News {
        urc: Urc,
        line: String,
    },
    /// Bytes that are not in any line of a module.
    Noise(String),
}

/// The port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Port {
    /// It was not examined.
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

/// All observations of a module, in order. Add the observations, then call [`diagnose`](Self::diagnose).
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
    /// True if bytes came back that were only an echo.
    pub(super) echo: bool,
    /// Other line rates that were tried; true if the module answered.
    pub(super) rates: Vec<(u32, bool)>,
    pub(super) server: Option<Server>,
    pub(super) ready: bool,
    pub(super) missing: Option<NotReady>,
    /// The line that is being received, as long as it may be an echo.
    line: Vec<u8>,
    /// The last step of bring-up that sockets require.
    step: Option<BringUpStep>,
    /// The TLS settings of the module.
    pub(super) secured: Secured,
    /// The lines of a capture that nothing explains, which were not examined.
    pub(super) unexplained: usize,
}

/// The command that the driver repeats until an answer comes.
const ECHO: &[u8] = b"AT";

/// The most items that are kept. Beyond that the oldest are dropped, because the newest are the relevant ones.
pub const MAX_ITEMS: usize = 10_000;

impl Default for Evidence {
    fn default() -> Self {
        Self::new()
    }
}

impl Evidence {
    /// Evidence without observations.
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
            secured: Secured::default(),
            unexplained: 0,
        }
    }

    /// The port was opened, with this rate if it has one.
    pub fn port_opened(&mut self, path: &str, rate: Option<u32>) {
        self.port = Port::Open { path: path.to_owned(), rate };
    }

    /// The port could not be opened.
    pub fn port_failed(&mut self, fault: PortFault, why: impl Into<String>) {
        self.port = Port::Failed { fault, why: why.into() };
    }

    /// The port was lost.
    pub fn port_lost(&mut self, why: impl Into<String>) {
        self.port = Port::Lost(why.into());
    }

    /// Whether the port was lost, or leads to no module.
    pub(crate) fn port_has_failed(&self) -> bool {
        matches!(self.port, Port::Failed { .. } | Port::Lost(_))
    }

    /// No answer to `AT` came in this time.
    pub fn silent(&mut self, took: Duration) {
        self.exchange(Exchange {
            command: "AT".into(),
            lines: Vec::new(),
            end: End::Silence,
            took: Some(took),
        });
    }

    /// Another rate than the port's first one was tried; `answered` is true if the module answered.
    pub fn rate_tried(&mut self, rate: u32, answered: bool) {
        self.rates.push((rate, answered));
    }

    /// Bytes came that answer no command.
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

    /// A command and its answer. A connection that is started after commands that switched TLS on is one with TLS.
    pub fn exchange(&mut self, exchange: Exchange) {
        match self.secured.trust(&exchange.command) {
            Some(trust) => self.secure(trust, &exchange),
            None => self.plain(exchange),
        }
    }

    /// A command that opens no connection with TLS.
    pub(super) fn plain(&mut self, exchange: Exchange) {
        self.secured.note(&exchange);
        self.push(Item::Exchange(exchange));
    }

    /// A connection with TLS.
    pub(super) fn secure(&mut self, trust: Trust, exchange: &Exchange) {
        self.push(Item::Trial(Trial::of(trust, exchange)));
    }

    /// The result of [`Connector::connect`](crate::Connector::connect), on this channel if it is known.
    pub fn connection(
        &mut self,
        server: &Server,
        channel: Option<ChannelId>,
        result: Result<(), Error>,
        took: Duration,
    ) {
        let attempt = self.attempt(server, channel, result, took);
        self.plain(attempt);
    }

    /// The exchange of a connection by the driver.
    pub(super) fn attempt(
        &self,
        server: &Server,
        channel: Option<ChannelId>,
        result: Result<(), Error>,
        took: Duration,
    ) -> Exchange {
        let failed = || {
            self.items.iter().rev().find_map(|item| match item {
                Item::News { urc: Urc::ConnectFail(channel), .. } => *channel,
                Item::News { .. } | Item::Exchange(_) | Item::Trial(_) | Item::Noise(_) => None,
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
        Exchange { command, lines: Vec::new(), end, took: Some(took) }
    }

    /// An unsolicited line.
    pub fn line(&mut self, line: &str) {
        self.news(Urc::parse(line.as_bytes()), line.to_owned());
    }

    /// The server of the wanted connection.
    pub fn server(&mut self, server: Server) {
        self.server = Some(server);
    }

    /// The module is ready for sockets.
    pub fn ready(&mut self) {
        self.ready = true;
        self.missing = None;
    }

    /// The module is not ready for sockets, with the driver's reason.
    pub fn not_ready(&mut self, reason: NotReady) {
        self.ready = false;
        self.missing = Some(reason);
    }

    /// An event of the driver for a module in use.
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

    /// A line of an answer that comes after its final result code.
    #[cfg(feature = "import")]
    pub(super) fn late(&mut self, command: &str, line: &str) {
        let same = self.items.iter_mut().rev().find_map(|item| match item {
            Item::Exchange(exchange) if exchange.command == command => Some(exchange),
            Item::Exchange(_) | Item::Trial(_) | Item::News { .. } | Item::Noise(_) => None,
        });
        match same {
            Some(exchange) if exchange.lines.len() < MAX_LINES => exchange.lines.push(line.to_owned()),
            Some(_) => {}
            None => self.line(line),
        }
    }

    fn news(&mut self, urc: Urc, line: String) {
        if urc.is_restart() {
            self.secured.forget();
        }
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

    /// The newest item that has such a value, by its position.
    pub(super) fn newest<'a, T>(&'a self, read: impl Fn(&'a Item) -> Option<T>) -> Option<(usize, T)> {
        self.items.iter().enumerate().rev().find_map(|(index, item)| Some((index, read(item)?)))
    }

    /// The items after a position.
    pub(super) fn after(&self, index: usize) -> impl Iterator<Item = &Item> {
        self.items.iter().skip(index.saturating_add(1))
    }

    /// The exchanges, the newest first.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.items.iter().rev().filter_map(|item| match item {
            Item::Exchange(exchange) => Some(exchange),
            Item::Trial(_) | Item::News { .. } | Item::Noise(_) => None,
        })
    }

    /// Connections with TLS, the oldest first.
    pub(super) fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.items.iter().filter_map(|item| match item {
            Item::Trial(trial) => Some(trial),
            Item::Exchange(_) | Item::News { .. } | Item::Noise(_) => None,
        })
    }

    /// The newest answer to a command.
    pub(super) fn answer_to(&self, command: &str) -> Option<&Exchange> {
        self.exchanges().find(|exchange| exchange.is(command) && exchange.is_answered())
    }

    /// True if the module has answered any command.
    pub(super) fn is_answered(&self) -> bool {
        self.ready || self.exchanges().any(Exchange::is_answered)
    }
}

/// The command of a step that sockets require.
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

/// The line of a URC, if it is known exactly; otherwise its meaning.
fn line_of(urc: &Urc) -> String {
    match urc {
        Urc::PdpDeactivated => "+PDP: DEACT".into(),
        Urc::Ready => "RDY".into(),
        Urc::ResolveFailed(code) => dns_line(*code),
        Urc::Unknown(line) | Urc::Note(line) | Urc::Started(line) => line.clone(),
        other => other.to_string(),
    }
}

/// True if an unknown line contains control bytes or bytes that are not UTF-8.
fn is_noise(line: &str) -> bool {
    line.chars().any(|c| c == char::REPLACEMENT_CHARACTER || (c.is_control() && c != '\t'))
}
