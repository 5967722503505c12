//! A table of transitions, for tests: every state and every input of a machine.

use std::fmt::Write;

/// An input of a machine, and its name.
pub(super) type Act<M> = (&'static str, fn(&mut M));

/// Gives each of these inputs to each of these states, and compares the next states with the table:
///
/// ```text
/// | input | idle | busy |
/// | start | busy | - |
/// ```
///
/// The first row has the names of the states in their order, and each further row those of the next states; `-` is no
/// change. `states` returns fresh machines, `name` the name of the state.
///
/// # Panics
/// With the table as it should be, if the table differs.
pub(super) fn check<M>(
    table: &str,
    states: impl Fn() -> Vec<M>,
    inputs: &[Act<M>],
    name: impl Fn(&M) -> &'static str,
) {
    let names: Vec<&str> = states().iter().map(&name).collect();
    let mut found = format!("| input | {} |\n", names.join(" | "));
    for (input, act) in inputs {
        let _ = write!(found, "| {input} |");
        for (mut machine, before) in states().into_iter().zip(&names) {
            act(&mut machine);
            let after = name(&machine);
            let _ = write!(found, " {} |", if after == *before { "-" } else { after });
        }
        found.push('\n');
    }
    let cells = |line: &str| line.split('|').map(str::trim).collect::<Vec<_>>().join("|");
    let rows = |text: &str| text.lines().map(cells).filter(|row| !row.is_empty()).collect::<Vec<_>>();
    assert!(rows(table) == rows(&found), "the machine has these transitions:\n{found}");
}
