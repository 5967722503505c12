//! Commands for signal, registration, operator and time.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::machine::REPORTS;
use super::super::result::{Cme, FollowUp, Outcome};
use super::forms::{Table, accepted, number, text};

pub(super) const TABLE: Table = &[
    ("+CSQ", signal),
    ("+CESQ", extended_signal),
    ("+CREG", |machine, form| registration(machine, form, 0)),
    ("+CGREG", |machine, form| registration(machine, form, 1)),
    ("+CEREG", |machine, form| registration(machine, form, 2)),
    ("+COPS", operator),
    ("+CCLK", clock),
    ("+CTZU", zone),
    ("+CTZR", time_report),
    ("+CLTS", accepted),
    ("+CSCON", accepted),
];

/// `+CSQ: 24,99`; without service `99,99` (8910 core). A cell that does not register the module still has a signal
/// (assumed, after 27.007 section 8.5).
fn signal(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Execute if machine.radio.has_signal(&machine.settings) => {
            let value = format!("{},{}", machine.settings.signal, machine.settings.profile.bit_error);
            machine.keyed("+CSQ", &value);
        }
        Form::Execute => machine.keyed("+CSQ", "99,99"),
        Form::Test => machine.keyed("+CSQ", "(0-31,99),(0-7,99)"),
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The extended signal quality (27.007 section 8.69): only the LTE values are known.
fn extended_signal(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Execute if machine.radio.in_service() => {
            let value = format!("99,99,255,255,{},{}", machine.settings.rsrq, machine.settings.rsrp);
            machine.keyed("+CESQ", &value);
        }
        Form::Execute => machine.keyed("+CESQ", "99,99,255,255,255,255"),
        Form::Test => {
            machine.keyed("+CESQ", "(0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)")
        }
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn registration(machine: &mut Machine, form: &Form, report: usize) -> Outcome {
    let key = REPORTS[report];
    if *form == Form::Read {
        let mode = machine.radio.reports[report];
        let stat = machine.registered(report);
        let value = format!("{mode},{stat}{}", machine.cell(mode));
        machine.keyed(key, &value);
        return Outcome::Ok;
    }
    let form = super::forms::zero_if_empty(form);
    super::forms::listed(machine, key, &form, 2, |machine| &mut machine.radio.reports[report])
}

/// `+COPS: 0,2,"46000",7` (manual, COPS).
fn operator(machine: &mut Machine, form: &Form) -> Outcome {
    let (mode, format) = (machine.radio.operator_mode, machine.radio.operator_format);
    match form {
        Form::Read if machine.radio.in_service() => {
            let technology = machine.access_technology();
            let shown = names(machine)[usize::from(format.min(2))].clone();
            machine.keyed("+COPS", &format!("{mode},{format},\"{shown}\"{technology}"));
        }
        Form::Read => machine.keyed("+COPS", &mode.to_string()),
        Form::Test if machine.radio.is_searchable() => {
            let [name, short, digits] = names(machine);
            let technology = machine.access_technology();
            let stat = if machine.radio.in_service() { 2 } else { 1 };
            let modes = machine.settings.profile.operator_modes;
            let list = format!("({stat},\"{name}\",\"{short}\",\"{digits}\"{technology}),,{modes}");
            machine.keyed("+COPS", &list);
        }
        Form::Test => return Outcome::cme(Cme::NoService),
        Form::Set(args) => return select_operator(machine, args),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The network's name in the three formats, the first two in the character set of `AT+CSCS`. Digits are not encoded
/// (assumed).
fn names(machine: &Machine) -> [String; 3] {
    let (settings, phone) = (&machine.settings, &machine.phone);
    [
        phone.encoded(&settings.operator),
        phone.encoded(&settings.operator_short),
        settings.operator_number.clone(),
    ]
}

/// 0 automatic, 1 manual, 2 deregister, 3 set the format only, 4 manual with fallback to automatic. There is one
/// network.
fn select_operator(machine: &mut Machine, args: &[Arg]) -> Outcome {
    let format = match args.get(1).map(|arg| (arg.text.is_empty(), arg.number())) {
        None | Some((true, _)) => None,
        Some((false, Some(format @ 0..=2))) => Some(format as u8),
        Some((false, _)) => return Outcome::cme(Cme::Invalid),
    };
    let named = || {
        let (settings, given) = (&machine.settings, text(args, 2));
        let wanted = match format {
            None | Some(0) => &settings.operator,
            Some(1) => &settings.operator_short,
            Some(_) => return args.len() >= 3 && given == settings.operator_number,
        };
        args.len() >= 3 && machine.phone.decoded(given).as_ref() == Some(wanted)
    };
    let mode = match number(args, 0) {
        Some(3) if format.is_some() => machine.radio.operator_mode,
        Some(0) => 0,
        Some(1) if named() => 1,
        // The network does not exist, and no other is selected (manual, COPS).
        Some(1) if args.len() >= 3 => return Outcome::cme(Cme::NoService),
        Some(2) => 2,
        Some(4) if args.len() >= 3 => u8::from(named()),
        _ => return Outcome::cme(Cme::Invalid),
    };
    machine.radio.operator_format = format.unwrap_or(machine.radio.operator_format);
    machine.radio.operator_mode = mode;
    Outcome::OkThen(FollowUp::Service)
}

/// `AT+CTZU`: 1 if the network's time sets the clock, as after a start. 0 and 1 can be set, although the manual's table
/// has the query only (its introduction has both).
fn zone(machine: &mut Machine, form: &Form) -> Outcome {
    super::forms::switch(machine, "+CTZU", form, (0, 1), |machine| &mut machine.clock.network_sets)
}

/// `AT+CTZR`: the network's time is reported. It can be read but not set (manual).
fn time_report(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => machine.keyed("+CTZR", "1"),
        Form::Test => machine.keyed("+CTZR", "(0-1)"),
        Form::Set(_) => return Outcome::cme(Cme::NotSupported),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn clock(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let time = machine.local_time();
            machine.keyed("+CCLK", &format!("\"{time}\""));
        }
        Form::Test => {}
        Form::Set(args) => match super::super::clock::parse(text(args, 0)).filter(|_| args.len() == 1) {
            Some((utc, zone)) => machine.set_clock(utc, zone),
            None => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}
