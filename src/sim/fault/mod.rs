//! What can go wrong between the modem and its host, on request or by chance.

mod faults;
mod rule;

pub(super) use faults::{Faults, Passage};
pub use rule::{BadRule, Rule, When};

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
            Self::Garbage(bytes) => write!(f, "garbage={}", bytes.escape_ascii()),
            Self::Reboot => f.write_str("reboot"),
            Self::PdpLost => f.write_str("pdp-lost"),
            Self::NetworkLost => f.write_str("network-lost"),
            Self::SimRemoved => f.write_str("sim-removed"),
            Self::HangUp => f.write_str("hang-up"),
        }
    }
}
