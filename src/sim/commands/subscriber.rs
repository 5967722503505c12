//! Commands of connection managers for card and phone: `AT+CRSM`, `AT+CSIM`, `AT+CPINR`, `AT+CPOL`, `AT+CIND` (27.007
//! sections 8.18, 8.17, 8.65, 7.19, 8.9), `AT+FCLASS` (T.31). The manual has none of them: the files of the card are
//! assumed.

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::card::refusal;
use super::forms::{Table, number, text};

pub(super) const TABLE: Table = &[
    ("+CRSM", file),
    ("+CSIM", raw),
    ("+CPINR", tries),
    ("+CPOL", preferred),
    ("+CIND", indicators),
    ("+FCLASS", class),
];

/// READ BINARY (102.221 section 11.1.3).
const READ_BINARY: u64 = 176;

/// `AT+CRSM=176,<file>,0,0,<length>`: `+CRSM: 144,0,"<bytes>"`, or the card's status for a missing file, 6A 82.
fn file(machine: &mut Machine, form: &Form) -> Outcome {
    let Form::Set(args) = form else {
        return if *form == Form::Test { Outcome::Ok } else { Outcome::ERROR };
    };
    if let Some(refusal) = refusal(machine) {
        return refusal;
    }
    let (Some(command), Some(file)) = (number(args, 0), number(args, 1)) else {
        return Outcome::cme(Cme::Invalid);
    };
    let settings = &machine.settings;
    // 31.102 section 4.2: the card's number, the subscriber's number, the operator's name, the length of the operator's
    // number.
    let content = match (command, file) {
        (READ_BINARY, 12_258) => Some(swapped(&settings.iccid)),
        (READ_BINARY, 28_423) => Some(format!("08{}", swapped(&format!("9{}", settings.imsi)))),
        (READ_BINARY, 28_486) => Some(name(&settings.operator)),
        (READ_BINARY, 28_589) => {
            Some(format!("000000{:02X}", settings.operator_number.len().saturating_sub(3)))
        }
        _ => None,
    };
    let value = match content {
        Some(content) => {
            let wanted = number(args, 4).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
            let length = if wanted == 0 { content.len() } else { (2 * wanted).min(content.len()) };
            format!("144,0,\"{}\"", &content[..length])
        }
        None => "106,130".to_owned(),
    };
    machine.keyed("+CRSM", &value);
    Outcome::Ok
}

/// Pairs of digits, each pair reversed, padded with F (31.102 section 4.2.2).
fn swapped(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().collect();
    digits.chunks(2).flat_map(|pair| [pair.get(1).copied().unwrap_or('F'), pair[0]]).collect()
}

/// A byte of display conditions and 16 of text.
fn name(operator: &str) -> String {
    let text = operator.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
    format!("00{text:F<32}").chars().take(34).collect()
}

/// `AT+CSIM=<length>,"<command>"`: the card reports the remaining tries of a PIN (VERIFY without a PIN), and refuses
/// other commands.
fn raw(machine: &mut Machine, form: &Form) -> Outcome {
    let Form::Set(args) = form else {
        return if *form == Form::Test { Outcome::Ok } else { Outcome::ERROR };
    };
    if machine.radio.card == super::super::card::Card::Absent {
        return Outcome::cme(Cme::NoSim);
    }
    let command = text(args, 1);
    if number(args, 0) != Some(command.len() as u64) || !command.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Outcome::cme(Cme::Invalid);
    }
    let [pin, _] = machine.radio.lock.tries();
    let answer = if command == "0020000100" { format!("63C{pin:X}") } else { "6D00".to_owned() };
    machine.keyed("+CSIM", &format!("{},\"{answer}\"", answer.len()));
    Outcome::Ok
}

/// `+CPINR: SIM PIN,3,3`: the remaining tries, and those of a new card.
fn tries(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Execute | Form::Set(_) => {
            let [pin, puk] = machine.radio.lock.tries();
            machine.keyed("+CPINR", &format!("SIM PIN,{pin},3"));
            machine.keyed("+CPINR", &format!("SIM PUK,{puk},10"));
        }
        Form::Test => {}
        Form::Read => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The list of preferred operators, which is empty.
fn preferred(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {}
        Form::Test => machine.keyed("+CPOL", "(1-20),(0-2)"),
        Form::Execute | Form::Set(_) => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// Levels of battery and signal, service, and indicators that a data module does not have.
fn indicators(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => machine.keyed(
            "+CIND",
            "(\"battchg\",(0-5)),(\"signal\",(0-5)),(\"service\",(0,1)),(\"message\",(0,1)),(\"call\",(0,1)),\
             (\"roam\",(0,1)),(\"smsfull\",(0,1))",
        ),
        Form::Read => {
            let (settings, radio) = (&machine.settings, &machine.radio);
            let signal = if radio.in_service() { settings.signal.min(31).div_ceil(7) } else { 0 };
            let (service, roaming) = (u8::from(radio.in_service()), u8::from(settings.registration == 5));
            machine.keyed("+CIND", &format!("5,{signal},{service},0,0,{roaming},0"));
        }
        Form::Set(_) => {}
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// Data only: no fax, no voice.
fn class(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read | Form::Test => machine.info("0"),
        Form::Set(args) if number(args, 0) == Some(0) => {}
        Form::Set(_) | Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}
