//! The tests named in docs/luatos.md: every row names one, which exists by file and name.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use crate::{cited, path_of};

/// The errors in the tables of a document. `source` returns a file of the project.
fn faults(document: &str, source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(document.lines()) {
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else {
            continue;
        };
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        if cells.len() != 3 || cells.iter().any(|cell| cell.is_empty()) {
            faults.push(format!("{number}: not three cells with something in them"));
        } else if cells[0] != "LuatOS" {
            faults.extend(unproved(cells[2], &source).map(|why| format!("{number}: {why}")));
        }
    }
    faults
}

/// The reason why a cell names no proof. A proof is `` `file::function` ``, or `.ci/run`, which runs every example.
fn unproved(cell: &str, source: impl Fn(&str) -> Option<String>) -> Option<String> {
    let proof = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
    match proof.map(|proof| proof.split_once("::").unwrap_or((proof, ""))) {
        None => Some(format!("no proof: {cell}")),
        Some((".ci/run", "")) => None,
        Some((file, name)) => match source(&path_of(file)) {
            None => Some(format!("there is no {}", path_of(file))),
            Some(text) if text.contains(&format!("fn {name}(")) => None,
            Some(_) => Some(format!("{} has no {name}", path_of(file))),
        },
    }
}

#[test]
fn every_row_names_an_existing_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/luatos.md")).unwrap();
    assert_eq!(faults(&document, cited), [] as [&str; 0]);
    assert!(document.lines().filter(|line| line.starts_with("| ")).count() > 50);
}

#[test]
fn a_row_without_a_cell_a_file_or_a_test_is_found() {
    let source = |file: &str| (file == "tests/*/a.rs").then(|| "fn b() {}".to_owned());
    let found = |row: &str| faults(row, source);
    assert_eq!(found("| x | y | `a::b` |"), [] as [&str; 0]);
    assert_eq!(found("| x | y | not yet |"), ["1: no proof: not yet"]);
    assert_eq!(found("| x | y | `a::c` |"), ["1: tests/*/a.rs has no c"]);
    assert_eq!(found("| x | y | `c::b` |"), ["1: there is no tests/*/c.rs"]);
    assert_eq!(found("| x | y | soon |"), ["1: no proof: soon"]);
    assert_eq!(found("text\n| x |  | not yet |"), ["2: not three cells with something in them"]);
    assert_eq!(found("| x | y |"), ["1: not three cells with something in them"]);
}
