//! The IP application: access point, bearer, address, shut-down.

use super::super::ip::Bearer;
use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::result::{Cme, Continuation, Outcome};
use super::forms::{Table, text};

pub(super) const TABLE: Table =
    &[("+CSTT", access_point), ("+CIICR", bring_up), ("+CIFSR", local_address), ("+CIPSHUT", shut)];

/// The longest access point name, user and password (manual, CSTT).
pub(super) const MAX_ACCESS: [usize; 3] = [128, 32, 32];

fn access_point(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let [apn, user, password] = &machine.ip.access;
            let value = format!("\"{apn}\",\"{user}\",\"{password}\"");
            machine.keyed("+CSTT", &value);
            return Outcome::Ok;
        }
        Form::Test => {
            machine.keyed("+CSTT", "\"APN\",\"USER\",\"PWD\"");
            return Outcome::Ok;
        }
        Form::Execute | Form::Set(_) if machine.ip.bearer != Bearer::Initial => {
            return Outcome::cme(Cme::NotAllowed);
        }
        // The access point of AT+CIPCSGP, if it names one; otherwise the network's own.
        Form::Execute => machine.ip.access = machine.ip.default_access.clone(),
        Form::Set(args) => {
            let Some(access) = access(args) else {
                return Outcome::cme(Cme::Invalid);
            };
            machine.ip.access = access;
        }
    }
    machine.ip.bearer = Bearer::Start;
    Outcome::Ok
}

/// Access point, user, password; missing ones are empty. `None` if there are too many or a text is too long.
pub(super) fn access(args: &[Arg]) -> Option<[String; 3]> {
    let fits = args.iter().zip(MAX_ACCESS).all(|(arg, most)| arg.text.len() <= most);
    (args.len() <= MAX_ACCESS.len() && fits).then(|| [0, 1, 2].map(|place| text(args, place).to_owned()))
}

fn bring_up(machine: &mut Machine, form: &Form) -> Outcome {
    match (form, machine.ip.bearer) {
        (Form::Test, _) => Outcome::Ok,
        (Form::Execute, Bearer::Start) => {
            machine.ip.bearer = Bearer::Config;
            machine.pause(machine.settings.bearer_time, Continuation::BearerUp)
        }
        (Form::Execute, _) => Outcome::cme(Cme::NotAllowed),
        (Form::Read | Form::Set(_), _) => Outcome::ERROR,
    }
}

/// The bare address without `OK` (capture a01); `+CME ERROR: 3` before the bearer is active.
fn local_address(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Set(_) => return Outcome::ERROR,
        Form::Execute => {}
    }
    if !machine.ip.is_active() {
        return Outcome::cme(Cme::NotAllowed);
    }
    machine.ip.bearer = Bearer::Ready;
    let address = machine.settings.address.to_string();
    machine.info(&address);
    Outcome::Bare
}

/// `SHUT OK`, in every state, without a line about the links that it closes.
fn shut(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Set(_) => return Outcome::ERROR,
        Form::Execute => {}
    }
    machine.drop_links();
    machine.ip.bearer = Bearer::Initial;
    machine.ip.access = Default::default();
    for channel in &mut machine.ip.channels {
        *channel = super::super::ip::Channel::new();
    }
    machine.final_line("SHUT OK");
    Outcome::Bare
}
