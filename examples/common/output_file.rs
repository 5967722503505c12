//! The file that a program writes its result into. A file that another program wrote is not overwritten.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The bytes at the start of a file in which the sign of its program is.
const HEAD: u64 = 1_000;

/// Checks that a result may be written to `out`: it is none of the `inputs`, and it does not exist, is empty, has the
/// `sign` of this program at its start, or is no regular file.
pub fn check(out: &Path, inputs: &[&Path], sign: &str) -> Result<(), String> {
    let target = std::fs::canonicalize(out);
    let is_target = |input: &&Path| {
        let same = target.as_ref().ok().zip(std::fs::canonicalize(input).ok());
        same.is_some_and(|(out, input)| *out == input) || *input == out
    };
    let is_regular = |path: &Path| std::fs::metadata(path).map_or(true, |found| found.is_file());
    if is_regular(out) && inputs.iter().any(is_target) {
        return Err(format!("{}: this file is the input, and would be overwritten", out.display()));
    }
    let Ok(found) = std::fs::metadata(out) else { return Ok(()) };
    if !found.is_file() || found.len() == 0 {
        return Ok(());
    }
    let mut head = Vec::new();
    let read = File::open(out).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    if read.is_ok() && String::from_utf8_lossy(&head).contains(sign) {
        return Ok(());
    }
    Err(format!("{}: this file exists, and is none that this program wrote", out.display()))
}
