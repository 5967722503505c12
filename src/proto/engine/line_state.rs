//! The recent past of the line, by which the next bytes are judged.

use std::time::Duration;

use crate::time::Timestamp;

/// The recent past of the line, by which the next bytes are judged.
#[derive(Debug)]
pub(super) struct LineHistory {
    /// When the last byte of payload came; `None` before the first one, and behind a text of people.
    pub(super) data_at: Option<Timestamp>,
    /// When the line under way has begun, if its first bytes came before the last ones.
    pub(super) begun_at: Option<Timestamp>,
    /// Whether a command was written since that line began.
    pub(super) precedes_command: bool,
    /// What the last line was.
    pub(super) text: Text,
    pub(super) unknown: Unknown,
    /// News among data, which are not believed before something sound has followed, or nothing; empty if there are none.
    pub(super) held: Vec<u8>,
    /// Whether no line has come since a command was written.
    pub(super) is_first: bool,
    /// Whether payload has come since then that ends like the result of that command.
    pub(super) has_result: bool,
    /// Whether the last line is one behind which old firmware writes no line end.
    pub(super) lacks_end: bool,
    /// Whether a line was taken without its line end, nothing has come since, and it is none that may lack one.
    pub(super) owes_end: bool,
    /// Whether the firmware ends lines otherwise than with CR LF.
    pub(super) writes_odd_line_ends: bool,
    pub(super) blanks: PromptBlanks,
}

/// The blank that a firmware writes behind the prompts of sends, or behind none of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct PromptBlanks {
    /// A prompt has come, and nothing behind it.
    is_next: bool,
    /// Whether there was one, the last time.
    had: Option<bool>,
    /// It was otherwise than the time before.
    is_odd: bool,
    /// It was otherwise twice in a row, so it tells nothing.
    differs: bool,
}

impl PromptBlanks {
    /// A prompt has come.
    pub(super) fn prompt(&mut self) {
        self.is_next = true;
    }

    /// This byte has come. Returns whether it may stand there: where a blank is missing, or stands for the first time, bytes behind
    /// a prompt were lost.
    pub(super) fn fits(&mut self, byte: u8) -> bool {
        if !std::mem::take(&mut self.is_next) {
            return true;
        }
        let has = byte == b' ';
        let was_odd = std::mem::take(&mut self.is_odd);
        self.is_odd = self.had.replace(has).is_some_and(|had| had != has);
        self.differs |= was_odd && self.is_odd;
        self.differs || !self.is_odd
    }
}

/// A line, as far as damage is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Text {
    Sound,
    /// A header.
    Header,
    /// News of the end of a connection, which are held.
    End,
    /// The first line since a command was written, and part of its answer.
    First,
    /// It answers nothing and is not known, and has no name in front as a new kind of news would.
    Strange,
    /// The same, and it reads as words of the module's. Such words come between line ends of their own.
    Words,
    /// Longer than any words of the module's are, with a name or without.
    Overlong,
    /// News of a channel that have lost bytes.
    Torn,
}

/// Words that are not known, and that what follows may show to be the end of data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unknown {
    None,
    /// They came then, and nothing since.
    Last(Timestamp),
    /// A line has followed them.
    Followed,
}

/// The moment of the last byte, from which the deadlines of unfinished lines and data count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LastByte {
    At(Timestamp),
    /// Put off since then, because the host had stood still. Once, until bytes come: a shell that is always late must not
    /// put it off for ever.
    PutOff(Timestamp),
}

impl LastByte {
    pub(super) fn at(self) -> Timestamp {
        match self {
            Self::At(at) | Self::PutOff(at) => at,
        }
    }
}

/// How long behind payload a strange line is taken for a part of it. News have names, and are seldom just there.
pub(super) const AMONG_DATA: Duration = Duration::from_millis(100);

impl LineHistory {
    pub(super) fn new() -> Self {
        Self {
            data_at: None,
            begun_at: None,
            precedes_command: false,
            text: Text::Sound,
            unknown: Unknown::None,
            held: Vec::new(),
            is_first: false,
            has_result: false,
            lacks_end: false,
            owes_end: false,
            writes_odd_line_ends: false,
            blanks: PromptBlanks::default(),
        }
    }

    /// A line or a header comes.
    pub(super) fn line(&mut self, now: Timestamp) {
        self.unknown = match self.unknown {
            Unknown::Last(at) if now < at + AMONG_DATA => Unknown::Followed,
            Unknown::Last(_) | Unknown::Followed | Unknown::None => Unknown::None,
        };
    }

    /// A line of an answer; whether it begins that.
    pub(super) fn answer_line(&mut self, begins: bool) {
        if begins {
            self.text = Text::First;
        }
    }

    /// A line was taken; whether it is one behind which old firmware writes no line end.
    pub(super) fn line_taken(&mut self, lacks_end: bool) {
        // One that began before the command answers nothing of it.
        self.is_first &= self.precedes_command;
        self.lacks_end = lacks_end;
    }

    /// Payload has come.
    pub(super) fn data(&mut self, now: Timestamp) {
        self.data_at = Some(now);
        self.unknown = Unknown::None;
    }

    /// No more bytes have come for now; whether a line is under way.
    pub(super) fn pauses(&mut self, now: Timestamp, is_in_line: bool) {
        // The LF of its first line end may stand alone.
        let goes_on = is_in_line || self.precedes_command;
        self.begun_at = if goes_on { self.begun_at.or(Some(now)) } else { None };
    }

    /// A command is written.
    pub(super) fn command_written(&mut self) {
        self.precedes_command = self.begun_at.is_some();
        self.is_first = true;
        self.has_result = false;
        // Its line end came before the command.
        self.lacks_end = false;
    }

    /// The line under way has been taken.
    pub(super) fn begins(&mut self) {
        self.begun_at = None;
        self.precedes_command = false;
    }

    /// A text of people is over: the next line follows that, and no payload.
    pub(super) fn text_ended(&mut self) {
        self.data_at = None;
    }

    /// Whether news are held.
    pub(super) fn holds_news(&self) -> bool {
        !self.held.is_empty()
    }

    /// Forgets what came before.
    pub(super) fn forget(&mut self) {
        self.blanks = PromptBlanks::default();
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
    fn a_prompt_has_a_blank_behind_it_as_the_others_have() {
        let fits = |came: &[u8]| -> Vec<bool> {
            let mut blanks = PromptBlanks::default();
            assert!(blanks.fits(b'x') && blanks.fits(b' '), "no prompt");
            let prompt = |byte: &u8| {
                blanks.prompt();
                blanks.fits(*byte) && blanks.fits(b'+')
            };
            came.iter().map(prompt).collect()
        };
        assert_eq!(fits(b"   \r "), [true, true, true, false, true]);
        assert_eq!(fits(b"\r\r \r"), [true, true, false, true]);
        assert_eq!(fits(b" \r\r \r"), [true, false, true, false, true]);
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
