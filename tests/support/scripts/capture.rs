//! The capture reader with any file: it never panics, and a capture that it has read can be written and read again.

use air724ug::capture::{Entry, Header, MAX_LINES, Record, read, read_own, replay};

/// Reads the bytes as a file.
pub fn run(bytes: &[u8]) {
    let Ok(capture) = read(bytes) else {
        return;
    };
    assert!(capture.records.len() <= 8 * MAX_LINES);
    let timeline = replay(&capture);
    for entry in &timeline.entries {
        assert!(!entry.what.to_string().is_empty());
    }
    let header = Header { what: "x".into(), source: "y".into(), expect: vec!["z".into()] };
    let header = capture.header.clone().unwrap_or(header);
    let written = capture.to_text(&header);
    let again = read_own(&written).unwrap_or_else(|error| panic!("our own text is refused: {error}"));
    let wire = |records: &[air724ug::capture::Located]| {
        let bytes = |record: &Record| match &record.what {
            Entry::ToModem(bytes) => (0, bytes.clone()),
            Entry::FromModem(bytes) => (1, bytes.clone()),
            Entry::Request(words) => (2, words.clone().into_bytes()),
            Entry::Note(words) => (3, words.clone().into_bytes()),
            Entry::Gap => (4, Vec::new()),
        };
        records.iter().map(|located| bytes(&located.record)).collect::<Vec<_>>()
    };
    // Longer entries are divided.
    if bytes.len() < air724ug::capture::MAX_RECORD_BYTES {
        assert_eq!(wire(&again.records), wire(&capture.records));
    }
}
