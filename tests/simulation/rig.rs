//! The engine, the line and the modem in one thread on a virtual clock.

use std::collections::VecDeque;
use std::time::Duration;

use air724ug::Error;
use air724ug::at::Protocol;
use air724ug::capture::{Header, Recorder};
use air724ug::proto::{Engine, Event, Input, Output, Request, SocketId, Ticket};
use air724ug::sim::{self, Control, Direction, MemoryNetwork, ModemEvent, Simulator};
use air724ug::time::Timestamp;

use super::chance::Chance;
use super::checks::{self, Check, Unseen};
use super::digest::Digest;
use super::facts::{Facts, Observation, Outcome, PendingRequest, RequestKind, Send};
use super::host_bytes::HostBytes;
use super::line::{Damage, Grammar};
use super::script::{Far, Script};
use super::{Failure, setup};

/// The size of the port's buffer, as that of a Linux terminal.
const PORT_BUFFER: usize = 4_096;
/// The most consecutive steps at one time. More are a busy loop.
const STANDING_LIMIT: u32 = 10_000;
/// The number of bytes from one pause of a line to the next, on average.
const BETWEEN_PAUSES: usize = 400;
/// The pauses of a line, in milliseconds.
const PAUSES: [u64; 6] = [10, 49, 51, 249, 260, 300];
/// The first port of the peers. Three times the connection's number is added, so that an inverted bit rarely gives
/// another peer's port.
pub const FIRST_PORT: u16 = 1_000;

/// A run.
pub struct Rig {
    pub engine: Engine,
    pub modem: Simulator<MemoryNetwork>,
    pub facts: Facts,
    checks: Vec<Box<dyn Check>>,
    pub failure: Option<Failure>,
    /// The worst damage of the line to the host that no error has reported.
    pub unseen: Option<Unseen>,
    next_ticket: u64,
    /// The number of consecutive steps at one time.
    stood: u32,
    /// The bytes that wait in the port because the modem has no room for them.
    held_back: Vec<u8>,
    room: usize,
    pub port_stands: bool,
    pub eager: bool,
    /// The pending damages.
    pub(super) damages: Vec<Damage>,
    pub(super) grammar: Grammar,
    pub(super) follows_grammar: bool,
    /// The number of bytes that a damage still has to remove.
    pub(super) losing: usize,
    /// The connection and the length of an `AT+CIPSEND` whose payload has not been written.
    piece: Option<(usize, usize)>,
    /// The channel of the last `AT+CIPSEND`.
    pub(super) sending_on: Option<u8>,
    /// Chooses the pauses of the line.
    pauses: Chance,
    /// The number of bytes before the next pause.
    until_pause: usize,
    /// The delayed answers.
    pub(super) late: VecDeque<(Timestamp, Vec<u8>)>,
    /// The connection that last used each of the modem's channels.
    channels: [Option<usize>; 8],
    /// The sockets that can be read.
    pub readable: Vec<SocketId>,
    /// The number of damages that have happened.
    pub struck: usize,
    /// The bytes on the line, if requested.
    pub trace: Option<Vec<String>>,
    /// A capture of the line, as the driver would record it, if requested.
    pub capture: Option<Recorder<Vec<u8>>>,
    /// A digest of all bytes that the modem has read and written, with their times.
    pub digest: Digest,
}

impl Rig {
    pub fn new(script: &Script, traced: bool) -> Self {
        let (engine, modem) = setup::both(script);
        let facts = Facts {
            now: Timestamp::ZERO,
            connections: Vec::new(),
            waiting: Vec::new(),
            port_is_there: true,
            imei: sim::Settings::default().imei,
            identified: String::new(),
            healed: false,
            hung_up: false,
            damaged: Vec::new(),
            may_hurt_all: false,
            may_cut_bodies: false,
            may_mislead: false,
            may_double_answers: false,
            may_delay_commands: false,
            may_delay_answers: false,
            may_reset: false,
            may_still_close: false,
            may_lose_lines: false,
            may_lose_news: false,
            may_be_deaf: false,
            may_lose_results: false,
            card_is_out: false,
            network_is_down: false,
            faults: 0,
            host_bytes: HostBytes::default(),
            secrets: setup::SECRETS,
            script: Script { steps: Vec::new(), ..script.clone() },
        };
        let follows_grammar =
            script.steps.iter().any(|step| matches!(step.act, super::script::Act::Damage(_)));
        Self {
            room: modem.room(),
            engine,
            modem,
            facts,
            checks: checks::all(script.kind),
            failure: None,
            unseen: None,
            next_ticket: 1,
            stood: 0,
            held_back: Vec::new(),
            port_stands: false,
            eager: script.world.eager,
            damages: Vec::new(),
            grammar: Grammar::default(),
            follows_grammar,
            losing: 0,
            piece: None,
            sending_on: None,
            pauses: Chance::new(script.seed.wrapping_mul(43).wrapping_add(17)),
            until_pause: 1,
            late: VecDeque::new(),
            channels: [None; 8],
            readable: Vec::new(),
            struck: 0,
            trace: traced.then(Vec::new),
            capture: traced.then(|| {
                let words = |words: &str| words.to_owned();
                let expect = vec![words("not known")];
                Recorder::new(
                    Vec::new(),
                    &Header { what: words("a run"), source: words("simulation"), expect },
                )
            }),
            digest: Digest::default(),
        }
    }

    /// Makes a request to the engine.
    pub fn ask(&mut self, what: RequestKind, timeout: Duration, request: Request) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.note(|| format!("? {}", request.summary()));
        let asked = PendingRequest { ticket, what, asked_at: self.facts.now, due: self.facts.now + timeout };
        self.facts.waiting.push(asked);
        self.sees(&Observation::Asked);
        self.engine.handle(self.facts.now, Input::Asked(ticket, request));
        self.exchange();
        ticket
    }

    /// Whether a request has no answer yet.
    pub fn is_waiting(&self, ticket: Ticket) -> bool {
        self.facts.waiting.iter().any(|asked| asked.ticket == ticket)
    }

    pub fn control(&mut self, control: Control) {
        self.note(|| format!("! {control:?}"));
        self.modem.handle(self.facts.now, sim::Input::Control(control));
        self.exchange();
    }

    pub fn damage(&mut self, damage: Damage) {
        if damage.way == Direction::ToHost {
            (self.facts.may_lose_lines, self.facts.may_lose_results) = (true, true);
            self.facts.host_bytes.may_be_damaged();
        }
        self.damages.push(damage);
    }

    /// Ends all damage on the line.
    pub fn heal_line(&mut self) {
        self.damages.clear();
        self.losing = 0;
        self.port_stands = false;
        for (_, bytes) in std::mem::take(&mut self.late) {
            self.deliver(&bytes);
        }
    }

    pub fn lose_port(&mut self, reason: &'static str) {
        // Bytes that the port had accepted and not passed on are lost.
        self.facts.may_be_deaf |= !self.held_back.is_empty();
        self.held_back.clear();
        self.facts.port_is_there = false;
        self.note(|| "! port lost".to_owned());
        self.engine.handle(self.facts.now, Input::PortLost(reason));
        self.drain();
        self.sees(&Observation::PortLost);
        self.exchange();
    }

    /// Loses the port, which is expected back.
    fn miss_port(&mut self) {
        // Bytes that the port or the modem had accepted and not passed on are lost.
        (self.facts.may_be_deaf, self.facts.may_lose_lines) = (true, true);
        self.held_back.clear();
        self.facts.port_is_there = false;
        self.note(|| "! port away".to_owned());
        self.engine.handle(self.facts.now, Input::PortAway("unplugged"));
        self.drain();
        self.sees(&Observation::PortAway);
        self.exchange();
    }

    pub fn bring_port_back(&mut self) {
        if !self.facts.port_is_there {
            self.facts.port_is_there = true;
            self.note(|| "! port back".to_owned());
            self.engine.handle(self.facts.now, Input::PortBack);
            self.exchange();
        }
    }

    /// Runs for this span.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.facts.now + span;
        while self.failure.is_none() && self.step(end) {}
        self.facts.now = end;
        self.tick();
    }

    /// Runs until the condition holds or the span has passed. Returns whether it holds.
    pub fn run_until(&mut self, span: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.facts.now + span;
        while !holds(self) {
            if self.failure.is_some() || !self.step(end) {
                return holds(self);
            }
        }
        true
    }

    /// Advances to the next deadline. Returns `false` if there is none before `end`.
    fn step(&mut self, end: Timestamp) -> bool {
        let engine = self.engine.deadline().map(|(at, _)| at);
        let late = self.late.front().map(|(at, _)| *at);
        let deadlines = engine.into_iter().chain(self.modem.deadline()).chain(late);
        let Some(next) = deadlines.min().filter(|at| *at <= end) else { return false };
        self.stood = if next > self.facts.now { 0 } else { self.stood + 1 };
        if self.stood > STANDING_LIMIT {
            self.fail("pace", format!("the clock stands still: {:?}", self.engine.deadline()));
            return false;
        }
        self.facts.now = self.facts.now.max(next);
        self.tick();
        true
    }

    fn tick(&mut self) {
        let now = self.facts.now;
        while self.late.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, bytes)) = self.late.pop_front() {
                self.deliver(&bytes);
            }
        }
        self.modem.handle(now, sim::Input::Tick);
        self.engine.handle(now, Input::Tick);
        self.exchange();
    }

    /// Passes bytes on until none are under way.
    pub fn exchange(&mut self) {
        for _ in 0..STANDING_LIMIT {
            let mut moved = self.drain();
            moved |= self.drain_modem();
            moved |= self.pass_on();
            if self.engine.awaits_port() && !self.port_stands && self.held_back.is_empty() {
                moved = true;
                self.engine.handle(self.facts.now, Input::Written);
            }
            moved |= self.applications();
            if !moved || self.failure.is_some() {
                let (unread, queued) = self.buffered();
                self.sees(&Observation::Quiet { unread, queued });
                return;
            }
        }
        self.fail("pace", "engine and modem exchange bytes without end at one time".to_owned());
    }

    fn buffered(&mut self) -> (usize, usize) {
        let (mut unread, mut queued) = (0, 0);
        for connection in self.facts.connections.iter().filter(|connection| connection.is_in_use()) {
            let Some(id) = connection.id else { continue };
            unread = unread.max(self.engine.readable(id).0);
            queued = queued.max(self.engine.queued(id));
        }
        (unread, queued)
    }

    fn drain(&mut self) -> bool {
        let mut any = false;
        while let Some(output) = self.engine.poll() {
            any = true;
            match output {
                Output::Write(bytes) => {
                    self.note(|| format!("> {}", shown(&bytes)));
                    if let Some(capture) = &mut self.capture {
                        capture.to_modem(self.facts.now, &bytes);
                    }
                    self.sees(&Observation::Wrote(&bytes));
                    self.write(&bytes);
                    self.engine.reuse(bytes);
                }
                Output::Answered(ticket, answer) => self.answered(ticket, answer),
                Output::Event(event) => {
                    if !matches!(
                        event,
                        Event::Urc(_)
                            | Event::Line(_)
                            | Event::Received(..)
                            | Event::Sent(..)
                            | Event::Connected(_)
                    ) {
                        self.note(|| format!("* {event:?}"));
                    }
                    if let Event::Unsent(socket, len) = event {
                        self.unsent(socket, len);
                    }
                    if let Event::Ready(_) | Event::OtherModule { .. } = event {
                        self.facts.identified.clone_from(&self.engine.identity().imei);
                    }
                    self.sees(&Observation::Event(&event));
                }
                Output::Readable(socket) => self.readable.push(socket),
                Output::Writable(_) | Output::Beat(..) => {}
                Output::Dtr(on) => {
                    self.modem.handle(self.facts.now, sim::Input::Control(Control::Dtr(on)));
                }
            }
        }
        any
    }

    /// Notes that data were not confirmed. For queued ones this is the only report.
    fn unsent(&mut self, socket: SocketId, len: usize) {
        let Some(connection) = self.facts.of_socket(socket) else { return };
        let connection = &mut self.facts.connections[connection];
        let is_udp = connection.is_udp();
        let is_it = |send: &&mut Send| send.outcome == Outcome::Open && (!is_udp || send.len == len);
        if let Some(send) = connection.sends.iter_mut().find(is_it) {
            send.outcome = Outcome::Unknown(0);
        }
    }

    fn answered(&mut self, ticket: Ticket, answer: Result<air724ug::proto::Response, Error>) {
        use air724ug::proto::Response;
        let Some(at) = self.facts.waiting.iter().position(|asked| asked.ticket == ticket) else {
            self.fail("in-time", format!("{ticket:?} is answered twice: {answer:?}"));
            return;
        };
        let asked = self.facts.waiting.remove(at);
        self.note(|| format!("= {:?}: {}", asked.what, shown_answer(&answer)));
        match (asked.what, &answer) {
            (RequestKind::Connect { connection }, Ok(Response::Connected(id))) => {
                let begin = self.facts.host_bytes.connected(id.channel().index());
                let connection = &mut self.facts.connections[connection];
                (connection.id, connection.received_at_begin) = (Some(*id), begin);
            }
            (RequestKind::Connect { connection }, _) => self.facts.connections[connection].failed = true,
            (RequestKind::Send { connection, send }, answer) => {
                let send = &mut self.facts.connections[connection].sends[send];
                send.outcome = match answer {
                    Ok(Response::Sent { accepted, .. }) if *accepted == send.len => {
                        Outcome::Accepted(*accepted)
                    }
                    Ok(Response::Sent { accepted, .. }) => Outcome::Unknown(*accepted),
                    Err(Error::InvalidInput { .. }) => Outcome::Refused,
                    _ => Outcome::Unknown(0),
                };
            }
            // The application's handle ends with its call.
            (RequestKind::Close { connection }, Err(_)) => {
                if let Some(socket) = self.facts.connections[connection].id {
                    let (ticket, asked_at) = (Ticket(self.next_ticket), self.facts.now);
                    self.next_ticket += 1;
                    let what = RequestKind::Other;
                    self.facts.waiting.push(PendingRequest { ticket, what, asked_at, due: asked_at });
                    self.engine.handle(asked_at, Input::Asked(ticket, Request::Forget { socket }));
                }
            }
            (RequestKind::Queue { connection, send }, Err(_)) => {
                self.facts.connections[connection].sends[send].outcome = Outcome::Refused;
            }
            _ => {}
        }
        self.sees(&Observation::Answered(&asked, &answer));
    }

    /// Passes the modem's bytes to the host. Returns whether there were any.
    fn drain_modem(&mut self) -> bool {
        let mut any = false;
        while let Some(output) = self.modem.poll() {
            match output {
                sim::Output::Host(bytes) => {
                    any = true;
                    self.digest.add(self.facts.now, Direction::ToHost, &bytes);
                    let bytes = if self.follows_grammar { self.on_way_to_host(bytes) } else { bytes };
                    self.send_to_host(&bytes);
                }
                sim::Output::Unplugged => {
                    any = true;
                    self.miss_port();
                }
                sim::Output::PluggedIn(_) => {
                    any = true;
                    self.bring_port_back();
                }
                sim::Output::HangUp => {
                    any = true;
                    self.facts.hung_up = true;
                    self.lose_port("hung up");
                }
                sim::Output::Happened(event) => self.happened(&event),
            }
        }
        any
    }

    fn send_to_host(&mut self, bytes: &[u8]) {
        if self.facts.script.world.pauses { self.pause_in(bytes) } else { self.deliver(bytes) }
    }

    /// Delivers bytes in pieces, in their order, with pauses.
    fn pause_in(&mut self, mut bytes: &[u8]) {
        let last = self.late.back().map_or(self.facts.now, |(at, _)| *at);
        let mut at = last.max(self.facts.now);
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(self.until_pause.min(bytes.len()));
            self.until_pause -= piece.len();
            self.late.push_back((at, piece.to_vec()));
            if self.until_pause == 0 {
                at += Duration::from_millis(self.pauses.pick(&PAUSES));
                self.late.push_back((at, Vec::new()));
                self.until_pause = 1 + self.pauses.below(2 * BETWEEN_PAUSES);
            }
            bytes = rest;
        }
    }

    fn happened(&mut self, event: &ModemEvent) {
        match event {
            ModemEvent::Connecting { channel, target } => {
                let above = target.port.wrapping_sub(FIRST_PORT);
                let link = self.modem.network().links().filter(|(_, other)| other.port == target.port).last();
                // A connect whose port the line has changed can lead to the peer of a connection that has ended.
                let has_ended = |index: &usize| {
                    let connection = &self.facts.connections[*index];
                    connection.left && !connection.links.is_empty()
                };
                // A changed port between those of the peers is that of none.
                let of_peer = if above.is_multiple_of(3) { self.facts.numbered(above / 3) } else { None };
                let index = of_peer.filter(|index| !has_ended(index));
                if let (Some((link, _)), Some(index)) = (link, index) {
                    // A repeated connection begins with its first byte. Bytes that its peer had sent before are lost.
                    let connection = &mut self.facts.connections[index];
                    connection.links = vec![link];
                    (connection.is_up, connection.taken, connection.echoed) = (false, 0, None);
                    connection.pushed.clear();
                }
                self.channels[usize::from(*channel) % 8] = index;
            }
            ModemEvent::Connected { channel } => {
                if let Some(index) = self.channels[usize::from(*channel) % 8] {
                    self.facts.connections[index].is_up = true;
                }
            }
            ModemEvent::Sent { channel, bytes } => {
                if let Some(index) = self.channels[usize::from(*channel) % 8] {
                    self.facts.connections[index].taken += bytes;
                }
                self.sees(&Observation::Progress);
            }
            ModemEvent::Booting => self.grammar.reset(),
            _ => {}
        }
    }

    /// Passes on the bytes for which the line has room. Returns whether there were any.
    fn pass_on(&mut self) -> bool {
        if self.held_back.is_empty() || self.port_stands {
            return false;
        }
        let under_way = self.room - self.modem.room();
        let room = PORT_BUFFER.saturating_sub(under_way).min(self.held_back.len());
        if room == 0 {
            return false;
        }
        let bytes: Vec<u8> = self.held_back.drain(..room).collect();
        self.digest.add(self.facts.now, Direction::FromHost, &bytes);
        self.modem.handle(self.facts.now, sim::Input::Host(&bytes));
        true
    }

    /// Writes bytes of the host. Payload may come with its command.
    fn write(&mut self, bytes: &[u8]) {
        if self.facts.script.world.keeps_echo && bytes == b"ATE0\r\n" {
            return self.send_to_host(b"ATE0\r\n\r\nERROR\r\n");
        }
        let line = bytes.windows(2).position(|end| end == b"\r\n").map_or(bytes.len(), |at| at + 2);
        if bytes.starts_with(b"AT+CIPSEND=") && line < bytes.len() {
            self.write_part(&bytes[..line], false);
            self.write_part(&bytes[line..], true);
        } else {
            self.write_part(bytes, false);
        }
    }

    fn write_part(&mut self, bytes: &[u8], is_payload: bool) {
        if !self.facts.port_is_there {
            return;
        }
        let channel = bytes.strip_prefix(b"AT+CIPSEND=").and_then(|rest| rest.first());
        if let Some(digit) = channel.filter(|digit| digit.is_ascii_digit()) {
            self.sending_on = Some(digit - b'0');
        }
        self.note_piece(bytes);
        let damaged = self.damages.iter().any(|damage| damage.way == Direction::FromHost);
        let bytes = if damaged { self.on_way_to_modem(bytes.to_vec(), is_payload) } else { bytes.to_vec() };
        self.held_back.extend(bytes);
        self.pass_on();
    }

    /// Notes the bytes after an `AT+CIPSEND` up to its length as a piece. Other bytes are no payload.
    fn note_piece(&mut self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).ok();
        let asked = text.and_then(|text| text.strip_prefix("AT+CIPSEND=")?.trim_end().split_once(','));
        if let Some((channel, len)) = asked {
            let index = channel.parse::<usize>().ok().and_then(|channel| self.channels[channel % 8]);
            self.piece = index.zip(len.parse().ok());
        } else if let Some((index, len)) = self.piece {
            let connection = &mut self.facts.connections[index];
            let given = connection.outgoing().bytes(0, connection.given());
            let payload = bytes.get(..len).filter(|_| len > 0);
            if let Some(payload) = payload.filter(|payload| given.windows(len).any(|part| part == *payload)) {
                connection.pieces.push(payload.to_vec());
                self.piece = None;
            }
        }
    }

    /// Delivers the modem's bytes to the host, in pieces.
    fn deliver(&mut self, bytes: &[u8]) {
        if !self.facts.port_is_there || bytes.is_empty() {
            return;
        }
        self.note(|| format!("< {}", shown(bytes)));
        let is_asked = self.facts.waiting.iter().any(|asked| asked.what == RequestKind::Command);
        self.facts.host_bytes.add(self.facts.now, bytes, is_asked);
        let size = match self.facts.script.world.chunk {
            0 => bytes.len(),
            size => size,
        };
        for piece in bytes.chunks(size) {
            if let Some(capture) = &mut self.capture {
                capture.from_modem(self.facts.now, piece);
            }
            self.engine.handle(self.facts.now, Input::Received(piece));
        }
    }

    /// Passes an observation to every check. The first objection ends the run.
    pub fn sees(&mut self, seen: &Observation<'_>) {
        if self.failure.is_some() {
            return;
        }
        for check in &mut self.checks {
            if let Err(what) = check.sees(&self.facts, seen) {
                self.failure = Some(Failure { check: check.promise(), what });
                return;
            }
        }
    }

    pub fn fail(&mut self, check: &'static str, what: String) {
        self.failure.get_or_insert(Failure { check, what });
    }

    /// Adds a line to the trace, if it is requested.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", self.facts.now, line()));
        }
    }

    /// Adds the peer of a new connection.
    pub fn serve(&mut self, number: u16, far: Far, greeting: &[u8]) -> (&'static str, u16) {
        let port = FIRST_PORT + number * 3;
        let peer = match far {
            Far::Echo => sim::Peer::echo(),
            Far::Pushes => sim::Peer::discard().greeting(greeting),
            Far::NeverReads => sim::Peer::discard().never_reads(),
            Far::ClosesAfter(count) => sim::Peer::discard().close_after(count),
            Far::ResetsAfter(count) => sim::Peer::discard().reset_after(count),
            Far::Silent => sim::Peer::silent(),
            Far::Refuses => sim::Peer::refuse(),
        };
        self.modem.network_mut().serve(setup::HOST, port, peer);
        (setup::HOST, port)
    }

    /// Lets the modem process events of the network.
    pub fn look_at_network(&mut self) {
        self.modem.handle(self.facts.now, sim::Input::Tick);
        self.exchange();
    }

    /// The bytes that the peer of each connection has received.
    pub fn got(&self) -> Vec<Vec<u8>> {
        let network = self.modem.network();
        let of_connection = |connection: &super::facts::Connection| {
            connection.links.iter().flat_map(|link| network.received(*link)).copied().collect()
        };
        self.facts.connections.iter().map(of_connection).collect()
    }
}

/// The engine's value for a protocol.
pub fn protocol(wanted: super::script::Wanted) -> Protocol {
    match wanted {
        super::script::Wanted::Udp => Protocol::Udp,
        super::script::Wanted::Tcp | super::script::Wanted::Transparent => Protocol::Tcp,
    }
}

pub(super) fn shown(bytes: &[u8]) -> String {
    let most = 160;
    let rest = if bytes.len() > most { format!(" ... {} bytes", bytes.len()) } else { String::new() };
    format!("{}{rest}", bytes[..bytes.len().min(most)].escape_ascii())
}

fn shown_answer(answer: &Result<air724ug::proto::Response, Error>) -> String {
    match answer {
        Ok(air724ug::proto::Response::Sent { accepted, data }) => {
            format!("sent {accepted} of {}", data.len())
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("{error:?}"),
    }
}
