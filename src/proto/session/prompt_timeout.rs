//! The time that a prompt may still take behind something else in its place.

use std::time::Duration;

use super::exchange::Exchange;

/// How long a prompt may still take when something has come in its place: thirty times as long as an answer takes (section
/// 15), and short enough not to be noticed by other sockets.
pub(super) const GRACE: Duration = Duration::from_millis(300);
/// The same when an error has come that is likely to be another command's.
const DOUBT_TIMEOUT: Duration = Duration::from_secs(1);

/// The time that the prompt may still take behind an error. The content of a file is waited for no longer than the command
/// says, so an error that is likely to be another's is waited out.
pub(super) fn of(exchange: &Exchange, suspicious: bool) -> Duration {
    match (suspicious, exchange.command.gives_up()) {
        (false, _) => GRACE,
        (true, false) => DOUBT_TIMEOUT,
        (true, true) => Duration::MAX,
    }
}
