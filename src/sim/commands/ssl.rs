//! `AT+CIPSSL` and `AT+SSLCFG`.

use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::super::tls::{AVAILABLE, KEYS, Key};
use super::forms::{Table, number, switch, text};

pub(super) const TABLE: Table = &[("+CIPSSL", secure), ("+SSLCFG", configure)];

/// The contexts of other applications than channels: FTP, MQTT, HTTP (manual, SSLCFG).
const OTHER_CONTEXTS: [u64; 3] = [34, 88, 153];

/// Applies to all later connects of every channel (protocol.md section 14). Without the feature `sim-tls`, switching it
/// on is refused.
fn secure(machine: &mut Machine, form: &Form) -> Outcome {
    if !AVAILABLE && matches!(form, Form::Set(args) if number(args, 0) == Some(1)) {
        return Outcome::cme(Cme::NotSupported);
    }
    switch(machine, "+CIPSSL", form, (0, 1), |machine| &mut machine.ip.switches.secure)
}

/// `AT+SSLCFG=<key>,<context>` is a query, `AT+SSLCFG=<key>,<context>,` erases, and with a value it sets (manual).
fn configure(machine: &mut Machine, form: &Form) -> Outcome {
    let args = match form {
        Form::Set(args) => args,
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Execute => return Outcome::ERROR,
    };
    let key = KEYS.iter().find(|key| key.name == text(args, 0));
    let (Some(key), Some(context)) = (key, context(machine, args)) else {
        return Outcome::ERROR;
    };
    match args.get(2) {
        None => {
            let value = machine.ip.ssl.value(context, key.name).to_owned();
            machine.keyed("+SSLCFG", &format!("\"{}\",{context},{value}", key.name));
        }
        Some(value) if value.text.is_empty() && args.len() == 3 => machine.ip.ssl.erase(context, key),
        Some(value) if args.len() == 3 && allows(key, &value.text) => {
            machine.ip.ssl.set(context, key, &value.text);
        }
        Some(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn allows(key: &Key, value: &str) -> bool {
    (key.allows)(value)
}

fn context(machine: &Machine, args: &[Arg]) -> Option<u16> {
    let context = number(args, 1)?;
    let known = context < machine.ip.channels.len() as u64 || OTHER_CONTEXTS.contains(&context);
    known.then_some(context as u16)
}
