//! The modem's side of the serial line: its settings, and the output.

use std::collections::VecDeque;

use super::line::{LineFormat, Paced};
use super::settings::Settings;

/// The most URCs, and their bytes, that are held during a command; beyond it the oldest is dropped (8910 SDK).
const HELD_URCS: usize = 32;
const HELD_URC_BYTES: usize = 2048;

/// The settings of `ATE`, `ATV`, `ATQ` and the port commands.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    /// `ATE`
    pub(super) echo: bool,
    /// `ATV`
    pub(super) verbose: bool,
    /// `ATQ`
    pub(super) quiet: bool,
    /// `AT&D`: the effect of a DTR line that is switched off on transparent data.
    pub(super) on_dtr_off: DtrOff,
    /// `AT+CMEE`
    pub(super) error_format: u8,
    /// `AT+IPR`; 0: automatic.
    pub(super) rate: u32,
    /// `AT+IFC`
    pub(super) flow: (u8, u8),
    /// `AT+ICF`: format, parity.
    pub(super) frame: [u16; 2],
    /// `AT+CSCLK`
    pub(super) sleep: u8,
    /// `AT+WAKETIM`: the idle seconds before sleep.
    pub(super) sleeps_after: u8,
    /// The settings saved by `AT&W`.
    saved: Option<SavedSettings>,
    /// `AT+CFGRI`
    pub(super) ring_indicator: u8,
    /// `AT+CSDT`: 1 if a card that is inserted or removed is reported.
    pub(super) notices_card: u8,
    /// `ATS0`, `ATS7`, `ATS10`
    pub(super) registers: [u8; 3],
}

/// The effect of a DTR line that is switched off on transparent data (manual, AT&D; the default is the 8910 SDK's).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DtrOff {
    /// `AT&D0`
    Nothing,
    /// `AT&D1`: command mode, and the connection stays open.
    #[default]
    Escape,
    /// `AT&D2`: the connection ends.
    HangUp,
}

/// The settings that `AT&W` preserves over a reset (manual: ATE, ATQ, IPR, IFC, ICF, CSDT).
#[derive(Clone, Debug)]
struct SavedSettings {
    echo: bool,
    quiet: bool,
    rate: u32,
    flow: (u8, u8),
    frame: [u16; 2],
    notices_card: u8,
}

impl Terminal {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            echo: settings.echo,
            verbose: true,
            quiet: false,
            on_dtr_off: DtrOff::default(),
            error_format: settings.profile.error_format,
            rate: 0,
            flow: (0, 0),
            // 8N1; the unused parity counts as odd (assumed).
            frame: [3, 0],
            sleep: 0,
            sleeps_after: 1,
            saved: None,
            ring_indicator: 0,
            // V.250 gives no common values of S7 and S10; these are suitable, and no call ever comes.
            registers: [0, 60, 15],
            notices_card: 1,
        }
    }

    /// `AT&W`
    pub(super) fn save(&mut self) {
        let Self { echo, quiet, rate, flow, frame, notices_card, .. } = *self;
        self.saved = Some(SavedSettings { echo, quiet, rate, flow, frame, notices_card });
    }

    /// The settings after a reset or `ATZ`: the saved values, otherwise the factory's.
    pub(super) fn restored(&self, settings: &Settings) -> Self {
        let fresh = Self { saved: self.saved.clone(), ..Self::new(settings) };
        match self.saved.clone() {
            None => fresh,
            Some(SavedSettings { echo, quiet, rate, flow, frame, notices_card }) => {
                Self { echo, quiet, rate, flow, frame, notices_card, ..fresh }
            }
        }
    }

    /// `AT&F`: the settings of the factory. Saved settings remain until the next `AT&W`.
    pub(super) fn factory(&self, settings: &Settings) -> Self {
        Self { saved: self.saved.clone(), ..Self::new(settings) }
    }

    /// True if the rate is fixed, so that none is detected at power-on.
    pub(super) fn has_rate(&self) -> bool {
        self.rate > 0
    }

    /// The format of the line. A line without a rate stays without one, as its user has set it.
    pub(super) fn line_format(&self, settings: &Settings) -> LineFormat {
        let rate = settings.baud.map(|host| if self.rate > 0 { self.rate } else { host });
        // Start, eight data bits and: two stop bits, parity and stop bit, one stop bit (manual, ICF).
        let bits_per_byte = if self.frame[0] == 3 { 10 } else { 11 };
        LineFormat { rate, bits_per_byte }
    }
}

/// The output that waits for the line.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) line: Paced,
    held: VecDeque<String>,
    held_bytes: usize,
}

impl Outbox {
    pub(super) fn new(baud: Option<u32>) -> Self {
        Self { line: Paced::new(baud), held: VecDeque::new(), held_bytes: 0 }
    }

    /// Holds a URC. Returns the number of URCs that were dropped for it.
    pub(super) fn hold(&mut self, text: &str) -> usize {
        self.held_bytes += text.len();
        self.held.push_back(text.to_owned());
        let mut dropped = 0;
        while self.held.len() > HELD_URCS || (self.held_bytes > HELD_URC_BYTES && self.held.len() > 1) {
            self.release();
            dropped += 1;
        }
        dropped
    }

    /// Removes the oldest held URC.
    pub(super) fn release(&mut self) -> Option<String> {
        let text = self.held.pop_front()?;
        self.held_bytes -= text.len();
        Some(text)
    }

    pub(super) fn forget_held(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_too_many_held_urcs_is_dropped() {
        let mut outbox = Outbox::new(None);
        let dropped: usize = (0..40).map(|n| outbox.hold(&n.to_string())).sum();
        assert_eq!(dropped, 8);
        assert_eq!(outbox.release().as_deref(), Some("8"));
        outbox.hold(&"x".repeat(2047));
        assert_eq!(outbox.release().map(|text| text.len()), Some(2047));
    }
}
