//! The notation of bytes, where it differs from line to line or belongs to the whole line: escapes in payload only,
//! line ends that a program made visible, quotes around marks, and one command in several rows of a dump.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use air724ug::capture::{self, Coverage, replay};
use air724ug::diagnosis::Evidence;

use super::logs_layouts::{STORY, by_piece, name, story as session_story};

/// The entries of a log in words.
fn story(log: &str) -> Vec<String> {
    let capture = capture::read(log.as_bytes()).unwrap();
    replay(&capture).entries.iter().map(|entry| entry.what.to_string()).collect()
}

#[track_caller]
fn check(log: &str, expected: &[&str]) {
    assert_eq!(story(log), expected, "{log}");
}

/// The lines of the log that are neither read nor the tool's.
fn unexplained(log: &str) -> usize {
    let capture = capture::read(log.as_bytes()).unwrap();
    Coverage::of(&capture, &replay(&capture)).unexplained
}

fn cause(log: &str) -> &'static str {
    let diagnosis = Evidence::of_capture(&capture::read(log.as_bytes()).unwrap()).diagnose();
    diagnosis.root_cause().map_or("none", |finding| finding.code.as_str())
}

#[test]
fn escapes_in_payload_say_nothing_about_commands() {
    for (sent, received) in [(">>>", "<<<"), ("TX:", "RX:"), ("[10:00:00.100] >", "[10:00:00.100] <")] {
        let log = format!(
            "{sent} AT+CIPSEND=0,40\n{received} > \n{sent} GET /get HTTP/1.1\\r\\nHost: httpbin.org\\r\\n\\r\\n\n\
             {received} 0, SEND OK\n{received} +RECEIVE,0,8:\n{received} {{\"a\":1\\n}}\n{sent} AT+CIPCLOSE=0\n{received} 0, CLOSE OK\n"
        );
        check(
            &log,
            &[
                "command AT+CIPSEND=0,40",
                "prompt",
                r"sent GET /get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n",
                "final 0, SEND OK to AT+CIPSEND=0,40",
                r#"received 0 {"a":1\n}"#,
                "command AT+CIPCLOSE=0",
                "final 0, CLOSE OK to AT+CIPCLOSE=0",
            ],
        );
    }
    // Payload that has the announced length as it stands is no escape.
    check(
        "<<< +RECEIVE,0,4:\n<<< a\\nb\n<<< 0, CLOSED\n>>> AT\n<<< OK\n",
        &[r"received 0 a\\nb", "urc 0, CLOSED", "command AT", "final OK to AT"],
    );
}

#[test]
fn visible_line_ends_are_taken_from_echoes_too() {
    let echoed = |end: &str, echo: &str| {
        let lines = ["AT+CSQ", "+CSQ: 20,99", "", "OK", "AT+CIPSEND=0,5", "> hello", "0, SEND OK"];
        let shown = |line: &&str| {
            let is_echo = line.starts_with("AT");
            format!("{line}{}{end}\n", if is_echo { echo } else { "" })
        };
        lines.iter().map(shown).collect::<String>()
    };
    let expected = [
        "command AT+CSQ",
        "reply +CSQ: 20,99 to AT+CSQ",
        "final OK to AT+CSQ",
        "command AT+CIPSEND=0,5",
        "prompt",
        "sent hello",
        "final 0, SEND OK to AT+CIPSEND=0,5",
    ];
    for (end, echo) in [("^M", "^M"), ("^M$", "^M"), ("^M$", ""), ("␍␊", "␍")] {
        check(&echoed(end, echo), &expected);
    }
}

#[test]
fn a_mark_within_the_quotes_of_a_string_is_read() {
    let front = ["12:00:00.100 ", "22 01 01 36 37 411   "];
    for (front, blank) in front.into_iter().flat_map(|front| [(front, "\\t"), (front, "")]) {
        let line = |mark: &str, text: &str| format!("{front}b'{blank}{mark} {text}\\r\\n'\n");
        let log = [
            line("--->", "AT+CSQ"),
            line("<---", "+CSQ: 99,99"),
            line("<---", "OK"),
            line("--->", "AT+CGREG?"),
            line("<---", "+CGREG: 0,0"),
            line("<---", "OK"),
        ];
        check(
            &log.concat(),
            &[
                "command AT+CSQ",
                "reply +CSQ: 99,99 to AT+CSQ",
                "final OK to AT+CSQ",
                "command AT+CGREG?",
                "reply +CGREG: 0,0 to AT+CGREG?",
                "final OK to AT+CGREG?",
            ],
        );
    }
}

#[test]
fn a_message_of_json_ends_at_its_quote() {
    let line = |at: usize, said: &str| {
        format!(
            "2024-03-05T14:21:0{at}.123Z {{\"level\":\"debug\",\"msg\":\"{said}\",\"port\":\"ttyUSB2\"}}\n"
        )
    };
    let log = [
        line(1, "tx: AT+CPIN?"),
        line(1, "rx: +CPIN: SIM PIN"),
        line(1, "rx: OK"),
        line(2, "tx: AT+CSQ"),
        line(2, "rx: +CSQ: 25,99"),
        line(2, "rx: OK"),
    ];
    let log = log.concat();
    check(
        &log,
        &[
            "command AT+CPIN?",
            "reply +CPIN: SIM PIN to AT+CPIN?",
            "final OK to AT+CPIN?",
            "command AT+CSQ",
            "reply +CSQ: 25,99 to AT+CSQ",
            "final OK to AT+CSQ",
        ],
    );
    assert_eq!(cause(&log), "sim-pin");
}

#[test]
fn a_colon_after_a_mark_in_brackets_belongs_to_it() {
    for (open, close) in [('[', ']'), ('(', ')'), ('<', '>')] {
        let plain = by_piece(|at, side, text| {
            let shown = text.replace('\r', "<CR>").replace('\n', "<LF>");
            format!("05/03/2024 10:15:{:02}.000 {open}{}{close}: {shown}", at / 1000, name(side, "TX", "RX"))
        });
        assert_eq!(session_story(plain.as_bytes()), STORY, "{plain}");
    }
}

/// Docklight writes the rest of a read below its mark, and a command without LF.
#[test]
fn a_colon_after_a_mark_in_brackets_is_no_part_of_a_command_without_lf() {
    let asked = [
        ("AT", ""),
        ("AT+CPIN?", "+CPIN: READY<CR><LF>\n<CR><LF>\n"),
        ("AT+CSQ", "+CSQ: 24,99<CR><LF>\n<CR><LF>\n"),
        ("AT+CREG?", "+CREG: 0,1<CR><LF>\n<CR><LF>\n"),
        ("AT+CGATT?", "+CGATT: 1<CR><LF>\n<CR><LF>\n"),
    ];
    let exchange = |(second, (command, lines)): (usize, (&str, &str))| {
        let stamp = format!("05/03/2024 10:15:{second:02}");
        format!(
            "{stamp}.000 [TX]: {command}<CR>\n{stamp}.200 [RX]: {command}<CR><CR><LF>\n{lines}OK<CR><LF>\n"
        )
    };
    let log: String = asked.into_iter().enumerate().map(exchange).collect();
    let said = story(&log);
    for (command, _) in asked {
        assert!(said.contains(&format!("command {command}")), "{command}: {said:?}");
        assert!(said.contains(&format!("final OK to {command}")), "{command}: {said:?}");
    }
    assert_eq!(unexplained(&log), 0, "{said:?}");
}

#[test]
fn several_basic_commands_in_a_line_are_a_command() {
    for command in [
        "ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0",
        "ATE0V1",
        "ATQ0V1E1S0=0&C1&D2",
        "AT&F0E1",
        "ATE0 +CMEE=1",
        "ATS0?",
    ] {
        check(
            &format!("AT\nOK\n{command}\nOK\n"),
            &[
                "command AT",
                "final OK to AT",
                &format!("command {command}"),
                &format!("final OK to {command}"),
            ],
        );
    }
    for words in ["ATM machine 1", "ATX and ATZ", "ATOM", "ATE0 is what to send", "AT 5", "AT S"] {
        assert_eq!(unexplained(&format!("AT\nOK\n{words}\n")), 1, "{words}");
    }
}

#[test]
fn the_words_of_wvdial_are_its_own() {
    let log = "--> WvDial: Internet dialer version 1.61\n--> Modem init\n--> Sending: ATZ\nATZ\nOK\n\
               --> Sending: ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0\nATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0\nOK\n--> Modem init\n\
               --> Sending: ATDT*99#\n--> Waiting for carrier.\nATDT*99#\nCONNECT\n\
               --> Carrier detected.  Starting PPP immediately.\n--> Starting pppd at Wed Sep  1 07:52:03 2021\n--> Pid of pppd: 5889\n\
               --> Using interface ppp0\n--> pppd: x\n--> local  IP address 10.0.0.2\n--> remote IP address 10.64.64.64\n\
               --> primary   DNS address 10.0.0.1\n--> secondary DNS address 10.0.0.1\n";
    check(
        log,
        &[
            "command ATZ",
            "final OK to ATZ",
            "command ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0",
            "final OK to ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0",
            "command ATDT*99#",
            "final CONNECT to ATDT*99#",
        ],
    );
}

/// The rows in which the AT client of RT-Thread shows bytes, each with the mark.
fn rows(_: u64, side: char, text: &str) -> String {
    let text = if side == '>' { text.trim_end() } else { text };
    let row = |(index, chunk): (usize, &[u8])| {
        let pairs: String = chunk.iter().map(|byte| format!("{byte:02X} ")).collect();
        let reading =
            chunk.escape_ascii().to_string().replace("\\r", ".").replace("\\n", ".").replace("\\\"", "\"");
        let mark = name(side, "sendline", "recvline");
        format!("[D/AT] {mark}: {:04X}-{:04X}: {pairs:102}{reading}", index * 32, index * 32 + 32)
    };
    text.as_bytes().chunks(32).enumerate().map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_command_in_several_rows_is_one_command() {
    let log = "AT+CIPSTART=0,\"TCP\",\"198.51.100.200\",46387\r\n";
    let before = rows(0, '>', log) + "\n" + &rows(0, '<', "\r\nOK\r\n") + "\n";
    let command = log.trim_end();
    let expected = [format!("command {command}"), format!("final OK to {command}")];
    for rest in ["", "0000-0020: "] {
        // The rows below the first may have no mark.
        let shown =
            if rest.is_empty() { before.clone() } else { before.replace("[D/AT] sendline: 0020", "0020") };
        let log = format!(
            "{shown}{}\n{}\n",
            rows(0, '>', "AT+CSQ\r\n"),
            rows(0, '<', "\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
        );
        assert_eq!(story(&log)[..2], expected, "{log}");
    }
    assert_eq!(session_story(by_piece(rows).as_bytes()), STORY);
}

#[test]
fn a_list_of_strings_may_begin_with_the_echo() {
    let log = "DEBUG: write: ATZ\nDEBUG: response: ['ATZ\\r', 'OK']\nDEBUG: write: ATE0\nDEBUG: response: ['ATE0\\r', 'OK']\n";
    let echoed = |command: &str| {
        [format!("command {command}"), format!("echo {command}"), format!("final OK to {command}")]
    };
    assert_eq!(story(log), [echoed("ATZ"), echoed("ATE0")].concat());
}

#[test]
fn a_table_of_an_analyser_may_have_an_empty_last_column() {
    let bytes = |side: &str, text: &str| -> String {
        text.bytes()
            .map(|byte| format!("\"{side}\",\"data\",0.10000000,0.00008667,0x{byte:02X},\n"))
            .collect()
    };
    let log = [
        "name,type,start_time,duration,data,error\n".to_owned(),
        bytes("TX", "AT+CSQ\r"),
        bytes("RX", "\r\n+CSQ: 20,99\r\n\r\nOK\r\n"),
    ]
    .concat();
    let expected = ["command AT+CSQ", "reply +CSQ: 20,99 to AT+CSQ", "final OK to AT+CSQ"];
    check(
        &format!("{log}{}{}", bytes("TX", "AT\r"), bytes("RX", "\r\nOK\r\n")),
        &[&expected[..], &["command AT", "final OK to AT"]].concat(),
    );
}

#[test]
fn payload_may_begin_with_a_line_end() {
    let expected = [r"received 0 \r\nabcd", "urc 0, CLOSED", "command AT", "final OK to AT"];
    for log in [
        "+RECEIVE,0,6:\n\nabcd\n0, CLOSED\nAT\nOK\n",
        "+RECEIVE,0,6:\r\n\r\nabcd\r\n0, CLOSED\r\nAT\r\nOK\r\n",
        "RX: +RECEIVE,0,6:\nRX: \nRX: abcd\nRX: 0, CLOSED\nTX: AT\nRX: OK\n",
        "[12:00:00.000] +RECEIVE,0,6:\n[12:00:00.000] \n[12:00:00.000] abcd\n[12:00:00.000] 0, CLOSED\n[12:00:01.000] AT\n[12:00:01.000] OK\n",
    ] {
        check(log, &expected);
    }
    check(
        "TX: AT+CIPSEND=0,6\nRX: > \nTX: \nabcd\nRX: 0, SEND OK\nTX: AT\nRX: OK\n",
        &[
            "command AT+CIPSEND=0,6",
            "prompt",
            r"sent \r\nabcd",
            "final 0, SEND OK to AT+CIPSEND=0,6",
            "command AT",
            "final OK to AT",
        ],
    );
}

#[test]
fn dots_in_place_of_line_ends_are_line_ends() {
    let line = |at: u32, side: &str, text: &str| format!("I ({at}) [PPPOS CLIENT]: AT {side}: [{text}]\n");
    for (start, end) in [("..", ".."), ("", "")] {
        let log = [
            line(1748, "COMMAND", &format!("AT{end}")),
            line(1772, "RESPONSE", &format!("{start}OK{end}")),
            "I (1943) [PPPOS CLIENT]: GSM start\n".to_owned(),
            line(2788, "COMMAND", &format!("ATE0{end}")),
            line(2811, "RESPONSE", &format!("ATE0...OK{end}")),
            line(4037, "COMMAND", &format!("AT+CPIN?{end}")),
            line(4062, "RESPONSE", &format!("{start}+CPIN: READY....OK{end}")),
            line(4162, "COMMAND", &format!("AT+CREG?{end}")),
            line(4186, "BAD RESPONSE", &format!("{start}+CREG: 0,2....OK{end}")),
        ]
        .concat();
        check(
            &log,
            &[
                "command AT",
                "final OK to AT",
                "command ATE0",
                "echo ATE0",
                "final OK to ATE0",
                "command AT+CPIN?",
                "reply +CPIN: READY to AT+CPIN?",
                "final OK to AT+CPIN?",
                "command AT+CREG?",
                "reply +CREG: 0,2 to AT+CREG?",
                "final OK to AT+CREG?",
            ],
        );
        assert_eq!(cause(&log), "not-registered");
    }
}
