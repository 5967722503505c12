//! `AT+CIPCSGP`, the default access point, and `AT+CIPSCONT`, which saves the application's settings.

use super::super::ip::SavedContext;
use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::bring_up;
use super::forms::{Table, number};

pub(super) const TABLE: Table = &[("+CIPCSGP", bearer_kind), ("+CIPSCONT", save)];

/// `AT+CIPCSGP=1[,<apn>[,<user>[,<password>]]]`. Circuit-switched connections (0 or 2) do not exist and are refused
/// (assumed).
fn bearer_kind(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let [apn, user, password] = &machine.ip.default_access;
            let value = format!("1,\"{apn}\",\"{user}\",\"{password}\"");
            machine.keyed("+CIPCSGP", &value);
        }
        Form::Test => {
            machine.keyed("+CIPCSGP", "0-CSD,DIAL NUMBER,USER NAME,PASSWORD,RATE(0-3)");
            machine.keyed("+CIPCSGP", "1-GPRS,APN,USER NAME,PASSWORD");
        }
        Form::Set(args) => return set_bearer_kind(machine, args),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn set_bearer_kind(machine: &mut Machine, args: &[Arg]) -> Outcome {
    match (number(args, 0), bring_up::access(&args[1..])) {
        (Some(1), Some(access)) => machine.ip.default_access = access,
        (Some(0 | 2), _) => return Outcome::cme(Cme::NotSupported),
        _ => return Outcome::cme(Cme::Invalid),
    }
    Outcome::Ok
}

/// `AT+CIPSCONT`: saves the switches of the application, so that a reset preserves them.
fn save(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Execute => machine.ip.saved = Some(SavedContext::of(&machine.ip)),
        Form::Read => {
            let block = shown(machine).join("\r\n");
            machine.info(&block);
        }
        Form::Set(_) | Form::Test => return Outcome::ERROR,
    }
    Outcome::Ok
}

/// The lines of the manual's page: 0 saved, 1 not; then the current settings. `+CIPDPDP` and `+CIPRDTIMER` are no
/// commands here; their values are those of the SIM800 and of the manual (assumed).
fn shown(machine: &Machine) -> Vec<String> {
    let ip = &machine.ip;
    let switches = &ip.switches;
    let keyed = |key: &str, value: String| machine.settings.profile.keyed(key, &value);
    let [apn, user, password] = &ip.default_access;
    let (on, seconds) = switches.auto_send;
    let transparent = ip.transparent_settings[..7].iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    vec![
        keyed("+CIPSCONT", u8::from(ip.saved.is_none()).to_string()),
        keyed("+CIPCSGP", "1".to_owned()),
        format!("Gprs Config APN:{apn}"),
        format!("Gprs Config UserId:{user}"),
        format!("Gprs Config Password:{password}"),
        keyed("+CIPHEAD", switches.header.to_string()),
        keyed("+CIPSHOWTP", switches.show_protocol.to_string()),
        keyed("+CIPSRIP", switches.show_peer.to_string()),
        keyed("+CIPATS", format!("{on},{seconds}")),
        keyed("+CIPSPRT", switches.prompt.to_string()),
        keyed("+CIPQSEND", switches.quick_send.to_string()),
        keyed("+CIPMODE", switches.transparent.to_string()),
        keyed("+CIPCCFG", transparent),
        keyed("+CIPMUX", switches.multi.to_string()),
        keyed("+CIPDPDP", "1,10,3".to_owned()),
        keyed("+CIPRXGET", switches.manual_receive.to_string()),
        keyed("+CIPRDTIMER", "2000,3500".to_owned()),
    ]
}
