//! One session as many programs would have logged it: whatever is put around the bytes, the same session is read.

// What fails here fails a test, in helpers too.
#![allow(clippy::unwrap_used)]

use air724ug::capture::{self, HappeningKind, Marks, replay};

/// A session: what was sent and what came, with the milliseconds at which it did.
const SESSION: [(u64, char, &str); 14] = [
    (0, '>', "AT+CIPMUX=1\r\n"),
    (4, '<', "\r\nOK\r\n"),
    (100, '>', "AT+CSQ\r\n"),
    (104, '<', "\r\n+CSQ: 20,0\r\n\r\nOK\r\n"),
    (200, '>', "AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\r\n"),
    (204, '<', "\r\nOK\r\n"),
    (500, '<', "\r\n0, CONNECT OK\r\n"),
    (600, '>', "AT+CIPSEND=0,5\r\n"),
    (604, '<', "\r\n> "),
    (610, '>', "hello"),
    (650, '<', "\r\n0, SEND OK\r\n"),
    (900, '<', "\r\n+RECEIVE,0,5:\r\nworld\r\n"),
    (950, '<', "\r\n0, CLOSED\r\n"),
    (999, '>', "AT\r\n"),
];

/// What every log of it must tell.
const STORY: [&str; 14] = [
    "command AT+CIPMUX=1",
    "final OK to AT+CIPMUX=1",
    "command AT+CSQ",
    "reply +CSQ: 20,0 to AT+CSQ",
    "final OK to AT+CSQ",
    "command AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80",
    "final OK to AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80",
    "urc 0, CONNECT OK",
    "command AT+CIPSEND=0,5",
    "sent hello",
    "final 0, SEND OK to AT+CIPSEND=0,5",
    "received 0 world",
    "urc 0, CLOSED",
    "command AT",
];

fn story(log: &[u8]) -> Vec<String> {
    let timeline = replay(&capture::read(log).unwrap());
    let told = timeline.happenings.iter().map(|happening| &happening.what);
    told.filter(|what| {
        !matches!(
            what,
            HappeningKind::Prompt | HappeningKind::Echo(_) | HappeningKind::DataEcho(_) | HappeningKind::Gap
        )
    })
    .map(ToString::to_string)
    .collect()
}

fn clock(millis: u64) -> String {
    format!("12:00:{:02}.{:03}", millis / 1000, millis % 1000)
}

/// One line of the log for each line of the wire, as `line` prints it.
fn by_line(line: impl Fn(u64, char, &str) -> String) -> String {
    let mut log = String::new();
    for (at, side, text) in SESSION {
        for text in text.split("\r\n").filter(|text| !text.is_empty()) {
            log.push_str(&line(at, side, text));
            log.push('\n');
        }
    }
    log
}

/// One line of the log for each read and write.
fn by_piece(piece: impl Fn(u64, char, &str) -> String) -> String {
    SESSION.iter().map(|(at, side, text)| piece(*at, *side, text) + "\n").collect()
}

fn name(side: char, sent: &'static str, received: &'static str) -> &'static str {
    if side == '>' { sent } else { received }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

fn named(text: &str) -> String {
    text.replace('\r', "<CR>").replace('\n', "<LF>")
}

/// `hexdump -C`, sixteen bytes a line.
fn dumped(text: &str) -> String {
    let lines = text.as_bytes().chunks(16).enumerate().map(|(at, chunk)| {
        let pairs: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown: String =
            chunk.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        let (left, right) = pairs.split_at(pairs.len().min(8));
        format!("{:08x}  {:23}  {:23}  |{shown}|", at * 16, left.join(" "), right.join(" "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The session as a terminal shows it: what is typed is echoed.
fn screen() -> String {
    SESSION.iter().map(|(_, _, text)| *text).collect::<String>().replace('\r', "")
}

fn stamped(stamp: &str) -> String {
    screen().lines().map(|line| format!("{stamp}{line}\n")).collect()
}

fn layouts() -> Vec<(&'static str, String)> {
    vec![
        ("a terminal", screen()),
        ("minicom", format!("Welcome to minicom 2.8\n\nOPTIONS: I18n \nPort /dev/ttyUSB0, 10:00:00\n\nPress CTRL-A Z for help on special keys\n\n{}", screen())),
        ("picocom", format!("picocom v3.1\n\nType [C-a] [C-h] to see available commands\nTerminal ready\n{}\nTerminating...\nThanks for using picocom\n", screen()).replace("Terminating...\n", "")),
        ("a raw log of screen", SESSION.iter().map(|(_, _, text)| *text).collect()),
        ("Arduino's monitor", stamped("12:00:00.123 -> ")),
        ("Luatools", stamped("[2024-10-10 15:53:37.317] ")),
        ("QNavigator", stamped("[2024-10-10_15:53:37:317]")),
        ("Tera Term", stamped("[Thu Oct 10 15:53:37.317 2024] ")),
        ("ts", stamped("Oct 10 15:53:37 ")),
        ("journalctl", stamped("Oct 10 15:53:37 pi modem[312]: ")),
        ("Python's logging", by_line(|at, side, text| format!("2024-10-10 {} DEBUG modem: {} {text}", clock(at).replace('.', ","), name(side, ">>", "<<")))),
        ("Python's bytes", by_piece(|at, side, text| format!("2024-10-10 {},000 - modem - DEBUG - {} b'{}'", &clock(at)[..8], name(side, "Write:", "Read:"), text.escape_debug().to_string().replace("\\\"", "\"")))),
        ("pySerial's spy", by_piece(|at, side, text| format!("{:06}.{:03} {} {}", at / 1000, at % 1000, name(side, "TX", "RX"), hex(text)))),
        ("arrows", by_line(|_, side, text| format!("\t{} {text}", name(side, "--->", "<---")))),
        ("arrows the other way", by_line(|_, side, text| format!("{} {text}", name(side, "<=", "=>")))),
        ("one character", by_line(|_, side, text| format!("{} {text}", name(side, ">", "<")))),
        ("letters", by_piece(|_, side, text| format!("{} '{}'", name(side, "w:", "r:"), text.escape_default()).replace("\\\"", "\""))),
        ("esp-idf", by_line(|at, side, text| format!("\x1b[0;32mI ({at}) at_engine: {}{text}\x1b[0m", name(side, "TX:|", "RX:|")))),
        ("esp_modem", by_line(|at, side, text| format!("D ({at}) esp-modem: {}", if side == '>' { format!("Sending command:{text}") } else { format!("Handling line: >>{text}\n\n<<") }))),
        ("RT-Thread", by_line(|at, side, text| format!("[{at}] D/AT {}: {text}", name(side, "sendline", "recvline")))),
        ("ModemManager", by_piece(|at, side, text| format!("Oct 10 {} pi ModemManager[3]: <debug> [1.{at:06}] [ttyUSB2] {} '{}'", &clock(at)[..8], name(side, "-->", "<--"), named(text)))),
        ("Docklight", by_piece(|at, side, text| format!("6/20/2012 {} [{}] - {}", clock(at), name(side, "TX", "RX"), named(text)))),
        ("SSCOM", by_piece(|at, side, text| format!("[{}]{}{}", clock(at), name(side, "发→◇", "收←◆"), if side == '>' { format!("{}\n□", text.trim_end()) } else { text.replace('\r', "") }))),
        ("LLCOM", by_piece(|at, side, text| format!("[2024/10/16 {}] {} {}", clock(at), name(side, "←", "→"), text.replace('\r', "")))),
        ("a serial assistant", by_piece(|at, side, text| format!("[2024-10-16 {}]{}\n{}", clock(at), name(side, "# SEND ASCII/5 >>>", "# RECV ASCII/7 <<<"), text.replace('\r', "")))),
        ("Chinese words", by_line(|at, side, text| format!("[{}] {}：{text}", clock(at), name(side, "发送", "接收")))),
        ("hexadecimal", by_piece(|at, side, text| format!("{} {}: {}", clock(at), name(side, "Send", "Recv"), hex(text)))),
        ("words", by_line(|_, side, text| format!("{}: {text}", name(side, "Sent", "Received")))),
        ("a modem's own log", by_line(|_, side, text| format!("[{}] {text}", name(side, "RX", "TX")))),
        ("hexdump -C of both sides", by_piece(|_, side, text| dumped(text).lines().map(|line| format!("{} {line}\n", name(side, "TX", "RX"))).collect::<String>().trim_end().to_owned())),
    ]
}

#[test]
fn every_layout_tells_the_same_session() {
    let mut wrong = Vec::new();
    for (tool, log) in layouts() {
        let told = story(log.as_bytes());
        if told != STORY {
            wrong.push(format!("{tool}: {told:#?}\n{log}"));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_put_around_a_log_changes_nothing() {
    for (tool, log) in layouts() {
        let lines = || log.lines();
        let utf16 = |big: bool| -> Vec<u8> {
            let units = log.encode_utf16();
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let around = [
            ("indented", lines().map(|line| format!("    {line}\n")).collect::<String>().into_bytes()),
            ("quoted", lines().map(|line| format!("> {line}\n")).collect::<String>().into_bytes()),
            ("with CR LF", log.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()),
            ("with a mark", format!("\u{feff}{log}").into_bytes()),
            ("as UTF-16", utf16(false)),
            ("as UTF-16, high byte first", utf16(true)),
            ("with a remark at the top", format!("// recorded at the desk\n# by hand\n{log}").into_bytes()),
        ];
        for (what, log) in around {
            // A raw log has its CR LF already, and one character cannot be told from a quotation of it.
            if what == "quoted" && tool == "one character" {
                continue;
            }
            let told = story(&log);
            assert_eq!(told, STORY, "{tool}, {what}:\n{}", String::from_utf8_lossy(&log));
        }
    }
}

#[test]
fn a_user_can_add_a_mark_by_one_line() {
    let log = by_line(|at, side, text| format!("{} {} {text}", clock(at), name(side, "ich:", "er:")));
    let mut marks = Marks::default();
    marks.extend("sent ich\nreceived er").unwrap();
    let timeline = replay(&capture::read_with(log.as_bytes(), &marks).unwrap());
    assert_eq!(timeline.unexplained().count(), 0);
    assert_eq!(timeline.happenings[1].what.to_string(), "final OK to AT+CIPMUX=1");
}
