//! A whole trace at once.

use std::io::{self, BufRead};

use super::{Finding, Findings, Happening, Narrator, Reader, Severity};

/// The most happenings that [`Story::read`] keeps: a hundred thousand, some ten megabytes and more than a report can show.
/// Later ones are counted and searched, but not kept.
pub const MAX_HAPPENINGS: usize = 100_000;

/// What a trace tells, and what is wrong in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// What happened, in order; the first [`MAX_HAPPENINGS`].
    pub happenings: Vec<Happening>,
    /// How many more happened.
    pub omitted: u64,
    /// What the trace was searched for and shows, the worst first.
    pub findings: Vec<Finding>,
}

impl Story {
    /// Reads a trace to its end. Longer ones are better read with [`Reader`], [`Narrator`] and [`Findings`], which is
    /// all that this does.
    ///
    /// The only errors are those of `input`: any bytes are a trace.
    pub fn read(input: impl BufRead) -> io::Result<Self> {
        let mut story = Self::default();
        let mut findings = Findings::default();
        let mut narrator = Narrator::default();
        for record in Reader::new(input) {
            story.keep(narrator.hear(&record?), &mut findings);
        }
        story.keep(narrator.finish(), &mut findings);
        story.findings = findings.finish();
        Ok(story)
    }

    /// The worst of the findings; `None` if there are none.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).max()
    }

    fn keep(&mut self, happenings: Vec<Happening>, findings: &mut Findings) {
        for happening in happenings {
            findings.add(&happening);
            if self.happenings.len() < MAX_HAPPENINGS {
                self.happenings.push(happening);
            } else {
                self.omitted = self.omitted.saturating_add(1);
            }
        }
    }
}
