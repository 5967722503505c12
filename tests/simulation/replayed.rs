//! Captures of simulated sessions, read by the replayer: every line of an undamaged session is explained, and the data
//! of every connection are those that its two ends have exchanged.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use air724ug::capture::{self, PayloadKind, Timeline, TimelineEntry, TimelineEntryKind};

use crate::simulation::kinds::SAID;
use crate::simulation::payload::Style;
use crate::simulation::rig::FIRST_PORT;
use crate::simulation::script::{Act, Far, Wanted};
use crate::simulation::{self, Connection, Kind};

/// The number of seeds of each kind.
const SEEDS: u64 = 60;

/// Stands for the number of an unknown connection.
const UNKNOWN: u16 = u16::MAX;

/// The bytes of a connection by the account of the replayer.
#[derive(Default, Debug)]
struct ConnectionData {
    sent: Vec<u8>,
    received: Vec<u8>,
}

/// The connections of a timeline by their numbers.
fn replayed(timeline: &Timeline) -> BTreeMap<u16, ConnectionData> {
    let mut connections: BTreeMap<u16, ConnectionData> = BTreeMap::new();
    // The connection of each channel, and of the single one.
    let mut numbers: BTreeMap<Option<u8>, u16> = BTreeMap::new();
    let (mut attempts, mut sending): (BTreeMap<Option<u8>, u16>, _) = (BTreeMap::new(), None);
    for TimelineEntry { what, .. } in &timeline.entries {
        match what {
            TimelineEntryKind::Command(command) => {
                if let Some(arguments) = command.strip_prefix("AT+CIPSTART=") {
                    let channel = arguments.split(',').next().and_then(|number| number.parse().ok());
                    let port: u16 = arguments.rsplit(',').next().unwrap().parse().unwrap();
                    attempts.insert(channel, (port - FIRST_PORT) / 3);
                } else if let Some(arguments) = command.strip_prefix("AT+CIPSEND=") {
                    sending = arguments.split(',').next().and_then(|number| number.parse().ok());
                }
            }
            TimelineEntryKind::Urc { line, .. } | TimelineEntryKind::Final { line, .. } => {
                let (channel, news) = match line.split_once(',') {
                    Some((channel, news)) => (channel.parse().ok(), news.trim_start()),
                    None => (None, line.as_str()),
                };
                if matches!(news, "CONNECT OK" | "CONNECT")
                    && let Some(number) = attempts.remove(&channel)
                {
                    numbers.insert(channel, number);
                    // A connect that was repeated begins with its first byte.
                    connections.insert(number, ConnectionData::default());
                }
            }
            TimelineEntryKind::Sent(bytes) => {
                let number = numbers.get(&sending).or_else(|| numbers.get(&None)).copied().unwrap_or(UNKNOWN);
                connections.entry(number).or_default().sent.extend(bytes);
            }
            TimelineEntryKind::Payload { kind, bytes } => {
                let channel = match kind {
                    PayloadKind::Pushed(channel) | PayloadKind::Fetched(channel) => {
                        Some(channel.index() as u8)
                    }
                    _ => None,
                };
                let number = numbers.get(&channel).copied().unwrap_or(UNKNOWN);
                connections.entry(number).or_default().received.extend(bytes);
            }
            _ => {}
        }
    }
    connections
}

/// The difference between the replayer's account of a connection and the truth.
fn difference(connection: &Connection, got: &[u8], replayed: &ConnectionData) -> Option<String> {
    // The pieces of a stream are not noted. A send that was given up leaves a hole.
    let given = connection.outgoing().bytes(0, replayed.sent.len());
    let sent = if connection.wanted == Wanted::Transparent { given } else { connection.pieces.concat() };
    if !sent.starts_with(&replayed.sent) {
        return Some(format!("sent {} instead of {}", replayed.sent.escape_ascii(), sent.escape_ascii()));
    }
    let by_peer = if connection.far == Far::Echo { connection.outgoing() } else { connection.incoming() };
    if let Err(at) = by_peer.agrees(0, &replayed.received) {
        return Some(format!("received differs at {at}: {}", replayed.received.escape_ascii()));
    }
    let (sent, received) = (replayed.sent.len(), replayed.received.len());
    let (got, read) = (got.len(), connection.read.len());
    (sent < got || received < read)
        .then(|| format!("sent {sent} of {got} bytes, received {received} of {read}"))
}

fn sessions_of(kind: Kind) {
    simulation::catch_panics();
    let mut wrong = Vec::new();
    for seed in 0..SEEDS {
        let mut script = simulation::script(kind, seed);
        script.steps.retain(|step| kind.is_sound() || step.act.fault().is_none());
        // A recording masks no payload that contains a piece of the PIN.
        script.world.pin = true;
        // A capture does not say which words of a module are payload of a stream.
        for step in &mut script.steps {
            if let Act::Connect { wanted: Wanted::Transparent, style, .. } = &mut step.act {
                *style = Style::Records;
            }
        }
        let report = simulation::play(&script, true);
        let name = kind.name();
        assert_eq!(report.failure, None, "{name} {seed}");
        if let Ok(folder) = std::env::var("CAPTURES") {
            std::fs::write(format!("{folder}/{name}-{seed}.capture"), &report.capture).unwrap();
        }
        let timeline = capture::replay(&capture::read(&report.capture).unwrap());
        let is_said = |what: &TimelineEntryKind| match what {
            TimelineEntryKind::Unexplained { bytes, .. } => {
                SAID.iter().any(|said| said.split("\r\n").any(|line| line.as_bytes() == bytes))
            }
            _ => false,
        };
        let unexplained = timeline
            .unexplained()
            .filter(|one| !is_said(&one.what))
            .map(|one| format!("lines {:?}: {}", one.lines, one.what));
        let mut replayed = replayed(&timeline);
        let unknown = replayed.remove(&UNKNOWN).map(|replayed| format!("without a connection: {replayed:?}"));
        let differences = report.connections.iter().zip(&report.got).filter_map(|(connection, got)| {
            let replayed = replayed.get(&connection.number)?;
            Some(format!("connection {}: {}", connection.number, difference(connection, got, replayed)?))
        });
        wrong.extend(
            unexplained.chain(differences).chain(unknown).map(|what| format!("{name} {seed}: {what}")),
        );
    }
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
}

#[test]
fn captures_of_sound_sessions_are_explained() {
    sessions_of(Kind::Sound);
}

#[test]
fn captures_of_fetched_data_are_explained() {
    sessions_of(Kind::Manual);
}

#[test]
fn captures_of_datagrams_are_explained() {
    sessions_of(Kind::Udp);
}

#[test]
fn captures_of_streams_are_explained() {
    sessions_of(Kind::Stream);
}

#[test]
fn captures_of_connections_made_again_are_explained() {
    sessions_of(Kind::Reconnect);
}
