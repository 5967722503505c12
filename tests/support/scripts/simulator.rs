//! The simulated modem with any host, any network and any change of its environment: it never panics, always comes to
//! rest, and never grows.

use std::time::Duration;

use air724ug::sim::{Control, Input, MemoryNetwork, ModemEvent, Output, Settings, Simulator, Trigger};
use air724ug::time::Timestamp;

use super::script::Script;
use super::script_input::{self, WORDS};

/// The most outputs after one input. More mean that it does not come to rest.
const MAX_POLLS: usize = 20_000;
/// The most bytes after one input: the line's queue, twice (URCs), and the buffers of the peers in memory.
const MAX_BYTES: usize = 2_000_000;
/// Ticks at deadlines between two inputs of the script.
const MAX_TICKS: usize = 300;
/// The answer of a modem that still works.
const ANSWER: &[u8] = b"OK\r\n";
/// The most seconds until a reset modem answers: faults that wait may take several answers, and delay one for 65 s
/// each.
const MAX_TRIES: usize = 20_000;
/// The most steps, so that a script does not take minutes.
const MAX_STEPS: usize = 400;

/// The result of a long run.
#[allow(dead_code, reason = "for tests/resources/sim_soak.rs and fuzz/src/bin/soak.rs")]
#[derive(Debug)]
pub struct Life {
    /// The duration in the modem's time.
    pub lasted: Duration,
    /// The number of connections of its host.
    pub connections: u64,
}

/// Plays scripts on one modem, with an ordinary session before each. The hang-up is left out, because it would end the
/// run, and so are faults by chance, because they would accumulate until no byte arrives.
#[allow(dead_code, reason = "for tests/resources/sim_soak.rs and fuzz/src/bin/soak.rs")]
pub fn live(scripts: impl Iterator<Item = Vec<u8>>) -> Life {
    let mut stage = Stage::new(Settings::default());
    stage.immortal = true;
    for bytes in scripts {
        stage.work();
        let mut script = Script::new(&bytes);
        while !script.is_over() {
            stage.step(&mut script);
        }
    }
    stage.still_works();
    Life { lasted: stage.now - Timestamp::ZERO, connections: stage.connections }
}

/// An ordinary session, up to the prompt of a send.
const WORK: &[&str] = &[
    "\r\nATQ0V1E0\r\n",
    // A script may have locked or blocked the card.
    "AT+CPIN=\"1234\"\r\n",
    "AT+CPIN=\"12345678\",\"1234\"\r\n",
    "AT+CLCK=\"SC\",0,\"1234\"\r\n",
    "AT+CIPMODE=0;+CIPMUX=1;+CIPQSEND=1;+CSTT;+CIICR\r\n",
    "AT+CIFSR\r\n",
    "AT+CIPSTART=0,\"TCP\",\"echo.test\",7\r\n",
    "AT+CIPSEND=0,1460\r\n",
];

/// Plays a script.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let settings = script_input::settings(&mut script);
    let mut stage = Stage::new(settings);
    let mut steps = 0;
    while !script.is_over() && steps < MAX_STEPS {
        stage.step(&mut script);
        steps += 1;
    }
    stage.still_works();
}

struct Stage {
    modem: Simulator<MemoryNetwork>,
    now: Timestamp,
    hung_up: bool,
    /// True if no script may make it hang up.
    immortal: bool,
    /// True if faults strike by chance.
    chance: bool,
    /// True if an `OK` has come.
    answered: bool,
    connections: u64,
    received: Vec<u8>,
}

impl Stage {
    fn new(settings: Settings) -> Self {
        let chance = settings.faults.iter().any(|rule| matches!(rule.trigger, Trigger::Chance(_)));
        let modem = Simulator::new(settings, script_input::network());
        let mut stage = Self {
            modem,
            now: Timestamp::ZERO,
            hung_up: false,
            immortal: false,
            chance,
            answered: false,
            connections: 0,
            received: Vec::new(),
        };
        stage.give(Input::Tick);
        stage
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 10 {
            0 | 1 => self.write(script.bytes()),
            2 | 3 => self.write(script.one(WORDS).as_bytes()),
            4 => self.wait(Duration::from_millis(script.number())),
            5 => self.wait(Duration::from_micros(u64::from(script.byte()))),
            6 => self.network(script),
            7 => self.control(script),
            8 => self.write(script_input::line(script).as_bytes()),
            _ => self.away(script),
        }
    }

    /// A host that writes and does not read.
    fn away(&mut self, script: &mut Script<'_>) {
        let (times, bytes, pause) = (script.byte(), script.bytes(), Duration::from_millis(script.number()));
        for _ in 0..times {
            self.now += pause;
            self.modem.handle(self.now, Input::Host(bytes));
        }
        self.give(Input::Tick);
    }

    fn write(&mut self, bytes: &[u8]) {
        assert!(self.modem.room() <= 64 * 1024);
        self.give(Input::Host(bytes));
    }

    fn network(&mut self, script: &mut Script<'_>) {
        let Some(link) = self.modem.network().last_link() else { return };
        match script.byte() % 4 {
            0 | 1 => self.modem.network_mut().push(link, script.bytes()),
            2 => self.modem.network_mut().close_by_peer(link),
            _ => self.modem.network_mut().reset_by_peer(link),
        }
        self.give(Input::Tick);
    }

    fn control(&mut self, script: &mut Script<'_>) {
        let control = match script.byte() % 10 {
            0 => Control::Reset,
            1 => Control::SimRemove,
            2 => Control::SimInsert,
            3 => Control::NetworkDown,
            4 => Control::NetworkUp,
            5 => Control::PdpLost,
            6 => Control::Urc(script_input::text(script)),
            7 => match script.byte() {
                byte @ 0xf0.. => Control::Dtr(byte & 1 == 1),
                channel => Control::PeerClose(channel),
            },
            // Rare, because there is no output after it.
            8 if script.byte() == 255 && !self.immortal => Control::HangUp,
            9 if !self.immortal => Control::Rule(script_input::rule(script)),
            _ => Control::Fault(script_input::any_fault(script)),
        };
        if let Control::Rule(rule) = &control {
            self.chance |= matches!(rule.trigger, Trigger::Chance(_));
        }
        self.give(Input::Control(control));
    }

    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        let mut ticks = 0;
        while let Some(at) = self.modem.deadline().filter(|at| *at <= end) {
            assert!(at > self.now, "a deadline that has passed at {} and was served", self.now);
            ticks += 1;
            if ticks == MAX_TICKS {
                break;
            }
            self.now = at;
            self.give(Input::Tick);
        }
        self.now = end.max(self.now);
        self.give(Input::Tick);
    }

    /// Gives an input and takes the outputs.
    fn give(&mut self, input: Input<'_>) {
        self.modem.handle(self.now, input);
        // On a slow line an answer comes in pieces.
        self.received.drain(..self.received.len().saturating_sub(ANSWER.len() - 1));
        let mut polls = 0;
        while let Some(output) = self.modem.poll() {
            polls += 1;
            assert!(polls < MAX_POLLS, "it does not come to rest");
            assert!(!self.hung_up || matches!(output, Output::Happened(_)), "{output:?} after the hang-up");
            match output {
                Output::Host(bytes) => self.received.extend(bytes),
                Output::Happened(ModemEvent::Connected { .. }) => self.connections += 1,
                Output::Happened(_) => {}
                Output::HangUp | Output::Unplugged => self.hung_up = true,
                Output::PluggedIn(_) => self.hung_up = false,
            }
            assert!(self.received.len() < MAX_BYTES, "it grows");
        }
        self.answered |= self.received.windows(ANSWER.len()).any(|four| four == ANSWER);
        self.holds_little();
    }

    fn holds_little(&self) {
        for channel in self.modem.state().channels {
            assert!(channel.unread <= 65_535, "{channel:?}");
        }
    }

    /// The inputs of an ordinary host, after any script.
    fn work(&mut self) {
        self.give(Input::Control(Control::SimInsert));
        self.give(Input::Control(Control::NetworkUp));
        self.give(Input::Control(Control::Reset));
        self.wait(Duration::from_secs(30));
        let block = [b'x'; 1460];
        for line in WORK.iter().map(|line| line.as_bytes()).chain([&block[..]]) {
            self.write(line);
            self.wait(Duration::from_secs(3));
        }
    }

    /// After any script, a modem that has not hung up answers after a reset. Modems with faults by chance are excluded,
    /// because these may affect every answer.
    fn still_works(&mut self) {
        if self.hung_up || self.chance {
            return;
        }
        self.give(Input::Control(Control::Reset));
        self.answered = false;
        for _ in 0..MAX_TRIES {
            self.wait(Duration::from_secs(1));
            self.write(b"\r\nATQ0V1E0\r\n");
            if self.answered || self.hung_up {
                return;
            }
        }
        panic!("it does not answer any more: {:?}", self.modem.state());
    }
}
