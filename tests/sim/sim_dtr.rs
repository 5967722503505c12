//! The DTR line of the host: its effect on transparent data under `AT&D`, and on sleep under `AT+CSCLK=1`.

use std::time::Duration;

use crate::support::sim::{Host, OK, ask, host, push, received, text, type_bytes};
use air724ug::sim::{Control, ModemEvent};

/// A host with a transparent connection, DTR on, and seven bytes sent.
fn transparent(settings: &[&str]) -> Host {
    let mut host = host();
    for command in settings {
        ask(&mut host, command, OK);
    }
    ask(&mut host, "AT+CIPMODE=1", OK);
    ask(&mut host, "AT+CIPSTART=\"TCP\",\"60.166.18.9\",7500", "\r\nOK\r\n\r\nCONNECT\r\n");
    assert_eq!(host.control(Control::Dtr(true)), b"");
    type_bytes(&mut host, "ABCDEFG", "");
    host
}

#[test]
fn dtr_off_returns_to_command_mode_and_keeps_the_connection() {
    for settings in [&[][..], &["AT&D1"], &["AT&D2", "AT&F"]] {
        let mut host = transparent(settings);
        assert_eq!(text(host.control(Control::Dtr(false))), OK, "{settings:?}");
        assert_eq!(received(&host), b"ABCDEFG", "the partial packet was sent");
        ask(&mut host, "AT", OK);
        ask(&mut host, "ATO", "\r\nCONNECT\r\n");
        assert_eq!(push(&mut host, b"12"), "12");
    }
}

#[test]
fn pluses_before_the_guard_time_are_data_when_dtr_goes_off() {
    let mut host = transparent(&[]);
    host.wait(Duration::from_secs(1));
    type_bytes(&mut host, "+++", "");
    assert_eq!(text(host.control(Control::Dtr(false))), OK);
    assert_eq!(text(host.wait(Duration::from_secs(2))), "", "the escape happens once");
    assert_eq!(received(&host), b"ABCDEFG+++");
}

#[test]
fn dtr_off_can_end_the_connection() {
    let mut host = transparent(&["AT&D2"]);
    assert_eq!(text(host.control(Control::Dtr(false))), "\r\nCLOSED\r\n");
    assert_eq!(received(&host), b"ABCDEFG");
    ask(&mut host, "ATO", "\r\nNO CARRIER\r\n");
}

#[test]
fn dtr_off_can_have_no_effect() {
    for ignoring in ["AT&D0", "AT&D"] {
        let mut host = transparent(&[ignoring]);
        assert_eq!(text(host.control(Control::Dtr(false))), "");
        type_bytes(&mut host, "HI", "");
        host.wait(Duration::from_secs(1));
        assert_eq!(received(&host), b"ABCDEFGHI");
    }
}

#[test]
fn only_a_dtr_line_that_was_on_goes_off() {
    let mut host = transparent(&[]);
    host.control(Control::Dtr(false));
    ask(&mut host, "ATO", "\r\nCONNECT\r\n");
    assert_eq!(text(host.control(Control::Dtr(false))), "");
    type_bytes(&mut host, "HI", "");
    host.wait(Duration::from_secs(1));
    assert_eq!(received(&host), b"ABCDEFGHI");
}

#[test]
fn dtr_keeps_the_modem_awake_only_in_sleep_mode_1() {
    let mut host = host();
    host.control(Control::Dtr(true));
    ask(&mut host, "AT+CSCLK=1", OK);
    host.wait(Duration::from_secs(60));
    ask(&mut host, "AT", OK);
    host.control(Control::Dtr(false));
    host.wait(Duration::from_secs(2));
    assert_eq!(host.modem_events().last(), Some(&ModemEvent::Asleep(true)));
    host.control(Control::Dtr(true));
    host.wait(Duration::from_millis(149));
    assert_eq!(host.write(b"AT\r\n"), b"", "the modem still wakes up");
    host.wait(Duration::from_millis(1));
    ask(&mut host, "AT+CSCLK=2", OK);
    host.wait(Duration::from_secs(2));
    assert_eq!(host.modem_events().last(), Some(&ModemEvent::Asleep(true)), "in mode 2 DTR has no effect");
}
