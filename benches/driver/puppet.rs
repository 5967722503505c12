//! A modem on a pseudo-terminal that also writes given bytes, at the speed of the terminal or at a known time.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use air724ug::sim::{Input, MemoryNetwork, Output, Settings, Simulator, serve};
use air724ug::time::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::support::driver::memory;

type Order = Box<dyn FnOnce(&mut End) + Send>;

pub(crate) struct Puppet {
    pub(crate) path: String,
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// The modem's end of the terminal.
pub(crate) struct End {
    pty: serve::Pty,
    modem: Simulator<MemoryNetwork>,
    origin: Instant,
}

impl Puppet {
    pub(crate) fn new() -> Self {
        let pty = serve::Pty::open().unwrap();
        let path = pty.path().display().to_string();
        let (orders, inbox) = unbounded();
        let mut end =
            End { pty, modem: Simulator::new(Settings::default(), memory()), origin: Instant::now() };
        let thread = thread::Builder::new().name("puppet".into()).spawn(move || end.serve(&inbox)).unwrap();
        Self { path, orders: Some(orders), thread: Some(thread) }
    }

    /// Runs a function on the modem's side.
    pub(crate) fn order(&self, order: impl FnOnce(&mut End) + Send + 'static) {
        let orders = self.orders.as_ref().expect("it is there until this is dropped");
        assert!(orders.send(Box::new(order)).is_ok());
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl End {
    /// Serves like the simulated modem.
    fn serve(&mut self, orders: &Receiver<Order>) {
        let mut buffer = [0; 4096];
        loop {
            self.give(Input::Tick);
            match orders.try_recv() {
                Ok(order) => order(self),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return,
            }
            if self.wait(PollFlags::IN, Duration::from_millis(1)) {
                let count = rustix::io::read(self.pty.master().unwrap(), &mut buffer).unwrap();
                self.give(Input::Host(&buffer[..count]));
            }
        }
    }

    /// Writes these bytes to the host, and waits as long as needed.
    pub(crate) fn say(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match rustix::io::write(self.pty.master().unwrap(), bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(rustix::io::Errno::AGAIN) => drop(self.wait(PollFlags::OUT, Duration::from_secs(10))),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waits until the terminal has this state, at most for the span. Returns true if it has.
    pub(crate) fn wait(&self, so: PollFlags, span: Duration) -> bool {
        let span = Timespec { tv_sec: span.as_secs() as i64, tv_nsec: span.subsec_nanos().into() };
        poll(&mut [PollFd::from_borrowed_fd(self.pty.master().unwrap(), so)], Some(&span)).unwrap() > 0
    }

    fn give(&mut self, input: Input<'_>) {
        self.modem.handle(Timestamp::ZERO + self.origin.elapsed(), input);
        let mut said = Vec::new();
        while let Some(output) = self.modem.poll() {
            if let Output::Host(bytes) = output {
                said.extend_from_slice(&bytes);
            }
        }
        self.say(&said);
    }
}
