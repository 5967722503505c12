//! From a file to a [`Capture`].

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::layout::{self, Collector, Layout, Line};
use super::{Capture, Fault, LoadError, MAX_LINE, ReadError, format};

/// The largest file that [`load`] takes into memory: 64 MiB, an hour and a half of a full 115200 line. A larger one is
/// an error.
pub const MAX_FILE: u64 = 64 * 1024 * 1024;

/// The most lines of a capture: a million, a whole day of a busy session. Each costs some hundred bytes, so that a file
/// of nothing but line ends cannot take more memory than the machine has. A longer one is an error.
pub const MAX_LINES: usize = 1 << 20;

/// Reads a capture in any layout that [`Layout`] names, found out from the content.
///
/// Any bytes are read: what no layout recognises is taken as what a terminal showed. Only our own format, which
/// promises more, can be wrong; a line longer than [`MAX_LINE`] and more than [`MAX_LINES`] are refused in every layout. Lines may end with LF
/// or CR LF; a byte order mark is skipped.
pub fn read(file: &[u8]) -> Result<Capture, ReadError> {
    let lines = lines(file)?;
    let reader = layout::detect(&lines);
    let mut out = Collector::default();
    (reader.read)(&lines, &mut out)?;
    Ok(capture(reader.layout, out))
}

/// Reads a capture in our own format; everything else is refused, above all a file without the three headers.
pub fn read_own(file: &[u8]) -> Result<Capture, ReadError> {
    let mut out = Collector::default();
    format::read(&lines(file)?, &mut out)?;
    Ok(capture(Layout::Own, out))
}

/// [`read`] for a file; the error names it.
pub fn load(path: impl AsRef<Path>) -> Result<Capture, LoadError> {
    load_by(path.as_ref(), read)
}

/// [`read_own`] for a file: a fixture must say what it is, where it comes from and what it must show.
pub fn load_own(path: impl AsRef<Path>) -> Result<Capture, LoadError> {
    load_by(path.as_ref(), read_own)
}

fn load_by(path: &Path, read: fn(&[u8]) -> Result<Capture, ReadError>) -> Result<Capture, LoadError> {
    let file_error = |source| LoadError::File { path: path.to_owned(), source };
    let length = fs::metadata(path).map_err(file_error)?.len();
    let mut bytes = Vec::new();
    // The length is what the file said a moment ago; a pipe says nothing.
    let file = File::open(path).map_err(file_error)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(file_error)?;
    if length > MAX_FILE || bytes.len() as u64 > MAX_FILE {
        return Err(LoadError::TooLarge { path: path.to_owned(), limit: MAX_FILE });
    }
    read(&bytes).map_err(|source| LoadError::Line { path: path.to_owned(), source })
}

fn capture(layout: Layout, out: Collector) -> Capture {
    Capture { layout, header: out.header, records: out.records, remarks: out.remarks }
}

/// The lines of a file without their line ends.
fn lines(file: &[u8]) -> Result<Vec<Line<'_>>, ReadError> {
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

    #[test]
    fn a_missing_file_is_named() {
        let error = load("/no/such/file").unwrap_err().to_string();
        assert!(error.starts_with("/no/such/file: "), "{error}");
    }

    #[test]
    fn what_is_not_our_format_is_no_fixture() {
        assert_eq!(read(b"AT\n\nOK\n").unwrap().layout, Layout::Plain);
        assert_eq!(read_own(b"AT\n\nOK\n").unwrap_err().fault, Fault::MissingHeader("what"));
        assert_eq!(read_own(b"").unwrap_err().fault, Fault::MissingHeader("what"));
    }

    #[test]
    fn a_file_of_line_ends_is_refused_at_the_limit() {
        assert_eq!(read(&vec![b'\n'; MAX_LINES]).unwrap().records.len(), MAX_LINES);
        let error = read(&vec![b'\n'; MAX_LINES + 1]).unwrap_err();
        assert_eq!((error.line, error.fault), (MAX_LINES + 1, Fault::TooManyLines { limit: MAX_LINES }));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let words: [&[u8]; 18] = [
            b"AT+CIPSEND=0,5",
            b"\r\n",
            b"\n",
            b"> ",
            b"+RECEIVE,0,4:",
            b"\0\xff\xfe",
            b"# what:",
            b"0.0 < ",
            b"atc: ",
            "→ ".as_bytes(),
            "收←◆".as_bytes(),
            b"[14:42:30.346]",
            b"--- x x ---",
            b"Got:\"b'",
            b"\\x",
            b"//",
            b"0D 0A ",
            b"CONNECT",
        ];
        let mut state = 1u64;
        for _ in 0..5_000 {
            let mut bytes = Vec::new();
            for _ in 0..24 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bytes.extend_from_slice(words[usize::try_from(state >> 33).unwrap() % words.len()]);
            }
            if let Ok(capture) = read(&bytes) {
                let told = super::super::replay(&capture).happenings;
                assert!(told.iter().all(|happening| !happening.what.to_string().is_empty()));
            }
        }
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_change_nothing() {
        let unix = "I (1) at: RX:|OK\nI (2) at: TX:|AT\n";
        let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
        let expected = read(unix.as_bytes()).unwrap();
        assert_eq!(read(windows.as_bytes()).unwrap(), expected);
        assert_eq!(read(unix.trim_end().as_bytes()).unwrap(), expected);
        assert_eq!(read(b"").unwrap().records, []);
    }
}
