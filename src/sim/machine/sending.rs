//! Payload of `AT+CIPSEND`, from the prompt to the result.

use super::{Machine, Mode};
use crate::sim::control::ModemEvent;
use crate::sim::data::{End, Payload};
use crate::sim::ip::ChannelState;
use crate::sim::output_kind::OutputKind;
use crate::sim::result::{Awaits, Continuation, Outcome};
use crate::time::Timestamp;
use std::time::Duration;

const CONTROL_Z: u8 = 0x1a;
const ESCAPE: u8 = 0x1b;
/// The most bytes of a send up to Ctrl-Z (8910 SDK: 10 KB). Further ones are dropped.
const CONTROL_Z_LIMIT: usize = 10_240;
/// The time after which a send without a result has failed (openLuat's flow chart).
const SEND_TIMEOUT: Duration = Duration::from_secs(50);

impl Machine {
    /// Takes payload bytes. Returns the number of bytes that belong to it.
    pub(super) fn feed_payload(&mut self, bytes: &[u8]) -> usize {
        let Mode::Payload(payload) = &mut self.mode else {
            return 0;
        };
        if std::mem::take(&mut payload.takes_line_feed) && bytes[0] == b'\n' {
            return 1;
        }
        let left = payload.breaks_after.map_or(bytes.len(), |after| after - payload.bytes.len());
        let bytes = &bytes[..bytes.len().min(left)];
        let (used, ended) = match payload.end {
            End::Length(length) => {
                let used = bytes.len().min(length - payload.bytes.len());
                payload.bytes.extend_from_slice(&bytes[..used]);
                (used, (payload.bytes.len() == length).then_some(CONTROL_Z))
            }
            End::ControlZ => take_until_control(payload, bytes),
        };
        self.echo(bytes[..used].to_vec());
        match ended {
            None => self.break_payload(),
            Some(ESCAPE) => self.cancel_payload(),
            Some(_) => self.finish_payload(),
        }
        used
    }

    /// The prompt is printed, and payload follows.
    pub(super) fn open_payload(&mut self, payload: Payload) {
        self.mode = Mode::Payload(payload);
        self.break_payload();
    }

    /// Ends the link during a payload, if a fault applies.
    fn break_payload(&mut self) {
        if let Mode::Payload(payload) = &self.mode
            && payload.breaks_after.is_some_and(|after| after <= payload.bytes.len())
        {
            let channel = payload.channel;
            self.happened(ModemEvent::Fault(format!("channel {channel} breaks during a send")));
            self.connection_lost(channel);
        }
    }

    /// Sends the bytes so far at the end of the time of `AT+CIPATS`. Also checks a file's time-out.
    pub(super) fn data_timers(&mut self) -> bool {
        match &self.mode {
            Mode::Payload(payload) if payload.sends_at.is_some_and(|at| at <= self.now) => {
                self.finish_payload();
                true
            }
            Mode::File(write) if write.until <= self.now => {
                self.frame(OutputKind::Final, "TimeOut");
                self.free_line();
                true
            }
            Mode::Online(_) => self.online_timers(),
            Mode::Command | Mode::Running(_) | Mode::Payload(_) | Mode::File(_) => false,
        }
    }

    pub(super) fn data_deadline(&self) -> Option<Timestamp> {
        match &self.mode {
            Mode::Payload(payload) => payload.sends_at,
            Mode::File(write) => Some(write.until),
            Mode::Online(online) => self.online_deadline(online),
            Mode::Command | Mode::Running(_) => None,
        }
    }

    /// Sends the bytes that the network did not accept before.
    pub(super) fn flush_unsent(&mut self, channel: usize) -> bool {
        let slot = &mut self.ip.channels[channel];
        if let ChannelState::Stale { .. } = slot.state {
            slot.unsent.clear();
            slot.unsent_bytes = 0;
            return false;
        }
        if let ChannelState::Connecting { .. } = slot.state {
            return false;
        }
        let mut moved = false;
        while let Some(mut chunk) = self.ip.channels[channel].unsent.pop_front() {
            let taken = self.link_send(channel, &chunk);
            let slot = &mut self.ip.channels[channel];
            chunk.drain(..taken);
            // The send may have found the link broken, which clears the buffer.
            slot.unsent_bytes = slot.unsent_bytes.saturating_sub(taken);
            if !chunk.is_empty() && slot.state.link().is_some() {
                slot.unsent.push_front(chunk);
            }
            if taken == 0 {
                break;
            }
            moved = true;
        }
        moved
    }

    /// Sends bytes on the channel's link; bytes that the network does not accept are kept.
    pub(super) fn send_on(&mut self, channel: usize, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let slot = &mut self.ip.channels[channel];
        slot.sent += bytes.len() as u64;
        slot.unsent_bytes += bytes.len();
        slot.unsent.push_back(bytes);
        self.flush_unsent(channel);
    }

    /// Continues a waiting command; `None`: it still waits.
    pub(super) fn resume(&mut self, then: Continuation, overdue: bool) -> Option<Outcome> {
        match then {
            Continuation::BearerUp => overdue.then(|| self.bearer_up()),
            Continuation::Escaped => overdue.then_some(Outcome::Ok),
            Continuation::Pinging => self.ping_on(overdue),
            Continuation::Written => overdue.then_some(Outcome::Ok),
            Continuation::Connected { channel } => self.connect_awaited(channel, overdue),
            Continuation::Sent { channel, bytes, awaits } => self.sent(channel, bytes, awaits, overdue),
        }
    }

    /// A blocking `AT+CIPSTART`: its result or its time-out has come.
    fn connect_awaited(&mut self, channel: usize, overdue: bool) -> Option<Outcome> {
        let waits = matches!(self.ip.channels[channel].state, ChannelState::Connecting { .. });
        if waits && overdue {
            self.final_line("COMMAND NOT RESPONSE");
        }
        (!waits || overdue).then_some(Outcome::Bare)
    }

    fn sent(&mut self, channel: usize, bytes: usize, awaits: Awaits, overdue: bool) -> Option<Outcome> {
        let slot = &self.ip.channels[channel];
        if slot.state.link().is_none() {
            return Some(self.send_result(channel, "SEND FAIL"));
        }
        let fits = slot.unsent_bytes <= self.settings.send_buffer;
        let settled = match awaits {
            Awaits::Latency => fits && overdue,
            Awaits::Room => fits,
            Awaits::Acknowledgement => self.link_acknowledged(channel) >= slot.sent,
        };
        if settled && self.ip.switches.quick_send == 1 {
            let channel_shown = if self.ip.multi() { format!("{channel},") } else { String::new() };
            let line = format!("DATA ACCEPT:{channel_shown}{bytes}");
            return Some(self.send_line(&line));
        }
        if settled {
            return Some(self.send_result(channel, "SEND OK"));
        }
        overdue.then(|| self.send_result(channel, "SEND FAIL"))
    }

    fn send_result(&mut self, channel: usize, text: &str) -> Outcome {
        let line = self.on_channel(channel, text);
        self.send_line(&line)
    }

    /// Prints the result of a send, unless `AT+CIPSPRT=2` suppresses it.
    fn send_line(&mut self, line: &str) -> Outcome {
        if self.ip.switches.prompt != 2 {
            self.frame(OutputKind::Final, line);
        }
        Outcome::Bare
    }

    fn cancel_payload(&mut self) {
        // The answer to ESC is not documented; OK is assumed.
        self.final_line("OK");
        self.free_line();
    }

    fn finish_payload(&mut self) {
        let Mode::Payload(payload) = &mut self.mode else {
            return;
        };
        let (channel, bytes) = (payload.channel, std::mem::take(&mut payload.bytes));
        let count = bytes.len();
        if matches!(payload.end, End::Length(_)) {
            self.editor.skip_line_ends();
        }
        if self.faults.fails_send() {
            self.happened(ModemEvent::Fault(format!("channel {channel} does not send {count} bytes")));
            self.send_result(channel, "SEND FAIL");
            self.free_line();
            return;
        }
        self.happened(ModemEvent::Sent { channel: channel as u8, bytes: count });
        self.send_on(channel, bytes);
        if let Some(by) = self.faults.delays_send() {
            self.happened(ModemEvent::Fault(format!("the result of a send comes {by:?} late")));
            // Drivers report an empty line in place of the result (CLI, protocol.md section 0).
            self.out.line.push(self.now, b"\r\n\r\n");
        }
        let awaits = if self.waits_for_acknowledgement() {
            Awaits::Acknowledgement
        } else if self.ip.channels[channel].unsent_bytes > self.settings.send_buffer {
            Awaits::Room
        } else {
            Awaits::Latency
        };
        let until = if awaits == Awaits::Latency { self.after_latency() } else { self.now + SEND_TIMEOUT };
        let then = Continuation::Sent { channel, bytes: count, awaits };
        self.run_pause(until, then);
    }

    /// True if `SEND OK` means that the peer has the bytes: mode 2, or mode 0 if there is no mode 2.
    fn waits_for_acknowledgement(&self) -> bool {
        let mode = self.ip.switches.quick_send;
        mode == 2 || (mode == 0 && self.settings.profile.quick_send_max < 2)
    }
}

/// Takes bytes up to Ctrl-Z or ESC. Returns their number, and the control character that ended them.
fn take_until_control(payload: &mut Payload, bytes: &[u8]) -> (usize, Option<u8>) {
    let end = bytes.iter().position(|byte| matches!(*byte, CONTROL_Z | ESCAPE));
    let text = &bytes[..end.unwrap_or(bytes.len())];
    let kept = text.len().min(CONTROL_Z_LIMIT - payload.bytes.len());
    payload.bytes.extend_from_slice(&text[..kept]);
    match end {
        None => (bytes.len(), None),
        Some(at) => (at + 1, Some(bytes[at])),
    }
}
