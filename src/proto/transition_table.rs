//! A table of transitions, for tests: every state and every input of a machine.

use std::fmt::Write;

/// An input of a machine, and its name.
pub(super) type Act<M> = (&'static str, fn(&mut M));

/// Gives each of these inputs to each of these states, and compares the next states with the table:
///
/// ```text
/// | input | idle | busy |        | state | start | stop |
/// | start | busy | - |     or    | idle | busy | x |
/// | stop | x | idle |            | busy | - | idle |
/// ```
///
/// The first cell says whether the rows are inputs or states. `-` is no change, and `x` is an input that can't come in
/// this state. `states` returns fresh machines, `name` the name of the state.
///
/// # Panics
/// With the table as it should be, if the table differs.
pub(super) fn check<M, N: ToString>(
    table: &str,
    states: impl Fn() -> Vec<M>,
    inputs: &[Act<M>],
    name: impl Fn(&M) -> N,
) {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<_> = table.lines().map(str::trim).filter(|line| !line.is_empty()).map(cells).collect();
    let has_states_as_rows = rows.first().and_then(|row| row.get(1)).is_some_and(|cell| cell == "state");
    let names: Vec<String> = states().iter().map(|machine| name(machine).to_string()).collect();
    let inputs_named = || inputs.iter().map(|(input, _)| (*input).to_owned());
    let (corner, header, first): (_, Vec<String>, Vec<String>) = if has_states_as_rows {
        ("state", inputs_named().collect(), names.clone())
    } else {
        ("input", names.clone(), inputs_named().collect())
    };
    let mut found = format!("| {corner} | {} |\n", header.join(" | "));
    for (row, label) in first.iter().enumerate() {
        let _ = write!(found, "| {label} |");
        for column in 0..header.len() {
            let is_impossible =
                rows.get(row + 1).and_then(|row| row.get(column + 2)).is_some_and(|cell| cell == "x");
            let (state, input) = if has_states_as_rows { (row, column) } else { (column, row) };
            let after = match states().into_iter().nth(state) {
                Some(mut machine) if !is_impossible => {
                    inputs[input].1(&mut machine);
                    name(&machine).to_string()
                }
                _ => "x".to_owned(),
            };
            let _ = write!(found, " {} |", if after == names[state] { "-" } else { &after });
        }
        found.push('\n');
    }
    let is_equal = rows == found.lines().map(cells).collect::<Vec<_>>();
    assert!(is_equal, "the machine has these transitions:\n{found}");
}
