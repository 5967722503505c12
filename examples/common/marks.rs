//! Marks of a program's log, from a file.

use air724ug::capture::Marks;

/// Adds the marks of a file to the table. An error contains the name of the file.
pub fn add(marks: &mut Marks, file: &std::path::Path) -> Result<(), String> {
    let table = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let added = table.and_then(|table| marks.extend(&table).map_err(|error| error.to_string()));
    added.map_err(|error| format!("{}: {error}", file.display()))
}
