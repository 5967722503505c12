//! The session between damage on the line and the proof that it is sound again.

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
    /// The line was damaged: nothing that comes is believed until a question has proved where text begins. The `hurt`
    /// channels are closed meanwhile. The command in flight, if any, is given back, because its answer can't be known. A
    /// command with payload goes on, because the module may be waiting for the payload.
    pub(in crate::proto) fn distrust(
        &mut self,
        now: Timestamp,
        heard_at: Timestamp,
        hurt: ChannelSet,
        out: &mut Outbox,
    ) -> Option<Finished> {
        if let Some(resync) = &mut self.resync {
            resync.close(hurt);
            return None;
        }
        // No line has been believed yet, or only payload comes.
        if matches!(self.state, State::Waking(_) | State::Online) {
            return None;
        }
        out.count().resynchronisations += 1;
        // A prompt that is under way would not be believed, but it decides what is written next.
        if matches!(&self.state, State::Busy(Exchange { phase: Phase::Prompt(_), .. })) {
            self.resync = Some(Resync::behind_a_prompt(now, now + GRACE, hurt));
            return None;
        }
        self.resync = Some(Resync::new(now, heard_at, hurt));
        self.settle(out)
    }

    /// Ends the command in flight, whose answer can't be known.
    fn settle(&mut self, out: &mut Outbox) -> Option<Finished> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Busy(mut exchange) => match exchange.phase {
                // A module answers in order: behind the answer to the question no answer to this command comes.
                Phase::Answer => Some(exchange.finish(Err(Failure::Refused(Refusal::Ambiguous)))),
                Phase::Prompt(_) => {
                    self.fill_up(exchange.take_open(), out);
                    Some(exchange.settled_by_filling())
                }
                // The module has the payload, if it has waited for it.
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

    /// Whether nothing that comes is believed.
    pub(in crate::proto) fn is_distrusting(&self) -> bool {
        self.resync.is_some()
    }

    /// Takes bytes that are not believed. Returns how many of them are not, the step, and the channels whose headers stand in
    /// them. The bytes behind are text again.
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
        let probe = self.next_probe([]);
        out.command(&probe);
        if let Some(resync) = &mut self.resync {
            resync.asked(now, probe);
        }
    }

    /// The channel whose data the command in flight asks for.
    pub(in crate::proto) fn fetching(&self) -> Option<ChannelId> {
        match &self.state {
            State::Busy(exchange) => {
                exchange.issuer.channel().filter(|channel| exchange.command.fetches(*channel))
            }
            State::AtBarrier(_) | State::Waking(_) | State::Idle | State::Online => None,
        }
    }

    /// Whether data of this channel may still come that were asked for before.
    pub(in crate::proto) fn fears_fetch(&self, now: Timestamp, channel: ChannelId) -> bool {
        self.late_answers.is_on(now)
            && self.late_answers.timed_out().iter().any(|command| command.fetches(channel))
    }

    /// Whether a line may be of a late answer.
    pub(in crate::proto) fn explains(&self, now: Timestamp, text: &[u8]) -> bool {
        let line = Line::parse(text);
        // A late prompt has no line end, so that the next line may stand behind it.
        let is_late = |older: &Command| older.may_print(&line) || text.starts_with(b">");
        self.late_answers.is_on(now)
            && (matches!(line, Line::Final(_) | Line::ShutOk)
                || self.late_answers.timed_out().iter().any(is_late))
    }

    /// Whether a line is of a late answer that brings a final behind its lines.
    pub(in crate::proto) fn owes_final_behind(&self, line: &Line<'_>) -> bool {
        let brings = |older: &Command| older.has_one_final() && older.may_print(line);
        !matches!(line, Line::Final(_) | Line::ShutOk) && self.late_answers.timed_out().iter().any(brings)
    }

    /// How many questions the session has asked for itself.
    pub(in crate::proto) fn questions(&self) -> usize {
        self.probes
    }

    /// Whether a command of the application is in flight: its answer may have any form.
    pub(in crate::proto) fn is_asked_by_caller(&self) -> bool {
        matches!(&self.state, State::Busy(exchange) if matches!(exchange.issuer, Issuer::Caller(_)))
    }
}
