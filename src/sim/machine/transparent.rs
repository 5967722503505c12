//! Transparent mode: bytes in both directions, divided into packets for the network, and `+++` between two silences to
//! leave it.

use std::time::Duration;

use super::{Machine, Mode};
use crate::sim::data::Online;
use crate::sim::result::Continuation;
use crate::sim::terminal::DtrOff;
use crate::time::Timestamp;

/// The silence before `+++` (manual, CIPMODE: 1 s).
const GUARD_BEFORE: Duration = Duration::from_secs(1);
/// The longest time between the first and the last plus (0.5 s).
const WITHIN: Duration = Duration::from_millis(500);
/// The silence after `+++` (0.5 s); `OK` came 604 ms after the pluses in captures a02, a03, a05, a06.
const GUARD_AFTER: Duration = Duration::from_millis(500);

impl Machine {
    /// Takes transparent bytes. Returns their number, which is smaller if the peer does not read.
    pub(super) fn feed_online(&mut self, bytes: &[u8]) -> usize {
        let room = self.settings.send_buffer.saturating_sub(self.ip.channels[0].unsent_bytes);
        let bytes = &bytes[..bytes.len().min(room)];
        if bytes.is_empty() {
            return 0;
        }
        let now = self.now;
        let Mode::Online(online) = &mut self.mode else {
            return 0;
        };
        let mut data = Vec::with_capacity(bytes.len() + 3);
        if escape_goes_on(online, now, bytes) {
            if online.pluses == 0 {
                online.first_plus_at = now;
            }
            online.pluses += bytes.len();
        } else {
            data.resize(std::mem::take(&mut online.pluses), b'+');
            data.extend_from_slice(bytes);
        }
        online.written_at = now;
        self.pack(&data);
        bytes.len()
    }

    /// Puts bytes into packets, and sends full ones (manual, CIPCCFG: `SendSz`).
    fn pack(&mut self, data: &[u8]) {
        let (size, _) = self.ip.packet();
        let now = self.now;
        let Mode::Online(online) = &mut self.mode else {
            return;
        };
        if online.packet.is_empty() {
            online.begun_at = now;
        }
        online.packet.extend_from_slice(data);
        let full = online.packet.len() / size * size;
        let out: Vec<u8> = online.packet.drain(..full).collect();
        if full > 0 {
            online.begun_at = now;
        }
        self.send_on(0, out);
    }

    /// Sends an incomplete packet.
    fn send_packet(&mut self) {
        if let Mode::Online(online) = &mut self.mode {
            let packet = std::mem::take(&mut online.packet);
            self.send_on(0, packet);
        }
    }

    /// Decides whether held pluses are an escape.
    pub(super) fn online_timers(&mut self) -> bool {
        let now = self.now;
        let Mode::Online(online) = &mut self.mode else {
            return false;
        };
        if !online.packet.is_empty() && online.begun_at + self.ip.packet().1 <= now {
            self.send_packet();
            return true;
        }
        if online.pluses == 0 || now < escape_decided_at(online) {
            return false;
        }
        if online.pluses == 3 {
            self.send_packet();
            let until = self.after_latency();
            self.run_pause(until, Continuation::Escaped);
        } else {
            let data = vec![b'+'; std::mem::take(&mut online.pluses)];
            self.pack(&data);
        }
        true
    }

    /// The host's DTR line. If it is switched off during transparent data, `AT&D` determines the effect. The modem
    /// first sends the bytes that it holds, and prints `OK` or `CLOSED` (both assumed).
    pub(super) fn dtr_changed(&mut self, on: bool) {
        let was_on = std::mem::replace(&mut self.dtr, on);
        if on {
            self.wakes_for_dtr();
            return;
        }
        let Mode::Online(online) = &mut self.mode else {
            return;
        };
        if !was_on || self.terminal.on_dtr_off == DtrOff::Nothing {
            return;
        }
        let data = vec![b'+'; std::mem::take(&mut online.pluses)];
        self.pack(&data);
        self.send_packet();
        if self.terminal.on_dtr_off == DtrOff::HangUp {
            self.connection_lost(0);
        } else {
            let until = self.after_latency();
            self.run_pause(until, Continuation::Escaped);
        }
    }

    pub(super) fn online_deadline(&self, online: &Online) -> Option<Timestamp> {
        let packet = (!online.packet.is_empty()).then(|| online.begun_at + self.ip.packet().1);
        let escape = (online.pluses > 0).then(|| escape_decided_at(online));
        packet.into_iter().chain(escape).min()
    }

    /// True if a transparent connection is open in command mode.
    pub(super) fn is_escaped(&self) -> bool {
        let online = matches!(self.mode, Mode::Online(_));
        let open = self.ip.channels[0].state.receives();
        !online && open && self.ip.switches.transparent == 1 && !self.ip.multi()
    }

    /// True if there is a link for `ATO` to return to.
    pub(in crate::sim) fn can_go_online(&self) -> bool {
        self.ip.channels[0].state.sends() && self.ip.switches.transparent == 1
    }
}

/// True if these bytes may be part of an escape: at most three pluses and no other byte, after a silence.
fn escape_goes_on(online: &Online, now: Timestamp, bytes: &[u8]) -> bool {
    let pluses = bytes.iter().all(|byte| *byte == b'+') && online.pluses + bytes.len() <= 3;
    let in_time = if online.pluses == 0 {
        now - online.written_at >= GUARD_BEFORE
    } else {
        now - online.first_plus_at <= WITHIN
    };
    pluses && in_time
}

fn escape_decided_at(online: &Online) -> Timestamp {
    if online.pluses == 3 { online.written_at + GUARD_AFTER } else { online.first_plus_at + WITHIN }
}
