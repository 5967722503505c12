//! The scene: access point, bearer, address, shut-down.

use super::super::ip::Bearer;
use super::super::line::Form;
use super::super::machine::Machine;
use super::super::network::Network;
use super::super::result::{Cme, Outcome, Then};
use super::{Table, text};

pub(super) const TABLE: Table =
    &[("+CSTT", access_point), ("+CIICR", bring_up), ("+CIFSR", local_address), ("+CIPSHUT", shut)];

/// The longest access point name, user or password (27.003: 100 octets; bounds memory).
const MAX_ACCESS: usize = 100;

fn access_point(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
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
        Form::Execute => machine.ip.access = Default::default(),
        Form::Set(args) => {
            if args.len() > 3 || args.iter().any(|arg| arg.text.len() > MAX_ACCESS) {
                return Outcome::cme(Cme::Invalid);
            }
            machine.ip.access = [0, 1, 2].map(|place| text(args, place).to_owned());
        }
    }
    machine.ip.bearer = Bearer::Start;
    Outcome::Ok
}

fn bring_up(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
    match (form, machine.ip.bearer) {
        (Form::Test, _) => Outcome::Ok,
        (Form::Execute, Bearer::Start) => {
            machine.ip.bearer = Bearer::Config;
            machine.pause(machine.settings.bearer_time, Then::BearerUp)
        }
        (Form::Execute, _) => Outcome::cme(Cme::NotAllowed),
        (Form::Read | Form::Set(_), _) => Outcome::ERROR,
    }
}

/// The bare address without `OK` (capture a01); too early `+CME ERROR: 3`.
fn local_address(machine: &mut Machine, _: &mut dyn Network, form: &Form) -> Outcome {
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

/// `SHUT OK`, in every state, without a word about the links that it ends.
fn shut(machine: &mut Machine, network: &mut dyn Network, form: &Form) -> Outcome {
    match form {
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Set(_) => return Outcome::ERROR,
        Form::Execute => {}
    }
    machine.drop_links(network);
    machine.ip.bearer = Bearer::Initial;
    machine.ip.access = Default::default();
    for channel in &mut machine.ip.channels {
        *channel = super::super::ip::Channel::new();
    }
    machine.final_line("SHUT OK");
    Outcome::Bare
}
