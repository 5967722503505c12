//! Diagnoses of published and hostile captures, and their JSON form.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::path::Path;

use air724ug::capture;
use air724ug::diagnosis::{
    Code, Diagnosis, End, Evidence, Exchange, MAX_ITEMS, MAX_LINES, MAX_TEXT, PortFault,
};

fn offline(file: &[u8]) -> Diagnosis {
    Evidence::of_capture(&capture::read(file).unwrap()).diagnose()
}

fn root(file: &[u8]) -> Option<Code> {
    offline(file).root_cause().map(|finding| finding.code)
}

/// A capture in our own format, with the required headers.
fn own(records: &str) -> Vec<u8> {
    format!("# what: x\n# source: y\n# expect: command AT\n{records}").into_bytes()
}

#[test]
fn connect_fail_after_75_s_is_a_silent_server() {
    let start = "0.0 > AT+CIPSTART=3,\"TCP\",\"192.0.2.1\",80\\r\\n\n0.1 < \\r\\nOK\\r\\n\n";
    assert_eq!(root(&own(&format!("{start}75.0 < \\r\\n3, CONNECT FAIL\\r\\n\n"))), Some(Code::ServerSilent));
    assert_eq!(root(&own(&format!("{start}0.9 < \\r\\n3, CONNECT FAIL\\r\\n\n"))), Some(Code::ServerRefuses));
    // A line of another channel, or no line yet, proves nothing.
    assert_eq!(root(&own(&format!("{start}0.9 < \\r\\n2, CONNECT FAIL\\r\\n\n"))), None);
    assert_eq!(root(&own(start)), None);
    // A host that closes an unopened channel has given up.
    assert_eq!(root(&own(&format!("{start}9.0 > AT+CIPCLOSE=3\\r\\n\n"))), Some(Code::ServerSilent));
    // A capture that is long enough shows that no result came.
    assert_eq!(root(&own(&format!("{start}80.0 < \\r\\nRDY\\r\\n\n"))), Some(Code::ServerSilent));
}

#[test]
fn without_answers_the_bytes_received_show_the_cause() {
    assert_eq!(root(&own("0.0 > AT\\r\\n\n1.0 > AT\\r\\n\n")), Some(Code::NoAnswer));
    assert_eq!(
        root(&own("0.0 > AT\\r\\n\n0.1 < AT\\r\\n\n1.0 > AT\\r\\n\n1.1 < AT\\r\\n\n")),
        Some(Code::EchoOnly)
    );
    assert_eq!(root(&own("0.0 > AT\\r\\n\n0.1 < \\x00\\xfe\\x80\\xf8\\n\n")), Some(Code::WrongBaud));
    assert_eq!(root(b""), None, "nothing was asked");
}

#[test]
fn the_diagnoses_of_published_captures_are_those_of_their_index() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("{} is not there: nothing was tested", folder.display());
        return;
    };
    let causes = [
        ("a01_", None),
        ("a09_", None),
        ("a19_", None),
        ("a12_", Some(Code::BearerUnsteady)),
        ("s04_", Some(Code::ServerSilent)),
        ("s05_", Some(Code::LineNoise)),
        ("s08_", None),
        ("s13_", Some(Code::EchoOnly)),
    ];
    let mut seen = 0;
    for file in files {
        let path = file.unwrap().path();
        let diagnosis = Evidence::of_capture(&capture::load(&path).unwrap()).diagnose();
        assert!(is_json(&diagnosis.to_json()), "{}", path.display());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some((_, cause)) = causes.iter().find(|(start, _)| name.starts_with(start)) {
            assert_eq!(diagnosis.root_cause().map(|finding| finding.code), *cause, "{name}\n{diagnosis}");
            seen += 1;
        }
    }
    assert_eq!(seen, causes.len());
}

#[test]
fn our_own_fixtures_are_diagnosed_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for (name, cause) in [
        ("bring_up", None),
        ("tcp_push", None),
        ("pdp_loss", Some(Code::SignalWeak)),
        ("connect_fail_75s", Some(Code::ServerSilent)),
        ("garbage", Some(Code::LineNoise)),
    ] {
        let capture = capture::load(folder.join(format!("{name}.capture"))).unwrap();
        let diagnosis = Evidence::of_capture(&capture).diagnose();
        assert_eq!(diagnosis.root_cause().map(|finding| finding.code), cause, "{name}\n{diagnosis}");
    }
}

#[test]
fn hostile_captures_give_bounded_printable_diagnoses() {
    let words: [&[u8]; 20] = [
        b"AT+CPIN?\r\n",
        b"+CPIN: \x1b[2J\xff\r\n",
        b"+CME ERROR: 99999999999999999999\r\n",
        b"AT+CIPSTART=255,\"TCP\",\"\",\"\"\r\n",
        b"AT+CIPSTART=0,\"TCP\",\"10.0.0.1\",80\r\n",
        b"9, CONNECT FAIL\r\n",
        b"0, CONNECT FAIL\r\n",
        b"+CREG: ,,,\r\n",
        b"+CEREG: 0,4294967296\r\n",
        b"AT+CEREG?\r\n",
        b"AT+CSQ\r\n",
        b"+CSQ: 255,-1\r\n",
        b"STATE: \xc0\xc1\r\n",
        b"AT+CIPSTATUS\r\n",
        b"+CDNSGIP: 1,\"\xe2\x80\xae\",\"999.1.1.1\"\r\n",
        b"AT+CDNSGIP=\"\r\n",
        b"OK\r\n",
        b"RDY\r\n",
        b"\0\0\0\0",
        b"AT+CIPCLOSE=\r\n",
    ];
    let mut state = 1u64;
    for _ in 0..600 {
        let mut file = Vec::new();
        for _ in 0..30 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            file.extend_from_slice(words[usize::try_from(state >> 33).unwrap() % words.len()]);
        }
        let diagnosis = offline(&file);
        let json = diagnosis.to_json();
        assert!(is_json(&json), "{json}");
        assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{json}");
        let table = diagnosis.to_string();
        assert!(table.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{table}");
    }
}

#[test]
fn a_diagnosis_of_huge_and_many_lines_is_bounded() {
    let line = "x".repeat(60_000);
    let mut file = format!("AT+CPIN?\n+CPIN: {line}\nOK\n").into_bytes();
    for _ in 0..200 {
        file.extend_from_slice(format!("AT+{}\nERROR\n", &line[..1_000]).as_bytes());
    }
    let diagnosis = offline(&file);
    assert!(diagnosis.to_json().len() < 100_000);

    let mut evidence = Evidence::new();
    for index in 0..MAX_ITEMS + 5 {
        evidence.line(&format!("+CRE\u{1}{index} {line}")[..100]);
    }
    evidence.exchange(Exchange {
        command: format!("AT+CPIN?{line}"),
        lines: vec![line.clone(); 10_000],
        end: End::Final("+CME ERROR: 10".into()),
        took: None,
    });
    let diagnosis = evidence.diagnose();
    assert!(diagnosis.has(Code::SimMissing) && diagnosis.has(Code::LineNoise));
    for proof in diagnosis.findings().iter().flat_map(|finding| &finding.evidence) {
        assert!(proof.lines.len() <= MAX_LINES);
        assert!(proof.lines.iter().all(|line| line.len() < MAX_TEXT + 40));
    }
    assert!(diagnosis.to_string().len() < 20_000, "{}", diagnosis.to_string().len());
}

#[test]
fn json_escapes_control_characters_and_quotes() {
    let mut evidence = Evidence::new();
    evidence.port_failed(PortFault::Other, "\u{1b}]0;x\u{7}\"\\\r\n\0é\u{fffd}\u{1f4f6}");
    let diagnosis = evidence.diagnose();
    let json = diagnosis.to_json();
    assert!(is_json(&json), "{json}");
    assert!(json.contains(r#"\u001b]0;x\u0007\"\\\u000d\u000a\u0000\u00e9\ufffd\ud83d\udcf6"#), "{json}");
    assert!(!diagnosis.to_string().contains('\u{1b}'));
    assert!(!is_json(&json[..json.len() - 1]), "the parser of this test detects a missing byte");
    assert!(!is_json("{\"a\":\"\u{1}\"}") && !is_json("{\"a\" 1}") && !is_json("[1,]"));
}

/// Whether a text is one JSON value (RFC 8259) of objects, arrays, strings, `null` and digits.
fn is_json(text: &str) -> bool {
    fn value(text: &[u8]) -> Option<&[u8]> {
        match text.first()? {
            b'{' => items(&text[1..], b'}', |text| value(string(text)?.strip_prefix(b":")?)),
            b'[' => items(&text[1..], b']', value),
            b'"' => string(text),
            b'n' => text.strip_prefix(b"null"),
            digit if digit.is_ascii_digit() => {
                let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
                text.get(digits..)
            }
            _ => None,
        }
    }
    fn items<'a>(
        mut text: &'a [u8],
        end: u8,
        item: impl Fn(&'a [u8]) -> Option<&'a [u8]>,
    ) -> Option<&'a [u8]> {
        if text.first() == Some(&end) {
            return Some(&text[1..]);
        }
        loop {
            text = item(text)?;
            match text.split_first()? {
                (b',', rest) => text = rest,
                (last, rest) if *last == end => return Some(rest),
                _ => return None,
            }
        }
    }
    fn string(text: &[u8]) -> Option<&[u8]> {
        let mut text = text.strip_prefix(b"\"")?;
        loop {
            text = match text {
                [b'"', rest @ ..] => return Some(rest),
                [b'\\', b'u', a, b, c, d, rest @ ..]
                    if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
                {
                    rest
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => rest,
                [b' '..=b'[' | b']'..=0xff, rest @ ..] => rest,
                _ => return None,
            };
        }
    }
    value(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}
