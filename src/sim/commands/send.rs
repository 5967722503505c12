//! `AT+CIPSEND` up to the prompt, and `AT+CIPACK`.

use std::time::Duration;

use super::super::data::{End, Payload};
use super::super::line::{Arg, Form};
use super::super::machine::CHUNK;
use super::super::machine::Machine;
use super::super::output_kind::OutputKind;
use super::super::result::{Cme, Outcome};
use super::super::settings::FullBuffer;
use super::forms::{Table, number};

pub(super) const TABLE: Table = &[("+CIPSEND", send), ("+CIPACK", acknowledged)];

fn send(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => limits(machine),
        Form::Test => {
            let last = machine.ip.channels.len() - 1;
            let shape =
                if machine.ip.multi() { format!("<0-{last}>,<length>") } else { "<length>".to_owned() };
            machine.keyed("+CIPSEND", &shape);
            Outcome::Ok
        }
        Form::Execute if machine.ip.multi() => Outcome::ERROR,
        Form::Execute => prompt(machine, 0, None),
        Form::Set(args) if machine.ip.multi() => match channel(machine, args) {
            Some(channel) => prompt(machine, channel, args.get(1)),
            None => Outcome::cme(Cme::NotAllowed),
        },
        Form::Set(args) if args.len() == 1 => prompt(machine, 0, args.first()),
        Form::Set(_) => Outcome::cme(Cme::NotAllowed),
    }
}

/// The channel in the first argument.
pub(super) fn channel(machine: &Machine, args: &[Arg]) -> Option<usize> {
    let channel = usize::try_from(number(args, 0)?).ok()?;
    (channel < machine.ip.channels.len()).then_some(channel)
}

/// The most bytes of one send; in multiple mode one row for each channel (manual).
fn limits(machine: &mut Machine) -> Outcome {
    if machine.ip.multi() {
        for channel in 0..machine.ip.channels.len() {
            machine.keyed("+CIPSEND", &format!("{channel},{CHUNK}"));
        }
    } else {
        machine.keyed("+CIPSEND", &CHUNK.to_string());
    }
    Outcome::Ok
}

fn prompt(machine: &mut Machine, channel: usize, length: Option<&Arg>) -> Outcome {
    let end = match length.map(|length| length.number()) {
        None => End::ControlZ,
        Some(Some(length @ 1..)) if length <= CHUNK as u64 => End::Length(length as usize),
        Some(_) => return Outcome::cme(Cme::Invalid),
    };
    let slot = &machine.ip.channels[channel];
    // Capture a27: a link that the peer has closed is refused without a prompt.
    if !slot.state.sends() {
        return Outcome::cme(Cme::NotAllowed);
    }
    let needed = match end {
        End::Length(length) => length,
        End::ControlZ => 1,
    };
    let full = slot.unsent_bytes + needed > machine.settings.send_buffer;
    if full && machine.settings.full_buffer == FullBuffer::Refuse {
        return Outcome::ERROR;
    }
    Outcome::Prompt(open_prompt(machine, channel, end))
}

fn open_prompt(machine: &mut Machine, channel: usize, end: End) -> Payload {
    if machine.ip.switches.prompt == 1 {
        let prompt = machine.settings.profile.prompt.as_bytes().to_vec();
        machine.print(OutputKind::Prompt, prompt);
    }
    let (on, seconds) = machine.ip.switches.auto_send;
    let takes_line_feed = machine.editor.awaits_line_feed();
    machine.editor.clear();
    Payload {
        channel,
        end,
        bytes: Vec::new(),
        // Capture a01: the time begins at the command. When it ends, the bytes so far are sent.
        sends_at: (on == 1).then(|| machine.now + Duration::from_secs(seconds.into())),
        takes_line_feed,
        breaks_after: machine.faults.breaks_payload_after(),
    }
}

/// `+CIPACK: sent,acknowledged,not acknowledged`, since the connect (capture a01).
fn acknowledged(machine: &mut Machine, form: &Form) -> Outcome {
    let channel = match form {
        Form::Test => return Outcome::Ok,
        Form::Read => return Outcome::ERROR,
        Form::Execute if machine.ip.multi() => return Outcome::ERROR,
        Form::Execute => Some(0),
        Form::Set(args) if machine.ip.multi() => channel(machine, args),
        Form::Set(_) => None,
    };
    let slot = channel.map(|channel| &machine.ip.channels[channel]);
    let linked = slot.filter(|slot| slot.state.link().is_some());
    let (Some(channel), Some(slot)) = (channel, linked) else {
        return Outcome::cme(Cme::NotAllowed);
    };
    let (sent, known) = (slot.sent, machine.link_acknowledged(channel));
    let value = format!("{sent},{known},{}", sent.saturating_sub(known));
    machine.keyed("+CIPACK", &value);
    Outcome::Ok
}
