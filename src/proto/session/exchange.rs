//! One command and its answer.

use std::fmt;

use std::time::Duration;

use crate::at::{Command, Final, Line, Refusal, SecretLines, Verdict};
use crate::time::Timestamp;

use super::open_send::OpenSend;
use crate::proto::issuer::Issuer;

/// A command in flight.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) command: Command,
    pub(super) issuer: Issuer,
    pub(super) deadline: Timestamp,
    pub(super) phase: Phase,
    written_at: Timestamp,
    /// When its first final result code came.
    final_at: Option<Timestamp>,
    answer: Answer,
    answered: bool,
    /// The number of lines that were too long or too many to be kept.
    lost: usize,
    /// The line that came in place of the prompt or the result.
    unexpected: Option<UnexpectedLine>,
    /// Whether the payload was written after its prompt, or with its command.
    is_given: bool,
    /// Whether a prompt came for payload that was written with its command.
    is_prompted: bool,
    foreign_line: ForeignLine,
}

/// A line among those of the answer that is not part of it. Then the answer may have been split by a late one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum ForeignLine {
    None,
    /// An unsolicited line with the name of the command. It may also be the beginning of the answer.
    OwnName,
    /// A line that belongs to no command.
    Unexplained,
}

/// The progress of a command.
pub(super) enum Phase {
    /// The command waits for its answer.
    Answer,
    /// The command waits for the prompt for this payload.
    Prompt(Vec<u8>),
    /// The payload was written without a prompt, because none came. The command waits for the result.
    Blind(Vec<u8>),
    /// The payload was written after the prompt. The command waits for the result. The buffer is empty for payload
    /// that is never written twice.
    Result(Vec<u8>),
}

/// A line of the module in place of the expected one. It may be valid, belong to another command, or be damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UnexpectedLine {
    /// An error in place of the prompt.
    Refused(Refusal),
    /// The end of the channel in place of the prompt or the result.
    Closed,
    /// A prompt in place of an answer.
    Prompted,
}

/// The lines of an answer, and its result.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Answer {
    pub(super) lines: Vec<String>,
}

/// The end of a command.
#[derive(Debug)]
pub(in crate::proto) struct Finished {
    pub(in crate::proto) command: Command,
    pub(in crate::proto) issuer: Issuer,
    pub(in crate::proto) result: Result<Vec<String>, Failure>,
    /// The time from the command to its final result code, if one came.
    pub(in crate::proto) latency: Option<Duration>,
    /// Whether the complete payload was written after the prompt, or with the command.
    pub(in crate::proto) is_given: bool,
    /// Whether a prompt came for payload that was written with the command.
    pub(in crate::proto) is_prompted: bool,
    /// The number of final result codes that came beside its own.
    pub(in crate::proto) extra_finals: u8,
    /// How many of them are an `OK` without an answer before it.
    pub(in crate::proto) extra_oks: u8,
}

impl Finished {
    /// A line for a log, without secrets: `AT+CSQ: +CSQ: 24,99, OK in 1.2ms`.
    pub(in crate::proto) fn report(&self, secrets: &SecretLines) -> String {
        let command = self.command.text();
        let result = match &self.result {
            Ok(lines) if !lines.is_empty() && SecretLines::hides_answer_to(command) => {
                format!("{} lines, OK", lines.len())
            }
            Ok(lines) => {
                let shown = lines.iter().take(MAX_SHOWN).map(|line| secrets.masked(line) + ", ");
                let shown: String = shown.collect();
                match lines.len().saturating_sub(MAX_SHOWN) {
                    0 => shown + "OK",
                    more => format!("{shown}{more} more lines, OK"),
                }
            }
            Err(Failure::Refused(refusal)) => refusal.to_string(),
            Err(Failure::NoPrompt(refusal)) => format!("no prompt: {refusal}"),
            Err(Failure::Timeout) => "no answer in time".to_owned(),
        };
        let latency = self.latency.map_or_else(String::new, |latency| format!(" in {latency:.1?}"));
        format!("{}: {result}{latency}", secrets.masked(command))
    }
}

/// The most lines of an answer in a log.
const MAX_SHOWN: usize = 8;

/// The reason why a command failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum Failure {
    /// The module refused the command, or its answer can't be trusted.
    Refused(Refusal),
    /// The module refused the command in place of a prompt, so it does not have the payload.
    NoPrompt(Refusal),
    /// The module did not answer in time.
    Timeout,
}

/// The time-out of `DATA ACCEPT`, in addition to twice the time of the payload on the line. The module writes it when
/// it has the bytes; answers come within 10 ms (protocol section 15). No source gives a limit: 5 s is an assumption.
pub(in crate::proto) const ACCEPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The byte that cancels a command whose payload ends with Ctrl-Z (A32).
const ESCAPE: u8 = 0x1b;

/// The most lines of an answer, so that a module that prints without end can't fill the memory. A longer answer is a
/// failure ([`Refusal::TooLong`]). The longest documented answer is the list of files (`AT+FSLS`).
const MAX_ANSWER_LINES: usize = 1024;

impl Exchange {
    /// Creates the exchange for a command that is written now. `timeout` is the span for its answer.
    pub(super) fn new(
        now: Timestamp,
        command: Command,
        issuer: Issuer,
        timeout: Duration,
        phase: Phase,
    ) -> Self {
        let is_given = matches!(phase, Phase::Result(_));
        Self {
            command,
            issuer,
            deadline: now + timeout,
            phase,
            written_at: now,
            final_at: None,
            answer: Answer::default(),
            answered: false,
            lost: 0,
            unexpected: None,
            is_given,
            is_prompted: false,
            foreign_line: ForeignLine::None,
        }
    }

    /// Judges a line. A line that is part of the answer is kept.
    pub(super) fn judge(&mut self, text: &[u8], line: &Line<'_>) -> Verdict {
        let verdict = match (&self.phase, line) {
            // The line reports the previous send of the channel: this send has not begun.
            (Phase::Prompt(_), Line::Channel { .. }) => Verdict::NotMine,
            // The module has not asked for the payload, so it can't have accepted it.
            (Phase::Prompt(_), Line::Final(Final::Ok | Final::Connect)) if self.must_prompt() => {
                Verdict::NotMine
            }
            _ => self.command.judge(line, self.answered),
        };
        if let (Verdict::NotMine, Line::Info { key, .. }) = (&verdict, line)
            && std::str::from_utf8(key).is_ok_and(|key| self.command.has_key(key))
        {
            self.foreign_line_came(ForeignLine::OwnName);
        }
        let keep = match verdict {
            Verdict::Part => true,
            // Some answers end with their only content: an address, a state.
            // A final result code within text of people may be part of the text.
            Verdict::Doubtful(_) if self.is_in_text() => true,
            Verdict::Doubtful(Ok(())) => !matches!(line, Line::Final(_)),
            Verdict::NotMine | Verdict::Done(_) | Verdict::Doubtful(Err(_)) => false,
        };
        if keep {
            self.answered = true;
            self.keep(text);
        }
        verdict
    }

    /// True if a success is impossible before the prompt.
    fn must_prompt(&self) -> bool {
        self.command.gives_up() || self.command.is_given_payload()
    }

    /// True if the lines are text of people.
    pub(super) fn is_in_text(&self) -> bool {
        matches!(self.phase, Phase::Answer) && self.command.is_in_text(self.answered)
    }

    /// An empty line within a text.
    pub(super) fn empty_line(&mut self) {
        self.keep(b"");
    }

    /// True if a line may be a piece of secret payload, because firmware may echo a file.
    pub(super) fn hides(&self, line: &Line<'_>) -> bool {
        let written = matches!(self.phase, Phase::Result(_)) && self.command.gives_up();
        written && matches!(line, Line::Text(_) | Line::Info { .. })
    }

    /// The header of the fetched data came.
    pub(super) fn data_came(&mut self) {
        self.answered = true;
    }

    /// A line came in place of the expected one, which may still come until this moment.
    pub(super) fn doubt(&mut self, unexpected: UnexpectedLine, until: Timestamp) {
        // An error has precedence over the end of the channel.
        if !matches!(self.unexpected, Some(UnexpectedLine::Refused(_))) {
            self.unexpected = Some(unexpected);
        }
        let until = if self.command.carries_payload() { until.max(self.payload_is_out_at()) } else { until };
        self.deadline = self.deadline.min(until);
    }

    /// The time since the command was written.
    pub(super) fn age(&self, now: Timestamp) -> Duration {
        now - self.written_at
    }

    /// The moment at which the line has carried a payload that was written with its command, with a margin.
    fn payload_is_out_at(&self) -> Timestamp {
        self.written_at + self.command.timeout().saturating_sub(ACCEPT_TIMEOUT)
    }

    /// The prompt came. Returns the payload that is to be written now.
    pub(super) fn prompted(&mut self, now: Timestamp, buffer: Vec<u8>) -> Option<Vec<u8>> {
        let Phase::Prompt(payload) = &mut self.phase else { return None };
        let payload = std::mem::take(payload);
        self.unexpected = None;
        self.is_given = true;
        self.final_at = None;
        self.deadline = now + self.command.timeout();
        if self.command.gives_up() {
            self.phase = Phase::Result(buffer);
            return Some(payload);
        }
        let mut copy = buffer;
        copy.extend_from_slice(&payload);
        self.phase = Phase::Result(payload);
        Some(copy)
    }

    /// True if the refusal may be that of another command, so that the module may still take the payload.
    pub(super) fn may_go_on_after(&self, refusal: Refusal) -> bool {
        match self.phase {
            Phase::Prompt(_) => refusal != Refusal::TimeOut,
            Phase::Result(_) => {
                self.command.carries_payload()
                    && matches!(refusal, Refusal::Error | Refusal::Cme(_) | Refusal::Cms(_))
            }
            Phase::Answer | Phase::Blind(_) => false,
        }
    }

    /// True if the payload was written with its command.
    pub(super) fn is_without_prompt(&self) -> bool {
        matches!(self.phase, Phase::Result(_)) && self.command.carries_payload()
    }

    /// The bytes that end the line that the module may have begun to read as a command, if it has refused a send whose
    /// payload was written with the command.
    pub(super) fn end_of_refused_payload(&self) -> Option<Vec<u8>> {
        self.command.carries_payload().then(|| b"\r\n".to_vec())
    }

    /// A prompt came again, or for payload that was written with its command. The module may not have accepted the
    /// bytes before the prompt.
    pub(super) fn prompted_again(&mut self, until: Timestamp) {
        if self.command.carries_payload() {
            self.is_prompted = true;
            self.deadline = self.deadline.min(until);
        }
    }

    /// The prompt did not come. Returns the payload that is to be written now. A copy is kept, because bytes may be
    /// lost.
    pub(super) fn go_blind(&mut self, until: Timestamp) -> Option<Vec<u8>> {
        let Phase::Prompt(payload) = &mut self.phase else { return None };
        let payload = std::mem::take(payload);
        let copy = payload.clone();
        self.phase = Phase::Blind(payload);
        self.deadline = until;
        Some(copy)
    }

    /// A line came that is not part of the answer.
    pub(super) fn foreign_line_came(&mut self, foreign_line: ForeignLine) {
        self.foreign_line = self.foreign_line.max(foreign_line);
    }

    pub(super) fn foreign_line(&self) -> ForeignLine {
        self.foreign_line
    }

    /// The line that came in place of the awaited one.
    pub(super) fn unexpected(&self) -> Option<UnexpectedLine> {
        self.unexpected
    }

    /// The payload that the module may be waiting for without a time limit. `None` for files, where the module has a
    /// time limit.
    pub(super) fn take_open(&mut self) -> Option<OpenSend> {
        if self.command.gives_up() {
            return None;
        }
        match &mut self.phase {
            Phase::Answer => None,
            Phase::Prompt(payload) | Phase::Blind(payload) | Phase::Result(payload) => {
                let payload = std::mem::take(payload);
                // A payload up to Ctrl-Z can be cancelled, so it is not written without a prompt.
                let payload = if self.command.is_cancellable() { vec![ESCAPE] } else { payload };
                (!payload.is_empty()).then(|| OpenSend::new(payload))
            }
        }
    }

    /// The buffer of a payload that is no longer needed.
    pub(super) fn take_buffer(&mut self) -> Option<Vec<u8>> {
        match &mut self.phase {
            Phase::Blind(payload) | Phase::Result(payload) => Some(std::mem::take(payload)),
            Phase::Answer | Phase::Prompt(_) => None,
        }
    }

    /// The payload or other bytes were written to end the wait of the module. The result of the send is unknown,
    /// whatever came in place of the prompt.
    pub(super) fn settled_by_filling(mut self) -> Finished {
        self.unexpected = None;
        self.finish(Err(Failure::Timeout))
    }

    /// A final result code came.
    pub(super) fn final_came(&mut self, now: Timestamp) {
        self.final_at.get_or_insert(now);
    }

    /// Takes the lines that came since the last final.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.answer.lines)
    }

    pub(super) fn finish(self, result: Result<Vec<String>, Failure>) -> Finished {
        let is_short = self.lost > 0 && self.command.is_free_form();
        let result = match self.unexpected {
            _ if is_short && result.is_ok() => Err(Failure::Refused(Refusal::TooLong)),
            Some(UnexpectedLine::Refused(refusal)) if result.is_err() => Err(Failure::NoPrompt(refusal)),
            Some(UnexpectedLine::Refused(_) | UnexpectedLine::Closed | UnexpectedLine::Prompted) | None => {
                result
            }
        };
        let latency = self.final_at.map(|at| at - self.written_at);
        let (is_given, is_prompted) = (self.is_given, self.is_prompted);
        let (command, issuer) = (self.command, self.issuer);
        let (extra_finals, extra_oks) = (0, 0);
        Finished { command, issuer, result, latency, is_given, is_prompted, extra_finals, extra_oks }
    }

    fn keep(&mut self, text: &[u8]) {
        if self.answer.lines.len() < MAX_ANSWER_LINES {
            self.answer.lines.push(String::from_utf8_lossy(text).into_owned());
        } else {
            self.line_lost();
        }
    }

    /// A line could not be kept.
    pub(super) fn line_lost(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }
}

/// Shows the length of a payload only, because it may be a key.
impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => f.write_str("Answer"),
            Self::Prompt(payload) => write!(f, "Prompt({} bytes)", payload.len()),
            Self::Blind(payload) => write!(f, "Blind({} bytes)", payload.len()),
            Self::Result(payload) => write!(f, "Result({} bytes)", payload.len()),
        }
    }
}
