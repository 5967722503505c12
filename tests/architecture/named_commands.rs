//! The commands in a document. Each program, step, example, bench and test program that one names exists.

/// The files of a project, as far as commands name them.
pub(crate) struct Project<'a> {
    /// The text of `.ci/run`.
    pub(crate) ci: &'a str,
    /// Whether there is a file or folder with this path.
    pub(crate) has: &'a dyn Fn(&str) -> bool,
}

/// The subcommands of cargo that documents name.
const SUBCOMMANDS: [&str; 11] =
    ["bench", "build", "check", "clippy", "deny", "doc", "fmt", "install", "run", "test", "tree"];

/// Whether a text between backticks is a command. A folder is none.
pub(crate) fn is_command(text: &str) -> bool {
    [".ci/", "fuzz/", "cargo "].iter().any(|begin| text.starts_with(begin)) && !text.ends_with('/')
}

/// The texts between backticks on a line, and the text after each.
pub(crate) fn quoted(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts: Vec<&str> = line.split('`').collect();
    let pairs = parts.chunks(2).skip(1).zip(parts.chunks(2)).map(|(next, pair)| (pair, next[0]));
    let pairs: Vec<_> = pairs.filter_map(|(pair, after)| Some((*pair.get(1)?, after))).collect();
    pairs.into_iter()
}

/// The errors in the commands on a line.
pub(crate) fn faults(line: &str, project: &Project<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (command, after) in quoted(line).filter(|(text, _)| is_command(text)) {
        faults.extend(fault(command, project));
        if command == ".ci/run" {
            faults.extend(steps(after).filter_map(|name| missing_step(name, project.ci)));
        }
    }
    faults
}

/// The names of steps after a command: `step "NAME"`, several with a comma between them.
fn steps(after: &str) -> impl Iterator<Item = &str> {
    let after = after.trim_start_matches([',', ' ']);
    let list = after.strip_prefix("steps ").or_else(|| after.strip_prefix("step ")).unwrap_or_default();
    list.split('"').skip(1).step_by(2)
}

/// A step of `.ci/run` is in a line of its own. A step of each example or program is a function.
fn missing_step(name: &str, ci: &str) -> Option<String> {
    let has = |begin: &str| ci.lines().any(|line| line.trim_start().starts_with(begin));
    let of_kind = |kind: &str| {
        let rest = name.strip_prefix(kind)?.strip_prefix(' ')?;
        let begin = format!("step \"{kind} $name\" ");
        Some(has(&begin) && has(&format!("{kind}_{rest}() {{")))
    };
    let is_there = of_kind("example")
        .or_else(|| of_kind("program"))
        .unwrap_or_else(|| has(&format!("step \"{name}\" ")));
    (!is_there).then(|| format!(".ci/run has no step {name}"))
}

fn fault(command: &str, project: &Project<'_>) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let (program, arguments) = words.split_first()?;
    let missing = |paths: &[String]| {
        let is_there = paths.iter().any(|path| (project.has)(path));
        (!is_there).then(|| format!("`{command}`: there is no {}", paths[0]))
    };
    if *program == "fuzz/run" {
        let target =
            arguments.iter().skip(1).find_map(|name| missing(&[format!("fuzz/fuzz_targets/{name}.rs")]));
        return missing(&[(*program).to_owned()]).or(target);
    }
    if *program != "cargo" {
        return missing(&[(*program).to_owned()]);
    }
    let Some(subcommand) = arguments.first().filter(|word| SUBCOMMANDS.contains(word)) else {
        return Some(format!("`{command}`: cargo has no such subcommand"));
    };
    if *subcommand == "deny" {
        return missing(&["deny.toml".to_owned()]);
    }
    let own = arguments.iter().take_while(|word| **word != "--");
    let own: Vec<&str> = own.copied().collect();
    let unknown = own.windows(2).find_map(|pair| {
        let name = pair[1];
        match pair[0] {
            "--example" => missing(&[format!("examples/{name}.rs"), format!("examples/{name}/main.rs")]),
            "--bench" => missing(&[format!("benches/{name}.rs"), format!("benches/{name}/main.rs")]),
            "--test" => missing(&[format!("tests/{name}/main.rs")]),
            _ => None,
        }
    });
    unknown.or_else(|| {
        // The filter of a test program may be one of its files.
        let program = own.windows(2).find(|pair| pair[0] == "--test").map(|pair| pair[1])?;
        let file = own.iter().find_map(|word| word.strip_suffix("::"))?;
        missing(&[format!("tests/{program}/{file}.rs")])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: &str = "example_a() {\n}\n  step \"example $name\" \"example_$name\"\nstep \"fuzz\" fuzz\n";

    fn found(line: &str) -> Vec<String> {
        let has = |path: &str| {
            let files =
                ["deny.toml", "examples/b.rs", "examples/c/main.rs", "benches/d.rs", "tests/e/main.rs"];
            let more = ["tests/e/f.rs", ".ci/run", ".ci/tool", "fuzz/run", "fuzz/fuzz_targets/g.rs"];
            files.contains(&path) || more.contains(&path)
        };
        faults(line, &Project { ci: CI, has: &has })
    }

    #[test]
    fn what_exists_is_no_fault() {
        for line in [
            "| it holds | `.ci/run` step \"fuzz\", `cargo deny check` |",
            "`.ci/run`, steps \"fuzz\", \"example a\"; `.ci/tool 3`, `fuzz/run`, `fuzz/run 60 g`",
            "`cargo run --release --example b -- --seeds 5`, `cargo run --example c`, `cargo bench --bench d`",
            "`cargo test --test e f::`, `cargo test --test e a_name`, `cargo test`",
            "`tests/none.rs` and `Error::Timeout` are no commands, and \"a step\" of no program is none",
        ] {
            assert_eq!(found(line), [] as [&str; 0], "{line}");
        }
    }

    #[test]
    fn what_does_not_exist_is_a_fault() {
        for (line, fault) in [
            ("`.ci/run` step \"fuz\"", ".ci/run has no step fuz"),
            ("`.ci/run`, step \"example b\"", ".ci/run has no step example b"),
            ("`.ci/run` steps \"fuzz\", \"none\"", ".ci/run has no step none"),
            ("`.ci/none`", "`.ci/none`: there is no .ci/none"),
            ("`fuzz/run 60 none`", "`fuzz/run 60 none`: there is no fuzz/fuzz_targets/none.rs"),
            ("`cargo run --example none`", "`cargo run --example none`: there is no examples/none.rs"),
            (
                "`cargo bench --bench none -- x`",
                "`cargo bench --bench none -- x`: there is no benches/none.rs",
            ),
            ("`cargo test --test none`", "`cargo test --test none`: there is no tests/none/main.rs"),
            ("`cargo test --test e g::`", "`cargo test --test e g::`: there is no tests/e/g.rs"),
            ("`cargo prove`", "`cargo prove`: cargo has no such subcommand"),
        ] {
            assert_eq!(found(line), [fault], "{line}");
        }
    }
}
