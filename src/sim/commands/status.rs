//! `AT+CIPSTATUS`.

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::Table;
use super::send::channel;

pub(super) const TABLE: Table = &[("+CIPSTATUS", status)];

fn status(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => Outcome::Ok,
        Form::Execute => {
            all(machine);
            Outcome::Bare
        }
        // The manual's syntax has only the row; capture s10, of a SIM800, has the key. No capture shows the form of an
        // Air module: the key is assumed.
        Form::Set(args) if machine.ip.multi() => match channel(machine, args) {
            Some(channel) => {
                let row = row(machine, channel);
                machine.keyed("+CIPSTATUS", &row);
                Outcome::Ok
            }
            None => Outcome::cme(Cme::NotAllowed),
        },
        Form::Set(_) | Form::Read => Outcome::ERROR,
    }
}

/// `OK` first, then the state, then in multiple mode one row for each channel without blank lines (captures a01, a28,
/// s01).
fn all(machine: &mut Machine) {
    machine.final_line("OK");
    let state = machine.ip.state_text(&machine.settings.profile);
    let line = machine.settings.profile.keyed("STATE", &state);
    if !machine.ip.multi() {
        machine.info(&line);
        return;
    }
    let rows = (0..machine.ip.channels.len())
        .map(|channel| machine.settings.profile.keyed("C", &row(machine, channel)));
    let rows = rows.collect::<Vec<_>>().join("\r\n");
    machine.info(&format!("{line}\r\n\r\n{rows}"));
}

/// `0,0,"TCP","1.2.3.4","80","CONNECTED"`, an unused one `1,,"","","","INITIAL"`.
fn row(machine: &Machine, channel: usize) -> String {
    let slot = &machine.ip.channels[channel];
    let bearer = if slot.target.is_some() { "0" } else { "" };
    let (protocol, address, port) = slot.peer();
    format!("{channel},{bearer},\"{protocol}\",\"{address}\",\"{port}\",\"{}\"", slot.state.text())
}
