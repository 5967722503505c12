//! The payload's share of the line rate, compared with the maximum of the protocol.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use air724ug::sim::{FullBuffer, Peer, Settings};
use air724ug::{Config, ReceiveMode};

use crate::CHUNK;
use crate::raw::Raw;
use crate::report::{Goal, report};
use crate::support::driver::{MODES, SOON, Terminal, memory};
use crate::support::pair::Pair;

const SLOW: u32 = 115_200;
const FAST: u32 = 921_600;
const FASTEST: u32 = 3_000_000;

/// The other bytes on the line for each chunk, without echo: command, prompt and result (half duplex); header; both.
const SEND_OVERHEAD: usize = "AT+CIPSEND=0,1460\r\r\n> \r\nDATA ACCEPT:0,1460\r\n".len();
const UNPROMPTED_OVERHEAD: usize = "AT+CIPSEND=0,1460\r\n\r\nDATA ACCEPT:0,1460\r\n".len();
const PUSH_CEILING: f64 = 0.986;
const MANUAL_CEILING: f64 = 0.966;

/// The amounts of payload in virtual time and in real time.
const VIRTUAL: usize = 500 * CHUNK;
const REAL: usize = 50 * CHUNK;
/// The bytes that the module accepts from the network without a read by the host. If more come, each chunk of fetched
/// data costs another 18 bytes for their announcement, which no ceiling includes; if all fit, it does not.
const HELD: usize = 44 * CHUNK;

pub(crate) fn measure() {
    virtually();
    on_a_terminal();
}

fn send_ceiling() -> f64 {
    CHUNK as f64 / (CHUNK + SEND_OVERHEAD) as f64
}

fn unprompted_ceiling() -> f64 {
    CHUNK as f64 / (CHUNK + UNPROMPTED_OVERHEAD) as f64
}

fn receive_ceiling(mode: ReceiveMode) -> f64 {
    match mode {
        ReceiveMode::Push => PUSH_CEILING,
        ReceiveMode::Manual => MANUAL_CEILING,
    }
}

/// The ratio of the payload in a second to the line's bytes in a second.
fn share(bytes: usize, span: Duration, baud: u32) -> f64 {
    bytes as f64 / span.as_secs_f64() / (f64::from(baud) / 10.0)
}

fn settings(baud: u32) -> Settings {
    Settings::default().baud(Some(baud)).full_buffer(FullBuffer::Wait)
}

/// Engine and modem without threads: the cost of the protocol, equal in every run.
fn virtually() {
    let pair = |mode, baud, send_prompt| {
        let config = Config::default().baud_rate(baud).receive_mode(mode).send_prompt(send_prompt);
        let mut pair = Pair::with(config, settings(baud)).ready();
        let network = pair.modem.network_mut();
        network.serve("discard.test", 9, Peer::discard()).serve("source.test", 1, Peer::source(1 << 40));
        network.serve("held.test", 1, Peer::source(HELD as u64));
        pair
    };
    for baud in [SLOW, FAST, FASTEST] {
        for (how, send_prompt, ceiling) in
            [("", true, send_ceiling()), (" without a prompt", false, unprompted_ceiling())]
        {
            let mut pair = pair(ReceiveMode::Push, baud, send_prompt);
            let socket = pair.connect("discard.test", 9).unwrap();
            // The first send may come after a switch of the prompt.
            pair.send(socket, b"x").unwrap();
            let begun_at = pair.now;
            pair.send(socket, &vec![b'x'; VIRTUAL]).unwrap();
            let share = share(VIRTUAL, pair.now - begun_at, baud);
            let goal = if baud == SLOW { 0.998 } else { 0.985 };
            report(
                &format!("send at {baud}{how} / ceiling, virtual time"),
                share / ceiling,
                Goal::AtLeast(goal),
            );
        }
    }
    let receive = |what: &str, mode, host, amount| {
        let mut pair = pair(mode, FAST, true);
        let socket = pair.connect(host, 1).unwrap();
        // The measurement starts after the beginning, which waits for the first frame.
        pair.read(socket, CHUNK).unwrap();
        let begun_at = pair.now;
        pair.read(socket, amount).unwrap();
        let share = share(amount, pair.now - begun_at, FAST);
        let what = format!("receive at {FAST} / ceiling, {mode:?}, {what}, virtual time");
        report(&what, share / receive_ceiling(mode), receive_goal(mode));
    };
    for mode in MODES {
        receive("held by the module", mode, "held.test", HELD - CHUNK);
        receive("more coming", mode, "source.test", VIRTUAL);
    }
}

fn receive_goal(mode: ReceiveMode) -> Goal {
    Goal::AtLeast(if mode == ReceiveMode::Push { 0.999 } else { 0.985 })
}

/// With threads and a terminal, compared with a program that does nothing else: the machine and the simulated line
/// affect both.
fn on_a_terminal() {
    for baud in [SLOW, FAST] {
        let [driver, raw] = send_on_a_terminal(baud).map(|span| share(REAL, span, baud) / send_ceiling());
        let goal = if baud == SLOW { 0.998 } else { 0.985 };
        report(&format!("send at {baud} / ceiling, terminal"), driver, Goal::None);
        report(&format!("send at {baud} / ceiling, terminal, a program without a driver"), raw, Goal::None);
        report(&format!("send at {baud} / that program"), driver / raw, Goal::AtLeast(goal));
    }
    for mode in MODES {
        let share = share(REAL, receive_on_a_terminal(mode), FAST) / receive_ceiling(mode);
        report(
            &format!("receive at {FAST} / ceiling, {mode:?}, more coming, terminal"),
            share,
            receive_goal(mode),
        );
    }
}

/// The times of the driver and of a program without one.
fn send_on_a_terminal(baud: u32) -> [Duration; 2] {
    let terminal = Terminal::with(settings(baud), memory());
    let data = vec![b'x'; REAL];
    let raw = {
        let mut raw = Raw::connect(&terminal.path, "discard.test", 9);
        let begun = Instant::now();
        data.chunks(CHUNK).for_each(|chunk| raw.send(chunk));
        begun.elapsed()
    };
    let modem = terminal.modem(Config::default().baud_rate(baud));
    let mut socket = modem.tcp().connect(("discard.test", 9)).unwrap();
    socket.write_all(&data[..CHUNK]).unwrap();
    socket.flush().unwrap();
    let begun = Instant::now();
    socket.write_all(&data).unwrap();
    // A write returns when the driver has the bytes, a flush when the module has them.
    socket.flush().unwrap();
    [begun.elapsed(), raw]
}

fn receive_on_a_terminal(mode: ReceiveMode) -> Duration {
    let terminal = Terminal::with(settings(FAST), memory());
    let modem = terminal.modem(Config::default().baud_rate(FAST).receive_mode(mode));
    let mut socket = modem.tcp().connect(("source.test", 1)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut data = vec![0; REAL];
    socket.read_exact(&mut data[..CHUNK]).unwrap();
    let begun = Instant::now();
    socket.read_exact(&mut data).unwrap();
    begun.elapsed()
}
