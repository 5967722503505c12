//! A command that was sent and has not been answered.

use crate::at::{ChannelId, Command, Final, Line, Verdict};

use super::answers::{begins, may_answer};
use super::data::Data;

/// A command in flight.
#[derive(Debug, Clone)]
pub(super) struct CommandInFlight {
    pub(super) command: Command,
    /// The modem has echoed it.
    pub(super) echoed: bool,
    /// A part of its answer has come.
    answered: bool,
    /// A later command was sent: only lines that name this one still answer it.
    pub(super) superseded: bool,
    /// A later command was answered: the next one ends this one.
    pub(super) passed: bool,
    pub(super) data: Option<Data>,
    /// A line end was written directly after it.
    has_end: bool,
}

/// The meaning of a line for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    Nothing,
    Part,
    End,
}

impl CommandInFlight {
    pub(super) fn new(text: &str, mux: bool) -> Self {
        let data = Data::of(text, mux);
        Self {
            command: Command::recorded(text),
            echoed: false,
            answered: false,
            superseded: false,
            passed: false,
            data,
            has_end: false,
        }
    }

    /// A line end was written directly after the command.
    pub(super) fn line_ended(&mut self) {
        self.has_end = true;
    }

    /// True if the line refuses an escape that the modem has read as a command, before any later command.
    pub(super) fn is_refused_escape(&self, line: &Line<'_>) -> bool {
        let is_error = matches!(line, Line::Final(Final::Error | Final::Cme(_)));
        is_error && self.has_end && self.command.text() == "+++"
    }

    pub(super) fn text(&self) -> String {
        self.command.text().to_owned()
    }

    /// The meaning of a line for this command. The command remembers that a part of its answer has come.
    pub(super) fn share(&mut self, line: &Line<'_>) -> Share {
        match self.command.judge(line, self.answered) {
            Verdict::NotMine => Share::Nothing,
            Verdict::Part if may_answer(&self.command, line) => {
                self.answered = true;
                Share::Part
            }
            Verdict::Part => Share::Nothing,
            // A session would ask again before it accepts a doubtful end; a replay can't.
            Verdict::Done(_) | Verdict::Doubtful(_) => Share::End,
        }
    }

    /// True if the line names this command.
    pub(super) fn is_named_by(&self, line: &Line<'_>) -> bool {
        match line {
            Line::Info { key, .. } => str::from_utf8(key).is_ok_and(|key| self.command.has_key(key)),
            Line::ShutOk => begins(&self.command, "AT+CIPSHUT"),
            _ => false,
        }
    }

    /// True if the command opens a connection of this channel (`None`: the single one).
    pub(super) fn connects(&self, channel: Option<ChannelId>) -> bool {
        let arguments = self.command.text().get("AT+CIPSTART=".len()..).unwrap_or_default();
        let named = arguments.split(',').next().and_then(|number| number.parse().ok());
        begins(&self.command, "AT+CIPSTART=") && named == channel.map(ChannelId::index)
    }

    /// True if these are the first echo of the command and that of all data that were written with it. They are taken.
    pub(super) fn echoes_with(&mut self, command: &[u8], data: &[u8]) -> bool {
        let is_echo = !self.echoed && !data.is_empty() && self.command.is_echo(command);
        let Some(sent) = self.data.as_mut().filter(|sent| is_echo && sent.echo_in(data) == data.len()) else {
            return false;
        };
        sent.echoed(data.len());
        true
    }

    /// The payload that the command fetches has come. It is not among the lines.
    pub(super) fn fetched(&mut self) {
        self.answered = true;
    }
}
