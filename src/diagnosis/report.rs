//! All findings in order, and the checklist.

use super::evidence::Evidence;
use super::finding::Observation;
use super::{Check, Code, Finding, Severity, rules};

/// The result of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StepState {
    /// Unknown: the check was not reached, or the capture does not show it.
    Unseen,
    /// No fault.
    Passed,
    /// It works, but there are warnings.
    Warned,
    /// There is an error in this check.
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
#[non_exhaustive]
pub struct Step {
    /// The check.
    pub check: Check,
    /// Its result.
    pub state: StepState,
    /// The observed value in a few words; empty if there is none.
    pub shown: String,
}

/// The result of an examination. `Display` prints a table for a terminal, with all text of the module escaped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    steps: Vec<Step>,
    findings: Vec<Finding>,
    capture_error: Option<String>,
    unexplained: usize,
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
        // The sort is stable, so findings of equal severity keep the order of the checks.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        explain(&mut findings);
        Self { steps, findings, capture_error: None, unexplained: 0 }
    }

    /// Every check, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// All findings: the errors in the order of the checks, then warnings, then notes.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// True if no check has a result: there was nothing to examine.
    pub fn is_unseen(&self) -> bool {
        self.findings.is_empty() && self.steps.iter().all(|step| step.state == StepState::Unseen)
    }

    /// The finding to mend first: the first one, if it is more than a note.
    pub fn root_cause(&self) -> Option<&Finding> {
        self.findings.first().filter(|finding| finding.severity > Severity::Note)
    }

    /// The number of lines of a capture that nothing explains. They were not examined, and may show what is wrong.
    pub fn unexplained(&self) -> usize {
        self.unexplained
    }

    /// The reason why the configured capture is incomplete; `None` if it is complete or not configured.
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

    /// True if there is a finding with this code.
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }
}

/// Each check depends on those before it, so later errors follow from the first.
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
    /// The diagnosis of this evidence.
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis { unexplained: self.unexplained, ..Diagnosis::new(rules::apply(self)) }
    }
}
