//! The tables of `docs/simulator.md`.

use std::path::Path;

/// The longest text of one side in the table of differences.
const MAX_CELL: usize = 100;

/// The text of a cell for these lines.
pub fn cell(lines: &[String]) -> String {
    let text = lines.join(" ⏎ ").replace('|', "\\|");
    let shortened: String = text.chars().take(MAX_CELL).collect();
    let text = if shortened.len() < text.len() { format!("{shortened}…") } else { text };
    if text.is_empty() { "-".to_owned() } else { format!("`{text}`") }
}

/// The cells of each row in the table with this header.
pub fn table(header: &str) -> Vec<Vec<String>> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulator.md");
    let document = std::fs::read_to_string(document).unwrap();
    let rows = document.lines().skip_while(|line| *line != header).skip(2);
    let rows: Vec<Vec<String>> = rows.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "docs/simulator.md has no table {header}");
    rows
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|');
    line.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// Checks that the table has exactly these rows.
pub fn compare(header: &str, found: &[Vec<String>]) {
    let listed = table(header);
    assert_eq!(found, listed, "the table {header} should be:\n{}", shown(found));
}

/// Checks that the table has exactly these rows, apart from the last column.
pub fn compare_all_but_last(header: &str, found: &[Vec<String>]) {
    let mut listed = table(header);
    for row in &mut listed {
        row.pop();
    }
    for row in found {
        assert!(listed.contains(row), "not in the table {header}:\n{}", shown(std::slice::from_ref(row)));
    }
    for row in &listed {
        assert!(
            found.contains(row),
            "in the table {header}, and not so:\n{}",
            shown(std::slice::from_ref(row))
        );
    }
    assert_eq!(found.len(), listed.len(), "a row of the table {header} is there twice");
}

fn shown(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect()
}
