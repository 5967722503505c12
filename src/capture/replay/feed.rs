//! Passes the records of a capture to the decoder, and tracks the lines of the file.

use std::collections::BTreeSet;
use std::mem;
use std::num::NonZeroUsize;

use crate::at::{Decoder, Fault, Header, Token};
use crate::time::Timestamp;

use super::super::{Capture, Entry, Located};
use super::session::Session;
use super::stream_end::data_before_end;
use super::timeline::{PayloadKind, Timeline, TimelineEntry, TimelineEntryKind, UnexplainedReason};

/// The state of a replay between the capture and its decoder.
#[derive(Debug)]
pub(super) struct Feed {
    decoder: Decoder,
    session: Session,
    size: NonZeroUsize,
    at: Timestamp,
    /// The line of the file that is read.
    line: usize,
    /// The lines of the file whose bytes are not in a token yet.
    lines: BTreeSet<usize>,
    /// The lines of the file with the beginning of an unfinished line of the host.
    begun: Vec<usize>,
    /// The payload after the last header that has come so far, and its meaning.
    payload: Vec<u8>,
    awaited: Option<Awaited>,
    /// Whether the end of the transparent data that come now has been looked for.
    is_searched: bool,
    entries: Vec<TimelineEntry>,
}

/// The meaning of raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Payload(PayloadKind),
    Echo,
}

/// A token with its own bytes.
enum Piece {
    Line(Vec<u8>),
    Prompt,
    OddLineEnd,
    Header(Header),
    Data { bytes: Vec<u8>, last: bool },
    Fault(Fault),
}

impl Piece {
    fn of(token: Token<'_>) -> Self {
        match token {
            Token::Line(line) => Self::Line(line.to_vec()),
            Token::Prompt => Self::Prompt,
            Token::OddLineEnd => Self::OddLineEnd,
            Token::Header(header) => Self::Header(header),
            Token::Data { bytes, last } => Self::Data { bytes: bytes.to_vec(), last },
            Token::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Feed {
    pub(super) fn new(capture: &Capture, size: NonZeroUsize) -> Self {
        let is_sent = |located: &Located| matches!(located.record.what, Entry::ToModem(_));
        Self {
            decoder: Decoder::new(),
            session: Session::new(capture.records.iter().any(is_sent)),
            size,
            at: Timestamp::ZERO,
            line: 0,
            lines: BTreeSet::new(),
            begun: Vec::new(),
            payload: Vec::new(),
            awaited: None,
            is_searched: false,
            entries: Vec::new(),
        }
    }

    /// Takes the next record. `records` begins with it.
    pub(super) fn record(&mut self, located: &Located, records: &[Located]) {
        self.at = located.record.at;
        match &located.record.what {
            Entry::FromModem(bytes) => self.received(located.line, bytes, records),
            Entry::ToModem(bytes) => self.sent(located.line, bytes),
            Entry::Request(words) => self.add(vec![located.line], TimelineEntryKind::Request(words.clone())),
            Entry::Note(words) => self.add(vec![located.line], TimelineEntryKind::Note(words.clone())),
            Entry::Gap => {
                self.end_of_stream();
                self.session.gap();
                self.add(vec![located.line], TimelineEntryKind::Gap);
            }
        }
    }

    /// Takes a line of an unknown form.
    pub(super) fn unknown(&mut self, line: usize) {
        let why = UnexplainedReason::UnknownForm;
        self.add(vec![line], TimelineEntryKind::Unexplained { bytes: Vec::new(), why });
    }

    /// The timeline at the end of the capture.
    pub(super) fn finish(mut self) -> Timeline {
        self.end_of_stream();
        Timeline { entries: self.entries }
    }

    fn sent(&mut self, line: usize, bytes: &[u8]) {
        self.is_searched = false;
        let was_transparent = self.session.is_transparent();
        let mut has_begun_data = self.session.has_begun_data();
        let mut begun = mem::take(&mut self.begun);
        for what in self.session.sent(bytes) {
            // Data in several lines of a log are one send.
            if let (TimelineEntryKind::Sent(more), Some(last), true) =
                (&what, self.entries.last_mut(), mem::take(&mut has_begun_data))
                && let TimelineEntryKind::Sent(bytes) = &mut last.what
            {
                bytes.extend_from_slice(more);
                last.lines.extend((!last.lines.contains(&line)).then_some(line));
                continue;
            }
            let lines =
                mem::take(&mut begun).into_iter().filter(|other| *other != line).chain([line]).collect();
            self.add(lines, what);
        }
        if self.session.has_begun_line() {
            begun.push(line);
            self.begun = begun;
        }
        if was_transparent && !self.session.is_transparent() {
            self.decoder.abandon_data();
            self.awaited = None;
        }
    }

    fn received(&mut self, line: usize, bytes: &[u8], records: &[Located]) {
        self.line = line;
        self.await_echo(bytes);
        if self.session.is_transparent() && !self.is_searched {
            self.expect_stream(records, 0);
        }
        let mut after = bytes.len();
        for chunk in bytes.chunks(self.size.get()) {
            let mut rest = chunk;
            after = after.saturating_sub(chunk.len());
            loop {
                let (before, in_data) = (rest, self.decoder.data_left() > 0);
                let piece = self.decoder.next(&mut rest, self.session.expect()).map(Piece::of);
                let taken = &before[..before.len().saturating_sub(rest.len())];
                // Blanks belong to no line, but every byte of data counts.
                if in_data && !taken.is_empty() || taken.iter().any(|byte| !byte.is_ascii_whitespace()) {
                    self.lines.insert(line);
                }
                match piece {
                    None => break,
                    Some(piece) => self.piece(piece),
                }
                if self.session.is_transparent() && self.decoder.data_left() == 0 {
                    let left = after.saturating_add(rest.len());
                    self.expect_stream(records, bytes.len().saturating_sub(left));
                }
                // Data that were written with their command are echoed directly after it, others after the prompt.
                let last = self.entries.last().map(|entry| &entry.what);
                if matches!(last, Some(TimelineEntryKind::Echo(_) | TimelineEntryKind::Prompt)) {
                    // The blank after the prompt belongs to it.
                    let is_prompt = matches!(last, Some(TimelineEntryKind::Prompt));
                    let after_blank = rest.strip_prefix(b" ").filter(|_| is_prompt).unwrap_or(rest);
                    let left = after.saturating_add(after_blank.len());
                    self.await_echo(bytes.get(bytes.len().saturating_sub(left)..).unwrap_or_default());
                    rest = if self.decoder.data_left() > 0 { after_blank } else { rest };
                }
            }
        }
        if self.session.is_transparent() {
            self.end_of_payload();
        }
    }

    /// Expects the echo of data at the start of the modem's bytes.
    fn await_echo(&mut self, bytes: &[u8]) {
        if self.decoder.data_left() > 0 || !self.decoder.partial_line().is_empty() {
            return;
        }
        let length = self.session.data_echo(bytes);
        if length > 0 {
            self.decoder.expect_data(length);
            self.awaited = Some(Awaited::Echo);
        }
    }

    /// Expects transparent data, up to the module's lines that end them. `taken` bytes of the first record are read.
    fn expect_stream(&mut self, records: &[Located], taken: usize) {
        self.is_searched = true;
        let length = data_before_end(records).map_or(usize::MAX, |length| length.saturating_sub(taken));
        match length {
            0 => self.decoder.abandon_data(),
            _ => self.decoder.expect_data(length),
        }
        self.awaited = Some(Awaited::Payload(PayloadKind::Transparent));
    }

    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::Line(bytes) => match self.session.echo_with_data(&bytes) {
                Some([command, data]) => {
                    let lines: Vec<usize> = mem::take(&mut self.lines).into_iter().collect();
                    self.add(lines.clone(), command);
                    self.add(lines, data);
                }
                None => {
                    let what = self.session.line(&bytes);
                    let lines: Vec<usize> = mem::take(&mut self.lines).into_iter().collect();
                    self.add(lines.clone(), what);
                    if let Some(missing) = self.session.take_missing() {
                        let why = UnexplainedReason::Missing(missing);
                        self.add(lines, TimelineEntryKind::Unexplained { bytes: Vec::new(), why });
                    }
                }
            },
            // Many programs write other line ends than those that came.
            Piece::OddLineEnd => {}
            Piece::Prompt => {
                let what = self.session.prompt();
                self.add_taken(what);
            }
            Piece::Header(header) => {
                self.awaited = Some(Awaited::Payload(self.session.header(header)));
            }
            Piece::Data { bytes, last } => {
                self.payload.extend_from_slice(&bytes);
                if last {
                    self.end_of_payload();
                }
            }
            Piece::Fault(fault) => {
                // A fault between lines is that of the record in which it is noticed.
                self.lines.insert(self.line);
                self.add_taken(TimelineEntryKind::Unexplained {
                    bytes: Vec::new(),
                    why: UnexplainedReason::Fault(fault),
                });
            }
        }
    }

    /// The payload is complete; transparent data have no other end.
    fn end_of_payload(&mut self) {
        let bytes = mem::take(&mut self.payload);
        match self.awaited {
            Some(Awaited::Payload(PayloadKind::Transparent)) if bytes.is_empty() => {}
            Some(Awaited::Payload(kind)) => self.add_taken(TimelineEntryKind::Payload { kind, bytes }),
            Some(Awaited::Echo) => self.add_taken(TimelineEntryKind::DataEcho(bytes)),
            None => {
                self.add_taken(TimelineEntryKind::Unexplained { bytes, why: UnexplainedReason::UnknownLine })
            }
        }
    }

    /// The bytes end here: unfinished tokens are complete.
    fn end_of_stream(&mut self) {
        let missing = self.decoder.data_left();
        if missing > 0 && !self.session.is_transparent() {
            let bytes = mem::take(&mut self.payload);
            self.add_taken(TimelineEntryKind::Unexplained {
                bytes,
                why: UnexplainedReason::Missing(missing),
            });
        }
        self.decoder.abandon_data();
        self.awaited = None;
        if let Some(what) = self.session.unended_line() {
            let lines = mem::take(&mut self.begun);
            self.add(lines, what);
        }
        if let Some(piece) = self.decoder.end_line().map(Piece::of) {
            self.piece(piece);
        }
    }

    fn add_taken(&mut self, what: TimelineEntryKind) {
        let lines = mem::take(&mut self.lines).into_iter().collect();
        self.add(lines, what);
    }

    fn add(&mut self, lines: Vec<usize>, what: TimelineEntryKind) {
        self.entries.push(TimelineEntry { at: self.at, lines, what });
    }
}
