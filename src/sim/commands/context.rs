//! The packet domain: attach and contexts.

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::network::Network;
use super::super::result::{Cme, Outcome};
use super::{Table, number};

pub(super) const TABLE: Table =
    &[("+CGATT", attach), ("+CGDCONT", definition), ("+CGACT", activation), ("+CGPADDR", address)];

fn attach(machine: &mut Machine, network: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let value = u8::from(machine.radio.is_usable()).to_string();
            machine.keyed("+CGATT", &value);
        }
        Form::Test => machine.keyed("+CGATT", "(0,1)"),
        Form::Set(args) => match number(args, 0) {
            Some(0) => {
                machine.radio.attached = false;
                machine.bearer_lost(network);
            }
            Some(1) if machine.radio.in_service() => machine.radio.attached = true,
            Some(1) => return Outcome::cme(Cme::NoService),
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The bearer that LTE brings up by itself, with its address (FAQ socket #2); empty without one (firmware V584).
fn definition(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    let cid = machine.settings.profile.bearer_cid;
    match form {
        Form::Read if machine.radio.is_usable() => {
            let value = format!("{cid},\"IP\",\"cmiot\",\"{}\",0,0", machine.settings.address);
            machine.keyed("+CGDCONT", &value);
        }
        Form::Read => machine.keyed("+CGDCONT", ""),
        Form::Test => machine.keyed("+CGDCONT", "(1-7),\"IP\",,,(0),(0)"),
        Form::Set(args) => match number(args, 0) {
            Some(1..=15) => {}
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn activation(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    let cid = machine.settings.profile.bearer_cid;
    match form {
        Form::Read => {
            let value = format!("{cid},{}", u8::from(machine.radio.is_usable()));
            machine.keyed("+CGACT", &value);
        }
        Form::Test => machine.keyed("+CGACT", "(0,1)"),
        Form::Set(args) => match number(args, 0) {
            Some(0) => {}
            // Activation attaches first (27.007 section 10.1.10; captures s05 and s08 do it after AT+CGATT=0).
            Some(1) if machine.radio.in_service() => machine.radio.attached = true,
            Some(1) => return Outcome::cme(Cme::NoService),
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `+CGPADDR: 5,"10.76.1.35"` (capture a19).
fn address(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    let cid = machine.settings.profile.bearer_cid;
    match form {
        Form::Execute | Form::Read | Form::Set(_) => {
            let address =
                if machine.radio.is_usable() { machine.settings.address.to_string() } else { String::new() };
            machine.keyed("+CGPADDR", &format!("{cid},\"{address}\""));
        }
        Form::Test => machine.keyed("+CGPADDR", &format!("({cid})")),
    }
    Outcome::Ok
}
