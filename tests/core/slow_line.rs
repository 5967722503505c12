//! A module without faults on a line with pauses, as a port on a network has them. No pause within a line or between
//! two of them is a sign of damage.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use air724ug::at::Command;
use air724ug::proto::{Event, Request, Response, SocketId, Ticket};
use air724ug::sim::{Control, Settings};
use air724ug::time::Timestamp;
use air724ug::{Config, Error, ReceiveMode};

/// Payloads that look like lines of the module, or like pieces of them.
const PAYLOADS: [&[u8]; 5] = [
    b"\r\n+RECEIVE,0,1:",
    b"0123456789abcdef",
    b"\r\n+RECEIVE,0,5:\r\nabcde\r\n> ",
    b"\r\n0, CLOSED\r\n",
    b"\r\nOK\r\n",
];

/// The bytes on their way to the host, each with the moment of its arrival.
type UnderWay = Rc<RefCell<VecDeque<(Timestamp, u8)>>>;

/// Two sockets of a module whose line to the host pauses once.
struct SlowLine {
    pair: Pair,
    under_way: UnderWay,
    carried: Rc<RefCell<usize>>,
}

impl SlowLine {
    /// The line pauses for this span before the byte with this number.
    fn new(mode: ReceiveMode, at: usize, pause: Duration) -> (Self, [SocketId; 2]) {
        let config = Config::default().receive_mode(mode);
        let mut pair = Pair::with(config, Settings::default()).ready();
        let sockets = [pair.channel_open(), pair.channel_open()];
        pair.run_for(Duration::from_secs(5));
        pair.events.clear();
        let (under_way, carried) = (UnderWay::default(), Rc::new(RefCell::new(0)));
        let (queue, count) = (Rc::clone(&under_way), Rc::clone(&carried));
        let mut last = Timestamp::ZERO;
        pair.to_host = Box::new(move |now, bytes| {
            for byte in bytes {
                let number = count.replace_with(|count| *count + 1);
                last = last.max(now) + if number == at { pause } else { Duration::ZERO };
                queue.borrow_mut().push_back((last, byte));
            }
            Vec::new()
        });
        (Self { pair, under_way, carried }, sockets)
    }

    fn arrived(&self) -> Vec<u8> {
        let mut under_way = self.under_way.borrow_mut();
        let count = under_way.iter().take_while(|(at, _)| *at <= self.pair.now).count();
        under_way.drain(..count).map(|(_, byte)| byte).collect()
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.pair.now + span;
        loop {
            let bytes = self.arrived();
            if !bytes.is_empty() {
                self.pair.inject(&bytes);
                continue;
            }
            if self.pair.now >= end {
                return;
            }
            let arrival = self.under_way.borrow().front().map(|(at, _)| *at);
            let timers = [self.pair.engine.deadline().map(|(at, _)| at), self.pair.modem.deadline(), arrival];
            let next = timers.into_iter().flatten().min().unwrap_or(end).min(end);
            self.pair.run_for((next - self.pair.now).max(Duration::from_micros(10)));
        }
    }

    fn answer(&mut self, ticket: Ticket) -> Response {
        for _ in 0..600 {
            if let Some(answer) = self.pair.answered(ticket) {
                return answer.unwrap_or_else(|error| panic!("{error}, {}", self.pair.story()));
            }
            self.run_for(Duration::from_millis(100));
        }
        panic!("no answer, {}", self.pair.story())
    }

    fn read(&mut self, socket: SocketId) -> Vec<u8> {
        self.pair.read_some(socket, 4_096).unwrap().unwrap_or_default()
    }
}

/// Sends and receives these payloads while the module prints news and answers a command. Returns the number of bytes
/// that came.
fn exchange(mode: ReceiveMode, payloads: [&[u8]; 2], at: usize, pause: Duration) -> usize {
    let (mut line, sockets) = SlowLine::new(mode, at, pause);
    let about = format!("{mode:?}, {pause:?} before byte {at}");
    let mut received = [Vec::new(), Vec::new()];
    for payload in payloads {
        line.pair.control(Control::Urc("+CREG: 1,\"1A2B\",\"00C30D21\",7".into()));
        let sends = sockets.map(|socket| line.pair.sending(socket, payload));
        let command = Command::of_user("AT+CSCS?", Duration::from_secs(20)).unwrap();
        let command = line.pair.ask(Request::Run(command));
        for ticket in sends {
            let Response::Sent { accepted, .. } = line.answer(ticket) else { panic!("{about}") };
            assert_eq!(accepted, payload.len(), "{about}");
        }
        let Response::Reply(reply) = line.answer(command) else { panic!("{about}") };
        assert_eq!(reply.into_lines(), ["+CSCS: \"GSM\""], "{about}");
        line.run_for(Duration::from_secs(3));
        for (socket, received) in sockets.into_iter().zip(&mut received) {
            received.extend(line.read(socket));
        }
    }
    line.run_for(Duration::from_secs(10));
    let is_alarm = |event: &Event| matches!(event, Event::Fault(_) | Event::Closed(..));
    assert!(!line.pair.saw(is_alarm), "{about}: {}", line.pair.story());
    for (socket, mut received) in sockets.into_iter().zip(received) {
        received.extend(line.read(socket));
        assert_eq!(
            received.escape_ascii().to_string(),
            payloads.concat().escape_ascii().to_string(),
            "{about}"
        );
    }
    line.carried.take()
}

#[test]
fn a_pause_before_any_byte_is_no_damage() {
    for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
        for payloads in PAYLOADS.windows(2) {
            let payloads = [payloads[0], payloads[1]];
            let count = exchange(mode, payloads, usize::MAX, Duration::ZERO);
            for at in 0..count {
                exchange(mode, payloads, at, Duration::from_millis([60, 300, 900][at % 3]));
            }
        }
    }
}

/// `CONNECT FAIL` of a transparent connection begins like `CONNECT`.
#[test]
fn a_connection_is_not_made_by_the_beginning_of_its_refusal() {
    let mut pair = Pair::online();
    pair.instead("AT+CIPSTART=", "\r\nOK\r\n\r\nCONNECT");
    let ticket = pair.dialling(ECHO.0, ECHO.1, Duration::from_secs(60));
    pair.run_until(|pair| pair.wrote("AT+CIPSTART=") > 0);
    pair.run_for(Duration::from_millis(900));
    pair.inject(b" FAIL\r\n");
    let answer = pair.answer(ticket);
    assert!(matches!(answer, Err(Error::ConnectFailed(_))), "{answer:?}");
}
