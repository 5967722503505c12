//! A modem on a thread of this process, with two halves of a port for the host.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Select, Sender, bounded, unbounded};

use super::clock::ServiceClock;
use crate::sim::{Control, Input, Network, Output, Simulator, State};
use crate::time::Timestamp;

/// The most bytes of one write.
const WRITE_SIZE: usize = 4 * 1024;
/// The most pieces in transit in each direction. A host that does not read stops the modem, as RTS does.
const PIECES: usize = 16;

/// A function that runs on the simulator's thread.
type Visit<N> = Box<dyn FnOnce(&mut Simulator<N>) + Send>;

/// An order to the thread.
enum Instruction<N> {
    Control(Control),
    Visit(Visit<N>),
    Open(Sender<io::Result<(Reader, Writer)>>),
}

/// Serves a simulator on its own thread, in real time.
///
/// The port ends when the modem hangs up ([`Control::HangUp`]), is unplugged, or when the writer is dropped. The reader
/// then returns the bytes in transit, and after them the end. An unplugged modem continues, and [`Handle::open`] opens
/// its port when it is back.
///
/// ```
/// use air724ug::sim::{MemoryNetwork, Settings, Simulator, serve};
/// use std::io::{Read, Write};
///
/// let modem = Simulator::new(Settings::default(), MemoryNetwork::new());
/// let (mut reader, mut writer, _handle) = serve::in_process(modem)?;
/// writer.write_all(b"AT\r\n")?;
/// let mut answer = [0; 10];
/// reader.read_exact(&mut answer)?;
/// assert_eq!(&answer, b"AT\r\n\r\nOK\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// If the system has no more threads.
pub fn in_process<N: Network + Send + 'static>(
    simulator: Simulator<N>,
) -> io::Result<(Reader, Writer, Handle<N>)> {
    let (halves, port) = pair();
    let (orders, order_queue) = unbounded();
    let (waker, wakes) = bounded(1);
    let mut service = InProcessService {
        simulator,
        clock: ServiceClock::start(),
        port: Some(port),
        is_plugged_in: true,
        is_over: false,
        orders: Some(order_queue),
        wakes,
        pending: None,
    };
    let waker = Arc::new(move || {
        // A full channel has a wake-up already.
        let _ = waker.try_send(());
    });
    // A network without threads drops its waker, and a channel without senders is always ready: the thread would not
    // wait any more.
    let kept = waker.clone();
    service.simulator.network_mut().set_waker(waker);
    thread::Builder::new().name("sim-modem".to_owned()).spawn(move || {
        service.run();
        drop(kept);
    })?;
    Ok((halves.0, halves.1, Handle { orders }))
}

/// Both ends of a port.
fn pair() -> ((Reader, Writer), OpenPort) {
    let (to_modem, from_host) = bounded(PIECES);
    let (to_host, from_modem) = bounded(PIECES);
    let reader = Reader { from_modem, piece: Vec::new(), taken: 0 };
    ((reader, Writer { to_modem }), OpenPort { from_host, to_host })
}

/// The bytes that the modem sends. Reads wait; `Ok(0)` is the end of the port.
#[derive(Debug)]
pub struct Reader {
    from_modem: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    taken: usize,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() {
            let Ok(piece) = self.from_modem.recv() else {
                return Ok(0);
            };
            self.piece = piece;
            self.taken = 0;
        }
        let count = into.len().min(self.piece.len() - self.taken);
        into[..count].copy_from_slice(&self.piece[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// The bytes that the host sends. Dropping it closes the port.
#[derive(Debug)]
pub struct Writer {
    to_modem: Sender<Vec<u8>>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(WRITE_SIZE);
        if count > 0 && self.to_modem.send(bytes[..count].to_vec()).is_err() {
            return Err(io::Error::new(ErrorKind::BrokenPipe, "the simulated modem has hung up"));
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A handle to a modem on another thread.
pub struct Handle<N> {
    orders: Sender<Instruction<N>>,
}

impl<N: Network> Handle<N> {
    /// Changes the modem's environment. Orders are executed in sequence; none is lost while the port is open.
    pub fn control(&self, control: Control) {
        drop(self.orders.send(Instruction::Control(control)));
    }

    /// Opens the port of a modem that was unplugged and is back ([`Control::Replug`], [`Control::UsbRestart`]), as a
    /// [`PortSource`](crate::PortSource) requires.
    ///
    /// ```
    /// use air724ug::sim::{Control, MemoryNetwork, Settings, Simulator, serve};
    /// use air724ug::{Config, Modem};
    /// use std::time::Duration;
    ///
    /// let (reader, writer, handle) = serve::in_process(Simulator::new(Settings::default(), MemoryNetwork::new()))?;
    /// let (mut first, again) = (Some((reader, writer)), handle.clone());
    /// let source = move || {
    ///     let (reader, writer) = first.take().map_or_else(|| again.open(), Ok)?;
    ///     Ok((Box::new(reader) as _, Box::new(writer) as _))
    /// };
    /// let modem = Modem::start_from(source, Config::default())?;
    /// handle.control(Control::UsbRestart(Duration::from_millis(100)));
    /// modem.wait_ready(Duration::from_secs(60))?;
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] while it is unplugged and after its end, [`ErrorKind::ResourceBusy`] while the port is
    /// open.
    pub fn open(&self) -> io::Result<(Reader, Writer)> {
        let (answer, answered) = bounded(1);
        drop(self.orders.send(Instruction::Open(answer)));
        answered
            .recv()
            .unwrap_or_else(|_| Err(io::Error::new(ErrorKind::NotFound, "the simulated modem has hung up")))
    }

    /// Runs a function on the simulator's thread, and returns its result; `None` when the port is closed.
    pub fn with<R: Send + 'static>(
        &self,
        visit: impl FnOnce(&mut Simulator<N>) -> R + Send + 'static,
    ) -> Option<R> {
        let (answer, answered) = bounded(1);
        let visit = move |simulator: &mut Simulator<N>| drop(answer.send(visit(simulator)));
        self.orders.send(Instruction::Visit(Box::new(visit))).ok()?;
        answered.recv().ok()
    }

    /// The state of the modem now; `None` when the port is closed.
    pub fn state(&self) -> Option<State> {
        self.with(|simulator| simulator.state())
    }
}

impl<N> Clone for Handle<N> {
    fn clone(&self) -> Self {
        Self { orders: self.orders.clone() }
    }
}

impl<N> fmt::Debug for Handle<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// The thread.
struct InProcessService<N> {
    simulator: Simulator<N>,
    clock: ServiceClock,
    /// `None` while it is unplugged, and until it is opened again.
    port: Option<OpenPort>,
    is_plugged_in: bool,
    /// True if the modem has hung up, or the host has closed the port.
    is_over: bool,
    /// `None` when every handle is dropped.
    orders: Option<Receiver<Instruction<N>>>,
    wakes: Receiver<()>,
    /// Output that the host has not read.
    pending: Option<Vec<u8>>,
}

/// The modem's end of a port.
struct OpenPort {
    from_host: Receiver<Vec<u8>>,
    to_host: Sender<Vec<u8>>,
}

/// An event that the thread waited for.
enum Event<N> {
    Nothing,
    FromHost(Result<Vec<u8>, ()>),
    Instruction(Result<Instruction<N>, ()>),
}

impl<N: Network> InProcessService<N> {
    fn run(mut self) {
        self.simulator.handle(self.clock.now(), Input::Tick);
        loop {
            self.collect_output();
            // A port that is away can only come back by a handle.
            if self.is_over || (self.port.is_none() && self.orders.is_none()) {
                return;
            }
            let event = self.wait();
            let now = self.clock.now();
            match event {
                Event::Nothing => self.simulator.handle(now, Input::Tick),
                Event::FromHost(Ok(bytes)) => self.simulator.handle(now, Input::Host(&bytes)),
                Event::FromHost(Err(())) => self.is_over = true,
                Event::Instruction(Ok(Instruction::Control(control))) => {
                    self.simulator.handle(now, Input::Control(control));
                }
                Event::Instruction(Ok(Instruction::Visit(visit))) => {
                    visit(&mut self.simulator);
                    self.simulator.handle(now, Input::Tick);
                }
                Event::Instruction(Ok(Instruction::Open(answer))) => {
                    let opened = self.open(now);
                    drop(answer.send(opened));
                }
                Event::Instruction(Err(())) => self.orders = None,
            }
        }
    }

    fn open(&mut self, now: Timestamp) -> io::Result<(Reader, Writer)> {
        // A port that is due comes back.
        self.simulator.handle(now, Input::Tick);
        self.collect_output();
        if self.port.is_some() {
            return Err(io::Error::new(ErrorKind::ResourceBusy, "the port of the simulated modem is open"));
        }
        if !self.is_plugged_in || self.is_over {
            return Err(io::Error::new(ErrorKind::NotFound, "the simulated modem is unplugged"));
        }
        let (halves, port) = pair();
        self.port = Some(port);
        Ok(halves)
    }

    /// Takes output until the host must read. Without a port it is lost.
    fn collect_output(&mut self) {
        while self.pending.is_none() {
            match self.simulator.poll() {
                Some(Output::Host(bytes)) => self.pending = self.port.is_some().then_some(bytes),
                Some(Output::Happened(_)) => {}
                Some(Output::PluggedIn(_)) => self.is_plugged_in = true,
                Some(Output::Unplugged) => (self.is_plugged_in, self.port) = (false, None),
                Some(Output::HangUp) => {
                    self.is_over = true;
                    return;
                }
                None => return,
            }
        }
    }

    fn wait(&mut self) -> Event<N> {
        let mut select = Select::new();
        let wake = select.recv(&self.wakes);
        let has_room = !self.simulator.holds_back() || self.simulator.room() >= WRITE_SIZE;
        let host = self.port.as_ref().filter(|_| has_room).map(|port| &port.from_host);
        let host = host.map(|host| (select.recv(host), host));
        let order = self.orders.as_ref().map(|orders| (select.recv(orders), orders));
        let send = self.port.as_ref().filter(|_| self.pending.is_some());
        let send = send.map(|port| (select.send(&port.to_host), &port.to_host));
        let chosen = match self.clock.until(self.simulator.deadline()) {
            Some(span) => select.select_timeout(span).ok(),
            None => Some(select.select()),
        };
        let Some(chosen) = chosen else {
            return Event::Nothing;
        };
        let index = chosen.index();
        if index == wake {
            let _ = chosen.recv(&self.wakes);
            return Event::Nothing;
        }
        if let Some((_, to_host)) = send.filter(|(at, _)| *at == index) {
            // If the reader is dropped, the bytes are lost; the modem continues.
            drop(chosen.send(to_host, self.pending.take().unwrap_or_default()));
            return Event::Nothing;
        }
        match (host, order) {
            (Some((at, host)), _) if at == index => Event::FromHost(chosen.recv(host).map_err(drop)),
            (_, Some((_, orders))) => Event::Instruction(chosen.recv(orders).map_err(drop)),
            _ => Event::Nothing,
        }
    }
}
