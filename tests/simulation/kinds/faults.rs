//! The faults of each kind of scenario.

use std::time::Duration;

use air724ug::ReceiveMode;
use air724ug::sim::{Control, Direction, fault};

use super::super::line::{Damage, Harm, Place};
use super::super::script::Act;
use super::{Kind, Maker};

/// Bytes that noise inserts into the line.
const NOISE: [&[u8]; 8] =
    [b"\xff", b"\0", b"\r\n", b"> ", b"\r\nOK\r\n", b"\r\nERROR\r\n", b"+CREG: 1\r\n", b"x+RECEIVE"];

impl Maker {
    /// Adds a fault of this kind of scenario.
    pub(super) fn fault(&mut self) {
        let act = match self.kind {
            Kind::Sound | Kind::Udp | Kind::Manual | Kind::Stream | Kind::Pauses | Kind::Echo => Act::Wait,
            Kind::Modem => self.of_modem(),
            Kind::Line => return self.one_damage(),
            Kind::Storm => self.of_answers(),
            Kind::Host => return self.of_host(),
            Kind::Reconnect => self.of_network(),
            Kind::StreamFaults => match self.chance.below(3) {
                0 => return self.of_host(),
                1 => self.of_network(),
                _ => self.slow_modem(),
            },
            Kind::Noise => self.noise(),
            Kind::Port => self.of_port(),
        };
        self.then(act);
    }

    fn span(&mut self) -> Duration {
        Duration::from_millis(self.chance.pick(&[20, 300, 2_000, 8_000, 12_000]))
    }

    fn of_modem(&mut self) -> Act {
        let (by, command) = (self.span(), 1 + self.chance.below(3) as u32);
        let text = self.chance.pick(&["ERROR", "+CME ERROR: 3", "+CME ERROR: 100", "garbage", "BUSY"]);
        let missing = 1 + self.chance.below(40);
        let way = if self.chance.one_in(2) { Direction::ToHost } else { Direction::FromHost };
        let fault = match self.chance.below(24) {
            0 => fault::LostPrompt.into(),
            1 => fault::LateAnswer { command, by }.into(),
            2 => fault::DetachedAnswer { command, by }.into(),
            3 => fault::LostAnswer { command }.into(),
            // After a refused fetch, a module in manual mode may have discarded the data without a report.
            4 if self.world.mode == ReceiveMode::Push => {
                fault::WrongAnswer { command, text: text.to_owned() }.into()
            }
            5 => fault::CloseMidSend { after: self.chance.below(20) }.into(),
            6 => fault::ShortBody { missing }.into(),
            7 => fault::CutBody { missing }.into(),
            8 => fault::SendFail.into(),
            9 => fault::SilentConnect.into(),
            10 => fault::Deaf { lasting: by }.into(),
            11 => fault::Urc("+CREG: 5".to_owned()).into(),
            12 => fault::LostUrc.into(),
            13 => fault::DoubledUrc.into(),
            14 => fault::LateSend { by }.into(),
            15 => fault::BrownOut { times: 1 + self.chance.below(2) as u32 }.into(),
            16 => fault::StaleConnected.into(),
            17 => fault::Garbage(b"\xf0\x0f\r\n".to_vec()).into(),
            18 => fault::Reboot.into(),
            19 => fault::SplitPiece { direction: way, bytes: missing }.into(),
            20 => fault::MergePieces { direction: way, bytes: missing }.into(),
            21 => fault::DelayPiece { direction: way, by }.into(),
            22 => fault::StallLine { direction: way, lasting: by }.into(),
            _ => return self.of_network(),
        };
        Act::Fault(fault)
    }

    /// A fault that makes the modem slow or silent, without damage.
    fn slow_modem(&mut self) -> Act {
        let (by, command) = (self.span(), 1 + self.chance.below(3) as u32);
        Act::Fault(match self.chance.below(3) {
            0 => fault::LateAnswer { command, by }.into(),
            1 => fault::LostAnswer { command }.into(),
            _ => fault::SilentConnect.into(),
        })
    }

    fn of_network(&mut self) -> Act {
        let connection = self.connection();
        match self.chance.below(10) {
            0 => Act::Control(Control::Reset),
            1 => Act::Control(Control::PdpLost),
            2 => Act::Control(Control::NetworkDown),
            3 => Act::Control(Control::NetworkUp),
            4 => Act::Control(Control::SimRemove),
            5 => Act::Control(Control::SimInsert),
            6 if self.kind == Kind::Modem => Act::ResetBearer,
            _ if self.kind == Kind::Reconnect => Act::Control(Control::PeerClose(self.chance.below(3) as u8)),
            _ => Act::PeerResets { connection },
        }
    }

    fn of_port(&mut self) -> Act {
        match self.chance.below(11) {
            // Replug has no effect on a port that is plugged in.
            0..=2 => Act::Control(Control::Unplug),
            3 | 4 => Act::Control(Control::Replug(None)),
            5 => Act::Control(Control::Replug(Some(format!("ttyUSB{}", self.chance.below(4))))),
            6 => Act::Control(Control::UsbRestart(self.span())),
            7 => Act::Fault(fault::UsbRestart { lasting: self.span() }.into()),
            8 => self.of_network(),
            9 => {
                let imei = format!("86000000000{}", 1_000 + self.chance.below(3));
                Act::Control(Control::Replace(imei))
            }
            _ => Act::Eager(self.chance.one_in(2)),
        }
    }

    fn harm(&mut self, way: Direction) -> Harm {
        match self.chance.below(7) {
            0 => Harm::Lose(self.chance.pick(&[1, 1, 3, 10, 20, 200, 2_000])),
            1 => Harm::Double,
            2 | 3 => Harm::Flip(self.chance.below(8) as u8),
            4 => Harm::Replace(self.chance.pick(b"0918\r\n,:>+\0\xff")),
            5 if way == Direction::ToHost => Harm::Insert(self.chance.pick(&NOISE)),
            5 => Harm::Insert(b"x"),
            _ => Harm::Swap,
        }
    }

    /// Adds one damage of the line, at most one in a run.
    fn one_damage(&mut self) {
        let is_there = self.steps.iter().any(|step| matches!(step.act, Act::Damage(_)));
        if is_there {
            return self.traffic();
        }
        let way = if self.chance.one_in(4) { Direction::FromHost } else { Direction::ToHost };
        let act = self.damage(way);
        self.then(act);
        let (connection, len) = (self.connection(), self.len());
        // Data are under way when the damage strikes.
        self.push(0, Act::Push { connection, len });
        if way == Direction::ToHost && self.chance.one_in(2) {
            for _ in 0..3 {
                let connection = self.connection();
                self.push(0, Act::Push { connection, len: 1_460 });
            }
        }
    }

    fn damage(&mut self, way: Direction) -> Act {
        let harm = self.harm(way);
        let place =
            self.chance.pick(&[Place::Anywhere, Place::Body, Place::Header, Place::Header, Place::Text]);
        let skip = match place {
            Place::Header => self.chance.below(30),
            _ => self.chance.pick(&[0, 1, 2, 5, 17, 60, 700, 1_459]),
        };
        Act::Damage(Damage { way, harm, place, skip })
    }

    fn of_answers(&mut self) -> Act {
        let (by, command) = (self.span(), 1 + self.chance.below(3) as u32);
        match self.chance.below(7) {
            0 => Act::Fault(fault::LateAnswer { command, by }.into()),
            1 => Act::Fault(fault::DetachedAnswer { command, by }.into()),
            2 => Act::Fault(fault::LostAnswer { command }.into()),
            3 => Act::Fault(fault::LateSend { by }.into()),
            other => {
                let harm = match other {
                    4 => Harm::LoseAnswer,
                    5 => Harm::DoubleAnswer,
                    _ => Harm::LateAnswer(by),
                };
                let skip = self.chance.below(4);
                Act::Damage(Damage { way: Direction::ToHost, harm, place: Place::Text, skip })
            }
        }
    }

    fn of_host(&mut self) {
        let connection = self.connection();
        let act = match self.chance.below(8) {
            0 | 1 => Act::Forget { connection },
            2 => {
                self.lost = !self.lost;
                if self.lost { Act::PortLost } else { Act::PortBack }
            }
            3 | 4 => {
                self.stands = !self.stands;
                Act::PortStands(self.stands)
            }
            5 if self.kind == Kind::Host && self.chance.one_in(12) => Act::Control(Control::HangUp),
            _ => {
                let eager = self.chance.one_in(2);
                Act::Eager(eager)
            }
        };
        self.then(act);
    }

    fn noise(&mut self) -> Act {
        let way = if self.chance.one_in(3) { Direction::FromHost } else { Direction::ToHost };
        if self.chance.one_in(4) {
            return self.of_modem();
        }
        self.damage(way)
    }
}
