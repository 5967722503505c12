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
    /// With an example of its value, `late-answer=2s`. BYTES, TIMES and TEXT stand for a value, DIRECTION for `to-host` or
    /// `from-host`.
    const FORM: &'static str;
    /// Whether the value is text, which may hold the signs that begin a moment or a probability.
    const TAKES_TEXT: bool = false;

    /// From what stands behind `=`; empty if nothing does.
    fn parse(value: &str) -> Result<Self, BadRule>;

    /// The value behind `=`.
    fn value(&self) -> Option<String> {
        None
    }
}

/// The occasion at which a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Occasion {
    /// At once, or at its moment; by chance with a command line. See [`Behaviour::strike`].
    Now,
    /// With a command line, whose answer it changes. See [`Behaviour::answer`].
    Answer,
    /// When one of its other hooks is asked.
    Hook,
}

/// The effects of a fault. Each method is a hook; one that a fault does not implement does nothing.
pub(in crate::sim) trait Behaviour {
    /// The occasion at which it strikes.
    fn occasion(&self) -> Occasion {
        Occasion::Now
    }

    /// A command line begins; whether it is the one that is meant.
    fn is_counted_down(&mut self) -> bool {
        true
    }

    /// Changes the answer of the command line.
    fn answer(&self, answer: &mut Answer) {
        let _ = answer;
    }

    /// Does something to the modem.
    fn strike(&self, modem: &mut dyn FaultTarget) {
        let _ = modem;
    }

    /// The output that it changes.
    fn prints(&self) -> Option<OutputKind> {
        None
    }

    /// The pieces that are printed in place of a piece of that output.
    fn print(&self, piece: Vec<u8>) -> Vec<Vec<u8>> {
        vec![piece]
    }

    /// An unsolicited line before the line that is printed now.
    fn line_before(&self) -> Option<&str> {
        None
    }

    /// The part that is missing in a body of received data.
    fn cuts_body(&self) -> Option<BodyCut> {
        None
    }

    /// Whether the payload that is complete now is not sent.
    fn fails_send(&self) -> bool {
        false
    }

    /// The delay of the result of the send that begins now.
    fn delays_send(&self) -> Option<Duration> {
        None
    }

    /// After how many bytes the payload that begins now loses its link.
    fn breaks_payload_after(&self) -> Option<usize> {
        None
    }

    /// Whether the connect that begins now is never answered.
    fn silences_connect(&self) -> bool {
        false
    }

    /// Whether it strikes single bytes of this direction, below all grammar.
    fn disturbs_bytes(&self, direction: Direction) -> bool {
        let _ = direction;
        false
    }

    /// The bytes that come in place of a byte.
    fn byte(&self, byte: u8, rng: &mut Rng) -> Vec<u8> {
        let _ = rng;
        vec![byte]
    }

    /// Whether it strikes pieces of this direction: what arrives together.
    fn disturbs_pieces(&self, direction: Direction) -> bool {
        let _ = direction;
        false
    }

    /// Changes how a piece passes.
    fn piece(&self, now: Timestamp, piece: &mut Transit) {
        let _ = (now, piece);
    }
}

/// The fate of the answer to a command line.
#[derive(Debug)]
pub(in crate::sim) struct Answer {
    /// How much later the command runs.
    pub(in crate::sim) later: Duration,
    pub(in crate::sim) fate: Fate,
}

/// The fate of the lines of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sim) enum Fate {
    /// They are printed.
    Whole,
    /// They are not.
    Lost,
    /// They come this much later, between those of other answers.
    Detached(Duration),
    /// This line is printed in their place.
    Replaced(String),
}

/// The part that is missing in a body of received data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct BodyCut {
    /// How many bytes.
    pub(in crate::sim) missing: usize,
    /// Whether the rest of the answer is lost, too.
    pub(in crate::sim) ends_answer: bool,
}

/// The passage of a piece over the line.
#[derive(Debug)]
pub(in crate::sim) struct Transit {
    /// It arrives in parts of this many bytes.
    pub(in crate::sim) part: usize,
    /// It does not arrive before.
    pub(in crate::sim) at: Timestamp,
    /// It takes in what comes behind it, up to this many bytes; 0: nothing.
    pub(in crate::sim) merges_up_to: usize,
    /// Nothing passes before.
    pub(in crate::sim) stalled_until: Timestamp,
}

/// The calls by which a fault acts on a modem.
pub(in crate::sim) trait FaultTarget {
    /// Everything is forgotten, the boot begins.
    fn reboot(&mut self);
    /// The supply breaks down: this many reboots, each soon after the banner.
    fn brown_out(&mut self, times: u32);
    /// The network ends the bearer.
    fn lose_bearer(&mut self);
    /// The cell is gone.
    fn lose_cell(&mut self);
    /// The card is pulled out.
    fn remove_card(&mut self);
    /// The port vanishes, and the modem lives on.
    fn unplug(&mut self);
    /// The port is back.
    fn replug(&mut self);
    /// The modem reboots, and its port is gone for this long.
    fn restart_usb(&mut self, lasting: Duration);
    /// The port vanishes for good.
    fn hang_up(&mut self);
    /// Bytes that the host writes in this span are lost.
    fn deafen(&mut self, lasting: Duration);
    /// Open links die, and the modem does not notice.
    fn kill_links_silently(&mut self);
    /// Bytes appear on the line to the host.
    fn put_on_line(&mut self, bytes: &[u8]);
}
