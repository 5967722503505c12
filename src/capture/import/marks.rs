//! The table of marks.

use thiserror::Error;

use super::notation::{dump, is_spelled};
use super::text::{is_answer, is_command};

/// The marks by which logs show which side sent a line: a table with one mark on each line, which a caller can extend.
///
/// ```
/// use air724ug::capture::{Marks, read_with};
///
/// let mut marks = Marks::default();
/// marks.extend("sent host says\nreceived modem says")?;
/// let capture = read_with(b"host says AT\nmodem says OK\n", &marks).unwrap();
/// assert_eq!(capture.records.len(), 2);
/// # Ok::<(), air724ug::capture::MarkError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Marks {
    rows: Vec<Row>,
    /// The rows by the first byte of their text in lower case, because every line is compared with the table.
    by_first: Vec<Vec<usize>>,
}

/// An error in a table of marks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "line {line}: a mark is `sent`, `received`, `print`, `lost` or `end`, a blank, and the text of the mark"
)]
#[non_exhaustive]
pub struct MarkError {
    /// The line, counted from 1.
    pub line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sent,
    Received,
    Print,
    Lost,
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl Row {
    /// Whether the mark is a single character or letter, which may stand anywhere. A weak mark counts only if a mark of
    /// the same kind for the other side does.
    pub(super) fn is_weak(&self) -> bool {
        let letters = self.text.chars().filter(|c| c.is_alphanumeric()).count();
        let is_short = self.text.is_ascii() && (self.text.len() == 1 || letters == 1);
        is_short || matches!(self.text.as_str(), "In" | "Out")
    }

    /// Whether the mark is an arrow. Its direction has the meaning that the program's author gave it.
    pub(super) fn is_arrow(&self) -> bool {
        self.text.starts_with(|c: char| "-=>→⇒▶←⇐◀".contains(c)) || !self.text.contains(char::is_alphanumeric)
    }

    /// Whether the mark is the name of a device. A program may have it in front of the lines of both sides.
    pub(super) fn is_device(&self) -> bool {
        matches!(self.text.as_str(), "Modem" | "Module" | "Host" | "PC" | "MCU" | "DTE" | "DCE")
    }

    /// The length of this mark at the start of `text`, and the text after it; `None` if `text` does not begin with the
    /// mark.
    fn after<'a>(&self, text: &'a [u8]) -> Option<(usize, &'a [u8])> {
        let mut rest = text;
        for (index, part) in self.text.split('*').enumerate() {
            let at = match index {
                0 => 0,
                _ => rest.iter().take(24).enumerate().position(|(at, _)| starts(&rest[at..], part))?,
            };
            rest = rest.get(at..).filter(|rest| starts(rest, part))?.get(part.len()..)?;
        }
        // `Send` is not a mark in `Sender`, and not in `Send a command`.
        let (last, next) = (self.text.chars().last()?, rest.first());
        // No sentence begins with these.
        let is_acronym = matches!(self.text.as_str(), "TX" | "RX");
        if last.is_alphanumeric() {
            let is_content = |byte: &u8| b"\"'>-=[(<b\\".contains(byte);
            let blank = |rest: &[u8]| {
                let is_said = self.kind == Kind::Received && is_answer(rest);
                rest.first().is_some_and(is_content)
                    || is_command(rest.trim_ascii())
                    || is_said
                    || dump(rest).is_some()
            };
            let separate = match rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"\t")) {
                Some(rest) => is_acronym || blank(rest.trim_ascii_start()),
                None => {
                    next.is_none_or(|next| b":\"'(=>[|]".contains(next))
                        || rest.starts_with("：".as_bytes())
                        || !last.is_ascii() && blank(rest)
                }
            };
            if !separate {
                return None;
            }
        }
        // `AT<` is not a mark in `AT<cr>`.
        let head = text.get(..text.len().saturating_sub(rest.len())).unwrap_or_default();
        if last == '<'
            && head.len() > 1
            && is_spelled(text.get(head.len().saturating_sub(1)..).unwrap_or_default())
        {
            return None;
        }
        // `->` is not a mark in `-->`.
        if self.is_arrow() && last == '>' && next == Some(&b'>') || self.text == "<" && next == Some(&b'<') {
            return None;
        }
        let length = text.len().saturating_sub(rest.len());
        let colon = rest.strip_prefix(b":").or_else(|| rest.strip_prefix("：".as_bytes()));
        let is_word =
            self.text.contains(char::is_alphanumeric) && (last.is_alphanumeric() || "])>】".contains(last));
        let rest = colon.filter(|_| is_word).unwrap_or(rest);
        Some((length, rest))
    }
}

fn starts(text: &[u8], start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// The table that comes with this crate.
impl Default for Marks {
    fn default() -> Self {
        let mut marks = Self { rows: Vec::new(), by_first: vec![Vec::new(); 256] };
        let complete = marks.extend(include_str!("marks.txt"));
        debug_assert!(complete.is_ok(), "{complete:?}");
        marks
    }
}

impl Marks {
    /// Adds the marks of a table. A line is `sent`, `received`, `print`, `lost` or `end`, a blank, and the text.
    /// Blank lines and lines that begin with `#` and a blank are skipped.
    pub fn extend(&mut self, table: &str) -> Result<(), MarkError> {
        for (line, text) in (1..).zip(table.lines().map(str::trim)) {
            if text.is_empty() || text == "#" || text.starts_with("# ") {
                continue;
            }
            let (kind, text) = text.split_once([' ', '\t']).ok_or(MarkError { line })?;
            let kind = match kind {
                "sent" => Kind::Sent,
                "received" => Kind::Received,
                "print" => Kind::Print,
                "lost" => Kind::Lost,
                "end" => Kind::End,
                _ => return Err(MarkError { line }),
            };
            let text = text.trim().to_owned();
            let first = text.bytes().next().unwrap_or_default().to_ascii_lowercase();
            if let Some(rows) = self.by_first.get_mut(usize::from(first)) {
                rows.push(self.rows.len());
            }
            self.rows.push(Row { kind, text });
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows whose text has the first byte of `text`.
    fn rows_of(&self, text: &[u8]) -> impl Iterator<Item = (usize, &Row)> {
        let first = text.first().map(|byte| usize::from(byte.to_ascii_lowercase()));
        let rows = first.and_then(|first| self.by_first.get(first)).into_iter().flatten();
        rows.filter_map(|index| Some((*index, self.rows.get(*index)?)))
    }

    /// The longest mark of a side at the start of `text`, and the text after it.
    pub(super) fn side<'a>(
        &self,
        text: &'a [u8],
        wanted: impl Fn(usize) -> bool,
    ) -> Option<(usize, &'a [u8])> {
        let sides = |(_, row): &(usize, &Row)| matches!(row.kind, Kind::Sent | Kind::Received);
        let rows = self.rows_of(text).filter(sides).filter(|(index, _)| wanted(*index));
        let found = rows.filter_map(|(index, row)| Some((index, row.after(text)?)));
        let (index, (_, rest)) = found.max_by_key(|(_, (length, _))| *length)?;
        Some((index, rest))
    }

    /// Whether `text` begins with a print of the program.
    pub(super) fn is_print(&self, text: &[u8]) -> bool {
        self.is_lost(text) || self.rows_of(text).any(|(_, row)| row.kind == Kind::Print && prints(row, text))
    }

    /// Whether a program or the system says in `text` that the port is gone.
    pub(super) fn is_lost(&self, text: &[u8]) -> bool {
        let rows = self.rows.iter().filter(|row| row.kind == Kind::Lost);
        rows.map(|row| row.text.as_bytes()).any(|words| {
            let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            let is_here = |at: usize| {
                let before = at.checked_sub(1).and_then(|at| text.get(at));
                !is_word(before) && !is_word(text.get(at.saturating_add(words.len())))
            };
            text.windows(words.len()).enumerate().any(|(at, found)| found == words && is_here(at))
        })
    }

    /// Whether `text` says only that something has ended.
    pub(super) fn is_end(&self, text: &[u8]) -> bool {
        self.rows_of(text).any(|(_, row)| row.kind == Kind::End && row.text.as_bytes() == text)
    }

    /// `text` without a mark of an end after it.
    pub(super) fn without_end<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let wide = |row: &&Row| row.kind == Kind::End && !row.text.is_ascii();
        self.rows.iter().filter(wide).find_map(|row| text.strip_suffix(row.text.as_bytes()))
    }
}

fn prints(row: &Row, text: &[u8]) -> bool {
    match row.text.split_once('*') {
        None => starts(text, &row.text),
        Some((start, end)) => {
            starts(text, start) && text.windows(end.len()).take(24).any(|at| at == end.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mark_counts_and_only_whole_words_match() {
        let marks = Marks::default();
        let side = |text: &'static str| {
            marks
                .side(text.as_bytes(), |_| true)
                .map(|(row, rest)| (marks.rows()[row].text.as_str(), str::from_utf8(rest).unwrap()))
        };
        assert_eq!(side("---> AT"), Some(("--->", " AT")));
        assert_eq!(side("Sending command:AT"), Some(("Sending command", "AT")));
        assert_eq!(side("tx: AT"), Some(("TX", " AT")));
        assert_eq!(side("TX:|AT"), Some(("TX*|", "AT")));
        assert_eq!(side("# RECV ASCII/25 <<<"), Some(("# RECV*<<<", "")));
        assert_eq!(side("发→◇AT"), Some(("发→◇", "AT")));
        assert_eq!(side("Sender"), None);
        assert_eq!(side("AT+CSQ"), None);
    }

    #[test]
    fn an_invalid_table_is_refused_with_the_line_number() {
        assert_eq!(Marks::default().extend("# x\n\nsent a\nboth b"), Err(MarkError { line: 4 }));
        assert_eq!(Marks::default().extend("sent"), Err(MarkError { line: 1 }));
    }
}
