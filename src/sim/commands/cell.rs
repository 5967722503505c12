//! Signal, registration, operator, time.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::network::Network;
use super::super::result::{Cme, Outcome};
use super::super::service::REPORTS;
use super::{Table, accepted, number};

pub(super) const TABLE: Table = &[
    ("+CSQ", signal),
    ("+CESQ", extended_signal),
    ("+CREG", |machine, _, form| registration(machine, form, 0)),
    ("+CGREG", |machine, _, form| registration(machine, form, 1)),
    ("+CEREG", |machine, _, form| registration(machine, form, 2)),
    ("+COPS", operator),
    ("+CCLK", clock),
    ("+CTZU", accepted),
    ("+CTZR", accepted),
    ("+CLTS", accepted),
    ("+CSCON", accepted),
];

/// `+CSQ: 24,0`; without service `99,99` (8910 core). A cell that does not register the module is heard all the same
/// (assumed, after 27.007 section 8.5).
fn signal(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Execute if machine.radio.hears(&machine.settings) => {
            let value = format!("{},0", machine.settings.signal);
            machine.keyed("+CSQ", &value);
        }
        Form::Execute => machine.keyed("+CSQ", "99,99"),
        Form::Test => machine.keyed("+CSQ", "(0-31,99),(0-7,99)"),
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// 27.007 section 8.69: only the LTE values are known.
fn extended_signal(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Execute if machine.radio.in_service() => machine.keyed("+CESQ", "99,99,255,255,20,50"),
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
    super::switch(machine, key, form, (0, 2), |machine| &mut machine.radio.reports[report])
}

fn operator(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    let name = machine.settings.operator.clone();
    let digits = machine.settings.operator_number.clone();
    match form {
        Form::Read if machine.radio.in_service() => {
            let format = machine.radio.operator_format;
            let shown = if format == 2 { digits } else { name };
            machine.keyed("+COPS", &format!("0,{format},\"{shown}\",7"));
        }
        Form::Read => machine.keyed("+COPS", "0"),
        Form::Test if machine.radio.in_service() => {
            let list = format!("(2,\"{name}\",\"{name}\",\"{digits}\",7),,(0-4),(0-2)");
            machine.keyed("+COPS", &list);
        }
        Form::Test => return Outcome::cme(Cme::NoService),
        Form::Set(args) => return select_operator(machine, args),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `AT+COPS=3,n` sets how the name is shown; automatic choice is accepted, as there is one network.
fn select_operator(machine: &mut Machine, args: &[Arg]) -> Outcome {
    match (number(args, 0), number(args, 1)) {
        (Some(3), Some(format @ 0..=2)) => machine.radio.operator_format = format as u8,
        (Some(0), _) => {}
        _ => return Outcome::cme(Cme::Invalid),
    }
    Outcome::Ok
}

fn clock(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let time = machine.local_time();
            machine.keyed("+CCLK", &format!("\"{time}\""));
        }
        Form::Test | Form::Set(_) => {}
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}
