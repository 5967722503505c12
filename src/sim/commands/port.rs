//! Commands for the serial port and the form of errors.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::{List, Table, accepted, list, listed, number, switch, zero_if_empty};

/// The rates of the 8910 core (core image); 0 is automatic.
const RATES: [u64; 14] =
    [0, 2400, 4800, 9600, 14_400, 19_200, 28_800, 33_600, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600];

pub(super) const TABLE: Table = &[
    ("+IPR", rate),
    ("+IFC", flow_control),
    ("+ICF", frame),
    ("+CMEE", |machine, form| {
        let form = zero_if_empty(form);
        switch(machine, "+CMEE", &form, (0, 2), |machine| &mut machine.terminal.error_format)
    }),
    // 8910 core image: (0,1,2).
    ("+CSCLK", |machine, form| listed(machine, "+CSCLK", form, 2, |machine| &mut machine.terminal.sleep)),
    ("+WAKETIM", |machine, form| {
        switch(machine, "+WAKETIM", form, (0, 65), |machine| &mut machine.terminal.sleeps_after)
    }),
    ("+CFGRI", ring_indicator),
    ("+CFGRISAVE", accepted),
    ("+CSDT", card_detection),
    ("^TRACECTRL", accepted),
    ("+CIURC", accepted),
    ("+TCPUSERPARAM", accepted),
    ("+CIICRMODE", accepted),
];

/// `+CFGRI: 0` (capture a13). A set value selects pulses on a pin, which are not visible on the line.
fn ring_indicator(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let value = machine.terminal.ring_indicator.to_string();
            machine.keyed("+CFGRI", &value);
        }
        Form::Set(args) => match number(args, 0) {
            Some(value @ 0..=1) if args[1..].iter().all(|arg| arg.number().is_some_and(|span| span > 0)) => {
                machine.terminal.ring_indicator = value as u8;
            }
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute | Form::Test => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `AT+CSDT=<0|1>[,<level>]`: the detection of a card that is inserted or removed (manual); on at the start (assumed).
fn card_detection(machine: &mut Machine, form: &Form) -> Outcome {
    if let Form::Set(args) = form
        && (args.len() > 2 || args.get(1).is_some_and(|level| !matches!(level.number(), Some(0 | 1))))
    {
        return Outcome::cme(Cme::Invalid);
    }
    let form = match form {
        Form::Set(args) => Form::Set(args[..1].to_vec()),
        Form::Execute | Form::Read | Form::Test => form.clone(),
    };
    switch(machine, "+CSDT", &form, (0, 1), |machine| &mut machine.terminal.notices_card)
}

fn rate(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let value = machine.terminal.rate.to_string();
            machine.keyed("+IPR", &value);
        }
        Form::Test => {
            let list = RATES.map(|rate| rate.to_string()).join(",");
            machine.keyed("+IPR", &format!("({list})"));
        }
        Form::Set(args) => match number(args, 0) {
            Some(rate) if RATES.contains(&rate) => return set_rate(machine, rate as u32),
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The answer is sent at the old rate.
fn set_rate(machine: &mut Machine, rate: u32) -> Outcome {
    machine.terminal.rate = rate;
    machine.new_format = Some(machine.terminal.line_format(&machine.settings));
    Outcome::Ok
}

/// `(0,2),(0,2)`: XON/XOFF is not available (capture a16, core image). The first number is the host's control of the
/// modem's data, the second the modem's control of the host's (V.250).
fn flow_control(machine: &mut Machine, form: &Form) -> Outcome {
    let allowed = |value: &u64| matches!(value, 0 | 2);
    match form {
        Form::Read => {
            let (first, second) = machine.terminal.flow;
            let blank = pair_blank(machine);
            machine.keyed("+IFC", &format!("{first},{blank}{second}"));
        }
        Form::Test => {
            let range = format!("(0,2),{}(0,2)", pair_blank(machine));
            machine.keyed("+IFC", &range);
        }
        Form::Set(args) => match parse_pair(args) {
            Some((first, second)) if allowed(&first) && second.as_ref().is_none_or(allowed) => {
                let second = second.unwrap_or(u64::from(machine.terminal.flow.1));
                machine.terminal.flow = (first as u8, second as u8);
            }
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// 8910 core image: 1 two stop bits, 2 a parity bit, 3 neither; seven data bits do not exist.
const FRAME: List<2> = List { key: "+ICF", test: "(1-3),(0-1)", bounds: [(1, 3), (0, 1)], needed: 1 };

fn frame(machine: &mut Machine, form: &Form) -> Outcome {
    let outcome = list(machine, form, &FRAME, |machine| &mut machine.terminal.frame);
    machine.new_format = Some(machine.terminal.line_format(&machine.settings));
    outcome
}

fn pair_blank(machine: &Machine) -> &'static str {
    if machine.settings.profile.pair_blank { " " } else { "" }
}

fn parse_pair(args: &[Arg]) -> Option<(u64, Option<u64>)> {
    let first = number(args, 0)?;
    match args.get(1) {
        None => Some((first, None)),
        Some(second) => Some((first, Some(second.number()?))),
    }
}
