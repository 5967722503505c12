//! Completeness of imported logs: each line of a log is a record, or a remark with its reason, and each record has its
//! place in the timeline. The tests use all published logs and captures, and mutations of them.
//!
//! The logs belong to their publishers and are no part of this project. They are read from `../shared`. Without that
//! folder these tests print a note and check nothing.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use air724ug::capture::{self, Capture, Encoding, Entry, TimelineEntryKind, replay};

/// All published logs and captures in the order of their names.
pub(crate) fn published() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in ["../shared/logs", "../shared/captures"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let Ok(entries) = std::fs::read_dir(&folder) else {
            eprintln!("NOT TESTED: the published logs are missing ({})", folder.display());
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn by_line(file: &[u8], change: impl Fn(usize, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let text = file.strip_suffix(b"\n").unwrap_or(file);
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    lines.flat_map(|(at, line)| [change(at, line), b"\n".to_vec()].concat()).collect()
}

fn utf16(file: &[u8], big: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(file).into_owned();
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

/// The mutations of a file, each with its name.
fn mutations(file: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let put = |before: &str, line: &[u8], after: &str| [before.as_bytes(), line, after.as_bytes()].concat();
    let every = |at: usize, step: usize| at % step == step - 1;
    vec![
        ("as it is", file.to_vec()),
        ("indented", by_line(file, |_, line| put("\t  ", line, ""))),
        (
            "indented here and there",
            by_line(file, |at, line| put(if every(at, 3) { "   " } else { "" }, line, "")),
        ),
        ("quoted", by_line(file, |_, line| put("> ", line, ""))),
        ("stamped", by_line(file, |at, line| put(&format!("[12:00:{:02}.000] ", at % 60), line, ""))),
        ("stamped as by a journal", by_line(file, |_, line| put("Oct 10 15:53:37 pi log[1]: ", line, ""))),
        (
            "with remarks",
            by_line(file, |at, line| put("", line, if every(at, 4) { "   // why" } else { "" })),
        ),
        (
            "with other remarks",
            by_line(file, |at, line| put("", line, if every(at, 5) { "  # why" } else { "" })),
        ),
        ("with a heading", put("# a log of mine\n\n", file, "")),
        ("with CR LF", by_line(file, |_, line| put("", line, "\r"))),
        ("with a mark", put("\u{feff}", file, "")),
        ("as UTF-16", utf16(file, false)),
        ("as UTF-16, high byte first", utf16(file, true)),
        ("without its head", file[file.len() / 3..].to_vec()),
        ("without its tail", file[..file.len() / 2].to_vec()),
        ("coloured", by_line(file, |_, line| put("\u{1b}[0;32m", line, "\u{1b}[0m"))),
        ("with every line twice", by_line(file, |_, line| [line, b"\n", line].concat())),
    ]
}

fn check(name: &str, capture: &Capture) {
    let records = capture.records.iter().map(|located| located.line);
    let remarks = capture.remarks.iter().map(|remark| remark.line);
    let covered: BTreeSet<usize> = records.chain(remarks).collect();
    // The headers of our own format are no records.
    if capture.header.is_none() {
        assert_eq!(covered, (1..=capture.lines).collect(), "{name}");
    }
    let timeline = replay(capture);
    let shown: BTreeSet<usize> = timeline.entries.iter().flat_map(|entry| entry.lines.clone()).collect();
    for located in &capture.records {
        let shows_something = match &located.record.what {
            Entry::FromModem(bytes) => bytes.iter().any(|byte| !byte.is_ascii_whitespace()),
            // After complete data the module ignores a Ctrl-Z.
            Entry::ToModem(bytes) => bytes.iter().any(|byte| !byte.is_ascii_whitespace() && *byte != 0x1a),
            Entry::Request(_) | Entry::Note(_) | Entry::Gap => true,
        };
        assert!(!shows_something || shown.contains(&located.line), "{name}:{}", located.line);
    }
}

#[test]
fn every_line_of_every_log_and_mutation_is_a_record_or_a_remark() {
    for (name, file) in published() {
        for (mutation, file) in mutations(&file) {
            // Our own format refuses other content with an error, so nothing is dropped silently.
            if let Ok(capture) = capture::read(&file) {
                check(&format!("{name}, {mutation}"), &capture);
            }
        }
    }
}

#[test]
fn additions_around_a_published_log_make_no_difference() {
    let texts = |capture: &Capture| -> Vec<String> {
        let entries = replay(capture).entries;
        let kept = entries.iter().filter(|entry| !matches!(entry.what, TimelineEntryKind::Gap));
        kept.map(|entry| entry.what.to_string()).collect()
    };
    for (name, file) in published() {
        let plain = capture::read(&file).unwrap();
        for (mutation, file) in mutations(&file) {
            let same = [
                "indented",
                "with CR LF",
                "with a mark",
                "as UTF-16",
                "as UTF-16, high byte first",
                "coloured",
            ];
            let is_own = plain.header.is_some() && matches!(mutation, "indented" | "coloured");
            if same.contains(&mutation) && !is_own {
                assert_eq!(texts(&capture::read(&file).unwrap()), texts(&plain), "{name}, {mutation}");
            }
        }
    }
}

#[test]
fn a_log_saved_by_a_chinese_windows_is_read() {
    // `[14:42:30.346]发→◇AT+CIPSEND=0,4`, `□`, `[14:42:30.350]收←◆`, and data of two characters.
    let sent = [b"[14:42:30.346]".as_slice(), b"\xb7\xa2\xa1\xfa\xa1\xf3"].concat();
    let received = [b"[14:42:30.350]".as_slice(), b"\xca\xd5\xa1\xfb\xa1\xf4"].concat();
    let log = [
        &sent[..],
        b"AT+CIPMUX=1\r\n\xa1\xf5\r\n",
        &received,
        b"\r\nOK\r\n\r\n",
        &received,
        b"\r\n+RECEIVE,0,4:\r\n\xc4\xe3\xba\xc3\r\n\r\n",
    ]
    .concat();
    let capture = capture::read(&log).unwrap();
    assert_eq!(capture.encoding, Encoding::Gbk);
    let texts: Vec<String> = replay(&capture).entries.iter().map(|one| one.what.to_string()).collect();
    assert_eq!(texts, ["command AT+CIPMUX=1", "final OK to AT+CIPMUX=1", r"received 0 \xc4\xe3\xba\xc3"]);
}
