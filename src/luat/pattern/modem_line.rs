//! Lines of the modem in the output of the `ril` library, and their meaning for a socket.

use crate::at::{Line, RegistrationStatus, SimState, Urc, fields};

use super::Pattern;

/// The weakest signal that is not reported as weak, of 31: below it the radio works at its limit (-93 dBm).
const WEAK: u32 = 10;

impl Pattern {
    pub(in crate::luat) fn of_modem_line(line: &str) -> Option<Self> {
        if let Some(pattern) = of_urc(&Urc::parse(line.as_bytes())) {
            return Some(pattern);
        }
        let Line::Info { key, list } = Line::parse(line.as_bytes()) else {
            return None;
        };
        let fields = fields(list);
        let number = |at: usize| fields.get(at).and_then(|field| field.number());
        match key {
            b"+CSQ" => {
                let rssi = number(0)?;
                (rssi < WEAK || rssi == 99).then_some(Self::WeakSignal)
            }
            // The answer to a question has the mode before the status.
            b"+CREG" | b"+CGREG" | b"+CEREG" if fields.len() > 1 => {
                (number(1) == Some(3)).then_some(Self::RegistrationDenied)
            }
            _ => None,
        }
    }
}

fn of_urc(urc: &Urc) -> Option<Pattern> {
    match urc {
        Urc::Sim(SimState::Ready) => None,
        Urc::Sim(_) => Some(Pattern::NoSim),
        Urc::Registration(_, RegistrationStatus::Denied) => Some(Pattern::RegistrationDenied),
        Urc::Mode(3, _) => Some(Pattern::OnlyTwoG),
        Urc::PdpDeactivated => Some(Pattern::BearerLost),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_card_signal_registration_and_service_are_understood() {
        for (line, pattern) in [
            ("+CPIN: READY", None),
            ("+CPIN: SIM REMOVED", Some(Pattern::NoSim)),
            ("+CPIN: SIM PIN", Some(Pattern::NoSim)),
            ("+CSQ: 31,0", None),
            ("+CSQ: 10,0", None),
            ("+CSQ: 9,0", Some(Pattern::WeakSignal)),
            ("+CSQ: 99,99", Some(Pattern::WeakSignal)),
            ("+CREG: 1", None),
            ("+CREG: 3", Some(Pattern::RegistrationDenied)),
            ("+CEREG: 2,3", Some(Pattern::RegistrationDenied)),
            ("+CREG: 2,1,\"3\",\"3\"", None),
            ("^MODE: 17,17", None),
            ("^MODE: 3,3", Some(Pattern::OnlyTwoG)),
            ("+PDP: DEACT", Some(Pattern::BearerLost)),
            ("OK", None),
            ("", None),
        ] {
            assert_eq!(Pattern::of_modem_line(line), pattern, "{line}");
        }
    }
}
