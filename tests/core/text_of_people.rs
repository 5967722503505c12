//! Text written by people: short messages, USSD, phone book, files and publications. Such text is never taken for a
//! line of the module, with any content and at any place.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::at::{Command, Urc};
use air724ug::proto::{Event, Request, Response, SocketId};
use air724ug::sim::{Control, Settings};
use air724ug::{CloseReason, Config, Error, ReceiveMode};

/// Texts that look like lines of a module.
const TEXTS: [&str; 15] = [
    "hello",
    "0, CLOSED",
    "0,CLOSE OK",
    "0, TCP ERROR",
    "+PDP: DEACT",
    "+SAPBR 1: DEACT",
    "OK",
    "ERROR",
    "+CME ERROR: 3",
    "RDY",
    "^boot.rom'v'!",
    "+RECEIVE,0,1000:",
    "+CIPRXGET: 2,0,4,0",
    ">",
    "+CMT: \"+123\",,\"24/07/23,08:35:01+32\"",
];

/// Unsolicited headers, each followed by one line of text.
const HEADERS: [&str; 3] = [
    "+CMT: \"+123\",,\"24/07/23,08:35:01+32\"",
    "+CMT: \"+123\",\"a name\",\"24/07/23,08:35:01+32\",145,4,0,0,\"+456\",145,1",
    "+CBM: 1,2,3,4,5",
];

const MINUTE: Duration = Duration::from_secs(60);

/// A modem with an open socket that has to stay undisturbed.
struct Watched {
    pair: Pair,
    socket: SocketId,
    shuts: usize,
}

impl Watched {
    fn new(chunk: usize) -> Self {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        let shuts = pair.wrote("AT+CIPSHUT");
        Self { pair, socket, shuts }
    }

    fn is_undisturbed(&mut self, why: &str) {
        self.pair.run_for(Duration::from_secs(5));
        assert_eq!(self.pair.send(self.socket, b"still there").unwrap(), 11, "{why}");
        assert_eq!(self.pair.read(self.socket, 11).unwrap(), b"still there", "{why}");
        assert_eq!(self.pair.wrote("AT+CIPSHUT"), self.shuts, "{why}");
        assert!(!self.pair.saw(|event| matches!(event, Event::Restarted)), "{why}");
        assert!(self.pair.engine.is_ready(), "{why}");
    }

    fn has_reported(&self, wanted: &str) -> bool {
        self.pair.saw(|event| matches!(event, Event::Urc(Urc::Message { text, .. }) if text == wanted))
    }
}

#[test]
fn an_unsolicited_message_changes_nothing() {
    for chunk in [1, 7, 1000] {
        for header in HEADERS {
            for text in TEXTS {
                for after in ["", "\r\n+CREG: 1\r\n"] {
                    let mut watched = Watched::new(chunk);
                    watched.pair.inject(format!("\r\n{header}\r\n{text}\r\n{after}").as_bytes());
                    watched.is_undisturbed(text);
                    assert!(watched.has_reported(text), "{header}: {text}, {}", watched.pair.story());
                }
            }
        }
    }
}

#[test]
fn data_directly_after_a_text_are_data() {
    for chunk in [1, 7, 1000] {
        for header in HEADERS.into_iter().chain(["+CUSD: 0,\"first"]) {
            let mut watched = Watched::new(chunk);
            let socket = watched.socket;
            watched.is_undisturbed("a line end in front of headers");
            let text = format!("\r\n{header}\r\nend\",15\r\n\r\n+RECEIVE,0,5:\r\nhello");
            watched.pair.inject(text.as_bytes());
            assert_eq!(watched.pair.read(socket, 5).unwrap(), b"hello", "{header}");
            watched.is_undisturbed(header);
        }
    }
}

#[test]
fn a_message_during_an_answer_or_a_send_changes_nothing() {
    for text in TEXTS {
        let bytes = format!("\r\n{}\r\n{text}\r\n", HEADERS[0]);
        let mut watched = Watched::new(1000);
        watched.pair.before("AT+CSQ", &bytes);
        assert_eq!(watched.pair.command("AT+CSQ", MINUTE).unwrap(), ["+CSQ: 24,99"], "{text}");
        watched.pair.before("AT+CIPSEND", &bytes);
        watched.is_undisturbed(text);
        assert!(watched.has_reported(text), "{text}");
    }
}

#[test]
fn a_text_of_several_lines_is_one_text() {
    for chunk in [1, 1000] {
        let mut watched = Watched::new(chunk);
        let text = "first\n0, CLOSED\n+PDP: DEACT\n\nRDY";
        watched.pair.inject(format!("\r\n{}\r\n{text}\r\n\r\n+CREG: 1\r\n", HEADERS[0]).as_bytes());
        watched.is_undisturbed(text);
        assert!(watched.has_reported(text), "{}", watched.pair.story());
        assert!(watched.pair.saw(|event| matches!(event, Event::Urc(Urc::Registration(..)))));
    }
}

#[test]
fn a_line_that_may_continue_a_text_is_verified_with_a_question() {
    for text in ["0, CLOSED", "+PDP: DEACT", "RDY", "0, CLOSE OK", "what is this"] {
        let mut watched = Watched::new(1000);
        watched.pair.inject(format!("\r\n{}\r\nfirst\r\n\r\n{text}\r\n", HEADERS[0]).as_bytes());
        watched.is_undisturbed(text);
    }
    let settings = Settings::default().closed_reported(false);
    let mut pair = Pair::with(Config::default(), settings).ready();
    let socket = pair.channel_open();
    pair.control(Control::PeerClose(0));
    pair.inject(format!("\r\n{}\r\nfirst\r\n\r\n0, CLOSED\r\n", HEADERS[0]).as_bytes());
    let (_, error) = pair.read_to_end(socket);
    assert!(matches!(error, Error::Closed(CloseReason::Peer)), "the module confirmed the close: {error}");
}

#[test]
fn a_pdu_is_one_line_and_a_report_has_none() {
    let mut watched = Watched::new(1000);
    watched
        .pair
        .inject(b"\r\n+CMT: ,24\r\n07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741\r\n");
    watched.pair.inject(b"\r\n+CDS: 6,2,\"+123\",145,\"24/07/23\",\"24/07/23\",0\r\n\r\n+CREG: 1\r\n");
    watched.is_undisturbed("digits");
    assert!(watched.pair.saw(|event| matches!(event, Event::Urc(Urc::Registration(..)))));
}

#[test]
fn a_string_that_spans_lines_and_a_publication_change_nothing() {
    for text in TEXTS {
        for bytes in [
            format!("\r\n+CUSD: 0,\"your balance\r\n{text}\r\nis 5\",15\r\n"),
            format!("\r\n+MSUB: \"topic\",{} byte,first\r\n{text}\r\n", "first\r\n".len() + text.len()),
        ] {
            for chunk in [1, 1000] {
                let mut watched = Watched::new(chunk);
                watched.pair.inject(bytes.as_bytes());
                watched.is_undisturbed(&bytes);
            }
        }
    }
}

#[test]
fn a_string_in_a_line_is_text_whatever_it_contains() {
    for bytes in [
        "+CUSD: 0,\"+RECEIVE,0,4:\",15",
        "+CUSD: 1,\"a +RECEIVE,0,1000: b\",15",
        "+CUSD: 1,\"+RECEIVE,0,4:\nend\",15",
        "+CUSD: 1,\"+RECEIVE,0,4:\r\n\r\nend\",15",
        "+CLIP: \"+123\",145,,,\"RECEIVE,0,\",0",
        "+CMT: \"ECEIVE,0,\",,\"24/07/23,08:35:01+32\"\r\nhello",
    ] {
        for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
            for chunk in [1, 1000] {
                let mut pair = Pair::with(Config::default().receive_mode(mode), Settings::default())
                    .ready()
                    .in_chunks_of(chunk);
                let socket = pair.channel_open();
                let shuts = pair.wrote("AT+CIPSHUT");
                let mut watched = Watched { pair, socket, shuts };
                watched.pair.inject(format!("\r\n{bytes}\r\n").as_bytes());
                watched.is_undisturbed(bytes);
                assert!(!watched.pair.saw(|event| matches!(event, Event::Fault(_))), "{bytes}");
            }
        }
    }
}

#[test]
fn quotes_in_a_string_that_spans_lines_do_not_end_it() {
    for text in TEXTS {
        for line_end in ["\n", "\r\n"] {
            for quoted in ["a \"quoted\"", "C: 0,,\"\",\"\",\"\",\"INITIAL\"", "\"\",15"] {
                let bytes = format!(
                    "\r\n+CUSD: 0,\"first{line_end}{quoted}{line_end}{text}{line_end}{text}\",15\r\n"
                );
                for chunk in [1, 1000] {
                    let mut watched = Watched::new(chunk);
                    watched.pair.inject(bytes.as_bytes());
                    watched.is_undisturbed(&bytes);
                    let is_damage = |event: &Event| matches!(event, Event::Fault(_) | Event::Stray(..));
                    assert!(!watched.pair.saw(is_damage), "{bytes}");
                }
            }
        }
    }
}

const READ: &str = "+CMGR: \"REC READ\",\"+123\",,\"24/07/23,08:35:01+32\"";

#[test]
fn a_message_read_by_a_command_is_its_whole_answer() {
    for chunk in [1, 7, 1000] {
        for text in TEXTS {
            let mut watched = Watched::new(chunk);
            watched.pair.instead("AT+CMGR", format!("\r\n{READ}\r\n{text}\r\n\r\nOK\r\n"));
            assert_eq!(watched.pair.command("AT+CMGR=1", MINUTE).unwrap(), [READ, text], "{text}");
            watched.is_undisturbed(text);
        }
    }
    let lines = ["first", "OK", "0, CLOSED", "+PDP: DEACT", "ERROR", "last"];
    for end in ["\n", "\r\n"] {
        let mut watched = Watched::new(1000);
        watched.pair.instead("AT+CMGR", format!("\r\n{READ}\r\n{}\r\n\r\nOK\r\n", lines.join(end)));
        let answer = watched.pair.command("AT+CMGR=1", MINUTE).unwrap();
        assert_eq!(answer[1..], lines);
        watched.is_undisturbed("lines");
    }
}

#[test]
fn a_list_of_messages_is_the_whole_answer() {
    let [first, second] =
        ["1", "2"].map(|n| format!("+CMGL: {n},\"REC READ\",\"+123\",,\"24/07/23,08:35:01+32\""));
    let mut watched = Watched::new(1000);
    watched.pair.instead("AT+CMGL", format!("\r\n{first}\r\nOK\r\n{second}\r\n1, CLOSED\r\n\r\nOK\r\n"));
    let answer = watched.pair.command("AT+CMGL=\"ALL\"", MINUTE).unwrap();
    assert_eq!(answer, [&first, "OK", &second, "1, CLOSED"]);
    watched.pair.instead("AT+CMGL", "\r\nOK\r\n");
    assert!(watched.pair.command("AT+CMGL=\"ALL\"", MINUTE).unwrap().is_empty(), "the list is empty");
    watched.is_undisturbed("a list");
}

#[test]
fn a_command_whose_answer_is_text_may_be_refused() {
    let mut watched = Watched::new(1000);
    watched.pair.instead("AT+CMGR", "\r\n+CMS ERROR: 321\r\n");
    let refused = watched.pair.command("AT+CMGR=1", MINUTE);
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    watched.pair.instead("AT+FSREAD", "\r\nERROR\r\n");
    let refused = watched.pair.command("AT+FSREAD=\"name\",0,5,0", MINUTE);
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    watched.is_undisturbed("refused");
}

#[test]
fn contents_of_files_names_and_pages_are_text() {
    for (command, header) in [
        ("AT+FSREAD=\"name\",0,50,0", ""),
        ("AT+HTTPREAD", "+HTTPREAD: 50\r\n"),
        ("AT+CPBR=1,9", "+CPBR: 1,\"+123\",145,\"a name\"\r\n"),
        ("AT+CNUM", "+CNUM: \"a name\",\"+123\",145\r\n"),
    ] {
        let mut watched = Watched::new(1000);
        let name = command.split('=').next().unwrap();
        watched.pair.instead(
            name,
            format!("\r\n{header}first\r\n0, CLOSED\r\n+PDP: DEACT\r\nOK\r\nlast\r\n\r\nOK\r\n"),
        );
        let answer = watched.pair.command(command, MINUTE).unwrap();
        assert!(
            answer.ends_with(&["first", "0, CLOSED", "+PDP: DEACT", "OK", "last"].map(String::from)),
            "{answer:?}"
        );
        watched.is_undisturbed(command);
    }
}

#[test]
fn data_of_a_socket_between_the_frames_of_a_text_are_read() {
    for chunk in [1, 1000] {
        let mut watched = Watched::new(chunk);
        watched.pair.inject(format!("\r\n{}\r\nhello\r\n\r\n+RECEIVE,0,4:\r\nabcd", HEADERS[0]).as_bytes());
        assert_eq!(watched.pair.read(watched.socket, 4).unwrap(), b"abcd");
        watched
            .pair
            .instead("AT+CMGR", format!("\r\n{READ}\r\nhello\r\n\r\n+RECEIVE,0,4:\r\nefgh\r\nOK\r\n"));
        assert_eq!(watched.pair.command("AT+CMGR=1", MINUTE).unwrap(), [READ, "hello"]);
        assert_eq!(watched.pair.read(watched.socket, 4).unwrap(), b"efgh");
        watched.is_undisturbed("data");
    }
}

#[test]
fn other_line_ends_are_damage_unless_a_text_of_people_may_come_late() {
    for (command, wait) in [("AT+CSQ", 2), ("AT+CMGR=1", 400)] {
        let mut watched = Watched::new(1000);
        watched.pair.instead(command, "");
        assert!(watched.pair.command(command, Duration::from_secs(1)).is_err());
        watched.pair.run_for(Duration::from_secs(wait));
        watched.pair.inject(format!("\n{READ}\nhello\n\nOK\n").as_bytes());
        watched.pair.run_for(Duration::from_secs(5));
        let (_, end) = watched.pair.read_to_end(watched.socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{command}: {end}");
    }
}

#[test]
fn a_message_in_a_late_answer_is_text() {
    for (text, end) in TEXTS.into_iter().flat_map(|text| ["\r\n", "\n", "\r\r\n"].map(|end| (text, end))) {
        let mut watched = Watched::new(1000);
        watched.pair.instead("AT+CMGR", "");
        assert!(watched.pair.command("AT+CMGR=1", Duration::from_secs(1)).is_err());
        watched.pair.run_for(Duration::from_secs(2));
        watched.pair.inject(format!("{end}{READ}{end}{text}{end}{end}OK{end}").as_bytes());
        watched.is_undisturbed(text);
        let said = |urc: &Urc| matches!(urc, Urc::Message { text: said, .. } if said.starts_with(text));
        assert!(watched.pair.saw(|event| matches!(event, Event::Urc(urc) if said(urc))), "{text:?} {end:?}");
    }
}

#[test]
fn the_rest_of_a_text_is_no_damage_but_a_line_directly_after_data_is() {
    let header = HEADERS[0];
    let mut watched = Watched::new(1000);
    watched.pair.inject(b"\r\n+RECEIVE,0,4:\r\nabcd");
    assert_eq!(watched.pair.read(watched.socket, 4).unwrap(), b"abcd");
    watched
        .pair
        .inject(format!("\r\n{header}\r\nfirst\r\n\r\nmore of it\r\n0, CLOSED\r\nbye\r\n").as_bytes());
    watched.is_undisturbed("data before the text");

    let mut watched = Watched::new(1000);
    watched
        .pair
        .inject(format!("\r\n{header}\r\nfirst\r\n\r\n+RECEIVE,0,4:\r\nabcdwhat is this\r\n").as_bytes());
    let (_, error) = watched.pair.read_to_end(watched.socket);
    assert!(matches!(error, Error::Closed(CloseReason::Damaged)), "data after the text: {error}");
}

#[test]
fn a_line_after_a_message_in_pdu_mode_is_believed_at_once() {
    let mut watched = Watched::new(5_000);
    let asked = watched.pair.wrote("AT+CIPSTATUS");
    watched.pair.inject(b"\r\n+CMT: ,23\r\n0791448720003023240DD0\r\n\r\n0, CLOSED\r\n");
    let (_, end) = watched.pair.read_to_end(watched.socket);
    assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{end}");
    assert_eq!(watched.pair.wrote("AT+CIPSTATUS"), asked);
}

#[test]
fn doubtful_lines_during_a_question_are_verified_with_another_question() {
    let mut pair = Pair::online();
    let status = |other: &str| {
        format!(
            "\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n\r\nC: 0,0,\"TCP\",\"1.2.3.4\",\"7\",\"CONNECTED\"\r\n\
             C: 1,0,\"TCP\",\"1.2.3.4\",\"7\",\"{other}\"\r\n"
        )
    };
    pair.instead("AT+CIPSTART=0", "\r\nOK\r\n").instead("AT+CIPSTART=1", "\r\nOK\r\n");
    pair.instead("AT+CIPSTATUS", status("CONNECTING") + "\r\n1, CONNECT OK\r\n");
    pair.instead("AT+CIPSTATUS", status("CONNECTED"));
    let connecting = [7, 7].map(|port| pair.connecting("echo.test", port, MINUTE));
    pair.inject(b"\r\n+CMT: \"+123\",,\"24/07/23,08:35:01+32\"\r\nhello\r\n\r\n0, CONNECT OK\r\n");
    pair.run_for(Duration::from_secs(5));
    for ticket in connecting {
        let answer = pair.answered(ticket);
        assert!(matches!(answer, Some(Ok(_))), "{answer:?}, {}", pair.story());
    }
}

#[test]
fn events_show_unsolicited_lines_without_text_of_people() {
    let mut pair = Pair::with(Config::default().urc_lines(true).pin("4711"), Settings::default()).ready();
    pair.command("AT+FTPPW=\"s3cretword\"", MINUTE).ok();
    pair.events.clear();
    for line in [
        "+CREG:  1",
        "^MODE:17, 17",
        "+X: s3cretword",
        "+CUSD: 0,\"code 99\",15",
        "+CMT: \"+123\",,\"24\"\r\ncode 99",
    ] {
        pair.inject(format!("\r\n{line}\r\n").as_bytes());
        pair.run_for(MINUTE);
    }
    let mut lines = Vec::new();
    for pair in pair.events.windows(2) {
        if let [Event::Line(line), urc] = pair {
            assert!(matches!(urc, Event::Urc(_)), "{line}: {urc:?}");
            lines.push(line.as_str());
        }
    }
    assert_eq!(
        lines,
        ["+CREG:  1", "^MODE:17, 17", "+X: **********", "+CUSD:***************", "+CMT:*************"]
    );
}

/// The rows of `AT+CIPSTATUS` of all eight channels, of which the first ones have these states.
fn status(state: &str, first: &[&str]) -> String {
    let rows = (0..8).map(|n| match first.get(n) {
        Some(&row) if row != "INITIAL" => format!("\r\nC: {n},0,\"TCP\",\"1.2.3.4\",\"80\",\"{row}\"\r\n"),
        Some(_) | None => format!("\r\nC: {n},,\"\",\"\",\"\",\"INITIAL\"\r\n"),
    });
    format!("\r\nOK\r\n\r\nSTATE: {state}\r\n{}", rows.collect::<String>())
}

/// The ways in which the text of a message comes, each with the text of its lines.
fn text_comes(pair: &mut Pair, way: &str, text: &str) {
    if way == "+CMGR" {
        pair.instead("AT+CMGR", format!("\r\n{READ}\r\n{text}\r\n\r\nOK\r\n"));
        pair.command("AT+CMGR=1", MINUTE).unwrap();
    } else {
        pair.inject(format!("\r\n{}\r\nfirst\r\n\r\n{text}\r\n", HEADERS[0]).as_bytes());
    }
}

#[test]
fn a_text_that_names_a_connecting_channel_does_not_end_its_connection() {
    for way in ["+CMGR", "+CMT"] {
        for text in ["0, CLOSED", "0, CLOSE OK", "0, TCP ERROR", "0, CONNECT FAIL"] {
            for said in ["CONNECTING", "INITIAL", "CONNECTED"] {
                let mut pair = Pair::online();
                pair.instead("AT+CIPSTART=0", "\r\nOK\r\n");
                // The connection is made between the row and the next answer.
                let made = status("IP PROCESSING", &[said]) + "\r\n0, CONNECT OK\r\n";
                pair.instead("AT+CIPSTATUS", made);
                pair.instead("AT+CIPSTATUS", status("IP PROCESSING", &["CONNECTED"]));
                let connecting = pair.connecting("a.test", 80, MINUTE);
                text_comes(&mut pair, way, text);
                pair.run_for(Duration::from_secs(5));
                let what = format!("{way} {text}, {said}");
                let Some(Ok(Response::Connected(socket))) = pair.answered(connecting) else {
                    panic!("{what}: {}", pair.story());
                };
                assert_eq!(pair.engine.readable(socket), (0, false), "{what}: {}", pair.story());
                assert_eq!(pair.wrote("AT+CIPCLOSE"), 0, "{what}");
            }
        }
    }
}

#[test]
fn a_text_that_names_a_connecting_channel_does_not_make_its_connection() {
    for way in ["+CMGR", "+CMT"] {
        for said in ["CONNECTING", "INITIAL", "CLOSED"] {
            let mut pair = Pair::online();
            pair.instead("AT+CIPSTART=0", "\r\nOK\r\n");
            pair.instead("AT+CIPSTATUS", status("IP PROCESSING", &[said]));
            let connecting = pair.connecting("a.test", 80, MINUTE);
            text_comes(&mut pair, way, "0, CONNECT OK");
            pair.run_for(Duration::from_secs(5));
            let answer = pair.answered(connecting);
            assert!(!matches!(answer, Some(Ok(_))), "{way}, {said}: {answer:?}");
        }
    }
}

/// Regression: the `OK` of a text was taken for the end of data that a wrong count had cut short.
#[test]
fn a_text_after_fetched_data_does_not_end_their_socket() {
    for way in ["+CMGR", "+CMT"] {
        for text in TEXTS.into_iter().chain([
            "AT+CGATT?\r\nOK",
            "OK\r\n\r\nOK",
            "0, CLOSED\r\n\r\nOK",
            "+CIPRXGET: 2,0,4,0\r\nabcd",
            "+CIPRXGET: 2,0,4,0",
            "+CIPRXGET: 2,9,4,0",
        ]) {
            for pause in [0, 5, 900, 3_000, 20_000] {
                let context = format!("{way} {text:?} after {pause} ms");
                let config = Config::default().receive_mode(ReceiveMode::Manual);
                let mut pair = Pair::with(config, Settings::default()).ready();
                let socket = pair.channel_open();
                pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\nOK\r\n");
                pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
                pair.run_for(Duration::from_millis(pause));
                text_comes(&mut pair, way, text);
                pair.run_for(Duration::from_secs(10));
                assert_eq!(
                    pair.read_some(socket, 9).unwrap().unwrap(),
                    b"abcd",
                    "{context}: {}",
                    pair.story()
                );
                assert!(pair.engine.is_open(socket), "{context}: {}", pair.story());
            }
        }
    }
}

/// Regression: each frame was read as more of the text, and no socket ended.
#[test]
fn data_after_a_text_whose_end_is_damaged_are_no_hole() {
    let frames = "\r\n+RECEIVE,0,6:\r\nabcdef\r\n+RECEIVE,0,3:\r\nghi";
    for end in ["\r\n\r\nOK\r\u{1a}", "\r\n\r\nOK\r", "\r\n\r\nOK\n", "\r\n\r\nO", "\r\n\r\nOK\r\u{b}", "\r"]
    {
        for pause in [0, 300, 2_000] {
            for chunk in [1, 7, 1_000] {
                let context = format!("{end:?}, {pause} ms, {chunk}");
                let mut pair = Pair::online().in_chunks_of(chunk);
                let socket = pair.channel_open();
                pair.instead("AT+CMGR", format!("\r\n{READ}\r\nhello{end}"));
                let ticket =
                    pair.ask(Request::Run(Command::of_user("AT+CMGR=1", Duration::from_secs(8)).unwrap()));
                pair.run_for(Duration::from_millis(pause));
                pair.deliver(frames.as_bytes());
                pair.run_for(Duration::from_secs(30));
                let answer = pair.answer(ticket);
                let read = pair.read_some(socket, 100);
                let is_whole = matches!(&read, Ok(Some(bytes)) if bytes == b"abcdefghi");
                let is_ended = matches!(read, Err(Error::Closed(CloseReason::Damaged)));
                assert!(is_whole || is_ended, "{context}: {read:?}, {answer:?}, {}", pair.story());
            }
        }
    }
}

/// Regression: such lines ended the text, if they came after the driver had asked, and the answer was cut.
#[test]
fn a_text_that_answers_the_question_behind_it_is_not_cut() {
    let question = "+CIPMODE: 0\r\n+CIPMUX: 1\r\n+CIPQSEND: 1\r\nOK\r\nthe rest\r\n";
    for chunk in [1, 7, 1000] {
        for before in [question.to_owned(), format!("more\r\n{question}")] {
            let mut watched = Watched::new(chunk);
            watched.pair.instead("AT+CMGR", format!("\r\n{READ}\r\nfirst\r\nOK\r\n"));
            watched.pair.before("AT+CIP", format!("{before}\r\nOK\r\n"));
            if let Ok(answer) = watched.pair.command("AT+CMGR=1", MINUTE) {
                assert_eq!(answer.last().map(String::as_str), Some("the rest"), "{chunk}, {answer:?}");
            }
            watched.is_undisturbed("a text with answers");
        }
    }
}

/// Regression: such a line counted as the echo of a module that had restarted, and ended every socket.
#[test]
fn a_text_with_a_command_in_it_is_no_echo() {
    for chunk in [1, 7, 1000] {
        for header in HEADERS {
            for command in ["AT", "AT+CSQ", "AT+CIPSEND=0,5", "ATE0", "AT+CIPMUX?"] {
                let mut watched = Watched::new(chunk);
                watched.pair.inject(format!("\r\n{header}\r\nx\r\n\r\n{command}\r\n").as_bytes());
                watched.is_undisturbed(command);
                watched.pair.inject(format!("\r\n{header}\r\nx\r\n\r\nOK\r\n{command}\r\n").as_bytes());
                watched.is_undisturbed(command);
            }
        }
    }
}

/// Regression: each such message led to questions at once: 700 in a second with a module that sends without end.
#[test]
fn texts_that_raise_suspicion_lead_to_a_question_in_a_second() {
    let mut watched = Watched::new(1000);
    let message = format!("\r\n{}\r\nx\r\n\r\n0, CLOSED\r\n", HEADERS[0]);
    let asked = watched.pair.wrote("AT+CIPSTATUS");
    for _ in 0..200 {
        watched.pair.inject(message.as_bytes());
        watched.pair.run_for(Duration::from_millis(50));
    }
    let asked = watched.pair.wrote("AT+CIPSTATUS") - asked;
    assert!((9..=12).contains(&asked), "{asked} in 10 s");
    watched.is_undisturbed("messages without end");
}

/// The module has restarted without a report, and its echo is on. The driver's question shows that.
#[test]
fn a_restart_after_a_text_with_a_command_is_noticed() {
    let mut watched = Watched::new(1000);
    watched.pair.instead("AT+CIPSTATUS", "AT+CIPSTATUS\r\r\nOK\r\n\r\nSTATE: IP INITIAL\r\n");
    watched.pair.inject(format!("\r\n{}\r\nx\r\n\r\nAT+CSQ\r\n", HEADERS[0]).as_bytes());
    watched.pair.run_for(Duration::from_secs(5));
    assert!(watched.pair.saw(|event| matches!(event, Event::Restarted)), "{}", watched.pair.story());
}

/// A module that never reports the channel can't settle the doubt, so the third answer without its row does.
#[test]
fn a_status_without_the_channels_row_confirms_nothing_before_the_third_question() {
    let others = status("IP PROCESSING", &[]).replacen("\r\nC: 0,,\"\",\"\",\"\",\"INITIAL\"\r\n", "", 1);
    for answer in [others.as_str(), "\r\nERROR\r\n"] {
        for way in ["+CMGR", "+CMT"] {
            let mut pair = Pair::online();
            let mut socket = pair.channel_open();
            // The count begins again after each doubt.
            for without in [2, 1, 2, 3, 2, 3] {
                let before = pair.wrote("AT+CIPSTATUS");
                pair.instead_times(without, "AT+CIPSTATUS", answer);
                let ends = without == 3;
                if ends {
                    // No report explains the refusal of the next close, so the driver asks about it.
                    pair.instead("AT+CIPCLOSE", "\r\nERROR\r\n");
                }
                text_comes(&mut pair, way, "0, CLOSED");
                pair.run_for(Duration::from_secs(5));
                let what = format!("{way}, {without} answers of {answer:?}");
                assert_eq!(pair.wrote("AT+CIPSTATUS") - before, without + 1, "{what}");
                if !ends {
                    assert_eq!(pair.send(socket, b"still there").unwrap(), 11, "{what}");
                    assert_eq!(pair.read(socket, 11).unwrap(), b"still there", "{what}");
                } else {
                    let (_, end) = pair.read_to_end(socket);
                    assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{what}: {end}");
                    pair.close(socket).unwrap();
                    assert!(pair.modem.state().channels[0].link.is_none(), "{what}");
                    socket = pair.channel_open();
                    assert_eq!(socket.channel().index(), 0, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_lost_bearer_ends_a_channel_that_a_text_names_like_the_others() {
    for way in ["+CMGR", "+CMT"] {
        for text in ["0, CLOSED", "0, TCP ERROR", "+PDP: DEACT"] {
            for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
                for state in ["PDP DEACT", "IP INITIAL", "IP GPRSACT"] {
                    let config = Config::default().receive_mode(mode);
                    let mut pair = Pair::with(config, Settings::default()).ready();
                    let sockets = [pair.channel_open(), pair.channel_open()];
                    pair.instead("AT+CIPSTATUS", status(state, &[]));
                    text_comes(&mut pair, way, text);
                    pair.run_for(Duration::from_secs(5));
                    for socket in sockets {
                        let (_, end) = pair.read_to_end(socket);
                        let what = format!("{way} {text}, {mode:?}, {state}");
                        assert!(matches!(end, Error::Closed(CloseReason::BearerLost)), "{what}: {end}");
                    }
                }
            }
        }
    }
}

/// A prompt that no command waits for has no line end of its own. The line end after it belongs to the next frame.
#[test]
fn data_after_a_stray_prompt_within_a_text_are_data() {
    for chunk in [1, 7, 1000] {
        for prompt in ["\r\n> ", "\r\n>"] {
            let data = |bytes: &str| format!("{prompt}\r\n+RECEIVE,0,4:\r\n{bytes}");
            let mut watched = Watched::new(chunk);
            let text = format!("\r\n{READ}\r\nhello\r\n{}\r\nOK\r\n", data("abcd"));
            watched.pair.instead("AT+CMGR", text);
            watched.pair.before("AT+CIP", data("efgh"));
            let answer = watched.pair.command("AT+CMGR=1", MINUTE).unwrap();
            assert_eq!(answer[..2], [READ, "hello"]);
            assert_eq!(watched.pair.read(watched.socket, 8).unwrap(), b"abcdefgh", "{prompt:?}, {chunk}");
            watched.is_undisturbed(prompt);
        }
    }
}

#[test]
fn data_directly_behind_a_stray_prompt_within_a_text_are_not_lost_in_silence() {
    for chunk in [1, 7, 1000] {
        for bytes in
            ["\r\n> +RECEIVE,0,4:\r\nabcd", "\r\n>+RECEIVE,0,4:\r\nabcd", "\r\n> \n+RECEIVE,0,4:\r\nabcd"]
        {
            let mut watched = Watched::new(chunk);
            watched.pair.instead("AT+CMGR", format!("\r\n{READ}\r\nhello\r\n\r\nOK\r\n"));
            watched.pair.before("AT+CIP", bytes);
            let _ = watched.pair.command("AT+CMGR=1", MINUTE);
            watched.pair.run_for(Duration::from_secs(5));
            let (len, has_ended) = watched.pair.engine.readable(watched.socket);
            assert!(len == 4 || has_ended, "{bytes:?}, {chunk}, {}", watched.pair.story());
        }
    }
}

/// The end of the line belongs to the next frame, as that of a prompt does (Q9).
#[test]
fn data_after_a_connection_without_its_line_end_within_a_text_are_data() {
    for chunk in [1, 7, 1000] {
        let mut watched = Watched::new(chunk);
        watched.pair.instead("AT+CIPSTART=1", "\r\nOK\r\n");
        let connecting = watched.pair.connecting("a.test", 80, MINUTE);
        watched.pair.instead("AT+CMGR", format!("\r\n{READ}\r\nhello\r\n\r\nOK\r\n"));
        watched.pair.before("AT+CIP", "\r\n1, CONNECT OK\r\n+RECEIVE,0,4:\r\nabcd");
        watched.pair.instead("AT+CIPSTATUS", status("IP PROCESSING", &["CONNECTED", "CONNECTED"]));
        let answer = watched.pair.command("AT+CMGR=1", MINUTE).unwrap();
        assert_eq!(answer[..2], [READ, "hello"]);
        assert_eq!(watched.pair.read(watched.socket, 4).unwrap(), b"abcd", "{chunk}");
        watched.is_undisturbed("a connection");
        let answer = watched.pair.answered(connecting);
        assert!(matches!(answer, Some(Ok(Response::Connected(_)))), "{answer:?}");
    }
}

/// An echo ends with the CR of its command. The line end after it belongs to the next frame.
#[test]
fn data_after_an_echo_within_a_text_are_data() {
    for chunk in [1, 7, 1000] {
        for echoed in ["\r", "\r\n"] {
            let mut pair = Pair::new().in_chunks_of(chunk);
            pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
            let mut pair = pair.ready();
            let socket = pair.channel_open();
            pair.instead("AT+CMGR", format!("AT+CMGR=1{echoed}\r\n{READ}\r\nhello\r\n\r\nOK\r\n"));
            for name in ["AT+CIPQSEND", "AT+CIPMODE", "AT+CIPMUX"] {
                let key = &name[2..];
                pair.instead(
                    name,
                    format!("{name}?{echoed}\r\n+RECEIVE,0,4:\r\nabcd\r\n{key}: 1\r\n\r\nOK\r\n"),
                );
            }
            assert_eq!(pair.command("AT+CMGR=1", MINUTE).unwrap(), [READ, "hello"], "{}", pair.story());
            assert_eq!(pair.read(socket, 4).unwrap(), b"abcd", "{echoed:?}, {chunk}");
        }
    }
}

/// The echo of a command may follow a text directly, and ends it.
#[test]
fn an_answer_after_a_text_and_an_echo_is_an_answer() {
    for chunk in [1, 7, 1000] {
        for header in HEADERS {
            let mut pair = Pair::new().in_chunks_of(chunk);
            pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
            let mut pair = pair.ready();
            let socket = pair.channel_open();
            pair.before("AT+CSQ", format!("\r\n{header}\r\nhello\r\n"));
            assert_eq!(pair.command("AT+CSQ", MINUTE).unwrap(), ["+CSQ: 24,99"], "{header}, {chunk}");
            let data = "AT+CSQ\r\r\n+RECEIVE,0,4:\r\nabcd\r\n+CSQ: 24,99\r\n\r\nOK\r\n";
            pair.instead("AT+CSQ", format!("\r\n{header}\r\nhello\r\n{data}"));
            assert_eq!(pair.command("AT+CSQ", MINUTE).unwrap(), ["+CSQ: 24,99"], "{header}, {chunk}");
            assert_eq!(pair.read(socket, 4).unwrap(), b"abcd", "{header}, {chunk}");
            let is_text = |event: &Event| matches!(event, Event::Urc(Urc::Message { text, .. }) if text.starts_with("hello"));
            assert_eq!(pair.events.iter().filter(|event| is_text(event)).count(), 2, "{}", pair.story());
        }
    }
}

/// The content of a file begins without a header.
#[test]
fn data_between_an_echo_and_a_file_are_data() {
    for chunk in [1, 7, 1000] {
        let mut pair = Pair::new().in_chunks_of(chunk);
        pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
        let mut pair = pair.ready();
        let socket = pair.channel_open();
        let command = "AT+FSREAD=\"name\",0,50,0";
        let answer = "\r\n+RECEIVE,0,4:\r\nabcd\r\nfirst\r\nlast\r\n\r\nOK\r\n";
        pair.instead("AT+FSREAD", format!("{command}\r{answer}"));
        assert_eq!(pair.command(command, MINUTE).unwrap(), ["first", "last"], "{chunk}");
        assert_eq!(pair.read(socket, 4).unwrap(), b"abcd", "{chunk}");
    }
}

/// A module answers in order. So the answer to the first of several questions shows that the text is complete.
#[test]
fn an_answer_is_believed_when_a_slow_module_answers_the_questions_after_it() {
    for chunk in [1, 7, 1000] {
        for text in TEXTS {
            for late in 1..=2 {
                let mut watched = Watched::new(chunk);
                let pair = &mut watched.pair;
                pair.instead("AT+CMGR", format!("\r\n{READ}\r\n{text}\r\n\r\nOK\r\n"));
                pair.instead_times(late + 1, "AT+CIP", "");
                let before = pair.written.len();
                let ticket = pair.ask(Request::Run(Command::of_user("AT+CMGR=1", MINUTE).unwrap()));
                let asked = |pair: &Pair| String::from_utf8_lossy(&pair.written[before..]).into_owned();
                pair.run_until(|pair| asked(pair).matches("?\r\n").count() == late + 1);
                let written = asked(pair);
                let names = written.lines().filter_map(|line| line.strip_prefix("AT")?.strip_suffix('?'));
                for name in names {
                    pair.inject(format!("\r\n{name}: 1\r\n\r\nOK\r\n").as_bytes());
                }
                let what = format!("{text}, {late} late, by {chunk}");
                match pair.answer(ticket) {
                    Ok(Response::Reply(reply)) => assert_eq!(reply.into_lines(), [READ, text], "{what}"),
                    other => panic!("{what}: {other:?}, {written}"),
                }
                assert_eq!(pair.command("AT+CSQ", MINUTE).unwrap(), ["+CSQ: 24,99"], "{what}");
                watched.is_undisturbed(&what);
            }
        }
    }
}

/// A text has no frame end in it, so a header that begins a frame is that of another message.
#[test]
fn a_message_after_the_answer_to_a_reading_command_is_no_part_of_it() {
    for chunk in [1, 7, 1000] {
        for text in TEXTS {
            for between in ["", "\r\n+CREG: 1\r\n"] {
                let message = format!("{between}\r\n{}\r\n{text}\r\n", HEADERS[0]);
                for bytes in [
                    format!("\r\n{READ}\r\nhello\r\n\r\nOK\r\n{message}"),
                    format!("\r\n{READ}\r\nhello\r\n{message}\r\nOK\r\n"),
                ] {
                    let mut watched = Watched::new(chunk);
                    watched.pair.instead("AT+CMGR", &bytes);
                    let answer = watched.pair.command("AT+CMGR=1", MINUTE).unwrap();
                    assert_eq!(answer[..2], [READ, "hello"], "{bytes}");
                    assert!(!answer.iter().any(|line| line.starts_with("+CMT")), "{bytes}: {answer:?}");
                    assert!(watched.has_reported(text), "{bytes}: {}", watched.pair.story());
                    watched.is_undisturbed(&bytes);
                }
            }
        }
    }
}

/// The text contains `OK`. Taken for the result, it would cut the lines after it.
#[test]
fn an_answer_with_lines_after_its_last_result_is_refused() {
    for (last, is_believed) in [("OK", true), ("O", false), ("OX", false), ("+X: 1", false)] {
        for late in [false, true] {
            let mut watched = Watched::new(1000);
            let pair = &mut watched.pair;
            pair.instead("AT+CMGR", format!("\r\n{READ}\r\nhello\r\nOK\r\nbye\r\n\r\n{last}\r\n"));
            if late {
                pair.instead("AT+CIPQSEND?", "");
                pair.before("AT+CIPMODE?", "\r\n+CIPQSEND: 1\r\n\r\nOK\r\n");
            }
            let answer = pair.command("AT+CMGR=1", MINUTE);
            match answer {
                Ok(lines) if is_believed => assert_eq!(lines, [READ, "hello", "OK", "bye"]),
                Err(Error::Unexpected(_)) if !is_believed => {}
                other => panic!("{last}, {late}: {other:?}"),
            }
            watched.is_undisturbed(last);
        }
    }
}

/// The header lost its end with the text and the header of a frame. The payload after it goes on in the line of the
/// header, up to the next frame, which is in the place of the text.
#[test]
fn a_frame_behind_the_torn_header_of_a_message_is_damage() {
    let frame = "\r\n+RECEIVE,0,4:\r\nabcd\r\n\r\n+CREG: 0,1\r\n";
    let text = "\r\n+RECEIVE,0,4:\r\n\r\n+CREG: 0,1\r\n";
    let long = "x".repeat(300);
    for (rest, after, is_damage) in [
        ("32\"", text, false),
        ("><P0000@00001936>", "\r\nhello\r\n\r\n+CREG: 0,1\r\n", false),
        ("><P0000@00001936>", frame, true),
        ("><P0000@00001936>", "\r\n+RECEIVE,5,4:\r\n\r\n+CREG: 0,1\r\n", false),
        (&long, text, true),
        (&format!("32\"{long}"), text, true),
    ] {
        for chunk in [1, 7, 1000] {
            let mut watched = Watched::new(chunk);
            let header = "\r\n+CMT: \"+86138\",,\"24/07/23,08:35:01+";
            watched.pair.deliver(format!("{header}{rest}{after}").as_bytes());
            watched.pair.run_for(Duration::from_secs(5));
            let (len, has_ended) = watched.pair.engine.readable(watched.socket);
            assert_eq!((len, has_ended), (0, is_damage), "{rest} {chunk}: {}", watched.pair.story());
        }
    }
}

#[test]
fn a_long_header_and_a_bracket_in_a_text_are_no_damage_where_nothing_can_be_missing() {
    let long = format!(
        "\r\n+CMT: \"{}\",,\"24/07/23,08:35:01+32\"\r\nhello\r\n\r\n+CREG: 0,1\r\n",
        "0048".repeat(70)
    );
    let bracket = "\r\n+CMT: \"+86138\",,\"24/07/23,08:35:01+32\"\r\nhello\r\n\r\n>\r\nmore\r\n";
    for (mode, bytes) in
        [(ReceiveMode::Manual, long.as_str()), (ReceiveMode::Manual, bracket), (ReceiveMode::Push, bracket)]
    {
        for chunk in [1, 1000] {
            let config = Config::default().receive_mode(mode);
            let mut pair = Pair::with(config, Settings::default()).ready().in_chunks_of(chunk);
            let socket = pair.channel_open();
            assert_eq!(pair.send(socket, b"abcd").unwrap(), 4);
            assert_eq!(pair.read(socket, 4).unwrap(), b"abcd");
            pair.run_for(Duration::from_secs(5));
            pair.deliver(bytes.as_bytes());
            pair.run_for(Duration::from_secs(5));
            assert!(
                !pair.saw(|event| matches!(event, Event::Fault(_))),
                "{mode:?} {bytes}: {}",
                pair.story()
            );
        }
    }
}
