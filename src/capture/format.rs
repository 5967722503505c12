//! Our own format: writing and reading it. It is described in the documentation of [`capture`](crate::capture).

use crate::time::Timestamp;

use super::escape::{escape, unescape};
use super::layout::{Collector, Line};
use super::{Capture, Entry, Fault, Header, ReadError, Record};

/// The most bytes that one line holds when we write it; longer entries are cut into several records of the same
/// moment. 16 KiB is more than any read from a serial port returns.
pub const MAX_RECORD_BYTES: usize = 16 * 1024;

/// The longest line that is read, in bytes: an entry of [`MAX_RECORD_BYTES`], each byte written as `\xNN`, and the
/// timestamp before it. A longer line is an error, so that a file without line ends is refused.
pub const MAX_LINE: usize = 4 * MAX_RECORD_BYTES + 64;

const WHAT: &str = "what";
const SOURCE: &str = "source";
const EXPECT: &str = "expect";

impl Capture {
    /// This capture in our own format. `header` is used where the capture has none (a foreign layout).
    ///
    /// Reading it gives the same records, except that one with more than [`MAX_RECORD_BYTES`] comes back in parts.
    pub fn to_text(&self, header: &Header) -> Vec<u8> {
        let mut text = Vec::new();
        write_header(self.header.as_ref().unwrap_or(header), &mut text);
        for located in &self.records {
            write_record(&located.record, &mut text);
        }
        text
    }
}

/// Appends the header lines. A line break inside a header becomes a blank: a header is one line.
pub(super) fn write_header(header: &Header, text: &mut Vec<u8>) {
    let expectations = header.expect.iter().map(|expect| (EXPECT, expect.as_str()));
    let lines = [(WHAT, header.what.as_str()), (SOURCE, header.source.as_str())];
    for (key, value) in lines.into_iter().chain(expectations) {
        let value = value.replace(char::is_control, " ");
        let value = if value.trim().is_empty() { "not known" } else { value.trim() };
        text.extend_from_slice(format!("# {key}: {value}\n").as_bytes());
    }
    if header.expect.is_empty() {
        text.extend_from_slice(b"# expect: not known\n");
    }
}

/// Appends one record: a line, or several if it is longer than a line may be.
pub(super) fn write_record(record: &Record, text: &mut Vec<u8>) {
    match &record.what {
        Entry::ToModem(bytes) => write_bytes(record.at, b'>', bytes, text),
        Entry::FromModem(bytes) => write_bytes(record.at, b'<', bytes, text),
        Entry::Request(words) => write_words(record.at, b'?', words, text),
        Entry::Note(words) => write_words(record.at, b';', words, text),
        Entry::Gap => write_line(record.at, b'~', b"", text),
    }
}

/// Appends bytes that went over the wire, one line for each [`MAX_RECORD_BYTES`]; an empty line if there are none.
pub(super) fn write_bytes(at: Timestamp, direction: u8, bytes: &[u8], text: &mut Vec<u8>) {
    let (first, rest) = bytes.split_at(bytes.len().min(MAX_RECORD_BYTES));
    write_line(at, direction, first, text);
    for part in rest.chunks(MAX_RECORD_BYTES) {
        write_line(at, direction, part, text);
    }
}

/// Appends text, cut where a character ends.
pub(super) fn write_words(at: Timestamp, direction: u8, words: &str, text: &mut Vec<u8>) {
    let mut rest = words;
    while rest.len() > MAX_RECORD_BYTES {
        let (part, more) = rest.split_at(cut_before(rest, MAX_RECORD_BYTES));
        write_line(at, direction, part.as_bytes(), text);
        rest = more;
    }
    write_line(at, direction, rest.as_bytes(), text);
}

/// The last place at or before `index` that is no half of a character.
fn cut_before(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn write_line(at: Timestamp, direction: u8, bytes: &[u8], text: &mut Vec<u8>) {
    let nanos = at.as_nanos();
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    // Microseconds are what a reader wants to see; the rest is written only where there is one.
    let stamp = match nanos % 1_000 {
        0 => format!("{seconds}.{:06}", nanos / 1_000),
        _ => format!("{seconds}.{nanos:09}"),
    };
    text.extend_from_slice(stamp.as_bytes());
    text.extend_from_slice(&[b' ', direction]);
    if !bytes.is_empty() {
        text.push(b' ');
        escape(bytes, text);
    }
    text.push(b'\n');
}

/// Whether a line is one of ours: a header, or a timestamp and a direction.
pub(super) fn recognises(line: &[u8]) -> bool {
    let header = [WHAT, SOURCE, EXPECT].iter().any(|key| header_value(line, key).is_some());
    header || (parse_stamp(line).is_some_and(|(_, rest)| direction(rest).is_some()))
}

/// Reads our own format.
pub(super) fn read(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut headers = Headers::default();
    let mut last_at = None;
    for line in lines {
        if line.text.is_empty() {
            continue;
        }
        if line.text.starts_with(b"#") {
            if last_at.is_some() {
                return Err(Fault::LateHeader.at(line.number));
            }
            headers.take(line.text).map_err(|fault| fault.at(line.number))?;
            continue;
        }
        headers.complete().map_err(|fault| fault.at(line.number))?;
        let record = parse_record(line.text).map_err(|fault| fault.at(line.number))?;
        if last_at.is_some_and(|last_at| record.at < last_at) {
            return Err(Fault::TimeGoesBack.at(line.number));
        }
        last_at = Some(record.at);
        out.record(line.number, record);
    }
    let end = lines.last().map_or(1, |line| line.number);
    out.header = Some(headers.complete().map_err(|fault| fault.at(end))?);
    Ok(())
}

/// The headers found so far.
#[derive(Default)]
struct Headers {
    what: Option<String>,
    source: Option<String>,
    expect: Vec<String>,
}

impl Headers {
    fn take(&mut self, line: &[u8]) -> Result<(), Fault> {
        if let Some(value) = header_value(line, WHAT) {
            return once(&mut self.what, WHAT, value);
        }
        if let Some(value) = header_value(line, SOURCE) {
            return once(&mut self.source, SOURCE, value);
        }
        let value = header_value(line, EXPECT).ok_or(Fault::UnknownHeader)?;
        self.expect.push(header_text(EXPECT, value)?);
        Ok(())
    }

    fn complete(&self) -> Result<Header, Fault> {
        let what = self.what.clone().ok_or(Fault::MissingHeader(WHAT))?;
        let source = self.source.clone().ok_or(Fault::MissingHeader(SOURCE))?;
        if self.expect.is_empty() {
            return Err(Fault::MissingHeader(EXPECT));
        }
        let expect = self.expect.clone();
        Ok(Header { what, source, expect })
    }
}

fn once(slot: &mut Option<String>, key: &'static str, value: &[u8]) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(Fault::RepeatedHeader(key));
    }
    *slot = Some(header_text(key, value)?);
    Ok(())
}

fn header_text(key: &'static str, value: &[u8]) -> Result<String, Fault> {
    let value = str::from_utf8(value).map_err(|_| Fault::NotUtf8)?.trim();
    if value.is_empty() {
        return Err(Fault::EmptyHeader(key));
    }
    Ok(value.to_owned())
}

fn header_value<'a>(line: &'a [u8], key: &str) -> Option<&'a [u8]> {
    line.strip_prefix(b"# ")?.strip_prefix(key.as_bytes())?.strip_prefix(b":")
}

fn parse_record(text: &[u8]) -> Result<Record, Fault> {
    let (at, rest) = parse_stamp(text).ok_or(Fault::BadTimestamp)?;
    let (direction, rest) = direction(rest).ok_or(Fault::BadDirection)?;
    let column = text.len() - rest.len() + 1;
    let bytes = unescape(rest, column)?;
    let what = match direction {
        b'>' => Entry::ToModem(bytes),
        b'<' => Entry::FromModem(bytes),
        b'?' => Entry::Request(String::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?),
        b';' => Entry::Note(String::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?),
        b'~' if bytes.is_empty() => Entry::Gap,
        b'~' => return Err(Fault::GapWithText),
        _ => return Err(Fault::BadDirection),
    };
    Ok(Record { at, what })
}

/// The direction, and what is behind it and its blank.
fn direction(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (&direction, rest) = rest.strip_prefix(b" ")?.split_first()?;
    if !b"><?;~".contains(&direction) {
        return None;
    }
    match rest.split_first() {
        None => Some((direction, rest)),
        Some((b' ', rest)) => Some((direction, rest)),
        Some(_) => None,
    }
}

/// Seconds, a point and one to nine decimals.
fn parse_stamp(text: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (seconds, rest) = digits(text)?;
    let (decimals, rest) = digits(rest.strip_prefix(b".")?)?;
    let scale = u32::try_from(9usize.checked_sub(decimals.len())?).ok()?;
    let seconds: u64 = seconds.parse().ok()?;
    let nanos = decimals.parse::<u64>().ok()?.checked_mul(10u64.pow(scale))?;
    let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    Some((Timestamp::from_nanos(nanos), rest))
}

fn digits(text: &[u8]) -> Option<(&str, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    match str::from_utf8(digits) {
        Ok(digits) if !digits.is_empty() => Some((digits, rest)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
