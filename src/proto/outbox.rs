use std::collections::VecDeque;

use crate::at::{Command, SecretLines, Urc};
use crate::error::Error;
use crate::proto::expected_echo::ExpectedEcho;
use crate::proto::session::Finished;
use crate::proto::statistics::Statistics;
use crate::proto::{Event, Output, Response, SocketId, Ticket};

/// An answer to a request.
pub(super) type RequestResult = (Ticket, Result<Response, Error>);

/// The outputs in their order. The statistics are here as well, because every part that acts has access to the outbox.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    outputs: VecDeque<Output>,
    /// Empty buffers that are used again.
    spare: Vec<Vec<u8>>,
    statistics: Statistics,
    /// Texts that must not be shown.
    secrets: SecretLines,
    /// Lines about commands that have ended.
    reports: VecDeque<String>,
    reports_wanted: bool,
    lines_wanted: bool,
    echo: ExpectedEcho,
}

/// The number of buffers that are kept. A send uses three: for its command, for its payload on the way, and for the
/// payload that is kept until the result.
const SPARE: usize = 3;

/// The largest buffer that is kept. Files are longer, and seldom.
const MAX_SPARE: usize = 4 * 1024;

impl Outbox {
    pub(super) fn pop(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front()?;
        if let Output::Write(bytes) = &output {
            self.statistics.written += bytes.len() as u64;
        }
        Some(output)
    }

    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        self.echo.written(&bytes);
        self.outputs.push_back(Output::Write(bytes));
    }

    pub(super) fn command(&mut self, command: &Command) {
        self.command_with(command, None);
    }

    /// Writes a command, together with its payload if it carries that.
    pub(super) fn command_with(&mut self, command: &Command, payload: Option<&[u8]>) {
        self.secrets.sent(command);
        let mut bytes = self.buffer();
        command.write_to(&mut bytes);
        bytes.extend_from_slice(payload.filter(|_| command.carries_payload()).unwrap_or_default());
        self.write(bytes);
    }

    /// A command has ended.
    pub(super) fn ended(&mut self, finished: &Finished) {
        self.statistics.commands.finished(finished);
        if self.reports_wanted {
            self.reports.push_back(finished.report(&self.secrets));
        }
    }

    /// Sets whether lines are made for [`take_report`](Self::take_report).
    pub(super) fn report_commands(&mut self, wanted: bool) {
        self.reports_wanted = wanted;
    }

    /// A line about a command that has ended.
    pub(super) fn take_report(&mut self) -> Option<String> {
        self.reports.pop_front()
    }

    /// The counters, to be changed.
    pub(super) fn count(&mut self) -> &mut Statistics {
        &mut self.statistics
    }

    /// The counters.
    pub(super) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// An empty buffer, for [`write`](Self::write).
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    pub(super) fn reuse(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE && buffer.capacity() <= MAX_SPARE {
            // The buffer may have held a key or a password, which must not stay in memory while the port is open.
            buffer.fill(0);
            self.spare.push(buffer);
        }
    }

    /// The echo of what was written.
    pub(super) fn echo(&mut self) -> &mut ExpectedEcho {
        &mut self.echo
    }

    pub(super) fn answer(&mut self, ticket: Ticket, result: Result<Response, Error>) {
        self.outputs.push_back(Output::Answered(ticket, result));
    }

    pub(super) fn answer_all(&mut self, answers: impl IntoIterator<Item = RequestResult>) {
        self.outputs.extend(answers.into_iter().map(|(ticket, result)| Output::Answered(ticket, result)));
    }

    /// The content of a file will be written. It must not be shown, because it may be a key.
    pub(super) fn hide_file(&mut self, content: &[u8]) {
        self.secrets.sent_file(content);
    }

    /// Sets whether the text of unsolicited lines is reported, too.
    pub(super) fn report_lines(&mut self, wanted: bool) {
        self.lines_wanted = wanted;
    }

    /// Reports an unsolicited line: the event, and its text if wanted. The text is empty for text of people.
    pub(super) fn urc(&mut self, line: &[u8], urc: Urc) {
        if self.lines_wanted {
            let text = urc.without_text();
            self.event(Event::Line(text.unwrap_or_else(|| String::from_utf8_lossy(line).into_owned())));
        }
        self.event(Event::Urc(urc));
    }

    pub(super) fn event(&mut self, event: Event) {
        let event = match event {
            Event::Urc(urc) => Event::Urc(self.secrets.masked_news(urc)),
            Event::Line(line) => Event::Line(self.secrets.masked(&line)),
            Event::Dropped(line) => Event::Dropped(self.secrets.masked(&line)),
            other => other,
        };
        self.statistics.event(&event);
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn readable(&mut self, socket: SocketId) {
        self.outputs.push_back(Output::Readable(socket));
    }

    pub(super) fn writable(&mut self, socket: SocketId) {
        self.outputs.push_back(Output::Writable(socket));
    }

    pub(super) fn dtr(&mut self, on: bool) {
        self.outputs.push_back(Output::Dtr(on));
    }

    /// Drops the bytes that were to be written, because there is no port.
    pub(super) fn drop_writes(&mut self) {
        self.outputs.retain(|output| !matches!(output, Output::Write(_)));
        self.echo.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_kept_holds_nothing_of_what_was_written() {
        let mut out = Outbox::default();
        out.reuse(b"AT+CPIN=1234\r\n".to_vec());
        assert_eq!(out.spare, [vec![0; 14]]);
        assert!(out.buffer().is_empty());
        assert!(out.spare.is_empty());
    }

    #[test]
    fn few_buffers_are_kept_and_no_large_ones() {
        let mut out = Outbox::default();
        out.reuse(Vec::with_capacity(MAX_SPARE + 1));
        assert!(out.spare.is_empty());
        (0..2 * SPARE).for_each(|_| out.reuse(Vec::with_capacity(MAX_SPARE)));
        assert_eq!(out.spare.len(), SPARE);
    }
}
