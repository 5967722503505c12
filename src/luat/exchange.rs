//! The commands of the `ril` library to the core, their answers, and unsolicited lines.

use crate::at::{Line, Urc};

use super::EventKind;

/// The most lines of an answer that are kept: 64, more than any answer of the firmware. Further lines are dropped.
const MAX_ANSWER: usize = 64;

/// The command in flight. The library sends one at a time.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    command: Option<String>,
    answer: Vec<String>,
    /// The lines of the file.
    lines: Vec<u64>,
}

impl Exchange {
    /// A command is sent. The one in flight before it has no end.
    pub(super) fn command(&mut self, line: u64, command: String) -> Option<(Vec<u64>, EventKind)> {
        let old = self.end(None);
        self.command = Some(command);
        self.lines.push(line);
        old
    }

    /// A line comes: a part or the end of an answer, or an unsolicited line.
    pub(super) fn line(&mut self, number: u64, line: String) -> Option<(Vec<u64>, EventKind)> {
        if matches!(Line::parse(line.as_bytes()), Line::Final(_) | Line::ShutOk) {
            self.lines.push(number);
            return self.end(Some(line));
        }
        if !self.is_answered_by(&line) {
            return Some((vec![number], EventKind::Urc(line)));
        }
        if self.answer.len() < MAX_ANSWER {
            self.answer.push(line);
            self.lines.push(number);
        }
        None
    }

    /// Ends the command in flight.
    pub(super) fn end(&mut self, end: Option<String>) -> Option<(Vec<u64>, EventKind)> {
        let Self { command, answer, lines } = std::mem::take(self);
        if command.is_none() && end.is_none() {
            return None;
        }
        Some((lines, EventKind::Exchange { command, answer, end }))
    }

    /// True if a line may be part of the answer: it begins with the command's name, or is no known unsolicited line.
    fn is_answered_by(&self, line: &str) -> bool {
        let Some(command) = &self.command else {
            return false;
        };
        let name = command.get(2..).unwrap_or_default();
        let name = name.split(['?', '=', ';']).next().unwrap_or_default();
        (name.len() > 1 && line.starts_with(name)) || !Urc::parse(line.as_bytes()).is_known()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_in_the_middle_of_an_answer_are_no_part_of_it() {
        let mut exchange = Exchange::default();
        assert_eq!(
            exchange.line(1, "+CPIN: READY".into()),
            Some((vec![1], EventKind::Urc("+CPIN: READY".into())))
        );
        assert_eq!(exchange.command(2, "AT+CSQ".into()), None);
        assert_eq!(exchange.line(3, "^MODE: 17,17".into()).unwrap().1, EventKind::Urc("^MODE: 17,17".into()));
        assert_eq!(exchange.line(4, "+CSQ: 31,0".into()), None);
        let (lines, what) = exchange.line(5, "OK".into()).unwrap();
        assert_eq!(lines, [2, 4, 5]);
        assert_eq!(what.to_string(), "AT+CSQ -> +CSQ: 31,0; OK;");
        assert_eq!(exchange.end(None), None);
    }

    #[test]
    fn a_question_about_the_card_is_answered_by_what_else_would_be_news() {
        let mut exchange = Exchange::default();
        exchange.command(1, "AT+CPIN?".into());
        assert_eq!(exchange.line(2, "+CPIN: READY".into()), None);
        let next = exchange.command(3, "AT+CIMI".into()).unwrap();
        assert_eq!(next.1.to_string(), "AT+CPIN? -> +CPIN: READY; (no end shown);");
        assert_eq!(exchange.line(4, "460000000000000".into()), None);
    }

    #[test]
    fn an_endless_answer_is_kept_up_to_its_limit() {
        let mut exchange = Exchange::default();
        exchange.command(1, "AT+CLAC".into());
        for line in 2..10_000 {
            assert_eq!(exchange.line(line, "AT+X".into()), None);
        }
        let Some((lines, EventKind::Exchange { answer, .. })) = exchange.line(10_000, "OK".into()) else {
            panic!("no exchange");
        };
        assert_eq!((answer.len(), lines.len()), (MAX_ANSWER, MAX_ANSWER + 2));
    }
}
