//! Functions for lines of published logs.

use encoding_rs::GBK;

use crate::at::{Line, Urc, bare_address};

/// A line without the remark that its publisher added, and whether there was a remark.
///
/// `//` begins a remark at the start of a line, after a blank, and directly after a command or an answer, but not in
/// quotes and not after the colon of a URL. `#` begins a remark between blanks; `# ` and `##` begin one at the start of
/// a line. Chinese words two blanks or a tab after a command or an answer are a remark, too.
pub(super) fn without_remark(text: &[u8]) -> (&[u8], bool) {
    let (mut quoted, mut glued) = (false, true);
    for at in 0..text.len() {
        let (before, rest) = text.split_at(at);
        let set_off = before.last().is_none_or(u8::is_ascii_whitespace);
        quoted ^= rest.starts_with(b"\"");
        let begins = match rest {
            [b'/', b'/', ..] if set_off => true,
            // Only the first two slashes that follow text directly can begin a remark, and only if that text is a whole
            // command or answer.
            [b'/', b'/', ..] if glued && !quoted && before.last() != Some(&b':') => {
                glued = false;
                is_command(before) || is_answer(before)
            }
            [b'#', next, ..] => {
                set_off && !quoted && (next.is_ascii_whitespace() || before.is_empty() && *next == b'#')
            }
            _ => false,
        };
        if begins {
            return (before.trim_ascii_end(), true);
        }
    }
    let gap = find(text, b"  ").or_else(|| find(text, b"\t")).unwrap_or(text.len());
    let (line, words) = text.split_at(gap);
    if !line.is_empty()
        && !is_prose(line)
        && (is_prose(words) || is_prose_of_gbk(words))
        && (is_command(line) || is_answer(line))
    {
        return (line, true);
    }
    (text, false)
}

/// Whether a line can come only from a modem: a result, an unsolicited line, or an answer with a key.
pub(super) fn is_answer(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let keyed = |key: &[u8]| matches!(key.first(), Some(b'+' | b'^' | b'*' | b'%' | b'$'));
    match Line::parse(text) {
        Line::Info { key, .. } => keyed(key),
        Line::Text([]) => false,
        Line::Text(text) => Urc::parse(text).is_known() || bare_address(text).is_some() || is_header(text),
        Line::Row(row) => row.trim_ascii_start().first().is_some_and(u8::is_ascii_digit),
        _ => true,
    }
}

/// Whether a line announces payload: `+RECEIVE,0,5:`.
fn is_header(text: &[u8]) -> bool {
    let fields = text.strip_prefix(b"+RECEIVE,").or_else(|| text.strip_prefix(b"+IPD,"));
    let fields = fields.and_then(|fields| fields.split(|byte| *byte == b':').next());
    fields.is_some_and(|fields| {
        fields.iter().all(|byte| byte.is_ascii_digit() || *byte == b',') && !fields.is_empty()
    })
}

/// Whether a person wrote the text: it has Chinese characters, which no line of these modems has.
pub(super) fn is_prose(text: &[u8]) -> bool {
    let is_chinese =
        |c: char| matches!(c, '\u{3000}'..='\u{303f}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ff5e}');
    str::from_utf8(text).is_ok_and(|text| text.contains(is_chinese))
}

/// Whether the text is Chinese words in GBK, in a file of another encoding.
fn is_prose_of_gbk(text: &[u8]) -> bool {
    let words =
        str::from_utf8(text).is_err().then(|| GBK.decode_without_bom_handling_and_without_replacement(text));
    words.flatten().is_some_and(|words| is_prose(words.as_bytes()))
}

/// Whether a line is a command: `AT` alone, an extended command, or one letter and digits.
pub(super) fn is_command(text: &[u8]) -> bool {
    let Some((head, rest)) = text.split_at_checked(2).filter(|(head, _)| head.eq_ignore_ascii_case(b"AT"))
    else {
        return false;
    };
    let same_case = |letter: &u8| letter.is_ascii_uppercase() || head == b"at" && letter.is_ascii_lowercase();
    match rest {
        [] => true,
        [b'+' | b'&' | b'*' | b'^' | b'$' | b'%', letter, ..] => {
            letter.is_ascii_alphabetic() && words(text).next().is_none()
        }
        [dial @ (b'D' | b'd'), number, ..] => {
            same_case(dial) && (number.is_ascii_digit() || b"*#T+".contains(number))
        }
        [letter, digits @ ..] if digits.iter().all(u8::is_ascii_digit) => same_case(letter),
        _ => is_chain(rest),
    }
}

/// Whether a text is several basic commands, and perhaps an extended one at the end: `Q0 V1 E1 S0=0 &C1 +FCLASS=0`.
/// Each has its number, so that no word is taken for one.
fn is_chain(text: &[u8]) -> bool {
    let mut rest = text.trim_ascii_start();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'+' {
            return rest.len() < text.len() && is_command(&[b"AT", rest].concat());
        }
        let more = if matches!(first, b'&' | b'\\' | b'%') { more } else { rest };
        let Some(more) =
            more.split_first().filter(|(letter, _)| letter.is_ascii_uppercase()).map(|(_, more)| more)
        else {
            return false;
        };
        let number = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, after) = more.split_at(number(more));
        let set = after.strip_prefix(b"=").map(|value| value.split_at(number(value)));
        rest = match set {
            Some((value, after)) if !value.is_empty() => after,
            _ => after.strip_prefix(b"?").unwrap_or(after),
        };
        if digits.is_empty() {
            return false;
        }
        rest = rest.trim_ascii_start();
    }
    true
}

/// The places where words follow a command, as in a sentence. A blank within a command is in quotes, or follows a
/// comma.
fn words(text: &[u8]) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    let windows = text.windows(3).enumerate().filter(move |(_, three)| {
        quoted ^= three[0] == b'"';
        !quoted && three[1] == b' ' && !b",=:;\"".contains(&three[0]) && three[2].is_ascii_alphabetic()
    });
    windows.map(|(at, _)| at)
}

/// The place of a command directly after other text: the program that wrote the log printed no line end, or the line
/// end was lost.
pub(super) fn glued_command(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let after_words = words(text).last().map_or(1, |at| at.saturating_add(1));
    (1..text.len()).find(|at| {
        let before = text[at.saturating_sub(1)];
        quoted ^= before == b'"';
        let rest = &text[*at..];
        let named = rest.get(3..5).is_some_and(|name| name.iter().all(u8::is_ascii_uppercase));
        *at >= after_words && rest.starts_with(b"AT+") && named && !quoted && !before.is_ascii_whitespace()
    })
}

/// The rest of a text in which points stand for omitted parts; `None` without such points.
pub(super) fn elided(text: &[u8]) -> Option<Vec<u8>> {
    let shown = String::from_utf8_lossy(text);
    let points = shown.contains('…').then(|| shown.replace(['…', '.', '/'], ""))?;
    let points = points.trim_matches(|c: char| !c.is_ascii() || c.is_whitespace());
    Some(points.as_bytes().to_vec())
}

/// The first place of `wanted` in `text`.
pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// The parts of a line that are at least two blanks apart.
pub(super) fn cells(text: &[u8]) -> Vec<&[u8]> {
    let mut cells = Vec::new();
    let mut rest = text.trim_ascii();
    while let Some(end) = find(rest, b"  ") {
        cells.push(&rest[..end]);
        rest = rest[end..].trim_ascii_start();
    }
    if !rest.is_empty() {
        cells.push(rest);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_distinguished_from_urls_and_data() {
        for (text, line) in [
            ("AT+X=\"http://a/b\"  //why", Some("AT+X=\"http://a/b\"")),
            ("// all of it", Some("")),
            ("AT+CIPMUX=1//multi", Some("AT+CIPMUX=1")),
            ("OK//yes", Some("OK")),
            ("OK   # yes", Some("OK")),
            ("# all of it", Some("")),
            ("AT+CSQ\t查询", Some("AT+CSQ")),
            ("http://a", None),
            ("a//b", None),
            ("AT+HTTPPARA=URL,http://x", None),
            ("+CUSD: 0,\"*100 # \"", None),
            ("*97993#dev1#send5A*", None),
        ] {
            let (found, remarked) = without_remark(text.as_bytes());
            assert_eq!(
                (str::from_utf8(found).unwrap(), remarked),
                (line.unwrap_or(text), line.is_some()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_command_directly_after_a_print_is_found() {
        assert_eq!(glued_command(b"Connecting to apnAT+CIPSHUT"), Some(17));
        for text in ["AT+CSQ", "+X: \"AT+CSQ\"", "see AT+", "OK"] {
            assert_eq!(glued_command(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn only_commands_are_taken_for_commands() {
        for line in [
            "AT",
            "ATI",
            "ATE0",
            "AT&W",
            "AT&FZ",
            "AT+CSQ",
            "AT+IPR=115200;&W",
            "AT*SIMAUTO=1",
            "AT^tracectrl=0",
            "at+csq",
            "ati",
            "ATD*99#",
        ] {
            assert!(is_command(line.as_bytes()), "{line}");
        }
        for line in ["", "A", "ATTENTION", "attention", "AT ", "AT+", "ATEL=1", "OK", "Ata"] {
            assert!(!is_command(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn cells_are_separated_by_two_blanks() {
        assert_eq!(cells(b"  a b   c  d "), [&b"a b"[..], b"c", b"d"]);
        assert!(cells(b"   ").is_empty());
    }
}
