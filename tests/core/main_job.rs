//! The main job against the simulated modem, in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use crate::support::pair::Pair;
use air724ug::proto::Event;
use air724ug::sim::{Boot, Settings};
use air724ug::{Config, Error, ReceiveMode};
use std::time::Duration;

fn both_modes() -> [Config; 2] {
    [ReceiveMode::Push, ReceiveMode::Manual].map(|mode| Config::default().receive_mode(mode))
}

fn noise(len: usize, mut seed: u32) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn an_echo_returns_every_byte() {
    for config in both_modes() {
        let mut pair = Pair::with(config, Settings::default()).ready();
        let socket = pair.channel_open();
        let data = noise(10_000, 1);
        assert_eq!(pair.send(socket, &data).unwrap(), data.len());
        assert_eq!(pair.read(socket, data.len()).unwrap(), data);
        pair.close(socket).unwrap();
    }
}

#[test]
fn a_module_that_boots_is_brought_up() {
    let mut pair = Pair::with(Config::default(), Settings::default().boot(Boot::Cold)).ready();
    assert!(pair.saw(|event| matches!(event, Event::Ready(Some(_)))));
    pair.channel_open();
}

#[test]
fn eight_sockets_carry_their_own_bytes() {
    for config in both_modes() {
        let mut pair = Pair::with(config, Settings::default()).ready();
        let sockets: Vec<_> = (0..8).map(|_| pair.channel_open()).collect();
        let data: Vec<_> = (0..8).map(|index| noise(20_000, index)).collect();
        let tickets: Vec<_> =
            sockets.iter().zip(&data).map(|(socket, data)| pair.sending(*socket, data)).collect();
        for (socket, data) in sockets.iter().zip(&data) {
            assert_eq!(&pair.read(*socket, data.len()).unwrap(), data);
        }
        for ticket in tickets {
            pair.answer(ticket).unwrap();
        }
    }
}

#[test]
fn the_ninth_socket_is_refused() {
    let mut pair = Pair::online();
    let first = pair.channel_open();
    let _others: Vec<_> = (0..7).map(|_| pair.channel_open()).collect();
    assert!(matches!(pair.connect("echo.test", 7), Err(Error::NoFreeChannel)));
    pair.close(first).unwrap();
    pair.channel_open();
}

#[test]
fn a_command_of_the_application_is_answered() {
    let mut pair = Pair::online();
    let lines = pair.command("AT+CSQ", Duration::from_secs(1)).unwrap();
    assert_eq!(lines, ["+CSQ: 24,99"]);
}
