//! The habits of docs/architecture.md that a file shows: sizes, names, and code that must not be left in.

use crate::Finding;
use crate::paths::paths;
use crate::source::{Source, after_closing, line_at};

/// The longest file, in lines without test code, which can be read in one sitting.
const FILE_LINES: usize = 450;
/// The longest function, in lines, which fits on a screen.
const FUNCTION_LINES: usize = 80;

/// The longest line of a comment. A line of a table may be longer.
const COMMENT_COLUMNS: usize = 120;

/// The files that may sleep, each with the reason. Empty is best.
const MAY_SLEEP: &[(&str, &str)] =
    &[("tests/programs/atat/src/main.rs", "another driver, whose channel has no blocking receive")];

/// Functions whose names come from a trait of another crate: their folder, and the trait.
const NAMED_BY_OTHERS: &[(&str, &str, &str)] = &[
    ("src/modem/embedded/", "get_host_by_name", "Dns of embedded-nal and embedded-nal-async"),
    ("src/modem/embedded/", "get_host_by_address", "Dns of embedded-nal and embedded-nal-async"),
];

/// The findings in one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = unfinished(source);
    findings.extend(sleeping(source));
    findings.extend(long_functions(source));
    findings.extend(undocumented(source));
    findings.extend(wide_comments(source));
    if source.path.starts_with("src/") || source.path.starts_with("examples/") {
        findings.extend(long_file(source));
        findings.extend(names(source));
        findings.extend(tests_before_code(source));
    }
    findings
}

/// Invalid entries in the list of sleepers: they name no file, or a file that does not sleep, or give no reason.
pub(crate) fn stale_sleepers(sources: &[Source]) -> Vec<&'static str> {
    let sleeps =
        |path| sources.iter().any(|source| source.path == path && !calls(&source.code, "sleep").is_empty());
    MAY_SLEEP
        .iter()
        .filter(|(path, reason)| reason.len() < 20 || !sleeps(*path))
        .map(|(path, _)| *path)
        .collect()
}

fn unfinished(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["todo", "unimplemented", "dbg"] {
        for offset in words(&source.code, name) {
            if source.code[offset + name.len()..].trim_start().starts_with('!') {
                findings.push(Finding::at(source, offset, format!("`{name}!` is unfinished code")));
            }
        }
    }
    for offset in words(&source.code, "ignore") {
        if source.code[..offset].trim_end().ends_with("#[") {
            findings.push(Finding::at(source, offset, "an ignored test tests nothing".to_owned()));
        }
    }
    findings
}

fn sleeping(source: &Source) -> Vec<Finding> {
    if MAY_SLEEP.iter().any(|(path, _)| *path == source.path) {
        return Vec::new();
    }
    calls(&source.code, "sleep")
        .into_iter()
        .map(|offset| Finding::at(source, offset, "sleeps; wait on a channel or a descriptor".to_owned()))
        .collect()
}

fn long_file(source: &Source) -> Option<Finding> {
    let lines = source.production_lines();
    let message = || format!("{lines} lines of production code, more than {FILE_LINES}");
    (lines > FILE_LINES).then(|| Finding::new(source, 1, message()))
}

fn long_functions(source: &Source) -> Vec<Finding> {
    functions(&source.code)
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES)
        .map(|function| {
            let message =
                format!("`{}` has {} lines, more than {FUNCTION_LINES}", function.name, function.lines);
            Finding::at(source, function.offset, message)
        })
        .collect()
}

fn wide_comments(source: &Source) -> Vec<Finding> {
    let is_wide = |line: &str| {
        let text = line.trim_start();
        let is_table = text.trim_start_matches('/').trim_start().starts_with('|');
        text.starts_with("//") && !is_table && line.chars().count() > COMMENT_COLUMNS
    };
    let message = || format!("a line of a comment with more than {COMMENT_COLUMNS} columns");
    let lines = (1..).zip(source.text.lines());
    lines.filter(|(_, line)| is_wide(line)).map(|(line, _)| Finding::new(source, line, message())).collect()
}

/// The finding for a file without a first line of documentation. A file with one type may have it at the type.
fn undocumented(source: &Source) -> Option<Finding> {
    let mut lines = source.text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("#!"));
    let one_type = source.path.starts_with("src/") && !source.path.ends_with("/mod.rs");
    let documented = lines.clone().next().is_some_and(|line| line.starts_with("//! "))
        || (one_type
            && lines.find(|line| !line.starts_with("use ")).is_some_and(|line| line.starts_with("/// ")));
    let message = "does not begin by saying what it is (`//! ..`)";
    (!documented).then(|| Finding::new(source, 1, message.to_owned()))
}

fn names(source: &Source) -> Vec<Finding> {
    let is_ours = |name: &str| {
        !NAMED_BY_OTHERS.iter().any(|(folder, theirs, _)| source.path.starts_with(folder) && name == *theirs)
    };
    let getters = functions(&source.production)
        .into_iter()
        .filter(|function| function.name.starts_with("get_") && is_ours(&function.name));
    let mut findings: Vec<Finding> = getters
        .map(|function| {
            Finding::at(source, function.offset, format!("`{}`: no `get_` in names", function.name))
        })
        .collect();
    for path in paths(&source.production) {
        if path.is_public() && path.segments.last().is_some_and(|last| last == "*") {
            let message = format!("`pub use {}` hides what is public", path.segments.join("::"));
            findings.push(Finding::new(source, path.line, message));
        }
    }
    findings
}

/// The finding for code after `mod tests`.
fn tests_before_code(source: &Source) -> Option<Finding> {
    let (offset, declared) = source.code.match_indices("mod tests {").next()?;
    let end = after_closing(&source.code, offset + declared.len() - 1);
    let after = source.code[end..].find(|c: char| !c.is_whitespace())?;
    Some(Finding::at(source, end + after, "stands after `mod tests`".to_owned()))
}

struct Function {
    name: String,
    offset: usize,
    lines: usize,
}

fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for offset in words(code, "fn") {
        let after = code[offset + 2..].trim_start();
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        let Some(body) = body(code, offset) else {
            continue;
        };
        if end > 0 {
            let lines = line_at(code, after_closing(code, body) - 1) - line_at(code, offset) + 1;
            found.push(Function { name: after[..end].to_owned(), offset, lines });
        }
    }
    found
}

/// The start of the body of the function at `offset`; `None` for a declaration and for a function type.
fn body(code: &str, offset: usize) -> Option<usize> {
    let mut at = offset;
    loop {
        match *code.as_bytes().get(at)? {
            b'{' => return Some(at),
            b';' | b'}' | b')' => return None,
            b'(' | b'[' => at = after_closing(code, at),
            _ => at += 1,
        }
    }
}

/// The places of `name` as a whole word.
pub(crate) fn words(code: &str, name: &str) -> Vec<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name)
        .map(|(offset, _)| offset)
        .filter(|&offset| {
            !code[..offset].chars().next_back().is_some_and(part)
                && !code[offset + name.len()..].chars().next().is_some_and(part)
        })
        .collect()
}

/// The places at which a function `name` is called, or imported.
fn calls(code: &str, name: &str) -> Vec<usize> {
    words(code, name)
        .into_iter()
        .filter(|&offset| {
            let called = code[offset + name.len()..].trim_start().starts_with('(');
            let declared = code[..offset].trim_end().ends_with("fn");
            let of_thread = code[..offset].ends_with("thread::");
            (called && !declared) || of_thread
        })
        .collect()
}

mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let text = format!("//! A file.\n{text}");
        check(&Source::parse(path, &text)).iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn refused(text: &str, finding: &str) {
        assert_eq!(findings("src/at/x.rs", text), [finding], "{text}");
    }

    #[track_caller]
    fn allowed(text: &str) {
        assert_eq!(findings("src/at/x.rs", text), [] as [&str; 0], "{text}");
    }

    #[test]
    fn unfinished_code_is_found() {
        refused("fn f() { todo!() }", "src/at/x.rs:2: `todo!` is unfinished code");
        refused("fn f() {\n unimplemented ! (\"x\") }", "src/at/x.rs:3: `unimplemented!` is unfinished code");
        refused("fn f() { dbg!(1); }", "src/at/x.rs:2: `dbg!` is unfinished code");
        allowed("// todo!()\nfn todo() { f(\"dbg!\") }");
    }

    #[test]
    fn an_ignored_test_is_found() {
        refused("#[ignore]\nfn f() {}", "src/at/x.rs:2: an ignored test tests nothing");
        refused("#[ignore = \"slow\"]\nfn f() {}", "src/at/x.rs:2: an ignored test tests nothing");
        allowed("fn ignore() { ignore() }");
    }

    #[test]
    fn a_sleep_is_found_in_tests_too() {
        let finding = "src/at/x.rs:4: sleeps; wait on a channel or a descriptor";
        refused("#[cfg(test)]\nmod tests {\n fn f() { std::thread::sleep(x) }\n}", finding);
        refused("use std::thread::sleep;", "src/at/x.rs:2: sleeps; wait on a channel or a descriptor");
        allowed("fn sleep() {}\nstruct Sleep;\nfn f() { asleep() }");
    }

    #[test]
    fn files_and_functions_up_to_the_limit_pass_and_longer_ones_do_not() {
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "g();\n".repeat(lines - 2));
        allowed(&function(FUNCTION_LINES));
        refused(&function(FUNCTION_LINES + 1), "src/at/x.rs:2: `f` has 81 lines, more than 80");
        allowed(&"x!();\n".repeat(FILE_LINES - 1));
        refused(&"x!();\n".repeat(FILE_LINES), "src/at/x.rs:1: 451 lines of production code, more than 450");
        allowed(&format!("#[cfg(test)]\nmod tests {{\n{}}}", "x!();\n".repeat(FILE_LINES)));
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_last_brace() {
        let code = "fn f<T>(x: [u8; 2]) -> Result<(), E>\nwhere\n T: I<Item = u8>,\n{\n}\ntype F = fn(u8);\ntrait A { fn g(&self); }\n";
        let found: Vec<(String, usize)> = functions(code).into_iter().map(|f| (f.name, f.lines)).collect();
        assert_eq!(found, [("f".to_owned(), 5)]);
    }

    #[test]
    fn a_wide_comment_is_found_and_a_wide_table_is_not() {
        let text = "x".repeat(COMMENT_COLUMNS - 3);
        allowed(&format!("// {text}\n/// | {text} |"));
        refused(&format!("    // {text}"), "src/at/x.rs:2: a line of a comment with more than 120 columns");
    }

    #[test]
    fn a_file_begins_with_its_title() {
        let refused = |path: &str, text: &str| {
            let findings = check(&Source::parse(path, text));
            let finding = format!("{path}:1: does not begin by saying what it is (`//! ..`)");
            assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), [finding], "{text}");
        };
        for text in ["", "fn f() {}", "// A file.", "//!\n", "use x;\nfn f() {}\n/// Late.\nstruct S;"] {
            refused("src/at/x.rs", text);
            refused("examples/x.rs", text);
        }
        let one_type = "use x;\n\n/// A type.\nstruct S;\n";
        refused("src/at/mod.rs", one_type);
        refused("tests/x.rs", one_type);
        assert!(check(&Source::parse("src/at/x.rs", one_type)).is_empty());
    }

    #[test]
    fn getters_and_glob_exports_are_found() {
        refused("pub fn get_id() {}", "src/at/x.rs:2: `get_id`: no `get_` in names");
        refused("pub use a::b::*;", "src/at/x.rs:2: `pub use a::b::*` hides what is public");
        allowed("use super::*;\nfn get() {}\nfn target_get_x() {}");
        refused("fn get_host_by_name() {}", "src/at/x.rs:2: `get_host_by_name`: no `get_` in names");
    }

    #[test]
    fn code_after_the_tests_is_found() {
        refused("#[cfg(test)]\nmod tests {\n}\n\nfn f() {}", "src/at/x.rs:6: stands after `mod tests`");
        allowed("fn f() {}\n#[cfg(test)]\nmod tests {\n}\n");
    }
}
