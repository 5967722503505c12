//! Further forms of logs: sniffers that show one byte on each line, programs that log a command in pieces, and stamps
//! of unknown kinds. Each log contains the session of `logs_layouts`, or a short one of its own.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use air724ug::capture::{self, Coverage, Entry, Reason};

use super::logs_layouts::{
    SESSION, STORY, block, by_line, by_piece, clock, escaped, hex, name, stamped, story,
};

type Forms = Vec<(&'static str, String)>;

/// A log with one line for each byte.
fn by_byte(line: impl Fn(u64, char, char) -> String) -> String {
    SESSION
        .iter()
        .flat_map(|(at, side, text)| text.chars().map(|byte| (*at, *side, byte)))
        .fold(String::new(), |log, (at, side, byte)| log + &line(at, side, byte) + "\n")
}

/// The notation of a byte in analysers.
fn shown(byte: char) -> String {
    match byte {
        '\r' => "\\r".to_owned(),
        '\n' => "\\n".to_owned(),
        ' ' => "' '".to_owned(),
        ',' => "COMMA".to_owned(),
        byte => byte.to_string(),
    }
}

/// Logs of analysers, which show one byte on each line.
pub(crate) fn analysers() -> Forms {
    let bytes = |byte: char| u32::from(byte);
    vec![
        (
            "interceptty",
            by_byte(|_, side, byte| format!("{side} 0x{:02x} ({})", bytes(byte), byte.escape_default())),
        ),
        (
            "sigrok",
            by_byte(|_, side, byte| format!("uart-1: {} data: {:02X}", name(side, "TX", "RX"), bytes(byte))),
        ),
        (
            "Saleae 2",
            by_byte(|at, side, byte| {
                format!(
                    "\"{} TX\",\"data\",{}.{:03},8.66e-05,0x{:02X}",
                    name(side, "MCU", "Modem"),
                    at / 1000,
                    at % 1000,
                    bytes(byte)
                )
            }),
        ),
        (
            "Saleae 1",
            by_byte(|at, side, byte| {
                format!(
                    "{}.{:03}0000000,Async Serial{},{}",
                    at / 1000,
                    at % 1000,
                    name(side, "", " [1]"),
                    shown(byte)
                )
            }),
        ),
    ]
}

/// The session on a terminal after the front that a program prints on each line, and with fronts of both sides.
pub(crate) fn tagged() -> Forms {
    let marked = |ends: fn(&str) -> String| {
        by_piece(|_, side, text| format!("{} {}", name(side, "TX", "RX"), ends(text)))
    };
    vec![
        ("a level and a name", without_blanks(&stamped("[INFO] modem: "))),
        ("a stamp and a level", without_blanks(&stamped("12:00:00.123 [INFO] "))),
        ("Python's levels", without_blanks(&stamped("2024-10-10 12:00:00,123 INFO     at.py:88 "))),
        ("two blanks after each stamp", stamped("[2024-10-10 12:00:00]  ")),
        (
            "places in a program",
            by_line(|at, side, text| {
                format!("[12:00:{:02}][D][sim800l:{}]: {text}", at / 1000, name(side, "447", "77"))
            }),
        ),
        ("TX and RX without a colon", marked(|text| escaped(text).replace("\\\"", "\""))),
        ("octal escapes", marked(|text| text.replace('\r', "\\015").replace('\n', "\\012"))),
        ("letters after a caret", marked(|text| text.replace('\r', "^M").replace('\n', "^J"))),
        (
            "columns with tabs",
            by_piece(|at, side, text| {
                let shown = text.replace('\r', "[0D]").replace('\n', "[0A]");
                format!("{}\t{}\t{shown}", clock(at), name(side, "Tx", "Rx"))
            }),
        ),
        (
            "Chinese words over several lines",
            by_piece(|at, side, text| {
                format!("[{}]{}: {}", clock(at), name(side, "发送数据", "接收数据"), text.replace('\r', ""))
            }),
        ),
        (
            "tio",
            format!(
                "[12:00:00.000] tio v2.7\n[12:00:00.000] Press ctrl-t q to quit\n[12:00:00.003] Connected\n{}",
                stamped("[12:00:00.100] ")
            ),
        ),
        ("strace with reads that end anywhere", split_reads()),
    ]
}

fn without_blanks(log: &str) -> String {
    log.lines().filter(|line| !line.ends_with(' ')).map(|line| format!("{line}\n")).collect()
}

/// A trace of a program that reads three bytes at most.
fn split_reads() -> String {
    let mut log = String::new();
    for (_, side, text) in SESSION {
        let size = if side == '>' { text.len() } else { 3 };
        for piece in text.as_bytes().chunks(size) {
            let shown = piece.escape_ascii();
            log += &format!("{}(7, \"{shown}\", 255) = {}\n", name(side, "write", "read"), piece.len());
        }
    }
    log
}

pub(crate) fn sniffers() -> Forms {
    vec![
        (
            "slsnif",
            by_piece(|_, side, text| {
                let shown = text.replace('\r', "(013)").replace('\n', "(010)");
                format!("{} --> {shown}", name(side, "Host  ", "Device"))
            }),
        ),
        (
            "jpnevulator with two ports",
            by_piece(|at, side, text| {
                format!(
                    "2024-10-10 {}000: /dev/ttyS{}\n{}",
                    clock(at),
                    name(side, "0", "1"),
                    block(text, "", false, 48)
                )
            }),
        ),
        (
            "socat -x -v",
            by_piece(|at, side, text| {
                let header = format!(
                    "{side} 2024/10/10 {}000  length={} from=0 to={}",
                    clock(at),
                    text.len(),
                    text.len() - 1
                );
                format!("{header}\n{}\n--", block(text, " ", false, 49))
            }),
        ),
        (
            "a program traced with its files",
            by_piece(|at, side, text| {
                let bytes: String = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
                format!(
                    "312   {}000 {}(3</dev/ttyUSB2>, \"{bytes}\", 4096) = {}",
                    clock(at),
                    name(side, "write", "read"),
                    text.len()
                )
            }),
        ),
        (
            "asciinema",
            by_piece(|at, side, text| {
                format!(
                    "[{}.{:03}, \"{}\", \"{}\"]",
                    at / 1000,
                    at % 1000,
                    name(side, "i", "o"),
                    escaped(text).replace("\\'", "'")
                )
            }),
        ),
        ("gammu", by_piece(gammu)),
        (
            "a kernel's hexadecimal with colons",
            by_piece(|at, side, text| {
                format!(
                    "{at}\t0.{at:03}\t{}\t0x03\t{}",
                    name(side, "host\t1.5.2", "1.5.1\thost"),
                    hex(text).replace(' ', ":")
                )
            }),
        ),
    ]
}

/// Hexadecimal pairs with the bytes as text in between, and the program's own interpretation.
fn gammu(_: u64, side: char, text: &str) -> String {
    let stamp = "Thu 2024/10/10 15:53:37 gammu-smsd[1902]: gammu: ";
    let mut log = String::new();
    if side == '<' {
        for (index, line) in text.split("\r\n").filter(|line| !line.is_empty()).enumerate() {
            log += &format!("{stamp}{} \"{line}\"\n", index + 1);
        }
        log += &format!("{stamp}AT reply state: 1\n");
    }
    log += &format!(
        "{stamp}{} frame type 0x00/length 0x{:02X}/{}",
        name(side, "SENDING", "RECEIVED"),
        text.len(),
        text.len()
    );
    for chunk in text.as_bytes().chunks(16) {
        let graphic = |byte: u8, other: char| if byte.is_ascii_graphic() { char::from(byte) } else { other };
        let pairs: Vec<String> =
            chunk.iter().map(|byte| format!("{byte:02X}{}", graphic(*byte, ' '))).collect();
        let reading: String = chunk.iter().map(|byte| graphic(*byte, '.')).collect();
        log += &format!("\n{stamp}{:64}{reading:16}", pairs.join("|"));
    }
    log
}

/// A command in pieces, each after its mark.
fn in_pieces(at: u64, side: char, text: &str) -> String {
    let pieces: Vec<&str> = match side {
        '>' => text.split_inclusive([',', '=', '"']).collect(),
        _ => text.split_inclusive("+C").collect(),
    };
    let line = |piece: &str| {
        let shown = piece.replace('\r', "<cr>").replace('\n', "<ln>");
        format!("[{at:08}ms][INFO][CELL]: AT {} ({:2}): {shown}", name(side, "TX", "RX"), piece.len())
    };
    pieces.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The form in which the AT client of RT-Thread shows bytes: only the first line has a mark.
fn raw(_: u64, side: char, text: &str) -> String {
    let chunks = text.as_bytes().chunks(32).enumerate();
    let line = |(index, chunk): (usize, &[u8])| {
        let pairs: String = chunk
            .iter()
            .enumerate()
            .map(|(at, byte)| format!("{byte:02X} {}", if at % 8 == 7 { " " } else { "" }))
            .collect();
        let reading: String =
            chunk.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        let mark = if index > 0 {
            String::new()
        } else {
            format!("[D/AT] {}: ", name(side, "sendline", "recvline"))
        };
        format!("{mark}{:04X}-{:04X}: {pairs:102}{reading}", index * 32, index * 32 + 32)
    };
    chunks.map(line).collect::<Vec<_>>().join("\n")
}

/// A line without the line ends, which the driver has removed.
fn cut(at: u64, side: char, text: &str) -> String {
    let said = name(side, "modem_cmd_send_ext: SENT DATA", "cmd_handler_process_rx_buf: RECV");
    let lines = text.split("\r\n").filter(|line| !line.is_empty());
    let line = |line: &str| {
        format!(
            "[00:00:13.{at:03},442] <dbg> modem_cmd_handler: {said}\n{}",
            block(line, &" ".repeat(44), false, 49).replace("  A", " |A")
        )
    };
    lines.map(line).collect::<Vec<_>>().join("\n")
}

/// `chat -v` reads up to the result, so the line end comes with the next answer.
fn chat() -> String {
    let mut log =
        String::from("abort on (BUSY)\nabort on (NO CARRIER)\nreport (CONNECT)\ntimeout set to 10 seconds\n");
    for (_, side, text) in SESSION {
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            match (side, line) {
                ('>', "hello") => log += "send (hello)\n",
                ('>', line) => log += &format!("send ({line}^M)\nexpect (OK)\n^M\n"),
                (_, "OK") => log += "OK\n -- got it \n",
                (_, "> ") => log += "> \n",
                (_, line) => log += &format!("{line}^M\n"),
            }
        }
    }
    log.lines().map(|line| format!("Oct 10 15:53:38 pi chat[312]: {line}\n")).collect()
}

pub(crate) fn programs() -> Forms {
    vec![
        ("mbed", by_piece(in_pieces)),
        ("RT-Thread, raw", by_piece(raw)),
        ("Zephyr's command handler", by_piece(cut)),
        ("chat -v with what it waits for", chat()),
        (
            "FreeRTOS's cellular interface",
            by_line(|at, side, text| {
                format!(
                    "{at} {at} [CellularThread] [DEBUG] [CELLULAR] [_{}:412] {}[{text}]",
                    name(side, "AtcmdRequest", "processLine"),
                    name(side, "Sending AT command", "AT solicited Resp")
                )
            }),
        ),
        (
            "ESPHome",
            by_piece(|_, side, text| {
                format!(
                    "[15:53:37][D][uart_debug:158]: {} \"{}\"",
                    name(side, ">>>", "<<<"),
                    escaped(text).replace("\\'", "'")
                )
            }),
        ),
        (
            "a router that says what it expects",
            by_line(|_, side, text| {
                let said = name(side, " (expect \"OK\")", " (got it)");
                format!(
                    "[I] May 22 15:57:36 ndm: Mobile::TtyDevice: \"UsbLte0\": tty0 {} \"{text}\"{said}. ",
                    name(side, "<--", "-->")
                )
            }),
        ),
    ]
}

/// Logs of programs that show strings.
pub(crate) fn strings() -> Forms {
    vec![
        (
            "strings as Python prints them",
            by_piece(|_, _, text| format!("b'{}'", escaped(text).replace("\\\"", "\""))),
        ),
        ("cat -v", stamped("").replace('\n', "^M\n")),
        (
            "QCOM, several lines after a mark",
            by_piece(|at, side, text| {
                let lines = text.replace('\r', "");
                format!(
                    "[2024-10-10_{}]{}{}",
                    clock(at),
                    name(side, "[Send]", "[Recv]"),
                    lines.trim_matches('\n')
                )
            }),
        ),
        (
            "Windows' log of a modem",
            format!(
                "10-10-2024 15:53:36.100 - Setting up.\n{}",
                by_piece(|at, side, text| {
                    let shown = text.replace('\r', "<cr>").replace('\n', "<lf>");
                    format!("10-10-2024 {} - {}: {shown}", clock(at), name(side, "Send", "Recv"))
                })
            ),
        ),
        (
            "a program's string in a journal's",
            by_piece(|_, side, text| {
                let shown = escaped(text).replace("\\\"", "\"").replace('\\', "\\\\").replace('"', "\\\"");
                format!(
                    "{{\"_PID\":\"312\",\"PRIORITY\":\"7\",\"MESSAGE\":\"{} '{shown}'\"}}",
                    name(side, "TX", "RX")
                )
            }),
        ),
        (
            "a program's quotes over several lines",
            by_piece(|at, side, text| match side {
                '>' => format!("I ({at}) TX_TASK: Wrote {} bytes: {}", text.len(), text.trim_end()),
                _ => format!(
                    "I ({at}) RX_TASK: Read {} bytes: '{}'\n{}",
                    text.len(),
                    text.replace('\r', ""),
                    block(text, &format!("I ({at}) RX_TASK: 0x3ffb8490   "), false, 50)
                ),
            }),
        ),
    ]
}

/// Logs with the same text in front of all lines of both sides.
pub(crate) fn unknown_fronts() -> Forms {
    [
        "20241010-15:53:37.317 ",
        "10-Oct-2024 15:53:37.317 ",
        "10/Oct/2024:15:53:37 +0800 ",
        "Thu, 10 Oct 2024 15:53:37 GMT ",
        "15h53m37s317 ",
        "1728575617317 ",
        "1728575617,",
        "+0.317s ",
        "#000317 ",
        "T+00:00:37 ",
        "2024年10月10日 15:53:37 ",
        "@317ms ",
        "2024-284 15:53:37.317 ",
        "ttyUSB2 | ",
    ]
    .into_iter()
    .map(|front| (front, stamped(front)))
    .collect()
}

#[test]
fn erased_characters_are_not_read() {
    let log =
        "AT+CSW\x08 \x08Q\r\r\n+CSQ: 24,0\r\n\r\nOK\r\nAT+CRE?\x08 \x08G?\r\r\n+CREG: 0,1\r\n\r\nOK\r\n";
    let expected = [
        "command AT+CSQ",
        "reply +CSQ: 24,0 to AT+CSQ",
        "final OK to AT+CSQ",
        "command AT+CREG?",
        "reply +CREG: 0,1 to AT+CREG?",
        "final OK to AT+CREG?",
    ];
    assert_eq!(story(log.as_bytes()), expected);
}

#[test]
fn a_string_cut_by_a_trace_is_marked_as_incomplete() {
    let log = "write(3, \"AT+CIPMUX=1\\r\\n\", 13) = 13\nread(3, \"\\r\\nOK\\r\\n\", 4096) = 6\n\
               write(3, \"AT+CIPSEND=1,40\\r\\n\", 17) = 17\nread(3, \"\\r\\n> \", 4096) = 4\n\
               write(3, \"{\\\"a\\\":\\\"0123456789012345678901234\"..., 40) = 40\n\
               read(3, \"\\r\\nDATA ACCEPT:1,40\\r\\n\", 4096) = 20\n\
               write(3, \"AT+CIPSTART=2,\\\"TCP\\\",\\\"iot.example\"..., 44) = 44\nread(3, \"\\r\\nOK\\r\\n\", 4096) = 6\n";
    let expected = [
        "command AT+CIPMUX=1",
        "final OK to AT+CIPMUX=1",
        "command AT+CIPSEND=1,40",
        "sent {\"a\":\"0123456789012345678901234",
        "urc DATA ACCEPT:1,40",
        "command AT+CIPSTART=2,\"TCP\",\"iot.example",
        "final OK to AT+CIPSTART=2,\"TCP\",\"iot.example",
    ];
    assert_eq!(story(log.as_bytes()), expected);
    let capture = capture::read(log.as_bytes()).unwrap();
    let elided = capture.remarks.iter().filter(|remark| remark.reason == Reason::Elided);
    assert_eq!(elided.map(|remark| remark.line).collect::<Vec<_>>(), [5, 7]);
}

#[test]
fn a_list_of_strings_is_read_as_several_lines() {
    let expected = ["command AT+CSQ", "reply +CSQ: 24,0 to AT+CSQ", "final OK to AT+CSQ"];
    let lists = "DEBUG:gsmmodem:write: AT+CSQ\nDEBUG:gsmmodem:response: ['+CSQ: 24,0', 'OK']\n";
    assert_eq!(story(lists.repeat(3).as_bytes()), expected.repeat(3));
    let lines = ">>> port.write(b'AT+CSQ\\r')\n7\n>>> port.readlines()\n[b'AT+CSQ\\r\\r\\n', b'+CSQ: 24,0\\r\\n', b'OK\\r\\n']\n";
    assert_eq!(story(lines.repeat(2).as_bytes()), expected.repeat(2));
}

#[test]
fn braces_before_an_escape_stay_braces() {
    let log = "> \"AT+CIPSEND=0,8\\r\\n\"\n< \"\\r\\n> \"\n> \"{\\\"t\\\":2}\\n\"\n< \"\\r\\nDATA ACCEPT:0,8\\r\\n\"\n";
    let expected = ["command AT+CIPSEND=0,8", "sent {\"t\":2}\\n", "final DATA ACCEPT:0,8 to AT+CIPSEND=0,8"];
    assert_eq!(story(log.as_bytes()), expected);
}

#[test]
fn a_separate_line_feed_belongs_to_its_command() {
    let capture = capture::read(b"# what: x\n# source: x\n# expect: 0 unexplained\n0.0 > AT+CIPSEND=0,2\\r\n0.1 > \\n\n0.2 < \\r\\n>\\x20\n0.3 > h\n0.4 > i\n0.5 < \\r\\n0, SEND OK\\r\\n\n");
    let timeline = capture::replay(&capture.unwrap());
    let words: Vec<String> = timeline.entries.iter().map(|one| one.what.to_string()).collect();
    assert_eq!(words, ["command AT+CIPSEND=0,2", "prompt", "sent hi", "final 0, SEND OK to AT+CIPSEND=0,2"]);
    assert_eq!(timeline.entries[2].lines, [7, 8]);
}

#[test]
fn text_outside_of_fences_is_the_authors() {
    let log = "> On Thursday a friend wrote:\n>> It does not connect. OK?\n>>\n>> ```\n>> AT+CIPSEND=0,4\n>> > ping\n>> 0, SEND OK\n>> ```\n>> ERROR is all it says.\n";
    let expected = ["command AT+CIPSEND=0,4", "sent ping", "final 0, SEND OK to AT+CIPSEND=0,4"];
    assert_eq!(story(log.as_bytes()), expected);
}

#[test]
fn a_remark_in_another_encoding_is_a_remark() {
    let remark = b"AT+CSQ  \xb2\xe9\xd1\xaf\xd0\xc5\xba\xc5\r\n";
    let log = ["AT\r\nOK\r\n# 信号正常，继续\r\n".as_bytes(), remark, b"+CSQ: 24,0\r\nOK\r\n"].concat();
    let expected = [
        "command AT",
        "final OK to AT",
        "command AT+CSQ",
        "reply +CSQ: 24,0 to AT+CSQ",
        "final OK to AT+CSQ",
    ];
    assert_eq!(story(&log), expected);
}

#[test]
fn the_name_of_a_protocol_in_brackets_is_no_command() {
    let log = "[AT](13)>AT+CIPMUX=1\n[AT](06)<\nOK\n\n[AT](08)>AT+CSQ\n[AT](20)<\n+CSQ: 24,0\n\nOK\n";
    let capture = capture::read(log.as_bytes()).unwrap();
    let sent = capture.records.iter().filter_map(|located| match &located.record.what {
        Entry::ToModem(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    assert_eq!(sent.collect::<Vec<_>>(), [&b"AT+CIPMUX=1\r\n"[..], b"AT+CSQ\r\n"]);
}

#[test]
fn payload_is_taken_literally() {
    let log = "12:00:00 TX: AT+CIPSEND=0,9\n12:00:00 RX: >\n12:00:00 TX: 3×4=1…\n12:00:01 RX: 0, SEND OK\n\
               12:00:01 TX: AT+CIPSEND=0,8\n12:00:01 RX: >\n12:00:01 TX: a // b#c\n12:00:01 RX: 0, SEND OK\n\
               12:00:02 RX: +RECEIVE,0,9:\n12:00:02 RX: # no… /\n12:00:03 RX: +RECEIVE,0,6:\n12:00:03 RX: 你好\n\
               12:00:03 RX: +RECEIVE,0,5:\n12:00:03 world\n12:00:03 five bytes have come\n12:00:04 RX: 0, CLOSED\n";
    let expected = [
        "command AT+CIPSEND=0,9",
        r"sent 3\xc3\x974=1\xe2\x80\xa6",
        "final 0, SEND OK to AT+CIPSEND=0,9",
        "command AT+CIPSEND=0,8",
        "sent a // b#c",
        "final 0, SEND OK to AT+CIPSEND=0,8",
        r"received 0 # no\xe2\x80\xa6 /",
        r"received 0 \xe4\xbd\xa0\xe5\xa5\xbd",
        "received 0 world",
        "urc 0, CLOSED",
    ];
    assert_eq!(story(log.as_bytes()), expected);
    let terminal = "AT+CIPSEND=0,6\n> 你好\n0, SEND OK\nAT+CIPSEND=0,6\n你好\n0, SEND OK\n";
    let expected =
        ["command AT+CIPSEND=0,6", r"sent \xe4\xbd\xa0\xe5\xa5\xbd", "final 0, SEND OK to AT+CIPSEND=0,6"];
    assert_eq!(story(terminal.as_bytes()), expected.repeat(2));
}

#[test]
fn a_marked_prompt_and_hexadecimal_that_ends_like_an_answer_are_complete() {
    let escaped = by_piece(|_, side, text| format!("{} {}", name(side, ">", "<"), escaped(text)));
    let capture = capture::read(escaped.as_bytes()).unwrap();
    assert!(capture.remarks.is_empty(), "{:?}", capture.remarks);
    let hex = by_piece(|at, side, text| {
        let text = hex(&text.replace("world", "ERROR")).replace(' ', ":").to_lowercase();
        format!("0.{at:06}\t{}\t{text}", name(side, "host\t1.5.2", "1.5.2\thost"))
    });
    assert_eq!(story(hex.as_bytes()), STORY.map(|words| words.replace("world", "ERROR")));
}

#[test]
fn payload_may_look_like_a_stamp_or_like_a_print_of_a_tool() {
    let terminal =
        "AT+CIPSEND=0,14\n> \n12:34:56 hello\n0, SEND OK\n+RECEIVE,0,14:\n07:08:09 world\n0, CLOSED\n";
    let marked = "12:00:00 TX: AT+CIPSEND=0,14\n12:00:00 RX: >\n12:00:00 TX: 12:34:56 hello\n12:00:01 RX: 0, SEND OK\n\
                  12:00:02 RX: +RECEIVE,0,14:\n12:00:02 RX: 07:08:09 world\n12:00:03 RX: 0, CLOSED\n";
    let expected = [
        "command AT+CIPSEND=0,14",
        "sent 12:34:56 hello",
        "final 0, SEND OK to AT+CIPSEND=0,14",
        "received 0 07:08:09 world",
        "urc 0, CLOSED",
    ];
    assert_eq!(story(terminal.as_bytes()), expected);
    assert_eq!(story(marked.as_bytes()), expected);
    let written = "TX: AT+CIPSEND=0,4\nRX: >\nTX: a\\nb\nRX: 0, SEND OK\nTX: AT+CIPSEND=0,3\nRX: >\nTX: a\\nb\nRX: 0, SEND OK\n";
    let written = story(written.as_bytes());
    assert_eq!((written[1].as_str(), written[4].as_str()), (r"sent a\\nb", r"sent a\nb"));
    let points = "TX: AT+CIPSEND=0,8\\r\\n\nRX: \\r\\n> \nTX: wait....\nRX: \\r\\n0, SEND OK\\r\\n\nRX: +RECEIVE,0,8:\\r\\n\nRX: more....\n\
                  RX: \\r\\n0, CLOSED\\r\\n\n";
    let expected = [
        "command AT+CIPSEND=0,8",
        "sent wait....",
        "final 0, SEND OK to AT+CIPSEND=0,8",
        "received 0 more....",
        "urc 0, CLOSED",
    ];
    assert_eq!(story(points.as_bytes()), expected);
}

#[test]
fn alternatives_and_placeholders_of_an_author_are_remarks() {
    let log = "→ AT+CSQ\n   AT+CSQ=?\n← +CSQ: 24,0\n← OK\n← TCP ERROR:××\n";
    let capture = capture::read(log.as_bytes()).unwrap();
    let remarks: Vec<_> = capture.remarks.iter().map(|remark| (remark.line, remark.reason)).collect();
    assert_eq!(remarks, [(2, Reason::Alternative), (5, Reason::Placeholder)]);
}

#[test]
fn prints_between_marked_lines_belong_to_the_program() {
    let log = "12:00:00 TX: AT+CSQ\n12:00:00 +CSQ: 24,0\n12:00:00 OK\n12:00:01 Connecting to apn\n12:00:01 TX: AT\n12:00:01 OK\n";
    let capture = capture::read(log.as_bytes()).unwrap();
    let remarks: Vec<_> = capture.remarks.iter().map(|remark| (remark.line, remark.reason)).collect();
    assert_eq!((remarks, capture.records.len()), (vec![(4, Reason::Tool)], 5));
    let log = "12:00:00 TX: AT+CSQ\n12:00:00 RX: +CSQ: 24,0\n12:00:00 OK\n12:00:01 TX: AT\n12:00:01 RX: OK\n12:00:02 the battery is low\n";
    let capture = capture::read(log.as_bytes()).unwrap();
    let remarks: Vec<_> = capture.remarks.iter().map(|remark| (remark.line, remark.reason)).collect();
    assert_eq!((remarks, capture.records.len()), (vec![(6, Reason::Tool)], 5));
}

#[test]
fn lines_of_a_terminal_after_levels_of_a_program_are_read() {
    let tagged = stamped("[INFO] app: ") + "[WARN] power: the battery is low\n";
    assert_eq!(story(tagged.as_bytes()), STORY);
}

#[test]
fn a_remark_after_an_escaped_line_end_is_a_remark() {
    let log = by_piece(|_, side, text| {
        let remark = if text.ends_with('\n') { "  // so" } else { "" };
        format!("{}: {}{remark}", name(side, "TX", "RX"), escaped(text))
    });
    assert_eq!(story(log.as_bytes()), STORY);
    let data = "TX: AT+CIPSEND=0,8\\r\\n\nRX: \\r\\n> \nTX: a\\r\\n // b\nRX: \\r\\n0, SEND OK\\r\\n\n";
    assert_eq!(story(data.as_bytes())[1], "sent a\\r\\n // b");
}

#[test]
fn data_after_the_prompt_may_look_like_a_result() {
    let log = "AT+CIPSEND=0,9\n> 1, CLOSED\n0, SEND OK\nAT+CIPSEND=0,5\n> 0, SEND OK\n";
    let expected = [
        "command AT+CIPSEND=0,9",
        "sent 1, CLOSED",
        "final 0, SEND OK to AT+CIPSEND=0,9",
        "command AT+CIPSEND=0,5",
        "final 0, SEND OK to AT+CIPSEND=0,5",
    ];
    assert_eq!(story(log.as_bytes()), expected);
    let left_out = "AT+CIPSEND=0,5\n> \n 0, SEND OK  // gone\n";
    assert_eq!(story(left_out.as_bytes()), expected[3..]);
}

#[test]
fn a_channel_is_not_taken_for_a_length() {
    // In multiple connection mode 2 is the channel, and the data end with Ctrl-Z. Otherwise 2 is the length.
    for (before, is_mux) in [
        ("AT+CIPMUX=1\nOK\n", true),
        ("AT+CIPSTART=2,\"TCP\",\"a.test\",7\nOK\n", true),
        ("AT+CIPMUX=1\nOK\nAT+CIPMUX=0\nOK\n", false),
    ] {
        let capture = capture::read(format!("{before}AT+CIPSEND=2\n> hi\n").as_bytes()).unwrap();
        let sent = capture.records.iter().rev().find_map(|one| match &one.record.what {
            Entry::ToModem(bytes) => Some(bytes.ends_with(b"\x1a")),
            _ => None,
        });
        assert_eq!(sent, Some(is_mux), "{before}");
    }
}

#[test]
fn stamps_on_few_lines_are_no_clock() {
    let times = |log: &str| {
        let capture = capture::read(log.as_bytes()).unwrap();
        capture.records.iter().map(|one| one.record.at.as_millis()).max().unwrap()
    };
    let stamped = "[12:00:00.000] AT\n[12:00:01.000] OK\n";
    assert_eq!(times(stamped), 1_000);
    assert_eq!(times(&format!("{stamped}{}", "AT\nOK\n".repeat(4))), 0);
    // A stamp after the text in front of every line is used.
    assert_eq!(times("port3| 12:00:01.000 AT\nport3| 12:00:03.000 OK\n"), 2_000);
}

#[test]
fn payload_in_a_terminal_and_below_a_stamp_may_look_like_a_remark_or_a_mark() {
    let block = |head: &str, text: &str| format!("[2026-11-29 09:15:05.000]# {head}\n{text}\n");
    for (sent, received) in [
        ("//x # y", "# z // w"),
        ("[x] TX: y", "<b> RX: z"),
        ("12:34:56 a", "[01:02:03] b"),
        ("-----", "====="),
        ("\"q\"", "\"q\""),
        ("a\r\nb", "c\r\nd"),
    ] {
        let (asks, pushes) =
            (format!("AT+CIPSEND=0,{}", sent.len()), format!("+RECEIVE,0,{}:", received.len()));
        let blocks = [
            block("SEND ASCII/15 >>>", &format!("{asks}\r\n")),
            block("RECV ASCII/4 <<<", "\r\n> "),
            block("SEND ASCII/9 >>>", sent),
            block("RECV ASCII/9 <<<", "\r\n0, SEND OK\r\n"),
            block("RECV ASCII/9 <<<", &format!("\r\n{pushes}\r\n{received}")),
            block("RECV ASCII/9 <<<", "\r\n0, CLOSED\r\n"),
        ]
        .concat();
        let glued = format!(
            "[09:15:05.000]发→◇{asks}\r\n□\n[09:15:05.100]收←◆\r\n> \n[09:15:05.200]发→◇{sent}□\n[09:15:05.300]收←◆\r\n0, SEND OK\r\n\n\
             [09:15:05.400]收←◆\r\n{pushes}\r\n{received}\n[09:15:05.500]收←◆\r\n0, CLOSED\r\n\n"
        );
        let terminal = format!("{asks}\n> {sent}\n0, SEND OK\n{pushes}\n{received}\n0, CLOSED\n");
        let by_name = format!(
            "TX: {asks}<CR><LF>\nRX: <CR><LF>> \nTX: {}\nRX: <CR><LF>0, SEND OK<CR><LF>\nRX: <CR><LF>{pushes}<CR><LF>{}\nRX: <CR><LF>0, CLOSED<CR><LF>\n",
            sent.replace("\r\n", "<CR><LF>"),
            received.replace("\r\n", "<CR><LF>")
        );
        let expected = [
            format!("command {asks}"),
            format!("sent {}", escaped(sent).replace("\\\"", "\"")),
            format!("final 0, SEND OK to {asks}"),
            format!("received 0 {}", escaped(received).replace("\\\"", "\"")),
            "urc 0, CLOSED".to_owned(),
        ];
        for log in [blocks, glued, terminal, by_name] {
            assert_eq!(story(log.as_bytes()), expected, "{log}");
        }
    }
}

/// A reader that examined the rest or the beginning of a line for each byte would take minutes.
#[test]
fn a_hostile_line_is_read_in_linear_time() {
    let remarks = format!("AT+X{} y{}\n", "x".repeat(30_000), "//".repeat(15_000));
    let glued = format!("{} y\n", "AT+CSQ".repeat(10_000));
    let quotes = format!("write(3, \"{}\n", "\"".repeat(60_000));
    let trace = "write(3, \"AT+CSQ\\r\\n\", 8) = 8\nread(3, \"OK\\r\\n\", 8) = 4\n".repeat(5);
    let began = Instant::now();
    for before in ["AT\nOK\n", "TX: AT\nRX: OK\n", &trace] {
        for line in [&remarks, &glued, &quotes] {
            capture::read([before, line].concat().as_bytes()).unwrap();
        }
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn sentences_and_source_code_are_not_understood() {
    for text in [
        "void setup() {\n  Serial1.println(\"AT+CSQ\");\n  Serial1.println(\"AT+CIPMUX=1\");\n  if (find(\"OK\")) return;\n}\n",
        "Is AT+CIPSHUT for that? The module says OK\nor ERROR, then AT+CFUN=0 and so on helps.\n",
        "ATTENTION the modem is hot\nATM card\nATX\nATOM\n",
        "TX: AT+CSQ RX: +CSQ: 24,0 OK\nTX: AT+CREG? RX: +CREG: 0,1 OK\n",
        "If it says ERROR, try AT+CFUN=1.\nThen turn it off, and on with AT+CIPSHUT\n",
        "at(\"AT+CSQ\")\nat(\"AT+CIPMUX=1\")\nat(\"AT+CIPSHUT\")\nfind(\"OK\")\nfind(\"ERROR\")\nfind(\"+CREG: 0,1\")\nfind(\"SHUT OK\")\nfind(\"0, CONNECT OK\")\n",
    ] {
        let capture = capture::read(text.as_bytes()).unwrap();
        let coverage = Coverage::of(&capture, &capture::replay(&capture));
        assert!(!coverage.is_understood, "{text}: {coverage}");
    }
}

#[test]
fn a_log_from_a_page_is_read_without_its_entities() {
    let plain = "> AT+COPS?\n< +COPS: 0,2,\"46011\",7\n< OK\n> AT+CSQ\n< +CSQ: 20,99\n< OK\n";
    let page = plain.replace('>', "&gt;").replace('<', "&lt;").replace('"', "&quot;");
    assert_eq!(
        capture::read(page.as_bytes()).unwrap().records,
        capture::read(plain.as_bytes()).unwrap().records
    );
    // An entity that the modem sent stays.
    let data = "> AT\n< +NEWS: \"&quot;\"\n< OK\n";
    let read = capture::read(data.as_bytes()).unwrap().received();
    assert!(read.windows(6).any(|part| part == b"&quot;"));
}
