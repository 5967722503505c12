//! One damage of every kind at any place of the line from the module. The application reads only what the peer has
//! sent, or its socket ends with an error. Payload is never taken for the module's lines.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::support::hostile::{Random, for_each_seed};
use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Command, Fault, Refusal};
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Input, Request, Response, SocketId, Ticket};
use air724ug::query::Signal;
use air724ug::sim::{Control, Peer, Settings};
use air724ug::{Config, Error, ReceiveMode};

/// The number of bytes that the peer sends.
const LEN: usize = 30_000;

/// Pieces of payload that look like lines of the module.
const HOSTILE: [&[u8]; 10] = [
    b"\r\n+RECEIVE,1,4:\r\nEVIL",
    b"\r\nRDY\r\n",
    b"\r\n+PDP: DEACT\r\n",
    b"\r\n1, CLOSED\r\n",
    b"\r\n0, CLOSED\r\n",
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n+CIPMUX: 1\r\n\r\nOK\r\n",
    b"\r\n+CIPRXGET: 2,1,4,0\r\nEVIL\r\nOK\r\n",
    b"\r\n+CREG: 1\r\n",
];

/// The kinds of damage. Each test has one of them, once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Lost(usize),
    DoubledByte,
    DoubledFrame,
    FlippedBit,
    FlippedBitOfNumber,
    FlippedBitOfName,
    ChangedDigit,
    SwappedBytes,
    SwappedBytesOfHeader,
    Nuls,
    ForeignLine,
    UnusedChannel,
    OtherChannel,
    UnreadableHeader,
}

impl Kind {
    const ALL: [Self; 18] = [
        Self::Lost(1),
        Self::Lost(3),
        Self::Lost(10),
        Self::Lost(200),
        Self::Lost(2000),
        Self::DoubledByte,
        Self::DoubledFrame,
        Self::FlippedBit,
        Self::FlippedBitOfNumber,
        Self::FlippedBitOfName,
        Self::ChangedDigit,
        Self::SwappedBytes,
        Self::SwappedBytesOfHeader,
        Self::Nuls,
        Self::ForeignLine,
        Self::UnusedChannel,
        Self::OtherChannel,
        Self::UnreadableHeader,
    ];

    /// Whether the line can't show this damage: a changed byte of a body, or a frame of the right form.
    fn can_be_unseen(self, mode: ReceiveMode) -> bool {
        match self {
            Self::FlippedBit | Self::SwappedBytes => true,
            Self::DoubledFrame | Self::OtherChannel => mode == ReceiveMode::Push,
            _ => false,
        }
    }

    /// Whether the damage is done to a header.
    fn is_of_header(self) -> bool {
        matches!(
            self,
            Self::DoubledFrame
                | Self::FlippedBitOfNumber
                | Self::FlippedBitOfName
                | Self::ChangedDigit
                | Self::SwappedBytesOfHeader
                | Self::UnusedChannel
                | Self::OtherChannel
                | Self::UnreadableHeader
        )
    }
}

/// The line from the module to the host.
struct Line {
    kind: Kind,
    /// The bytes, or the headers, that still pass before the damage.
    left: usize,
    random: Random,
    struck: bool,
}

impl Line {
    fn carry(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if self.struck {
            return bytes;
        }
        if self.kind.is_of_header() {
            for frame in frames(&bytes) {
                if self.left == 0 {
                    self.struck = true;
                    let struck = self.strike_header(bytes[frame.start..frame.end].to_vec(), frame.header);
                    return [&bytes[..frame.start], &struck, &bytes[frame.end..]].concat();
                }
                self.left -= 1;
            }
            return bytes;
        }
        if self.left >= bytes.len() {
            self.left -= bytes.len();
            return bytes;
        }
        self.struck = true;
        self.strike(bytes)
    }

    fn strike(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = self.left;
        match self.kind {
            Kind::Lost(count) => {
                let end = (at + count).min(bytes.len());
                bytes.drain(at..end);
            }
            Kind::DoubledByte => bytes.insert(at, bytes[at]),
            Kind::FlippedBit => bytes[at] ^= 1 << self.random.below(8),
            Kind::SwappedBytes if at + 1 < bytes.len() => bytes.swap(at, at + 1),
            Kind::Nuls => {
                let count = 1 + self.random.below(20) as usize;
                bytes.splice(at..at, vec![0; count]);
            }
            Kind::ForeignLine => drop(bytes.splice(at..at, *b"\r\n+CREG: 1\r\n")),
            _ => {}
        }
        bytes
    }

    fn strike_header(&mut self, mut bytes: Vec<u8>, len: usize) -> Vec<u8> {
        let first = bytes.iter().position(u8::is_ascii_digit).unwrap();
        let is_fetched = bytes.starts_with(b"\r\n+CIPRXGET");
        let channel = if is_fetched { first + 2 } else { first };
        let digits: Vec<usize> = (channel + 1..len).filter(|at| bytes[*at].is_ascii_digit()).collect();
        match self.kind {
            Kind::DoubledFrame => bytes = bytes.repeat(2),
            Kind::FlippedBitOfNumber => bytes[self.random.pick(&digits)] ^= 1 << self.random.below(8),
            Kind::FlippedBitOfName => {
                let at = 2 + self.random.below(first as u64 - 2) as usize;
                bytes[at] ^= 1 << self.random.below(8);
            }
            Kind::ChangedDigit => {
                let at = self.random.pick(&digits);
                bytes[at] = b'0' + (bytes[at] - b'0' + 1 + self.random.below(9) as u8) % 10;
            }
            Kind::SwappedBytesOfHeader => {
                let at = self.random.below(len as u64 - 1) as usize;
                bytes.swap(at, at + 1);
            }
            Kind::UnusedChannel => bytes[channel] = b'2' + self.random.below(8) as u8,
            Kind::OtherChannel => bytes[channel] = b'1',
            Kind::UnreadableHeader => {
                let bad: &[u8] = match is_fetched {
                    true => self
                        .random
                        .pick(&[&b"\r\n+CIPRXGT: 2,0,1460,9\r\n"[..], b"\r\n+CIPRXGET: 2,0,146x,9\r\n"]),
                    false => self.random.pick(&[
                        &b"\r\n+RECEIVE,0,146x:\r\n"[..],
                        b"\r\n+RECEVE,0,1460:\r\n",
                        b"\r\n+RECEIVE,0:\r\n",
                        b"\r\n+RECEIVE,0,9460:\r\n",
                        b"\r\n+RECEIVE,8,1460:\r\n",
                        b"\r\n+RECEIVE,0,460:\r\n",
                    ]),
                };
                bytes.splice(..len, bad.iter().copied());
            }
            _ => {}
        }
        bytes
    }
}

/// A header and its data among the module's bytes.
struct Frame {
    start: usize,
    end: usize,
    /// The length of the header.
    header: usize,
}

/// The frames in one write of the module.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (mut frames, mut start) = (Vec::new(), 0);
    while start < bytes.len() {
        let rest = &bytes[start..];
        let is_fetched = rest.starts_with(b"\r\n+CIPRXGET: 2,");
        if !is_fetched && !rest.starts_with(b"\r\n+RECEIVE,") {
            start += 1;
            continue;
        }
        let header = rest[2..].windows(2).position(|pair| pair == b"\r\n").unwrap() + 4;
        let text = String::from_utf8_lossy(&rest[2..header - 2]).into_owned();
        let len =
            text.split([',', ':']).filter(|part| !part.trim().is_empty()).nth(2 + usize::from(is_fetched));
        let end = start + header + len.unwrap().trim().parse::<usize>().unwrap();
        frames.push(Frame { start, end, header });
        start = end;
    }
    frames
}

/// A mix of lines, bytes of all kinds, and hostile pieces.
fn payload(random: &mut Random) -> Vec<u8> {
    let mut payload = Vec::with_capacity(LEN + 100);
    while payload.len() < LEN {
        match random.below(8) {
            0 => payload.extend(random.pick(&HOSTILE)),
            1 | 2 => payload.extend(format!("line {} of what the peer sends\r\n", payload.len()).bytes()),
            _ => payload.extend((0..random.below(300)).map(|_| random.next() as u8)),
        }
    }
    payload.truncate(LEN);
    payload
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    Reported,
    Harmless,
    Silent,
}

struct Run {
    pair: Pair,
    socket: SocketId,
    other: SocketId,
    payload: Vec<u8>,
}

impl Run {
    fn new(mode: ReceiveMode, random: &mut Random) -> Self {
        let config = Config::default().receive_mode(mode);
        let settings = Settings::default();
        let mut pair = Pair::with(config, settings);
        if random.one_in(3) {
            pair = pair.in_random_chunks(random.next());
        }
        let mut pair = pair.ready();
        let network = pair.modem.network_mut();
        network.name("source.test", [10, 1, 0, 9]).serve("source.test", 80, Peer::discard());
        let socket = pair.connect("source.test", 80).unwrap();
        let link = pair.modem.network().last_link().unwrap();
        let other = pair.channel_open();
        let payload = payload(random);
        pair.run_for(Duration::from_secs(5));
        pair.events.clear();
        pair.modem.network_mut().push(link, &payload);
        Self { pair, socket, other, payload }
    }

    /// Reads on both sockets until nothing more comes. Returns the bytes of the first socket, and its end.
    fn read(&mut self, kind: Kind, mode: ReceiveMode) -> (Vec<u8>, Option<Error>) {
        let (mut read, mut stray) = (Vec::new(), Vec::new());
        let mut end = None;
        for _ in 0..400 {
            while end.is_none() {
                match self.pair.read_some(self.socket, 4_096) {
                    Ok(Some(bytes)) => read.extend(bytes),
                    Ok(None) => break,
                    Err(error) => end = Some(error),
                }
            }
            while let Ok(Some(bytes)) = self.pair.read_some(self.other, 4_096) {
                stray.extend(bytes);
            }
            self.pair.run_for(Duration::from_millis(100));
        }
        let may_stray = kind == Kind::OtherChannel && mode == ReceiveMode::Push;
        assert!(may_stray || stray.is_empty(), "another peer's socket reads {}", stray.escape_ascii());
        (read, end)
    }

    fn outcome(&self, read: &[u8], end: Option<&Error>) -> Outcome {
        match end {
            Some(_) => Outcome::Reported,
            None if read == self.payload => Outcome::Harmless,
            None => Outcome::Silent,
        }
    }

    /// Checks that no payload was believed, and that the module still works.
    fn is_sound(&mut self) {
        let acted = |event: &Event| match event {
            Event::Restarted | Event::NotReady(_) | Event::Unresponsive => true,
            Event::Closed(_, reason) => {
                matches!(reason, None | Some(CloseReason::Peer | CloseReason::BearerLost))
            }
            _ => false,
        };
        assert!(!self.pair.saw(acted), "payload was believed, {}", self.pair.story());
        for socket in [self.socket, self.other] {
            let closed = self.pair.close(socket);
            assert!(matches!(closed, Ok(Response::Closed)), "{closed:?}");
        }
        let socket = self.pair.channel_open();
        assert_eq!(self.pair.send(socket, b"on we go").unwrap(), 8);
        assert_eq!(self.pair.read(socket, 8).unwrap(), b"on we go");
    }
}

fn damage(mode: ReceiveMode, kind: Kind, seed: u64) -> (Outcome, bool) {
    let mut random = Random::new(seed);
    let mut run = Run::new(mode, &mut random);
    let left = if kind.is_of_header() { random.below(20) } else { random.below(LEN as u64 - 2_200) } as usize;
    let mut line = Line { kind, left, random, struck: false };
    run.pair.to_host = Box::new(move |_, bytes| line.carry(bytes));
    let (read, end) = run.read(kind, mode);
    run.pair.to_host = Box::new(|_, bytes| bytes);
    let outcome = run.outcome(&read, end.as_ref());
    let is_prefix = run.payload.starts_with(&read);
    if outcome == Outcome::Reported {
        let counted = run.pair.engine.statistics().faults > 0;
        assert!(
            counted || matches!(end, Some(Error::Closed(CloseReason::ReceiveUnconfirmed))),
            "{kind:?}: {end:?}, {}, at {left}",
            run.pair.story()
        );
    }
    if outcome == Outcome::Silent && !kind.can_be_unseen(mode) {
        let at = read.iter().zip(&run.payload).position(|(one, other)| one != other);
        eprintln!("{mode:?} {kind:?} seed {seed}: silent, {} bytes read, differs at {at:?}", read.len());
    } else {
        run.is_sound();
    }
    (outcome, is_prefix)
}

#[test]
fn one_damaged_place_leaves_no_silent_hole() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        let table: RefCell<BTreeMap<Kind, [u32; 4]>> = RefCell::default();
        for_each_seed(mode, 60, |seed| {
            for kind in Kind::ALL {
                let (outcome, is_prefix) = damage(mode, kind, seed);
                let mut table = table.borrow_mut();
                let row = table.entry(kind).or_default();
                row[outcome as usize] += 1;
                row[3] += u32::from(!is_prefix);
            }
        });
        println!("{mode:?}: kind, reported, harmless, silent (with wrong bytes before the end)");
        for (kind, [reported, harmless, silent, wrong]) in &*table.borrow() {
            println!("{:24}{reported:8}{harmless:8}{silent:8} ({wrong})", format!("{kind:?}"));
            assert!(*silent == 0 || kind.can_be_unseen(mode), "{mode:?} {kind:?}: {silent} silent holes");
        }
    }
}

/// Replaces the answer to each later command that begins with `command`.
fn always(pair: &mut Pair, command: &'static str, answer: &'static str) {
    let pending = Rc::new(RefCell::new(false));
    let asked = pending.clone();
    pair.to_modem = Box::new(move |_, bytes| {
        if !bytes.starts_with(command.as_bytes()) {
            return bytes;
        }
        *asked.borrow_mut() = true;
        b"AT\r\n".to_vec()
    });
    pair.to_host = Box::new(move |_, bytes| match pending.replace(false) {
        true => answer.as_bytes().to_vec(),
        false => bytes,
    });
}

/// The pause after a fetch without data.
const POLL: Duration = Duration::from_secs(5);

fn manual() -> (Pair, SocketId) {
    let mut pair =
        Pair::with(Config::default().receive_mode(ReceiveMode::Manual), Settings::default()).ready();
    let socket = pair.channel_open();
    (pair, socket)
}

#[test]
fn a_fetch_with_data_leaves_no_command_in_doubt() {
    let (mut pair, socket) = manual();
    let doubtful = pair.engine.statistics().commands.doubtful;
    for count in 1..=3 {
        pair.send(socket, b"hello").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
        pair.run_for(Duration::from_secs(1));
        let commands = &pair.engine.statistics().commands;
        assert_eq!((commands.doubtful, commands.refused), (doubtful, 0), "fetch {count}");
    }
}

#[test]
fn a_module_that_announces_data_but_gives_none_is_fetched_from_at_a_bounded_rate() {
    // Some firmware repeats the announcement with each answer.
    for answer in [
        "\r\n+CIPRXGET: 2,0,0,1460\r\n\r\nOK\r\n",
        "\r\n+CIPRXGET: 2,0,0,1460\r\n\r\nOK\r\n\r\n+CIPRXGET: 1,0\r\n",
    ] {
        let (mut pair, socket) = manual();
        always(&mut pair, "AT+CIPRXGET=2,0", answer);
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let begun = pair.now;
        let (read, end) = pair.read_to_end(socket);
        assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::ReceiveRefused(_))), "{end}");
        assert_eq!(pair.wrote("AT+CIPRXGET=2,0"), 3);
        assert!(pair.now - begun >= 2 * POLL, "{:?} for three questions", pair.now - begun);
    }
}

/// Regression: the driver fetched as fast as the module announced.
#[test]
fn announcements_without_data_are_followed_at_a_bounded_rate() {
    let nothing = "\r\n+CIPRXGET: 2,0,0,0\r\n\r\nOK\r\n\r\n+CIPRXGET: 1,0\r\n";
    let (mut pair, socket) = manual();
    pair.instead_times(1_000, "AT+CIPRXGET=2,0", nothing);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.run_for(Duration::from_secs(10));
    let fetched = pair.wrote("AT+CIPRXGET=2,0");
    assert!((10..=15).contains(&fetched), "{fetched} in 10 s");
    // Data are fetched at once again after one that brought some.
    pair.heal();
    for _ in 0..3 {
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\nOK\r\n");
        assert_eq!(pair.read(socket, 4).unwrap(), b"abcd");
    }
    let before = pair.now;
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\nOK\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(pair.read(socket, 4).unwrap(), b"abcd");
    assert!(pair.now - before < Duration::from_millis(100), "{:?}", pair.now - before);
}

#[test]
fn an_announcement_is_followed_at_once_after_polls_that_brought_nothing() {
    let (mut pair, socket) = manual();
    let before = pair.wrote("AT+CIPRXGET=2,0");
    pair.run_for(10 * POLL);
    assert!(pair.wrote("AT+CIPRXGET=2,0") - before > 3);
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\nOK\r\n");
    let announced = pair.now;
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(pair.read(socket, 4).unwrap(), b"abcd");
    assert!(pair.now - announced < Duration::from_millis(100), "{:?}", pair.now - announced);
}

/// Regression: the end was that of the peer alone, and on a live connection the missing data were not noticed.
#[test]
fn data_that_the_module_has_counted_and_does_not_give_are_lost() {
    let counted = "\r\n+CIPRXGET: 2,0,4,900\r\nabcd\r\nOK\r\n";
    let nothing = "\r\n+CIPRXGET: 2,0,0,0\r\n\r\nOK\r\n";
    let (mut pair, socket) = manual();
    pair.instead("AT+CIPRXGET=2,0", [counted, "\r\n0, CLOSED\r\n"].concat());
    pair.instead("AT+CIPRXGET=2,0", nothing);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    let (read, end) = pair.read_to_end(socket);
    assert_eq!(read, b"abcd");
    assert!(matches!(end, Error::Closed(CloseReason::PeerWithDataLost)), "{end}");
    let (mut pair, socket) = manual();
    pair.instead("AT+CIPRXGET=2,0", counted).instead_times(3, "AT+CIPRXGET=2,0", nothing);
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    let (read, end) = pair.read_to_end(socket);
    assert_eq!(read, b"abcd");
    assert!(matches!(end, Error::Closed(CloseReason::ReceiveRefused(Refusal::Empty))), "{end}");
    // An answer that was empty once may be damaged.
    let (mut pair, socket) = manual();
    pair.instead("AT+CIPRXGET=2,0", counted).instead("AT+CIPRXGET=2,0", nothing);
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,2,0\r\nef\r\nOK\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(pair.read(socket, 6).unwrap(), b"abcdef");
    pair.run_for(Duration::from_secs(30));
    assert!(pair.engine.is_open(socket));
}

/// Regression: data that were announced before the answer, and are not in it, were fetched seconds later.
#[test]
fn data_that_are_announced_before_an_answer_are_asked_for_after_it() {
    let (mut pair, socket) = manual();
    let announced = "\r\n+CIPRXGET: 1,0\r\n";
    pair.instead("AT+CIPRXGET=2,0", [announced, "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\nOK\r\n"].concat());
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,2,0\r\nef\r\nOK\r\n");
    pair.inject(announced.as_bytes());
    let begun = pair.now;
    assert_eq!(pair.read(socket, 6).unwrap(), b"abcdef");
    assert!(pair.now - begun < Duration::from_secs(1), "{:?}", pair.now - begun);
    // Firmware that announces with each answer is not asked without end.
    pair.instead("AT+CIPRXGET=2,0", [announced, "\r\n+CIPRXGET: 2,0,0,0\r\n\r\nOK\r\n"].concat());
    let before = pair.wrote("AT+CIPRXGET=2,0");
    pair.inject(announced.as_bytes());
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.wrote("AT+CIPRXGET=2,0") - before, 1);
}

#[test]
fn one_refusal_of_a_fetch_does_not_close_a_good_connection() {
    for refusal in ["\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n"] {
        let (mut pair, socket) = manual();
        pair.instead("AT+CIPRXGET=2,0", refusal);
        pair.send(socket, b"hello").unwrap();
        assert_eq!(pair.read(socket, 5).unwrap(), b"hello", "{refusal:?}");
        // The refusal then stays, while the module reports the connection as established.
        always(&mut pair, "AT+CIPRXGET=2,0", refusal);
        let (before, begun) = (pair.wrote("AT+CIPRXGET=2,0"), pair.now);
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::ReceiveRefused(_))), "{end}");
        assert_eq!(pair.wrote("AT+CIPRXGET=2,0") - before, 3);
        assert!(pair.now - begun >= 2 * POLL, "{refusal:?}: {:?} for three", pair.now - begun);
    }
}

/// The refusal stands within the header of the data, whose beginning is an unsolicited line of another channel.
#[test]
fn a_refusal_within_the_header_of_data_does_not_lose_the_data_silently() {
    for chunk in [1, 7, 5_000] {
        let (pair, socket) = manual();
        let mut pair = pair.in_chunks_of(chunk);
        let body = "x".repeat(20);
        pair.instead("AT+CIPRXGET=2,0", format!("\r\n+CIPRXGET:2\r\nERROR\r\n,0,20,0\r\n{body}\r\nOK\r\n"));
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (read, end) = pair.read_to_end(socket);
        assert!(read.is_empty(), "{} bytes", read.len());
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{chunk}: {end}");
    }
}

#[test]
fn a_wrong_answer_to_a_fetch_ends_the_socket_without_a_wrong_byte() {
    let body = "x".repeat(1459) + "y";
    for (answer, name) in [
        (format!("\r\n+CIPRXGET: 2,0,1459,0\r\n{body}\r\nOK\r\n"), "fewer"),
        (format!("\r\n+CIPRXGET: 2,0,1461,0\r\n{body}\r\nOK\r\n"), "more"),
        (format!("\r\n+CIPRXGET: 2,0,0,17080\r\n{body}\r\nOK\r\n"), "none"),
        (format!("\r\n+CIPRXGET: 2,0,17080,0\r\n{body}\r\nOK\r\n"), "too many"),
        (format!("\r\n+CIPRXGET: 2,0,1460,0\r\n\r\n+CREG: 1\r\n{body}\r\nOK\r\n"), "a line inside"),
        (format!("\r\n+CIPRXGET: 2,0,1460,0\r\n{body}\r\n+CREG: 1\r\n\r\nOK\r\n"), "a line after"),
        (format!("\r\n+CIPRXGET: 2,0,1460,0\r\n{body}\r\nERROR\r\n"), "an error after"),
    ] {
        for chunk in [1, 7, 5_000] {
            let (pair, socket) = manual();
            let mut pair = pair.in_chunks_of(chunk);
            pair.instead("AT+CIPRXGET=2,0", &answer);
            pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
            let (read, end) = pair.read_to_end(socket);
            assert!(read.is_empty(), "{name}: {} bytes", read.len());
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{name}: {end}");
            assert!(pair.saw(|event| matches!(event, Event::Fault(_))), "{name}");
        }
    }
}

#[test]
fn a_repeated_answer_to_a_fetch_repeats_no_byte() {
    for chunk in [1, 5_000] {
        let (pair, socket) = manual();
        let mut pair = pair.in_chunks_of(chunk);
        let body = "x".repeat(1_460);
        let answer = format!("\r\n+CIPRXGET: 2,0,1460,5000\r\n{body}\r\nOK\r\n");
        pair.instead("AT+CIPRXGET=2,0", answer.repeat(2));
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (read, end) = pair.read_to_end(socket);
        assert_eq!(read.len(), 1_460);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
        assert!(pair.saw(|event| *event == Event::Fault(Fault::NotAskedFor)));
    }
}

#[test]
fn data_for_an_unused_channel_end_the_open_socket() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.inject(b"\r\n+RECEIVE,5,4:\r\nabcd");
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Damaged)));
}

#[test]
fn a_frame_that_contains_the_next_header_gives_none_of_its_bytes() {
    for chunk in [1, 2, 3, 50, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let (socket, other) = (pair.channel_open(), pair.channel_open());
        pair.inject(b"\r\n+RECEIVE,0,3:\r\nabc");
        // Thirty bytes of the second frame are lost, so that it ends with the frame of another peer.
        pair.deliver(
            b"\r\n+RECEIVE,0,60:\r\nthis is what has not been lost\r\n+RECEIVE,1,13:\r\nanother peers",
        );
        pair.run_for(Duration::from_secs(5));
        let (read, end) = pair.read_to_end(socket);
        assert_eq!(read, b"abc", "{chunk}");
        assert!(matches!(end, Error::Closed(CloseReason::Damaged | CloseReason::Truncated { .. })), "{end}");
        let (read, end) = pair.read_to_end(other);
        assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
    }
}

#[test]
fn lines_that_were_discarded_after_damage_are_asked_for() {
    let mut pair = Pair::online();
    let (socket, other) = (pair.channel_open(), pair.channel_open());
    pair.run_for(Duration::from_secs(5));
    let link = pair.modem.network().last_link().unwrap();
    // The header names the only damaged channel.
    pair.inject(b"\r\n+RECEIVE,0,3000:\r\nabcd");
    pair.modem.network_mut().close_by_peer(link);
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Damaged)));
    assert!(matches!(pair.read_to_end(other).1, Error::Closed(CloseReason::Peer)), "{}", pair.story());
}

#[test]
fn a_loss_across_two_frames_also_ends_the_socket_of_the_lost_header() {
    for chunk in [1, 7, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let (socket, other) = (pair.channel_open(), pair.channel_open());
        pair.run_for(Duration::from_secs(5));
        // The rest of the first frame, the header of the second one, which belongs to the other channel, and some of
        // its data are lost.
        pair.deliver(b"\r\n+RECEIVE,0,8:\r\nthis is of the other socket");
        assert!(
            matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Damaged)),
            "{}",
            pair.story()
        );
        assert!(matches!(pair.read_to_end(other).1, Error::Closed(CloseReason::Damaged)), "{}", pair.story());
    }
}

#[test]
fn the_beginning_of_a_header_before_payload_is_a_damaged_header() {
    for beginning in ["+RECE", "+RECEIV", "+RECEIVE"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.run_for(Duration::from_secs(5));
        pair.deliver(format!("\r\n{beginning}<P0000@00>\r\n0, CLOSED\r\n").as_bytes());
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{beginning}: {end}");
    }
}

#[test]
fn a_line_longer_than_any_line_of_a_module_is_payload_without_its_header() {
    let record = b"<P0001@00000000>".repeat(9);
    for beginning in ["+R", "+REC@00000000>", "1:", ""] {
        for chunk in [1, 7, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            pair.run_for(Duration::from_secs(5));
            // No frame was received before. The line end in front of the next frame ends the line.
            pair.deliver(format!("\r\n{beginning}").as_bytes());
            pair.deliver(&record);
            pair.deliver(b"\r\n+RECEIVE,0,4:\r\nabcd");
            let (_, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{beginning}: {end}");
        }
    }
}

/// A loss took the end of a named line, a header and the beginning of its payload.
#[test]
fn a_named_line_longer_than_any_unsolicited_line_is_payload_without_its_header() {
    let record = b"<P0001@00000000>".repeat(9);
    for (beginning, is_damage) in [
        ("+CLIP: \"+861380", true),
        ("+CREG: ", true),
        ("+XNEW: 1,", true),
        ("^MODE: ", true),
        // Text of people and brokers has any length.
        ("+CUSD: 0,\"", false),
        ("+MSUB: \"t\",144 byte,", false),
    ] {
        for chunk in [1, 7, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            pair.run_for(Duration::from_secs(5));
            pair.deliver(format!("\r\n{beginning}").as_bytes());
            pair.deliver(&record);
            pair.deliver(if beginning.ends_with('"') { b"\",15\r\n" } else { b"\r\n" });
            pair.run_for(Duration::from_secs(1));
            let has_fault = pair.saw(|event| matches!(event, Event::Fault(_)));
            assert_eq!(has_fault, is_damage, "{beginning} by {chunk}: {}", pair.story());
            if is_damage {
                let (_, end) = pair.read_to_end(socket);
                assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{beginning}: {end}");
            }
        }
    }
}

#[test]
fn a_line_that_begins_among_data_is_part_of_the_damage() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    // The length lacks a digit.
    pair.deliver(b"\r\n+RECEIVE,0,1:0\r\n\x01\x02<A0002@00");
    pair.run_for(Duration::from_secs(1));
    pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(5));
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Damaged)), "{}", pair.story());
}

#[test]
fn damaged_data_fail_a_connection_that_is_being_made_or_make_it_again() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.modem.network_mut().set_latency(Duration::from_millis(40));
    let connecting = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(60));
    pair.run_for(Duration::from_millis(60));
    pair.inject(b"\r\n+RECEIVE,0,1:\r\nxy\r\n");
    pair.run_for(Duration::from_millis(40));
    let link = pair.modem.network().last_link().unwrap();
    pair.modem.network_mut().push(link, b"greeting");
    let answer = pair.answer(connecting);
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Damaged)), "{}", pair.story());
    // The driver may also make the connection again, and then no byte is missing.
    if let Ok(Response::Connected(other)) = answer {
        assert_eq!(pair.wrote("AT+CIPSTART="), 3, "{}", pair.story());
        pair.send(other, b"hello").unwrap();
        assert_eq!(pair.read(other, 5).unwrap(), b"hello");
    }
}

/// Lines that modules print without a command: results and reports of calls, times, warnings, and messages of firmware.
const SAID: [&str; 17] = [
    "RING",
    "+CLIP: \"+861380000\",145",
    "NO CARRIER",
    "BUSY",
    "+CREG: 1,\"1A2B\",\"0A1B2C3D\",7",
    "*PSUTTZ: 2024,7,23,8,35,1,\"+32\",0",
    "DST: 0",
    "UNDER-VOLTAGE WARNNING",
    "NORMAL POWER DOWN",
    "^SIMST:1",
    "%CTZV: 1",
    "#QSS: 1",
    "$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76",
    "[I]-[main] heap 12345",
    "运行中",
    "0",
    "+CMT: \"+86138\",,\"24/07/23,08:35:01+32\"\r\nfirst\r\n\r\nRING",
];

#[test]
fn unsolicited_lines_among_data_are_no_damage() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        for (said, chunk) in SAID.into_iter().flat_map(|said| [(said, 1), (said, 5_000)]) {
            let settings = Settings::default();
            let mut pair =
                Pair::with(Config::default().receive_mode(mode), settings).ready().in_chunks_of(chunk);
            let sockets = [pair.channel_open(), pair.channel_open(), pair.channel_open()];
            let links: Vec<_> = pair.modem.network().links().map(|(link, _)| link).collect();
            for pause in [0, 1, 20, 500] {
                for link in &links {
                    pair.modem.network_mut().push(*link, b"one line\r\nRING\r\n");
                }
                pair.run_for(Duration::from_millis(pause));
                pair.control(Control::Urc(said.into()));
                let sending = pair.sending(sockets[0], b"and back");
                pair.control(Control::Urc(said.into()));
                pair.answer(sending).unwrap();
                pair.control(Control::Urc(said.into()));
                pair.command("AT+CSQ", Duration::from_secs(5)).unwrap();
            }
            pair.run_for(Duration::from_secs(5));
            let bad =
                |event: &Event| matches!(event, Event::Fault(_) | Event::Closed(..) | Event::Unresponsive);
            assert!(!pair.saw(bad), "{said:?}, {mode:?}, {}", pair.story());
            assert_eq!(pair.read(sockets[1], 64).unwrap(), b"one line\r\nRING\r\n".repeat(4));
        }
    }
}

#[test]
fn the_end_of_a_call_is_not_the_result_of_a_command() {
    let mut pair = Pair::online();
    pair.before("ATI", "\r\nNO CARRIER\r\n");
    assert_eq!(pair.command("ATI", Duration::from_secs(5)).unwrap().len(), 1);
    pair.before("AT+CSQ", "\r\nNO CARRIER\r\n");
    assert_eq!(pair.command("AT+CSQ", Duration::from_secs(5)).unwrap().len(), 1);
    pair.instead("AT+CBC", "\r\n+CBC: 0,50,3800\r\n\r\nNO CARRIER\r\n\r\nOK\r\n");
    assert_eq!(pair.command("AT+CBC", Duration::from_secs(5)).unwrap(), ["+CBC: 0,50,3800"]);
}

#[test]
fn the_line_after_a_text_shows_that_the_text_was_the_end_of_data() {
    for chunk in [1, 5_000] {
        for after in ["+RECEIVE,1,1:\r\nx", "+CREG: 1\r\n", "1, CLOSED\r\n", "> "] {
            for pause in [0, 500] {
                let mut pair = Pair::online().in_chunks_of(chunk);
                let socket = pair.channel_open();
                let other = pair.channel_open();
                // The first send shows the form of the prompt.
                pair.send(other, b"x").unwrap();
                if after == "> " {
                    pair.instead("AT+CIPSEND=1", "");
                    pair.sending(other, b"x");
                }
                // The peer sent 15 bytes; the length lost a digit.
                pair.deliver(b"\r\n+RECEIVE,0,7:\r\ntemp=21\r\nhum=40");
                pair.run_for(Duration::from_millis(pause));
                pair.deliver(b"\r\n");
                pair.deliver(after.as_bytes());
                let (_, end) = pair.read_to_end(socket);
                assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{after:?}: {end}");
            }
        }
    }
}

/// No late answer has a prompt, so the text is no line after a late prompt (line seed 3503070).
#[test]
fn text_after_a_bracket_is_damage_if_no_late_answer_has_a_prompt() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CSQ", "");
    pair.call(Request::query(&Signal)).unwrap_err();
    let rest = "<P0000@00001520>".repeat(80);
    pair.deliver(format!(">{rest}\r\n+RECEIVE,0,4:\r\nabcd").as_bytes());
    pair.run_for(Duration::from_secs(1));
    let (_, end) = pair.read_to_end(socket);
    assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
}

/// Old firmware writes no line end after `CONNECT OK`, so the next line has none before it. But this line end came long
/// before: a frame and the line end of `CLOSED` were lost.
#[test]
fn an_end_without_a_line_end_of_its_own_is_damage_long_after_a_connection_was_made() {
    for (pause, is_damage) in [(3_500, true), (0, false)] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.run_for(Duration::from_millis(pause));
        pair.deliver(b"0, CLOSED\r\n");
        pair.run_for(Duration::from_secs(1));
        let (data, end) = pair.read_to_end(socket);
        let is_reported = matches!(end, Error::Closed(CloseReason::Damaged));
        assert!(data.is_empty() && is_reported == is_damage, "after {pause} ms: {end}");
    }
}

/// A header lost its last bytes, and the payload after it contains lines like those of a module.
#[test]
fn lines_directly_after_the_rest_of_payload_are_not_believed() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        let other = pair.channel_open();
        pair.deliver(b"\r\n+RE0@00000000>\r\n0, CLOSED\r\n1, CLOSED\r\nmore");
        for socket in [socket, other] {
            let (data, end) = pair.read_to_end(socket);
            assert!(data.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{chunk}: {end}");
        }
        // With a line end of their own the same lines are believed.
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        pair.deliver(b"\r\n+XE0@00000000>\r\n\r\n0, CLOSED\r\n");
        pair.run_for(Duration::from_secs(1));
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{chunk}: {end}");
    }
}

/// A frame lost its header except the first byte.
#[test]
fn payload_without_its_header_is_not_the_answer_to_the_next_command() {
    for (begin, len) in [("\r", 100), ("\r", 20), ("", 100), ("\r\n", 100), ("\r", 400), ("\n", 20)] {
        for command in ["AT+NOSUCH", "ATI", "AT+CREG?", "AT+CSQ"] {
            let mut pair = Pair::online();
            let socket = pair.channel_open();
            pair.deliver(begin.as_bytes());
            pair.deliver(&b"<P0000@00000176>".repeat(len / 16));
            let _ = pair.command(command, Duration::from_secs(5));
            pair.run_for(Duration::from_secs(1));
            let (_, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{begin:?} {len} {command}: {end}");
        }
    }
}

/// The length was 10.
#[test]
fn a_length_of_zero_with_several_digits_is_damage() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        pair.deliver(b"\r\n+RECEIVE,0,00:\r\n<P0000@000");
        let (data, end) = pair.read_to_end(socket);
        assert!(data.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{chunk}: {end}");
    }
}

/// The length of a frame was changed, so that its payload looks like the beginning of a line.
#[test]
fn a_line_that_began_before_a_command_is_not_the_answer() {
    for pause in [0, 1, 20, 90] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.deliver(b"\r\n+RECEIVE,0,1:0\r\n<P0000@000");
        pair.run_for(Duration::from_millis(pause));
        let answer = pair.command("ATI", Duration::from_secs(5));
        assert!(!answer.is_ok_and(|lines| lines.iter().any(|line| line.contains("<P0"))), "{pause} ms");
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{pause} ms: {end}");
    }
}

#[test]
fn a_host_that_was_suspended_during_a_frame_reads_the_rest_before_it_reports_damage() {
    for (begun, rest) in [("\r\n+RECEIVE,0,6:\r\nabc", "def"), ("\r\n+RECEI", "VE,0,6:\r\nabcdef")] {
        for comes in [true, false] {
            let mut pair = Pair::online();
            let socket = pair.channel_open();
            pair.inject(begun.as_bytes());
            pair.run_for(Duration::from_secs(1));
            pair.now += Duration::from_secs(60);
            pair.engine.handle(pair.now, Input::Tick);
            assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{begun:?}");
            if comes {
                pair.inject(rest.as_bytes());
                assert_eq!(pair.read(socket, 6).unwrap(), b"abcdef");
            } else {
                pair.run_for(Duration::from_millis(500));
                assert!(pair.saw(|event| matches!(event, Event::Fault(_))), "{begun:?}");
            }
        }
    }
}

#[test]
fn an_error_inside_the_header_of_fetched_data_is_no_refusal() {
    for chunk in [1, 5_000] {
        let (pair, socket) = manual();
        let mut pair = pair.in_chunks_of(chunk);
        let body = "x".repeat(100);
        let answer = format!("\r\n+\r\nERROR\r\nCIPRXGET: 2,0,100,0\r\n{body}\r\n\r\nOK\r\n");
        pair.instead("AT+CIPRXGET=2,0", answer);
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (read, end) = pair.read_to_end(socket);
        assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
    }
}

#[test]
fn a_refusal_that_may_be_another_commands_does_not_lose_the_data_of_a_fetch() {
    for refusal in ["ERROR", "+CME ERROR: 3", "+CMS ERROR: 500"] {
        let (mut pair, socket) = manual();
        // The answer to `AT+CBC` is lost, or late.
        pair.instead("AT+CBC", "");
        pair.command("AT+CBC", Duration::from_secs(2)).unwrap_err();
        pair.instead("AT+CIPRXGET=2,0", format!("\r\n{refusal}\r\n"));
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::ReceiveUnconfirmed)), "{refusal}: {end}");
    }
}

/// Fetches data after a lost answer, with `after` after the data. Returns the bytes read, and the end of the socket.
fn fetch_after_a_lost_answer(after: &str) -> (Vec<u8>, Error) {
    let (mut pair, socket) = manual();
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,10,0\r\n0123456789\r\n\r\nOK\r\n");
    pair.run_for(Duration::from_secs(5));
    pair.instead("AT+CBC", "");
    pair.command("AT+CBC", Duration::from_secs(2)).unwrap_err();
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.instead("AT+CIPRXGET=2,0", format!("\r\n+CIPRXGET: 2,0,10,0\r\nabcdefghij{after}"));
    pair.run_for(Duration::from_secs(5));
    pair.instead("AT+CIPRXGET=2,0", "\r\nERROR\r\n");
    pair.read_to_end(socket)
}

#[test]
fn the_result_after_fetched_data_may_belong_to_a_late_answer() {
    // The first result belongs to the late answer.
    for after in
        ["\r\nOK\r\n\r\n\r\nOK\r\n", "\r\n\r\n+CBC: 0,90,4000\r\n\r\nOK\r\n\r\nOK\r\n", "\r\n\r\nOK\r\n"]
    {
        let (read, end) = fetch_after_a_lost_answer(after);
        assert_eq!(read, b"0123456789abcdefghij", "{after:?}: {end}");
    }
    // Here the data have lost bytes, and took the line end in front of their own result, or all of it, in their place.
    for after in ["\r\nOK\r\n", "\r\n\r\n+CBC: 0,90,4000\r\n\r\nOK\r\n"] {
        let (read, end) = fetch_after_a_lost_answer(after);
        let is_reported = matches!(end, Error::Closed(CloseReason::ReceiveUnconfirmed));
        assert!(is_reported && read == b"0123456789", "{after:?}: {end}, {}", read.escape_ascii());
    }
}

#[test]
fn a_header_with_a_leading_zero_is_damaged() {
    for header in ["+RECEIVE,01,0:", "+RECEIVE,00,1:", "+RECEIVE,0,010:", "+RECEIVE,0,00:"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.inject(format!("\r\n{header}\r\n0123456789").as_bytes());
        pair.run_for(Duration::from_secs(5));
        let (read, end) = pair.read_to_end(socket);
        assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{header}: {end}");
    }
}

/// The line began before the command was written, so it can't be the answer.
#[test]
fn a_line_that_began_before_a_command_was_written_is_not_its_answer() {
    for beginning in ["\r\n+", "\r\n+RECEI", "\r\n<P0000@000"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.run_for(Duration::from_secs(5));
        pair.deliver(beginning.as_bytes());
        pair.instead("AT+NOSUCH", "");
        assert!(pair.command("AT+NOSUCH", Duration::from_secs(20)).is_err());
        pair.run_for(Duration::from_secs(5));
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{beginning}: {end}");
    }
}

/// The body was cut, so it took the next frame's header, and what is left of that frame begins like a prompt.
#[test]
fn a_prompt_with_text_directly_after_it_was_payload() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let (socket, other) = (pair.channel_open(), pair.channel_open());
        pair.run_for(Duration::from_secs(5));
        pair.to_host = Box::new(|_, _| Vec::new());
        let ticket = pair.sending(other, &[b'x'; 300]);
        pair.run_for(Duration::from_millis(20));
        pair.deliver(b"\r\n+RECEIVE,0,35:\r\nhi\r\n+RECEIVE,1,48:\r\n<P0002@00000000");
        pair.deliver(b"><P0002@00000016><P0002@00000032>\r\n> ");
        pair.to_host = Box::new(|_, bytes| bytes);
        pair.run_for(Duration::from_secs(20));
        for socket in [socket, other] {
            let (_, end) = pair.read_to_end(socket);
            let is_reported =
                matches!(end, Error::Closed(CloseReason::Damaged | CloseReason::SendUnconfirmed));
            assert!(is_reported, "{chunk}: {end}");
        }
        assert!(pair.answered(ticket).unwrap().is_err());
    }
}

/// The payload is what may stand after a prompt, so only the header shows the damage.
#[test]
fn a_header_without_its_name_or_its_end_is_a_damaged_header() {
    for (header, before) in [
        ("+R", ""),
        ("+RE", "\r\n+RECEIVE,0,1:\r\nx"),
        ("+REC", ""),
        ("+RE1@00000000>", ""),
        ("+R.", ""),
        ("+REx", ""),
        (",0,1:", ""),
        ("0,1:", ""),
        (",1:", ""),
        ("1:", ""),
        ("10:", ""),
        (":", ""),
        ("+1:", ""),
        ("+1:", "\r\n+RECEIVE,0,1:\r\nx"),
        ("1:", "\r\n+RECEIVE,0,1:\r\nx"),
    ] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.run_for(Duration::from_secs(5));
        pair.inject(format!("{before}\r\n{header}\r\n ").as_bytes());
        pair.run_for(Duration::from_secs(5));
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{header}: {end}");
    }
}

#[test]
fn another_name_with_the_first_letters_of_a_header_is_no_damage() {
    for line in ["+", "+RING", "+RESET: 1"] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.run_for(Duration::from_secs(5));
        pair.inject(format!("\r\n{line}\r\n").as_bytes());
        pair.run_for(Duration::from_secs(5));
        assert_eq!(pair.send(socket, b"x").unwrap(), 1, "{line}");
        assert_eq!(pair.read(socket, 1).unwrap(), b"x", "{line}");
    }
}

#[test]
fn the_late_answer_to_a_fetch_of_an_ended_socket_is_no_damage() {
    let (mut pair, socket) = manual();
    pair.instead("AT+CIPRXGET=2,0", "");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    pair.call(Request::ResetBearer).unwrap();
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::BearerLost)));
    pair.inject(b"\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\n\r\nOK\r\n");
    pair.run_for(Duration::from_secs(5));
    assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
}

#[test]
fn unsolicited_lines_after_a_late_prompt_are_no_damage() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        pair.send(socket, b"x").unwrap();
        pair.run_for(Duration::from_secs(5));
        pair.inject(b"\r\n> \r\nDST: 0\r\n\r\nUNDER-VOLTAGE WARNNING\r\n");
        pair.inject(b"\r\n> \r\nUNDER-VOLTAGE WARNNING\r\n");
        pair.run_for(Duration::from_secs(5));
        assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
    }
}

#[test]
fn an_error_anywhere_inside_the_header_of_fetched_data_is_no_refusal() {
    let header = "\r\n+CIPRXGET: 2,0,100,0\r\n";
    let body = "<P0000@00000176>".repeat(7);
    for at in 3..header.len() - 2 {
        let (mut pair, socket) = manual();
        let (begin, rest) = header.split_at(at);
        let answer = format!("{begin}\r\nERROR\r\n{rest}{}\r\n\r\nOK\r\n", &body[..100]);
        pair.instead("AT+CIPRXGET=2,0", answer);
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (read, end) = pair.read_to_end(socket);
        assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{begin:?}: {end}");
    }
}

/// The line end of the header was changed, so that the body begins later.
#[test]
fn a_header_of_fetched_data_with_bytes_after_it_is_damaged() {
    let (mut pair, socket) = manual();
    pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,6,0\r\x0e\r\nabcd\r\n\r\nOK\r\n");
    pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
    let (read, end) = pair.read_to_end(socket);
    assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
}

/// The data look like a refusal.
#[test]
fn a_header_of_fetched_data_whose_first_number_was_damaged_is_damaged() {
    for header in [
        "+CIPRXGET: ,20,7,0",
        "+CIPRXGET: 3,0,7,0",
        "+CIPRXGET: 0,7,0",
        "+CIPRXGET: ,0,7,0",
        "+CIPRXGET:3,0,7,0",
    ] {
        let (mut pair, socket) = manual();
        pair.instead("AT+CIPRXGET=2,0", format!("\r\n{header}\r\n\r\nERROR\r\n\r\nOK\r\n"));
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (read, end) = pair.read_to_end(socket);
        assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{header}: {end}");
    }
}

/// The data lack two bytes, and took the line end after them in their place.
#[test]
fn fetched_data_without_the_line_end_after_them_are_damaged() {
    for chunk in [1, 5_000] {
        let (pair, socket) = manual();
        let mut pair = pair.in_chunks_of(chunk);
        pair.send(socket, b"0123").unwrap();
        assert_eq!(pair.read(socket, 4).unwrap(), b"0123");
        pair.instead("AT+CIPRXGET=2,0", "\r\n+CIPRXGET: 2,0,6,0\r\nabcd\r\n\r\nOK\r\n");
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (read, end) = pair.read_to_end(socket);
        assert!(read.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
    }
}

/// A byte of the data was doubled, so that their last byte comes after them, in front of the prompt.
#[test]
fn an_end_of_data_that_looks_like_the_first_prompt_is_damage() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        let frame = "\r\n+RECEIVE,0,8:\r\n<P00000>>";
        pair.before("AT+CIPSEND=0,4", frame);
        let _ = pair.sending(socket, b"0123");
        pair.run_for(Duration::from_secs(1));
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{chunk}: {end}");
    }
}

/// The data lack as many bytes as the prompt has, and took the prompt in their place.
#[test]
fn a_prompt_taken_as_data_is_missed_and_the_data_are_damaged() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        let link = pair.modem.network().last_link().unwrap();
        pair.before("AT+CIPSEND=0,4", "\r\n+RECEIVE,0,8:\r\n<P00");
        let ticket = pair.sending(socket, b"0123");
        let answer = pair.answer(ticket);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::Damaged))), "{chunk}: {answer:?}");
        pair.run_for(Duration::from_secs(20));
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{chunk}: {end}");
        assert_eq!(pair.modem.network().received(link), b"0123");
    }
}

/// The data lack as many bytes as the result has without its line end, and took the result in their place.
#[test]
fn a_result_taken_as_data_is_missed_and_the_data_are_damaged() {
    let frame = |len: usize| format!("\r\n+RECEIVE,0,21:\r\n0123\r\nDATA ACCEPT:0,{len}");
    for chunk in [1, 5_000] {
        for (len, is_damage) in [(4, true), (5, false)] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            let came = frame(len);
            pair.to_host = Box::new(move |_, bytes| {
                let text = String::from_utf8(bytes).unwrap();
                text.replace("\r\nDATA ACCEPT:0,4", &came).into_bytes()
            });
            let answer = pair.send(socket, b"0123");
            let is_reported = matches!(answer, Err(Error::Closed(CloseReason::Damaged)));
            assert_eq!(is_reported, is_damage, "{chunk}, {len}: {answer:?}");
        }
    }
    // A frame that came before the send can't contain its result.
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.deliver(frame(4).as_bytes());
    pair.to_host =
        Box::new(|_, bytes| if bytes.starts_with(b"\r\nDATA ACCEPT") { Vec::new() } else { bytes });
    let _ = pair.send(socket, b"0123");
    assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
}

/// Bytes from the blank of a prompt on were lost.
#[test]
fn a_prompt_without_its_blank_is_damage_unless_the_firmware_writes_none() {
    let send = |pair: &mut Pair, socket, prompt: &str| {
        pair.instead_times(1, "AT+CIPSEND=0,4", prompt);
        let ticket = pair.sending(socket, b"0123");
        pair.deliver(b"\r\nDATA ACCEPT:0,4\r\n");
        pair.run_for(Duration::from_secs(10));
        let _ = pair.answer(ticket);
    };
    for (prompts, is_damage) in [
        (&["\r\n> ", "\r\n> "][..], false),
        (&["\r\n>", "\r\n>"], false),
        (&["\r\n> ", "\r\n>"], true),
        (&["\r\n>", "\r\n> "], true),
    ] {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            for prompt in prompts {
                send(&mut pair, socket, prompt);
            }
            let saw = pair.saw(|event| matches!(event, Event::Fault(_)));
            assert_eq!(saw, is_damage, "{prompts:?} {chunk}: {}", pair.story());
        }
    }
}

/// The first frame lacks as many bytes as the header after it has, up to its line end. What is left of the second frame
/// looks like a prompt, but for its blank.
#[test]
fn an_unexpected_prompt_without_a_blank_is_damage_if_the_others_have_one() {
    let taken = "\r\n+RECEIVE,0,17:\r\nab\r\n+RECEIVE,1,1:\r\n>";
    // Here nothing but the blank shows it.
    let lost = "\r\n+RECEIVE,0,2:\r\nab\r\n>";
    let ways = [("\r\n> ", ""), ("\r\n> ", "\r\n+CREG: 0,1\r\n"), ("\r\n>", "")];
    for ((prompt, after), frames) in ways.into_iter().flat_map(|way| [(way, taken), (way, lost)]) {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let (socket, other) = (pair.channel_open(), pair.channel_open());
            pair.instead_times(1, "AT+CIPSEND=0,4", prompt);
            let ticket = pair.sending(socket, b"0123");
            pair.deliver(b"\r\nDATA ACCEPT:0,4\r\n");
            pair.run_for(Duration::from_secs(10));
            let _ = pair.answer(ticket);
            pair.deliver(format!("{frames}{after}").as_bytes());
            pair.run_for(Duration::from_secs(1));
            let is_seen = prompt.ends_with(' ') || frames == taken;
            for socket in [socket, other] {
                let (_, has_ended) = pair.engine.readable(socket);
                assert_eq!(has_ended, is_seen, "{prompt:?} {after:?} {chunk}: {}", pair.story());
            }
        }
    }
}

/// Without pushed data nothing but a prompt can look like one.
#[test]
fn an_unexpected_prompt_without_a_blank_is_no_damage_where_data_are_fetched() {
    let mut pair =
        Pair::with(Config::default().receive_mode(ReceiveMode::Manual), Settings::default()).ready();
    let socket = pair.channel_open();
    assert_eq!(pair.send(socket, b"0123").unwrap(), 4);
    pair.run_for(Duration::from_secs(5));
    pair.deliver(b"\r\n>");
    pair.run_for(Duration::from_secs(1));
    assert!(pair.saw(|event| *event == Event::Dropped(">".into())), "{}", pair.story());
    assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
}

/// The prompt may be the late answer to another command, and have a form of its own.
#[test]
fn a_late_prompt_without_a_blank_is_no_damage() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    assert_eq!(pair.send(socket, b"0123").unwrap(), 4);
    pair.to_host = Box::new(|_, _| Vec::new());
    assert!(pair.command("AT+CSQ", Duration::from_secs(1)).is_err());
    pair.deliver(b"\r\n>\r\n");
    pair.run_for(Duration::from_millis(1));
    assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
}

/// The header lost its middle, and its data are lost. The firmware also refuses the question that the driver asks after
/// such an answer.
#[test]
fn a_damaged_answer_to_a_fetch_is_no_refusal_even_if_the_question_after_it_is_refused() {
    for torn in ["+CIPRnrwffrcg", "+CIPRXGET: 2,0,1", "rwff"] {
        let (mut pair, socket) = manual();
        pair.instead("AT+CIPRXGET=2,0", format!("\r\n{torn}\r\n\r\nOK\r\n"));
        for question in ["AT+CIPQSEND?", "AT+CIPMODE?", "AT+CIPMUX?", "AT+IPR?"] {
            pair.instead_times(3, question, "\r\nERROR\r\n");
        }
        pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
        let (_, end) = pair.read_to_end(socket);
        let is_reported =
            matches!(end, Error::Closed(CloseReason::ReceiveUnconfirmed | CloseReason::Damaged));
        assert!(is_reported, "{torn}: {end}");
    }
}

/// Bytes were lost from the middle of the result to the middle of the payload after it.
#[test]
fn a_result_that_continues_as_payload_is_damage() {
    for torn in ["DATA ACCEPT:0,tjsindgihqru", "DATA", "0, SEND O"] {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            pair.deliver(b"\r\n+RECEIVE,0,4:\r\nabcd");
            pair.run_for(Duration::from_secs(5));
            pair.deliver(format!("\r\n{torn}\r\n\r\n+RECEIVE,0,4:\r\nefgh\r\n0, CLOSED\r\n").as_bytes());
            let (read, end) = pair.read_to_end(socket);
            assert!(read == b"abcd" && matches!(end, Error::Closed(CloseReason::Damaged)), "{torn}: {end}");
        }
    }
}

/// The module answers the questions with `OK` alone, so no answer proves where text begins.
#[test]
fn a_module_whose_answers_prove_nothing_after_damage_is_searched_for() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.deliver(b"\r\n+RECEIVE,0,4:\r\nab\r\n+RECEIVE,0:\r\n");
    pair.to_host = Box::new(|_, bytes| {
        let is_answer = bytes.starts_with(b"\r\n+CIP") || bytes.starts_with(b"\r\n+IPR");
        if is_answer { b"\r\nOK\r\n".to_vec() } else { bytes }
    });
    pair.events.clear();
    pair.run_for(Duration::from_secs(60));
    assert!(matches!(pair.read_to_end(socket).1, Error::Closed(CloseReason::Damaged)));
    assert!(pair.saw(|event| matches!(event, Event::NotReady(_))), "{}", pair.story());
    pair.to_host = Box::new(|_, bytes| bytes);
    let ticket = pair.ask(Request::WaitReady { timeout: Duration::from_secs(120) });
    assert!(matches!(pair.answer(ticket), Ok(Response::Ready)), "{}", pair.story());
    let socket = pair.channel_open();
    pair.send(socket, b"again").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"again");
}

/// The body lacks bytes, and took a header without its line end in their place. The only byte of that header's body is
/// a blank.
#[test]
fn a_line_of_blanks_among_data_is_damage() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        pair.deliver(b"\r\n+RECEIVE,0,19:\r\n0123\r\n+RECEIVE,0,1:\r\n \r\n+RECEIVE,0,4:\r\nabcd");
        let (read, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{chunk}: {end}");
        assert!(!read.ends_with(b"abcd"), "{}", read.escape_ascii());
    }
}

#[test]
fn the_first_fetch_is_damaged_if_later_fetches_end_with_more_line_ends() {
    for (first, second, expected) in [(1, 2, true), (1, 1, false), (2, 2, false)] {
        let (mut pair, socket) = manual();
        let fetch = |pair: &mut Pair, data: &str, ends: usize| {
            pair.inject(b"\r\n+CIPRXGET: 1,0\r\n");
            let ends = "\r\n".repeat(ends);
            pair.instead_times(
                1,
                "AT+CIPRXGET=2,0",
                format!("\r\n+CIPRXGET: 2,0,10,0\r\n{data}{ends}OK\r\n"),
            );
            pair.run_for(Duration::from_secs(5));
        };
        fetch(&mut pair, "0123456789", first);
        fetch(&mut pair, "abcdefghij", second);
        let is_reported = |event: &Event| matches!(event, Event::Fault(Fault::CutShortBefore { .. }));
        assert_eq!(pair.saw(is_reported), expected, "{first}, {second}: {}", pair.story());
        if expected {
            let (read, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
            assert_eq!(read, b"0123456789");
        }
    }
}

/// The data lack two bytes, and took the line end after them in their place: one line end is left in front of the next
/// line, not two.
#[test]
fn pushed_data_with_one_line_end_after_them_are_damaged_where_earlier_data_had_two() {
    for (sound, expected) in [("\r\n", true), ("", false)] {
        for after in ["\r\n+RECEIVE,1,2:\r\nyz", "\r\nOK\r\n"] {
            for chunk in [1, 5_000] {
                let mut pair = Pair::online().in_chunks_of(chunk);
                let socket = pair.channel_open();
                let other = pair.channel_open();
                for _ in 0..5 {
                    pair.deliver(format!("\r\n+RECEIVE,0,4:\r\nabcd{sound}{after}{sound}").as_bytes());
                    pair.run_for(Duration::from_secs(1));
                }
                pair.deliver(format!("\r\n+RECEIVE,0,6:\r\n0123\r\n{after}").as_bytes());
                pair.run_for(Duration::from_secs(5));
                let case = format!("{after:?} by {chunk}: {}", pair.story());
                assert_eq!(
                    pair.saw(|event| matches!(event, Event::Fault(Fault::NoLineEnd))),
                    expected,
                    "{case}"
                );
                if expected {
                    for socket in [socket, other] {
                        let (_, end) = pair.read_to_end(socket);
                        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}, {case}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_empty_frame_on_a_tcp_connection_is_damage() {
    for chunk in [1, 5_000] {
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        pair.deliver(b"\r\n+RECEIVE,0,0:\r\n<P0000@000");
        let (data, end) = pair.read_to_end(socket);
        assert!(data.is_empty() && matches!(end, Error::Closed(CloseReason::Damaged)), "{chunk}: {end}");
    }
}

/// The bytes between CR and LF were lost.
#[test]
fn a_line_end_other_than_cr_lf_is_damage_unless_the_firmware_writes_it() {
    for odd in ["\r\r\n+CREG: 1\r\n", "\n\r\n+CREG: 1\r\n", "\r\n+CREG: 1\n\r\n+CREG: 1\r\n", "\r"] {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            pair.deliver(odd.as_bytes());
            let (_, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{odd:?}: {end}");
        }
    }
    let mut pair = Pair::online();
    pair.inject(b"\r\r\n+CREG: 1\r\n");
    pair.channel_open();
    pair.inject(b"\r\r\n+CREG: 1\r\n");
    pair.run_for(Duration::from_secs(5));
    assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
}

/// A frame was lost except its first byte.
#[test]
fn an_odd_line_end_from_before_a_command_is_damage_with_any_answer() {
    for (stray, is_damage) in [("\r", true), ("", false)] {
        for command in ["AT+CSQ", "ATI", "AT+CMGR=1"] {
            let mut pair = Pair::online();
            let socket = pair.channel_open();
            pair.deliver(stray.as_bytes());
            pair.run_for(Duration::from_millis(20));
            let _ = pair.command(command, Duration::from_secs(5));
            pair.run_for(Duration::from_secs(5));
            assert_eq!(pair.saw(|event| matches!(event, Event::Fault(_))), is_damage, "{command}");
            if is_damage {
                let (_, end) = pair.read_to_end(socket);
                assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{command}: {end}");
            }
        }
    }
}

/// The command of the application waits for its answer, and any line without a name may be a row of it.
#[test]
fn a_header_that_lost_its_middle_is_damage() {
    let header = "+RECEIVE,1,48:";
    for from in 1..header.len() - 1 {
        for to in from + 1..header.len() {
            let torn = format!("{}{}", &header[..from], &header[to..]);
            for chunk in [1, 5_000] {
                let mut pair = Pair::online().in_chunks_of(chunk);
                pair.channel_open();
                let socket = pair.channel_open();
                pair.instead("AT+NOSUCH", format!("\r\n{torn}\r\n<P0001@00000000>\r\nERROR\r\n"));
                let _ = pair.command("AT+NOSUCH", Duration::from_secs(2));
                let seen = pair.saw(|event| matches!(event, Event::Fault(_)));
                assert!(seen, "{torn} by {chunk}");
                let (_, end) = pair.read_to_end(socket);
                assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{torn} by {chunk}: {end}");
            }
        }
    }
}

/// A loss from within the answer to a question into the header of a frame. Each line of such an answer has a name.
#[test]
fn a_loss_from_the_answer_to_a_question_into_a_header_is_damage() {
    let (answer, header) = ("\r\n+CREG: 0,1\r\n\r\nOK\r\n", "\r\n+RECEIVE,0,48:\r\n");
    let data = "<P0000@00000000><P0000@00000016><P0000@00000032>";
    for from in 1..answer.len() {
        for to in 1..=header.len() {
            let mut pair = Pair::online();
            let socket = pair.channel_open();
            pair.instead("AT+CREG?", format!("{}{}{data}", &answer[..from], &header[to..]));
            let command = Command::of_user("AT+CREG?", Duration::from_secs(2)).unwrap();
            let ticket = pair.ask(Request::Run(command));
            pair.run_for(Duration::from_millis(300));
            pair.deliver(b"\r\nUNDER-VOLTAGE WARNNING\r\n");
            drop(pair.answer(ticket));
            pair.run_for(Duration::from_secs(5));
            let (kept, left) = (&answer[..from], &header[to..]);
            match pair.read_some(socket, 48) {
                Ok(Some(read)) => assert_eq!(read, data.as_bytes(), "{kept:?} {left:?}"),
                Err(Error::Closed(CloseReason::Damaged)) => {}
                other => panic!("{kept:?} {left:?}: {other:?}, {}", pair.story()),
            }
        }
    }
}

/// Bytes of a frame are lost while a command waits. The start of the next frame completes the first one, and the rest
/// of its data come as lines.
#[test]
fn lines_of_a_damaged_frame_are_no_answer_of_a_command() {
    let binary: &[u8] = b"\x80\x01\x02\xff\r\n\x07..\r\n\x9f\x01";
    let texts: [&[u8]; 4] = [binary, b"27.0 text\r\n27.1 text\r\n27.2 te", b"word", b"\x00\x01"];
    let rows = ["+CSQ: 24,99", "+ICCID: 8986", "+ICCID: 8986", "8986"];
    for (command, row) in ["AT+CSQ", "AT+ICCID", "AT+ICCID?", "AT+ICCID"].into_iter().zip(rows) {
        // Nothing distinguishes lines of text from an answer without names.
        let texts = if row == "8986" { &texts[..1] } else { &texts[..] };
        for text in texts {
            for chunk in [1, 7, 5_000] {
                let mut pair = Pair::online().in_chunks_of(chunk);
                pair.channel_open();
                let socket = pair.channel_open();
                // The first frame has lost as many bytes as the header of the second one has.
                let header = "\r\n+RECEIVE,1,015:";
                let begun = format!("\r\n+RECEIVE,0,60:\r\n{}{header}\r\n", "x".repeat(60 - header.len()));
                let frame = [begun.as_bytes(), text].concat();
                let answer = [&frame, format!("\r\n{row}\r\n\r\nOK\r\n").as_bytes()].concat();
                pair.instead(command, answer);
                let answered = pair.command(command, Duration::from_secs(5));
                pair.run_for(Duration::from_secs(5));
                let why = format!("{command}, {}, {chunk}: {answered:?}", text.escape_ascii());
                assert!(answered.is_err(), "{why}");
                let (_, end) = pair.read_to_end(socket);
                assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{why}, {end}");
            }
        }
    }
}

/// Firmware answers some questions without a name, in one line or several.
#[test]
fn nameless_answers_are_no_damage() {
    let answers = ["89860000000000000001", "Air724UG\r\nV4032", "Air724UG\r\n\r\nV4032", "AIR\tLTE"];
    for (command, answers) in
        [("AT+ICCID?", &answers[..1]), ("AT+ICCID", &answers[..1]), ("AT+CGMR", &answers), ("ATI", &answers)]
    {
        for answer in answers {
            for chunk in [1, 7, 5_000] {
                let mut pair = Pair::online().in_chunks_of(chunk);
                let socket = pair.channel_open();
                pair.instead(command, format!("\r\n{answer}\r\n\r\nOK\r\n"));
                pair.command(command, Duration::from_secs(5)).unwrap();
                pair.run_for(Duration::from_secs(5));
                assert_eq!(pair.send(socket, b"0123").unwrap(), 4, "{command}, {answer}, {chunk}");
            }
        }
    }
}

/// A modem with an open socket, whose last result lacks its LF, and a command after it that has a minute for its
/// answer.
fn without_last_lf() -> (Pair, SocketId, Ticket) {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CSQ", "\r\n+CSQ: 24,99\r\n\r\nOK\r");
    pair.instead("ATI", "");
    pair.command("AT+CSQ", Duration::from_secs(2)).unwrap();
    let ticket = pair.ask(Request::Run(Command::of_user("ATI", Duration::from_secs(60)).unwrap()));
    pair.run_for(Duration::from_secs(1));
    (pair, socket, ticket)
}

/// A loss from the LF of a result up to a frame. The command after that result has no answer yet.
#[test]
fn a_result_whose_lf_never_comes_is_damage_while_a_command_waits() {
    for (rest, is_damage) in [("\r\n", true), ("\n\r\n", false)] {
        let (mut pair, socket, ticket) = without_last_lf();
        pair.deliver(format!("{rest}+RECEIVE,0,4:\r\nabcd").as_bytes());
        pair.run_for(Duration::from_secs(1));
        let end = pair.read_some(socket, 4);
        match is_damage {
            true => assert!(matches!(end, Err(Error::Closed(CloseReason::Damaged))), "{end:?}"),
            false => assert_eq!(end.unwrap().unwrap(), b"abcd"),
        }
        drop(pair.answer(ticket));
    }
}

#[test]
fn a_line_of_a_questions_answer_without_its_line_end_is_damage() {
    for (command, said, is_damage) in [
        ("AT+CREG?", "\r\nabc", true),
        ("AT+CREG?", "\r\n+CREG: 0,1\r", true),
        ("AT+CREG?", "\r\n+CREG: 0,1\n\r\nOK\r\n", true),
        ("AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n", false),
        // The lines of other commands may begin and end in any way.
        ("ATI", "\r\nAir", false),
        ("ATI", "\r\nAir\n724\r\n\r\nOK\r\n", false),
    ] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.instead(command, said);
        let ticket = pair.ask(Request::Run(Command::of_user(command, Duration::from_secs(60)).unwrap()));
        pair.run_for(Duration::from_secs(10));
        let end = pair.read_some(socket, 4);
        match is_damage {
            true => assert!(matches!(end, Err(Error::Closed(CloseReason::Damaged))), "{said:?}: {end:?}"),
            false => assert_eq!(end.unwrap(), None, "{said:?}"),
        }
        drop(pair.answer(ticket));
    }
}

/// The answer to a later question, whose lines have its name, is none either.
#[test]
fn an_answer_of_two_lines_without_a_name_is_no_damage() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    for (command, said) in [
        ("AT+CGMR", "\r\nAir724UG\r\nV401881\r\n\r\nOK\r\n"),
        ("AT+CSQ", "\r\n+CSQ: 24,99\r\n\r\nOK\r\n"),
        ("AT+CSQ;+CGMR", "\r\n+CSQ: 24,99\r\nAir724UG\r\nV401881\r\n\r\nOK\r\n"),
        ("AT+CSQ", "\r\n+CSQ: 24,99\r\nCall Ready\r\nSMS Ready\r\n\r\nOK\r\n"),
    ] {
        pair.instead(command, said);
        pair.command(command, Duration::from_secs(2)).unwrap();
        assert_eq!(pair.read_some(socket, 4).unwrap(), None, "{command}");
    }
}

/// Regression: these answers were refused, and every socket ended. Only of some questions it is known that each line
/// of the answer has their name.
#[test]
fn lines_of_any_form_after_one_with_a_name_are_no_damage() {
    let head = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n";
    for (command, lines) in [
        ("AT+HTTPHEAD", format!("+HTTPHEAD: 60\r\n{head}")),
        ("AT+HTTPEXGET", "+HTTPEXGET: 24\r\nline one\r\nline two\r\n".to_owned()),
        ("AT+HTTPPARA?", "+HTTPPARA:\r\nCID: 1\r\nURL: a.test\r\n".to_owned()),
        ("AT+CLAC", "+CLAC:\r\nAT+CSQ\r\nAT+CREG\r\n".to_owned()),
        ("AT+FSLS", "+FSLS:\r\na.txt\r\nb.txt\r\n".to_owned()),
        ("AT+CALM?", "+CALM: 1\n".to_owned()),
        ("AT+EXAMPLE?", "+EXAMPLE: 1\r\n\u{1b}[1mbold\r\n".to_owned()),
    ] {
        for chunk in [1, 7, 1_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            let name = command.trim_end_matches('?');
            pair.instead(name, format!("\r\n{lines}\r\nOK\r\n"));
            let answer = pair.command(command, Duration::from_secs(2));
            assert!(answer.is_ok(), "{command}: {answer:?}");
            pair.run_for(Duration::from_secs(5));
            assert!(pair.engine.is_open(socket), "{command}: {}", pair.story());
        }
    }
}

#[test]
fn a_result_whose_lf_never_comes_is_damage_before_the_command_behind_it_ends() {
    for (rest, is_damage) in [("", true), ("\n", false)] {
        let (mut pair, socket, ticket) = without_last_lf();
        pair.deliver(rest.as_bytes());
        pair.run_for(Duration::from_secs(10));
        let end = pair.read_some(socket, 4);
        match is_damage {
            true => assert!(matches!(end, Err(Error::Closed(CloseReason::Damaged))), "{end:?}"),
            false => assert_eq!(end.unwrap(), None),
        }
        drop(pair.answer(ticket));
    }
}

#[test]
fn odd_line_ends_in_an_answer_to_the_application_or_in_text_of_people_are_no_damage() {
    let texts: [(&str, &[u8]); 4] = [
        ("ATI", b"\r\nAir\n724UG\r\n\r\nOK\r\n"),
        ("AT+CMGR=1", b"\r\n+CMGR: \"REC READ\",\"1\",,\"\"\r\none\ntwo\r\n\r\nOK\r\n"),
        ("", b"\r\n+CMT: \"1\",,\"\"\r\none\ntwo\r\n"),
        ("", b"\r\n+CUSD: 0,\"one\ntwo\",15\r\n"),
    ];
    for (command, said) in texts {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            if command.is_empty() {
                pair.deliver(said);
            } else {
                pair.instead(command, said);
                pair.command(command, Duration::from_secs(2)).unwrap();
            }
            pair.run_for(Duration::from_secs(5));
            assert!(
                !pair.saw(|event| matches!(event, Event::Fault(_))),
                "{}: {}",
                said.escape_ascii(),
                pair.story()
            );
            assert_eq!(pair.send(socket, b"0123").unwrap(), 4);
        }
    }
}

/// A loss from the answer on, with frames in it, up to the line end in front of the answer to the question after it.
#[test]
fn an_answer_without_its_line_end_is_damage() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CSQ", "\r\n+CSQ: 24,0");
    pair.command("AT+CSQ", Duration::from_secs(2)).unwrap_err();
    let (_, end) = pair.read_to_end(socket);
    assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
}

/// Payload without its header; the end of an answer was lost with the header.
#[test]
fn closed_without_a_line_end_in_front_is_not_believed() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("ATI", "\r\nAir724UG\r\n\r\nO\n<P0000@00000000>\r\n0, CLOSED\r\n");
    let _ = pair.command("ATI", Duration::from_secs(2));
    let (_, end) = pair.read_to_end(socket);
    assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{end}");
}

#[test]
fn a_header_without_a_line_end_that_earlier_headers_had_is_damaged() {
    for torn in
        ["\r\n+CREG: 1\r\n+RECEIVE,0,4:\r\nefgh\r\n+CREG: 1\r\n", "\r\n+RECEIVE,0,4:efgh\r\n+CREG: 1\r\n"]
    {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            pair.deliver(b"\r\n+RECEIVE,0,4:\r\nabcd\r\n+CREG: 1\r\n");
            pair.deliver(torn.as_bytes());
            let (read, end) = pair.read_to_end(socket);
            assert_eq!(read, b"abcd", "{torn:?}");
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{torn:?}: {end}");
        }
    }
}

/// The headers of this firmware have no line end, so a line end after the header belongs to the payload.
#[test]
fn a_line_end_after_a_header_is_payload_where_headers_have_none() {
    for after in ["", "\r\n"] {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            for payload in ["abcd", "\r\nef", "gh\r\n"] {
                pair.deliver(format!("\r\n+RECEIVE,0,4:{payload}{after}").as_bytes());
            }
            pair.deliver(b"\r\n0, CLOSED\r\n");
            let (read, end) = pair.read_to_end(socket);
            assert_eq!(read.escape_ascii().to_string(), r"abcd\r\nefgh\r\n", "{after:?}: {end}");
            assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{after:?}: {end}");
        }
    }
}

/// A loss after the last data, with whole frames in it.
#[test]
fn a_line_that_stays_without_a_line_end_is_damaged() {
    for torn in ["\r\nOK", "\r\nOK\r", "\r\n+CREG: 1", "\r\n1, CLOSED", "\r\n+CMT: ,23\r\n0791448720"] {
        for chunk in [1, 5_000] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            pair.deliver(torn.as_bytes());
            let (_, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{torn:?}: {end}");
        }
    }
}

/// Old firmware omits the line end there.
#[test]
fn connect_ok_without_its_line_end_is_no_damage() {
    let mut pair = Pair::online();
    pair.instead("AT+CIPSTART=1", "\r\nOK\r\n\r\n1, CONNECT OK");
    let socket = pair.channel_open();
    pair.channel_open();
    pair.run_for(Duration::from_secs(5));
    assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
    assert_eq!(pair.send(socket, b"0123").unwrap(), 4);
}

#[test]
fn a_line_end_that_comes_late_is_no_damage() {
    for (line, end) in [(&b"\r\nRING"[..], &b"\r\n"[..]), (b"\r\nRING\r", b"\n")] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.deliver(line);
        pair.run_for(Duration::from_millis(1_900));
        pair.deliver(end);
        pair.run_for(Duration::from_secs(5));
        assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
        assert_eq!(pair.send(socket, b"0123").unwrap(), 4);
    }
}

/// The line end behind `CONNECT OK` may be that of the header, because old firmware omits the one of `CONNECT OK`.
#[test]
fn a_header_directly_after_connect_ok_is_no_damage() {
    let mut pair = Pair::online();
    let first = pair.channel_open();
    pair.deliver(b"\r\n+RECEIVE,0,4:\r\nabcd\r\n+CREG: 1\r\n");
    pair.instead("AT+CIPSTART=1", "\r\nOK\r\n\r\n1, CONNECT OK\r\n+RECEIVE,1,4:\r\nefgh\r\n+CREG: 1\r\n");
    let second = pair.channel_open();
    assert_eq!(pair.read(first, 4).unwrap(), b"abcd");
    assert_eq!(pair.read(second, 4).unwrap(), b"efgh");
    assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
}

/// A module whose echo stays on may write a line directly after the end of an echo.
#[test]
fn an_end_after_an_echo_is_believed_where_echo_stays_on() {
    for between in ["\r\n", "\r\r\n"] {
        let mut pair = Pair::new();
        pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
        let mut pair = pair.ready();
        let socket = pair.channel_open();
        pair.run_for(Duration::from_secs(5));
        pair.instead("AT+CSQ", format!("AT+CSQ{between}0, CLOSED\r\n\r\n+CSQ: 24,99\r\n\r\nOK\r\n"));
        assert_eq!(pair.command("AT+CSQ", Duration::from_secs(5)).unwrap(), ["+CSQ: 24,99"]);
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{between:?}: {end}");
        assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{}", pair.story());
    }
}

/// The echo of a command ends with CR and the line end of the line after it.
#[test]
fn unknown_words_and_data_after_an_echo_are_no_damage_where_echo_stays_on() {
    for line in ["$GPGGA,092750.000,5321.6802,N", "+RECEIVE,0,4:\r\nabcd"] {
        for end in ["\r\n", ""] {
            let mut pair = Pair::new();
            pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
            let mut pair = pair.ready();
            let socket = pair.channel_open();
            pair.deliver(b"\r\n+RECEIVE,0,4:\r\nabcd");
            pair.run_for(Duration::from_secs(5));
            pair.instead_times(1, "AT+CIPSEND=0,4", format!("AT+CIPSEND=0,4\r\r\n{line}{end}"));
            let _ = pair.sending(socket, b"0123");
            pair.run_for(Duration::from_secs(1));
            assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{line} {end:?} {}", pair.story());
            assert!(!pair.engine.readable(socket).1);
        }
    }
}

/// The result of a send is lost. Its payload is written again to end it, and comes back right after data of the peer:
/// as payload, or as a command that the module does not know.
#[test]
fn an_echoed_filler_after_data_is_no_damage_where_echo_stays_on() {
    let payload = "p".repeat(40);
    let frame = "\r\n+RECEIVE,0,4:\r\nabcd";
    for (chunk, answer) in
        [1, 7, 5_000].into_iter().flat_map(|chunk| [(chunk, "\r\n"), (chunk, "\r\r\nERROR\r\n")])
    {
        let mut pair = Pair::new().in_chunks_of(chunk);
        pair.instead("ATE0", "ATE0\r\r\nOK\r\n");
        let mut pair = pair.ready();
        let socket = pair.channel_open();
        let filler = format!("{payload}\r\nAT+CIP");
        let answered = format!("{payload}{answer}AT+CIP");
        pair.to_host = Box::new(move |_, bytes| {
            let text = String::from_utf8(bytes).unwrap().replace(&filler, &answered);
            // The first question is not answered either, so the payload is written once more.
            let text = text.replace("\r\n+CIPQSEND: 1\r\n\r\nOK\r\n", frame);
            text.replace("\r\nDATA ACCEPT:0,40\r\n", frame).into_bytes()
        });
        let before = pair.written.len();
        let _ = pair.sending(socket, payload.as_bytes());
        pair.run_for(Duration::from_secs(60));
        let written = pair.written.get(before..).unwrap();
        let count = written.windows(payload.len()).filter(|bytes| *bytes == payload.as_bytes()).count();
        assert!(count > 2, "{chunk}: no filler in {}", pair.story());
        assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{chunk} {answer:?}: {}", pair.story());
        assert_eq!(pair.read(socket, 4).unwrap(), b"abcd", "{chunk}");
    }
}

/// A result code is lost from its middle on, with the frame behind it. The command waits for lines in any form.
#[test]
fn a_torn_result_code_is_damage() {
    let results = ["\r\nERR", "\r\nO", "\r\n+CME ERR", "\r\nERR\r\n", "\r\nnews\r\nERRO\r\n"];
    // The same is true of any line that has no end when the command times out.
    for torn in results.into_iter().chain(["\r\nOKAY", "\r\nnews"]) {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.instead("AT+NOSUCH", torn);
        assert!(pair.command("AT+NOSUCH", Duration::from_secs(20)).is_err());
        pair.run_for(Duration::from_secs(1));
        let (_, end) = pair.read_to_end(socket);
        assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{torn:?}: {end}");
    }
    for whole in ["\r\nO\r\nERR\r\n\r\nOK\r\n", "\r\nOKAY\r\n", "\r\nnews\r\n", ""] {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        pair.instead("AT+NOSUCH", whole);
        let _ = pair.command("AT+NOSUCH", Duration::from_secs(20));
        pair.run_for(Duration::from_secs(1));
        assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{whole:?}: {}", pair.story());
        assert!(pair.engine.is_open(socket), "{whole:?}");
    }
}

/// Data lack as many bytes as the header of the next frame has. Of its payload only what is no line is left.
#[test]
fn a_header_at_the_end_of_data_is_damage_if_nothing_follows_it() {
    let data = "a".repeat(25);
    let header = "\r\n+RECEIVE,0,1:";
    for chunk in [1, 5_000] {
        for left in [">", ">\r\n+CREG: 1\r\n", " ", "\t", "\0", "\r", "\n", "x", ""] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let (socket, _) = (pair.channel_open(), pair.channel_open());
            pair.run_for(Duration::from_secs(5));
            pair.deliver(format!("\r\n+RECEIVE,0,40:\r\n{data}{header}\r\n{left}").as_bytes());
            pair.run_for(Duration::from_secs(5));
            let (_, end) = pair.read_to_end(socket);
            assert!(matches!(end, Error::Closed(CloseReason::Damaged)), "{left:?} by {chunk}: {end}");
        }
        for right in ["", "\r\n+RECEIVE,0,4:\r\nbcde", "\r\n+CREG: 1\r\n"] {
            let mut pair = Pair::online().in_chunks_of(chunk);
            let socket = pair.channel_open();
            pair.deliver(format!("\r\n+RECEIVE,0,40:\r\n{data}{header}{right}").as_bytes());
            pair.run_for(Duration::from_secs(5));
            assert_eq!(pair.read(socket, 40).unwrap(), format!("{data}{header}").as_bytes(), "{right:?}");
            assert!(!pair.saw(|event| matches!(event, Event::Fault(_))), "{right:?}");
        }
        // This is no header at the end.
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        pair.deliver(format!("\r\n+RECEIVE,0,42:\r\n{data}{header}ab\r\n").as_bytes());
        pair.run_for(Duration::from_secs(5));
        assert_eq!(pair.read(socket, 42).unwrap().len(), 42);
        // The prompt of a send.
        let mut pair = Pair::online().in_chunks_of(chunk);
        let socket = pair.channel_open();
        pair.before("AT+CIPSEND=0,4", format!("\r\n+RECEIVE,0,40:\r\n{data}{header}"));
        assert_eq!(pair.send(socket, b"0123").unwrap(), 4);
        assert_eq!(pair.read(socket, 40).unwrap().len(), 40);
    }
}
