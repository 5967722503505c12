//! The kinds of scenarios, and the way from a seed to a script.

mod faults;

use std::time::Duration;

use air724ug::ReceiveMode;
use air724ug::sim::{Control, Profile};

use super::chance::Chance;
use super::payload::Style;
use super::script::{Act, Far, Script, Step, Wanted, World};

/// Unsolicited lines of modems, and lines of unknown firmware.
pub const SAID: [&str; 12] = [
    "RING",
    "+CLIP: \"+861380000\",145",
    "NO CARRIER",
    "+CREG: 1,\"1A2B\",\"0A1B2C3D\",7",
    "*PSUTTZ: 2024,7,23,8,35,1,\"+32\",0",
    "DST: 0",
    "UNDER-VOLTAGE WARNNING",
    "$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76",
    "运行中",
    "+CMTI: \"SM\",3",
    "+CMT: \"+86138\",,\"24/07/23,08:35:01+32\"\r\nfirst\r\n\r\n0, CLOSED",
    "+CMT: ,23\r\n0791448720003023240DD0",
];

/// The kind of a run: its faults, or its subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Sockets without faults: every result is exact.
    Sound,
    /// Datagrams without faults.
    Udp,
    /// Fetched data without faults.
    Manual,
    /// A transparent stream on a sound line.
    Stream,
    /// Faults of the modem and the network.
    Modem,
    /// One damage of the line.
    Line,
    /// Answers that are lost, late or doubled.
    Storm,
    /// A slow host, a port that is suspended or lost, and calls with short time-outs.
    Host,
    /// Applications that connect again, with resets and restarts.
    Reconnect,
    /// A transparent stream with faults of the modem, the network and the host.
    StreamFaults,
    /// Damage anywhere in the bytes: every call ends, and the modem recovers.
    Noise,
    /// A port that vanishes and comes back, perhaps under another name or with a restart of the module.
    Port,
    /// Sockets without faults on a line that pauses between any two bytes, as a USB hub or a serial server does.
    Pauses,
    /// The same, with a module whose echo stays on.
    Echo,
}

impl Kind {
    /// All kinds, with their names.
    pub const ALL: [(Self, &str); 14] = [
        (Self::Sound, "sound"),
        (Self::Udp, "udp"),
        (Self::Manual, "manual"),
        (Self::Stream, "stream"),
        (Self::Modem, "modem"),
        (Self::Line, "line"),
        (Self::Storm, "storm"),
        (Self::Host, "host"),
        (Self::Reconnect, "reconnect"),
        (Self::StreamFaults, "stream-faults"),
        (Self::Noise, "noise"),
        (Self::Port, "port"),
        (Self::Pauses, "pauses"),
        (Self::Echo, "echo"),
    ];

    /// The name of the kind on a command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind)
    }

    /// The number of kinds, from the first on, that a seed without a kind may have. Another number would give all such
    /// seeds other scripts.
    const MIXED: usize = 11;

    /// The kind of a seed without a kind.
    pub fn of_seed(seed: u64) -> Self {
        Self::ALL[Chance::new(seed ^ 0x006b_696e_6473).below(Self::MIXED)].0
    }

    /// Whether the kind has no faults.
    pub fn is_sound(self) -> bool {
        let is_uneven = matches!(self, Self::Pauses | Self::Echo);
        is_uneven || matches!(self, Self::Sound | Self::Udp | Self::Manual | Self::Stream)
    }

    fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::StreamFaults)
    }
}

/// The script of a seed.
pub fn script(kind: Kind, seed: u64) -> Script {
    let mut chance = Chance::new(seed.wrapping_mul(31).wrapping_add(kind as u64));
    let mut world = world(kind, &mut chance);
    // A seed of its own, so that the scripts of all seeds are the same with and without it.
    world.send_prompt = !Chance::new(seed.wrapping_mul(37).wrapping_add(11)).one_in(4);
    let words = Chance::new(seed.wrapping_mul(41).wrapping_add(13));
    let mut maker =
        Maker { kind, chance, words, world, steps: Vec::new(), next: 0, lost: false, stands: false };
    maker.make();
    Script { kind, seed, world: maker.world, steps: maker.steps }
}

fn world(kind: Kind, chance: &mut Chance) -> World {
    let mode = match kind {
        Kind::Manual => ReceiveMode::Manual,
        Kind::Udp => ReceiveMode::Push,
        _ => chance.pick(&[ReceiveMode::Push, ReceiveMode::Push, ReceiveMode::Manual]),
    };
    // At a line rate answers come in pieces, and an answer with a lost piece is damaged.
    let has_rate = kind != Kind::Storm && chance.one_in(3);
    World {
        mode,
        // Without flow control, a stream comes as fast as the line carries it.
        window: chance.pick(&[if kind.is_stream() { 65_536 } else { 4_096 }, 16_384, 262_144]),
        profile: if chance.one_in(2) { 0 } else { chance.below(Profile::all().len()) },
        cold: chance.one_in(6),
        pin: (kind.is_sound() || kind == Kind::Noise) && chance.one_in(6),
        latency_ms: chance.pick(&[0, 0, 3, 20]),
        baud: if has_rate { Some(chance.pick(&[115_200, 115_200, 460_800])) } else { None },
        network_ms: chance.pick(&[0, 0, 40, 300]),
        chunk: chance.pick(&[0, 0, 0, 1, 7, 64]),
        pauses: matches!(kind, Kind::Pauses | Kind::Echo),
        keeps_echo: kind == Kind::Echo,
        eager: kind != Kind::Host || chance.one_in(2),
        send_prompt: true,
        reconnecting: match kind {
            Kind::Reconnect => 1 + chance.below(3) as u16,
            Kind::Port => 1 + chance.below(8) as u16,
            _ => 0,
        },
    }
}

struct Maker {
    kind: Kind,
    chance: Chance,
    /// Chooses the streams whose payload contains words of a module.
    words: Chance,
    world: World,
    steps: Vec<Step>,
    next: u16,
    lost: bool,
    stands: bool,
}

impl Maker {
    fn make(&mut self) {
        self.push(0, Act::WaitReady { timeout: Duration::from_secs(60) });
        if self.chance.one_in(4) {
            self.push(30_000, Act::Wait);
        }
        let count = match self.kind {
            Kind::Reconnect | Kind::Port => 24,
            _ => 10 + self.chance.below(26),
        };
        let first = 1 + self.chance.below(3);
        for _ in 0..first {
            self.connect();
        }
        for _ in 0..count {
            let is_fault =
                !self.kind.is_sound() && self.chance.one_in(if self.kind == Kind::Port { 3 } else { 4 });
            if is_fault { self.fault() } else { self.traffic() }
        }
    }

    fn push(&mut self, after_ms: u64, act: Act) {
        self.steps.push(Step { after: Duration::from_millis(after_ms), act });
    }

    fn pause(&mut self) -> u64 {
        self.chance.pick(&[0, 0, 0, 1, 5, 20, 100, 300, 1_000, 3_000, 9_000])
    }

    /// Adds a step after a pause.
    fn then(&mut self, act: Act) {
        let pause = self.pause();
        self.push(pause, act);
    }

    fn connect(&mut self) {
        let far = match self.chance.below(12) {
            0..=4 => Far::Pushes,
            5..=8 => Far::Echo,
            9 if !self.kind.is_stream() => Far::NeverReads,
            9 => Far::Pushes,
            10 => Far::ClosesAfter(self.chance.below(4_000) as u64),
            // Some firmware runs no other command during a connect without an answer.
            _ if self.kind.is_sound() => self.chance.pick(&[Far::ResetsAfter(700), Far::Refuses]),
            _ => self.chance.pick(&[Far::ResetsAfter(700), Far::Silent, Far::Refuses]),
        };
        let wanted = match self.kind {
            Kind::Stream | Kind::StreamFaults => Wanted::Transparent,
            Kind::Udp => Wanted::Udp,
            Kind::Reconnect => Wanted::Tcp,
            // In manual mode, the module does not keep the boundaries of datagrams.
            _ if self.world.mode == ReceiveMode::Push && self.chance.one_in(8) => Wanted::Udp,
            _ => Wanted::Tcp,
        };
        let trapped = if self.kind.is_stream() { self.words.one_in(4) } else { self.chance.one_in(3) };
        let style = if trapped { Style::Traps } else { Style::Records };
        let seconds = self.timeout();
        let act = Act::Connect { connection: self.next, wanted, far, style, timeout: seconds };
        self.next += 1;
        self.then(act);
    }

    fn timeout(&mut self) -> Duration {
        match self.kind {
            Kind::Host => self.chance.pick(&[
                Duration::from_nanos(1),
                Duration::from_millis(5),
                Duration::from_millis(700),
                Duration::from_secs(60),
                Duration::MAX,
            ]),
            kind if kind.is_sound() => Duration::from_secs(120),
            _ => Duration::from_secs(self.chance.pick(&[2, 20, 60, 120])),
        }
    }

    fn len(&mut self) -> usize {
        self.chance.pick(&[1, 10, 48, 300, 1_459, 1_460, 1_461, 4_000])
    }

    fn connection(&mut self) -> u16 {
        self.chance.below(usize::from(self.next.max(1))) as u16
    }

    fn traffic(&mut self) {
        let (connection, len, timeout) = (self.connection(), self.len(), self.timeout());
        if self.world.reconnecting > 0 && !self.chance.one_in(4) {
            let app = self.chance.below(usize::from(self.world.reconnecting)) as u16;
            return self.then(Act::AppSends { app, len, timeout });
        }
        let act = match self.chance.below(26) {
            24 | 25 if !self.kind.is_stream() => {
                Act::Control(Control::Urc(self.chance.pick(&SAID).to_owned()))
            }
            0..=1 => return self.connect(),
            2..=7 => Act::Send { connection, len, timeout },
            8..=13 => Act::Push { connection, len },
            14 => Act::Read { connection, most: len },
            15 => Act::Queue { connection, len },
            16 if self.chance.one_in(2) => Act::Close { connection, timeout },
            17 => self.question(connection, timeout),
            18 => {
                Act::Command { text: self.chance.pick(&["AT+CSQ", "ATI", "AT+CREG?", "AT+NOSUCH"]), timeout }
            }
            19 => Act::Signal,
            20 if self.chance.one_in(3) => Act::PeerCloses { connection },
            21 => Act::PeerReads { connection, reads: self.chance.one_in(2) },
            22 if self.kind.is_stream() => self.mode_change(connection),
            _ => Act::Wait,
        };
        self.then(act);
    }

    fn question(&mut self, connection: u16, timeout: Duration) -> Act {
        match self.chance.below(3) {
            0 => Act::Flush { connection, timeout },
            1 => Act::Drain { connection, timeout },
            _ => Act::Unacknowledged { connection, timeout },
        }
    }

    fn mode_change(&mut self, connection: u16) -> Act {
        let timeout = Duration::from_secs(20);
        if self.chance.one_in(2) {
            Act::Escape { connection, timeout }
        } else {
            Act::Resume { connection, timeout }
        }
    }
}
