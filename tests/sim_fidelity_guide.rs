//! The users' guide `docs/simulator.md` says everything that there is: every fault, every control, every profile and
//! every assumption. Its examples are doc tests.
#![allow(clippy::unwrap_used)] // A missing file shall fail the test, also in a helper.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use air724ug::sim::{Profile, Rule};

fn guide() -> String {
    std::fs::read_to_string(root().join("docs/simulator.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first cells of the table under this header, without their code marks.
fn first_cells(header: &str) -> BTreeSet<String> {
    let guide = guide();
    let rows = guide.lines().skip_while(|line| *line != header).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells: BTreeSet<String> =
        rows.map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`').to_owned()).collect();
    assert!(!cells.is_empty(), "the guide has no table {header}");
    cells
}

#[test]
fn every_fault_stands_in_the_guide_as_it_is_written() {
    let told = "no-such-fault".parse::<Rule>().unwrap_err().to_string();
    let (_, spellings) = told.split_once("there are ").unwrap();
    let spellings: BTreeSet<String> = spellings.split(", ").map(|name| name.trim().to_owned()).collect();
    assert_eq!(first_cells("| rule | what goes wrong | seen in |"), spellings);
}

#[test]
fn every_control_stands_in_the_guide() {
    let source = std::fs::read_to_string(root().join("src/sim/control.rs")).unwrap();
    let (_, source) = source.split_once("pub enum Control {").unwrap();
    let (source, _) = source.split_once("\n}").unwrap();
    let variants = source.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.is_empty());
    let names = variants.map(|line| line.split(['(', ',', ' ']).next().unwrap().to_owned());
    let listed = first_cells("| `Control` | what happens |").into_iter().flat_map(|cell| {
        let names = cell.split(", ").map(|name| name.trim_matches('`').split('(').next().unwrap().to_owned());
        names.collect::<Vec<_>>()
    });
    assert_eq!(listed.collect::<BTreeSet<_>>(), names.collect::<BTreeSet<_>>());
}

#[test]
fn every_profile_is_named_in_the_guide() {
    for profile in Profile::all() {
        assert!(guide().contains(&format!("`{}`", profile.name)), "{}", profile.name);
    }
}

#[test]
fn every_assumption_of_the_sources_stands_in_the_guide() {
    let mut files = Vec::new();
    sources(&root().join("src/sim"), &mut files);
    let assuming = files.into_iter().filter(|path| {
        // What only explains the word assumes nothing.
        let text = std::fs::read_to_string(path).unwrap().replace("*assumed*", "");
        text.contains("assumed")
    });
    let found = assuming.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
    assert_eq!(first_cells("| where | what is assumed |"), found.collect::<BTreeSet<_>>());
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}
