//! Our own traces: the findings in every encoding, and the rules for verdicts one by one.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use air724ug::luat::{Analysis, Closer, CoreId, EventKind, Failure, Finding, Pattern, Severity, SocketRef};

/// Every trace in fixtures/luat.
const FIXTURES: [&str; 2] = ["faq", "rare"];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/luat")
}

fn fixture(name: &str) -> String {
    fs::read_to_string(folder().join(name).with_extension("trace")).unwrap()
}

fn read(trace: impl AsRef<[u8]>) -> Analysis {
    Analysis::read(trace.as_ref()).unwrap()
}

fn events(trace: &str) -> Vec<String> {
    read(trace).events.iter().map(|event| event.what.to_string()).collect()
}

fn whats(trace: &str) -> Vec<EventKind> {
    read(trace).events.into_iter().map(|event| event.what).collect()
}

fn patterns(trace: &str) -> Vec<Pattern> {
    read(trace).findings.iter().map(|finding| finding.pattern).collect()
}

/// A finding in the form of a fixture's header.
fn line_of(finding: &Finding) -> String {
    let severity = match finding.severity() {
        Severity::Harmless => "harmless",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let count = if finding.count == 1 { String::new() } else { format!(" ({})", finding.count) };
    format!("{severity}: {}{count}", finding.pattern.title())
}

/// The trace as on a UART, with a tabulator after each tag.
fn with_tabulators(text: &str) -> String {
    let with_tabulator = |line: &str| match line.split_once("]-[").and_then(|(_, rest)| rest.find("] ")) {
        Some(at) => {
            let end = line.len() - line.split_once("]-[").unwrap().1.len() + at;
            format!("{}]\t{}\n", &line[..end], &line[end + 2..])
        }
        None => format!("{line}\n"),
    };
    text.lines().map(with_tabulator).collect()
}

fn open(id: u8) -> String {
    format!(
        "[I]-[socket:connect-coreid,prot,addr,port,cert,timeout] {id} TCP 203.0.113.7 80 nil 120\n\
         [I]-[socket:on_response:] {id} SOCKET_CONNECT 0\n[I]-[socket:connect: connect ok]\n"
    )
}

#[test]
fn every_fixture_is_named_and_has_a_header() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    assert_eq!(found, FIXTURES);
    for name in FIXTURES {
        let text = fixture(name);
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("# what: "), "{name}");
        assert!(lines.next().unwrap().starts_with("# source: "), "{name}");
    }
}

#[test]
fn the_findings_of_every_fixture_are_those_of_its_header() {
    for name in FIXTURES {
        let text = fixture(name);
        let promised: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# expect: ")).collect();
        let found: Vec<String> = read(&text).findings.iter().map(line_of).collect();
        assert_eq!(found, promised, "{name}");
    }
}

#[test]
fn the_fixtures_contain_every_pattern() {
    let mut shown = BTreeSet::new();
    for name in FIXTURES {
        shown.extend(read(fixture(name)).findings.iter().map(|finding| finding.pattern.title()));
    }
    // One finding for each variant, and one for each reason of the two failures, apart from reasons that no library
    // gives.
    let reasons = [Failure::Response, Failure::Timeout, Failure::Closed, Failure::IpError];
    for reason in reasons {
        assert!(shown.contains(Pattern::ConnectFail(reason).title()), "{reason}");
        assert!(shown.contains(Pattern::SendFail(reason).title()), "{reason}");
    }
    assert_eq!(shown.len(), 38, "{shown:#?}");
}

#[test]
fn every_evidence_names_a_line_with_the_text_of_its_pattern() {
    for name in FIXTURES {
        let text = fixture(name);
        let lines: Vec<&str> = text.lines().collect();
        for finding in read(&text).findings {
            for evidence in &finding.evidence {
                let named: Vec<&str> =
                    evidence.lines.iter().map(|&line| lines[usize::try_from(line).unwrap() - 1]).collect();
                let is_proof = named.iter().any(|line| line.contains(finding.pattern.searched()))
                    // The text of the socket library for the loss of the bearer, and the texts of the older library.
                    || named.iter().any(|line| {
                        line.contains("IP_ERROR_IND") || line.contains("too many sockets") || line.contains("SEND_CNF")
                    });
                assert!(is_proof, "{:?} {:?}", finding.pattern, named);
            }
        }
    }
}

#[test]
fn the_encoding_the_line_ends_and_tabulators_change_nothing() {
    for name in FIXTURES {
        let text = fixture(name);
        let expected = read(&text);
        let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        assert_eq!(read(format!("\u{feff}{text}")), expected, "UTF-8 with a mark");
        assert_eq!(read(text.replace('\n', "\r\n")), expected, "CR LF");
        assert_eq!(read(text.trim_end()), expected, "no line end at the end");
        assert_eq!(read(wide(u16::to_le_bytes)), expected, "UTF-16, little end first");
        assert_eq!(read(wide(u16::to_be_bytes)), expected, "UTF-16, big end first");
        assert_eq!(read(&wide(u16::to_le_bytes)[2..]), expected, "UTF-16 that has lost its mark");
        assert_eq!(read(with_tabulators(&text)), expected, "tabulators");
    }
}

#[test]
fn the_texts_of_patterns_are_found_in_gbk_too() {
    let mut trace =
        b"[W]-[-------------------\xca\xb9\xd3\xc3\xbb\xba\xb3\xe5\xc7\xf8---------------]\n".to_vec();
    trace
        .extend_from_slice(b"\xb9\xa4\xbe\xdf\xcc\xe1\xca\xbe: USB \xb6\xcf\xbf\xaa\xc1\xac\xbd\xd3 COM10\n");
    let found: Vec<Pattern> = read(trace).findings.iter().map(|finding| finding.pattern).collect();
    assert_eq!(found, [Pattern::ToolDisconnected, Pattern::Buffered]);
}

#[test]
fn the_number_after_a_close_is_never_a_verdict() {
    for number in ["0", "1", "-1", "4294967295", ""] {
        let trace = format!(
            "{}[I]-[socket:sock_close] 0\n[I]-[socket:on_response:] 0 SOCKET_CLOSE {number}\n",
            open(0)
        );
        let closed = whats(&trace).pop().unwrap();
        assert!(matches!(closed, EventKind::Closed { by: Closer::Host, .. }), "{closed:?}");
        assert!(read(&trace).severity() <= Some(Severity::Harmless));
    }
}

#[test]
fn the_last_confirmation_of_a_connect_decides() {
    let refused = "[I]-[socket:connect-coreid,prot,addr,port,cert,timeout] 0 TCP 203.0.113.7 80 nil 120\n\
                   [I]-[socket:on_response:] 0 SOCKET_CONNECT 1\n";
    // The line in words may be lost, and if it is doubled, it is one event.
    let words = "[I]-[socket:connect: connect fail] RESPONSE\n";
    let fail =
        EventKind::ConnectFailed { socket: SocketRef::Shown(CoreId::new(0)), reason: Failure::Response };
    assert_eq!(whats(refused).last(), Some(&fail));
    assert_eq!(whats(&format!("{refused}{words}")).last(), Some(&fail));
    assert_eq!(patterns(&format!("{refused}{words}{}", open(0))), [Pattern::ConnectFail(Failure::Response)]);
    let between = format!("{refused}[I]-[ril.proatc] ^MODE: 17,17\n{words}");
    assert_eq!(whats(&between).len(), 3, "{:?}", whats(&between));
}

#[test]
fn a_missing_confirmation_is_no_failed_send() {
    let trace = format!("{}[D]-[socket.send] total 5 bytes first 30 bytes hello\n", open(0));
    assert_eq!(events(&trace).last().unwrap(), "a send of 5 bytes: no confirmation shown");
    assert!(read(&trace).findings.is_empty());
}

#[test]
fn payload_of_a_send_is_no_event() {
    for payload in
        ["connect fail", "[I]-[socket:send] send fail", "HTTP/1.1 200 OK", "CONNECT FAIL", "\u{0}\u{ff}"]
    {
        let trace = format!(
            "{}[D]-[socket.send] total {} bytes first 30 bytes {payload}\n[I]-[socket:on_response:] 0 SOCKET_SEND 0\n",
            open(0),
            payload.len()
        );
        assert!(read(&trace).findings.is_empty(), "{payload}");
        assert_eq!(events(&trace).last().unwrap(), &format!("socket 0 sent {} bytes", payload.len()));
    }
}

#[test]
fn words_of_a_script_and_lines_of_the_core_are_no_event() {
    let trace = "[I]-[app] socket:connect: connect fail RESPONSE\n+PDP: DEACT\nRDY\n0, CLOSED\n+CME ERROR: 10\n\
                 [I]-[app socket:send] send fail RESPONSE\nsocket.rtos.MSG_SOCK_CLOSE_IND\n\
                 [I]-[socket:connect: connect fail\n";
    assert_eq!(events(trace), [] as [&str; 0]);
}

#[test]
fn data_are_assigned_to_no_socket_if_there_are_two() {
    let trace =
        format!("{}{}[D]-[socket.recv] 7 nil\n[I]-[socket.rtos.MSG_SOCK_CLOSE_IND]\n", open(0), open(1));
    let unknown = [
        EventKind::Received { socket: SocketRef::Unknown, len: 7 },
        EventKind::ClosedByPeer(SocketRef::Unknown),
    ];
    assert_eq!(whats(&trace)[4..], unknown);
}

#[test]
fn a_close_that_another_event_separates_from_its_socket_has_no_known_cause() {
    let trace = format!(
        "{}{}[I]-[socket.rtos.MSG_SOCK_CLOSE_IND]\n[D]-[socket.recv] 7 nil\n[I]-[socket:sock_close] 0\n\
         [I]-[socket:on_response:] 0 SOCKET_CLOSE 0\n",
        open(0),
        open(1)
    );
    assert!(matches!(whats(&trace).last(), Some(EventKind::Closed { by: Closer::Unknown, .. })));
}

#[test]
fn two_connects_that_time_out_are_distinguished_by_their_stamps() {
    let connect = |second: u32, id: u32, timeout: u32| {
        format!(
            "[2026-01-05 08:00:{second:02}.000] [I]-[socket:connect-coreid,prot,addr,port,cert,timeout] {id} TCP a.b 80 nil {timeout}\n"
        )
    };
    let fail = "[2026-01-05 08:00:25.000] [I]-[socket:connect: connect fail] TIMEOUT\n";
    let trace = [connect(0, 0, 120), connect(5, 1, 20), fail.to_owned()].concat();
    let paired =
        EventKind::ConnectFailed { socket: SocketRef::Paired(CoreId::new(1)), reason: Failure::Timeout };
    assert_eq!(whats(&trace).last(), Some(&paired));
}

#[test]
fn a_ninth_connection_is_a_finding_only_without_tls() {
    let eight: String = (0..8).map(open).collect();
    assert_eq!(patterns(&eight), []);
    assert_eq!(patterns(&format!("{eight}{}", open(8))), [Pattern::TooManySockets]);
    assert_eq!(patterns(&format!("{eight}{}", open(8).replace("TCP", "TCPSSL"))), []);
}

#[test]
fn a_start_of_the_module_ends_every_socket() {
    let trace = format!("{}[I]-[poweron reason:] 0 X\n[D]-[socket.recv] 7 nil\n", open(0));
    assert_eq!(whats(&trace).last(), Some(&EventKind::Received { socket: SocketRef::Unknown, len: 7 }));
}

#[test]
fn the_loss_of_the_bearer_is_one_event_and_ends_the_sockets() {
    let trace = format!(
        "{}{}[I]-[link.cgevurc] *CGEV: DEACT,5\n[W]-[socket.client:recv] error IP_ERROR_IND\n\
         [I]-[socket:sock_close] 0\n[I]-[socket:on_response:] 0 SOCKET_CLOSE 0\n\
         [I]-[publish IP_READY_IND]\n[I]-[link.cgevurc] *CGEV: DEACT,5\n[I]-[link.cgevurc] *CGEV: DEACT,1\n",
        open(0),
        open(1)
    );
    let count = |wanted: fn(&EventKind) -> bool| whats(&trace).iter().filter(|what| wanted(what)).count();
    assert_eq!(count(|what| matches!(what, EventKind::BearerLost { .. })), 2);
    assert_eq!(count(|what| matches!(what, EventKind::Closed { by: Closer::BearerLoss, .. })), 1);
    assert_eq!(events(&trace).last().unwrap(), "news: *CGEV: DEACT,1");
}

#[test]
fn events_after_the_scripts_close_are_not_the_cause_of_the_end() {
    let trace = format!(
        "{}[I]-[socket:sock_close] 0\n[I]-[link.cgevurc] *CGEV: DEACT,5\n[I]-[socket:on_response:] 0 SOCKET_CLOSE 0\n",
        open(0)
    );
    assert!(matches!(whats(&trace).last(), Some(EventKind::Closed { by: Closer::Host, .. })));
}

#[test]
fn a_socket_whose_connect_timed_out_stays_until_it_is_closed() {
    let trace = "[I]-[socket:connect-coreid,prot,addr,port,cert,timeout] 0 TCP a.b 80 nil 20\n\
                 [I]-[socket:connect: connect fail] TIMEOUT\n[D]-[socket.recv] 1 nil\n\
                 [I]-[socket:sock_close] 0\n[I]-[socket:on_response:] 0 SOCKET_CLOSE 0\n";
    let whats = whats(trace);
    let paired = SocketRef::Paired(CoreId::new(0));
    assert_eq!(whats[1], EventKind::ConnectFailed { socket: paired, reason: Failure::Timeout });
    assert_eq!(whats[2], EventKind::Received { socket: SocketRef::Unknown, len: 1 });
    assert!(matches!(whats[4], EventKind::Closed { by: Closer::Host, .. }));
}
