//! Sessions with hostile content in the layouts of many programs: payload that looks like a mark, a print that looks
//! like one, payload that was cut, data that end with Ctrl-Z, data of several lines. What is read is compared with the
//! same session in our own format.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use air724ug::capture::{self, Reason};

use super::logs_layouts::{escaped, hex, name, story};

/// The bytes of one read or write, and their direction.
type Piece = (char, String);
/// A layout, and the log of a session in it.
type Layout = (&'static str, Box<dyn Fn(&[Piece]) -> String>);

fn session(between: &[Piece]) -> Vec<Piece> {
    let piece = |side, text: &str| (side, text.to_owned());
    let before = [
        piece('>', "AT+CIPMUX=1\r\n"),
        piece('<', "\r\nOK\r\n"),
        piece('>', "AT+CSQ\r\n"),
        piece('<', "\r\n+CSQ: 20,0\r\n\r\nOK\r\n"),
        piece('>', "AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\r\n"),
        piece('<', "\r\nOK\r\n"),
        piece('<', "\r\n0, CONNECT OK\r\n"),
    ];
    let after = [
        piece('<', "\r\n0, CLOSED\r\n"),
        piece('>', "AT+CIPSHUT\r\n"),
        piece('<', "\r\nSHUT OK\r\n"),
        piece('>', "AT\r\n"),
        piece('<', "\r\nOK\r\n"),
    ];
    before.into_iter().chain(between.iter().cloned()).chain(after).collect()
}

fn sends(data: &str) -> Vec<Piece> {
    vec![
        ('>', format!("AT+CIPSEND=0,{}\r\n", data.len())),
        ('<', "\r\n> ".to_owned()),
        ('>', data.to_owned()),
        ('<', "\r\n0, SEND OK\r\n".to_owned()),
    ]
}

fn receives(data: &str) -> Vec<Piece> {
    vec![('<', format!("\r\n+RECEIVE,0,{}:\r\n{data}\r\n", data.len()))]
}

/// The session in our own format.
fn own(session: &[Piece]) -> String {
    let record = |(side, text): &Piece| {
        let shown: String = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("0.0 {side} {shown}\n")
    };
    let records: String = session.iter().map(record).collect();
    format!("# what: x\n# source: x\n# expect: 0 unexplained\n{records}")
}

fn screen(session: &[Piece]) -> String {
    session.iter().map(|(_, text)| text.as_str()).collect::<String>().replace('\r', "")
}

fn stamped(session: &[Piece], stamp: &str) -> String {
    screen(session).lines().map(|line| format!("{stamp}{line}\n")).collect()
}

/// Layouts with a line for each line of the wire: the text in front of what was sent, and of what was received.
const MARKS: [(&str, &str, &str); 11] = [
    ("TX and RX", "TX: ", "RX: "),
    ("TX and RX with stamps", "[12:00:01.000] TX: ", "[12:00:01.000] RX: "),
    ("esp-idf", "I (131) at: TX:|", "I (131) at: RX:|"),
    ("words", "Sent: ", "Received: "),
    ("names of devices", "Host: ", "Modem: "),
    ("arrows", "--> ", "<-- "),
    ("brackets of full width", "【发送】", "【接收】"),
    ("a colon of full width", "发送：", "收到："),
    ("arrows after words", "发送→", "接收←"),
    ("Chinese names", "上位机：", "模块："),
    ("stamps of full width", "【12:00:01.000】发送：", "【12:00:01.000】接收："),
];

/// One line for each line of the wire; blank lines only within data.
fn by_line(session: &[Piece], sent: &str, received: &str) -> String {
    let mut log = String::new();
    for (side, text) in session {
        let parts: Vec<&str> = text.split("\r\n").collect();
        let is_data = *side == '>' && !text.starts_with("AT+CIPSEND") || text.contains("+RECEIVE");
        for (at, part) in parts.iter().enumerate() {
            if !part.is_empty() || is_data && at > 1 && at + 1 < parts.len() {
                log += &format!("{}{part}\n", name(*side, sent, received));
            }
        }
    }
    log
}

fn by_piece(session: &[Piece], piece: impl Fn(char, &str) -> String) -> String {
    session.iter().map(|(side, text)| format!("{}\n", piece(*side, text))).collect()
}

fn layouts() -> Vec<Layout> {
    let screens: [Layout; 5] = [
        ("a terminal", Box::new(screen)),
        ("a raw log", Box::new(|session| session.iter().map(|(_, text)| text.as_str()).collect())),
        ("CoolTerm", Box::new(|session| stamped(session, "2024-10-10 15:53:37.317 "))),
        ("Arduino's monitor", Box::new(|session| stamped(session, "12:00:00.123 -> "))),
        ("docker's log of a terminal", Box::new(|session| stamped(session, "modem-1  | "))),
    ];
    let marked = MARKS.map(|(layout, sent, received)| -> Layout {
        (layout, Box::new(move |session| by_line(session, sent, received)))
    });
    let by_piece: [Layout; 3] = [
        (
            "escapes",
            Box::new(|session| {
                by_piece(session, |side, text| {
                    let shown = escaped(text).replace("\\u{1a}", "\\x1a");
                    format!("{}: {shown}", name(side, "TX", "RX"))
                })
            }),
        ),
        (
            "hexadecimal with a gutter",
            Box::new(|session| {
                by_piece(session, |side, text| {
                    format!(
                        "{}: {}    {}",
                        name(side, "TX", "RX"),
                        hex(text),
                        text.replace(['\r', '\n', '\x1a'], ".")
                    )
                })
            }),
        ),
        (
            "hexadecimal with an offset and a gutter",
            Box::new(|session| {
                by_piece(session, |side, text| {
                    let shown = text.replace(['\r', '\n', '\x1a'], ".");
                    format!("{} 00000000  {}  |{shown}|", name(side, "->", "<-"), hex(text).to_lowercase())
                })
            }),
        ),
    ];
    screens.into_iter().chain(marked).chain(by_piece).collect()
}

/// The stories of a session in all layouts that differ from its story in our own format.
fn differences(what: &str, session: &[Piece]) -> Vec<String> {
    let expected = shown(story(own(session).as_bytes()));
    let read = |(layout, log): Layout| {
        let found = shown(story(log(session).as_bytes()));
        (found != expected).then(|| format!("{what} in {layout}: {found:#?}\n{}", log(session)))
    };
    layouts().into_iter().filter_map(read).collect()
}

/// Without the line end in front of a Ctrl-Z, which a log of lines does not show.
fn shown(story: Vec<String>) -> Vec<String> {
    story.into_iter().map(|line| line.replace("\\r\\n\\x1a", "\\x1a")).collect()
}

fn check(sessions: impl IntoIterator<Item = (String, Vec<Piece>)>) {
    let wrong: Vec<String> =
        sessions.into_iter().flat_map(|(what, session)| differences(&what, &session)).collect();
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Lines of payload and prints that look like something else.
const HOSTILE: [&str; 14] = [
    "Host: 203.0.113.5",
    "Module: OK",
    "{\"code\":0}AT+CIPCLOSE",
    "Response: OK",
    "TX: AT+CSQ",
    "-> AT+CSQ",
    "Received: 5 bytes",
    "<- OK",
    "# CONNECT OK",
    "> AT",
    "41 54 0D 0A",
    "AT+CIPCLOSE=0",
    "DEBUG: x",
    "Command: AT",
];

#[test]
fn a_line_of_payload_does_not_turn_the_layout_of_the_log() {
    check(HOSTILE.into_iter().flat_map(|text| {
        let received = [sends("hello"), receives(text), receives("world")].concat();
        let sent = [sends(text), receives("world"), sends("hello")].concat();
        [(format!("received {text}"), session(&received)), (format!("sent {text}"), session(&sent))]
    }));
}

#[test]
fn payload_and_data_of_several_lines_are_exact() {
    let request = "GET /a HTTP/1.1\r\nHost: 203.0.113.5\r\nConnection: close\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nServer: nginx\r\nModule: OK\r\n\r\n{\"code\":0}";
    check([
        ("a request".to_owned(), session(&[sends(request), receives(answer)].concat())),
        (
            "results".to_owned(),
            session(&[sends("a: 1\r\nOK\r\nb: 2"), receives("x: 1\r\nOK\r\nAT\r\nz")].concat()),
        ),
    ]);
}

#[test]
fn payload_may_have_line_feeds_only_or_come_in_pieces() {
    let received = |log: &str| story(log.as_bytes()).into_iter().find(|line| line.starts_with("received"));
    let after = "0, CLOSED\nAT\nOK\n";
    let feeds = format!("AT\nOK\n+RECEIVE,0,11:\n{{\n\"a\": 123\n}}\n{after}").replace("0,11", "0,12");
    assert_eq!(received(&feeds).unwrap(), r#"received 0 {\n"a": 123\n}"#);
    let pieces = "TX: AT\nRX: OK\nRX: +RECEIVE,0,14:\nRX: the wor\nRX: ld i\nRX: s00\nRX: 0, CLOSED\n";
    assert_eq!(received(pieces).unwrap(), "received 0 the world is00");
}

#[test]
fn the_lines_after_payload_that_was_cut_are_read() {
    let cut = [('<', "\r\n+RECEIVE,0,60:\r\nhalf of it\r\n".to_owned())];
    let after = [('>', "AT+CSQ\r\n".to_owned()), ('<', "\r\n+CSQ: 21,0\r\n\r\nOK\r\n".to_owned())];
    let session = session(&[sends("hello"), cut.to_vec(), after.to_vec(), receives("world")].concat());
    let expected = [
        "command AT+CSQ",
        "reply +CSQ: 21,0 to AT+CSQ",
        "final OK to AT+CSQ",
        "received 0 world",
        "urc 0, CLOSED",
        "command AT+CIPSHUT",
        "final SHUT OK to AT+CIPSHUT",
        "command AT",
        "final OK to AT",
    ];
    for (layout, log) in layouts() {
        let found = story(log(&session).as_bytes());
        assert_eq!(found[found.len() - expected.len()..], expected, "{layout}: {found:#?}");
        assert!(found.iter().any(|line| line.contains("announced bytes never came")), "{layout}: {found:#?}");
    }
}

#[test]
fn data_end_with_ctrl_z_however_it_is_written() {
    let data = |text: &str| {
        let send = [('>', "AT+CIPSEND=0\r\n"), ('<', "\r\n> "), ('>', text), ('<', "\r\n0, SEND OK\r\n")];
        send.map(|(side, text)| (side, text.to_owned())).to_vec()
    };
    for text in ["hello\x1a", "hello\r\nsecond\r\n\r\nthird\x1a", "Host: 203.0.113.5\r\nOK\r\nx\x1a"] {
        let session = session(&[data(text), receives("world")].concat());
        check([(text.to_owned(), session.clone())]);
        let expected = shown(story(own(&session).as_bytes()));
        for spelling in ["<SUB>", "^Z", "\\x1a", "0x1A", "(Ctrl-Z)", "<CTRL+Z>", "[1A]", "␚"] {
            for (layout, log) in layouts().into_iter().take(16) {
                let log = log(&session).replace('\x1a', spelling);
                assert_eq!(shown(story(log.as_bytes())), expected, "{spelling} in {layout}:\n{log}");
            }
        }
    }
}

#[test]
fn a_print_or_a_heading_does_not_turn_the_layout_of_the_log() {
    let session = session(&[sends("hello"), receives("world")].concat());
    let expected = story(own(&session).as_bytes());
    let prints =
        ["Host: pi, module Air724UG", "Test log, TX = red", "Command: reboot the board", "以下是日志："];
    for print in prints.into_iter().chain(["Connecting to server...", "Received: 5 bytes", "retry 1 of 3"]) {
        for (layout, log) in layouts() {
            let log = log(&session);
            let at = log.lines().position(|line| line.contains("CIPSTART") || line.contains("54 41 52 54"));
            let mut lines: Vec<&str> = log.lines().collect();
            for place in [0, at.unwrap()] {
                lines.insert(place, print);
                let found = story((lines.join("\n") + "\n").as_bytes());
                let read: Vec<&String> =
                    found.iter().filter(|line| !line.starts_with("unexplained")).collect();
                assert_eq!(read, expected.iter().collect::<Vec<_>>(), "{print} in {layout}: {found:#?}");
                lines.remove(place);
            }
        }
    }
}

#[test]
fn frames_of_several_lines_with_escaped_line_ends_are_read() {
    let log = "TX: AT+CSQ\nRX: +CSQ: 20,0\\r\\n\\r\\nOK\nTX: AT+CIPMUX=1\nRX: OK\nRX: +RECEIVE,0,5:\\r\\nworld\nTX: AT\nRX: OK\n";
    let expected = [
        "command AT+CSQ",
        "reply +CSQ: 20,0 to AT+CSQ",
        "final OK to AT+CSQ",
        "command AT+CIPMUX=1",
        "final OK to AT+CIPMUX=1",
        "received 0 world",
        "command AT",
        "final OK to AT",
    ];
    assert_eq!(story(log.as_bytes()), expected);
}

#[test]
fn a_command_in_a_line_of_unknown_form_is_unexplained() {
    let marked = "TX: AT+CSQ\nRX: +CSQ: 20,0\nRX: OK\n".repeat(2);
    let log = format!("{marked}queue {{AT+CREG?}}\nthe battery is low\n");
    let found = story(log.as_bytes());
    assert_eq!(found[6..], ["unexplained (a command or an answer in a line of unknown form)"]);
    let capture = capture::read(log.as_bytes()).unwrap();
    let remarks: Vec<_> = capture.remarks.iter().map(|remark| (remark.line, remark.reason)).collect();
    assert_eq!(remarks, [(7, Reason::UnknownForm), (8, Reason::Tool)]);
}
