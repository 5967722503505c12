//! Failures in the captures that no other test of the simulated modem plays. They are played with the words of a rule
//! or an order, as a person does. `docs/simulator.md` lists all failures.

use std::time::Duration;

use crate::support::sim::{self, Host, OK, ask, connect, host, host_with, online, online_with, text};
use air724ug::sim::{Boot, Order, Profile, Settings};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Gives an order in the words that a person types.
#[track_caller]
fn order(host: &mut Host, words: &str) -> String {
    match words.parse() {
        Ok(Order::Control(control)) => text(host.control(control)),
        other => unreachable!("{words}: {other:?}"),
    }
}

/// A host of an Air780E with a bearer, after these rules.
fn air780e(rules: &[&str]) -> Host {
    let rules = rules.iter().filter_map(|rule| rule.parse().ok()).collect();
    online_with(true, Settings::default().profile(Profile::air780e()).faults(rules))
}

#[test]
fn a_card_is_removed_at_a_given_moment_as_in_a14() {
    let mut host = air780e(&["sim-removed@10s"]);
    let printed = text(host.wait(millis(10_000)));
    assert!(printed.ends_with("\r\n+CPIN: SIM REMOVED 0\r\n"), "{printed}");
    assert!(printed.contains("\r\n+NO Service\r\n"), "{printed}");
    ask(&mut host, "AT+CPIN?", "\r\n+CME ERROR: 10\r\n");
    assert_eq!(order(&mut host, "sim insert"), "\r\n+CPIN: READY 0\r\n");
    assert!(text(host.wait(millis(1_500))).contains("\r\n^MODE: 17,17\r\n\r\n+E_UTRAN Service\r\n"));
}

#[test]
fn the_cell_is_lost_at_a_given_moment_as_in_a23() {
    let mut host = air780e(&["network-lost@10s"]);
    let printed = text(host.wait(millis(10_000)));
    assert!(printed.starts_with("\r\n^MODE: 0,0\r\n\r\n+NO Service\r\n"), "{printed}");
    ask(&mut host, "AT+CSQ", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n");
    assert_eq!(order(&mut host, "net up"), "");
    assert!(text(host.wait(millis(1_500))).contains("\r\n^MODE: 17,17\r\n"));
}

#[test]
fn the_bearer_is_lost_at_a_given_moment_as_in_a28() {
    let mut host = air780e(&["pdp-lost@10s"]);
    assert_eq!(text(host.wait(millis(10_000))), "\r\n+PDP: DEACT\r\n");
}

#[test]
fn the_first_command_of_a_boot_is_lost_between_two_rdy_as_in_a19() {
    let mut host = host_with(Settings::default().profile(Profile::air780e()).boot(Boot::Cold));
    assert!(text(host.wait(millis(1_500))).ends_with("\r\nRDY\r\n"));
    assert_eq!(host.write(b"ATE0\r\n"), b"", "a lost command has no echo");
    assert_eq!(text(host.wait(millis(739))), "");
    assert_eq!(text(host.wait(millis(1))), "\r\nRDY\r\n");
    ask(&mut host, "ATE0", OK);
}

#[test]
fn a_close_by_the_peer_is_reported_on_its_channel_as_in_a27() {
    let mut host = online(true);
    connect(&mut host, 3, "discard.test", 9);
    assert_eq!(order(&mut host, "close 3"), "\r\n3, CLOSED\r\n");
    assert!(!host.simulator().network().is_open(sim::last_link(&host)));
    ask(&mut host, "AT+CIPSEND=3,1", sim::NOT_ALLOWED);
}

#[test]
fn a_close_without_a_request_can_be_printed_as_in_a27() {
    let mut host = online(true);
    assert_eq!(order(&mut host, "urc 0, CLOSE OK"), "\r\n0, CLOSE OK\r\n");
    assert_eq!(order(&mut host, "fault urc=0, CLOSE OK@30s"), "");
    assert_eq!(text(host.wait(millis(30_000))), "", "the text waits for the next line");
    ask(&mut host, "AT", &format!("\r\n0, CLOSE OK\r\n{OK}"));
}

#[test]
fn an_error_can_replace_any_answer_as_in_a12() {
    for error in ["+CME ERROR: 3", "+CME ERROR: 10", "+CME ERROR: 65535", "ERROR"] {
        let mut host = host();
        order(&mut host, &format!("fault wrong-answer={error}"));
        ask(&mut host, "AT+CSQ", &format!("\r\n{error}\r\n"));
        ask(&mut host, "AT", OK);
    }
}

#[test]
fn two_lines_can_arrive_as_one_as_in_s02() {
    let mut host = host_with(Settings::default().echo(false));
    order(&mut host, "fault merge=to-host,22");
    assert_eq!(order(&mut host, "urc +CFUN: 1"), "");
    let answer = text(host.write(b"AT+CGATT?\r\n"));
    assert!(answer.starts_with("\r\n+CFUN: 1\r\n\r\n+CGATT: 1\r\n"), "{answer}");
}
