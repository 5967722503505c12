//! A diagnosis for people.

use std::fmt;

use super::{Diagnosis, Finding, Severity, StepState};

/// The width of wrapped advice: that of a usual terminal without the indent.
const WIDTH: usize = 74;

/// The checklist, then each finding with its proof and advice. Characters other than printable ASCII are escaped, so
/// text of the module can't move the cursor.
impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps() {
            let mark = match step.state {
                StepState::Unseen => "-",
                StepState::Passed => "ok",
                StepState::Warned => "warn",
                StepState::Failed => "FAIL",
            };
            let shown = if step.shown.is_empty() { "not examined" } else { &step.shown };
            let line = format!("{mark:<5} {:<13} {}", step.check, Plain(shown));
            writeln!(f, "{}", line.trim_end())?;
        }
        for finding in self.findings() {
            writeln!(f)?;
            show(f, finding)?;
        }
        match self.root_cause() {
            None if self.is_unseen() => writeln!(f, "\nThere was nothing to examine."),
            None if self.unexplained() > 0 => {
                writeln!(f, "\nNothing wrong was found in what was understood of the log.")
            }
            None => writeln!(f, "\nNothing wrong was found."),
            Some(_) => Ok(()),
        }?;
        match self.unexplained() {
            0 => Ok(()),
            1 => writeln!(f, "One line of the log was not understood, and not examined."),
            lines => writeln!(f, "{lines} lines of the log were not understood, and not examined."),
        }
    }
}

fn show(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let mark = match finding.severity {
        Severity::Note => "note",
        Severity::Warning => "warn",
        Severity::Error => "FAIL",
    };
    writeln!(f, "{mark:<5} {}: {}", finding.code, Plain(&finding.summary))?;
    for proof in &finding.evidence {
        if let Some(command) = &proof.command {
            writeln!(f, "      > {}", Plain(command))?;
        }
        for line in &proof.lines {
            writeln!(f, "      < {}", Plain(line))?;
        }
    }
    match finding.follows_from {
        Some(cause) => writeln!(f, "      follows from {cause}; mend that first"),
        // No action is needed.
        None if finding.severity == Severity::Note => Ok(()),
        None => wrapped(f, finding.advice()),
    }
}

fn wrapped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut column = 0_usize;
    for word in text.split_whitespace() {
        let end = column.saturating_add(1).saturating_add(word.len());
        if column == 0 || end > WIDTH {
            write!(f, "{}      {word}", if column == 0 { "" } else { "\n" })?;
            column = word.len();
        } else {
            write!(f, " {word}")?;
            column = end;
        }
    }
    writeln!(f)
}

/// Text in which all characters but printable ASCII are escaped.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            ' '..='~' => write!(f, "{c}"),
            c => write!(f, "{}", c.escape_default()),
        })
    }
}
