//! Commands: what is written, what answers it, and how long that may take.

mod files;
mod harmless;
mod internet;
mod ip;
mod link;
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

pub use harmless::harmless_len;
pub use link::Protocol;
pub use payload::Payload;
pub use query::UrcAnswer;
pub use shape::{Refusal, Verdict};
pub use tls::{TlsKey, TlsValue};
pub use user::InvalidCommand;

use super::{ChannelId, Line};
use shape::Shape;
use text::CommandText;

/// The longest command line that the module takes, in bytes (protocol section 2).
pub const MAX_COMMAND: usize = 1024;

/// One command: its text, what answers it - by predicate, not by prefix - and its time-out.
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
    /// Other lines that answer it, and how long they may take.
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

    /// The text without its line end. It may hold a password: for logs there is [`name`](Self::name).
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The text up to its first `=`: what may be logged and put into errors.
    pub fn name(&self) -> &str {
        self.text().split('=').next().unwrap_or_default()
    }

    /// The bytes to write. The line ends with CR LF: behind a bare CR the chip waits 20 ms for an LF, and takes the
    /// payload's first byte for it if that is one (protocol section 2).
    pub fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        self.write_to(&mut wire);
        wire
    }

    /// Puts [`wire`](Self::wire) behind what is in the buffer.
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

    /// Whether a line is part of the answer, ends it, or has nothing to do with it. `answered` says whether a line
    /// was judged [`Verdict::Part`] before.
    pub fn judge(&self, line: &Line<'_>, answered: bool) -> Verdict {
        self.shape.judge(line, answered)
    }

    /// Whether success names the command, so that no other's can be taken for it. A refusal never does.
    pub fn is_unmistakable(&self) -> bool {
        self.shape.is_unmistakable()
    }

    /// Whether even an answer that names the command may belong to an older one: same kind, same channel.
    pub fn is_rival_of(&self, older: &Command) -> bool {
        self.shape.is_rival_of(older.shape)
    }

    /// Whether a line asks for the payload of this command.
    pub fn is_prompt(&self, line: &Line<'_>) -> bool {
        self.shape.is_prompt(line)
    }

    /// Whether it is the application's own and waits for payload.
    pub fn is_given_payload(&self) -> bool {
        matches!(self.shape, Shape::WithPayload { .. })
    }

    /// Whether ESC takes it back while it waits for payload.
    pub fn is_cancellable(&self) -> bool {
        matches!(self.shape, Shape::WithPayload { given, .. } if given.cancels)
    }

    /// Whether it shuts everything down (`AT+CIPSHUT`).
    pub fn is_shut(&self) -> bool {
        matches!(self.shape, Shape::Shut)
    }

    /// Whether it asks for data of this channel.
    pub fn fetches(&self, channel: ChannelId) -> bool {
        matches!(self.shape, Shape::Fetch(mine) if mine == channel)
    }

    /// Whether an answer has exactly one final result code.
    pub fn has_one_final(&self) -> bool {
        self.shape.has_one_final()
    }

    /// Whether a line may be part of an answer to this command. A question of the `AT+NAME?` form has its name before
    /// every line (V.250 section 5.4.4).
    pub fn may_print(&self, line: &Line<'_>) -> bool {
        let is_named = matches!(self.shape, Shape::Any { .. }) && self.text().ends_with('?');
        match line {
            Line::Final(_) => false,
            Line::Text(_) if is_named => false,
            line => matches!(self.judge(line, false), Verdict::Part | Verdict::Doubtful(Ok(()))),
        }
    }

    /// Whether what comes next is text of people, which may say anything. `answered`: a line of the answer has come.
    pub(crate) fn is_in_text(&self, answered: bool) -> bool {
        self.shape.is_text(answered)
    }

    /// Whether a line is the header of the text that its answer holds.
    pub(crate) fn asks_for_text(&self, line: &Line<'_>) -> bool {
        let is_text = matches!(self.shape, Shape::Text { .. });
        is_text
            && match line {
                Line::Info { key, .. } => std::str::from_utf8(key).is_ok_and(|key| self.has_key(key)),
                _ => false,
            }
    }

    /// Whether it is several commands on one line.
    pub fn is_chain(&self) -> bool {
        self.text().contains(';')
    }

    /// Whether the answer always has one line, no more and no less.
    pub fn has_one_line(&self) -> bool {
        self.shape.has_one_line()
    }

    /// Whether a single line that `older` may print as well can only be this command's: it has one of its own, so
    /// that a late one would be the second.
    pub fn has_own_line(&self, older: &Command) -> bool {
        self.has_one_line() || self.text().ends_with('?') || self.text() == older.text()
    }

    /// Whether the answer does not show its end, so that a question behind it must.
    pub fn is_open_ended(&self) -> bool {
        matches!(self.shape, Shape::Status)
    }

    /// Whether any line may be part of the answer.
    pub fn is_free_form(&self) -> bool {
        matches!(self.shape, Shape::Any { .. } | Shape::Status)
    }

    /// Whether the text is an echo of this command.
    pub fn is_echo(&self, line: &[u8]) -> bool {
        line == self.text().as_bytes()
    }

    /// Whether the answer carries an information line with this key. Of a chain every name may be one.
    pub fn has_key(&self, key: &str) -> bool {
        self.shape.has_key(key) || (self.is_chain() && self.text().to_ascii_uppercase().contains(key))
    }
}

/// Shows the name only: the rest may hold a password.
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
    fn a_command_shows_its_name_and_nothing_that_it_carries() {
        let command = Command::enter_pin(&Quotable::new("1234", 8).unwrap());
        assert_eq!(format!("{command:?}"), "Command(AT+CPIN)");
    }

    /// Otherwise `AT+CGATT?`, asked behind it, would be taken as answered by the second line of its own answer.
    #[test]
    fn every_name_of_a_chain_may_be_that_of_a_line() {
        let chain = Command::of_user("AT+CSQ;+cgatt?", std::time::Duration::from_secs(1)).unwrap();
        assert!(chain.has_key("+CSQ") && chain.has_key("+CGATT") && !chain.has_key("+CREG"));
    }
}
