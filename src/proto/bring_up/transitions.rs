//! The transitions of bring-up: every step and every result.

use std::time::Duration;

use crate::at::Refusal;
use crate::config::{Config, Credentials};
use crate::error::NotReady;
use crate::proto::session::Failure;
use crate::proto::transition_table;
use crate::time::Timestamp;

use super::{BringUp, BringUpStep, Plan};

const NOW: Timestamp = Timestamp::from_secs(100);

/// A bring-up whose command of this step is in flight.
fn at(step: BringUpStep) -> BringUp {
    let mut bring_up = BringUp::new(Config::default(), Credentials::default());
    (bring_up.step, bring_up.plan) = (step, Plan::SetUp);
    bring_up
}

/// The next step, and its pause.
fn name(bring_up: &BringUp) -> String {
    let lost = if bring_up.lost { ", lost" } else { "" };
    match bring_up.due_at {
        Timestamp::MAX => format!("{}{lost}", bring_up.step),
        NOW => format!("> {}{lost}", bring_up.step),
        at => format!("> {}{lost} in {:?}", bring_up.step, at - NOW),
    }
}

/// The lines of a module that is fine, before their `OK`.
fn usual(step: BringUpStep) -> Vec<String> {
    let line = match step {
        BringUpStep::Identity => "AirM2M_720U_V510_LTE_AT",
        BringUpStep::SerialNumber => "866714041234567",
        BringUpStep::Radio => "+CFUN: 1",
        BringUpStep::Sim => "+CPIN: READY",
        BringUpStep::Signal => "+CSQ: 24,0",
        BringUpStep::LteRegistration => "+CEREG: 0,1",
        BringUpStep::PacketRegistration => "+CGREG: 0,1",
        BringUpStep::CircuitRegistration => "+CREG: 0,1",
        BringUpStep::Attach => "+CGATT: 1",
        BringUpStep::IpStatus => "STATE: IP INITIAL",
        BringUpStep::QuickSendState => "+CIPQSEND: 1",
        BringUpStep::ReceiveState => "+CIPRXGET: 0",
        BringUpStep::Address => "10.0.0.1",
        BringUpStep::Channels => "+CIPSEND: <0-7>,<length>",
        _ => return Vec::new(),
    };
    vec![line.to_owned()]
}

#[test]
fn every_transition_is_as_the_table_says() {
    transition_table::check::<BringUp, _>(
        "
        | state | its usual answer | OK alone | ERROR | no answer | news of a lost bearer | the bearer is gone | the module restarts | the module answers |
        | wake | - | - | - | - | - | > radio | - | > echo off |
        | echo off | > error codes | > error codes | > error codes | > error codes | - | > radio | wake | > echo off |
        | error codes | > line rate | > line rate | > line rate | > line rate | - | > radio | wake | > echo off |
        | line rate | > flow control | > flow control | > flow control | > flow control | - | > radio | wake | > echo off |
        | flow control | > identity | > identity | > identity | > identity | - | > radio | wake | > echo off |
        | identity | > serial number | > serial number | > serial number | > serial number | - | > radio | wake | > echo off |
        | serial number | > radio | > radio | > radio | > radio | - | > radio | wake | > echo off |
        | radio | > SIM | > SIM | > SIM | > SIM | - | > radio | wake | > echo off |
        | radio on | > SIM in 500ms | > SIM in 500ms | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | SIM | > signal | > radio in 500ms | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | PIN | > SIM in 500ms | > SIM in 500ms | > SIM in 500ms | > SIM in 500ms | - | > radio | wake | > echo off |
        | signal | > LTE registration | > LTE registration | > LTE registration | > LTE registration | - | > radio | wake | > echo off |
        | LTE registration | > packet registration | > packet registration | > packet registration | > packet registration | - | > radio | wake | > echo off |
        | packet registration | > circuit registration | > circuit registration | > circuit registration | > circuit registration | - | > radio | wake | > echo off |
        | circuit registration | > attach | > attach | > attach | > attach | - | > radio | wake | > echo off |
        | attach | > IP status | > radio in 500ms | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | IP status | > quick send state | > quick send state | > quick send state | > quick send state | - | > radio | wake | > echo off |
        | quick send state | > receive mode state | > receive mode state | > receive mode state | > receive mode state | - | > radio | wake | > echo off |
        | receive mode state | > shut down old connections | > shut down old connections | > shut down old connections | > shut down old connections | - | > radio | wake | > echo off |
        | shut down old connections | > command mode in 2s | > command mode in 2s | > command mode in 2s | > radio in 500ms | - | > radio | wake | > echo off |
        | command mode | > multiple connections | > multiple connections | > multiple connections | > multiple connections | - | > radio | wake | > echo off |
        | multiple connections | > single connection | > single connection | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | single connection | > transparent mode | > transparent mode | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | transparent mode | > transparent packets | > transparent packets | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | transparent packets | > no TLS | > no TLS | > no TLS | > no TLS | - | > radio | wake | > echo off |
        | no TLS | > quick send | > quick send | > quick send | > quick send | - | > radio | wake | > echo off |
        | quick send | > receive mode | > receive mode | > receive mode | > receive mode | - | > radio | wake | > echo off |
        | receive mode | > receive header | > receive header | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | receive header | > send prompt | > send prompt | > send prompt | > send prompt | - | > radio | wake | > echo off |
        | send prompt | > raw receive | > raw receive | > raw receive | > raw receive | - | > radio | wake | > echo off |
        | raw receive | > senders | > senders | > senders | > senders | - | > radio | wake | > echo off |
        | senders | > bearer settings | > bearer settings | > bearer settings | > bearer settings | - | > radio | wake | > echo off |
        | bearer settings | > bearer | > bearer | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | bearer | > address | > address | > radio in 500ms | > radio in 500ms | - | > radio | wake | > echo off |
        | address | > channels | > radio in 500ms | > radio in 500ms | > radio in 500ms | address, lost | > radio | wake | > echo off |
        | channels | > ready | > ready | > ready | > ready | channels, lost | > radio | wake | > echo off |
        | ready | - | - | - | - | ready, lost | > radio | wake | > echo off |",
        || BringUpStep::ALL.map(at).into(),
        &[
            ("its usual answer", |it| it.finished(NOW, &Ok(usual(it.step)))),
            ("OK alone", |it| it.finished(NOW, &Ok(Vec::new()))),
            ("ERROR", |it| it.finished(NOW, &Err(Failure::Refused(Refusal::Error)))),
            ("no answer", |it| it.finished(NOW, &Err(Failure::Timeout))),
            ("news of a lost bearer", BringUp::bearer_news),
            ("the bearer is gone", |it| it.bearer_lost(NOW)),
            ("the module restarts", |it| it.reset(NotReady::Starting)),
            ("the module answers", |it| it.begin(NOW)),
        ],
        name,
    );
}

#[test]
fn a_bearer_that_was_lost_on_the_way_is_brought_up_again() {
    let mut bring_up = at(BringUpStep::Channels);
    bring_up.bearer_news();
    bring_up.finished(NOW, &Ok(usual(BringUpStep::Channels)));
    assert_eq!(name(&bring_up), "> radio");
}

#[test]
fn questions_are_asked_more_slowly_after_the_first_half_minute() {
    let mut bring_up = at(BringUpStep::Attach);
    let mut asked = Duration::ZERO;
    while name(&bring_up) != "> radio in 5s" {
        bring_up.step = BringUpStep::Attach;
        bring_up.finished(NOW, &Ok(vec!["+CGATT: 0".to_owned()]));
        asked += bring_up.due_at - NOW;
        assert!(asked < Duration::from_secs(60));
    }
    assert_eq!(asked, Duration::from_secs(35));
}
