//! Ctrl-C in an example.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use air724ug::Modem;

use super::shell::complain;

/// The modem of this program. At the end of the program its capture is checked; Ctrl-C closes its connections.
static MODEM: Mutex<Option<Modem>> = Mutex::new(None);
/// A folder of this program's own, removed at Ctrl-C, too.
pub static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
/// The time-out for closing all connections at Ctrl-C.
const END: Duration = Duration::from_millis(1500);
/// The exit code of a program that was interrupted, as in shells.
const INTERRUPTED: i32 = 130;
/// True after Ctrl-C. Later failures are not reported.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Keeps the modem of this program for Ctrl-C and for the end.
pub fn keep(modem: &Modem) {
    *MODEM.lock().unwrap_or_else(PoisonError::into_inner) = Some(modem.clone());
}

pub fn kept() -> Option<Modem> {
    MODEM.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// From now on Ctrl-C closes the connections of the modem that is [kept](keep).
pub fn handle_interrupt(name: &str) {
    let own = name.to_owned();
    // Without a handler, Ctrl-C ends the program as usual.
    let _ = ctrlc::set_handler(move || interrupted(&own));
}

/// Ends the program: closes every connection on the module, if it answers, and completes the capture.
fn interrupted(name: &str) {
    IS_INTERRUPTED.store(true, Ordering::SeqCst);
    let _ = SCRATCH.get().map(std::fs::remove_dir_all);
    let Some(modem) = kept() else { std::process::exit(INTERRUPTED) };
    if modem.is_ready() {
        complain(format_args!("{name}: interrupted; every connection is closed"));
        // If the module does not answer, there is no further remedy.
        let _ = modem.command("AT+CIPSHUT", END);
    }
    modem.close();
    if let Err(error) = modem.flush_capture() {
        complain(format_args!("{name}: {error}"));
    }
    std::process::exit(INTERRUPTED);
}

/// Does not return after Ctrl-C: the thread that closes the connections ends the program.
pub fn wait_if_interrupted() {
    while IS_INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}
