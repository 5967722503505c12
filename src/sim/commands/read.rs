//! `AT+CIPRXGET`: manual receive.

use super::super::line::{Arg, Form};
use super::super::machine::CHUNK;
use super::super::machine::Machine;
use super::super::output_kind::OutputKind;
use super::super::result::{Cme, FollowUp, Outcome};
use super::forms::{Table, number};
use super::send::channel;

pub(super) const TABLE: Table = &[("+CIPRXGET", receive)];

fn receive(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let mode = machine.ip.switches.manual_receive.to_string();
            machine.keyed("+CIPRXGET", &mode);
            Outcome::Ok
        }
        // Only OK (manual).
        Form::Test => Outcome::Ok,
        Form::Execute => Outcome::ERROR,
        Form::Set(args) => match number(args, 0) {
            Some(mode @ (0 | 1 | 5)) if mode <= u64::from(machine.settings.profile.manual_receive_max) => {
                set_mode(machine, mode as u8)
            }
            Some(2) => read(machine, &args[1..], false),
            Some(3) => read(machine, &args[1..], true),
            Some(4) => pending(machine, &args[1..]),
            _ => Outcome::cme(Cme::Invalid),
        },
    }
}

/// Before `AT+CIPSTART` only (protocol.md section 11).
fn set_mode(machine: &mut Machine, mode: u8) -> Outcome {
    if machine.ip.any_link() {
        return Outcome::cme(Cme::NotAllowed);
    }
    machine.ip.switches.manual_receive = mode;
    Outcome::Ok
}

/// The channel and the arguments after it; in single mode there is no channel.
fn addressed<'a>(machine: &Machine, args: &'a [Arg]) -> Option<(usize, &'a [Arg])> {
    if machine.ip.multi() { Some((channel(machine, args)?, &args[1..])) } else { Some((0, args)) }
}

/// A channel that can be read: in manual mode and with a link (a closed one is refused, capture a27).
fn readable<'a>(machine: &Machine, args: &'a [Arg]) -> Option<(usize, &'a [Arg])> {
    let (channel, rest) = addressed(machine, args)?;
    let live = machine.ip.switches.manual_receive > 0 && machine.ip.channels[channel].state.receives();
    live.then_some((channel, rest))
}

fn read(machine: &mut Machine, args: &[Arg], hex: bool) -> Outcome {
    let Some((channel, rest)) = readable(machine, args) else {
        return Outcome::cme(Cme::NotAllowed);
    };
    let limit = if hex { machine.settings.profile.hex_read_max.into() } else { CHUNK as u64 };
    let Some(length) = number(rest, 0).filter(|length| (1..=limit).contains(length)) else {
        // A length above the limit is answered with +CME ERROR: 3 (capture a27).
        return Outcome::cme(Cme::NotAllowed);
    };
    let slot = &mut machine.ip.channels[channel];
    let count = slot.received.len().min(length as usize);
    let data: Vec<u8> = slot.received.drain(..count).collect();
    slot.announced = false;
    print_data(machine, channel, &data, hex);
    Outcome::OkThen(FollowUp::Read { channel })
}

/// `+CIPRXGET: 2,<n>,<got>,<left>`, line end, data, line end (captures a27, a28); without data only the header.
fn print_data(machine: &mut Machine, channel: usize, data: &[u8], hex: bool) {
    let slot = &machine.ip.channels[channel];
    let mode = if hex { 3 } else { 2 };
    let channel_shown = if machine.ip.multi() { format!("{channel},") } else { String::new() };
    let mut value = format!("{mode},{channel_shown}{},{}", data.len(), slot.received.len());
    if machine.ip.switches.show_peer == 1
        && let Some(target) = &slot.target
        && !data.is_empty()
    {
        value.push_str(&format!(",\"{}:{}\"", slot.peer_address(), target.port));
    }
    let header = machine.settings.profile.keyed("+CIPRXGET", &value);
    let header = format!("\r\n{header}\r\n");
    let body = if hex {
        data.iter().map(|byte| format!("{byte:02X}")).collect::<String>().into()
    } else {
        data.to_vec()
    };
    let tail: &[u8] = if data.is_empty() { b"" } else { b"\r\n" };
    machine.print_body(OutputKind::Info, header.as_bytes(), &body, tail);
}

fn pending(machine: &mut Machine, args: &[Arg]) -> Outcome {
    if machine.ip.switches.manual_receive == 0 {
        return Outcome::cme(Cme::NotAllowed);
    }
    let Some((channel, _)) = addressed(machine, args) else {
        return Outcome::cme(Cme::NotAllowed);
    };
    let left = machine.ip.channels[channel].received.len();
    let channel_shown = if machine.ip.multi() { format!("{channel},") } else { String::new() };
    machine.keyed("+CIPRXGET", &format!("4,{channel_shown}{left}"));
    Outcome::Ok
}
