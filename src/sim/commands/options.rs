//! The switches of the TCP/IP application.

use super::super::ip::Bearer;
use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::{List, Table, list, listed, number, switch};

pub(super) const TABLE: Table = &[
    ("+CIPMUX", multi),
    ("+CIPMODE", transparent),
    ("+CIPQSEND", quick_send),
    ("+CIPHEAD", |machine, form| {
        switch(machine, "+CIPHEAD", form, (0, 1), |machine| &mut machine.ip.switches.header)
    }),
    ("+CIPSHOWTP", |machine, form| {
        switch(machine, "+CIPSHOWTP", form, (0, 1), |machine| &mut machine.ip.switches.show_protocol)
    }),
    ("+CIPSRIP", |machine, form| {
        switch(machine, "+CIPSRIP", form, (0, 1), |machine| &mut machine.ip.switches.show_peer)
    }),
    ("+CIPRXF", |machine, form| {
        switch(machine, "+CIPRXF", form, (0, 1), |machine| &mut machine.ip.switches.bare_data)
    }),
    ("+CIPSPRT", |machine, form| {
        switch(machine, "+CIPSPRT", form, (0, 2), |machine| &mut machine.ip.switches.prompt)
    }),
    ("+CIPATS", auto_send),
    ("+CIPTKA", |machine, form| list(machine, form, &KEEP_ALIVE, |machine| &mut machine.ip.keep_alive)),
    ("+CIPCCFG", transparent_settings),
];

/// Manual, CIPTKA. A lost peer is detected after the idle time and the last probe.
const KEEP_ALIVE: List<4> = List {
    key: "+CIPTKA",
    test: "(0-1),(30-7200),(30-600),(1-9)",
    bounds: [(0, 1), (30, 7200), (30, 600), (1, 9)],
    needed: 1,
};
/// Manual, CIPCCFG.
const TRANSPARENT: List<8> = List {
    key: "+CIPCCFG",
    test: "(NmRetry:3-8),(WaitTm:2-10),(SendSz:1-1460),(esc:0,1),(Rxmode:0,1),(RxSize:50-1460),(Rxtimer:20-1000),\
           (BufClean:0,1)",
    bounds: [(3, 8), (2, 10), (1, 1460), (0, 1), (0, 1), (50, 1460), (20, 1000), (0, 1)],
    needed: 4,
};

/// In transparent mode with a single connection only (manual).
fn transparent_settings(machine: &mut Machine, form: &Form) -> Outcome {
    let allowed = machine.ip.switches.transparent == 1 && !machine.ip.multi();
    if matches!(form, Form::Set(_)) && !allowed {
        return Outcome::cme(Cme::NotAllowed);
    }
    list(machine, form, &TRANSPARENT, |machine| &mut machine.ip.transparent_settings)
}

/// In `IP INITIAL` only (manual). Multiple connections and transparent mode exclude each other, but the value 0 is
/// always accepted for both (capture a18).
fn multi(machine: &mut Machine, form: &Form) -> Outcome {
    let wanted = matches!(form, Form::Set(args) if number(args, 0) == Some(1));
    let transparent = machine.ip.switches.transparent == 1;
    let refused = machine.ip.bearer != Bearer::Initial || (wanted && transparent);
    if refused && matches!(form, Form::Set(_)) {
        return Outcome::cme(Cme::NotAllowed);
    }
    listed(machine, "+CIPMUX", form, 1, |machine| &mut machine.ip.switches.multi)
}

fn transparent(machine: &mut Machine, form: &Form) -> Outcome {
    let wanted = matches!(form, Form::Set(args) if number(args, 0) == Some(1));
    let refused = machine.ip.bearer != Bearer::Initial || (wanted && machine.ip.multi());
    if refused && matches!(form, Form::Set(_)) {
        return Outcome::cme(Cme::NotAllowed);
    }
    if *form == Form::Test {
        machine.keyed("+CIPMODE", "(0-NORMAL MODE,1-TRANSPARENT MODE)");
        return Outcome::Ok;
    }
    switch(machine, "+CIPMODE", form, (0, 1), |machine| &mut machine.ip.switches.transparent)
}

/// In `IP INITIAL` only (measured by zoneBen/esp-modem-link); on a SIM800 at any time.
fn quick_send(machine: &mut Machine, form: &Form) -> Outcome {
    let most = machine.settings.profile.quick_send_max;
    let early = machine.settings.profile.quick_send_any_time || machine.ip.bearer == Bearer::Initial;
    if matches!(form, Form::Set(_)) && !early {
        return Outcome::cme(Cme::NotAllowed);
    }
    listed(machine, "+CIPQSEND", form, most, |machine| &mut machine.ip.switches.quick_send)
}

/// `AT+CIPATS=1,<seconds>`.
fn auto_send(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Read => {
            let (on, seconds) = machine.ip.switches.auto_send;
            machine.keyed("+CIPATS", &format!("{on},{seconds}"));
        }
        Form::Test => machine.keyed("+CIPATS", "(0-1),(1-100)"),
        Form::Set(args) => match (number(args, 0), args.get(1).map(|arg| arg.number())) {
            (Some(0), _) => machine.ip.switches.auto_send = (0, 0),
            (Some(1), Some(Some(seconds @ 1..=100))) => {
                machine.ip.switches.auto_send = (1, seconds as u16);
            }
            _ => return Outcome::cme(Cme::Invalid),
        },
        Form::Execute => return Outcome::ERROR,
    }
    Outcome::Ok
}
