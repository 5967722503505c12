//! The tests named in documents. docs/protocol.md names a test for every quirk, and docs/security.md one for every
//! promise. Each test exists, by file and name, or is marked as missing.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::named_commands::{self, Project};
use crate::{cited, path_of};

/// The errors in the table of quirks of a document. `source` returns a file of the project.
fn faults(document: &str, source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, row) in (1..).zip(document.lines().filter(|line| line.starts_with("| Q"))) {
        let row = row.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")).unwrap_or_default();
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        if cells.len() != 6 || cells.iter().any(|cell| cell.is_empty()) {
            faults.push(format!("row {number}: not six cells with something in them"));
        } else if cells[0] != format!("Q{number}") {
            faults.push(format!("row {number}: is called {}", cells[0]));
        } else {
            faults.extend(unproved(cells[5], &source).into_iter().map(|why| format!("Q{number}: {why}")));
        }
    }
    faults
}

/// The errors in a cell that has to name tests as `` `file::name` ``, or to say "none yet".
fn unproved(cell: &str, source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    // Every second part is between backticks.
    let quoted = cell.split('`').skip(1).step_by(2);
    let proofs: Vec<_> = quoted.filter_map(|text| text.split_once("::")).collect();
    if proofs.is_empty() && cell != "none yet" {
        return vec![format!("no test and no \"none yet\": {cell}")];
    }
    let missing = proofs.into_iter().filter_map(|(file, name)| match source(&path_of(file)) {
        None => Some(format!("there is no {}", path_of(file))),
        Some(text) if has_test(&text, name) => None,
        Some(_) => Some(format!("{} has no test {name}", path_of(file))),
    });
    missing.collect()
}

fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}() {{");
    lines.windows(2).any(|two| two[0] == "#[test]" && two[1] == head)
}

#[test]
fn every_quirk_names_existing_tests_or_none_yet() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/protocol.md")).unwrap();
    assert_eq!(faults(&document, cited), [] as [&str; 0]);
    assert!(document.lines().filter(|line| line.starts_with("| Q")).count() >= 64);
}

#[test]
fn every_mutant_that_is_caught_names_an_existing_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/testing.md")).unwrap();
    let cells: Vec<&str> =
        document.lines().filter_map(|line| Some(line.split_once("| caught: ")?.1)).collect();
    assert!(cells.len() >= 16, "{cells:?}");
    for cell in cells {
        assert_eq!(unproved(cell, cited), [] as [&str; 0]);
    }
}

/// The numbers of assumptions in more than one row.
fn doubled_assumptions(document: &str) -> Vec<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| A"));
    let numbers = rows.filter_map(|row| row.split_once(" | ")?.0.parse::<u32>().ok());
    let mut seen = BTreeSet::new();
    numbers.filter(|number| !seen.insert(*number)).map(|number| format!("A{number}")).collect()
}

#[test]
fn every_assumption_has_its_own_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/protocol.md")).unwrap();
    assert_eq!(doubled_assumptions(&document), [] as [&str; 0]);
    assert!(document.lines().filter(|line| line.starts_with("| A")).count() >= 80);
    assert_eq!(doubled_assumptions("| A1 | a |\n| A2 | b |\n| A1 | c |\n| A x |"), ["A1"]);
}

/// Assumptions whose last cell is not a state: confirmed or refuted by a source, or open.
fn without_a_state(document: &str) -> Vec<&str> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| A")?.strip_suffix(" |"));
    let rows = rows.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()));
    let rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    let stateless = |cells: &Vec<&str>| {
        let state = cells.last().copied().unwrap_or_default();
        let sourced =
            ["confirmed", "refuted"].iter().any(|word| state.starts_with(word) && state.contains('('));
        cells.len() != 5 || !(sourced || state.starts_with("open"))
    };
    rows.filter(stateless).map(|cells| cells[0]).collect()
}

#[test]
fn every_assumption_is_confirmed_refuted_or_open() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/protocol.md")).unwrap();
    assert_eq!(without_a_state(&document), [] as [&str; 0]);
    let rows = "| A1 | a | b | c | open |\n| A2 | a | b | c | confirmed |\n| A3 | a | b | c |\n| A4 | a | b | c | confirmed (q01) |";
    assert_eq!(without_a_state(rows), ["2", "3"]);
}

/// The errors in the promises of a document: rows of two cells below the heading `promise`.
fn broken_promises(
    document: &str,
    source: impl Fn(&str) -> Option<String>,
    project: &Project<'_>,
) -> Vec<String> {
    let mut broken = Vec::new();
    let mut is_promise = false;
    for line in document.lines() {
        if line == "| promise | shown by |" {
            is_promise = true;
        } else if !line.starts_with('|') {
            is_promise = false;
        } else if is_promise && !line.starts_with("|--") {
            match line.trim_matches('|').rsplit_once(" | ") {
                Some((_, cell)) => broken.extend(unproved_promise(cell.trim(), &source, project)),
                None => broken.push(format!("a row without a cell for its test: {line}")),
            }
        }
    }
    broken
}

/// The errors in a cell in which each text between backticks is a test or a command.
fn unproved_promise(
    cell: &str,
    source: impl Fn(&str) -> Option<String>,
    project: &Project<'_>,
) -> Vec<String> {
    let mut faults = named_commands::faults(cell, project);
    let (commands, others): (Vec<_>, Vec<_>) =
        named_commands::quoted(cell).map(|(text, _)| text).partition(|text| named_commands::is_command(text));
    faults.extend(
        others
            .iter()
            .filter(|text| !text.contains("::"))
            .map(|text| format!("{text} is neither a test nor a command")),
    );
    // `none yet` is for quirks.
    let tests: Vec<String> = others.iter().map(|text| format!("`{text}`")).collect();
    if !tests.is_empty() || commands.is_empty() {
        faults.extend(unproved(&tests.join(", "), source));
    }
    faults
}

/// Whether a file or folder of the project has this path.
fn has_file(path: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

#[test]
fn every_promise_of_security_md_names_existing_tests_and_commands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    let project = Project { ci: &ci, has: &has_file };
    assert_eq!(broken_promises(&document, cited, &project), [] as [&str; 0]);
    assert!(document.matches("::").count() >= 30);
}

#[test]
fn every_command_of_a_page_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    let project = Project { ci: &ci, has: &has_file };
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut count = 0;
    for page in pages.chain(["README.md", "README.zh.md", "CONTRIBUTING.md"].map(|name| root.join(name))) {
        for line in fs::read_to_string(&page).unwrap().lines() {
            count +=
                named_commands::quoted(line).filter(|(text, _)| named_commands::is_command(text)).count();
            assert_eq!(named_commands::faults(line, &project), [] as [&str; 0], "{}", page.display());
        }
    }
    assert!(count >= 80, "{count} commands");
}

#[test]
fn a_promise_without_a_test_is_found() {
    let source = |file: &str| (file == "tests/*/a.rs").then(|| "#[test]\nfn b() {\n}\n".to_owned());
    let project = Project { ci: "step \"x\" x\n", has: &|path| path == ".ci/run" };
    let found =
        |row: &str| broken_promises(&format!("| promise | shown by |\n|---|---|\n{row}\n"), source, &project);
    assert_eq!(found("| It holds | `a::b` |"), [] as [&str; 0]);
    assert_eq!(found("| It holds | `.ci/run`, step \"x\", `a::b` |"), [] as [&str; 0]);
    assert_eq!(found("| It holds | `.ci/run` step \"y\" |"), [".ci/run has no step y"]);
    assert_eq!(found("| It holds | `cargo test`, `a::c` |"), ["tests/*/a.rs has no test c"]);
    assert_eq!(found("| It holds | `a::b`, `b` |"), ["b is neither a test nor a command"]);
    for unproved in ["| It holds | surely |", "| It holds | none yet |", "| It holds |"] {
        assert_eq!(found(unproved).len(), 1, "{unproved}");
    }
    assert_eq!(broken_promises("| promises | nothing |", source, &project), [] as [&str; 0]);
}

#[test]
fn a_quirk_without_a_cell_a_file_or_a_test_is_found() {
    let source = |file: &str| {
        let text = match file {
            "tests/*/a.rs" => "#[test]\nfn b() {\n}\nfn helper() {\n}\n",
            "src/at/a.rs" => "mod tests {\n    #[test]\n    fn c() {\n    }\n}\n",
            _ => return None,
        };
        Some(text.to_owned())
    };
    let found = |test: &str| faults(&format!("| Q1 | does | x | y | z | {test} |"), source);
    assert_eq!(found("`a::b`"), [] as [&str; 0]);
    assert_eq!(found("`a::b`, `at/a::c`; `OK`: none yet"), [] as [&str; 0]);
    assert_eq!(found("none yet"), [] as [&str; 0]);
    assert_eq!(found("soon"), ["Q1: no test and no \"none yet\": soon"]);
    assert_eq!(found("`a::b`, `a::helper`"), ["Q1: tests/*/a.rs has no test helper"]);
    assert_eq!(found("`at/a::b`"), ["Q1: src/at/a.rs has no test b"]);
    assert_eq!(found("`at/b::c`"), ["Q1: there is no src/at/b.rs"]);
    let rows = |document: &str| faults(document, source);
    assert_eq!(rows("| Q1 | does | x | y | z |  |"), ["row 1: not six cells with something in them"]);
    assert_eq!(rows("| Q1 | does | x | y | z |"), ["row 1: not six cells with something in them"]);
    assert_eq!(rows("| Q2 | does | x | y | z | none yet |"), ["row 1: is called Q2"]);
}
