//! A finding, its proof, and its advice.

use crate::capture::Mask;

use super::Code;

/// The severity of a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Information. Everything works.
    Note,
    /// It works, but not well, or may fail.
    Warning,
    /// It prevents connections.
    Error,
}

impl Severity {
    /// A name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A command with its answer, or unsolicited lines. The lines are as the module wrote them, with any characters; code
/// that shows them must escape them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Proof {
    /// The command; `None` for unsolicited lines, and for observations of this crate.
    pub command: Option<String>,
    /// The lines, at most [`MAX_LINES`] of [`MAX_TEXT`] bytes.
    pub lines: Vec<String>,
}

/// The most lines of a proof. The longest answer used is the state of the IP application, with nine lines.
pub const MAX_LINES: usize = 12;
/// The longest line of a proof, in bytes. The rest is cut off, and its length is shown. Lines that prove something are
/// short; a hostile one must not fill the screen.
pub const MAX_TEXT: usize = 320;

impl Proof {
    /// A command and its answer, with masked passwords and PINs.
    pub fn answer(command: &str, lines: impl IntoIterator<Item = String>) -> Self {
        let mut mask = Mask::default();
        let command = masked(command, |line| mask.to_modem(line));
        Self { command: Some(clipped(&command)), lines: bounded(lines, mask) }
    }

    /// Unsolicited lines, or words of this crate, with masked passwords and PINs.
    pub fn lines(lines: impl IntoIterator<Item = String>) -> Self {
        Self { command: None, lines: bounded(lines, Mask::default()) }
    }
}

/// A fault, a warning or a note.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of the finding.
    pub code: Code,
    /// The severity.
    pub severity: Severity,
    /// The finding in words, with the values of this case.
    pub summary: String,
    /// The proof.
    pub evidence: Vec<Proof>,
    /// The earlier finding that causes this one; mend that one first.
    pub follows_from: Option<Code>,
}

impl Finding {
    pub(super) fn new(code: Code, severity: Severity, summary: impl Into<String>) -> Self {
        Self { code, severity, summary: clipped(&summary.into()), evidence: Vec::new(), follows_from: None }
    }

    pub(super) fn error(code: Code, summary: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, summary)
    }

    pub(super) fn warning(code: Code, summary: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, summary)
    }

    pub(super) fn note(code: Code, summary: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, summary)
    }

    pub(super) fn proved_by(mut self, proofs: impl IntoIterator<Item = Proof>) -> Self {
        self.evidence.extend(proofs);
        self
    }

    /// The advice, in words.
    pub fn advice(&self) -> &'static str {
        self.code.advice()
    }
}

fn masked(text: &str, mask: impl FnOnce(&mut [u8])) -> String {
    let mut line = format!("{text}\r").into_bytes();
    mask(&mut line);
    line.pop();
    String::from_utf8_lossy(&line).into_owned()
}

fn bounded(lines: impl IntoIterator<Item = String>, mut mask: Mask) -> Vec<String> {
    let lines = lines.into_iter().take(MAX_LINES);
    lines.map(|line| clipped(&masked(&line, |line| mask.from_modem(line)))).collect()
}

fn clipped(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}... ({} bytes more)", text.get(..end).unwrap_or_default(), text.len().saturating_sub(end))
}

/// The result of a rule.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Observation {
    /// The value in a few words; `None` without evidence.
    pub(super) shown: Option<String>,
    pub(super) findings: Vec<Finding>,
}

impl Observation {
    /// No evidence.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    pub(super) fn fine(shown: impl Into<String>) -> Self {
        Self { shown: Some(shown.into()), findings: Vec::new() }
    }

    pub(super) fn found(shown: impl Into<String>, finding: Finding) -> Self {
        Self { shown: Some(shown.into()), findings: vec![finding] }
    }

    pub(super) fn and(mut self, finding: Option<Finding>) -> Self {
        self.findings.extend(finding);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proof_shows_a_secret() {
        let proof = Proof::answer(
            "AT+CSTT=\"cmiot\",\"user\",\"hunter2\"",
            ["+CSTT: \"cmiot\",\"user\",\"hunter2\"".into()],
        );
        assert!(!format!("{proof:?}").contains("hunter2"), "{proof:?}");
        assert_eq!(proof.command.as_deref(), Some("AT+CSTT=\"cmiot\",\"****\",\"*******\""));
        let proof = Proof::answer("AT+CPIN=\"4711\"", ["+CME ERROR: 12".into()]);
        assert_eq!(
            (proof.command.as_deref(), &proof.lines[0][..]),
            (Some("AT+CPIN=\"****\""), "+CME ERROR: 12")
        );
        let proof = Proof::lines(["AT+CPIN=\"4711\"".into(), "+CSQ: 27,99".into()]);
        assert_eq!(proof.lines, ["AT+CPIN=\"****\"", "+CSQ: 27,99"]);
    }

    #[test]
    fn a_proof_is_bounded_whatever_the_module_wrote() {
        let long = "é".repeat(100_000);
        let proof = Proof::answer(&long, std::iter::repeat_n(long.clone(), 1_000));
        assert_eq!(proof.lines.len(), MAX_LINES);
        assert!(proof.lines.iter().all(|line| line.len() < MAX_TEXT + 40));
        assert!(proof.lines[0].ends_with("(199680 bytes more)"), "{}", proof.lines[0]);
    }
}
