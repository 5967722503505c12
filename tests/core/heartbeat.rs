//! Heartbeats, in virtual time. Heartbeats whose payload a function of the application returns run on real threads.
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::support::pair::Pair;
use air724ug::crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use air724ug::event::HeartbeatFailure;
use air724ug::proto::{Beat, Event, Protocol, Pulse, Quotable, Request, Response, SocketId};
use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{CloseReason, Config, Error, Heartbeat, Modem, Received};

const EVERY: Duration = Duration::from_secs(10);

fn with_heartbeat(pair: &mut Pair, socket: SocketId, max_missed: Option<u32>) {
    let mut pulse = Pulse::new(EVERY, *b"ping");
    pulse.max_missed = max_missed;
    pair.engine.set_heartbeat(pair.now, socket, Some(pulse)).unwrap();
}

fn silent_peer(pair: &mut Pair) -> SocketId {
    pair.modem.network_mut().name("mute.test", [10, 1, 0, 8]).serve("mute.test", 7, Peer::discard());
    pair.connect("mute.test", 7).unwrap()
}

#[test]
fn a_silent_socket_repeats_its_heartbeat() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    with_heartbeat(&mut pair, socket, None);
    pair.run_for(Duration::from_secs(35));
    let link = pair.modem.network().last_link().unwrap();
    assert_eq!(pair.modem.network().received(link), b"pingpingping");
}

#[test]
fn data_in_either_direction_postpone_the_heartbeat() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    with_heartbeat(&mut pair, socket, None);
    let link = pair.modem.network().last_link().unwrap();
    for _ in 0..5 {
        pair.run_for(Duration::from_secs(6));
        pair.send(socket, b"x").unwrap();
        pair.run_for(Duration::from_secs(6));
        pair.modem.network_mut().push(link, b"y");
    }
    assert_eq!(pair.modem.network().received(link), b"xxxxx");
}

#[test]
fn answers_to_heartbeats_are_counted_and_timed() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    with_heartbeat(&mut pair, socket, Some(2));
    pair.run_for(Duration::from_secs(45));
    let statistics = pair.engine.heartbeat_statistics(socket).unwrap();
    assert_eq!((statistics.sent, statistics.answered, statistics.missed), (4, 4, 0));
    assert!(statistics.last_round_trip.unwrap() < Duration::from_secs(1));
    assert_eq!(pair.read(socket, 16).unwrap(), b"pingpingpingping");
}

#[test]
fn heartbeats_without_an_answer_end_the_socket() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    with_heartbeat(&mut pair, socket, Some(3));
    let before = pair.now;
    let (_, error) = pair.read_to_end(socket);
    assert!(matches!(error, Error::Closed(CloseReason::HeartbeatLost)), "{error:?}");
    assert_eq!((pair.now - before).as_secs(), 40);
    let missed: Vec<_> = pair
        .events
        .iter()
        .filter_map(|event| if let Event::HeartbeatMissed(_, count) = event { Some(*count) } else { None })
        .collect();
    assert_eq!(missed, [1, 2, 3]);
}

#[test]
fn a_heartbeat_without_payload_asks_the_shell_for_it() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    let mut pulse = Pulse::new(EVERY, []);
    pulse.payload = None;
    pair.engine.set_heartbeat(pair.now, socket, Some(pulse)).unwrap();
    pair.run_for(Duration::from_secs(25));
    assert_eq!(pair.beats, [(socket, 1)], "the shell is asked again only after its answer");
    pair.call(Request::Beat { socket, beat: Beat { count: 1, words: Some(Vec::new()) } }).unwrap();
    pair.run_for(Duration::from_secs(25));
    assert_eq!(pair.beats, [(socket, 1), (socket, 2)]);
    let statistics = pair.engine.heartbeat_statistics(socket).unwrap();
    assert_eq!((statistics.sent, statistics.missed), (0, 0));
}

#[test]
fn no_heartbeat_is_sent_after_it_was_ended() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    with_heartbeat(&mut pair, socket, None);
    pair.engine.set_heartbeat(pair.now, socket, None).unwrap();
    pair.run_for(Duration::from_secs(60));
    let link = pair.modem.network().last_link().unwrap();
    assert_eq!(pair.modem.network().received(link), b"");
}

#[test]
fn the_payload_of_the_applications_function_reaches_the_peer() {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    let (reader, writer, _handle) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    modem.wait_ready(Duration::from_secs(20)).unwrap();
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let says = Heartbeat::with(Duration::from_millis(20), |count| format!("<{count}>").into_bytes());
    socket.set_heartbeat(says).unwrap();
    let mut received = String::new();
    while !received.ends_with("<3>") {
        let mut buf = [0; 64];
        let count = std::io::Read::read(&mut &socket, &mut buf).unwrap();
        received.push_str(std::str::from_utf8(&buf[..count]).unwrap());
    }
    assert_eq!(received, "<1><2><3>");
    assert!(socket.heartbeat_statistics().unwrap().sent >= 3);
}

/// A modem on a thread, with one peer that echoes and one that sends nothing.
fn real_modem(config: Config) -> (Modem, serve::Handle<MemoryNetwork>) {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    network.name("mute.test", [10, 1, 0, 8]).serve("mute.test", 7, Peer::discard());
    let (reader, writer, handle) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, config).unwrap();
    modem.wait_ready(SOON).unwrap();
    (modem, handle)
}

/// A limit: the awaited event comes within milliseconds, or the test fails.
const SOON: Duration = Duration::from_secs(20);

/// The first failed heartbeat among the events.
fn failure(events: &Receiver<Event>) -> HeartbeatFailure {
    let until = std::time::Instant::now() + SOON;
    loop {
        if let Event::HeartbeatFailed(_, failure) = events.recv_deadline(until).unwrap() {
            return failure;
        }
    }
}

#[test]
fn an_invalid_heartbeat_is_refused() {
    let (modem, _handle) = real_modem(Config::default());
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let nanosecond = Duration::from_nanos(1);
    let says = |_| b"x".to_vec();
    for wrong in [
        Heartbeat::new(Duration::ZERO, b"x"),
        Heartbeat::new(EVERY, b""),
        Heartbeat::with(Duration::ZERO, says),
        Heartbeat::new(nanosecond, b"x"),
        Heartbeat::with(nanosecond, says),
        Heartbeat::new(Heartbeat::MIN_SPAN - nanosecond, b"x"),
    ] {
        let answer = socket.set_heartbeat(wrong.clone());
        assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{wrong:?}");
        assert!(socket.heartbeat_statistics().is_none());
    }
    for right in [Heartbeat::new(Heartbeat::MIN_SPAN, b"x"), Heartbeat::with(Duration::MAX, says)] {
        socket.set_heartbeat(right).unwrap();
    }
    let too_often = socket.set_module_heartbeat(Some((Duration::from_secs(1), b"x")));
    assert!(matches!(too_often, Err(Error::InvalidInput { .. })));
}

#[test]
fn an_invalid_pulse_is_refused_by_the_engine_too() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    with_heartbeat(&mut pair, socket, None);
    let shortest = Pulse::MIN_SPAN;
    for wrong in [
        Pulse::new(Duration::ZERO, *b"x"),
        Pulse::new(shortest - Duration::from_nanos(1), *b"x"),
        Pulse::new(EVERY, []),
    ] {
        let answer = pair.engine.set_heartbeat(pair.now, socket, Some(wrong));
        assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{answer:?}");
    }
    // A refused heartbeat leaves the earlier one in place.
    pair.run_for(Duration::from_secs(15));
    assert_eq!(pair.engine.heartbeat_statistics(socket).unwrap().sent, 1);
    pair.engine.set_heartbeat(pair.now, socket, Some(Pulse::new(Duration::MAX, *b"x"))).unwrap();
    pair.run_for(Duration::from_secs(60));
    let mut eager = Pulse::new(shortest, *b"x");
    eager.max_missed = Some(0);
    pair.engine.set_heartbeat(pair.now, socket, Some(eager)).unwrap();
    let before = pair.now;
    let (_, error) = pair.read_to_end(socket);
    assert!(matches!(error, Error::Closed(CloseReason::HeartbeatLost)), "{error:?}");
    assert!(pair.now - before >= shortest * 2, "the socket ended before a heartbeat could be missed");
}

#[test]
fn the_fastest_heartbeat_leaves_time_for_other_commands() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    pair.engine.set_heartbeat(pair.now, socket, Some(Pulse::new(Pulse::MIN_SPAN, *b"x"))).unwrap();
    let before = pair.engine.statistics().commands.written;
    for _ in 0..5 {
        pair.run_for(Duration::from_secs(1));
        pair.command("AT+CSQ", EVERY).unwrap();
    }
    let written = pair.engine.statistics().commands.written - before;
    assert!((100..=550).contains(&written), "{written} commands in 5 s");
}

#[test]
fn a_datagram_that_is_too_long_is_refused_from_every_source() {
    let mut pair = Pair::online();
    pair.modem.network_mut().name("mute.test", [10, 1, 0, 8]).serve("mute.test", 7, Peer::discard());
    let (protocol, host, port) = (Protocol::Udp, Quotable::new("mute.test", 100).unwrap(), 7);
    let connected = pair.call(Request::Connect { protocol, host, port, timeout: SOON });
    let Ok(Response::Connected(socket)) = connected else { panic!("{connected:?}") };
    let link = pair.modem.network().last_link().unwrap();
    let long = || vec![7; 1461];
    let answer = pair.engine.set_heartbeat(pair.now, socket, Some(Pulse::new(EVERY, long())));
    assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{answer:?}");
    for request in
        [Request::Queue { socket, data: long() }, Request::Send { socket, data: long(), timeout: EVERY }]
    {
        let answer = pair.call(request);
        assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{answer:?}");
    }
    let mut pulse = Pulse::new(EVERY, []);
    (pulse.payload, pulse.max_missed) = (None, Some(2));
    pair.engine.set_heartbeat(pair.now, socket, Some(pulse)).unwrap();
    for count in 1..=5 {
        pair.run_for(EVERY);
        assert_eq!(pair.beats.last(), Some(&(socket, count)));
        let answer = pair.call(Request::Beat { socket, beat: Beat { count, words: Some(long()) } });
        assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{answer:?}");
        let reported = pair.events.iter().filter(|event| {
            matches!(event, Event::HeartbeatFailed(_, HeartbeatFailure::TooLong { len: 1461 }))
        });
        assert_eq!(reported.count() as u64, count);
    }
    let statistics = pair.engine.heartbeat_statistics(socket).unwrap();
    assert_eq!((statistics.sent, statistics.missed), (0, 0));
    assert_eq!(pair.modem.network().received_count(link), 0);
}

/// The datagrams of a peer that echoes show their borders.
#[test]
fn a_heartbeat_that_is_too_long_for_a_datagram_is_refused_by_the_facade_too() {
    let (modem, _handle) = real_modem(Config::default());
    let events = modem.events();
    let socket = modem.udp().connect(("echo.test", 7)).unwrap();
    let answer = socket.set_heartbeat(Heartbeat::new(EVERY, [7; 1461]));
    assert!(matches!(answer, Err(Error::InvalidInput { what: "heartbeat", .. })), "{answer:?}");
    assert!(socket.heartbeat_statistics().is_none());
    let says = |count| vec![count as u8; if count <= 3 { 2_000 } else { 1_460 }];
    socket.set_heartbeat(Heartbeat::with(Duration::from_millis(20), says)).unwrap();
    for _ in 0..3 {
        assert_eq!(failure(&events), HeartbeatFailure::TooLong { len: 2_000 });
    }
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(vec![4; 1_460]));
    socket.set_heartbeat(None).unwrap();
    socket.set_heartbeat(Heartbeat::new(Duration::from_millis(20), [7; 1_460])).unwrap();
    // At most those of the earlier heartbeat that were on their way come first.
    let datagrams = [(); 20].map(|()| socket.recv(SOON).unwrap());
    assert!(datagrams.iter().all(|one| matches!(one, Received::Data(data) if data.len() == 1_460)));
    assert_eq!(datagrams[19], Received::Data(vec![7; 1_460]));
}

#[test]
fn a_heartbeat_that_does_not_fit_into_the_queue_is_reported_and_not_counted_as_missed() {
    let (modem, _handle) = real_modem(Config::default().send_queue(1_000));
    let events = modem.events();
    let socket = modem.tcp().connect(("mute.test", 7)).unwrap();
    let every = Duration::from_millis(20);
    let (entered, is_in) = bounded(1);
    let (let_go, may_go) = bounded::<()>(0);
    let long = Heartbeat::with(every, move |count| {
        if count > 5 {
            let _ = entered.try_send(());
            let _ = may_go.recv();
        }
        vec![b'x'; if count <= 5 { 1_001 } else { 1_000 }]
    });
    socket.set_heartbeat(long.max_missed(3)).unwrap();
    for _ in 0..5 {
        assert_eq!(failure(&events), HeartbeatFailure::QueueFull { len: 1_001, room: 1_000 });
    }
    is_in.recv_timeout(SOON).unwrap();
    let statistics = socket.heartbeat_statistics().unwrap();
    assert_eq!((statistics.sent, statistics.missed), (0, 0));
    drop(let_go);
    // Heartbeats that fit are sent, and counted as missed without an answer.
    let lost = socket.recv(SOON);
    assert!(matches!(lost, Err(Error::Closed(CloseReason::HeartbeatLost))), "{lost:?}");
    assert_eq!(socket.statistics().sent, 3_000);
}

#[test]
fn payload_that_comes_late_or_twice_is_not_sent() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    let link = pair.modem.network().last_link().unwrap();
    let asks = || {
        let mut pulse = Pulse::new(EVERY, []);
        pulse.payload = None;
        pulse
    };
    pair.engine.set_heartbeat(pair.now, socket, Some(asks())).unwrap();
    pair.run_for(EVERY * 2);
    assert_eq!(pair.beats, [(socket, 1)]);
    let words = |text: &str| Some(text.as_bytes().to_vec());
    let say = |count, text| Request::Beat { socket, beat: Beat { count, words: words(text) } };
    for (count, text) in [(0, "wrong"), (1, "one"), (1, "twice"), (2, "early")] {
        assert!(pair.call(say(count, text)).is_ok());
    }
    pair.run_for(EVERY * 2);
    assert_eq!(pair.beats, [(socket, 1), (socket, 2)]);
    pair.engine.set_heartbeat(pair.now, socket, None).unwrap();
    assert!(pair.call(say(2, "ended")).is_ok());
    pair.run_for(EVERY);
    assert_eq!(pair.modem.network().received(link), b"one");
}

#[test]
fn a_function_that_panics_ends_its_heartbeat_and_nothing_else() {
    let (modem, _handle) = real_modem(Config::default());
    let events = modem.events();
    let (bad, good) =
        (modem.tcp().connect(("echo.test", 7)).unwrap(), modem.tcp().connect(("echo.test", 7)).unwrap());
    let every = Duration::from_millis(20);
    bad.set_heartbeat(Heartbeat::with(every, |_| panic!("the test wants a panic"))).unwrap();
    good.set_heartbeat(Heartbeat::with(every, |count| vec![count as u8])).unwrap();
    assert_eq!(failure(&events), HeartbeatFailure::Panicked);
    assert!(bad.heartbeat_statistics().is_none());
    assert!(matches!(good.recv(SOON), Ok(Received::Data(data)) if data[0] == 1));
    bad.send(b"still here").unwrap();
    assert_eq!(bad.recv(SOON).unwrap(), Received::Data(b"still here".to_vec()));
    bad.set_heartbeat(Heartbeat::with(every, |_| b"!".to_vec())).unwrap();
    assert!(matches!(bad.recv(SOON), Ok(Received::Data(data)) if data[0] == b'!'));
}

#[test]
fn a_function_that_blocks_or_uses_the_modem_delays_nothing_else() {
    let (modem, _handle) = real_modem(Config::default());
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let (entered, is_in) = bounded(1);
    let (let_go, may_go) = bounded::<()>(0);
    let asked = modem.clone();
    let says = move |count| {
        if count > 1 {
            return Vec::new();
        }
        let _ = entered.try_send(());
        let _ = may_go.recv();
        asked.signal_quality().map_or_else(|error| error.to_string(), |_| "asked".into()).into_bytes()
    };
    socket.set_heartbeat(Heartbeat::with(Duration::from_millis(20), says)).unwrap();
    is_in.recv_timeout(SOON).unwrap();
    socket.send(b"meanwhile").unwrap();
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"meanwhile".to_vec()));
    assert!(modem.signal_quality().is_ok());
    drop(let_go);
    assert_eq!(socket.recv(SOON).unwrap(), Received::Data(b"asked".to_vec()));
}

#[test]
fn a_socket_whose_writes_are_shut_down_has_no_heartbeat() {
    let (modem, handle) = real_modem(Config::default());
    let socket = modem.tcp().connect(("mute.test", 7)).unwrap();
    let (entered, is_in) = bounded(1);
    let (let_go, may_go) = bounded::<()>(0);
    let says = move |_| {
        let _ = entered.send(());
        let _ = may_go.recv();
        b"ping".to_vec()
    };
    socket.set_heartbeat(Heartbeat::with(Duration::from_millis(20), says)).unwrap();
    is_in.recv_timeout(SOON).unwrap();
    // The function runs at this moment, so its payload comes after the shutdown.
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    drop(let_go);
    assert!(socket.heartbeat_statistics().is_none());
    for heartbeat in [Heartbeat::new(EVERY, b"ping"), Heartbeat::with(EVERY, |_| b"ping".to_vec())] {
        let answer = socket.set_heartbeat(heartbeat);
        assert!(matches!(answer, Err(Error::Closed(CloseReason::ShutDown))), "{answer:?}");
    }
    socket.set_heartbeat(None).unwrap();
    assert_eq!(socket.recv(Duration::from_millis(200)).unwrap(), Received::Timeout);
    let received = handle.with(|modem| {
        let network = modem.network();
        network.last_link().map(|link| network.received(link).to_vec())
    });
    assert_eq!(received, Some(Some(Vec::new())));
}

#[test]
fn a_heartbeat_of_fixed_payload_ends_when_the_writes_are_shut_down() {
    let (modem, handle) = real_modem(Config::default());
    let socket = modem.tcp().connect(("mute.test", 7)).unwrap();
    socket.set_heartbeat(Heartbeat::new(Duration::from_millis(20), b"ping")).unwrap();
    let received =
        || handle.with(|modem| modem.network().received_count(modem.network().last_link().unwrap()));
    while received() < Some(8) {
        thread::yield_now();
    }
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(socket.heartbeat_statistics().is_none());
    // One may be on its way.
    socket.wait_accepted().unwrap();
    let before = received();
    assert_eq!(socket.recv(Duration::from_millis(200)).unwrap(), Received::Timeout);
    assert_eq!(received(), before);
}

/// A module that restarts without a banner shows it by its silence.
#[test]
fn a_heartbeat_of_a_transparent_stream_is_sent_counted_and_missed() {
    let (modem, handle) = real_modem(Config::default());
    let events = modem.events();
    let stream = modem.connect_transparent(("mute.test", 7)).unwrap();
    for wrong in [Heartbeat::new(Duration::ZERO, b"x"), Heartbeat::new(EVERY, b"")] {
        let answer = stream.set_heartbeat(wrong.clone());
        assert!(matches!(answer, Err(Error::InvalidInput { .. })), "{wrong:?}");
        assert!(stream.heartbeat_statistics().is_none());
    }
    let says = |count| format!("<{count}>").into_bytes();
    stream.set_heartbeat(Heartbeat::with(Duration::from_millis(20), says)).unwrap();
    while stream.heartbeat_statistics().unwrap().sent < 3 {
        thread::yield_now();
    }
    stream.set_heartbeat(None).unwrap();
    assert!(stream.heartbeat_statistics().is_none());
    let begins = |modem: &mut Simulator<MemoryNetwork>| {
        let network = modem.network();
        network.received(network.last_link().unwrap()).starts_with(b"<1><2><3>")
    };
    let until = std::time::Instant::now() + SOON;
    while handle.with(begins) != Some(true) {
        assert!(std::time::Instant::now() < until, "the heartbeats have not reached the peer");
        thread::yield_now();
    }
    let _ = events.try_iter().count();
    stream.set_heartbeat(Heartbeat::new(Duration::from_millis(20), b"ping").max_missed(2)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let error = std::io::Read::read(&mut &stream, &mut [0; 8]).unwrap_err();
    assert!(error.to_string().contains("heartbeat"), "{error}");
    let missed = |event| if let Event::HeartbeatMissed(_, count) = event { Some(count) } else { None };
    assert_eq!(events.try_iter().filter_map(missed).collect::<Vec<_>>(), [1, 2]);
}

/// Waits until the port is closed, which ends the events.
fn ends(events: Receiver<Event>) -> bool {
    let until = std::time::Instant::now() + SOON;
    loop {
        match events.recv_deadline(until) {
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

#[test]
fn a_function_that_owns_handles_does_not_keep_the_port_open() {
    let (modem, _handle) = real_modem(Config::default());
    let events = modem.events();
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let other = modem.tcp().connect(("mute.test", 7)).unwrap();
    let owned = modem.clone();
    let says = move |_| format!("{:?} {:?}", owned, other.id()).into_bytes();
    socket.set_heartbeat(Heartbeat::with(EVERY, says)).unwrap();
    drop(modem);
    drop(socket);
    assert!(ends(events));
}

#[test]
fn a_function_that_owns_its_own_socket_is_dropped_when_the_socket_ends() {
    let (modem, _handle) = real_modem(Config::default());
    let events = modem.events();
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let owned = socket.clone();
    socket.set_heartbeat(Heartbeat::with(EVERY, move |_| format!("{owned:?}").into_bytes())).unwrap();
    drop(modem);
    socket.close().unwrap();
    assert!(ends(events));
}

#[test]
fn a_function_that_owns_its_own_socket_is_dropped_when_the_modem_is_closed() {
    let (modem, _handle) = real_modem(Config::default());
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let owned = socket.clone();
    let (kept, gone) = bounded::<()>(0);
    let says = move |_| format!("{owned:?} {kept:?}").into_bytes();
    socket.set_heartbeat(Heartbeat::with(EVERY, says)).unwrap();
    drop(socket);
    modem.close();
    assert_eq!(gone.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_value_that_a_function_owns_may_panic_when_it_is_dropped() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("the test wants a panic");
        }
    }
    let (modem, _handle) = real_modem(Config::default());
    for _ in 0..2 {
        let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
        let owned = Panics;
        let says = move |_| {
            let _ = &owned;
            Vec::new()
        };
        socket.set_heartbeat(Heartbeat::with(EVERY, says)).unwrap();
        socket.close().unwrap();
        assert!(modem.signal_quality().is_ok());
    }
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    socket.set_heartbeat(Heartbeat::with(Duration::from_millis(20), |_| b"on".to_vec())).unwrap();
    assert!(matches!(socket.recv(SOON), Ok(Received::Data(data)) if data.starts_with(b"on")));
}

/// The documentation of heartbeats says: all functions of a modem run on one thread of their own. A function is dropped
/// on that thread, or by the caller that removes or replaces the heartbeat.
#[test]
fn functions_run_on_one_thread_of_their_own_and_are_dropped_there_or_by_their_caller() {
    struct Owned(Sender<ThreadId>);
    impl Drop for Owned {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }
    let (modem, _handle) = real_modem(Config::default());
    let (called, calls) = unbounded();
    let (dropped, drops) = unbounded();
    let beat = |index: usize, every| {
        let (called, owned) = (called.clone(), Owned(dropped.clone()));
        let says = move |_| {
            let _ = (&owned, called.send((index, thread::current().id())));
            Vec::new()
        };
        Heartbeat::with(every, says)
    };
    let sockets = [(); 2].map(|()| modem.tcp().connect(("echo.test", 7)).unwrap());
    for (index, socket) in sockets.iter().enumerate() {
        socket.set_heartbeat(beat(index, Duration::from_millis(20))).unwrap();
    }
    let (mut own, mut has_called) = (None, [false; 2]);
    while has_called != [true; 2] {
        let (index, thread) = calls.recv_timeout(SOON).unwrap();
        has_called[index] = true;
        assert_eq!(*own.get_or_insert(thread), thread);
    }
    let own = own.unwrap();
    assert_ne!(own, thread::current().id());
    // The socket ends.
    sockets[0].clone().close().unwrap();
    assert_eq!(drops.recv_timeout(SOON), Ok(own));
    // The heartbeat is replaced while its function may run and removed while it does not, and the modem is closed.
    sockets[1].set_heartbeat(beat(1, EVERY)).unwrap();
    assert!(drops.recv_timeout(SOON).is_ok());
    sockets[1].set_heartbeat(None).unwrap();
    assert_eq!(drops.recv_timeout(SOON), Ok(thread::current().id()));
    sockets[1].set_heartbeat(beat(1, EVERY)).unwrap();
    modem.close();
    assert_eq!(drops.recv_timeout(SOON), Ok(own));
}
