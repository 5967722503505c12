//! The simulated modem against any host, any network and any hand on the world: it never panics, always comes to rest,
//! and never grows.

use std::time::Duration;

use air724ug::sim::{
    ApnPolicy, Boot, Control, Fault, FullBuffer, Happening, Input, MemoryNetwork, Output, Peer, Profile,
    Rule, Settings, SimCard, Simulator, When,
};
use air724ug::time::Timestamp;

use super::script::Script;

/// Outputs behind one input. More means that it does not come to rest.
const MAX_POLLS: usize = 20_000;
/// Bytes behind one input: the line's queue, twice (URCs), and what the peers in memory hold.
const MAX_BYTES: usize = 2_000_000;
/// Ticks at deadlines between two inputs of the script.
const MAX_TICKS: usize = 300;
/// What a modem that still works answers.
const ANSWER: &[u8] = b"OK\r\n";
/// Seconds until a reset modem has to answer: faults that wait may still take some answers, and hold one for 65 s each.
const MAX_TRIES: usize = 20_000;
/// What keeps a script from taking minutes.
const MAX_STEPS: usize = 400;

/// What a host types.
const WORDS: &[&str] = &[
    "AT",
    "ATE0",
    "ATE1",
    "ATI",
    "ATZ",
    "AT&F",
    "ATO",
    "A/",
    "+++",
    "\r",
    "\n",
    "\r\n",
    "\x1a",
    "\x1b",
    "=",
    "?",
    "=?",
    ",",
    ";",
    "\"",
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "9",
    "1460",
    "99999999999999999999",
    "AT+CIPMUX=1\r\n",
    "AT+CIPMUX=0\r\n",
    "AT+CIPMODE=1\r\n",
    "AT+CIPQSEND=1\r\n",
    "AT+CIPQSEND=0\r\n",
    "AT+CIPQSEND=2\r\n",
    "AT+CSTT\r\n",
    "AT+CIICR\r\n",
    "AT+CIFSR\r\n",
    "AT+CIPSHUT\r\n",
    "AT+CIPSTATUS\r\n",
    "AT+CIPSTATUS=0\r\n",
    "AT+CIPRXGET=1\r\n",
    "AT+CIPRXGET=0\r\n",
    "AT+CIPRXGET=2,0,1460\r\n",
    "AT+CIPRXGET=3,0,720\r\n",
    "AT+CIPRXGET=4,0\r\n",
    "AT+CIPSTART=\"TCP\",\"echo.test\",7\r\n",
    "AT+CIPSTART=0,\"TCP\",\"echo.test\",7\r\n",
    "AT+CIPSTART=1,\"TCP\",\"source.test\",1\r\n",
    "AT+CIPSTART=2,\"UDP\",\"echo.test\",7\r\n",
    "AT+CIPSTART=3,\"TCP\",\"deaf.test\",1\r\n",
    "AT+CIPSTART=4,\"TCP\",\"silent.test\",1\r\n",
    "AT+CIPSTART=5,\"TCP\",\"bye.test\",1\r\n",
    "AT+CIPSTART=6,\"TCP\",\"nowhere.test\",1\r\n",
    "AT+CIPSEND\r\n",
    "AT+CIPSEND=10\r\n",
    "AT+CIPSEND=0,10\r\n",
    "AT+CIPSEND=0\r\n",
    "AT+CIPSEND=3,1460\r\n",
    "AT+CIPCLOSE=0\r\n",
    "AT+CIPCLOSE\r\n",
    "AT+CIPACK=0\r\n",
    "AT+CIPACK\r\n",
    "AT+CIPATS=1,1\r\n",
    "AT+CIPSPRT=0\r\n",
    "AT+CIPSPRT=2\r\n",
    "AT+CIPHEAD=1\r\n",
    "AT+CIPSHOWTP=1\r\n",
    "AT+CIPSRIP=1\r\n",
    "AT+CIPRXF=1\r\n",
    "AT+CDNSGIP=\"echo.test\"\r\n",
    "AT+CDNSGIP=\"x\"\r\n",
    "AT+CFUN=0\r\n",
    "AT+CFUN=1\r\n",
    "AT+CFUN=1,1\r\n",
    "AT+RESET\r\n",
    "AT+CGATT=0\r\n",
    "AT+CGATT=1\r\n",
    "AT+CPIN=\"1234\"\r\n",
    "AT+CPIN=0\r\n",
    "AT+IPR=9600\r\n",
    "AT+IPR=0\r\n",
    "AT+CMEE=2\r\n",
    "ATV0\r\n",
    "ATQ1\r\n",
    "AT+CREG=2\r\n",
    "AT+CREG?\r\n",
    "AT+COPS?\r\n",
    "AT+FSCREATE=\"a\"\r\n",
    "AT+FSWRITE=\"a\",0,10,2\r\n",
    "AT+FSREAD=\"a\",0,10,0\r\n",
    "AT+FSLS\r\n",
    "AT+FSDEL=\"a\"\r\n",
    "AT+FSMEM\r\n",
    "AT+CCLK?\r\n",
    "AT+CSQ;+CREG?;I\r\n",
    "AT+SSLCFG=\"",
    "AT+CIPSSL=1\r\n",
    "AT+CMGF=1\r\n",
    "AT+CNMI=",
];

/// Plays a script.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let settings = settings(&mut script);
    let mut stage = Stage::new(settings);
    let mut steps = 0;
    while !script.is_over() && steps < MAX_STEPS {
        stage.step(&mut script);
        steps += 1;
    }
    stage.still_works();
}

fn settings(script: &mut Script<'_>) -> Settings {
    let flags = script.byte();
    let flag = |bit: u8| flags & (1 << bit) != 0;
    let mut settings = Settings::default()
        .profile(script.one(&Profile::all()).clone())
        .seed(script.number())
        .boot(if flag(0) { Boot::Cold } else { Boot::Warm })
        .baud(flag(1).then_some(115_200))
        .echo(!flag(2))
        .full_buffer(if flag(3) { FullBuffer::Wait } else { FullBuffer::Refuse })
        .closed_reported(!flag(4));
    if flag(5) {
        settings = settings.latency(Duration::from_millis(5)).jitter(Duration::from_millis(20));
        settings = settings.bearer_time(Duration::from_millis(100));
    }
    if flag(6) {
        settings = settings.sim(SimCard::Locked { pin: "1234".into() });
    }
    if flag(7) {
        settings =
            settings.apn(ApnPolicy::Only(vec!["cmnet".into()])).receive_buffer(usize::from(script.byte()));
        settings = settings.faults(vec![rule(script), rule(script)]);
    }
    settings
}

fn rule(script: &mut Script<'_>) -> Rule {
    let when = match script.byte() % 3 {
        0 => When::Next,
        1 => When::At(Duration::from_millis(script.number())),
        _ => When::Chance(f64::from(script.byte()) / 255.0),
    };
    Rule { fault: fault(script), when }
}

fn fault(script: &mut Script<'_>) -> Fault {
    let command = u32::from(script.byte());
    let by = Duration::from_millis(script.number());
    match script.byte() % 13 {
        0 => Fault::LostPrompt,
        1 => Fault::LateAnswer { command, by },
        2 => Fault::DetachedAnswer { command, by },
        3 => Fault::LostAnswer { command },
        4 => Fault::WrongAnswer { command, text: String::from_utf8_lossy(script.bytes()).into_owned() },
        5 => Fault::CloseMidSend { after: usize::from(script.byte()) },
        6 => Fault::ShortBody { missing: usize::from(script.byte()) },
        7 => Fault::Garbage(script.bytes().to_vec()),
        8 => Fault::Reboot,
        9 => Fault::PdpLost,
        10 => Fault::NetworkLost,
        11 => Fault::SimRemoved,
        _ => Fault::LostAnswer { command: 0 },
    }
}

fn network() -> MemoryNetwork {
    let mut network = MemoryNetwork::new();
    network.set_latency(Duration::from_millis(3));
    network.serve("echo.test", 7, Peer::echo());
    network.serve("source.test", 1, Peer::source(100_000));
    network.serve("deaf.test", 1, Peer::discard().never_reads());
    network.serve("silent.test", 1, Peer::silent());
    network.serve("bye.test", 1, Peer::discard().greeting("good bye").close_when_sent());
    network
}

struct Stage {
    modem: Simulator<MemoryNetwork>,
    now: Timestamp,
    hung_up: bool,
    /// Whether faults strike by chance.
    chance: bool,
    /// Whether an `OK` has come.
    answered: bool,
    received: Vec<u8>,
}

impl Stage {
    fn new(settings: Settings) -> Self {
        let chance = settings.faults.iter().any(|rule| matches!(rule.when, When::Chance(_)));
        let modem = Simulator::new(settings, network());
        let mut stage = Self {
            modem,
            now: Timestamp::ZERO,
            hung_up: false,
            chance,
            answered: false,
            received: Vec::new(),
        };
        stage.give(Input::Tick);
        stage
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 8 {
            0 | 1 => self.write(script.bytes()),
            2 | 3 => self.write(script.one(WORDS).as_bytes()),
            4 => self.wait(Duration::from_millis(script.number())),
            5 => self.wait(Duration::from_micros(u64::from(script.byte()))),
            6 => self.network(script),
            _ => self.control(script),
        }
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
            6 => Control::Urc(String::from_utf8_lossy(script.bytes()).into_owned()),
            7 => Control::PeerClose(script.byte()),
            // Rarely: nothing happens behind it.
            8 if script.byte() == 255 => Control::HangUp,
            _ => Control::Fault(fault(script)),
        };
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

    /// Gives an input and takes what comes of it.
    fn give(&mut self, input: Input<'_>) {
        self.modem.handle(self.now, input);
        // On a slow line an answer comes in pieces.
        self.received.drain(..self.received.len().saturating_sub(ANSWER.len() - 1));
        let mut polls = 0;
        while let Some(output) = self.modem.poll() {
            polls += 1;
            assert!(polls < MAX_POLLS, "it does not come to rest");
            assert!(!self.hung_up || matches!(output, Output::Happened(_)), "{output:?} behind the hang-up");
            match output {
                Output::Host(bytes) => self.received.extend(bytes),
                Output::Happened(Happening::Overrun(_)) | Output::Happened(_) => {}
                Output::HangUp => self.hung_up = true,
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

    /// Whatever went before: a modem that is still there answers after a reset. Not one whose faults come by chance,
    /// which may take every answer.
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
