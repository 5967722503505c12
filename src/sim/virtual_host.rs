//! A host in virtual time, for tests in one thread.

use std::time::Duration;

use super::control::{Control, Input, ModemEvent, Output};
use super::network::Network;
use super::simulator::Simulator;
use crate::time::Timestamp;

/// A simulator with a virtual clock. No call takes real time: a connect that fails after 75 s takes microseconds.
///
/// ```
/// use air724ug::sim::{MemoryNetwork, Settings, Simulator, VirtualHost};
/// use std::time::Duration;
///
/// let modem = Simulator::new(Settings::default(), MemoryNetwork::new());
/// let mut host = VirtualHost::new(modem);
/// assert_eq!(host.write(b"AT+CPIN?\r\n"), b"AT+CPIN?\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n");
/// host.write(b"AT+RESET\r\n");
/// assert!(host.wait(Duration::from_secs(2)).starts_with(b"\r\nRDY\r\n"));
/// ```
#[derive(Debug)]
pub struct VirtualHost<N> {
    simulator: Simulator<N>,
    now: Timestamp,
    received: Vec<u8>,
    modem_events: Vec<ModemEvent>,
    hung_up: bool,
}

impl<N: Network> VirtualHost<N> {
    /// A host on this modem's line, at the origin of time.
    pub fn new(simulator: Simulator<N>) -> Self {
        let mut host = Self {
            simulator,
            now: Timestamp::ZERO,
            received: Vec::new(),
            modem_events: Vec::new(),
            hung_up: false,
        };
        host.give(Input::Tick);
        host
    }

    /// Writes bytes, and returns those that arrive without any time passing.
    pub fn write(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.give(Input::Host(bytes));
        self.take()
    }

    /// Advances the time, and returns the bytes that arrive.
    pub fn wait(&mut self, span: Duration) -> Vec<u8> {
        let end = self.now + span;
        while let Some(at) = self.simulator.deadline().filter(|at| *at <= end && *at > self.now) {
            self.now = at;
            self.give(Input::Tick);
        }
        self.now = end;
        self.give(Input::Tick);
        self.take()
    }

    /// Advances the time without reading: arriving bytes remain on the line, or are lost to an overrun.
    pub fn look_away(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.simulator.deadline().filter(|at| *at <= end && *at > self.now) {
            self.now = at;
            self.simulator.handle(at, Input::Tick);
        }
        self.now = end;
        self.simulator.handle(end, Input::Tick);
    }

    /// Changes the modem's environment.
    pub fn control(&mut self, control: Control) -> Vec<u8> {
        self.give(Input::Control(control));
        self.take()
    }

    /// Changes the network, and returns the bytes that arrive at once.
    pub fn with_network(&mut self, change: impl FnOnce(&mut N)) -> Vec<u8> {
        change(self.simulator.network_mut());
        self.give(Input::Tick);
        self.take()
    }

    /// The modem.
    pub fn simulator(&self) -> &Simulator<N> {
        &self.simulator
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// All events so far.
    pub fn modem_events(&self) -> &[ModemEvent] {
        &self.modem_events
    }

    /// True if the port is gone.
    pub fn hung_up(&self) -> bool {
        self.hung_up
    }

    fn give(&mut self, input: Input<'_>) {
        self.simulator.handle(self.now, input);
        while let Some(output) = self.simulator.poll() {
            match output {
                Output::Host(bytes) => self.received.extend(bytes),
                Output::Happened(event) => self.modem_events.push(event),
                Output::HangUp | Output::Unplugged => self.hung_up = true,
                Output::PluggedIn(_) => self.hung_up = false,
            }
        }
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }
}
