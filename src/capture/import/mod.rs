//! The reader of logs that other programs wrote. There is one reader for all of them; it detects what a program adds to
//! the bytes.
//!
//! The reader works in two passes. The first pass ([`survey`]) reads the whole file. It finds the marks that the file
//! uses, the side that each mark stands for, and the notation of bytes. The second pass reads line by line: [`strip`]
//! removes stamps, levels and marks, [`reader`] decides which side wrote the text, and [`exchange`] turns it into the
//! bytes that were on the wire.

mod assumption;
mod block;
mod clock;
mod counted_bytes;
mod data_lines;
mod dots;
mod encoding;
mod exchange;
mod host_data;
mod learned_layout;
mod learned_reading;
mod marks;
mod notation;
mod notes;
mod prints;
mod reader;
mod reading;
mod shape;
mod stamp;
mod strip;
mod survey;
mod tally;
mod terminal;
mod text;
mod trace;

#[cfg(feature = "luat")]
pub(crate) use clock::{Clock, number, time};
pub use marks::{MarkError, Marks};
#[cfg(feature = "luat")]
pub(crate) use trace::{leveled, stamped};

use std::borrow::Cow;
use std::path::Path;

use super::collector::{Collector, Line};
use super::layout::{Encoding, Layout};
use super::reader::{capture, lines, load_by};
use super::{Capture, Entry, LoadError, Located, ReadError, Reason, Record, Remark, format};
use counted_bytes::Counted;
use dots::without_dots;
use learned_layout::{LearnedLayout, unfronted};
use notes::Notes;
use reader::Reader;
use reading::{Choice, Reading};
use strip::without_colours;
use survey::Survey;

/// Reads a log of any program, or a capture in our own format, with the marks that come with this crate.
///
/// Any bytes can be read. A file without stamps and marks is read as the output of a terminal. Three errors are
/// possible: a file in our own format that breaks the rules of that format, a line longer than
/// [`MAX_LINE`](super::MAX_LINE), and more than [`MAX_LINES`](super::MAX_LINES) lines. Lines end with LF or CR LF; the
/// encoding is UTF-8, UTF-16 or GBK. Every line of the file becomes a record, or a remark with its reason.
pub fn read(file: &[u8]) -> Result<Capture, ReadError> {
    read_with(file, &Marks::default())
}

/// [`read`], with other marks.
pub fn read_with(file: &[u8], marks: &Marks) -> Result<Capture, ReadError> {
    let (encoding, text) = encoding::decode(file);
    let lines = lines(&text)?;
    let begins = lines.iter().find(|line| !line.text.trim_ascii().is_empty());
    let mut capture = if begins.is_some_and(|line| format::recognises(line.text)) {
        let mut out = Collector::default();
        format::read(&lines, text.ends_with(b"\n"), &mut out)?;
        capture(Layout::Own, lines.len(), out)
    } else {
        log(&lines, marks, encoding)
    };
    capture.encoding = encoding;
    Ok(capture)
}

/// [`read`] for a file; the error names it.
pub fn load(path: impl AsRef<Path>) -> Result<Capture, LoadError> {
    load_by(path.as_ref(), read)
}

/// [`read_with`] for a file; the error names it.
pub fn load_with(path: impl AsRef<Path>, marks: &Marks) -> Result<Capture, LoadError> {
    load_by(path.as_ref(), |file| read_with(file, marks))
}

fn log(lines: &[Line<'_>], marks: &Marks, encoding: Encoding) -> Capture {
    let plain: Vec<_> = lines.iter().map(|line| without_colours(line.text)).collect();
    let plain = without_dots(without_entities(plain));
    let numbered = lines.iter().zip(&plain);
    let lines: Vec<Line<'_>> = numbered.map(|(line, plain)| Line { text: plain, ..*line }).collect();
    let mut capture = best(&lines, marks, encoding).capture;
    note_lost_ports(&mut capture, &lines, marks);
    capture
}

/// The words of a recording of our own for a lost port.
const LOST: &str = "the port is lost: ";

/// Puts a note where a program or the system says that the port is gone. What it says up to the next record of the wire
/// is about the same loss.
fn note_lost_ports(capture: &mut Capture, lines: &[Line<'_>], marks: &Marks) {
    let text = |number: usize| lines.get(number.saturating_sub(1)).map_or(&b""[..], |line| line.text);
    let is_lost = |remark: &&Remark| remark.reason == Reason::Tool && marks.is_lost(text(remark.line));
    let lost: Vec<usize> = capture.remarks.iter().filter(is_lost).map(|remark| remark.line).collect();
    for number in lost {
        let place = capture.records.partition_point(|located| located.line < number);
        let before = place.checked_sub(1).and_then(|at| capture.records.get(at));
        let Some(Record { at, what }) = before.map(|located| &located.record) else { continue };
        if !matches!(what, Entry::Note(_)) {
            let words = String::from_utf8_lossy(text(number));
            let words: String = words.trim().chars().filter(|c| !c.is_control()).collect();
            let record = Record { at: *at, what: Entry::Note(format!("{LOST}{words}")) };
            capture.records.insert(place, Located { line: number, record });
            capture.remarks.retain(|remark| remark.line != number || remark.reason != Reason::Tool);
        }
    }
}

/// The reading of the layout that finds most. The first layout is a terminal's, whose lines are all recorded as they
/// are. Each of the others is a guess, which is taken if it improves the reading.
fn best(lines: &[Line<'_>], marks: &Marks, encoding: Encoding) -> Reading {
    let unmarked = Survey::unmarked(lines, marks);
    let plain = unmarked.plain();
    let unframed: Vec<_> =
        lines.iter().map(|line| Line { text: unmarked.unframed(line.text), ..*line }).collect();
    let counted = Counted::of(&unframed);
    let notes = Notes::of(lines, &unmarked);
    let fronted = unfronted(&unframed, &unmarked, marks);
    let surveys = Survey::marked(lines, marks);
    let framed: Vec<_> = surveys.iter().map(Survey::framed).collect();
    let last = surveys.last().unwrap_or(&unmarked);
    let learned = LearnedLayout::of(lines, last);

    let log = |survey: &Survey, learned: Option<&LearnedLayout>, count: usize| {
        let layout = learned.map_or(survey.layout(), LearnedLayout::layout);
        let reader = Reader::new(survey, learned, marks, encoding);
        Reading::of(layout, count, assumption::read(reader, &lines[..count]))
    };
    let mut choice = Choice::new(lines.len(), |count| log(&plain, None, count));
    if unmarked.spelled || unmarked.dumps {
        choice.take(|count| log(&unmarked, None, count), false);
    }
    if let Some(counted) = &counted {
        choice.take(
            |count| Reading::of(Layout::Blocks, count, counted.read(&unframed[..count], encoding)),
            true,
        );
    } else if let Some(notes) = &notes {
        choice
            .take(|count| Reading::of(Layout::Notes, count, notes.read(&unframed[..count], encoding)), true);
    }
    if let Some(lines) = &fronted {
        choice.take(|count| best(&lines[..count], marks, encoding), false);
    }
    for (survey, framed) in surveys.iter().zip(&framed) {
        choice.take(|count| log(survey, None, count), survey.both || !survey.marked);
        if let Some(survey) = framed {
            choice.take(|count| log(survey, None, count), false);
        }
    }
    if let Some(learned) = &learned {
        choice.take_clear(|count| log(last, Some(learned), count));
    }
    choice.finish()
}

/// The lines of a page: of a file with `&gt;` or `&quot;` and without the characters for which these stand.
fn without_entities(lines: Vec<Cow<'_, [u8]>>) -> Vec<Cow<'_, [u8]>> {
    const ENTITIES: [(&[u8], u8); 5] =
        [(b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&#39;", b'\''), (b"&amp;", b'&')];
    let entity = |text: &[u8]| ENTITIES.iter().find(|(entity, _)| text.starts_with(entity)).copied();
    let has_entity =
        |line: &[u8]| (0..line.len()).any(|at| line[at] == b'&' && entity(&line[at..]).is_some());
    let is_raw = |byte: &u8| matches!(byte, b'<' | b'>' | b'"');
    if lines.iter().any(|line| line.iter().any(is_raw)) || !lines.iter().any(|line| has_entity(line)) {
        return lines;
    }
    let plain = |line: Cow<'_, [u8]>| {
        let (mut plain, mut rest) = (Vec::with_capacity(line.len()), &line[..]);
        while let Some((byte, after)) = rest.split_first() {
            let found = entity(rest);
            plain.push(found.map_or(*byte, |(_, character)| character));
            rest = found.and_then(|(entity, _)| rest.get(entity.len()..)).unwrap_or(after);
        }
        Cow::Owned(plain)
    };
    lines.into_iter().map(plain).collect()
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
    fn a_file_in_another_format_is_refused_as_a_fixture() {
        assert_eq!(read(b"AT\n\nOK\n").unwrap().layout, Layout::Terminal);
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
                let entries = replay(&capture).entries;
                assert!(entries.iter().all(|entry| !entry.what.to_string().is_empty()));
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
