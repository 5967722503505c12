//! A modem of the gateway: opened, opened again after a loss, supervised, and read at intervals.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, Sender, after, never, select, tick};
use air724ug::query::CurrentOperator;
use air724ug::sim::{HostNetwork, Settings, Simulator, serve};
use air724ug::statistics::Statistics;
use air724ug::supervisor::{Policy, Step, Supervisor};
use air724ug::{Config, Error, Event, Modem, NotReady};

use crate::common::other_device;
use crate::facts::{self, Facts};
use crate::fleet::Changes;
use crate::history::{EVERY, History};
use crate::options::PortChoice;

/// The pause between two attempts to open a missing port.
const OPEN_AGAIN: Duration = Duration::from_secs(5);
/// The duration of one call of the supervisor; another follows.
const TURN: Duration = Duration::from_secs(3600);
/// The time after which a port without an answer is closed once, to see what it sends instead.
const SILENT: Duration = Duration::from_secs(30);
/// The time-out of answers that the module gives at once.
const QUICK: Duration = Duration::from_secs(9);
/// The time-out of closing every connection at the end.
const RELEASE: Duration = Duration::from_millis(1200);

/// A modem with an open or closed port.
pub struct Member {
    /// The name in user names, labels and topics.
    pub name: String,
    /// The port as the user has given it.
    pub port: String,
    choice: PortChoice,
    config: Config,
    /// [`SILENT`], and less in tests.
    silent: Duration,
    state: Mutex<MemberState>,
    /// The number of open connections of clients.
    pub open: AtomicU64,
    notes: Sender<(String, String)>,
}

#[derive(Default)]
struct MemberState {
    link: Option<Link>,
    /// The reason why there is no link.
    problem: Option<String>,
    /// What the port sends in place of an answer, once the search for it is over.
    device: Option<Option<String>>,
    /// The latest problem that was noted.
    noted: Option<String>,
    /// Whether it was noted that the module does not answer, and it has not become ready since.
    is_unresponsive: bool,
    history: History,
    facts: Facts,
    since: Option<Instant>,
    account: Account,
}

/// An open port.
#[derive(Clone)]
pub struct Link {
    pub modem: Modem,
    pub supervisor: Supervisor,
}

/// The reason for which an open port is not served any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LinkEnd {
    /// The program ends.
    Stopped,
    /// Nothing has answered.
    Silent,
    /// The port is gone for good.
    Gone,
}

/// The payload of each card, sent and received.
#[derive(Clone, Debug, Default)]
pub struct Account {
    seen: (u64, u64),
    pub cards: BTreeMap<String, (u64, u64)>,
}

/// The state of a modem at a time, for pages and metrics.
pub struct Snapshot {
    pub name: String,
    pub port: String,
    pub is_ready: bool,
    /// The missing condition.
    pub not_ready: Option<NotReady>,
    /// The reason why the port is not open.
    pub problem: Option<String>,
    pub facts: Facts,
    pub history: History,
    pub statistics: Statistics,
    pub cards: BTreeMap<String, (u64, u64)>,
    /// The time for which the module has been ready.
    pub uptime: Duration,
}

impl Member {
    pub fn new(
        name: String,
        choice: PortChoice,
        config: Config,
        notes: Sender<(String, String)>,
    ) -> Arc<Self> {
        let port = choice.to_string();
        let (state, open) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { name, port, choice, config, silent: SILENT, state, open, notes })
    }

    /// The modem, if its port is open.
    pub fn link(&self) -> Option<Link> {
        self.lock().link.clone()
    }

    /// The reason why no connection is possible now, in words.
    pub fn trouble(&self) -> String {
        let state = self.lock();
        match (&state.link, &state.problem) {
            (Some(link), _) => match link.modem.not_ready() {
                Some(reason @ NotReady::NoAnswer) => match &state.device {
                    Some(Some(device)) => format!("{}: {reason}: {device}", self.name),
                    Some(None) | None => format!("{}: {reason}", self.name),
                },
                Some(reason) => format!("{}: {reason}", self.name),
                None => format!("{}: ready", self.name),
            },
            (None, Some(problem)) => format!("{}: {problem}", self.name),
            (None, None) => format!("{}: its port is not open yet", self.name),
        }
    }

    /// What a server needs that this modem can't reach.
    pub fn reach(&self) -> &'static str {
        match self.choice {
            PortChoice::Named(_) => "; does the server listen, and can the module's network reach it?",
            PortChoice::Simulated(_) => {
                "; the modem is simulated: does the server listen, and can this machine reach it?"
            }
        }
    }

    /// True if this name selects this modem: its name, or its IMEI.
    pub fn is_called(&self, name: &str) -> bool {
        let identity = || self.lock().facts.identity.as_ref().is_some_and(|identity| identity.imei == name);
        self.name == name || identity()
    }

    /// Adds to the events of this modem, and prints the text at the terminal.
    pub fn note(&self, text: impl Into<String>) {
        let text = text.into();
        self.lock().history.event(text.clone());
        // The program may be ending.
        let _ = self.notes.send((self.name.clone(), text));
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.lock();
        let link = state.link.clone();
        let statistics = link.as_ref().map(|link| link.modem.statistics()).unwrap_or_default();
        state.settle(&statistics);
        let not_ready = link.as_ref().and_then(|link| link.modem.not_ready());
        Snapshot {
            name: self.name.clone(),
            port: self.port.clone(),
            is_ready: link.is_some() && not_ready.is_none(),
            not_ready,
            problem: state.problem.clone(),
            facts: state.facts.clone(),
            history: state.history.clone(),
            cards: state.account.cards.clone(),
            uptime: state.since.map(|since| since.elapsed()).unwrap_or_default(),
            statistics,
        }
    }

    /// Opens the port whenever it is closed, and supervises the modem, until `stop` ends. Returns false if the module
    /// has not confirmed the end of its connections.
    pub fn keep(self: Arc<Self>, changes: Arc<Changes>, stop: Receiver<()>) -> bool {
        loop {
            match self.open() {
                Ok(link) => {
                    let end = self.look_after(&link, &changes, &stop);
                    let why = link.modem.is_wrong_port().then(|| link.modem.wait_ready(Duration::ZERO));
                    self.lock().close();
                    let is_released = end != LinkEnd::Stopped || release(&link.modem);
                    link.modem.close();
                    match (end, why) {
                        (LinkEnd::Stopped, _) => return is_released,
                        (LinkEnd::Silent, _) => {
                            self.name_device();
                            continue;
                        }
                        (LinkEnd::Gone, Some(Err(why))) => self.failed("no module is at the port", &why),
                        (LinkEnd::Gone, _) => {}
                    }
                }
                Err(error) => self.failed("the port can't be opened", &error),
            }
            changes.notify();
            if stop.recv_timeout(OPEN_AGAIN).is_err_and(|error| error.is_disconnected()) {
                return true;
            }
        }
    }

    pub fn open(&self) -> Result<Link, Error> {
        let config = self.config.clone().name(&*self.name);
        let modem = match &self.choice {
            PortChoice::Named(path) => Modem::open(path, config)?,
            PortChoice::Simulated(number) => simulated(*number, config)?,
        };
        let supervisor = Supervisor::new(modem.clone(), Policy::default());
        let link = Link { modem, supervisor };
        let mut state = self.lock();
        state.problem = None;
        state.account.seen = (0, 0);
        state.link = Some(link.clone());
        Ok(link)
    }

    /// Notes why there is no module.
    fn failed(&self, what: &str, error: &Error) {
        let problem = error.to_string();
        let mut state = self.lock();
        state.problem = Some(problem.clone());
        let is_new = state.noted.replace(problem.clone()).as_ref() != Some(&problem);
        drop(state);
        if is_new {
            self.note(match error {
                // The same name would fail for ever.
                Error::Io(error) if error.kind() == ErrorKind::InvalidInput => {
                    format!("{what}: {problem}; the gateway needs another --port")
                }
                _ => format!("{what}; trying again: {problem}"),
            });
        }
    }

    /// Looks what the closed port sends in place of an answer.
    fn name_device(&self) {
        let device = match &self.choice {
            PortChoice::Named(port) => other_device::words(port, &self.config),
            PortChoice::Simulated(_) => None,
        };
        self.lock().device = Some(device.clone());
        if let Some(device) = device {
            self.note(format!("the port does not answer: {device}"));
        }
    }

    /// Whether the port, open for some time, has not answered, and it is unknown what it sends instead.
    fn is_silent(&self, link: &Link) -> bool {
        link.modem.not_ready() == Some(NotReady::NoAnswer) && self.lock().device.is_none()
    }

    /// Serves an open port.
    fn look_after(&self, link: &Link, changes: &Changes, stop: &Receiver<()>) -> LinkEnd {
        let (events, steps) = (link.modem.events(), link.supervisor.events());
        let supervised = link.clone();
        thread::spawn(move || supervise(&supervised));
        let (timer, silent) = (tick(EVERY), after(self.silent));
        let mut steps = steps;
        if link.modem.is_ready() {
            self.became_ready(link);
        }
        loop {
            select! {
                recv(stop) -> _ => return LinkEnd::Stopped,
                recv(silent) -> _ => if self.is_silent(link) { return LinkEnd::Silent },
                recv(events) -> event => match event {
                    Ok(event) => self.happened(link, &event, changes),
                    Err(_) => return LinkEnd::Gone,
                },
                recv(steps) -> step => match step {
                    Ok(step) => self.stepped(&step),
                    Err(_) => steps = never(),
                },
                recv(timer) -> _ => self.look(link),
            }
        }
    }

    fn happened(&self, link: &Link, event: &Event, changes: &Changes) {
        match event {
            Event::Ready(_) => {
                self.became_ready(link);
                changes.notify();
            }
            Event::NotReady(reason) => {
                self.lock().forget();
                self.note(format!("not ready: {reason}"));
            }
            Event::Restarted => self.note("the module restarted"),
            Event::Unresponsive => self.unresponsive(),
            Event::PortLost => {
                self.lock().forget();
                self.note("the port is lost; waiting for it");
            }
            Event::PortBack => self.note("the port is back"),
            Event::OtherModule { before } => {
                let now = link.modem.identity().map(|identity| identity.imei).unwrap_or_default();
                self.note(format!("another module is at this port: {now}; before it was {before}"));
            }
            Event::Missed(count) => self.note(format!("{count} events were missed")),
            Event::Closed(..) => changes.notify(),
            _ => {}
        }
    }

    /// Notes a silence once, which the driver reports after each of its attempts.
    fn unresponsive(&self) {
        let is_noted = std::mem::replace(&mut self.lock().is_unresponsive, true);
        if !is_noted {
            self.note("the module does not answer");
        }
    }

    fn stepped(&self, step: &Step) {
        match step {
            Step::Climbing(rung) => self.note(format!("supervisor: {rung}")),
            Step::Failed(why) => self.note(format!("supervisor: {why}")),
            _ => {}
        }
    }

    fn became_ready(&self, link: &Link) {
        {
            let mut state = self.lock();
            state.since = Some(Instant::now());
            (state.device, state.noted, state.is_unresponsive) = (None, None, false);
        }
        self.look(link);
        let (facts, signal) = {
            let state = self.lock();
            (state.facts.clone(), state.history.last_signal())
        };
        let operator = facts.operator.unwrap_or_else(|| "an operator without a name".to_owned());
        let signal = signal.map_or("unknown".to_owned(), |dbm| format!("{dbm} dBm"));
        self.note(format!("ready: {operator}, signal {signal}"));
    }

    /// Reads the values that can change. Those without an answer are unknown. A module that does not answer at all is
    /// not asked, because each question would take its time-out.
    fn look(&self, link: &Link) {
        let modem = &link.modem;
        if let Some(NotReady::NoAnswer | NotReady::NoPort) = modem.not_ready() {
            return self.lock().history.signal(Instant::now(), None);
        }
        let signal = modem.signal_quality().ok().and_then(|quality| quality.dbm());
        let registration = modem.registration().ok();
        let identity = modem.identity().ok();
        let line = |command: &str| modem.command(command, QUICK).ok();
        let operator =
            modem.query(&CurrentOperator).ok().flatten().map(|operator| facts::label(&operator.name));
        let card = line("AT+ICCID").and_then(|lines| facts::last_digits(&lines));
        let statistics = modem.statistics();
        let mut state = self.lock();
        state.settle(&statistics);
        state.history.signal(Instant::now(), signal);
        state.facts =
            Facts { identity: identity.or(state.facts.identity.take()), operator, registration, card };
    }

    fn lock(&self) -> MutexGuard<'_, MemberState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemberState {
    /// Adds the payload since the last reading to the account of the card.
    fn settle(&mut self, statistics: &Statistics) {
        if self.link.is_none() {
            return;
        }
        let (sent, received) = self.account.seen;
        self.account.seen = (statistics.sent, statistics.received);
        let card = self.facts.card.clone().unwrap_or_default();
        let of_card = self.account.cards.entry(card).or_default();
        of_card.0 += statistics.sent.saturating_sub(sent);
        of_card.1 += statistics.received.saturating_sub(received);
    }

    /// The answers about the network are no longer valid; the next reading asks again. The module and its card are the
    /// same.
    fn forget(&mut self) {
        self.since = None;
        self.history.signal(Instant::now(), None);
        self.facts.operator = None;
        self.facts.registration = None;
    }

    fn close(&mut self) {
        self.link = None;
        self.forget();
        self.problem = Some("the port is lost".to_owned());
    }
}

/// Closes every connection, which the module would keep open without the program. False without an answer.
fn release(modem: &Modem) -> bool {
    let statistics = modem.statistics();
    statistics.opened == statistics.closed || modem.command("AT+CIPSHUT", RELEASE).is_ok()
}

/// Runs the supervisor's steps while the module is not ready, until the modem is closed. It does nothing while the card
/// requires its PIN.
fn supervise(link: &Link) {
    let events = link.modem.events();
    loop {
        let is_for_a_person = matches!(
            link.modem.not_ready(),
            Some(NotReady::PinRequired | NotReady::PinRefused | NotReady::PukRequired)
        );
        if !is_for_a_person {
            match link.supervisor.wait_ready(TURN) {
                Err(Error::PortLost(_)) => return,
                Err(Error::Timeout { .. }) => continue,
                Ok(()) | Err(_) => {}
            }
        }
        let mut changes =
            events.iter().filter(|event| matches!(event, Event::NotReady(_) | Event::Restarted));
        if changes.next().is_none() {
            return;
        }
    }
}

/// A simulated modem with this machine's network behind it.
fn simulated(number: usize, config: Config) -> Result<Modem, Error> {
    let settings = Settings::default().imei(format!("8600000000{number:05}"));
    let (reader, writer, _) = serve::in_process(Simulator::new(settings, HostNetwork::new()))?;
    Modem::start(reader, writer, config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use air724ug::crossbeam_channel::unbounded;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn signal_and_registration_are_unknown_once_the_port_is_lost() {
        let (changes, (notes, _receiver)) = (Changes::default(), unbounded());
        let member = Member::new("sim".to_owned(), PortChoice::Simulated(1), Config::default(), notes);
        let known = || {
            let seen = member.snapshot();
            (
                seen.history.last_signal().is_some(),
                seen.facts.registration.is_some(),
                seen.facts.operator.is_some(),
            )
        };
        let link = member.open().unwrap();
        link.modem.wait_ready(Duration::from_secs(60)).unwrap();
        for event in [Event::PortLost, Event::NotReady(NotReady::NoAnswer)] {
            member.became_ready(&link);
            assert_eq!(known(), (true, true, true));
            member.happened(&link, &event, &changes);
            assert_eq!(known(), (false, false, false), "{event:?}");
            let seen = member.snapshot();
            assert!(seen.facts.identity.is_some() && seen.uptime.is_zero(), "{event:?}");
        }
        link.modem.close();
    }

    #[test]
    fn a_module_that_was_exchanged_for_another_one_is_reported() {
        let (changes, (notes, noted)) = (Changes::default(), unbounded());
        let member = Member::new("sim".to_owned(), PortChoice::Simulated(1), Config::default(), notes);
        let link = member.open().unwrap();
        link.modem.wait_ready(Duration::from_secs(60)).unwrap();
        member.happened(&link, &Event::OtherModule { before: "860000000000017".to_owned() }, &changes);
        let (_, text) = noted.try_recv().unwrap();
        assert_eq!(text, "another module is at this port: 860000000000001; before it was 860000000000017");
        link.modem.close();
    }

    /// Regression: one connection was closed, and the port with it. The module kept the others.
    #[cfg(unix)]
    #[test]
    fn the_end_closes_every_connection_on_the_module() {
        const TIMEOUT: Duration = Duration::from_secs(60);
        // Unlike a modem of this program, it goes on without the driver.
        let pty = serve::Pty::open().unwrap();
        let port = PortChoice::Named(pty.path().display().to_string());
        let (_remote, inbox) = serve::remote().unwrap();
        thread::spawn(|| serve::run(Simulator::new(Settings::default(), HostNetwork::new()), pty, inbox));
        let (notes, noted) = unbounded();
        let member = Member::new("m".to_owned(), port, Config::default(), notes);
        let (stop, stopped) = air724ug::crossbeam_channel::bounded(0);
        let keeper = member.clone();
        let keeping = thread::spawn(move || keeper.keep(Arc::default(), stopped));
        while !noted.recv_timeout(TIMEOUT).unwrap().1.starts_with("ready") {}
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || {
            let modem = member.link().unwrap().modem;
            let socket = modem.tcp().connect(listener.local_addr().unwrap()).unwrap();
            (socket, listener.accept().unwrap().0)
        };
        let mut connections: Vec<_> = (0..8).map(|_| connect()).collect();
        // As the end of the program does with those of clients.
        connections[0].0.shutdown(std::net::Shutdown::Both).unwrap();
        drop(stop);
        assert!(keeping.join().unwrap(), "the module has confirmed it");
        for (_, server) in &mut connections {
            server.set_read_timeout(Some(TIMEOUT)).unwrap();
            assert_eq!(server.read(&mut [0]).unwrap(), 0);
        }
    }

    #[test]
    fn a_module_that_does_not_answer_at_the_end_has_closed_nothing() {
        let mut network = air724ug::sim::MemoryNetwork::new();
        network.serve("echo.test", 7, air724ug::sim::Peer::echo());
        let (reader, writer, world) =
            serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
        let modem = Modem::start(reader, writer, Config::default()).unwrap();
        modem.wait_ready(Duration::from_secs(60)).unwrap();
        assert!(release(&modem), "nothing is open");
        let _socket = modem.tcp().connect(("echo.test", 7)).unwrap();
        world.control(air724ug::sim::Control::Rule("deaf=60s@0s".parse().unwrap()));
        assert!(!release(&modem));
        modem.close();
    }

    /// Regression: the note came every 5 s.
    #[test]
    fn the_silence_of_a_module_is_noted_once() {
        let (changes, (notes, noted)) = (Changes::default(), unbounded());
        let member = Member::new("sim".to_owned(), PortChoice::Simulated(1), Config::default(), notes);
        let link = member.open().unwrap();
        link.modem.wait_ready(Duration::from_secs(60)).unwrap();
        for _ in 0..2 {
            for _ in 0..3 {
                member.happened(&link, &Event::Unresponsive, &changes);
            }
            assert_eq!(noted.try_iter().filter(|(_, text)| text == "the module does not answer").count(), 1);
            member.became_ready(&link);
        }
        link.modem.close();
    }

    /// What the gateway notes of a port that leads to this server, until it contains these words.
    fn noted(serve: impl FnMut(TcpStream) + Send + 'static, words: &str) -> (Arc<Member>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("tcp://{}", listener.local_addr().unwrap());
        thread::spawn(move || listener.incoming().flatten().for_each(serve));
        let (notes, noted) = unbounded();
        let mut member = Member::new("m".to_owned(), PortChoice::Named(name), Config::default(), notes);
        Arc::get_mut(&mut member).unwrap().silent = Duration::from_millis(500);
        let (stop, stopped) = air724ug::crossbeam_channel::bounded(0);
        let keeper = member.clone();
        let keeping = thread::spawn(move || keeper.keep(Arc::default(), stopped));
        let text = loop {
            let (_, text) = noted.recv_timeout(Duration::from_secs(60)).unwrap();
            if text.contains(words) {
                break text;
            }
        };
        drop(stop);
        keeping.join().unwrap();
        (member, text)
    }

    /// Regression: only `quickstart` showed the first bytes.
    #[test]
    fn the_device_at_a_port_that_is_no_module_is_named_with_its_first_bytes() {
        let mut kept = Vec::new();
        let (member, text) = noted(
            move |mut stream| {
                let _ = stream.write_all(b"$GPTXT,01,01,02,u-blox\r\n");
                kept.push(stream);
            },
            "does not answer",
        );
        assert!(text.contains(r#"it sends "$GPTXT,01,01,02,u-blox\r\n", which is no answer"#), "{text}");
        assert_eq!(
            member.lock().device.clone().flatten(),
            text.split_once(": ").map(|(_, device)| device.into())
        );
    }

    /// Regression: the questions took 45 s, in which the gateway did nothing else with the modem.
    #[test]
    fn a_module_that_does_not_answer_is_not_asked_for_its_state() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("tcp://{}", listener.local_addr().unwrap());
        let (notes, _noted) = unbounded();
        let member = Member::new("m".to_owned(), PortChoice::Named(name), Config::default(), notes);
        let link = member.open().unwrap();
        let begun = Instant::now();
        member.look(&link);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        link.modem.close();
    }

    /// Regression: the note was that the port is lost.
    #[test]
    fn a_server_of_another_kind_is_named() {
        let (member, text) = noted(
            |mut stream| {
                let mut bytes = [0; 9];
                let _ = stream.read(&mut bytes);
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            },
            "no module is at the port",
        );
        assert!(text.contains("an SSH server runs there"), "{text}");
        assert!(member.trouble().contains("an SSH server runs there"), "{}", member.trouble());
    }
}
