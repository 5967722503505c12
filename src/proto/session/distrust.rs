//! The session between damage on the line and the proof that the line is sound again.

use crate::at::{ChannelId, Command, Line, Refusal};
use crate::time::Timestamp;

use super::super::Event;
use super::super::issuer::Issuer;
use super::super::outbox::Outbox;
use super::exchange::{Exchange, Failure, Finished, Phase};
use super::prompt_timeout::GRACE;
use super::resync::{Action, ChannelSet, Resync, ResyncVerdict};
use super::wake::Wake;
use super::{Session, State, Step};

impl Session {
    /// The line was damaged. All bytes are dropped until the answer to a question proves where text begins. Meanwhile
    /// the `affected` channels are closed. The command in flight is returned as failed, because its answer can't be
    /// identified. A command with payload stays in flight, because the module may be waiting for the payload.
    pub(in crate::proto) fn distrust(
        &mut self,
        now: Timestamp,
        last_byte_at: Timestamp,
        affected: ChannelSet,
        out: &mut Outbox,
    ) -> Option<Finished> {
        if let Some(resync) = &mut self.resync {
            resync.close(affected);
            return None;
        }
        // No line was trusted yet, or the line carries only payload.
        if matches!(self.state, State::Waking(_) | State::Online) {
            return None;
        }
        out.count().resynchronisations += 1;
        // A prompt may still come. It would be dropped, but it decides what may be written next.
        if matches!(&self.state, State::Busy(Exchange { phase: Phase::Prompt(_), .. })) {
            self.resync = Some(Resync::after_a_prompt(now, now + GRACE, affected));
            return None;
        }
        self.resync = Some(Resync::new(now, last_byte_at, affected));
        self.settle(out)
    }

    /// Ends the command in flight, whose answer can't be identified.
    fn settle(&mut self, out: &mut Outbox) -> Option<Finished> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Busy(mut exchange) => match exchange.phase {
                // A module answers in order: after the answer to the question no answer to this command can come.
                Phase::Answer => Some(exchange.finish(Err(Failure::Refused(Refusal::Ambiguous)))),
                Phase::Prompt(_) => {
                    self.fill_up(exchange.take_open(), out);
                    Some(exchange.settled_by_filling())
                }
                // If the module waited for the payload, it has it.
                Phase::Blind(_) | Phase::Result(_) => {
                    self.unproved = exchange.take_open();
                    Some(exchange.settled_by_filling())
                }
            },
            State::AtBarrier(mut barrier) => {
                self.fill_up(barrier.take_open(), out);
                barrier.into_held()
            }
            State::Idle => None,
            state @ (State::Waking(_) | State::Online) => {
                self.state = state;
                None
            }
        }
    }

    /// True while all bytes are dropped.
    pub(in crate::proto) fn is_distrusting(&self) -> bool {
        self.resync.is_some()
    }

    /// Consumes bytes while nothing is trusted. Returns the number of dropped bytes, the step, and the channels whose
    /// headers are among them. The remaining bytes are text.
    pub(in crate::proto) fn distrusted(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> (usize, Step, ChannelSet) {
        let Some(resync) = &mut self.resync else { return (0, Step::Consumed, ChannelSet::default()) };
        let fed = resync.feed(now, bytes);
        let seen = resync.take_seen();
        match fed {
            ResyncVerdict::Distrusted => (bytes.len(), Step::Consumed, seen),
            ResyncVerdict::Ask => {
                self.ask_for_text(now, out);
                (bytes.len(), Step::Consumed, seen)
            }
            ResyncVerdict::Trusted(count) => {
                let step = Step::Trusted(resync.dropped(), resync.echo());
                self.resync = None;
                self.unproved = None;
                (count, step, seen)
            }
        }
    }

    /// The deadline of the search for the beginning of text has come.
    pub(super) fn resync_expired(
        &mut self,
        now: Timestamp,
        excuse: Option<Timestamp>,
        out: &mut Outbox,
    ) -> Step {
        let Some(resync) = &mut self.resync else { return Step::Consumed };
        if let Some(until) = excuse.filter(|_| resync.is_asking()) {
            resync.extend(until);
            return Step::Consumed;
        }
        if resync.is_waiting() {
            resync.begin(now);
            return self.settle(out).map_or(Step::Consumed, Step::Finished);
        }
        match resync.expire(now) {
            Action::None => {}
            Action::Ask => self.ask_for_text(now, out),
            Action::Close(channel) => out.command(&Command::close(channel)),
            Action::GiveUp => {
                out.event(Event::Unresponsive);
                return self.wake(Wake::new(now)).map_or(Step::Consumed, Step::Finished);
            }
        }
        Step::Consumed
    }

    fn ask_for_text(&mut self, now: Timestamp, out: &mut Outbox) {
        let probe = self.next_probe(&[]);
        out.command(&probe);
        if let Some(resync) = &mut self.resync {
            resync.asked(now, probe);
        }
    }

    /// The channel that the command in flight fetches data from.
    pub(in crate::proto) fn fetching(&self) -> Option<ChannelId> {
        match &self.state {
            State::Busy(exchange) => {
                exchange.issuer.channel().filter(|channel| exchange.command.fetches(*channel))
            }
            State::AtBarrier(_) | State::Waking(_) | State::Idle | State::Online => None,
        }
    }

    /// True if data of an earlier fetch of this channel may still come.
    pub(in crate::proto) fn may_still_fetch(&self, now: Timestamp, channel: ChannelId) -> bool {
        self.late_answers.is_on(now)
            && self.late_answers.timed_out().iter().any(|command| command.fetches(channel))
    }

    /// True if fetched data may come, of a fetch in flight or a late one.
    pub(in crate::proto) fn may_fetch(&self, now: Timestamp) -> bool {
        self.fetching().is_some() || ChannelId::all().any(|channel| self.may_still_fetch(now, channel))
    }

    /// True if a late answer with text of people may come.
    pub(in crate::proto) fn awaits_late_text(&self, now: Timestamp) -> bool {
        self.late_answers.is_on(now) && self.late_answers.timed_out().iter().any(Command::answers_with_text)
    }

    /// True if a line may belong to a late answer.
    pub(in crate::proto) fn explains(&self, now: Timestamp, text: &[u8]) -> bool {
        let line = Line::parse(text);
        // A late prompt has no line end, so the next line may follow it directly.
        let follows_prompt = |older: &Command| text.starts_with(b">") && older.may_be_prompted();
        let is_late = |older: &Command| older.may_print(&line) || follows_prompt(older);
        self.late_answers.is_on(now)
            && (matches!(line, Line::Final(_) | Line::ShutOk)
                || self.late_answers.timed_out().iter().any(is_late))
    }

    /// True if a line belongs to a late answer that ends with a final result code.
    pub(in crate::proto) fn awaits_final_after(&self, line: &Line<'_>) -> bool {
        let brings = |older: &Command| older.has_one_final() && older.may_print(line);
        !matches!(line, Line::Final(_) | Line::ShutOk) && self.late_answers.timed_out().iter().any(brings)
    }

    /// The number of questions that the session has asked.
    pub(in crate::proto) fn questions(&self) -> usize {
        self.probes.asked()
    }

    /// True if a command of the application is in flight. Its answer may have any form.
    pub(in crate::proto) fn is_asked_by_caller(&self) -> bool {
        matches!(&self.state, State::Busy(exchange) if matches!(exchange.issuer, Issuer::Caller(_)))
    }

    /// True if the lines of its answer may begin and end in any way.
    pub(in crate::proto) fn is_asked_for_any_lines(&self) -> bool {
        self.is_asked_by_caller() && !self.is_asked_for_named_lines()
    }

    /// True if a command of the application is in flight, and every line of its answer begins with its name.
    pub(in crate::proto) fn is_asked_for_named_lines(&self) -> bool {
        self.is_asked_by_caller()
            && matches!(&self.state, State::Busy(exchange) if exchange.command.has_named_answer())
    }
}

#[cfg(test)]
mod tests {
    use crate::query::{Query, Signal};

    use super::*;

    #[test]
    fn a_final_result_code_follows_only_lines_of_late_answers_that_end_with_one() {
        let mut session = Session::new(Timestamp::ZERO);
        session.late_answers.begin(Timestamp::ZERO, &Signal.command());
        session.late_answers.begin(Timestamp::ZERO, &Command::ip_status());
        for (line, is_awaited) in [
            ("+CSQ: 24,99", true),
            ("STATE: IP STATUS", false),
            ("OK", false),
            ("SHUT OK", false),
            ("+CREG: 1", false),
        ] {
            assert_eq!(session.awaits_final_after(&Line::parse(line.as_bytes())), is_awaited, "{line}");
        }
    }

    #[test]
    fn data_of_an_earlier_fetch_may_come_for_its_channel_while_late_answers_may() {
        let channel = |number| ChannelId::new(number).unwrap();
        let mut session = Session::new(Timestamp::ZERO);
        session.late_answers.begin(Timestamp::ZERO, &Command::fetch(channel(1), 100));
        session.late_answers.begin(Timestamp::ZERO, &Signal.command());
        assert!(session.may_still_fetch(Timestamp::ZERO, channel(1)));
        assert!(!session.may_still_fetch(Timestamp::ZERO, channel(0)));
        assert!(!session.may_still_fetch(Timestamp::from_secs(3_600), channel(1)));
    }

    #[test]
    fn damage_is_counted_once_and_not_before_the_line_is_trusted() {
        let (mut session, mut out) = (Session::new(Timestamp::ZERO), Outbox::default());
        let now = Timestamp::from_secs(1);
        let mut counted = |session: &mut Session| {
            session.distrust(now, now, ChannelSet::default(), &mut out);
            out.count().resynchronisations
        };
        assert_eq!((counted(&mut session), session.is_distrusting()), (0, false), "no line was trusted yet");
        session.state = State::Idle;
        assert_eq!((counted(&mut session), session.is_distrusting()), (1, true));
        assert_eq!(counted(&mut session), 1, "the line is distrusted already");
    }

    #[test]
    fn questions_are_counted() {
        let mut session = Session::new(Timestamp::ZERO);
        for number in 0..3 {
            assert_eq!(session.questions(), number);
            session.next_probe(&[]);
        }
    }

    #[test]
    fn nothing_is_consumed_while_the_line_is_trusted() {
        let (mut session, mut out) = (Session::new(Timestamp::ZERO), Outbox::default());
        assert_eq!(session.distrusted(Timestamp::ZERO, b"OK", &mut out).0, 0);
    }

    #[test]
    fn a_prompt_is_waited_for_before_the_line_is_searched_for_text() {
        let (now, mut out) = (Timestamp::from_secs(1), Outbox::default());
        for (phase, is_waiting) in [(Phase::Prompt(b"hello".to_vec()), true), (Phase::Answer, false)] {
            let mut session = Session::new(now);
            let command = Command::send(ChannelId::new(0).unwrap(), 5);
            let issuer = Issuer::Caller(crate::proto::Ticket(1));
            let exchange = Exchange::new(now, command, issuer, std::time::Duration::from_secs(5), phase);
            session.state = State::Busy(exchange);
            let ended = session.distrust(now, now, ChannelSet::default(), &mut out);
            assert_eq!((ended.is_none(), session.is_busy()), (is_waiting, is_waiting));
            assert_eq!(session.resync.as_ref().map(Resync::is_waiting), Some(is_waiting));
        }
    }
}
