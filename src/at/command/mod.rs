//! Commands: their text, their answer, and its time-out.

mod commandless;
mod files;
mod harmless;
mod internet;
mod ip;
mod link;
mod named_answers;
mod network;
mod payload;
mod power;
mod query;
mod reserved;
mod setup;
mod shape;
mod syntax;
mod text;
mod tls;
mod transparent;
mod user;

use std::fmt;
use std::time::Duration;

pub(crate) use commandless::commandless_len;
pub use harmless::harmless_len;
pub use link::Protocol;
pub use payload::Payload;
pub use query::UrcAnswer;
pub(crate) use shape::SendPrompt;
pub use shape::{Refusal, Verdict};
pub use tls::{TlsKey, TlsValue};
pub use user::InvalidCommand;

use super::{ChannelId, Line};
use shape::Shape;
use text::CommandText;

/// The longest command line that the module takes, in bytes (protocol section 2).
pub const MAX_COMMAND: usize = 1024;

/// One command: its text, a predicate that recognises the lines of its answer, and its time-out.
///
/// ```
/// use air724ug::at::{Command, Line, Verdict};
///
/// let command = Command::attach_state();
/// assert_eq!(command.wire(), b"AT+CGATT?\r\n");
/// assert_eq!(command.judge(&Line::parse(b"+CGATT: 1"), false), Verdict::Part);
/// assert_eq!(command.judge(&Line::parse(b"+CREG: 1"), false), Verdict::NotMine); // a URC
/// ```
#[derive(Clone)]
pub struct Command {
    text: CommandText,
    shape: Shape,
    timeout: Duration,
    /// Unsolicited lines that carry the answer, and the longest time until they come.
    urcs: Option<(&'static UrcAnswer, Duration)>,
}

impl Command {
    fn new(text: impl Into<CommandText>, shape: Shape, timeout: Duration) -> Self {
        Self { text: text.into(), shape, timeout, urcs: None }
    }

    /// The same command with another time-out.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The text without its line end. It may contain a password; use [`name`](Self::name) for logs.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The text before its values. It may be logged and be part of errors. The `=` in front of the values may be
    /// missing.
    pub fn name(&self) -> &str {
        let text = self.text();
        // A blank may also stand after `AT`.
        let ends = |at: usize, c: char| c == '=' || (at > 3 && matches!(c, '"' | ',' | ':' | ' '));
        let end = text.char_indices().find(|(at, c)| ends(*at, *c)).map_or(text.len(), |(at, _)| at);
        text.get(..end).unwrap_or_default()
    }

    /// The bytes to write. The line ends with CR LF: after a bare CR the chip waits 20 ms for an LF. It would take a
    /// payload's first byte for this LF if it is one (protocol section 2).
    pub fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        self.write_to(&mut wire);
        wire
    }

    /// Appends [`wire`](Self::wire) to the buffer.
    pub fn write_to(&self, buffer: &mut Vec<u8>) {
        let text = self.text();
        buffer.reserve(text.len().saturating_add(2));
        buffer.extend_from_slice(text.as_bytes());
        buffer.extend_from_slice(b"\r\n");
    }

    /// The longest time that the answer may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Judges whether a line is part of the answer, ends it, or does not belong to it. `answered` is true if an earlier
    /// line was [`Verdict::Part`].
    pub fn judge(&self, line: &Line<'_>, answered: bool) -> Verdict {
        self.shape.judge(line, answered)
    }

    /// True if the success answer names the command, so that it can't be the answer to another command. A refusal never
    /// names it.
    pub fn is_unmistakable(&self) -> bool {
        self.shape.is_unmistakable()
    }

    /// True if an answer that names the command may still belong to `older`: a command of the same kind for the same
    /// channel.
    pub fn is_rival_of(&self, older: &Command) -> bool {
        self.shape.is_rival_of(older.shape)
    }

    /// True if the module may print the prompt `>` for this command.
    pub(crate) fn may_be_prompted(&self) -> bool {
        self.shape.may_be_prompted()
    }

    /// True if a line asks for the payload of this command.
    pub fn is_prompt(&self, line: &Line<'_>) -> bool {
        self.shape.is_prompt(line)
    }

    /// True for a command of the application that waits for payload.
    pub fn is_given_payload(&self) -> bool {
        matches!(self.shape, Shape::WithPayload { .. })
    }

    /// True if ESC cancels it while it waits for payload.
    pub fn is_cancellable(&self) -> bool {
        matches!(self.shape, Shape::WithPayload { given, .. } if given.cancels)
    }

    /// True if it closes all connections and the bearer (`AT+CIPSHUT`).
    pub fn is_shut(&self) -> bool {
        matches!(self.shape, Shape::Shut)
    }

    /// True if it fetches data of this channel.
    pub fn fetches(&self, channel: ChannelId) -> bool {
        matches!(self.shape, Shape::Fetch(mine) if mine == channel)
    }

    /// True if an answer has exactly one final result code.
    pub fn has_one_final(&self) -> bool {
        self.shape.has_one_final()
    }

    /// True for a question of the form `AT+NAME?`: every line of its answer begins with the name (V.250 section 5.4.4).
    pub fn is_question(&self) -> bool {
        self.text().ends_with('?')
    }

    /// True if a line may be part of an answer to this command.
    pub fn may_print(&self, line: &Line<'_>) -> bool {
        let is_named = matches!(self.shape, Shape::Any { .. }) && self.is_question();
        match line {
            Line::Final(_) => false,
            Line::Text(_) if is_named => false,
            line => matches!(self.judge(line, false), Verdict::Part | Verdict::Doubtful(Ok(()))),
        }
    }

    /// True if the rest of the answer is text of people. `answered` is true if a line of the answer has come.
    pub(crate) fn is_in_text(&self, answered: bool) -> bool {
        self.shape.is_text(answered)
    }

    /// True if text of people is in its answer.
    pub(crate) fn answers_with_text(&self) -> bool {
        matches!(self.shape, Shape::Text { .. })
    }

    /// True if messages are in its answer (3GPP TS 27.005).
    pub(crate) fn reads_messages(&self) -> bool {
        self.answers_with_text() && ["+CMGR", "+CMGL", "+CMGRD"].into_iter().any(|key| self.has_key(key))
    }

    /// True if a line is the header of the text in its answer.
    pub(crate) fn asks_for_text(&self, line: &Line<'_>) -> bool {
        self.answers_with_text()
            && match line {
                Line::Info { key, .. } => std::str::from_utf8(key).is_ok_and(|key| self.has_key(key)),
                _ => false,
            }
    }

    /// True if it is several commands on one line.
    pub fn is_chain(&self) -> bool {
        self.text().contains(';')
    }

    /// True if the answer always has exactly one line.
    pub fn has_one_line(&self) -> bool {
        self.shape.has_one_line()
    }

    /// True if a single line that may also come from `older` must belong to this command: its answer always has a line
    /// of its own, so with a late line there would be two.
    pub fn has_own_line(&self, older: &Command) -> bool {
        self.has_one_line() || self.is_question() || self.text() == older.text()
    }

    /// True if the answer has no recognisable end, so that a question must be asked after it.
    pub fn is_open_ended(&self) -> bool {
        matches!(self.shape, Shape::Status)
    }

    /// True if any line may be part of the answer.
    pub fn is_free_form(&self) -> bool {
        let free = matches!(self.shape, Shape::Any { .. } | Shape::WithPayload { .. } | Shape::Text { .. });
        free || self.is_open_ended()
    }

    /// True if the text is an echo of this command.
    pub fn is_echo(&self, line: &[u8]) -> bool {
        line == self.text().as_bytes()
    }

    /// True if the answer has an information line with this key. For a chain, any name in it counts.
    pub fn has_key(&self, key: &str) -> bool {
        self.shape.has_key(key) || (self.is_chain() && self.text().to_ascii_uppercase().contains(key))
    }
}

/// Shows the name only, because the rest may contain a password.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Quotable;

    #[test]
    fn a_channel_in_use_is_the_answer_to_its_connect_alone() {
        let (mine, other) = (ChannelId::new(0).unwrap(), ChannelId::new(1).unwrap());
        let judged = |channel| {
            let command = Command::start(channel, Protocol::Tcp, &Quotable::new("a.test", 100).unwrap(), 7);
            command.judge(&Line::parse(b"0, ALREADY CONNECT"), true)
        };
        assert_eq!(judged(mine), Verdict::Doubtful(Err(Refusal::AlreadyConnect)));
        assert_eq!(judged(other), Verdict::NotMine);
    }

    #[test]
    fn a_command_shows_its_name_and_nothing_that_it_carries() {
        let command = Command::enter_pin(&Quotable::new("1234", 8).unwrap());
        assert_eq!(format!("{command:?}"), "Command(AT+CPIN)");
    }

    /// A command whose `=` is missing is refused, and the error names it.
    #[test]
    fn a_command_without_its_equals_sign_does_not_show_what_it_carries_either() {
        for (text, name) in [
            ("AT+CPIN\"1234\"", "AT+CPIN"),
            ("AT+CPIN 1234", "AT+CPIN"),
            ("AT+CPIN:1234", "AT+CPIN"),
            ("AT+CPIN,1234", "AT+CPIN"),
            ("AT +CPIN = \"1234\"", "AT +CPIN"),
            ("AT+CSQ;+CREG?", "AT+CSQ;+CREG?"),
            ("AT&W", "AT&W"),
            ("AT", "AT"),
        ] {
            assert_eq!(Command::of_user(text, Duration::ZERO).unwrap().name(), name);
        }
    }

    /// Otherwise the second line of the chain's answer would be taken for the answer to a later `AT+CGATT?`.
    #[test]
    fn every_name_of_a_chain_may_be_that_of_a_line() {
        let chain = Command::of_user("AT+CSQ;+cgatt?", std::time::Duration::from_secs(1)).unwrap();
        assert!(chain.has_key("+CSQ") && chain.has_key("+CGATT") && !chain.has_key("+CREG"));
    }
}
