//! The module as a network adapter on USB: `AT+SETUSB`, `AT+RNDISCALL` (exchanges of an Air724UG, capture q01; the
//! other forms and values do not exist, assumed). The simulated modem has no USB: both settings are only stored.

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::{Table, number};

pub(super) const TABLE: Table = &[("+SETUSB", mode), ("+RNDISCALL", call)];

/// The mode of the capture. It does not show other modes.
fn mode(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let mode = machine.radio.usb_mode;
            machine.info(&format!("mode: {mode}\r\nVid: 0x1782\r\nPid: 0x4e00"));
        }
        Form::Set(args) => match number(args, 0) {
            Some(mode @ 1..=2) if args.len() == 1 => machine.radio.usb_mode = mode as u8,
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute | Form::Test => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `AT+RNDISCALL=<on>,<from the start>`.
fn call(_: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Set(args)
            if args.len() == 2
                && [0, 1].map(|at| number(args, at).is_some_and(|value| value < 2)) == [true; 2] =>
        {
            Outcome::Ok
        }
        Form::Set(_) => Outcome::cme(Cme::Invalid),
        Form::Execute | Form::Read | Form::Test => Outcome::ERROR,
    }
}
