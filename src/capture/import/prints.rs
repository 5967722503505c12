//! Lines whose form is not known: prints of a program, unless they show a command or an answer.

use super::super::Reason;
use super::learned_layout::{LEARNT, Speaker, piece};
use super::notation::unescaped;
use super::shape::starts;

/// The reason why a line is no record whose form is not known: a print of the program, unless it contains a command or
/// an answer.
pub(super) fn reason(text: &[u8]) -> Reason {
    let text = &text[..text.len().min(LEARNT)];
    // A program may repeat an answer in its own words, without the line end.
    let is_wire = |at: usize| {
        let bytes = unescaped(&text[at..]);
        match piece(&bytes) {
            Some(Speaker::Host) => true,
            Some(Speaker::Modem) => bytes.contains(&b'\n') || bytes.contains(&b'\r'),
            None => false,
        }
    };
    match text.trim_ascii() {
        [] => Reason::Blank,
        _ if starts(text).any(is_wire) => Reason::UnknownForm,
        _ => Reason::Tool,
    }
}

/// The same for a line with a level or a group in front. A program may name a command in its own words there, so a word
/// such as `AT` is none.
pub(super) fn reason_of_print(text: &[u8]) -> Reason {
    let text = &text[..text.len().min(LEARNT)];
    let is_wire = |at: usize| {
        let bytes = unescaped(&text[at..]);
        let is_ended = bytes.contains(&b'\n') || bytes.contains(&b'\r');
        let is_extended = bytes.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"AT+"));
        piece(&bytes).is_some_and(|piece| is_ended || is_extended && piece == Speaker::Host)
    };
    if starts(text).any(is_wire) { Reason::UnknownForm } else { Reason::Tool }
}
