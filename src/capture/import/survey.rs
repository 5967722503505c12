//! The first pass over a file: the marks that it uses, the side of each mark, and the notation of bytes.

use super::marks::{Kind, Marks};
use super::notation::{dump, unquoted};
use super::strip::{StrippedLine, strip};
use super::tally::{Spelling, Tally};
use super::text::{find, is_answer, is_command};
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

/// The families of marks: whether they are arrows, and whether they are weak.
const FAMILIES: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

/// Line ends that a tool shows at the end of every line in addition to the real one, and the CR among them, of which an
/// echo has two. The longer of two alike stands first.
const DRAWN_ENDS: [(&str, &str); 4] = [("␍␊", "␍"), ("<CR><LF>", "<CR>"), ("^M$", "^M"), ("^M", "^M")];

/// A line without the line end that the tool shows, and without the CR of an echo before it.
fn without_drawn_end<'a>(line: &'a [u8], (end, cr): (&str, &str)) -> &'a [u8] {
    let Some(line) = line.strip_suffix(end.as_bytes()) else { return line };
    line.strip_suffix(cr.as_bytes()).filter(|echo| is_command(echo.trim_ascii())).unwrap_or(line)
}

/// The marks of a family.
fn rows_of(marks: &Marks, family: (bool, bool)) -> impl Iterator<Item = usize> {
    let rows = marks.rows().iter().enumerate();
    rows.filter(move |(_, row)| {
        matches!(row.kind, Kind::Sent | Kind::Received) && (row.is_arrow(), row.is_weak()) == family
    })
    .map(|(index, _)| index)
}

/// The results of the first pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Survey {
    tallies: Vec<Tally>,
    sides: Vec<Side>,
    /// The number of blanks at the start of every line.
    pub(super) indent: usize,
    /// Whether a terminal added a CR before each line end.
    doubled: bool,
    /// The line end that most lines show.
    drawn_end: Option<(&'static str, &'static str)>,
    /// The quotation mark at the start of every line.
    pub(super) quote: Option<u8>,
    /// Whether a line shows several lines with their line ends escaped.
    framed: bool,
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
    /// The surveys of a file with few of the marks and with more and more: the two marks of a family with most commands
    /// and most answers, all marks of the family, and all marks. A family is arrows or words, of one letter or more.
    /// A mark that is part of some payload can't spoil the others.
    pub(super) fn marked(lines: &[Line<'_>], marks: &Marks) -> Vec<Self> {
        let all = Self::of(lines, marks, &(0..marks.rows().len()).collect::<Vec<_>>());
        let mut surveys: Vec<(Vec<usize>, Self)> = Vec::new();
        for family in FAMILIES {
            let used: Vec<usize> = rows_of(marks, family).filter(|row| all.is_used(*row)).collect();
            let most = |kind: Kind, count: fn(&Tally) -> usize| {
                let rows = used.iter().filter(|row| marks.rows()[**row].kind == kind);
                rows.max_by_key(|row| count(&all.tallies[**row])).copied()
            };
            let main = [most(Kind::Sent, |tally| tally.commands), most(Kind::Received, Tally::all_answers)];
            let [sent, _] = main;
            for rows in [sent.into_iter().collect(), main.into_iter().flatten().collect(), used] {
                if !rows.is_empty() && surveys.iter().all(|(other, _)| *other != rows) {
                    let survey = Self::of(lines, marks, &rows);
                    surveys.push((rows, survey));
                }
            }
        }
        let mut surveys: Vec<Self> = surveys.into_iter().map(|(_, survey)| survey).collect();
        surveys.extend((!surveys.is_empty()).then_some(all));
        surveys
    }

    fn of(lines: &[Line<'_>], marks: &Marks, rows: &[usize]) -> Self {
        let mut survey = Self { sides: vec![Side::None; marks.rows().len()], ..Self::default() };
        for row in rows {
            survey.sides[*row] = Side::Both;
        }
        survey.frame(lines);
        survey.find_fences(lines);
        survey.count(lines, marks);
        // Most words in front of other marks are names.
        for (side, tally) in survey.sides.iter_mut().zip(&survey.tallies) {
            if tally.leads.saturating_mul(2) > tally.lines {
                *side = Side::None;
            }
        }
        survey.count(lines, marks);
        survey.decide(marks);
        survey.find_gap(lines, marks);
        // A text that is no mark in this file may stand in front of a mark.
        survey.count(lines, marks);
        survey
    }

    /// Whether a mark is in front of a line, and is no part of its text.
    fn is_used(&self, row: usize) -> bool {
        self.side(row) != Side::None && self.tallies.get(row).is_some_and(|tally| tally.lines > 0)
    }

    /// The survey of a file in which no text is a mark.
    pub(super) fn unmarked(lines: &[Line<'_>], marks: &Marks) -> Self {
        let mut survey = Self::default();
        survey.frame(lines);
        survey.find_fences(lines);
        survey.find_gap(lines, marks);
        survey.count(lines, marks);
        survey
    }

    /// The same for lines that are neither escaped nor hexadecimal.
    pub(super) fn plain(&self) -> Self {
        Self { spelled: false, dumps: false, ..self.clone() }
    }

    /// A line without the parts that every line of the file has.
    pub(super) fn unframed<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let line = if self.doubled { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        let line = self.drawn_end.map_or(line, |ends| without_drawn_end(line, ends));
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
        match self.tallies.get(row).map_or(Spelling::Plain, Tally::spelling) {
            Spelling::Plain if self.framed => Spelling::Escaped { ended: false },
            spelling => spelling,
        }
    }

    /// Whether the marks stand on lines of their own, above the bytes.
    pub(super) fn is_headed(&self) -> bool {
        let (lines, alone) = self.sided().fold((0_usize, 0_usize), |(lines, alone), tally| {
            (lines.saturating_add(tally.lines), alone.saturating_add(tally.alone))
        });
        alone.saturating_mul(4) >= lines.saturating_mul(3)
    }

    /// The tallies of the marks that stand for a side.
    fn sided(&self) -> impl Iterator<Item = &Tally> {
        let sided = self.tallies.iter().zip(&self.sides);
        sided.filter(|(_, side)| matches!(side, Side::ToModem | Side::FromModem)).map(|(tally, _)| tally)
    }

    /// The same survey for frames of several lines with escaped line ends within, if there seem to be some.
    pub(super) fn framed(&self) -> Option<Self> {
        let is_plain = self.sided().all(|tally| tally.lines == 0 || tally.spelling() == Spelling::Plain);
        let framed = self.sided().any(|tally| tally.framed > 0);
        (is_plain && framed).then(|| Self { framed, ..self.clone() })
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
        self.drawn_end = DRAWN_ENDS.into_iter().find(|(end, _)| {
            let ended = texts().filter(|text| text.ends_with(end.as_bytes())).count();
            // Other line ends, written in the same way, are a notation of the bytes.
            let others = |text: &[u8]| {
                let rest = text.strip_suffix(end.as_bytes()).unwrap_or(text);
                find(rest, b"<CR>").is_some() || find(rest, b"<LF>").is_some()
            };
            ended.saturating_mul(2) > texts().count() && !texts().any(others)
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
                self.tallies[row].take(&stripped);
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
        let wanted: Vec<bool> = self.sides.iter().map(|side| *side != Side::None).collect();
        for (arrows, weak) in FAMILIES {
            let family = |kind: Kind| {
                let rows = marks.rows().iter().zip(&wanted).enumerate();
                rows.filter(move |(_, (row, wanted))| {
                    row.kind == kind && (row.is_arrow(), row.is_weak()) == (arrows, weak) && **wanted
                })
                .map(|(index, _)| index)
            };
            let sum = |kind: Kind| {
                family(kind).filter_map(|row| self.tallies.get(row)).fold(Tally::default(), Tally::and)
            };
            let (right, left) = (sum(Kind::Sent), sum(Kind::Received));
            let nothing = [right, left].iter().all(|tally| tally.commands == 0 && tally.all_answers() == 0);
            let both = right.lines > 0 && left.lines > 0;
            let is_reversed =
                both && left.commands >= right.commands && right.is_answering() && !left.is_answering();
            // `> AT`, with answers that have no mark.
            let is_typed = left.lines == 0 && right.commands > 1 && right.answers == 0;
            let sides = match () {
                () if nothing => (Side::None, Side::None),
                () if weak && !(both && (right.is_answering() || left.is_answering())) && !is_typed => {
                    (Side::None, Side::None)
                }
                () if is_reversed => (Side::FromModem, Side::ToModem),
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
        // The name of a device in front of neither is a word of a text, such as a header of HTTP.
        for row in names {
            if self.tallies[row].commands == 0 && self.tallies[row].all_answers() == 0 {
                self.sides[row] = Side::None;
            }
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
