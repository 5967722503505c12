//! A prompt is a fact at any moment: what is written next is payload. Whatever becomes of it - lost, late, doubled, behind
//! a stray error, in the middle of something else - no command is read as payload and no payload as a command, nothing but
//! its own bytes reaches the peer of a stream, and a send that is settled by filling is never `Ok`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::at::Refusal;
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Request, Response, Ticket};
use air724ug::query::Signal;
use air724ug::sim::{Control, Happening, Settings, fault};
use air724ug::{Config, Error, ReceiveMode};

const MOMENT: Duration = Duration::from_millis(20);
const PROMPT: &[u8] = b"\r\n> ";

/// A line on which prompts are lost, to be put back by hand.
fn without_prompts() -> Pair {
    let mut pair = Pair::online();
    pair.to_host = Box::new(|_, bytes| if bytes == PROMPT { Vec::new() } else { bytes });
    pair
}

fn heal(pair: &mut Pair) {
    pair.to_host = Box::new(|_, bytes| bytes);
    pair.to_modem = Box::new(|_, bytes| bytes);
}

/// What the peers of all links have received, in the order of the links.
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
    let strange = |happening: &&Happening| matches!(happening, Happening::Command(text) if text.contains("CFUN=") && !text.contains("CFUN=1"));
    assert_eq!(pair.happenings.iter().find(strange), None, "payload was read as a command");
}

fn is_unconfirmed(answer: &Result<Response, Error>) -> bool {
    matches!(answer, Err(Error::Closed(CloseReason::SendUnconfirmed)))
}

/// Writes a send, and lets an error come 200 ms later.
fn sending_with_a_stray_error(pair: &mut Pair, socket: air724ug::proto::SocketId, payload: &[u8]) -> Ticket {
    let ticket = pair.sending(socket, payload);
    pair.run_for(Duration::from_millis(200));
    pair.inject(b"\r\nERROR\r\n");
    ticket
}

#[test]
fn an_error_before_the_prompt_is_doubted_for_a_moment() {
    let payload = [b'p'; 50];
    for late in [1, 50, 100, 200, 290] {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        let ticket = sending_with_a_stray_error(&mut pair, socket, &payload);
        pair.run_for(Duration::from_millis(late));
        pair.inject(PROMPT);
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Ok(Response::Sent { accepted: 50, .. })), "{late} ms: {answer:?}");
        assert_eq!(peer_got(&pair, link), payload);
        still_works(&mut pair);
    }
}

#[test]
fn a_prompt_behind_an_error_that_was_believed_ends_the_send_and_is_given_the_payload() {
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
        // One question was written before the prompt came; from then on it is payload and nothing else.
        let got = peer_got(&pair, link);
        let question = got.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        assert!(question <= 16, "{late} ms: {}", got.escape_ascii());
        assert!(got[question..].iter().all(|byte| *byte == b'p'), "{}", got.escape_ascii());
        pair.close(socket).unwrap();
        still_works(&mut pair);
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
            // The module has room again, or the channel has ended.
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
fn a_fetch_that_a_close_cuts_short_frees_the_line_by_a_question() {
    let mut pair =
        Pair::with(Config::default().receive_mode(ReceiveMode::Manual), Settings::default()).ready();
    let (socket, other) = (pair.channel_open(), pair.channel_open());
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,100,0\r\nhalf of it\r\n\r\n0, CLOSED\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    let begun = pair.now;
    let ticket = pair.sending(other, b"hello");
    assert!(matches!(pair.answer(ticket), Ok(Response::Sent { accepted: 5, .. })));
    // Two seconds until nothing more can be expected of the body.
    assert!(pair.now - begun <= Duration::from_millis(2_100), "{:?}", pair.now - begun);
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Truncated { .. })));
    pair.close(socket).unwrap();
    still_works(&mut pair);
}

#[test]
fn a_piece_is_cut_by_the_rule_by_which_it_is_written_blind() {
    let payload = [[b'.'; 1458].as_slice(), b"ATLAS and more"].concat();
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let link = pair.modem.network().last_link().unwrap();
    pair.control(Control::fault(fault::LostPrompt));
    assert_eq!(pair.send(socket, &payload).unwrap(), payload.len());
    assert_eq!(peer_got(&pair, link), payload);
    still_works(&mut pair);
}

/// The places at which a module that did not restart may say that it did.
#[test]
fn a_start_that_was_none_while_a_send_waits_for_its_prompt_gives_the_peer_nothing_but_the_payload() {
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
        if let Some(late) = prompt_after {
            pair.run_for(Duration::from_millis(late));
            pair.inject(PROMPT);
        }
        pair.run_for(Duration::from_secs(20));
        let got = peer_got(&pair, link);
        assert!(payload.starts_with(&got), "{prompt_after:?}: {}", got.escape_ascii());
        still_works(&mut pair);
    }
}

#[test]
fn bytes_of_a_payload_that_were_lost_are_made_up_from_the_payload_alone() {
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

/// The module hears nothing while the payload is written without its prompt.
#[test]
fn a_payload_that_was_written_without_its_prompt_and_lost_is_written_again_before_a_question() {
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

/// The answer to the command before has come twice, cut between two reads, and the prompt is late.
#[test]
fn an_error_that_began_before_a_send_was_written_does_not_refuse_it() {
    for (before, behind) in [("\r\nERR", "OR\r\n"), ("\r\n+CME ERR", "OR: 3\r\n"), ("\r", "\nERROR\r\n")] {
        let mut pair = without_prompts();
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        pair.deliver(before.as_bytes());
        let ticket = pair.sending(socket, b"p");
        pair.inject(behind.as_bytes());
        pair.run_for(Duration::from_secs(1));
        assert_eq!(peer_got(&pair, link), b"", "a question is payload");
        pair.inject(PROMPT);
        assert!(matches!(pair.answer(ticket), Ok(Response::Sent { accepted: 1, .. })), "{before:?}");
        assert_eq!(peer_got(&pair, link), b"p");
        still_works(&mut pair);
    }
}

/// All that was written meanwhile is lost: the payload, what filled it up, and the questions behind that.
#[test]
fn a_prompt_that_comes_when_its_send_was_filled_up_is_given_the_payload_again() {
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
fn a_port_that_goes_while_a_send_is_open_gives_the_peer_nothing_but_the_payload() {
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

/// A module whose echo is on sends what fills up the send back, and a line `>` in it looks like another prompt.
#[test]
fn a_payload_that_looks_like_a_prompt_on_its_way_back_is_not_written_for_ever() {
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

/// The module has not said that the channel has ended, so it prompts whenever it likes.
#[test]
fn a_bearer_that_the_application_resets_says_nothing_of_the_prompt() {
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

/// Behind a command that timed out an error may be that command's, and the prompt is late as well.
#[test]
fn an_error_that_may_be_another_commands_is_followed_by_the_payload_and_not_by_a_question() {
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

/// A port that stands still takes bytes, and loses them when it goes: what filled up a send is among them.
#[test]
fn a_port_that_goes_with_what_filled_up_a_send_gives_the_peer_nothing_but_the_payload() {
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
fn a_prompt_that_comes_twice_is_one() {
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
fn a_prompt_that_belongs_to_nothing_costs_a_question_at_most() {
    // Idle.
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.inject(PROMPT);
    let ticket = pair.ask(Request::query(&Signal));
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.waiting(), 1, "nothing is written behind what may be a prompt");
    assert!(matches!(pair.answer(ticket), Ok(Response::Reply(_))));
    // A command in flight that is answered all the same.
    pair.before("AT+CSQ", "\r\n> ");
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(2)).unwrap(), ["+CSQ: 24,99"]);
    // In a fence.
    pair.instead("AT+CGATT?", "");
    assert!(pair.command("AT+CGATT?", Duration::from_secs(1)).is_err());
    pair.inject(PROMPT);
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(9)).unwrap(), ["+CSQ: 24,99"]);
    // While the module is being woken.
    pair.inject(b"\r\nRDY\r\n");
    pair.inject(PROMPT);
    assert!(matches!(pair.read_to_end(socket).1, Error::ModemRestarted));
    still_works(&mut pair);
}

#[test]
fn a_command_that_asks_for_data_is_aborted_and_fails() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+NOSUCH", "\r\n> ");
    let answer = pair.command("AT+NOSUCH=5", Duration::from_secs(2));
    assert!(matches!(answer, Err(Error::Refused { code: Refusal::Prompt, .. })), "{answer:?}");
    let behind = pair.written.windows(9).rposition(|nine| nine == b"AT+NOSUCH").unwrap();
    assert_eq!(pair.written[behind + 13], 0x1b, "a text of unknown length is aborted");
    assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
    still_works(&mut pair);
}

#[test]
fn a_prompt_is_seen_where_it_stands_alone_and_not_inside_an_answer() {
    let mut pair = Pair::online();
    pair.instead("AT+CGMM", "\r\n>quoted\r\n\r\nOK\r\n");
    assert_eq!(pair.command("AT+CGMM", Duration::from_secs(2)).unwrap(), [">quoted"]);
    assert!(!pair.saw(|event| matches!(event, Event::Dropped(text) if text == ">")));
}

/// While a line that may be a prompt stands unfinished nothing is written, so what else is due is not due either.
#[test]
fn an_unfinished_prompt_is_waited_for_and_not_asked_about_without_end() {
    let mut pair =
        Pair::with(Config::default().receive_mode(ReceiveMode::Manual), Settings::default()).ready();
    pair.channel_open();
    pair.run_for(Duration::from_millis(4_900));
    pair.inject(PROMPT);
    // The fetch of the poll falls into the wait.
    pair.run_for(Duration::from_millis(120));
    let (due, why) = pair.engine.deadline().unwrap();
    assert!(due > pair.now, "{why:?} at {due:?}, {}", pair.story());
    still_works(&mut pair);
}
