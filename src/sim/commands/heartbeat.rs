//! `AT^HEARTCONFIG` and related commands: the heartbeat on one link.

use super::super::heartbeat::MAX_CONTENT;
use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::{Cme, FollowUp, Outcome};
use super::forms::{List, Table, number, text};

pub(super) const TABLE: Table = &[
    ("^HEARTCONFIG", configure),
    ("^HEARTBEAT", content),
    ("^HEARTBEATHEX", hex_content),
    ("^HEARTINQUIRE", inquire),
];

/// Manual, `^HEARTCONFIG`; the channel must exist.
const CONFIG: List<3> =
    List { key: "^HEARTCONFIG", test: "", bounds: [(0, 1), (0, u16::MAX), (5, 600)], needed: 1 };

fn configure(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => {}
        Form::Read => {
            let value = machine.ip.heartbeat.settings.map(|number| number.to_string()).join(",");
            machine.keyed(CONFIG.key, &value);
        }
        Form::Set(args) => match CONFIG.take(args, machine.ip.heartbeat.settings) {
            Some(settings) if is_channel(machine, settings[1].into()) => {
                machine.ip.heartbeat.configure(settings);
            }
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// In single mode the channel is 0 (manual).
fn is_channel(machine: &Machine, channel: u64) -> bool {
    let count = if machine.ip.multi() { machine.ip.channels.len() } else { 1 };
    channel < count as u64
}

/// `AT^HEARTBEAT=<channel>,<text>`
fn content(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => {}
        Form::Read => {
            let shown = match &machine.ip.heartbeat.content {
                None => machine.settings.imei.clone(),
                Some(content) => content.iter().map(|byte| char::from(*byte)).collect(),
            };
            let value = format!("{},{shown}", machine.ip.heartbeat.settings[1]);
            machine.keyed("^HEARTBEAT", &value);
        }
        Form::Set(args) => match number(args, 0) {
            Some(channel) if is_channel(machine, channel) && is_content(text(args, 1)) => {
                machine.ip.heartbeat.settings[1] = channel as u16;
                machine.ip.heartbeat.content = Some(text(args, 1).as_bytes().to_vec());
            }
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn is_content(text: &str) -> bool {
    (1..=MAX_CONTENT).contains(&text.len())
}

/// `AT^HEARTBEATHEX=[<channel>,]<bytes>,<hex>`: `OK`; the content is sent at once (manual).
fn hex_content(machine: &mut Machine, form: &Form) -> Outcome {
    let multi = machine.ip.multi();
    match form {
        Form::Test => Outcome::Ok,
        Form::Read => {
            let heart = &machine.ip.heartbeat;
            let content = heart.content.as_deref().unwrap_or(machine.settings.imei.as_bytes());
            let hex: String = content.iter().map(|byte| format!("{byte:02X}")).collect();
            let channel = if multi { format!("{},", heart.settings[1]) } else { String::new() };
            let value = format!("{channel}{},{hex}", content.len());
            machine.keyed("^HEARTBEATHEX", &value);
            Outcome::Ok
        }
        Form::Set(args) => {
            let (channel, args) =
                if multi { (number(args, 0), args.get(1..)) } else { (Some(0), Some(&args[..])) };
            let args = args.unwrap_or_default();
            let content = unhex(text(args, 1)).filter(|bytes| number(args, 0) == Some(bytes.len() as u64));
            match (channel, content) {
                (Some(channel), Some(content)) if is_channel(machine, channel) => {
                    machine.ip.heartbeat.settings[1] = channel as u16;
                    machine.ip.heartbeat.content = Some(content);
                    Outcome::OkThen(FollowUp::Beat)
                }
                _ => Outcome::cme(Cme::Invalid),
            }
        }
        Form::Execute => Outcome::ERROR,
    }
}

/// The bytes of pairs of digits; `None` if the text is anything else.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !digits || !text.len().is_multiple_of(2) || !(2..=2 * MAX_CONTENT).contains(&text.len()) {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

/// The seconds since the last beat, the seconds to the next, and the number of beats.
fn inquire(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Test => {}
        Form::Read => {
            let value = machine.ip.heartbeat.report(machine.now).map(|number| number.to_string()).join(",");
            machine.keyed("^HEARTINQUIRE", &value);
        }
        Form::Set(_) | Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_bytes_or_nothing() {
        assert_eq!(unhex("414243"), Some(b"ABC".to_vec()));
        assert_eq!(unhex("41424"), None);
        assert_eq!(unhex("4x"), None);
        assert_eq!(unhex("+1"), None);
        assert_eq!(unhex(""), None);
    }
}
