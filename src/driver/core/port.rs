//! The part of the core that knows the port: open, away or closed, and what callers use of it.

use super::{Core, PortState};
use crate::driver::reading_caller::ReadingCaller;
use crate::port::{CallerEnd, ModuleMode};
use crate::proto::Input;
use crate::time::Timestamp;

impl Core {
    /// Whether the port is open.
    pub(in crate::driver) fn has_port(&self) -> bool {
        self.port == PortState::Open
    }

    /// The number of the port that is open, or will be next.
    pub(in crate::driver) fn next_port_number(&self) -> u64 {
        self.number
    }

    /// The mode in which the module lost its port.
    pub(in crate::driver) fn module_mode(&self) -> ModuleMode {
        match self.engine.awaited_fill() {
            None => ModuleMode::Data,
            Some(fill) if fill.is_empty() => ModuleMode::Command,
            Some(fill) => ModuleMode::Send(fill),
        }
    }

    /// The number of the port that is open.
    pub(in crate::driver) fn port_number(&self) -> Option<u64> {
        self.has_port().then_some(self.number)
    }

    /// Sets the end of the port for callers.
    pub(in crate::driver) fn set_callers_end(&mut self, end: Option<CallerEnd>) {
        (self.direct, self.direct_read, self.alarm, self.leads_elsewhere) = match end {
            Some(CallerEnd { direct, direct_read, alarm, leads_elsewhere }) => {
                (Some(direct), direct_read, alarm, leads_elsewhere)
            }
            None => (None, None, None, None),
        };
    }

    /// Sets the value that ends the calls of halves that may block when it is dropped. It is dropped at once if the
    /// modem was closed meanwhile.
    pub(in crate::driver) fn set_end(&mut self, end: Option<Box<dyn Send>>) {
        self.end = end.filter(|_| self.has_port());
    }

    /// The port with this number has ended. Each of its threads reports this; the first report counts.
    pub(in crate::driver) fn port_ended(&mut self, now: Timestamp, number: u64, reason: &str) {
        if self.port_number() != Some(number) {
            return;
        }
        if !self.reopens {
            return self.close(now, reason);
        }
        self.leave_port(now, reason);
        self.port = PortState::Away;
        self.number += 1;
        self.handle(now, Input::PortAway(reason));
    }

    /// Nothing answers. The reason why another port may, if there is one: the port is on another machine and its
    /// silence has lasted for the limit, or its path leads to another device now. The server may be gone, while the
    /// system repeats the written bytes for a quarter of an hour.
    pub(super) fn reason_to_leave(&mut self, now: Timestamp) -> Option<&'static str> {
        let commands = &self.engine.statistics().commands;
        let answered = commands.answered.saturating_add(commands.refused);
        match &self.leads_elsewhere {
            _ if !self.reopens => None,
            Some(leads_elsewhere) => {
                leads_elsewhere().then_some("nothing answers, and its path leads to another device now")
            }
            None if self.end.is_some() && self.silence.lasts(now, answered) => {
                Some("nothing answers; is the serial server on, and the module?")
            }
            None => None,
        }
    }

    /// The port is open again, unless the modem was closed meanwhile.
    pub(in crate::driver) fn port_is_back(&mut self, now: Timestamp, end: Option<CallerEnd>) {
        if self.port == PortState::Away {
            self.port = PortState::Open;
            self.set_callers_end(end);
            self.record(|recording| recording.note(now, "the port is back"));
            self.handle(now, Input::PortBack);
        }
    }

    /// Ends everything: every waiting call is answered, subscriptions end.
    pub(in crate::driver) fn close(&mut self, now: Timestamp, reason: &str) {
        if !self.is_closed() {
            self.leave_port(now, reason);
            self.port = PortState::Closed;
            self.handle(now, Input::PortLost(reason));
            self.subscribers.end(&mut self.woken);
            self.heartbeats.end();
            self.recording = None;
        }
    }

    fn leave_port(&mut self, now: Timestamp, reason: &str) {
        self.log.port_left(reason);
        self.record(|recording| recording.note(now, &format!("the port is lost: {reason}")));
        self.unwritten = Vec::new();
        self.in_hand = false;
        self.dtr = None;
        self.set_callers_end(None);
        self.end = None;
        self.silence.interrupt();
        self.reading_caller.iter().for_each(ReadingCaller::call);
    }
}
