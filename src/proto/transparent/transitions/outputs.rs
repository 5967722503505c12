//! The outputs of the transparent stream, and their moments.

use super::*;
use crate::error::Error;
use crate::proto::Deadline;
use crate::proto::channels::Piece;

const CREG: &[u8] = b"\r\n+CREG: 1\r\n";

impl Walk {
    /// After a span without an input.
    fn after(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self.stream.settle(self.now, |_| {});
        self.handle(StreamInput::Expired);
        self
    }

    fn write(&mut self, bytes: &[u8], more: bool, is_heartbeat: bool) -> usize {
        let written = self.stream.write(self.now, Some(Piece { bytes, more, is_heartbeat }));
        self.stream.port_took(self.now);
        written
    }

    /// The question after an escape is answered, with these numbers of result codes too many.
    fn prove(&mut self, extra_finals: u8, extra_oks: u8) {
        let finished = Finished { extra_finals, extra_oks, ..finished(Ok(Vec::new())) };
        self.stream.finished(self.now, &finished, &self.facts);
        self.drive();
    }

    /// The outputs since the last call.
    fn taken(&mut self) -> Vec<StreamAction> {
        std::mem::take(&mut self.actions)
    }

    fn deadline_after(&self, begin: Timestamp) -> Option<(Duration, Deadline)> {
        self.stream.deadline().map(|(at, reason)| (at - begin, reason))
    }
}

/// The reason of the end among these outputs.
fn end_of(actions: &[StreamAction]) -> Option<CloseReason> {
    actions.iter().find_map(|action| match action {
        StreamAction::End(End::Closed(reason)) => Some(*reason),
        _ => None,
    })
}

fn written(actions: &[StreamAction]) -> Vec<&[u8]> {
    let bytes = actions.iter().map(|action| match action {
        StreamAction::Write(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    bytes.flatten().collect()
}

fn payload(actions: &[StreamAction]) -> Vec<u8> {
    let bytes = actions.iter().map(|action| match action {
        StreamAction::Payload(bytes) => bytes.as_slice(),
        _ => &[],
    });
    bytes.flatten().copied().collect()
}

/// The error with which this request was answered.
fn error_for(actions: &[StreamAction], wanted: Ticket) -> Option<&Error> {
    actions.iter().find_map(|action| match action {
        StreamAction::Answer(ticket, Err(error)) if *ticket == wanted => Some(error),
        _ => None,
    })
}

#[test]
fn an_escape_is_written_after_1100_ms_of_silence_and_has_1500_ms_for_its_answer() {
    let mut walk = Walk::online().and(|it| it.want(Mode::Command));
    let begin = walk.now;
    assert_eq!(walk.deadline_after(begin), Some((Duration::from_millis(1_100), Deadline::Guard)));
    walk.taken();
    assert_eq!(written(&walk.after(1_099).taken()), [&b""[..]; 0]);
    assert_eq!(written(&walk.after(1).taken()), [b"+++"]);
    walk.stream.port_took(walk.now);
    let begin = walk.now;
    assert_eq!(walk.deadline_after(begin), Some((Duration::from_millis(1_500), Deadline::Escape)));
    assert_eq!(written(&walk.after(1_499).taken()), [&b""[..]; 0]);
    assert_eq!(written(&walk.after(1).taken()), [b"+++"], "the line was silent meanwhile");
}

#[test]
fn an_ok_is_the_answer_to_an_escape_from_400_ms_on() {
    for (millis, state) in [(399, "escaping"), (400, "proving")] {
        let mut walk = Walk::escaping();
        walk.now += Duration::from_millis(millis);
        walk.receive(b"\r\nOK\r\n");
        walk.after(300);
        assert_eq!(walk.name(), state, "after {millis} ms");
    }
}

#[test]
fn a_port_that_takes_no_byte_for_a_minute_ends_the_stream() {
    let mut walk = Walk::online().and(|it| it.want(Mode::Command));
    let begin = walk.now;
    walk.stream.wire.wrote(walk.now, b"x");
    assert_eq!(walk.deadline_after(begin), Some((Duration::from_secs(60), Deadline::Guard)));
    for (millis, state) in [(59_999, "guarding"), (1, "recovering")] {
        walk.now += Duration::from_millis(millis);
        while walk.stream.drive(walk.now, &walk.facts) == StepOutcome::Again {}
        assert_eq!(walk.name(), state);
    }
    walk.take();
    assert_eq!(end_of(&walk.taken()), Some(CloseReason::EscapeUnanswered));
}

#[test]
fn pieces_have_4096_bytes_and_a_third_plus_waits_with_a_deadline() {
    let mut walk = Walk::online();
    assert_eq!(walk.stream.write(walk.now, None), 0);
    assert_eq!(walk.write(&[b'x'; 10_000], false, false), 4_096);
    walk.now += Duration::from_secs(5);
    assert_eq!(walk.write(b"+++", true, false), 3, "more follows");
    walk.now += Duration::from_secs(5);
    assert_eq!(walk.write(b"+++", false, false), 2);
    assert_eq!(walk.write(b"+", false, false), 0);
    let begin = walk.now;
    assert_eq!(walk.deadline_after(begin), Some((Duration::from_millis(750), Deadline::Guard)));
}

#[test]
fn the_echo_of_a_heartbeat_alone_is_suspicious() {
    for (is_heartbeat, state) in [(true, "suspecting"), (false, "online")] {
        let mut walk = Walk::online();
        assert_eq!(walk.write(b"data", false, is_heartbeat), 4);
        walk.receive(b"data");
        assert_eq!(walk.name(), state);
    }
}

#[test]
fn lines_that_come_before_an_unanswered_escape_are_kept() {
    let mut walk = Walk::escaping();
    walk.receive(CREG);
    walk.after(1_500);
    walk.stream.port_took(walk.now);
    assert_eq!((walk.name(), payload(&walk.taken())), ("escaping", Vec::new()));
    walk.escaped();
    assert_eq!((walk.name(), payload(&walk.taken())), ("proving", CREG.to_vec()));
}

#[test]
fn a_line_end_is_written_before_the_question_after_an_unanswered_escape() {
    let mut walk = Walk::escaping();
    walk.taken();
    walk.escaped();
    assert_eq!(written(&walk.taken()), [&b""[..]; 0]);
    let mut walk = Walk::escaping();
    walk.after(1_500);
    walk.stream.port_took(walk.now);
    walk.taken();
    walk.escaped();
    assert_eq!(written(&walk.taken()), [b"\r\n"]);
}

#[test]
fn each_unanswered_escape_explains_one_late_result_code() {
    for unanswered in 0..3 {
        let mut walk = Walk::escaping();
        for _ in 0..unanswered {
            walk.after(1_500);
            walk.stream.port_took(walk.now);
        }
        walk.escaped();
        walk.prove(0, 0);
        assert_eq!(walk.name(), "command");
        walk.taken();
        for _ in 0..unanswered {
            walk.handle(StreamInput::Stray(b"OK"));
            assert_eq!(end_of(&walk.taken()), None, "{unanswered} escapes");
        }
        walk.handle(StreamInput::Stray(b"OK"));
        assert_eq!(end_of(&walk.taken()), Some(CloseReason::DataInCommandMode), "{unanswered} escapes");
    }
}

#[test]
fn two_answers_after_an_unanswered_escape_make_an_uncertain_end() {
    for (news, held) in [(&b""[..], 6), (CREG, 18)] {
        let mut walk = Walk::escaping();
        walk.after(1_500);
        walk.stream.port_took(walk.now);
        walk.now += Duration::from_millis(600);
        walk.receive(&[b"\r\nOK\r\n", news].concat());
        walk.after(400);
        walk.taken();
        walk.prove(1, 1);
        assert_eq!(end_of(&walk.taken()), Some(CloseReason::EndUncertain { held }));
    }
}

#[test]
fn an_answer_before_the_true_one_is_payload_with_the_lines_after_it() {
    for (before, is_given) in [(&b""[..], true), (b"\r\nCLOSED\r\n", false)] {
        let mut walk = Walk::escaping();
        walk.now += Duration::from_millis(600);
        walk.receive(&[before, b"\r\nOK\r\n", CREG].concat());
        walk.after(400);
        walk.taken();
        walk.prove(1, 1);
        let expected = if is_given { [b"\r\nOK\r\n", CREG].concat() } else { Vec::new() };
        assert_eq!(payload(&walk.taken()), expected, "{}", before.escape_ascii());
        assert_eq!(walk.name(), "command");
    }
}

#[test]
fn a_line_that_ends_it_stays_held_until_data_mode_is_back_unless_the_socket_has_ended() {
    let mut walk = Walk::escaping().and(|it| it.receive(b"\r\nCLOSED\r\n")).and(Walk::escaped);
    walk.taken();
    walk.prove(0, 0);
    assert_eq!(payload(&walk.taken()), b"");
    walk.want(Mode::Data);
    walk.command_is_due();
    walk.finish(Ok(Vec::new()));
    assert_eq!(payload(&walk.taken()), b"\r\nCLOSED\r\n");
    let mut walk = Walk::escaping().and(|it| it.receive(b"\r\nCLOSED\r\n")).and(Walk::escaped);
    walk.socket_ends(CloseReason::Local);
    walk.taken();
    walk.prove(0, 0);
    assert_eq!(payload(&walk.taken()), b"\r\nCLOSED\r\n");
}

#[test]
fn an_unanswered_return_is_the_reason_whatever_is_held() {
    let resuming = || {
        let mut walk = Walk::escaping().and(|it| it.receive(b"\r\nCLOSED\r\n")).and(Walk::escaped);
        walk.prove(0, 0);
        walk.want(Mode::Data);
        walk.command_is_due();
        assert_eq!(walk.name(), "resuming");
        walk.taken();
        walk
    };
    let mut walk = resuming();
    walk.finish(Err(Failure::Timeout));
    assert_eq!(end_of(&walk.taken()), Some(CloseReason::ResumeUnanswered));
    let mut walk = resuming();
    walk.finish(Err(Failure::Refused(Refusal::NoCarrier)));
    assert_eq!(end_of(&walk.taken()), Some(CloseReason::Peer));
}

#[test]
fn the_end_of_a_call_in_command_mode_is_the_end_and_other_result_codes_are_data() {
    for (line, reason) in [
        (&b"NO CARRIER"[..], Some(CloseReason::Reset)),
        (b"OK", Some(CloseReason::DataInCommandMode)),
        (b"SHUT OK", Some(CloseReason::DataInCommandMode)),
        (b"+CREG: 1", None),
    ] {
        let mut walk = Walk::command();
        walk.taken();
        walk.handle(StreamInput::Stray(line));
        assert_eq!(end_of(&walk.taken()), reason, "{}", line.escape_ascii());
    }
}

#[test]
fn lines_are_kept_while_a_question_proves_the_mode_and_read_then() {
    let mut walk = Walk::escaping().and(Walk::escaped);
    assert!(walk.stream.keeps(b"+CREG: 1"));
    walk.taken();
    walk.prove(0, 0);
    let read = |actions: &[StreamAction]| {
        actions.iter().any(|action| matches!(action, StreamAction::Read(bytes) if bytes == b"+CREG: 1\r\n"))
    };
    assert!(read(&walk.taken()));
    assert!(!walk.stream.keeps(b"+CREG: 1") && walk.stream.wire.news.is_empty());
}

#[test]
fn requests_end_when_their_time_is_over_and_not_before() {
    let before = TIMEOUT - Duration::from_millis(1);
    for begin in [Walk::off().and(Walk::request), Walk::dialling()] {
        let mut walk = begin;
        walk.after(before.as_millis() as u64);
        assert!(error_for(&walk.taken(), Ticket(1)).is_none(), "{}", walk.name());
        walk.after(1);
        let actions = walk.taken();
        let error = error_for(&actions, Ticket(1));
        assert!(matches!(error, Some(Error::Timeout { after, .. }) if *after == TIMEOUT), "{error:?}");
        walk.after(1);
        assert!(error_for(&walk.taken(), Ticket(1)).is_none(), "it is answered once");
    }
    let mut walk = Walk::dialling();
    walk.now += Duration::from_secs(5);
    walk.finish(Err(Failure::Timeout));
    let actions = walk.taken();
    let error = error_for(&actions, Ticket(1));
    assert!(
        matches!(error, Some(Error::Timeout { after, .. }) if *after == Duration::from_secs(5)),
        "{error:?}"
    );
    let mut walk = Walk::escaping();
    walk.stream.waiting[0].deadline = walk.now + Duration::from_secs(1);
    walk.after(999);
    assert!(error_for(&walk.taken(), Ticket(2)).is_none());
    walk.after(1);
    assert!(matches!(error_for(&walk.taken(), Ticket(2)), Some(Error::Timeout { .. })));
}

#[test]
fn a_request_for_a_mode_fails_when_its_own_socket_is_closed() {
    let mut walk = Walk::online().and(|it| it.want(Mode::Command));
    walk.taken();
    walk.handle(StreamInput::Left);
    assert!(error_for(&walk.taken(), Ticket(2)).is_none(), "another socket was closed");
    walk.socket_ends(CloseReason::Local);
    assert!(matches!(error_for(&walk.taken(), Ticket(2)), Some(Error::Closed(CloseReason::Local))));
}

#[test]
fn a_loss_of_everything_ends_a_stream_or_fails_the_request_for_one() {
    let lost = |mut walk: Walk| {
        walk.taken();
        walk.handle(StreamInput::Lost(&End::Restarted));
        let actions = walk.taken();
        let has_ended = actions.iter().any(|action| matches!(action, StreamAction::End(End::Restarted)));
        (has_ended, matches!(error_for(&actions, Ticket(1)), Some(Error::ModemRestarted)))
    };
    assert_eq!(lost(Walk::off()), (false, false));
    assert_eq!(lost(Walk::off().and(Walk::request)), (false, true));
    assert_eq!(lost(Walk::dialling()), (false, true));
    assert_eq!(lost(Walk::online()), (true, false));
    assert_eq!(lost(Walk::command()), (true, false));
}

#[test]
fn a_module_is_found_again_when_it_is_set_up_for_sockets_and_shut_down() {
    let mut walk = Walk::dialling().and(|it| it.finish(Err(Failure::Timeout)));
    walk.facts.set_up_for = ConnectionMode::Sockets;
    walk.drive();
    assert_eq!(walk.name(), "recovering");
    walk.facts.set_up_for = ConnectionMode::Stream;
    walk.facts.has_shut = true;
    walk.drive();
    assert_eq!(walk.name(), "recovering");
    walk.facts.set_up_for = ConnectionMode::Sockets;
    walk.drive();
    assert_eq!(walk.name(), "off");
}

#[test]
fn a_stream_without_a_free_channel_is_refused() {
    let mut walk = Walk::off();
    walk.facts.has_free_channel = false;
    walk.request();
    assert!(matches!(error_for(&walk.taken(), Ticket(1)), Some(Error::NoFreeChannel)));
    assert_eq!(walk.name(), "off");
}

#[test]
fn a_stream_is_idle_when_dtr_is_on_again() {
    assert!(Walk::off().stream.is_idle() && !Walk::online().stream.is_idle());
    let mut walk = Walk::escaping().and(Walk::no_answers);
    walk.stream.handle(walk.now, StreamInput::Lost(&End::Restarted), &walk.facts);
    walk.take();
    assert_eq!((walk.name(), walk.stream.is_idle()), ("off", false));
    walk.taken();
    walk.drive();
    assert!(walk.taken().iter().any(|action| matches!(action, StreamAction::Dtr(true))));
    assert!(walk.stream.is_idle());
}

#[test]
fn a_request_for_the_next_stream_ends_when_its_time_is_over() {
    let mut walk = Walk::dialling().and(|it| it.finish(Err(Failure::Timeout)));
    assert_eq!(walk.name(), "recovering");
    walk.taken();
    walk.request();
    walk.after(TIMEOUT.as_millis() as u64 - 1);
    assert!(error_for(&walk.taken(), Ticket(1)).is_none());
    walk.after(1);
    assert!(matches!(error_for(&walk.taken(), Ticket(1)), Some(Error::Timeout { .. })));
}
