//! Phone commands that general tools require (gammu, python-gsmmodem, gnokii). No message ever arrives.

use super::super::card::Card;
use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::phone::{STORE, number_type};
use super::super::result::{Cme, Cms, Outcome};
use super::forms::{List, Table, list, number, switch, text, zero_if_empty};

pub(super) const TABLE: Table = &[
    ("+CSCS", charset),
    ("+CMGF", |machine, form| mode(machine, form)),
    ("+CSMS", service),
    ("+CSDH", |machine, form| {
        let form = zero_if_empty(form);
        switch(machine, "+CSDH", &form, (0, 1), |machine| &mut machine.phone.headers)
    }),
    ("+CSMP", |machine, form| list(machine, form, &PARAMETERS, |machine| &mut machine.phone.parameters)),
    ("+CNMI", |machine, form| list(machine, form, &INDICATIONS, |machine| &mut machine.phone.indications)),
    ("+CPMS", storage),
    ("+CSCA", centre),
    ("+CNUM", own_number),
    ("+CMGL", |machine, form| with_card(machine, form, list_messages)),
    ("+CMGR", |machine, form| with_card(machine, form, read_message)),
    ("+CMGD", |machine, form| with_card(machine, form, delete_messages)),
    ("+CPAS", activity),
    ("H", hang_up),
    ("+CCALR", calls_ready),
    // There are no calls. The setting is accepted, because every tool sends it first.
    ("+CRC", |machine, form| constant(machine, "+CRC", form, "0")),
    ("+CLIP", |machine, form| constant(machine, "+CLIP", form, "0,0")),
    ("+CVHU", |machine, form| constant(machine, "+CVHU", form, "0")),
];

/// Character sets (manual, CSCS).
const CHARSETS: [&str; 3] = ["GSM", "IRA", "UCS2"];
/// The longest message centre: 20 digits and a plus (27.005).
const MAX_NUMBER: usize = 21;

const PARAMETERS: List<4> =
    List { key: "+CSMP", test: "(0-255),(0-255),(0-255),(0-255)", bounds: [(0, 255); 4], needed: 0 };
/// Manual, CNMI.
const INDICATIONS: List<5> = List {
    key: "+CNMI",
    test: "(0-3),(0-3),(0-3),(0-1),(0-1)",
    bounds: [(0, 3), (0, 3), (0, 3), (0, 1), (0, 1)],
    needed: 0,
};

/// The refusal of a command about messages, if there is no usable card.
fn refusal(machine: &Machine) -> Option<Outcome> {
    match machine.radio.card {
        Card::Absent => Some(Outcome::cms(Cms::NoSim)),
        Card::Locked => Some(Outcome::cms(Cms::PinRequired)),
        Card::Blocked => Some(Outcome::cms(Cms::PukRequired)),
        Card::Ready => None,
    }
}

/// `+CCALR: 1`: a SIM800 is ready for calls and messages. Air modules do not have this command.
fn calls_ready(machine: &mut Machine, form: &Form) -> Outcome {
    if machine.settings.profile.identity_keyed {
        return Outcome::ERROR;
    }
    match form {
        Form::Read => {
            let value = u8::from(machine.radio.card == Card::Ready).to_string();
            machine.keyed("+CCALR", &value);
        }
        Form::Test => machine.keyed("+CCALR", "(0,1)"),
        Form::Execute | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The character set of text for display: the operator's names, the numbers of `AT+CNUM` and `AT+CSCA`. `+CSCS:
/// ("GSM","IRA","UCS2")`: a list in brackets, as in 27.007 and as gammu and python-gsmmodem read it.
fn charset(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => machine.keyed("+CSCS", "(\"GSM\",\"IRA\",\"UCS2\")"),
        Form::Read => {
            let value = format!("\"{}\"", machine.phone.charset);
            machine.keyed("+CSCS", &value);
        }
        Form::Set(args) => match CHARSETS.into_iter().find(|charset| *charset == text(args, 0)) {
            Some(charset) => machine.phone.charset = charset,
            None => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `AT+CMGF=` without a value is 0 (manual, CMGF).
fn mode(machine: &mut Machine, form: &Form) -> Outcome {
    let form = zero_if_empty(form);
    switch(machine, "+CMGF", &form, (0, 1), |machine| &mut machine.phone.text_mode)
}

fn service(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => machine.keyed("+CSMS", "(0,1)"),
        Form::Read => {
            let value = format!("{},1,1,1", machine.phone.service);
            machine.keyed("+CSMS", &value);
        }
        Form::Set(args) => match number(args, 0) {
            Some(service @ 0..=1) => {
                machine.phone.service = service as u8;
                machine.keyed("+CSMS", "1,1,1");
            }
            _ => return Outcome::cms(Cms::InvalidParameter),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The test form also lists the module's own store, but only the card's is supported (manual, CPMS). No source shows
/// the answer to a selection of the module's store: it is accepted without effect (assumed), because python-gsmmodem
/// selects it if it is listed, and can't connect to a modem that refuses.
fn storage(machine: &mut Machine, form: &Form) -> Outcome {
    if let Some(refusal) = refusal(machine) {
        return refusal;
    }
    match form {
        Form::Test => {
            machine.keyed("+CPMS", "(\"SM\",\"ME\"),(\"SM\",\"ME\"),(\"SM\",\"ME\")");
        }
        Form::Read => {
            let row = machine.phone.storage.map(|name| format!("\"{name}\",0,{STORE}")).join(",");
            machine.keyed("+CPMS", &row);
        }
        Form::Set(args) => {
            if args.is_empty()
                || args.len() > 3
                || args.iter().any(|arg| !matches!(arg.text.as_str(), "SM" | "ME"))
            {
                return Outcome::cms(Cms::InvalidParameter);
            }
            let row = vec![format!("0,{STORE}"); 3].join(",");
            machine.keyed("+CPMS", &row);
        }
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn centre(machine: &mut Machine, form: &Form) -> Outcome {
    if let Some(refusal) = refusal(machine) {
        return refusal;
    }
    match form {
        Form::Test => {}
        Form::Read => {
            let shown = machine.phone.encoded(&machine.phone.centre);
            let value = format!("\"{shown}\",{}", machine.phone.centre_type);
            machine.keyed("+CSCA", &value);
        }
        Form::Set(args) => return set_centre(machine, args),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The number is in the character set of `AT+CSCS` (27.005 section 3.1).
fn set_centre(machine: &mut Machine, args: &[Arg]) -> Outcome {
    let Some(centre) = machine.phone.decoded(text(args, 0)) else {
        return Outcome::cms(Cms::InvalidParameter);
    };
    let centre = centre.as_str();
    let digits = centre.strip_prefix('+').unwrap_or(centre);
    let valid =
        !digits.is_empty() && centre.len() <= MAX_NUMBER && digits.bytes().all(|b| b.is_ascii_digit());
    let kind = args.get(1).map_or(Some(u64::from(number_type(centre))), Arg::number);
    let (true, Some(kind @ 128..=255)) = (valid, kind) else {
        return Outcome::cms(Cms::InvalidParameter);
    };
    machine.phone.centre = centre.to_owned();
    machine.phone.centre_type = kind as u8;
    Outcome::Ok
}

/// A card without its number answers only `OK` (27.007 section 7.1).
fn own_number(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => {}
        Form::Execute => {
            if let Some(refusal) = super::card::refusal(machine) {
                return refusal;
            }
            let own = machine.settings.number.clone();
            if !own.is_empty() {
                let shown = machine.phone.encoded(&own);
                machine.keyed("+CNUM", &format!("\"\",\"{shown}\",{}", number_type(&own)));
            }
        }
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The states of messages in text mode (manual, CMGL).
const STATES: [&str; 5] = ["REC UNREAD", "REC READ", "STO UNSENT", "STO SENT", "ALL"];

fn with_card(
    machine: &mut Machine,
    form: &Form,
    run: impl FnOnce(&mut Machine, &Form) -> Outcome,
) -> Outcome {
    match refusal(machine) {
        Some(refusal) => refusal,
        None => run(machine, form),
    }
}

/// The store is empty, so there are no messages to list. Without a state the command lists unread ones (27.005 section
/// 3.4.2).
fn list_messages(machine: &mut Machine, form: &Form) -> Outcome {
    let by_text = machine.phone.text_mode == 1;
    match form {
        Form::Test if by_text => {
            machine.keyed("+CMGL", &STATES.map(|state| format!("\"{state}\"")).join(","));
        }
        Form::Test => machine.keyed("+CMGL", "(0-4)"),
        Form::Execute => {}
        Form::Set(args) if by_text && STATES.contains(&text(args, 0)) => {}
        Form::Set(args) if !by_text && matches!(number(args, 0), Some(0..=4)) => {}
        Form::Set(_) => return Outcome::cms(Cms::InvalidParameter),
        Form::Read => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// There is no message at any index.
fn read_message(_: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => Outcome::Ok,
        Form::Set(_) => Outcome::cms(Cms::InvalidIndex),
        Form::Execute | Form::Read => Outcome::ERROR,
    }
}

/// `AT+CMGD=<index>[,<what>]`: there is no message to delete, and this is no error (27.005 has none for an empty
/// place).
fn delete_messages(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => machine.keyed("+CMGD", &format!("(1-{STORE}),(0-4)")),
        Form::Set(args) => {
            let what = args.get(1).map_or(Some(0), Arg::number);
            let index = number(args, 0);
            return match (index, what) {
                (Some(_), Some(1..=4)) => Outcome::Ok,
                (Some(index), Some(0)) if (1..=u64::from(STORE)).contains(&index) => Outcome::Ok,
                (Some(_), Some(0)) => Outcome::cms(Cms::InvalidIndex),
                _ => Outcome::cms(Cms::InvalidParameter),
            };
        }
        Form::Execute | Form::Read => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// 0: ready, no call (27.007 section 8.1).
fn activity(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Execute => machine.keyed("+CPAS", "0"),
        Form::Test => machine.keyed("+CPAS", "(0,3,4)"),
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// `ATH`: there is no call to end.
fn hang_up(_: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Execute => Outcome::Ok,
        Form::Set(args) if number(args, 0) == Some(0) => Outcome::Ok,
        Form::Read | Form::Test | Form::Set(_) => Outcome::ERROR,
    }
}

/// A setting for calls. There are none, so it is accepted without effect.
fn constant(machine: &mut Machine, key: &str, form: &Form, value: &str) -> Outcome {
    match form {
        Form::Read => machine.keyed(key, value),
        Form::Test => machine.keyed(key, "(0,1)"),
        Form::Set(args) if matches!(number(args, 0), Some(0 | 1)) => {}
        Form::Set(_) => return Outcome::cme(Cme::Invalid),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}
