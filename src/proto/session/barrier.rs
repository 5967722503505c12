//! A question whose answer proves that everything before it is over.

use std::time::Duration;

use crate::at::{ChannelId, Command, Final, IpStatus, Line, Refusal, Verdict};
use crate::time::Timestamp;

use super::exchange::{Exchange, Failure, Finished, Taint};
use super::open_send::OpenSend;
use crate::proto::issuer::Issuer;

/// A harmless question is asked when it is in doubt which command the next answer belongs to: after a time-out, after
/// a final that may have a sibling, and for a while after a time-out behind every command. A module answers in order,
/// so whatever comes before the question's own information line belongs to older commands. Successive attempts ask
/// different questions, so that the late answer of one is never taken for that of the next.
#[derive(Debug)]
pub(super) struct Barrier {
    /// A command whose answer is held back until the barrier is passed.
    held: Option<Box<HeldCommand>>,
    /// A send that the module may be waiting for: then the question is payload to it.
    open: Option<OpenSend>,
    probe: Command,
    /// The questions before that one. Their answers may still come, whatever has come in their place.
    asked: Vec<Command>,
    state: ProbeState,
    deadline: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ProbeState {
    /// The question is asked; what comes is old.
    Asked,
    /// A final has come that no older command owes: it may be all of the answer.
    Odd,
    /// The question is asked, and a prompt has come that belongs to no send: the question may be payload to the module.
    Prompted,
    /// Its information line has come; the next final is its own.
    Answered,
}

/// A command that has ended, perhaps more than once.
#[derive(Debug)]
struct HeldCommand {
    exchange: Exchange,
    ends: Vec<(Vec<String>, Result<(), Refusal>)>,
}

/// The meaning of a line for a barrier.
#[derive(Debug)]
pub(super) enum BarrierVerdict {
    /// The line belonged to the question or to the command held back.
    Consumed,
    /// A final of an older command.
    Stray,
    /// The line does not concern the barrier.
    Unclaimed,
    /// The barrier is passed.
    Passed {
        /// The command held back.
        held: Option<Finished>,
        /// How many finals it had beyond its own: late answers of other commands.
        extra: usize,
        /// Whether a line came with its answer that nothing explains.
        tainted: bool,
    },
}

/// How often the question is asked before the module counts as silent; with the growing time-outs about 21 s.
const ATTEMPTS: usize = 6;
/// The first attempt's time-out; a module answers within 10 ms (protocol section 15), but may be slow after a time-out.
const FIRST_TIMEOUT: Duration = Duration::from_millis(1_000);

/// How long the line of an answer may take behind a final that may be its own. Answers come within 10 ms (section 15).
const ODD_TIMEOUT: Duration = Duration::from_millis(300);

impl Barrier {
    /// A barrier behind no command: it proves that a module that was just found answers in order.
    pub(super) fn behind_nothing(now: Timestamp, probe: Command) -> Self {
        Self::new(now, None, probe)
    }

    /// A barrier behind a command that has ended with `end`.
    pub(super) fn behind(
        now: Timestamp,
        mut exchange: Exchange,
        end: Result<(), Refusal>,
        probe: Command,
    ) -> Self {
        let lines = exchange.take_lines();
        Self::new(now, Some(HeldCommand { exchange, ends: vec![(lines, end)] }), probe)
    }

    /// A barrier behind a command that has not ended, and may never.
    pub(super) fn behind_open(now: Timestamp, exchange: Exchange, probe: Command) -> Self {
        Self::new(now, Some(HeldCommand { exchange, ends: Vec::new() }), probe)
    }

    fn new(now: Timestamp, held: Option<HeldCommand>, probe: Command) -> Self {
        let (asked, state, deadline) = (Vec::new(), ProbeState::Asked, now + FIRST_TIMEOUT);
        Self { held: held.map(Box::new), open: None, probe, asked, state, deadline }
    }

    /// The module may be waiting for the payload of a send.
    pub(super) fn with_open(self, open: Option<OpenSend>) -> Self {
        Self { open, ..self }
    }

    /// A prompt has come that may be that of this send.
    pub(super) fn opens(&mut self, open: OpenSend) {
        self.open.get_or_insert(open);
    }

    /// Whether a prompt may come, and of which send.
    pub(super) fn has_open(&self) -> bool {
        self.open.is_some()
    }

    /// The send that the module may be waiting for, to be settled.
    pub(super) fn take_open(&mut self) -> Option<OpenSend> {
        self.open.take()
    }

    /// The send is settled by filling, and is over.
    pub(super) fn take_settled(&mut self) -> Option<Finished> {
        self.held.take().map(|held| held.exchange.settled_by_filling())
    }

    /// A prompt that belongs to no send that is known. The content of a file is waited for as long as the command says.
    pub(super) fn prompted(&mut self, now: Timestamp) {
        let writes = self.held().filter(|command| command.gives_up()).map(Command::timeout);
        match writes {
            Some(patience) => self.extend(now + patience),
            None if self.state == ProbeState::Asked => self.state = ProbeState::Prompted,
            None => {}
        }
    }

    /// A final has come that no older command owes. A module that answers the question with `OK` alone will say no more.
    pub(super) fn odd_final(&mut self, now: Timestamp) {
        if self.state == ProbeState::Asked {
            self.state = ProbeState::Odd;
            self.deadline = self.deadline.min(now + ODD_TIMEOUT);
        }
    }

    /// Whether the command held back has had more finals than one.
    pub(super) fn has_final_too_many(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.ends.len() > 1)
    }

    /// Whether nothing that came shows that the question will not be answered.
    pub(super) fn may_be_answered(&self) -> bool {
        self.state != ProbeState::Odd
    }

    /// A line of an answer may have been too long to be kept.
    pub(super) fn line_lost(&mut self) {
        if let Some(held) = &mut self.held {
            held.exchange.line_lost();
        }
    }

    /// Whether the module may be waiting for payload of which nothing is known.
    pub(super) fn is_prompted(&self) -> bool {
        self.state == ProbeState::Prompted
    }

    pub(super) fn probe(&self) -> &Command {
        &self.probe
    }

    /// The command that is held back.
    pub(super) fn held(&self) -> Option<&Command> {
        self.held.as_ref().map(|held| &held.exchange.command)
    }

    /// Whose it is.
    pub(super) fn issuer_mut(&mut self) -> Option<&mut Issuer> {
        self.held.as_mut().map(|held| &mut held.exchange.issuer)
    }

    /// Whether what comes may be text of people: the answer to the command held back, if its final was text, too.
    pub(super) fn is_in_text(&self) -> bool {
        self.state == ProbeState::Asked && self.held.as_ref().is_some_and(|held| held.exchange.is_in_text())
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Extends the deadline: the answers before it take long to arrive, or a slow command is under way.
    pub(super) fn extend(&mut self, deadline: Timestamp) {
        self.deadline = self.deadline.max(deadline);
    }

    /// The command held back, when the question will not be asked any more.
    pub(super) fn into_held(self) -> Option<Finished> {
        self.held.map(|held| held.exchange.finish(Err(Failure::Timeout)))
    }

    /// Whether it has been asked often enough.
    pub(super) fn is_exhausted(&self) -> bool {
        self.asked.len() + 1 >= ATTEMPTS
    }

    /// The commands whose answers may come beside that of the next question.
    pub(super) fn others(&self) -> impl Iterator<Item = &Command> + Clone {
        self.held().into_iter().chain(&self.asked).chain([&self.probe])
    }

    /// Asks another question.
    pub(super) fn ask(self, now: Timestamp, probe: Command) -> Self {
        let mut asked = self.asked;
        asked.push(self.probe);
        let deadline = now + FIRST_TIMEOUT * (asked.len() as u32 + 1);
        Self { probe, asked, state: ProbeState::Asked, deadline, ..self }
    }

    /// A header of fetched data has come.
    pub(super) fn data_came(&mut self, channel: ChannelId) {
        if let Some(held) = self.held.as_mut().filter(|held| held.exchange.command.fetches(channel)) {
            held.exchange.data_came();
        }
    }

    /// A line has come that nothing explains.
    pub(super) fn taint(&mut self) {
        if let Some(held) = &mut self.held {
            held.exchange.taint(Taint::Unexplained);
        }
    }

    pub(super) fn line(&mut self, text: &[u8]) -> BarrierVerdict {
        let line = Line::parse(text);
        if self.probe.is_echo(text) {
            return BarrierVerdict::Consumed;
        }
        match self.state {
            ProbeState::Asked | ProbeState::Odd | ProbeState::Prompted
                if self.probe.judge(&line, false) == Verdict::Part =>
            {
                self.state = ProbeState::Answered;
                BarrierVerdict::Consumed
            }
            ProbeState::Asked | ProbeState::Odd | ProbeState::Prompted => self.old_line(text, &line),
            // The end of a call is no answer to a question.
            ProbeState::Answered if line == Line::Final(Final::NoCarrier) => BarrierVerdict::Stray,
            ProbeState::Answered if matches!(line, Line::Final(_)) => self.pass(),
            ProbeState::Answered => BarrierVerdict::Unclaimed,
        }
    }

    fn old_line(&mut self, text: &[u8], line: &Line<'_>) -> BarrierVerdict {
        let Some(held) = &mut self.held else {
            return if is_old_answer(line) { BarrierVerdict::Stray } else { BarrierVerdict::Unclaimed };
        };
        match held.exchange.judge(text, line) {
            Verdict::Part => BarrierVerdict::Consumed,
            Verdict::Done(end) | Verdict::Doubtful(end) => {
                let lines = held.exchange.take_lines();
                if held.exchange.is_in_text()
                    && let Some((text, last)) = held.ends.last_mut()
                {
                    // The final before was text.
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
            return BarrierVerdict::Passed { held: None, extra: 0, tainted: false };
        };
        if held.exchange.is_in_text()
            && let Some((mut lines, end)) = held.ends.pop()
        {
            // The last of them is the final.
            lines.pop();
            let tainted = held.exchange.tainted() == Taint::Unexplained;
            let result = end.map(|()| lines).map_err(Failure::Refused);
            return BarrierVerdict::Passed { held: Some(held.exchange.finish(result)), extra: 0, tainted };
        }
        let rest = held.exchange.take_lines();
        // Behind the final nothing more of the answer comes: it is a piece of a line that was split, perhaps the final.
        let leftover = held.exchange.command.has_one_final() && !rest.is_empty();
        let extra = if held.exchange.command.has_one_final() { held.ends.len().saturating_sub(1) } else { 0 };
        let taint = held.exchange.tainted();
        let tainted =
            leftover || taint == Taint::Unexplained || (taint == Taint::OwnNews && held.ends.len() > 1);
        let result = one_of(held.ends, rest, &held.exchange.command);
        BarrierVerdict::Passed { held: Some(held.exchange.finish(result)), extra, tainted }
    }
}

/// The finals that are kept of one command; more than two come only from a module that breaks its protocol.
const MAX_ENDS: usize = 8;

/// Lines that only an answer has.
fn is_old_answer(line: &Line<'_>) -> bool {
    matches!(line, Line::Final(_) | Line::ShutOk | Line::State(_) | Line::Row(_))
}

/// The one end that several finals of a command amount to.
fn one_of(
    mut ends: Vec<(Vec<String>, Result<(), Refusal>)>,
    rest: Vec<String>,
    command: &Command,
) -> Result<Vec<String>, Failure> {
    // `OK` says that the connection is being made, the line behind it that it was not.
    let no_connection =
        |end: &Result<(), Refusal>| matches!(end, Err(Refusal::ConnectFail | Refusal::AlreadyConnect));
    if let Some((_, Err(refusal))) = ends.iter().find(|(_, end)| no_connection(end)) {
        return Err(Failure::Refused(*refusal));
    }
    if command.is_open_ended() {
        let refused = ends.iter().find_map(|(_, end)| end.err());
        let lines: Vec<String> = ends.into_iter().flat_map(|(lines, _)| lines).chain(rest).collect();
        if IpStatus::is_doubled(&lines) {
            return Err(Failure::Refused(Refusal::Ambiguous));
        }
        if !lines.is_empty() {
            return Ok(lines);
        }
        return Err(Failure::Refused(refused.unwrap_or(Refusal::Empty)));
    }
    // Data may have come that were not recognised as such: a refusal beside that may be the question's.
    let fetches = ChannelId::all().any(|channel| command.fetches(channel));
    if fetches && ends.iter().any(|(_, end)| *end == Err(Refusal::Empty)) {
        return Err(Failure::Refused(Refusal::Empty));
    }
    // A final without content is dropped if one with content came too.
    if ends.iter().any(|(_, end)| *end != Err(Refusal::Empty)) {
        ends.retain(|(_, end)| *end != Err(Refusal::Empty));
    }
    let mut ends = ends.into_iter();
    let Some((mut lines, end)) = ends.next() else { return Err(Failure::Timeout) };
    for (more, other) in ends {
        let agrees = other == end && (lines.is_empty() || more.is_empty() || lines == more);
        if !agrees {
            return Err(Failure::Refused(Refusal::Ambiguous));
        }
        if lines.is_empty() {
            lines = more;
        }
    }
    end.map(|()| lines).map_err(Failure::Refused)
}

#[cfg(test)]
mod tests {
    use crate::query::{Query, Signal};

    use super::super::exchange::Phase;
    use super::*;
    use crate::proto::Ticket;

    /// A barrier behind a signal question that has ended so, and is asked `AT+CIPMUX?`.
    fn behind(end: Result<(), Refusal>, lines: &[&str]) -> Barrier {
        let (now, command) = (Timestamp::ZERO, Signal.command());
        let issuer = Issuer::Caller(Ticket(1));
        let mut exchange = Exchange::new(now, command, issuer, Duration::ZERO, Phase::Answer);
        for line in lines {
            exchange.judge(line.as_bytes(), &Line::parse(line.as_bytes()));
        }
        Barrier::behind(now, exchange, end, Command::probe(0, |_| false))
    }

    /// The result of the command held back when these lines have come.
    fn passed(mut barrier: Barrier, lines: &[&str]) -> Result<Vec<String>, Failure> {
        for line in lines {
            if let BarrierVerdict::Passed { held, .. } = barrier.line(line.as_bytes()) {
                return held.unwrap().result;
            }
        }
        panic!("not passed");
    }

    const PROBED: [&str; 2] = ["+CIPMUX: 1", "OK"];

    #[test]
    fn what_comes_before_the_answer_to_the_question_is_old() {
        let mut barrier = Barrier::behind_nothing(Timestamp::ZERO, Command::probe(0, |_| false));
        for line in ["OK", "ERROR", "SHUT OK", "STATE: IP STATUS"] {
            assert!(matches!(barrier.line(line.as_bytes()), BarrierVerdict::Stray), "{line}");
        }
        assert!(matches!(barrier.line(b"0, CLOSED"), BarrierVerdict::Unclaimed));
        assert!(matches!(barrier.line(b"+CIPMUX: 1"), BarrierVerdict::Consumed));
        assert!(matches!(barrier.line(b"OK"), BarrierVerdict::Passed { held: None, .. }));
    }

    #[test]
    fn a_single_answer_is_the_commands_own() {
        assert_eq!(passed(behind(Ok(()), &["+CSQ: 24,0"]), &PROBED).unwrap(), ["+CSQ: 24,0"]);
    }

    #[test]
    fn an_answer_without_content_is_dropped_beside_one_with_it() {
        let lines = ["+CSQ: 24,0", "OK", "+CIPMUX: 1", "OK"];
        assert_eq!(passed(behind(Err(Refusal::Empty), &[]), &lines).unwrap(), ["+CSQ: 24,0"]);
    }

    #[test]
    fn answers_that_contradict_each_other_are_ambiguous() {
        for second in [&["ERROR"][..], &["+CSQ: 7,0", "OK"]] {
            let lines = [second, &PROBED[..]].concat();
            let result = passed(behind(Ok(()), &["+CSQ: 24,0"]), &lines);
            assert_eq!(result, Err(Failure::Refused(Refusal::Ambiguous)), "{second:?}");
        }
    }

    #[test]
    fn the_questions_come_to_an_end() {
        let mut barrier = Barrier::behind_nothing(Timestamp::ZERO, Command::probe(0, |_| false));
        let mut asked = 1;
        while !barrier.is_exhausted() {
            let now = barrier.deadline();
            barrier = barrier.ask(now, Command::probe(asked, |_| false));
            assert!(barrier.deadline() > now);
            asked += 1;
        }
        assert_eq!(asked, ATTEMPTS);
    }

    #[test]
    fn a_prompt_of_no_known_send_is_remembered_until_the_question_is_answered() {
        let mut barrier = Barrier::behind_nothing(Timestamp::ZERO, Command::probe(0, |_| false));
        assert!(!barrier.is_prompted());
        barrier.prompted(Timestamp::ZERO);
        assert!(barrier.is_prompted());
        assert!(matches!(barrier.line(b"+CIPMUX: 1"), BarrierVerdict::Consumed));
        assert!(!barrier.is_prompted());
        barrier.prompted(Timestamp::ZERO);
        assert!(!barrier.is_prompted(), "it waits for no payload: it has answered");
    }
}
