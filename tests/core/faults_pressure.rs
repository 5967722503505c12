//! Slow peers and unread sockets. Only the affected socket waits or fails, and every loss is reported.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::at::{CmeError, Refusal};
use air724ug::error::CloseReason;
use air724ug::proto::{Event, Input, Output, Request, Response, SocketId, Ticket};
use air724ug::sim::{Control, Peer, Settings};
use air724ug::{Config, Error, ReceiveMode};

fn both_modes() -> [ReceiveMode; 2] {
    [ReceiveMode::Push, ReceiveMode::Manual]
}

fn online(mode: ReceiveMode) -> Pair {
    Pair::with(Config::default().receive_mode(mode), Settings::default()).ready()
}

/// Bytes without a short period, different for each socket. `of` is the number of the socket.
fn stream(of: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|place| Peer::source_byte(place + of * 1_000_003)).collect()
}

/// A transfer of data on one socket, to an echo and back.
struct Transfer {
    socket: SocketId,
    data: Vec<u8>,
    sent: usize,
    read: Vec<u8>,
    sending: Option<Ticket>,
}

impl Transfer {
    fn new(socket: SocketId, data: Vec<u8>) -> Self {
        Self { socket, data, sent: 0, read: Vec::new(), sending: None }
    }

    /// Reads what has come and sends more. Returns whether all data have come back.
    fn turn(&mut self, pair: &mut Pair) -> bool {
        if let Some(ticket) = self.sending.take() {
            match pair.answered(ticket) {
                Some(Ok(Response::Sent { accepted, .. })) => self.sent += accepted,
                Some(other) => panic!("{other:?}"),
                None => self.sending = Some(ticket),
            }
        }
        if self.sending.is_none() && self.sent < self.data.len() {
            let end = self.data.len().min(self.sent + 16_384);
            let data = self.data[self.sent..end].to_vec();
            let timeout = Duration::from_secs(600);
            self.sending = Some(pair.ask(Request::Send { socket: self.socket, data, timeout }));
        }
        while let Some(bytes) = pair.read_some(self.socket, 65_536).unwrap() {
            self.read.extend(bytes);
        }
        assert!(self.data.starts_with(&self.read), "a wrong byte on {:?}", self.socket);
        self.read.len() == self.data.len()
    }
}

/// Runs all transfers to their ends.
fn complete(pair: &mut Pair, transfers: &mut [Transfer]) {
    let mut before = usize::MAX;
    loop {
        let mut done = true;
        for transfer in transfers.iter_mut() {
            done &= transfer.turn(pair);
        }
        if done {
            return;
        }
        let moved = transfers.iter().map(|transfer| transfer.sent + transfer.read.len()).sum();
        // If nothing has moved, time has to pass.
        if before == moved {
            pair.once();
        }
        before = moved;
    }
}

#[test]
fn eight_sockets_move_a_megabyte_each_in_both_directions() {
    for mode in both_modes() {
        let mut pair = online(mode);
        let mut transfers: Vec<_> =
            (0..8).map(|n| Transfer::new(pair.channel_open(), stream(n, 1 << 20))).collect();
        complete(&mut pair, &mut transfers);
        for transfer in transfers {
            pair.close(transfer.socket).unwrap();
        }
    }
}

#[test]
fn a_peer_that_never_reads_stops_only_its_own_sends() {
    for mode in both_modes() {
        let mut pair = online(mode);
        pair.modem.network_mut().serve("full.test", 9, Peer::echo().never_reads());
        let full = pair.connect("full.test", 9).unwrap();
        let link = pair.modem.network().last_link().unwrap();
        let data = stream(9, 200_000);
        let begun = pair.now;
        let timeout = Duration::from_secs(60);
        let stuck = pair.ask(Request::Send { socket: full, data: data.clone(), timeout });
        let mut transfers: Vec<_> =
            (0..7).map(|n| Transfer::new(pair.channel_open(), stream(n, 100_000))).collect();
        complete(&mut pair, &mut transfers);
        let tries = pair.wrote("AT+CIPSEND=0");
        let Ok(Response::Sent { accepted, .. }) = pair.answer(stuck) else { panic!("{}", pair.story()) };
        assert_eq!(pair.now - begun, timeout);
        // The capacity is the window of the peer plus the buffer of the module.
        assert!((65_000..=76_000).contains(&accepted), "{accepted}");
        let tries = pair.wrote("AT+CIPSEND=0") - tries;
        assert!((30..=70).contains(&tries), "{tries} attempts in a minute");
        // A further send has its own time-out.
        let ticket =
            pair.ask(Request::Send { socket: full, data: vec![0; 1460], timeout: Duration::from_secs(5) });
        assert!(matches!(pair.answer(ticket), Err(Error::Timeout { .. })));
        pair.close(full).unwrap();
        assert!(data.starts_with(pair.modem.network().received(link)));
    }
}

#[test]
fn sends_wait_for_a_slow_network() {
    for mode in both_modes() {
        let mut pair = online(mode);
        let mut transfer = Transfer::new(pair.channel_open(), stream(1, 500_000));
        // With a window of 64 KiB and a second to the peer, the rate is about 64 KiB a second.
        pair.modem.network_mut().set_latency(Duration::from_secs(1));
        let begun = pair.now;
        complete(&mut pair, std::slice::from_mut(&mut transfer));
        let taken = pair.now - begun;
        assert!(taken > Duration::from_secs(6) && taken < Duration::from_secs(40), "{taken:?}");
        assert!(pair.wrote("AT+CIPACK=0") > 3, "the module was never full");
    }
}

#[test]
fn a_repeated_refusal_of_a_module_with_empty_buffers_ends_the_socket() {
    for (text, refusal) in
        [("\r\nERROR\r\n", Refusal::Error), ("\r\n+CME ERROR: 914\r\n", Refusal::Cme(CmeError::BUFFER_FULL))]
    {
        let mut pair = Pair::online();
        let socket = pair.channel_open();
        for _ in 0..2 {
            pair.instead("AT+CIPSEND", text).instead("AT+CIPACK", "\r\n+CIPACK: 5,5,0\r\n\r\nOK\r\n");
        }
        let answer = pair.send(socket, b"hello");
        assert!(
            matches!(answer, Err(Error::Closed(CloseReason::SendRefused(got))) if got == refusal),
            "{answer:?}"
        );
        // A single refusal proves nothing: the bytes may have been sent between the refusal and the question.
        let socket = pair.channel_open();
        pair.instead("AT+CIPSEND", text).instead("AT+CIPACK", "\r\n+CIPACK: 5,5,0\r\n\r\nOK\r\n");
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5);
        pair.instead("AT+CIPSEND", text).instead("AT+CIPACK", "\r\n+CIPACK: 5,2,3\r\n\r\nOK\r\n");
        pair.instead("AT+CIPSEND", text).instead("AT+CIPACK", "");
        assert_eq!(pair.send(socket, b"hello").unwrap(), 5, "{}", pair.story());
    }
}

#[test]
fn a_reader_that_pauses_for_two_seconds_at_ten_megabit_keeps_its_socket_by_default() {
    let settings = Settings::default().baud(Some(10_000_000));
    let mut pair = Pair::with(Config::default(), settings).ready();
    pair.modem.network_mut().serve("source.test", 9, Peer::source(2_500_000));
    let socket = pair.connect("source.test", 9).unwrap();
    pair.run_for(Duration::from_secs(2));
    let unread = pair.engine.socket_statistics(socket).unwrap().max_unread;
    assert!(unread > 1_500_000, "the line was slow: {unread} bytes");
    let read = pair.read(socket, 2_500_000).unwrap();
    assert!(read.iter().zip(0..).all(|(byte, place)| *byte == Peer::source_byte(place)));
    // The error of a socket that never reads names the setting that helps.
    pair.modem.network_mut().serve("more.test", 9, Peer::source(8_000_000));
    let socket = pair.connect("more.test", 9).unwrap();
    pair.run_for(Duration::from_secs(20));
    let (read, end) = pair.read_to_end(socket);
    assert!(read.len() > (4 << 20) - 1460, "{} bytes", read.len());
    assert!(end.to_string().contains("Config::receive_window"), "{end}");
}

#[test]
fn only_the_unread_socket_is_overrun_and_it_reports_the_lost_bytes() {
    let window = 65_536;
    let config = Config::default().receive_window(window);
    let mut pair = Pair::with(config, Settings::default()).ready();
    pair.modem.network_mut().serve("source.test", 9, Peer::source(200_000));
    let others: Vec<_> = (0..7).map(|_| pair.channel_open()).collect();
    let idle = pair.connect("source.test", 9).unwrap();
    pair.run_for(Duration::from_secs(1));
    let mut transfers: Vec<_> =
        others.into_iter().zip(0..).map(|(socket, n)| Transfer::new(socket, stream(n, 50_000))).collect();
    complete(&mut pair, &mut transfers);
    assert_eq!(pair.events.iter().filter(|event| matches!(event, Event::Closed(..))).count(), 1);
    let (read, end) = pair.read_to_end(idle);
    let sent: Vec<u8> = (0..200_000).map(Peer::source_byte).collect();
    assert!(read.len() > window - 1460 && sent.starts_with(&read), "{} bytes", read.len());
    // The bytes that the module had pushed when the channel was closed, counted from the events.
    let pushed: usize = pair.events.iter().map(pushed_on(idle)).sum();
    assert!(
        matches!(end, Error::Overrun { lost } if lost as usize == pushed - read.len()),
        "{end}, {pushed}"
    );
    pair.close(idle).unwrap();
    let again = pair.channel_open();
    assert_eq!(again.channel(), idle.channel());
}

fn pushed_on(socket: SocketId) -> impl Fn(&Event) -> usize {
    move |event| match event {
        Event::Urc(air724ug::at::Urc::Received { channel, len }) if *channel == socket.channel() => *len,
        _ => 0,
    }
}

#[test]
fn in_manual_mode_an_unread_socket_loses_nothing() {
    let config = Config::default().receive_mode(ReceiveMode::Manual).receive_window(8_192);
    let mut pair = Pair::with(config, Settings::default()).ready();
    let idle = pair.channel_open();
    let mut transfers: Vec<_> =
        (0..7).map(|n| Transfer::new(pair.channel_open(), stream(n, 1 << 20))).collect();
    let data = stream(9, 150_000);
    let timeout = Duration::from_secs(3_600);
    let sending = pair.ask(Request::Send { socket: idle, data: data.clone(), timeout });
    complete(&mut pair, &mut transfers);
    pair.run_for(Duration::from_secs(1_800));
    assert!(!pair.saw(|event| matches!(event, Event::Closed(..))));
    let polls = pair.wrote("AT+CIPRXGET=2,0");
    assert!(polls < 20, "{polls} fetches for a socket without room");
    // Half an hour later the application reads.
    assert_eq!(pair.read(idle, data.len()).unwrap(), data);
    assert!(matches!(pair.answer(sending), Ok(Response::Sent { accepted: 150_000, .. })));
}

#[test]
fn data_that_the_module_keeps_after_a_close_are_fetched() {
    let mut pair = online(ReceiveMode::Manual);
    pair.modem.network_mut().serve("source.test", 9, Peer::source(60_000).close_when_sent());
    let socket = pair.connect("source.test", 9).unwrap();
    let (read, end) = pair.read_to_end(socket);
    assert_eq!(read, (0..60_000).map(Peer::source_byte).collect::<Vec<_>>());
    assert!(matches!(end, Error::Closed(CloseReason::Peer)), "{end}");
}

#[test]
fn data_that_the_module_discards_at_a_close_are_reported() {
    let config = Config::default().receive_mode(ReceiveMode::Manual).receive_window(8_192);
    let mut pair = Pair::with(config, Settings::default()).ready();
    pair.modem.network_mut().serve("source.test", 9, Peer::source(60_000).close_when_sent());
    let socket = pair.connect("source.test", 9).unwrap();
    pair.run_for(Duration::from_secs(10));
    let (read, end) = pair.read_to_end(socket);
    assert!(read.len() < 8_192 && (0..60_000).map(Peer::source_byte).collect::<Vec<_>>().starts_with(&read));
    assert!(matches!(end, Error::Closed(CloseReason::PeerWithDataLost)), "{end}");
    pair.close(socket).unwrap();
    pair.channel_open();
}

#[test]
fn a_close_by_the_peer_ends_waiting_sends_at_once() {
    for mode in both_modes() {
        let mut pair = online(mode);
        pair.modem.network_mut().serve("full.test", 9, Peer::echo().never_reads());
        let socket = pair.connect("full.test", 9).unwrap();
        let ticket = pair.sending(socket, &stream(1, 100_000));
        let after = pair.sending(socket, b"behind");
        pair.run_for(Duration::from_secs(2));
        pair.control(Control::PeerClose(0));
        let begun = pair.now;
        assert!(matches!(pair.answer(ticket), Ok(Response::Sent { .. })));
        assert!(matches!(pair.answer(after), Err(Error::Closed(_))));
        assert!(pair.now - begun < Duration::from_secs(3), "{:?}", pair.now - begun);
    }
}

/// The bytes of a payload cause no output, so the engine has to check its deadlines without one.
#[test]
fn a_slow_payload_delays_no_timeout() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    let (mut engine, mut now) = (pair.engine, pair.now);
    let (ticket, timeout) = (Ticket(u64::MAX), Duration::from_secs(5));
    engine.handle(now, Input::Asked(ticket, Request::Send { socket, data: vec![b'x'; 10], timeout }));
    let header = format!("\r\n+RECEIVE,{},1460:\r\n", socket.channel());
    engine.handle(now, Input::Received(header.as_bytes()));
    let due = now + timeout;
    let mut answers = 0;
    for _ in 0..1_000 {
        engine.handle(now, Input::Received(b"y"));
        if engine.deadline().is_some_and(|(at, _)| at <= now) {
            engine.handle(now, Input::Tick);
        }
        while let Some(output) = engine.poll() {
            answers += usize::from(matches!(output, Output::Answered(of, _) if of == ticket));
        }
        assert_eq!(answers, usize::from(now >= due), "at {now}, due at {due}");
        now += Duration::from_millis(10);
    }
}
