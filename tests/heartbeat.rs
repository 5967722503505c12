//! Heartbeats, in virtual time; and one whose words are made up, on a real thread.
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

mod pair;

use std::time::Duration;

use air724ug::proto::{Event, Pulse, SocketId};
use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{CloseReason, Config, Error, Heartbeat, Modem};
use pair::Pair;

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
fn a_silent_socket_sends_its_heartbeat_again_and_again() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    with_heartbeat(&mut pair, socket, None);
    pair.run_for(Duration::from_secs(35));
    let link = pair.modem.network().last_link().unwrap();
    assert_eq!(pair.modem.network().received(link), b"pingpingping");
}

#[test]
fn traffic_either_way_puts_the_heartbeat_off() {
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
fn answers_are_counted_and_timed() {
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
fn too_many_without_an_answer_end_the_socket() {
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
fn a_heartbeat_without_words_asks_the_shell() {
    let mut pair = Pair::online();
    let socket = silent_peer(&mut pair);
    let mut pulse = Pulse::new(EVERY, []);
    pulse.payload = None;
    pair.engine.set_heartbeat(pair.now, socket, Some(pulse)).unwrap();
    pair.run_for(Duration::from_secs(25));
    assert_eq!(pair.beats, [(socket, 1), (socket, 2)]);
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
fn words_made_up_by_the_application_reach_the_peer() {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    let (reader, writer, _handle) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    modem.wait_ready(Duration::from_secs(20)).unwrap();
    let socket = modem.tcp().connect("echo.test", 7).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let says = Heartbeat::with(Duration::from_millis(20), |count| format!("<{count}>").into_bytes());
    socket.set_heartbeat(says).unwrap();
    let mut heard = String::new();
    while !heard.ends_with("<3>") {
        let mut buf = [0; 64];
        let count = std::io::Read::read(&mut &socket, &mut buf).unwrap();
        heard.push_str(std::str::from_utf8(&buf[..count]).unwrap());
    }
    assert_eq!(heard, "<1><2><3>");
    assert!(socket.heartbeat_statistics().unwrap().sent >= 3);
}

#[test]
fn a_heartbeat_that_makes_no_sense_is_refused() {
    let mut network = MemoryNetwork::new();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    let (reader, writer, _handle) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    let socket = modem.tcp().connect("echo.test", 7).unwrap();
    for wrong in [Heartbeat::new(Duration::ZERO, b"x"), Heartbeat::new(EVERY, b"")] {
        assert!(matches!(socket.set_heartbeat(wrong), Err(Error::InvalidInput { .. })));
    }
    let too_often = socket.set_module_heartbeat(Some((Duration::from_secs(1), b"x")));
    assert!(matches!(too_often, Err(Error::InvalidInput { .. })));
}
