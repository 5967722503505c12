//! The state of the modem for tests and display.

use std::fmt;

use super::card::Card;
use super::ip::{Channel, ChannelState};
use super::machine::{Machine, Mode};

/// The state of the modem at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// True if it accepts commands: not before `RDY`.
    pub listening: bool,
    /// `READY`, `SIM PIN`, `SIM PUK`; `None` without a card.
    pub sim: Option<&'static str>,
    /// The number in `AT+CREG?`.
    pub registration: u8,
    /// `AT+CGATT?`
    pub attached: bool,
    /// The state in `AT+CIPSTATUS`: `IP INITIAL`, `IP PROCESSING` ...
    pub ip: String,
    /// The use of the serial line.
    pub line: LineState,
    /// Every channel.
    pub channels: Vec<ChannelView>,
}

/// The use of the serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineState {
    /// Command lines.
    Command,
    /// A command runs.
    Running,
    /// Payload after a prompt.
    Payload,
    /// A file after a prompt.
    File,
    /// Transparent data.
    Online,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelView {
    /// The state in a `C:` row: `INITIAL`, `CONNECTED`, `CLOSED` ...
    pub state: &'static str,
    /// The number of its link, if it has one.
    pub link: Option<super::Link>,
    /// Bytes sent by the host on this link.
    pub sent: u64,
    /// Bytes that wait for `AT+CIPRXGET`.
    pub unread: usize,
}

impl State {
    pub(super) fn of(machine: &Machine) -> Self {
        Self {
            listening: machine.radio.listens(),
            sim: match machine.radio.card {
                Card::Absent => None,
                Card::Ready | Card::Locked | Card::Blocked => machine.card_text(),
            },
            registration: machine.radio.registration(&machine.settings),
            attached: machine.radio.attached,
            ip: machine.ip.state_text(&machine.settings.profile),
            line: LineState::of(&machine.mode),
            channels: machine.ip.channels.iter().map(ChannelView::of).collect(),
        }
    }
}

impl fmt::Display for State {
    /// The state for display: one line, and one for each channel that is or was in use.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = if self.listening { "listening" } else { "booting" };
        let (sim, stat) = (self.sim.unwrap_or("no card"), self.registration);
        let line = format!("{:?}", self.line).to_lowercase();
        let attached = if self.attached { "attached" } else { "not attached" };
        write!(f, "{phase}, SIM {sim}, registration {stat}, {attached}, {}, line {line}", self.ip)?;
        for (number, channel) in self.channels.iter().enumerate() {
            if channel.state != "INITIAL" {
                let ChannelView { state, sent, unread, .. } = channel;
                write!(f, "\nchannel {number}: {state}, {sent} bytes sent, {unread} unread")?;
            }
        }
        Ok(())
    }
}

impl LineState {
    fn of(mode: &Mode) -> Self {
        match mode {
            Mode::Command => Self::Command,
            Mode::Running(_) => Self::Running,
            Mode::Payload(_) => Self::Payload,
            Mode::File(_) => Self::File,
            Mode::Online(_) => Self::Online,
        }
    }
}

impl ChannelView {
    fn of(channel: &Channel) -> Self {
        Self {
            state: ChannelState::text(channel.state),
            link: channel.state.link(),
            sent: channel.sent,
            unread: channel.received.len(),
        }
    }
}
