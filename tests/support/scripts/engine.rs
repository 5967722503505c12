//! The engine with a hostile modem: it never panics, always comes to rest, never grows, answers every request once and,
//! when the port is lost, all open ones.

use std::collections::BTreeSet;
use std::time::Duration;

use air724ug::at::{Command, Domain, Protocol, Quotable};
use air724ug::config::{Config, ReceiveMode};
use air724ug::proto::{Engine, Event, Input, Output, Request, Response, SocketId, Ticket};
use air724ug::query::{DomainRegistration, Signal};
use air724ug::sim::{Input as ToModem, MemoryNetwork, Output as FromModem, Peer, Settings, Simulator};
use air724ug::time::Timestamp;

use super::numbers::Numbers;
use super::script::Script;

const MAX_POLLS: usize = 20_000;
/// The most waiting requests.
const MAX_WAITING: usize = 64;
/// The bytes of a send for each unit of the script's byte.
const SEND_STEP: usize = 20;
/// The most bytes written after one input: all that waits can be due at once (a transparent stream that comes back),
/// and the same number of bytes for commands.
const MAX_WRITTEN: usize = 2 * MAX_WAITING * 255 * SEND_STEP;
const MAX_STEPS: usize = 400;
const WINDOW: usize = 8 * 1024;
/// The most steps of the honest modem in one step of the script.
const MAX_TURNS: usize = 200;

/// The texts of a modem.
const WORDS: &[&str] = &[
    "\r\nOK\r\n",
    "\r\nERROR\r\n",
    "\r\n> ",
    ">",
    "\r\n+CME ERROR: 3\r\n",
    "\r\n+CME ERROR: 65535\r\n",
    "\r\nRDY\r\n",
    "\r\n+CPIN: READY\r\n",
    "\r\n+CPIN: SIM REMOVED\r\n",
    "\r\n+CREG: 0,1\r\n",
    "\r\n+CREG: 1\r\n",
    "\r\n+CGATT: 1\r\n",
    "\r\n+CGATT: 0\r\n",
    "\r\nSHUT OK\r\n",
    "\r\n10.1.2.3\r\n",
    "\r\nSTATE: IP STATUS\r\n",
    "\r\nSTATE: PDP DEACT\r\n",
    "\r\n0, CONNECT OK\r\n",
    "\r\n0, CONNECT FAIL\r\n",
    "\r\n0, ALREADY CONNECT\r\n",
    "\r\n0, CLOSED\r\n",
    "\r\n0, CLOSE OK\r\n",
    "\r\n0, SEND OK\r\n",
    "\r\n0, SEND FAIL\r\n",
    "\r\nDATA ACCEPT:0,10\r\n",
    "\r\nDATA ACCEPT:0,99999\r\n",
    "\r\n+RECEIVE,0,5:\r\nhello",
    "\r\n+RECEIVE,0,1460:\r\n",
    "\r\n+RECEIVE,9,3:\r\nabc",
    "\r\n+RECEIVE,0,99999999999:\r\n",
    "\r\n+CIPRXGET: 1,0\r\n",
    "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\n",
    "\r\n+CIPRXGET: 2,0,4,70000\r\n",
    "\r\n+CIPRXGET: 4,0,9\r\n",
    "\r\n+PDP: DEACT\r\n",
    "\r\n+CIPACK: 1,0,1\r\n",
    "\r\nC: 0,0,\"TCP\",\"1.2.3.4\",\"80\",\"CONNECTED\"\r\n",
    "\r\nC: 1,,\"\",\"\",\"\",\"INITIAL\"\r\n",
    "\r\nCONNECT\r\n",
    "AT+CIPSEND=0,10\r\n",
    "\r\n+CSQ: 99,99\r\n",
    "\r\nNO CARRIER\r\n",
    "\r",
    "\n",
    "\0",
    "\u{fffd}",
];

/// Plays a script.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let stage = Stage::of(&mut script);
    drop(play(stage, &mut script));
}

/// Plays the rest of a script, whose first byte has set up the stage. Returns the engine's outputs if the port delivers
/// line by line or byte by byte.
pub fn play(mut stage: Stage, script: &mut Script<'_>) -> Vec<String> {
    if stage.begins_online {
        stage.ask(Request::WaitReady { timeout: Duration::from_secs(60) });
        stage.honestly();
        stage.connect();
        stage.honestly();
    }
    let mut steps = 0;
    while !script.is_over() && steps < MAX_STEPS {
        stage.step(script);
        steps += 1;
    }
    stage.end();
    stage.reported
}

/// The delivery of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// All bytes that the modem writes at once are read at once.
    AsTheyCome,
    /// One line at a time: due actions run between two lines, so this can be compared with any smaller chunks.
    #[allow(dead_code, reason = "for chunks.rs")]
    Lines,
    /// One byte at a time.
    #[allow(dead_code, reason = "for chunks.rs")]
    Bytes,
}

/// An engine with its environment.
pub struct Stage {
    engine: Engine,
    /// The delivery of the port.
    pub chunks: Chunks,
    /// The engine's outputs, unless the port delivers all bytes at once.
    reported: Vec<String>,
    modem: Simulator<MemoryNetwork>,
    now: Timestamp,
    written: Vec<u8>,
    waiting: BTreeSet<Ticket>,
    sockets: Vec<SocketId>,
    next: u64,
    begins_online: bool,
    /// The replacements of numbers in the modem's output.
    pub in_answers: Numbers,
    /// The replacements of numbers that are written to it.
    pub in_commands: Numbers,
}

impl Stage {
    /// A stage set up by the next byte of the script.
    pub fn of(script: &mut Script<'_>) -> Self {
        let flags = script.byte();
        let mode = if flags & 1 == 0 { ReceiveMode::Push } else { ReceiveMode::Manual };
        let config = Config::default().receive_mode(mode).receive_window(WINDOW);
        let mut network = MemoryNetwork::new();
        network.serve("echo.test", 7, Peer::echo());
        Self {
            engine: Engine::new(config, Timestamp::ZERO).unwrap_or_else(|error| panic!("{error}")),
            chunks: Chunks::AsTheyCome,
            reported: Vec::new(),
            modem: Simulator::new(Settings::default().echo(flags & 2 == 0), network),
            now: Timestamp::ZERO,
            written: Vec::new(),
            waiting: BTreeSet::new(),
            sockets: Vec::new(),
            next: 1,
            begins_online: flags & 4 != 0,
            in_answers: Numbers::default(),
            in_commands: Numbers::default(),
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 10 {
            0 | 1 => self.give(Input::Received(script.bytes())),
            2 | 3 => {
                let words = self.in_answers.replaced(script.one(WORDS).as_bytes());
                self.give(Input::Received(&words));
            }
            4 => self.wait(Duration::from_millis(script.number())),
            5 => self.tick_at_deadline(),
            6 => self.request(script),
            7 => self.honestly(),
            8 => self.read(script),
            _ => self.port(script),
        }
    }

    fn request(&mut self, script: &mut Script<'_>) {
        if self.waiting.len() >= MAX_WAITING {
            return;
        }
        let timeout = Duration::from_millis(script.number());
        let socket = self.sockets.get(usize::from(script.byte()) % self.sockets.len().max(1)).copied();
        // The older requests keep their numbers, and so do the scripts that fuzzing has found.
        let number = match script.byte() {
            byte @ 0xd0.. => 8 + byte % 3,
            byte => byte % 8,
        };
        match (number, socket) {
            (0, _) => self.ask(Request::WaitReady { timeout }),
            (1, _) => self.connect(),
            (2, Some(socket)) => {
                let data = vec![b'x'; usize::from(script.byte()) * SEND_STEP];
                self.ask(Request::Send { socket, data, timeout });
            }
            (3, Some(socket)) => self.ask(Request::Close { socket, timeout }),
            (4, Some(socket)) => self.ask(Request::Forget { socket }),
            (5, _) => self.ask(Request::query(&Signal)),
            (6, _) => self.ask(Request::query(&DomainRegistration(Domain::Circuit))),
            (7, _) => {
                if let Ok(command) = Command::of_user("AT+CIPSTATUS", timeout) {
                    self.ask(Request::Run(command));
                }
            }
            (8, _) => {
                if let Ok(host) = Quotable::host("echo.test") {
                    self.ask(Request::Transparent { host, port: 7, timeout });
                }
            }
            (9, Some(socket)) => self.ask(Request::Escape { socket, timeout }),
            (10, Some(socket)) => self.ask(Request::Resume { socket, timeout }),
            _ => {}
        }
    }

    fn connect(&mut self) {
        if let Ok(host) = Quotable::host("echo.test") {
            let timeout = Duration::from_secs(10);
            self.ask(Request::Connect { protocol: Protocol::Tcp, host, port: 7, timeout });
        }
    }

    fn ask(&mut self, request: Request) {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.insert(ticket);
        self.give(Input::Asked(ticket, request));
    }

    fn read(&mut self, script: &mut Script<'_>) {
        let mut buffer = [0; 1500];
        let most = usize::from(script.byte()) * 5 + 1;
        if let Some(socket) = self.sockets.last().copied() {
            drop(self.engine.peek(socket, &mut buffer[..most]));
            let read = self.engine.read(self.now, socket, &mut buffer[..most]);
            if self.chunks != Chunks::AsTheyCome {
                self.reported.push(format!("read {read:?} of {}", buffer.escape_ascii()));
            }
            self.drain();
        }
    }

    fn port(&mut self, script: &mut Script<'_>) {
        if script.byte().is_multiple_of(2) {
            self.give(Input::PortLost("gone"));
            self.assert_no_call_waits();
        }
        self.give(Input::PortBack);
    }

    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        for _ in 0..100 {
            if self.engine.deadline().is_none_or(|(at, _)| at > end) {
                break;
            }
            self.tick_at_deadline();
        }
        self.now = self.now.max(end);
        self.give(Input::Tick);
    }

    fn tick_at_deadline(&mut self) {
        if let Some((at, _)) = self.engine.deadline() {
            self.now = self.now.max(at);
            self.give(Input::Tick);
            let after = self.engine.deadline();
            assert!(after.is_none_or(|(at, _)| at > self.now), "{after:?} is not served at {}", self.now);
        }
    }

    /// Lets an honest modem answer the written bytes.
    fn honestly(&mut self) {
        for _ in 0..MAX_TURNS {
            let written = std::mem::take(&mut self.written);
            let written = self.in_commands.replaced(&written);
            self.modem.handle(self.now, ToModem::Host(&written));
            let mut received = Vec::new();
            while let Some(output) = self.modem.poll() {
                if let FromModem::Host(bytes) = output {
                    received.extend(bytes);
                }
            }
            if !received.is_empty() {
                let received = self.in_answers.replaced(&received);
                self.give(Input::Received(&received));
            }
            if self.written.is_empty() {
                if self.waiting.is_empty() {
                    return;
                }
                self.tick_at_deadline();
            }
        }
    }

    fn give(&mut self, input: Input<'_>) {
        match (input, self.chunks) {
            (Input::Received(bytes), Chunks::Lines) => {
                bytes
                    .split_inclusive(|byte| *byte == b'\n')
                    .for_each(|line| self.handle(Input::Received(line)));
            }
            (Input::Received(bytes), Chunks::Bytes) => {
                bytes.chunks(1).for_each(|byte| self.handle(Input::Received(byte)));
            }
            (input, _) => self.handle(input),
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.drain();
        let counted = self.engine.statistics();
        assert!(counted.closed <= counted.opened, "more sockets have ended than there were");
    }

    fn drain(&mut self) {
        let mut polls = 0;
        let mut written = 0;
        loop {
            let Some(output) = self.engine.poll() else {
                if !self.engine.awaits_port() {
                    break;
                }
                polls += 1;
                assert!(polls < MAX_POLLS, "it does not come to rest");
                self.engine.handle(self.now, Input::Written);
                continue;
            };
            polls += 1;
            assert!(polls < MAX_POLLS, "it does not come to rest");
            self.note(&output);
            match output {
                Output::Write(bytes) => {
                    written += bytes.len();
                    assert!(written < MAX_WRITTEN, "it writes and writes");
                    self.written.extend(bytes);
                    let surplus = self.written.len().saturating_sub(MAX_WRITTEN);
                    self.written.drain(..surplus);
                }
                Output::Answered(ticket, answer) => {
                    assert!(self.waiting.remove(&ticket), "{ticket:?} is answered twice or was not asked");
                    if let Ok(Response::Connected(socket)) = answer {
                        self.sockets.push(socket);
                    }
                }
                Output::Event(Event::Connected(_)) | Output::Event(_) | Output::Beat(..) => {}
                Output::Readable(_) | Output::Writable(_) | Output::Dtr(_) => {}
            }
        }
        for socket in self.sockets.iter().rev().take(8) {
            let (held, _) = self.engine.readable(*socket);
            assert!(held <= WINDOW + 4096, "{socket:?} holds {held} bytes");
        }
    }

    /// Keeps an output for the comparison. Pieces of one payload depend on the chunks, so they are joined.
    fn note(&mut self, output: &Output) {
        let reported = match output {
            _ if self.chunks == Chunks::AsTheyCome => return,
            Output::Readable(_) | Output::Event(Event::Received(..)) => return,
            Output::Write(bytes) => format!("wrote {}", bytes.escape_ascii()),
            other => format!("{other:?}"),
        };
        self.reported.push(reported);
    }

    fn end(&mut self) {
        self.give(Input::PortLost("the end"));
        self.assert_no_call_waits();
    }

    fn assert_no_call_waits(&self) {
        assert!(self.waiting.is_empty(), "the port is lost, and without an answer are {:?}", self.waiting);
    }
}
