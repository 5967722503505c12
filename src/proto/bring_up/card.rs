//! The radio and the SIM card: their states, and the commands that switch on and unlock them.

use crate::at::{CmeError, Line, Refusal, SimState};
use crate::error::NotReady;
use crate::proto::session::Failure;
use crate::time::Timestamp;

use super::states::{Pin, Radio};
use super::{BringUp, BringUpStep, POLL, info};

/// How often a card may still ask for a PIN that it has accepted (section 5: `AT+CPIN?` 20 times).
const SIM_POLLS: u32 = 20;

impl BringUp {
    /// Reads the answer to `AT+CFUN?`: 0 is minimum, 4 flight mode, 1 full functionality (section 1). Without a number
    /// the radio counts as on.
    pub(super) fn radio_is(&mut self, now: Timestamp, lines: &[String]) {
        let function = info(lines, "+CFUN").and_then(|list| list.first()?.number());
        match (function, self.radio) {
            (Some(0 | 4), Radio::Found) if self.config.switch_radio_on => {
                self.reason = NotReady::RadioOff;
                self.go(BringUpStep::RadioOn, now);
            }
            (Some(0 | 4), _) => self.poll(now, NotReady::RadioOff),
            (function, _) => {
                if function.is_some() {
                    self.radio = Radio::Known;
                }
                self.go(BringUpStep::Sim, now);
            }
        }
    }

    pub(super) fn sim(&mut self, now: Timestamp, result: &Result<Vec<String>, Failure>) {
        let state = match result {
            Ok(lines) => match lines.last().map(|line| Line::parse(line.as_bytes())) {
                Some(Line::Info { list, .. }) => SimState::parse(list),
                _ => return self.poll(now, NotReady::SimFailure),
            },
            Err(Failure::Refused(Refusal::Cme(CmeError::SIM_PIN_REQUIRED))) => SimState::PinRequired,
            Err(Failure::Refused(Refusal::Cme(code))) => return self.poll(now, sim_refused(*code)),
            Err(_) => return self.poll(now, NotReady::Starting),
        };
        match state {
            SimState::Ready => {
                if self.pin == Pin::Given {
                    // After a restart the card asks for the PIN again.
                    self.pin = Pin::Untried;
                    self.credentials.pin_was_right();
                }
                self.go(BringUpStep::Signal, now);
            }
            SimState::PinRequired if self.credentials.pin.is_some() && self.pin == Pin::Untried => {
                self.reason = NotReady::Starting;
                self.go(BringUpStep::Pin, now);
            }
            SimState::PinRequired => self.poll(now, self.why_locked()),
            SimState::PukRequired => self.poll(now, NotReady::PukRequired),
            SimState::Removed => self.poll(now, NotReady::NoSim),
            SimState::NotReady | SimState::Other(_) => self.poll(now, NotReady::SimFailure),
        }
    }

    fn why_locked(&self) -> NotReady {
        match self.pin {
            Pin::Untried => NotReady::PinRequired,
            Pin::Given if self.polls < SIM_POLLS => NotReady::Starting,
            Pin::Given | Pin::Refused => NotReady::PinRefused,
        }
    }

    pub(super) fn pin_given(&mut self) {
        self.pin = Pin::Given;
        self.credentials.spend_pin();
    }

    pub(super) fn pin_answered(&mut self, now: Timestamp, result: &Result<Vec<String>, Failure>) {
        if let Err(Failure::Refused(_) | Failure::NoPrompt(_)) = result {
            self.pin = Pin::Refused;
        }
        self.go(BringUpStep::Sim, now + POLL);
    }
}

fn sim_refused(code: CmeError) -> NotReady {
    match code {
        CmeError::SIM_NOT_INSERTED => NotReady::NoSim,
        CmeError::SIM_PUK_REQUIRED => NotReady::PukRequired,
        CmeError::SIM_BUSY => NotReady::Starting,
        CmeError::RADIO_OFF => NotReady::RadioOff,
        _ => NotReady::SimFailure,
    }
}
