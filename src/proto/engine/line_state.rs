//! Facts about the last bytes on the line. The next bytes are judged by them.

use std::time::Duration;

use crate::time::Timestamp;

/// Facts about the last bytes on the line. The next bytes are judged by them.
#[derive(Debug)]
pub(super) struct LineHistory {
    /// When the last byte of payload came. `None` before the first one, and after a text of people.
    pub(super) data_at: Option<Timestamp>,
    /// When the unfinished line began, if it began in an earlier read.
    pub(super) begun_at: Option<Timestamp>,
    /// Whether a command was written after the unfinished line began.
    pub(super) precedes_command: bool,
    /// Whether a command was written while the LF of the line before it was missing.
    pub(super) end_precedes_command: bool,
    /// The class of the last line.
    pub(super) text: Text,
    pub(super) unknown: Unknown,
    pub(super) nameless: Nameless,
    /// Whether a header of pushed data came within a text that the command in flight has asked for.
    pub(super) frame_in_text: bool,
    /// Unsolicited lines between data. They are processed when valid bytes or silence follow. Empty if there are none.
    pub(super) held: Vec<u8>,
    /// Whether no line came since a command was written.
    pub(super) is_first: bool,
    /// Whether the result of the last command came in part, or stands at the end of payload that came since that
    /// command was written.
    pub(super) has_result: bool,
    /// Whether old firmware writes no line end after the last line.
    pub(super) lacks_end: bool,
    /// Whether the last line was accepted without its line end although it must have one, and nothing came since.
    pub(super) awaits_end: bool,
    /// Whether the firmware writes line ends other than CR LF.
    pub(super) writes_odd_line_ends: bool,
    pub(super) blanks: PromptBlanks,
    /// The newest line is an echo.
    pub(super) echo: bool,
    /// The line before the newest one is an echo, which ends with the line end in front of the newest one.
    pub(super) follows_echo: bool,
}

/// The blank after the prompts of sends. A firmware writes it always or never.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct PromptBlanks {
    /// A prompt came, and no byte after it yet.
    is_next: bool,
    /// Whether there was a blank after the last prompt.
    had: Option<bool>,
    /// How often a prompt differed from the one before it.
    changes: u32,
}

/// After this number of changes the form of the prompts is no sign of damage.
const MAX_CHANGES: u32 = 2;

impl PromptBlanks {
    /// A prompt came.
    pub(super) fn prompt(&mut self) {
        self.is_next = true;
    }

    /// True if all prompts of sends have a blank.
    pub(super) fn are_certain(&self) -> bool {
        self.had == Some(true) && self.changes <= MAX_CHANGES
    }

    /// True if this byte is the blank of a prompt.
    pub(super) fn has(&self, byte: u8) -> bool {
        self.is_next && byte == b' ' && self.had != Some(false)
    }

    /// A byte came. Returns false if it is a sign that bytes after a prompt were lost: the blank is missing, or there
    /// is one for the first time. If the module echoes nothing, text there is not the module's, and the prompt was
    /// payload.
    pub(super) fn fits(&mut self, byte: u8, is_echo_off: bool) -> bool {
        if !std::mem::take(&mut self.is_next) {
            return true;
        }
        if is_echo_off && byte.is_ascii_graphic() && byte != b'>' {
            return false;
        }
        let has = byte == b' ';
        let is_odd = self.had.replace(has).is_some_and(|had| had != has);
        self.changes = self.changes.saturating_add(u32::from(is_odd));
        !is_odd || self.changes > MAX_CHANGES
    }

    /// Forgets the last prompt after damage, which may have been in it.
    fn forget(&mut self) {
        *self = Self { changes: self.changes, ..Self::default() };
    }
}

/// The class of a line for the detection of damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Text {
    Sound,
    /// A header.
    Header,
    /// A held line that reports the end of a connection.
    End,
    /// The first line since a command was written, which is part of its answer.
    First,
    /// An unknown line that answers nothing and does not begin with a name.
    Strange,
    /// An unknown line without a name that reads like text of the module. Such text has line ends before and after it.
    Words,
    /// A line that is longer than any text of the module, with a name or without.
    Overlong,
    /// An unsolicited line of a channel that lacks bytes.
    Torn,
}

/// Lines without a name within an answer whose lines must all have the name of the command.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Nameless {
    /// Whether the newest line has no name.
    is_newest: bool,
    /// Whether the line before it had no name.
    was_last: bool,
    /// Whether the line end before or after such a line is missing.
    pub(super) is_unended: bool,
}

impl Nameless {
    /// The newest line was judged. `is_loose` is true if it had no line end of its own in front.
    fn judged(&mut self, is_loose: bool) {
        self.is_unended |= is_loose && (self.was_last || self.is_newest);
        self.was_last = std::mem::take(&mut self.is_newest);
    }
}

/// Unknown words. The following bytes may show that they were the end of data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unknown {
    None,
    /// They came at this moment, and nothing came since.
    Last(Timestamp),
    /// A line followed them.
    Followed,
}

/// The moment of the last byte. The deadlines of unfinished lines and data are counted from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LastByte {
    At(Timestamp),
    /// The deadline was postponed from this moment, because the host had stood still. It is postponed once until bytes
    /// come, so that a shell that is always late can't postpone it for ever.
    Postponed(Timestamp),
}

impl LastByte {
    pub(super) fn at(self) -> Timestamp {
        match self {
            Self::At(at) | Self::Postponed(at) => at,
        }
    }
}

/// For this span after payload an unknown line counts as a part of it. Unsolicited lines have names, and seldom come
/// within this span.
pub(super) const AMONG_DATA: Duration = Duration::from_millis(100);

/// After this span an unfinished line counts as complete, if old firmware may omit its CR LF (protocol section 2). The
/// span is longer than any pause within a line of the captures.
pub(super) const PARTIAL_LINE: Duration = Duration::from_millis(250);

impl LineHistory {
    pub(super) fn new() -> Self {
        Self {
            data_at: None,
            begun_at: None,
            precedes_command: false,
            end_precedes_command: false,
            text: Text::Sound,
            unknown: Unknown::None,
            nameless: Nameless::default(),
            frame_in_text: false,
            held: Vec::new(),
            is_first: false,
            has_result: false,
            lacks_end: false,
            awaits_end: false,
            writes_odd_line_ends: false,
            blanks: PromptBlanks::default(),
            echo: false,
            follows_echo: false,
        }
    }

    /// A line or a header came.
    pub(super) fn line(&mut self, now: Timestamp) {
        self.unknown = match self.unknown {
            Unknown::Last(at) if now < at + AMONG_DATA => Unknown::Followed,
            Unknown::Last(_) | Unknown::Followed | Unknown::None => Unknown::None,
        };
    }

    /// A line of an answer came. `begins` is true for the first line of the answer. `is_nameless` is true for a line
    /// that lacks the name of the command, and may be data without a header.
    pub(super) fn answer_line(&mut self, begins: bool, is_nameless: bool) {
        if begins {
            self.text = Text::First;
        }
        self.nameless.is_newest = is_nameless;
    }

    /// A line was processed. `lacks_end` is true if old firmware writes no line end after it.
    pub(super) fn line_taken(&mut self, lacks_end: bool) {
        // A line that began before the command is no part of its answer.
        self.is_first &= self.precedes_command;
        self.lacks_end = lacks_end;
    }

    /// Bytes came after a pause of this length. A line end that came before it is not that of the next line.
    pub(super) fn goes_on(&mut self, pause: Duration, has_begun_line: bool) {
        let had_end = !self.awaits_end && !has_begun_line && pause >= PARTIAL_LINE;
        self.lacks_end &= !had_end;
        self.awaits_end = false;
    }

    /// A line was judged. `is_loose` is true if it had no line end of its own in front.
    pub(super) fn line_judged(&mut self, is_loose: bool) {
        self.nameless.judged(is_loose);
        self.follows_echo = std::mem::take(&mut self.echo);
    }

    /// Payload came.
    pub(super) fn data(&mut self, now: Timestamp) {
        self.data_at = Some(now);
        self.unknown = Unknown::None;
    }

    /// All bytes of a read are processed. `is_in_line` is true if a line is unfinished.
    pub(super) fn pauses(&mut self, now: Timestamp, is_in_line: bool) {
        // The LF of its first line end may come in a later read.
        let goes_on = is_in_line || self.precedes_command;
        self.begun_at = if goes_on { self.begun_at.or(Some(now)) } else { None };
    }

    /// A command is written.
    pub(super) fn command_written(&mut self) {
        self.precedes_command = self.begun_at.is_some();
        self.end_precedes_command |= self.awaits_end;
        self.is_first = true;
        self.has_result = false;
        self.nameless = Nameless::default();
        // The line end before it came before the command.
        self.lacks_end = false;
    }

    /// The unfinished line was processed.
    pub(super) fn begins(&mut self) {
        self.begun_at = None;
        self.precedes_command = false;
        self.end_precedes_command = false;
    }

    /// A text of people has ended: the next line follows the text, and not payload.
    pub(super) fn text_ended(&mut self) {
        self.data_at = None;
    }

    /// True if unsolicited lines are held.
    pub(super) fn holds_news(&self) -> bool {
        !self.held.is_empty()
    }

    /// Forgets everything that came before.
    pub(super) fn forget(&mut self) {
        self.blanks.forget();
        self.held.clear();
        self.unknown = Unknown::None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The CR in front of it came before the first command, its LF by itself.
    #[test]
    fn a_line_that_began_before_a_command_began_before_the_next_one_too() {
        let mut history = LineHistory::new();
        history.pauses(Timestamp::ZERO, true);
        history.command_written();
        history.pauses(Timestamp::ZERO, false);
        history.command_written();
        assert!(history.precedes_command);
        history.begins();
        history.command_written();
        assert!(!history.precedes_command);
    }

    #[test]
    fn a_prompt_has_a_blank_after_it_as_the_others_have() {
        let mut blanks = PromptBlanks::default();
        let mut fits = |came: &[u8]| -> Vec<bool> {
            blanks = PromptBlanks::default();
            assert!(blanks.fits(b'x', true) && blanks.fits(b' ', true), "no prompt");
            let prompt = |byte: &u8| {
                blanks.prompt();
                let fits = blanks.fits(*byte, false) && blanks.fits(b'+', false);
                if !fits {
                    blanks.forget();
                }
                fits
            };
            came.iter().map(prompt).collect()
        };
        assert_eq!(fits(b"   \r  \r "), [true, true, true, false, true, true, false, true]);
        assert_eq!(fits(b"\r\r \r"), [true, true, false, true]);
        assert_eq!(fits(b" \r \r \r \r \r"), [true, false, true, false, true, true, true, true, true, true]);
        fits(b" \r \r \r ");
        assert!(blanks.had == Some(true) && !blanks.are_certain());
    }

    #[test]
    fn a_line_follows_unknown_words_only_within_the_time_of_data() {
        let soon = Timestamp::ZERO + AMONG_DATA;
        for (at, expected) in [
            (Timestamp::ZERO, Unknown::Followed),
            (Timestamp::ZERO + AMONG_DATA.saturating_sub(Duration::from_nanos(1)), Unknown::Followed),
            (soon, Unknown::None),
        ] {
            let mut history = LineHistory::new();
            history.unknown = Unknown::Last(Timestamp::ZERO);
            history.line(at);
            assert_eq!(history.unknown, expected, "{at:?}");
            history.line(at);
            assert_eq!(history.unknown, Unknown::None, "a second line");
        }
    }
}
