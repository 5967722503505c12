//! The module itself: attention, echo, error codes, port, identity (V.250, 3GPP 27.007 section 5).

use std::time::Duration;

use super::Command;
use super::shape::Shape;

/// The vendor's own default (protocol section 15: 9 s).
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(9);

impl Command {
    /// `AT`: tests whether the module answers.
    pub fn attention() -> Self {
        Self::new("AT", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `ATQ0`: result codes are printed. The module's default (manual ATQ).
    pub fn results_on() -> Self {
        Self::new("ATQ0", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `ATV1`: result codes as words, `OK` and not `0`. The default of V.250; openLuat's manual does not show it
    /// (section 2).
    pub fn results_in_words() -> Self {
        Self::new("ATV1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `ATE0`: no echo. The module's default is echo on (protocol section 2).
    pub fn echo_off() -> Self {
        Self::new("ATE0", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CMEE=1`: errors as numbers, because their texts differ between firmwares (protocol section 4).
    pub fn error_codes() -> Self {
        Self::new("AT+CMEE=1", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+IFC=2,2` or `AT+IFC=0,0`: RTS/CTS flow control, or none. The chip refuses XON/XOFF (section 1).
    pub fn flow_control(rts_cts: bool) -> Self {
        let text = if rts_cts { "AT+IFC=2,2" } else { "AT+IFC=0,0" };
        Self::new(text, Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+IPR=<baud>`: sets a fixed line rate, which takes effect after the `OK`.
    pub fn line_rate(baud: u32) -> Self {
        Self::new(format!("AT+IPR={baud}"), Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `ATI`: model and firmware, as bare text (`AirM2M_720U_V401881_LTE_AT`).
    pub fn identification() -> Self {
        let accepts = |text: &[u8]| text.first().is_some_and(u8::is_ascii_alphanumeric);
        Self::new("ATI", Shape::Bare { key: "+CGMR", accepts }, DEFAULT_TIMEOUT)
    }

    /// `AT+CGSN`: the IMEI, 15 digits as bare text.
    pub fn serial_number() -> Self {
        let accepts = |text: &[u8]| (14..=17).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
        Self::new("AT+CGSN", Shape::Bare { key: "+CGSN", accepts }, DEFAULT_TIMEOUT)
    }

    /// True if a module answers without doing anything else first. The time that it takes is its pace.
    pub fn is_answered_at_once(&self) -> bool {
        let asks_or_sets = matches!(self.shape, Shape::Plain | Shape::Info { .. });
        asks_or_sets && self.urcs.is_none() && self.timeout == DEFAULT_TIMEOUT
    }

    /// A harmless question that distinguishes old answers from new ones by the key of its answer. The questions are
    /// taken in turn. Those whose key is `taken`, because a late answer may have it, are skipped while there are
    /// others.
    pub fn probe(turn: usize, taken: &dyn Fn(&str) -> bool) -> Self {
        let rotated = |probes: &'static [Probe]| {
            let from = turn.checked_rem(probes.len()).unwrap_or(0);
            probes.iter().cycle().skip(from).take(probes.len()).copied()
        };
        let turns = rotated(&PROBES).chain(rotated(&MORE_PROBES));
        let free = turns.clone().find(|(_, keys)| !taken(keys[0]));
        let (text, keys) = free.or(turns.clone().next()).unwrap_or(PROBES[0]);
        Self::new(text, Shape::Info { keys, accepts: |list| list.len() == 1 }, DEFAULT_TIMEOUT)
    }
}

/// A question, and the keys of its answer.
type Probe = (&'static str, &'static [&'static str]);

/// Questions that every dialect answers in every state (captures s02, a27).
const PROBES: [Probe; 3] =
    [("AT+CIPMUX?", &["+CIPMUX"]), ("AT+CIPQSEND?", &["+CIPQSEND"]), ("AT+CIPMODE?", &["+CIPMODE"])];

/// Questions for the case that each of the first may still be answered late: a fourth question in a row needs another
/// key. `AT+CGATT?` is answered in seven captures (a01, a12, a18, a19, a25, s01, s02); for the others this is an
/// assumption (A88). No read command of the IP application is among them: `AT+CIPHEAD?` has no answer in s02. A
/// barrier asks six, and one more after a late prompt: none of them twice, because the first may be answered late.
const MORE_PROBES: [Probe; 5] = [
    ("AT+CGATT?", &["+CGATT"]),
    ("AT+IPR?", &["+IPR"]),
    ("AT+CMEE?", &["+CMEE"]),
    ("AT+CMGF?", &["+CMGF"]),
    ("AT+CSCS?", &["+CSCS"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_question_is_asked_twice_while_there_is_another() {
        for first in 0..6 {
            let mut asked: Vec<Command> = Vec::new();
            for turn in first..first + PROBES.len() + MORE_PROBES.len() {
                let probe = Command::probe(turn, &|key| asked.iter().any(|older| older.has_key(key)));
                assert!(!asked.iter().any(|older| older.text() == probe.text()), "{}", probe.text());
                asked.push(probe);
            }
        }
    }

    #[test]
    fn what_every_dialect_answers_is_asked_first() {
        let texts: Vec<String> =
            (0..6).map(|turn| Command::probe(turn, &|_| false).text().to_owned()).collect();
        assert!(
            texts.iter().all(|text| PROBES.iter().any(|(probe, _)| text.starts_with(probe))),
            "{texts:?}"
        );
    }
}
