//! A modem that loses its port for a day, in virtual time: it comes back each time, and the memory of this process does not grow.

// What fails here fails a test, in helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use air724ug::proto::{Request, Response};
use air724ug::sim::{Control, Settings};
use air724ug::time::Timestamp;
use air724ug::{Config, Error};

use crate::sim_soak::resident;
use crate::support::pair::Pair;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Between two losses.
const BETWEEN: Duration = Duration::from_secs(240);
/// Losses until everything that has a limit has reached it.
const WARM_UP: u32 = 100;
/// KiB that the allocator may take beyond.
const SLACK: u64 = 2 * 1024;

#[test]
fn a_modem_whose_port_comes_and_goes_for_a_day_does_not_grow_and_serves_eight_sockets_each_time() {
    let _alone = crate::alone();
    let mut pair =
        Pair::with(Config::default(), Settings::default().latency(Duration::from_millis(10))).ready();
    let (mut losses, mut held) = (0, None);
    while pair.now - Timestamp::ZERO < DAY {
        let sockets: Vec<_> = (0..8).map(|_| pair.channel_open()).collect();
        for socket in &sockets {
            pair.send(*socket, &[losses as u8; 200]).unwrap();
            assert_eq!(pair.read(*socket, 200).unwrap(), [losses as u8; 200], "loss {losses}");
        }
        pair.run_for(BETWEEN);
        if losses % 3 == 0 {
            pair.control(Control::UsbRestart(Duration::from_secs(4)));
        } else {
            pair.control(Control::Unplug);
            pair.run_for(Duration::from_secs(u64::from(losses % 7)));
            pair.control(Control::Replug(None));
        }
        losses += 1;
        for socket in sockets {
            assert!(matches!(pair.read_to_end(socket).1, Error::PortLost(_)), "loss {losses}");
            pair.ask(Request::Forget { socket });
        }
        let ready = pair.call(Request::WaitReady { timeout: Duration::from_secs(60) });
        assert!(matches!(ready, Ok(Response::Ready)), "loss {losses}: {ready:?}");
        // What the rig keeps is not the modem's.
        (pair.events, pair.happenings, pair.written) = Default::default();
        if losses == WARM_UP {
            held = resident();
        }
    }
    assert!(losses > 3 * WARM_UP, "{losses} losses");
    assert_eq!(pair.engine.statistics().port_losses, u64::from(losses));
    let Some((before, after)) = held.zip(resident()) else {
        println!("this system does not tell how much memory a process holds: only the day was played");
        return;
    };
    assert!(after <= before + SLACK, "grew from {before} to {after} KiB in {losses} losses");
}
