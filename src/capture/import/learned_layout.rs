//! Marks that are learned from a file: the text in front of commands belongs to one side, the text in front of answers
//! to the other.
//!
//! The table of marks has the usual words. A program may print other words, or print the bytes after a sentence, in
//! quotes, or in hexadecimal below a heading. Its file is read by the shape of the lines: the text in front of the
//! bytes, without the numbers.

use std::collections::BTreeMap;

use super::super::layout::Layout;
use super::Line;
use super::marks::Marks;
use super::notation::{dump, ends_spelled, is_list, is_spelled, pairs, single, unescaped, unlisted};
use super::shape::{shape_of, starts};
use super::stamp::{Stamp, stamp};
use super::survey::{Side, Survey};
use super::tally::Spelling;
use super::text::{find, is_answer, is_command};

/// The number of lines that are used to learn.
const SAMPLE: usize = 3_000;
/// The fewest commands and answers from which a layout of bytes within lines is learned.
const FEW: usize = 4;
/// The number of closing quotes or brackets of a line, from its end, of which one may end the bytes.
const TAILS: usize = 64;
/// The bytes of a line that are used to learn.
pub(super) const LEARNT: usize = 600;

/// The shapes of a file's lines, and the side that each stands for.
#[derive(Debug, Default)]
pub(super) struct LearnedLayout {
    shapes: BTreeMap<Vec<u8>, Shape>,
    form: Form,
    /// Whether words with digits distinguish the sides: `/dev/ttyS0`.
    named: bool,
}

/// The place of the bytes in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    /// In a line, after its shape.
    #[default]
    Inline,
    /// Below a heading.
    Headed,
    /// One byte at the end of each line.
    Single,
}

/// The number of commands and answers after one shape.
#[derive(Debug, Clone, Default)]
struct Shape {
    lines: usize,
    commands: usize,
    answers: usize,
    hex: usize,
    spelled: usize,
    ended: usize,
    /// The number of those that end with a line feed.
    fed: usize,
    /// The texts after the bytes, from a quote on: `", 4096) = 14`.
    tails: BTreeMap<Vec<u8>, usize>,
}

/// A line that was read by its shape.
#[derive(Debug)]
pub(super) struct LearnedLine {
    pub(super) stamp: Option<Stamp>,
    pub(super) side: Side,
    pub(super) spelling: Spelling,
    /// The bytes in their notation; `None` for a heading, whose bytes come below.
    pub(super) text: Option<Vec<u8>>,
    /// Whether the program left out the rest.
    pub(super) is_cut: bool,
}

/// The side that the bytes in a line belong to, by their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
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
            () if enclosed || self.spelled.saturating_mul(2) >= self.lines => Spelling::Escaped { ended },
            () => Spelling::Plain,
        }
    }

    /// The text after the bytes in most lines.
    fn tail(&self) -> Option<&[u8]> {
        let usual =
            self.tails.iter().filter(|(_, count)| count.saturating_mul(4) > self.lines.saturating_mul(3));
        usual.map(|(tail, _)| tail.as_slice()).max_by_key(|tail| tail.len())
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
    /// The layout of a file, if it finds clearly more commands and answers than the table of marks does.
    pub(super) fn of(lines: &[Line<'_>], survey: &Survey) -> Option<Self> {
        let texts: Vec<&[u8]> = lines.iter().map(|line| survey.unframed(line.text)).collect();
        let texts = || texts.iter().copied().filter(|text| !text.trim_ascii().is_empty()).take(SAMPLE);
        let attempts =
            [(Form::Headed, false), (Form::Headed, true), (Form::Single, false), (Form::Inline, false)];
        let learned = attempts.into_iter().map(|(form, named)| {
            let mut learned = Self { shapes: BTreeMap::new(), form, named };
            match form {
                Form::Headed => learned.learn_headings(texts()),
                Form::Single => learned.learn_bytes(texts()),
                Form::Inline => {
                    texts().filter(|text| dump(text).is_none()).for_each(|text| learned.learn(text));
                }
            }
            learned
        });
        let mut learned = learned.into_iter().find(Self::is_complete)?;
        learned.shapes.retain(|_, shape| shape.side() != Side::None);
        let sampled = texts().count();
        let (mut read, mut answered, mut last) = (0_usize, 0_usize, Side::None);
        let (mut ended, mut fed, mut received) = (0_usize, 0_usize, 0_usize);
        for text in texts() {
            let line = learned.read(text);
            let side = line.as_ref().map(|line| line.side);
            // Only reads that end at the end of a line show whether line ends are shown.
            if let Some(shown) = line.and_then(|line| line.text).filter(|_| side == Some(Side::FromModem)) {
                let is_ended = ends_spelled(shown.strip_suffix(b"\n").unwrap_or(&shown));
                let is_fed = ends_spelled(&shown) && unescaped(&shown).ends_with(b"\n");
                ended = ended.saturating_add(usize::from(is_ended));
                fed = fed.saturating_add(usize::from(is_fed));
                received = received.saturating_add(1);
            }
            read = read.saturating_add(usize::from(side.is_some() || learned.below(text).is_some()));
            answered =
                answered.saturating_add(usize::from(last == Side::ToModem && side == Some(Side::FromModem)));
            last = side.unwrap_or(last);
        }
        for shape in learned.shapes.values_mut().filter(|shape| shape.side() == Side::FromModem) {
            // One line of payload may end so.
            let is_usual = |count: usize| count > 1 || count.saturating_mul(4) > received;
            shape.ended = shape.ended.max(usize::from(is_usual(ended)));
            shape.fed = shape.fed.max(usize::from(is_usual(fed)));
        }
        // A script names commands and answers, too, but few answers follow a command.
        let is_talk = answered.saturating_mul(2) >= learned.commands(Side::ToModem);
        let found = learned.shapes.values().map(|shape| shape.commands.saturating_add(shape.answers));
        let found = found.fold(0, usize::saturating_add);
        let enough = (found >= FEW || learned.form != Form::Inline) && read.saturating_mul(3) >= sampled;
        (enough && is_talk).then_some(learned)
    }

    pub(super) fn layout(&self) -> Layout {
        if self.form == Form::Inline { Layout::Marked } else { Layout::Dump }
    }

    fn is_complete(&self) -> bool {
        let has = |side| self.shapes.values().any(|shape| shape.side() == side);
        has(Side::ToModem) && has(Side::FromModem)
    }

    /// The number of commands after the shapes of a side.
    fn commands(&self, side: Side) -> usize {
        let of_side = self.shapes.values().filter(|shape| shape.side() == side);
        of_side.fold(0, |sum, shape| sum.saturating_add(shape.commands))
    }

    /// The bytes of a line that belongs to the heading above it.
    pub(super) fn below(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.form == Form::Headed { fronted_dump(text) } else { None }
    }

    /// Whether the bytes below a heading include their line ends.
    pub(super) fn is_ended(&self) -> bool {
        self.shapes.values().any(|shape| shape.ended > 0)
    }

    /// Reads a line whose shape is known.
    pub(super) fn read(&self, text: &[u8]) -> Option<LearnedLine> {
        let bytes = |front, shape: &Shape, text| {
            let spelling = Spelling::Hex { ended: true };
            LearnedLine { stamp: stamp_in(front), side: shape.side(), spelling, text, is_cut: false }
        };
        if self.form == Form::Headed {
            return Some(bytes(text, self.shapes.get(&self.shape_of(text))?, None));
        }
        if self.form == Form::Single {
            let (front, byte) = single(text)?;
            let shape = self.shapes.get(&self.shape_of(front))?;
            return Some(bytes(front, shape, Some(format!("{byte:02x}").into_bytes())));
        }
        // Bytes after an opening quote come first. Otherwise the most frequent shape counts, and of equally frequent
        // shapes the longest.
        let known = |at: usize| Some((at, self.shapes.get(&self.shape_of(&text[..at]))?));
        let opened = starts(text).filter(|at| closing(&text[..*at]).is_some()).find_map(known);
        let usual =
            || starts(text).chain([text.len()]).filter_map(known).max_by_key(|(_, shape)| shape.lines);
        let (at, shape) = opened.or_else(usual)?;
        let (front, rest) = text.split_at(at);
        let inner = enclosed(front, rest, shape.tail());
        let spelling = shape.spelling(inner.is_some());
        let inner = inner.unwrap_or(rest);
        let is_cut = rest.get(inner.len()..).is_some_and(|tail| find(tail, b"...").is_some_and(|at| at < 2));
        let mut shown = undoubled(front, &unlisted(front, inner));
        // Where line feeds are never shown, each belongs to a line of the log. A result needs no line end if its reader
        // stops before it.
        if shape.side() == Side::FromModem && shape.fed == 0 {
            match ends_spelled(&shown) {
                true => shown.push(b'\n'),
                false if shape.ended > 0 && is_answer(&shown) => shown.extend_from_slice(b"\r\n"),
                false => {}
            }
        }
        Some(LearnedLine { stamp: stamp_in(front), side: shape.side(), spelling, text: Some(shown), is_cut })
    }

    fn shape_of(&self, text: &[u8]) -> Vec<u8> {
        shape_of(text, self.named)
    }

    /// Learns from a line that contains bytes.
    fn learn(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(LEARNT)];
        for at in starts(text).filter(|at| *at > 0) {
            let (front, rest) = text.split_at(at);
            if rest.first().is_none_or(u8::is_ascii_whitespace) {
                continue;
            }
            let inner = enclosed(front, rest, None);
            let shown = unlisted(front, inner.unwrap_or(rest));
            let hex = dump(&shown).or_else(|| pairs(&shown)).filter(|bytes| bytes.len() > 1);
            let is_hex = hex.is_some();
            let bytes = hex.unwrap_or_else(|| unescaped(&shown));
            if let Some(piece) = piece(&bytes) {
                let spelled = !is_hex && (is_spelled(&shown) || ends_spelled(&shown));
                let shape = self.shapes.entry(shape_of(front, self.named)).or_default();
                if inner.is_some() {
                    for tail in tails(front, rest) {
                        let count = shape.tails.entry(shape_of(tail, false)).or_default();
                        *count = count.saturating_add(1);
                    }
                }
                return shape.add(piece, &bytes, spelled, is_hex);
            }
        }
    }

    /// Learns from bytes below headings.
    fn learn_headings<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]>) {
        let mut heading = None;
        let mut bytes = Vec::new();
        for text in texts {
            match fronted_dump(text) {
                Some(more) => bytes.extend_from_slice(&more),
                None => {
                    self.settle(heading, &mut bytes);
                    heading = Some(self.shape_of(text));
                }
            }
        }
        self.settle(heading, &mut bytes);
    }

    /// Learns from lines with one byte each.
    fn learn_bytes<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]>) {
        let mut front = None;
        let mut bytes = Vec::new();
        for text in texts {
            let Some((other, byte)) = single(text) else { continue };
            let other = Some(self.shape_of(other));
            if other != front {
                self.settle(front.take(), &mut bytes);
            }
            front = other;
            bytes.push(byte);
        }
        self.settle(front, &mut bytes);
    }

    fn settle(&mut self, shape: Option<Vec<u8>>, bytes: &mut Vec<u8>) {
        if let (Some(shape), Some(piece)) = (shape, piece(bytes)) {
            self.shapes.entry(shape).or_default().add(piece, bytes, false, true);
        }
        bytes.clear();
    }
}

/// The lines without the text at the start of all of them, commands and answers alike: a stamp of an unknown kind, or
/// other text of a terminal. `None` if the lines have no such text.
pub(super) fn unfronted<'a>(lines: &[Line<'a>], survey: &Survey, marks: &Marks) -> Option<Vec<Line<'a>>> {
    let texts = || lines.iter().map(|line| line.text).filter(|text| !text.trim_ascii().is_empty());
    let is_wire = |text: &[u8]| piece(text).is_some();
    let mut fronts: BTreeMap<Vec<u8>, Shape> = BTreeMap::new();
    let mut plain = 0_usize;
    for text in texts().take(SAMPLE) {
        let stripped = survey.strip(text, marks, usize::MAX);
        // A stamp of a known kind is kept, and the text after it is not examined here.
        if is_wire(if stripped.stamp.is_some() { stripped.core } else { stripped.text }.trim_ascii()) {
            plain = plain.saturating_add(1);
            continue;
        }
        let begins = |at: &usize| !text[*at..].starts_with(b" ") && !text[*at..].starts_with(b"\t");
        let found = starts(text).filter(begins).find_map(|at| Some((at, piece(&text[at..])?)));
        if let Some((at, piece)) = found {
            fronts.entry(shape_of(&text[..at], false)).or_default().add(piece, b"", false, false);
        }
    }
    let (front, shape) = fronts.into_iter().max_by_key(|(_, shape)| shape.lines)?;
    let after = |text: &'a [u8]| {
        let at = starts(text).chain([text.len()]).find(|at| shape_of(&text[..*at], false) == front)?;
        let has_stamp = |from: &usize| stamp(&text[*from..]).is_some_and(|(_, rest)| rest == &text[at..]);
        text.get(starts(&text[..at]).find(has_stamp).unwrap_or(at)..)
    };
    let fronted = texts().filter(|text| after(text).is_some()).count();
    let is_front = shape.commands > 0
        && shape.answers > 0
        && shape.lines > plain.saturating_mul(2)
        && fronted.saturating_mul(3) > texts().count().saturating_mul(2);
    let taken = |line: &Line<'a>| Line { text: after(line.text).unwrap_or(line.text), ..*line };
    is_front.then(|| lines.iter().map(taken).collect())
}

/// The bytes of a line of a dump, after the text that a program puts in front of each line.
fn fronted_dump(text: &[u8]) -> Option<Vec<u8>> {
    let whole = |at: usize| {
        let rest = &text[at..];
        dump(rest).filter(|bytes| bytes.len() > 1 || find(rest, b"  ").is_some())
    };
    dump(text).or_else(|| starts(text).skip(1).find_map(whole))
}

/// The side of a text: a command, or an answer with or without the echo of its command.
pub(super) fn piece(bytes: &[u8]) -> Option<Speaker> {
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

const BRACKETS: [(u8, u8); 4] = [(b'(', b')'), (b'<', b'>'), (b'{', b'}'), (b'[', b']')];

/// The closing character of the quotes or brackets that end `front`, or of the quotes that are open there.
fn closing(front: &[u8]) -> Option<u8> {
    match front.last()? {
        quote @ (b'"' | b'\'' | b'`') => Some(*quote),
        open => {
            let bracket = BRACKETS.iter().find(|(bracket, _)| bracket == open).map(|(_, close)| *close);
            bracket.or_else(|| open_quote(front))
        }
    }
}

/// The quote that begins in `front` and does not end there: `{"msg":"tx: `, `b'\t---> `. A quote after a letter is an
/// apostrophe, except after the `b` of bytes.
fn open_quote(front: &[u8]) -> Option<u8> {
    let mut open = None;
    for (at, byte) in front.iter().enumerate().filter(|(_, byte)| matches!(byte, b'"' | b'\'')) {
        let before = &front[..at];
        let is_start = || match before {
            [] | [b'b'] => true,
            [.., last, b'b'] => !last.is_ascii_alphanumeric(),
            [.., last] => !last.is_ascii_alphanumeric(),
        };
        match open {
            None if is_start() => open = Some(*byte),
            Some(quote) if quote == *byte && before.last() != Some(&b'\\') => open = None,
            _ => {}
        }
    }
    open
}

/// The texts that may follow the bytes in quotes or brackets.
fn tails<'a>(front: &[u8], rest: &'a [u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> {
    let close = closing(front);
    let is_list = is_list(front);
    let ends = rest.iter().enumerate().filter(move |(at, byte)| {
        Some(**byte) == close && (!is_list || rest.get(at.saturating_add(1)) == Some(&b']'))
    });
    ends.map(|(at, _)| &rest[at..])
}

/// The text within the quotes or brackets that end `front`, or of which only the closing bracket ends `rest`: `<Buffer
/// 41 54>`. The text ends at the usual `tail`, else where the log has cut it, `"AT+CIPSTART=0"..., 44)`, else at the
/// last closing character.
fn enclosed<'a>(front: &[u8], rest: &'a [u8], tail: Option<&[u8]>) -> Option<&'a [u8]> {
    if closing(front).is_some() {
        let is_usual = |found: &&[u8]| tail.is_some_and(|tail| shape_of(found, false) == tail);
        let is_cut = |found: &&[u8]| found.get(1..).is_some_and(|more| more.starts_with(b"..."));
        let tails = || tails(front, rest).rev().take(TAILS);
        let end = tails().find(is_usual).or_else(|| tails().find(is_cut)).or_else(|| tails().next())?;
        return Some(&rest[..rest.len().saturating_sub(end.len())]);
    }
    let (last, inner) = rest.split_last()?;
    let (open, _) = BRACKETS.iter().find(|(_, close)| close == last)?;
    (front.contains(open) && !inner.contains(open)).then_some(inner)
}

/// The text of a cell of a table with commas, in which a quote is doubled.
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
    fn text_in_quotes_ends_at_the_last_quote() {
        assert_eq!(enclosed(b"x\"", b"AT+X=\"a\"\\r\", 3) = 3", None), Some(&b"AT+X=\"a\"\\r"[..]));
        assert_eq!(enclosed(b"send (", b"AT^M)", None), Some(&b"AT^M"[..]));
        assert_eq!(enclosed(b"<Buffer ", b"41 54>", None), Some(&b"41 54"[..]));
        assert_eq!(enclosed(b"x ", b"AT\"", None), None);
        assert_eq!(undoubled(b"TX,\"", b"a\"\"b\"\""), b"a\"b\"");
    }
}
