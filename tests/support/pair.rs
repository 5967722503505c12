//! Engine and simulated modem in one thread and in virtual time.
//!
//! No call waits: when both sides are idle, the clock jumps to the next deadline of either. A schedule is a function of
//! its seed, which a failure prints.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]
#![allow(dead_code, reason = "each test program uses its own part of the harness")]

use std::collections::HashMap;
use std::time::Duration;

use air724ug::at::{Command, Protocol, Quotable};
use air724ug::proto::{Engine, Event, Input, Joining, Output, Request, Response, SocketId, Ticket};
use air724ug::query::Query;
use air724ug::sim::{self, Control, MemoryNetwork, Settings, Simulator};
use air724ug::time::Timestamp;
use air724ug::{Config, Error};

/// The host and port of the echo server of [`Pair::new`].
pub const ECHO: (&str, u16) = ("echo.test", 7);

/// Changes the bytes on the line: it gets those that are sent and returns those that arrive.
pub type Tap = Box<dyn FnMut(Timestamp, Vec<u8>) -> Vec<u8>>;

/// A reaction to the next write of the host with this beginning.
struct Reaction {
    to: Vec<u8>,
    how: Position,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Position {
    /// The modem does not get the write; the host gets these bytes.
    Instead,
    /// The host gets these bytes first.
    Before,
    /// The host gets these bytes after the immediate output of the modem.
    After,
}

/// Both ends of the line.
pub struct Pair {
    pub engine: Engine,
    pub modem: Simulator<MemoryNetwork>,
    pub now: Timestamp,
    pub events: Vec<Event>,
    /// The sockets that became readable.
    pub readable: Vec<SocketId>,
    /// The sockets that have room again.
    pub writable: Vec<SocketId>,
    /// The heartbeats whose payload the shell must supply.
    pub beats: Vec<(SocketId, u64)>,
    /// All events inside the modem.
    pub modem_events: Vec<sim::ModemEvent>,
    /// All bytes written by the host.
    pub written: Vec<u8>,
    pub to_host: Tap,
    pub to_modem: Tap,
    /// The number of all written bytes, even if a test has cleared [`written`](Self::written).
    written_in_all: u64,
    answers: HashMap<Ticket, Result<Response, Error>>,
    /// The latest time of the answer to each open request.
    due: HashMap<Ticket, Timestamp>,
    next_ticket: u64,
    /// The number of steps in a row without progress of time.
    stood: u32,
    reactions: Vec<Reaction>,
    chunks: Chunks,
    seed: u64,
    hung_up: bool,
    traces: bool,
    /// The port's DTR line, if it has one.
    pub dtr: Option<bool>,
    /// True if the port accepts bytes and does not report it.
    pub port_is_stuck: bool,
    /// True if the port is there. Without it the modem's output is lost.
    is_plugged_in: bool,
    /// The number of bytes that the host has received.
    read_so_far: u64,
    /// The bytes that wait in the port because the modem has no room for them (RTS/CTS).
    held_back: Vec<u8>,
    /// The room of the modem when no bytes are in transit to it.
    room: usize,
}

/// The buffer of a port, as that of a terminal of Linux. If it is full, the writer waits for the line, or for the
/// modem.
pub const PORT_BUFFER: usize = 4_096;

/// The cutting of the modem's bytes into reads.
enum Chunks {
    Whole,
    Of(usize),
    Random(u64),
}

impl Pair {
    /// A module that was switched on before, with an echo server at [`ECHO`].
    pub fn new() -> Self {
        Self::with(Config::default(), Settings::default())
    }

    pub fn with(config: Config, settings: Settings) -> Self {
        let mut network = MemoryNetwork::new();
        network.name(ECHO.0, [10, 1, 0, 1]).serve(ECHO.0, ECHO.1, sim::Peer::echo());
        let seed = settings.seed;
        let engine = Engine::new(config, Timestamp::ZERO).expect("the configuration is valid");
        let modem = Simulator::new(settings, network);
        Self {
            engine,
            room: modem.room(),
            modem,
            now: Timestamp::ZERO,
            events: Vec::new(),
            readable: Vec::new(),
            writable: Vec::new(),
            beats: Vec::new(),
            modem_events: Vec::new(),
            written: Vec::new(),
            written_in_all: 0,
            to_host: Box::new(|_, bytes| bytes),
            to_modem: Box::new(|_, bytes| bytes),
            answers: HashMap::new(),
            due: HashMap::new(),
            stood: 0,
            reactions: Vec::new(),
            next_ticket: 1,
            chunks: Chunks::Whole,
            seed,
            hung_up: false,
            dtr: None,
            port_is_stuck: false,
            is_plugged_in: true,
            read_so_far: 0,
            held_back: Vec::new(),
            traces: std::env::var_os("AIR724UG_TRACE").is_some(),
        }
    }

    /// A module that is ready for sockets.
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

    /// Opens a socket to the echo server.
    pub fn channel_open(&mut self) -> SocketId {
        self.connect(ECHO.0, ECHO.1).unwrap_or_else(|error| panic!("{error}, {}", self.story()))
    }

    /// Opens a UDP socket to the echo server.
    pub fn association(&mut self) -> SocketId {
        let (host, port) = (Quotable::host(ECHO.0).expect("a host name"), ECHO.1);
        let timeout = Duration::from_secs(120);
        match self.call(Request::Connect { protocol: Protocol::Udp, host, port, timeout }) {
            Ok(Response::Connected(socket)) => socket,
            other => panic!("{other:?}"),
        }
    }

    pub fn dialling(&mut self, host: &str, port: u16, timeout: Duration) -> Ticket {
        let host = Quotable::host(host).expect("a host name");
        self.ask(Request::Transparent { host, port, timeout })
    }

    /// Opens a transparent stream.
    pub fn dial(&mut self, host: &str, port: u16) -> Result<SocketId, Error> {
        let ticket = self.dialling(host, port, Duration::from_secs(120));
        match self.answer(ticket)? {
            Response::Connected(socket) => Ok(socket),
            other => panic!("{other:?}"),
        }
    }

    pub fn escape(&mut self, socket: SocketId) -> Result<Response, Error> {
        self.call(Request::Escape { socket, timeout: Duration::from_secs(20) })
    }

    pub fn resume(&mut self, socket: SocketId) -> Result<Response, Error> {
        self.call(Request::Resume { socket, timeout: Duration::from_secs(20) })
    }

    pub fn sending(&mut self, socket: SocketId, data: &[u8]) -> Ticket {
        self.ask(Request::Send { socket, data: data.to_vec(), timeout: Duration::from_secs(120) })
    }

    /// Writes like a socket's `Write`; `None`: there is no room.
    pub fn write(&mut self, socket: SocketId, data: &[u8]) -> Result<Option<usize>, Error> {
        self.write_as(socket, &[data], Joining::Joined)
    }

    pub fn write_as(
        &mut self,
        socket: SocketId,
        parts: &[&[u8]],
        joining: Joining,
    ) -> Result<Option<usize>, Error> {
        let taken = self.engine.write(self.now, socket, parts.iter().copied(), joining);
        self.exchange();
        taken
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
            Response::Reply(reply) => Ok(reply.into_lines()),
            other => panic!("{other:?}"),
        }
    }

    /// Asks a question and reads its answer, as [`air724ug::Modem::query`] does.
    pub fn query<Q: Query>(&mut self, query: &Q) -> Result<Q::Answer, Error> {
        match self.call(Request::query(query))? {
            Response::Reply(reply) => {
                query.read(&reply).ok_or_else(|| Error::Unexpected(format!("{reply:?}").into()))
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn command_with_payload(
        &mut self,
        text: &str,
        payload: &[u8],
        timeout: Duration,
    ) -> Result<Vec<String>, Error> {
        let (command, payload) = Command::with_payload(text, payload, timeout).expect("a command");
        match self.call(Request::RunWithPayload { command, payload, timeout })? {
            Response::Reply(reply) => Ok(reply.into_lines()),
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

    /// Reads the available bytes.
    pub fn read_some(&mut self, socket: SocketId, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut buf = vec![0; most];
        let count = self.engine.read(self.now, socket, &mut buf)?;
        self.exchange();
        Ok(count.map(|count| buf[..count].to_vec()))
    }

    /// Reads until the socket ends. Returns the bytes and the end.
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

    /// Gives the port a DTR line, which is on since the port was opened.
    pub fn wire_dtr(&mut self) {
        self.dtr = Some(false);
        self.switch_dtr(true);
    }

    fn switch_dtr(&mut self, on: bool) {
        if let Some(was_on) = self.dtr {
            assert_ne!(was_on, on, "it is so already, {}", self.story());
            self.dtr = Some(on);
            self.modem.handle(self.now, sim::Input::Control(Control::Dtr(on)));
        }
    }

    /// Passes bytes to the engine that the modem has not written.
    pub fn inject(&mut self, bytes: &[u8]) {
        self.engine.handle(self.now, Input::Received(bytes));
        self.exchange();
    }

    /// Runs for this span.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
        self.engine.handle(end, Input::Tick);
        self.modem.handle(end, sim::Input::Tick);
        self.exchange();
    }

    /// Runs to the next deadline.
    pub fn once(&mut self) {
        let end = self.now + Duration::from_secs(3_600);
        assert!(self.step(end), "nothing more happens, {}", self.story());
    }

    /// Runs until the condition holds. Fails after an hour, because no wait of this library takes an hour.
    pub fn run_until(&mut self, holds: impl Fn(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(3_600);
        while !holds(self) {
            assert!(self.step(end), "nothing more happens, {}", self.story());
        }
    }

    /// True if an event like this has come.
    pub fn saw(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    /// The text that a failure prints.
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

    /// Fails if a request exceeds its time-out.
    fn in_time(&self) {
        let late = self.due.iter().find(|(_, due)| **due < self.now);
        assert!(late.is_none(), "{late:?} is overdue at {:?}, {}", self.engine.deadline(), self.story());
    }

    /// Compares the counters with the events.
    fn adds_up(&self) {
        let seen = self.engine.statistics();
        assert_eq!(seen.written, self.written_in_all, "{}", self.story());
        let commands = &seen.commands;
        let ended = commands.answered + commands.refused + commands.doubtful + commands.timed_out;
        let under_way = commands.written.checked_sub(ended + commands.abandoned);
        assert!(under_way.is_some_and(|count| count <= 1), "{commands:?}, {}", self.story());
        assert!((seen.closed..=seen.closed + 8).contains(&seen.opened), "{seen:?}, {}", self.story());
    }

    /// The number of requests that wait for their answers.
    pub fn waiting(&self) -> usize {
        self.due.len()
    }

    /// Transfers bytes in both directions until there are none.
    fn exchange(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.engine.poll() {
                quiet = false;
                match output {
                    Output::Write(bytes) => {
                        self.trace(">", &bytes);
                        self.written.extend_from_slice(&bytes);
                        self.written_in_all += bytes.len() as u64;
                        self.write_bytes(bytes.clone());
                        self.engine.reuse(bytes);
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
                    Output::Beat(socket, count) => self.beats.push((socket, count)),
                    Output::Writable(socket) => self.writable.push(socket),
                    Output::Readable(socket) => self.readable.push(socket),
                    Output::Dtr(on) => self.switch_dtr(on),
                }
            }
            if self.drain_modem() {
                quiet = false;
            }
            quiet &= !self.pass_on();
            // The port accepts everything at once, unless the modem stops it.
            if self.engine.awaits_port() && !self.port_is_stuck && self.held_back.is_empty() {
                quiet = false;
                self.engine.handle(self.now, Input::Written);
            }
            if quiet {
                self.adds_up();
                return;
            }
        }
    }

    /// Transfers the modem's bytes to the host. Returns true if there were any.
    fn drain_modem(&mut self) -> bool {
        let mut any = false;
        while let Some(output) = self.modem.poll() {
            match output {
                sim::Output::Host(bytes) => {
                    any = true;
                    let bytes = (self.to_host)(self.now, bytes);
                    self.deliver(&bytes);
                }
                sim::Output::Unplugged => {
                    any = true;
                    self.held_back.clear();
                    self.is_plugged_in = false;
                    self.engine.handle(self.now, Input::PortAway("unplugged"));
                }
                sim::Output::PluggedIn(_) => {
                    any = true;
                    self.is_plugged_in = true;
                    self.engine.handle(self.now, Input::PortBack);
                }
                sim::Output::HangUp => {
                    self.hung_up = true;
                    any = true;
                    self.engine.handle(self.now, Input::PortLost("hung up"));
                }
                sim::Output::Happened(event) => self.modem_events.push(event),
            }
        }
        any
    }

    /// Takes a write of the host.
    fn write_bytes(&mut self, bytes: Vec<u8>) {
        let reaction = self.reactions.iter().position(|reaction| bytes.starts_with(&reaction.to));
        let reaction = reaction.map(|index| self.reactions.remove(index));
        if let Some(reaction) = &reaction
            && reaction.how != Position::After
        {
            self.deliver(&reaction.bytes);
        }
        if reaction.as_ref().is_none_or(|reaction| reaction.how != Position::Instead) {
            let bytes = (self.to_modem)(self.now, bytes);
            self.held_back.extend(bytes);
            self.pass_on();
        }
        if let Some(reaction) = reaction.filter(|reaction| reaction.how == Position::After) {
            self.drain_modem();
            self.deliver(&reaction.bytes);
        }
    }

    /// Transfers bytes to the modem as long as it has room. Returns true if there were any. The rest waits in the port.
    fn pass_on(&mut self) -> bool {
        let under_way = self.room - self.modem.room();
        let room = PORT_BUFFER.saturating_sub(under_way).min(self.held_back.len());
        let bytes: Vec<u8> = self.held_back.drain(..room).collect();
        if !bytes.is_empty() {
            self.modem.handle(self.now, sim::Input::Host(&bytes));
        }
        !bytes.is_empty()
    }

    /// The number of bytes that wait in the port because the modem has no room for them.
    pub fn held_back(&self) -> usize {
        self.held_back.len()
    }

    /// The next write that begins with `to` does not reach the modem; the host gets `bytes` instead.
    pub fn instead(&mut self, to: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.react(to, Position::Instead, bytes.as_ref())
    }

    /// The same as [`instead`](Self::instead), `times` times.
    pub fn instead_times(&mut self, times: usize, to: &str, bytes: impl AsRef<[u8]>) {
        for _ in 0..times {
            self.react(to, Position::Instead, bytes.as_ref());
        }
    }

    /// Removes all reactions to the host's writes.
    pub fn heal(&mut self) {
        self.reactions.clear();
    }

    /// At the next write that begins with `to` the host gets `bytes` before the output of the modem.
    pub fn before(&mut self, to: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.react(to, Position::Before, bytes.as_ref())
    }

    /// At the next write that begins with `to` the host gets `bytes` after the immediate output of the modem.
    pub fn after(&mut self, to: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.react(to, Position::After, bytes.as_ref())
    }

    fn react(&mut self, to: &str, how: Position, bytes: &[u8]) -> &mut Self {
        self.reactions.push(Reaction { to: to.as_bytes().to_vec(), how, bytes: bytes.to_vec() });
        self
    }

    /// The number of bytes from the port so far.
    pub fn read_so_far(&self) -> u64 {
        self.read_so_far
    }

    /// The number of times that the host has written this text.
    pub fn wrote(&self, text: &str) -> usize {
        self.written.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    }

    /// An earlier program at the port has written these bytes and read the answer.
    pub fn left_behind(&mut self, bytes: impl AsRef<[u8]>) {
        self.modem.handle(self.now, sim::Input::Host(bytes.as_ref()));
        while self.modem.poll().is_some() {}
    }

    /// The port is back.
    pub fn plug_in(&mut self) {
        self.is_plugged_in = true;
        self.engine.handle(self.now, Input::PortBack);
        self.exchange();
    }

    /// The port vanishes for the host; the modem continues.
    pub fn pull_out(&mut self) {
        self.held_back.clear();
        self.engine.handle(self.now, Input::PortLost("pulled out"));
        self.exchange();
    }

    /// The port vanishes as in [`pull_out`](Self::pull_out), and the host expects it back.
    pub fn unplug(&mut self) {
        self.held_back.clear();
        self.is_plugged_in = false;
        self.engine.handle(self.now, Input::PortAway("unplugged"));
        self.exchange();
    }

    /// Prints the bytes on the line if the environment requests it (`AIR724UG_TRACE=1`).
    fn trace(&self, direction: &str, bytes: &[u8]) {
        if self.traces && !bytes.is_empty() {
            let shown = &bytes[..bytes.len().min(120)];
            eprintln!("{} {direction} {} ({})", self.now, shown.escape_ascii(), bytes.len());
        }
    }

    /// These bytes arrive, in pieces of the selected size.
    pub fn deliver(&mut self, mut bytes: &[u8]) {
        if !self.is_plugged_in {
            return;
        }
        self.read_so_far += bytes.len() as u64;
        self.trace("<", bytes);
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

/// The time-out of a request.
fn timeout_of(request: &Request) -> Duration {
    match request {
        Request::WaitReady { timeout }
        | Request::Connect { timeout, .. }
        | Request::ConnectTls { timeout, .. }
        | Request::Transparent { timeout, .. }
        | Request::Escape { timeout, .. }
        | Request::Resume { timeout, .. }
        | Request::Send { timeout, .. }
        | Request::Close { timeout, .. }
        | Request::Flush { timeout, .. }
        | Request::Drain { timeout, .. }
        | Request::WaitLeft { timeout }
        | Request::Unacknowledged { timeout, .. }
        | Request::RunWithPayload { timeout, .. } => *timeout,
        Request::RemoveFile(name) => Command::remove_file(name).timeout(),
        Request::Radio { on } => Command::radio(*on).timeout(),
        Request::Restart => Command::reset().timeout(),
        Request::Run(command) => command.answer_timeout(),
        _ => Duration::ZERO,
    }
}
