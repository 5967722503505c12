//! The loop that serves a modem on a pseudo-terminal.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::clock::ServiceClock;
use super::log_entry::LogEntry;
use super::pty::Pty;
use super::remote::{Inbox, Message};
use crate::sim::line::misread;
use crate::sim::{Input, Network, Output, Simulator};
use crate::time::Timestamp;

/// The largest read of the terminal; the kernel's buffer is smaller.
const READ_SIZE: usize = 16 * 1024;
/// The most output that waits for the terminal.
const PENDING_LIMIT: usize = 256 * 1024;

/// Serves a modem on a pseudo-terminal until it hangs up. It waits without polling, so an idle modem uses no processor
/// time.
///
/// ```no_run
/// use air724ug::sim::{HostNetwork, Settings, Simulator, serve};
///
/// let pty = serve::Pty::open()?;
/// println!("the modem is at {}", pty.path().display());
/// let (remote, inbox) = serve::remote()?;
/// serve::run(Simulator::new(Settings::default(), HostNetwork::new()), pty, inbox)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// If the terminal fails.
pub fn run<N: Network>(simulator: Simulator<N>, pty: Pty, inbox: Inbox) -> io::Result<()> {
    run_with(simulator, pty, inbox, |_, _| {})
}

/// The same as [`run`], with a function that sees all bytes and events.
///
/// # Errors
///
/// If the terminal fails.
pub fn run_with<N: Network>(
    simulator: Simulator<N>,
    pty: Pty,
    inbox: Inbox,
    observe: impl FnMut(Timestamp, LogEntry<'_>),
) -> io::Result<()> {
    let mut service = PtyService {
        simulator,
        pty,
        inbox,
        clock: ServiceClock::start(),
        pending: Vec::new(),
        written: 0,
        hung_up: false,
        observe,
    };
    service.simulator.network_mut().set_waker(service.inbox.waker());
    service.give(Input::Tick);
    while service.write_out()? {
        service.wait()?;
    }
    Ok(())
}

struct PtyService<N, F> {
    simulator: Simulator<N>,
    pty: Pty,
    inbox: Inbox,
    clock: ServiceClock,
    /// Output for the terminal; `written` bytes of it are written.
    pending: Vec<u8>,
    written: usize,
    hung_up: bool,
    observe: F,
}

impl<N: Network, F: FnMut(Timestamp, LogEntry<'_>)> PtyService<N, F> {
    fn give(&mut self, input: Input<'_>) {
        self.simulator.handle(self.clock.now(), input);
    }

    /// Writes until the terminal accepts no more or there is no more; `false` when the modem has hung up.
    fn write_out(&mut self) -> io::Result<bool> {
        loop {
            self.collect_output()?;
            if self.written == self.pending.len() {
                return Ok(!self.hung_up);
            }
            let Some(count) = self.pty.write(&self.pending[self.written..])? else {
                // Bytes that the host has not read before the plug is pulled are lost.
                return Ok(!self.hung_up);
            };
            self.written += count;
        }
    }

    fn collect_output(&mut self) -> io::Result<()> {
        if self.written == self.pending.len() {
            self.pending.clear();
            self.written = 0;
        }
        let now = self.clock.now();
        while self.pending.len() < PENDING_LIMIT && !self.hung_up {
            match self.simulator.poll() {
                Some(Output::Host(bytes)) => {
                    (self.observe)(now, LogEntry::ToHost(&bytes));
                    match self.rates() {
                        Some((module, host)) => self.pending.extend(misread(&bytes, module, host)),
                        None => self.pending.extend_from_slice(&bytes),
                    }
                }
                Some(Output::Happened(event)) => (self.observe)(now, LogEntry::Happened(&event)),
                Some(Output::Unplugged) => {
                    self.pty.unplug();
                    self.pending.clear();
                    self.written = 0;
                }
                Some(Output::PluggedIn(name)) => self.pty.plug_in(name.as_deref())?,
                Some(Output::HangUp) => self.hung_up = true,
                None => break,
            }
        }
        Ok(())
    }

    /// Waits for the host, the bell or the deadline, and processes the event.
    fn wait(&mut self) -> io::Result<()> {
        let mut terminal = PollFlags::empty();
        terminal.set(PollFlags::IN, !self.simulator.holds_back() || self.simulator.room() >= READ_SIZE);
        terminal.set(PollFlags::OUT, self.written < self.pending.len());
        let span = self.clock.until(self.simulator.deadline());
        let (terminal, bell) = {
            let mut fds = vec![PollFd::new(&self.inbox.ear, PollFlags::IN)];
            fds.extend(self.pty.master().map(|master| PollFd::from_borrowed_fd(master, terminal)));
            match rustix::event::poll(&mut fds, span.map(timespec).as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            (fds.get(1).map_or(PollFlags::empty(), PollFd::revents), fds[0].revents())
        };
        self.give(Input::Tick);
        if bell.contains(PollFlags::IN) {
            self.inbox.hush()?;
            while let Some(message) = self.inbox.next() {
                match message {
                    Message::Control(control) => self.give(Input::Control(control)),
                    Message::State(answer) => {
                        // Earlier orders, also those for the plug of the port, are executed before the answer.
                        self.collect_output()?;
                        // The caller may have given up.
                        drop(answer.send(self.simulator.state()));
                    }
                }
            }
            self.give(Input::Tick);
        }
        if terminal.contains(PollFlags::IN) {
            self.read_in()?;
        }
        Ok(())
    }

    fn read_in(&mut self) -> io::Result<()> {
        let mut buffer = [0; READ_SIZE];
        if let Some(count) = self.pty.read(&mut buffer)? {
            let now = self.clock.now();
            (self.observe)(now, LogEntry::FromHost(&buffer[..count]));
            match self.rates() {
                Some((module, host)) => {
                    let received = misread(&buffer[..count], host, module);
                    self.simulator.handle(now, Input::Host(&received));
                }
                None => self.simulator.handle(now, Input::Host(&buffer[..count])),
            }
        }
        Ok(())
    }

    /// The rates of the module's end and of the host's, if they differ.
    fn rates(&self) -> Option<(u32, u32)> {
        let module = self.simulator.uart_rate()?;
        // A terminal without a rate counts as one with the right rate.
        let host = self.pty.rate().unwrap_or(module);
        (host != module).then_some((module, host))
    }
}

fn timespec(span: Duration) -> Timespec {
    // A span of more than 292 billion years would not fit; a year is sufficient.
    let span = span.min(Duration::from_secs(365 * 24 * 3600));
    Timespec { tv_sec: span.as_secs() as i64, tv_nsec: span.subsec_nanos().into() }
}
