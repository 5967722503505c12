//! The speed of the separation of pushed data from text, without a port: the decoder alone, and the engine with a
//! reader.

use std::hint::black_box;
use std::time::{Duration, Instant};

use air724ug::at::{Decoder, Expect, Token};
use air724ug::proto::{Input, Output, SocketId};

use crate::CHUNK;
use crate::report::{Goal, report};
use crate::support::pair::Pair;

/// The payload of a measurement, and the number of measurements: many short ones, because the fastest counts and the
/// others were disturbed.
const AMOUNT: usize = 1 << 20;
const TIMES: usize = 60;

pub(crate) fn measure() {
    let mut pair = Pair::online();
    let socket = pair.channel_open();
    for (frame, least) in [(CHUNK, 1_000.0), (16, 200.0)] {
        let stream = frames(socket, frame, AMOUNT / 16);
        let rates = [1, 64, CHUNK, 4096].map(|chunk| {
            let decoder = best(|amount| decode(&stream, chunk, amount));
            let engine = best(|amount| receive(&mut pair, socket, &stream, chunk, amount));
            let goal = if chunk == 4096 { Goal::AtLeast(least) } else { Goal::None };
            report(&format!("decode, frames of {frame}, chunks of {chunk}, MB/s"), decoder, goal);
            report(
                &format!("engine and read, frames of {frame}, chunks of {chunk}, MB/s"),
                engine,
                Goal::None,
            );
            [decoder, engine]
        });
        let [_, small, _, large] = rates;
        for (what, at) in [("decode", 0), ("engine and read", 1)] {
            let linear = small[at] / large[at];
            report(&format!("{what}, frames of {frame}, 64 / 4096"), linear, Goal::AtLeast(0.3));
        }
    }
    let from = vec![b'x'; AMOUNT / 16];
    let mut to = Vec::with_capacity(from.len());
    let copy = best(|amount| {
        for _ in 0..amount.div_ceil(from.len()) {
            to.clear();
            to.extend_from_slice(black_box(&from));
            black_box(&to);
        }
        amount
    });
    report("to compare with: a copy of as many bytes, MB/s", copy, Goal::None);
}

/// `amount` bytes of payload in frames of `frame` bytes.
fn frames(socket: SocketId, frame: usize, amount: usize) -> Vec<u8> {
    let header = format!("\r\n+RECEIVE,{},{frame}:\r\n", socket.channel());
    [header.as_bytes(), &vec![b'x'; frame]].concat().repeat(amount / frame)
}

/// Millions of bytes of payload a second; `run` returns the number of bytes that it has read.
fn best(mut run: impl FnMut(usize) -> usize) -> f64 {
    let mut rate = |amount| {
        let begun = Instant::now();
        let done = run(amount);
        done as f64 / begun.elapsed().max(Duration::from_nanos(1)).as_secs_f64() / 1e6
    };
    // A sixteenth is sufficient for slow ones.
    let first = rate(AMOUNT / 16);
    let amount = if first < 100.0 { AMOUNT / 16 } else { AMOUNT };
    (0..TIMES).map(|_| rate(amount)).fold(first, f64::max)
}

fn decode(stream: &[u8], chunk: usize, amount: usize) -> usize {
    let mut decoder = Decoder::new();
    let mut done = 0;
    while done < amount {
        for mut input in stream.chunks(chunk) {
            while let Some(token) = decoder.next(&mut input, Expect::Line) {
                if let Token::Data { bytes, .. } = black_box(token) {
                    done += bytes.len();
                }
            }
        }
    }
    done
}

fn receive(pair: &mut Pair, socket: SocketId, stream: &[u8], chunk: usize, amount: usize) -> usize {
    let mut buffer = [0; 16 * 1024];
    let mut done = 0;
    while done < amount {
        for input in stream.chunks(chunk) {
            pair.engine.handle(pair.now, Input::Received(input));
            let mut is_readable = false;
            while let Some(output) = pair.engine.poll() {
                is_readable |= matches!(black_box(output), Output::Readable(_));
            }
            while is_readable && let Some(count) = pair.engine.read(pair.now, socket, &mut buffer).unwrap() {
                black_box(&buffer);
                done += count;
            }
        }
    }
    done
}
