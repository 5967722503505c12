//! The timers of the core: one table, by name, and what is done when they are due.

use std::time::Duration;

use crate::at::{Fault, Line, Urc};
use crate::proto::transparent::StreamInput;
use crate::proto::{Deadline, Event};
use crate::time::Timestamp;

use super::Engine;
use super::damage::begins_connection;
use super::line_state::LastByte;

/// How long a line may stand unfinished before it counts as whole, if it is one that needs no end: old firmware forgets
/// the CR LF behind some (protocol section 2). Longer than any pause within a line of the captures.
const PARTIAL_LINE: Duration = Duration::from_millis(250);

/// How long announced payload may stop coming. A frame is written in one go; a second's pause is a loss. An assumption:
/// no source gives a figure.
const PARTIAL_DATA: Duration = Duration::from_secs(2);
/// A deadline that is served later than this shows that the host stood still. Bytes that came meanwhile are still to be read, so
/// the line counts as silent only after the same time again.
const LATE: Duration = Duration::from_millis(250);
/// How long data are held back that seem to have swallowed the beginning of the next line. A port takes less to hand over the
/// bytes behind them.
const FRAME_END: Duration = Duration::from_millis(50);

/// A moment at which something is due, by name; `None`: not before something happens.
type Timer = fn(&Engine) -> Option<(Timestamp, Deadline)>;

/// The timers that are served whether the session is free or not. A timer is derived from what it belongs to, so that none
/// can be left behind by what has changed.
const TIMERS: [Timer; 9] = [
    |engine| engine.session.deadline(),
    |engine| engine.transparent.deadline(),
    |engine| engine.request_deadline(),
    |engine| at(engine.channels.heartbeat_deadline(), Deadline::Heartbeat),
    |engine| {
        (engine.has_whole_line() || engine.bodies.is_open())
            .then(|| engine.after(PARTIAL_LINE, Deadline::PartialLine))
    },
    |engine| engine.has_stranded_line().then(|| engine.after(PARTIAL_DATA, Deadline::PartialLine)),
    |engine| (engine.decoder.data_left() > 0).then(|| engine.after(PARTIAL_DATA, Deadline::PartialData)),
    |engine| engine.holds_back().then(|| engine.after(FRAME_END, Deadline::FrameEnd)),
    |engine| {
        let is_strange = !engine.has_whole_line() && engine.has_strange_start();
        is_strange.then(|| engine.after(PARTIAL_DATA, Deadline::StrangeLine))
    },
];

/// Those that wait until a command can be written.
const COMMAND_TIMERS: [Timer; 2] = [
    |engine| engine.bring_up.deadline().map(|at| (at, Deadline::BringUp)),
    |engine| if engine.bring_up.is_ready() { engine.channels.turn_deadline() } else { None },
];

/// A moment that may be none.
fn at(moment: Timestamp, name: Deadline) -> Option<(Timestamp, Deadline)> {
    (moment != Timestamp::MAX).then_some((moment, name))
}

/// How often a timer may be due at one moment: a search for the module fills up a send and asks at once, no other is due
/// twice.
const MAX_TIMES: u32 = 8;

impl Engine {
    /// The earliest timer.
    pub(super) fn next_timer(&self) -> Option<(Timestamp, Deadline)> {
        let commands = COMMAND_TIMERS.iter().filter(|_| self.session.is_idle() && !self.may_be_prompted());
        commands.chain(&TIMERS).filter_map(|timer| timer(self)).min()
    }

    /// When the first request has waited long enough.
    pub(super) fn request_deadline(&self) -> Option<(Timestamp, Deadline)> {
        at(self.channels.request_deadline().min(self.requests.deadline()), Deadline::Request)
    }

    /// Requests that have waited long enough, whether there is a port or not.
    pub(super) fn expire_requests(&mut self, now: Timestamp) {
        let reason = self.not_ready();
        self.channels.expire(now, reason, &mut self.out);
        self.out.answer_all(self.requests.expire(now, reason));
    }

    fn after(&self, span: Duration, name: Deadline) -> (Timestamp, Deadline) {
        (self.heard.at() + span, name)
    }

    /// Whether a line is under way that says something without its end.
    fn has_whole_line(&self) -> bool {
        let partial = self.decoder.partial_line();
        !partial.is_empty() && is_whole(partial)
    }

    /// Whether a line is under way beside a stream that says nothing without its end.
    fn has_stranded_line(&self) -> bool {
        self.transparent.is_beside() && !self.decoder.partial_line().is_empty() && !self.has_whole_line()
    }

    fn holds_back(&self) -> bool {
        self.channels.has_suspect() || self.history.holds_news()
    }

    /// Serves every timer whose time has come. One that stays due at the same moment although it is served is refused: it
    /// would never end.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let (mut last, mut times) = (None, 0);
        while let Some(due) = TIMERS.iter().filter_map(|timer| timer(self)).min().filter(|(at, _)| *at <= now)
        {
            times = if last.replace(due) == Some(due) { times + 1 } else { 0 };
            if times == MAX_TIMES {
                debug_assert!(false, "{due:?} is served and stays due");
                return;
            }
            self.serve(now, due);
        }
    }

    fn serve(&mut self, now: Timestamp, (at, name): (Timestamp, Deadline)) {
        match (name, self.heard) {
            (Deadline::PartialData | Deadline::StrangeLine, LastByte::At(heard_at)) if now > at + LATE => {
                self.heard = LastByte::PutOff(heard_at + (now - at) + LATE);
                return;
            }
            (_, _) => {}
        }
        match name {
            Deadline::Prompt if self.has_swallowed_prompt() => self.damaged(now, Fault::NoLineEnd, None),
            Deadline::Answer if self.has_swallowed_result() => self.damaged(now, Fault::NoLineEnd, None),
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
            Deadline::FrameEnd => {
                self.channels.prove(now, &mut self.out);
                self.believe_news(now);
            }
            Deadline::StrangeLine => {
                self.decoder.start_over();
                self.history.owes_end = false;
                self.damaged(now, Fault::Garbage, self.session.fetching());
            }
            Deadline::Heartbeat => self.channels.beat(now, &mut self.out),
            Deadline::EndDetector | Deadline::Guard | Deadline::Escape => self.drive_stream(now),
            // Their commands are the pump's.
            Deadline::BringUp
            | Deadline::ReceivePoll
            | Deadline::SendRetry
            | Deadline::CloseRetry
            | Deadline::Bearer
            | Deadline::Acknowledgement => {}
        }
    }

    /// The line under way has stood for long enough: it counts as whole.
    fn end_partial_line(&mut self, now: Timestamp) {
        let partial = self.decoder.partial_line();
        self.history.owes_end = !partial.is_empty() && !may_lack_end(partial);
        if !partial.is_empty() && !is_whole(partial) && !self.bodies.is_open() {
            self.stream_fault(now);
        }
        let mut decoder = std::mem::take(&mut self.decoder);
        if let Some(token) = decoder.end_line() {
            self.token(now, token);
        }
        self.decoder = decoder;
        self.judge_noticed(now, self.decoder.was_loose());
        self.history.begins();
        self.end_text(now);
    }
}

/// Whether a line says something even without its end.
fn is_whole(line: &[u8]) -> bool {
    match Line::parse(line) {
        Line::Final(_) | Line::ShutOk | Line::Channel { .. } => true,
        Line::State(_) | Line::Row(_) | Line::Info { .. } => false,
        // A prompt that nothing waits for.
        Line::Text(b">") => true,
        Line::Text(_) => Urc::parse(line).is_known(),
    }
}

/// Whether nothing need follow a line: a prompt has no line end, and old firmware forgets that of some news.
fn may_lack_end(line: &[u8]) -> bool {
    line == b">" || begins_connection(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_and_news_of_a_connection_may_lack_their_line_end() {
        assert!([&b">"[..], b"0, CONNECT OK", b"CONNECT OK"].into_iter().all(may_lack_end));
        assert!(![&b"OK"[..], b"0, CLOSED", b"RING"].into_iter().any(may_lack_end));
    }
}
