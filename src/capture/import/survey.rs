//! The first pass over a file: the marks that it uses, the side of each mark, and the notation of bytes.

use super::marks::{Kind, Marks};
use super::notation::{dump, ends_spelled, is_spelled, pairs, unquoted};
use super::strip::{StrippedLine, strip};
use super::text::{is_answer, is_command, without_remark};
use super::{Layout, Line};

/// The meaning of a mark in this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Side {
    /// No meaning: the text is not a mark in this file.
    #[default]
    None,
    /// A mark in front of lines of both sides.
    Both,
    ToModem,
    FromModem,
}

/// The notation of the bytes after a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Spelling {
    #[default]
    Plain,
    /// Hexadecimal. `ended`: the line ends are shown.
    Hex { ended: bool },
    /// Escapes or names. `ended`: the line ends are shown.
    Escaped { ended: bool },
}

/// The number of lines after one mark, by kind.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    lines: usize,
    stamped: usize,
    commands: usize,
    answers: usize,
    /// The answers in the unmarked lines below.
    answers_after: usize,
    texts: usize,
    hex: usize,
    quoted: usize,
    spelled: usize,
    ended: usize,
}

impl Tally {
    fn all_answers(&self) -> usize {
        // A mark may stand over several lines, whose answers count for it. They do not count for a single mark at the
        // head of a file, which has the whole file below it.
        let heads =
            self.stamped == self.lines || self.texts < self.lines || self.commands > 0 || self.answers > 0;
        let after = if heads { self.answers_after } else { 0 };
        self.answers.saturating_add(after)
    }

    fn is_answering(&self) -> bool {
        let answers = self.all_answers();
        answers > 0 && answers.saturating_mul(4) >= self.commands
    }

    fn spelling(&self) -> Spelling {
        match () {
            () if self.texts == 0 => Spelling::Plain,
            () if self.hex == self.texts => Spelling::Hex { ended: self.ended > 0 },
            () if self.spelled > 0 || self.quoted == self.texts => {
                Spelling::Escaped { ended: self.ended > 0 }
            }
            () => Spelling::Plain,
        }
    }
}

/// Line ends that a tool shows at the end of every line in addition to the real one.
const DRAWN_ENDS: [&str; 3] = ["␍␊", "<CR><LF>", "^M"];

/// The results of the first pass.
#[derive(Debug, Default)]
pub(super) struct Survey {
    tallies: Vec<Tally>,
    sides: Vec<Side>,
    /// The number of blanks at the start of every line.
    pub(super) indent: usize,
    /// Whether a terminal added a CR before each line end.
    doubled: bool,
    /// The line end that most lines show.
    drawn_end: Option<&'static str>,
    /// The quotation mark at the start of every line.
    pub(super) quote: Option<u8>,
    /// Whether every line stands in quotes.
    enclosed: bool,
    pub(super) stamped: usize,
    pub(super) unstamped: usize,
    /// Whether unmarked lines below a mark belong to the mark.
    pub(super) blocks: bool,
    /// Whether the blank lines at the end of such blocks are missing.
    pub(super) trimmed: bool,
    /// Whether any mark assigns a side.
    pub(super) marked: bool,
    /// Whether both sides have a mark.
    pub(super) both: bool,
    /// Whether fences enclose the recorded lines, so that lines outside are an author's words.
    pub(super) fenced: bool,
    /// Whether unmarked lines are recorded bytes after levels and names.
    pub(super) tagged_wire: bool,
    /// The number of blanks after the stamp of every line.
    gap: usize,
    /// Whether lines of a terminal show their line ends as escapes.
    pub(super) spelled: bool,
    /// Whether lines are hexadecimal bytes without a mark.
    pub(super) dumps: bool,
}

impl Survey {
    pub(super) fn of(lines: &[Line<'_>], marks: &Marks) -> Self {
        let mut survey = Self { sides: vec![Side::Both; marks.rows().len()], ..Self::default() };
        survey.frame(lines);
        survey.find_fences(lines);
        survey.count(lines, marks);
        survey.decide(marks);
        survey.find_gap(lines, marks);
        // A text that is no mark in this file may stand in front of a mark.
        survey.count(lines, marks);
        survey
    }

    /// The number of commands and answers after marks.
    pub(super) fn found(&self) -> usize {
        let sided = self.tallies.iter().zip(&self.sides);
        let sided = sided.filter(|(_, side)| matches!(side, Side::ToModem | Side::FromModem));
        sided
            .fold(0, |sum, (tally, _)| sum.saturating_add(tally.commands).saturating_add(tally.all_answers()))
    }

    /// A line without the parts that every line of the file has.
    pub(super) fn unframed<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let line = if self.doubled { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        let line = self.drawn_end.and_then(|end| line.strip_suffix(end.as_bytes())).unwrap_or(line);
        let blanks = line.iter().take(self.indent).take_while(|byte| byte.is_ascii_whitespace()).count();
        let line = &line[blanks..];
        let inner = self.quote.and_then(|quote| line.strip_prefix(&[quote]));
        let line = inner.map_or(line, |inner| inner.strip_prefix(b" ").unwrap_or(inner));
        if self.enclosed { unquoted(line).unwrap_or(line) } else { line }
    }

    /// Removes stamps, levels and marks from a line, at most `most` stamps.
    pub(super) fn strip<'a>(&self, line: &'a [u8], marks: &Marks, most: usize) -> StrippedLine<'a> {
        let mut stripped = strip(line, marks, most, |row| self.side(row) != Side::None);
        if stripped.stamp.is_some() && stripped.mark.is_none() && !stripped.tagged {
            let blanks = stripped.text.iter().take(self.gap).take_while(|byte| **byte == b' ').count();
            stripped.text = &stripped.text[blanks..];
        }
        stripped
    }

    /// Whether a line is a print of the program.
    pub(super) fn is_print(&self, line: &[u8], marks: &Marks) -> bool {
        marks.is_print(self.strip(line, marks, usize::MAX).core.trim_ascii())
    }

    pub(super) fn side(&self, row: usize) -> Side {
        self.sides.get(row).copied().unwrap_or_default()
    }

    pub(super) fn spelling(&self, row: usize) -> Spelling {
        self.tallies.get(row).map_or(Spelling::Plain, Tally::spelling)
    }

    pub(super) fn layout(&self) -> Layout {
        match () {
            () if self.marked && self.blocks => Layout::Blocks,
            () if self.marked => Layout::Marked,
            () if self.dumps => Layout::Dump,
            () => Layout::Terminal,
        }
    }

    fn frame(&mut self, lines: &[Line<'_>]) {
        let texts = || lines.iter().map(|line| line.text).filter(|text| !text.trim_ascii().is_empty());
        let blanks = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.indent = texts().map(blanks).min().unwrap_or(0);
        let doubled = texts().filter(|text| text.ends_with(b"\r")).count();
        self.doubled = doubled > 4 && doubled.saturating_mul(2) >= texts().count();
        self.drawn_end = DRAWN_ENDS.into_iter().find(|end| {
            let ended = texts().filter(|text| text.ends_with(end.as_bytes())).count();
            ended.saturating_mul(2) > texts().count()
        });
        self.quote = [b'>', b'|'].into_iter().find(|quote| {
            let inner = || texts().filter_map(|text| text[self.indent..].strip_prefix(&[*quote]));
            inner().count() > 2 && inner().count() == texts().count()
        });
        let enclosed = texts().filter(|text| unquoted(self.unframed(text)).is_some()).count();
        self.enclosed = enclosed > 2 && enclosed.saturating_mul(4) > texts().count().saturating_mul(3);
    }

    /// Finds the blanks that a tool prints after each stamp.
    fn find_gap(&mut self, lines: &[Line<'_>], marks: &Marks) {
        let blanks = |line: &Line<'_>| {
            let stripped = self.strip(self.unframed(line.text), marks, usize::MAX);
            let is_plain = stripped.stamp.is_some() && stripped.mark.is_none() && !stripped.tagged;
            let count = stripped.text.iter().take_while(|byte| **byte == b' ').count();
            (is_plain && !stripped.text.trim_ascii().is_empty()).then_some(count)
        };
        let counts: Vec<usize> = lines.iter().filter_map(blanks).collect();
        self.gap = counts.iter().min().copied().filter(|_| counts.len() > 2).unwrap_or(0);
    }

    /// Notes whether fences enclose all commands and answers.
    fn find_fences(&mut self, lines: &[Line<'_>]) {
        let (mut inside, mut outside, mut fences) = (0_usize, 0_usize, 0_usize);
        for line in lines {
            let text = self.unframed(line.text).trim_ascii();
            if text.starts_with(b"```") {
                fences = fences.saturating_add(1);
            } else if is_answer(text) || is_command(text) {
                let count = if fences.is_multiple_of(2) { &mut outside } else { &mut inside };
                *count = count.saturating_add(1);
            }
        }
        self.fenced = outside == 0 && inside > 0 && fences.is_multiple_of(2);
    }

    fn count(&mut self, lines: &[Line<'_>], marks: &Marks) {
        self.tallies = vec![Tally::default(); marks.rows().len()];
        (self.stamped, self.unstamped) = (0, 0);
        let (mut last, mut plain, mut tagged, mut others) = (None, 0_usize, 0_usize, 0_usize);
        let (mut dumps, mut texts, mut after) = (0_usize, 0_usize, 0_usize);
        let (mut whole, mut cut, mut is_blank) = (0_usize, 0_usize, false);
        for line in lines {
            let line = self.unframed(line.text);
            let stripped = self.strip(line, marks, usize::MAX);
            if line.trim_ascii().is_empty() {
                is_blank = true;
                continue;
            }
            if stripped.mark.is_some() && last.is_some_and(|row| self.side(row) == Side::FromModem) {
                let count = if is_blank { &mut whole } else { &mut cut };
                *count = count.saturating_add(1);
            }
            is_blank = false;
            let count = if stripped.stamp.is_some() { &mut self.stamped } else { &mut self.unstamped };
            *count = count.saturating_add(1);
            if let Some(row) = stripped.mark {
                self.tallies[row].take(stripped.text);
                let stamped = &mut self.tallies[row].stamped;
                *stamped = stamped.saturating_add(usize::from(stripped.stamp.is_some()));
                last = Some(row);
                continue;
            }
            texts = texts.saturating_add(usize::from(stripped.text.len() > 1));
            dumps =
                dumps.saturating_add(usize::from(dump(stripped.text).is_some_and(|bytes| bytes.len() >= 4)));
            self.spelled |= stripped.text.ends_with(br"\r\n");
            let is_wire = |text: &[u8]| is_answer(text) || is_command(text.trim_ascii());
            plain = plain.saturating_add(usize::from(is_wire(stripped.text)));
            tagged = tagged.saturating_add(usize::from(stripped.tagged && is_wire(stripped.core)));
            if let Some(tally) =
                last.and_then(|row| self.tallies.get_mut(row)).filter(|_| stripped.stamp.is_none())
            {
                let answers = is_answer(stripped.text) || stripped.text.trim_ascii() == b">";
                tally.answers_after = tally.answers_after.saturating_add(usize::from(answers));
                after = after.saturating_add(usize::from(answers));
                others = others.saturating_add(usize::from(!answers));
            }
        }
        self.tagged_wire = tagged > plain;
        self.dumps = dumps > 1 && dumps.saturating_mul(4) >= texts;
        self.trimmed = whole == 0 && cut > 1;
        self.blocks = after > 0 && after.saturating_mul(4) >= others;
    }

    /// Assigns a side to each mark. The direction of arrows follows from the commands and answers after them. Words
    /// keep their meaning, unless answers follow the words for sent data and none follow those for received data, as in
    /// the log of a modem.
    fn decide(&mut self, marks: &Marks) {
        for row in 0..marks.rows().len() {
            self.sides[row] = Side::None;
        }
        for (arrows, weak) in [(false, false), (false, true), (true, false), (true, true)] {
            let family = |kind: Kind| {
                let rows = marks.rows().iter().enumerate();
                rows.filter(move |(_, row)| {
                    row.kind == kind && row.is_arrow() == arrows && row.is_weak() == weak
                })
                .map(|(index, _)| index)
            };
            let sum = |kind: Kind| {
                family(kind).filter_map(|row| self.tallies.get(row)).fold(Tally::default(), Tally::and)
            };
            let (right, left) = (sum(Kind::Sent), sum(Kind::Received));
            let nothing = [right, left].iter().all(|tally| tally.commands == 0 && tally.all_answers() == 0);
            let both = right.lines > 0 && left.lines > 0;
            let sides = match () {
                () if nothing => (Side::None, Side::None),
                () if weak && !(both && (right.is_answering() || left.is_answering())) => {
                    (Side::None, Side::None)
                }
                () if both && right.is_answering() && !left.is_answering() => {
                    (Side::FromModem, Side::ToModem)
                }
                () if arrows && right.is_answering() => (Side::Both, Side::Both),
                () if arrows && left.is_answering() && !both => (Side::Both, Side::Both),
                () => (Side::ToModem, Side::FromModem),
            };
            for (kind, side) in [(Kind::Sent, sides.0), (Kind::Received, sides.1)] {
                let rows: Vec<usize> = family(kind).collect();
                rows.into_iter().for_each(|row| self.sides[row] = side);
            }
        }
        // The name of a device that is in front of commands and answers, the only one, is the name of a program's part.
        let names: Vec<usize> = (0..self.sides.len())
            .filter(|row| marks.rows()[*row].is_device() && self.tallies[*row].lines > 0)
            .collect();
        if let [row] = names.as_slice()
            && self.tallies[*row].commands > 1
            && self.tallies[*row].is_answering()
        {
            self.sides[*row] = Side::None;
        }
        // Marks of one family are enough. In a file whose arrows assign the sides, words are part of the text, and the
        // other way round.
        let has_side = |row: &usize| {
            matches!(self.sides[*row], Side::ToModem | Side::FromModem) && self.tallies[*row].lines > 0
        };
        self.marked = (0..self.sides.len()).any(|row| has_side(&row));
        self.both = [Side::ToModem, Side::FromModem]
            .iter()
            .all(|side| (0..self.sides.len()).any(|row| has_side(&row) && self.sides[row] == *side));
    }
}

impl Tally {
    fn take(&mut self, text: &[u8]) {
        let add = |count: &mut usize, is: bool| *count = count.saturating_add(usize::from(is));
        add(&mut self.lines, true);
        let (text, _) = without_remark(text);
        let inner = unquoted(text);
        let shown = inner.unwrap_or(text);
        let hex = dump(text).or_else(|| pairs(text)).filter(|bytes| bytes.len() > 1 || text.len() > 2);
        let plain = match &hex {
            Some(bytes) => bytes.clone(),
            None => super::notation::unescaped(shown),
        };
        let plain_ended = hex.is_some() && (plain.ends_with(b"\n") || plain.ends_with(b"\r"));
        let mut lines =
            plain.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()).peekable();
        add(&mut self.commands, lines.peek().is_some_and(|line| is_command(line.trim_ascii())));
        add(&mut self.answers, lines.any(is_answer));
        if text.trim_ascii().is_empty() {
            return;
        }
        add(&mut self.texts, true);
        add(
            &mut self.hex,
            hex.is_some() || dump(text).is_some() || text.trim_ascii().len() == 2 && pairs(text).is_some(),
        );
        add(&mut self.quoted, inner.is_some());
        add(&mut self.spelled, is_spelled(shown) || inner.is_some_and(is_spelled));
        add(&mut self.ended, ends_spelled(shown) || plain_ended);
    }

    fn and(mut self, other: &Self) -> Self {
        for (count, more) in [
            (&mut self.lines, other.lines),
            (&mut self.stamped, other.stamped),
            (&mut self.texts, other.texts),
            (&mut self.commands, other.commands),
            (&mut self.answers, other.answers),
            (&mut self.answers_after, other.answers_after),
        ] {
            *count = count.saturating_add(more);
        }
        self
    }
}
