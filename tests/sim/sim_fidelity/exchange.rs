//! A capture split into exchanges: a command or a piece of payload, and all bytes up to the next one.

use std::time::Duration;

use air724ug::capture::{Capture, Entry};
use air724ug::time::Timestamp;

/// A line that comes this long after the one before was not part of an answer: it reports an event in the network.
const UNASKED_AFTER: Duration = Duration::from_secs(1);

/// One exchange of a capture.
#[derive(Debug)]
pub struct Exchange {
    /// The line of the file at which the exchange begins.
    pub line: usize,
    /// The time of the beginning.
    pub at: Timestamp,
    /// The bytes that the host wrote; `None` for unsolicited lines.
    pub sent: Option<Vec<u8>>,
    /// The bytes that the module wrote.
    pub answer: Vec<u8>,
    /// The time of the last bytes.
    last_at: Timestamp,
}

impl Exchange {
    fn new(line: usize, at: Timestamp, sent: Option<Vec<u8>>) -> Self {
        Self { line, at, sent, answer: Vec::new(), last_at: at }
    }
}

/// All exchanges in order. An exchange without a command also begins at each line of `cuts`, where the publisher listed
/// alternatives or separate observations.
pub fn exchanges(capture: &Capture, cuts: &[usize]) -> Vec<Exchange> {
    let mut found: Vec<Exchange> = Vec::new();
    let mut cut = true;
    for located in &capture.records {
        let at = located.record.at;
        match &located.record.what {
            Entry::ToModem(bytes) => {
                found.push(Exchange::new(located.line, at, Some(bytes.clone())));
                cut = false;
            }
            Entry::FromModem(bytes) => {
                let blank = bytes.iter().all(u8::is_ascii_whitespace);
                let late = found.last().is_none_or(|last| at - last.last_at > UNASKED_AFTER);
                if cut || late || cuts.contains(&located.line) {
                    found.push(Exchange::new(located.line, at, None));
                }
                cut = false;
                if let Some(last) = found.last_mut() {
                    if last.sent.is_none() && last.answer.iter().all(u8::is_ascii_whitespace) {
                        last.line = located.line;
                    }
                    last.answer.extend_from_slice(bytes);
                    last.last_at = if blank { last.last_at } else { at };
                }
            }
            Entry::Gap => cut = true,
            Entry::Request(_) | Entry::Note(_) => {}
        }
    }
    found.retain(|exchange| exchange.sent.is_some() || !lines(&exchange.answer).is_empty());
    found
}

/// The lines of an answer that are not empty. A prompt is a line. Blanks at the end of a line count, control characters
/// do not, because most tools show none.
pub fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    // Text after a prompt is a separate line.
    let text = text.replace("\n> ", "\n> \n");
    let shown = text.split(['\n', '\r']).map(|line| line.trim_start().replace(char::is_control, ""));
    shown.filter(|line| !line.trim().is_empty()).collect()
}
