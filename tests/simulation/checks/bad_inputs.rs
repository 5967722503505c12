//! Small bad inputs, which each check has to refuse. They ensure that no check accepts everything.

use std::time::Duration;

use air724ug::proto::{Event, Response, Ticket};
use air724ug::sim::Direction;
use air724ug::time::Timestamp;
use air724ug::{CloseReason, Error, NotReady};

use super::*;
use crate::simulation::facts::{Outcome, PendingRequest, RequestKind, Send};
use crate::simulation::payload::Style;
use crate::simulation::rig::Rig;
use crate::simulation::script::{Act, Far, Wanted};

/// The facts of a run with one connection, whose application has given 100 bytes.
fn facts(wanted: Wanted, outcome: Outcome) -> Facts {
    let mut script = crate::simulation::script(Kind::Sound, 0);
    script.steps.clear();
    let mut rig = Rig::new(&script, false);
    let timeout = Duration::from_secs(300);
    rig.act(&Act::Connect { connection: 0, wanted, far: Far::Pushes, style: Style::Records, timeout });
    rig.run_for(timeout);
    let mut facts = rig.facts;
    assert!(facts.connections[0].id.is_some());
    facts.connections[0].sends.push(Send { from: 0, len: 100, outcome });
    facts
}

fn given(facts: &Facts) -> Vec<u8> {
    facts.connections[0].outgoing().bytes(0, 100)
}

/// Whether the check reports a broken promise.
fn refused(check: &mut dyn Check, facts: &Facts, seen: &Observation<'_>) -> bool {
    check.sees(facts, seen).is_err()
}

fn accepts(facts: &Facts, got: &[u8]) -> bool {
    !refused(&mut accepted::Accepted, facts, &Observation::End { got: &[got.to_vec()] })
}

fn asked(what: RequestKind) -> PendingRequest {
    PendingRequest { ticket: Ticket(1), what, asked_at: Timestamp::ZERO, due: Timestamp::from_secs(1) }
}

fn unconfirmed() -> Option<Error> {
    Some(Error::Closed(CloseReason::SendUnconfirmed))
}

#[test]
fn a_result_for_bytes_that_the_module_has_not_accepted_is_refused() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let data = given(&facts);
    let ask = asked(RequestKind::Send { connection: 0, send: 0 });
    let answer = Ok(Response::Sent { accepted: 100, data: data.clone() });
    facts.connections[0].taken = 99;
    assert!(refused(&mut accepted::Accepted, &facts, &Observation::Answered(&ask, &answer)));
    facts.connections[0].taken = 100;
    assert!(!refused(&mut accepted::Accepted, &facts, &Observation::Answered(&ask, &answer)));
    assert!(accepts(&facts, &data));
    assert!(!accepts(&facts, &data[..99]), "the peer lacks an accepted byte");
    facts.connections[0].is_gone = true;
    assert!(!accepts(&facts, &data[..99]), "the modem has reported the end");
    facts.may_lose_news = true;
    assert!(accepts(&facts, &data[..99]), "the connection died without a report");
}

#[test]
fn bytes_that_were_not_given_are_refused_and_carriage_returns_after_an_error_are_not() {
    let mut facts = facts(Wanted::Tcp, Outcome::Unknown(0));
    let data = given(&facts);
    let half = [&data[..40], &[b'\r'; 60]].concat();
    assert!(!accepts(&facts, &half), "the socket is open");
    facts.connections[0].ended = unconfirmed();
    assert!(accepts(&facts, &half));
    assert!(!accepts(&facts, &[&data[..40], b"AT+CIPQSEND?\r\n"].concat()), "a command");
    assert!(!accepts(&facts, &[&data[..40], &data[41..], b"<"].concat()), "a hole");
}

#[test]
fn a_piece_with_lost_bytes_and_filler_is_excused_and_similar_bytes_are_not() {
    let mut facts = facts(Wanted::Tcp, Outcome::Unknown(0));
    let data = given(&facts);
    facts.connections[0].pieces = vec![data.clone()];
    let filled = [&data[..40], &data[60..], &data[..20]].concat();
    facts.connections[0].ended = unconfirmed();
    assert!(!accepts(&facts, &filled), "no byte was lost on the line");
    facts.may_be_deaf = true;
    assert!(accepts(&facts, &filled));
    assert!(!accepts(&facts, &[&filled[..], b"<"].concat()), "the bytes are more than the piece");
    assert!(!accepts(&facts, &filled[..99]), "the bytes are fewer than the piece");
    assert!(!accepts(&facts, &[&data[..40], &data[60..80], &data[85..], &data[..25]].concat()), "two holes");
    assert!(!accepts(&facts, &[&data[..40], b"AT+CFUN=0\r\n", &data[60..]].concat()), "a command");
    let longer = [&data[..], &data[..8]].concat();
    assert!(!accepts(&facts, &longer));
    facts.damaged.push(Direction::FromHost);
    assert!(accepts(&facts, &longer), "the length was changed on the line");
    facts.connections[0].sends[0].outcome = Outcome::Unknown(1);
    assert!(!accepts(&facts, &filled), "a part of the piece was reported as accepted");
    facts.connections[0].sends[0].outcome = Outcome::Accepted(100);
    assert!(!accepts(&facts, &filled), "the piece was reported as accepted");
    facts.connections[0].sends[0].outcome = Outcome::Unknown(0);
    facts.connections[0].ended = None;
    assert!(!accepts(&facts, &filled), "the end was not reported");
    facts.connections[0].left = true;
    assert!(accepts(&facts, &filled), "the application has dropped the socket");
}

#[test]
fn a_datagram_of_carriage_returns_is_excused_if_a_send_of_its_length_has_failed() {
    let mut facts = facts(Wanted::Udp, Outcome::Unknown(0));
    let returns = [b'\r'; 100];
    assert!(accepts(&facts, &returns));
    assert!(!accepts(&facts, &returns[..99]), "another length");
    assert!(!accepts(&facts, &returns.repeat(2)), "there are two datagrams and one send");
    facts.connections[0].sends[0].outcome = Outcome::Accepted(100);
    assert!(!accepts(&facts, &returns), "the send was reported as accepted");
}

#[test]
fn a_datagram_with_filler_is_excused_if_its_send_has_failed() {
    let mut facts = facts(Wanted::Udp, Outcome::Unknown(0));
    let data = given(&facts);
    facts.connections[0].pieces = vec![data.clone()];
    let filled = [&data[..40], &data[41..], b"<"].concat();
    assert!(!accepts(&facts, &filled));
    facts.may_be_deaf = true;
    assert!(accepts(&facts, &filled));
    assert!(!accepts(&facts, &[&filled[..], &filled].concat()), "there are two datagrams of one send");
    facts.connections[0].sends[0].outcome = Outcome::Accepted(100);
    assert!(!accepts(&facts, &filled), "the failure was not reported");
}

#[test]
fn missing_bytes_without_an_error_and_wrong_bytes_are_refused() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let data = given(&facts);
    facts.connections[0].pushed = vec![32];
    facts.connections[0].read = facts.connections[0].incoming().bytes(0, 16);
    let end = [data];
    assert!(refused(&mut reported_holes::TypedErrors, &facts, &Observation::End { got: &end }));
    facts.connections[0].ended = unconfirmed();
    assert!(!refused(&mut reported_holes::TypedErrors, &facts, &Observation::End { got: &end }));
    let seen = Observation::Read { connection: 0, bytes: b"wrong" };
    assert!(refused(&mut prefix::Prefix, &facts, &seen));
    let other = Observation::Read { connection: 0, bytes: b"<P0007@00000016>" };
    assert!(refused(&mut peers::Peers, &facts, &other));
    let own = Observation::Read { connection: 0, bytes: b"<P0000@00000016>" };
    assert!(!refused(&mut peers::Peers, &facts, &own));
    assert!(!refused(&mut prefix::Prefix, &facts, &own));
    // A byte of another connection was changed.
    facts.damaged.push(Direction::ToHost);
    assert!(refused(&mut prefix::Prefix, &facts, &seen) && refused(&mut peers::Peers, &facts, &other));
    facts.connections[0].hurt.changed = 1;
    assert!(!refused(&mut prefix::Prefix, &facts, &seen) && !refused(&mut peers::Peers, &facts, &other));
    facts.connections[0].hurt.changed = 0;
    facts.may_hurt_all = true;
    assert!(!refused(&mut prefix::Prefix, &facts, &seen) && !refused(&mut peers::Peers, &facts, &other));
}

#[test]
fn a_failure_in_a_run_without_faults_is_refused() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let end = [given(&facts)];
    let ask = asked(RequestKind::Send { connection: 0, send: 0 });
    let answer = Err(Error::PortLost("gone".into()));
    assert!(refused(&mut exact::Exact, &facts, &Observation::Answered(&ask, &answer)));
    assert!(!refused(&mut exact::Exact, &facts, &Observation::End { got: &end }));
    facts.connections[0].ended = unconfirmed();
    assert!(refused(&mut exact::Exact, &facts, &Observation::End { got: &end }));
}

#[test]
fn a_late_answer_and_a_missing_answer_are_refused() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let (ask, answer) = (asked(RequestKind::Other), Ok(Response::Done));
    facts.now = ask.due;
    assert!(!refused(&mut in_time::InTime, &facts, &Observation::Answered(&ask, &answer)));
    facts.now = ask.due + Duration::from_nanos(1_000);
    assert!(refused(&mut in_time::InTime, &facts, &Observation::Answered(&ask, &answer)));
    let quiet = Observation::Quiet { unread: 0, queued: 0 };
    assert!(!refused(&mut in_time::InTime, &facts, &quiet));
    assert!(!refused(&mut waiters::Waiters, &facts, &Observation::PortLost));
    facts.waiting.push(ask);
    assert!(refused(&mut in_time::InTime, &facts, &quiet));
    assert!(refused(&mut waiters::Waiters, &facts, &Observation::PortLost));
}

#[test]
fn more_bytes_than_the_window_and_more_commands_than_the_limit_are_refused() {
    let facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let window = facts.script.world.window;
    let memory =
        |unread, queued| refused(&mut memory::Memory, &facts, &Observation::Quiet { unread, queued });
    assert!(!memory(window, 100));
    assert!(memory(window + 1, 0));
    assert!(memory(0, 101));
    let mut pace = pace::Pace::default();
    let mut refused_of = |count: usize| {
        let commands = (0..count).map(|_| refused(&mut pace, &facts, &Observation::Wrote(b"AT\r\n")));
        commands.filter(|refused| *refused).count()
    };
    assert_eq!(refused_of(100), 100 - 75);
    // Two starts of the module in a second allow more commands, and a third one does not.
    let mut pace = pace::Pace::default();
    assert!(!refused(&mut pace, &facts, &Observation::Wrote(b"AT\r\n")));
    for _ in 0..3 {
        assert!(!refused(&mut pace, &facts, &Observation::Event(&Event::Restarted)));
    }
    let commands = (1..300).map(|_| refused(&mut pace, &facts, &Observation::Wrote(b"AT\r\n")));
    assert_eq!(commands.filter(|refused| *refused).count(), 300 - 3 * 75);
    // One loss of the bearer allows the steps of the network, and a second one no more.
    let mut pace = pace::Pace::default();
    assert!(!refused(&mut pace, &facts, &Observation::Wrote(b"AT\r\n")));
    for _ in 0..2 {
        let lost = Event::NotReady(NotReady::BearerLost);
        assert!(!refused(&mut pace, &facts, &Observation::Event(&lost)));
    }
    let commands = (1..100).map(|_| refused(&mut pace, &facts, &Observation::Wrote(b"AT\r\n")));
    assert_eq!(commands.filter(|refused| *refused).count(), 100 - 75 - 14);
}

#[test]
fn a_visible_secret_and_a_run_without_recovery_are_refused() {
    let facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let shown = Event::Dropped(format!("AT+CPIN={}", facts.secrets[0]));
    assert!(refused(&mut secrets::Secrets, &facts, &Observation::Event(&shown)));
    let hidden = Event::Dropped("AT+CPIN=***".to_owned());
    assert!(!refused(&mut secrets::Secrets, &facts, &Observation::Event(&hidden)));
    assert!(refused(&mut recovers::Recovers, &facts, &Observation::Recovered(Err("silent"))));
    assert!(!refused(&mut recovers::Recovers, &facts, &Observation::Recovered(Ok(()))));
}

#[test]
fn damage_on_a_sound_line_is_refused() {
    let mut facts = facts(Wanted::Tcp, Outcome::Open);
    let id = facts.connections[0].id.unwrap();
    let fault = Event::Fault(air724ug::at::Fault::Garbage);
    let closed = |reason| Event::Closed(id, Some(reason));
    let refuses = |facts: &Facts, event: &Event| {
        refused(&mut undamaged::Undamaged::default(), facts, &Observation::Event(event))
    };
    assert!(refuses(&facts, &fault));
    assert!(refuses(&facts, &closed(CloseReason::Damaged)));
    assert!(!refuses(&facts, &closed(CloseReason::Peer)));
    facts.may_cut_bodies = true;
    assert!(!refuses(&facts, &fault));
}

#[test]
fn missing_pushed_bytes_are_excused_only_if_the_host_received_no_sign_of_them() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    facts.script.world.mode = air724ug::ReceiveMode::Push;
    facts.connections[0].pushed = vec![32];
    facts.connections[0].read = facts.connections[0].incoming().bytes(0, 16);
    facts.damaged.push(Direction::ToHost);
    facts.host_bytes = Default::default();
    facts.host_bytes.may_be_damaged();
    let end = [given(&facts)];
    let refuses =
        |facts: &Facts| refused(&mut reported_holes::TypedErrors, facts, &Observation::End { got: &end });
    facts.host_bytes.add(facts.now, b"\r\n+CREG: 1\r\n", false);
    assert!(!refuses(&facts), "a whole frame is missing");
    facts.script.world.mode = air724ug::ReceiveMode::Manual;
    assert!(refuses(&facts), "fetched data were announced");
    facts.script.world.mode = air724ug::ReceiveMode::Push;
    facts.host_bytes.add(facts.now, b"\r\n+RECEIVE,0,20:\r\nabc\r\n", false);
    assert!(refuses(&facts), "the body is incomplete");
}

#[test]
fn missing_bytes_at_an_end_by_the_peer_are_excused_only_if_something_happened_to_the_connection() {
    for wanted in [Wanted::Tcp, Wanted::Transparent] {
        let mut facts = facts(wanted, Outcome::Accepted(100));
        facts.connections[0].pushed = vec![32];
        facts.connections[0].read = facts.connections[0].incoming().bytes(0, 16);
        facts.connections[0].ended = Some(Error::Closed(CloseReason::Peer));
        let end = [given(&facts)];
        let refuses =
            |facts: &Facts| refused(&mut reported_holes::TypedErrors, facts, &Observation::End { got: &end });
        assert!(refuses(&facts), "{wanted:?}");
        facts.resets_begin();
        assert!(refuses(&facts), "{wanted:?}: it had ended by then");
        facts.connections[0].ended = None;
        facts.resets_begin();
        facts.connections[0].ended = Some(Error::Closed(CloseReason::Peer));
        assert!(!refuses(&facts), "{wanted:?}");
    }
}

#[test]
fn an_echo_returns_only_datagrams_that_it_has_received() {
    let mut facts = facts(Wanted::Udp, Outcome::Unknown(0));
    facts.connections[0].far = Far::Echo;
    facts.connections[0].read = b"filled".to_vec();
    facts.connections[0].datagrams = vec![6];
    let refuses = |facts: &Facts, got: &[u8]| {
        refused(&mut reported_holes::TypedErrors, facts, &Observation::End { got: &[got.to_vec()] })
    };
    assert!(refuses(&facts, b"filled"), "no byte was lost on the way to the modem");
    facts.may_be_deaf = true;
    assert!(!refuses(&facts, b"filled"));
    assert!(refuses(&facts, b"fillet"));
}

#[test]
fn an_echo_that_has_left_must_send_the_bytes_it_had_received() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let data = given(&facts);
    facts.connections[0].far = Far::Echo;
    facts.connections[0].read = data[..40].to_vec();
    let end = [data];
    assert!(refused(&mut reported_holes::TypedErrors, &facts, &Observation::End { got: &end }));
    facts.connections[0].echoed = Some(40);
    assert!(!refused(&mut reported_holes::TypedErrors, &facts, &Observation::End { got: &end }));
    facts.connections[0].echoed = Some(41);
    assert!(refused(&mut reported_holes::TypedErrors, &facts, &Observation::End { got: &end }));
}

#[test]
fn a_close_command_in_the_payload_is_excused_after_lost_bytes_and_other_commands_are_not() {
    let mut facts = facts(Wanted::Tcp, Outcome::Unknown(0));
    facts.connections[0].ended = unconfirmed();
    facts.may_be_deaf = true;
    assert!(accepts(&facts, b"AT+CIPCLOSE=0\r\nAT+CIPQSEND?\r\nAT+CIPC"));
    assert!(!accepts(&facts, b"AT+CIPCLOSE=9\r\n"));
    assert!(!accepts(&facts, b"AT+CFUN=0\r\n"));
    facts.connections[0].ended = None;
    assert!(!accepts(&facts, b"AT+CIPCLOSE=0\r\n"), "the end was not reported");
}

#[test]
fn a_question_in_the_payload_is_excused_after_a_doubled_result_and_a_late_prompt() {
    let mut facts = facts(Wanted::Tcp, Outcome::Unknown(0));
    facts.connections[0].ended = unconfirmed();
    let piece = facts.connections[0].outgoing().bytes(0, 100);
    let got = [b"AT+CIPQSEND?\r\n", &piece[..50]].concat();
    facts.connections[0].pieces.push(piece);
    facts.may_double_answers = true;
    assert!(!accepts(&facts, &got) && !accepts(&facts, b"A"));
    facts.may_delay_answers = true;
    assert!(accepts(&facts, &got) && accepts(&facts, b"A"));
    assert!(!accepts(&facts, b"AT+CFUN=0\r\n"));
    facts.connections[0].ended = None;
    assert!(!accepts(&facts, &got), "the end was not reported");
}

#[test]
fn a_question_in_the_payload_is_excused_after_lost_filler_unless_the_piece_was_reported_as_accepted() {
    let mut facts = facts(Wanted::Tcp, Outcome::Unknown(0));
    facts.connections[0].ended = unconfirmed();
    let piece = facts.connections[0].outgoing().bytes(0, 100);
    let got = [b"AT+CIPQSEND?\r\n", &piece[..50]].concat();
    let tail = [&piece[60..], b"\r\nAT+CIPQSEND?\r\nAT+CIP"].concat();
    // It begins with bytes that the piece begins with, too.
    let alike = [&piece[64..], b"\r\nAT+CIPQSEND?\r\n"].concat();
    let strange = [&piece[60..], b"\r\nAT+CFUN=0\r\n"].concat();
    let begun = |begin: usize| [&piece[..begin], &piece[60..], b"\r\nAT+CIPQSEND?\r\n"].concat();
    let (begun, too_long) = (begun(20), begun(50));
    facts.connections[0].pieces.push(piece);
    assert!(!accepts(&facts, &begun), "no byte was lost on the way to the modem");
    assert!(!accepts(&facts, &got) && !accepts(&facts, &tail), "no byte was lost on the way to the modem");
    facts.may_be_deaf = true;
    assert!(accepts(&facts, &got) && accepts(&facts, &tail) && !accepts(&facts, &strange));
    assert!(accepts(&facts, &alike) && accepts(&facts, &begun) && !accepts(&facts, &too_long));
    facts.connections[0].sends[0].outcome = Outcome::Unknown(1);
    assert!(!accepts(&facts, &got), "a part of the piece was reported as accepted");
    facts.connections[0].sends[0].outcome = Outcome::Accepted(100);
    assert!(!accepts(&facts, &got), "the piece was reported as accepted");
    facts.connections[0].sends[0].outcome = Outcome::Unknown(0);
    facts.connections[0].ended = None;
    assert!(!accepts(&facts, &got), "the end was not reported");
}

#[test]
fn missing_bytes_of_a_connection_that_died_without_a_report_are_excused_unless_the_host_had_them() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let end = [given(&facts)];
    let refuses =
        |facts: &Facts| refused(&mut reported_holes::TypedErrors, facts, &Observation::End { got: &end });
    facts.connections[0].pushed = vec![64];
    facts.connections[0].read = facts.connections[0].incoming().bytes(0, 16);
    facts.connections[0].is_gone = true;
    assert!(refuses(&facts), "the modem has reported the end");
    facts.may_lose_news = true;
    assert!(!refuses(&facts));
    let frame = [b"\r\n+RECEIVE,0,48:\r\n", &facts.connections[0].incoming().bytes(16, 48)[..]].concat();
    facts.host_bytes.add(facts.now, &frame, false);
    assert!(refuses(&facts), "the bytes have reached the host");
}

#[test]
fn each_request_allows_one_connect_and_further_ones_are_counted() {
    let facts = facts(Wanted::Tcp, Outcome::Open);
    let mut pace = pace::Pace::default();
    let connects =
        (0..100).map(|_| refused(&mut pace, &facts, &Observation::Wrote(b"AT+CIPSTART=0,\"TCP\"\r\n")));
    assert_eq!(connects.filter(|refused| *refused).count(), 100 - 75 - 1);
}

#[test]
fn stream_data_among_text_are_no_damage_and_other_long_lines_are() {
    let mut facts = facts(Wanted::Tcp, Outcome::Open);
    let id = facts.connections[0].id.unwrap();
    let long = Observation::Event(&Event::Fault(air724ug::at::Fault::LineTooLong));
    let ended = Event::Closed(id, Some(CloseReason::ResumeUnanswered));
    let mut undamaged = undamaged::Undamaged::default();
    assert!(refused(&mut undamaged, &facts, &long));
    assert!(!refused(&mut undamaged, &facts, &Observation::Event(&ended)));
    assert!(!refused(&mut undamaged, &facts, &long));
    let garbage = Observation::Event(&Event::Fault(air724ug::at::Fault::Garbage));
    assert!(refused(&mut undamaged, &facts, &garbage));
    facts.may_reset = true;
    facts.host_bytes.add(Timestamp::ZERO, b"AT+CIPSEND=?\r", false);
    assert!(refused(&mut undamaged, &facts, &garbage));
    facts.host_bytes.add(Timestamp::ZERO, b"AT+CIPSEND=0,5\r", false);
    assert!(!refused(&mut undamaged, &facts, &garbage), "the payload is echoed as well");
    let header = Observation::Event(&Event::Fault(air724ug::at::Fault::UnreadableHeader));
    assert!(!refused(&mut undamaged, &facts, &header), "an echoed payload may contain anything");
    assert!(refused(&mut undamaged::Undamaged::default(), &facts, &long));
}

#[test]
fn a_module_taken_for_another_one_is_refused() {
    let mut facts = facts(Wanted::Tcp, Outcome::Accepted(100));
    let ready = Event::Ready(None);
    let is_ready = Observation::Event(&ready);
    let other = Event::OtherModule { before: facts.imei.clone() };
    assert_eq!(facts.identified, facts.imei);
    let mut check = identity::KnownModule::default();
    assert!(!refused(&mut check, &facts, &is_ready));
    assert!(refused(&mut check, &facts, &Observation::Event(&other)), "the module is the same");
    facts.imei = "860000000000017".to_owned();
    assert!(refused(&mut check, &facts, &is_ready), "not known");
    facts.identified.clone_from(&facts.imei);
    assert!(refused(&mut check, &facts, &is_ready), "not reported");
    let mut check = identity::KnownModule::default();
    facts.imei = "860000000000009".to_owned();
    facts.identified.clone_from(&facts.imei);
    assert!(!refused(&mut check, &facts, &is_ready));
    facts.imei = "860000000000017".to_owned();
    facts.identified.clone_from(&facts.imei);
    assert!(!refused(&mut check, &facts, &Observation::Event(&other)));
    assert!(!refused(&mut check, &facts, &is_ready));
}
