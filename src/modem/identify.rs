//! The commands by which a search identifies a module on a port.

use std::io;
use std::time::Duration;

use crate::port::{Ask, Identify, ModuleMode};
use crate::proto::{Command, attempts_after_attention, attempts_to_escape};

/// The identification of a module.
pub(super) const IDENTIFY: Identify = Identify { imei, imei_of_silent };

/// The number and time-out of `AT` on a candidate. The first one may train its line rate or wake it up.
const ATTEMPTS: (u32, Duration) = (2, Duration::from_millis(300));
/// The time-out of the second command.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The number of digits of an IMEI.
const IMEI_DIGITS: usize = 15;

/// Asks a port for the IMEI of its module, which is in this mode. The result is empty if the module does not report
/// one.
fn imei(ask: &mut Ask<'_>, mode: &ModuleMode) -> io::Result<String> {
    let fill = fill(mode);
    // The module would pass on the question to the peer.
    if *mode == ModuleMode::Data {
        attempts_to_escape().for_each(|(bytes, timeout)| {
            let _ = ask(&bytes, timeout, is_answered);
        });
    }
    let timeout = if fill.is_empty() { ATTEMPTS.1 } else { ATTEMPTS.1 * 2 };
    let mut answer = Err(io::ErrorKind::TimedOut.into());
    for _ in 0..ATTEMPTS.0 {
        answer = ask(&[fill, &Command::attention().wire()].concat(), timeout, is_answered);
        if answer.is_ok() {
            break;
        }
    }
    answer?;
    serial_number(ask)
}

/// The same for a port that did not answer. Its module may be in the state in which a program has left it that ended
/// during a send or in data mode.
fn imei_of_silent(ask: &mut Ask<'_>, mode: &ModuleMode) -> io::Result<String> {
    let fill = fill(mode);
    let mode = if fill.is_empty() { &ModuleMode::Command } else { mode };
    for (bytes, timeout) in attempts_after_attention(!fill.is_empty()) {
        let is_answered = ask(&[fill, &bytes].concat(), timeout, is_answered).is_ok();
        // It may be a late answer to an earlier question, and the module may still be busy.
        if is_answered && let Ok(imei) = imei(ask, mode) {
            return Ok(imei);
        }
    }
    imei(ask, mode)
}

/// The bytes in front of every question: a module in a send takes what comes for the payload, and it may have been deaf
/// when they came before.
fn fill(mode: &ModuleMode) -> &[u8] {
    match mode {
        ModuleMode::Send(fill) => fill,
        ModuleMode::Command | ModuleMode::Data => &[],
    }
}

fn serial_number(ask: &mut Ask<'_>) -> io::Result<String> {
    let said = ask(&Command::serial_number().wire(), TIMEOUT, is_identified).unwrap_or_default();
    Ok(number(&said).map(|(imei, _)| String::from_utf8_lossy(imei).into_owned()).unwrap_or_default())
}

/// The IMEI, and the bytes after it.
fn number(said: &[u8]) -> Option<(&[u8], &[u8])> {
    let imei = said.split(|byte| !byte.is_ascii_digit()).find(|number| number.len() == IMEI_DIGITS)?;
    let begin = said.windows(IMEI_DIGITS).position(|window| window == imei)?;
    Some((imei, &said[begin + IMEI_DIGITS..]))
}

/// True if the IMEI has come, or was refused. An `OK` alone is a late answer to an earlier question.
fn is_identified(said: &[u8]) -> bool {
    let after = number(said).map(|(_, after)| after);
    is_answered(after.unwrap_or(said)) && (after.is_some() || said.windows(5).any(|word| word == b"ERROR"))
}

/// True if the bytes contain a final result code.
fn is_answered(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    said.lines().any(|line| line == "OK" || line.contains("ERROR")) && said.ends_with('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked and found, if the module answers like this.
    fn asked(answers: &[&str]) -> (usize, io::Result<String>) {
        let mut count = 0;
        let found = imei(
            &mut |_: &[u8], _, is_answered| {
                count += 1;
                // It comes byte by byte.
                let said = answers.get(count - 1).map(|answer| answer.as_bytes()).unwrap_or_default();
                let answer = (0..=said.len()).map(|end| &said[..end]).find(|said| is_answered(said));
                answer.map(<[u8]>::to_vec).ok_or(io::ErrorKind::TimedOut.into())
            },
            &ModuleMode::Command,
        );
        (count, found)
    }

    #[test]
    fn a_silent_port_is_asked_with_every_attempt_until_it_answers() {
        for answered in [b"ATQ0\r\n".to_vec(), b"+++".to_vec(), vec![b'\r'; 1_460], vec![0x1b]] {
            let (mut asked, mut is_answering) = (Vec::new(), false);
            let ask: &mut Ask<'_> = &mut |question: &[u8], _, _| {
                asked.push(question.to_vec());
                // A send that is complete, or cancelled, is not answered with a final result code.
                is_answering |= question == answered;
                match is_answering && question.starts_with(b"AT") {
                    true => Ok(b"\r\n860000000000001\r\n\r\nOK\r\n".to_vec()),
                    false => Err(io::ErrorKind::TimedOut.into()),
                }
            };
            let found = imei_of_silent(ask, &ModuleMode::Command);
            assert_eq!(found.unwrap(), "860000000000001");
            assert!(asked.contains(&answered));
        }
    }

    /// Regression: `AT` went into the send, so the module did not answer, and the peer got it.
    #[test]
    fn a_module_that_was_left_in_a_send_or_in_data_mode_is_asked_after_the_end_of_it() {
        let asked = |mode: &ModuleMode| {
            let mut asked = Vec::new();
            let found = imei(
                &mut |question, _, _| {
                    asked.push(question.to_vec());
                    Ok(b"\r\n860000000000001\r\n\r\nOK\r\n".to_vec())
                },
                mode,
            );
            assert_eq!(found.unwrap(), "860000000000001");
            asked
        };
        assert_eq!(asked(&ModuleMode::Command), [&b"AT\r\n"[..], b"AT+CGSN\r\n"]);
        let send = ModuleMode::Send(b"abc\r\n".to_vec());
        assert_eq!(asked(&send), [&b"abc\r\nAT\r\n"[..], b"AT+CGSN\r\n"]);
        assert_eq!(asked(&ModuleMode::Data), [&b""[..], b"+++", b"AT\r\n", b"AT+CGSN\r\n"]);
    }

    /// Regression: the peer of a send got CR, `ATQ0` and `+++` that no application had sent if the module was deaf for
    /// the first questions.
    #[test]
    fn whenever_a_module_in_a_send_begins_to_listen_its_peer_gets_the_payload() {
        let mode = ModuleMode::Send(b"abc\r\n".to_vec());
        let mut asked: Vec<Vec<u8>> = Vec::new();
        let ask: &mut Ask<'_> = &mut |question: &[u8], _, _| {
            asked.push(question.to_vec());
            Err(io::ErrorKind::TimedOut.into())
        };
        assert!(imei(ask, &mode).is_err() && imei_of_silent(ask, &mode).is_err());
        assert!(asked.len() > 5);
        for question in asked {
            assert!(question.starts_with(b"abc\r\n"), "{}", question.escape_ascii());
        }
    }

    /// The virtual time at which a silent module is found that answers from this moment on.
    fn found_at(begins: Duration, identify: fn(&mut Ask<'_>, &ModuleMode) -> io::Result<String>) -> Duration {
        let (mut now, mut wrote_at) = (Duration::ZERO, Duration::ZERO);
        let ask: &mut Ask<'_> = &mut |question: &[u8], timeout, _| {
            if question == b"+++" {
                assert!(now >= wrote_at + Duration::from_secs(1), "no silence before the escape");
            }
            if !question.is_empty() {
                wrote_at = now;
            }
            let is_answered = now >= begins && question.starts_with(b"AT");
            now += if is_answered { Duration::from_millis(10) } else { timeout };
            let answer =
                if question.ends_with(b"CGSN\r\n") { "860000000000001\r\n\r\nOK\r\n" } else { "OK\r\n" };
            is_answered.then(|| answer.as_bytes().to_vec()).ok_or(io::ErrorKind::TimedOut.into())
        };
        // The search repeats its questions.
        while identify(ask, &ModuleMode::Command).is_err() {}
        now
    }

    /// Regression: a module that began to answer in the silence around the escape was asked 2.7 s later.
    #[test]
    fn a_module_that_begins_to_answer_at_any_moment_of_a_question_is_found_within_two_seconds() {
        for identify in [imei, imei_of_silent] {
            for millis in (0..10_000).step_by(10) {
                let begins = Duration::from_millis(millis);
                let took = found_at(begins, identify) - begins;
                assert!(took < Duration::from_millis(1_750), "{took:?}, if it answers after {begins:?}");
            }
        }
    }

    /// Regression: a late answer to an earlier question ended the attempts.
    #[test]
    fn a_silent_module_that_is_busy_after_a_late_answer_is_asked_on() {
        let (mut count, mut is_answering) = (0, false);
        let ask: &mut Ask<'_> = &mut |question: &[u8], _, _| {
            count += 1;
            is_answering |= question == [0x1b];
            match (count, is_answering && question.starts_with(b"AT")) {
                (1, _) => Ok(b"\r\nOK\r\n".to_vec()),
                (_, true) => Ok(b"\r\n860000000000001\r\n\r\nOK\r\n".to_vec()),
                _ => Err(io::ErrorKind::TimedOut.into()),
            }
        };
        assert_eq!(imei_of_silent(ask, &ModuleMode::Command).unwrap(), "860000000000001");
    }

    #[test]
    fn a_module_says_which_it_is_and_another_port_only_that_it_is_silent() {
        let imei = "\r\n860000000000001\r\n\r\nOK\r\n";
        for (answers, count, found) in [
            (&["AT\r\r\nOK\r\n", imei][..], 2, Some("860000000000001")),
            (&["", "\r\nOK\r\n", "\r\n+CGSN: \"860000000000001\"\r\n\r\nOK\r\n"], 3, Some("860000000000001")),
            // The second answer to the first question comes after it.
            (&["\r\nOK\r\n", "\r\nOK\r\n\r\n860000000000001\r\n\r\nOK\r\n"], 2, Some("860000000000001")),
            (&["\r\nOK\r\n", "\r\nERROR\r\n"], 2, Some("")),
            (&["\r\nOK\r\n", "\r\n12\r\n\r\nOK\r\n"], 2, Some("")),
            (&["AT\r\r\n"], 2, None),
        ] {
            let (asked, said) = asked(answers);
            assert_eq!((asked, said.ok().as_deref()), (count, found), "{answers:?}");
        }
    }
}
