//! Lines that answer nothing: news of the module's, in the order in which they come.

use crate::at::{Line, Urc};
use crate::time::Timestamp;

use super::Event;
use super::bearer::Sign;
use super::engine::Engine;

impl Engine {
    /// News, in the order of the lines.
    pub(super) fn unclaimed(&mut self, now: Timestamp, line: &[u8]) {
        if self.stream_keeps(line) {
            return;
        }
        let urc = Urc::parse(line);
        if let Line::Channel { channel: None, news } = Line::parse(line) {
            self.channels.unnumbered(now, news, &mut self.out);
        }
        if let Line::Channel { channel: Some(channel), news } = Line::parse(line) {
            let was_up = self.channels.channel(channel).link.can_send();
            self.channels.news(now, channel, news, &mut self.out);
            if was_up && !self.channels.channel(channel).link.can_send() {
                self.session.channel_ended(now, channel);
            }
        }
        self.out.event(Event::Urc(urc.clone()));
        self.stream_news(line, &urc);
        self.requests.news(&urc, &mut self.out);
        match urc {
            Urc::DataWaiting(Some(channel)) => self.channels.data_wait(channel),
            // The bearer of its HTTP and FTP clients, which need not be the sockets'.
            Urc::PdpDeactivated if line.starts_with(b"+SAPBR") => {
                self.channels.bearer.sign(now, Sign::Strong);
            }
            Urc::PdpDeactivated => self.bearer_lost(now),
            Urc::Bearer(text) if text.contains("DEACT") || text.contains("DETACH") => {
                self.channels.bearer.sign(now, Sign::Strong);
            }
            urc if urc.is_restart() => self.restarted(now),
            _ => {}
        }
    }
}
