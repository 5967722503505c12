//! Late answers are never taken for the answer to another command.
//!
//! The line loses the answer to a command, so that the command times out. The lost answer is put back at one place
//! among the following commands, more than a hundred of all kinds. The tests try every place. Each command has to get
//! its own answer, or an error that says that its outcome is unknown. After the place, everything has to work as
//! before.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Command, Domain, Protocol, Quotable, Refusal, RegistrationStatus};
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Request, Response, SocketId};
use air724ug::query::{DomainRegistration, Query, Reply, Signal};
use air724ug::sim::Settings;
use air724ug::{Config, Error, ReceiveMode};

/// Bytes that are lost on the line and come back later.
#[derive(Clone)]
struct Late {
    /// The first bytes of the command whose answer is lost.
    victim: &'static str,
    /// The writes between that command and the loss (1: the prompt comes, and the result is lost).
    spared: usize,
    /// The number of writes whose answers are lost.
    lost: usize,
    /// The bytes that come later.
    bytes: Vec<u8>,
}

/// The place where the bytes come.
#[derive(Clone, Copy)]
enum Place {
    Frame(usize),
    Byte(usize),
    Nowhere,
}

/// The line between modem and host.
struct Line {
    late: Late,
    place: Place,
    stage: Stage,
    seen: usize,
    injected: bool,
}

enum Stage {
    Armed,
    Sparing(usize),
    Losing(usize),
    Over,
}

impl Line {
    fn host_writes(&mut self, bytes: &[u8]) {
        let begin = |spared: usize, lost: usize| match spared {
            0 => Stage::Losing(lost),
            spared => Stage::Sparing(spared),
        };
        self.stage = match self.stage {
            Stage::Armed if bytes.starts_with(self.late.victim.as_bytes()) => {
                begin(self.late.spared, self.late.lost)
            }
            Stage::Armed => Stage::Armed,
            Stage::Sparing(more) => begin(more - 1, self.late.lost),
            Stage::Losing(1) => Stage::Over,
            Stage::Losing(more) => Stage::Losing(more - 1),
            Stage::Over => Stage::Over,
        };
    }

    fn modem_writes(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        match self.stage {
            Stage::Armed | Stage::Sparing(_) => bytes,
            Stage::Losing(_) => Vec::new(),
            Stage::Over => self.inject(bytes),
        }
    }

    fn inject(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let (places, wanted) = match self.place {
            Place::Nowhere => return bytes,
            Place::Frame(wanted) => (frames(&bytes), wanted),
            Place::Byte(wanted) => ((0..bytes.len()).collect(), wanted),
        };
        let place = wanted.checked_sub(self.seen).and_then(|index| places.get(index).copied());
        self.seen += places.len();
        match place {
            Some(at) => {
                self.injected = true;
                [&bytes[..at], &self.late.bytes, &bytes[at..]].concat()
            }
            None => bytes,
        }
    }
}

/// The places where frames begin. Payload contains no place.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        places.push(at);
        at += match bytes[at..].strip_prefix(b"\r\n") {
            Some(rest) if rest.starts_with(b"> ") => 4,
            Some(rest) => 2 + line(rest),
            None => line(&bytes[at..]),
        };
    }
    places
}

/// The length of a line, with its line end and the payload that it announces.
fn line(bytes: &[u8]) -> usize {
    let end = bytes.windows(2).position(|two| two == b"\r\n").map_or(bytes.len(), |at| at + 2);
    let text = std::str::from_utf8(&bytes[..end]).unwrap_or_default().trim_end();
    let payload = match text.strip_prefix("+RECEIVE,") {
        Some(list) => list.trim_end_matches(':').split(',').nth(1),
        None => text.strip_prefix("+CIPRXGET: 2,").and_then(|list| list.split(',').nth(1)),
    };
    end + payload.and_then(|len| len.parse::<usize>().ok()).unwrap_or(0)
}

#[test]
fn frames_are_found_and_payload_is_left_whole() {
    let bytes = b"\r\nOK\r\n\r\n> \r\n+RECEIVE,0,6:\r\n\r\nOK\r\n\r\nOK\r\n";
    assert_eq!(frames(bytes), [0, 6, 10, 33]);
}

/// A modem with seven sockets that stay open, and one channel for sockets that are opened and closed.
struct Stand {
    pair: Pair,
    line: Rc<RefCell<Line>>,
    staying: Vec<SocketId>,
    turn: u8,
    judged: Judged,
}

/// The number of outcomes of each kind.
#[derive(Default, Debug)]
struct Judged {
    right: usize,
    /// The number of errors that say that the outcome is unknown.
    open: usize,
    in_doubt: Vec<String>,
    wrong: Vec<String>,
}

impl Stand {
    fn new(mode: ReceiveMode, late: Late, place: Place) -> Self {
        let config = Config::default().receive_mode(mode);
        let mut pair = Pair::with(config, Settings::default()).ready();
        let going = pair.channel_open();
        let staying = (0..7).map(|_| pair.channel_open()).collect();
        pair.close(going).unwrap();
        let line = Line { late, place, stage: Stage::Armed, seen: 0, injected: false };
        let line = Rc::new(RefCell::new(line));
        let (host, modem) = (Rc::clone(&line), Rc::clone(&line));
        pair.to_modem = Box::new(move |_, bytes| {
            host.borrow_mut().host_writes(&bytes);
            bytes
        });
        pair.to_host = Box::new(move |_, bytes| modem.borrow_mut().modem_writes(bytes));
        Self { pair, line, staying, turn: 0, judged: Judged::default() }
    }

    fn judge(&mut self, what: &str, verdict: Verdict) {
        match verdict {
            Verdict::Right => self.judged.right += 1,
            Verdict::Open => {
                self.judged.open += 1;
                self.judged.in_doubt.push(what.to_owned());
            }
            Verdict::Wrong(got) => self.judged.wrong.push(format!("{what}: {got}")),
        }
    }

    fn command(&mut self, text: &str, wanted: &[&str]) {
        let verdict = match self.pair.command(text, Duration::from_secs(5)) {
            Ok(lines) if lines == wanted => Verdict::Right,
            Err(Error::Refused { code: Refusal::Error, .. }) if wanted == ["ERROR"] => Verdict::Right,
            Err(error) => open_or_wrong(&error),
            Ok(lines) => Verdict::Wrong(format!("{lines:?}")),
        };
        self.judge(text, verdict);
    }

    fn question(&mut self, what: &str, request: Request, is_right: impl Fn(&Reply) -> bool) {
        let verdict = match self.pair.call(request) {
            Ok(Response::Reply(reply)) if is_right(&reply) => Verdict::Right,
            Ok(response) => Verdict::Wrong(format!("{response:?}")),
            Err(error) => open_or_wrong(&error),
        };
        self.judge(what, verdict);
    }

    /// Sends on one of the seven sockets, and reads the echo.
    fn send(&mut self) {
        self.turn = self.turn.wrapping_add(1);
        let index = usize::from(self.turn) % self.staying.len();
        self.send_on(index);
    }

    fn send_on(&mut self, index: usize) {
        let socket = self.staying[index];
        match self.echo(socket) {
            Verdict::Right => self.judged.right += 1,
            other => {
                self.judge("send", other);
                let _ = self.pair.close(socket);
                if let Some(socket) = self.connect() {
                    self.staying[index] = socket;
                }
            }
        }
    }

    fn echo(&mut self, socket: SocketId) -> Verdict {
        let data = format!("{:>10}", self.turn);
        match self.pair.send(socket, data.as_bytes()) {
            Ok(10) => {}
            Ok(other) => return Verdict::Wrong(format!("{other} bytes sent")),
            Err(error) => return open_or_wrong(&error),
        }
        match self.pair.read(socket, 10) {
            Ok(bytes) if bytes == data.as_bytes() => Verdict::Right,
            Ok(bytes) => Verdict::Wrong(format!("read {:?}", String::from_utf8_lossy(&bytes))),
            Err(error) => open_or_wrong(&error),
        }
    }

    fn connect(&mut self) -> Option<SocketId> {
        match self.pair.connect(ECHO.0, ECHO.1) {
            Ok(socket) => {
                self.judged.right += 1;
                Some(socket)
            }
            Err(error) => {
                self.judge("connect", open_or_wrong(&error));
                None
            }
        }
    }

    /// Opens a socket on the free channel, sends, reads, and closes it.
    fn visit(&mut self) {
        let Some(socket) = self.connect() else { return };
        let verdict = self.echo(socket);
        self.judge("visit", verdict);
        let verdict = match self.pair.close(socket) {
            Ok(Response::Closed) => Verdict::Right,
            Ok(other) => Verdict::Wrong(format!("{other:?}")),
            Err(error) => open_or_wrong(&error),
        };
        self.judge("close", verdict);
    }

    /// Runs about twenty commands of all kinds.
    fn twenty(&mut self) {
        let home =
            |reply: &Reply| DomainRegistration(Domain::Lte).read(reply) == Some(RegistrationStatus::Home);
        self.command("AT+CSQ", &["+CSQ: 24,99"]);
        self.send();
        self.command("AT+CREG?", &["+CREG: 0,1"]);
        self.command("AT+CGATT=1", &[]);
        self.visit();
        self.question("LTE", Request::query(&DomainRegistration(Domain::Lte)), home);
        self.command("ATI", &["AirM2M_720U_V401881_LTE_AT"]);
        self.command("AT+NOSUCH", &["ERROR"]);
        self.send();
        let signal = |reply: &Reply| Signal.read(reply).is_some_and(|quality| quality.rssi() == Some(24));
        self.question("signal", Request::query(&Signal), signal);
        self.command("AT+CIFSR", &["10.83.172.111"]);
        self.command("AT+CGATT?", &["+CGATT: 1"]);
        self.command("AT+CREG=0", &[]);
        self.send();
        self.visit();
        self.command("AT+CGMM", &["+CGMM: \"Air724UG\""]);
        self.command("AT+CSQ", &["+CSQ: 24,99"]);
    }

    /// Loses the answer to one command, then runs about a hundred commands.
    fn run(mut self, victim: impl FnOnce(&mut Self)) -> (Judged, bool) {
        victim(&mut self);
        let over = matches!(self.line.borrow().stage, Stage::Over | Stage::Losing(_));
        assert!(over, "the command to lose was never written");
        self.judged = Judged::default();
        (0..5).for_each(|_| self.twenty());
        let injected = self.line.borrow().injected;
        // No command stays in doubt, except `ATI`: its answer has no name, so a late one could be any text.
        self.twenty();
        self.judged.in_doubt.clear();
        self.twenty();
        self.judged.in_doubt.retain(|what| what != "ATI");
        // After 300 s no answer can come late, so `ATI` is in doubt no more.
        self.pair.run_for(Duration::from_secs(300));
        self.twenty();
        if injected {
            assert!(self.judged.in_doubt.is_empty(), "{:?} is still in doubt", self.judged.in_doubt);
        }
        (self.judged, injected)
    }
}

enum Verdict {
    Right,
    Open,
    Wrong(String),
}

/// Allows errors that say that the outcome is unknown. A refusal or an end that belongs to another command is wrong.
fn open_or_wrong(error: &Error) -> Verdict {
    match error {
        Error::Unexpected(_)
        | Error::Timeout { .. }
        | Error::ConnectFailed(Refusal::Ambiguous | Refusal::Empty)
        | Error::Closed(CloseReason::SendUnconfirmed | CloseReason::ReceiveUnconfirmed)
        | Error::Closed(CloseReason::SendRefused(Refusal::Ambiguous)) => Verdict::Open,
        other => Verdict::Wrong(other.to_string()),
    }
}

/// Tries each of the first 140 places and every tenth of the later ones, which repeat the first.
fn at_every_place(mode: ReceiveMode, late: &Late, victim: fn(&mut Stand)) {
    let mut open = 0;
    for place in (0..140).chain((140..).step_by(10)) {
        let (judged, injected) = Stand::new(mode, late.clone(), Place::Frame(place)).run(victim);
        assert!(judged.wrong.is_empty(), "{:?} at frame {place}: {:#?}", late.victim, judged.wrong);
        open += judged.open;
        if !injected {
            assert!(place > 150, "only {place} places");
            println!(
                "{}: {place} places, {open} open of {}",
                late.victim,
                place * (judged.right + judged.open)
            );
            break;
        }
    }
}

fn late(victim: &'static str, bytes: &str) -> Late {
    Late { victim, spared: 0, lost: 1, bytes: bytes.as_bytes().to_vec() }
}

fn times_out(stand: &mut Stand, text: &str) {
    let answer = stand.pair.command(text, Duration::from_secs(5));
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
}

#[test]
fn a_late_answer_to_a_question_is_recognised() {
    let late = late("AT+CSQ", "\r\n+CSQ: 7,0\r\n\r\nOK\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "AT+CSQ"));
}

#[test]
fn a_late_answer_without_a_name_is_recognised() {
    let late = late("ATI", "\r\nANOTHER_FIRMWARE\r\n\r\nOK\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "ATI"));
}

#[test]
fn a_late_final_result_is_recognised() {
    for answer in ["\r\nOK\r\n", "\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CGATT=1", answer), |stand| {
            times_out(stand, "AT+CGATT=1")
        });
    }
}

#[test]
fn a_late_registration_status_is_recognised() {
    let late = late("AT+CEREG?", "\r\n+CEREG: 0,3\r\n\r\nOK\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| {
        let answer = stand.pair.call(Request::query(&DomainRegistration(Domain::Lte)));
        assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    });
}

#[test]
fn a_late_address_is_recognised() {
    let late = late("AT+CIFSR", "\r\n1.2.3.4\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "AT+CIFSR"));
}

#[test]
fn a_late_status_with_its_rows_is_recognised() {
    let rows: String = (0..8).map(|n| format!("C: {n},,\"\",\"\",\"\",\"INITIAL\"\r\n")).collect();
    let late = late("AT+CIPSTATUS", &format!("\r\nOK\r\n\r\nSTATE: IP STATUS\r\n\r\n{rows}"));
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "AT+CIPSTATUS"));
}

/// Connects on the free channel, which is channel 0, and expects a time-out.
fn connect_times_out(stand: &mut Stand) {
    let host = Quotable::host(ECHO.0).unwrap();
    let timeout = Duration::from_secs(20);
    let request = Request::Connect { protocol: Protocol::Tcp, host, port: ECHO.1, timeout };
    let answer = stand.pair.call(request);
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
}

#[test]
fn a_late_answer_to_a_connect_command_is_recognised() {
    for answer in ["\r\nOK\r\n", "\r\nOK\r\n\r\n0, CONNECT OK\r\n", "\r\nERROR\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CIPSTART", answer), connect_times_out);
    }
}

#[test]
fn a_late_result_of_a_connection_is_not_that_of_the_next_one_on_its_channel() {
    for answer in ["\r\n0, CONNECT OK\r\n", "\r\n0, CONNECT FAIL\r\n", "\r\n0, CLOSED\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CIPSTART", answer), connect_times_out);
    }
}

/// Sends on a socket of the free channel and loses the answers. The send succeeds if the module has counted the bytes.
fn send_times_out(stand: &mut Stand) {
    let socket = stand.pair.channel_open();
    let answer = stand.pair.send(socket, b"0123456789");
    let is_reported = |reason| matches!(reason, CloseReason::SendUnconfirmed | CloseReason::SendRefused(_));
    assert!(
        matches!(answer, Ok(10)) || matches!(answer, Err(Error::Closed(why)) if is_reported(why)),
        "{answer:?}"
    );
    stand.pair.close(socket).unwrap();
}

#[test]
fn a_late_result_of_a_send_is_recognised() {
    for answer in
        ["\r\nDATA ACCEPT:0,10\r\n", "\r\n0, SEND OK\r\n", "\r\n0, SEND FAIL\r\n", "\r\nDATA ACCEPT:0,7\r\n"]
    {
        let late = Late { spared: 1, ..late("AT+CIPSEND", answer) };
        at_every_place(ReceiveMode::Push, &late, send_times_out);
    }
}

#[test]
fn a_late_prompt_of_a_send_is_recognised() {
    for answer in ["\r\n> ", "\r\n> \r\nDATA ACCEPT:0,10\r\n", "\r\nERROR\r\n"] {
        let late = Late { lost: 2, ..late("AT+CIPSEND", answer) };
        at_every_place(ReceiveMode::Push, &late, send_times_out);
    }
}

#[test]
fn a_late_result_of_a_close_is_recognised() {
    for answer in ["\r\n0, CLOSE OK\r\n", "\r\n+CME ERROR: 3\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CIPCLOSE", answer), |stand| {
            let socket = stand.pair.channel_open();
            stand.pair.close(socket).unwrap();
        });
    }
}

#[test]
fn late_fetched_data_are_given_to_no_socket() {
    for answer in
        ["\r\n+CIPRXGET: 2,0,10,0\r\nLATE DATA!\r\n\r\nOK\r\n", "\r\nOK\r\n", "\r\n+CME ERROR: 3\r\n"]
    {
        at_every_place(ReceiveMode::Manual, &late("AT+CIPRXGET=2", answer), |stand| {
            let socket = stand.pair.channel_open();
            stand.pair.send(socket, b"0123456789").unwrap();
            let (read, error) = stand.pair.read_to_end(socket);
            let unconfirmed = matches!(error, Error::Closed(CloseReason::ReceiveUnconfirmed));
            assert!(read.is_empty() && unconfirmed, "{error}");
            stand.pair.close(socket).unwrap();
        });
    }
}

#[test]
fn a_late_answer_within_any_line_is_recognised() {
    let late = late("AT+CSQ", "\r\n+CSQ: 7,0\r\n\r\nOK\r\n");
    for place in 0.. {
        let mut stand = Stand::new(ReceiveMode::Push, late.clone(), Place::Byte(place));
        times_out(&mut stand, "AT+CSQ");
        for _ in 0..2 {
            stand.command("AT+CSQ", &["+CSQ: 24,99"]);
            stand.command("AT+CREG=0", &[]);
            stand.command("AT+NOSUCH", &["ERROR"]);
            stand.command("ATI", &["AirM2M_720U_V401881_LTE_AT"]);
            stand.command("AT+CIFSR", &["10.83.172.111"]);
        }
        assert!(stand.judged.wrong.is_empty(), "at byte {place}: {:#?}", stand.judged.wrong);
        if !stand.line.borrow().injected {
            assert!(place > 300, "only {place} places");
            break;
        }
    }
}

#[test]
fn without_a_late_answer_no_command_is_in_doubt() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        let stand = Stand::new(mode, late("AT+CREG?", ""), Place::Nowhere);
        let (judged, _) = stand.run(|stand| times_out(stand, "AT+CREG?"));
        assert_eq!((judged.open, judged.wrong.len()), (0, 0), "{judged:#?}");
    }
}

// ------------------------------------------------------------------------------------------------------- storms

/// The commands of a storm, and their correct answers.
const STORM: [(&str, &[&str]); 10] = [
    ("AT+CSQ", &["+CSQ: 24,99"]),
    ("AT+CREG?", &["+CREG: 0,1"]),
    ("AT+CGATT=1", &[]),
    ("ATI", &["AirM2M_720U_V401881_LTE_AT"]),
    ("AT+NOSUCH", &["ERROR"]),
    ("AT+CIFSR", &["10.83.172.111"]),
    ("AT+CGMM", &["+CGMM: \"Air724UG\""]),
    ("AT+CREG=0", &[]),
    ("AT+CSQ;+CGATT?", &["+CSQ: 24,99", "+CGATT: 1"]),
    ("AT+CGATT?", &["+CGATT: 1"]),
];

/// A line that loses some answers. They come back at any later byte, or never. Their values are changed, so that the
/// test recognises them.
struct Storm {
    random: Noise,
    /// Whether the answer to the next write is lost.
    losing: bool,
    /// Lost answers that come back, each after this number of bytes.
    late: Vec<(usize, Vec<u8>)>,
    /// The number of answers that have come back.
    injected: usize,
    /// Whether late answers come now. They do not while another answer is being lost, which would be two faults at once
    /// (A23).
    open: bool,
}

struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

impl Storm {
    fn modem_writes(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if self.losing {
            if self.random.below(4) > 0 {
                let text = String::from_utf8(bytes).unwrap();
                let text =
                    text.replace("24,99", "7,0").replace("0,1", "0,3").replace("10.83.172.111", "1.2.3.4");
                let text = text.replace("AirM2M_720U_V401881_LTE_AT", "ANOTHER").replace("Air724UG", "NONE");
                let place = self.random.below(400);
                self.late.push((place, text.replace("+CGATT: 1", "+CGATT: 0").into_bytes()));
            }
            return Vec::new();
        }
        let mut bytes = bytes;
        let len = bytes.len();
        let due = self.late.iter().position(|(place, _)| *place < len).filter(|_| self.open);
        if let Some((place, late)) = due.map(|index| self.late.remove(index)) {
            self.injected += 1;
            bytes.splice(place..place, late);
        } else if self.open {
            self.late.iter_mut().for_each(|(place, _)| *place = place.saturating_sub(len));
        }
        bytes
    }
}

/// No answer is wrong. A command without a late answer before its result gets its own answer.
#[test]
fn in_a_storm_of_late_answers_no_answer_is_wrong_and_no_correct_one_is_refused() {
    let (mut right, mut open, mut never) = (0, 0, 0);
    let seeds = std::env::var("AIR724UG_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(120);
    for seed in 1..=seeds {
        let mut pair = Pair::online();
        let random = Noise(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let storm = Storm { random, losing: false, late: Vec::new(), injected: 0, open: false };
        let storm = Rc::new(RefCell::new(storm));
        let line = Rc::clone(&storm);
        pair.to_host = Box::new(move |_, bytes| line.borrow_mut().modem_writes(bytes));
        for round in 0..150 {
            let pick = storm.borrow_mut().random.below(STORM.len());
            let (text, wanted) = STORM[pick];
            if storm.borrow_mut().random.below(8) == 0 {
                storm.borrow_mut().losing = true;
                storm.borrow_mut().open = false;
                let command = air724ug::at::Command::of_user(text, Duration::from_millis(300)).unwrap();
                let ticket = pair.ask(Request::Run(command));
                pair.run_for(Duration::from_millis(299));
                storm.borrow_mut().losing = false;
                let answer = pair.answer(ticket);
                assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
                never += 1;
                continue;
            }
            let before = storm.borrow().injected;
            // The driver is in synchronisation again after the answer to the question that follows the last loss.
            pair.run_for(Duration::from_secs(3));
            storm.borrow_mut().open = true;
            let answer = pair.command(text, Duration::from_secs(5));
            let is_disturbed = storm.borrow().injected > before;
            match answer {
                Ok(lines) if lines == wanted => right += 1,
                Err(Error::Refused { code: Refusal::Error, .. }) if wanted == ["ERROR"] => right += 1,
                Err(Error::Unexpected(_) | Error::Timeout { .. }) if is_disturbed => open += 1,
                other => panic!("seed {seed}, round {round}, {text}, disturbed {is_disturbed}: {other:?}"),
            }
        }
    }
    println!("{never} answers lost, {right} right, {open} in doubt, each with a late answer inside");
    assert!(right > 10 * open, "{right} right, {open} in doubt");
}

/// A session in which the answer to `AT+X` was lost, so that it may still come.
fn after_a_lost_answer() -> Pair {
    let mut pair = Pair::online();
    pair.instead("AT+X", "");
    assert!(pair.command("AT+X", Duration::from_millis(300)).is_err());
    pair
}

#[test]
fn one_lost_answer_does_not_spoil_later_answers() {
    let mut pair = after_a_lost_answer();
    for _ in 0..10 {
        pair.instead("ATI", "\r\nAirM2M\r\n\r\nV401881\r\n\r\nOK\r\n");
        assert_eq!(pair.command("ATI", Duration::from_secs(5)).unwrap(), ["AirM2M", "V401881"]);
        pair.run_for(Duration::from_secs(3));
    }
}

#[test]
fn the_second_answer_to_a_question_of_the_driver_is_given_to_no_command() {
    let mut pair = after_a_lost_answer();
    pair.run_for(Duration::from_secs(3));
    let written = String::from_utf8_lossy(&pair.written).into_owned();
    let question = written.lines().rev().find_map(|line| line.strip_suffix('?')).unwrap();
    let name = question.trim_start_matches("AT");
    pair.instead("AT+Y", format!("\r\n{name}: 1\r\n\r\nOK\r\n"));
    let answer = pair.command("AT+Y", Duration::from_secs(5));
    assert!(matches!(answer, Err(Error::Unexpected(_))), "{name}: {answer:?}");
    pair.instead("AT+Y", "\r\n+Z: 1\r\n\r\nOK\r\n");
    assert_eq!(pair.command("AT+Y", Duration::from_secs(5)).unwrap(), ["+Z: 1"]);
}

#[test]
fn a_list_of_settings_is_not_the_answer_to_a_question_of_the_driver() {
    let mut pair = after_a_lost_answer();
    for _ in 0..10 {
        pair.instead("AT&V", "\r\nACTIVE PROFILE\r\n\r\n+CMEE: 1\r\n\r\n+IPR: 0\r\n\r\nOK\r\n");
        let lines = pair.command("AT&V", Duration::from_secs(5)).unwrap();
        assert_eq!(lines, ["ACTIVE PROFILE", "+CMEE: 1", "+IPR: 0"]);
    }
}

#[test]
fn an_answer_whose_final_result_is_split_is_refused() {
    for late in ["\r\nOK\r\n", "\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n"] {
        for (answer, torn) in
            [("\r\nO{}K\r\n", true), ("\r\nERR{}OR\r\n", true), ("\r\nAirM2M\r\n\r\nO{}K\r\n", true)]
        {
            let mut pair = Pair::online();
            pair.instead("AT+CGATT=1", "");
            assert!(pair.command("AT+CGATT=1", Duration::from_secs(1)).is_err());
            pair.run_for(Duration::from_secs(3));
            pair.instead("AT+Y", answer.replace("{}", late));
            let answer = pair.command("AT+Y", Duration::from_secs(5));
            assert_eq!(matches!(answer, Err(Error::Unexpected(_))), torn, "{late:?}: {answer:?}");
        }
    }
}

#[test]
fn an_answer_cut_at_a_limit_is_an_error() {
    let long_line = format!("\r\n{}\r\n\r\nOK\r\n", "x".repeat(3_000));
    let many_lines = format!("{}\r\nOK\r\n", "\r\nline\r\n".repeat(1_500));
    let enough = format!("{}\r\nOK\r\n", "\r\nline\r\n".repeat(1_024));
    let mut pair = Pair::online();
    for answer in [long_line, many_lines] {
        pair.instead("AT+X", answer);
        let answer = pair.command("AT+X", Duration::from_secs(5));
        assert!(matches!(answer, Err(Error::Unexpected(_))), "{answer:?}");
    }
    pair.instead("AT+X", enough);
    assert_eq!(pair.command("AT+X", Duration::from_secs(5)).unwrap().len(), 1_024);
}

#[test]
fn texts_and_answers_after_a_payload_that_were_cut_at_a_limit_are_errors() {
    let mut pair = Pair::online();
    let header = "\r\n+CMGL: 1,\"REC READ\",\"+8613800138000\",,\"24/01/01,00:00:00+32\"\r\n";
    let long = "x".repeat(3_000);
    for (text, longest) in [
        ("AT+CMGL=\"ALL\"", format!("{header}{long}\r\n\r\nOK\r\n")),
        ("AT+CMGR=1", format!("{}{long}\r\n\r\nOK\r\n", header.replace("CMGL: 1,", "CMGR: "))),
        ("AT+CMGL=4", format!("{}\r\nOK\r\n", format!("{header}text\r\n").repeat(600))),
    ] {
        pair.instead(text, longest);
        let answer = pair.command(text, Duration::from_secs(5));
        assert!(matches!(answer, Err(Error::Unexpected(_))), "{text}: {} lines", answer.unwrap().len());
        assert_eq!(pair.command("AT+CSQ", Duration::from_secs(5)).unwrap(), ["+CSQ: 24,99"]);
        pair.heal();
    }
    pair.instead("AT+HTTPDATA=5,1000", "\r\nDOWNLOAD\r\n");
    pair.instead("hello", format!("\r\n{long}\r\n\r\nOK\r\n"));
    let answer = pair.command_with_payload("AT+HTTPDATA=5,1000", b"hello", Duration::from_secs(5));
    assert!(matches!(answer, Err(Error::Unexpected(_))), "{answer:?}");
}

#[test]
fn one_odd_answer_at_the_start_does_not_double_the_later_commands() {
    for question in ["AT+CIPMUX?", "AT+CIPQSEND?", "AT+CIPMODE?"] {
        let mut pair = Pair::new();
        pair.instead(question, "\r\nOK\r\n");
        let mut pair = pair.ready();
        let before = pair.written.len();
        for _ in 0..10 {
            assert_eq!(pair.command("AT+CSQ", Duration::from_secs(5)).unwrap(), ["+CSQ: 24,99"]);
        }
        let written = String::from_utf8_lossy(&pair.written[before..]).into_owned();
        let all = String::from_utf8_lossy(&pair.written).into_owned();
        assert_eq!(written, "AT+CSQ\r\n".repeat(10), "{question}: {all}");
    }
}

/// The module closes the connection in the middle of a payload, and reads the rest as a command. The error of that
/// command stands in place of the answer to the first question, which may still come late. A repeated question would
/// take the late answer for its own.
#[test]
fn no_question_of_a_resynchronisation_is_asked_twice() {
    let questions = ["AT+CIPMUX?", "AT+CIPQSEND?", "AT+CIPMODE?"];
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    pair.instead("AT+CIPSEND=0,5", "\r\n> ");
    pair.instead("hello", "\r\n0, SEND FAIL\r\n\r\n0, CLOSED\r\n\r\nERROR\r\n");
    for question in questions {
        pair.instead(question, "");
    }
    let before = questions.map(|question| pair.wrote(question));
    pair.send(socket, b"hello").unwrap_err();
    pair.run_for(Duration::from_secs(8));
    for (question, before) in questions.into_iter().zip(before) {
        assert_eq!(pair.wrote(question) - before, 1, "{question}: {}", pair.story());
    }
}

/// The questions of a finished resynchronisation can be asked again. Otherwise all later ones would ask the only
/// question left, and would take a late answer to it for their own.
#[test]
fn resynchronisations_alternate_between_their_questions() {
    let questions = ["AT+CIPMUX?", "AT+CIPQSEND?", "AT+CIPMODE?"];
    let mut pair = Pair::online();
    let barrier = |pair: &mut Pair| {
        pair.instead("AT+CSQ", "");
        pair.command("AT+CSQ", Duration::from_secs(1)).unwrap_err();
        pair.run_for(Duration::from_secs(310));
    };
    for question in questions {
        pair.instead(question, "");
    }
    barrier(&mut pair);
    pair.heal();
    let before = questions.map(|question| pair.wrote(question));
    for _ in 0..6 {
        barrier(&mut pair);
    }
    for (question, before) in questions.into_iter().zip(before) {
        assert_eq!(pair.wrote(question) - before, 2, "{question}");
    }
}

/// Regression: each bring-up asks the same number of questions, so each met the refused question at the same step,
/// without end.
#[test]
fn bring_up_after_many_lost_answers_ends_even_if_questions_are_refused() {
    for refused in [
        &["AT+CIPQSEND?"][..],
        &["AT+CIPMUX?", "AT+CIPMODE?"],
        &["AT+CIPMUX?", "AT+CIPQSEND?", "AT+CIPMODE?"],
    ] {
        for begun in 0..3 {
            let mut pair = Pair::new();
            for question in refused {
                pair.instead_times(500, question, "\r\nERROR\r\n");
            }
            let mut pair = pair.ready();
            for number in 0..20 {
                let command = format!("AT+X{number}");
                pair.instead(&command, "");
                assert!(pair.command(&command, Duration::from_millis(100)).is_err());
            }
            for _ in 0..begun {
                pair.command("AT+CSQ", Duration::from_secs(5)).unwrap();
            }
            pair.inject(b"\r\n+PDP: DEACT\r\n");
            pair.run_for(Duration::from_secs(1));
            pair.ready();
        }
    }
}

/// The result comes twice, in two reads. The second one is incomplete when the next command is written.
#[test]
fn a_result_that_began_before_a_command_was_written_does_not_answer_it() {
    for (before, after) in
        [("\r", "\nOK\r\n"), ("\r\nO", "K\r\n"), ("\r\nERRO", "R\r\n"), ("\r\nSHUT", " OK\r\n")]
    {
        let mut pair = Pair::online();
        pair.instead("AT+NOSUCH", "");
        pair.deliver(before.as_bytes());
        let command = Command::of_user("AT+NOSUCH", Duration::from_secs(10)).unwrap();
        let ticket = pair.ask(Request::Run(command));
        pair.inject(after.as_bytes());
        pair.run_for(Duration::from_millis(100));
        assert!(pair.answered(ticket).is_none(), "{before:?}");
        pair.inject(b"\r\n+CME ERROR: 58\r\n");
        let answer = pair.answer(ticket);
        assert!(matches!(&answer, Err(Error::Refused { .. })), "{before:?}: {answer:?}");
    }
}

/// Regression: each repetition extended the wait for the question, so the search for the module never began.
#[test]
fn a_late_answer_that_is_repeated_without_end_does_not_hide_a_silent_module() {
    for line in ["+CIPMUX: 1", "+CIPQSEND: 1", "+CIPMODE: 0"] {
        let mut pair = Pair::online();
        pair.to_modem = Box::new(|_, _| Vec::new());
        pair.ask(Request::query(&Signal));
        for _ in 0..60 {
            pair.inject(format!("\r\n{line}\r\n").as_bytes());
            pair.run_for(Duration::from_secs(5));
        }
        assert!(pair.saw(|event| matches!(event, Event::Unresponsive)), "{line}: {}", pair.story());
    }
}

/// Regression: every attempt of an hour counted as a command that the module may still answer.
#[test]
fn a_module_that_was_off_for_an_hour_is_not_excused_for_each_attempt_of_the_search() {
    let mut pair = Pair::new();
    pair.to_modem = Box::new(|_, _| Vec::new());
    pair.run_for(Duration::from_secs(3_600));
    pair.events.clear();
    for _ in 0..60 {
        pair.inject(b"\r\nOK\r\n");
        pair.run_for(Duration::from_secs(4));
    }
    assert!(pair.saw(|event| matches!(event, Event::Unresponsive)), "{}", pair.story());
}

/// Regression: each prompt extended the wait for the question by the time-out of the file.
#[test]
fn prompts_without_end_do_not_hide_a_silent_module() {
    let mut pair = Pair::online();
    pair.instead("AT+FSWRITE", b"\r\nERROR\r\n");
    let text = "AT+FSWRITE=\"a.txt\",0,5,10";
    let (command, payload) = Command::with_payload(text, b"hello", Duration::from_secs(15)).unwrap();
    pair.ask(Request::RunWithPayload { command, payload, timeout: Duration::from_secs(15) });
    pair.to_modem = Box::new(|_, _| Vec::new());
    // Until the refusal counts, a prompt would ask for the content.
    pair.run_for(Duration::from_secs(2));
    for _ in 0..60 {
        pair.inject(b"\r\n> ");
        pair.run_for(Duration::from_secs(5));
    }
    assert!(pair.saw(|event| matches!(event, Event::Unresponsive)), "{}", pair.story());
}

/// The questions of a barrier, and their answers.
const QUESTIONS: [(&str, &str); 6] = [
    ("AT+CIPMUX?", "+CIPMUX: 1"),
    ("AT+CIPQSEND?", "+CIPQSEND: 1"),
    ("AT+CIPMODE?", "+CIPMODE: 0"),
    ("AT+CGATT?", "+CGATT: 1"),
    ("AT+IPR?", "+IPR: 0"),
    ("AT+CMEE?", "+CMEE: 1"),
];

/// Nothing is answered any more, and a command times out. Returns the span after which the first question is repeated.
fn first_repetition(pair: &mut Pair) -> Duration {
    let questions = |pair: &Pair| QUESTIONS.iter().map(|(question, _)| pair.wrote(question)).sum::<usize>();
    pair.to_modem = Box::new(|_, _| Vec::new());
    let before = questions(pair);
    pair.ask(Request::query(&Signal));
    pair.run_until(|pair| questions(pair) == before + 1);
    let asked_at = pair.now;
    pair.run_until(|pair| questions(pair) == before + 2);
    pair.now - asked_at
}

#[test]
fn a_question_is_repeated_after_twice_the_time_of_the_latest_answer() {
    assert_eq!(first_repetition(&mut Pair::online()), Duration::from_secs(1));
    let mut pair = Pair::online();
    pair.instead("AT+CSQ", b"");
    let asked = pair.ask(Request::query(&Signal));
    pair.run_for(Duration::from_secs(3));
    pair.inject(b"\r\n+CSQ: 24,99\r\n\r\nOK\r\n");
    assert!(matches!(pair.answer(asked), Ok(Response::Reply(_))));
    assert_eq!(first_repetition(&mut pair), Duration::from_secs(6));
}

#[test]
fn a_question_is_repeated_after_twice_the_time_that_the_questions_before_have_taken() {
    let mut pair = Pair::online();
    let late = Rc::new(RefCell::new(Vec::new()));
    let taken = Rc::clone(&late);
    pair.to_modem = Box::new(move |now, bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let question = QUESTIONS.iter().find(|(question, _)| text.starts_with(question));
        taken.borrow_mut().extend(question.map(|(_, answer)| (now + Duration::from_millis(2_500), *answer)));
        Vec::new()
    });
    pair.ask(Request::query(&Signal));
    for _ in 0..200 {
        pair.run_for(Duration::from_millis(100));
        let now = pair.now;
        let due: Vec<_> = late.borrow_mut().extract_if(.., |(at, _)| *at <= now).collect();
        for (_, answer) in due {
            pair.inject(format!("\r\n{answer}\r\n\r\nOK\r\n").as_bytes());
        }
    }
    assert!(late.borrow().is_empty(), "a question is open");
    let repeated = first_repetition(&mut pair);
    assert!((5_000..=5_200).contains(&repeated.as_millis()), "{repeated:?}");
}
