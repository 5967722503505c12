use std::collections::VecDeque;

use crate::error::Error;

use super::statistics::Statistics;
use super::{Event, Output, Response, SocketId, Ticket};

/// Outputs in the order in which they arose; and, because everything that does something has it at hand, what is counted.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    outputs: VecDeque<Output>,
    pub(super) statistics: Statistics,
}

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
        self.outputs.push_back(Output::Write(bytes));
    }

    pub(super) fn answer(&mut self, ticket: Ticket, result: Result<Response, Error>) {
        self.outputs.push_back(Output::Answered(ticket, result));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.statistics.event(&event);
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn readable(&mut self, socket: SocketId) {
        self.outputs.push_back(Output::Readable(socket));
    }

    /// Forgets what was to be written: there is no port to write it to.
    pub(super) fn drop_writes(&mut self) {
        self.outputs.retain(|output| !matches!(output, Output::Write(_)));
    }
}
