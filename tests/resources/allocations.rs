//! A transfer in steady state makes no allocation. A counting allocator shows it, so the test needs no times.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.
#![allow(unsafe_code, reason = "an allocator can't be written without; the library itself forbids it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::driver::{MODES, SOON, memory};
use crate::support::pair::Pair;
use air724ug::proto::{Engine, Input, Output, Request, Response, SocketId, Ticket};
use air724ug::sim::{Settings, Simulator, serve};
use air724ug::time::Timestamp;
use air724ug::{Config, Modem, ReceiveMode};

/// An allocator that counts, and passes each call to the system's allocator.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Whether a new thread is counted: the threads of the driver are, and those of the test program are not.
static ADOPTS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether the allocations of this thread are counted; `None` before its first one.
    static COUNTS: Cell<Option<bool>> = const { Cell::new(None) };
}

fn count() {
    let counts = COUNTS.get().unwrap_or_else(|| ADOPTS.load(Ordering::SeqCst));
    COUNTS.set(Some(counts));
    if counts {
        COUNT.fetch_add(1, Ordering::SeqCst);
    }
}

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The number of allocations during `run`, on every counted thread.
fn allocations(run: impl FnOnce()) -> u64 {
    let before = COUNT.load(Ordering::SeqCst);
    run();
    COUNT.load(Ordering::SeqCst) - before
}

const CHUNK: usize = 1460;
/// The number of transfers before the count, and during it.
const TIMES: usize = 500;

#[test]
fn a_transfer_in_steady_state_makes_no_allocation() {
    let _alone = crate::alone();
    COUNTS.set(Some(true));
    let boxed = allocations(|| drop(std::hint::black_box(Box::new([0u8; CHUNK]))));
    assert_eq!(boxed, 1, "the allocator does not count");

    for mode in MODES {
        let mut core = Core::new(mode);
        let found = steady(|| core.receive());
        assert_eq!(found, 0, "allocations in {TIMES} receives of the core, {mode:?}");
        let found = steady(|| core.send());
        assert_eq!(found, 0, "allocations in {TIMES} sends of the core, {mode:?}");
    }
    for mode in MODES {
        let found = echo_on_a_terminal(mode);
        assert_eq!(found, 0, "allocations in {TIMES} echoes on a terminal, {mode:?}");
    }
}

fn steady(mut run: impl FnMut()) -> u64 {
    (0..TIMES).for_each(|_| run());
    allocations(|| (0..TIMES).for_each(|_| run()))
}

/// An engine with an open socket, and the module's lines for it.
struct Core {
    engine: Engine,
    now: Timestamp,
    socket: SocketId,
    mode: ReceiveMode,
    /// The module's lines that announce data, carry data, and accept data.
    announced: Rc<[u8]>,
    frame: Rc<[u8]>,
    accepted: Rc<[u8]>,
    /// The data to send. The engine returns the buffer.
    data: Vec<u8>,
    tickets: u64,
    written: Vec<u8>,
    buffer: [u8; CHUNK],
}

/// The number of bytes in each transfer. A fetch asks for one byte less than the one before, 64 times.
fn received(mode: ReceiveMode) -> usize {
    match mode {
        ReceiveMode::Push => CHUNK,
        ReceiveMode::Manual => CHUNK - 64,
    }
}

impl Core {
    fn new(mode: ReceiveMode) -> Self {
        let mut pair = Pair::with(Config::default().receive_mode(mode), Settings::default()).ready();
        let socket = pair.channel_open();
        let channel = socket.channel();
        let len = received(mode);
        let (header, end) = match mode {
            ReceiveMode::Push => (format!("\r\n+RECEIVE,{channel},{len}:\r\n"), ""),
            ReceiveMode::Manual => (format!("\r\n+CIPRXGET: 2,{channel},{len},0\r\n"), "\r\nOK\r\n"),
        };
        let frame = [header.as_bytes(), &[b'x'; CHUNK][..len], end.as_bytes()].concat();
        Self {
            engine: pair.engine,
            now: pair.now,
            socket,
            mode,
            announced: format!("\r\n+CIPRXGET: 1,{channel}\r\n").into_bytes().into(),
            frame: frame.into(),
            accepted: format!("\r\nDATA ACCEPT:{channel},{CHUNK}\r\n").into_bytes().into(),
            data: vec![b'y'; CHUNK],
            tickets: 1 << 32,
            written: Vec::with_capacity(2 * CHUNK),
            buffer: [0; CHUNK],
        }
    }

    /// Drains the outputs as the driver does.
    fn drain(&mut self) {
        self.written.clear();
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Write(bytes) => {
                    self.written.extend_from_slice(&bytes);
                    self.engine.reuse(bytes);
                }
                Output::Answered(_, Ok(Response::Sent { data, .. })) => self.data = data,
                Output::Answered(_, answer) => panic!("{answer:?}"),
                Output::Event(_)
                | Output::Readable(_)
                | Output::Writable(_)
                | Output::Beat(..)
                | Output::Dtr(_) => {}
            }
        }
    }

    fn give(&mut self, bytes: &[u8]) {
        self.engine.handle(self.now, Input::Received(bytes));
        self.drain();
    }

    fn receive(&mut self) {
        if self.mode == ReceiveMode::Manual {
            self.give(&self.announced.clone());
            assert!(self.written.starts_with(b"AT+CIPRXGET=2,"));
        }
        self.give(&self.frame.clone());
        let read = self.engine.read(self.now, self.socket, &mut self.buffer).unwrap();
        let len = received(self.mode);
        assert_eq!((read, &self.buffer[..len]), (Some(len), &[b'x'; CHUNK][..len]));
        self.drain();
    }

    fn send(&mut self) {
        let (socket, data) = (self.socket, std::mem::take(&mut self.data));
        assert_eq!(data.len(), CHUNK, "the engine returned another buffer");
        self.tickets += 1;
        let request = Request::Send { socket, data, timeout: SOON };
        self.engine.handle(self.now, Input::Asked(Ticket(self.tickets), request));
        self.drain();
        assert!(self.written.starts_with(b"AT+CIPSEND="));
        self.give(b"\r\n> ");
        assert_eq!(self.written, [b'y'; CHUNK]);
        self.give(&self.accepted.clone());
    }
}

/// The same with the driver: a real port, its thread, and a caller with its own buffer. Returns the number of
/// allocations.
fn echo_on_a_terminal(mode: ReceiveMode) -> u64 {
    let pty = serve::Pty::open().unwrap();
    let path = pty.path().display().to_string();
    let (_remote, inbox) = serve::remote().unwrap();
    thread::spawn(move || {
        // The simulated modem is not measured.
        COUNTS.set(Some(false));
        serve::run(Simulator::new(Settings::default(), memory()), pty, inbox)
    });
    ADOPTS.store(true, Ordering::SeqCst);
    let modem = Modem::open(&path, Config::default().receive_mode(mode)).unwrap();
    modem.wait_ready(SOON).unwrap();
    ADOPTS.store(false, Ordering::SeqCst);
    let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    // The first wait on a channel allocates, and the rounds before the count may pass without a wait.
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    socket.set_read_timeout(Some(SOON)).unwrap();
    let (data, mut buffer) = ([b'z'; CHUNK], [0; CHUNK]);
    // Threads interleave in several ways, and a queue grows once for each. That growth ends; an allocation of each
    // transfer would not.
    let mut rounds = (0..ROUNDS).map(|_| {
        steady(|| {
            socket.write_all(&data).unwrap();
            socket.read_exact(&mut buffer).unwrap();
            assert_eq!(buffer, data);
        })
    });
    let mut last = 0;
    rounds.find(|found| {
        last = *found;
        last == 0
    });
    last
}

/// The number of rounds after which allocations are no longer growth of queues.
const ROUNDS: usize = 5;
