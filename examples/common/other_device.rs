//! The device at a port that does not answer.

use std::time::Duration;

use air724ug::{Config, Modem};

/// What comes from a port in place of an answer, in words. The port must be free: its modem is closed.
pub fn words(port: &str, config: &Config) -> Option<String> {
    /// A device that prints by itself does so every second, as a receiver of GNSS does.
    const LISTEN: Duration = Duration::from_secs(3);
    Modem::open_bare(port, config).ok()?.words_in_place_of_answer(LISTEN).ok()?
}
