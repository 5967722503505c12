//! The patterns that a trace is searched for, and their places.

use std::collections::BTreeMap;

use crate::time::Timestamp;

use super::{Event, Pattern, Severity};

/// The most places of a finding that are kept: 32. More are only counted ([`Finding::count`]), because a report shows a
/// few.
pub const MAX_EVIDENCE: usize = 32;

/// A pattern that occurs in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The pattern, with its cause and advice.
    pub pattern: Pattern,
    /// The number of its occurrences.
    pub count: u64,
    /// The places of the first [`MAX_EVIDENCE`] occurrences.
    pub evidence: Vec<Evidence>,
}

/// A place that proves a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The lines of the file.
    pub lines: Vec<u64>,
    /// The time since the first stamp of the trace.
    pub at: Option<Timestamp>,
    /// The event, in words.
    pub what: String,
}

impl Finding {
    /// Its severity.
    pub fn severity(&self) -> Severity {
        self.pattern.severity()
    }
}

/// Collects findings from events. There is one finding for each pattern, so memory is limited.
#[derive(Debug, Default)]
pub struct Findings {
    by_title: BTreeMap<&'static str, Finding>,
}

impl Findings {
    /// Takes the next event.
    pub fn add(&mut self, event: &Event) {
        let Some(pattern) = event.what.pattern() else {
            return;
        };
        let new = || Finding { pattern, count: 0, evidence: Vec::new() };
        let finding = self.by_title.entry(pattern.title()).or_insert_with(new);
        finding.count = finding.count.saturating_add(1);
        if finding.evidence.len() < MAX_EVIDENCE {
            let (lines, at) = (event.lines.clone(), event.at);
            finding.evidence.push(Evidence { lines, at, what: event.what.to_string() });
        }
    }

    /// The findings, the worst first; among equals in order of their first occurrence.
    pub fn finish(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.by_title.into_values().collect();
        let first_line =
            |finding: &Finding| finding.evidence.first().and_then(|first| first.lines.last().copied());
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity()), first_line(finding)));
        findings
    }
}
