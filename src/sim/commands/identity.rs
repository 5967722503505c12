//! Commands for the identity of the module.

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::Outcome;
use super::forms::{Table, number};

pub(super) const TABLE: Table = &[
    ("I", information),
    ("+CGMI", manufacturer),
    ("+GMI", manufacturer),
    ("+CGMM", model),
    ("+GMM", model),
    ("+CGMR", revision),
    ("+GMR", revision),
    ("+CGSN", serial_number),
    ("+GSN", serial_number),
    ("+MUID", unique_number),
    ("+GCAP", |machine, form| bare(machine, form, |_| "+GCAP: +CGSM".to_owned())),
];

/// `ATI`. A number after it, which tools send, has no effect (assumed; the manual has `ATI` only).
fn information(machine: &mut Machine, form: &Form) -> Outcome {
    let form = if matches!(form, Form::Set(_)) { &Form::Execute } else { form };
    bare(machine, form, |machine| machine.settings.profile.revision.to_owned())
}

/// Prints one line of text.
pub(super) fn bare(machine: &mut Machine, form: &Form, text: impl FnOnce(&Machine) -> String) -> Outcome {
    match form {
        Form::Execute => {
            let text = text(machine);
            machine.info(&text);
        }
        Form::Test => {}
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `+CGMR: "text"` on Air modules (captures a18, a27); only the text elsewhere.
fn identity(machine: &mut Machine, form: &Form, key: &str, text: &str) -> Outcome {
    let keyed = machine.settings.profile.identity_keyed;
    bare(machine, form, |machine| {
        if keyed { machine.settings.profile.keyed(key, &format!("\"{text}\"")) } else { text.to_owned() }
    })
}

fn manufacturer(machine: &mut Machine, form: &Form) -> Outcome {
    let text = machine.settings.profile.manufacturer;
    identity(machine, form, "+CGMI", text)
}

fn model(machine: &mut Machine, form: &Form) -> Outcome {
    let text = machine.settings.profile.model;
    identity(machine, form, "+CGMM", text)
}

fn revision(machine: &mut Machine, form: &Form) -> Outcome {
    let text = machine.settings.profile.firmware;
    identity(machine, form, "+CGMR", text)
}

/// `+MUID: <32 digits>` (trace l01; the Lua library sends this query at its start).
fn unique_number(machine: &mut Machine, form: &Form) -> Outcome {
    if *form != Form::Read {
        return Outcome::ERROR;
    }
    let value = machine.settings.muid.clone();
    machine.keyed("+MUID", &value);
    Outcome::Ok
}

/// `AT+CGSN` without a key, `AT+CGSN=1` with it (capture a28).
fn serial_number(machine: &mut Machine, form: &Form) -> Outcome {
    let imei = machine.settings.imei.clone();
    match form {
        Form::Execute => machine.info(&imei),
        // Only OK (manual).
        Form::Test => {}
        Form::Set(args) if number(args, 0) == Some(1) => machine.keyed("+CGSN", &format!("\"{imei}\"")),
        Form::Set(args) if number(args, 0) == Some(0) => machine.info(&imei),
        Form::Set(_) | Form::Read => return Outcome::ERROR,
    }
    Outcome::Ok
}
