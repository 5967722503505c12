//! The packet domain: attach and contexts.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::network::Network;
use super::super::result::{Cme, Outcome};
use super::{Table, number, text};

pub(super) const TABLE: Table =
    &[("+CGATT", attach), ("+CGDCONT", definition), ("+CGACT", activation), ("+CGPADDR", address)];

/// The highest number of a context: 15 is taken by tools that write more than the test form promises.
const MAX_CONTEXT: u64 = 15;
/// 23.003: 100 octets.
const MAX_APN: usize = 100;

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

/// The bearer that LTE brings up by itself, with its address (FAQ socket #2), and the contexts that the host has
/// defined; empty without any (firmware V584).
fn definition(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let rows = rows(machine);
            for row in &rows {
                machine.keyed("+CGDCONT", row);
            }
            if rows.is_empty() {
                machine.keyed("+CGDCONT", "");
            }
        }
        Form::Test => machine.keyed("+CGDCONT", "(1-7),\"IP\",,,(0),(0)"),
        Form::Set(args) => return define(machine, args),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn rows(machine: &Machine) -> Vec<String> {
    let bearer = machine.settings.profile.bearer_cid;
    let mut contexts = machine.ip.contexts.clone();
    if machine.radio.is_usable() {
        contexts.entry(bearer).or_insert(["IP".to_owned(), "cmiot".to_owned()]);
    }
    let row = |(cid, [kind, apn]): (u8, [String; 2])| {
        let active = cid == bearer && machine.radio.is_usable();
        let address = if active { machine.settings.address.to_string() } else { String::new() };
        format!("{cid},\"{kind}\",\"{apn}\",\"{address}\",0,0")
    };
    contexts.into_iter().map(row).collect()
}

/// `AT+CGDCONT=<cid>[,<type>[,<apn>[,...]]]`; the number alone forgets the context (27.007 section 10.1.1).
fn define(machine: &mut Machine, args: &[Arg]) -> Outcome {
    let Some(cid @ 1..=MAX_CONTEXT) = number(args, 0) else {
        return Outcome::cme(Cme::Invalid);
    };
    let cid = cid as u8;
    if args.len() == 1 {
        machine.ip.contexts.remove(&cid);
        return Outcome::Ok;
    }
    let (kind, apn) = (text(args, 1).to_uppercase(), text(args, 2));
    let known = matches!(kind.as_str(), "IP" | "IPV6" | "IPV4V6" | "PPP");
    if !known || apn.len() > MAX_APN {
        return Outcome::cme(Cme::Invalid);
    }
    machine.ip.contexts.insert(cid, [kind, apn.to_owned()]);
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
