//! Our own format, written and read. The documentation of [`capture`](crate::capture) describes it.

use crate::time::Timestamp;

use super::collector::{Collector, Line};
use super::escape::{escape, unescape};
use super::{Capture, Entry, Fault, Header, ReadError, Record};

/// The most bytes in a line that we write. Longer entries are divided into several records of the same time. 16 KiB is
/// more than any read from a serial port returns.
pub const MAX_RECORD_BYTES: usize = 16 * 1024;

/// The longest line that is read, in bytes: an entry of [`MAX_RECORD_BYTES`], each byte written as `\xNN`, and the
/// timestamp before it. A longer line is an error, so that a file without line ends is refused.
pub const MAX_LINE: usize = 4 * MAX_RECORD_BYTES + 64;

const WHAT: &str = "what";
const SOURCE: &str = "source";
const EXPECT: &str = "expect";
const EXPECTS_NOTHING: &[u8] = b"# expect: not known\n";

impl Capture {
    /// The capture in our own format. `header` is used if the capture has none (a foreign layout).
    ///
    /// Read again, it has the same records, except that one with more than [`MAX_RECORD_BYTES`] is divided.
    pub fn to_text(&self, header: &Header) -> Vec<u8> {
        let mut text = Vec::new();
        write_header(self.header.as_ref().unwrap_or(header), &mut text);
        for located in &self.records {
            write_record(&located.record, &mut text);
        }
        text
    }
}

/// Appends the header lines. A line break inside a header becomes a blank, because a header is one line.
pub(super) fn write_header(header: &Header, text: &mut Vec<u8>) {
    let expectations = header.expect.iter().map(|expect| (EXPECT, expect.as_str()));
    let lines = [(WHAT, header.what.as_str()), (SOURCE, header.source.as_str())];
    for (key, value) in lines.into_iter().chain(expectations) {
        let value = value.replace(char::is_control, " ");
        let value = if value.trim().is_empty() { "not known" } else { value.trim() };
        text.extend_from_slice(format!("# {key}: {value}\n").as_bytes());
    }
    if header.expect.is_empty() {
        text.extend_from_slice(EXPECTS_NOTHING);
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

/// Appends bytes of the wire, one line for each [`MAX_RECORD_BYTES`]; an empty line if there are none.
pub(super) fn write_bytes(at: Timestamp, direction: u8, bytes: &[u8], text: &mut Vec<u8>) {
    let (first, rest) = bytes.split_at(bytes.len().min(MAX_RECORD_BYTES));
    write_line(at, direction, first, text);
    for part in rest.chunks(MAX_RECORD_BYTES) {
        write_line(at, direction, part, text);
    }
}

/// Appends text, divided between characters.
pub(super) fn write_words(at: Timestamp, direction: u8, words: &str, text: &mut Vec<u8>) {
    let mut rest = words;
    while rest.len() > MAX_RECORD_BYTES {
        let (part, more) = rest.split_at(cut_before(rest, MAX_RECORD_BYTES));
        write_line(at, direction, part.as_bytes(), text);
        rest = more;
    }
    write_line(at, direction, rest.as_bytes(), text);
}

/// The last boundary of a character at or before `index`.
fn cut_before(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// A head without its expectations.
pub(super) fn expecting_nothing(head: &[u8]) -> Vec<u8> {
    let lines = head.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| header_value(line, EXPECT).is_none()).flatten();
    kept.chain(EXPECTS_NOTHING).copied().collect()
}

/// Appends the `what` of a session's head as a note after a gap.
pub(super) fn write_head_as_note(at: Timestamp, line: &[u8], text: &mut Vec<u8>) {
    if let Some(what) = header_value(line, WHAT) {
        write_line(at, b'~', b"", text);
        write_words(at, b';', String::from_utf8_lossy(what).trim(), text);
    }
}

/// Appends a written record with `origin` added to its time. A line that is no record is not changed.
pub(super) fn write_later(origin: Timestamp, line: &[u8], text: &mut Vec<u8>) {
    let (at, rest) = parse_stamp(line).unzip();
    if let Some(at) = at {
        write_stamp(Timestamp::from_nanos(origin.as_nanos().saturating_add(at.as_nanos())), text);
    }
    text.extend_from_slice(rest.unwrap_or(line));
}

fn write_line(at: Timestamp, direction: u8, bytes: &[u8], text: &mut Vec<u8>) {
    write_stamp(at, text);
    text.extend_from_slice(&[b' ', direction]);
    if !bytes.is_empty() {
        text.push(b' ');
        escape(bytes, text);
    }
    text.push(b'\n');
}

fn write_stamp(at: Timestamp, text: &mut Vec<u8>) {
    let nanos = at.as_nanos();
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    // Microseconds are sufficient for readers; nanoseconds are written only if they are not zero.
    let stamp = match nanos % 1_000 {
        0 => format!("{seconds}.{:06}", nanos / 1_000),
        _ => format!("{seconds}.{nanos:09}"),
    };
    text.extend_from_slice(stamp.as_bytes());
}

/// True if a line is one of ours: a header, or a timestamp and a direction.
#[cfg(feature = "import")]
pub(super) fn recognises(line: &[u8]) -> bool {
    let header = [WHAT, SOURCE, EXPECT].iter().any(|key| header_value(line, key).is_some());
    header || (parse_stamp(line).is_some_and(|(_, rest)| direction(rest).is_some()))
}

/// Reads our own format. Of a file without a final line end the last line may be cut.
pub(super) fn read(lines: &[Line<'_>], is_ended: bool, out: &mut Collector) -> Result<(), ReadError> {
    if is_ended {
        return read_whole(lines, out);
    }
    let Some((last, lines)) = lines.split_last() else { return read_whole(lines, out) };
    let error = match read_whole(&[lines, &[*last]].concat(), &mut Collector::default()) {
        Err(error) if error.line == last.number && !matches!(error.fault, Fault::MissingHeader(_)) => error,
        _ => return read_whole(&[lines, &[*last]].concat(), out),
    };
    read_whole(lines, out)?;
    out.cut(last.number);
    if let Fault::BadEscape { column } | Fault::Unescaped { column } = error.fault
        && let Some(text) = last.text.get(..column.saturating_sub(1))
        && let Ok(record) = parse_record(text)
    {
        // Of a damaged time there is no record either.
        let _ = out.record(last.number, record);
    }
    Ok(())
}

fn read_whole(lines: &[Line<'_>], out: &mut Collector) -> Result<(), ReadError> {
    let mut headers = Headers::default();
    for line in lines {
        if line.text.is_empty() {
            continue;
        }
        if line.text.starts_with(b"#") {
            if !out.records.is_empty() {
                return Err(Fault::LateHeader.at(line.number));
            }
            headers.take(line.text).map_err(|fault| fault.at(line.number))?;
            continue;
        }
        headers.complete().map_err(|fault| fault.at(line.number))?;
        let record = parse_record(line.text);
        record.and_then(|record| out.record(line.number, record)).map_err(|fault| fault.at(line.number))?;
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

/// The direction of a record and its bytes; `None` for a line that is no record.
pub(super) fn bytes_of_line(line: &[u8]) -> Option<(u8, Vec<u8>)> {
    let (direction, rest) = direction(parse_stamp(line)?.1)?;
    Some((direction, unescape(rest, 1).ok()?))
}

fn parse_record(text: &[u8]) -> Result<Record, Fault> {
    let (at, rest) = parse_stamp(text).ok_or(Fault::BadTimestamp)?;
    let (direction, rest) = direction(rest).ok_or(Fault::BadDirection)?;
    let column = text.len().saturating_sub(rest.len()).saturating_add(1);
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

/// The direction, and the bytes after it and its blank.
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
mod tests {
    use super::super::{Encoding, Layout, Located, read as read_capture};
    use super::*;

    const HEAD: &str = "# what: a test\n# source: written by hand\n# expect: nothing\n";

    fn header() -> Header {
        Header {
            what: "a test".into(),
            source: "written by hand".into(),
            expect: vec!["nothing".into(), "nothing else".into()],
        }
    }

    fn fault(body: &str) -> (usize, Fault) {
        let error = read_capture(format!("{HEAD}{body}").as_bytes()).unwrap_err();
        (error.line, error.fault)
    }

    fn capture(records: Vec<Record>) -> Capture {
        let records = records.into_iter().map(|record| Located { line: 0, record }).collect();
        Capture {
            layout: Layout::Own,
            encoding: Encoding::Utf8,
            lines: 0,
            header: Some(header()),
            records,
            remarks: Vec::new(),
        }
    }

    fn read_back(capture: &Capture) -> Vec<Record> {
        let read = read_capture(&capture.to_text(&Header::default())).unwrap();
        assert_eq!(read.layout, Layout::Own);
        assert_eq!(read.header, capture.header);
        read.records.into_iter().map(|located| located.record).collect()
    }

    #[test]
    fn every_byte_in_every_kind_of_record_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        let words: String = "\0\r\n\t\\ grün 合宙 \u{10ffff} ".into();
        let at = |nanos| Timestamp::from_nanos(nanos);
        let records = vec![
            Record { at: at(0), what: Entry::Gap },
            Record { at: at(1), what: Entry::ToModem(all.clone()) },
            Record { at: at(1_000), what: Entry::FromModem(all) },
            Record { at: at(1_000), what: Entry::FromModem(Vec::new()) },
            Record { at: at(999_999_999), what: Entry::Request(words.clone()) },
            Record { at: Timestamp::MAX, what: Entry::Note(words) },
        ];
        assert_eq!(read_back(&capture(records.clone())), records);
    }

    #[test]
    fn a_long_record_comes_back_in_parts_of_the_same_moment() {
        let long = vec![0xff; 2 * MAX_RECORD_BYTES + 1];
        let words = "é".repeat(MAX_RECORD_BYTES);
        let at = Timestamp::from_millis(5);
        let records = read_back(&capture(vec![
            Record { at, what: Entry::FromModem(long.clone()) },
            Record { at, what: Entry::Note(words.clone()) },
        ]));
        assert!(records.iter().all(|record| record.at == at));
        let bytes: Vec<u8> =
            records.iter().filter_map(|record| record.what.bytes()).flatten().copied().collect();
        assert_eq!(bytes, long);
        let text: String = records
            .iter()
            .filter_map(|record| match &record.what {
                Entry::Note(words) => Some(words.as_str()),
                Entry::ToModem(_) | Entry::FromModem(_) | Entry::Request(_) | Entry::Gap => None,
            })
            .collect();
        assert_eq!(text, words);
    }

    #[test]
    fn the_text_is_what_the_module_doc_shows() {
        let text = capture(vec![
            Record { at: Timestamp::from_millis(1_500), what: Entry::Request("connect".into()) },
            Record { at: Timestamp::from_nanos(1_500_000_001), what: Entry::ToModem(b"AT\r\n".to_vec()) },
        ])
        .to_text(&Header::default());
        let expected = "# what: a test\n# source: written by hand\n# expect: nothing\n# expect: nothing else\n\
                        1.500000 ? connect\n1.500000001 > AT\\r\\n\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_line_break_cannot_leave_its_header() {
        let mut capture = capture(Vec::new());
        capture.header =
            Some(Header { what: "one\n0.0 > AT".into(), source: " ".into(), expect: Vec::new() });
        let text = capture.to_text(&Header::default());
        let read = read_capture(&text).unwrap();
        assert!(read.records.is_empty());
        let header = read.header.unwrap();
        assert_eq!(header.what, "one 0.0 > AT");
        assert_eq!((header.source.as_str(), header.expect), ("not known", vec!["not known".to_owned()]));
    }

    #[test]
    fn each_header_is_required() {
        for missing in ["what", "source", "expect"] {
            let mut text = String::new();
            for key in ["what", "source", "expect"] {
                if key != missing {
                    text.push_str(&format!("# {key}: x\n"));
                }
            }
            let error = read_capture(text.as_bytes()).unwrap_err();
            assert_eq!((error.line, error.fault), (2, Fault::MissingHeader(missing)), "at the end");
            text.push_str("0.0 > AT\n");
            let error = read_capture(text.as_bytes()).unwrap_err();
            assert_eq!((error.line, error.fault), (3, Fault::MissingHeader(missing)), "before a record");
        }
        let error = read_capture(b"0.0 > AT\\r\n").unwrap_err();
        assert_eq!((error.line, error.fault), (1, Fault::MissingHeader("what")));
    }

    #[test]
    fn headers_that_say_nothing_twice_or_too_late_are_refused() {
        assert_eq!(fault("# what: again\n"), (4, Fault::RepeatedHeader("what")));
        assert_eq!(fault("# expect:  \n"), (4, Fault::EmptyHeader("expect")));
        assert_eq!(fault("# author: me\n"), (4, Fault::UnknownHeader));
        assert_eq!(fault("0.0 ~\n# expect: more\n"), (5, Fault::LateHeader));
    }

    #[test]
    fn a_broken_record_is_named_by_line_and_reason() {
        let cases = [
            ("AT\n", Fault::BadTimestamp),
            ("0 > AT\n", Fault::BadTimestamp),
            (". > AT\n", Fault::BadTimestamp),
            ("1.0000000000 > AT\n", Fault::BadTimestamp),
            ("18446744074.0 > AT\n", Fault::BadTimestamp),
            ("99999999999999999999.0 > AT\n", Fault::BadTimestamp),
            ("-1.0 > AT\n", Fault::BadTimestamp),
            ("1.0 = AT\n", Fault::BadDirection),
            ("1.0\n", Fault::BadDirection),
            ("1.0 >AT\n", Fault::BadDirection),
            ("1.0 > A\\T\n", Fault::BadEscape { column: 8 }),
            ("1.0 > A\u{7f}\n", Fault::Unescaped { column: 8 }),
            ("1.0 ; \\xff\n", Fault::NotUtf8),
            ("1.0 ~ x\n", Fault::GapWithText),
        ];
        for (line, expected) in cases {
            assert_eq!(fault(&format!("0.5 ~\n\n{line}")), (6, expected), "{line}");
        }
        assert_eq!(fault("0.5 ~\n0.499999999 ~\n"), (5, Fault::TimeGoesBack));
    }

    #[test]
    fn a_line_that_was_cut_has_no_record_with_an_earlier_time() {
        for (cut, records) in [("0.6 ; a\\x", 2), ("0.4 ; a\\x", 1), ("0.4 ; a\u{7f}", 1), ("0.4 ; a", 1)] {
            let read = read_capture(format!("{HEAD}0.5 ~\n{cut}").as_bytes()).unwrap();
            let times = read.records.iter().map(|located| located.record.at);
            assert!(times.is_sorted() && read.records.len() == records, "{cut}: {:?}", read.records);
            assert_eq!(read.remarks.len(), 1, "{cut}");
            assert_eq!(read_back(&read).len(), records, "{cut}");
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let longest = format!("0.0 > {}", "a".repeat(MAX_LINE - 6));
        assert!(read_capture(format!("{HEAD}{longest}\n").as_bytes()).is_ok());
        assert_eq!(fault(&format!("{longest}a\n")), (4, Fault::LineTooLong { limit: MAX_LINE }));
    }

    #[test]
    fn blank_lines_crlf_and_a_byte_order_mark_are_let_pass() {
        let text = format!("\u{feff}{HEAD}\n0.0 > AT\\r\n").replace('\n', "\r\n");
        let read = read_capture(text.as_bytes()).unwrap();
        assert_eq!(read.records.len(), 1);
        assert_eq!((read.records[0].line, read.records[0].record.what.bytes()), (5, Some(&b"AT\r"[..])));
    }
}
