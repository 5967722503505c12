//! The line between modem and host: the damage that it does, and the places of damage.

use std::time::Duration;

use air724ug::sim::Direction;

/// A damage to bytes, which happens once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// This number of bytes is lost.
    Lose(usize),
    /// A byte is doubled.
    Double,
    /// A bit is inverted.
    Flip(u8),
    /// A byte is replaced.
    Replace(u8),
    /// These bytes are inserted.
    Insert(&'static [u8]),
    /// Two bytes are exchanged.
    Swap,
    /// All bytes of one write are lost.
    LoseAnswer,
    /// All bytes of one write come twice.
    DoubleAnswer,
    /// All bytes of one write come later by this span.
    LateAnswer(Duration),
}

/// The place of the damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Anywhere,
    /// In payload.
    Body,
    /// In the line that announces payload.
    Header,
    /// In other text.
    Text,
}

/// One damaged place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    pub way: Direction,
    pub harm: Harm,
    pub place: Place,
    /// The number of bytes or answers of this kind that pass before it.
    pub skip: usize,
}

impl Damage {
    /// The name in the count of faults.
    pub fn name(&self) -> String {
        let harm = match self.harm {
            Harm::Lose(_) => "loses bytes",
            Harm::Double => "doubles a byte",
            Harm::Flip(_) => "flips a bit",
            Harm::Replace(_) => "replaces a byte",
            Harm::Insert(_) => "inserts bytes",
            Harm::Swap => "swaps bytes",
            Harm::LoseAnswer => "loses an answer",
            Harm::DoubleAnswer => "doubles an answer",
            Harm::LateAnswer(_) => "is late with an answer",
        };
        format!("{}, {harm}", self.way)
    }

    /// Whether the damage affects whole answers.
    pub fn is_of_answers(&self) -> bool {
        matches!(self.harm, Harm::LoseAnswer | Harm::DoubleAnswer | Harm::LateAnswer(_))
    }
}

/// The part of the modem's output that a byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Text,
    /// A line that announces payload of this channel, and whether the byte is part of the channel's number.
    Header {
        channel: u8,
        names: bool,
    },
    Body {
        channel: u8,
    },
}

/// A parser of an undamaged module's output.
#[derive(Debug, Default)]
pub struct Grammar {
    line: Vec<u8>,
    body: Option<(u8, usize)>,
}

impl Grammar {
    /// The part that each byte belongs to. A line is recognised only when it is complete, so its first bytes may be
    /// [`Part::Text`] if it comes in pieces.
    pub fn parts(&mut self, bytes: &[u8]) -> Vec<Part> {
        let mut parts = vec![Part::Text; bytes.len()];
        for at in 0..bytes.len() {
            if let Some((channel, left)) = self.body {
                parts[at] = Part::Body { channel };
                self.body = (left > 1).then_some((channel, left - 1));
                continue;
            }
            self.line.push(bytes[at]);
            if bytes[at] != b'\n' {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let Some((channel, len, digit)) = announced(line.trim_ascii_end()) else { continue };
            let from = (at + 1).saturating_sub(line.len());
            for (index, part) in parts[from..=at].iter_mut().enumerate() {
                let names = line.len() == at + 1 - from && index == digit;
                *part = Part::Header { channel, names };
            }
            self.body = (len > 0).then_some((channel, len));
        }
        // A transparent stream has no lines.
        if self.line.len() > 4_096 {
            self.line.clear();
        }
        parts
    }

    /// Begins again after a restart of the modem.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The channel, the length and the place of the channel in `+RECEIVE,1,20:` or `+CIPRXGET: 2,1,20,0`.
fn announced(line: &[u8]) -> Option<(u8, usize, usize)> {
    let text = std::str::from_utf8(line).ok()?;
    let (rest, digit) = match text.strip_prefix("+RECEIVE,") {
        Some(rest) => (rest.strip_suffix(':')?, 9),
        None => {
            let rest = text.strip_prefix("+CIPRXGET:")?;
            let rest = rest.trim_start().strip_prefix("2,")?;
            (rest, text.len() - rest.len())
        }
    };
    let mut fields = rest.split(',');
    let channel = fields.next()?.parse().ok()?;
    let len = fields.next()?.parse().ok()?;
    Some((channel, len, digit))
}

/// Damages bytes at a place. Returns the number of bytes that are still to be lost.
pub fn harmed(harm: Harm, bytes: &mut Vec<u8>, at: usize) -> usize {
    match harm {
        Harm::Lose(count) => {
            let end = bytes.len().min(at + count);
            bytes.drain(at..end);
            return count - (end - at);
        }
        Harm::Double => bytes.insert(at, bytes[at]),
        Harm::Flip(bit) => bytes[at] ^= 1 << (bit % 8),
        Harm::Replace(byte) => bytes[at] = byte,
        Harm::Insert(text) => drop(bytes.splice(at..at, text.iter().copied())),
        Harm::Swap if at + 1 < bytes.len() => bytes.swap(at, at + 1),
        Harm::Swap | Harm::LoseAnswer | Harm::DoubleAnswer | Harm::LateAnswer(_) => {}
    }
    0
}
