//! Unsolicited lines of the module, in their order.

use crate::at::{Expect, Fault, Line, Progress, SimState, Urc, announced, text_after};
use crate::proto::bearer::Sign;
use crate::proto::session::Finished;
use crate::time::Timestamp;

use super::Engine;
use super::text::Bodies;

impl Engine {
    /// Processes an unsolicited line.
    pub(super) fn unclaimed(&mut self, now: Timestamp, line: &[u8]) {
        if self.transparent.keeps(line) {
            return;
        }
        let urc = Urc::parse(line);
        if self.bodies.is_doubtful(now) && may_be_text(line, &urc) {
            self.out.urc(line, urc);
            self.doubt_news(now, line);
            return;
        }
        if let Line::Channel { channel: None, news } = Line::parse(line) {
            self.channels.unnumbered(now, news, &mut self.out);
        }
        if let Line::Channel { channel: Some(channel), news } = Line::parse(line) {
            if self.session.is_filling() {
                self.channels.still_filling(now, channel);
            }
            let was_up = self.channels.can_send(channel);
            self.channels.news(now, channel, news, &mut self.out);
            if was_up && !self.channels.can_send(channel) {
                self.session.channel_ended(now, channel);
            }
        }
        self.out.urc(line, urc.clone());
        self.stream_news(now, line, &urc);
        self.out.answer_all(self.requests.news(&urc));
        match urc {
            Urc::DataWaiting(Some(channel)) => self.channels.data_wait(channel),
            // The bearer of the module's HTTP and FTP clients. The sockets may use another one.
            Urc::PdpDeactivated if line.starts_with(b"+SAPBR") => {
                self.channels.bearer_sign(now, Sign::Strong);
            }
            Urc::PdpDeactivated => self.bearer_lost(now),
            Urc::Bearer(text) if text.contains("DEACT") || text.contains("DETACH") => {
                self.channels.bearer_sign(now, Sign::Strong);
            }
            urc if urc.is_restart() => self.restarted(now),
            // Later lines of a start. The first line was lost, perhaps in the data before it.
            Urc::Bearer(text) if text.contains("ACT") && self.is_ready() => {
                self.channels.bearer_sign(now, Sign::Strong);
            }
            Urc::Started(_) | Urc::Sim(SimState::Ready) if self.is_ready() => {
                self.channels.bearer_sign(now, Sign::Strong);
            }
            _ => {}
        }
    }
}

impl Engine {
    /// The token that the decoder is to expect.
    pub(super) fn expect(&self) -> Expect {
        if self.bodies.is_open() && !self.session.is_online() { Expect::Text } else { self.session.expect() }
    }

    /// Returns true if a line belongs to text of people.
    pub(super) fn is_text(&mut self, now: Timestamp, raw: &[u8]) -> bool {
        if self.bodies.is_open() && self.bring_up.knows_echo_stays() && self.session.is_echo_before_frame(raw)
        {
            self.end_text(now);
            return true;
        }
        if matches!(&self.bodies, Bodies::Open(text) if text.has_torn_header()) && self.is_frame(raw) {
            self.bodies = Bodies::None;
            self.damaged(now, Fault::Garbage, None);
            return true;
        }
        if let Bodies::Open(text) = &mut self.bodies {
            if text.line(raw) == Progress::Complete {
                self.end_text(now);
            }
            return true;
        }
        if raw.trim_ascii().is_empty() {
            // The decoder returns empty lines only while text is read.
            self.session.empty_line(raw);
            return true;
        }
        if self.session.reads_text() && !self.session.is_between_frames_of_message() {
            self.text_line(raw);
            return false;
        }
        let Some(text) = text_after(raw).filter(|_| !self.session.asks_for_text(raw)) else { return false };
        if text.has_overlong_header() && self.channels.is_pushed() && self.channels.may_receive() {
            self.damaged(now, Fault::Garbage, None);
        } else {
            self.bodies = Bodies::Open(text);
        }
        true
    }

    /// A text is complete, or nothing more of it came in time.
    pub(super) fn end_text(&mut self, now: Timestamp) {
        match std::mem::take(&mut self.bodies) {
            Bodies::Open(text) => {
                self.bodies = if text.is_digits() { Bodies::None } else { Bodies::Over(now) };
                self.out.urc(b"", text.into_urc());
                self.history.text_ended();
                if !matches!(self.bodies, Bodies::None) {
                    self.channels.fetch_settled();
                }
            }
            before => self.bodies = before,
        }
    }

    /// A line of a text came that the command in flight has asked for.
    pub(super) fn text_line(&mut self, line: &[u8]) {
        self.history.frame_in_text |= self.is_frame(line);
    }

    /// True if a line of a text announces data of an open channel.
    fn is_frame(&self, line: &[u8]) -> bool {
        let open = self.channels.open();
        self.channels.is_pushed() && announced(line).any(|channel| open.contains(channel))
    }

    /// A command has ended. If the end of a text is damaged, the frame after it looks like more of the text. Then the
    /// answer does not end as a module's answer ends.
    pub(super) fn judge_answer(&mut self, now: Timestamp, finished: &Finished) {
        self.judge_last_fetch(now, finished);
        let has_frame = std::mem::take(&mut self.history.frame_in_text);
        if has_frame && finished.result.is_err() && finished.command.answers_with_text() {
            self.damaged(now, Fault::Garbage, None);
        }
    }

    /// Asks the module whether a line is true. The line reports the end of a connection or of the bearer, but may be
    /// text of people.
    pub(super) fn doubt_news(&mut self, now: Timestamp, line: &[u8]) {
        if let Line::Channel { channel: Some(channel), news } = Line::parse(line) {
            self.channels.doubt(channel, news);
        }
        match Urc::parse(line) {
            Urc::DataWaiting(Some(channel)) => self.channels.data_wait(channel),
            urc if urc == Urc::PdpDeactivated || urc.is_restart() => {
                self.channels.bearer_sign(now, Sign::Strong);
            }
            _ => {}
        }
    }
}

/// True if a line after a text may belong to the text: an unknown line, or one that reports the end of something.
fn may_be_text(line: &[u8], urc: &Urc) -> bool {
    let ends = matches!(Line::parse(line), Line::Channel { .. });
    ends || *urc == Urc::PdpDeactivated || urc.is_restart() || !urc.is_known()
}
