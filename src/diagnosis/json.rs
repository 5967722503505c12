//! A diagnosis for programs.

use std::fmt::Write;

use super::{Diagnosis, Finding, Proof, Severity, Step};

impl Diagnosis {
    /// The diagnosis as one JSON object (RFC 8259), in ASCII:
    ///
    /// ```json
    /// {"severity": "error", "root_cause": "sim-missing", "unexplained": 0,
    ///  "checks": [{"check": "sim", "state": "failed", "shown": "none"}],
    ///  "findings": [{"code": "sim-missing", "check": "sim", "severity": "error", "summary": "...",
    ///                "follows_from": null, "advice": "...",
    ///                "evidence": [{"command": "AT+CPIN?", "lines": ["+CME ERROR: 10"]}]}]}
    /// ```
    ///
    /// `severity` is `fine`, `note`, `warning` or `error`; it is at least `warning` if lines of a log were not
    /// understood, which `unexplained` counts. All text of the module is escaped.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        // What was not understood is no good news.
        let unread = (self.unexplained() > 0).then_some(Severity::Warning);
        let severity = self.severity().max(unread).map_or("fine", |severity| severity.as_str());
        member(&mut out, "severity", |out| string(out, severity));
        out.push(',');
        member(&mut out, "root_cause", |out| optional(out, self.root_cause().map(|root| root.code.as_str())));
        out.push(',');
        member(&mut out, "unexplained", |out| out.push_str(&self.unexplained().to_string()));
        out.push(',');
        member(&mut out, "checks", |out| list(out, self.steps(), step));
        out.push(',');
        member(&mut out, "findings", |out| list(out, self.findings(), finding));
        out.push('}');
        out
    }
}

fn step(out: &mut String, step: &Step) {
    out.push('{');
    member(out, "check", |out| string(out, step.check.as_str()));
    out.push(',');
    member(out, "state", |out| string(out, step.state.as_str()));
    out.push(',');
    member(out, "shown", |out| string(out, &step.shown));
    out.push('}');
}

fn finding(out: &mut String, finding: &Finding) {
    out.push('{');
    for (name, text) in [
        ("code", finding.code.as_str()),
        ("check", finding.code.check().as_str()),
        ("severity", finding.severity.as_str()),
        ("summary", &finding.summary),
        ("advice", finding.advice()),
    ] {
        member(out, name, |out| string(out, text));
        out.push(',');
    }
    member(out, "follows_from", |out| optional(out, finding.follows_from.map(|code| code.as_str())));
    out.push(',');
    member(out, "evidence", |out| list(out, &finding.evidence, proof));
    out.push('}');
}

fn proof(out: &mut String, proof: &Proof) {
    out.push('{');
    member(out, "command", |out| optional(out, proof.command.as_deref()));
    out.push(',');
    member(out, "lines", |out| list(out, &proof.lines, |out, line| string(out, line)));
    out.push('}');
}

fn member(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    string(out, name);
    out.push(':');
    value(out);
}

fn list<T>(out: &mut String, items: &[T], item: impl Fn(&mut String, &T)) {
    out.push('[');
    for (index, each) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        item(out, each);
    }
    out.push(']');
}

fn optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.push_str("null"),
    }
}

/// Characters other than printable ASCII are written as `\uXXXX`, or as two of these (a surrogate pair).
fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c => {
                for half in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = write!(out, "\\u{half:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_escaped_or_harmless() {
        let mut out = String::new();
        string(&mut out, "a\"\\\r\n\0\u{1b}[31m\u{7f}\u{fffd}é\u{1f4f6}");
        let expected = r#""a\"\\\u000d\u000a\u0000\u001b[31m\u007f\ufffd\u00e9\ud83d\udcf6""#;
        assert_eq!(out, expected);
    }
}
