//! What can go wrong between the modem and its host, on request or by chance.

mod faults;
mod rule;
mod wire;

pub(super) use faults::{Faults, Passage};
pub use rule::{BadRule, Rule, When};
pub(super) use wire::Wire;
pub use wire::{Disturbance, Way};

use std::fmt;
use std::time::Duration;

/// One thing that goes wrong. Given with [`Control::Fault`](super::Control::Fault) it strikes at the next opportunity;
/// in a [`Rule`] at a moment or by chance.
///
/// Commands are counted in command lines: 1 is the next one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The next prompt is not printed; the modem waits for the payload all the same.
    LostPrompt,
    /// A command runs this much later. The modem does nothing else meanwhile: commands that come wait behind it.
    LateAnswer {
        /// Which command.
        command: u32,
        /// How much later.
        by: Duration,
    },
    /// A command runs at once, but its answer comes this much later, between the answers to other commands: worse than
    /// any capture, and what a host that counts its answers does not survive.
    DetachedAnswer {
        /// Which command.
        command: u32,
        /// How much later.
        by: Duration,
    },
    /// A command runs, and its answer is never printed (capture s13: the echo alone).
    LostAnswer {
        /// Which command.
        command: u32,
    },
    /// A command runs, and this line is printed instead of its answer.
    WrongAnswer {
        /// Which command.
        command: u32,
        /// The line.
        text: String,
    },
    /// The peer's connection breaks when the modem has this many bytes of the next payload: `SEND FAIL` and `CLOSED`, and
    /// what the host still writes is taken for commands.
    CloseMidSend {
        /// How many bytes have come.
        after: usize,
    },
    /// The body of the next received data is this many bytes shorter than its header says (capture s07).
    ShortBody {
        /// How many bytes are missing.
        missing: usize,
    },
    /// As [`ShortBody`](Self::ShortBody), and the `OK` of the read that it belongs to does not come either (capture s07).
    CutBody {
        /// How many bytes are missing.
        missing: usize,
    },
    /// The next payload is not sent: `SEND FAIL`, and the link stays (captures s01, s06).
    SendFail,
    /// The next connect is not answered: `CONNECT FAIL` when the module's own time is up (capture s04, 75 s), nothing
    /// before (a29).
    SilentConnect,
    /// The modem hears nothing for this long: not even an echo comes (capture s02).
    Deaf {
        /// How long.
        lasting: Duration,
    },
    /// Something happens to the bytes on their way, below all grammar.
    Wire(Way, Disturbance),
    /// This unsolicited line is printed before the next line of the modem, whatever that belongs to: also in the middle
    /// of an answer.
    Urc(String),
    /// The next unsolicited line is not printed (firmware before V838 forgot `CLOSED`).
    LostUrc,
    /// The next unsolicited line is printed twice (firmware V301831 reported `+CPIN: READY` twice).
    DoubledUrc,
    /// The result of the next send comes this much later, after an empty line in its place; the command line is free
    /// meanwhile (clients.md).
    LateSend {
        /// How much later.
        by: Duration,
    },
    /// The supply breaks down: the modem reboots this many times, each time soon after its banner.
    BrownOut {
        /// How often.
        times: u32,
    },
    /// Every open link dies without a word; the modem goes on saying `CONNECTED` and takes what is sent (capture s10).
    StaleConnected,
    /// These bytes appear on the line, whatever it carries: noise, a wrong rate (capture s05).
    Garbage(Vec<u8>),
    /// The modem reboots.
    Reboot,
    /// The bearer is lost.
    PdpLost,
    /// The cell is lost.
    NetworkLost,
    /// The card is pulled out.
    SimRemoved,
    /// The port vanishes.
    HangUp,
}

impl Fault {
    /// Whether it has an opportunity of its own: everything else strikes with a command line.
    fn waits_for_its_own(&self) -> bool {
        match self {
            Self::LostPrompt
            | Self::ShortBody { .. }
            | Self::CutBody { .. }
            | Self::SendFail
            | Self::SilentConnect
            | Self::CloseMidSend { .. }
            | Self::Wire(..)
            | Self::Urc(_)
            | Self::LostUrc
            | Self::DoubledUrc
            | Self::LateSend { .. } => true,
            Self::LateAnswer { .. }
            | Self::DetachedAnswer { .. }
            | Self::LostAnswer { .. }
            | Self::WrongAnswer { .. }
            | Self::Garbage(_)
            | Self::Reboot
            | Self::PdpLost
            | Self::NetworkLost
            | Self::SimRemoved
            | Self::HangUp
            | Self::BrownOut { .. }
            | Self::Deaf { .. }
            | Self::StaleConnected => false,
        }
    }
}

impl fmt::Display for Fault {
    /// As in a rule: `lost-prompt`, `late-answer=1500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostPrompt => f.write_str("lost-prompt"),
            Self::LateAnswer { by, .. } => write!(f, "late-answer={}ms", by.as_millis()),
            Self::DetachedAnswer { by, .. } => write!(f, "detached-answer={}ms", by.as_millis()),
            Self::LostAnswer { .. } => f.write_str("lost-answer"),
            Self::WrongAnswer { text, .. } => write!(f, "wrong-answer={text}"),
            Self::CloseMidSend { after } => write!(f, "close-mid-send={after}"),
            Self::ShortBody { missing } => write!(f, "short-body={missing}"),
            Self::CutBody { missing } => write!(f, "cut-body={missing}"),
            Self::SendFail => f.write_str("send-fail"),
            Self::SilentConnect => f.write_str("silent-connect"),
            Self::Deaf { lasting } => write!(f, "deaf={}ms", lasting.as_millis()),
            Self::Wire(way, disturbance) => disturbance.show(*way, f),
            Self::Urc(text) => write!(f, "urc={text}"),
            Self::LostUrc => f.write_str("lost-urc"),
            Self::DoubledUrc => f.write_str("doubled-urc"),
            Self::LateSend { by } => write!(f, "late-send={}ms", by.as_millis()),
            Self::BrownOut { times } => write!(f, "brown-out={times}"),
            Self::StaleConnected => f.write_str("stale-connected"),
            Self::Garbage(bytes) => write!(f, "garbage={}", bytes.escape_ascii()),
            Self::Reboot => f.write_str("reboot"),
            Self::PdpLost => f.write_str("pdp-lost"),
            Self::NetworkLost => f.write_str("network-lost"),
            Self::SimRemoved => f.write_str("sim-removed"),
            Self::HangUp => f.write_str("hang-up"),
        }
    }
}
