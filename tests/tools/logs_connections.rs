//! The connections, data and ends in each published log, compared with `logs_connections.txt`.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use air724ug::at::Urc;
use air724ug::capture::{self, TimelineEntryKind, replay};

use super::logs::published;

/// The expected result for each log. It was written by reading the log, and is compared with the output of the tool.
const EXPECTED: &str = include_str!("logs_connections.txt");

/// The notation of a channel in the table. A single connection has none.
fn named(channel: Option<impl ToString>) -> String {
    channel.map_or("-".to_owned(), |channel| channel.to_string())
}

/// The channel in a command, if the command has one.
fn channel_of(command: &str) -> String {
    let list = command.split_once('=').map_or("", |(_, list)| list);
    let first = list.split(',').next().unwrap_or_default();
    let is_sized = command.starts_with("AT+CIPSEND=") && !list.contains(',');
    let is_number = first.len() == 1 && first.bytes().all(|byte| byte.is_ascii_digit());
    named((is_number && !is_sized).then_some(first))
}

/// The CRC-32 of IEEE 802.3, as in `cksum -a crc32b` and zip.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// A collector of the events of a log's connections.
struct Story {
    acts: Vec<String>,
    /// The open connections.
    open: Vec<String>,
    /// Consecutive data in one direction, with their channel.
    data: Option<(&'static str, String, Vec<u8>)>,
    /// The destination of the next data: a channel, or a file.
    send: String,
    /// Whether commands name a channel.
    many: bool,
}

impl Story {
    fn new() -> Self {
        Self { acts: Vec::new(), open: Vec::new(), data: None, send: "-".to_owned(), many: false }
    }

    fn act(&mut self, act: String) {
        self.settle();
        self.acts.push(act);
    }

    /// Adds consecutive data as one event.
    fn settle(&mut self) {
        if let Some((what, channel, bytes)) = self.data.take() {
            self.acts.push(format!("{what} {channel} {} bytes {:08x}", bytes.len(), crc(&bytes)));
        }
    }

    fn moved(&mut self, what: &'static str, channel: String, bytes: &[u8]) {
        match &mut self.data {
            Some((same, on, joined)) if *same == what && *on == channel => joined.extend_from_slice(bytes),
            _ => {
                self.settle();
                self.data = Some((what, channel, bytes.to_vec()));
            }
        }
    }

    fn opened(&mut self, channel: String) {
        self.open.push(channel.clone());
        self.act(format!("opened {channel}"));
    }

    fn closed(&mut self, channel: String, by: &str) {
        self.open.retain(|open| *open != channel);
        self.act(format!("closed {channel} by {by}"));
    }

    fn all_closed(&mut self, by: &str) {
        for channel in std::mem::take(&mut self.open) {
            self.act(format!("closed {channel} by {by}"));
        }
    }

    fn take(&mut self, what: &TimelineEntryKind) {
        match what {
            TimelineEntryKind::Command(command) => {
                if command.starts_with("AT+CIPSEND") {
                    self.settle();
                    // In multiple connection mode, `AT+CIPSEND=1` names a channel.
                    let list = command.strip_prefix("AT+CIPSEND=");
                    let list = list.filter(|list| self.many || list.contains(','));
                    self.send = named(list.and_then(|list| list.split(',').next()));
                } else if command.starts_with("AT+FSWRITE=") {
                    self.settle();
                    self.send = "file".to_owned();
                }
                self.many = match command.as_str() {
                    "AT+CIPMUX=1" => true,
                    "AT+CIPMUX=0" => false,
                    _ => self.many || command.starts_with("AT+CIPSTART=") && channel_of(command) != "-",
                };
            }
            TimelineEntryKind::Sent(bytes) => self.moved("sent", self.send.clone(), bytes),
            TimelineEntryKind::Payload { kind, bytes } if !bytes.is_empty() => {
                self.moved("received", named(kind.channel()), bytes);
            }
            TimelineEntryKind::Urc { urc, line } => match urc {
                Urc::ConnectOk(channel) => self.opened(named(*channel)),
                Urc::ConnectFail(channel) => self.act(format!("failed {}", named(*channel))),
                Urc::Closed(channel) => self.closed(named(*channel), "peer"),
                Urc::PdpDeactivated => self.all_closed("network"),
                _ if line.ends_with("CLOSE OK") => {
                    self.closed(named(line.split_once(',').map(|(channel, _)| channel)), "module");
                }
                _ => {}
            },
            TimelineEntryKind::Final { command: Some(command), line } => match line.as_str() {
                "CONNECT" if command.starts_with("AT+CIPSTART") => self.opened(channel_of(command)),
                "SHUT OK" => self.all_closed("host"),
                "OK" if command == "AT+CIPSHUT" => self.all_closed("host"),
                _ if line.ends_with("CLOSE OK") => self.closed(channel_of(command), "host"),
                _ => {}
            },
            // Another excerpt begins, so the earlier connections may not exist.
            TimelineEntryKind::Gap => self.open.clear(),
            _ => {}
        }
    }
}

fn story(file: &[u8]) -> String {
    let mut story = Story::new();
    for entry in replay(&capture::read(file).unwrap()).entries {
        story.take(&entry.what);
    }
    story.settle();
    if story.acts.is_empty() { "nothing".to_owned() } else { story.acts.join("; ") }
}

#[test]
fn connections_data_and_ends_of_every_published_log_are_as_expected() {
    let expected: BTreeMap<&str, &str> = EXPECTED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .collect();
    let published = published();
    let found: BTreeMap<String, String> =
        published.iter().map(|(name, file)| (name.clone(), story(file))).collect();
    let shown = |found: &BTreeMap<String, String>| -> String {
        found.iter().map(|(name, story)| format!("{name}: {story}\n")).collect()
    };
    for (name, story) in &found {
        assert_eq!(
            expected.get(name.as_str()),
            Some(&story.as_str()),
            "{name}; the whole list:\n{}",
            shown(&found)
        );
    }
    assert!(found.is_empty() || found.len() == expected.len(), "a listed log is missing");
}

#[test]
fn the_events_contain_data_channels_and_ends() {
    let log = "AT+CIPSTART=0,\"TCP\",\"192.0.2.1\",7\nOK\n\n0, CONNECT OK\nAT+CIPSEND=0,5\n\n> hello\n\n0, SEND OK\n\n+RECEIVE,0,9:\n123456789\n\n0, CLOSED\n";
    let expected = "opened 0; sent 0 5 bytes 3610a686; received 0 9 bytes cbf43926; closed 0 by peer";
    assert_eq!(story(log.as_bytes()), expected);
}
