//! The engine, the simulated modem, a network and applications in one thread on a virtual clock. A seed chooses the
//! actions of the applications, their times, and the faults. Checks observe the run. A failing script is shortened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each program uses its own part")]

mod applications;
mod chance;
mod checks;
mod digest;
mod ending;
mod facts;
mod host_bytes;
pub mod kinds;
mod line;
mod line_faults;
pub mod payload;
pub mod rig;
pub mod script;
mod script_steps;
mod setup;
mod shrink;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::Duration;

use air724ug::ReceiveMode;
use air724ug::sim::Direction;

pub use checks::Unseen;
pub use digest::Digest;
pub use facts::Connection;
pub use kinds::Kind;
pub use script::Script;
pub use shrink::shrunk;

use rig::Rig;

/// A broken promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The name of the check.
    pub check: &'static str,
    /// The failure in words.
    pub what: String,
}

/// The result of a run.
#[derive(Default, Debug)]
pub struct Report {
    pub failure: Option<Failure>,
    /// The virtual duration.
    pub lasted: Duration,
    /// The number of faults by name.
    pub faults: BTreeMap<String, u64>,
    /// The bytes on the line, if requested.
    pub trace: Vec<String>,
    /// A capture of the line, if requested.
    pub capture: Vec<u8>,
    /// The connections.
    pub connections: Vec<Connection>,
    /// The bytes that the peer of each connection has received.
    pub got: Vec<Vec<u8>>,
    /// The receive mode of a run with damage on the line to the host, and the worst damage that no error has reported.
    pub damage: Option<(ReceiveMode, Option<Unseen>)>,
    /// A digest of all bytes that the modem has read and written.
    pub digest: Digest,
}

thread_local! {
    /// The message of a panic in a run; `None` outside of a run.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Reports panics in a run like other failures. Other panics are unchanged.
pub fn catch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let of_run =
                PANIC.with_borrow_mut(|said| said.as_mut().map(|said| *said = info.to_string()).is_some());
            if !of_run {
                before(info);
            }
        }));
    });
}

/// The script of a seed.
pub fn script(kind: Kind, seed: u64) -> Script {
    kinds::script(kind, seed)
}

/// Plays a script.
pub fn play(script: &Script, traced: bool) -> Report {
    let mut report = Report::default();
    for step in &script.steps {
        if let Some(name) = step.act.fault() {
            *report.faults.entry(name).or_default() += 1;
        }
    }
    let mut rig = Rig::new(script, traced);
    PANIC.set(Some(String::new()));
    let run = catch_unwind(AssertUnwindSafe(|| {
        rig.play(script);
        if rig.failure.is_none() {
            rig.end();
        }
    }));
    let said = PANIC.take();
    if run.is_err() {
        let what = said.unwrap_or_default();
        rig.failure = Some(Failure { check: "no-panic", what });
    }
    report.lasted = rig.facts.now.since_origin();
    report.digest = rig.digest;
    report.failure = rig.failure.take();
    report.trace = rig.trace.take().unwrap_or_default();
    report.capture = rig.capture.take().map(|capture| capture.into_inner()).unwrap_or_default();
    report.got = rig.got();
    let is_damaged = rig.facts.is_damaged(Direction::ToHost);
    report.damage = is_damaged.then_some((script.world.mode, rig.unseen));
    report.connections = rig.facts.connections;
    report
}
