//! A modem on a thread of this process, with a pair of halves to talk to it.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Select, Sender, bounded, unbounded};

use super::clock::ServiceClock;
use crate::sim::{Control, Input, Network, Output, Simulator, State};

/// The most bytes of one write.
const WRITE_SIZE: usize = 4 * 1024;
/// Pieces under way in each direction. A host that does not read stops the modem, as RTS would.
const PIECES: usize = 16;

/// Something done to the simulator on its own thread.
type Visit<N> = Box<dyn FnOnce(&mut Simulator<N>) + Send>;

/// An order to the thread.
enum Instruction<N> {
    Control(Control),
    Visit(Visit<N>),
}

/// Serves a simulator on a thread of its own, in real time.
///
/// The port ends when the modem hangs up ([`Control::HangUp`]), is unplugged, or when the writer is dropped: the reader then reports
/// the end, after what was still on its way.
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
/// If the system has no thread left.
pub fn in_process<N: Network + Send + 'static>(
    simulator: Simulator<N>,
) -> io::Result<(Reader, Writer, Handle<N>)> {
    let (to_modem, from_host) = bounded(PIECES);
    let (to_host, from_modem) = bounded(PIECES);
    let (orders, order_queue) = unbounded();
    let (waker, wakes) = bounded(1);
    let mut service = InProcessService {
        simulator,
        clock: ServiceClock::start(),
        from_host: Some(from_host),
        to_host,
        orders: Some(order_queue),
        wakes,
        pending: None,
    };
    let waker = Arc::new(move || {
        // A full channel holds a wake-up already.
        let _ = waker.try_send(());
    });
    service.simulator.network_mut().set_waker(waker);
    thread::Builder::new().name("sim-modem".to_owned()).spawn(move || service.run())?;
    let reader = Reader { from_modem, piece: Vec::new(), taken: 0 };
    Ok((reader, Writer { to_modem }, Handle { orders }))
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

/// A handle of a modem that runs on another thread.
pub struct Handle<N> {
    orders: Sender<Instruction<N>>,
}

impl<N: Network> Handle<N> {
    /// Changes the world. Orders are carried out one after the other; none is lost while the port is open.
    pub fn control(&self, control: Control) {
        drop(self.orders.send(Instruction::Control(control)));
    }

    /// Does something with the simulator on its thread, and answers what came of it; `None` when the port is closed.
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
    /// `None` once the host has closed the port.
    from_host: Option<Receiver<Vec<u8>>>,
    to_host: Sender<Vec<u8>>,
    /// `None` once every handle is gone.
    orders: Option<Receiver<Instruction<N>>>,
    wakes: Receiver<()>,
    /// Output that the host has not taken yet.
    pending: Option<Vec<u8>>,
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
        while self.from_host.is_some() && self.collect_output() {
            let event = self.wait();
            let now = self.clock.now();
            match event {
                Event::Nothing => self.simulator.handle(now, Input::Tick),
                Event::FromHost(Ok(bytes)) => self.simulator.handle(now, Input::Host(&bytes)),
                Event::FromHost(Err(())) => self.from_host = None,
                Event::Instruction(Ok(Instruction::Control(control))) => {
                    self.simulator.handle(now, Input::Control(control));
                }
                Event::Instruction(Ok(Instruction::Visit(visit))) => {
                    visit(&mut self.simulator);
                    self.simulator.handle(now, Input::Tick);
                }
                Event::Instruction(Err(())) => self.orders = None,
            }
        }
    }

    /// Takes output until the host has to be waited for; `false` when the modem has hung up.
    fn collect_output(&mut self) -> bool {
        while self.pending.is_none() {
            match self.simulator.poll() {
                Some(Output::Host(bytes)) => self.pending = Some(bytes),
                Some(Output::Happened(_) | Output::PluggedIn(_)) => {}
                Some(Output::HangUp | Output::Unplugged) => return false,
                None => break,
            }
        }
        true
    }

    fn wait(&mut self) -> Event<N> {
        let mut select = Select::new();
        let wake = select.recv(&self.wakes);
        let host = self
            .from_host
            .as_ref()
            .filter(|_| !self.simulator.holds_back() || self.simulator.room() >= WRITE_SIZE);
        let host = host.map(|host| (select.recv(host), host));
        let order = self.orders.as_ref().map(|orders| (select.recv(orders), orders));
        let send = self.pending.is_some().then(|| select.send(&self.to_host));
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
        if Some(index) == send {
            // A reader that is gone hears nothing; the modem goes on.
            drop(chosen.send(&self.to_host, self.pending.take().unwrap_or_default()));
            return Event::Nothing;
        }
        match (host, order) {
            (Some((at, host)), _) if at == index => Event::FromHost(chosen.recv(host).map_err(drop)),
            (_, Some((_, orders))) => Event::Instruction(chosen.recv(orders).map_err(drop)),
            _ => Event::Nothing,
        }
    }
}
