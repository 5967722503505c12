//! The commands, with one file for each family and tables to find them by name.

mod basic;
mod bearer;
mod bring_up;
mod card;
mod cell;
mod close;
mod connect;
mod context;
mod engineering;
mod files;
mod forms;
mod heartbeat;
mod identity;
mod names;
mod options;
mod phone;
mod port;
mod power;
mod read;
mod saved;
mod send;
mod ssl;
mod status;
mod subscriber;
mod usb;

use super::line::{Call, Form};
use super::machine::Machine;
use super::result::Outcome;
use forms::Table;

/// The tables of all families.
const FAMILIES: &[Table] = &[
    basic::TABLE,
    bearer::TABLE,
    card::TABLE,
    cell::TABLE,
    close::TABLE,
    connect::TABLE,
    context::TABLE,
    engineering::TABLE,
    files::TABLE,
    heartbeat::TABLE,
    identity::TABLE,
    OWN,
    names::TABLE,
    options::TABLE,
    phone::TABLE,
    port::TABLE,
    power::TABLE,
    read::TABLE,
    saved::TABLE,
    bring_up::TABLE,
    send::TABLE,
    ssl::TABLE,
    status::TABLE,
    subscriber::TABLE,
    usb::TABLE,
];

/// The command that needs the list of all families.
const OWN: Table = &[("+CLAC", all_names)];

/// `AT+CLAC`: every command in a line of its own (27.007, 8.37).
fn all_names(machine: &mut Machine, form: &Form) -> Outcome {
    if !machine.settings.lists_commands {
        return Outcome::ERROR;
    }
    identity::bare(machine, form, |machine| {
        let ancestor = !machine.settings.profile.identity_keyed;
        names()
            .filter(|name| ancestor || *name != "+CCALR")
            .map(|name| format!("AT{name}"))
            .collect::<Vec<_>>()
            .join("\r\n")
    })
}

/// Runs a call; an unknown command is answered with `ERROR` (captures a03, a12).
pub(super) fn execute(machine: &mut Machine, call: &Call) -> Outcome {
    let known = FAMILIES.iter().flat_map(|family| family.iter());
    let found = known.into_iter().find(|(name, _)| *name == call.name);
    match found {
        Some((_, handler)) => handler(machine, &call.form),
        None => Outcome::ERROR,
    }
}

/// The names of all commands, for `AT+CLAC`.
fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_is_in_two_tables() {
        let mut all: Vec<&str> = names().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
