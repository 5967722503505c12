//! The examples of the AT manual (captures d01, d02, d03) and exchanges of real modules (a01, a02, a04, a12, a13, a27),
//! typed into the simulated modem and compared byte by byte.
//!
//! The manual's addresses belong to its author's network. Here they are peers in memory.

use std::time::Duration;

use crate::support::sim::{OK, PROMPT, ask, host, host_with, online, push, received, type_bytes};
use air724ug::sim::{Profile, Settings};

#[test]
fn tcp_with_one_connection_as_in_d01() {
    let mut host = host();
    ask(&mut host, "AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CGATT?", "\r\n+CGATT: 1\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPMUX=0", OK);
    ask(&mut host, "AT+CIPQSEND=1", OK);
    ask(&mut host, "AT+CSTT", OK);
    ask(&mut host, "AT+CIICR", OK);
    ask(&mut host, "AT+CIFSR", "\r\n10.83.172.111\r\n");
    ask(&mut host, "AT+CIPSTATUS", "\r\nOK\r\n\r\nSTATE: IP STATUS\r\n");
    ask(&mut host, "AT+CIPSTART=\"TCP\",\"60.166.18.9\",7500", "\r\nOK\r\n\r\nCONNECT OK\r\n");
    ask(&mut host, "AT+CIPSTATUS", "\r\nOK\r\n\r\nSTATE: CONNECT OK\r\n");
    ask(&mut host, "AT+CIPSEND", PROMPT);
    type_bytes(&mut host, "1234567890\x1a", "1234567890\x1a\r\nDATA ACCEPT:10\r\n");
    ask(&mut host, "AT+CIPACK", "\r\n+CIPACK: 10,10,0\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPSEND=10", PROMPT);
    type_bytes(&mut host, "1234567890", "1234567890\r\nDATA ACCEPT:10\r\n");
    ask(&mut host, "AT+CIPATS=1,10", OK);
    ask(&mut host, "AT+CIPSEND", PROMPT);
    type_bytes(&mut host, "1234567890", "1234567890");
    assert_eq!(host.wait(Duration::from_millis(9_999)), b"");
    assert_eq!(host.wait(Duration::from_millis(1)), b"\r\nDATA ACCEPT:10\r\n");
    ask(&mut host, "AT+CIPSEND=100", PROMPT);
    type_bytes(&mut host, "123", "123");
    assert_eq!(host.wait(Duration::from_secs(10)), b"\r\nDATA ACCEPT:3\r\n");
    ask(&mut host, "AT+CIPCLOSE", "\r\nCLOSE OK\r\n");
    ask(&mut host, "AT+CIPSTATUS", "\r\nOK\r\n\r\nSTATE: TCP CLOSED\r\n");
    ask(&mut host, "AT+CIPSHUT", "\r\nSHUT OK\r\n");
    // The manual says ERROR; captures a01 and a04 show the number.
    ask(&mut host, "AT+CIFSR", "\r\n+CME ERROR: 3\r\n");
    assert_eq!(received(&host), b"123456789012345678901234567890123");
}

#[test]
fn a_port_may_be_quoted() {
    let mut host = online(false);
    ask(&mut host, "AT+CIPSTART=\"TCP\",\"60.166.18.9\",\"7500\"", "\r\nOK\r\n\r\nCONNECT OK\r\n");
}

#[test]
fn udp_with_one_connection_as_in_d01_and_a04() {
    let mut host = online(false);
    ask(&mut host, "AT+CIPSTART=\"UDP\",\"60.166.18.9\",6100", "\r\nOK\r\n\r\nCONNECT OK\r\n");
    ask(&mut host, "AT+CIPSEND", PROMPT);
    type_bytes(&mut host, "1234567890\r\n\x1a", "1234567890\r\n\x1a\r\nDATA ACCEPT:12\r\n");
    assert_eq!(push(&mut host, b"123456789"), "123456789\r\n");
    ask(&mut host, "AT+CIPCLOSE", "\r\nCLOSE OK\r\n");
    ask(&mut host, "AT+CIPSTATUS", "\r\nOK\r\n\r\nSTATE: UDP CLOSED\r\n");
    ask(&mut host, "AT+CIPSHUT", "\r\nSHUT OK\r\n");
}

#[test]
fn several_connections_as_in_d01() {
    let mut host = online(true);
    ask(&mut host, "AT+CIPSTART=1,\"TCP\",\"60.166.12.210\",7500", "\r\nOK\r\n\r\n1, CONNECT OK\r\n");
    ask(&mut host, "AT+CIPSTART=2,\"TCP\",\"60.166.13.215\",6100", "\r\nOK\r\n\r\n2, CONNECT OK\r\n");
    let empty = |n: u8| format!("C: {n},,\"\",\"\",\"\",\"INITIAL\"\r\n");
    let rows = [
        empty(0),
        "C: 1,0,\"TCP\",\"60.166.12.210\",\"7500\",\"CONNECTED\"\r\n".to_owned(),
        "C: 2,0,\"TCP\",\"60.166.13.215\",\"6100\",\"CONNECTED\"\r\n".to_owned(),
        empty(3),
        empty(4),
        empty(5),
        empty(6),
        empty(7),
    ];
    let status = format!("\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n\r\n{}", rows.concat());
    ask(&mut host, "AT+CIPSTATUS", &status);
    ask(&mut host, "AT+CIPSEND=1", PROMPT);
    type_bytes(&mut host, "1234567890\x1a", "1234567890\x1a\r\nDATA ACCEPT:1,10\r\n");
    ask(&mut host, "AT+CIPSEND=2,10", PROMPT);
    type_bytes(&mut host, "1234567890", "1234567890\r\nDATA ACCEPT:2,10\r\n");
    assert_eq!(received(&host), b"1234567890");
    ask(&mut host, "AT+CIPSHUT", "\r\nSHUT OK\r\n");
    ask(&mut host, "AT+CIPMUX=0", OK);
    ask(&mut host, "AT+CIPSSL=0", OK);
}

#[test]
fn tcp_and_udp_side_by_side_as_in_d01() {
    let mut host = online(true);
    ask(&mut host, "AT+CIPSTART=4,\"TCP\",\"60.166.12.210\",7500", "\r\nOK\r\n\r\n4, CONNECT OK\r\n");
    ask(&mut host, "AT+CIPSTART=5,\"UDP\",\"60.166.13.215\",6100", "\r\nOK\r\n\r\n5, CONNECT OK\r\n");
    ask(&mut host, "AT+CIPATS=1,10", OK);
    ask(&mut host, "AT+CIPSEND=4", PROMPT);
    type_bytes(&mut host, "TEST Auto fast send", "TEST Auto fast send");
    assert_eq!(host.wait(Duration::from_secs(10)), b"\r\nDATA ACCEPT:4,19\r\n");
}

#[test]
fn received_data_with_one_connection_as_in_d01_and_d03() {
    let mut host = online(false);
    ask(&mut host, "AT+CIPSTART=\"TCP\",\"60.166.18.9\",7500", "\r\nOK\r\n\r\nCONNECT OK\r\n");
    ask(&mut host, "AT+CIPHEAD=1", OK);
    assert_eq!(push(&mut host, b"TEST"), "\r\n+IPD,4:TEST\r\n");
    ask(&mut host, "AT+CIPSHOWTP=1", OK);
    assert_eq!(push(&mut host, b"TEST"), "\r\n+IPD,4,TCP:TEST\r\n");
    ask(&mut host, "AT+CIPSRIP=1", OK);
    ask(&mut host, "AT+CIPSHOWTP=0", OK);
    assert_eq!(push(&mut host, b"TEST"), "\r\nRECV FROM: 60.166.18.9:7500\r\n\r\n+IPD,4:TEST\r\n");
    ask(&mut host, "AT+CIPHEAD=0", OK);
    ask(&mut host, "AT+CIPSRIP=0", OK);
    assert_eq!(push(&mut host, b"TEST"), "TEST\r\n");
}

#[test]
fn data_without_header_and_line_end_if_set_before_the_connect() {
    let mut host = online(false);
    ask(&mut host, "AT+CIPRXF=1", OK);
    ask(&mut host, "AT+CIPSTART=\"TCP\",\"60.166.18.9\",7500", "\r\nOK\r\n\r\nCONNECT OK\r\n");
    ask(&mut host, "AT+CIPRXF=0", OK);
    assert_eq!(push(&mut host, b"TEST"), "TEST");
}

#[test]
fn received_data_with_several_connections_as_in_d01() {
    let mut host = online(true);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"60.166.12.210\",7500", "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
    assert_eq!(push(&mut host, b"TEST123"), "\r\n+RECEIVE,0,7:\r\nTEST123");
    ask(&mut host, "AT+CIPSTART=1,\"TCP\",\"60.166.12.210\",7500", "\r\nOK\r\n\r\n1, CONNECT OK\r\n");
    assert_eq!(push(&mut host, b"TEST123456"), "\r\n+RECEIVE,1,10:\r\nTEST123456");
    ask(&mut host, "AT+CIPSRIP=1", OK);
    assert_eq!(push(&mut host, b"x"), "\r\n+RECEIVE,1,1,60.166.12.210:7500\r\nx");
}

#[test]
fn manual_receive_with_one_connection_as_in_d02() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    ask(&mut host, "AT+CGREG?", "\r\n+CGREG: 0,1\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPSTART=\"TCP\",\"36.9.88.120\",6001", "\r\nOK\r\n\r\nCONNECT OK\r\n");
    assert_eq!(push(&mut host, b"0123456789"), "\r\n+CIPRXGET: 1\r\n");
    // The manual prints the data directly after the header; real modules print both lengths and the data on their own
    // line (a27, a28).
    ask(&mut host, "AT+CIPRXGET=2,150", "\r\n+CIPRXGET: 2,10,0\r\n0123456789\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPRXGET=4", "\r\n+CIPRXGET: 4,0\r\n\r\nOK\r\n");
    assert_eq!(push(&mut host, b"HELLO"), "\r\n+CIPRXGET: 1\r\n");
    ask(&mut host, "AT+CIPRXGET=3,150", "\r\n+CIPRXGET: 3,5,0\r\n48454C4C4F\r\n\r\nOK\r\n");
}

#[test]
fn manual_receive_with_several_connections_as_in_d02() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    ask(&mut host, "AT+CIPMUX=1", OK);
    ask(&mut host, "AT+CSTT", OK);
    ask(&mut host, "AT+CIICR", OK);
    // The manual prints OK here; every capture prints the address.
    ask(&mut host, "AT+CIFSR", "\r\n10.83.172.111\r\n");
    ask(&mut host, "AT+CIPSTART=3,\"TCP\",\"36.9.88.120\",6001", "\r\nOK\r\n\r\n3, CONNECT OK\r\n");
    assert_eq!(push(&mut host, b"AAAAA"), "\r\n+CIPRXGET: 1,3\r\n");
    ask(&mut host, "AT+CIPRXGET=2,3,10", "\r\n+CIPRXGET: 2,3,5,0\r\nAAAAA\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPRXGET=4,3", "\r\n+CIPRXGET: 4,3,0\r\n\r\nOK\r\n");
}

#[test]
fn manual_receive_as_measured_in_a27() {
    let mut host = host_with(Settings::default().profile(Profile::air780e()));
    ask(&mut host, "AT+CIPMUX=1", OK);
    ask(&mut host, "AT+CIPRXGET=5", OK);
    ask(&mut host, "AT+CIPSRIP=1", OK);
    ask(&mut host, "AT+CSTT;+CIICR", OK);
    ask(&mut host, "AT+CIFSR", "\r\n10.83.172.111\r\n");
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"36.9.88.120\",6001", "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
    assert_eq!(push(&mut host, b"\xab\xab"), "\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(push(&mut host, b"\xab\xab"), "\r\n+CIPRXGET: 1,0\r\n", "mode 5 reports every arrival");
    ask(&mut host, "AT+CIPRXGET=3,0,750", "\r\n+CME ERROR: 3\r\n");
    ask(
        &mut host,
        "AT+CIPRXGET=3,0,720",
        "\r\n+CIPRXGET: 3,0,4,0,\"36.9.88.120:6001\"\r\nABABABAB\r\n\r\nOK\r\n",
    );
    ask(&mut host, "AT+CIPRXGET=3,0,720", "\r\n+CIPRXGET: 3,0,0,0\r\n\r\nOK\r\n");
    ask(
        &mut host,
        "AT+CIPSTART=0,\"TCP\",\"36.9.88.120\",6001",
        "\r\n+CME ERROR: 65535\r\n\r\n0, ALREADY CONNECT\r\n",
    );
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n+CME ERROR: 3\r\n");
    ask(&mut host, "AT+CIPSEND=0,4", "\r\n+CME ERROR: 3\r\n");
    ask(&mut host, "AT+CIPRXGET=3,0,64", "\r\n+CME ERROR: 3\r\n");
}

#[test]
fn transparent_tcp_as_in_d01_and_a02() {
    let mut host = host();
    ask(&mut host, "AT+CIPMODE=1", OK);
    ask(&mut host, "AT+CIPSTART=\"TCP\",\"60.166.18.9\",7500", "\r\nOK\r\n\r\nCONNECT\r\n");
    type_bytes(&mut host, "ABCDEFG", "");
    assert_eq!(push(&mut host, b"1234567890"), "1234567890");
    host.wait(Duration::from_secs(1));
    type_bytes(&mut host, "+++", "");
    assert_eq!(host.wait(Duration::from_millis(499)), b"");
    assert_eq!(host.wait(Duration::from_millis(1)), b"\r\nOK\r\n");
    ask(&mut host, "ATO", "\r\nCONNECT\r\n");
    type_bytes(&mut host, "+++", "");
    host.wait(Duration::from_secs(2));
    assert_eq!(received(&host), b"ABCDEFG+++", "without a guard time, +++ is data");
    let closed = host.with_network(|network| network.close_by_peer(network.last_link().expect("a link")));
    assert_eq!(closed, b"\r\nCLOSED\r\n");
    ask(&mut host, "AT+CIPSHUT", "\r\nSHUT OK\r\n");
}

#[test]
fn a_name_is_resolved_as_in_d01() {
    let mut host = online(false);
    ask(
        &mut host,
        "AT+CDNSGIP=\"WWW.SINA.COM.CN\"",
        "\r\nOK\r\n\r\n+CDNSGIP: 1,\"WWW.SINA.COM.CN\",\"221.179.180.76\"\r\n",
    );
}

#[test]
fn the_typical_failures_of_a12() {
    let mut host = host();
    ask(&mut host, "AT+CIPMODE=0", OK);
    ask(&mut host, "AT+CIPMUX=0", OK);
    ask(&mut host, "AT+CSTT", OK);
    ask(&mut host, "AT+CSTT", "\r\n+CME ERROR: 3\r\n");
    ask(&mut host, "AT+CIICRR", "\r\nERROR\r\n");
    ask(&mut host, "AT+CIICR", OK);
    ask(&mut host, "AT+CIFSR", "\r\n10.83.172.111\r\n");
    ask(&mut host, "AT+CIPSTART=1,\"TCP\",\"112.125.89.8\",37076", "\r\n+CME ERROR: 3\r\n");
    ask(&mut host, "AT+CIPSTART=\"TCP\",\u{201d}112.125.89.8\u{201c},37076", OK);
    let failed = host.wait(Duration::from_secs(75));
    assert_eq!(failed, b"\r\nSTATE: IP STATUS\r\n\r\nCONNECT FAIL\r\n");
}

#[test]
fn a_bearer_that_can_not_be_activated_fails_as_in_a12() {
    let mut host = host_with(Settings::default().attach(false));
    ask(&mut host, "AT+CSTT", OK);
    ask(&mut host, "AT+CIICR", "\r\n+PDP: DEACT\r\n\r\n+CME ERROR: 65535\r\n");
    ask(&mut host, "AT+CIPSTATUS", "\r\nOK\r\n\r\nSTATE: PDP DEACT\r\n");
    ask(&mut host, "AT+CIPSHUT", "\r\nSHUT OK\r\n");
    ask(&mut host, "AT+CIPSTATUS", "\r\nOK\r\n\r\nSTATE: IP INITIAL\r\n");
}
