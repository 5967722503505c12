//! Reading captures that others have published: their layouts, one a file, and how to tell them apart.

mod arduino;
mod arrows;
mod atc;
mod block;
mod clock;
mod esp;
mod excerpts;
mod hexdump;
mod llcom;
mod luatools;
mod manual;
mod python;
mod rtthread;
mod shapes;
mod sscom;
mod table;
mod tagged;
mod text;
mod transcript;

#[cfg(feature = "luat")]
pub(crate) use clock::{Clock, number, time};
#[cfg(feature = "luat")]
pub(crate) use luatools::{leveled, stamped};

use std::path::Path;

use super::collector::{Collector, Line};
use super::layout::Layout;
use super::reader::{capture, lines, load_by};
use super::{Capture, LoadError, ReadError, format};

/// Reads a capture in any layout that [`Layout`] names, found out from the content.
///
/// Any bytes are read: what no layout recognises is taken as what a terminal showed. Only our own format, which
/// promises more, can be wrong; a line longer than [`MAX_LINE`](super::MAX_LINE) and more than [`MAX_LINES`](super::MAX_LINES) are refused in every layout. Lines may end with LF
/// or CR LF; a byte order mark is skipped.
pub fn read(file: &[u8]) -> Result<Capture, ReadError> {
    let lines = lines(file)?;
    let reader = detect(&lines);
    let mut out = Collector::default();
    (reader.read)(&lines, &mut out)?;
    Ok(capture(reader.layout, out))
}

/// [`read`] for a file; the error names it.
pub fn load(path: impl AsRef<Path>) -> Result<Capture, LoadError> {
    load_by(path.as_ref(), read)
}

/// The recogniser and the reader of one layout.
pub(super) struct Reader {
    pub(super) layout: Layout,
    /// Whether a line can only be of this layout.
    recognises: fn(&[u8]) -> bool,
    pub(super) read: fn(&[Line<'_>], &mut Collector) -> Result<(), ReadError>,
}

/// Every layout but [`Layout::Plain`], which takes what none of these wants. Where two would recognise the same line
/// the first one has it.
const READERS: [Reader; 17] = [
    reader(Layout::Own, format::recognises, format::read),
    reader(Layout::Llcom, llcom::recognises, llcom::read),
    reader(Layout::Sscom, sscom::recognises, sscom::read),
    reader(Layout::Luatools, luatools::recognises, luatools::read),
    reader(Layout::Esp, esp::recognises, esp::read),
    reader(Layout::Tagged, tagged::recognises, tagged::read),
    reader(Layout::Arduino, arduino::recognises, arduino::read),
    reader(Layout::Python, python::recognises, python::read),
    reader(Layout::Arrows, arrows::recognises, arrows::read),
    reader(Layout::HexDump, hexdump::recognises, hexdump::read),
    reader(Layout::Manual, manual::recognises, manual::read),
    reader(Layout::Table, table::recognises, table::read),
    reader(Layout::Shapes, shapes::recognises, shapes::read),
    reader(Layout::Excerpts, excerpts::recognises, excerpts::read),
    reader(Layout::Atc, atc::recognises, atc::read),
    reader(Layout::RtThread, rtthread::recognises, rtthread::read),
    reader(Layout::TinyGsm, transcript::recognises_tinygsm, transcript::read),
];

const PLAIN: Reader = reader(Layout::Plain, |_| true, transcript::read);

/// The layout of the first line that any layout recognises; [`Layout::Plain`] if there is no such line.
pub(super) fn detect(lines: &[Line<'_>]) -> Reader {
    for line in lines {
        if let Some(reader) = READERS.into_iter().find(|reader| (reader.recognises)(line.text)) {
            return reader;
        }
    }
    PLAIN
}

const fn reader(
    layout: Layout,
    recognises: fn(&[u8]) -> bool,
    read: fn(&[Line<'_>], &mut Collector) -> Result<(), ReadError>,
) -> Reader {
    Reader { layout, recognises, read }
}

#[cfg(test)]
mod testing {
    use super::super::escape::escape;
    use super::super::{Entry, read};

    /// What a log is read as, one record or remark a line: its line number, a mark and the escaped bytes.
    pub(super) fn seen(log: &str) -> String {
        let capture = read(log.as_bytes()).unwrap();
        let mut seen: Vec<(usize, String)> = Vec::new();
        for located in &capture.records {
            let (mark, bytes) = match &located.record.what {
                Entry::ToModem(bytes) => ('>', bytes.as_slice()),
                Entry::FromModem(bytes) => ('<', bytes.as_slice()),
                Entry::Request(words) => ('?', words.as_bytes()),
                Entry::Note(words) => (';', words.as_bytes()),
                Entry::Gap => ('~', &b""[..]),
            };
            let mut text = Vec::new();
            escape(bytes, &mut text);
            let text = String::from_utf8(text).unwrap();
            seen.push((located.line, format!("{} {mark} {text}", located.line).trim_end().to_owned()));
        }
        for remark in &capture.remarks {
            seen.push((remark.line, format!("{} #", remark.line)));
        }
        seen.sort_by_key(|(line, _)| *line);
        seen.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, MAX_LINES, load, read, read_own, replay};
    use super::*;

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
                let told = replay(&capture).happenings;
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
