//! Marks that a file teaches: what stands in front of commands belongs to one side, what stands in front of answers to the
//! other.
//!
//! The table of marks knows the usual words. A program that prints others, or prints the bytes behind a sentence, in quotes, or
//! in hexadecimal below a heading, is read by the shape of its lines: the text in front of the bytes, with numbers left out.

use std::collections::BTreeMap;

use super::super::layout::Layout;
use super::Line;
use super::notation::{dump, ends_spelled, is_spelled, pairs, unescaped};
use super::stamp::{Stamp, stamp};
use super::survey::{Side, Spelling, Survey};
use super::text::{is_answer, is_command};

/// The lines from which a file is learnt.
const SAMPLE: usize = 3_000;
/// The bytes of a line in which its shape must end.
const REACH: usize = 200;
/// The bytes of a line from which it is learnt.
const LEARNT: usize = 600;

/// The shapes of a file's lines, and the side that each stands for.
#[derive(Debug, Default)]
pub(super) struct LearnedLayout {
    shapes: BTreeMap<Vec<u8>, Shape>,
    /// Bytes stand below a heading.
    headed: bool,
}

/// The count of commands and answers that stand behind one shape.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    lines: usize,
    commands: usize,
    answers: usize,
    hex: usize,
    spelled: usize,
    ended: usize,
    /// Of those, with a line feed.
    fed: usize,
}

/// A line that was read by its shape.
#[derive(Debug)]
pub(super) struct LearnedLine {
    pub(super) stamp: Option<Stamp>,
    pub(super) side: Side,
    pub(super) spelling: Spelling,
    /// The bytes as they are spelled; `None`: this is a heading, and they come below.
    pub(super) text: Option<Vec<u8>>,
}

/// The side that the bytes in a line belong to, by what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Host,
    Modem,
}

impl Shape {
    fn side(&self) -> Side {
        match () {
            () if self.commands > self.answers.saturating_mul(4) => Side::ToModem,
            () if self.answers > 0 && self.answers.saturating_mul(4) >= self.commands => Side::FromModem,
            () => Side::None,
        }
    }

    fn spelling(&self, enclosed: bool) -> Spelling {
        let ended = self.ended > 0;
        match () {
            () if self.hex > 0 && self.hex == self.lines => Spelling::Hex { ended },
            () if enclosed || self.spelled > 0 => Spelling::Escaped { ended },
            () => Spelling::Plain,
        }
    }

    fn add(&mut self, piece: Speaker, bytes: &[u8], spelled: bool, hex: bool) {
        let add = |count: &mut usize, is: bool| *count = count.saturating_add(usize::from(is));
        add(&mut self.lines, true);
        add(&mut self.commands, piece == Speaker::Host);
        add(&mut self.answers, piece == Speaker::Modem);
        add(&mut self.hex, hex);
        add(&mut self.spelled, spelled);
        add(&mut self.ended, bytes.ends_with(b"\n") || bytes.ends_with(b"\r"));
        add(&mut self.fed, bytes.ends_with(b"\n"));
    }
}

impl LearnedLayout {
    /// What a file teaches, if that finds more commands and answers than the table of marks does.
    pub(super) fn of(lines: &[Line<'_>], survey: &Survey) -> Option<Self> {
        let texts: Vec<&[u8]> = lines.iter().map(|line| survey.unframed(line.text)).collect();
        let texts = || texts.iter().copied().filter(|text| !text.trim_ascii().is_empty()).take(SAMPLE);
        let mut learned = Self::default();
        learned.learn_headings(texts());
        if !learned.is_complete() {
            learned = Self::default();
            texts().filter(|text| dump(text).is_none()).for_each(|text| learned.learn(text));
        }
        learned.shapes.retain(|_, shape| shape.side() != Side::None);
        let sampled = texts().count();
        let read = texts().filter(|text| learned.read(text).is_some() || learned.is_below(text)).count();
        let found = learned.shapes.values().map(|shape| shape.commands.saturating_add(shape.answers));
        let found = found.fold(0, usize::saturating_add).saturating_mul(lines.len().max(SAMPLE) / SAMPLE);
        // Half as many again, lest a table that fits be left for a guess.
        let more = found.saturating_mul(2) > survey.found().saturating_mul(3);
        let enough = more && read.saturating_mul(3) >= sampled;
        (learned.is_complete() && enough).then_some(learned)
    }

    pub(super) fn layout(&self) -> Layout {
        if self.headed { Layout::Dump } else { Layout::Marked }
    }

    fn is_complete(&self) -> bool {
        let of = |side| self.shapes.values().filter(move |shape| shape.side() == side);
        let commands = |side| of(side).fold(0_usize, |sum, shape| sum.saturating_add(shape.commands));
        // What comes back of commands is their echo.
        let are_echoes = commands(Side::FromModem) <= commands(Side::ToModem);
        of(Side::ToModem).next().is_some() && of(Side::FromModem).next().is_some() && are_echoes
    }

    /// Whether a line holds bytes that belong to the heading above it.
    pub(super) fn is_below(&self, text: &[u8]) -> bool {
        self.headed && dump(text).is_some()
    }

    /// The side, the spelling and the bytes of a line whose shape is known. The longest shape counts.
    pub(super) fn read(&self, text: &[u8]) -> Option<LearnedLine> {
        if self.headed {
            let shape = self.shapes.get(&shape_of(text))?;
            let spelling = Spelling::Hex { ended: true };
            return Some(LearnedLine { stamp: stamp_in(text), side: shape.side(), spelling, text: None });
        }
        let (at, shape) =
            starts(text).rev().find_map(|at| Some((at, self.shapes.get(&shape_of(&text[..at]))?)))?;
        let (front, rest) = text.split_at(at);
        let inner = enclosed(front, rest);
        let spelling = shape.spelling(inner.is_some());
        let mut shown = undoubled(front, inner.unwrap_or(rest));
        // Where line feeds are never spelled, they are the log's own.
        if shape.side() == Side::FromModem && shape.fed == 0 && ends_spelled(&shown) {
            shown.push(b'\n');
        }
        Some(LearnedLine { stamp: stamp_in(front), side: shape.side(), spelling, text: Some(shown) })
    }

    /// Learns from bytes that stand in a line.
    fn learn(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(LEARNT)];
        for at in starts(text).filter(|at| *at > 0) {
            let (front, rest) = text.split_at(at);
            if rest.first().is_none_or(u8::is_ascii_whitespace) {
                continue;
            }
            let inner = enclosed(front, rest);
            let shown = inner.unwrap_or(rest);
            let hex = dump(shown).or_else(|| pairs(shown)).filter(|bytes| bytes.len() > 1);
            let is_hex = hex.is_some();
            let bytes = hex.unwrap_or_else(|| unescaped(shown));
            if let Some(piece) = piece(&bytes) {
                let spelled = !is_hex && (is_spelled(shown) || ends_spelled(shown));
                return self.shapes.entry(shape_of(front)).or_default().add(piece, &bytes, spelled, is_hex);
            }
        }
    }

    /// Learns from bytes that stand below headings.
    fn learn_headings<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]>) {
        self.headed = true;
        let mut heading = None;
        let mut bytes = Vec::new();
        let mut settle = |heading: Option<&[u8]>, bytes: &mut Vec<u8>| {
            if let (Some(heading), Some(piece)) = (heading, piece(bytes)) {
                self.shapes.entry(shape_of(heading)).or_default().add(piece, bytes, false, true);
            }
            bytes.clear();
        };
        for text in texts {
            match dump(text) {
                Some(more) => bytes.extend_from_slice(&more),
                None => {
                    settle(heading, &mut bytes);
                    heading = Some(text);
                }
            }
        }
        settle(heading, &mut bytes);
    }
}

/// A command, or an answer, with the echo of its command or without.
fn piece(bytes: &[u8]) -> Option<Speaker> {
    let mut lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty());
    let first = lines.next()?;
    match () {
        () if is_command(first.trim_ascii()) => {
            Some(if lines.any(is_answer) { Speaker::Modem } else { Speaker::Host })
        }
        () if is_answer(first) => Some(Speaker::Modem),
        () => None,
    }
}

/// The places in a line where bytes may begin.
fn starts(text: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
    let reach = text.len().min(REACH);
    (0..reach).filter(|at| at.checked_sub(1).is_none_or(|before| !text[before].is_ascii_alphanumeric()))
}

/// A text with each word that has a digit in it as `0`, and one blank for several but at the end.
fn shape_of(text: &[u8]) -> Vec<u8> {
    let mut shape = Vec::new();
    let mut rest = &text[..text.len().min(REACH)];
    while let Some(first) = rest.first() {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric();
        let length = rest.iter().take_while(is_word).count();
        let (word, more) = rest.split_at(length.max(1));
        rest = more;
        match () {
            () if length == 0 && first.is_ascii_whitespace() => {
                let is_middle = !rest.trim_ascii().is_empty();
                if !is_middle || shape.last() != Some(&b' ') {
                    shape.push(b' ');
                }
            }
            () if word.iter().any(u8::is_ascii_digit) => shape.push(b'0'),
            () => shape.extend_from_slice(word),
        }
    }
    shape
}

/// What stands in the quotes or brackets that begin right in front, or of which the end is left: `<Buffer 41 54>`.
fn enclosed<'a>(front: &[u8], rest: &'a [u8]) -> Option<&'a [u8]> {
    const BRACKETS: [(u8, u8); 4] = [(b'(', b')'), (b'<', b'>'), (b'{', b'}'), (b'[', b']')];
    let close = match front.last()? {
        quote @ (b'"' | b'\'' | b'`') => Some(*quote),
        open => BRACKETS.iter().find(|(bracket, _)| bracket == open).map(|(_, close)| *close),
    };
    if let Some(close) = close {
        let end = rest.iter().rposition(|byte| *byte == close)?;
        return Some(&rest[..end]);
    }
    let (last, inner) = rest.split_last()?;
    let (open, _) = BRACKETS.iter().find(|(_, close)| close == last)?;
    (front.contains(open) && !inner.contains(open)).then_some(inner)
}

/// The text of a cell of a table of commas, in which a quote stands twice.
fn undoubled(front: &[u8], text: &[u8]) -> Vec<u8> {
    if !front.ends_with(b",\"") {
        return text.to_vec();
    }
    let mut plain = Vec::with_capacity(text.len());
    for byte in text {
        if *byte == b'"' && plain.last() == Some(&b'"') {
            continue;
        }
        plain.push(*byte);
    }
    plain
}

/// The first stamp in a text.
fn stamp_in(text: &[u8]) -> Option<Stamp> {
    starts(text).find_map(|at| Some(stamp(&text[at..])?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_no_numbers() {
        assert_eq!(shape_of(b"ffff88 35 S Bo:1:005:2 -115   10 = "), b"0 0 S Bo:0:0:0 -0 0 = ");
        assert_eq!(shape_of(b"12:00:00.5 write(3, \""), b"0:0:0.0 write(0, \"");
    }

    #[test]
    fn what_stands_in_quotes_ends_with_the_last_one() {
        assert_eq!(enclosed(b"x\"", b"AT+X=\"a\"\\r\", 3) = 3"), Some(&b"AT+X=\"a\"\\r"[..]));
        assert_eq!(enclosed(b"send (", b"AT^M)"), Some(&b"AT^M"[..]));
        assert_eq!(enclosed(b"<Buffer ", b"41 54>"), Some(&b"41 54"[..]));
        assert_eq!(enclosed(b"x ", b"AT\""), None);
        assert_eq!(undoubled(b"TX,\"", b"a\"\"b\"\""), b"a\"b\"");
    }
}
