//! Commands that the application writes itself.

use std::time::Duration;

use super::super::ChannelId;
use super::shape::Shape;
use super::{Command, MAX_COMMAND};

/// Why a text can't be sent as a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCommand {
    /// It does not begin with `AT`.
    #[error("does not begin with AT")]
    NotACommand,
    /// Longer than [`MAX_COMMAND`].
    #[error("is longer than {MAX_COMMAND} bytes")]
    TooLong,
    /// A control byte or a character outside ASCII.
    #[error("has the character {0:?}, which a command can't carry")]
    Character(char),
    /// It asks for payload, enters data mode, or changes how answers look: the session would lose its footing.
    #[error("has {0}, which would confuse the session")]
    Reserved(&'static str),
}

/// Parts of commands that a session can't survive, upper case.
const RESERVED: [&str; 20] = [
    "+CIPSEND",
    "+FSWRITE",
    "+CMGS",
    "+CMGW",
    "+CIPMODE=1",
    "+CIPRXGET",
    "+CIPMUX=",
    "+CIPSTART",
    "+CIPSSL=",
    "+CIPHEAD=0",
    "ATE",
    "ATV",
    "ATQ",
    "ATO",
    "ATD",
    "ATZ",
    "AT&F",
    "+IPR=",
    "+CMUX",
    "*DOWNLOAD",
];

impl Command {
    /// A command as text, without line end. Its answer is every line up to a final; known URCs are kept out of it,
    /// except those with the command's own key.
    ///
    /// # Errors
    /// [`InvalidCommand`] if the text could break the session: control bytes, data mode, other result codes.
    pub fn of_user(text: &str, timeout: Duration) -> Result<Self, InvalidCommand> {
        if text.len() > MAX_COMMAND {
            return Err(InvalidCommand::TooLong);
        }
        if let Some(character) = text.chars().find(|c| c.is_control() || !c.is_ascii()) {
            return Err(InvalidCommand::Character(character));
        }
        let upper: String = text.to_ascii_uppercase().chars().filter(|c| *c != ' ').collect();
        if !upper.starts_with("AT") {
            return Err(InvalidCommand::NotACommand);
        }
        if let Some(reserved) = reserved_in(&upper) {
            return Err(InvalidCommand::Reserved(reserved));
        }
        Ok(Self::new(text.to_owned(), shape_of(&upper), timeout))
    }

    /// A command that somebody else sent, as a capture shows it: for judging what answers it, never to be written.
    /// Nothing is refused.
    pub fn recorded(text: &str) -> Self {
        let upper: String = text.to_ascii_uppercase().chars().filter(|c| *c != ' ').collect();
        Self::new(text.to_owned(), shape_of(&upper), Duration::MAX)
    }
}

/// The reserved part of a command line, at its start or behind a semicolon. A question (`=?`, `?`) is always free.
fn reserved_in(upper: &str) -> Option<&'static str> {
    upper.split(';').find_map(|part| {
        let name = part.strip_prefix("AT").unwrap_or(part);
        if name.ends_with('?') {
            return None;
        }
        RESERVED
            .into_iter()
            .find(|reserved| name.starts_with(reserved.strip_prefix("AT").unwrap_or(reserved)))
    })
}

fn shape_of(upper: &str) -> Shape {
    let channel = upper.strip_prefix("AT+CIPCLOSE=").and_then(|list| list.split(',').next()?.parse().ok());
    match (upper, channel.and_then(ChannelId::new)) {
        ("AT+CIFSR", _) => Shape::Address,
        ("AT+CIPSTATUS", _) => Shape::Status,
        ("AT+CIPSHUT", _) => Shape::Shut,
        (_, Some(channel)) => Shape::Close(channel),
        _ => Shape::Any { key: key_of(upper) },
    }
}

/// `AT+CREG?` -> `+CREG`, padded with zeros.
fn key_of(upper: &str) -> [u8; 16] {
    let name = upper.strip_prefix("AT").unwrap_or(upper);
    let end = name.find(['=', '?', ';']).unwrap_or(name.len());
    let mut key = [0; 16];
    let len = end.min(key.len());
    key[..len].copy_from_slice(&name.as_bytes()[..len]);
    key
}

#[cfg(test)]
mod tests {
    use super::super::super::Line;
    use super::super::{Refusal, Verdict};
    use super::*;

    fn user(text: &str) -> Result<Command, InvalidCommand> {
        Command::of_user(text, Duration::from_secs(1))
    }

    #[test]
    fn what_would_break_the_session_is_refused() {
        for text in [
            "AT+CIPSEND=0,5",
            "at+cipsend",
            "ATE1",
            "ATD112;",
            "AT+CSQ;E1",
            "AT+CSQ;+CIPSEND=1",
            "AT+CIPMODE=1",
            "AT V0",
            "AT*DOWNLOAD=1",
        ] {
            assert!(matches!(user(text), Err(InvalidCommand::Reserved(_))), "{text}");
        }
        assert_eq!(user("AT\rATE1").unwrap_err(), InvalidCommand::Character('\r'));
        assert_eq!(user("+++").unwrap_err(), InvalidCommand::NotACommand);
        assert_eq!(user(&"AT".repeat(513)).unwrap_err(), InvalidCommand::TooLong);
    }

    #[test]
    fn a_recorded_command_is_judged_even_if_it_could_not_be_sent() {
        let command = Command::recorded("AT+CIPSTART=\"TCP\",\"1.2.3.4\",80");
        assert_eq!(command.judge(&Line::parse(b"OK"), false), Verdict::Done(Ok(())));
        assert_eq!(command.judge(&Line::parse(b"0, CLOSED"), false), Verdict::NotMine);
        let long = Command::recorded(&"AT+\u{201d}\0".repeat(1000));
        assert_eq!(long.judge(&Line::parse(b"ERROR"), false), Verdict::Done(Err(Refusal::Error)));
    }

    #[test]
    fn questions_are_free() {
        for text in ["AT+CIPSEND?", "AT+CIPSEND=?", "AT+IPR?", "AT", "ATI", "AT+CREG=1;+CGREG=1"] {
            assert!(user(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_row_of_one_channel_comes_with_its_key_or_bare() {
        let command = user("AT+CIPSTATUS=0").unwrap();
        for row in [
            &b"+CIPSTATUS: 0,0,\"TCP\",\"1.2.3.4\",\"80\",\"CONNECTED\""[..],
            &b"0,0,\"TCP\",\"1.2.3.4\",\"80\",\"CONNECTED\""[..],
        ] {
            assert_eq!(command.judge(&Line::parse(row), false), Verdict::Part);
        }
    }

    #[test]
    fn an_answer_keeps_lines_of_its_own_key_and_leaves_urcs_out() {
        let command = user("AT+CREG?").unwrap();
        assert_eq!(command.judge(&Line::parse(b"+CREG: 0,1"), false), Verdict::Part);
        assert_eq!(command.judge(&Line::parse(b"+CREG: 1"), false), Verdict::NotMine);
        assert_eq!(command.judge(&Line::parse(b"+NITZ: 24/07/23,08:35:01+32,0"), false), Verdict::NotMine);
        assert_eq!(command.judge(&Line::parse(b"0, CLOSED"), false), Verdict::NotMine);
        assert_eq!(command.judge(&Line::parse(b"OK"), true), Verdict::Done(Ok(())));
        let sim = user("AT+CPIN?").unwrap();
        assert_eq!(sim.judge(&Line::parse(b"+CPIN: READY"), false), Verdict::Part);
    }
}
