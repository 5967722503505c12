//! Commands for the packet domain: attach and contexts.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::{Table, number, text};

pub(super) const TABLE: Table =
    &[("+CGATT", attach), ("+CGDCONT", definition), ("+CGACT", activation), ("+CGPADDR", address)];

/// The highest number of a context. 15 is accepted because tools set more contexts than the test form lists.
const MAX_CONTEXT: u64 = 15;
/// 23.003: 100 octets.
const MAX_APN: usize = 100;

fn attach(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let value = u8::from(machine.radio.is_usable()).to_string();
            machine.keyed("+CGATT", &value);
        }
        Form::Test => machine.keyed("+CGATT", "(0-1)"),
        Form::Set(args) => match number(args, 0) {
            Some(0) => {
                machine.radio.attached = false;
                machine.ip.active_contexts.clear();
                machine.bearer_lost();
            }
            Some(1) if machine.radio.in_service() => machine.radio.attached = true,
            Some(1) => return Outcome::cme(Cme::NoService),
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The bearer that LTE activates automatically, with its address (FAQ socket #2), and the contexts that the host has
/// defined; empty without any (firmware V584).
fn definition(machine: &mut Machine, form: &Form) -> Outcome {
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
        let address = address_of(machine, cid);
        format!("{cid},\"{kind}\",\"{apn}\",\"{address}\",0,0")
    };
    contexts.into_iter().map(row).collect()
}

/// True if a context is active: the bearer automatically, another by `AT+CGACT`.
fn is_active(machine: &Machine, cid: u8) -> bool {
    let asked_for = cid == machine.settings.profile.bearer_cid || machine.ip.active_contexts.contains(&cid);
    asked_for && machine.radio.is_usable()
}

/// The bearer's address. Another context has another address in the same network (assumed). Empty for an inactive one.
fn address_of(machine: &Machine, cid: u8) -> String {
    if !is_active(machine, cid) {
        return String::new();
    }
    let beside = if cid == machine.settings.profile.bearer_cid { 0 } else { u32::from(cid) };
    Ipv4Addr::from(u32::from(machine.settings.address).wrapping_add(beside)).to_string()
}

/// The numbers of the contexts: the bearer and those that the host has defined.
fn numbers(machine: &Machine) -> BTreeSet<u8> {
    machine.ip.contexts.keys().copied().chain([machine.settings.profile.bearer_cid]).collect()
}

/// `AT+CGDCONT=<cid>[,<type>[,<apn>[,...]]]`; with the number only it deletes the context (27.007 section 10.1.1).
fn define(machine: &mut Machine, args: &[Arg]) -> Outcome {
    let Some(cid @ 1..=MAX_CONTEXT) = number(args, 0) else {
        return Outcome::cme(Cme::Invalid);
    };
    let cid = cid as u8;
    if args.len() == 1 {
        machine.ip.contexts.remove(&cid);
        machine.ip.active_contexts.remove(&cid);
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

/// `AT+CGACT=<0|1>[,<cid>]`; without a number it applies to all (manual).
fn activation(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            for cid in numbers(machine) {
                let blank = if machine.settings.profile.context_blank { " " } else { "" };
                let value = format!("{cid},{blank}{}", u8::from(is_active(machine, cid)));
                machine.keyed("+CGACT", &value);
            }
        }
        Form::Test => machine.keyed("+CGACT", "(0,1)"),
        Form::Set(args) => {
            let named = match args.get(1).map(Arg::number) {
                None => None,
                Some(Some(cid @ 1..=MAX_CONTEXT)) => Some(cid as u8),
                Some(_) => return Outcome::cme(Cme::Invalid),
            };
            return match number(args, 0) {
                Some(0) => deactivate(machine, named),
                Some(1) => activate(machine, named),
                _ => Outcome::cme(Cme::Invalid),
            };
        }
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// Activation attaches first (27.007 section 10.1.10; captures s05 and s08 activate after AT+CGATT=0). A context that
/// the host has not defined is accepted with the network's choice (assumed: drivers activate 1 with any number of the
/// bearer).
fn activate(machine: &mut Machine, named: Option<u8>) -> Outcome {
    if !machine.radio.in_service() {
        return Outcome::cme(Cme::NoService);
    }
    machine.radio.attached = true;
    let bearer = machine.settings.profile.bearer_cid;
    match named {
        None => {
            let defined: Vec<u8> = numbers(machine).into_iter().filter(|cid| *cid != bearer).collect();
            machine.ip.active_contexts.extend(defined);
        }
        Some(cid) if cid != bearer => {
            machine.ip.contexts.entry(cid).or_insert_with(|| ["IP".to_owned(), String::new()]);
            machine.ip.active_contexts.insert(cid);
        }
        Some(_) => {}
    }
    Outcome::Ok
}

/// Without its bearer the module is not attached: `AT+CGATT?` answers 0 (firmware V1066).
fn deactivate(machine: &mut Machine, named: Option<u8>) -> Outcome {
    match named {
        Some(cid) if cid != machine.settings.profile.bearer_cid => {
            machine.ip.active_contexts.remove(&cid);
        }
        None | Some(_) => {
            machine.radio.attached = false;
            machine.ip.active_contexts.clear();
            machine.bearer_lost();
        }
    }
    Outcome::Ok
}

/// Both addresses of an active context, if the profile shows them and the network provides two.
fn shown_addresses(machine: &Machine, cid: u8) -> String {
    let address = address_of(machine, cid);
    match machine.settings.address6 {
        Some(second) if machine.settings.profile.both_addresses && !address.is_empty() => {
            format!("IPV4:{address}    IPV6:{}", second.to_string().to_uppercase())
        }
        Some(_) | None => address,
    }
}

/// `+CGPADDR: 5,"10.76.1.35"` (capture a19), `+CGPADDR: 5,"IPV4:10.32.140.122    IPV6:::18C9:CE33:97B7:75BD"` (q01).
fn address(machine: &mut Machine, form: &Form) -> Outcome {
    let known = numbers(machine);
    let asked = match form {
        Form::Execute => known,
        Form::Set(args) => {
            let wanted: Option<BTreeSet<u8>> =
                args.iter().map(|arg| arg.number().and_then(|cid| u8::try_from(cid).ok())).collect();
            match wanted.filter(|wanted| wanted.is_subset(&known)) {
                Some(wanted) => wanted,
                None => return Outcome::cme(Cme::Invalid),
            }
        }
        Form::Test => {
            let list = known.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            machine.keyed("+CGPADDR", &format!("({list})"));
            return Outcome::Ok;
        }
        Form::Read => return Outcome::ERROR,
    };
    for cid in asked {
        let value = format!("{cid},\"{}\"", shown_addresses(machine, cid));
        machine.keyed("+CGPADDR", &value);
    }
    Outcome::Ok
}
