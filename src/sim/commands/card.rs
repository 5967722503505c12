//! Commands for the SIM card.

use super::super::card::Card;
use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::radio::Power;
use super::super::result::{Cme, FollowUp, Outcome};
use super::forms::{Table, number, text};

pub(super) const TABLE: Table = &[
    ("+CPIN", pin),
    ("+CIMI", |machine, form| {
        let imsi = machine.settings.imsi.clone();
        bare_number(machine, form, imsi)
    }),
    ("+ICCID", |machine, form| {
        let keyed = machine.settings.profile.identity_keyed;
        card_number(machine, form, keyed)
    }),
    ("+CCID", |machine, form| card_number(machine, form, false)),
    ("+CLCK", lock),
    ("+CPWD", password),
];

/// The refusal by a card that is missing or locked; `None` if it is ready.
pub(super) fn refusal(machine: &Machine) -> Option<Outcome> {
    match machine.radio.card {
        Card::Absent => Some(Outcome::cme(Cme::NoSim)),
        Card::Locked => Some(Outcome::cme(Cme::PinRequired)),
        Card::Blocked => Some(Outcome::cme(Cme::PukRequired)),
        Card::Ready => None,
    }
}

fn pin(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => match machine.card_text() {
            None => Outcome::cme(Cme::NoSim),
            // The boot has not reached the card yet (capture s05: SIM busy).
            Some(_) if matches!(machine.radio.power, Power::Booting { printed: ..2, .. }) => {
                Outcome::cme(Cme::SimBusy)
            }
            Some(state) => {
                machine.keyed("+CPIN", state);
                Outcome::Ok
            }
        },
        Form::Set(args) => enter_pin(machine, args),
        Form::Test => Outcome::Ok,
        Form::Execute => Outcome::ERROR,
    }
}

/// `AT+CPIN=<pin>`; for a blocked card `AT+CPIN=<puk>,<new pin>`.
fn enter_pin(machine: &mut Machine, args: &[Arg]) -> Outcome {
    let lock = &mut machine.radio.lock;
    let opened = match machine.radio.card {
        Card::Absent => Err(Cme::NoSim),
        Card::Ready => Err(Cme::NotAllowed),
        Card::Locked => lock.verify(text(args, 0)),
        Card::Blocked if args.len() < 2 => Err(Cme::PukRequired),
        Card::Blocked => lock.unblock(text(args, 0), text(args, 1)),
    };
    if let Err(error) = opened {
        block_if_due(machine);
        return Outcome::cme(error);
    }
    machine.radio.card = Card::Ready;
    // The manual's example shows it before OK.
    machine.keyed("+CPIN", "READY");
    Outcome::OkThen(FollowUp::Service)
}

/// Blocks the card if the last PIN was the last wrong one.
fn block_if_due(machine: &mut Machine) {
    let blocked = machine.radio.lock.at_power_on() == Card::Blocked;
    if blocked && machine.radio.card != Card::Absent {
        machine.radio.card = Card::Blocked;
    }
}

/// `AT+CLCK="SC",<0 off|1 on|2 query>[,<pin>]`: the requirement of the PIN. The module has no other lock (assumed; the
/// manual's CPWD page shows "SC" only).
fn lock(machine: &mut Machine, form: &Form) -> Outcome {
    let args = match form {
        Form::Test => {
            machine.keyed("+CLCK", "(\"SC\")");
            return Outcome::Ok;
        }
        Form::Read | Form::Execute => return Outcome::ERROR,
        Form::Set(args) => args,
    };
    if text(args, 0) != "SC" {
        return Outcome::cme(Cme::NotSupported);
    }
    let asks = match number(args, 1) {
        Some(mode @ 0..=1) => mode == 1,
        Some(2) if machine.radio.card == Card::Absent => return Outcome::cme(Cme::NoSim),
        Some(2) => {
            let value = u8::from(machine.radio.lock.asks).to_string();
            machine.keyed("+CLCK", &value);
            return Outcome::Ok;
        }
        _ => return Outcome::cme(Cme::Invalid),
    };
    if let Some(refusal) = refusal(machine) {
        return refusal;
    }
    let verified = machine.radio.lock.verify(text(args, 2));
    with_lock(machine, verified.map(|()| asks))
}

/// Answers a change of the lock. A wrong PIN may have blocked the card.
fn with_lock(machine: &mut Machine, asks: Result<bool, Cme>) -> Outcome {
    match asks {
        Ok(asks) => {
            machine.radio.lock.asks = asks;
            Outcome::Ok
        }
        Err(error) => {
            block_if_due(machine);
            machine.reconsider_service();
            Outcome::cme(error)
        }
    }
}

/// `AT+CPWD="SC",<old>,<new>`
fn password(machine: &mut Machine, form: &Form) -> Outcome {
    let args = match form {
        Form::Test => {
            machine.keyed("+CPWD", "(\"SC\",8)");
            return Outcome::Ok;
        }
        Form::Read | Form::Execute => return Outcome::ERROR,
        Form::Set(args) => args,
    };
    if text(args, 0) != "SC" {
        return Outcome::cme(Cme::NotSupported);
    }
    if let Some(refusal) = refusal(machine) {
        return refusal;
    }
    let lock = &mut machine.radio.lock;
    let changed = lock.change(text(args, 1), text(args, 2));
    let asks = lock.asks;
    with_lock(machine, changed.map(|()| asks))
}

fn bare_number(machine: &mut Machine, form: &Form, number: String) -> Outcome {
    match form {
        Form::Execute => {
            if let Some(refusal) = refusal(machine) {
                return refusal;
            }
            machine.info(&number);
            Outcome::Ok
        }
        Form::Test => Outcome::Ok,
        Form::Read | Form::Set(_) => Outcome::ERROR,
    }
}

/// `AT+ICCID` with its key, `AT+CCID` without (manual), and `AT+CCID?`, which tools use. A locked card answers, too.
fn card_number(machine: &mut Machine, form: &Form, keyed: bool) -> Outcome {
    match form {
        Form::Execute => {}
        Form::Read if !keyed => {}
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    if machine.radio.card == Card::Absent {
        return Outcome::cme(Cme::NoSim);
    }
    let iccid = machine.settings.iccid.clone();
    if keyed {
        machine.keyed("+ICCID", &iccid);
    } else {
        machine.info(&iccid);
    }
    Outcome::Ok
}
