//! The common part of the command families: their tables, and commands that set and show numbers.

use crate::sim::line::{Arg, Form};
use crate::sim::machine::Machine;
use crate::sim::result::{Cme, Outcome};

/// Runs one form of a command.
pub(super) type Handler = fn(&mut Machine, &Form) -> Outcome;

/// Commands with their handlers.
pub(super) type Table = &'static [(&'static str, Handler)];

/// The argument at a place as a number; `None` if it is missing or not a number.
pub(super) fn number(args: &[Arg], place: usize) -> Option<u64> {
    args.get(place).and_then(Arg::number)
}

/// The argument at a place as text; empty if it is missing.
pub(super) fn text(args: &[Arg], place: usize) -> &str {
    args.get(place).map_or("", |arg| arg.text.as_str())
}

/// A command that is a number between two bounds: test, read and set.
pub(super) fn switch(
    machine: &mut Machine,
    key: &str,
    form: &Form,
    bounds: (u8, u8),
    place: impl Fn(&mut Machine) -> &mut u8,
) -> Outcome {
    match form {
        Form::Test => machine.keyed(key, &format!("({}-{})", bounds.0, bounds.1)),
        Form::Read => {
            let value = place(machine).to_string();
            machine.keyed(key, &value);
        }
        Form::Set(args) => match number(args, 0) {
            Some(value) if (u64::from(bounds.0)..=u64::from(bounds.1)).contains(&value) => {
                *place(machine) = value as u8;
            }
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The same as [`switch`], but the test form lists each value, as the manual and the core image do for some commands.
pub(super) fn listed(
    machine: &mut Machine,
    key: &str,
    form: &Form,
    most: u8,
    place: impl Fn(&mut Machine) -> &mut u8,
) -> Outcome {
    if *form == Form::Test {
        let values = (0..=most).map(|value| value.to_string()).collect::<Vec<_>>().join(",");
        machine.keyed(key, &format!("({values})"));
        return Outcome::Ok;
    }
    switch(machine, key, form, (0, most), place)
}

/// The form with 0 for an omitted value, `AT+CMEE=` (27.007; the manual writes `=[<n>]`).
pub(super) fn zero_if_empty(form: &Form) -> Form {
    match form {
        Form::Set(args) if args.len() == 1 && args[0].text.is_empty() => {
            Form::Set(vec![Arg { text: "0".to_owned(), quoted: false }])
        }
        Form::Set(_) | Form::Execute | Form::Read | Form::Test => form.clone(),
    }
}

/// A command of several numbers.
pub(super) struct List<const N: usize> {
    pub(super) key: &'static str,
    /// The answer to the test form.
    pub(super) test: &'static str,
    pub(super) bounds: [(u16, u16); N],
    /// The number of required values. Other values are kept if they are missing or empty.
    pub(super) needed: usize,
}

impl<const N: usize> List<N> {
    /// The numbers after the arguments are applied; `None` if one is wrong.
    pub(super) fn take(&self, args: &[Arg], mut numbers: [u16; N]) -> Option<[u16; N]> {
        if args.len() > N || args.len() < self.needed {
            return None;
        }
        for (place, arg) in args.iter().enumerate() {
            if arg.text.is_empty() && place >= self.needed {
                continue;
            }
            let (least, most) = self.bounds[place];
            let number = u16::try_from(arg.number()?).ok()?;
            numbers[place] = (least..=most).contains(&number).then_some(number)?;
        }
        Some(numbers)
    }
}

/// Runs a command of several numbers: test, read and set.
pub(super) fn list<const N: usize>(
    machine: &mut Machine,
    form: &Form,
    list: &List<N>,
    place: impl Fn(&mut Machine) -> &mut [u16; N],
) -> Outcome {
    match form {
        Form::Test => machine.keyed(list.key, list.test),
        Form::Read => {
            let value = place(machine).map(|number| number.to_string()).join(",");
            machine.keyed(list.key, &value);
        }
        Form::Set(args) => match list.take(args, *place(machine)) {
            Some(numbers) => *place(machine) = numbers,
            None => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// A command that drivers set and that is answered `OK` (CLI, protocol.md section 0); no source shows more of it. Its
/// other forms do not exist (assumed), and it has no effect.
pub(super) fn accepted(_: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Set(args) if args.iter().any(|arg| !arg.text.is_empty()) => Outcome::Ok,
        Form::Set(_) => Outcome::cme(Cme::Invalid),
        Form::Execute | Form::Read | Form::Test => Outcome::ERROR,
    }
}
