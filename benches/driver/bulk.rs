//! Reception through a pseudo-terminal without a line rate, compared with a program that reads and drops the bytes.

use std::io::Read;
use std::time::{Duration, Instant};

use air724ug::{Config, Modem};

use crate::CHUNK;
use crate::puppet::Puppet;
use crate::raw::Raw;
use crate::report::{Goal, percentile, report};
use crate::support::driver::SOON;

const AMOUNT: usize = 16_000 * CHUNK;
const ROUNDS: usize = 5;

pub(crate) fn measure() {
    let (mut drivers, mut raws) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raws.push(without_a_driver());
        drivers.push(with_the_driver());
    }
    let rate = |spans: &mut [Duration]| AMOUNT as f64 / percentile(spans, 50).as_secs_f64() / 1e6;
    let (driver, raw) = (rate(&mut drivers), rate(&mut raws));
    report("receive through a terminal, MB/s", driver, Goal::AtLeast(150.0));
    report("receive through a terminal, a program without a driver, MB/s", raw, Goal::None);
    report("receive through a terminal / without a driver", driver / raw, Goal::None);
}

const HEADER: &[u8] = b"\r\n+RECEIVE,0,1460:\r\n";

fn pour(puppet: &Puppet) {
    puppet.order(|end| {
        let frames = [HEADER, &[b'x'; CHUNK]].concat().repeat(40);
        (0..AMOUNT / CHUNK / 40).for_each(|_| end.say(&frames));
    });
}

fn with_the_driver() -> Duration {
    let puppet = Puppet::new();
    let modem = Modem::open(&puppet.path, Config::default()).unwrap();
    modem.wait_ready(SOON).unwrap();
    let mut socket = modem.tcp().connect(("discard.test", 9)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut buffer = vec![0; 64 * 1024];
    let begun = Instant::now();
    pour(&puppet);
    let mut left = AMOUNT;
    while left > 0 {
        left -= socket.read(&mut buffer).unwrap();
    }
    let took = begun.elapsed();
    modem.close();
    took
}

fn without_a_driver() -> Duration {
    let puppet = Puppet::new();
    let mut raw = Raw::connect(&puppet.path, "discard.test", 9);
    let begun = Instant::now();
    pour(&puppet);
    raw.read_exact(AMOUNT / CHUNK * (CHUNK + HEADER.len()));
    begun.elapsed()
}
