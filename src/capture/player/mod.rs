//! A capture as a modem: its received side is played to a program that writes its sent side.

mod departure;
mod port;
mod script;

pub use departure::{Departure, DepartureOutcome};
pub use port::{PlayWatch, PlayedReader, PlayedWriter};

use super::{Capture, Entry};
use script::{Script, Step};

/// The received side of a capture as a port, for [`Modem::start`](crate::Modem::start) and for any other program.
///
/// The bytes that follow a write in the capture come when the program has written the same. Other bytes of the program
/// are a [`Departure`]: a command from a later place is answered from there, other commands are answered with `ERROR`,
/// and other payload is accepted in place of the recorded one. Line ends are not compared, and `*` in a capture matches
/// any byte, because masked secrets consist of it. After its last record the port is silent.
///
/// A test from a log in five lines:
///
/// ```
/// use air724ug::capture::{self, Player};
/// use air724ug::{Config, Modem};
/// use std::time::Duration;
///
/// let capture = capture::load_own("tests/tools/session.capture")?;
/// let (reader, writer, watch) = Player::new(&capture).port();
/// let modem = Modem::start(reader, writer, Config::default())?;
/// modem.wait_ready(Duration::from_secs(30))?;
/// let socket = modem.tcp().connect(("echo.test", 7))?;
/// assert_eq!(watch.departures(), []);
/// # drop(socket);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Player {
    script: Script,
    is_timed: bool,
}

impl Player {
    /// A player of this capture, at the speed of the program.
    pub fn new(capture: &Capture) -> Self {
        let mut steps: Vec<Step> = vec![Step::default()];
        let mut answered = true;
        for located in &capture.records {
            let at = located.record.at;
            match &located.record.what {
                Entry::ToModem(bytes) => {
                    // Several writes without received bytes between them are one.
                    if answered {
                        steps.push(Step { line: located.line, at, ..Step::default() });
                    }
                    answered = false;
                    if let Some(step) = steps.last_mut() {
                        step.expected.extend_from_slice(bytes);
                        step.at = at;
                    }
                }
                Entry::FromModem(bytes) => {
                    answered = true;
                    if let Some(step) = steps.last_mut() {
                        step.output.push((at.saturating_since(step.at), bytes.clone()));
                    }
                }
                Entry::Request(_) | Entry::Note(_) | Entry::Gap => {}
            }
        }
        Self { script: Script::new(steps), is_timed: false }
    }

    /// Plays with the capture's times: each piece comes after the same time since its write.
    #[must_use]
    pub fn timed(self) -> Self {
        Self { is_timed: true, ..self }
    }

    /// The two halves of the port, and a handle to its progress.
    pub fn port(self) -> (PlayedReader, PlayedWriter, PlayWatch) {
        port::open(self.script, self.is_timed)
    }
}
