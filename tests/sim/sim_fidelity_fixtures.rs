//! Each exchange of the AT manual as a fixture of our own, played against the simulated modem byte for byte.
//!
//! A record `>` is typed at its time. A record `<` contains exactly the bytes that have come by its time. A note is an
//! event: `peer 0 sends TEST`, `peer 0 closes`, `the bearer is lost`.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use air724ug::capture::{self, Capture, Entry, replay};
use air724ug::sim::{Control, Link, MemoryNetwork, Peer, Settings, Simulator, VirtualHost};
use air724ug::time::Timestamp;

/// The names of all fixtures, so that none is left out.
const FIXTURES: [&str; 15] = [
    "bearer_lost",
    "certificates",
    "dns",
    "fetch_multi",
    "fetch_single",
    "multi_tcp_and_udp",
    "multi_two_servers",
    "receive_multi",
    "receive_single",
    "receive_single_udp",
    "tcp_quoted_port",
    "tcp_single",
    "transparent_tcp",
    "transparent_udp",
    "udp_single",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/manual")
}

fn load(name: &str) -> Capture {
    let path = folder().join(name).with_extension("capture");
    capture::load_own(path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_fixture_is_named_in_this_test() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<String> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    found.sort();
    assert_eq!(found, FIXTURES);
}

#[test]
fn the_answers_to_every_exchange_of_the_manual_are_equal_byte_for_byte() {
    for name in FIXTURES {
        if let Err(problem) = play(&load(name)) {
            panic!("fixtures/manual/{name}.capture:{problem}");
        }
    }
}

#[test]
fn a_wrong_byte_is_detected_in_every_fixture() {
    for name in FIXTURES {
        let whole = load(name);
        for at in 0..whole.records.len() {
            let mut broken = whole.clone();
            let Entry::FromModem(bytes) = &mut broken.records[at].record.what else { continue };
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            assert!(play(&broken).is_err(), "{name}, record {at}");
        }
    }
}

#[test]
fn every_fixture_contains_the_findings_of_its_header() {
    for name in FIXTURES {
        let capture = load(name);
        let header = capture.header.as_ref().unwrap();
        if let Err(unmet) = replay(&capture).meets(header) {
            panic!("fixtures/manual/{name}.capture: {unmet}");
        }
    }
}

#[test]
fn the_time_of_an_answer_is_compared() {
    let mut early = load("tcp_single");
    // The result of the automatic send after ten seconds, moved to the time of its command.
    let at = early
        .records
        .iter()
        .rposition(|located| located.record.what == Entry::FromModem(b"\r\nDATA ACCEPT:3\r\n".to_vec()));
    let at = at.unwrap();
    let before: Timestamp = early.records[at - 1].record.at;
    early.records[at].record.at = before;
    assert!(play(&early).is_err());
}

/// Plays a fixture. The error names the line and the difference.
fn play(capture: &Capture) -> Result<(), String> {
    let mut host = VirtualHost::new(Simulator::new(Settings::default(), network()));
    let mut output: Vec<u8> = Vec::new();
    for located in &capture.records {
        let wait = located.record.at - host.now();
        output.extend(host.wait(wait));
        let line = located.line;
        match &located.record.what {
            Entry::ToModem(bytes) => {
                nothing_is_left(line, &output)?;
                output = host.write(bytes);
            }
            Entry::FromModem(bytes) => {
                if !output.starts_with(bytes) {
                    let (said, output) = (bytes.escape_ascii(), output.escape_ascii());
                    return Err(format!("{line}: the simulator says {output}, not {said}"));
                }
                output.drain(..bytes.len());
            }
            Entry::Note(words) => {
                nothing_is_left(line, &output)?;
                output = world(&mut host, words);
            }
            Entry::Request(_) | Entry::Gap => {}
        }
    }
    output.extend(host.wait(Duration::from_secs(1)));
    nothing_is_left(0, &output)
}

fn nothing_is_left(line: usize, output: &[u8]) -> Result<(), String> {
    if output.is_empty() {
        Ok(())
    } else {
        Err(format!("{line}: the simulator also says {}", output.escape_ascii()))
    }
}

fn world(host: &mut VirtualHost<MemoryNetwork>, words: &str) -> Vec<u8> {
    if words == "the bearer is lost" {
        return host.control(Control::PdpLost);
    }
    let mut parts = words.splitn(4, ' ');
    let (Some("peer"), Some(channel), Some(verb)) = (parts.next(), parts.next(), parts.next()) else {
        panic!("no such step: {words:?}");
    };
    let link = link(host, channel.parse().unwrap());
    match (verb, parts.next()) {
        ("sends", Some(data)) => host.with_network(|network| network.push(link, data.as_bytes())),
        ("closes", None) => host.with_network(|network| network.close_by_peer(link)),
        _ => panic!("no such step: {words:?}"),
    }
}

fn link(host: &VirtualHost<MemoryNetwork>, channel: usize) -> Link {
    host.simulator().state().channels[channel].link.unwrap()
}

/// The peers of the manual's author.
fn network() -> MemoryNetwork {
    let mut network = MemoryNetwork::new();
    for (host, port) in [
        ("60.166.18.9", 7500),
        ("60.166.18.9", 6100),
        ("60.166.12.210", 7500),
        ("60.166.12.210", 6100),
        ("60.166.13.215", 6100),
        ("36.9.88.120", 6001),
    ] {
        network.serve(host, port, Peer::discard());
    }
    network.name("WWW.SINA.COM.CN", [221, 179, 180, 76]);
    network
}
