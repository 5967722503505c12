//! Predicates on lines.

use crate::at::{ChannelNews, Line, Urc};

use super::late_answers::LateAnswers;

/// True if a line is neither unsolicited nor part of a late answer. It may be half of a line that another line has
/// split.
pub(super) fn is_unexplained(late_answers: &LateAnswers, line: &Line<'_>) -> bool {
    let unknown = match line {
        Line::Text(b">") => false,
        Line::Text(text) => !Urc::parse(text).is_known(),
        Line::Info { key, list } => !Urc::parse(&[*key, b": ", *list].concat()).is_known(),
        Line::Final(_) | Line::ShutOk | Line::Channel { .. } | Line::State(_) | Line::Row(_) => false,
    };
    unknown && !late_answers.explains(line)
}

/// True if a line can only be the echo of a command.
pub(super) fn is_echo(text: &[u8]) -> bool {
    let basic: [&[u8]; 5] = [b"AT", b"ATI", b"ATQ0", b"ATV1", b"+++"];
    basic.contains(&text) || text.starts_with(b"AT+") || text.starts_with(b"ATE")
}

/// True for lines after which old firmware writes no line end, so that the next frame has none before it.
pub(in crate::proto) fn begins_connection(line: &[u8]) -> bool {
    matches!(Line::parse(line), Line::Channel { news: ChannelNews::ConnectOk, .. })
}

/// True if a line may have no line end: a prompt has none, and old firmware omits that of some lines.
pub(in crate::proto) fn may_lack_end(line: &[u8]) -> bool {
    line == b">" || begins_connection(line)
}

/// True if a line is the beginning of a final result code. A module leaves none unfinished.
pub(in crate::proto) fn begins_result(line: &[u8]) -> bool {
    let results: [&[u8]; 4] = [b"OK", b"ERROR", b"+CME ERROR", b"+CMS ERROR"];
    !line.is_empty() && results.iter().any(|result| line.len() < result.len() && result.starts_with(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_with_the_form_of_a_command_is_an_echo() {
        for (text, echoes) in
            [("AT", true), ("+++", true), ("AT+CSQ", true), ("ATE0", true), ("ATX", false), ("OK", false)]
        {
            assert_eq!(is_echo(text.as_bytes()), echoes, "{text}");
        }
    }

    #[test]
    fn a_line_that_neither_news_nor_a_late_answer_explains_is_unexplained() {
        let none = LateAnswers::none();
        let unexplained = |text: &[u8]| is_unexplained(&none, &Line::parse(text));
        for text in ["PMUX: 1", "garbage", "+XYZ: 1"] {
            assert!(unexplained(text.as_bytes()), "{text}");
        }
        for text in [">", "+CREG: 1", "RDY", "OK", "0, CLOSED", "SHUT OK", "STATE: IP STATUS"] {
            assert!(!unexplained(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_prompt_and_the_begin_of_a_connection_may_lack_their_line_end() {
        assert!([&b">"[..], b"0, CONNECT OK", b"CONNECT OK"].into_iter().all(may_lack_end));
        assert!(![&b"OK"[..], b"0, CLOSED", b"RING"].into_iter().any(may_lack_end));
    }

    #[test]
    fn a_result_code_without_its_end_is_a_beginning() {
        for torn in ["O", "E", "ERRO", "+", "+CM", "+CME ERRO", "+CMS"] {
            assert!(begins_result(torn.as_bytes()), "{torn}");
        }
        for other in ["", "OK", "ERROR", "+CME ERROR", "+CME ERROR: 3", "+CSQ", "OKAY", "RROR", "NO"] {
            assert!(!begins_result(other.as_bytes()), "{other}");
        }
    }
}
