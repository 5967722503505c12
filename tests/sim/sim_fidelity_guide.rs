//! The users' guide `docs/simulator.md` is complete: it lists every fault, control, profile and assumption. Its
//! examples are doc tests.
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

/// The first cells of the table with this header, without code marks.
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
fn the_guide_lists_every_fault_in_its_notation() {
    let listed = "no-such-fault".parse::<Rule>().unwrap_err().to_string();
    let (_, spellings) = listed.split_once("there are ").unwrap();
    let spellings: BTreeSet<String> = spellings.split(", ").map(|name| name.trim().to_owned()).collect();
    assert_eq!(first_cells("| rule | what goes wrong | seen in |"), spellings);
}

#[test]
fn the_guide_lists_every_control() {
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
fn the_guide_names_every_profile() {
    for profile in Profile::all() {
        assert!(guide().contains(&format!("`{}`", profile.name)), "{}", profile.name);
    }
}

#[test]
fn the_guide_lists_every_assumption_of_the_sources() {
    let mut files = Vec::new();
    sources(&root().join("src/sim"), &mut files);
    let assuming = files.into_iter().filter(|path| {
        // The definition of the mark is not an assumption.
        let text = std::fs::read_to_string(path).unwrap().replace("*assumed*", "");
        text.contains("assumed")
    });
    let found = assuming.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"));
    assert_eq!(first_cells("| where | what is assumed |"), found.collect::<BTreeSet<_>>());
}

const FAILURES: &str = "| failure | seen in | rule | otherwise | test |";

/// The rows of the table of failures in a document.
fn failures(document: &str) -> Vec<Vec<&str>> {
    let rows = document.lines().skip_while(|line| *line != FAILURES).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The texts between code marks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The errors in the table of failures. `source` returns the text of a file of tests.
fn unplayable(document: &str, source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for row in failures(document) {
        let [failure, _, rules, otherwise, tests] = row[..] else {
            faults.push(format!("not five cells: {row:?}"));
            continue;
        };
        if quoted(rules).next().is_none() && otherwise == "-" {
            faults.push(format!("{failure}: no way to play it"));
        }
        let parses = |rule: &&str| rule.parse::<Rule>().is_err();
        faults.extend(quoted(rules).filter(parses).map(|rule| format!("{failure}: {rule} is no rule")));
        let proofs: Vec<_> = quoted(tests).filter_map(|test| test.split_once("::")).collect();
        if proofs.is_empty() {
            faults.push(format!("{failure}: no test"));
        }
        for (file, name) in proofs {
            let head = format!("#[test]\nfn {name}() {{");
            if !source(file).is_some_and(|text| text.contains(&head)) {
                faults.push(format!("{failure}: there is no test {file}::{name}"));
            }
        }
    }
    faults
}

#[test]
fn every_failure_of_the_captures_can_be_played_and_has_a_test() {
    let source = |file: &str| {
        let folders = ["sim", "tls", "tools"].iter();
        let mut paths = folders.map(|folder| root().join(format!("tests/{folder}/{file}.rs")));
        paths.find_map(|path| std::fs::read_to_string(path).ok())
    };
    assert_eq!(unplayable(&guide(), source), [] as [&str; 0]);
    assert_eq!(failures(&guide()).len(), 16);
}

#[test]
fn a_failure_without_a_rule_or_a_test_is_reported() {
    let source = |file: &str| (file == "a").then(|| "#[test]\nfn b() {\n}\nfn helper() {\n}\n".to_owned());
    let found = |row: &str| unplayable(&format!("{FAILURES}\n|---|\n{row}\n"), source);
    assert_eq!(found("| x | s01 | `send-fail`, `deaf=2s:0.5` | - | `a::b` |"), [] as [&str; 0]);
    assert_eq!(found("| x | s01 | `sendfail` | - | `a::b` |"), ["x: sendfail is no rule"]);
    assert_eq!(found("| x | s01 | - | - | `a::b` |"), ["x: no way to play it"]);
    assert_eq!(found("| x | s01 | - | so | none |"), ["x: no test"]);
    assert_eq!(found("| x | s01 | - | so | `a::helper` |"), ["x: there is no test a::helper"]);
    assert_eq!(found("| x | s01 | - | so | `c::b` |"), ["x: there is no test c::b"]);
    assert_eq!(found("| x | so | `a::b` |"), ["not five cells: [\"x\", \"so\", \"`a::b`\"]"]);
}

#[test]
fn the_failures_are_those_of_the_index_of_published_captures() {
    let folder = root().join("../shared/captures");
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.md")) else {
        eprintln!("NOT TESTED: the published captures are missing ({})", folder.display());
        return;
    };
    let (_, tally) = index.split_once("## Tally of failures covered").unwrap();
    let tally = tally.split_whitespace().collect::<Vec<_>>().join(" ");
    let listed = tally.split(')').filter_map(|part| part.split_once('('));
    let listed: BTreeSet<&str> = listed.map(|(name, _)| name.trim_start_matches([' ', '-']).trim()).collect();
    let guide = guide();
    let rows = failures(&guide);
    assert_eq!(rows.iter().map(|row| row[0]).collect::<BTreeSet<_>>(), listed);
    let files =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let files: Vec<String> = files.collect();
    for name in rows.iter().flat_map(|row| row[1].split(", ")) {
        let there = files.iter().any(|file| file.starts_with(&format!("{name}_")));
        assert!(there, "there is no capture {name}");
    }
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
