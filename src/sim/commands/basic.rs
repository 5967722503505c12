//! V.250: `AT`'s one-letter commands.

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::Outcome;
use super::super::terminal::{DtrOff, Terminal};
use super::forms::{Table, number};

pub(super) const TABLE: Table = &[
    ("E", |machine, form| flag(form, |on| machine.terminal.echo = on)),
    ("V", |machine, form| flag(form, |on| machine.terminal.verbose = on)),
    ("Q", |machine, form| flag(form, |on| machine.terminal.quiet = on)),
    ("&F", |machine, form| profile(machine, form, |machine| machine.terminal.factory(&machine.settings))),
    ("Z", |machine, form| profile(machine, form, |machine| machine.terminal.restored(&machine.settings))),
    ("&W", save),
    ("&C", |_, form| without_effect(form, 1)),
    ("&D", dtr),
    ("&K", |_, form| without_effect(form, 6)),
    ("X", |_, form| without_effect(form, 4)),
    ("L", |_, form| without_effect(form, 3)),
    ("M", |_, form| without_effect(form, 3)),
    ("O", online),
    ("S0", |machine, form| register(machine, form, 0, (0, 255))),
    ("S3", |machine, form| fixed_register(machine, form, 13)),
    ("S4", |machine, form| fixed_register(machine, form, 10)),
    ("S5", |machine, form| fixed_register(machine, form, 8)),
    ("S7", |machine, form| register(machine, form, 1, (0, 255))),
    ("S10", |machine, form| register(machine, form, 2, (1, 254))),
];

/// A command for lines and tones that a pseudo-terminal does not have. Values of V.250 or the manual are accepted.
fn without_effect(form: &Form, most: u64) -> Outcome {
    match form {
        Form::Execute => Outcome::Ok,
        Form::Set(args) if number(args, 0).is_some_and(|value| value <= most) => Outcome::Ok,
        Form::Set(_) | Form::Read | Form::Test => Outcome::ERROR,
    }
}

/// `AT&D`; without a value it is `0` (V.250).
fn dtr(machine: &mut Machine, form: &Form) -> Outcome {
    machine.terminal.on_dtr_off = match form {
        Form::Execute => DtrOff::Nothing,
        Form::Set(args) => match number(args, 0) {
            Some(0) => DtrOff::Nothing,
            Some(1) => DtrOff::Escape,
            Some(2) => DtrOff::HangUp,
            _ => return Outcome::ERROR,
        },
        Form::Read | Form::Test => return Outcome::ERROR,
    };
    Outcome::Ok
}

/// `0` or `1`; without a value it is `0` (V.250).
fn flag(form: &Form, set: impl FnOnce(bool)) -> Outcome {
    let value = match form {
        Form::Execute => Some(0),
        Form::Set(args) => number(args, 0),
        Form::Read | Form::Test => None,
    };
    match value {
        Some(value @ (0 | 1)) => set(value == 1),
        _ => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `AT&F`, `ATZ`: restores the settings of the line from the factory or from `AT&W` at once. The line's rate is kept,
/// because the answer would be lost otherwise. There is one profile, number 0.
fn profile(machine: &mut Machine, form: &Form, make: impl FnOnce(&Machine) -> Terminal) -> Outcome {
    if !is_zero(form) {
        return Outcome::ERROR;
    }
    let (rate, frame) = (machine.terminal.rate, machine.terminal.frame);
    machine.terminal = make(machine);
    machine.terminal.rate = rate;
    machine.terminal.frame = frame;
    Outcome::Ok
}

/// `AT&W`: echo, quiet, rate, flow control and frame are preserved over a reset (manual).
fn save(machine: &mut Machine, form: &Form) -> Outcome {
    if !is_zero(form) {
        return Outcome::ERROR;
    }
    machine.terminal.save();
    Outcome::Ok
}

/// True for no value and for `0`.
fn is_zero(form: &Form) -> bool {
    match form {
        Form::Execute => true,
        Form::Set(args) => number(args, 0) == Some(0),
        Form::Read | Form::Test => false,
    }
}

/// `ATO`: returns to transparent data.
fn online(machine: &mut Machine, _: &Form) -> Outcome {
    if machine.can_go_online() {
        return Outcome::Online;
    }
    machine.final_line("NO CARRIER");
    Outcome::Bare
}

/// A register about calls, which do not exist here. Its value is stored and shown (V.250).
fn register(machine: &mut Machine, form: &Form, place: usize, bounds: (u8, u8)) -> Outcome {
    match form {
        Form::Read => {
            let value = machine.terminal.registers[place].to_string();
            machine.info(&value);
        }
        Form::Set(args) => match number(args, 0).and_then(|value| u8::try_from(value).ok()) {
            Some(value) if (bounds.0..=bounds.1).contains(&value) => {
                machine.terminal.registers[place] = value;
            }
            _ => return Outcome::ERROR,
        },
        Form::Execute | Form::Test => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// A register that accepts its current value only (manual, ATS3, ATS4, ATS5).
fn fixed_register(machine: &mut Machine, form: &Form, value: u64) -> Outcome {
    match form {
        Form::Read => machine.info(&value.to_string()),
        Form::Set(args) if number(args, 0) == Some(value) => {}
        Form::Set(_) | Form::Execute | Form::Test => return Outcome::ERROR,
    }
    Outcome::Ok
}
