//! The result of a replay.

use std::collections::BTreeSet;
use std::fmt;

use crate::at::{ChannelId, Fault, Urc};
use crate::time::Timestamp;

use super::super::escape::escape;
use super::super::{Capture, Layout, Reason};

/// The entries of a capture, in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Timeline {
    /// The entries, in order.
    pub entries: Vec<TimelineEntry>,
}

/// An entry with its time and its lines.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TimelineEntry {
    /// The time when it was complete.
    pub at: Timestamp,
    /// The lines of the file that show it, in rising order.
    pub lines: Vec<usize>,
    /// The kind of the entry.
    pub what: TimelineEntryKind,
}

/// The kind of an entry. Text that is not UTF-8 is shown with its bytes escaped.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TimelineEntryKind {
    /// The host sent a command.
    Command(String),
    /// The host sent data.
    Sent(Vec<u8>),
    /// The modem echoed a command.
    Echo(String),
    /// The modem echoed data.
    DataEcho(Vec<u8>),
    /// The modem asks for data.
    Prompt,
    /// Part of an answer.
    Reply {
        /// The command; `None` if it is not in the capture.
        command: Option<String>,
        /// The line.
        line: String,
    },
    /// The end of an answer.
    Final {
        /// The command; `None` if it is not in the capture.
        command: Option<String>,
        /// The line.
        line: String,
    },
    /// An unsolicited line.
    Urc {
        /// Its meaning.
        urc: Urc,
        /// The line.
        line: String,
    },
    /// Data from the network.
    Payload {
        /// The way in which they came.
        kind: PayloadKind,
        /// The exact data; of [`PayloadKind::Bare`] without the line end.
        bytes: Vec<u8>,
    },
    /// A request of the application.
    Request(String),
    /// A note in the capture.
    Note(String),
    /// Records are missing here.
    Gap,
    /// No rule explains these bytes.
    Unexplained {
        /// The bytes.
        bytes: Vec<u8>,
        /// The reason.
        why: UnexplainedReason,
    },
}

/// The way in which data came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadKind {
    /// `+RECEIVE,<n>,<len>:`.
    Pushed(ChannelId),
    /// `+CIPRXGET: 2,<n>,...`.
    Fetched(ChannelId),
    /// `+IPD,<len>:` of a single connection.
    Single,
    /// A single connection without headers. Only text that is no line of the modem counts as data.
    Bare,
    /// Transparent mode.
    Transparent,
}

/// The reason why something is unexplained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnexplainedReason {
    /// The line answers no command in flight, and is no known unsolicited line.
    UnknownLine,
    /// A fault that the decoder reports.
    Fault(Fault),
    /// The capture ends, or has a gap, and this number of announced bytes is missing.
    Missing(usize),
    /// The host sent bytes that are neither a command nor data that the modem waits for.
    NotACommand,
    /// The line has a form that is not known, and contains a command or an answer.
    UnknownForm,
}

impl Timeline {
    /// The entries that no rule explains.
    pub fn unexplained(&self) -> impl Iterator<Item = &TimelineEntry> {
        self.entries.iter().filter(|entry| matches!(entry.what, TimelineEntryKind::Unexplained { .. }))
    }

    /// All data that came from the network on a channel (`None`: a single connection), joined.
    pub fn payload(&self, wanted: Option<ChannelId>) -> Vec<u8> {
        let mut joined = Vec::new();
        for entry in &self.entries {
            if let TimelineEntryKind::Payload { kind, bytes } = &entry.what
                && kind.channel() == wanted
            {
                joined.extend_from_slice(bytes);
            }
        }
        joined
    }
}

/// The part of a file that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Lines of the file that are not blank.
    pub lines: usize,
    /// Lines of the exchange that a rule explains.
    pub explained: usize,
    /// Lines that no rule explains.
    pub unexplained: usize,
    /// The line within which the file ends, if its recorder was interrupted.
    pub cut: Option<usize>,
    /// True if the file is probably an exchange with a modem: most of the lines that may be one are explained.
    pub is_understood: bool,
}

impl Coverage {
    /// The coverage of a capture by its timeline.
    pub fn of(capture: &Capture, timeline: &Timeline) -> Self {
        let (mut explained, mut unexplained): (BTreeSet<usize>, BTreeSet<usize>) = Default::default();
        for entry in &timeline.entries {
            match entry.what {
                TimelineEntryKind::Unexplained { .. } => unexplained.extend(&entry.lines),
                TimelineEntryKind::Note(_) | TimelineEntryKind::Gap | TimelineEntryKind::Request(_) => {}
                _ => explained.extend(&entry.lines),
            }
        }
        let blank = capture.remarks.iter().filter(|remark| remark.reason == Reason::Blank);
        let blank: BTreeSet<usize> = blank.map(|remark| remark.line).collect();
        let silent = capture.records.iter().filter(|located| {
            let bytes = located.record.what.bytes().unwrap_or(b"-");
            bytes.iter().all(u8::is_ascii_whitespace)
        });
        let blank =
            blank.len().saturating_add(silent.map(|located| located.line).collect::<BTreeSet<_>>().len());
        // If there is no other line of a host, a word that looks like a command counts only after a mark.
        let is_host = |what: &TimelineEntryKind| {
            matches!(
                what,
                TimelineEntryKind::Command(_)
                    | TimelineEntryKind::Sent(_)
                    | TimelineEntryKind::Echo(_)
                    | TimelineEntryKind::Unexplained { .. }
            )
        };
        let is_answered =
            capture.layout != Layout::Terminal || timeline.entries.iter().any(|entry| !is_host(&entry.what));
        // Our own recordings are always understood, also with damage.
        let is_own = capture.layout == Layout::Own && !timeline.entries.is_empty();
        let cut = capture.remarks.iter().find(|remark| remark.reason == Reason::Cut);
        let cut = cut.map(|remark| remark.line);
        Self {
            cut,
            lines: capture.lines.saturating_sub(blank),
            explained: explained.len(),
            unexplained: unexplained.len(),
            is_understood: is_own
                || !explained.is_empty()
                    && unexplained.len() <= explained.len()
                    && (is_answered || unexplained.is_empty()),
        }
    }
}

/// The coverage in words.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, explained, unexplained, .. } = self;
        write!(
            f,
            "of {lines} lines {explained} are read as an exchange with a modem, {unexplained} are unexplained"
        )?;
        match self.cut {
            Some(line) => write!(f, "; the file ends within line {line}, which was read up to there"),
            None => Ok(()),
        }
    }
}

impl PayloadKind {
    /// The channel; a single connection has none.
    pub fn channel(self) -> Option<ChannelId> {
        match self {
            Self::Pushed(channel) | Self::Fetched(channel) => Some(channel),
            Self::Single | Self::Bare | Self::Transparent => None,
        }
    }
}

/// The entry on one line, with escaped bytes: the words of `# expect:` headers.
impl fmt::Display for TimelineEntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(text) => write!(f, "command {text}"),
            Self::Sent(bytes) => write!(f, "sent {}", shown(bytes)),
            Self::Echo(text) => write!(f, "echo {text}"),
            Self::DataEcho(bytes) => write!(f, "data echo {}", shown(bytes)),
            Self::Prompt => write!(f, "prompt"),
            Self::Reply { command, line } => write!(f, "reply {line}{}", Answered(command)),
            Self::Final { command, line } => write!(f, "final {line}{}", Answered(command)),
            Self::Urc { line, .. } => write!(f, "urc {line}"),
            Self::Payload { kind, bytes } if bytes.is_empty() => write!(f, "{kind}"),
            Self::Payload { kind, bytes } => write!(f, "{kind} {}", shown(bytes)),
            Self::Request(words) => write!(f, "request {words}"),
            Self::Note(words) => write!(f, "note {words}"),
            Self::Gap => write!(f, "gap"),
            Self::Unexplained { bytes, why } if bytes.is_empty() => write!(f, "unexplained ({why})"),
            Self::Unexplained { bytes, why } => write!(f, "unexplained {} ({why})", shown(bytes)),
        }
    }
}

impl fmt::Display for PayloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pushed(channel) => write!(f, "received {channel}"),
            Self::Fetched(channel) => write!(f, "fetched {channel}"),
            Self::Single | Self::Bare => write!(f, "received"),
            Self::Transparent => write!(f, "transparent"),
        }
    }
}

impl fmt::Display for UnexplainedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLine => write!(f, "answers nothing and is no known URC"),
            Self::Fault(fault) => write!(f, "{fault}"),
            Self::Missing(count) => write!(f, "{count} announced bytes never came"),
            Self::UnknownForm => write!(f, "a command or an answer in a line of unknown form"),
            Self::NotACommand => write!(f, "neither a command nor data that is waited for"),
        }
    }
}

struct Answered<'a>(&'a Option<String>);

impl fmt::Display for Answered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(command) => write!(f, " to {command}"),
            None => write!(f, " to a command that is not shown"),
        }
    }
}

/// Bytes as text, with escapes for all but printable ASCII.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    escape(bytes, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
