use super::super::{Layout, Located, read as read_capture};
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
    Capture { layout: Layout::Own, header: Some(header()), records, remarks: Vec::new() }
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
    let bytes: Vec<u8> = records.iter().filter_map(|record| record.what.bytes()).flatten().copied().collect();
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
    capture.header = Some(Header { what: "one\n0.0 > AT".into(), source: " ".into(), expect: Vec::new() });
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
