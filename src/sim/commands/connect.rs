//! `AT+CIPSTART`.

use std::time::Duration;

use super::super::control::ModemEvent;
use super::super::ip::{Bearer, Channel, ChannelState};
use super::super::line::{Arg, Form};
use super::super::link_options::{KeepAlive, LinkOptions};
use super::super::machine::Machine;
use super::super::network::{Link, Protocol, Target};
use super::super::output_kind::OutputKind;
use super::super::profile::AlreadyStyle;
use super::super::result::{Cme, Continuation, Failure, Outcome};
use super::super::tls::Tls;
use super::forms::{Table, number, text};

pub(super) const TABLE: Table = &[("+CIPSTART", start), ("+CLPORT", local_port)];

/// The longest host (manual, CIPSTART).
const MAX_HOST: usize = 128;
/// The longest time for which `AT+CIPSTART` occupies the command line if the profile's blocks (8910 SDK).
const BLOCKED_FOR: Duration = Duration::from_secs(60);

fn start(machine: &mut Machine, form: &Form) -> Outcome {
    let args = match form {
        Form::Set(args) => args,
        Form::Test => return shapes(machine),
        Form::Read | Form::Execute => return Outcome::ERROR,
    };
    // In multiple mode the channel is first; the form of the other mode is refused (capture a12).
    let has_channel = args.first().is_some_and(|arg| arg.number().is_some());
    if has_channel != machine.ip.multi() {
        return Outcome::cme(Cme::NotAllowed);
    }
    let (channel, args) = if has_channel { (number(args, 0), &args[1..]) } else { (Some(0), &args[..]) };
    let channel = channel.and_then(|channel| usize::try_from(channel).ok());
    let Some(channel) = channel.filter(|channel| *channel < machine.ip.channels.len()) else {
        return Outcome::cme(Cme::NotAllowed);
    };
    let Some(target) = target(args) else {
        return Outcome::cme(Cme::Invalid);
    };
    if machine.ip.channels[channel].state.link().is_some() {
        return already(machine, channel);
    }
    if !scene_allows(machine) {
        return Outcome::cme(Cme::NotAllowed);
    }
    connect(machine, channel, target)
}

/// One line for addresses and one for names (manual); their ranges are those of the SIM800's manual (assumed).
fn shapes(machine: &mut Machine) -> Outcome {
    let last = machine.ip.channels.len() - 1;
    let channels = if machine.ip.multi() { format!("(0-{last}),") } else { String::new() };
    for host in ["(\"(0-255).(0-255).(0-255).(0-255)\")", "(\"DOMAIN NAME\")"] {
        machine.keyed("+CIPSTART", &format!("{channels}(\"TCP\",\"UDP\"),{host},(1-65535)"));
    }
    Outcome::Ok
}

/// Protocol, host, port, each with or without quotes; further arguments are ignored.
fn target(args: &[Arg]) -> Option<Target> {
    let protocol = match text(args, 0).to_uppercase().as_str() {
        "TCP" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        _ => return None,
    };
    let host = text(args, 1).to_owned();
    let port = number(args, 2).and_then(|port| u16::try_from(port).ok())?;
    let valid = !host.is_empty() && host.len() <= MAX_HOST && port > 0;
    valid.then_some(Target { protocol, host, port })
}

/// In single mode the state must be `IP INITIAL` (the bearer is activated automatically), `IP STATUS` or closed. In
/// multiple mode it must be `IP STATUS` or `IP PROCESSING`.
fn scene_allows(machine: &mut Machine) -> bool {
    match machine.ip.bearer {
        Bearer::Ready => true,
        Bearer::Initial if !machine.ip.multi() && machine.may_activate(&machine.ip.default_access[0]) => {
            machine.ip.bearer = Bearer::Ready;
            machine.happened(ModemEvent::Bearer(true));
            true
        }
        Bearer::Initial | Bearer::Start | Bearer::Config | Bearer::Active | Bearer::Lost => false,
    }
}

fn already(machine: &mut Machine, channel: usize) -> Outcome {
    let text = machine.settings.profile.already_text;
    let line = machine.on_channel(channel, text);
    match machine.settings.profile.already {
        AlreadyStyle::AfterOk => machine.final_line("OK"),
        AlreadyStyle::AfterError => {
            let error = Failure::Cme(Cme::Other).line(machine.terminal.error_format, None);
            machine.final_line(&error);
        }
    }
    machine.frame(OutputKind::Final, &line);
    Outcome::Bare
}

fn connect(machine: &mut Machine, channel: usize, target: Target) -> Outcome {
    let link = Link::new(machine.ip.number());
    let until = machine.now + machine.settings.connect_timeout;
    machine.happened(ModemEvent::Connecting { channel: channel as u8, target: target.clone() });
    let line_end_follows = machine.ip.switches.bare_data == 0;
    let options = options(machine, channel, target.protocol);
    if options != LinkOptions::default() {
        machine.network.prepare(link, options);
    }
    if machine.faults.silences_connect() {
        machine.happened(ModemEvent::Fault(format!("the connect of channel {channel} is not answered")));
    } else {
        machine.network.connect(machine.now, link, &target);
    }
    let secure = machine.ip.switches.secure == 1 && target.protocol == Protocol::Tcp;
    machine.ip.channels[channel] = Channel::connecting(target, link, until, line_end_follows);
    machine.ip.channels[channel].keep_alive = options.keep_alive;
    machine.ip.channels[channel].tls = if secure { Tls::Wanted } else { Tls::Off };
    debug_assert!(matches!(machine.ip.channels[channel].state, ChannelState::Connecting { .. }));
    if machine.settings.profile.connect_blocks {
        machine.final_line("OK");
        return machine.pause(BLOCKED_FOR, Continuation::Connected { channel });
    }
    Outcome::Ok
}

/// The options of the next link, from `AT+CLPORT` and `AT+CIPTKA`. They apply from the next connect on (assumed).
fn options(machine: &Machine, channel: usize, protocol: Protocol) -> LinkOptions {
    let [tcp, udp] = machine.ip.local_ports[channel];
    let (port, keeps) = match protocol {
        Protocol::Tcp => (tcp, true),
        Protocol::Udp => (udp, false),
    };
    let [on, idle, interval, count] = machine.ip.keep_alive;
    let seconds = |number: u16| Duration::from_secs(number.into());
    let keep_alive = KeepAlive { idle: seconds(idle), interval: seconds(interval), count: count.into() };
    LinkOptions {
        local_port: (port > 0).then_some(port),
        keep_alive: (keeps && on == 1).then_some(keep_alive),
    }
}

/// `AT+CLPORT=[<channel>,]<TCP|UDP>,<port>`: the modem's own port of the next connect; with 0 the modem selects it.
fn local_port(machine: &mut Machine, form: &Form) -> Outcome {
    let multi = machine.ip.multi();
    match form {
        Form::Test if multi => {
            let last = machine.ip.channels.len() - 1;
            machine.keyed("+CLPORT", &format!("(0-{last}),(\"TCP\",\"UDP\"),(0-65535)"));
        }
        Form::Test => machine.keyed("+CLPORT", "(\"TCP\",\"UDP\"),(0-65535)"),
        Form::Read => {
            let shown = if multi { machine.ip.local_ports.len() } else { 1 };
            for channel in 0..shown {
                let [tcp, udp] = machine.ip.local_ports[channel];
                let prefix = if multi { format!("{channel},") } else { String::new() };
                machine.keyed("+CLPORT", &format!("{prefix}{tcp},{udp}"));
            }
        }
        Form::Set(args) => return set_local_port(machine, args),
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}

fn set_local_port(machine: &mut Machine, args: &[Arg]) -> Outcome {
    let (channel, args) = match args {
        [_, rest @ ..] if machine.ip.multi() => (super::send::channel(machine, args), rest),
        _ => (Some(0), args),
    };
    let port = number(args, 1).and_then(|port| u16::try_from(port).ok());
    let place = match text(args, 0).to_uppercase().as_str() {
        "TCP" => Some(0),
        "UDP" => Some(1),
        _ => None,
    };
    let (Some(channel), Some(place), Some(port), 2) = (channel, place, port, args.len()) else {
        return Outcome::cme(Cme::Invalid);
    };
    machine.ip.local_ports[channel][place] = port;
    Outcome::Ok
}
