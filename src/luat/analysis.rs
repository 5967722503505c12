//! The analysis of a whole trace.

use std::io::{self, BufRead};

use super::{Event, Finding, Findings, Interpreter, Reader, Severity};

/// The most events that [`Analysis::read`] keeps: a hundred thousand. They use some ten megabytes, and are more than a
/// report can show. Later events are counted and searched, but not kept.
pub const MAX_EVENTS: usize = 100_000;

/// The events of a trace, and its findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Analysis {
    /// The events, in order; the first [`MAX_EVENTS`].
    pub events: Vec<Event>,
    /// The number of further events.
    pub omitted: u64,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
}

impl Analysis {
    /// Reads a trace to its end. For longer traces use [`Reader`], [`Interpreter`] and [`Findings`]; this function
    /// consists of them.
    ///
    /// The only errors are those of `input`: any bytes are a valid trace.
    pub fn read(input: impl BufRead) -> io::Result<Self> {
        let mut analysis = Self::default();
        let mut findings = Findings::default();
        let mut interpreter = Interpreter::default();
        for record in Reader::new(input) {
            analysis.keep(interpreter.interpret(&record?), &mut findings);
        }
        analysis.keep(interpreter.finish(), &mut findings);
        analysis.findings = findings.finish();
        Ok(analysis)
    }

    /// The highest severity of the findings; `None` if there are none.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).max()
    }

    fn keep(&mut self, events: Vec<Event>, findings: &mut Findings) {
        for event in events {
            findings.add(&event);
            if self.events.len() < MAX_EVENTS {
                self.events.push(event);
            } else {
                self.omitted = self.omitted.saturating_add(1);
            }
        }
    }
}
