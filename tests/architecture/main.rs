//! Rules about the sources, which tests check by reading them: the imports that each part may have, the habits that a
//! file shows, and its language.
//!
//! docs/architecture.md explains the rules. Each finding names a file and a line. Every check has tests with small bad
//! inputs at the end of its module, because a check that accepts everything would be worse than none.

// A helper of a test fails by a panic.
#![allow(clippy::expect_used)]

mod circles;
mod habits;
mod impls;
mod language;
mod layers;
mod luat_table;
mod machines;
mod named_commands;
mod pages;
mod paths;
mod profiles;
mod prose;
mod protocol_table;
mod source;
mod table;
mod urc_table;
mod variables;

use source::{Source, line_at};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A place in the sources that breaks a rule.
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(source: &Source, line: usize, message: String) -> Self {
        let path = source.path.clone();
        Self { path, line, message }
    }

    /// A finding at a byte of the file.
    fn at(source: &Source, offset: usize, message: String) -> Self {
        Self::new(source, line_at(&source.code, offset), message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

#[test]
fn every_part_imports_only_what_the_table_allows() {
    let sources = sources(&["src"]);
    let lib = sources.iter().find(|source| source.path == "src/lib.rs").expect("src/lib.rs exists");
    let exports = layers::exports(lib);
    assert_none(sources.iter().flat_map(|source| layers::check(source, &exports)).collect());
}

#[test]
fn files_import_only_in_listed_circles() {
    let (new, gone) = circles::compare(&circles::circles(&sources(&["src"])));
    assert_eq!(
        new,
        [] as [String; 0],
        "files that import each other in a circle that tests/architecture/circles.rs does not list"
    );
    assert_eq!(gone, [] as [String; 0], "files that are in no circle; remove them from that list");
}

#[test]
fn machines_meet_only_in_the_engine() {
    assert_none(sources(&["src"]).iter().flat_map(machines::check).collect());
}

#[test]
fn the_methods_of_a_type_are_in_its_folder() {
    assert_eq!(impls::check(&sources(&["src"])), [] as [String; 0]);
}

#[test]
fn unsolicited_lines_are_in_one_table() {
    assert_eq!(urc_table::check(&sources(&["src"])), [] as [String; 0]);
}

#[test]
fn every_variable_that_a_test_reads_is_in_the_table_of_testing_md() {
    let document = fs::read_to_string(root().join("docs/testing.md")).expect("docs/testing.md is there");
    let mut sources = sources(&["tests", "examples", "benches"]);
    // Their examples are none.
    sources.retain(|source| !source.path.starts_with("tests/architecture/"));
    assert_eq!(variables::check(&document, &sources), [] as [String; 0]);
}

#[test]
fn every_file_keeps_the_habits() {
    let sources = sources(&["src", "tests", "examples", "benches"]);
    assert_none(sources.iter().flat_map(habits::check).collect());
    assert_eq!(habits::stale_sleepers(&sources), [] as [&str; 0], "stale entries in the list of sleepers");
}

#[test]
fn every_sentence_and_every_name_is_plain() {
    let findings = language::check_words(&language::pages());
    assert!(findings.is_empty(), "{} findings:\n{}\n", findings.len(), findings.join("\n"));
}

#[test]
fn every_word_of_prose_has_one_form() {
    let findings = prose::check(&language::pages());
    assert!(findings.is_empty(), "{} findings:\n{}\n", findings.len(), findings.join("\n"));
}

#[test]
fn every_type_has_a_noun_as_its_name_which_is_unique_in_its_layer() {
    let sources = sources(&["src", "tests", "examples", "benches", "fuzz"]);
    assert_eq!(language::check_type_names(&sources), [] as [String; 0]);
    assert_eq!(language::check_type_titles(&sources), [] as [String; 0]);
    assert_eq!(language::check_type_twice(&sources), [] as [String; 0]);
}

#[test]
fn every_file_has_a_name_and_a_title_for_its_content() {
    let sources = sources(&["src", "tests", "examples", "benches", "fuzz"]);
    let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(language::check_file_names(&paths), [] as [String; 0]);
    assert_eq!(language::check_titles(&sources), [] as [String; 0]);
}

#[test]
fn the_median_file_is_short() {
    let mut lines: Vec<usize> = sources(&["src"]).iter().map(Source::production_lines).collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!(median <= 150, "the median file of src has {median} lines of production code, more than 150");
}

#[test]
fn every_example_is_named_in_the_readme() {
    for page in ["README.md", "README.zh.md"] {
        let readme = fs::read_to_string(root().join(page)).expect("it is there");
        assert_eq!(unnamed(&examples(), &readme), [] as [&str; 0], "examples that {page} does not name");
    }
}

#[test]
fn every_file_in_the_tables_of_architecture_md_exists() {
    let document = fs::read_to_string(root().join("docs/architecture.md")).expect("it is there");
    let exists = |path: &str| {
        ["", "/mod"].iter().any(|ending| root().join(format!("src/{path}{ending}.rs")).is_file())
    };
    assert_eq!(missing(&document, exists), [] as [String; 0], "files that docs/architecture.md names");
    assert!(missing(&document, |_| false).len() > 40, "the table of files is read");
}

#[test]
fn every_file_of_the_core_is_in_the_table_of_architecture_md() {
    let document = fs::read_to_string(root().join("docs/architecture.md")).expect("it is there");
    let named = missing(&document, |_| false);
    let sources = sources(&["src/proto"]);
    let paths = sources.iter().map(|source| source.path.trim_start_matches("src/").trim_end_matches(".rs"));
    let unlisted: Vec<&str> = paths.filter(|path| !named.iter().any(|name| name == path)).collect();
    assert_eq!(unlisted, [] as [&str; 0], "files that docs/architecture.md does not list");
}

#[test]
fn every_link_of_a_page_has_a_target() {
    let pages: Vec<PathBuf> =
        ["", "docs", "fuzz", "contrib"].iter().flat_map(|folder| pages_in(folder)).collect();
    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).expect("it is there");
        broken.extend(pages::broken(&text, page).iter().map(|link| format!("{}: {link}", page.display())));
    }
    assert_eq!(broken, [] as [String; 0]);
    assert!(pages.len() > 15, "{pages:?}");
}

#[test]
fn the_chinese_pages_have_the_headings_the_code_and_the_links_of_the_english_ones() {
    for page in ["README", "docs/cookbook"] {
        let read = |ending| fs::read_to_string(root().join(format!("{page}{ending}"))).expect("it is there");
        let unlike = pages::untranslated(&read(".md"), &read(".zh.md"));
        assert!(unlike.is_empty(), "{page}.zh.md:\n{}", unlike.join("\n"));
    }
}

/// Each page is included in the documentation, so its code is compiled and run as a doc test. The code of the Chinese
/// page is that of the English one.
#[test]
fn the_code_of_every_page_is_a_doc_test() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there");
    let included = read("src/lib.rs") + &read("src/sim/mod.rs");
    for page in pages_in("docs") {
        let name = page.strip_prefix(root()).expect("it is below").display().to_string();
        let is_included = included.contains(&format!("../{name}\")"));
        assert!(is_included || name.ends_with(".zh.md"), "{name} is not included in src/lib.rs");
    }
}

/// The code of the English page is compiled and run with the tests.
#[test]
fn the_chinese_cookbook_has_the_code_and_the_recipes_of_the_english_one() {
    let read = |name: &str| fs::read_to_string(root().join("docs").join(name)).expect("it is there");
    let (english, chinese) = (read("cookbook.md"), read("cookbook.zh.md"));
    let code =
        |text: &str| -> Vec<String> { text.split("```").skip(1).step_by(2).map(str::to_owned).collect() };
    assert!(code(&english) == code(&chinese), "a block of code differs");
    let recipes = |text: &str| text.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(recipes(&english), recipes(&chinese));
    let links =
        |text: &str| text.lines().filter(|line| line.starts_with("- [") && line.contains("](#")).count();
    assert_eq!((links(&english), links(&chinese)), (recipes(&english), recipes(&chinese)));
}

#[test]
fn a_missing_file_of_a_table_is_found() {
    let table = "| `at/a` | x |\n| `proto/b`, `c` | `x/y` |\n| 1 | `at/d` | `e` |\ntext `at/f`\n";
    assert_eq!(missing(table, |_| false), ["at/a", "proto/b", "proto/c", "at/d"]);
    assert_eq!(missing(table, |path| path != "proto/c"), ["proto/c"]);
}

#[test]
fn an_example_missing_in_the_readme_is_found() {
    let examples = ["sim".to_owned(), "replay".to_owned()];
    assert_eq!(unnamed(&examples, "simulated, `replay FILE`"), ["sim"]);
    assert_eq!(unnamed(&examples, "cargo run --example sim, `replay`"), [] as [&str; 0]);
}

/// The pages of a folder.
fn pages_in(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(root().join(folder)).expect("it is there").flatten().map(|file| file.path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

#[track_caller]
fn assert_none(findings: Vec<Finding>) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} findings:\n{}\n", lines.len(), lines.join("\n"));
}

/// The examples that `readme` mentions neither in code nor in a command.
fn unnamed<'a>(examples: &'a [String], readme: &str) -> Vec<&'a str> {
    let named = |name: &str| {
        [format!("`{name}`"), format!("`{name} "), format!("--example {name}")]
            .iter()
            .any(|text| readme.contains(text))
    };
    examples.iter().map(String::as_str).filter(|name| !named(name)).collect()
}

/// The missing source files in the tables of `document`. A row names files in its first cell, where `c` after `proto/b`
/// is `proto/c`. The rows of the ways, which begin with a number, name files in every cell.
fn missing(document: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut missing = Vec::new();
    for row in document.lines().filter_map(|line| line.strip_prefix("| ")) {
        let is_way = row.starts_with(|c: char| c.is_ascii_digit());
        let mut folder = None;
        for name in row
            .split(" | ")
            .take(if is_way { 3 } else { 1 })
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        {
            let path = match (name.rsplit_once('/'), folder) {
                (Some((parent, _)), _) => {
                    folder = Some(parent);
                    name.to_owned()
                }
                (None, Some(parent)) if !is_way => format!("{parent}/{name}"),
                (None, _) => continue,
            };
            if !exists(&path) {
                missing.push(path);
            }
        }
    }
    missing
}

/// The path of a file by its name in the documents: `faults` is a file of a test program or the program with that name,
/// `at/line` is a source file.
fn path_of(file: &str) -> String {
    let folder = if file.contains('/') { "src" } else { "tests/*" };
    format!("{folder}/{file}.rs")
}

/// The text of the file with this [`path_of`]; `None` unless there is exactly one.
fn cited(path: &str) -> Option<String> {
    let Some(name) = path.strip_prefix("tests/*/") else {
        return fs::read_to_string(root().join(path)).ok();
    };
    let entries = fs::read_dir(root().join("tests")).expect("tests/ is there");
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let programs: Vec<_> = folders.filter(|folder| folder.join("main.rs").is_file()).collect();
    let mut found: Vec<_> = programs.iter().map(|folder| folder.join(name)).collect();
    found.retain(|path| path.is_file());
    if found.is_empty() {
        found.push(root().join("tests").join(name.trim_end_matches(".rs")).join("main.rs"));
    }
    let [path] = found.as_slice() else {
        return None;
    };
    fs::read_to_string(path).ok()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of the examples: `examples/NAME.rs` and `examples/NAME/main.rs`.
fn examples() -> Vec<String> {
    let mut names: Vec<String> = files(&root().join("examples"))
        .iter()
        .filter_map(|path| path.strip_prefix(root().join("examples")).ok()?.to_str().map(str::to_owned))
        .map(|path| path.trim_end_matches(".rs").trim_end_matches("/main").to_owned())
        .filter(|name| !name.contains('/') && name != "common")
        .collect();
    names.sort();
    names
}

/// The sources below these folders of the project. Files that exist only in tests are marked.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut sources: Vec<Source> = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder)))
        .map(|path| {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let relative = path.strip_prefix(root()).expect("it was found below the root");
            Source::parse(&relative.to_string_lossy().replace('\\', "/"), &text)
        })
        .collect();
    let tests: Vec<Vec<String>> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let module: Vec<String> = source.module().into_iter().map(str::to_owned).collect();
        if tests.iter().any(|test| module.starts_with(test)) {
            source.exempt();
        }
    }
    assert!(!sources.is_empty(), "no sources in {folders:?}");
    sources
}

/// Every Rust file below `folder`, in order; none without such a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
