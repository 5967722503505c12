//! Our own fixtures: each is loaded and replayed, and contains the findings of its header.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use air724ug::capture::{self, Capture, Entry, Layout, replay, replay_in_chunks};

/// The names of all fixtures, so that none is left out.
const FIXTURES: [&str; 9] = [
    "bring_up",
    "close_mid_send",
    "cme_errors",
    "connect_fail_75s",
    "garbage",
    "pdp_loss",
    "reboot",
    "tcp_manual",
    "tcp_push",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn load(name: &str) -> Capture {
    let path = folder().join(name).with_extension("capture");
    capture::load_own(path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_fixture_is_named_in_this_test() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "capture"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    assert_eq!(found, FIXTURES);
}

#[test]
fn every_fixture_contains_the_findings_of_its_header() {
    for name in FIXTURES {
        let capture = load(name);
        let header = capture.header.as_ref().unwrap();
        assert_ne!(header.expect, ["not known"], "{name} promises nothing");
        if let Err(unmet) = replay(&capture).meets(header) {
            panic!("fixtures/{name}.capture: {unmet}");
        }
    }
}

#[test]
fn a_missing_finding_is_detected_in_every_fixture() {
    for name in FIXTURES {
        let capture = load(name);
        let timeline = replay(&capture);
        let promised = capture.header.as_ref().unwrap();
        for index in 0..promised.expect.len() {
            let mut header = promised.clone();
            header.expect[index].push_str(" and more");
            assert!(timeline.meets(&header).is_err(), "{name}: {}", header.expect[index]);
        }
    }
}

#[test]
fn every_fixture_has_the_same_replay_at_every_chunk_size() {
    for name in FIXTURES {
        let capture = load(name);
        let whole = replay(&capture);
        for size in (1..=64).filter_map(NonZeroUsize::new) {
            assert_eq!(replay_in_chunks(&capture, size), whole, "{name} in chunks of {size}");
        }
    }
}

#[test]
fn every_fixture_is_written_back_as_it_was_read() {
    for name in FIXTURES {
        let capture = load(name);
        let text = std::fs::read_to_string(folder().join(name).with_extension("capture")).unwrap();
        let written = capture.to_text(&capture::Header::default());
        assert_eq!(String::from_utf8(written).unwrap(), text, "{name}");
    }
}

#[test]
fn the_format_of_every_fixture_is_recognised() {
    for name in FIXTURES {
        let path = folder().join(name).with_extension("capture");
        assert_eq!(capture::load(path).unwrap().layout, Layout::Own, "{name}");
    }
}

#[test]
fn a_fixture_without_a_header_is_refused_with_its_name_and_line() {
    let path = folder().join("tcp_push.capture");
    let text = std::fs::read_to_string(&path).unwrap();
    let first_record = text.lines().position(|line| line.starts_with("0.")).unwrap();
    for header in ["# what:", "# source:", "# expect:"] {
        let without: Vec<&str> = text.lines().filter(|line| !line.starts_with(header)).collect();
        let removed = text.lines().count() - without.len();
        let copy =
            std::env::temp_dir().join(format!("air724ug-{}-{}.capture", std::process::id(), &header[2..4]));
        std::fs::write(&copy, without.join("\n")).unwrap();
        let error = capture::load(&copy).unwrap_err().to_string();
        std::fs::remove_file(&copy).unwrap();
        let place = format!("{}:{}: ", copy.display(), first_record + 1 - removed);
        assert!(error.starts_with(&place) && error.contains(header), "{error}");
    }
}

#[test]
fn the_data_of_a_session_are_exact_for_reads_of_any_size() {
    let capture = load("tcp_push");
    let channel = air724ug::at::ChannelId::new(0);
    let expected = b"two\r\nlines\x00\xff\r\n\r\nOK\r\n0, CLOSED\r\n";
    assert_eq!(replay(&capture).payload(channel), expected);
    let mut recut = capture.clone();
    recut.records.clear();
    for located in &capture.records {
        let Entry::FromModem(bytes) = &located.record.what else {
            recut.records.push(located.clone());
            continue;
        };
        for byte in bytes {
            let mut one = located.clone();
            one.record.what = Entry::FromModem(vec![*byte]);
            recut.records.push(one);
        }
    }
    assert_eq!(replay(&recut).payload(channel), expected);
}
