//! The spelling of comments and documents: each word has one form there. Names in code may have another one.

use crate::language::Page;

/// Words with another form, each with the one that is used.
const ONE_FORM: &[(&str, &str)] = &[
    ("timeout", "time-out"),
    ("timeouts", "time-outs"),
    ("cannot", "can't"),
    ("doesn't", "does not"),
    ("isn't", "is not"),
    ("won't", "will not"),
];

/// The words of `pages` in another form.
pub(crate) fn check(pages: &[Page]) -> Vec<String> {
    let mut findings = Vec::new();
    for page in pages {
        for (number, line) in prose(page) {
            for word in line.split(|c: char| !c.is_alphanumeric() && !"'-_".contains(c)) {
                let word = word.to_lowercase();
                let other = ONE_FORM.iter().find(|(form, _)| *form == word);
                findings.extend(
                    other.map(|(form, used)| format!("{}:{number}: `{form}`: write `{used}`", page.path)),
                );
            }
        }
    }
    findings
}

/// The prose of a page, by line: the comments of Rust, the text of Markdown. Code is left out.
fn prose(page: &Page) -> Vec<(usize, String)> {
    let is_rust = page.path.ends_with(".rs");
    if !is_rust && !page.path.ends_with(".md") {
        return Vec::new();
    }
    let mut is_code = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(page.text.lines()) {
        let line = line.trim_start();
        let text = match is_rust {
            true => line.strip_prefix("//").map(|text| text.trim_start_matches(['/', '!', ' '])),
            false => Some(line),
        };
        let Some(text) = text else { continue };
        if text.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push((number, outside_of_code(text)));
        }
    }
    lines
}

/// A line without the parts in backquotes and without the targets of links.
fn outside_of_code(line: &str) -> String {
    let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let mut parts = text.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + " " + part.split_once(')').map_or(part, |(_, rest)| rest))
}

mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&[Page { path: path.to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn another_form_in_prose_is_found() {
        let text = "/// A timeout.\nlet timeout = 1; // timeouts\n//! It Cannot.\n";
        assert_eq!(
            findings("src/x.rs", text),
            ["src/x.rs:1: `timeout`: write `time-out`", "src/x.rs:3: `cannot`: write `can't`"]
        );
        assert_eq!(findings("docs/x.md", "It\nisn't.\n"), ["docs/x.md:2: `isn't`: write `is not`"]);
    }

    #[test]
    fn names_and_code_may_have_another_form() {
        for text in [
            "/// `timeout`, [time](Self::timeout), read_timeout, timeout_at",
            "/// ```\n/// let timeout = 1;\n/// ```",
            "let timeout = 1;",
        ] {
            assert_eq!(findings("src/x.rs", text), [] as [&str; 0], "{text}");
        }
        assert_eq!(findings("Cargo.toml", "# a timeout"), [] as [&str; 0]);
    }
}
