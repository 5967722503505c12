//! A capture as a modem: its received side, played to whatever writes what its sent side says.

mod departure;
mod port;
mod script;

pub use departure::{Departure, DepartureOutcome};
pub use port::{PlayWatch, PlayedReader, PlayedWriter};

use super::{Capture, Entry};
use script::{Script, Step};

/// The received side of a capture as a port, for [`Modem::start`](crate::Modem::start) and for any other program.
///
/// What came behind a write in the capture comes when the program has written the same. What the program writes otherwise is a
/// [`Departure`]: a command that stands further on is answered from there, another one is answered `ERROR`, and other
/// payload than the recorded one is taken for it. Line ends do not count, and `*` in a capture stands for any byte, as
/// masked secrets do. Behind its last record the port is silent.
///
/// A log from the field becomes a test in five lines:
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
    /// A player of this capture, as fast as the program writes.
    pub fn new(capture: &Capture) -> Self {
        let mut steps: Vec<Step> = vec![Step::default()];
        let mut answered = true;
        for located in &capture.records {
            let at = located.record.at;
            match &located.record.what {
                Entry::ToModem(bytes) => {
                    // Several writes before anything came are one.
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

    /// Keeps the capture's times: each piece comes as long after the write before it as it did then.
    #[must_use]
    pub fn timed(self) -> Self {
        Self { is_timed: true, ..self }
    }

    /// The two halves of the port, and what tells how far it is.
    pub fn port(self) -> (PlayedReader, PlayedWriter, PlayWatch) {
        port::open(self.script, self.is_timed)
    }
}
