//! A modem that loses its port repeatedly for a day, in virtual time. It is ready again each time, and the memory of
//! this process does not grow.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use air724ug::proto::{Request, Response};
use air724ug::sim::{Control, Settings};
use air724ug::time::Timestamp;
use air724ug::{Config, Error};

use crate::sim_soak::resident;
use crate::support::pair::Pair;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The time between two losses.
const BETWEEN: Duration = Duration::from_secs(240);
/// The number of losses until everything with a limit has reached it.
const WARM_UP: u32 = 100;
/// The KiB that the allocator may take in addition.
const SLACK: u64 = 2 * 1024;

#[test]
fn a_modem_that_loses_its_port_for_a_day_does_not_grow_and_serves_eight_sockets() {
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
        // The records of the test do not belong to the modem.
        (pair.events, pair.modem_events, pair.written) = Default::default();
        if losses == WARM_UP {
            held = resident();
        }
    }
    assert!(losses > 3 * WARM_UP, "{losses} losses");
    assert_eq!(pair.engine.statistics().port_losses, u64::from(losses));
    let Some((before, after)) = held.zip(resident()) else {
        println!(
            "NOT TESTED: this system does not report the memory of a process; only the day was simulated"
        );
        return;
    };
    assert!(after <= before + SLACK, "grew from {before} to {after} KiB in {losses} losses");
}
