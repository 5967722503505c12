//! The table of variables in docs/testing.md. It names each variable, and each test that reads it.

use crate::source::Source;

/// The variables of the environment, whose names begin like this.
const BEGIN: &str = "AIR724UG_";
/// The function that reads two of them.
const SEEDS: (&str, [&str; 2]) = ("for_each_seed(", ["SEED", "SCHEDULES"]);
/// They divide the work of a bench among processes.
const OF_BENCHES: &str = "BENCH_";

/// The errors in the table. A source with the name of a variable at the beginning of a string reads it.
pub(crate) fn check(document: &str, sources: &[Source]) -> Vec<String> {
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with(&format!("| `{BEGIN}"))).collect();
    let mut faults = Vec::new();
    for source in sources {
        let name = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        for variable in variables(&source.text) {
            match rows.iter().find(|row| row.starts_with(&format!("| `{BEGIN}{variable}="))) {
                None => faults.push(format!("{}: no row has {BEGIN}{variable}", source.path)),
                Some(row) if is_test(&source.path) && !row.contains(&format!("`{name}`")) => {
                    faults.push(format!("the row of {BEGIN}{variable} lacks {name}"));
                }
                Some(_) => {}
            }
        }
    }
    faults
}

/// What is in a folder of a test program, and no support for all.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") && !path.starts_with("tests/support/")
}

fn variables(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        if line.contains(SEEDS.0) && !line.contains("fn for_each_seed(") {
            found.extend(SEEDS.1);
        }
        let quoted = line.split('"').filter_map(|part| part.strip_prefix(BEGIN));
        found.extend(
            quoted.filter_map(|name| name.split(|one: char| !one.is_ascii_uppercase() && one != '_').next()),
        );
    }
    found.retain(|name| !name.is_empty() && !name.starts_with(OF_BENCHES));
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_or_a_reader_that_the_table_lacks_is_found() {
        let table = "| variable | read by |\n| `AIR724UG_SEED=<n>` | `a`, `b` |\n| `AIR724UG_SCHEDULES=<n>` | `a` |\n";
        let found = |path: &str, text: &str| check(table, &[Source::parse(path, text)]);
        let seeds = "fn t() {\n    for_each_seed(kind, 9, run);\n}\n";
        assert_eq!(found("tests/core/a.rs", seeds), [] as [&str; 0]);
        assert_eq!(found("tests/core/b.rs", seeds), ["the row of AIR724UG_SCHEDULES lacks b"]);
        assert_eq!(found("tests/core/b.rs", "fn t() {\n    var(\"AIR724UG_SEED\");\n}\n"), [] as [&str; 0]);
        let other = "fn t() {\n    // AIR724UG_NONE\n    var_os(\"AIR724UG_TRACE\");\n}\n";
        assert_eq!(found("tests/support/c.rs", other), ["tests/support/c.rs: no row has AIR724UG_TRACE"]);
    }
}
