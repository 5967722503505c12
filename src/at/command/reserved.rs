//! The table of commands that an application can't send freely, with their effects on the session.

use super::super::{Field, fields};
use super::syntax::{Form, Part};

/// An effect of a command that breaks the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hazard {
    /// The command waits for payload after a prompt.
    Prompts(Prompt),
    /// The command leaves command mode, or changes a setting that the session relies on. The text describes it.
    Never(&'static str),
}

/// The way in which a command asks for its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Prompt {
    pub(super) form: PromptForm,
    pub(super) end: End,
    /// The index of the value with the time that the module waits, and its unit.
    pub(super) timeout: Option<(usize, Unit)>,
}

/// The form of the prompt with which the module asks for the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PromptForm {
    /// `>`, with or without a blank.
    Angle,
    /// A line: `DOWNLOAD`.
    Line(&'static str),
    /// An information line with the command's own name: `+FTPPUT: 2,10`.
    Echo,
    /// Unknown: `>`, or the line `DOWNLOAD`.
    Any,
}

/// The end of the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// After the number of bytes in this value of the command.
    Length(usize),
    /// At Ctrl-Z; ESC cancels.
    ControlZ,
    /// Unknown: after the given bytes.
    Whole,
}

/// The unit of a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// The condition under which a row of the table applies. Test and read forms are always allowed.
#[derive(Clone, Copy)]
enum Condition {
    /// The set and execute forms.
    Always,
    /// The set form with any value but this.
    ButTo(&'static str),
    /// The set form with this first value.
    First(u32),
}

const ANGLE: PromptForm = PromptForm::Angle;
const DATA_MODE: &str = "a command that leaves command mode, which the driver needs";
const SOCKETS: &str = "a command of sockets, which only the driver gives";
const ANSWERS: &str = "a command that changes the form of answers, which the driver has set";
const PORT: &str = "a command that changes the rate or the form of the line, which the driver has set";

const fn prompts(form: PromptForm, end: End) -> Hazard {
    Hazard::Prompts(Prompt { form, end, timeout: None })
}

const fn waits(form: PromptForm, end: End, value: usize, unit: Unit) -> Hazard {
    Hazard::Prompts(Prompt { form, end, timeout: Some((value, unit)) })
}

/// Names without their prefix: vendors use `+`, `*` and `^` for the same command.
///
/// | name | source |
/// |---|---|
/// | `CMGS`, `CMGW`, `CMGC`, `CNMA` | 3GPP TS 27.005 sections 3.5.1, 3.5.3, 3.5.5 and 3.4.4: `>`, to Ctrl-Z |
/// | `FSWRITE` | manual, FSWRITE; capture a21 |
/// | `HTTPDATA` | manual, HTTPDATA: size and milliseconds, `DOWNLOAD` |
/// | `HTTPEXPOST` | manual, HTTPEXPOST: length and milliseconds, `>` |
/// | `MPUBEX` | manual, MPUBEX: topic, two numbers, length, `>` |
/// | `FTPPUT`, `FTPEXTPUT` | SIM800 manual: `+FTPPUT: 2,<length>`; position, length and milliseconds |
/// | `SMTPBODY`, `SMTPFT`, `MMSDOWN` | SIM800 manuals of mail and MMS: `DOWNLOAD`, `+SMTPFT: 2,<length>`, `CONNECT` |
/// | `CGDATA`, `CGANS`, `CMUX` | 3GPP TS 27.007 sections 10.1.12, 10.1.16 and 5.7 |
/// | `CPOS` | 3GPP TS 27.007 section 8.55: text, to Ctrl-Z |
/// | all others | the manual's pages of the same name; what the driver sets at bring-up |
const TABLE: &[(&str, Condition, Hazard)] = &[
    ("CMGS", Condition::Always, prompts(ANGLE, End::ControlZ)),
    ("CMGW", Condition::Always, prompts(ANGLE, End::ControlZ)),
    ("CMGC", Condition::Always, prompts(ANGLE, End::ControlZ)),
    ("CNMA", Condition::Always, prompts(ANGLE, End::ControlZ)),
    ("CPOS", Condition::Always, prompts(PromptForm::Any, End::ControlZ)),
    ("FSWRITE", Condition::Always, waits(ANGLE, End::Length(2), 3, Unit::Seconds)),
    (
        "HTTPDATA",
        Condition::Always,
        waits(PromptForm::Line("DOWNLOAD"), End::Length(0), 1, Unit::Milliseconds),
    ),
    ("HTTPEXPOST", Condition::Always, waits(ANGLE, End::Length(0), 1, Unit::Milliseconds)),
    ("MPUBEX", Condition::Always, prompts(ANGLE, End::Length(3))),
    ("FTPPUT", Condition::First(2), prompts(PromptForm::Echo, End::Length(1))),
    ("FTPEXTPUT", Condition::First(2), waits(PromptForm::Echo, End::Length(2), 3, Unit::Milliseconds)),
    ("SMTPBODY", Condition::Always, prompts(PromptForm::Any, End::Length(0))),
    ("SMTPFT", Condition::Always, prompts(PromptForm::Echo, End::Length(0))),
    ("MMSDOWN", Condition::Always, waits(PromptForm::Line("CONNECT"), End::Length(1), 2, Unit::Milliseconds)),
    ("CGDATA", Condition::Always, Hazard::Never(DATA_MODE)),
    ("CGANS", Condition::Always, Hazard::Never(DATA_MODE)),
    ("CMUX", Condition::Always, Hazard::Never(DATA_MODE)),
    ("DOWNLOAD", Condition::Always, Hazard::Never(DATA_MODE)),
    ("CIPMODE", Condition::ButTo("0"), Hazard::Never(DATA_MODE)),
    ("CIPSEND", Condition::Always, Hazard::Never(SOCKETS)),
    ("CIPSTART", Condition::Always, Hazard::Never(SOCKETS)),
    ("CIPRXGET", Condition::Always, Hazard::Never(SOCKETS)),
    ("CIPMUX", Condition::Always, Hazard::Never(SOCKETS)),
    ("CIPSSL", Condition::Always, Hazard::Never(SOCKETS)),
    ("CIPHEAD", Condition::ButTo("1"), Hazard::Never(ANSWERS)),
    ("CIPSPRT", Condition::ButTo("1"), Hazard::Never(ANSWERS)),
    ("CIPATS", Condition::ButTo("0"), Hazard::Never(ANSWERS)),
    ("CIPQSEND", Condition::ButTo("1"), Hazard::Never(ANSWERS)),
    ("CMEE", Condition::ButTo("1"), Hazard::Never(ANSWERS)),
    ("IPR", Condition::Always, Hazard::Never(PORT)),
    ("ICF", Condition::Always, Hazard::Never(PORT)),
    ("IFC", Condition::Always, Hazard::Never(PORT)),
];

/// Commands that close connections or the bearer, or leave the network: with any value, or with one of these (TS 27.007
/// sections 8.2, 10.1.9 and 10.1.10).
const ENDS: &[(&str, &[u32])] = &[
    ("CIPSHUT", &[]),
    ("CIPCLOSE", &[]),
    ("COPS", &[]),
    ("CGACT", &[0]),
    ("CGATT", &[0]),
    ("CFUN", &[0, 2, 3, 4]),
];

/// The reserved basic commands (V.250 sections 6.1 to 6.3): true with a `&` in front, their letters, and their effect.
const BASIC: &[(bool, &[u8], &str)] = &[
    (false, b"ADO", DATA_MODE),
    (false, b"EQVX", ANSWERS),
    (false, b"Z", "a command that resets settings of the driver"),
    (true, b"FZ", "a command that resets settings of the driver"),
    // `&K` is flow control; `&Q`, `&M` and `&R` select how the line is clocked. `&D` is allowed: it affects data mode
    // only.
    (true, b"KQMR", PORT),
];

/// The characters that end lines and edit them (V.250 sections 6.2.1 to 6.2.3).
const LINE_REGISTERS: [&str; 3] = ["3", "4", "5"];

/// The effect of the command on the session.
pub(super) fn hazard(part: Part<'_>) -> Option<Hazard> {
    match part {
        Part::Unknown => Some(Hazard::Never("a character that begins no command")),
        Part::Basic { prefixed, letter } => BASIC
            .iter()
            .find(|(is_prefixed, letters, _)| *is_prefixed == prefixed && letters.contains(&letter))
            .map(|(_, _, words)| Hazard::Never(words)),
        Part::Register { number, is_question } => {
            let number = number.trim_start_matches('0');
            let changes_lines = !is_question && LINE_REGISTERS.contains(&number);
            changes_lines.then_some(Hazard::Never(PORT))
        }
        Part::Extended { name, form: Form::Set(values) } => of_name(name, Some(values)),
        Part::Extended { name, form: Form::Execute } => of_name(name, None),
        Part::Extended { form: Form::Test | Form::Read, .. } => None,
    }
}

/// True if connections may end with the command.
pub(super) fn may_end_connections(part: Part<'_>) -> bool {
    let (name, first) = match part {
        Part::Extended { name, form: Form::Set(values) } => (name, first_of(values)),
        Part::Extended { name, form: Form::Execute } => (name, None),
        Part::Extended { .. } | Part::Basic { .. } | Part::Register { .. } | Part::Unknown => return false,
    };
    ENDS.iter().any(|(known, values)| {
        *known == name && (values.is_empty() || first.is_some_and(|first| values.contains(&first)))
    })
}

/// True if a string in quotes contains a reserved command after a semicolon, because firmware may not know quotes.
pub(super) fn hides_one(line: &str) -> bool {
    line.split(';').skip(1).any(|part| {
        let name = part.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_prefixed = name.len() < part.len();
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        is_prefixed && TABLE.iter().any(|(known, ..)| *known == name)
    })
}

fn of_name(name: &str, values: Option<&str>) -> Option<Hazard> {
    let (_, when, hazard) = TABLE.iter().find(|(known, ..)| *known == name)?;
    let holds = match when {
        Condition::Always => true,
        Condition::ButTo(wanted) => values != Some(*wanted),
        Condition::First(wanted) => values.and_then(first_of) == Some(*wanted),
    };
    holds.then_some(*hazard)
}

fn first_of(values: &str) -> Option<u32> {
    fields(values.trim_end_matches('?').as_bytes()).first().and_then(Field::number)
}

#[cfg(test)]
mod tests {
    use super::super::syntax::parts;
    use super::*;

    fn is_free(line: &str) -> bool {
        parts(line).into_iter().all(|part| hazard(part).is_none())
    }

    #[test]
    fn every_row_holds_for_every_prefix_and_leaves_questions_free() {
        for (name, ..) in TABLE {
            for prefix in ["+", "*", "^"] {
                assert!(!is_free(&format!("{prefix}{name}=2,9,9,9")), "{name}");
                assert!(!is_free(&format!("I;{prefix}{name}=2?")), "{name}");
                assert!(is_free(&format!("{prefix}{name}?;{prefix}{name}=?")), "{name}");
            }
        }
    }

    #[test]
    fn what_prompts_says_where_its_payload_ends() {
        for (name, _, hazard) in TABLE {
            let Hazard::Prompts(prompt) = hazard else { continue };
            assert!(prompt.end != End::Whole, "{name}");
        }
    }

    #[test]
    fn a_setting_that_is_the_drivers_own_is_free() {
        assert!(is_free("+CIPMODE=0") && is_free("+CIPHEAD=1;+CIPSPRT=1;+CIPATS=0"));
        assert!(is_free("+FTPPUT=1") && is_free("S0=1") && is_free("I&W") && is_free("S3?"));
        assert!(!is_free("+CIPMODE") && !is_free("+CIPSPRT=01") && !is_free("S03=10"));
    }

    #[test]
    fn a_reserved_command_between_quotes_is_found() {
        assert!(hides_one("+MPUB=\"T\",0,0,\"A;+CIPSEND=1\""));
        assert!(!hides_one("+MPUB=\"T\",0,0,\"A;B;CIPSEND\""));
        assert!(!hides_one("+CIPSEND"));
    }
}
