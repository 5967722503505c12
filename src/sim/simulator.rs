//! The modem with its line and its network, without I/O.

use super::commands;
use super::control::{Control, Input, ModemEvent, Output};
use super::fault::{Direction, Wire};
use super::line::Paced;
use super::machine::{Advance, Machine};
use super::network::Network;
use super::settings::Settings;
use super::state::State;
use crate::time::Timestamp;

/// The most bytes from the host that wait for the modem. If a host writes more without flow control, they are lost, as
/// on a UART. A host that checks [`Simulator::room`] first loses none.
const INPUT_LIMIT: usize = 64 * 1024;
/// The most bytes in one [`Output::Host`].
const OUTPUT_CHUNK: usize = 64 * 1024;

/// A simulated Air724UG without I/O: it takes bytes and the time, and returns bytes.
///
/// The contract: pass inputs to [`handle`](Self::handle), then call [`poll`](Self::poll) until it returns `None`, then
/// wait for the next input or for [`deadline`](Self::deadline), and pass [`Input::Tick`] at the deadline. The same
/// inputs at the same times have the same outputs.
///
/// ```
/// use air724ug::sim::{Input, MemoryNetwork, Output, Settings, Simulator};
/// use air724ug::time::Timestamp;
///
/// let mut modem = Simulator::new(Settings::default().echo(false), MemoryNetwork::new());
/// modem.handle(Timestamp::ZERO, Input::Host(b"AT\r\n"));
/// let mut answer = Vec::new();
/// while let Some(output) = modem.poll() {
///     if let Output::Host(bytes) = output {
///         answer.extend(bytes);
///     }
/// }
/// assert_eq!(answer, b"\r\nOK\r\n");
/// ```
#[derive(Debug)]
pub struct Simulator<N> {
    machine: Machine<N>,
    input: Paced,
    from_host: Wire,
    to_host: Wire,
    now: Timestamp,
    said_hang_up: bool,
}

impl<N: Network> Simulator<N> {
    /// A modem with these settings and this network.
    pub fn new(settings: Settings, network: N) -> Self {
        Self {
            input: Paced::new(settings.baud),
            from_host: Wire::new(Direction::FromHost),
            to_host: Wire::new(Direction::ToHost),
            machine: Machine::new(settings, network),
            now: Timestamp::ZERO,
            said_hang_up: false,
        }
    }

    /// Takes an input. `now` must not decrease; if it does, the last time is used.
    pub fn handle(&mut self, now: Timestamp, input: Input<'_>) {
        // Only bytes that the host could have read already can be lost.
        let after = self.machine.out.line.ready() > 0;
        self.run_until(now.max(self.now));
        match input {
            Input::Host(bytes) => self.receive(bytes),
            Input::Control(control) => self.control(control),
            Input::Tick => {}
        }
        self.settle();
        self.lose_what_overruns(after);
    }

    /// The next output; `None` if there is none before the next input or deadline.
    pub fn poll(&mut self) -> Option<Output> {
        if let Some(event) = self.machine.happened.pop_front() {
            return Some(Output::Happened(event));
        }
        if self.said_hang_up {
            return None;
        }
        if let Some(news) = self.machine.plug.take_news() {
            return Some(news);
        }
        if !self.machine.plug.is_in() {
            self.lose_output();
        }
        if self.machine.out.line.ready() == 0 && !self.machine.hung_up {
            // The read may have made room for data that wait in the network.
            self.settle();
        }
        let bytes = self.machine.out.line.take(OUTPUT_CHUNK.min(self.to_host.room()));
        self.to_host.push(self.now, bytes, &mut self.machine.faults);
        if let Some(bytes) = self.to_host.pop(self.now) {
            return Some(Output::Host(bytes));
        }
        self.said_hang_up = self.machine.hung_up;
        self.said_hang_up.then_some(Output::HangUp)
    }

    /// The time of the next [`Input::Tick`], if there is no input before.
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.machine.hung_up {
            return None;
        }
        let lines = [self.input.deadline(), self.machine.out.line.deadline()];
        let others = [
            self.modem().deadline(),
            self.machine.plug.deadline(),
            self.machine.network.deadline(),
            self.from_host.deadline(),
            self.to_host.deadline(),
        ];
        lines.into_iter().chain(others).flatten().min()
    }

    /// The number of bytes that the host can write now without losses, as with flow control.
    pub fn room(&self) -> usize {
        INPUT_LIMIT.saturating_sub(self.input.len()).min(self.from_host.room())
    }

    /// True if flow control by RTS/CTS or USB stops a host that writes more than [`room`](Self::room). Otherwise it
    /// loses bytes: [`Settings::uart_buffer`] without `AT+IFC=2,2`.
    pub fn holds_back(&self) -> bool {
        self.machine.settings.uart_buffer.is_none() || self.machine.terminal.flow.1 == 2
    }

    /// The network behind the modem.
    pub fn network(&self) -> &N {
        &self.machine.network
    }

    /// The network behind the modem, to change it.
    pub fn network_mut(&mut self) -> &mut N {
        &mut self.machine.network
    }

    /// The rate of the module's UART, if it has one.
    #[cfg(unix)]
    pub(super) fn uart_rate(&self) -> Option<u32> {
        self.machine.settings.uart_rate
    }

    /// The state of the modem now.
    pub fn state(&self) -> State {
        State::of(&self.machine)
    }

    /// Drops the output to a port that is gone.
    fn lose_output(&mut self) {
        while !self.machine.out.line.take(OUTPUT_CHUNK).is_empty() {}
        self.to_host = Wire::new(Direction::ToHost);
    }

    fn receive(&mut self, bytes: &[u8]) {
        if self.machine.hung_up || !self.machine.plug.is_in() {
            return;
        }
        let taken = bytes.len().min(self.room());
        self.from_host.push(self.now, bytes[..taken].to_vec(), &mut self.machine.faults);
        self.take_from_wire();
        if taken < bytes.len() {
            self.modem_mut().happened(ModemEvent::Overrun(bytes.len() - taken));
        }
    }

    /// Without flow control, bytes beyond the size of a UART's buffer are lost, on either side of the line.
    fn lose_what_overruns(&mut self, after: bool) {
        let (Some(buffer), true) = (self.machine.settings.uart_buffer, self.machine.settings.baud.is_some())
        else {
            return;
        };
        if !self.holds_back() {
            let lost = self.input.overrun(buffer);
            self.report_overrun(lost, ModemEvent::Overrun);
        }
        if after && self.machine.terminal.flow.0 != 2 {
            let lost = self.machine.out.line.overrun(buffer);
            self.report_overrun(lost, ModemEvent::HostOverrun);
        }
    }

    fn report_overrun(&mut self, lost: usize, event: fn(usize) -> ModemEvent) {
        if lost > 0 {
            self.modem_mut().happened(event(lost));
        }
    }

    /// Applies a change. After a hang-up there is no further output.
    fn control(&mut self, control: Control) {
        if self.machine.hung_up {
            return;
        }
        self.modem_mut().control(control);
    }

    /// Advances the time, event by event.
    fn run_until(&mut self, now: Timestamp) {
        while let Some(at) = self.deadline()
            && at > self.now
            && at <= now
        {
            self.now = at;
            self.settle();
        }
        self.now = now;
        self.settle();
    }

    /// Does all actions that are possible at this time.
    fn settle(&mut self) {
        // Bytes that were still being transmitted are lost with the port.
        if self.machine.hung_up {
            return;
        }
        let now = self.now;
        self.machine.now = now;
        self.machine.plug.put_in_if_due(now);
        self.take_from_wire();
        self.input.advance(now);
        self.machine.out.line.advance(now);
        while !self.machine.hung_up && self.step() {}
        self.machine.out.line.advance(now);
    }

    /// Takes the bytes that have arrived at the modem.
    fn take_from_wire(&mut self) {
        while let Some(bytes) = self.from_host.pop(self.now) {
            self.input.push(self.now, &bytes);
        }
    }

    fn step(&mut self) -> bool {
        let mut moved = self.feed();
        moved |= self.act();
        let now = self.now;
        let modem = self.modem_mut();
        while let Some(event) = modem.network.poll(now) {
            modem.on_network(event);
            moved = true;
        }
        if let Some(format) = self.machine.new_format.take() {
            let rate = format.rate;
            self.machine.settings.uart_rate =
                self.machine.settings.uart_rate.map(|before| rate.unwrap_or(before));
            self.machine.out.line.set_format(format);
            self.input.set_format(format);
        }
        moved | self.modem_mut().pump()
    }

    /// Does the actions that are due, and runs commands, which the machine does not contain.
    fn act(&mut self) -> bool {
        let modem = self.modem_mut();
        let mut acted = modem.act_before_command();
        acted |= match modem.advance() {
            Advance::Waits => false,
            Advance::Moved => true,
            Advance::Run(call) => {
                let outcome = commands::execute(modem, &call);
                modem.finish(outcome);
                true
            }
        };
        acted | modem.act_after_command()
    }

    fn modem(&self) -> &Machine {
        &self.machine
    }

    fn modem_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Passes arrived bytes to the machine, as many as it accepts.
    fn feed(&mut self) -> bool {
        self.input.join_line_feed();
        let mut fed = false;
        while !self.input.front().is_empty() {
            let modem: &mut Machine = &mut self.machine;
            let used = modem.feed(self.input.front());
            if used == 0 {
                break;
            }
            self.input.consume(used);
            fed = true;
        }
        fed
    }
}
