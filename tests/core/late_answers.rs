//! An answer that comes late is never another command's, wherever it comes.
//!
//! A command times out because its answer is taken off the line. The answer is put back at one place of what follows:
//! more than a hundred commands of all kinds. Every place is tried. Each command has to get its own right answer, or an
//! error that says that its outcome is unknown; and behind the place everything has to be as if nothing had happened.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::{Command, Domain, Protocol, Quotable, Refusal, RegistrationStatus};
use air724ug::error::CloseReason;
use air724ug::proto::{Request, Response, SocketId};
use air724ug::query::{DomainRegistration, Query, Reply, Signal};
use air724ug::sim::Settings;
use air724ug::{Config, Error, ReceiveMode};

/// The bytes that are taken off the line, and their later return.
#[derive(Clone)]
struct Late {
    /// The command of which the answer is lost begins like this.
    victim: &'static str,
    /// How many more writes pass before the loss begins (1: the prompt comes, the result is lost).
    spared: usize,
    /// The number of writes whose answers are lost.
    lost: usize,
    /// What comes later.
    bytes: Vec<u8>,
}

/// The place where they come.
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

/// Where frames begin; payload is no place for a frame.
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

/// How long a line is, with its end and the payload that it announces.
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

/// The module, seven sockets that stay, and one channel that sockets come and go on.
struct Stand {
    pair: Pair,
    line: Rc<RefCell<Line>>,
    staying: Vec<SocketId>,
    turn: u8,
    judged: Judged,
}

/// The outcomes of the commands.
#[derive(Default, Debug)]
struct Judged {
    right: usize,
    /// Errors that say that the outcome is unknown.
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

    /// Sends on one of the sockets that stay, and reads the echo.
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

    /// A socket comes and goes on the free channel.
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

    /// Twenty commands of all kinds.
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

    /// Lets one command lose its answer, then runs the hundred.
    fn run(mut self, victim: impl FnOnce(&mut Self)) -> (Judged, bool) {
        victim(&mut self);
        let over = matches!(self.line.borrow().stage, Stage::Over | Stage::Losing(_));
        assert!(over, "the victim was never written");
        self.judged = Judged::default();
        (0..5).for_each(|_| self.twenty());
        let injected = self.line.borrow().injected;
        // Whatever is in doubt is settled, except what a command without a name of its own could have printed ...
        self.twenty();
        self.judged.in_doubt.clear();
        self.twenty();
        self.judged.in_doubt.retain(|what| what != "ATI");
        // ... and that is settled when nothing can come late any more.
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

/// An error that says that the outcome is unknown is allowed; a refusal or an end that was another command's is not.
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

/// Tries every place of the first forty commands, and every tenth of the others, which only repeat them.
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
fn a_question_of_the_application_is_answered_late() {
    let late = late("AT+CSQ", "\r\n+CSQ: 7,0\r\n\r\nOK\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "AT+CSQ"));
}

#[test]
fn a_question_with_a_bare_answer_is_answered_late() {
    let late = late("ATI", "\r\nANOTHER_FIRMWARE\r\n\r\nOK\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "ATI"));
}

#[test]
fn a_command_without_content_is_answered_late() {
    for answer in ["\r\nOK\r\n", "\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CGATT=1", answer), |stand| {
            times_out(stand, "AT+CGATT=1")
        });
    }
}

#[test]
fn a_registration_is_answered_late() {
    let late = late("AT+CEREG?", "\r\n+CEREG: 0,3\r\n\r\nOK\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| {
        let answer = stand.pair.call(Request::query(&DomainRegistration(Domain::Lte)));
        assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
    });
}

#[test]
fn an_address_comes_late() {
    let late = late("AT+CIFSR", "\r\n1.2.3.4\r\n");
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "AT+CIFSR"));
}

#[test]
fn a_status_with_its_rows_comes_late() {
    let rows: String = (0..8).map(|n| format!("C: {n},,\"\",\"\",\"\",\"INITIAL\"\r\n")).collect();
    let late = late("AT+CIPSTATUS", &format!("\r\nOK\r\n\r\nSTATE: IP STATUS\r\n\r\n{rows}"));
    at_every_place(ReceiveMode::Push, &late, |stand| times_out(stand, "AT+CIPSTATUS"));
}

/// The free channel is the first.
fn connect_times_out(stand: &mut Stand) {
    let host = Quotable::host(ECHO.0).unwrap();
    let timeout = Duration::from_secs(20);
    let request = Request::Connect { protocol: Protocol::Tcp, host, port: ECHO.1, timeout };
    let answer = stand.pair.call(request);
    assert!(matches!(answer, Err(Error::Timeout { .. })), "{answer:?}");
}

#[test]
fn a_connection_is_accepted_and_made_late() {
    for answer in ["\r\nOK\r\n", "\r\nOK\r\n\r\n0, CONNECT OK\r\n", "\r\nERROR\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CIPSTART", answer), connect_times_out);
    }
}

#[test]
fn a_result_of_a_connection_comes_late_to_the_next_on_its_channel() {
    for answer in ["\r\n0, CONNECT OK\r\n", "\r\n0, CONNECT FAIL\r\n", "\r\n0, CLOSED\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CIPSTART", answer), connect_times_out);
    }
}

/// A socket on the free channel loses the answers to its send. It succeeds where the module has counted the bytes.
fn send_times_out(stand: &mut Stand) {
    let socket = stand.pair.channel_open();
    let answer = stand.pair.send(socket, b"0123456789");
    let is_told = |reason| matches!(reason, CloseReason::SendUnconfirmed | CloseReason::SendRefused(_));
    assert!(
        matches!(answer, Ok(10)) || matches!(answer, Err(Error::Closed(why)) if is_told(why)),
        "{answer:?}"
    );
    stand.pair.close(socket).unwrap();
}

#[test]
fn the_result_of_a_send_comes_late() {
    for answer in
        ["\r\nDATA ACCEPT:0,10\r\n", "\r\n0, SEND OK\r\n", "\r\n0, SEND FAIL\r\n", "\r\nDATA ACCEPT:0,7\r\n"]
    {
        let late = Late { spared: 1, ..late("AT+CIPSEND", answer) };
        at_every_place(ReceiveMode::Push, &late, send_times_out);
    }
}

#[test]
fn the_prompt_of_a_send_comes_late() {
    for answer in ["\r\n> ", "\r\n> \r\nDATA ACCEPT:0,10\r\n", "\r\nERROR\r\n"] {
        let late = Late { lost: 2, ..late("AT+CIPSEND", answer) };
        at_every_place(ReceiveMode::Push, &late, send_times_out);
    }
}

#[test]
fn the_end_of_a_close_comes_late() {
    for answer in ["\r\n0, CLOSE OK\r\n", "\r\n+CME ERROR: 3\r\n"] {
        at_every_place(ReceiveMode::Push, &late("AT+CIPCLOSE", answer), |stand| {
            let socket = stand.pair.channel_open();
            stand.pair.close(socket).unwrap();
        });
    }
}

#[test]
fn fetched_data_that_come_late_go_to_no_socket() {
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
fn a_late_answer_may_split_any_line_at_any_byte() {
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
fn without_a_late_answer_nothing_is_in_doubt() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        let stand = Stand::new(mode, late("AT+CREG?", ""), Place::Nowhere);
        let (judged, _) = stand.run(|stand| times_out(stand, "AT+CREG?"));
        assert_eq!((judged.open, judged.wrong.len()), (0, 0), "{judged:#?}");
    }
}

// ------------------------------------------------------------------------------------------------------- storms

/// What the application asks in a storm, and what is right.
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

/// Answers get lost now and then, and come at any byte of what follows, or never. Late ones are told by their values.
struct Storm {
    random: Noise,
    /// The answer to the next write is lost.
    losing: bool,
    /// Answers under way, each with the bytes that come before it.
    late: Vec<(usize, Vec<u8>)>,
    /// How many have come.
    injected: usize,
    /// Late answers come now: never while another is being lost, which would be two faults at once (A23).
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

/// 0 wrong answers; and where no late answer came between a command and its end, the right one is believed.
#[test]
fn in_a_storm_of_late_answers_none_is_wrong_and_no_right_one_is_refused() {
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
            // Only once the question behind the last loss is answered is the line in order.
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

#[test]
fn one_answer_that_never_comes_does_not_spoil_the_good_ones_behind_it() {
    let mut pair = Pair::online();
    pair.instead("AT+X", "");
    assert!(pair.command("AT+X", Duration::from_millis(300)).is_err());
    for _ in 0..10 {
        pair.instead("ATI", "\r\nAirM2M\r\n\r\nV401881\r\n\r\nOK\r\n");
        assert_eq!(pair.command("ATI", Duration::from_secs(5)).unwrap(), ["AirM2M", "V401881"]);
        pair.run_for(Duration::from_secs(3));
    }
}

#[test]
fn a_list_of_settings_is_no_answer_to_a_question_that_was_never_asked() {
    let mut pair = Pair::online();
    pair.instead("AT+X", "");
    assert!(pair.command("AT+X", Duration::from_millis(300)).is_err());
    for _ in 0..10 {
        pair.instead("AT&V", "\r\nACTIVE PROFILE\r\n\r\n+CMEE: 1\r\n\r\n+IPR: 0\r\n\r\nOK\r\n");
        let lines = pair.command("AT&V", Duration::from_secs(5)).unwrap();
        assert_eq!(lines, ["ACTIVE PROFILE", "+CMEE: 1", "+IPR: 0"]);
    }
}

#[test]
fn an_answer_of_which_the_final_was_split_is_refused() {
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
fn an_answer_that_was_cut_by_a_limit_is_no_short_answer() {
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
fn one_odd_answer_at_the_start_does_not_make_every_command_cost_two() {
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

/// The rest of a payload is a command to a module that has closed in the middle of it. Its error stands in the place of the answer to
/// the first question, which may come late all the same. A question that is asked again would take that for its own.
#[test]
fn no_question_of_a_barrier_is_asked_twice() {
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

/// Those of a barrier that is over are free again: otherwise the next ones would all ask the one that is left, and a late answer to it
/// would be taken for the next one's.
#[test]
fn barriers_go_on_to_take_turns_with_their_questions() {
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

/// Bring-up asks as many questions each time it begins again, so it met the refused one at the same step for ever.
#[test]
fn bring_up_behind_many_lost_answers_ends_although_questions_are_refused() {
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

/// It has come twice, cut between two reads: the second one is under way when the next command is written.
#[test]
fn a_result_that_began_before_a_command_was_written_does_not_answer_it() {
    for (before, behind) in
        [("\r", "\nOK\r\n"), ("\r\nO", "K\r\n"), ("\r\nERRO", "R\r\n"), ("\r\nSHUT", " OK\r\n")]
    {
        let mut pair = Pair::online();
        pair.instead("AT+NOSUCH", "");
        pair.deliver(before.as_bytes());
        let command = Command::of_user("AT+NOSUCH", Duration::from_secs(10)).unwrap();
        let ticket = pair.ask(Request::Run(command));
        pair.inject(behind.as_bytes());
        pair.run_for(Duration::from_millis(100));
        assert!(pair.answered(ticket).is_none(), "{before:?}");
        pair.inject(b"\r\n+CME ERROR: 58\r\n");
        let answer = pair.answer(ticket);
        assert!(matches!(&answer, Err(Error::Refused { .. })), "{before:?}: {answer:?}");
    }
}
