//! The links of the channels, with or without TLS.

use std::time::Duration;

use super::Machine;
use crate::sim::control::ModemEvent;
use crate::sim::ip::ChannelState;
use crate::sim::network::{ConnectFailure, Link};
use crate::sim::tls::{Progress, Tls, TlsSession, Wanted};

impl Machine {
    /// The link of a channel is open, and the handshake begins. It ends before `CONNECT OK` (protocol.md section 14).
    pub(super) fn begin_handshake(&mut self, channel: usize, link: Link) {
        let slot = &self.ip.channels[channel];
        let made = TlsSession::new(&Wanted {
            contexts: &self.ip.ssl,
            context: channel as u16,
            files: &self.files,
            host: slot.target.as_ref().map_or("", |target| &target.host),
            upgraded: self.settings.tls_upgraded,
            time: self.utc(),
        });
        match made {
            Ok(secure) => {
                let span = Duration::from_secs(self.ip.ssl.number(channel as u16, "negotiatetimeout"));
                let until = self.now + span;
                let slot = &mut self.ip.channels[channel];
                slot.state = ChannelState::Connecting { link, until };
                slot.tls = Tls::On(Box::new(secure));
                self.drive_tls(channel);
            }
            Err(why) => self.handshake_failed(channel, link, &why),
        }
    }

    /// Moves records of a channel. Returns true if there were any.
    pub(super) fn drive_tls(&mut self, channel: usize) -> bool {
        let slot = &mut self.ip.channels[channel];
        let (Tls::On(secure), Some(link)) = (&mut slot.tls, slot.state.link()) else {
            return false;
        };
        if let ChannelState::Stale { .. } = slot.state {
            return false;
        }
        let (moved, progress) = secure.drive(self.now, link, &mut self.network);
        let connecting = matches!(slot.state, ChannelState::Connecting { .. });
        match progress {
            Progress::Established if connecting => self.connected(channel, link),
            Progress::Failed | Progress::Closed if connecting => {
                self.handshake_failed(channel, link, "the handshake failed");
            }
            Progress::Failed => self.connection_lost(channel),
            Progress::Closed => self.peer_closed(link),
            Progress::Handshaking | Progress::Established => return moved,
        }
        moved
    }

    fn handshake_failed(&mut self, channel: usize, link: Link, why: &str) {
        self.happened(ModemEvent::Tls { channel: channel as u8, why: why.to_owned() });
        self.network.close(self.now, link);
        self.connect_failed(channel, ConnectFailure::Handshake);
    }

    /// Sends bytes on a channel's link. Returns the number that were accepted.
    pub(super) fn link_send(&mut self, channel: usize, bytes: &[u8]) -> usize {
        let slot = &mut self.ip.channels[channel];
        let Some(link) = slot.state.link() else {
            return 0;
        };
        match &mut slot.tls {
            Tls::Off | Tls::Wanted => self.network.send(self.now, link, bytes),
            Tls::On(secure) => {
                let count = secure.send(bytes);
                self.drive_tls(channel);
                count
            }
        }
    }

    /// Receives bytes of a channel's link. Returns their number.
    pub(super) fn link_receive(&mut self, channel: usize, into: &mut [u8]) -> usize {
        let slot = &mut self.ip.channels[channel];
        let Some(link) = slot.state.link() else {
            return 0;
        };
        match &mut slot.tls {
            Tls::Off | Tls::Wanted => self.network.receive(self.now, link, into),
            Tls::On(secure) => {
                let count = secure.receive(into);
                if count > 0 {
                    return count;
                }
                self.drive_tls(channel);
                match &mut self.ip.channels[channel].tls {
                    Tls::On(secure) => secure.receive(into),
                    Tls::Off | Tls::Wanted => 0,
                }
            }
        }
    }

    /// The number of the host's bytes that the peer has acknowledged.
    pub(in crate::sim) fn link_acknowledged(&self, channel: usize) -> u64 {
        let slot = &self.ip.channels[channel];
        let known = slot.state.link().map_or(0, |link| self.network.acknowledged(link));
        match &slot.tls {
            Tls::Off | Tls::Wanted => known,
            Tls::On(secure) => secure.acknowledged(known),
        }
    }

    /// Ends a channel's link, with a close notification if it has TLS.
    pub(in crate::sim) fn link_close(&mut self, channel: usize) {
        let slot = &mut self.ip.channels[channel];
        let Some(link) = slot.state.link() else {
            return;
        };
        if let Tls::On(secure) = &mut slot.tls {
            secure.end(self.now, link, &mut self.network);
        }
        self.network.close(self.now, link);
    }
}
