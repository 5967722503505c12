//! All findings in order, and the checklist.

use super::evidence::Evidence;
use super::finding::Observation;
use super::{Check, Code, Finding, Severity, rules};

/// The result of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepState {
    /// Nothing is known of it: it was not reached, or the capture does not show it.
    Unseen,
    /// It is as it should be.
    Passed,
    /// It works, but see the findings.
    Warned,
    /// It is what is wrong, or suffers from it.
    Failed,
}

impl StepState {
    /// A name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
        }
    }
}

/// One line of the checklist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What was looked at.
    pub check: Check,
    /// How it went.
    pub state: StepState,
    /// What was seen, in a few words; empty if nothing was.
    pub shown: String,
}

/// The result of an examination. Printed, it is a table for a terminal, everything that came from the module escaped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    steps: Vec<Step>,
    findings: Vec<Finding>,
    capture_error: Option<String>,
}

impl Diagnosis {
    pub(super) fn new(seen: Vec<(Check, Observation)>) -> Self {
        let mut steps = Vec::with_capacity(seen.len());
        let mut findings = Vec::new();
        for (check, seen) in seen {
            let worst = seen.findings.iter().map(|finding| finding.severity).max();
            let state = match (worst, &seen.shown) {
                (Some(Severity::Error), _) => StepState::Failed,
                (Some(Severity::Warning), _) => StepState::Warned,
                (Some(Severity::Note) | None, Some(_)) => StepState::Passed,
                (Some(Severity::Note) | None, None) => StepState::Unseen,
            };
            steps.push(Step { check, state, shown: seen.shown.unwrap_or_default() });
            findings.extend(seen.findings);
        }
        // The sort keeps the order of the checks among equals.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        explain(&mut findings);
        Self { steps, findings, capture_error: None }
    }

    /// Every check, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Everything that was found: the errors in the order of the checks, then warnings, then notes.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The finding to mend first: the first one, if it is more than a note.
    pub fn root_cause(&self) -> Option<&Finding> {
        self.findings.first().filter(|finding| finding.severity > Severity::Note)
    }

    /// The reason why the capture that the configuration asked for is not complete; `None` if it is, or if none was asked for.
    pub fn capture_error(&self) -> Option<&str> {
        self.capture_error.as_deref()
    }

    pub(crate) fn with_capture_error(self, capture_error: Option<String>) -> Self {
        Self { capture_error, ..self }
    }

    /// The severity of the worst finding; `None` if there is none.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.first().map(|finding| finding.severity)
    }

    /// Whether this was found.
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }
}

/// Every check needs those before it: later errors follow from the first.
fn explain(findings: &mut [Finding]) {
    let Some((root, rest)) = findings.split_first_mut() else { return };
    if root.severity != Severity::Error {
        return;
    }
    for finding in rest.iter_mut().filter(|finding| finding.severity == Severity::Error) {
        finding.follows_from = Some(root.code);
    }
}

impl Evidence {
    /// Judges it.
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis::new(rules::apply(self))
    }
}
