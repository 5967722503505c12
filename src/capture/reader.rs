//! The reader of files.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::collector::{Collector, Line};
use super::layout::{Encoding, Layout};
use super::{Capture, Fault, LoadError, MAX_LINE, ReadError, format};

/// The largest file that is read: 64 MiB, an hour and a half of a busy line of 115200 baud. A larger one is an error.
pub const MAX_FILE: u64 = 64 * 1024 * 1024;

/// The most lines of a capture: a million, a whole day of a busy session. Each uses some hundred bytes, so that a file
/// of line ends only can't use more memory than the machine has. A longer one is an error.
pub const MAX_LINES: usize = 1 << 20;

/// Reads a capture in our own format; any other file is refused, especially one without the three headers.
pub fn read_own(file: &[u8]) -> Result<Capture, ReadError> {
    let lines = lines(file)?;
    let mut out = Collector::default();
    format::read(&lines, file.ends_with(b"\n"), &mut out)?;
    Ok(capture(Layout::Own, lines.len(), out))
}

/// The same as [`read_own`], for a file.
pub fn load_own(path: impl AsRef<Path>) -> Result<Capture, LoadError> {
    load_by(path.as_ref(), read_own)
}

pub(super) fn load_by(
    path: &Path,
    read: impl Fn(&[u8]) -> Result<Capture, ReadError>,
) -> Result<Capture, LoadError> {
    let file_error = |source| LoadError::File { path: path.to_owned(), source };
    let length = fs::metadata(path).map_err(file_error)?.len();
    let mut bytes = Vec::new();
    // A file may grow after its length is read, and a pipe has no length.
    let file = File::open(path).map_err(file_error)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(file_error)?;
    if length > MAX_FILE || bytes.len() as u64 > MAX_FILE {
        return Err(LoadError::TooLarge { path: path.to_owned(), limit: MAX_FILE });
    }
    read(&bytes).map_err(|source| LoadError::Line { path: path.to_owned(), source })
}

pub(super) fn capture(layout: Layout, lines: usize, out: Collector) -> Capture {
    let Collector { header, records, remarks, .. } = out;
    Capture { layout, encoding: Encoding::Utf8, lines, header, records, remarks }
}

/// The lines of a file without their line ends.
pub(super) fn lines(file: &[u8]) -> Result<Vec<Line<'_>>, ReadError> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let file = file.strip_suffix(b"\n").unwrap_or(file);
    if file.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    for (number, text) in (1..).zip(file.split(|&byte| byte == b'\n')) {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() > MAX_LINE {
            return Err(Fault::LineTooLong { limit: MAX_LINE }.at(number));
        }
        if number > MAX_LINES {
            return Err(Fault::TooManyLines { limit: MAX_LINES }.at(number));
        }
        lines.push(Line { number, text });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_our_own_without_headers_is_refused_with_its_name_and_line() {
        let path = std::env::temp_dir().join(format!("air724ug-{}.capture", std::process::id()));
        fs::write(&path, "# what: x\n# source: y\n0.0 > AT\n").unwrap();
        let error = load_own(&path).unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        assert_eq!(error, format!("{}:3: no `# expect:` above the first record", path.display()));
    }
}
