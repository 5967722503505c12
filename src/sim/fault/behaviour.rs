//! The behaviour of a fault: its spelling, its occasions, its effects.

use std::time::Duration;

use super::direction::Direction;
use super::values::BadRule;
use crate::sim::output_kind::OutputKind;
use crate::sim::rng::Rng;
use crate::time::Timestamp;

/// The spelling of a fault in a rule.
pub(in crate::sim) trait Spelling: Sized {
    /// `late-answer`
    const NAME: &'static str;
    /// The form, with an example of its value, `late-answer=2s`. BYTES, TIMES and TEXT stand for a value, DIRECTION for
    /// `to-host` or `from-host`.
    const FORM: &'static str;
    /// True if the value is text, which may contain the characters before a time or a probability.
    const TAKES_TEXT: bool = false;

    /// Parses the text after `=`, which may be empty.
    fn parse(value: &str) -> Result<Self, BadRule>;

    /// The value after `=`.
    fn value(&self) -> Option<String> {
        None
    }
}

/// The occasion at which a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Occasion {
    /// At once, or at its time; in a rule with a probability, with a command line. See [`Behaviour::strike`].
    Now,
    /// With a command line, to change its answer. See [`Behaviour::answer`].
    Answer,
    /// When one of its other hooks is called.
    Hook,
}

/// The effects of a fault. Each method is a hook; by default it does nothing.
pub(in crate::sim) trait Behaviour {
    /// The occasion at which it strikes.
    fn occasion(&self) -> Occasion {
        Occasion::Now
    }

    /// Counts the command line that begins. Returns true if the fault strikes it.
    fn is_counted_down(&mut self) -> bool {
        true
    }

    /// Changes the answer of the command line.
    fn answer(&self, answer: &mut Answer) {
        let _ = answer;
    }

    /// Acts on the modem.
    fn strike(&self, modem: &mut dyn FaultTarget) {
        let _ = modem;
    }

    /// The kind of output that it changes.
    fn prints(&self) -> Option<OutputKind> {
        None
    }

    /// The pieces that replace a piece of that output.
    fn print(&self, piece: Vec<u8>) -> Vec<Vec<u8>> {
        vec![piece]
    }

    /// An unsolicited line to print before the next line.
    fn line_before(&self) -> Option<&str> {
        None
    }

    /// The missing part of a body of received data.
    fn cuts_body(&self) -> Option<BodyCut> {
        None
    }

    /// True if the complete payload is not sent.
    fn fails_send(&self) -> bool {
        false
    }

    /// The delay of the result of the send that begins now.
    fn delays_send(&self) -> Option<Duration> {
        None
    }

    /// The number of bytes after which a payload loses its link.
    fn breaks_payload_after(&self) -> Option<usize> {
        None
    }

    /// True if the connect that begins now is never answered.
    fn silences_connect(&self) -> bool {
        false
    }

    /// True if it strikes single bytes of this direction, independent of their meaning.
    fn disturbs_bytes(&self, direction: Direction) -> bool {
        let _ = direction;
        false
    }

    /// The bytes that replace a byte.
    fn byte(&self, byte: u8, rng: &mut Rng) -> Vec<u8> {
        let _ = rng;
        vec![byte]
    }

    /// True if it strikes pieces of this direction: bytes that arrive together.
    fn disturbs_pieces(&self, direction: Direction) -> bool {
        let _ = direction;
        false
    }

    /// Changes the transmission of a piece.
    fn piece(&self, now: Timestamp, piece: &mut Transit) {
        let _ = (now, piece);
    }
}

/// The fate of the answer to a command line.
#[derive(Debug)]
pub(in crate::sim) struct Answer {
    /// The delay of the command.
    pub(in crate::sim) later: Duration,
    pub(in crate::sim) fate: Fate,
}

/// The fate of the lines of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sim) enum Fate {
    /// They are printed.
    Whole,
    /// They are not printed.
    Lost,
    /// They are delayed by this time, and come between those of other answers.
    Detached(Duration),
    /// This line is printed instead.
    Replaced(String),
}

/// The missing part of a body of received data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct BodyCut {
    /// The number of missing bytes.
    pub(in crate::sim) missing: usize,
    /// True if the rest of the answer is lost, too.
    pub(in crate::sim) ends_answer: bool,
}

/// The transmission of a piece over the line.
#[derive(Debug)]
pub(in crate::sim) struct Transit {
    /// The piece arrives in parts of this number of bytes.
    pub(in crate::sim) part: usize,
    /// The earliest time of its arrival.
    pub(in crate::sim) at: Timestamp,
    /// Later bytes join the piece, up to this number in total; 0: none.
    pub(in crate::sim) merges_up_to: usize,
    /// No bytes arrive before this time.
    pub(in crate::sim) stalled_until: Timestamp,
}

/// The calls by which a fault acts on a modem.
pub(in crate::sim) trait FaultTarget {
    /// Loses all settings, and boots.
    fn reboot(&mut self);
    /// Interrupts the supply: the modem reboots this number of times, each time soon after the banner.
    fn brown_out(&mut self, times: u32);
    /// Loses the bearer.
    fn lose_bearer(&mut self);
    /// Loses the cell.
    fn lose_cell(&mut self);
    /// Removes the card.
    fn remove_card(&mut self);
    /// Removes the port. The modem continues.
    fn unplug(&mut self);
    /// Brings the port back.
    fn replug(&mut self);
    /// Reboots the modem, and removes its port for this time.
    fn restart_usb(&mut self, lasting: Duration);
    /// Removes the port for good.
    fn hang_up(&mut self);
    /// Loses the bytes that the host writes in this time.
    fn deafen(&mut self, lasting: Duration);
    /// Ends open links without the modem's knowledge.
    fn kill_links_silently(&mut self);
    /// Puts bytes on the line to the host.
    fn put_on_line(&mut self, bytes: &[u8]);
}
