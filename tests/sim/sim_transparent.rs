//! The simulated modem in transparent mode: packets by size and by time, data of the peer during command mode, and
//! reports of a broken connection.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use crate::support::sim::{
    Host, NOT_ALLOWED, OK, ask, close_by_peer, host, last_link, push, received, type_bytes,
};

/// A host with a transparent connection, after `AT+CIPCCFG` with these settings, if any.
fn connected(packets: &str, name: &str, port: u16) -> Host {
    let mut host = host();
    ask(&mut host, "AT+CIPMODE=1", OK);
    if !packets.is_empty() {
        ask(&mut host, &format!("AT+CIPCCFG={packets}"), OK);
    }
    let dial = format!("AT+CIPSTART=\"TCP\",\"{name}\",{port}");
    ask(&mut host, &dial, "\r\nOK\r\n\r\nCONNECT\r\n");
    host
}

fn escape(host: &mut Host) {
    assert_eq!(host.wait(Duration::from_secs(1)), b"");
    type_bytes(host, "+++", "");
    assert_eq!(host.wait(Duration::from_millis(500)), OK.as_bytes());
}

/// Manual, CIPCCFG: `SendSz`, 1024 by default.
#[test]
fn a_full_packet_is_sent_at_once_and_the_rest_waits() {
    for (packets, size) in [("", 1024), ("5,2,100,0", 100), ("5,2,1460,0", 1460), ("5,2,1,0", 1)] {
        let mut host = connected(packets, "discard.test", 9);
        type_bytes(&mut host, &"x".repeat(size - 1), "");
        assert_eq!(received(&host).len(), 0, "{packets}: the packet is not full yet");
        type_bytes(&mut host, "x", "");
        assert_eq!(received(&host).len(), size, "{packets}: full");
        type_bytes(&mut host, &"y".repeat(size * 2 + size / 2), "");
        assert_eq!(received(&host).len(), size * 3, "{packets}: two more");
    }
}

/// Manual, CIPCCFG: `WaitTm` counts in units of 100 ms, from the first byte on.
#[test]
fn a_partial_packet_is_sent_after_its_time() {
    for (packets, millis) in [("", 200), ("5,3,1024,0", 300), ("5,10,1024,0", 1000)] {
        let mut host = connected(packets, "discard.test", 9);
        type_bytes(&mut host, "ab", "");
        host.wait(Duration::from_millis(millis / 2));
        type_bytes(&mut host, "c", "");
        host.wait(Duration::from_millis(millis / 2 - 1));
        assert_eq!(received(&host), b"", "{packets}");
        host.wait(Duration::from_millis(1));
        assert_eq!(received(&host), b"abc", "{packets}: the time counts from the first byte");
    }
}

#[test]
fn an_escape_sends_waiting_data_before_its_answer() {
    let mut host = connected("5,10,1024,0", "discard.test", 9);
    type_bytes(&mut host, "abc", "");
    escape(&mut host);
    assert_eq!(received(&host), b"abc");
}

/// Assumed (docs/simulator.md): the data wait for `ATO`, and so does the close by the peer.
#[test]
fn data_of_the_peer_in_command_mode_wait_for_the_return_in_order() {
    let mut host = connected("", "discard.test", 9);
    escape(&mut host);
    for part in ["one", "\r\nOK\r\n", "two"] {
        assert_eq!(push(&mut host, part.as_bytes()), "");
    }
    ask(&mut host, "AT", OK);
    assert_eq!(host.wait(Duration::from_secs(60)), b"");
    assert_eq!(close_by_peer(&mut host), "", "the close comes after the data");
    ask(&mut host, "ATO", "\r\nCONNECT\r\none\r\nOK\r\ntwo\r\nCLOSED\r\n");
    ask(&mut host, "ATO", "\r\nNO CARRIER\r\n");
}

/// Manual, page of TCP/UDP error codes: 14 is a reset, reported when transparent mode drops.
#[test]
fn a_reset_is_reported_as_error_14_only_in_data_mode() {
    let mut host = connected("", "echo.test", 7);
    let link = last_link(&host);
    let said = host.with_network(|network| network.reset_by_peer(link));
    assert_eq!(said, b"\r\nTCP ERROR:14\r\n");
    ask(&mut host, "AT+CIPMODE=0", NOT_ALLOWED);
    let mut host = connected("", "echo.test", 7);
    escape(&mut host);
    let link = last_link(&host);
    let said = host.with_network(|network| network.reset_by_peer(link));
    assert_eq!(said, b"\r\nCLOSED\r\n");
}
