//! The session: one command in flight, its answer, and the detection of late answers to other commands.

mod backlog;
mod barrier;
mod data_mode;
mod distrust;
mod exchange;
mod held_answers;
mod in_flight;
mod late_answers;
mod old_results;
mod open_send;
mod pace;
mod passed_barrier;
mod payload;
mod probes;
mod prompt;
mod prompt_timeout;
mod questions;
mod reading;
mod resync;
mod search;
mod step;
mod stray_prompt;
mod text_of_people;
#[cfg(test)]
mod transitions;
mod wake;

use std::time::Duration;

use crate::at::{ChannelId, Command, Expect, HeaderKind, Line, Refusal, Urc, Verdict};
use crate::time::Timestamp;

use super::issuer::Issuer;
use super::outbox::Outbox;
use super::{Deadline, Event};
use barrier::{Barrier, BarrierVerdict};
pub(super) use exchange::{ACCEPT_TIMEOUT, Failure, Finished};
use exchange::{Exchange, ForeignLine, Phase, UnexpectedLine};
use late_answers::{FinalCount, LateAnswers};
pub(super) use open_send::OpenSend;
use pace::Pace;
use probes::Probes;
pub(super) use reading::{begins_connection, begins_result, may_lack_end};
use reading::{is_echo, is_unexplained};
use resync::Resync;
pub(super) use resync::{ChannelSet, ProbeEcho};
pub(super) use step::Step;
use stray_prompt::StrayPrompt;
pub(super) use wake::Wake;
#[cfg(all(feature = "ports", unix))]
pub(crate) use wake::{attempts_after_attention, attempts_to_escape};

/// The exchange of commands and answers with the module: the command in flight, its answer, and the recovery after
/// time-outs.
///
/// | state | on | next |
/// |---|---|---|
/// | `Waking` | any final | `AtBarrier` |
/// | `AtBarrier` | the barrier is passed | `Idle`; the command held back is finished |
/// | `AtBarrier` | the question is not answered, several times | `Waking`; the command held back has timed out |
/// | `Idle` | [`start`](Session::start) | `Busy` |
/// | `Busy` | the final | `Idle`, or `AtBarrier` while a late final may still come |
/// | `Busy` | a doubtful final | `AtBarrier`, the command held back |
/// | `Busy` | an error or the end of the channel in place of the prompt | `Busy`, for a moment: the prompt may still come |
/// | `Busy` | that moment is over | `AtBarrier`, the send held back: the question shows whether the module waits |
/// | `Busy` | that moment is over, and the error may be another command's | `AtBarrier`: the payload is written, the send has failed |
/// | `AtBarrier` | a prompt, or no answer, while the module may wait for a send | `AtBarrier`: the payload is written, the send has failed |
/// | `Busy` | its deadline, waiting for the prompt | `Busy`: the payload is written all the same |
/// | `Busy` | its deadline, where the module gives up waiting itself (`AT+FSWRITE`) | `AtBarrier`; the command has timed out |
/// | `Busy` | its deadline | `AtBarrier`; the command has timed out |
/// | `Busy` | its deadline, where success would have begun data mode | `Waking`, by `+++`; the command has timed out |
/// | `Busy` | a refusal that may be another command's, where success would have begun data mode | `Waking`, by `+++` |
/// | `Idle` | [`go_online`](Session::go_online): data mode has begun | `Online` |
/// | `Online` | [`go_offline`](Session::go_offline): it has ended | `Idle` |
/// | `Online` | [`search`](Session::search): it is not known whether it has | `Waking`, by `+++` |
/// | any | [`restart`](Session::restart): port opened, module restarted | `Waking` |
///
/// The table in `transitions.rs`, which a test walks, has the next state for every state and input but the end of
/// distrust.
///
/// The line may be damaged in every state ([`distrust`](Session::distrust)). Until it is trusted again, no bytes are
/// read as lines, and no command is started.
#[derive(Debug)]
pub(super) struct Session {
    state: State,
    late_answers: LateAnswers,
    probes: Probes,
    pace: Pace,
    /// The work until the line is trusted again.
    resync: Option<Resync>,
    /// The kind of the last token.
    before: LastToken,
    /// The last send that was filled up, until a question after it is answered. The bytes that filled it may have been
    /// lost.
    unproved: Option<OpenSend>,
    /// Whether a question after it got no answer.
    filling_is_doubted: bool,
    /// Whether an `OK` came that answers nothing, although no late answer was awaited.
    has_odd_ok: bool,
    stray_prompt: StrayPrompt,
}

/// The kind of the last token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LastToken {
    /// A line.
    Line,
    /// An empty line, CR LF: a frame may begin.
    FrameEnd,
}

#[derive(Debug)]
enum State {
    Waking(Wake),
    Idle,
    Busy(Exchange),
    AtBarrier(Barrier),
    /// Data mode: all bytes are payload.
    Online,
}

/// The time-out of a prompt. Answers come within 10 ms (section 15). No source gives a limit for prompts: 5 s is an
/// assumption.
const PROMPT_TIMEOUT: Duration = Duration::from_secs(5);

impl Session {
    /// Creates the session for a port that was just opened.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            state: State::Waking(Wake::new(now)),
            late_answers: LateAnswers::none(),
            probes: Probes::default(),
            pace: Pace::default(),
            before: LastToken::FrameEnd,
            resync: None,
            unproved: None,
            filling_is_doubted: false,
            has_odd_ok: false,
            stray_prompt: StrayPrompt::default(),
        }
    }

    /// Whether a command can be started.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.resync.is_none() && self.stray_prompt.due_at().is_none()
    }

    /// True if late answers may come.
    pub(super) fn awaits_late_answer(&self, now: Timestamp) -> bool {
        self.late_answers.is_on(now)
    }

    /// True while the state of the module is unknown.
    pub(super) fn is_waking(&self) -> bool {
        matches!(self.state, State::Waking(_))
    }

    /// The token that the decoder is to expect.
    pub(super) fn expect(&self) -> Expect {
        match &self.state {
            State::Busy(Exchange {
                phase: Phase::Prompt(_) | Phase::Blind(_) | Phase::Result(_), ..
            }) => Expect::Prompt,
            State::Waking(wake) if wake.has_open() => Expect::Prompt,
            State::AtBarrier(barrier) if barrier.has_open() => Expect::Prompt,
            State::Online => Expect::Raw,
            // At the beginning of a frame the line may be one of the module's, or a header of data.
            _ if self.reads_text() && self.before == LastToken::Line => Expect::Text,
            State::Waking(_) | State::Idle | State::Busy(_) | State::AtBarrier(_) => Expect::Line,
        }
    }

    /// Writes a command. The session must be idle. `payload` is written after the prompt.
    pub(super) fn start(
        &mut self,
        now: Timestamp,
        command: Command,
        issuer: Issuer,
        payload: Option<Vec<u8>>,
        out: &mut Outbox,
    ) {
        debug_assert!(self.is_idle());
        out.count().commands.written += 1;
        out.command_with(&command, payload.as_deref());
        self.before = LastToken::FrameEnd;
        if let Some(payload) = payload.as_ref().filter(|_| command.writes_file()) {
            out.hide_file(payload);
        }
        let (phase, timeout) = match payload {
            Some(payload) if command.carries_payload() => (Phase::Result(payload), command.timeout()),
            Some(payload) if command.gives_up() => (Phase::Prompt(payload), command.timeout()),
            Some(payload) => (Phase::Prompt(payload), PROMPT_TIMEOUT),
            None => (Phase::Answer, command.timeout()),
        };
        self.state = State::Busy(Exchange::new(now, command, issuer, timeout, phase));
    }

    /// A header of fetched data came.
    pub(super) fn header(&mut self, kind: &HeaderKind) {
        let HeaderKind::Fetched { channel, .. } = *kind else { return };
        match &mut self.state {
            State::Busy(exchange) if exchange.command.fetches(channel) => exchange.data_came(),
            State::AtBarrier(barrier) => barrier.data_came(channel),
            State::Busy(_) | State::Waking(_) | State::Idle | State::Online => {}
        }
    }

    /// A line came that was too long to be kept. If it belongs to an answer, the answer is incomplete.
    pub(super) fn line_too_long(&mut self) {
        match &mut self.state {
            State::Busy(exchange) => exchange.line_lost(),
            State::AtBarrier(barrier) => barrier.line_lost(),
            State::Waking(_) | State::Idle | State::Online => {}
        }
    }

    /// A line of text.
    fn line_in_state(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let is_prompt = text == b">" && !self.reads_text();
        match &mut self.state {
            State::Waking(_) | State::Idle | State::Busy(_) | State::AtBarrier(_) if is_prompt => {
                self.prompt(now, out)
            }
            State::Waking(_) => self.waking_line(now, text, out),
            State::Idle | State::Online => self.idle_line(now, text, out),
            State::Busy(_) => self.busy_line(now, text, out),
            State::AtBarrier(_) => self.line_at_barrier(now, text, out),
        }
    }

    /// The moment at which [`expire`](Self::expire) is to be called, and the reason.
    pub(super) fn deadline(&self) -> Option<(Timestamp, Deadline)> {
        if let Some(resync) = &self.resync {
            return Some((resync.deadline(), Deadline::Resync));
        }
        match &self.state {
            State::Idle => self.stray_prompt.due_at().map(|at| (at, Deadline::Doubt)),
            State::Online => None,
            State::Waking(wake) => Some((wake.deadline(), Deadline::Wake)),
            State::AtBarrier(barrier) => Some((barrier.deadline(), Deadline::Barrier)),
            State::Busy(exchange) => Some(match (&exchange.phase, exchange.unexpected()) {
                (_, Some(UnexpectedLine::Refused(_) | UnexpectedLine::Closed)) => {
                    (exchange.deadline, Deadline::Doubt)
                }
                (Phase::Prompt(_), _) => (exchange.deadline, Deadline::Prompt),
                (Phase::Answer | Phase::Blind(_) | Phase::Result(_), _) => {
                    (exchange.deadline, Deadline::Answer)
                }
            }),
        }
    }

    /// The deadline has passed. Some firmware does not answer while a connection is being made: until `excused_until`
    /// silence is normal.
    pub(super) fn expire(
        &mut self,
        now: Timestamp,
        excused_until: Option<Timestamp>,
        out: &mut Outbox,
    ) -> Step {
        let excuse = excused_until.filter(|until| *until > now);
        if self.resync.is_some() {
            return self.resync_expired(now, excuse, out);
        }
        match &mut self.state {
            State::Idle => {
                self.settle_stray_prompt(now, out);
                Step::Consumed
            }
            State::Online => Step::Consumed,
            State::Waking(wake) => {
                let attempt = wake.next(now);
                if !attempt.bytes.is_empty() {
                    out.write(attempt.bytes);
                }
                if attempt.round_over {
                    out.event(Event::Unresponsive);
                }
                Step::Consumed
            }
            State::Busy(exchange) => {
                if let Some(until) = excuse.filter(|_| exchange.unexpected().is_none()) {
                    exchange.deadline = until;
                    return Step::Consumed;
                }
                self.busy_expired(now, out)
            }
            State::AtBarrier(barrier) => {
                match excuse {
                    Some(until) => barrier.extend(until),
                    None => return self.barrier_expired(now, out),
                }
                Step::Consumed
            }
        }
    }

    fn idle_line(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        match Line::parse(text) {
            Line::Final(_) | Line::ShutOk | Line::State(_) | Line::Row(_) => self.stray(now, text, out),
            _ if is_echo(text) => Step::Echoed,
            _ => Step::Unclaimed,
        }
    }

    fn busy_line(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let line = Line::parse(text);
        if self.prompted_by(now, &line, out) {
            return Step::Consumed;
        }
        let State::Busy(exchange) = &mut self.state else { return Step::Unclaimed };
        if exchange.command.is_echo(text) {
            return Step::Echoed;
        }
        match exchange.judge(text, &line) {
            Verdict::Part => Step::Consumed,
            Verdict::Done(end) => self.ended(now, end, out),
            Verdict::Doubtful(end) => {
                self.hold(now, end, out);
                Step::Consumed
            }
            Verdict::NotMine if matches!(line, Line::Final(_) | Line::ShutOk) => self.stray(now, text, out),
            Verdict::NotMine if exchange.hides(&line) && !Urc::parse(text).is_known() => {
                out.event(Event::Dropped(format!("{} bytes while a file was written", text.len())));
                Step::Consumed
            }
            Verdict::NotMine => {
                if self.late_answers.is_on(now) && is_unexplained(&self.late_answers, &line) {
                    exchange.foreign_line_came(ForeignLine::Unexplained);
                }
                Step::Unclaimed
            }
        }
    }

    fn line_at_barrier(&mut self, now: Timestamp, text: &[u8], out: &mut Outbox) -> Step {
        let State::AtBarrier(barrier) = &mut self.state else { return Step::Unclaimed };
        match barrier.line(now, text, self.before == LastToken::FrameEnd) {
            BarrierVerdict::Consumed => {
                if barrier.has_final_too_many() && !self.late_answers.is_on(now) {
                    barrier.odd_final(now);
                }
                Step::Consumed
            }
            BarrierVerdict::Stray => self.stray(now, text, out),
            BarrierVerdict::Unclaimed if is_echo(text) => Step::Consumed,
            BarrierVerdict::Unclaimed => {
                if self.late_answers.is_on(now) && is_unexplained(&self.late_answers, &Line::parse(text)) {
                    barrier.foreign_line_came();
                }
                Step::Unclaimed
            }
            BarrierVerdict::Passed { held, extra, extra_oks, mixed } => {
                self.barrier_passed(now, held, [extra, extra_oks], mixed)
            }
        }
    }

    /// The command in flight has ended. It is held back if the final result code may belong to an older command.
    fn ended(&mut self, now: Timestamp, end: Result<(), Refusal>, out: &mut Outbox) -> Step {
        let State::Busy(exchange) = &mut self.state else { return Step::Consumed };
        exchange.final_came(now);
        let suspicious = self.late_answers.may_be_of_another(now, &exchange.command, end);
        match (&exchange.phase, end) {
            // The module may still write its prompt, or the result of a payload that was written with its command. So
            // no question can be written yet.
            (_, Err(refusal)) if exchange.may_go_on_after(refusal) => {
                return self.doubt_refusal(now, refusal, suspicious, out);
            }
            // The module has read the rest of a refused payload as commands. Their errors must not be taken for other
            // answers.
            (Phase::Blind(_) | Phase::Result(_), Err(_)) => {
                out.count().resynchronisations += 1;
                self.hold(now, end, out);
                return Step::Consumed;
            }
            (_, Err(_)) if suspicious && exchange.command.begins_data_mode() => {
                out.count().resynchronisations += 1;
                return self.refused_data_mode(now, out);
            }
            (Phase::Answer | Phase::Prompt(_) | Phase::Blind(_) | Phase::Result(_), _) if suspicious => {
                out.count().resynchronisations += 1;
                self.hold(now, end, out);
                return Step::Consumed;
            }
            (Phase::Answer | Phase::Prompt(_) | Phase::Blind(_) | Phase::Result(_), _) => {}
        }
        if end.is_ok() && exchange.command.is_answered_at_once() && matches!(exchange.phase, Phase::Answer) {
            self.pace.took(exchange.age(now));
        }
        let lines = exchange.take_lines();
        if let Some(buffer) = exchange.take_buffer() {
            out.reuse(buffer);
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Busy(exchange) => {
                Step::Finished(exchange.finish(end.map(|()| lines).map_err(Failure::Refused)))
            }
            State::Waking(_) | State::Idle | State::AtBarrier(_) | State::Online => Step::Consumed,
        }
    }

    fn hold(&mut self, now: Timestamp, end: Result<(), Refusal>, out: &mut Outbox) {
        if let State::Busy(mut exchange) = std::mem::replace(&mut self.state, State::Idle) {
            exchange.final_came(now);
            let probe = self.next_probe(&[&exchange.command]);
            exchange.end_of_refused_payload().into_iter().for_each(|bytes| out.write(bytes));
            self.barrier(Barrier::after(now, exchange, end, probe), out);
        }
    }

    /// True if lines of the answer may belong to a command that timed out.
    fn is_mixed(&self, now: Timestamp, finished: &Finished, finals: FinalCount) -> bool {
        let Ok(lines) = &finished.result else { return false };
        let was_asked = |key: &str| self.probes.has_asked(key);
        self.late_answers.is_on(now)
            && self.late_answers.may_have_mixed(&finished.command, lines, finals, was_asked)
    }

    /// True if the refusal of a fetch may belong to a command that timed out. Then the module may have delivered the
    /// data, and they are lost.
    fn may_still_bring(&self, now: Timestamp, finished: &Finished) -> bool {
        let is_fetch = ChannelId::all().any(|channel| finished.command.fetches(channel));
        let is_nameless = matches!(
            finished.result,
            Err(Failure::Refused(Refusal::Error | Refusal::Cme(_) | Refusal::Cms(_)))
        );
        is_fetch && is_nameless && self.late_answers.is_on(now)
    }
}
