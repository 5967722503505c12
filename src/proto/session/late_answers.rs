//! Commands that timed out and whose answers may still arrive.

use std::time::Duration;

use crate::at::{Command, Line, Refusal};
use crate::time::Timestamp;

/// Commands that timed out. Their answers may still come.
///
/// A module answers in order, so most late answers come before the answer to the next question. But firmware also
/// prints results when they are ready (capture s04: after 75 s, within another answer). While a late answer may come,
/// an ambiguous answer is accepted only when a question after the command was answered as well. The command's own
/// answer always comes, so a late answer is a second one. If exactly one final result code came between the command and
/// the answer to the question, no late answer with a final result code came. Only lines without a final result code may
/// still be mixed in:
///
/// | may come without a final | as |
/// |---|---|
/// | an address, the rows of a status | lines of the form that only these have |
/// | a result that is printed as news, after a final or none | lines with the key of the command that timed out |
///
/// A late answer may split the line of the final result code. Then a piece of that line stands after the late final
/// result code. So all lines after the last final result code are in doubt.
#[derive(Debug)]
pub(super) struct LateAnswers {
    until: Timestamp,
    /// The number of final result codes that have not come.
    missing_finals: usize,
    timed_out: Vec<Command>,
    dropped: DroppedCommands,
}

/// The kind of timed-out commands that were dropped, because at most [`MAX_TIMED_OUT`] are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum DroppedCommands {
    None,
    /// Commands that end with a final result code only.
    FinalOnly,
    /// Other commands as well.
    Others,
}

/// The number of final result codes between a command and the answer to the question after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FinalCount {
    One,
    More,
}

/// The span after a time-out in which a late answer may come. It is the longest documented time of a command
/// (`AT+COPS`, protocol section 15).
const SPAN: Duration = Duration::from_secs(300);
/// The number of timed-out commands that are kept. If more time out within [`SPAN`], any line may belong to a late
/// answer.
const MAX_TIMED_OUT: usize = 16;

impl LateAnswers {
    pub(super) fn none() -> Self {
        Self {
            until: Timestamp::ZERO,
            missing_finals: 0,
            timed_out: Vec::new(),
            dropped: DroppedCommands::None,
        }
    }

    pub(super) fn forget(&mut self) {
        *self = Self::none();
    }

    /// A command has timed out: its answer may come from now on.
    pub(super) fn begin(&mut self, now: Timestamp, command: &Command) {
        if now >= self.until {
            self.forget();
        }
        self.missing_finals += 1;
        self.until = now + SPAN;
        if self.timed_out.iter().any(|timed_out| timed_out.text() == command.text()) {
            return;
        }
        if self.timed_out.len() < MAX_TIMED_OUT {
            self.timed_out.push(command.clone());
        } else {
            let more =
                if command.has_one_final() { DroppedCommands::FinalOnly } else { DroppedCommands::Others };
            self.dropped = self.dropped.max(more);
        }
    }

    /// Final result codes came that belong to no command in flight. Returns true if fewer were missing.
    pub(super) fn finals_received(&mut self, finals: usize) -> bool {
        let too_many = finals > self.missing_finals;
        self.missing_finals = self.missing_finals.saturating_sub(finals);
        // A command that prints lines after its final result code, or has none, may still print lines.
        let settled =
            self.timed_out.iter().all(Command::has_one_final) && self.dropped == DroppedCommands::None;
        if self.missing_finals == 0 && settled {
            self.forget();
        }
        too_many
    }

    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// The commands. The next question must be different from each of them.
    pub(super) fn timed_out(&self) -> &[Command] {
        &self.timed_out
    }

    /// True if a final result code that names a command may be the late answer to another command.
    pub(super) fn has_rival(&self, command: &Command) -> bool {
        self.dropped > DroppedCommands::None || self.timed_out.iter().any(|older| command.is_rival_of(older))
    }

    /// True if the final result code of a command may be the late answer to another command.
    pub(super) fn may_be_of_another(
        &self,
        now: Timestamp,
        command: &Command,
        end: Result<(), Refusal>,
    ) -> bool {
        let names_it = command.is_unmistakable() && !end.is_err_and(names_no_command);
        self.is_on(now) && (!names_it || self.has_rival(command))
    }

    /// True if a line is part of a late answer. Text without a name does not count, because half of any line looks like
    /// that.
    pub(super) fn explains(&self, line: &Line<'_>) -> bool {
        let may_be_of = |older: &Command| match line {
            Line::Text(_) => older.has_one_line() && older.may_print(line),
            line => older.may_print(line),
        };
        self.timed_out.iter().any(may_be_of)
    }

    /// True if lines of an answer may belong to another command. With a single final result code these are lines that
    /// are printed without one. `was_asked` is true for the key of a question that the driver has asked.
    pub(super) fn may_have_mixed(
        &self,
        command: &Command,
        lines: &[String],
        finals: FinalCount,
        was_asked: impl Fn(&str) -> bool,
    ) -> bool {
        // A status has no final result code: the barrier checks whether it came twice.
        if command.is_open_ended() {
            return false;
        }
        let keys = || {
            let parsed = lines.iter().map(|line| Line::parse(line.as_bytes()));
            parsed.filter_map(|line| match line {
                Line::Info { key, .. } => std::str::from_utf8(key).ok(),
                _ => None,
            })
        };
        // The answer to a question may come twice, or late.
        if keys().any(was_asked) && !keys().any(|key| command.has_key(key)) {
            return true;
        }
        lines.iter().any(|line| {
            let line = Line::parse(line.as_bytes());
            let key = match &line {
                Line::Info { key, .. } => std::str::from_utf8(key).ok().filter(|key| command.has_key(key)),
                _ => None,
            };
            let may_come = |older: &&Command| match (finals, &line) {
                (FinalCount::More, _) => true,
                (FinalCount::One, Line::Info { key: theirs, .. }) if key.is_none() => {
                    std::str::from_utf8(theirs).is_ok_and(|theirs| older.has_key(theirs))
                }
                (FinalCount::One, _) => !older.has_one_final(),
            };
            let mut authors = self.timed_out.iter().filter(may_come).filter(|older| match key {
                Some(key) => older.has_key(key) || older.is_chain(),
                None => older.may_print(&line),
            });
            let harmless =
                if finals == FinalCount::One { DroppedCommands::FinalOnly } else { DroppedCommands::None };
            // The command's own answer always comes, so a late line is the second of its kind.
            let has_author = self.dropped > harmless || authors.clone().next().is_some();
            has_author && (lines.len() > 1 || !authors.all(|older| command.has_own_line(older)))
        })
    }
}

/// True if a refusal does not show which command was refused.
fn names_no_command(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Error | Refusal::Cme(_) | Refusal::Cms(_) | Refusal::NoCarrier)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Command {
        Command::of_user(text, Duration::from_secs(1)).unwrap()
    }

    fn of(texts: &[&str]) -> LateAnswers {
        let mut late_answers = LateAnswers::none();
        texts.iter().for_each(|text| late_answers.begin(Timestamp::ZERO, &user(text)));
        late_answers
    }

    fn was_asked(key: &str) -> bool {
        ["+CIPMODE", "+CIPQSEND", "+CMEE"].contains(&key)
    }

    fn mixed(late_answers: &LateAnswers, command: &str, lines: &[&str]) -> bool {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        late_answers.may_have_mixed(&user(command), &lines, FinalCount::More, was_asked)
    }

    fn mixed_after_one_final(late_answers: &LateAnswers, command: &str, lines: &[&str]) -> bool {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        late_answers.may_have_mixed(&user(command), &lines, FinalCount::One, was_asked)
    }

    #[test]
    fn the_answer_to_a_question_of_the_driver_is_none_to_another_command() {
        let late_answers = of(&["AT+X"]);
        for row in ["+CIPMODE: 0", "+CIPQSEND:1", "+CMEE: 1"] {
            assert!(mixed_after_one_final(&late_answers, "AT+CSQ", &[row]), "{row}");
            assert!(!mixed_after_one_final(&late_answers, "AT+CSQ", &["+CSQ: 20,0", row]), "{row}");
        }
        assert!(!mixed_after_one_final(&late_answers, "AT+CIPMODE?", &["+CIPMODE: 0"]));
        assert!(!mixed_after_one_final(&late_answers, "AT+CSQ", &["+CESQ: 99,99"]));
        assert!(!mixed_after_one_final(&late_answers, "AT&V", &["+IPR: 0"]), "it was not asked");
    }

    #[test]
    fn one_final_proves_the_order_but_of_what_comes_without_one() {
        let late_answers = of(&["AT+X"]);
        assert!(mixed(&late_answers, "ATI", &["AirM2M", "V401881"]));
        assert!(!mixed_after_one_final(&late_answers, "ATI", &["AirM2M", "V401881"]));
        assert!(mixed_after_one_final(&late_answers, "ATI", &["+X: 1", "AirM2M"]), "a result as news");
        let address = of(&["AT+CIFSR"]);
        assert!(mixed_after_one_final(&address, "ATI", &["AirM2M", "10.0.0.1"]));
        assert!(!mixed_after_one_final(&address, "ATI", &["AirM2M", "V401881"]));
        let many: Vec<String> = (0..40).map(|number| format!("AT+X{number}")).collect();
        let mut many = of(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(!mixed_after_one_final(&many, "ATI", &["AirM2M", "V401881"]));
        many.begin(Timestamp::ZERO, &Command::local_address());
        assert!(mixed_after_one_final(&many, "ATI", &["AirM2M", "V401881"]));
    }

    #[test]
    fn it_ends_when_every_final_has_come_and_never_lasts() {
        let mut late_answers = of(&["AT+CSQ", "ATI"]);
        late_answers.finals_received(1);
        assert!(late_answers.is_on(Timestamp::ZERO));
        late_answers.finals_received(1);
        assert!(!late_answers.is_on(Timestamp::ZERO));
        assert!(!of(&["AT+CSQ"]).is_on(Timestamp::ZERO + SPAN));
    }

    #[test]
    fn a_status_may_still_come_after_its_final() {
        let mut late_answers = of(&["AT+CIPSTATUS"]);
        late_answers.finals_received(1);
        assert!(late_answers.is_on(Timestamp::ZERO));
    }

    #[test]
    fn the_same_question_asked_again_has_one_line_of_its_own() {
        let late_answers = of(&["AT+CSQ"]);
        assert!(!mixed(&late_answers, "AT+CSQ", &["+CSQ: 24,0"]));
        assert!(mixed(&late_answers, "AT+CSQ", &["+CSQ: 7,0", "+CSQ: 24,0"]));
    }

    #[test]
    fn a_line_that_an_older_command_may_have_printed_is_in_doubt() {
        let late_answers = of(&["AT+CREG?"]);
        assert!(mixed(&late_answers, "AT+CSQ", &["+CREG: 0,3", "+CSQ: 24,0"]));
        assert!(mixed(&late_answers, "AT+CREG=1", &["+CREG: 0,3"]), "a setting has no line of its own");
        assert!(!mixed(&late_answers, "AT+CSQ", &["+CSQ: 24,0"]));
        assert!(!mixed(&late_answers, "ATI", &["AirM2M"]), "AT+CREG? has its name before its lines");
        assert!(mixed(&of(&["AT+CGMM"]), "ATI", &["AirM2M"]));
    }

    #[test]
    fn only_commands_of_one_channel_are_rivals() {
        use crate::at::ChannelId;
        let channel = |n| ChannelId::new(n).unwrap();
        let mut late_answers = LateAnswers::none();
        late_answers.begin(Timestamp::ZERO, &Command::send(channel(1), 10));
        assert!(late_answers.has_rival(&Command::send(channel(1), 99)));
        assert!(!late_answers.has_rival(&Command::send(channel(2), 10)));
        assert!(!late_answers.has_rival(&Command::close(channel(1))));
    }

    #[test]
    fn its_memory_is_bounded_and_then_every_answer_may_be_late() {
        let mut late_answers = LateAnswers::none();
        for number in 0..1_000 {
            late_answers.begin(Timestamp::ZERO, &user(&format!("AT+X{number}")));
        }
        assert_eq!(late_answers.timed_out().len(), MAX_TIMED_OUT);
        assert!(late_answers.has_rival(&Command::shut()));
    }
}
