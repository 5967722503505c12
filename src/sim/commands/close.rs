//! `AT+CIPCLOSE`.

use super::super::control::ModemEvent;
use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::{Table, number};
use super::send::channel;

pub(super) const TABLE: Table = &[("+CIPCLOSE", close)];

fn close(machine: &mut Machine, form: &Form) -> Outcome {
    let multi = machine.ip.multi();
    let channel = match form {
        // Only OK (manual).
        Form::Test => return Outcome::Ok,
        Form::Read => return Outcome::ERROR,
        Form::Execute if multi => return Outcome::ERROR,
        Form::Set(args) if multi => match channel(machine, args) {
            Some(channel) => channel,
            None => return Outcome::cme(Cme::NotAllowed),
        },
        // In single mode 0 is slow and 1 is fast; both close the link.
        Form::Set(args) if !matches!(number(args, 0), Some(0 | 1)) => return Outcome::cme(Cme::Invalid),
        Form::Execute | Form::Set(_) => 0,
    };
    if machine.ip.channels[channel].state.link().is_none() {
        // ERROR (manual) in single mode, +CME ERROR: 3 in multiple mode (capture a27).
        return if multi { Outcome::cme(Cme::NotAllowed) } else { Outcome::ERROR };
    }
    machine.link_close(channel);
    let lost = machine.ip.channels[channel].end();
    machine.happened(ModemEvent::Closed { channel: channel as u8, lost });
    let line = machine.on_channel(channel, "CLOSE OK");
    machine.final_line(&line);
    Outcome::Bare
}
