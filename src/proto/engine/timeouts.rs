//! The actions when a deadline has come.

use std::time::Duration;

use crate::at::{Fault, Line, Urc};
use crate::proto::transparent::StreamInput;
use crate::proto::{Deadline, Event};
use crate::time::Timestamp;

use super::Engine;

/// How long a line may stand unfinished before it counts as whole, if it is one that needs no end: old firmware forgets
/// the CR LF behind some (protocol section 2). Longer than any pause within a line of the captures.
const PARTIAL_LINE: Duration = Duration::from_millis(250);

/// How long announced payload may stop coming. A frame is written in one go; a second's pause is a loss. An assumption:
/// no source gives a figure.
const PARTIAL_DATA: Duration = Duration::from_secs(2);
/// A deadline that is served this much too late says that the host stood still: what has come meanwhile is still to be read,
/// and for as long again the line is not taken for a silent one.
const LATE: Duration = Duration::from_millis(250);
/// How long data that look as if they had swallowed the beginning of what follows are held back: longer than a port takes
/// to hand over what comes next in one go.
const FRAME_END: Duration = Duration::from_millis(50);

impl Engine {
    /// The earliest deadline that is met whether the session is free or not.
    pub(in crate::proto) fn pressing_deadline(&self) -> Option<(Timestamp, Deadline)> {
        let beat = self.channels.heartbeat_deadline();
        let partial = self.decoder.partial_line();
        let unfinished = !partial.is_empty() && is_whole(partial);
        let stranded = !partial.is_empty() && !unfinished && self.transparent.is_beside();
        [
            self.session.deadline(),
            self.transparent.deadline(),
            self.request_deadline(),
            (beat != Timestamp::MAX).then_some((beat, Deadline::Heartbeat)),
            (unfinished || self.bodies.is_open())
                .then_some((self.received_at + PARTIAL_LINE, Deadline::PartialLine)),
            stranded.then_some((self.received_at + PARTIAL_DATA, Deadline::PartialLine)),
            (self.decoder.data_left() > 0)
                .then_some((self.received_at + PARTIAL_DATA, Deadline::PartialData)),
            (self.channels.has_suspect() || self.noticed.holds_news())
                .then_some((self.received_at + FRAME_END, Deadline::FrameEnd)),
            (!unfinished && self.has_strange_start())
                .then_some((self.received_at + PARTIAL_DATA, Deadline::StrangeLine)),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the first request has waited long enough.
    pub(in crate::proto) fn request_deadline(&self) -> Option<(Timestamp, Deadline)> {
        let request = self.channels.request_deadline().min(self.requests.deadline());
        (request != Timestamp::MAX).then_some((request, Deadline::Request))
    }

    /// Requests that have waited long enough, whether there is a port or not.
    pub(in crate::proto) fn expire_requests(&mut self, now: Timestamp) {
        let reason = self.not_ready();
        self.channels.expire(now, reason, &mut self.out);
        self.requests.expire(now, reason, &mut self.out);
    }

    /// Everything whose time has come.
    pub(in crate::proto) fn expire(&mut self, now: Timestamp) {
        while let Some((at, why)) = self.pressing_deadline().filter(|(at, _)| *at <= now) {
            match why {
                // Once, until bytes come: a shell that is always late must not put it off for ever.
                Deadline::PartialData | Deadline::StrangeLine if now > at + LATE && !self.stood_still => {
                    self.stood_still = true;
                    self.received_at += (now - at) + LATE;
                }
                Deadline::Answer
                | Deadline::Prompt
                | Deadline::Doubt
                | Deadline::Barrier
                | Deadline::Resync
                | Deadline::Wake => {
                    if !matches!(why, Deadline::Wake | Deadline::Doubt | Deadline::Resync) {
                        self.out.event(Event::Expired(why));
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
                Deadline::PartialLine => {
                    let partial = self.decoder.partial_line();
                    if !partial.is_empty() && !is_whole(partial) && !self.bodies.is_open() {
                        self.stream_fault(now);
                    }
                    let mut decoder = std::mem::take(&mut self.decoder);
                    if let Some(token) = decoder.end_line() {
                        self.token(now, token);
                    }
                    self.decoder = decoder;
                    self.judge_noticed(now, self.decoder.was_loose());
                    self.noticed.begins();
                    self.end_text(now);
                }
                Deadline::PartialData => {
                    self.out.event(Event::Expired(why));
                    self.cut_short(now);
                }
                Deadline::FrameEnd => {
                    self.channels.prove(now, &mut self.out);
                    self.believe_news(now);
                }
                Deadline::StrangeLine => {
                    self.decoder.start_over();
                    self.damaged(now, Fault::Garbage, self.session.fetching());
                }
                Deadline::Heartbeat => self.channels.beat(now, &mut self.out),
                Deadline::EndDetector | Deadline::Guard | Deadline::Escape => self.drive_stream(now),
                // These are the pump's.
                Deadline::BringUp
                | Deadline::ReceivePoll
                | Deadline::SendRetry
                | Deadline::Bearer
                | Deadline::Acknowledgement => return,
            }
        }
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
