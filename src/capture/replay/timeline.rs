//! The result of a replay.

use std::collections::BTreeSet;
use std::fmt;

use crate::at::{ChannelId, Fault, Urc};
use crate::time::Timestamp;

use super::super::escape::escape;
use super::super::{Capture, Layout, Reason};

/// The happenings of a capture, in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Timeline {
    /// What happened, in order.
    pub happenings: Vec<Happening>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Happening {
    /// When it was complete.
    pub at: Timestamp,
    /// The lines of the file that show it, in rising order.
    pub lines: Vec<usize>,
    /// What it was.
    pub what: HappeningKind,
}

/// The kind of a happening. Text that is not UTF-8 is shown with its bytes escaped.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HappeningKind {
    /// The host sent a command.
    Command(String),
    /// The host sent data.
    Sent(Vec<u8>),
    /// The modem repeated a command.
    Echo(String),
    /// The modem repeated data.
    DataEcho(Vec<u8>),
    /// The modem asks for data.
    Prompt,
    /// Part of an answer.
    Reply {
        /// The command that it answers; `None` if the capture does not show it.
        command: Option<String>,
        /// The line.
        line: String,
    },
    /// The end of an answer.
    Final {
        /// The command that it answers; `None` if the capture does not show it.
        command: Option<String>,
        /// The line.
        line: String,
    },
    /// A line that came unasked.
    Urc {
        /// What it says.
        urc: Urc,
        /// The line.
        line: String,
    },
    /// Data from the network.
    Payload {
        /// How they came.
        kind: PayloadKind,
        /// The data, exactly; of [`PayloadKind::Bare`] without the line end.
        bytes: Vec<u8>,
    },
    /// The application asked for something.
    Request(String),
    /// A note in the capture.
    Note(String),
    /// Something is missing here.
    Gap,
    /// No rule explains these bytes.
    Unexplained {
        /// The bytes.
        bytes: Vec<u8>,
        /// What is wrong with them.
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
    /// A single connection pushes without any header, so only what no line of the modem can be is taken for data.
    Bare,
    /// Transparent mode.
    Transparent,
}

/// The reason why something is unexplained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnexplainedReason {
    /// No command in flight is answered by it, and it is nothing that comes unasked.
    UnknownLine,
    /// The decoder says that no modem should write this.
    Fault(Fault),
    /// The capture ends, or has a gap, before this number of announced bytes came.
    Missing(usize),
    /// The host sent it, and it is neither a command nor data that the modem waits for.
    NotACommand,
}

impl Timeline {
    /// The happenings that no rule explains.
    pub fn unexplained(&self) -> impl Iterator<Item = &Happening> {
        self.happenings.iter().filter(|happening| matches!(happening.what, HappeningKind::Unexplained { .. }))
    }

    /// All data that came from the network on a channel (`None`: a single connection), joined.
    pub fn payload(&self, wanted: Option<ChannelId>) -> Vec<u8> {
        let mut joined = Vec::new();
        for happening in &self.happenings {
            if let HappeningKind::Payload { kind, bytes } = &happening.what
                && kind.channel() == wanted
            {
                joined.extend_from_slice(bytes);
            }
        }
        joined
    }
}

/// The share of a file that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Lines of the file that are not blank.
    pub lines: usize,
    /// Lines of the exchange that a rule explains.
    pub explained: usize,
    /// Lines that no rule explains.
    pub unexplained: usize,
    /// Whether enough is explained to believe that this is an exchange with a modem: most of what may be one.
    pub is_understood: bool,
}

impl Coverage {
    /// Of a capture and its timeline.
    pub fn of(capture: &Capture, timeline: &Timeline) -> Self {
        let (mut explained, mut unexplained): (BTreeSet<usize>, BTreeSet<usize>) = Default::default();
        for happening in &timeline.happenings {
            match happening.what {
                HappeningKind::Unexplained { .. } => unexplained.extend(&happening.lines),
                HappeningKind::Note(_) | HappeningKind::Gap | HappeningKind::Request(_) => {}
                _ => explained.extend(&happening.lines),
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
        // A word that looks like a command is none where nothing else does, but behind a mark.
        let is_host = |what: &HappeningKind| {
            matches!(
                what,
                HappeningKind::Command(_)
                    | HappeningKind::Sent(_)
                    | HappeningKind::Echo(_)
                    | HappeningKind::Unexplained { .. }
            )
        };
        let is_answered = capture.layout != Layout::Terminal
            || timeline.happenings.iter().any(|happening| !is_host(&happening.what));
        // A recording of our own shows what it shows, damage included.
        let is_own = capture.layout == Layout::Own && !timeline.happenings.is_empty();
        Self {
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

/// In words for a person.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, explained, unexplained, .. } = self;
        write!(
            f,
            "of {lines} lines {explained} are read as an exchange with a modem, {unexplained} are unexplained"
        )
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

/// One line, bytes escaped: the words that `# expect:` headers use.
impl fmt::Display for HappeningKind {
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

/// Bytes as text, escaped where they are no printable ASCII.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    escape(bytes, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
