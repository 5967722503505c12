//! The counts of the lines after each mark.

use super::notation::{dump, ends_spelled, is_spelled, pairs, unescaped, unquoted};
use super::strip::StrippedLine;
use super::text::{is_answer, is_command, without_remark};

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
pub(super) struct Tally {
    pub(super) lines: usize,
    pub(super) stamped: usize,
    /// The lines with another mark after this one.
    pub(super) leads: usize,
    /// The lines with nothing after this mark.
    pub(super) alone: usize,
    pub(super) commands: usize,
    pub(super) answers: usize,
    /// The answers of several lines.
    pub(super) framed: usize,
    /// The answers in the unmarked lines below.
    pub(super) answers_after: usize,
    pub(super) texts: usize,
    pub(super) hex: usize,
    pub(super) quoted: usize,
    pub(super) spelled: usize,
    /// The commands and answers that are escaped.
    spelled_wire: usize,
    pub(super) ended: usize,
}

impl Tally {
    pub(super) fn all_answers(&self) -> usize {
        // A mark may stand over several lines, whose answers count for it. They do not count for a single mark at the
        // head of a file, which has the whole file below it.
        let heads =
            self.stamped == self.lines || self.texts < self.lines || self.commands > 0 || self.answers > 0;
        let after = if heads { self.answers_after } else { 0 };
        self.answers.saturating_add(after)
    }

    pub(super) fn is_answering(&self) -> bool {
        let answers = self.all_answers();
        answers > 0 && answers.saturating_mul(4) >= self.commands
    }

    /// Whether the bytes are escaped. A line of payload may show an escape, too, so it counts only where nothing else
    /// does.
    fn is_spelled(&self) -> bool {
        let lines = self.commands.saturating_add(self.answers);
        let spelled = if lines == 0 { self.spelled } else { self.spelled_wire };
        spelled > 0 && spelled.saturating_mul(4) >= lines
    }

    pub(super) fn spelling(&self) -> Spelling {
        let most = |count: usize| count.saturating_mul(4) >= self.texts.saturating_mul(3);
        match () {
            () if self.texts == 0 => Spelling::Plain,
            () if most(self.hex) => Spelling::Hex { ended: self.ended > 0 },
            () if self.is_spelled() || most(self.quoted) => Spelling::Escaped { ended: self.ended > 0 },
            () => Spelling::Plain,
        }
    }
}

impl Tally {
    pub(super) fn take(&mut self, stripped: &StrippedLine<'_>) {
        let add = |count: &mut usize, is: bool| *count = count.saturating_add(usize::from(is));
        add(&mut self.lines, true);
        add(&mut self.leads, stripped.leads);
        add(&mut self.alone, stripped.text.trim_ascii().is_empty());
        let (text, _) = without_remark(stripped.text);
        let inner = unquoted(text);
        let shown = inner.unwrap_or(text);
        let hex = dump(text).or_else(|| pairs(text)).filter(|bytes| bytes.len() > 1 || text.len() > 2);
        let plain = match &hex {
            Some(bytes) => bytes.clone(),
            None => unescaped(shown),
        };
        let plain_ended = hex.is_some() && (plain.ends_with(b"\n") || plain.ends_with(b"\r"));
        let mut lines =
            plain.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()).peekable();
        let is_spelled = is_spelled(shown) || inner.is_some_and(is_spelled);
        add(&mut self.framed, lines.clone().count() > 1 && lines.clone().next().is_some_and(is_answer));
        let is_sent = lines.peek().is_some_and(|line| is_command(line.trim_ascii()));
        let is_received = lines.any(is_answer);
        add(&mut self.commands, is_sent);
        add(&mut self.answers, is_received);
        if text.trim_ascii().is_empty() {
            return;
        }
        add(&mut self.texts, true);
        add(
            &mut self.hex,
            hex.is_some() || dump(text).is_some() || text.trim_ascii().len() == 2 && pairs(text).is_some(),
        );
        add(&mut self.quoted, inner.is_some());
        add(&mut self.spelled, is_spelled);
        // A line end or a prompt alone belongs to a command or an answer, too.
        let is_wire = is_sent || is_received || matches!(plain.trim_ascii(), b"" | b">");
        add(&mut self.spelled_wire, is_spelled && is_wire);
        add(&mut self.ended, ends_spelled(shown) || plain_ended);
    }

    pub(super) fn and(mut self, other: &Self) -> Self {
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
