//! No error, event, report, debug form or capture shows the secret of a command, whatever becomes of the command and of
//! its echo.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::at::Command;
use air724ug::capture::Mask;
use air724ug::proto::{Request, Response};

const SECRET: &str = "Zq7vK2xwR9";

/// Commands with the secret in their values, in the place of `@@`.
const COMMANDS: [&str; 25] = [
    "AT+FTPPW=@@",
    "AT+FTPPW=\"@@\"",
    "AT+FTPPW \"@@\"",
    "AT+FTPPW @@",
    "AT+FTPPW\"@@\"",
    "AT+FTPPW:\"@@\"",
    "AT+WIFI_PASS=\"net\",\"@@\"",
    "AT+EMAILPWD=\"@@\"",
    "AT*CGDFAUTH=1,1,\"user\",\"@@\"",
    "AT*XPWD=\"@@\"",
    "AT^WIFIPIN=\"@@\"",
    "AT^SIMPUK=\"@@\",\"@@\"",
    "AT^KEYSET=1,@@",
    "AT$PASSKEY=@@",
    "AT+CPIN?;+CPWD=\"SC\",\"@@\",\"@@\"",
    "AT+CPWD=\"SC\",\"@@\",\"@@\"",
    "AT+CSTT=\"net\",\"user\",\"@@\"",
    "AT+HTTPPARA=\"URL\",\"http://user:@@@a.test/path\"",
    "AT+HTTPPARA=\"URL\",\"https://a.test/?token=@@&n=1\"",
    "AT+HTTPPARA=\"URL\",\"https://a.test/?next=http://user:@@@b.test/\"",
    "AT+MQTT=\"tcp://user:@@@a.test:1883\"",
    "AT+X=user:@@@a.test",
    "AT+HTTPHEAD=0,\"Authorization: Bearer @@\"",
    "AT+CSSLCFG=\"password\",0,\"@@\"",
    "AT+X=1;+AUTHKEY=\"@@\"",
];

/// What becomes of a command: the module's answer in place of its own.
fn answers(command: &str) -> Vec<String> {
    let mut answers: Vec<String> = [
        "\r\nERROR\r\n",
        "\r\n+CME ERROR: 3\r\n",
        "\r\nOK\r\n",
        "",
        "\r\nRDY\r\n",
        "\r\n> ",
        "\r\nOK\r\n\r\nERROR\r\n",
    ]
    .map(str::to_owned)
    .into();
    answers.push(format!("{command}\r\r\nOK\r\n"));
    answers.push(format!("{command}\r\r\nERROR\r\n"));
    answers.push(format!("\r\n{command}\r\n\r\nOK\r\n"));
    answers.push(format!("\r\n+X: 1{command}\r\n\r\nOK\r\n"));
    answers.push(format!("\r\n{}\r\n\r\nOK\r\n", command.repeat(100)));
    answers.push(format!("\r\nOK\r\n\r\n{}\r\n", command.to_lowercase()));
    answers
}

/// True if five successive characters of the secret are in the text, in any case.
fn shows(text: &str) -> bool {
    let (text, secret) = (text.to_ascii_lowercase(), SECRET.to_ascii_lowercase());
    secret.as_bytes().windows(5).any(|piece| text.contains(std::str::from_utf8(piece).unwrap()))
}

#[test]
fn no_error_event_or_report_of_a_command_shows_its_secret() {
    for command in COMMANDS.map(|command| command.replace("@@", SECRET)) {
        for answer in answers(&command) {
            let mut pair = Pair::online();
            pair.engine.report_commands(true);
            let parsed = match Command::of_user(&command, Duration::from_secs(2)) {
                Ok(parsed) => parsed,
                Err(refused) => {
                    assert!(!shows(&format!("{refused} {refused:?}")), "{refused}");
                    break;
                }
            };
            let mut shown = format!("{parsed:?}");
            pair.instead("AT", &answer);
            let request = Request::Run(parsed);
            shown += &format!("{request:?}");
            match pair.call(request) {
                Err(error) => shown += &format!("{error} {error:?} {error:#?}"),
                // The answer itself is the application's.
                Ok(Response::Reply(_)) => {}
                Ok(other) => shown += &format!("{other:?}"),
            }
            pair.run_for(Duration::from_secs(5));
            while let Some(report) = pair.engine.take_report() {
                shown += &report;
            }
            shown += &format!("{:?} {:?} {:?}", pair.events, pair.engine, pair.engine.statistics());
            assert!(!shows(&shown), "{command} was answered {answer:?}: {shown}");
        }
    }
}

/// One damage of a line: what it is called is not needed, because the line itself is shown.
fn damaged(line: &str, at: usize, kind: usize) -> Option<Vec<u8>> {
    let mut bytes = line.as_bytes().to_vec();
    match kind {
        0 => bytes.insert(at, 0),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, bytes[at]),
        3..=10 => bytes[at] ^= 1 << (kind - 3),
        11 if at + 1 < bytes.len() => bytes.swap(at, at + 1),
        _ => return None,
    }
    Some(bytes)
}

/// The part of the bytes of the module that a capture shows. NULs are left out, as an eye leaves them out.
fn captured(written: Option<&str>, came: &[u8], chunk: usize) -> String {
    let mut mask = Mask::default();
    let mut shown = Vec::new();
    if let Some(written) = written {
        shown = format!("{written}\r\n").into_bytes();
        shown.chunks_mut(chunk).for_each(|bytes| mask.to_modem(bytes));
    }
    let mut came = [b"\r\n+CREG: 1\r\n", came, b"\r\n"].concat();
    came.chunks_mut(chunk).for_each(|bytes| mask.from_modem(bytes));
    shown.extend(came);
    shown.into_iter().filter(|byte| *byte != 0).map(char::from).collect()
}

#[test]
fn no_damaged_echo_shows_its_secret_in_a_capture() {
    for command in COMMANDS.map(|command| command.replace("@@", SECRET)) {
        for at in 0..command.len() {
            for bytes in (0..=11).filter_map(|kind| damaged(&command, at, kind)) {
                for chunk in [1, 7, 1000] {
                    let shown = captured(Some(&command), &bytes, chunk);
                    assert!(!shows(&shown), "{}: {shown}", bytes.escape_ascii());
                }
            }
        }
    }
}

/// A capture may begin after the command. Then only the line itself shows that there is a secret in it.
#[test]
fn a_nul_in_an_echo_shows_no_secret_in_a_capture_without_the_command() {
    for command in COMMANDS.map(|command| command.replace("@@", SECRET)) {
        for at in 0..command.len() {
            let bytes = damaged(&command, at, 0).unwrap();
            for chunk in [1, 7, 1000] {
                let shown = captured(None, &bytes, chunk);
                assert!(!shows(&shown), "{}: {shown}", bytes.escape_ascii());
            }
        }
    }
}
