//! Commands that the application writes.

use std::time::Duration;

use super::super::{ChannelId, Field, body, fields};
use super::reserved::{self, End, Hazard, Prompt, PromptForm, Unit};
use super::shape::{PayloadRules, Shape};
use super::{Command, MAX_COMMAND, Payload, syntax};

/// The reason why a text can't be sent as a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCommand {
    /// It does not begin with `AT`.
    #[error("does not begin with AT")]
    NotACommand,
    /// Longer than 1024 bytes.
    #[error("is longer than {MAX_COMMAND} bytes")]
    TooLong,
    /// A control byte or a character outside ASCII.
    #[error("has the character {0:?}, which a command can't carry")]
    Character(char),
    /// It enters data mode, changes the form of answers, or is reserved for the driver: the session could not continue.
    #[error("has {0}")]
    Reserved(&'static str),
    /// It waits for payload after a prompt.
    #[error("waits for payload: `command_with_payload` is for such commands")]
    WantsPayload,
    /// It takes no payload: it is a question, a chain, or a basic command.
    #[error("is no single command that could wait for payload")]
    NoPayload,
    /// Its length is not that of the payload, or is missing.
    #[error("does not say the payload's length of {0} bytes")]
    Length(usize),
    /// The payload has a byte that ends or cancels it: Ctrl-Z or ESC.
    #[error("has a payload with Ctrl-Z or ESC in it, which would end it")]
    EndsEarly,
    /// The payload is empty, or longer than 32 KiB.
    #[error("has a payload that is empty or too long")]
    PayloadLength,
}

impl Command {
    /// A command as text, without line end. Its answer is every line up to a final result code. Known URCs are not part
    /// of it, except those with the command's own key.
    ///
    /// # Errors
    /// [`InvalidCommand`] if the text could break the session: control bytes, data mode, another form of result codes.
    pub fn of_user(text: &str, timeout: Duration) -> Result<Self, InvalidCommand> {
        let upper = checked(text)?;
        match hazard_of(&upper) {
            None => Ok(Self::new(text.to_owned(), shape_of_user(&upper), timeout)),
            Some(Hazard::Prompts(_)) => Err(InvalidCommand::WantsPayload),
            Some(Hazard::Never(words)) => Err(InvalidCommand::Reserved(words)),
        }
    }

    /// True if it may end connections of sockets: it closes one or the bearer, or leaves the network.
    pub fn may_end_connections(&self) -> bool {
        // Firmware may not know quotes.
        let mut upper = in_upper_case(self.text());
        upper.retain(|c| c != '"');
        let line = upper.strip_prefix("AT").unwrap_or_default();
        syntax::parts(line).into_iter().any(reserved::may_end_connections)
    }

    /// A command that waits for payload after a prompt, and the bytes to be written then: the payload, and Ctrl-Z if
    /// the command needs it. A command that is not in the table of known ones gets the payload after `>` or
    /// `DOWNLOAD`.
    ///
    /// # Errors
    /// [`InvalidCommand`], as for [`of_user`](Self::of_user), and if command and payload do not fit each other.
    pub fn with_payload(
        text: &str,
        payload: &[u8],
        timeout: Duration,
    ) -> Result<(Self, Payload), InvalidCommand> {
        let upper = checked(text)?;
        let prompt = match hazard_of(&upper) {
            None => Prompt { form: PromptForm::Any, end: End::Whole, timeout: None },
            Some(Hazard::Prompts(prompt)) => prompt,
            Some(Hazard::Never(words)) => return Err(InvalidCommand::Reserved(words)),
        };
        let line = upper.strip_prefix("AT").unwrap_or_default();
        let (_, values) = syntax::only(line).ok_or(InvalidCommand::NoPayload)?;
        if !(1..=Self::MAX_PAYLOAD).contains(&payload.len()) {
            return Err(InvalidCommand::PayloadLength);
        }
        let values = fields(values.as_bytes());
        let number = |place: usize| values.get(place).and_then(Field::number);
        let mut written = payload.to_vec();
        match prompt.end {
            End::Length(place) if number(place).map(usize::try_from) != Some(Ok(payload.len())) => {
                return Err(InvalidCommand::Length(payload.len()));
            }
            End::Length(_) | End::Whole => {}
            End::ControlZ if payload.iter().any(|byte| matches!(*byte, CONTROL_Z | ESCAPE)) => {
                return Err(InvalidCommand::EndsEarly);
            }
            End::ControlZ => written.push(CONTROL_Z),
        }
        let waits_for = prompt.timeout.and_then(|(place, unit)| {
            let span = u64::from(number(place)?);
            Some(match unit {
                Unit::Seconds => Duration::from_secs(span),
                Unit::Milliseconds => Duration::from_millis(span),
            })
        });
        let given = PayloadRules {
            prompt: prompt.form,
            cancels: prompt.end == End::ControlZ,
            waits: waits_for.is_some(),
        };
        // The module must have ended its wait before other bytes are written.
        let timeout = waits_for.map_or(timeout, |span| timeout.max(span.saturating_add(MARGIN)));
        Ok((
            Self::new(text.to_owned(), Shape::WithPayload { key: key_of(&upper), given }, timeout),
            Payload::new(written),
        ))
    }

    /// The largest payload of a command of the application. It limits the bytes that wait for a port that accepts none.
    pub const MAX_PAYLOAD: usize = 32 * 1024;

    /// A command of another program, from a capture. It serves to judge answers and is never written. No command is
    /// refused.
    pub fn recorded(text: &str) -> Self {
        Self::new(text.to_owned(), shape_of(&in_upper_case(text)), Duration::MAX)
    }
}

const CONTROL_Z: u8 = 0x1a;
const ESCAPE: u8 = 0x1b;
/// The time that the module may need beyond its own time-out to report it. As for `AT+FSWRITE`.
const MARGIN: Duration = Duration::from_secs(5);

/// The text in upper case and without blanks, if it can be sent.
fn checked(text: &str) -> Result<String, InvalidCommand> {
    if text.len() > MAX_COMMAND {
        return Err(InvalidCommand::TooLong);
    }
    if let Some(character) = text.chars().find(|c| c.is_control() || !c.is_ascii()) {
        return Err(InvalidCommand::Character(character));
    }
    let upper = in_upper_case(text);
    if upper.starts_with("AT") { Ok(upper) } else { Err(InvalidCommand::NotACommand) }
}

fn in_upper_case(text: &str) -> String {
    let mut upper = text.to_ascii_uppercase();
    upper.retain(|c| c != ' ');
    upper
}

/// The most severe effect of a command line on the session.
fn hazard_of(upper: &str) -> Option<Hazard> {
    let line = upper.strip_prefix("AT").unwrap_or(upper);
    let found: Vec<Hazard> = syntax::parts(line).into_iter().filter_map(reserved::hazard).collect();
    let is_never = |hazard: &&Hazard| matches!(hazard, Hazard::Never(_));
    let hidden = reserved::hides_one(line).then_some(Hazard::Never("a reserved command between quotes"));
    found.iter().find(is_never).or(found.first()).copied().or(hidden)
}

/// The end of a text can be found by a question to a module, but not in a capture.
fn shape_of_user(upper: &str) -> Shape {
    match body::of_command(upper) {
        Some((key, from)) => Shape::Text { key: key_of(key), from },
        None => shape_of(upper),
    }
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
pub(super) fn key_of(upper: &str) -> [u8; 16] {
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
            "AT+CGDATA=\"PPP\",1",
            "AT*CGDATA=\"PPP\",1",
            "ATIE1",
            "ATX0Q1",
            "ATS0=1V0",
            "ATI;S3=10",
            "ATE1?",
            "AT&F",
            "ATZ",
            "ATZ0?",
            "ATA",
            "AT&F0",
            "ATE0+CSQ",
            "AT+CIPSPRT=0",
            "AT+CIPMODE=1?",
            "AT+CIPMODE=01",
            "AT+CIPMODE=\"1\"",
            "AT+CIPHEAD=0?",
            "AT+IFC=1,1",
            "AT+CSQ;;E1",
            "AT+X=\"a;E1",
            "AT+MPUB=\"t\",0,0,\"a;+CIPSTART=1\"",
            "AT?",
            "AT+CGANS=1,\"PPP\",1",
            "AT+CIPQSEND=0",
            "AT+CMEE=0",
        ] {
            assert!(matches!(user(text), Err(InvalidCommand::Reserved(_))), "{text}");
        }
        assert_eq!(user("AT\rATE1").unwrap_err(), InvalidCommand::Character('\r'));
        assert_eq!(user("+++").unwrap_err(), InvalidCommand::NotACommand);
        assert_eq!(user(&"AT".repeat(513)).unwrap_err(), InvalidCommand::TooLong);
    }

    #[test]
    fn what_waits_for_payload_is_refused_without_one_and_taken_with_it() {
        for (text, payload) in [
            ("AT+HTTPDATA=5,1000", &b"hello"[..]),
            ("AT+FTPPUT=2,10", b"0123456789"),
            ("AT+FTPEXTPUT=2,0,5,1000", b"hello"),
            ("AT+HTTPEXPOST=5", b"hello"),
            ("AT+MPUBEX=\"t\",0,0,5", b"hello"),
            ("AT+FSWRITE=\"a;b\",0,5,9", b"hello"),
            ("AT+CMGS=\"10086\"", b"hello"),
            ("at+cmgw", b"hello"),
            ("AT+SMTPBODY=5", b"hello"),
            ("AT+CPOS", b"<location/>"),
        ] {
            assert_eq!(user(text).unwrap_err(), InvalidCommand::WantsPayload, "{text}");
            let (command, written) = Command::with_payload(text, payload, Duration::from_secs(1)).unwrap();
            let written = written.as_bytes();
            assert_eq!((command.text(), &written[..payload.len()]), (text, payload), "{text}");
            let ends =
                if ["MG", "mg", "CPOS"].iter().any(|name| text.contains(name)) { &b"\x1a"[..] } else { b"" };
            assert_eq!(&written[payload.len()..], ends, "{text}");
        }
        // An unknown command can be sent with payload.
        assert!(
            user("AT+XPUT=5").is_ok() && Command::with_payload("AT+XPUT=5", b"hello", Duration::ZERO).is_ok()
        );
    }

    #[test]
    fn a_payload_that_does_not_fit_its_command_is_refused() {
        let given = |text, payload: &[u8]| Command::with_payload(text, payload, Duration::ZERO).map(drop);
        assert_eq!(given("AT+HTTPDATA=6,1000", b"hello"), Err(InvalidCommand::Length(5)));
        assert_eq!(given("AT+MPUBEX=\"t\",0,0", b"hello"), Err(InvalidCommand::Length(5)));
        assert_eq!(given("AT+HTTPDATA=18446744073709551621,1", b"hello"), Err(InvalidCommand::Length(5)));
        assert_eq!(given("AT+CMGS=\"1\"", b"a\x1aAT"), Err(InvalidCommand::EndsEarly));
        assert_eq!(given("AT+CMGS=\"1\"", b"a\x1bAT"), Err(InvalidCommand::EndsEarly));
        assert_eq!(given("AT+CMGS=\"1\"", b""), Err(InvalidCommand::PayloadLength));
        assert_eq!(given("AT+XPUT", &[0; Command::MAX_PAYLOAD + 1]), Err(InvalidCommand::PayloadLength));
        for text in ["AT+CMGS=?", "AT+CMGS=1;+CSQ", "AT+CSQ;+CMGS=1", "ATI", "AT"] {
            assert_eq!(given(text, b"hello"), Err(InvalidCommand::NoPayload), "{text}");
        }
        assert!(matches!(given("AT+CIPSEND=0,5", b"hello"), Err(InvalidCommand::Reserved(_))));
        assert!(matches!(given("AT+CMGS=1;E1", b"hello"), Err(InvalidCommand::Reserved(_))));
    }

    #[test]
    fn the_module_has_given_up_before_anything_else_is_written() {
        let timeout = |text, payload: &[u8]| {
            let (command, _) = Command::with_payload(text, payload, Duration::from_secs(1)).unwrap();
            (command.gives_up(), command.timeout())
        };
        assert_eq!(timeout("AT+HTTPDATA=5,60000", b"hello"), (true, Duration::from_secs(65)));
        assert_eq!(timeout("AT+FSWRITE=\"a\",0,5,9", b"hello"), (true, Duration::from_secs(14)));
        assert_eq!(timeout("AT+CMGS=\"1\"", b"hello"), (false, Duration::from_secs(1)));
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
    fn a_command_that_may_end_connections_is_found_in_every_spelling() {
        let ends = |text: &str| user(text).unwrap().may_end_connections();
        for text in [
            "AT+CIPSHUT",
            "at+cipshut",
            "AT+CIPCLOSE=0",
            "AT+CIPCLOSE",
            "AT+CGACT=0,1",
            "AT+CGACT = 0",
            "AT+CGATT=0",
            "AT+CGATT= 0",
            "AT+CGATT=00",
            "AT+CFUN=0",
            "AT+CFUN=4",
            "AT+CFUN=\"4\"",
            "AT+CFUN=3",
            "AT + CFUN = 4 , 1",
            "AT+COPS=2",
            "AT+COPS =2",
            "AT+CSQ;+COPS=0",
            "AT+CSQ;*CGATT=0",
        ] {
            assert!(ends(text), "{text}");
        }
        for text in [
            "AT+CIPCLOSE=?",
            "AT+CIPSHUT=?",
            "AT+COPS=?",
            "AT+COPS = ?",
            "AT+COPS?",
            "AT+CGATT?",
            "AT+CGATT=1",
            "AT+CGACT=1,1",
            "AT+CFUN=1",
            "AT+CFUN=?",
            "AT+CSQ",
            "AT+CFUN",
        ] {
            assert!(!ends(text), "{text}");
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
