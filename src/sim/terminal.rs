//! The modem's side of the serial line: what the host sees of commands, and the way out.

use std::collections::VecDeque;

use super::line::Paced;
use super::settings::Settings;

/// URCs held back during a command: this many, or this many bytes; the oldest is dropped (8910 SDK).
const HELD_URCS: usize = 32;
const HELD_URC_BYTES: usize = 2048;

/// What `ATE`, `ATV`, `ATQ` and the port commands set.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    /// `ATE`
    pub(super) echo: bool,
    /// `ATV`
    pub(super) verbose: bool,
    /// `ATQ`
    pub(super) quiet: bool,
    /// `AT+CMEE`
    pub(super) error_format: u8,
    /// `AT+IPR`; 0: automatic.
    pub(super) rate: u32,
    /// `AT+IFC`
    pub(super) flow: (u8, u8),
    /// `AT+ICF`
    pub(super) frame: (u8, u8),
    /// `AT+CSCLK`
    pub(super) sleep: u8,
    /// `AT+CFGRI`
    pub(super) ring_indicator: u8,
}

impl Terminal {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            echo: settings.echo,
            verbose: true,
            quiet: false,
            error_format: settings.profile.error_format,
            rate: 0,
            flow: (0, 0),
            frame: (3, 3),
            sleep: 0,
            ring_indicator: 0,
        }
    }
}

/// What a piece of output is, so that a fault can pick its victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Typed characters sent back.
    Echo,
    /// An information line of an answer.
    Info,
    /// A line that ends an answer, `SEND OK` and its like included.
    Final,
    /// `> `
    Prompt,
    /// An unsolicited line.
    Urc,
    /// Received bytes, with their header.
    Data,
}

/// Where output waits for the line.
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

    /// Keeps a URC for later; answers how many had to go for it.
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

    /// The oldest URC held.
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
