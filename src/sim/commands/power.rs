//! Functionality and restart.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::network::Network;
use super::super::result::{Cme, Outcome};
use super::{Table, number};

pub(super) const TABLE: Table = &[("+CFUN", function), ("+RESET", reset)];

fn function(machine: &mut Machine, network: &mut dyn Network, form: &Form) -> Outcome {
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
        Form::Set(args) => set_function(machine, network, args),
        Form::Execute => Outcome::ERROR,
    }
}

fn set_function(machine: &mut Machine, network: &mut dyn Network, args: &[Arg]) -> Outcome {
    match (number(args, 0), number(args, 1)) {
        (Some(1), Some(1)) => reset(machine, network, &Form::Execute),
        (Some(function @ (0 | 1 | 4)), None | Some(0)) => {
            machine.radio.function = function as u8;
            // What it changes is told after the answer (capture a14).
            machine.final_line("OK");
            machine.reconsider_service(network);
            Outcome::Bare
        }
        _ => Outcome::cme(Cme::Invalid),
    }
}

/// `OK`, then everything is forgotten (captures a14, a18).
fn reset(machine: &mut Machine, network: &mut dyn Network, form: &Form) -> Outcome {
    if *form != Form::Execute {
        return Outcome::ERROR;
    }
    machine.final_line("OK");
    machine.reboot(network);
    Outcome::Bare
}
