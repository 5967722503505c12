//! Lines of logs that are easily taken for something else: data of several lines, data that look like a mark, a command
//! directly after data, rows of bytes within data, and prints that contain a command.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use air724ug::capture::{self, Coverage, replay};

/// The entries of a log in words.
fn story(log: &[u8]) -> Vec<String> {
    let capture = capture::read(log).unwrap();
    replay(&capture).entries.iter().map(|entry| entry.what.to_string()).collect()
}

#[track_caller]
fn check(log: &str, expected: &[&str]) {
    assert_eq!(story(log.as_bytes()), expected, "{log}");
}

#[test]
fn data_go_on_in_lines_below_a_mark() {
    let log = |data: &str, length: usize| {
        format!(
            "TX: AT+CIPSEND=0,{length}\nRX: > \nTX: {data}\nRX: 0, SEND OK\nTX: AT+CSQ\nRX: +CSQ: 20,99\nRX: OK\n"
        )
    };
    let story = |length: usize, sent: &str| {
        let command = format!("AT+CIPSEND=0,{length}");
        [
            format!("command {command}"),
            "prompt".to_owned(),
            format!("sent {sent}"),
            format!("final 0, SEND OK to {command}"),
            "command AT+CSQ".to_owned(),
            "reply +CSQ: 20,99 to AT+CSQ".to_owned(),
            "final OK to AT+CSQ".to_owned(),
        ]
    };
    assert_eq!(self::story(log("abc\ndef", 8).as_bytes()), story(8, r"abc\r\ndef"));
    assert_eq!(self::story(log("abc\ndef", 7).as_bytes()), story(7, r"abc\ndef"));
    let request = "GET /get HTTP/1.1\nHost: httpbin.org\n";
    assert_eq!(
        self::story(log(request, 40).as_bytes()),
        story(40, r"GET /get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n")
    );
}

#[test]
fn data_that_are_read_again_keep_their_times() {
    let lines =
        ["TX: AT", "RX: OK", "RX: +RECEIVE,0,14:", "RX: the wor", "RX: ld i", "RX: s00", "RX: 0, CLOSED"];
    let log: String =
        (0..).zip(lines).map(|(second, line)| format!("[12:00:0{second}.000] {line}\n")).collect();
    assert!(story(log.as_bytes()).contains(&"received 0 the world is00".to_owned()), "{log}");
    let records = capture::read(log.as_bytes()).unwrap().records;
    let times: Vec<_> = records.iter().map(|located| (located.line, located.record.at.as_nanos())).collect();
    let stamped: Vec<_> = times.iter().map(|(line, _)| (*line, (*line as u64 - 1) * 1_000_000_000)).collect();
    assert_eq!(times, stamped);
}

#[test]
fn a_header_of_data_is_no_mark() {
    let front = |side: &str| format!("[10:11:20.300]{}", if side == "sent" { "发→◇" } else { "收←◆" });
    let (sent, received) = (front("sent"), front("received"));
    for name in ["Host", "Hozt"] {
        let request = format!("GET /get HTTP/1.1\n{name}: httpbin.org\n\n");
        let log = format!(
            "{sent}AT+CIPSEND=40\n□\n{received}AT+CIPSEND=40\n\n> \n{sent}{request}□\n{received}{request}\n\
             {received}\nSEND OK\n\n"
        );
        let data = |bytes: &str| bytes.replace("NAME", name);
        let expected = [
            "command AT+CIPSEND=40".to_owned(),
            "echo AT+CIPSEND=40".to_owned(),
            "prompt".to_owned(),
            data(r"sent GET /get HTTP/1.1\r\nNAME: httpbin.org\r\n\r\n"),
            r"data echo GET /get HTTP/1.1\r\n".to_owned(),
            data(r"data echo NAME: httpbin.org\r\n"),
            r"data echo \r\n".to_owned(),
            "final SEND OK to AT+CIPSEND=40".to_owned(),
        ];
        assert_eq!(story(log.as_bytes()), expected, "{log}");
    }
}

#[test]
fn an_escape_out_of_a_stream_has_no_line_end() {
    let open = "TX: AT+CIPMODE=1\nRX: OK\nTX: AT+CIPSTART=\"TCP\",\"198.51.100.7\",80\nRX: OK\nRX: CONNECT\n";
    let after = [
        "command +++",
        "final OK to +++",
        "command AT+CSQ",
        "reply +CSQ: 20,99 to AT+CSQ",
        "final OK to AT+CSQ",
    ];
    let log = format!("{open}TX: hello\nRX: OK\nTX: +++\nRX: OK\nTX: AT+CSQ\nRX: +CSQ: 20,99\nRX: OK\n");
    let marked = story(log.as_bytes());
    assert!(marked.ends_with(&after.map(str::to_owned)), "{marked:#?}");
    let screen = log.replace("TX: ", "").replace("RX: ", "").replace("\nhello\nOK\n", "\nhello\nworld\n");
    let screen = story(screen.as_bytes());
    assert!(screen.ends_with(&after.map(str::to_owned)), "{screen:#?}");
}

#[test]
fn a_command_directly_after_payload_is_the_next_one() {
    for end in ["0, CLOSE OK\n", "\n0, CLOSE OK\n"] {
        let log = format!("AT+CIPMUX=1\nOK\n\n+RECEIVE,0,9:\n{{\n\"a\": 1}}AT+CIPCLOSE=0\n{end}");
        check(
            &log,
            &[
                "command AT+CIPMUX=1",
                "final OK to AT+CIPMUX=1",
                r#"received 0 {\n"a": 1}"#,
                "command AT+CIPCLOSE=0",
                "final 0, CLOSE OK to AT+CIPCLOSE=0",
            ],
        );
    }
    // Payload that contains a command is payload.
    check(
        "AT+CIPMUX=1\nOK\n\n+RECEIVE,0,10:\npongAT+CSQ\n",
        &["command AT+CIPMUX=1", "final OK to AT+CIPMUX=1", "received 0 pongAT+CSQ"],
    );
}

#[test]
fn a_row_of_bytes_within_payload_is_a_row() {
    let answer = "AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n";
    let wire = format!("{answer}\r\n+RECEIVE,0,25:\r\nwhat the peer has written\r\n0, CLOSED\r\n");
    let wire = wire.as_bytes();
    let rows = |front: fn(usize) -> String, tail: fn(&[u8]) -> String| -> String {
        let row = |(at, bytes): (usize, &[u8])| {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}{}{}\n", front(at * 16), hex.join(" "), tail(bytes))
        };
        wire.chunks(16).enumerate().map(row).collect()
    };
    for log in [
        rows(|_| String::new(), |_| String::new()),
        rows(|at| format!("{at:08x}  "), |_| String::new()),
        rows(|at| format!("{at:08x}: "), |bytes| format!("  {}", bytes.escape_ascii())),
    ] {
        check(
            &log,
            &[
                "echo AT+CSQ",
                "reply +CSQ: 20,99 to AT+CSQ",
                "final OK to AT+CSQ",
                "received 0 what the peer has written",
                "urc 0, CLOSED",
            ],
        );
    }
}

#[test]
fn a_print_that_shows_a_command_is_unexplained() {
    let line = |side: &str, bytes: &str| format!("[I] 2024-03-05 14:21:07.100 uart1 {side} \"{bytes}\"\n");
    let log = [line("TX", r"AT+CIPSEND=2,3\r"), line("RX", r"\r\n> "), line("RX", r"\r\n2, SEND FAIL\r\n")]
        .concat();
    let capture = capture::read(log.as_bytes()).unwrap();
    assert_eq!(Coverage::of(&capture, &replay(&capture)).unexplained, 2);
    // A program that names a command in its own words shows none.
    let words = "AT\nOK\n[W] Not ack. 2 AT\n[D] Buffer: 11\n";
    let capture = capture::read(words.as_bytes()).unwrap();
    assert_eq!(Coverage::of(&capture, &replay(&capture)).unexplained, 0);
}

#[test]
fn the_line_end_after_payload_is_the_modules() {
    let log = "AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\nOK\n\n0, CONNECT OK\n\n+RECEIVE,0,5:\nab\nde\n0, CLOSED\n";
    let story = story(log.as_bytes());
    assert_eq!(story[story.len() - 2..], [r"received 0 ab\nde".to_owned(), "urc 0, CLOSED".to_owned()]);
}

#[test]
fn a_fault_has_the_line_in_which_it_is() {
    let own =
        "# what: x\n# source: y\n# expect: not known\n0.0 < \\r\\n+RECEIVE,0,2:\\r\\nab\\n0, CLOSED\\r\\n\n";
    let capture = capture::read(own.as_bytes()).unwrap();
    let timeline = replay(&capture);
    let unexplained: Vec<_> = timeline.unexplained().collect();
    assert!(!unexplained.is_empty() && unexplained.iter().all(|entry| entry.lines == [4]), "{unexplained:?}");
    assert_eq!(Coverage::of(&capture, &timeline).unexplained, 1);
}

#[test]
fn lines_with_named_line_ends_go_on_below_a_mark() {
    let log = "05/03/2024 10:15:03.200 [TX] - AT+CSQ<CR>\n05/03/2024 10:15:03.400 [RX] - AT+CSQ<CR><CR><LF>\n\
               +CSQ: 27,99<CR><LF>\n<CR><LF>\nOK<CR><LF>\n05/03/2024 10:15:03.600 [TX] - AT+CIPSEND=0,5<CR>\n\
               05/03/2024 10:15:03.800 [RX] - <CR><LF>\n> \n05/03/2024 10:15:04.000 [TX] - hello\n\
               05/03/2024 10:15:04.200 [RX] - <CR><LF>\n0, SEND OK<CR><LF>\n";
    check(
        log,
        &[
            "command AT+CSQ",
            "echo AT+CSQ",
            "reply +CSQ: 27,99 to AT+CSQ",
            "final OK to AT+CSQ",
            "command AT+CIPSEND=0,5",
            "prompt",
            "sent hello",
            "final 0, SEND OK to AT+CIPSEND=0,5",
        ],
    );
}

#[test]
fn data_that_a_result_counts_and_the_log_does_not_show_are_missing() {
    let log = "AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\nOK\n\n0, CONNECT OK\nAT+CIPSEND=0,27\n> MQTTGsmClientTest\n";
    let counted = story(format!("{log}DATA ACCEPT:0,27\nAT+CSQ\n+CSQ: 20,99\n\nOK\n").as_bytes());
    let missing = "unexplained (10 announced bytes never came)";
    assert_eq!(
        counted[5..8],
        ["sent MQTTGsmClientTest", "final DATA ACCEPT:0,27 to AT+CIPSEND=0,27", missing].map(str::to_owned)
    );
    // A Ctrl-Z that the log does not show ended the data.
    let ended = story(log.replace("=0,27", "=0").as_bytes());
    assert!(!ended.iter().any(|entry| entry.contains("never came")), "{ended:#?}");
}

#[test]
fn a_ctrl_z_that_a_tool_sends_as_a_byte_ends_the_data() {
    for end in ["1A \n□", "1A\n□", "1a"] {
        let log = format!(
            "[10:11:20.001]发→◇AT+CIPSEND\n□\n[10:11:20.020]收←◆AT+CIPSEND\n\n> \n\
             [10:11:25.300]发→◇www.example.com\n□\n[10:11:27.100]发→◇{end}\n[10:11:27.300]收←◆\nSEND OK\n\n"
        );
        let story = story(log.as_bytes());
        let data = story.iter().find(|entry| entry.starts_with("sent")).unwrap();
        assert!(
            matches!(data.as_str(), r"sent www.example.com\x1a" | r"sent www.example.com\r\n\x1a"),
            "{story:#?}"
        );
    }
}

#[test]
fn a_command_that_a_trace_has_cut_ends_before_its_result() {
    let line = |side: &str, length: usize, bytes: &str| {
        let shown: Vec<String> = bytes.as_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let words: Vec<String> = shown.chunks(4).map(|word| word.concat()).collect();
        let (kind, status) = if side == "Bo" { ("S", "-115") } else { ("C", "0") };
        format!("ffff8881042c3000 543302003 {kind} {side}:2:004:3 {status} {length} = {}\n", words.join(" "))
    };
    let sent = |bytes: &str| line("Bo", bytes.len(), bytes);
    let received = |bytes: &str| line("Bi", bytes.len(), bytes);
    let log = [
        sent("AT\r"),
        received("\r\nOK\r\n"),
        sent("AT+CIPSTART=0,\"TCP\",\"198.51.100.7\",80\r"),
        received("\r\nOK\r\n"),
        sent("AT+CSQ\r"),
        received("\r\nOK\r\n"),
    ];
    check(
        &log.concat(),
        &[
            "command AT",
            "final OK to AT",
            "command AT+CIPSTART=0,\"T",
            "final OK to AT+CIPSTART=0,\"T",
            "command AT+CSQ",
            "final OK to AT+CSQ",
        ],
    );
}

#[test]
fn data_after_the_prompt_are_an_echo_where_only_the_modem_is_shown() {
    let wire = "AT+CIPSEND=0,5\r\r\n> hello\r\n0, SEND OK\r\nAT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n";
    let row = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x} ")).collect::<String>() + "\n";
    for size in [16, 20] {
        let log: String = wire.as_bytes().chunks(size).map(row).collect();
        check(
            &log,
            &[
                "echo AT+CIPSEND=0,5",
                "prompt",
                "data echo hello",
                "final 0, SEND OK to AT+CIPSEND=0,5",
                "echo AT+CSQ",
                "reply +CSQ: 20,99 to AT+CSQ",
                "final OK to AT+CSQ",
            ],
        );
    }
}
