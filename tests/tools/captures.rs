//! Published captures. Each of their lines is explained, or listed with a reason in `docs/protocol.md`.
//!
//! The captures belong to their publishers and are no part of this project. They are read from `../shared/captures`.
//! Without that folder these tests print a note and check nothing.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use air724ug::at::ChannelId;
use air724ug::capture::{
    self, Capture, Entry, Header, Reason, Timeline, TimelineEntryKind, replay, replay_in_chunks,
};

/// A published file.
struct Published {
    name: String,
    bytes: Vec<u8>,
    capture: Capture,
}

/// All published captures in the order of their names. Without them, a message is printed and the list is empty.
fn published() -> Vec<Published> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("NOT TESTED: the published captures are missing ({})", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            let capture = capture::load(&path).unwrap_or_else(|error| panic!("{error}"));
            Published { name, bytes, capture }
        })
        .collect()
}

/// The timeline of one capture; `None` without the published captures.
fn one(start: &str) -> Option<Timeline> {
    let published = published();
    if published.is_empty() {
        return None;
    }
    let found = published.iter().find(|published| published.name.starts_with(start));
    Some(replay(&found.unwrap_or_else(|| panic!("no capture {start}")).capture))
}

/// The rows of the table with this header in a document, as lists of cells.
fn table(document: &str, header: &str) -> Vec<Vec<String>> {
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let doc = std::fs::read_to_string(doc).unwrap();
    let rows = doc.lines().skip_while(|line| *line != header).skip(2);
    let rows: Vec<Vec<String>> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "{document} has no table {header}");
    rows
}

#[test]
fn every_line_is_either_explained_or_listed() {
    let published = published();
    if published.is_empty() {
        return;
    }
    let mut found = BTreeSet::new();
    for file in &published {
        for entry in replay(&file.capture).unexplained() {
            found.extend(entry.lines.iter().map(|line| (file.name.clone(), *line)));
        }
    }
    let mut listed = BTreeSet::new();
    for row in table("docs/protocol.md", "| file | line | reason |") {
        assert!(row.len() == 3 && !row[2].is_empty(), "no reason: {row:?}");
        assert!(listed.insert((row[0].clone(), row[1].parse().unwrap())), "listed twice: {row:?}");
    }
    let unlisted: Vec<_> = found.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&found).collect();
    assert!(unlisted.is_empty(), "unexplained, but not in docs/protocol.md: {unlisted:#?}");
    assert!(stale.is_empty(), "in docs/protocol.md, but explained: {stale:#?}");
}

#[test]
fn no_line_is_dropped_by_the_reader_of_its_layout() {
    for file in published() {
        let records = file.capture.records.iter().map(|located| located.line);
        let remarks = file.capture.remarks.iter().map(|remark| remark.line);
        let covered: BTreeSet<usize> = records.chain(remarks).collect();
        let text = String::from_utf8_lossy(&file.bytes);
        let all: BTreeSet<usize> = (1..=text.lines().count()).collect();
        assert_eq!(covered, all, "{}", file.name);
    }
}

#[test]
fn the_timeline_contains_every_record_of_the_modem() {
    for file in published() {
        let timeline = replay(&file.capture);
        let covered: BTreeSet<usize> = timeline.entries.iter().flat_map(|it| it.lines.clone()).collect();
        for located in &file.capture.records {
            let shows_something = match &located.record.what {
                Entry::FromModem(bytes) => bytes.iter().any(|byte| !byte.is_ascii_whitespace()),
                Entry::ToModem(bytes) => !bytes.is_empty(),
                Entry::Request(_) | Entry::Note(_) | Entry::Gap => true,
            };
            assert!(!shows_something || covered.contains(&located.line), "{}:{}", file.name, located.line);
        }
    }
}

#[test]
fn the_findings_in_each_file_are_those_of_the_table() {
    let published = published();
    if published.is_empty() {
        return;
    }
    let listed: Vec<String> =
        table("docs/captures.md", "| file | layout | commands | answers | unsolicited | payload | remarks |")
            .iter()
            .map(|row| format!("| {} |", row.join(" | ")))
            .collect();
    let found: Vec<String> = published.iter().map(summary).collect();
    assert_eq!(found, listed, "the table should be:\n{}", found.join("\n"));
}

fn summary(file: &Published) -> String {
    let timeline = replay(&file.capture);
    let count = |wanted: fn(&TimelineEntryKind) -> bool| {
        timeline.entries.iter().filter(|entry| wanted(&entry.what)).count()
    };
    let commands = count(|what| matches!(what, TimelineEntryKind::Command(_)));
    let answers =
        count(|what| matches!(what, TimelineEntryKind::Reply { .. } | TimelineEntryKind::Final { .. }));
    let unasked = count(|what| matches!(what, TimelineEntryKind::Urc { .. }));
    let payload = count(|what| matches!(what, TimelineEntryKind::Payload { .. }));
    let remarks: BTreeSet<usize> = file
        .capture
        .remarks
        .iter()
        .filter(|remark| remark.reason != Reason::Blank)
        .map(|remark| remark.line)
        .collect();
    let layout = file.capture.layout;
    format!(
        "| {} | {layout:?} | {commands} | {answers} | {unasked} | {payload} | {} |",
        file.name,
        remarks.len()
    )
}

#[test]
fn the_result_is_the_same_at_every_chunk_size() {
    for file in published() {
        let whole = replay(&file.capture);
        for size in (1..=64).filter_map(NonZeroUsize::new) {
            assert_eq!(replay_in_chunks(&file.capture, size), whole, "{} in chunks of {size}", file.name);
        }
    }
}

#[test]
fn our_own_format_keeps_every_record_of_every_capture() {
    let header = Header { what: "x".into(), source: "y".into(), expect: vec!["not known".into()] };
    for file in published() {
        let again = capture::read_own(&file.capture.to_text(&header)).unwrap();
        let records = |capture: &Capture| -> Vec<_> {
            capture.records.iter().map(|located| located.record.clone()).collect()
        };
        assert_eq!(records(&again), records(&file.capture), "{}", file.name);
        let contents = |timeline: Timeline| -> Vec<_> {
            timeline.entries.into_iter().map(|entry| (entry.at, entry.what)).collect()
        };
        assert_eq!(contents(replay(&again)), contents(replay(&file.capture)), "{}", file.name);
    }
}

#[test]
fn the_modem_reports_the_number_of_bytes_that_were_sent() {
    for file in published() {
        let said = String::from_utf8_lossy(&file.bytes).matches("DATA ACCEPT:").count();
        let (mut sent, mut compared) = (0, 0);
        for entry in &replay(&file.capture).entries {
            match &entry.what {
                TimelineEntryKind::Command(_) => sent = 0,
                TimelineEntryKind::Sent(bytes) => sent += bytes.iter().filter(|byte| **byte != 0x1a).count(),
                TimelineEntryKind::Final { line, .. } => {
                    let Some(counts) = line.strip_prefix("DATA ACCEPT:") else { continue };
                    let taken: usize = counts.rsplit(',').next().unwrap().parse().unwrap();
                    assert_eq!(sent, taken, "{} line {:?}", file.name, entry.lines);
                    compared += 1;
                }
                _ => {}
            }
        }
        assert_eq!(compared, said, "{}", file.name);
    }
}

#[test]
fn fetched_bodies_are_exact() {
    let Some(timeline) = one("s07") else { return };
    let bodies: Vec<&[u8]> = payloads(&timeline);
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| body.len() == 63));
    let joined = String::from_utf8(bodies.concat()).unwrap();
    assert!(
        joined.starts_with("HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nAccess-Control-Allow-Origin: *\r\n")
    );
    assert!(joined.ends_with("Content-Length: 20\r\nETag: W/\"14-cbmD/auWoSatriSIgZCfCUgg0jw\"\r\nset-cook"));
    let Some(timeline) = one("a28") else { return };
    assert_eq!(payloads(&timeline), [b"xx\0\r\n2\r\nxx\0\r\n2\r\n\r\n\r\n"]);
    let Some(timeline) = one("d02") else { return };
    assert_eq!(timeline.payload(ChannelId::new(3)), b"AAAAA");
}

#[test]
fn pushed_data_are_exact() {
    let expected: [(&str, &[&[u8]]); 9] = [
        ("a02", &[b"1234567890", b"1234567890"]),
        ("a04", &[b"123456789", b"123456789"]),
        ("a09", &[b"data from tcp server"]),
        ("a11", &[b"Air780EP AT TCP send 1234567890test"]),
        ("a13", &[b"test", b"test"]),
        ("d01", &[b"TEST", b"TEST", b"TEST", b"TEST", b"TEST123", b"TEST123456"]),
        ("d03", &[b"TEST123".as_slice(); 10]),
        ("s02", &[b"#AL#1\r\n", b"#AD#15\r\n#AD#1\r\n"]),
        ("s08", &[]),
    ];
    for (name, data) in expected {
        let Some(timeline) = one(name) else { return };
        assert_eq!(payloads(&timeline), data, "{name}");
    }
}

fn payloads(timeline: &Timeline) -> Vec<&[u8]> {
    let mut payloads = Vec::new();
    for entry in &timeline.entries {
        if let TimelineEntryKind::Payload { bytes, .. } = &entry.what {
            payloads.push(bytes.as_slice());
        }
    }
    payloads
}

#[test]
fn the_failures_for_which_the_captures_are_kept_are_found() {
    let expected = [
        ("a12", "final +CME ERROR: 10 to AT+CPIN?"),
        ("a12", "urc +PDP: DEACT"),
        ("a12", "final +CME ERROR: 65535 to AT+CIICR"),
        ("a12", "urc CONNECT FAIL"),
        ("a19", "reply +CGREG: 2,1,\"2797\",\"02B82E17\",7 to AT+CEREG?"),
        ("a27", "urc 0, ALREADY CONNECT"),
        ("s01", "final 0, SEND FAIL to AT+CIPSEND=0"),
        ("s02", "urc RDY"),
        ("s04", "urc 0, CONNECT FAIL"),
        ("s05", "final +CME ERROR: SIM busy to AT+CPIN?"),
        ("s12", "reply +SAPBR: 1,1,\"10.141.7.244\" to AT+SAPBR=2,1"),
    ];
    for (name, words) in expected {
        let Some(timeline) = one(name) else { return };
        let found = timeline.entries.iter().any(|entry| entry.what.to_string() == words);
        assert!(found, "{name}: {words}");
    }
    let Some(timeline) = one("s04") else { return };
    let at = |words: &str| {
        timeline.entries.iter().find(|entry| entry.what.to_string().starts_with(words)).unwrap().at
    };
    let after = at("urc 0, CONNECT FAIL") - at("command AT+CIPSTART");
    assert_eq!(after.as_millis(), 75_498, "the failure comes after 75 s");
}

#[test]
fn broken_files_never_panic_and_keep_their_lines() {
    for file in published() {
        let mut broken: Vec<Vec<u8>> = Vec::new();
        for (number, cut) in (0..file.bytes.len()).step_by(61).enumerate() {
            // Eight ways to break the file, one after the other.
            let byte = [0, 0xff, b'\n', b'\\', b'"', b':'];
            broken.push(match number % 8 {
                6 => file.bytes[..cut].to_vec(),
                7 => file.bytes[cut..].to_vec(),
                way => [&file.bytes[..cut], &[byte[way]], &file.bytes[cut + 1..]].concat(),
            });
        }
        for bytes in broken {
            let Ok(capture) = capture::read(&bytes) else { continue };
            let last = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
            for line in replay(&capture).entries.iter().flat_map(|entry| &entry.lines) {
                assert!((1..=last).contains(line), "{}", file.name);
            }
        }
    }
}

/// The payload is sent with its command. It may begin like a command, and a refusal of the send answers the command.
#[test]
fn sends_without_a_prompt_are_explained() {
    let file = b"# what: sends without a prompt\n# source: written for this test\n# expect: not known\n\
        0.1 > AT+CIPSPRT=0\\r\\n\n0.2 < \\r\\nOK\\r\\n\n\
        0.3 > AT+CIPSEND=0,5\\r\\nhello\n0.4 < \\r\\nDATA ACCEPT:0,5\\r\\n\n\
        0.5 > AT+CIPSEND=0,4\\r\\nAT\\r\\n\n0.6 < \\r\\nERROR\\r\\n\n\
        0.7 > \\r\\nAT+CSQ\\r\\n\n0.8 < \\r\\n+CSQ: 24,99\\r\\n\\r\\nOK\\r\\n\n";
    assert_eq!(explained_data(file), [&b"hello"[..], b"AT\r\n"]);
    let echoed = b"# what: a modem with echo\n# source: written for this test\n# expect: not known\n\
        0.1 > AT+CIPSPRT=0\\r\\n\n0.2 < AT+CIPSPRT=0\\r\\n\\r\\nOK\\r\\n\n\
        0.3 > AT+CIPSEND=0,5\\r\\nhello\n\
        0.4 < AT+CIPSEND=0,5\\r\\nhello\\r\\nDATA ACCEPT:0,5\\r\\n\n";
    assert_eq!(explained_data(echoed), [b"hello"]);
    // A SIM800 ends its echo of a command with CR alone.
    let bare =
        String::from_utf8_lossy(echoed).replace("AT+CIPSEND=0,5\\r\\nhello\\r", "AT+CIPSEND=0,5\\rhello\\r");
    assert_eq!(explained_data(bare.as_bytes()), [b"hello"]);
}

/// A recorder that loses its power leaves a part of a line.
#[test]
fn a_capture_that_is_cut_in_its_last_line_is_read_up_to_there() {
    let head = "# what: a cut\n# source: written for this test\n# expect: not known\n";
    for (last, bytes) in [
        ("0.2 < \\r\\nOK\\r\\", Some(&b"\r\nOK\r"[..])),
        ("0.2 < \\r\\nOK\\x0", Some(b"\r\nOK")),
        ("0.2 < \\r\\nOK\0\0\0", Some(b"\r\nOK")),
        ("0.2", None),
        ("0.", None),
    ] {
        let text = format!("{head}0.1 > AT\\r\\n\n{last}");
        for capture in [capture::read(text.as_bytes()).unwrap(), capture::read_own(text.as_bytes()).unwrap()]
        {
            let read = capture.records.get(1).and_then(|located| located.record.what.bytes());
            assert_eq!(read, bytes, "{last}");
            let coverage = capture::Coverage::of(&capture, &replay(&capture));
            assert_eq!(coverage.cut, Some(5));
            assert!(
                coverage.to_string().ends_with("; the file ends within line 5, which was read up to there")
            );
        }
        // A line in the middle of a file is not cut.
        assert!(capture::read(format!("{text}\n0.3 ~\n").as_bytes()).is_err(), "{last}");
    }
    assert!(
        capture::read(head.strip_suffix("not known\n").unwrap().as_bytes()).is_err(),
        "the head is required"
    );
}

/// The data that the host sends in a capture without an unexplained line.
fn explained_data(file: &[u8]) -> Vec<Vec<u8>> {
    let timeline = replay(&capture::read_own(file).unwrap());
    assert_eq!(timeline.unexplained().count(), 0, "{timeline:?}");
    let sent = timeline.entries.into_iter().filter_map(|entry| match entry.what {
        TimelineEntryKind::Sent(bytes) => Some(bytes),
        _ => None,
    });
    sent.collect()
}

#[test]
fn bytes_after_the_command_of_a_send_are_its_data_unless_a_prompt_comes_first() {
    for (settings, has_prompt) in [
        (&["AT+CIPSPRT=0"][..], false),
        (&["AT+CIPSPRT=2"], false),
        (&["AT+CIPSPRT=0", "AT+CIPSPRT=1"], true),
        (&[], true),
    ] {
        let mut file = "# what: a send\n# source: written for this test\n# expect: not known\n".to_owned();
        for setting in settings {
            file += &format!("0.1 > {setting}\\r\\n\n0.1 < \\r\\nOK\\r\\n\n");
        }
        let (first, prompt, data) = match has_prompt {
            true => ("+CSQ: 24,99\\r\\n\\r\\nOK", "0.5 < \\r\\n> \n0.6 > hi\n", vec![&b"hi"[..]]),
            false => ("DATA ACCEPT:0,6", "", vec![&b"AT+CSQ"[..], b"\r\n"]),
        };
        file += &format!(
            "0.2 > AT+CIPSEND=0,6\\r\\nAT+CSQ\\r\\n\n0.3 < \\r\\n{first}\\r\\n\n\
            0.4 > AT+CIPSEND=0,2\\r\\n\\r\\n\n{prompt}0.7 < \\r\\nDATA ACCEPT:0,2\\r\\n\n"
        );
        assert_eq!(explained_data(file.as_bytes()), data, "{settings:?}");
    }
}
