//! The surroundings of a capture: the state at its beginning, and events during it.

use std::time::Duration;

use air724ug::capture::Capture;
use air724ug::sim::{Control, MemoryNetwork, Peer, Profile, Settings, Simulator, VirtualHost};
use air724ug::time::Timestamp;

use super::exchange::{Exchange, exchanges, lines};

/// The time for an answer in a capture without times.
const UNTIMED: Duration = Duration::from_millis(300);
/// Tools record several lines together, so a line may have come earlier than its time by this much.
const BUNDLE: Duration = Duration::from_millis(250);

/// An action or event that a capture does not show as a command, or does not show at all.
#[derive(Clone, Debug)]
pub enum Act {
    /// The host types this line. The answer is not compared.
    Types(String),
    /// The host writes these bytes. The answer is not compared.
    Writes(Vec<u8>),
    /// The host types this line, which the capture does not show. Its echo and its answer are compared.
    Asks(String),
    /// The host writes these bytes, which the capture does not show. The answer is compared.
    Puts(Vec<u8>),
    /// The host types this line in place of the shortened command in the capture.
    Instead(String),
    /// An event occurs.
    World(Control),
    /// An event occurs, and the module's output is not compared.
    Beforehand(Control),
    /// The module prints this unsolicited line.
    Prints(String),
    /// The peer of this channel sends these bytes.
    Peer(usize, Vec<u8>),
    /// The peer of this channel closes.
    PeerCloses(usize),
    /// Time passes, and the output is compared.
    Wait(Duration),
    /// Time passes, and the output is not compared.
    Passes(Duration),
    /// The publisher left out this line of the answer.
    LeftOut(String),
}

/// A capture, the modem that plays it, and its surroundings.
pub struct Scenario {
    /// The first characters of the file's name.
    pub file: &'static str,
    settings: Settings,
    network: MemoryNetwork,
    timed: bool,
    cuts: Vec<usize>,
    skipped: Vec<usize>,
    pace: Duration,
    opening: Vec<Act>,
    before: Vec<(usize, Act)>,
    after: Vec<(usize, Act)>,
}

impl Scenario {
    /// A scenario for this file and dialect, with echo if the layout shows it.
    pub fn new(file: &'static str, profile: Profile, echo: bool) -> Self {
        // The publishers replaced all digits of these numbers by zeros, the check digit included.
        let masked = [("860000000000000"), ("89860000000000000000")].map(str::to_owned);
        let [imei, iccid] = masked;
        let settings = Settings::default().profile(profile).echo(echo).imei(imei).iccid(iccid);
        Self {
            file,
            settings,
            network: MemoryNetwork::new(),
            timed: false,
            cuts: Vec::new(),
            skipped: Vec::new(),
            pace: UNTIMED,
            opening: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Keeps the times of the capture, which are those of the wire.
    pub fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// Changes the settings of the modem.
    pub fn set(mut self, change: impl FnOnce(Settings) -> Settings) -> Self {
        self.settings = change(self.settings);
        self
    }

    /// Adds a peer to the network.
    pub fn peer(mut self, host: &str, port: u16, peer: Peer) -> Self {
        self.network.serve(host, port, peer);
        self
    }

    /// Adds a peer that reads and sends nothing.
    pub fn listener(self, host: &str, port: u16) -> Self {
        self.peer(host, port, Peer::discard())
    }

    /// Begins a separate exchange at this line.
    pub fn cut(mut self, line: usize) -> Self {
        self.cuts.push(line);
        self
    }

    /// Ignores the exchange that begins at this line, for this reason.
    pub fn no_exchange(mut self, line: usize, _because: &'static str) -> Self {
        self.skipped.push(line);
        self.cuts.push(line);
        self
    }

    /// Adds an action before the capture begins.
    pub fn opening(mut self, act: Act) -> Self {
        self.opening.push(act);
        self
    }

    /// Adds commands before the capture begins, each with time for its answer.
    pub fn prepared(mut self, commands: &[&str]) -> Self {
        for command in commands {
            self.opening.push(Act::Types((*command).to_owned()));
            self.opening.push(Act::Passes(UNTIMED));
        }
        self
    }

    /// Adds commands before the exchange at this line, each with time for its answer.
    pub fn prepared_before(mut self, line: usize, commands: &[&str]) -> Self {
        for command in commands {
            self.before.push((line, Act::Types((*command).to_owned())));
            self.before.push((line, Act::Passes(UNTIMED)));
        }
        self
    }

    /// Sets the time of each exchange in a capture without times.
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Gives a host an address.
    pub fn named(mut self, host: &str, address: [u8; 4]) -> Self {
        self.network.name(host, address);
        self
    }

    /// Adds an action before the exchange at this line.
    pub fn before(mut self, line: usize, act: Act) -> Self {
        self.before.push((line, act));
        self
    }

    /// Adds an action after the command at this line was written.
    pub fn after(mut self, line: usize, act: Act) -> Self {
        self.after.push((line, act));
        self
    }

    /// The dialect that plays the capture.
    pub fn profile(&self) -> &'static str {
        self.settings.profile.name
    }

    /// The number of lines that the scenario makes the module print.
    pub fn prompted(&self) -> usize {
        let acts = self.before.iter().chain(&self.after);
        acts.filter(|(_, act)| matches!(act, Act::Prints(_) | Act::Beforehand(Control::Fault(_)))).count()
    }

    /// Plays the capture. Returns each exchange with the output of the simulator.
    pub fn play(self, capture: &Capture) -> Vec<(Exchange, Vec<u8>)> {
        let mut exchanges = exchanges(capture, &self.cuts);
        exchanges.retain(|exchange| !self.skipped.contains(&exchange.line));
        for (line, _) in self.before.iter().chain(&self.after) {
            let begins = exchanges.iter().any(|exchange| exchange.line == *line);
            assert!(begins, "{}: no exchange begins at line {line}", self.file);
        }
        let modem = Simulator::new(self.settings, self.network);
        let mut stage = Stage { host: VirtualHost::new(modem), played: Vec::new(), file: self.file };
        for act in &self.opening {
            stage.act(act);
        }
        let opened_at = stage.host.now().since_origin();
        for exchange in exchanges {
            let begins_at = if exchange.sent.is_some() { exchange.at } else { early(exchange.at) };
            let wait = if self.timed { begins_at + opened_at - stage.host.now() } else { self.pace };
            stage.wait(wait);
            stage.exchange(exchange, &self.before, &self.after);
        }
        stage.wait(Duration::from_secs(2));
        stage.played.into_iter().map(|played| played.finish(self.file)).collect()
    }
}

/// An exchange that is being played.
struct Played {
    exchange: Exchange,
    simulated: Vec<u8>,
    left_out: Vec<String>,
    instead: Option<String>,
}

impl Played {
    /// Removes from the answer the lines that the publisher did not show.
    fn finish(self, file: &str) -> (Exchange, Vec<u8>) {
        if self.left_out.is_empty() && self.instead.is_none() {
            return (self.exchange, self.simulated);
        }
        let mut shown = lines(&self.simulated);
        if let Some(instead) = &self.instead {
            let sent = lines(self.exchange.sent.as_deref().unwrap_or_default()).concat();
            shown.iter_mut().filter(|line| *line == instead).for_each(|line| line.clone_from(&sent));
        }
        for line in &self.left_out {
            let at = shown.iter().position(|shown| shown == line);
            let at =
                at.unwrap_or_else(|| panic!("{file}:{}: the line {line} is missing", self.exchange.line));
            shown.remove(at);
        }
        (self.exchange, shown.join("\r\n").into_bytes())
    }
}

struct Stage {
    host: VirtualHost<MemoryNetwork>,
    played: Vec<Played>,
    file: &'static str,
}

impl Stage {
    fn exchange(&mut self, exchange: Exchange, before: &[(usize, Act)], after: &[(usize, Act)]) {
        let line = exchange.line;
        let mut sent = exchange.sent.clone();
        self.played.push(Played { exchange, simulated: Vec::new(), left_out: Vec::new(), instead: None });
        for (_, act) in before.iter().filter(|(at, _)| *at == line) {
            if let Act::Instead(command) = act {
                sent = Some(format!("{command}\r\n").into_bytes());
            }
            self.act(act);
        }
        if let Some(bytes) = sent {
            let simulated = self.host.write(&bytes);
            self.keep(&simulated);
        }
        for (_, act) in after.iter().filter(|(at, _)| *at == line) {
            self.act(act);
        }
    }

    fn act(&mut self, act: &Act) {
        let simulated = match act {
            Act::Types(line) => {
                self.host.write(format!("{line}\r\n").as_bytes());
                Vec::new()
            }
            Act::Writes(bytes) => {
                self.host.write(bytes);
                Vec::new()
            }
            Act::Asks(line) => self.host.write(format!("{line}\r\n").as_bytes()),
            Act::Puts(bytes) => self.host.write(bytes),
            Act::World(control) => self.host.control(control.clone()),
            Act::Beforehand(control) => {
                self.host.control(control.clone());
                Vec::new()
            }
            Act::Prints(line) => self.host.control(Control::Urc(line.clone())),
            Act::Peer(channel, bytes) => {
                let link = self.link(*channel);
                self.host.with_network(|network| network.push(link, bytes))
            }
            Act::PeerCloses(channel) => {
                let link = self.link(*channel);
                self.host.with_network(|network| network.close_by_peer(link))
            }
            Act::Wait(span) => self.host.wait(*span),
            Act::Passes(span) => {
                self.host.wait(*span);
                Vec::new()
            }
            Act::Instead(command) => {
                if let Some(last) = self.played.last_mut() {
                    last.instead = Some(command.clone());
                }
                Vec::new()
            }
            Act::LeftOut(line) => {
                if let Some(last) = self.played.last_mut() {
                    last.left_out.push(line.clone());
                }
                Vec::new()
            }
        };
        self.keep(&simulated);
    }

    fn link(&self, channel: usize) -> air724ug::sim::Link {
        let state = self.host.simulator().state();
        let link = state.channels.get(channel).and_then(|channel| channel.link);
        link.unwrap_or_else(|| panic!("{}: channel {channel} has no link", self.file))
    }

    /// Passes time. The output belongs to the exchange before.
    fn wait(&mut self, span: Duration) {
        let simulated = self.host.wait(span);
        self.keep(&simulated);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(last) = self.played.last_mut() {
            last.simulated.extend_from_slice(bytes);
        }
    }
}

fn early(at: Timestamp) -> Timestamp {
    Timestamp::ZERO + (at - Timestamp::ZERO).saturating_sub(BUNDLE)
}
