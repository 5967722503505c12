//! Secrets of a session, sent back through random damage. No event, log record or capture contains them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::material::{certificate_der, key_der};
use crate::support::pair::Pair;
use crate::support::random::Random;
use crate::support::tls::{connect, online};
use air724ug::capture::{Header, Recorder};
use air724ug::time::Timestamp;
use air724ug::{Certificate, PrivateKey, TlsConfig};

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/// A damaged form of a line, as a faulty module or line would send it.
fn damaged(rng: &mut Random, line: &str, secret: &str) -> Vec<u8> {
    let mut bytes = match rng.index(4) {
        0 => format!("+CREG: 1{line}"),
        1 => format!("+NEWS: {secret}"),
        2 => secret.to_owned(),
        _ => line.to_owned(),
    }
    .into_bytes();
    for _ in 0..rng.index(4) {
        let at = rng.index(bytes.len());
        match rng.index(6) {
            0 => drop(bytes.remove(0)),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, 0),
            3 => bytes.make_ascii_lowercase(),
            4 => bytes.make_ascii_uppercase(),
            _ => bytes[at] ^= 1,
        }
    }
    [b"\r\n", bytes.as_slice(), b"\r\n"].concat()
}

/// The secret of which six consecutive characters are in the text, in any case.
fn shows<'a>(text: &str, secrets: &'a [String]) -> Option<&'a str> {
    let text = text.to_ascii_lowercase();
    let seen = |secret: &&String| {
        let secret = secret.to_ascii_lowercase();
        secret.as_bytes().windows(6).any(|piece| text.contains(std::str::from_utf8(piece).unwrap()))
    };
    secrets.iter().find(seen).map(String::as_str)
}

#[test]
fn no_secret_is_shown_in_any_damaged_line() {
    for seed in 1..=60_u64 {
        let mut rng = Random::new(seed);
        let (mut pair, _) = online();
        let key: Vec<u8> = (0..60 + rng.index(300)).map(|_| rng.index(256) as u8).collect();
        let key = key_der(&key);
        let identity = (certificate(2), PrivateKey::from_bytes(&key).unwrap());
        let config = TlsConfig::verified(certificate(1)).client_identity(identity.0, identity.1);
        connect(&mut pair, &config).unwrap();
        let mut secrets = key_lines(&pair.written);
        let mut lines = secrets.clone();
        for before in [
            "AT+CPWD=\"SC\",\"",
            "AT+CGAUTH=5,1,\"",
            "AT*CGDFAUTH=1,1,\"user\",\"",
            "AT+FTPPW=\"",
            "AT^WIFIPWD=\"",
            "AT+CSTT=\"net\",\"user\",\"",
        ] {
            let len = 8 + rng.index(12);
            let secret = rng.text(LETTERS, len);
            let line = format!("{before}{secret}\"");
            pair.command(&line, Duration::from_secs(9)).ok();
            lines.push(line);
            secrets.push(secret);
        }
        let header = Header { what: "secrets".into(), source: "test".into(), expect: vec!["none".into()] };
        let mut recorder = Recorder::new(Vec::new(), &header);
        recorder.to_modem(pair.now, &pair.written);
        plant(&mut rng, &mut pair, &mut recorder, &lines, &secrets);
        let events = format!("{:?}", pair.events);
        assert!(events.contains("Unknown(") && events.contains('*'), "no secret was sent back: {events}");
        assert_eq!(shows(&events, &secrets), None, "seed {seed}: {events}");
        assert_eq!(shows(&format!("{:?}", pair.engine), &secrets), None, "seed {seed}");
        let capture = String::from_utf8(recorder.into_inner()).unwrap();
        assert_eq!(shows(&capture.replace("\\x00", ""), &secrets), None, "seed {seed}: {capture}");
    }
}

/// Makes the module send back every line several times.
fn plant(
    rng: &mut Random,
    pair: &mut Pair,
    recorder: &mut Recorder<Vec<u8>>,
    lines: &[String],
    secrets: &[String],
) {
    let mut now: Timestamp = pair.now;
    for _ in 0..3 {
        for (line, secret) in lines.iter().zip(secrets) {
            let bytes = damaged(rng, line, secret);
            now += Duration::from_millis(1);
            recorder.from_modem(now, &bytes);
            pair.inject(&bytes);
            pair.run_for(Duration::from_secs(3));
        }
    }
}

fn certificate(number: u8) -> Certificate {
    Certificate::from_bytes(&certificate_der(number, 200)).unwrap()
}

/// The lines of the key in the bytes written.
fn key_lines(written: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(written).into_owned();
    let lines = text.lines().skip_while(|line| !line.contains("BEGIN PRIVATE KEY")).skip(1);
    lines.take_while(|line| !line.contains("END PRIVATE KEY")).map(str::to_owned).collect()
}
