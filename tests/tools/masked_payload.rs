//! Recordings of sessions with secrets: payload with pieces of a secret is recorded as it came, and no whole secret is
//! shown.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use air724ug::capture::{self, Entry, Header, Player, Recorder, TimelineEntryKind};
use air724ug::sim::{MemoryNetwork, Peer, Settings, SimCard, Simulator, serve};
use air724ug::time::Timestamp;
use air724ug::{Config, Modem};

use crate::player::session;
use crate::random::Random;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
const DIGITS: &[u8] = b"0123456789";

/// Bytes with many pieces of the secrets, and no whole one.
fn payload(rng: &mut Random, secrets: &[String], most: usize) -> Vec<u8> {
    let mut payload = vec![b'@'];
    while payload.len() < most {
        let secret = secrets[rng.index(secrets.len())].as_bytes();
        let from = rng.index(secret.len());
        let to = from + rng.index(secret.len() - from) + 1;
        payload.extend_from_slice(&secret[from..to]);
        match rng.index(4) {
            0 => payload.extend_from_slice(b"\r\nOK\r\n"),
            1 => payload.extend_from_slice(b"\r\n+NEWS: AT+CPIN"),
            2 => payload.extend_from_slice(&[rng.index(256) as u8, b'@']),
            _ => payload.push(b'@'),
        }
    }
    payload.truncate(rng.index(most) + 1);
    for secret in secrets.iter().filter(|secret| secret.len() >= 6) {
        while let Some(at) = find(&payload, secret) {
            payload[at] = b'@';
        }
    }
    payload
}

/// The place of a secret in any case and with control bytes between its characters.
fn find(bytes: &[u8], secret: &str) -> Option<usize> {
    let characters: Vec<(usize, u8)> =
        (0..).zip(bytes.iter().copied()).filter(|(_, byte)| !byte.is_ascii_control()).collect();
    let is_secret = |part: &[(usize, u8)]| {
        part.iter().zip(secret.bytes()).all(|((_, one), other)| one.eq_ignore_ascii_case(&other))
    };
    characters.windows(secret.len()).find(|part| is_secret(part)).map(|part| part[0].0)
}

fn recorder() -> Recorder<Vec<u8>> {
    let header = Header { what: "x".into(), source: "y".into(), expect: vec!["z".into()] };
    Recorder::new(Vec::new(), &header)
}

/// A recorded session, byte for byte as it was on the line.
#[derive(Default)]
struct Line(Vec<(bool, Vec<u8>)>);

impl Line {
    fn sent(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.push((true, bytes.as_ref().to_vec()));
    }

    fn said(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.push((false, bytes.as_ref().to_vec()));
    }

    /// The recording, with reads and writes of at most this length.
    fn recorded(&self, chunk: usize) -> Vec<u8> {
        let mut recorder = recorder();
        for (is_sent, bytes) in &self.0 {
            for part in bytes.chunks(chunk) {
                match is_sent {
                    true => recorder.to_modem(Timestamp::ZERO, part),
                    false => recorder.from_modem(Timestamp::ZERO, part),
                }
            }
        }
        recorder.into_inner()
    }
}

fn commands_with(secrets: &[String]) -> Line {
    let mut line = Line::default();
    for command in [
        format!("AT+CPIN=\"{}\"\r\n", secrets[0]),
        format!("AT+CSTT=\"net\",\"{}\",\"{}\"\r\n", secrets[1], secrets[2]),
    ] {
        line.sent(&command);
        line.said(format!("{command}\r\nOK\r\n"));
    }
    line
}

fn secrets(rng: &mut Random) -> Vec<String> {
    let pin = [4, 4, 8][rng.index(3)];
    let (user, password) = (4 + rng.index(5), 6 + rng.index(12));
    vec![rng.text(DIGITS, pin), rng.text(LETTERS, user), rng.text(LETTERS, password)]
}

/// The payload of a capture by the account of the replayer: received, and sent.
fn payloads(capture: &[u8]) -> [Vec<u8>; 2] {
    let timeline = capture::replay(&capture::read_own(capture).unwrap());
    let mut all = [const { Vec::new() }; 2];
    for entry in timeline.entries {
        match entry.what {
            TimelineEntryKind::Payload { bytes, .. } => all[0].extend(bytes),
            TimelineEntryKind::Sent(bytes) => all[1].extend(bytes),
            _ => {}
        }
    }
    all
}

#[test]
fn payload_with_pieces_of_secrets_is_recorded_as_it_came() {
    for seed in 1..=300_u64 {
        let mut rng = Random::new(seed);
        let secrets = secrets(&mut rng);
        let mut line = commands_with(&secrets);
        let (mut received, mut sent) = (Vec::new(), Vec::new());
        line.sent("AT+CIPSTART=0,\"TCP\",\"a.test\",80\r\n");
        line.said("\r\nOK\r\n\r\n0, CONNECT OK\r\n");
        for _ in 0..8 {
            let payload = payload(&mut rng, &secrets, 60);
            let length = payload.len();
            match rng.index(4) {
                0 => line
                    .said([format!("\r\n+RECEIVE,0,{length}:\r\n").as_bytes(), &payload, b"\r\n"].concat()),
                1 => line.said(
                    [format!("\r\n+RECEIVE,0,{length},1.2.3.4:80\r\n").as_bytes(), &payload, b"\r\n"]
                        .concat(),
                ),
                2 => {
                    line.sent("AT+CIPRXGET=2,0,1460\r\n");
                    let header = format!("\r\n+CIPRXGET: 2,0,{length},0\r\n");
                    line.said([header.as_bytes(), &payload, b"\r\n\r\nOK\r\n"].concat());
                }
                _ => {
                    line.sent(format!("AT+CIPSEND=0,{length}\r\n"));
                    line.said("\r\n> ");
                    line.sent(&payload);
                    line.said(format!("\r\nDATA ACCEPT:0,{length}\r\n"));
                    sent.extend(payload);
                    continue;
                }
            }
            received.extend(payload);
        }
        for chunk in [1, 3, 7, 4096] {
            let text = line.recorded(chunk);
            let shown = payloads(&text);
            assert_eq!(
                shown[0].escape_ascii().to_string(),
                received.escape_ascii().to_string(),
                "seed {seed} {chunk}"
            );
            assert_eq!(
                shown[1].escape_ascii().to_string(),
                sent.escape_ascii().to_string(),
                "seed {seed} {chunk}"
            );
            show_none(&text, &secrets, &format!("seed {seed} {chunk}"));
        }
    }
}

#[test]
fn data_of_a_stream_with_pieces_of_secrets_are_recorded_as_they_came() {
    for seed in 1..=200_u64 {
        let mut rng = Random::new(seed);
        let secrets = secrets(&mut rng);
        let mut line = commands_with(&secrets);
        line.sent("AT+CIPMODE=1\r\n");
        line.said("\r\nOK\r\n");
        line.sent("AT+CIPSTART=\"TCP\",\"a.test\",80\r\n");
        line.said("\r\nOK\r\n\r\nCONNECT\r\n");
        let mut data = Vec::new();
        for _ in 0..6 {
            let part = payload(&mut rng, &secrets, 80);
            line.said(&part);
            data.extend(part);
            // Words that end a stream, from the peer: the host goes on.
            if rng.index(3) == 0 {
                line.said("\r\nCLOSED\r\n");
                data.extend(b"\r\nCLOSED\r\n");
            }
            // Sent data that look like a command with a secret end the stream for the mask.
            let mut sent = payload(&mut rng, &secrets, 30);
            sent.retain(|byte| *byte != b'+');
            line.sent(sent);
        }
        line.sent("+++");
        let part = payload(&mut rng, &secrets, 80);
        line.said(&part);
        data.extend(part);
        let capture = capture::read_own(&line.recorded([1, 5, 4096][rng.index(3)])).unwrap();
        let shown = capture.received();
        assert!(shown.ends_with(&data), "seed {seed}: {}\n{}", shown.escape_ascii(), data.escape_ascii());
        // In command mode again, a damaged echo is masked.
        line.said("\r\nOK\r\n");
        line.sent("AT+CSQ\r\n");
        line.said(format!("AT+CSQ\r\n\r\n+NEWS: {}\r\n", &secrets[2][..5]));
        let text = line.recorded(1 + rng.index(90));
        assert!(
            !String::from_utf8_lossy(&text).contains(&format!("NEWS: {}", &secrets[2][..5])),
            "seed {seed}"
        );
    }
}

/// Fails if a whole secret of at least six characters is in a record, or in two neighbours.
fn show_none(text: &[u8], secrets: &[String], name: &str) {
    let capture = capture::read_own(text).unwrap();
    let sent = capture.records.iter().filter_map(|located| match &located.record.what {
        Entry::ToModem(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    for bytes in [sent.collect::<Vec<_>>().concat(), capture.received()] {
        for secret in secrets.iter().filter(|secret| secret.len() >= 6) {
            assert_eq!(find(&bytes, secret), None, "{name}: {secret} in {}", bytes.escape_ascii());
        }
    }
}

/// Anywhere: in echoes with a byte lost or added, in lines of every kind, and in payload.
#[test]
fn no_whole_secret_is_shown_anywhere() {
    for seed in 1..=600_u64 {
        let mut rng = Random::new(seed);
        let secrets = secrets(&mut rng);
        let mut line = commands_with(&secrets);
        for _ in 0..12 {
            let secret = &secrets[rng.index(3)];
            let length = secret.len() + 8;
            let mut said = match rng.index(9) {
                0 => format!("AT+CPIN=\"{secret}\"\r\n"),
                1 => format!("AT+CSTT=\"net\",\"{secret}\",\"{secret}\"\r\n"),
                2 => format!("\r\n+NO Service{secret}\r\n"),
                3 => format!("\r\n+RECEIVE,0,{length}:\r\n<<<{secret}>>>>>\r\n"),
                4 => format!("\r\nDATA ACCEPT:0,{secret}\r\n"),
                5 => format!("\r\n+CIPRXGET: 2,0,{secret},0\r\n"),
                6 => format!("\r\n{secret}\r\n"),
                7 => format!("\r\n+CIPRXGET: 2,0,{length},0\r\n<<<{secret}>>>>>\r\n\r\nOK\r\n"),
                _ => format!("\r\n0, CLOSED{secret}\r\n"),
            }
            .into_bytes();
            let at = rng.index(said.len());
            match rng.index(4) {
                0 => drop(said.remove(at)),
                1 => said.insert(at, 0),
                2 => said.make_ascii_uppercase(),
                _ => {}
            }
            match rng.index(6) {
                0 => {
                    line.sent(format!("AT+CIPSEND=0,{length}\r\n"));
                    line.said("\r\n> ");
                    line.sent(format!("<<<{secret}>>>>>"));
                }
                1 => line
                    .sent(format!("AT+CIPMODE={}\r\nAT+CIPSTART=\"TCP\",\"{secret}\",1\r\n", rng.index(2))),
                2 => line.said("\r\nCONNECT\r\n"),
                3 => line.sent("+++"),
                _ => line.said(said),
            }
        }
        for chunk in [1, 5, 4096] {
            show_none(&line.recorded(chunk), &secrets, &format!("seed {seed} {chunk}"));
        }
        let mut recorder = recorder();
        line.0
            .iter()
            .filter(|(is_sent, _)| *is_sent)
            .for_each(|(_, bytes)| recorder.to_modem(Timestamp::ZERO, bytes));
        recorder.note(Timestamp::ZERO, &format!("the module says {} and {}", secrets[2], secrets[0]));
        let text = recorder.into_inner();
        for secret in secrets.iter().filter(|secret| secret.len() >= 6) {
            assert_eq!(find(&text, secret), None, "seed {seed}: {secret}");
        }
    }
}

/// Lines whose text is fixed, for secrets whose pieces are in them.
#[test]
fn fixed_lines_with_pieces_of_secrets_are_recorded_as_they_came() {
    let secrets = ["user", "1460", "READY", "ciprxget1", "connection", "0123"];
    let mut line = Line::default();
    for secret in secrets {
        line.sent(format!("AT+FTPPW=\"{secret}\"\r\n"));
        line.said("\r\nOK\r\n");
    }
    let lines = "\r\n+NO Service\r\n\r\n+CPIN: READY\r\n\r\n+RECEIVE,0,3:\r\nabc\r\n\r\n+CIPRXGET: 2,0,3,1460\r\nabc\r\nOK\r\n\
                 \r\nDATA ACCEPT:0,1460\r\nAT+CIPSEND=0,1460\r\n\r\n> AT+CIPRXGET=2,0,1460\r\n\r\n0, CONNECT OK\r\n";
    line.said(lines);
    line.sent("AT+CIFSR\r\n");
    line.said("\r\n10.0.123.14\r\n");
    line.sent("AT\r\n");
    line.said("\r\n+X: 10.0.123.14\r\n\r\n1460\r\n");
    for chunk in [1, 4096] {
        let shown = capture::read_own(&line.recorded(chunk)).unwrap().received();
        let shown = String::from_utf8(shown).unwrap();
        let expected = format!("{lines}\r\n10.0.123.14\r\n\r\n+X: 10.0.12*.14\r\n\r\n14**\r\n");
        assert!(shown.ends_with(&expected), "{shown}");
    }
}

/// A session of the driver with a locked card, whose peer sends pieces of the PIN and of the password.
#[test]
fn a_session_with_secrets_is_played_back_to_its_driver_with_its_payload() {
    const MESSAGE: &[u8] = b"<A0000@00009264> 7351926 user3 user guest7 wor";
    let config = || Config::default().pin("73519264").apn("net").apn_credentials("user3x", "guest77");
    let path = std::env::temp_dir().join(format!("air724ug-masked-{}.capture", std::process::id()));
    let settings = Settings::default().sim(SimCard::Locked { pin: "73519264".into() });
    let mut network = MemoryNetwork::new();
    network.serve("echo.test", 7, Peer::echo());
    let (reader, writer, world) = serve::in_process(Simulator::new(settings, network)).unwrap();
    let modem = Modem::start(reader, writer, config().capture(&path)).unwrap();
    assert_eq!(session(&modem, MESSAGE), MESSAGE);
    modem.close();
    drop(world);
    let capture = capture::load_own(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(["73519264", "user3x", "guest77"].iter().all(|secret| !text.contains(secret)), "{text}");
    let (reader, writer, watch) = Player::new(&capture).port();
    let modem = Modem::start(reader, writer, config()).unwrap();
    assert_eq!(session(&modem, MESSAGE), MESSAGE);
    assert_eq!(watch.departures(), []);
    modem.close();
}
