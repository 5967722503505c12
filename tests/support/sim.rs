//! A host of a simulated modem in virtual time, for the tests named `sim_*`.
#![allow(dead_code, unreachable_pub)] // Each test file uses some of it.
#![allow(clippy::expect_used)] // A test that finds no link shall fail with its reason.

use air724ug::sim::{Link, MemoryNetwork, Peer, Settings, Simulator, VirtualHost};

pub type Host = VirtualHost<MemoryNetwork>;

pub const OK: &str = "\r\nOK\r\n";
pub const PROMPT: &str = "\r\n> ";
pub const NOT_ALLOWED: &str = "\r\n+CME ERROR: 3\r\n";

pub fn host() -> Host {
    host_with(Settings::default())
}

/// A modem with the peers of the manual's examples, and a few more.
pub fn host_with(settings: Settings) -> Host {
    let mut network = MemoryNetwork::new();
    network.serve("60.166.18.9", 7500, Peer::discard());
    network.serve("60.166.18.9", 6100, Peer::discard());
    network.serve("60.166.12.210", 7500, Peer::discard());
    network.serve("60.166.13.215", 6100, Peer::discard());
    network.serve("36.9.88.120", 6001, Peer::discard());
    network.name("WWW.SINA.COM.CN", [221, 179, 180, 76]);
    network.serve("discard.test", 9, Peer::discard());
    network.serve("echo.test", 7, Peer::echo());
    network.serve("silent.test", 1, Peer::silent());
    network.serve("refuse.test", 1, Peer::refuse());
    network.serve("deaf.test", 1, Peer::discard().never_reads());
    network.serve("greeting.test", 1, Peer::discard().greeting("hello"));
    network.serve("bye.test", 1, Peer::discard().greeting("good bye").close_when_sent());
    network.serve("source.test", 1, Peer::source(100_000));
    VirtualHost::new(Simulator::new(settings, network))
}

/// Writes a command and expects its echo and exactly this answer.
#[track_caller]
pub fn ask(host: &mut Host, command: &str, answer: &str) {
    let typed = format!("{command}\r\n");
    let got = host.write(typed.as_bytes());
    assert_eq!(String::from_utf8_lossy(&got), format!("{typed}{answer}"), "{command}");
}

/// Writes payload and expects exactly this answer.
#[track_caller]
pub fn type_bytes(host: &mut Host, bytes: &str, answer: &str) {
    let got = host.write(bytes.as_bytes());
    assert_eq!(String::from_utf8_lossy(&got), answer);
}

/// A bearer with an address, in single or multiple connection mode.
pub fn online(multi: bool) -> Host {
    online_with(multi, Settings::default())
}

pub fn online_with(multi: bool, settings: Settings) -> Host {
    let mut host = host_with(settings);
    go_online(&mut host, multi);
    host
}

pub fn go_online(host: &mut Host, multi: bool) {
    host.write(format!("AT+CIPMUX={};+CIPQSEND=1;+CSTT;+CIICR\r\n", u8::from(multi)).as_bytes());
    host.write(b"AT+CIFSR\r\n");
    assert_eq!(host.simulator().state().ip, "IP STATUS");
}

/// Connects a channel in multiple connection mode.
#[track_caller]
pub fn connect(host: &mut Host, channel: u8, name: &str, port: u16) {
    let command = format!("AT+CIPSTART={channel},\"TCP\",\"{name}\",{port}");
    ask(host, &command, &format!("\r\nOK\r\n\r\n{channel}, CONNECT OK\r\n"));
}

/// Sends on a channel in multiple connection mode.
#[track_caller]
pub fn send(host: &mut Host, channel: u8, bytes: &str) {
    ask(host, &format!("AT+CIPSEND={channel},{}", bytes.len()), PROMPT);
    type_bytes(host, bytes, &format!("{bytes}\r\nDATA ACCEPT:{channel},{}\r\n", bytes.len()));
}

pub fn last_link(host: &Host) -> Link {
    host.simulator().network().last_link().expect("a link")
}

/// The bytes that the peer of the last link has received.
pub fn received(host: &Host) -> Vec<u8> {
    host.simulator().network().received(last_link(host)).to_vec()
}

/// The peer of the last link sends.
pub fn push(host: &mut Host, bytes: &[u8]) -> String {
    let link = last_link(host);
    text(host.with_network(|network| network.push(link, bytes)))
}

/// The peer of the last link closes.
pub fn close_by_peer(host: &mut Host) -> String {
    let link = last_link(host);
    text(host.with_network(|network| network.close_by_peer(link)))
}

pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
