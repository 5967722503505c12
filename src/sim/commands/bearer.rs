//! `AT+SAPBR`: the bearers of the applications other than TCP/IP. Each is opened and closed separately (openLuat's page
//! SAPBR, in the manuals of the family; captures s05, s08, s12).

use std::net::Ipv4Addr;

use super::super::ip::BearerProfile;
use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::{Table, number, text};

pub(super) const TABLE: Table = &[("+SAPBR", bearer)];

/// The parameters in the order of [`BearerProfile::parameters`]; the last two are for circuit-switched data.
const PARAMETERS: [&str; 6] = ["CONTYPE", "APN", "USER", "PWD", "PHONENUM", "RATE"];
/// The most bytes of a parameter (openLuat, SAPBR).
const MAX_PARAMETER: usize = 50;
/// `<status>`: connected, closed.
const OPEN: u8 = 1;
const CLOSED: u8 = 3;

fn bearer(machine: &mut Machine, form: &Form) -> Outcome {
    let args = match form {
        Form::Set(args) => args,
        Form::Test => {
            machine.keyed("+SAPBR", "(0-4),(1-3),\"ConParamTag\",\"ConParamValue\"");
            return Outcome::Ok;
        }
        Form::Read | Form::Execute => return Outcome::ERROR,
    };
    let Some(place @ 0..3) = number(args, 1).and_then(|cid| cid.checked_sub(1)) else {
        return Outcome::cme(Cme::Invalid);
    };
    let place = place as usize;
    match number(args, 0) {
        Some(0) => close(machine, place),
        Some(1) => open(machine, place),
        Some(2) => {
            let (status, address) = match machine.ip.bearer_profiles[place].open {
                true => (OPEN, machine.settings.address),
                false => (CLOSED, Ipv4Addr::UNSPECIFIED),
            };
            machine.keyed("+SAPBR", &format!("{},{status},\"{address}\"", place + 1));
            Outcome::Ok
        }
        Some(3) => set(&mut machine.ip.bearer_profiles[place], args),
        Some(4) => {
            show(machine, place);
            Outcome::Ok
        }
        _ => Outcome::cme(Cme::Invalid),
    }
}

/// Opens a bearer. An open one can't be opened again (capture s12). It also attaches, like `AT+CGACT` (assumed).
fn open(machine: &mut Machine, place: usize) -> Outcome {
    let profile = &machine.ip.bearer_profiles[place];
    let [_, access_point, ..] = &profile.parameters;
    if profile.open || !machine.radio.in_service() || !machine.is_access_point(access_point) {
        return Outcome::cme(Cme::NotAllowed);
    }
    machine.radio.attached = true;
    machine.ip.bearer_profiles[place].open = true;
    Outcome::Ok
}

/// Closes a bearer. A closed one can't be closed again (assumed).
fn close(machine: &mut Machine, place: usize) -> Outcome {
    if !std::mem::take(&mut machine.ip.bearer_profiles[place].open) {
        return Outcome::cme(Cme::NotAllowed);
    }
    Outcome::Ok
}

/// Sets `"CONTYPE"` or another parameter, with or without quotes (s12), in any case (s05).
fn set(profile: &mut BearerProfile, args: &[Arg]) -> Outcome {
    let name = text(args, 2).to_uppercase();
    let place = PARAMETERS.iter().position(|parameter| *parameter == name);
    match (place, args.get(3)) {
        (Some(place), Some(value)) if value.text.len() <= MAX_PARAMETER => {
            profile.parameters[place].clone_from(&value.text);
            Outcome::Ok
        }
        _ => Outcome::cme(Cme::Invalid),
    }
}

/// Shows each parameter in a line of its own after the bare key, as a SIM800 does (assumed for the others).
fn show(machine: &mut Machine, place: usize) {
    let parameters = &machine.ip.bearer_profiles[place].parameters;
    let rows: Vec<String> =
        PARAMETERS.iter().zip(parameters).take(4).map(|(name, value)| format!("{name}: {value}")).collect();
    machine.info("+SAPBR:");
    for row in rows {
        machine.info(&row);
    }
}
