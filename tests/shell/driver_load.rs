//! Eight sockets at once over a real pseudo-terminal, with real threads and real TCP servers.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::driver::{
    self, SOON, Terminal, all_asleep, common_prefix, connect, noise, ready, server,
};
use air724ug::{Config, Error, Modem, ReceiveMode, Socket};

/// The number of bytes that each socket moves in each direction.
const SIZE: usize = 1_000_000;
const SOCKETS: usize = 8;

/// A modem that is ready, on a line without a rate.
fn modem(mode: ReceiveMode) -> (Terminal, Modem) {
    // The window is small enough for an unread socket to fill it.
    ready(Config::default().receive_mode(mode).receive_window(256 * 1024))
}

/// The bytes that the application sends on a socket, and those that it has to receive.
fn upload(index: usize) -> Vec<u8> {
    noise(SIZE, 1 + index as u32)
}

fn download(index: usize) -> Vec<u8> {
    noise(SIZE, 1001 + index as u32)
}

/// The bytes that the server has received, by the number of the socket.
type Uploads = Arc<Mutex<Vec<Vec<u8>>>>;

/// A server that reads and writes at once. It reads the number of the socket, then moves [`SIZE`] bytes in each
/// direction.
fn full_duplex_server() -> (SocketAddr, Uploads) {
    let uploads: Uploads = Arc::new(Mutex::new(vec![Vec::new(); SOCKETS]));
    let received = uploads.clone();
    let address = server(move |mut stream: TcpStream| {
        let mut index = [0];
        stream.read_exact(&mut index).unwrap();
        let index = usize::from(index[0]);
        let mut out = stream.try_clone().unwrap();
        let writer = thread::spawn(move || drop(out.write_all(&download(index))));
        let mut data = vec![0; SIZE];
        if stream.read_exact(&mut data).is_ok() {
            received.lock().unwrap()[index] = data;
        }
        writer.join().unwrap();
    });
    (address, uploads)
}

fn open_all(modem: &Modem, server: SocketAddr) -> Vec<Socket> {
    (0..SOCKETS)
        .map(|_| {
            let socket = connect(modem, server);
            socket.set_read_timeout(Some(SOON * 3)).unwrap();
            socket
        })
        .collect()
}

fn send_all(mut socket: &Socket, index: usize) {
    socket.write_all(&upload(index)).unwrap_or_else(|error| panic!("socket {index}: {error}"));
}

fn receive_all(mut socket: &Socket, index: usize) {
    let mut data = vec![0; SIZE];
    socket.read_exact(&mut data).unwrap_or_else(|error| panic!("socket {index}: {error}"));
    let same = common_prefix(&data, &download(index));
    assert_eq!(same, SIZE, "socket {index} has another byte at {same}");
}

/// Moves all data on the sockets. The server begins when all readers have started.
fn move_all(sockets: &[Socket], reads: impl Fn(usize) -> bool, sends: impl Fn(usize) -> bool) {
    // The tests run at the same time, so each names its readers differently.
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("reads-{}-", RUNS.fetch_add(1, Ordering::SeqCst));
    thread::scope(|scope| {
        let readers = (0..SOCKETS).filter(|index| reads(*index));
        for index in readers.clone() {
            let (builder, socket) = (thread::Builder::new().name(name.clone()), &sockets[index]);
            builder.spawn_scoped(scope, move || receive_all(socket, index)).unwrap();
        }
        all_asleep(&name, readers.count());
        for (index, socket) in sockets.iter().enumerate() {
            socket.send(&[index as u8]).unwrap();
            if sends(index) {
                scope.spawn(move || send_all(socket, index));
            }
        }
    });
}

fn assert_uploaded(uploads: &Uploads, index: usize) {
    driver::eventually("the server has all bytes", || !uploads.lock().unwrap()[index].is_empty());
    let same = common_prefix(&uploads.lock().unwrap()[index], &upload(index));
    assert_eq!(same, SIZE, "the server has another byte of socket {index} at {same}");
}

fn eight_sockets_move_a_megabyte_each_in_both_directions(mode: ReceiveMode) {
    let (server, uploads) = full_duplex_server();
    let (_terminal, modem) = modem(mode);
    let sockets = open_all(&modem, server);
    move_all(&sockets, |_| true, |_| true);
    (0..SOCKETS).for_each(|index| assert_uploaded(&uploads, index));
    sockets.into_iter().for_each(|socket| socket.close().unwrap());
}

#[test]
fn eight_sockets_move_a_megabyte_in_each_direction_when_data_are_pushed() {
    eight_sockets_move_a_megabyte_each_in_both_directions(ReceiveMode::Push);
}

#[test]
fn eight_sockets_move_a_megabyte_in_each_direction_when_data_are_fetched() {
    eight_sockets_move_a_megabyte_each_in_both_directions(ReceiveMode::Manual);
}

/// The number of the socket that no thread reads.
const UNREAD: usize = 3;

#[test]
fn only_the_unread_socket_is_overrun_when_data_are_pushed() {
    let (server, uploads) = full_duplex_server();
    let (_terminal, modem) = modem(ReceiveMode::Push);
    let sockets = open_all(&modem, server);
    let others = |index| index != UNREAD;
    move_all(&sockets, others, others);
    (0..SOCKETS).filter(|index| others(*index)).for_each(|index| assert_uploaded(&uploads, index));
    let mut kept = Vec::new();
    let error = (&sockets[UNREAD]).read_to_end(&mut kept).unwrap_err();
    let Some(Error::Overrun { lost }) = error.get_ref().and_then(|source| source.downcast_ref()) else {
        panic!("{error:?}");
    };
    assert!(*lost > 0);
    assert!(kept.len() > 250 * 1024 && kept.len() <= 256 * 1024, "{} bytes were kept", kept.len());
    assert_eq!(common_prefix(&kept, &download(UNREAD)), kept.len());
}

#[test]
fn only_the_unread_socket_waits_and_can_be_read_later_when_data_are_fetched() {
    let (server, uploads) = full_duplex_server();
    let (_terminal, modem) = modem(ReceiveMode::Manual);
    let sockets = open_all(&modem, server);
    move_all(&sockets, |index| index != UNREAD, |_| true);
    (0..SOCKETS).for_each(|index| assert_uploaded(&uploads, index));
    receive_all(&sockets[UNREAD], UNREAD);
}
