//! One session in the layouts of many programs. The same session is read from each log.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use air724ug::capture::{self, Marks, TimelineEntryKind, replay};

use super::logs_forms;

/// A session: the bytes sent and received, with their times in milliseconds.
pub(crate) const SESSION: [(u64, char, &str); 14] = [
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

/// The events that every log of the session has to yield.
pub(crate) const STORY: [&str; 14] = [
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

pub(crate) fn story(log: &[u8]) -> Vec<String> {
    let timeline = replay(&capture::read(log).unwrap());
    let words = timeline.entries.iter().map(|entry| &entry.what);
    words
        .filter(|what| {
            !matches!(
                what,
                TimelineEntryKind::Prompt
                    | TimelineEntryKind::Echo(_)
                    | TimelineEntryKind::DataEcho(_)
                    | TimelineEntryKind::Gap
            )
        })
        .map(ToString::to_string)
        .collect()
}

pub(crate) fn clock(millis: u64) -> String {
    format!("12:00:{:02}.{:03}", millis / 1000, millis % 1000)
}

/// A log with one line for each line of the wire, in the form of `line`.
pub(crate) fn by_line(line: impl Fn(u64, char, &str) -> String) -> String {
    let mut log = String::new();
    for (at, side, text) in SESSION {
        for text in text.split("\r\n").filter(|text| !text.is_empty()) {
            log.push_str(&line(at, side, text));
            log.push('\n');
        }
    }
    log
}

/// A log with one line for each read and write.
pub(crate) fn by_piece(piece: impl Fn(u64, char, &str) -> String) -> String {
    SESSION.iter().map(|(at, side, text)| piece(*at, *side, text) + "\n").collect()
}

pub(crate) fn name<'a>(side: char, sent: &'a str, received: &'a str) -> &'a str {
    if side == '>' { sent } else { received }
}

pub(crate) fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

fn named(text: &str) -> String {
    text.replace('\r', "<CR>").replace('\n', "<LF>")
}

/// The form of `hexdump -C`, with sixteen bytes on each line.
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

/// The session on the screen of a terminal, with echo.
pub(crate) fn screen() -> String {
    SESSION.iter().map(|(_, _, text)| *text).collect::<String>().replace('\r', "")
}

pub(crate) fn stamped(stamp: &str) -> String {
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
fn every_layout_yields_the_same_session() {
    let mut wrong = Vec::new();
    for (tool, log) in layouts().into_iter().chain(more_layouts()) {
        let words = story(log.as_bytes());
        if words != STORY {
            wrong.push(format!("{tool}: {words:#?}\n{log}"));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Bytes as a string of C in quotes.
pub(crate) fn escaped(text: &str) -> String {
    text.escape_default().to_string()
}

/// A hexadecimal dump with a column of text, as port monitors print it below a heading.
pub(crate) fn block(text: &str, indent: &str, offsets: bool, columns: usize) -> String {
    let lines = text.as_bytes().chunks(16).enumerate().map(|(at, chunk)| {
        let pairs: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown: String =
            chunk.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        let offset = if offsets { format!("{:08x}  ", at * 16) } else { String::new() };
        format!("{indent}{offset}{:columns$}{shown}", pairs.join(" "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Groups of four bytes, as in usbmon.
fn words(text: &str) -> String {
    let bytes = text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    bytes.chunks(4).map(<[String]>::concat).collect::<Vec<_>>().join(" ")
}

/// Layouts without a row, or with a wrong row, in the table of marks. The file itself shows the meaning of its marks.
fn more_layouts() -> Vec<(&'static str, String)> {
    [
        terminal_forms(),
        trace_forms(),
        daemon_forms(),
        library_forms(),
        table_forms(),
        logs_forms::analysers(),
        logs_forms::tagged(),
        logs_forms::sniffers(),
        logs_forms::programs(),
        logs_forms::strings(),
        logs_forms::unknown_fronts(),
    ]
    .concat()
}

fn terminal_forms() -> Vec<(&'static str, String)> {
    vec![
        ("minicom, differences of times", stamped("[+0.004] ")),
        ("minicom, whole seconds", stamped("[2024-10-10 15:53:37] ")),
        ("CuteCom", stamped("[15:53:37:317] ").replace('\n', "␍␊\n")),
        ("line ends by name", stamped("[15:53:37:317] ").replace('\n', "<CR><LF>\n")),
        ("Tera Term, time since the start", stamped("[0 00:00:37.317] ")),
        (
            "PuTTY",
            format!(
                "=~=~=~=~=~=~=~=~=~=~=~= PuTTY log 2024.10.10 15:53:37 =~=~=~=~=~=~=~=~=~=~=~=\r\n{}",
                SESSION.iter().map(|(_, _, text)| *text).collect::<String>()
            ),
        ),
        (
            "PuTTY, raw",
            format!(
                "Event Log: Opening serial device /dev/ttyUSB2\nEvent Log: Configuring baud rate 115200\n{}",
                by_piece(|_, side, text| format!(
                    "{} raw data at 2024-10-10 15:53:37\n{}",
                    name(side, "Outgoing", "Incoming"),
                    block(text, "  ", true, 50)
                ))
            ),
        ),
        (
            "script",
            format!(
                "Script started on 2024-10-10 15:53:37+00:00 [TERM=\"xterm\" TTY=\"/dev/pts/0\" COLUMNS=\"80\" LINES=\"24\"]\n\x1b[?2004h{}\nScript done on 2024-10-10 15:54:37+00:00 [COMMAND_EXIT_CODE=\"0\"]\n",
                screen()
            ),
        ),
        (
            "esp_modem, verbose",
            format!(
                "--- esp-idf-monitor 1.4.0 on /dev/ttyUSB0 115200\n--- Quit: Ctrl+] | Menu: Ctrl+T\n{}",
                by_piece(|at, side, text| block(
                    text,
                    &format!("V ({at}) {}: 0x3ffb5c10   ", name(side, "uart-tx", "uart-rx")),
                    false,
                    50
                ))
            ),
        ),
        (
            "usbmon",
            by_piece(|at, side, text| match side {
                '>' => format!(
                    "ffff88003a2b4c00 {0} S Bo:1:005:2 -115 {1} = {2}\nffff88003a2b4c00 {0} C Bo:1:005:2 0 {1} >",
                    3_575_914_555 + at * 1000,
                    text.len(),
                    words(text)
                ),
                _ => format!(
                    "ffff88003a2b4d80 {} C Bi:1:005:2 0 {} = {}\nffff88003a2b4d80 {} S Bi:1:005:2 -115 64 <",
                    3_575_914_555 + at * 1000,
                    text.len(),
                    words(text),
                    3_575_914_556 + at * 1000
                ),
            }),
        ),
    ]
}

fn trace_forms() -> Vec<(&'static str, String)> {
    vec![
        (
            "strace",
            by_piece(|at, side, text| {
                format!(
                    "{} {}(3, \"{}\", {}) = {}",
                    clock(at),
                    name(side, "write", "read"),
                    escaped(text).replace("\\'", "'"),
                    if side == '>' { text.len() } else { 256 },
                    text.len()
                )
            }),
        ),
        (
            "socat -x",
            by_piece(|at, side, text| {
                format!(
                    "{} 2024/10/10 {}000  length={} from=0 to={}\n {}",
                    name(side, ">", "<"),
                    clock(at),
                    text.len(),
                    text.len() - 1,
                    hex(text).to_lowercase()
                )
            }),
        ),
        (
            "a port monitor",
            by_piece(|_, side, text| {
                format!(
                    "[10/10/2024 15:53:37] {} (COM3)\n{}",
                    name(side, "Written data", "Read data"),
                    block(text, "\t", false, 50)
                )
            }),
        ),
        (
            "Portmon",
            by_piece(|at, side, text| {
                format!(
                    "{at}\t0.00001234\tterm.exe\t{}\tSerial0\tSUCCESS\tLength {}: {}",
                    name(side, "IRP_MJ_WRITE", "IRP_MJ_READ"),
                    text.len(),
                    hex(text)
                )
            }),
        ),
        (
            "jpnevulator",
            by_piece(|_, side, text| {
                format!(
                    "2024-10-10 15:53:37.317000: {}\n{}",
                    name(side, "TX", "RX"),
                    block(text, "", false, 49)
                )
            }),
        ),
    ]
}

fn daemon_forms() -> Vec<(&'static str, String)> {
    vec![
        (
            "the kernel",
            by_piece(|at, side, text| {
                format!(
                    "[ {:4}.{:03}000] option1 ttyUSB2: {} - length = {}, data = {}",
                    at / 1000,
                    at % 1000,
                    name(side, "usb_serial_generic_write", "usb_serial_generic_read_bulk_callback"),
                    text.len(),
                    hex(text).to_lowercase()
                )
            }),
        ),
        (
            "oFono",
            by_piece(|at, side, text| {
                format!(
                    "ofonod[312]: {} {} {}",
                    if at < 5 { "Aux:" } else { "Modem:" },
                    side,
                    escaped(text).replace("\\\"", "\"")
                )
            }),
        ),
        (
            "Android's RIL",
            by_line(|at, side, text| {
                format!("10-10 {}  1234  1250 D RILC    : {} {text}", clock(at), name(side, "AT>", "AT<"))
            }),
        ),
        (
            "Android's RIL, brief",
            by_line(|_, side, text| format!("D/AT      (  123): {} {text}", name(side, "AT>", "AT<"))),
        ),
        (
            "Zephyr's chat",
            by_line(|at, side, text| {
                format!(
                    "[00:00:{:02}.{:03},000] <dbg> modem_chat: {} {text}",
                    at / 1000,
                    at % 1000,
                    name(
                        side,
                        "modem_chat_script_send: sending:",
                        "modem_chat_log_received_command: received:"
                    )
                )
            }),
        ),
        (
            "Zephyr's hexdump",
            by_piece(|at, side, text| {
                format!(
                    "[00:00:{:02}.{:03},000] <dbg> modem_iface: {}\n{}",
                    at / 1000,
                    at % 1000,
                    name(side, "TX", "RX"),
                    block(text, "                                       ", false, 52).replace("  A", " |A")
                )
            }),
        ),
    ]
}

fn library_forms() -> Vec<(&'static str, String)> {
    vec![
        (
            "QXDM",
            by_line(|at, side, text| {
                format!(
                    "2024 Oct 10  {}  [6C]  0x1FEB  Extended Debug Message  --  AT {}: {text}",
                    clock(at),
                    name(side, "TX", "RX")
                )
            }),
        ),
        (
            "lines of JSON",
            by_piece(|at, side, text| {
                format!(
                    "{{\"ts\":\"2024-10-10T{}Z\",\"dir\":\"{}\",\"data\":\"{}\"}}",
                    clock(at),
                    name(side, "tx", "rx"),
                    escaped(text).replace("\\'", "'")
                )
            }),
        ),
        (
            "a table of commas",
            by_piece(|at, side, text| {
                format!(
                    "2024-10-10 {},{},\"{}\"",
                    clock(at),
                    name(side, "TX", "RX"),
                    escaped(text).replace("\\\"", "\"\"")
                )
            }),
        ),
        ("CoolTerm", stamped("2024-10-10 15:53:37.317 ")),
        (
            "script with a shell",
            format!(
                "Script started on 2024-10-10 15:53:37+00:00 [TERM=\"xterm\"]\r\n\x1b]0;me@pi: ~\x07\x1b[?2004hme@pi:~$ screen /dev/ttyUSB2 115200\r\n\x1b[?2004l\r\x1b[2J{}\r\n[screen is terminating]\r\nme@pi:~$ exit\r\n\nScript done on 2024-10-10 15:54:37+00:00 [COMMAND_EXIT_CODE=\"0\"]\n",
                SESSION.iter().map(|(_, _, text)| *text).collect::<String>().replace("\r\n", "\r\r\n")
            ),
        ),
        (
            "Rust's env_logger",
            by_piece(|at, side, text| {
                format!(
                    "[2024-10-10T{}Z TRACE atat::client] {} \"{}\"",
                    &clock(at)[..8],
                    name(side, "Write:", "Received:"),
                    escaped(text).replace("\\'", "'")
                )
            }),
        ),
        (
            "Node's buffers",
            by_piece(|at, side, text| {
                format!(
                    "{} serialport/{} <Buffer {}>",
                    clock(at),
                    name(side, "write", "_read got"),
                    hex(text).to_lowercase()
                )
            }),
        ),
    ]
}

/// The layout of `socat -v`: a header gives the number of bytes after it, and the next header directly follows them.
fn counted() -> String {
    let piece = |at: u64, side: char, text: &str| {
        let shown = text.replace('\\', "\\\\").replace('\r', "\\r");
        format!(
            "{side} 2024/10/10 {}000  length={} from={at} to={}\n{shown}",
            clock(at),
            text.len(),
            at + text.len() as u64 - 1
        )
    };
    SESSION.iter().map(|(at, side, text)| piece(*at, *side, text)).collect()
}

/// A log with one line for each USB transfer.
fn transfers() -> String {
    by_piece(|at, side, text| {
        let number = SESSION.iter().filter(|(other, _, _)| *other < at).count();
        let ends = name(side, "host         1.5.2", "1.5.1         host");
        let bytes = hex(text).replace(' ', "").to_lowercase();
        let way = name(side, "out", "in");
        format!("{number:5}   0.{at:03}000   {ends}   USB   64   URB_BULK {way}  {bytes}")
    })
}

fn table_forms() -> Vec<(&'static str, String)> {
    vec![
        ("socat -v", counted()),
        (
            "socat -v, the other way round",
            counted().replace("> 2024", "# 2024").replace("< 2024", "> 2024").replace("# 2024", "< 2024"),
        ),
        (
            "chat -v",
            by_line(|_, side, text| {
                format!(
                    "chat[312]: {}",
                    if side == '>' {
                        format!("send ({text}{})", if text == "hello" { "" } else { "^M" })
                    } else {
                        format!("{text}{}", if text == "> " { "" } else { "^M" })
                    }
                )
            }),
        ),
        (
            "QCOM",
            by_line(|at, side, text| {
                format!(
                    "[2024-10-10_{}]{}{text}",
                    clock(at).replace('.', ":"),
                    name(side, "[Send]", "[Recv]")
                )
            }),
        ),
        (
            "hexadecimal in JSON",
            by_piece(|at, side, text| {
                format!(
                    "{{\"t\":{at},\"d\":\"{}\",\"hex\":\"{}\"}}",
                    name(side, "o", "i"),
                    hex(text).replace(' ', "").to_lowercase()
                )
            }),
        ),
        (
            "C's arrays",
            by_piece(|at, side, text| {
                format!(
                    "{} uart_{}: {{{}}}",
                    clock(at),
                    name(side, "send", "recv"),
                    text.bytes().map(|b| format!("0x{b:02x}")).collect::<Vec<_>>().join(", ")
                )
            }),
        ),
        (
            "bytearrays",
            by_piece(|at, side, text| {
                format!(
                    "{} {}(bytearray(b'{}'))",
                    clock(at),
                    name(side, "port.write", "port.read"),
                    escaped(text).replace("\\\"", "\"")
                )
            }),
        ),
        ("a table of USB transfers, its numbers right-aligned", transfers()),
        ("a person's notes", by_line(|_, side, text| format!("{} {text}", name(side, "me  :", "modem:")))),
        ("French", by_line(|_, side, text| format!("{} {text}", name(side, "Envoi :", "Reception :")))),
        (
            "a table of Markdown",
            by_line(|at, side, text| {
                format!("| {} | {} | `{text}` |", clock(at), name(side, "host", "modem"))
            }),
        ),
    ]
}

#[test]
fn additions_around_a_log_make_no_difference() {
    for (tool, log) in layouts().into_iter().chain(more_layouts()) {
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
            // A raw log has CR LF already, and a mark of one character can't be distinguished from a quotation mark.
            if what == "quoted" && tool == "one character" {
                continue;
            }
            let words = story(&log);
            assert_eq!(words, STORY, "{tool}, {what}:\n{}", String::from_utf8_lossy(&log));
        }
    }
}

#[test]
fn a_caller_can_add_a_mark_with_one_line() {
    let log = by_line(|at, side, text| format!("{} {} {text}", clock(at), name(side, "ich:", "er:")));
    let mut marks = Marks::default();
    marks.extend("sent ich\nreceived er").unwrap();
    let timeline = replay(&capture::read_with(log.as_bytes(), &marks).unwrap());
    assert_eq!(timeline.unexplained().count(), 0);
    assert_eq!(timeline.entries[1].what.to_string(), "final OK to AT+CIPMUX=1");
}

#[test]
fn the_content_of_a_file_is_read_after_its_prompt_and_below_it() {
    let command = "AT+FSWRITE=\"a.crt\",0,10,15";
    for shown in ["> 1234567890\n", ">\n1234567890\n", "> 1234567890\n\n"] {
        let words = story(format!("{command}\n\n{shown}\nOK\nAT\n").as_bytes());
        let expected = [
            &format!("command {command}"),
            "sent 1234567890",
            &format!("final OK to {command}"),
            "command AT",
        ];
        assert_eq!(words, expected);
    }
}

#[test]
fn prints_of_wvdial_belong_to_wvdial() {
    let log = "--> WvDial: Internet dialer version 1.61\n--> Waiting for carrier.\n--> Sending: ATZ\nATZ\nOK\n\
               --> Sending: AT+CSQ\nAT+CSQ\n+CSQ: 20,0\nOK\n--> Modem not responding.\n";
    let words = story(log.as_bytes());
    assert!(words.iter().all(|line| !line.contains("unexplained")), "{words:#?}");
    assert_eq!(words.iter().filter(|line| line.contains("final OK")).count(), 2, "{words:#?}");
}
