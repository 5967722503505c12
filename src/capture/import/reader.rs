//! The reader of every log. It removes from each line what the tool added, and writes a record or a remark.

use super::super::Reason;
use super::block::{Block, Direction, End};
use super::clock::Clock;
use super::data_lines::LineEnds;
use super::exchange::Wire;
use super::learned_layout::LearnedLayout;
use super::marks::Marks;
use super::notation::{dump, ends_spelled, has_offset, pairs, unescaped, unquoted};
use super::prints::{reason, reason_of_print};
use super::shape::{after_front, shape_of};
use super::stamp::Stamp;
use super::strip::StrippedLine;
use super::survey::{Side, Survey};
use super::tally::Spelling;
use super::text::{elided, find, is_answer, is_command, is_prose, without_remark};
use super::{Encoding, Line};

/// Reads the lines of a log.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    pub(super) survey: &'a Survey,
    pub(super) learned: Option<&'a LearnedLayout>,
    pub(super) marks: &'a Marks,
    pub(super) wire: Wire,
    clock: Clock,
    block: Option<Block>,
    /// The most stamps in front of a line that was not payload.
    stamps: usize,
    /// The side of the last mark, and the notation of its bytes.
    pub(super) last: Side,
    spelling: Spelling,
    /// The shape of the text in front of the last line of a terminal that begins with a level or a group.
    front: Option<Vec<u8>>,
    /// Whether the last line had no mark and was recorded.
    is_bare: bool,
    /// The closing quote of the text after the last mark, which may come some lines below.
    open_quote: Option<u8>,
    /// Whether the line is between fences, in a file whose recorded lines are there.
    in_fence: bool,
    /// The command in the heading above a dump.
    pub(super) quoted: Vec<u8>,
    /// The bytes below a heading, or in rows of a dump, that have come so far.
    pub(super) below: Vec<u8>,
    /// Whether the next line is a further row of the same dump.
    has_next_row: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        survey: &'a Survey,
        learned: Option<&'a LearnedLayout>,
        marks: &'a Marks,
        encoding: Encoding,
    ) -> Self {
        Self {
            survey,
            learned,
            marks,
            wire: Wire::new(encoding),
            clock: Clock::default(),
            block: None,
            stamps: 0,
            last: Side::None,
            spelling: Spelling::Plain,
            front: None,
            is_bare: false,
            open_quote: None,
            in_fence: false,
            quoted: Vec::new(),
            below: Vec::new(),
            has_next_row: false,
        }
    }

    /// Reads a line. The line after it may show the line end of this one.
    pub(super) fn line(&mut self, line: Line<'_>, next: Option<&[u8]>) {
        let text = self.survey.unframed(line.text);
        if self.survey.fenced {
            let is_fence = text.trim_ascii_start().starts_with(b"```");
            self.in_fence ^= is_fence;
            if !is_fence && !self.in_fence {
                let reason = if text.trim_ascii().is_empty() { Reason::Blank } else { Reason::Comment };
                return self.wire.out.remark(line.number, reason);
            }
        }
        if self.learned.is_some() {
            return self.taught(line.number, text, next);
        }
        let is_payload = self.wire.in_payload() || self.wire.waits_for_data();
        let whole = self.survey.strip(text, self.marks, usize::MAX);
        let is_head = whole.stamp.is_some() && whole.mark.is_some();
        let most = match is_payload {
            // With a stamp on few lines, one without a mark that completes the length belongs to the payload.
            true if self.survey.stamped <= self.survey.unstamped
                && !is_head
                && (self.wire.misses(text.len()) || self.wire.fits(text)) =>
            {
                0
            }
            true => self.stamps,
            false => usize::MAX,
        };
        let stripped = self.survey.strip(text, self.marks, most);
        self.has_next_row = next.is_some_and(|next| self.is_next_row(next, stripped.mark));
        self.stamps = self.stamps.max(stripped.stamps);
        // Payload below a stamp is recorded, whatever it looks like.
        let wire = &self.wire;
        let is_head = stripped.stamp.is_some() && stripped.mark.is_some();
        if let Some(block) = self.block.as_mut().filter(|block| !is_head && block.takes(text, wire)) {
            return block.push(line.number, text);
        }
        let side = stripped.mark.map_or(Side::None, |row| self.survey.side(row));
        match (side, stripped.mark) {
            (Side::ToModem | Side::FromModem, Some(row)) => {
                self.end_block(End::Stamp);
                self.set_time(stripped.stamp);
                self.last = side;
                self.is_bare = false;
                self.spelling = self.survey.spelling(row);
                self.marked(line.number, side, self.spelling, stripped);
            }
            _ if self.survey.marked => self.unmarked(line.number, stripped, text),
            _ => {
                self.set_time(stripped.stamp);
                // Payload may look like a front, so the front of the lines before is taken away and no more.
                let front = self.front.as_deref().filter(|_| is_payload);
                match front.and_then(|front| after_front(text, front)) {
                    Some(text) => {
                        let stripped = StrippedLine { text, core: text, tagged: false, ..stripped };
                        self.terminal(line.number, stripped, next);
                    }
                    None => self.terminal(line.number, stripped, next),
                }
                if stripped.tagged && self.survey.tagged_wire && !is_payload {
                    let core = stripped.core.trim_ascii_start();
                    let front = &text[..text.len().saturating_sub(core.len())];
                    self.front = (is_answer(core) || is_command(core))
                        .then(|| shape_of(front, false))
                        .or(self.front.take());
                }
            }
        }
    }

    /// The file ends here.
    pub(super) fn end(&mut self) {
        self.end_block(End::Cut);
        self.wire.close_data();
        self.wire.failed |= self.wire.in_payload();
    }

    pub(super) fn set_time(&mut self, stamp: Option<Stamp>) {
        // With a stamp on few lines only, the lines in between would seem to take no time.
        let is_timed = self.survey.marked
            || self.learned.is_some()
            || self.survey.stamped.saturating_mul(2) >= self.survey.unstamped;
        match stamp.filter(|_| is_timed) {
            Some(Stamp::TimeOfDay(millis)) => self.wire.out.set_time(self.clock.time_of_day(millis)),
            Some(Stamp::Count(millis)) => self.wire.out.set_time(self.clock.millis(millis)),
            Some(Stamp::Since) | None => {}
        }
    }

    fn end_block(&mut self, end: End) {
        if let Some(block) = self.block.take() {
            let is_trimmed = self.survey.trimmed && end != End::Marked;
            block.finish(if is_trimmed { End::Cut } else { end }, &mut self.wire);
        }
    }

    /// Reads a line whose mark assigns it to a side.
    pub(super) fn marked(
        &mut self,
        number: usize,
        side: Side,
        spelling: Spelling,
        stripped: StrippedLine<'_>,
    ) {
        let shown = self.marks.without_end(stripped.text).unwrap_or(stripped.text);
        // Data of the announced length are taken literally.
        let is_sent = side == Side::ToModem && self.wire.fits(shown);
        let is_line = |text: &[u8]| match side {
            Side::ToModem => is_command(unescaped(text).trim_ascii_end()),
            _ => !self.wire.in_payload(),
        };
        let text = match without_remark(stripped.text) {
            (text, true) if spelling != Spelling::Plain && ends_spelled(text) && is_line(text) => {
                self.wire.out.remark(number, Reason::Comment);
                text
            }
            _ => stripped.text,
        };
        if let Some(mut bytes) = spelled(text, spelling).filter(|_| !is_sent) {
            let is_whole = side == Side::ToModem || self.wire.in_payload();
            if spelling == (Spelling::Escaped { ended: true })
                && !is_whole
                && stripped.text.ends_with(b"....")
            {
                self.wire.out.remark(number, Reason::Elided);
                return self.wire.line_received(number, &bytes);
            }
            let is_text = spelling == (Spelling::Escaped { ended: false });
            if is_text && side == Side::FromModem && self.wire.in_payload() {
                return self.wire.line_received(number, &bytes);
            }
            if is_text && side == Side::ToModem && self.wire.marked_data(number, &bytes) {
                return;
            }
            self.end_row(side, spelling, &mut bytes);
            return self.put_bytes(number, side, bytes);
        }
        let is_data = self.wire.in_payload() || self.wire.fits(shown);
        let (text, remarked) = if is_data { (stripped.text, false) } else { without_remark(stripped.text) };
        if remarked {
            self.wire.out.remark(number, Reason::Comment);
        }
        let (text, ended) = self.marks.without_end(text).map_or((text, false), |text| (text, true));
        if self.survey.blocks && stripped.stamp.is_some() && !ended {
            let control = unescaped(text);
            if side == Side::ToModem && text.len() > 2 && control.len() == 1 && control[0] < b' ' {
                return self.wire.out.sent(number, control);
            }
            let text = match text.trim_ascii_start() {
                [quote @ (b'\'' | b'"'), inner @ ..] if !inner.contains(quote) => {
                    self.open_quote = Some(*quote);
                    inner
                }
                _ => text,
            };
            let direction = if side == Side::ToModem { Direction::ToModem } else { Direction::FromModem };
            self.block = Some(match self.survey.is_headed() && text.trim_ascii().is_empty() {
                true => {
                    self.wire.out.remark(number, Reason::Mark);
                    Block::empty(direction)
                }
                false => Block::new(direction, number, text),
            });
            return;
        }
        self.put(number, side, text);
    }

    /// Whether a line is a further row of the dump that a row with this mark, or without one, belongs to.
    fn is_next_row(&self, next: &[u8], mark: Option<usize>) -> bool {
        let next = self.survey.strip(self.survey.unframed(next), self.marks, usize::MAX);
        (next.mark.is_none() || next.mark == mark) && has_offset(next.text) && dump(next.text).is_some()
    }

    /// Adds the line end that the tool does not show to the last row of a command.
    fn end_row(&mut self, side: Side, spelling: Spelling, bytes: &mut Vec<u8>) {
        self.below.extend_from_slice(bytes);
        if !self.has_next_row {
            if self.is_line(side, spelling, &self.below) {
                bytes.extend_from_slice(b"\r\n");
            }
            self.below.clear();
        }
    }

    /// Whether these bytes are a line whose end the tool does not show.
    pub(super) fn is_line(&self, side: Side, spelling: Spelling, bytes: &[u8]) -> bool {
        let whole = match side {
            // A command always has a line end. Data and parts of a command may have none.
            Side::ToModem => {
                is_command(bytes)
                    && !matches!(spelling, Spelling::Hex { ended: true } | Spelling::Escaped { ended: true })
            }
            _ => spelling == (Spelling::Escaped { ended: false }) && bytes.trim_ascii() != b">",
        };
        whole && !bytes.ends_with(b"\n") && !bytes.ends_with(b"\r")
    }

    /// Records bytes that are complete.
    pub(super) fn put_bytes(&mut self, number: usize, side: Side, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return self.wire.out.remark(number, Reason::Blank);
        }
        match side {
            Side::ToModem => self.wire.sent(number, bytes),
            _ => self.wire.received(number, bytes),
        }
    }

    /// Records a whole line of one side that is shown as text.
    fn put(&mut self, number: usize, side: Side, text: &[u8]) {
        // Payload and data are taken literally.
        match side {
            Side::FromModem if self.wire.in_payload() => return self.wire.line_received(number, text),
            Side::ToModem if self.wire.fits(text) => return self.wire.line_sent(number, text),
            _ => {}
        }
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() && !self.wire.in_data() {
            return self.wire.out.remark(number, Reason::Blank);
        }
        if let Some(shown) = elided(trimmed) {
            self.wire.out.remark(number, Reason::Elided);
            return match shown.is_empty() {
                true => self.wire.out.gap(number),
                false => self.wire.sent(number, shown),
            };
        }
        if find(text, "×".as_bytes()).is_some() {
            return self.wire.out.remark(number, Reason::Placeholder);
        }
        if self.wire.prompt(number, text, true) {
            return;
        }
        // A mark may assign the wrong side: a command that writes a file, with its dialogue below, is not an answer.
        let is_file = trimmed.starts_with(b"AT+FSWRITE=") && !self.wire.echoes(trimmed);
        match side {
            _ if trimmed == b">" => self.wire.received(number, b"\r\n> ".to_vec()),
            Side::FromModem if is_file && self.survey.stamped == 0 => self.wire.line_sent(number, text),
            Side::ToModem => self.wire.line_sent(number, text),
            _ => self.wire.answered(number, text.trim_ascii_end()),
        }
    }

    /// Whether an unmarked line continues the text of the last mark: payload, or bytes in hexadecimal. If so, it is
    /// recorded.
    fn goes_on(&mut self, number: usize, stripped: StrippedLine<'_>) -> bool {
        let is_hex = matches!(self.spelling, Spelling::Hex { .. }) && self.last != Side::None;
        if let Some(mut bytes) = dump(stripped.text).filter(|_| is_hex && has_offset(stripped.text)) {
            self.end_row(self.last, self.spelling, &mut bytes);
            self.put_bytes(number, self.last, bytes);
            return true;
        }
        let is_escaped = self.spelling == (Spelling::Escaped { ended: true }) && self.last != Side::None;
        // A line end in angle brackets looks like a level.
        let is_plain = stripped.stamp.is_none() && (!stripped.tagged || stripped.text.starts_with(b"<"));
        if is_escaped && is_plain && ends_spelled(stripped.text) {
            self.put_bytes(number, self.last, unescaped(stripped.text));
            return true;
        }
        let is_sent = self.last == Side::ToModem && stripped.stamp.is_none() && !stripped.tagged;
        if is_sent && self.block.is_none() && (self.wire.data_go_on() || self.wire.begins_blank()) {
            return self.wire.marked_data(number, stripped.text);
        }
        let is_payload = self.wire.in_payload() && !self.wire.ends_payload(stripped.text);
        // Where both sides have marks, lines without one may be payload, or the tool's.
        let may_go_on = !self.survey.both || self.wire.ends != LineEnds::Joined;
        let goes_on = is_payload && may_go_on && !stripped.tagged && self.block.is_none();
        if goes_on {
            // An author may have indented the payload.
            let trimmed = stripped.text.trim_ascii();
            let text = if self.wire.misses(trimmed.len()) { trimmed } else { stripped.text };
            self.wire.line_received(number, text);
        }
        goes_on
    }

    /// A text without the quote that closes the text of a mark some lines above.
    fn without_quote<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let inner = self.open_quote.and_then(|quote| text.strip_suffix(&[quote]));
        self.open_quote = self.open_quote.filter(|_| inner.is_none());
        inner.unwrap_or(text)
    }

    /// Reads an unmarked line of a log that has marks: it continues the line above, or is a print of the program.
    fn unmarked(&mut self, number: usize, stripped: StrippedLine<'_>, whole: &[u8]) {
        if stripped.stamp.is_some() {
            self.end_block(End::Stamp);
            self.set_time(stripped.stamp);
        }
        if self.goes_on(number, stripped) {
            return;
        }
        let (text, remarked) = without_remark(stripped.text);
        let text = self.without_quote(text);
        let trimmed = text.trim_ascii();
        let out = &mut self.wire.out;
        if remarked {
            if whole.starts_with(b"##") && self.survey.stamped == 0 {
                out.gap(number);
            }
            let is_elided = find(whole, "……".as_bytes()).is_some();
            out.remark(number, if is_elided { Reason::Elided } else { Reason::Comment });
        }
        if trimmed.starts_with(b"```") || self.marks.is_end(trimmed) {
            self.end_block(if trimmed.starts_with("□".as_bytes()) { End::Marked } else { End::Cut });
            return self.wire.out.remark(number, Reason::Mark);
        }
        if remarked && trimmed.is_empty() {
            return;
        }
        if is_prose(text) {
            return self.wire.out.remark(number, Reason::Comment);
        }
        if let Some(block) = &mut self.block {
            return block.push(number, self.marks.without_end(text).unwrap_or(text));
        }
        if trimmed.is_empty() {
            return self
                .wire
                .out
                .remark(number, if stripped.stamp.is_some() { Reason::Tool } else { Reason::Blank });
        }
        let indented = whole.starts_with(b"   ");
        self.is_bare |= is_command(trimmed) || is_answer(trimmed);
        match () {
            () if stripped.tagged && !is_answer(trimmed) => {
                self.wire.out.remark(number, reason_of_print(trimmed))
            }
            () if indented && self.last == Side::ToModem && is_command(trimmed) => {
                self.wire.out.remark(number, Reason::Alternative);
            }
            () if is_command(trimmed) => self.wire.line_sent(number, trimmed),
            () if is_answer(trimmed) || trimmed == b">" => self.put(number, Side::FromModem, trimmed),
            () if self.survey.blocks && self.last == Side::FromModem && stripped.stamp.is_none() => {
                self.put(number, Side::FromModem, trimmed);
            }
            // With a mark on what was sent only, everything else came from the modem.
            () if !self.survey.both && self.last == Side::ToModem && !self.marks.is_print(trimmed) => {
                self.put(number, Side::FromModem, trimmed);
            }
            () if stripped.stamp.is_some()
                && self.survey.unstamped == 0
                && (self.is_bare || !self.survey.both)
                && !self.marks.is_print(trimmed) =>
            {
                self.put(number, Side::FromModem, text);
            }
            () if self.marks.is_print(trimmed) => self.wire.out.remark(number, Reason::Tool),
            () => self.wire.out.remark(number, reason(trimmed)),
        }
    }
}

/// The bytes of a text in a notation; `None` for plain text.
fn spelled(text: &[u8], spelling: Spelling) -> Option<Vec<u8>> {
    match spelling {
        Spelling::Plain => None,
        Spelling::Hex { .. } => dump(text).or_else(|| pairs(text)),
        Spelling::Escaped { .. } => Some(unescaped(unquoted(text).unwrap_or(text))),
    }
}
