//! Prompts. After a prompt the module reads the next bytes as payload, whenever the prompt comes. A prompt may be lost,
//! late, doubled, after a stray error, or within other output. In each case no command is read as payload and no
//! payload as a command, the peer of a stream receives nothing but the stream, and a send that was completed with
//! filler is never `Ok`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::at::Refusal;
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Request, Response, SocketId, Ticket};
use air724ug::query::Signal;
use air724ug::sim::{Control, ModemEvent, Settings, fault};
use air724ug::{Config, Error, ReceiveMode};

const MOMENT: Duration = Duration::from_millis(20);
const PROMPT: &[u8] = b"\r\n> ";

/// A modem on a line that loses prompts. The tests inject them.
fn without_prompts() -> Pair {
    let mut pair = Pair::online();
    pair.to_host = Box::new(|_, bytes| if bytes == PROMPT { Vec::new() } else { bytes });
    pair
}

fn heal(pair: &mut Pair) {
    pair.to_host = Box::new(|_, bytes| bytes);
    pair.to_modem = Box::new(|_, bytes| bytes);
}

/// The bytes that the peer of this link has received.
fn peer_got(pair: &Pair, link: air724ug::sim::Link) -> Vec<u8> {
    pair.modem.network().received(link).to_vec()
}

fn still_works(pair: &mut Pair) {
    heal(pair);
    let ready = pair.call(Request::WaitReady { timeout: Duration::from_secs(60) });
    assert!(matches!(ready, Ok(Response::Ready)), "{ready:?}");
    let socket = pair.channel_open();
    assert_eq!(pair.send(socket, b"still here").unwrap(), 10);
    assert_eq!(pair.read(socket, 10).unwrap(), b"still here");
    pair.close(socket).unwrap();
    assert_eq!(pair.waiting(), 0);
    let strange = |event: &&ModemEvent| matches!(event, ModemEvent::Command(text) if text.contains("CFUN=") && !text.contains("CFUN=1"));
    assert_eq!(pair.modem_events.iter().find(strange), None, "payload was read as a command");
}

fn is_unconfirmed(answer: &Result<Response, Error>) -> bool {
    matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed)))
}

/// Begins a send, and injects an error 200 ms later.
fn sending_with_a_stray_error(pair: &mut Pair, socket: SocketId, payload: &[u8]) -> Ticket {
    let ticket = pair.sending(socket, payload);
    pair.run_for(Duration::from_millis(200));
    pair.inject(b"\r\nERROR\r\n");
    ticket
}

/// The pair, the socket, the answer to a send whose prompt comes this many milliseconds after a stray error, and what
/// the peer got.
fn sent_with_a_late_prompt(
    payload: &[u8],
    millis: u64,
) -> (Pair, SocketId, Result<Response, Error>, Vec<u8>) {
    let mut pair = without_prompts();
    let socket = pair.channel_open();
    let link = pair.modem.network().last_link().unwrap();
    let ticket = sending_with_a_stray_error(&mut pair, socket, payload);
    pair.run_for(Duration::from_millis(millis));
    pair.inject(PROMPT);
    let answer = pair.answer(ticket);
    let got = peer_got(&pair, link);
    (pair, socket, answer, got)
}

#[test]
fn an_error_before_the_prompt_is_not_believed_for_a_moment() {
    let payload = [b'p'; 50];
    for late in [1, 50, 100, 200, 290] {
        let (mut pair, _, answer, got) = sent_with_a_late_prompt(&payload, late);
        assert!(matches!(answer, Ok(Response::Sent { accepted: 50, .. })), "{late} ms: {answer:?}");
        assert_eq!(got, payload);
        still_works(&mut pair);
    }
}

#[test]
fn a_prompt_after_a_believed_error_ends_the_send_and_gets_the_payload() {
    let payload = [b'p'; 50];
    for late in [310, 500, 900, 1_200, 1_290] {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        let other = pair.channel_open();
        let ticket = sending_with_a_stray_error(&mut pair, socket, &payload);
        let second = pair.sending(other, b"hello");
        pair.run_for(Duration::from_millis(late));
        pair.inject(PROMPT);
        let answer = pair.answer(ticket);
        assert!(is_unconfirmed(&answer), "{late} ms: {answer:?}");
        let error = pair.read_to_end(socket).1;
        assert!(matches!(error, Error::Closed(CloseReason::SendUnconfirmed)), "{error}");
        heal(&mut pair);
        assert!(matches!(pair.answer(second), Ok(Response::Sent { accepted: 5, .. })));
        // One question was written before the prompt came, and the peer receives it. After the prompt only payload is
        // written.
        let got = peer_got(&pair, link);
        let question = got.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        assert!(question <= 16, "{late} ms: {}", got.escape_ascii());
        assert!(got[question..].iter().all(|byte| *byte == b'p'), "{}", got.escape_ascii());
        pair.close(socket).unwrap();
        still_works(&mut pair);
    }
}

/// The module accepts the payload of a send although an error came, and its prompt is late or lost. A question was
/// written before that shows. Which of the two lines is wrong can't be known: if the error were true, payload in place
/// of the question would be read as a command.
#[test]
fn after_a_stray_error_one_question_at_most_is_payload_and_the_send_is_not_confirmed() {
    for late in [310, 1_290, 1_310, 2_500, 6_000, 20_000] {
        for len in [1, 5, 13, 50, 1_460] {
            let payload = vec![b'p'; len];
            let (mut pair, socket, answer, got) = sent_with_a_late_prompt(&payload, late);
            let case = format!("{len} bytes, prompt after {late} ms");
            assert!(is_unconfirmed(&answer), "{case}: {answer:?}");
            let begun = got.iter().position(|byte| *byte == b'p').unwrap_or(got.len());
            assert!(
                begun <= 16 && b"AT+".starts_with(&got[..begun.min(3)]),
                "{case}: {}",
                got.escape_ascii()
            );
            assert!(
                got.len() <= len && got[begun..].iter().all(|byte| *byte == b'p'),
                "{case}: {}",
                got.escape_ascii()
            );
            heal(&mut pair);
            pair.close(socket).unwrap();
            still_works(&mut pair);
        }
    }
}

#[test]
fn an_error_in_place_of_a_prompt_frees_the_line_soon() {
    for words in [
        "\r\nERROR\r\n",
        "\r\n+CME ERROR: 3\r\n",
        "\r\n0, CLOSED\r\n",
        "\r\n0, CLOSED\r\n\r\n+CME ERROR: 3\r\n",
    ] {
        for suspicious in [false, true] {
            let mut pair = Pair::online();
            let (socket, other) = (pair.channel_open(), pair.channel_open());
            if suspicious {
                pair.instead("AT+CSQ", "");
                assert!(pair.command("AT+CSQ", Duration::from_secs(1)).is_err());
                pair.run_for(Duration::from_secs(5));
            }
            pair.instead("AT+CIPSEND=0", words);
            let begun = pair.now;
            let (first, second) = (pair.sending(socket, b"hello"), pair.sending(other, b"hello"));
            assert!(matches!(pair.answer(second), Ok(Response::Sent { accepted: 5, .. })), "{words:?}");
            let limit = if suspicious { 1_100 } else { 400 };
            assert!(pair.now - begun <= Duration::from_millis(limit), "{words:?}: {:?}", pair.now - begun);
            // An error leaves the connection open; `CLOSED` ends it.
            let answer = pair.answer(first);
            let closed = words.contains("CLOSED");
            assert_eq!(
                matches!(answer, Err(Error::Closed(CloseReason::Peer))),
                closed,
                "{words:?}: {answer:?}"
            );
            pair.close(socket).unwrap();
            still_works(&mut pair);
        }
    }
}

#[test]
fn a_question_frees_the_line_after_a_fetch_that_a_close_cut_short() {
    let mut pair =
        Pair::with(Config::default().receive_mode(ReceiveMode::Manual), Settings::default()).ready();
    let (socket, other) = (pair.channel_open(), pair.channel_open());
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,100,0\r\nhalf of it\r\n\r\n0, CLOSED\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    let begun = pair.now;
    let ticket = pair.sending(other, b"hello");
    assert!(matches!(pair.answer(ticket), Ok(Response::Sent { accepted: 5, .. })));
    // After two seconds of silence no more of the body is expected.
    assert!(pair.now - begun <= Duration::from_millis(2_100), "{:?}", pair.now - begun);
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Truncated { .. })));
    pair.close(socket).unwrap();
    still_works(&mut pair);
}

#[test]
fn payload_is_split_so_that_it_can_be_written_without_a_prompt() {
    let payload = [[b'.'; 1458].as_slice(), b"ATLAS and more"].concat();
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let link = pair.modem.network().last_link().unwrap();
    pair.control(Control::fault(fault::LostPrompt));
    assert_eq!(pair.send(socket, &payload).unwrap(), payload.len());
    assert_eq!(peer_got(&pair, link), payload);
    still_works(&mut pair);
}

/// An `RDY` without a restart, and a prompt at different times after it.
#[test]
fn after_a_false_restart_the_peer_of_an_open_send_gets_only_payload() {
    let payload = b"the payload of a stream, in one piece of some length, without a line end";
    for prompt_after in
        [None, Some(0), Some(100), Some(190), Some(250), Some(600), Some(1_100), Some(1_300), Some(5_000)]
    {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        let ticket = pair.sending(socket, payload);
        pair.run_for(MOMENT);
        pair.inject(b"\r\nRDY\r\n");
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::ModemRestarted)), "{answer:?}");
        let before = pair.written.len();
        if let Some(late) = prompt_after {
            pair.run_for(Duration::from_millis(late));
            let is_waited_for = pair.written.len() == before;
            assert_eq!(is_waited_for, late < 1_200, "{late} ms");
            pair.inject(PROMPT);
            pair.run_for(MOMENT);
            if is_waited_for {
                assert_eq!(pair.written[before..], *payload, "{late} ms");
            }
        }
        pair.run_for(Duration::from_secs(20));
        let got = peer_got(&pair, link);
        assert!(payload.starts_with(&got), "{prompt_after:?}: {}", got.escape_ascii());
        still_works(&mut pair);
    }
}

/// The port is lost while the prompt after an `RDY` without a restart is waited for.
#[test]
fn after_a_false_restart_and_a_lost_port_the_peer_gets_only_payload() {
    let mut pair = without_prompts();
    let socket = pair.channel_open();
    let link = pair.modem.network().last_link().unwrap();
    let ticket = pair.sending(socket, &[b'p'; 30]);
    pair.run_for(MOMENT);
    pair.inject(b"\r\nRDY\r\n");
    assert!(matches!(pair.answer(ticket), Err(Error::ModemRestarted)));
    pair.pull_out();
    pair.plug_in();
    pair.run_for(Duration::from_secs(20));
    let got = peer_got(&pair, link);
    assert_eq!(got, [b'p'; 30], "{}", got.escape_ascii());
    still_works(&mut pair);
}

#[test]
fn lost_bytes_of_a_payload_are_filled_with_the_payload_alone() {
    for lost in [1, 7, 20] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        let mut hit = false;
        pair.to_modem = Box::new(move |_, bytes| {
            let hits = bytes.starts_with(b"pppp") && !std::mem::replace(&mut hit, true);
            if hits { bytes[lost..].to_vec() } else { bytes }
        });
        let ticket = pair.sending(socket, &[b'p'; 20]);
        let answer = pair.answer(ticket);
        assert!(is_unconfirmed(&answer), "{answer:?}");
        pair.close(socket).unwrap();
        assert_eq!(peer_got(&pair, link), [b'p'; 20]);
        still_works(&mut pair);
    }
}

/// The module does not receive the payload that is written without its prompt.
#[test]
fn a_lost_payload_without_a_prompt_is_written_again_before_a_question() {
    let mut pair = without_prompts();
    let socket = pair.channel_open();
    let link = pair.modem.network().last_link().unwrap();
    let mut hit = false;
    pair.to_modem = Box::new(move |_, bytes| {
        let hits = bytes.starts_with(b"pppp") && !std::mem::replace(&mut hit, true);
        if hits { Vec::new() } else { bytes }
    });
    let ticket = pair.sending(socket, &[b'p'; 40]);
    assert!(is_unconfirmed(&pair.answer(ticket)));
    pair.run_for(Duration::from_secs(20));
    assert_eq!(peer_got(&pair, link).escape_ascii().to_string(), "p".repeat(40));
    still_works(&mut pair);
}

/// The answer to the earlier command comes twice, and the second one is split by the send. The prompt is late.
#[test]
fn an_error_that_began_before_a_send_does_not_refuse_it() {
    for (before, after) in [("\r\nERR", "OR\r\n"), ("\r\n+CME ERR", "OR: 3\r\n"), ("\r", "\nERROR\r\n")] {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        pair.deliver(before.as_bytes());
        let ticket = pair.sending(socket, b"p");
        pair.inject(after.as_bytes());
        pair.run_for(Duration::from_secs(1));
        assert_eq!(peer_got(&pair, link), b"", "a question is payload");
        pair.inject(PROMPT);
        assert!(matches!(pair.answer(ticket), Ok(Response::Sent { accepted: 1, .. })), "{before:?}");
        assert_eq!(peer_got(&pair, link), b"p");
        still_works(&mut pair);
    }
}

/// Everything written after the send command is lost: the payload, the filler, and the questions.
#[test]
fn a_prompt_after_the_filler_of_its_send_gets_the_payload_again() {
    let mut pair = without_prompts();
    let socket = pair.channel_open();
    let link = pair.modem.network().last_link().unwrap();
    pair.to_modem = Box::new(|_, bytes| if bytes.starts_with(b"AT+CIPSEND=") { bytes } else { Vec::new() });
    let ticket = pair.sending(socket, &[b'p'; 20]);
    assert!(is_unconfirmed(&pair.answer(ticket)));
    heal(&mut pair);
    pair.inject(PROMPT);
    pair.run_for(Duration::from_secs(20));
    assert_eq!(peer_got(&pair, link).escape_ascii().to_string(), "p".repeat(20));
    still_works(&mut pair);
}

#[test]
fn after_the_loss_of_the_port_the_peer_of_an_open_send_gets_only_payload() {
    for prompted in [false, true] {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        if prompted {
            heal(&mut pair);
            pair.to_modem =
                Box::new(|_, bytes| if bytes.starts_with(b"ppp") { bytes[..2].to_vec() } else { bytes });
        }
        let ticket = pair.sending(socket, &[b'p'; 30]);
        pair.run_for(MOMENT);
        pair.pull_out();
        assert!(matches!(pair.answer(ticket), Err(Error::PortLost(_))));
        heal(&mut pair);
        pair.plug_in();
        pair.run_for(Duration::from_secs(20));
        let got = peer_got(&pair, link);
        assert!(got.iter().all(|byte| *byte == b'p'), "{prompted}: {}", got.escape_ascii());
        still_works(&mut pair);
    }
}

/// A module with echo returns the filler of a send, and a line `>` in the filler looks like another prompt.
#[test]
fn a_payload_whose_echo_looks_like_a_prompt_is_written_a_bounded_number_of_times() {
    let payload = b"wxyz\r\n>\r\n";
    let mut pair = without_prompts();
    let socket = pair.channel_open();
    let ticket = pair.sending(socket, payload);
    pair.run_for(MOMENT);
    pair.pull_out();
    assert!(matches!(pair.answer(ticket), Err(Error::PortLost(_))));
    heal(&mut pair);
    pair.left_behind(payload);
    pair.left_behind("ATE1\r\n");
    pair.plug_in();
    let before = pair.wrote("\r\n>");
    pair.run_for(Duration::from_secs(20));
    let fills = pair.wrote("\r\n>") - before;
    assert!(fills <= 3, "{fills}: {}", pair.story());
    still_works(&mut pair);
}

/// The module has not reported the end of the channel, so it may still prompt.
#[test]
fn a_reset_of_the_bearer_does_not_end_the_wait_for_a_prompt() {
    let payload = [b'p'; 50];
    for late in [100, 310, 500, 1_200, 4_000] {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        let ticket = pair.sending(socket, &payload);
        pair.run_for(MOMENT);
        pair.call(Request::ResetBearer).unwrap();
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::BearerLost))), "{answer:?}");
        pair.run_for(Duration::from_millis(late));
        pair.inject(PROMPT);
        pair.run_for(Duration::from_secs(10));
        let got = peer_got(&pair, link);
        assert_eq!(got, payload, "{late} ms: {}", got.escape_ascii());
        still_works(&mut pair);
    }
}

/// After a command that timed out, an error may belong to that command. The prompt is late as well.
#[test]
fn after_an_error_that_may_be_another_commands_the_payload_is_written_before_a_question() {
    let payload = [b'p'; 50];
    for late in [500, 1_100, 1_500, 3_000] {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        pair.instead("AT+CSQ", "");
        assert!(pair.command("AT+CSQ", Duration::from_secs(1)).is_err());
        pair.run_for(Duration::from_secs(5));
        let ticket = sending_with_a_stray_error(&mut pair, socket, &payload);
        pair.run_for(Duration::from_millis(late));
        pair.inject(PROMPT);
        let answer = pair.answer(ticket);
        let is_sent = matches!(answer, Ok(Response::Sent { accepted: 50, .. }));
        assert!(if late < 1_000 { is_sent } else { is_unconfirmed(&answer) }, "{late} ms: {answer:?}");
        let got = peer_got(&pair, link);
        assert_eq!(got, payload, "{late} ms: {}", got.escape_ascii());
        if !is_sent {
            pair.close(socket).unwrap();
        }
        still_works(&mut pair);
    }
}

/// A port that is suspended accepts bytes, among them the filler of a send, and loses them when it is unplugged.
#[test]
fn after_a_port_is_lost_with_the_filler_the_peer_gets_only_payload() {
    for (prompted, after, pulls) in
        [(true, 7, 1), (true, 15, 1), (true, 40, 1), (false, 7, 1), (false, 15, 1), (true, 7, 3)]
    {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        if prompted {
            heal(&mut pair);
        }
        pair.to_modem =
            Box::new(|_, bytes| if bytes.starts_with(b"AT+CIPSEND") { bytes } else { Vec::new() });
        let ticket = pair.sending(socket, &[b'p'; 30]);
        pair.run_for(Duration::from_secs(after));
        for _ in 0..pulls {
            pair.pull_out();
            pair.plug_in();
            pair.run_for(MOMENT);
        }
        pair.pull_out();
        heal(&mut pair);
        assert!(pair.answer(ticket).is_err());
        pair.plug_in();
        pair.run_for(Duration::from_secs(20));
        let got = peer_got(&pair, link);
        let about = format!("{prompted}, {after} s, {pulls}: {}", got.escape_ascii());
        assert!(got.iter().all(|byte| *byte == b'p'), "{about}");
        still_works(&mut pair);
    }
}

#[test]
fn a_doubled_prompt_counts_once() {
    for second in [0, 1, 5, 30, 400] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        let mut sent = Vec::new();
        for round in 0..5 {
            let data = [b'a' + round; 30];
            pair.before("AT+CIPSEND=0", if second == 0 { "\r\n> " } else { "" });
            let ticket = pair.sending(socket, &data);
            pair.run_for(Duration::from_millis(second));
            pair.inject(if second == 0 { b"" } else { PROMPT });
            let answer = pair.answer(ticket);
            assert!(matches!(answer, Ok(Response::Sent { accepted: 30, .. })), "{second}: {answer:?}");
            sent.extend(data);
            pair.run_for(Duration::from_secs(1));
        }
        assert_eq!(peer_got(&pair, link), sent);
        still_works(&mut pair);
    }
}

#[test]
fn a_prompt_without_a_command_costs_at_most_one_question() {
    // An idle modem.
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.inject(PROMPT);
    let ticket = pair.ask(Request::query(&Signal));
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.waiting(), 1, "a command was written after a possible prompt");
    assert!(matches!(pair.answer(ticket), Ok(Response::Reply(_))));
    // During a command that is answered.
    pair.before("AT+CSQ", "\r\n> ");
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(2)).unwrap(), ["+CSQ: 24,99"]);
    // While late answers are awaited.
    pair.instead("AT+CGATT?", "");
    assert!(pair.command("AT+CGATT?", Duration::from_secs(1)).is_err());
    pair.inject(PROMPT);
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(9)).unwrap(), ["+CSQ: 24,99"]);
    // While the driver searches for the module.
    pair.inject(b"\r\nRDY\r\n");
    pair.inject(PROMPT);
    assert!(matches!(pair.read_to_end(socket).1, Error::ModemRestarted));
    still_works(&mut pair);
}

#[test]
fn a_command_with_an_unexpected_prompt_is_aborted_and_fails() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+NOSUCH", "\r\n> ");
    let answer = pair.command("AT+NOSUCH=5", Duration::from_secs(2));
    assert!(matches!(answer, Err(Error::Refused { code: Refusal::Prompt, .. })), "{answer:?}");
    let after = pair.written.windows(9).rposition(|nine| nine == b"AT+NOSUCH").unwrap();
    assert_eq!(pair.written[after + 13], 0x1b, "a text of unknown length is aborted");
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    still_works(&mut pair);
}

#[test]
fn a_prompt_is_recognised_only_on_its_own_and_not_within_an_answer() {
    let mut pair = Pair::online();
    pair.instead("AT+CGMM", "\r\n>quoted\r\n\r\nOK\r\n");
    assert_eq!(pair.command("AT+CGMM", Duration::from_secs(2)).unwrap(), [">quoted"]);
    assert!(!pair.saw(|event| matches!(event, Event::Dropped(text) if text == ">")));
}

/// While an incomplete line may be a prompt, the driver writes nothing and no other timer is due.
#[test]
fn an_incomplete_prompt_is_waited_for_without_a_busy_loop() {
    let mut pair =
        Pair::with(Config::default().receive_mode(ReceiveMode::Manual), Settings::default()).ready();
    pair.channel_open();
    pair.run_for(Duration::from_millis(4_900));
    pair.inject(PROMPT);
    // The next periodic fetch is due during the wait.
    pair.run_for(Duration::from_millis(120));
    let (due, why) = pair.engine.deadline().unwrap();
    assert!(due > pair.now, "{why:?} at {due:?}, {}", pair.story());
    still_works(&mut pair);
}

/// The module reads nothing within the payload of a datagram, and not the filler either. What it reads first is payload
/// for it.
#[test]
fn after_a_module_was_deaf_within_a_datagram_no_question_is_payload() {
    for seconds in [6, 8, 11, 17, 24] {
        let mut pair = Pair::online();
        let socket = pair.association();
        let link = pair.modem.network().last_link().unwrap();
        let mut deaf_until = None;
        pair.to_modem = Box::new(move |now, mut bytes| {
            if bytes.starts_with(b"0123") && deaf_until.is_none() {
                deaf_until = Some(now + Duration::from_secs(seconds));
                bytes.truncate(2);
                return bytes;
            }
            if deaf_until.is_some_and(|until| now < until) { Vec::new() } else { bytes }
        });
        assert!(pair.send(socket, b"0123456789").is_err());
        pair.run_for(Duration::from_secs(40));
        let got = peer_got(&pair, link);
        assert!(!got.windows(2).any(|two| two == b"AT"), "{seconds} s: {}", got.escape_ascii());
        assert!(got.starts_with(b"01012345"), "{seconds} s: {}", got.escape_ascii());
        still_works(&mut pair);
    }
}

/// The port stands still with the filler in it. Each filler that the module then reads as a command is refused, and
/// none of these errors answers another command.
#[test]
fn the_errors_of_fillers_refuse_no_other_command() {
    for seconds in [12, 14, 17, 20, 24] {
        let config = Config::default().receive_mode(ReceiveMode::Manual);
        let mut pair = Pair::with(config, Settings::default()).ready();
        let (socket, other) = (pair.channel_open(), pair.channel_open());
        let (until, mut kept) = (pair.now + Duration::from_secs(seconds), Vec::new());
        pair.to_modem = Box::new(move |now, bytes| {
            kept.extend(bytes);
            if now < until { Vec::new() } else { std::mem::take(&mut kept) }
        });
        let ticket = pair.sending(socket, &[b'p'; 30]);
        pair.run_for(Duration::from_secs(60));
        assert!(pair.answer(ticket).is_err());
        assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
        assert!(pair.engine.is_open(other), "{}", pair.story());
        still_works(&mut pair);
    }
}
