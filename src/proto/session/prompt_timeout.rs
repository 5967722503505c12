//! The time-out of a prompt after another line came in its place.

use std::time::Duration;

use super::exchange::Exchange;

/// The time-out of a prompt after another line came in its place: thirty times the time of an answer (section 15), and
/// short enough for the other sockets.
pub(super) const GRACE: Duration = Duration::from_millis(300);
/// The same after an error that probably belongs to another command.
const DOUBT_TIMEOUT: Duration = Duration::from_secs(1);

/// The time-out of the prompt after an error. The module waits for the content of a file for the time in the command
/// only, so after an error that probably belongs to another command that time is waited out.
pub(super) fn of(exchange: &Exchange, suspicious: bool) -> Duration {
    match (suspicious, exchange.command.gives_up()) {
        (false, _) => GRACE,
        (true, false) => DOUBT_TIMEOUT,
        (true, true) => Duration::MAX,
    }
}
