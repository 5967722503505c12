//! The SIM card.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::network::Network;
use super::super::radio::{Card, Power};
use super::super::result::{Cme, Outcome};
use super::{Table, text};

pub(super) const TABLE: Table = &[
    ("+CPIN", pin),
    ("+CIMI", |machine, _, form| bare_number(machine, form, machine.settings.imsi.clone())),
    ("+ICCID", card_number),
    ("+CCID", card_number),
];

/// The refusal by a card that is missing or locked; `None` if it is ready.
pub(super) fn refusal(machine: &Machine) -> Option<Outcome> {
    match machine.radio.card {
        Card::Absent => Some(Outcome::cme(Cme::NoSim)),
        Card::Locked { .. } => Some(Outcome::cme(Cme::PinRequired)),
        Card::Blocked => Some(Outcome::cme(Cme::PukRequired)),
        Card::Ready => None,
    }
}

fn pin(machine: &mut Machine, network: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Read => match machine.card_text() {
            None => Outcome::cme(Cme::NoSim),
            // While the boot has not got to the card (capture s05: SIM busy).
            Some(_) if matches!(machine.radio.power, Power::Booting { printed: ..2, .. }) => {
                Outcome::cme(Cme::SimBusy)
            }
            Some(state) => {
                machine.keyed("+CPIN", state);
                Outcome::Ok
            }
        },
        Form::Set(args) => enter_pin(machine, network, args),
        Form::Test => Outcome::Ok,
        Form::Execute => Outcome::ERROR,
    }
}

fn enter_pin(machine: &mut Machine, network: &mut dyn Network, args: &[Arg]) -> Outcome {
    let right = match &mut machine.radio.card {
        Card::Absent => return Outcome::cme(Cme::NoSim),
        Card::Ready | Card::Blocked => return Outcome::cme(Cme::NotAllowed),
        Card::Locked { pin, tries } => {
            let right = pin == text(args, 0);
            *tries -= u8::from(!right);
            if !right && *tries > 0 {
                return Outcome::cme(Cme::WrongPassword);
            }
            right
        }
    };
    if !right {
        machine.radio.card = Card::Blocked;
        return Outcome::cme(Cme::PukRequired);
    }
    machine.radio.card = Card::Ready;
    machine.final_line("OK");
    let line = machine.settings.profile.keyed("+CPIN", "READY");
    machine.urc(&line);
    machine.reconsider_service(network);
    Outcome::Bare
}

fn bare_number(machine: &mut Machine, form: &Form, number: String) -> Outcome {
    match form {
        Form::Execute => {
            if let Some(refusal) = refusal(machine) {
                return refusal;
            }
            machine.info(&number);
            Outcome::Ok
        }
        Form::Test => Outcome::Ok,
        Form::Read | Form::Set(_) => Outcome::ERROR,
    }
}

fn card_number(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    if *form == Form::Test {
        return Outcome::Ok;
    }
    if machine.radio.card == Card::Absent {
        return Outcome::cme(Cme::NoSim);
    }
    let iccid = machine.settings.iccid.clone();
    if machine.settings.profile.identity_keyed {
        machine.keyed("+ICCID", &iccid);
    } else {
        machine.info(&iccid);
    }
    Outcome::Ok
}
