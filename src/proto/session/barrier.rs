//! A question whose answer proves that all older commands are answered.

use std::time::Duration;

use crate::at::{ChannelId, Command, Final, Line, Refusal, Verdict};
use crate::time::Timestamp;

use super::backlog::{Backlog, Question};
use super::exchange::{Exchange, Failure, Finished, ForeignLine};
use super::held_answers::one_of;
use super::late_answers::LateAnswers;
use super::open_send::OpenSend;
use super::pace::Pace;
use super::reading::is_unexplained;
use crate::proto::issuer::Issuer;

/// A question that is asked when the next answer may belong to another command: after a time-out, after every command
/// for a while after that, and after a final result code that may come twice. The question changes nothing on the
/// module. A module answers in order, so every line before the question's information line belongs to older commands.
/// Successive attempts use different questions, so that a late answer to one can't be the answer to the next.
#[derive(Debug)]
pub(super) struct Barrier {
    /// A command whose answer is held back until the barrier is passed.
    held: Option<Box<HeldCommand>>,
    /// A send whose payload the module may be waiting for. The module then takes the question for payload.
    open: Option<OpenSend>,
    probe: Command,
    asked_at: Timestamp,
    /// The earlier questions. Their answers may still come.
    asked: Vec<Question>,
    /// The pace of the answers before.
    pace: Pace,
    /// The answers of a slow module that are still to come.
    backlog: Backlog,
    /// When the first prompt came that asks for the content of a file.
    prompted_at: Option<Timestamp>,
    /// An error has come since the question was asked. It may refuse the question.
    has_error: bool,
    /// The earlier questions after which an error came in place of an answer.
    refused: Vec<Command>,
    state: ProbeState,
    deadline: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ProbeState {
    /// The question is asked; the lines that come belong to older commands.
    Asked,
    /// A final result code came that belongs to no older command. It may be the whole answer.
    Odd,
    /// The question is asked, and a prompt came that belongs to no send. The module may take the question for payload.
    Prompted,
    /// The information line of the question came. The next final result code is its own.
    Answered,
}

/// A command that has ended, perhaps more than once.
#[derive(Debug)]
struct HeldCommand {
    exchange: Exchange,
    ends: Vec<(Vec<String>, Result<(), Refusal>)>,
    /// The answer to a question after it came: nothing more of its text of people comes.
    is_text_over: bool,
}

impl HeldCommand {
    fn new(exchange: Exchange, ends: Vec<(Vec<String>, Result<(), Refusal>)>) -> Self {
        Self { exchange, ends, is_text_over: false }
    }

    /// True if the lines may be text of people.
    fn is_in_text(&self) -> bool {
        self.exchange.is_in_text() && !self.is_text_over
    }
}

/// The meaning of a line for a barrier.
#[derive(Debug)]
pub(super) enum BarrierVerdict {
    /// The line belonged to the question or to the command held back.
    Consumed,
    /// The final result code of an older command.
    Stray,
    /// The line does not concern the barrier.
    Unclaimed,
    /// The barrier is passed.
    Passed {
        /// The command held back.
        held: Option<Finished>,
        /// The number of final result codes beyond its own: late answers to other commands.
        extra: u8,
        /// How many of them are an `OK` without an answer before it.
        extra_oks: u8,
        /// Whether the answer may be mixed with another one, because a line came that belongs to no command.
        mixed: bool,
    },
}

/// How often a question is asked before the module counts as silent: about 21 s with the growing time-outs.
const ATTEMPTS: usize = 6;
/// The time-out of the first attempt. A module answers within 10 ms (protocol section 15), but may be slower after a
/// time-out.
const FIRST_TIMEOUT: Duration = Duration::from_millis(1_000);

/// How long the information line may take after a final result code that may be the whole answer. Answers come within
/// 10 ms (section 15).
const ODD_TIMEOUT: Duration = Duration::from_millis(300);

impl Barrier {
    /// A barrier after no command: it proves that a module that was just found answers in order.
    pub(super) fn after_nothing(now: Timestamp, probe: Command) -> Self {
        Self::new(now, None, probe)
    }

    /// A barrier after a command that has ended with `end`.
    pub(super) fn after(
        now: Timestamp,
        mut exchange: Exchange,
        end: Result<(), Refusal>,
        probe: Command,
    ) -> Self {
        let lines = exchange.take_lines();
        Self::new(now, Some(HeldCommand::new(exchange, vec![(lines, end)])), probe)
    }

    /// A barrier after a command that has not ended, and may never.
    pub(super) fn after_open(now: Timestamp, exchange: Exchange, probe: Command) -> Self {
        Self::new(now, Some(HeldCommand::new(exchange, Vec::new())), probe)
    }

    fn new(now: Timestamp, held: Option<HeldCommand>, probe: Command) -> Self {
        Self {
            held: held.map(Box::new),
            open: None,
            probe,
            asked_at: now,
            asked: Vec::new(),
            pace: Pace::default(),
            backlog: Backlog::new(now, 0),
            prompted_at: None,
            has_error: false,
            refused: Vec::new(),
            state: ProbeState::Asked,
            deadline: now + FIRST_TIMEOUT,
        }
    }

    /// The module has answered at this pace.
    pub(super) fn at_pace(self, pace: Pace) -> Self {
        let deadline = self.deadline.max(self.asked_at + pace.timeout());
        Self { pace, deadline, ..self }
    }

    /// This number of attempts of a search may still be answered.
    pub(super) fn after_attempts(self, attempts: u32) -> Self {
        Self { backlog: Backlog::new(self.asked_at, attempts), ..self }
    }

    /// A final result code came that may answer an attempt of the search. Returns false if it can't. The module has not
    /// come to the question yet.
    pub(super) fn answers_attempt(&mut self, now: Timestamp) -> bool {
        let span = (self.state != ProbeState::Answered).then(|| self.backlog.attempt_answered(now)).flatten();
        self.extend(span.map_or(self.deadline, |span| now + span));
        span.is_some()
    }

    /// The longest time that an answer to one of the questions has taken.
    pub(super) fn took(&self) -> Duration {
        self.backlog.took()
    }

    /// The module may be waiting for the payload of a send.
    pub(super) fn with_open(self, open: Option<OpenSend>) -> Self {
        Self { open, ..self }
    }

    /// A prompt came that may belong to this send.
    pub(super) fn opens(&mut self, open: OpenSend) {
        self.open.get_or_insert(open);
    }

    /// True if the prompt of a known send may come.
    pub(super) fn has_open(&self) -> bool {
        self.open.is_some()
    }

    /// The send that the module may be waiting for, to be settled.
    pub(super) fn take_open(&mut self) -> Option<OpenSend> {
        self.open.take()
    }

    /// The send has ended, because its payload was written to fill it up.
    pub(super) fn take_settled(&mut self) -> Option<Finished> {
        self.held.take().map(|held| held.exchange.settled_by_filling())
    }

    /// A prompt came that belongs to no known send. It may ask for the content of a file; the module waits for that as
    /// long as the command said. A repeated prompt does not extend that time.
    pub(super) fn prompted(&mut self, now: Timestamp) {
        let writes = self.held().filter(|command| command.gives_up()).map(Command::timeout);
        match writes {
            Some(span) => {
                let prompted_at = *self.prompted_at.get_or_insert(now);
                self.extend(prompted_at + span);
            }
            None if self.state == ProbeState::Asked => self.state = ProbeState::Prompted,
            None => {}
        }
    }

    /// A final result code came that belongs to no older command. If the module answers the question with `OK` only,
    /// nothing more will come.
    pub(super) fn odd_final(&mut self, now: Timestamp) {
        if self.state == ProbeState::Asked {
            self.state = ProbeState::Odd;
            // A distant module is as late with each answer. It must not be asked again before each of them.
            let span = (ODD_TIMEOUT * (self.asked.len() as u32 + 1)).max(self.took()).max(self.pace.latest());
            self.deadline = self.deadline.min(now + span);
        }
    }

    /// True if the command held back had more than one final result code.
    pub(super) fn has_final_too_many(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.ends.len() > 1)
    }

    /// False if a final result code came that may be the whole answer.
    pub(super) fn may_be_answered(&self) -> bool {
        self.state != ProbeState::Odd
    }

    /// A line of an answer may have been too long to be kept.
    pub(super) fn line_lost(&mut self) {
        if let Some(held) = &mut self.held {
            held.exchange.line_lost();
        }
    }

    /// True if the module may be waiting for payload of an unknown command.
    pub(super) fn is_prompted(&self) -> bool {
        self.state == ProbeState::Prompted
    }

    pub(super) fn probe(&self) -> &Command {
        &self.probe
    }

    /// True if a line is the echo of one of the questions.
    pub(super) fn has_asked(&self, line: &[u8]) -> bool {
        self.asked
            .iter()
            .map(|question| &question.command)
            .chain([&self.probe])
            .any(|asked| asked.is_echo(line))
    }

    /// The command that is held back.
    pub(super) fn held(&self) -> Option<&Command> {
        self.held.as_ref().map(|held| &held.exchange.command)
    }

    /// The issuer of the command held back.
    pub(super) fn issuer_mut(&mut self) -> Option<&mut Issuer> {
        self.held.as_mut().map(|held| &mut held.exchange.issuer)
    }

    /// True if the lines may be text of people. This is so if the final result code of the command held back was text,
    /// too.
    pub(super) fn is_in_text(&self) -> bool {
        self.state == ProbeState::Asked && self.held.as_ref().is_some_and(|held| held.is_in_text())
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Extends the deadline, because earlier answers take long to arrive, or a slow command is in flight.
    pub(super) fn extend(&mut self, deadline: Timestamp) {
        self.deadline = self.deadline.max(deadline);
    }

    /// Returns the command held back, when no more questions are asked.
    pub(super) fn into_held(self) -> Option<Finished> {
        self.held.map(|held| held.exchange.finish(Err(Failure::Timeout)))
    }

    /// True if the question was asked [`ATTEMPTS`] times.
    pub(super) fn is_exhausted(&self) -> bool {
        self.asked.len() + 1 >= ATTEMPTS
    }

    /// The commands whose answers may come while the next question waits.
    pub(super) fn others(&self) -> Vec<&Command> {
        let asked = self.asked.iter().map(|question| &question.command);
        self.held().into_iter().chain(asked).chain([&self.probe]).collect()
    }

    /// The questions that firmware seems not to have.
    pub(super) fn take_refused(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.refused)
    }

    /// Asks another question.
    pub(super) fn ask(self, now: Timestamp, probe: Command) -> Self {
        let (mut asked, mut refused) = (self.asked, self.refused);
        refused.extend(self.has_error.then(|| self.probe.clone()));
        asked.push(Question::new(self.probe, self.asked_at));
        let least = self.pace.timeout().max(self.backlog.took() * 2);
        let deadline = now + (FIRST_TIMEOUT * (asked.len() as u32 + 1)).max(least);
        let (has_error, state) = (false, ProbeState::Asked);
        Self { probe, asked_at: now, asked, has_error, refused, state, deadline, ..self }
    }

    /// A header of fetched data has come.
    pub(super) fn data_came(&mut self, channel: ChannelId) {
        if let Some(held) = self.held.as_mut().filter(|held| held.exchange.command.fetches(channel)) {
            held.exchange.data_came();
        }
    }

    /// A line came that belongs to no command.
    pub(super) fn foreign_line_came(&mut self) {
        if let Some(held) = &mut self.held {
            held.exchange.foreign_line_came(ForeignLine::Unexplained);
        }
    }

    /// Returns true if the line answers an earlier question. So the module is slow, and has not come to the later ones
    /// yet. A repeated answer does not show that: otherwise a module could extend the wait without end.
    fn answered_late(&mut self, now: Timestamp, line: &Line<'_>) -> bool {
        let Some(question) = self.asked.iter_mut().rev().find(|question| question.is_answered_by(line))
        else {
            return false;
        };
        if let Some(asked_at) = question.first_answer() {
            self.backlog.question_answered(now, asked_at);
            self.extend(now + self.took());
        }
        true
    }

    pub(super) fn line(&mut self, now: Timestamp, text: &[u8], begins_frame: bool) -> BarrierVerdict {
        let line = Line::parse(text);
        if self.has_asked(text) || text.strip_suffix(b"\r").is_some_and(|echo| self.has_asked(echo)) {
            return BarrierVerdict::Consumed;
        }
        // Within a text only a line that begins a frame can answer the question.
        if self.is_in_text() && !begins_frame {
            return self.old_line(text, &line);
        }
        self.has_error |= matches!(line, Line::Final(Final::Error | Final::Cme(_)));
        match self.state {
            ProbeState::Asked | ProbeState::Odd | ProbeState::Prompted
                if self.probe.judge(&line, false) == Verdict::Part =>
            {
                self.state = ProbeState::Answered;
                self.backlog.question_answered(now, self.asked_at);
                BarrierVerdict::Consumed
            }
            ProbeState::Asked | ProbeState::Odd | ProbeState::Prompted => {
                let is_late = self.answered_late(now, &line);
                if is_late && let Some(held) = self.held.as_mut().filter(|held| held.is_in_text()) {
                    held.is_text_over = true;
                    return BarrierVerdict::Consumed;
                }
                match self.old_line(text, &line) {
                    BarrierVerdict::Unclaimed if is_late => BarrierVerdict::Consumed,
                    verdict => verdict,
                }
            }
            // `NO CARRIER` is the end of a call, and no answer to a question.
            ProbeState::Answered if line == Line::Final(Final::NoCarrier) => BarrierVerdict::Stray,
            ProbeState::Answered if matches!(line, Line::Final(_)) => self.pass(),
            ProbeState::Answered => BarrierVerdict::Unclaimed,
        }
    }

    fn old_line(&mut self, text: &[u8], line: &Line<'_>) -> BarrierVerdict {
        let Some(held) = self.held.as_mut().filter(|held| !held.is_text_over) else {
            return if is_old_answer(line) { BarrierVerdict::Stray } else { BarrierVerdict::Unclaimed };
        };
        match held.exchange.judge(text, line) {
            Verdict::Part => BarrierVerdict::Consumed,
            Verdict::Done(end) | Verdict::Doubtful(end) => {
                let lines = held.exchange.take_lines();
                if held.exchange.is_in_text()
                    && let Some((text, last)) = held.ends.last_mut()
                {
                    // The final result code before this line was text of people.
                    text.extend(lines);
                    *last = end;
                    return BarrierVerdict::Consumed;
                }
                if held.ends.len() < MAX_ENDS {
                    held.ends.push((lines, end));
                }
                BarrierVerdict::Consumed
            }
            Verdict::NotMine if is_old_answer(line) => BarrierVerdict::Stray,
            Verdict::NotMine => BarrierVerdict::Unclaimed,
        }
    }

    fn pass(&mut self) -> BarrierVerdict {
        let Some(mut held) = self.held.take() else {
            return BarrierVerdict::Passed { held: None, extra: 0, extra_oks: 0, mixed: false };
        };
        if held.exchange.is_in_text()
            && let Some((mut lines, end)) = held.ends.pop()
        {
            // The last of them is the final, unless it was torn: then the lines after it are text, and the piece.
            lines.pop();
            let is_piece =
                |line: &String| is_unexplained(&LateAnswers::none(), &Line::parse(line.as_bytes()));
            let mixed = held.exchange.foreign_line() == ForeignLine::Unexplained
                || held.exchange.take_lines().iter().any(is_piece);
            let result = end.map(|()| lines).map_err(Failure::Refused);
            let held = Some(held.exchange.finish(result));
            return BarrierVerdict::Passed { held, extra: 0, extra_oks: 0, mixed };
        }
        let rest = held.exchange.take_lines();
        let has_one_final = held.exchange.command.has_one_final();
        // An answer has no line after its final result code. This is a piece of a split line, perhaps of the final
        // result code itself.
        let leftover = has_one_final && !rest.is_empty();
        let count = |ends: usize| u8::try_from(ends).unwrap_or(u8::MAX);
        let extra = if has_one_final { count(held.ends.len()).saturating_sub(1) } else { 0 };
        let is_bare_ok =
            |lines: &[String], end| lines.is_empty() && matches!(end, Ok(()) | Err(Refusal::Empty));
        let oks = held.ends.iter().filter(|(lines, end)| is_bare_ok(lines, *end)).count();
        let extra_oks = count(oks).min(extra);
        let foreign = held.exchange.foreign_line();
        let mixed = leftover
            || foreign == ForeignLine::Unexplained
            || (foreign == ForeignLine::OwnName && held.ends.len() > 1);
        let result = one_of(held.ends, rest, &held.exchange.command);
        BarrierVerdict::Passed { held: Some(held.exchange.finish(result)), extra, extra_oks, mixed }
    }
}

/// The most final result codes that are kept for one command. More than two come only from a module that violates its
/// protocol.
const MAX_ENDS: usize = 8;

/// True for lines that are always part of an answer.
fn is_old_answer(line: &Line<'_>) -> bool {
    matches!(line, Line::Final(_) | Line::ShutOk | Line::State(_) | Line::Row(_))
}

#[cfg(test)]
mod tests {
    use crate::query::{Query, Signal};

    use super::super::exchange::Phase;
    use super::*;
    use crate::proto::{Ticket, transition_table};

    /// A barrier after a signal question that has ended so, and is asked `AT+CIPMUX?`.
    fn after(end: Result<(), Refusal>, lines: &[&str]) -> Barrier {
        let (now, command) = (Timestamp::ZERO, Signal.command());
        let issuer = Issuer::Caller(Ticket(1));
        let mut exchange = Exchange::new(now, command, issuer, Duration::ZERO, Phase::Answer);
        for line in lines {
            exchange.judge(line.as_bytes(), &Line::parse(line.as_bytes()));
        }
        Barrier::after(now, exchange, end, Command::probe(0, &|_| false))
    }

    /// The result of the command held back when these lines have come.
    fn passed(mut barrier: Barrier, lines: &[&str]) -> Result<Vec<String>, Failure> {
        for line in lines {
            if let BarrierVerdict::Passed { held, .. } = barrier.line(Timestamp::ZERO, line.as_bytes(), true)
            {
                return held.unwrap().result;
            }
        }
        panic!("not passed");
    }

    const PROBED: [&str; 2] = ["+CIPMUX: 1", "OK"];

    #[test]
    fn every_transition_is_as_the_table_says() {
        let of = |state| {
            let mut barrier = Barrier::after_nothing(Timestamp::ZERO, Command::probe(0, &|_| false));
            barrier.state = state;
            barrier
        };
        transition_table::check::<Barrier, _>(
            "
            | input | asked | odd | prompted | answered |
            | its information line | answered | answered | answered | - |
            | a final result code | - | - | - | - |
            | a final result code of no command | odd | - | - | - |
            | NO CARRIER | - | - | - | - |
            | another line | - | - | - | - |
            | a prompt | prompted | - | - | - |
            | the next question | - | asked | asked | asked |",
            || {
                [ProbeState::Asked, ProbeState::Odd, ProbeState::Prompted, ProbeState::Answered]
                    .map(of)
                    .into()
            },
            &[
                ("its information line", |it| drop(it.line(Timestamp::ZERO, b"+CIPMUX: 1", true))),
                ("a final result code", |it| drop(it.line(Timestamp::ZERO, b"OK", true))),
                ("a final result code of no command", |it| it.odd_final(Timestamp::ZERO)),
                ("NO CARRIER", |it| drop(it.line(Timestamp::ZERO, b"NO CARRIER", true))),
                ("another line", |it| drop(it.line(Timestamp::ZERO, b"0, CLOSED", true))),
                ("a prompt", |it| it.prompted(Timestamp::ZERO)),
                ("the next question", |it| {
                    let now = Timestamp::ZERO;
                    let before =
                        std::mem::replace(it, Barrier::after_nothing(now, Command::probe(0, &|_| false)));
                    *it = before.ask(now, Command::probe(1, &|_| false));
                }),
            ],
            |it| format!("{:?}", it.state).to_lowercase(),
        );
    }

    #[test]
    fn what_comes_before_the_answer_to_the_question_is_old() {
        let mut barrier = Barrier::after_nothing(Timestamp::ZERO, Command::probe(0, &|_| false));
        for line in ["OK", "ERROR", "SHUT OK", "STATE: IP STATUS"] {
            assert!(
                matches!(barrier.line(Timestamp::ZERO, line.as_bytes(), true), BarrierVerdict::Stray),
                "{line}"
            );
        }
        assert!(matches!(barrier.line(Timestamp::ZERO, b"0, CLOSED", true), BarrierVerdict::Unclaimed));
        assert!(matches!(barrier.line(Timestamp::ZERO, b"+CIPMUX: 1", true), BarrierVerdict::Consumed));
        assert!(matches!(
            barrier.line(Timestamp::ZERO, b"OK", true),
            BarrierVerdict::Passed { held: None, .. }
        ));
    }

    #[test]
    fn a_single_answer_is_the_commands_own() {
        assert_eq!(passed(after(Ok(()), &["+CSQ: 24,0"]), &PROBED).unwrap(), ["+CSQ: 24,0"]);
    }

    #[test]
    fn an_answer_without_content_is_dropped_beside_one_with_it() {
        let lines = ["+CSQ: 24,0", "OK", "+CIPMUX: 1", "OK"];
        assert_eq!(passed(after(Err(Refusal::Empty), &[]), &lines).unwrap(), ["+CSQ: 24,0"]);
    }

    #[test]
    fn answers_that_contradict_each_other_are_ambiguous() {
        for second in [&["ERROR"][..], &["+CSQ: 7,0", "OK"]] {
            let lines = [second, &PROBED[..]].concat();
            let result = passed(after(Ok(()), &["+CSQ: 24,0"]), &lines);
            assert_eq!(result, Err(Failure::Refused(Refusal::Ambiguous)), "{second:?}");
        }
    }

    #[test]
    fn the_questions_come_to_an_end() {
        let mut barrier = Barrier::after_nothing(Timestamp::ZERO, Command::probe(0, &|_| false));
        let mut asked = 1;
        while !barrier.is_exhausted() {
            let now = barrier.deadline();
            barrier = barrier.ask(now, Command::probe(asked, &|_| false));
            assert!(barrier.deadline() > now);
            asked += 1;
        }
        assert_eq!(asked, ATTEMPTS);
    }

    /// A barrier after nothing for a module with this pace, asked at the moment 0.
    fn at_pace(seconds: u64) -> Barrier {
        let mut pace = Pace::default();
        pace.took(Duration::from_secs(seconds));
        Barrier::after_nothing(Timestamp::ZERO, Command::probe(0, &|_| false)).at_pace(pace)
    }

    #[test]
    fn answers_to_attempts_extend_the_wait_until_the_question_is_answered() {
        let mut barrier = at_pace(0).after_attempts(3);
        assert!(barrier.answers_attempt(Timestamp::from_secs(3)));
        assert_eq!(barrier.deadline(), Timestamp::from_secs(9));
        barrier.line(Timestamp::from_secs(4), b"+CIPMUX: 1", true);
        assert!(!barrier.answers_attempt(Timestamp::from_secs(4)), "it may be that of the question");
        assert_eq!(barrier.deadline(), Timestamp::from_secs(9));
    }

    #[test]
    fn the_waits_for_an_answer_follow_the_pace_of_the_module() {
        let probe = || Command::probe(1, &|_| false);
        let mut barrier = at_pace(3);
        barrier.odd_final(Timestamp::from_secs(1));
        assert_eq!(barrier.deadline(), Timestamp::from_secs(4), "the line after an odd result code");
        let barrier = barrier.ask(Timestamp::from_secs(4), probe());
        assert_eq!(barrier.deadline(), Timestamp::from_secs(10), "the next question");
    }

    #[test]
    fn the_waits_for_an_answer_follow_the_late_answers_to_earlier_questions() {
        let probe = |turn| Command::probe(turn, &|_| false);
        let mut barrier = at_pace(0).ask(Timestamp::from_secs(1), probe(1));
        let late = Timestamp::from_secs(4);
        assert!(matches!(barrier.line(late, b"+CIPMUX: 1", true), BarrierVerdict::Consumed));
        assert_eq!(barrier.deadline(), Timestamp::from_secs(8), "as long again as it has taken");
        assert!(matches!(
            barrier.line(Timestamp::from_secs(6), b"+CIPMUX: 1", true),
            BarrierVerdict::Consumed
        ));
        assert_eq!(barrier.deadline(), Timestamp::from_secs(8), "it came once more");
        barrier.odd_final(Timestamp::from_secs(2));
        assert_eq!(barrier.deadline(), Timestamp::from_secs(6), "the line after an odd result code");
        let barrier = barrier.ask(Timestamp::from_secs(8), probe(2));
        assert_eq!(barrier.deadline(), Timestamp::from_secs(16), "the next question");
    }

    #[test]
    fn a_prompt_of_no_known_send_is_remembered_until_the_question_is_answered() {
        let mut barrier = Barrier::after_nothing(Timestamp::ZERO, Command::probe(0, &|_| false));
        assert!(!barrier.is_prompted());
        barrier.prompted(Timestamp::ZERO);
        assert!(barrier.is_prompted());
        assert!(matches!(barrier.line(Timestamp::ZERO, b"+CIPMUX: 1", true), BarrierVerdict::Consumed));
        assert!(!barrier.is_prompted());
        barrier.prompted(Timestamp::ZERO);
        assert!(!barrier.is_prompted(), "it waits for no payload: it has answered");
    }

    /// The verdict on the last of these lines.
    fn last_verdict(mut barrier: Barrier, lines: &[&str]) -> BarrierVerdict {
        let verdicts = lines.iter().map(|line| barrier.line(Timestamp::ZERO, line.as_bytes(), true));
        verdicts.last().unwrap()
    }

    /// The result of a passed barrier: the number of extra final result codes, the number of bare `OK`s among them, and
    /// whether the answer may be mixed.
    fn counted(barrier: Barrier, lines: &[&str]) -> (u8, u8, bool) {
        match last_verdict(barrier, &[lines, &PROBED].concat()) {
            BarrierVerdict::Passed { extra, extra_oks, mixed, .. } => (extra, extra_oks, mixed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_attempt_has_a_second_more() {
        let at = Timestamp::from_millis;
        let probe = |turn| Command::probe(turn, &|_| false);
        let mut barrier = Barrier::after_nothing(at(10_000), probe(0));
        assert_eq!(barrier.deadline(), at(11_000));
        for attempt in 2..=6 {
            assert!(!barrier.is_exhausted());
            let now = barrier.deadline();
            barrier = barrier.ask(now, probe(attempt as usize - 1));
            assert_eq!(barrier.deadline(), now + Duration::from_secs(attempt));
        }
        assert!(barrier.is_exhausted());
    }

    #[test]
    fn an_odd_final_result_code_is_waited_for_300_ms_for_each_attempt() {
        let at = Timestamp::from_millis;
        let probe = |turn| Command::probe(turn, &|_| false);
        let mut barrier = Barrier::after_nothing(at(10_000), probe(0));
        barrier.odd_final(at(10_100));
        assert_eq!(barrier.deadline(), at(10_400));
        barrier.odd_final(at(10_200));
        assert_eq!(barrier.deadline(), at(10_400), "another one");
        let mut barrier = barrier.ask(at(10_400), probe(1));
        barrier.odd_final(at(10_500));
        assert_eq!(barrier.deadline(), at(11_100));
        let mut barrier = barrier.ask(at(11_100), probe(2));
        barrier.odd_final(at(14_000));
        assert_eq!(barrier.deadline(), at(14_100), "the deadline of the question");
    }

    #[test]
    fn lines_are_attributed_before_and_after_the_answer_to_the_question() {
        let barrier = || after(Ok(()), &["+CSQ: 24,0"]);
        assert!(matches!(last_verdict(barrier(), &["AT+CIPMUX?"]), BarrierVerdict::Consumed), "its echo");
        for line in ["STATE: IP STATUS", "SHUT OK"] {
            assert!(matches!(last_verdict(barrier(), &[line]), BarrierVerdict::Stray), "{line}");
        }
        assert!(matches!(last_verdict(barrier(), &["0, CLOSED"]), BarrierVerdict::Unclaimed));
        let answered = |line| last_verdict(barrier(), &["+CIPMUX: 1", line]);
        assert!(matches!(answered("NO CARRIER"), BarrierVerdict::Stray), "the end of a call");
        assert!(matches!(answered("0, CLOSED"), BarrierVerdict::Unclaimed));
        assert!(matches!(answered("ERROR"), BarrierVerdict::Passed { .. }));
    }

    #[test]
    fn final_result_codes_too_many_are_counted() {
        let nothing = Barrier::after_nothing(Timestamp::ZERO, Command::probe(0, &|_| false));
        assert_eq!(counted(nothing, &[]), (0, 0, false));
        let answered = |lines: &[&str]| counted(after(Ok(()), &["+CSQ: 24,0"]), lines);
        assert_eq!(answered(&[]), (0, 0, false));
        assert_eq!(answered(&["OK"]), (1, 1, false));
        assert_eq!(answered(&["ERROR"]), (1, 0, false));
        assert_eq!(answered(&["+CSQ: 24,0", "OK"]), (1, 0, false));
        assert_eq!(answered(&["+CSQ: 24,0"]), (0, 0, true), "a line after the final result code");
        assert_eq!(counted(after(Ok(()), &[]), &["ERROR"]), (1, 1, false), "the first one is bare");
        assert_eq!(answered(&["OK"; 20]), (7, 7, false), "eight are kept");
    }

    #[test]
    fn a_line_of_no_command_makes_an_answer_doubtful() {
        for (foreign, lines, is_mixed) in [
            (None, &[][..], false),
            (Some(ForeignLine::OwnName), &[], false),
            (Some(ForeignLine::OwnName), &["OK"], true),
            (Some(ForeignLine::OwnName), &["OK", "OK"], true),
            (Some(ForeignLine::Unexplained), &[], true),
            (None, &["OK"], false),
        ] {
            let mut barrier = after(Ok(()), &["+CSQ: 24,0"]);
            if let Some(foreign) = foreign {
                barrier.held.as_mut().unwrap().exchange.foreign_line_came(foreign);
            }
            assert_eq!(counted(barrier, lines).2, is_mixed, "{foreign:?}, {lines:?}");
        }
    }

    #[test]
    fn an_answer_whose_line_was_too_long_is_no_answer() {
        let command = Command::of_user("ATI", Duration::from_secs(1)).unwrap();
        let issuer = Issuer::Caller(Ticket(1));
        let exchange = Exchange::new(Timestamp::ZERO, command, issuer, Duration::ZERO, Phase::Answer);
        let mut barrier = Barrier::after(Timestamp::ZERO, exchange, Ok(()), Command::probe(0, &|_| false));
        assert!(barrier.issuer_mut().is_some());
        barrier.line_lost();
        assert_eq!(passed(barrier, &PROBED), Err(Failure::Refused(Refusal::TooLong)));
    }

    #[test]
    fn a_barrier_after_nothing_is_preceded_by_no_attempt() {
        assert!(!at_pace(0).answers_attempt(Timestamp::ZERO));
    }

    #[test]
    fn an_error_after_one_question_refuses_that_one_alone() {
        let (now, probe) = (Timestamp::ZERO, |turn| Command::probe(turn, &|_| false));
        let mut barrier = Barrier::after_nothing(now, probe(0));
        barrier.line(now, b"ERROR", true);
        let mut barrier = barrier.ask(now, probe(1)).ask(now, probe(2));
        let refused: Vec<Command> = barrier.take_refused();
        assert_eq!(refused.iter().map(Command::text).collect::<Vec<_>>(), [probe(0).text()]);
    }

    #[test]
    fn the_header_of_data_is_the_answer_to_their_fetch() {
        let channel = |number| ChannelId::new(number).unwrap();
        for (came, expected) in [(Some(1), Ok(Vec::new())), (Some(2), Err(Failure::Refused(Refusal::Empty)))]
        {
            let (now, issuer) = (Timestamp::ZERO, Issuer::Caller(Ticket(1)));
            let command = Command::fetch(channel(1), 100);
            let exchange = Exchange::new(now, command, issuer, Duration::ZERO, Phase::Answer);
            let mut barrier = Barrier::after_open(now, exchange, Command::probe(0, &|_| false));
            came.into_iter().for_each(|number| barrier.data_came(channel(number)));
            assert_eq!(passed(barrier, &["OK", PROBED[0], PROBED[1]]), expected, "{came:?}");
        }
    }

    #[test]
    fn an_answer_with_text_of_people_has_no_final_result_code_too_many() {
        let (now, issuer) = (Timestamp::ZERO, Issuer::Caller(Ticket(1)));
        let command = Command::of_user("AT+CMGR=1", Duration::from_secs(1)).unwrap();
        let mut exchange = Exchange::new(now, command, issuer, Duration::ZERO, Phase::Answer);
        for line in ["+CMGR: \"REC READ\",\"1\"", "hello", "OK"] {
            exchange.judge(line.as_bytes(), &Line::parse(line.as_bytes()));
        }
        let barrier = Barrier::after(now, exchange, Ok(()), Command::probe(0, &|_| false));
        assert_eq!(counted(barrier, &[]), (0, 0, false));
    }
}
