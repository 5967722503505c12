//! Engine and simulated modem in one thread and in virtual time.
//!
//! Nothing here waits: when both sides are quiet, the clock jumps to the next deadline of either. A schedule is a
//! function of its seed, and a failure prints it.
#![allow(dead_code, reason = "each test program uses its own part of the harness")]

use std::collections::HashMap;
use std::time::Duration;

use air724ug::at::{Command, Protocol, Quotable};
use air724ug::proto::{Engine, Event, Input, Output, Request, Response, SocketId, Ticket};
use air724ug::sim::{self, Control, MemoryNetwork, Settings, Simulator};
use air724ug::time::Timestamp;
use air724ug::{Config, Error};

/// The host that [`Pair::new`] serves with an echo on this port.
pub const ECHO: (&str, u16) = ("echo.test", 7);

/// Changes what crosses the line; gets the bytes that are about to arrive and returns those that do.
pub type Tap = Box<dyn FnMut(Timestamp, Vec<u8>) -> Vec<u8>>;

/// Both ends of the line.
pub struct Pair {
    pub engine: Engine,
    pub modem: Simulator<MemoryNetwork>,
    pub now: Timestamp,
    pub events: Vec<Event>,
    /// Everything that the host has written.
    pub written: Vec<u8>,
    pub to_host: Tap,
    pub to_modem: Tap,
    answers: HashMap<Ticket, Result<Response, Error>>,
    /// When each request that is not answered yet must be.
    due: HashMap<Ticket, Timestamp>,
    next_ticket: u64,
    /// Steps in a row in which no time passed.
    stood: u32,
    chunks: Chunks,
    seed: u64,
    hung_up: bool,
}

/// How the modem's bytes are cut into reads.
enum Chunks {
    Whole,
    Of(usize),
    Random(u64),
}

impl Pair {
    /// A module that was switched on long ago, with an echo server at [`ECHO`].
    pub fn new() -> Self {
        Self::with(Config::default(), Settings::default())
    }

    pub fn with(config: Config, settings: Settings) -> Self {
        let mut network = MemoryNetwork::new();
        network.name(ECHO.0, [10, 1, 0, 1]).serve(ECHO.0, ECHO.1, sim::Peer::echo());
        let seed = settings.seed;
        let engine = Engine::new(config, Timestamp::ZERO).expect("the configuration is valid");
        Self {
            engine,
            modem: Simulator::new(settings, network),
            now: Timestamp::ZERO,
            events: Vec::new(),
            written: Vec::new(),
            to_host: Box::new(|_, bytes| bytes),
            to_modem: Box::new(|_, bytes| bytes),
            answers: HashMap::new(),
            due: HashMap::new(),
            stood: 0,
            next_ticket: 1,
            chunks: Chunks::Whole,
            seed,
            hung_up: false,
        }
    }

    /// A module with sockets ready to be opened.
    pub fn online() -> Self {
        Self::new().ready()
    }

    /// Runs until the module is ready.
    pub fn ready(mut self) -> Self {
        let ticket = self.ask(Request::WaitReady { timeout: Duration::from_secs(120) });
        let answer = self.answer(ticket);
        assert!(matches!(answer, Ok(Response::Ready)), "{answer:?}, {}", self.story());
        self
    }

    /// The modem's bytes arrive in pieces of this size.
    pub fn in_chunks_of(mut self, size: usize) -> Self {
        self.chunks = Chunks::Of(size);
        self
    }

    /// The modem's bytes arrive in pieces of random size.
    pub fn in_random_chunks(mut self, seed: u64) -> Self {
        self.chunks = Chunks::Random(seed | 1);
        self
    }

    pub fn ask(&mut self, request: Request) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.due.insert(ticket, self.now + timeout_of(&request));
        self.engine.handle(self.now, Input::Asked(ticket, request));
        self.exchange();
        ticket
    }

    /// Runs until the request is answered.
    pub fn answer(&mut self, ticket: Ticket) -> Result<Response, Error> {
        self.run_until(|pair| pair.answers.contains_key(&ticket));
        self.answers.remove(&ticket).expect("it was answered")
    }

    /// The answer, if there is one already.
    pub fn answered(&mut self, ticket: Ticket) -> Option<Result<Response, Error>> {
        self.answers.remove(&ticket)
    }

    pub fn call(&mut self, request: Request) -> Result<Response, Error> {
        let ticket = self.ask(request);
        self.answer(ticket)
    }

    pub fn connecting(&mut self, host: &str, port: u16, timeout: Duration) -> Ticket {
        let host = Quotable::host(host).expect("a host name");
        self.ask(Request::Connect { protocol: Protocol::Tcp, host, port, timeout })
    }

    pub fn connect(&mut self, host: &str, port: u16) -> Result<SocketId, Error> {
        let ticket = self.connecting(host, port, Duration::from_secs(120));
        match self.answer(ticket)? {
            Response::Connected(socket) => Ok(socket),
            other => panic!("{other:?}"),
        }
    }

    /// A socket to the echo server.
    pub fn channel_open(&mut self) -> SocketId {
        self.connect(ECHO.0, ECHO.1).unwrap_or_else(|error| panic!("{error}, {}", self.story()))
    }

    pub fn sending(&mut self, socket: SocketId, data: &[u8]) -> Ticket {
        self.ask(Request::Send { socket, data: data.to_vec(), timeout: Duration::from_secs(120) })
    }

    pub fn send(&mut self, socket: SocketId, data: &[u8]) -> Result<usize, Error> {
        let ticket = self.sending(socket, data);
        match self.answer(ticket)? {
            Response::Sent { accepted, .. } => Ok(accepted),
            other => panic!("{other:?}"),
        }
    }

    pub fn close(&mut self, socket: SocketId) -> Result<Response, Error> {
        self.call(Request::Close { socket, timeout: Duration::from_secs(60) })
    }

    pub fn command(&mut self, text: &str, timeout: Duration) -> Result<Vec<String>, Error> {
        let command = Command::of_user(text, timeout).expect("a command");
        match self.call(Request::Run(command))? {
            Response::Lines(lines) => Ok(lines),
            other => panic!("{other:?}"),
        }
    }

    /// Reads until `len` bytes have come.
    pub fn read(&mut self, socket: SocketId, len: usize) -> Result<Vec<u8>, Error> {
        let mut read = Vec::new();
        while read.len() < len {
            match self.read_some(socket, len - read.len())? {
                Some(bytes) => read.extend(bytes),
                None => self.run_until(|pair| pair.engine.readable(socket) != (0, false)),
            }
        }
        Ok(read)
    }

    /// Reads what there is.
    pub fn read_some(&mut self, socket: SocketId, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut buf = vec![0; most];
        let count = self.engine.read(self.now, socket, &mut buf)?;
        self.exchange();
        Ok(count.map(|count| buf[..count].to_vec()))
    }

    /// Reads until the socket ends; what was read and how it ended.
    pub fn read_to_end(&mut self, socket: SocketId) -> (Vec<u8>, Error) {
        let mut read = Vec::new();
        loop {
            match self.read_some(socket, 4096) {
                Ok(Some(bytes)) => read.extend(bytes),
                Ok(None) => self.run_until(|pair| pair.engine.readable(socket) != (0, false)),
                Err(error) => return (read, error),
            }
        }
    }

    pub fn control(&mut self, control: Control) {
        self.modem.handle(self.now, sim::Input::Control(control));
        self.exchange();
    }

    /// Bytes come from the line that no modem wrote.
    pub fn inject(&mut self, bytes: &[u8]) {
        self.engine.handle(self.now, Input::Received(bytes));
        self.exchange();
    }

    /// Runs for this long.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
        self.engine.handle(end, Input::Tick);
        self.modem.handle(end, sim::Input::Tick);
        self.exchange();
    }

    /// Runs until something holds. Fails after an hour: nothing in this library waits that long.
    pub fn run_until(&mut self, holds: impl Fn(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(3_600);
        while !holds(self) {
            assert!(self.step(end), "nothing more happens, {}", self.story());
        }
    }

    /// Whether an event like this has come.
    pub fn saw(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    /// What a failure prints.
    pub fn story(&self) -> String {
        let last = self.events.iter().rev().take(12).rev();
        format!("seed {}, at {:?}, the last events were {:#?}", self.seed, self.now, last.collect::<Vec<_>>())
    }

    /// Jumps to the next deadline; `false` when there is none before `end`.
    fn step(&mut self, end: Timestamp) -> bool {
        let engine = self.engine.deadline().map(|(at, _)| at);
        let modem = self.modem.deadline();
        let Some(next) = engine.into_iter().chain(modem).min().filter(|at| *at <= end) else { return false };
        self.stood = if next > self.now { 0 } else { self.stood + 1 };
        assert!(self.stood < 10_000, "the clock stands still, {}", self.story());
        self.now = self.now.max(next);
        self.in_time();
        self.modem.handle(self.now, sim::Input::Tick);
        self.engine.handle(self.now, Input::Tick);
        self.exchange();
        true
    }

    /// No request may outlive its time-out.
    fn in_time(&self) {
        let late = self.due.iter().find(|(_, due)| **due < self.now);
        assert!(late.is_none(), "{late:?} is overdue at {:?}, {}", self.engine.deadline(), self.story());
    }

    /// How many requests wait for their answers.
    pub fn waiting(&self) -> usize {
        self.due.len()
    }

    /// Carries bytes both ways until there are none.
    fn exchange(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.engine.poll() {
                quiet = false;
                match output {
                    Output::Write(bytes) => {
                        self.written.extend_from_slice(&bytes);
                        let bytes = (self.to_modem)(self.now, bytes);
                        self.modem.handle(self.now, sim::Input::Host(&bytes));
                    }
                    Output::Answered(ticket, answer) => {
                        let due = self.due.remove(&ticket);
                        let due =
                            due.unwrap_or_else(|| panic!("{ticket:?} answered twice, {}", self.story()));
                        let now = self.now;
                        assert!(now <= due, "{ticket:?} outlived {due:?}: {answer:?}, {}", self.story());
                        self.answers.insert(ticket, answer);
                    }
                    Output::Event(event) => self.events.push(event),
                    Output::Readable(_) => {}
                }
            }
            while let Some(output) = self.modem.poll() {
                match output {
                    sim::Output::Host(bytes) => {
                        quiet = false;
                        let bytes = (self.to_host)(self.now, bytes);
                        self.deliver(&bytes);
                    }
                    sim::Output::HangUp => {
                        self.hung_up = true;
                        quiet = false;
                        self.engine.handle(self.now, Input::PortLost("hung up"));
                    }
                    sim::Output::Happened(_) => {}
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn deliver(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let size = match &mut self.chunks {
                Chunks::Whole => bytes.len(),
                Chunks::Of(size) => *size,
                Chunks::Random(state) => {
                    *state ^= *state << 13;
                    *state ^= *state >> 7;
                    *state ^= *state << 17;
                    1 + (*state % 64) as usize
                }
            };
            let (piece, rest) = bytes.split_at(size.min(bytes.len()));
            self.engine.handle(self.now, Input::Received(piece));
            bytes = rest;
        }
    }
}

/// How long the engine may take to answer.
fn timeout_of(request: &Request) -> Duration {
    match request {
        Request::WaitReady { timeout }
        | Request::Connect { timeout, .. }
        | Request::ConnectTls { timeout, .. }
        | Request::Send { timeout, .. }
        | Request::Close { timeout, .. }
        | Request::Resolve { timeout, .. }
        | Request::Ping { timeout, .. } => *timeout,
        Request::RemoveFile(name) => Command::remove_file(name).timeout(),
        Request::Clock => Command::clock().timeout(),
        Request::Radio { on } => Command::radio(*on).timeout(),
        Request::Restart => Command::reset().timeout(),
        Request::Run(command) => command.timeout(),
        Request::Signal => Command::signal_quality().timeout(),
        Request::Registration(domain) => Command::registration(*domain).timeout(),
        _ => Duration::ZERO,
    }
}
