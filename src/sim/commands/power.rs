//! Commands for functionality, restart and supply.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::profile::SupplyStyle;
use super::super::result::{Cme, FollowUp, Outcome};
use super::forms::{Table, number};

pub(super) const TABLE: Table = &[("+CFUN", function), ("+RESET", reset), ("+CBC", supply)];

/// `AT+CBC`: the supply in millivolts (manual, capture a28), or with the charge of a battery before it.
/// `AT+CBC=<on>,<off>` sets the voltages at which the module starts and stops; they have no effect, because the supply
/// is constant here. A SIM800 has only the query (27.007 section 8.4).
fn supply(machine: &mut Machine, form: &Form) -> Outcome {
    if !machine.settings.profile.identity_keyed && !matches!(form, Form::Execute | Form::Test) {
        return Outcome::ERROR;
    }
    match form {
        Form::Execute => {
            let settings = &machine.settings;
            let (percent, charged) = settings.battery;
            let value = match settings.profile.supply {
                SupplyStyle::Millivolts => settings.supply.to_string(),
                SupplyStyle::Charge => format!("{},{percent},{}", u8::from(charged), settings.supply),
            };
            machine.keyed("+CBC", &value);
        }
        Form::Read => {
            let [on, off] = machine.radio.supply_limits;
            machine.keyed("+CBC", &format!("{on},{off}"));
        }
        Form::Test => {}
        Form::Set(args) => {
            let limits = [0, 1].map(|place| number(args, place).and_then(|limit| u16::try_from(limit).ok()));
            match (limits, args.len()) {
                ([Some(on), Some(off)], 2) => machine.radio.supply_limits = [on, off],
                _ => return Outcome::cme(Cme::Invalid),
            }
        }
    }
    Outcome::Ok
}

fn function(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let value = machine.radio.function.to_string();
            machine.keyed("+CFUN", &value);
            Outcome::Ok
        }
        // 8910 core image.
        Form::Test => {
            machine.keyed("+CFUN", "(0,1,4),(0,1)");
            Outcome::Ok
        }
        Form::Set(args) => set_function(machine, args),
        Form::Execute => Outcome::ERROR,
    }
}

fn set_function(machine: &mut Machine, args: &[Arg]) -> Outcome {
    match (number(args, 0), number(args, 1)) {
        // The module restarts with full functionality, for any first number (manual: after AT+CFUN=1,1; assumed for the
        // others).
        (Some(0 | 1 | 4), Some(1)) => reset(machine, &Form::Execute),
        (Some(function @ (0 | 1 | 4)), None | Some(0)) => {
            machine.radio.function = function as u8;
            // Its effects are reported after the answer (capture a14).
            Outcome::OkThen(FollowUp::Service)
        }
        _ => Outcome::cme(Cme::Invalid),
    }
}

/// `OK`, then all settings are lost (captures a14, a18).
fn reset(machine: &mut Machine, form: &Form) -> Outcome {
    if *form != Form::Execute {
        return Outcome::ERROR;
    }
    machine.final_line("OK");
    machine.reboot();
    Outcome::Bare
}
