//! Events of the network: results of connects, data, closes.

use super::{Machine, Mode, OUTPUT_LIMIT};
use crate::sim::control::ModemEvent;
use crate::sim::data::{Online, Payload};
use crate::sim::ip::{Bearer, ChannelState};
use crate::sim::network::{ConnectFailure, Link, NetworkEvent, Protocol};
use crate::sim::output_kind::OutputKind;
use crate::sim::profile::DataUrc;
use crate::sim::tls::Tls;
use crate::time::Timestamp;

/// A reset, and the corresponding UDP error, as errors of the stack (manual, page of TCP/UDP error codes).
const TCP_RESET: &str = "TCP ERROR:14";
const UDP_UNREACHABLE: &str = "UDP ERROR:8";
/// The most data after one header (protocol.md section 11).
pub(in crate::sim) const CHUNK: usize = 1460;

impl Machine {
    /// Takes an event of the network.
    pub(in crate::sim) fn on_network(&mut self, event: NetworkEvent) {
        match event {
            NetworkEvent::Connected { link, address } => {
                if let Some(channel) = self.ip.channel_of(link) {
                    self.ip.channels[channel].address = address;
                    match self.ip.channels[channel].tls {
                        Tls::Off => self.connected(channel, link),
                        Tls::Wanted => self.begin_handshake(channel, link),
                        // The session is established already.
                        Tls::On(_) => {}
                    }
                }
            }
            NetworkEvent::Failed { link, why } => {
                if let Some(channel) = self.ip.channel_of(link) {
                    self.connect_failed(channel, why);
                }
            }
            NetworkEvent::Closed(link) => self.link_ended(link),
            NetworkEvent::Reset(link) => {
                let channel = self.ip.channel_of(link);
                let believed =
                    |channel: &usize| matches!(self.ip.channels[*channel].state, ChannelState::Stale { .. });
                if let Some(channel) = channel.filter(|channel| !believed(channel)) {
                    self.connection_broken(channel);
                }
            }
            // The events only wake the modem; it asks for data and room.
            NetworkEvent::Readable(_) | NetworkEvent::Writable(_) => {}
            NetworkEvent::Pinged { query, address } => self.pinged(query, address),
            NetworkEvent::Resolved { query, addresses } => self.resolved(query, &addresses),
        }
    }

    /// Moves data between the channels and the network. Returns true if there were any.
    pub(in crate::sim) fn pump(&mut self) -> bool {
        let mut moved = false;
        for channel in 0..self.ip.channels.len() {
            moved |= self.drive_tls(channel);
            moved |= self.flush_unsent(channel);
        }
        if self.receives_manually() {
            for channel in 0..self.ip.channels.len() {
                moved |= self.fetch(channel);
            }
            return moved;
        }
        // One frame of each channel in turn, so that no channel blocks another.
        while self.may_push_data() {
            let count = self.ip.channels.len();
            let start = self.ip.turn;
            let turn = (0..count).map(|n| (start + n) % count).find(|n| self.push_data(*n));
            let Some(turn) = turn else {
                break;
            };
            self.ip.turn = (turn + 1) % count;
            moved = true;
        }
        moved | self.end_drained()
    }

    /// Push mode: when the line is free and no data remain, links closed by peers end.
    fn end_drained(&mut self) -> bool {
        let mut ended = false;
        for channel in 0..self.ip.channels.len() {
            if let ChannelState::RemoteClosing { .. } = self.ip.channels[channel].state
                && self.may_push_data()
            {
                self.link_close(channel);
                self.close_reported(channel);
                ended = true;
            }
        }
        ended
    }

    /// Ends connects that took too long. In manual mode, ends closed links whose data were read or have waited long
    /// enough.
    pub(super) fn channel_timers(&mut self) -> bool {
        let mut acted = false;
        for channel in 0..self.ip.channels.len() {
            match self.ip.channels[channel].state {
                ChannelState::Connecting { until, .. } if until <= self.now => {
                    self.link_close(channel);
                    self.connect_failed(channel, ConnectFailure::TimedOut);
                    acted = true;
                }
                ChannelState::Stale { until: Some(until), .. } if until <= self.now => {
                    self.connection_lost(channel);
                    acted = true;
                }
                ChannelState::RemoteClosing { until, .. }
                    if self.receives_manually()
                        && (until <= self.now || self.ip.channels[channel].received.is_empty()) =>
                {
                    self.link_close(channel);
                    self.close_reported(channel);
                    acted = true;
                }
                ChannelState::Initial
                | ChannelState::Connecting { .. }
                | ChannelState::Connected { .. }
                | ChannelState::Stale { .. }
                | ChannelState::RemoteClosing { .. }
                | ChannelState::Closed => {}
            }
        }
        acted
    }

    /// The earliest time of these.
    pub(super) fn channel_deadline(&self) -> Option<Timestamp> {
        let deadlines = self.ip.channels.iter().map(|channel| match channel.state {
            ChannelState::Connecting { until, .. } => Some(until),
            ChannelState::Stale { until, .. } => until,
            ChannelState::RemoteClosing { until, .. } if self.receives_manually() => {
                Some(until).filter(|until| *until != Timestamp::MAX)
            }
            ChannelState::Initial
            | ChannelState::Connected { .. }
            | ChannelState::RemoteClosing { .. }
            | ChannelState::Closed => None,
        });
        deadlines.flatten().min()
    }

    /// Closes every link without a line to the host.
    pub(in crate::sim) fn drop_links(&mut self) {
        for channel in 0..self.ip.channels.len() {
            if self.ip.channels[channel].state.link().is_some() {
                self.link_close(channel);
                self.ip.channels[channel].end();
            }
        }
    }

    /// The bearer is lost: every link has ended, and `AT+CIPSHUT` is required (FAQ socket #11).
    pub(in crate::sim) fn bearer_lost(&mut self) {
        for place in 0..self.ip.bearer_profiles.len() {
            if std::mem::take(&mut self.ip.bearer_profiles[place].open) {
                self.urc(&format!("+SAPBR {}: DEACT", place + 1));
            }
        }
        if self.ip.bearer == Bearer::Initial || self.ip.bearer == Bearer::Lost {
            return;
        }
        let was_up = self.ip.is_active() || self.ip.bearer == Bearer::Config;
        self.drop_links();
        if !was_up {
            return;
        }
        self.ip.bearer = Bearer::Lost;
        self.ip.ping = None;
        self.happened(ModemEvent::Bearer(false));
        self.abort_data();
        self.urc("+PDP: DEACT");
    }

    /// The peer or the network has broken a connection. In transparent mode the stack's error is printed (manual, page
    /// of TCP/UDP error codes).
    fn connection_broken(&mut self, channel: usize) {
        self.ip.channels[channel].broken = matches!(self.mode, Mode::Online(_));
        self.connection_lost(channel);
    }

    /// A broken connection. Unread data are lost with it.
    pub(super) fn connection_lost(&mut self, channel: usize) {
        if self.ip.channels[channel].state.link().is_none() {
            return;
        }
        self.link_close(channel);
        if matches!(self.ip.channels[channel].state, ChannelState::Connecting { .. }) {
            self.connect_failed(channel, ConnectFailure::Refused);
        } else {
            self.close_reported(channel);
        }
    }

    /// Ends every open link without the modem's knowledge, which still treats them as connected (capture s10; FAQ
    /// socket #9), with `AT+CIPTKA=1` until the last probe.
    pub(super) fn make_stale(&mut self) {
        for channel in &mut self.ip.channels {
            if let ChannelState::Connected { link } = channel.state {
                let until = channel.keep_alive.map(|keep_alive| self.now + keep_alive.timeout());
                channel.state = ChannelState::Stale { link, until };
            }
        }
    }

    pub(super) fn connected(&mut self, channel: usize, link: Link) {
        self.ip.channels[channel].state = ChannelState::Connected { link };
        self.happened(ModemEvent::Connected { channel: channel as u8 });
        if self.ip.switches.transparent == 1 {
            self.go_online();
            return;
        }
        self.channel_result(channel, "CONNECT OK");
    }

    pub(super) fn connect_failed(&mut self, channel: usize, why: ConnectFailure) {
        self.happened(ModemEvent::ConnectFailed { channel: channel as u8, why });
        self.ip.channels[channel].end();
        if !self.ip.multi() {
            // Capture a12: the state in the failure is IP STATUS, and a new CIPSTART is accepted.
            self.ip.channels[channel].state = ChannelState::Initial;
            let state = self.ip.state_text(&self.settings.profile);
            let line = self.settings.profile.keyed("STATE", &state);
            self.urc(&line);
        }
        self.channel_result(channel, "CONNECT FAIL");
    }

    /// The result of a connect: an answer if the profile's `AT+CIPSTART` waits for it, otherwise unsolicited.
    fn channel_result(&mut self, channel: usize, text: &str) {
        let line = self.on_channel(channel, text);
        if self.paused_for() == Some(crate::sim::result::Continuation::Connected { channel }) {
            self.frame(OutputKind::Final, &line);
        } else {
            self.urc(&line);
        }
    }

    pub(super) fn go_online(&mut self) {
        self.final_line("CONNECT");
        let packet = std::mem::take(&mut self.ip.kept_packet);
        self.mode = Mode::Online(Online {
            written_at: self.now,
            pluses: 0,
            first_plus_at: self.now,
            begun_at: self.now,
            packet,
        });
    }

    /// The peer has closed a link. During a handshake this is a failure of the handshake.
    fn link_ended(&mut self, link: Link) {
        if let Some(channel) = self.ip.channel_of(link) {
            self.drive_tls(channel);
            if matches!(self.ip.channels[channel].state, ChannelState::Connecting { .. }) {
                self.connection_lost(channel);
            }
        }
        self.peer_closed(link);
    }

    pub(super) fn peer_closed(&mut self, link: Link) {
        let Some(channel) = self.ip.channel_of(link) else {
            return;
        };
        let kept = self.settings.profile.keeps_unread;
        let until = if kept { Timestamp::MAX } else { self.now + self.settings.close_grace };
        if let ChannelState::Connected { link } = self.ip.channels[channel].state {
            self.ip.channels[channel].state = ChannelState::RemoteClosing { link, until };
        }
    }

    /// True if data wait for `AT+CIPRXGET`; transparent data never do.
    fn receives_manually(&self) -> bool {
        self.ip.switches.manual_receive > 0 && !matches!(self.mode, Mode::Online(_))
    }

    /// Reports the peer's close, unless the firmware omits it.
    fn close_reported(&mut self, channel: usize) {
        let secure = !matches!(self.ip.channels[channel].tls, Tls::Off);
        let broken = std::mem::take(&mut self.ip.channels[channel].broken);
        let text = match self.ip.channels[channel].protocol() {
            Protocol::Tcp if broken => TCP_RESET,
            Protocol::Udp if broken => UDP_UNREACHABLE,
            Protocol::Tcp | Protocol::Udp if secure => self.settings.profile.tls_closed,
            Protocol::Tcp | Protocol::Udp => "CLOSED",
        };
        let lost = self.ip.channels[channel].end();
        self.happened(ModemEvent::Closed { channel: channel as u8, lost });
        self.abort_send(channel);
        self.leave_online();
        if self.settings.closed_reported {
            self.channel_urc(channel, text);
        }
    }

    /// A send whose link ends fails at once; the rest of the payload is read as commands (8910 SDK, protocol.md section
    /// 9).
    fn abort_send(&mut self, channel: usize) {
        let sending = matches!(&self.mode, Mode::Payload(Payload { channel: at, .. }) if *at == channel);
        if sending {
            let line = self.on_channel(channel, "SEND FAIL");
            self.frame(OutputKind::Final, &line);
            self.free_line();
        }
    }

    fn abort_data(&mut self) {
        if let Mode::Payload(Payload { channel, .. }) = &self.mode {
            let channel = *channel;
            self.abort_send(channel);
        }
        self.leave_online();
    }

    /// The link has ended during transparent data. Unsent data wait for the next connection, with any peer, unless
    /// `AT+CIPCCFG` is set to drop them.
    fn leave_online(&mut self) {
        if let Mode::Online(online) = &mut self.mode {
            let packet = std::mem::take(&mut online.packet);
            if !self.ip.drops_packets() {
                self.ip.kept_packet = packet;
            }
            self.free_line();
        }
    }

    /// True if received data may be printed now. A line with a rate is filled at most one frame ahead, so that an
    /// answer does not wait after seconds of data.
    fn may_push_data(&self) -> bool {
        let free = match self.mode {
            Mode::Online(_) => true,
            // Output beside the commands of a transparent connection waits for ATO (assumed).
            Mode::Command | Mode::Running(_) if self.is_escaped() => false,
            Mode::Command => true,
            Mode::Running(_) => !self.holds_urcs(),
            Mode::Payload(_) | Mode::File(_) => false,
        };
        let ahead = if self.out.line.rate().is_some() { CHUNK } else { OUTPUT_LIMIT };
        free && self.out.line.len() < ahead
    }

    /// Push mode: prints one frame of this channel.
    fn push_data(&mut self, channel: usize) -> bool {
        let state = self.ip.channels[channel].state;
        if !state.receives() {
            return false;
        }
        let mut data = [0; CHUNK];
        let count = self.link_receive(channel, &mut data);
        if count == 0 {
            return false;
        }
        let header = self.data_header(channel, count);
        let single = !self.ip.multi() && !matches!(self.mode, Mode::Online(_));
        let line_end_follows = single && self.ip.channels[channel].line_end_follows;
        let tail: &[u8] = if line_end_follows { b"\r\n" } else { b"" };
        self.print_body(OutputKind::Data, header.as_bytes(), &data[..count], tail);
        true
    }

    /// The bytes before received data (capture d03, manual CIPHEAD, CIPSHOWTP, CIPSRIP).
    fn data_header(&self, channel: usize, count: usize) -> String {
        if matches!(self.mode, Mode::Online(_)) {
            return String::new();
        }
        let switches = &self.ip.switches;
        let (protocol, address, port) = self.ip.channels[channel].peer();
        if self.ip.multi() {
            // The header ends with the sender's port, without a colon (8910 SDK).
            let end = if switches.show_peer == 1 { format!(",{address}:{port}") } else { ":".to_owned() };
            return format!("\r\n+RECEIVE,{channel},{count}{end}\r\n");
        }
        let mut header = String::new();
        if switches.show_peer == 1 {
            let blank = if self.settings.profile.sender_blank { " " } else { "" };
            header.push_str(&format!("\r\nRECV FROM:{blank}{address}:{port}\r\n"));
        }
        if switches.header == 1 {
            let shown = if switches.show_protocol == 1 { format!(",{protocol}") } else { String::new() };
            header.push_str(&format!("\r\n+IPD,{count}{shown}:"));
        }
        header
    }

    /// Manual mode: the host has read. Later data are announced; remaining earlier data are not, because the host knows
    /// them.
    pub(super) fn read_on(&mut self, channel: usize) {
        self.pump();
        let slot = &mut self.ip.channels[channel];
        slot.announced = slot.announced || !slot.received.is_empty();
    }

    /// Manual mode: moves data into the channel's buffer and announces them once.
    fn fetch(&mut self, channel: usize) -> bool {
        let mut data = [0; CHUNK];
        let limit = self.settings.receive_buffer.clamp(1, 65_535);
        let mut moved = false;
        while self.ip.channels[channel].state.receives() && self.ip.channels[channel].received.len() < limit {
            let room = CHUNK.min(limit - self.ip.channels[channel].received.len());
            let count = self.link_receive(channel, &mut data[..room]);
            if count == 0 {
                break;
            }
            self.ip.channels[channel].received.extend(&data[..count]);
            moved = true;
        }
        if moved {
            self.announce(channel);
        }
        moved
    }

    fn announce(&mut self, channel: usize) {
        let every = self.ip.switches.manual_receive == 5;
        if std::mem::replace(&mut self.ip.channels[channel].announced, true) && !every {
            return;
        }
        let profile = &self.settings.profile;
        let line = match (self.ip.multi(), profile.data_urc) {
            (false, _) => profile.keyed("+CIPRXGET", "1"),
            (true, DataUrc::ModeAndChannel) => profile.keyed("+CIPRXGET", &format!("1,{channel}")),
            (true, DataUrc::ChannelOnly) => profile.keyed("+CIPRXGET", &channel.to_string()),
        };
        self.urc(&line);
    }
}
