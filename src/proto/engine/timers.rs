//! The timers of the core: one table with their names, and the actions when they are due.

use std::time::Duration;

use crate::at::{Fault, Line, Urc};
use crate::proto::session::may_lack_end;
use crate::proto::transparent::StreamInput;
use crate::proto::{Deadline, Event};
use crate::time::Timestamp;

use super::Engine;
use super::line_state::{LastByte, PARTIAL_LINE};

/// After this span without a byte, announced payload counts as lost. A module writes a frame without pauses. No source
/// gives a figure: the value is an assumption.
const PARTIAL_DATA: Duration = Duration::from_secs(2);
/// A deadline that is served later than this shows that the host stood still. Unread bytes may be waiting in the port,
/// so the deadline is postponed once by its own span.
const LATE: Duration = Duration::from_millis(250);
/// For this span data are held that seem to contain the beginning of the next line. A port delivers the following bytes
/// sooner.
const FRAME_END: Duration = Duration::from_millis(50);

/// A timer: the moment at which it is due, and its name. `None` if it is not running.
type Timer = fn(&Engine) -> Option<(Timestamp, Deadline)>;

/// The timers that are served at any time. Each is derived from the state that it belongs to, so no timer can be out of
/// date.
const TIMERS: [Timer; 9] = [
    |engine| engine.session.deadline(),
    |engine| engine.transparent.deadline(),
    |engine| engine.request_deadline(),
    |engine| at(engine.channels.heartbeat_deadline(), Deadline::Heartbeat),
    |engine| engine.partial_line_span().map(|span| engine.after(span, Deadline::PartialLine)),
    |engine| engine.has_stranded_line().then(|| engine.after(PARTIAL_DATA, Deadline::PartialLine)),
    |engine| (engine.decoder.data_left() > 0).then(|| engine.after(PARTIAL_DATA, Deadline::PartialData)),
    |engine| engine.frame_end_span().map(|span| engine.after(span, Deadline::FrameEnd)),
    |engine| {
        let is_strange = !engine.has_whole_line() && engine.has_strange_start();
        is_strange.then(|| engine.after(PARTIAL_DATA, Deadline::StrangeLine))
    },
];

/// The timers that are served when a command can be written.
const COMMAND_TIMERS: [Timer; 2] = [
    |engine| engine.bring_up.deadline().map(|at| (at, Deadline::BringUp)),
    |engine| if engine.bring_up.is_ready() { engine.channels.turn_deadline() } else { None },
];

/// A timer; `Timestamp::MAX` stands for none.
fn at(moment: Timestamp, name: Deadline) -> Option<(Timestamp, Deadline)> {
    (moment != Timestamp::MAX).then_some((moment, name))
}

/// How often a timer may be due at one moment. The search for the module fills up a send and asks a question at one
/// moment; no other timer is due twice.
const MAX_TIMES: u32 = 8;

/// The pause of all timers after one of them stayed due.
const REST: Duration = Duration::from_millis(100);

/// The timer that was served last at one moment, and how often in a row.
#[derive(Debug, Default)]
struct ServedTimer {
    last: Option<(Timestamp, Deadline)>,
    times: u32,
}

impl ServedTimer {
    /// This timer is due. Returns true if it was served [`MAX_TIMES`] times and is due at the same moment again.
    fn stays_due(&mut self, due: (Timestamp, Deadline)) -> bool {
        self.times = if self.last.replace(due) == Some(due) { self.times + 1 } else { 0 };
        self.times == MAX_TIMES
    }
}

impl Engine {
    /// The earliest timer.
    pub(super) fn next_timer(&self) -> Option<(Timestamp, Deadline)> {
        let commands = COMMAND_TIMERS.iter().filter(|_| self.session.is_idle() && !self.may_be_prompted());
        let (at, name) = commands.chain(&TIMERS).filter_map(|timer| timer(self)).min()?;
        Some((at.max(self.timers_rest_until), name))
    }

    /// The first time-out of a request.
    pub(super) fn request_deadline(&self) -> Option<(Timestamp, Deadline)> {
        at(self.channels.request_deadline().min(self.requests.deadline()), Deadline::Request)
    }

    /// Ends the requests whose time-out has passed, with or without a port.
    pub(super) fn expire_requests(&mut self, now: Timestamp) {
        let reason = self.not_ready();
        self.channels.expire(now, reason, &mut self.out);
        self.out.answer_all(self.requests.expire(now, reason));
    }

    fn after(&self, span: Duration, name: Deadline) -> (Timestamp, Deadline) {
        (self.last_byte.at() + span, name)
    }

    /// True if the unfinished line has a meaning without its end.
    fn has_whole_line(&self) -> bool {
        let partial = self.decoder.partial_line();
        !partial.is_empty() && is_whole(partial)
    }

    /// True if there is an unfinished line beside a stream that has no meaning without its end.
    fn has_stranded_line(&self) -> bool {
        self.transparent.is_beside() && !self.decoder.partial_line().is_empty() && !self.has_whole_line()
    }

    /// How long the rest of the unfinished line is waited for, or the next line of a text of people; `None` if neither
    /// is. A line that may lack its end, or lacks an LF only, is whole. The rest of any other, and of a line of text,
    /// may be on its way through a slow port.
    fn partial_line_span(&self) -> Option<Duration> {
        let is_text = self.bodies.is_open();
        let partial = self.decoder.partial_line();
        if partial.is_empty() {
            return is_text.then_some(PARTIAL_LINE);
        }
        let is_over = is_whole(partial) && (may_lack_end(partial) || self.decoder.lacks_line_feed());
        if is_over { Some(PARTIAL_LINE) } else { (is_text || is_whole(partial)).then_some(PARTIAL_DATA) }
    }

    /// How long held data and lines are waited for; `None` if none are held.
    fn frame_end_span(&self) -> Option<Duration> {
        if !self.channels.has_suspect() && !self.history.holds_news() {
            return None;
        }
        // The end of this pause is a sign of damage, and not only the end of a wait.
        Some(if self.has_header_without_payload() { PARTIAL_DATA } else { FRAME_END })
    }

    /// True if data end with a whole header, and after its line end comes nothing that a module writes.
    fn has_header_without_payload(&self) -> bool {
        let is_odd = self.decoder.has_after_data(b">") || self.decoder.has_after_data(b"");
        is_odd && self.channels.holds_header_at_end()
    }

    /// Serves every timer that is due. A timer that stays due at the same moment after it was served is an error: the
    /// loop would never end, and the thread would not sleep.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let mut served = ServedTimer::default();
        while let Some(due) = TIMERS.iter().filter_map(|timer| timer(self)).min().filter(|(at, _)| *at <= now)
        {
            if served.stays_due(due) {
                debug_assert!(false, "{due:?} is served and stays due");
                self.timers_rest_until = now + REST;
                return;
            }
            self.serve(now, due);
        }
    }

    fn serve(&mut self, now: Timestamp, (at, name): (Timestamp, Deadline)) {
        match (name, self.last_byte) {
            (Deadline::PartialData | Deadline::StrangeLine, LastByte::At(last_byte_at))
                if now > at + LATE =>
            {
                self.last_byte = LastByte::Postponed(last_byte_at + (now - at) + LATE);
                return;
            }
            (_, _) => {}
        }
        match name {
            Deadline::Prompt if self.ends_with_prompt() => self.damaged(now, Fault::NoLineEnd, None),
            // A module writes an answer in one piece. So bytes are lost, and the lines may be data.
            Deadline::Answer if self.has_nameless_answer() => self.damaged(now, Fault::Garbage, None),
            Deadline::Answer if self.ends_with_result() => self.damaged(now, Fault::NoLineEnd, None),
            Deadline::Answer if self.ends_torn() && now >= self.last_byte.at() + PARTIAL_DATA => {
                self.damaged(now, Fault::NoLineEnd, None);
            }
            Deadline::Answer
            | Deadline::Prompt
            | Deadline::Doubt
            | Deadline::Barrier
            | Deadline::Resync
            | Deadline::Wake => {
                if !matches!(name, Deadline::Wake | Deadline::Doubt | Deadline::Resync) {
                    self.out.event(Event::Expired(name));
                }
                let busy =
                    if self.answers_while_connecting { None } else { self.channels.connecting_until() };
                let step = self.session.expire(now, busy, &mut self.out);
                self.step(now, step);
            }
            Deadline::Request => {
                self.expire_requests(now);
                self.stream_handles(now, StreamInput::Expired);
            }
            Deadline::PartialLine => self.end_partial_line(now),
            Deadline::PartialData => {
                self.out.event(Event::Expired(name));
                self.cut_short(now);
            }
            Deadline::FrameEnd if self.has_header_without_payload() => {
                self.damaged(now, Fault::NoLineEnd, None);
            }
            Deadline::FrameEnd => {
                self.channels.prove(now, &mut self.out);
                self.believe_news(now);
            }
            Deadline::StrangeLine => {
                self.decoder.start_over();
                self.history.awaits_end = false;
                self.damaged(now, Fault::Garbage, self.session.fetching());
            }
            Deadline::Heartbeat => self.channels.beat(now, &mut self.out),
            Deadline::EndDetector | Deadline::Guard | Deadline::Escape => self.drive_stream(now),
            // `pump` writes their commands.
            Deadline::BringUp
            | Deadline::ReceivePoll
            | Deadline::SendRetry
            | Deadline::CloseRetry
            | Deadline::Bearer
            | Deadline::Acknowledgement => {}
        }
    }

    /// The unfinished line counts as complete, because nothing came for [`PARTIAL_LINE`].
    fn end_partial_line(&mut self, now: Timestamp) {
        let partial = self.decoder.partial_line();
        self.history.awaits_end = !partial.is_empty() && !may_lack_end(partial);
        if !partial.is_empty() && !is_whole(partial) && !self.bodies.is_open() {
            self.stream_fault(now);
        }
        let impossible = self.impossible_tokens(now);
        let mut decoder = std::mem::take(&mut self.decoder);
        decoder.can_not_come(impossible);
        if let Some(token) = decoder.end_line() {
            self.token(now, token);
        }
        self.decoder = decoder;
        self.judge_noticed(now, self.decoder.was_loose());
        self.history.begins();
        self.end_text(now);
    }
}

/// True if a line has a meaning without its end.
fn is_whole(line: &[u8]) -> bool {
    match Line::parse(line) {
        Line::Final(_) | Line::ShutOk | Line::Channel { .. } => true,
        Line::State(_) | Line::Row(_) | Line::Info { .. } => false,
        // A prompt that no command waits for.
        Line::Text(b">") => true,
        Line::Text(_) => Urc::parse(line).is_known(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_timer_that_stays_due_is_noticed() {
        let (mut served, due) = (ServedTimer::default(), (Timestamp::ZERO, Deadline::Wake));
        let often: Vec<bool> = (0..=MAX_TIMES).map(|_| served.stays_due(due)).collect();
        assert!(often[MAX_TIMES as usize] && !often[..MAX_TIMES as usize].contains(&true));
        let mut served = ServedTimer::default();
        for millis in 0..100 {
            let moves = (Timestamp::from_millis(millis), Deadline::Wake);
            assert!(!served.stays_due(moves) && !served.stays_due((moves.0, Deadline::Request)));
        }
    }

    #[test]
    fn no_timer_is_due_while_all_of_them_pause() {
        let mut engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
        let (at, name) = engine.next_timer().unwrap();
        engine.timers_rest_until = at + REST;
        assert_eq!(engine.next_timer(), Some((at + REST, name)));
    }
}
