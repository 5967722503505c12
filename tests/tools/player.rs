//! Playback of a recorded session to the driver that recorded it.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::time::Duration;

use air724ug::capture::{self, Capture, Player};
use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{Config, Modem};

const SOON: Duration = Duration::from_secs(60);

/// The actions of the application in the recording.
pub fn session(modem: &Modem, message: &[u8]) -> Vec<u8> {
    modem.wait_ready(SOON).unwrap();
    let mut socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    socket.write_all(message).unwrap();
    let mut answer = vec![0; message.len()];
    socket.read_exact(&mut answer).unwrap();
    socket.close().unwrap();
    answer
}

fn recorded(name: &str) -> Capture {
    let path = std::env::temp_dir().join(format!("air724ug-player-{name}-{}.capture", std::process::id()));
    let mut network = MemoryNetwork::new();
    network.serve("echo.test", 7, Peer::echo());
    let (reader, writer, world) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, Config::default().capture(&path)).unwrap();
    assert_eq!(session(&modem, b"hello"), b"hello");
    modem.close();
    drop(world);
    let capture = capture::load_own(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    capture
}

#[test]
fn a_recorded_session_is_played_back_to_its_driver_without_a_departure() {
    let capture = recorded("again");
    let (reader, writer, watch) = Player::new(&capture).port();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    assert_eq!(session(&modem, b"hello"), b"hello");
    assert_eq!(watch.departures(), []);
    assert!(watch.wait_over(SOON));
    modem.close();
}

#[test]
fn the_first_departure_of_another_program_is_reported() {
    let capture = recorded("other");
    let (reader, writer, watch) = Player::new(&capture).port();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    assert_eq!(session(&modem, b"howdy"), b"hello", "the recorded peer echoes the recorded message");
    let departures = watch.departures();
    assert_eq!(departures.len(), 1, "{departures:?}");
    assert_eq!(departures[0].written, b"howdy");
}
