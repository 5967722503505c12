//! Eight sockets at the same time: the share of each, the longest standstill, and lost bytes.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::sim::{FullBuffer, Peer, Settings};
use air724ug::{Config, ReceiveMode, Socket};

use crate::CHUNK;
use crate::report::{Goal, report};
use crate::support::driver::{MODES, SOON, Terminal, memory};

const SOCKETS: usize = 8;
const SPAN: Duration = Duration::from_millis(1_500);
const RATE: u32 = 921_600;
/// The time without progress after which a socket stands still: each is served every 130 ms.
const STALL: Duration = Duration::from_secs(1);

pub(crate) fn measure() {
    for mode in MODES {
        all(&format!("receive, {mode:?}"), mode, ("source.test", 1), |mut socket, buffer, done| {
            let count = socket.read(buffer).unwrap();
            let is_whole =
                buffer[..count].iter().zip(done..).all(|(byte, at)| *byte == Peer::source_byte(at));
            assert!(is_whole, "a byte is lost or doubled");
            count
        });
    }
    all("send", ReceiveMode::Push, ("discard.test", 9), |mut socket, buffer, _| {
        socket.write(&buffer[..CHUNK]).unwrap()
    });
}

/// The bytes that one socket has moved, and the longest time in which it moved none.
struct Moved {
    bytes: f64,
    pause: Duration,
}

fn all(
    what: &str,
    mode: ReceiveMode,
    peer: (&str, u16),
    step: impl Fn(&Socket, &mut [u8], u64) -> usize + Copy + Send,
) {
    let settings = Settings::default().baud(Some(RATE)).full_buffer(FullBuffer::Wait);
    let terminal = Terminal::with(settings, memory());
    let modem = terminal.modem(Config::default().baud_rate(RATE).receive_mode(mode));
    let sockets: Vec<_> = (0..SOCKETS).map(|_| modem.tcp().connect((peer.0, peer.1)).unwrap()).collect();
    sockets.iter().for_each(|socket| socket.set_read_timeout(Some(SOON)).unwrap());
    let moved: Vec<Moved> = thread::scope(|scope| {
        let threads: Vec<_> = sockets.iter().map(|socket| scope.spawn(move || one(socket, step))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (sum, squares) = moved
        .iter()
        .fold((0.0, 0.0), |(sum, squares), one| (sum + one.bytes, squares + one.bytes * one.bytes));
    let jain = sum * sum / (SOCKETS as f64 * squares);
    report(&format!("{what}, {SOCKETS} sockets, Jain's index"), jain, Goal::AtLeast(0.99));
    let stalls = moved.iter().filter(|one| one.pause > STALL).count();
    report(&format!("{what}, {SOCKETS} sockets, stalls"), stalls as f64, Goal::AtMost(0.0));
    let pause = moved.iter().map(|one| one.pause).max().unwrap_or_default();
    report(
        &format!("{what}, {SOCKETS} sockets, longest pause of one, ms"),
        pause.as_secs_f64() * 1e3,
        Goal::None,
    );
}

fn one(socket: &Socket, step: impl Fn(&Socket, &mut [u8], u64) -> usize) -> Moved {
    let mut buffer = vec![b'x'; 16 * 1024];
    // Bytes before the start of all sockets are not counted.
    let mut at = 0;
    let (mut bytes, mut pause) = (0, Duration::ZERO);
    let begun = Instant::now();
    let mut moved_at = begun;
    while begun.elapsed() < SPAN {
        let count = step(socket, &mut buffer, at) as u64;
        at += count;
        if moved_at > begun {
            bytes += count;
            pause = pause.max(moved_at.elapsed());
        }
        moved_at = Instant::now();
    }
    Moved { bytes: bytes as f64, pause }
}
