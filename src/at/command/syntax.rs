//! The parts of command lines by V.250 section 5.4: basic commands, S-parameters, extended commands, chains.

/// One command of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part<'a> {
    /// A letter, or `&` and a letter (V.250 section 5.3.1): `E`, `&F`.
    Basic { prefixed: bool, letter: u8 },
    /// An S-parameter (section 5.3.2): `S0=1`, `S3?`, `S7`.
    Register { number: &'a str, is_question: bool },
    /// `+NAME`, also with another prefix of a vendor; the name is without it.
    Extended { name: &'a str, form: Form<'a> },
    /// A text that is no command.
    Unknown,
}

/// The forms of an extended command (section 5.4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form<'a> {
    /// `=?`.
    Test,
    /// `?`.
    Read,
    /// `=` and the values.
    Set(&'a str),
    /// The name alone.
    Execute,
}

/// The prefixes of extended commands: `+` by V.250, `*`, `^` and `%` by convention of this family's vendors. No
/// document of the module shows another.
const PREFIXES: [char; 4] = ['+', '*', '^', '%'];

/// The commands of a line after its `AT`. `line` is in upper case and without blanks.
///
/// A semicolon between quotes does not separate commands, unless the number of quotes is odd.
pub(super) fn parts(line: &str) -> Vec<Part<'_>> {
    let has_pairs = line.bytes().filter(|byte| *byte == b'"').count().is_multiple_of(2);
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (part, after) = match first {
            ';' => {
                rest = rest.strip_prefix(';').unwrap_or_default();
                continue;
            }
            first if PREFIXES.contains(&first) => extended(rest.trim_start_matches(PREFIXES), has_pairs),
            '&' => basic(rest.strip_prefix('&').unwrap_or_default(), true),
            'S' => register(rest.strip_prefix('S').unwrap_or_default()),
            _ => basic(rest, false),
        };
        parts.push(part);
        if part == Part::Unknown {
            break;
        }
        rest = after;
    }
    parts
}

/// The name of the only command of a line, and its values; `None` for chains, questions and basic commands.
pub(super) fn only(line: &str) -> Option<(&str, &str)> {
    match parts(line).as_slice() {
        [Part::Extended { name, form: Form::Set(values) }] => Some((name, values)),
        [Part::Extended { name, form: Form::Execute }] => Some((name, "")),
        _ => None,
    }
}

fn basic(rest: &str, prefixed: bool) -> (Part<'_>, &str) {
    let mut chars = rest.chars();
    match chars.next() {
        Some(letter @ 'A'..='Z') => {
            let after = chars.as_str().trim_start_matches(|c: char| c.is_ascii_digit());
            let after = after.strip_prefix('?').unwrap_or(after);
            let letter = u8::try_from(letter).unwrap_or_default();
            (Part::Basic { prefixed, letter }, after)
        }
        Some(_) | None => (Part::Unknown, ""),
    }
}

fn register(rest: &str) -> (Part<'_>, &str) {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let Some((number, after)) = rest.split_at_checked(digits(rest)) else { return (Part::Unknown, "") };
    if let Some(after) = after.strip_prefix('?') {
        return (Part::Register { number, is_question: true }, after);
    }
    let after = after.strip_prefix('=').unwrap_or(after);
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    (Part::Register { number, is_question: false }, after)
}

fn extended(rest: &str, has_pairs: bool) -> (Part<'_>, &str) {
    let mut is_quoted = false;
    let ends = |c: char| {
        is_quoted ^= c == '"' && has_pairs;
        c == ';' && !is_quoted
    };
    let (command, after) = rest.split_at_checked(rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
    // A character that is not allowed in names ends the name (V.250 section 5.4.1).
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "!%-./:_".contains(c);
    let end = command.find(|c| !is_of_name(c)).unwrap_or(command.len());
    let (name, form) = command.split_at_checked(end).unwrap_or_default();
    if name.is_empty() {
        return (Part::Unknown, "");
    }
    let form = match form {
        "" => Form::Execute,
        "?" => Form::Read,
        "=?" => Form::Test,
        // `+NAME?...` is no valid form; its effect is unknown.
        form => Form::Set(form.strip_prefix('=').unwrap_or(form)),
    };
    (Part::Extended { name, form }, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basics(line: &str) -> Vec<Part<'_>> {
        parts(line)
    }

    const fn letter(letter: u8) -> Part<'static> {
        Part::Basic { prefixed: false, letter }
    }

    #[test]
    fn basic_commands_follow_each_other_without_anything_between() {
        assert_eq!(basics("IE1"), [letter(b'I'), letter(b'E')]);
        assert_eq!(basics("X0Q1"), [letter(b'X'), letter(b'Q')]);
        assert_eq!(basics("E1?"), [letter(b'E')]);
        assert_eq!(basics("S0=1V0"), [Part::Register { number: "0", is_question: false }, letter(b'V')]);
        assert_eq!(basics("S3?"), [Part::Register { number: "3", is_question: true }]);
        assert_eq!(basics("&F0Z"), [Part::Basic { prefixed: true, letter: b'F' }, letter(b'Z')]);
        assert_eq!(basics("1"), [Part::Unknown]);
        assert_eq!(basics("&"), [Part::Unknown]);
        assert_eq!(basics("#X=1+CMGS=2"), [Part::Unknown], "a prefix of other vendors hides what follows");
        assert_eq!(basics("+=1"), [Part::Unknown], "no name");
        assert_eq!(basics(""), []);
    }

    #[test]
    fn extended_commands_have_four_forms_and_end_at_a_semicolon() {
        let part = |name, form| Part::Extended { name, form };
        // Firmware that ignores a wrong prefix reads the name after it.
        assert_eq!(basics("%+X=5"), [part("X", Form::Set("5"))]);
        assert_eq!(basics("+X\"5"), [part("X", Form::Set("\"5"))]);
        assert_eq!(
            basics("+CSQ;+CREG?;*X=?;^Y=1?;E0"),
            [
                part("CSQ", Form::Execute),
                part("CREG", Form::Read),
                part("X", Form::Test),
                part("Y", Form::Set("1?")),
                letter(b'E')
            ]
        );
        assert_eq!(basics("E0+CSQ"), [letter(b'E'), part("CSQ", Form::Execute)]);
        assert_eq!(basics("+A=\"B;C\";+D"), [part("A", Form::Set("\"B;C\"")), part("D", Form::Execute)]);
        assert_eq!(basics("+A=\"B;+C"), [part("A", Form::Set("\"B")), part("C", Form::Execute)]);
    }

    #[test]
    fn only_one_command_is_the_only_one() {
        assert_eq!(only("+CMGS=\"1\""), Some(("CMGS", "\"1\"")));
        assert_eq!(only("+CMGW"), Some(("CMGW", "")));
        for line in ["+CMGS?", "+CMGS=?", "+CMGS=1;+CSQ", "I", ""] {
            assert_eq!(only(line), None, "{line}");
        }
    }
}
