//! The state of the bearer, by the newest lines.

use std::net::Ipv4Addr;

use crate::at::{CmeError, Line, Urc, bare_address};

use super::super::Exchange;
use super::super::evidence::{Evidence, Item};
use super::super::exchange::ends_bearer;
use super::super::finding::Proof;
use super::super::trial::TrialEnd;
use super::attempt::{is_accepted, is_connected};

/// The latest change of the bearer.
pub(super) enum Bearer<'a> {
    Up(String),
    Refused(&'a Exchange),
    Lost(Proof),
}

impl<'a> Bearer<'a> {
    pub(super) fn of(item: &'a Item) -> Option<Self> {
        match item {
            Item::News { urc: Urc::PdpDeactivated, line } => Some(Self::Lost(Proof::lines([line.clone()]))),
            Item::Exchange(exchange) if is_bearer_step(exchange) => Some(Self::Refused(exchange)),
            Item::Exchange(exchange) if exchange.is("AT+CIICR") && !exchange.is_refused() => {
                exchange.is_answered().then(|| Self::Up("activated".into()))
            }
            Item::Exchange(exchange) if exchange.is("AT+CIPSTATUS") => state_of(exchange),
            Item::Exchange(exchange) if exchange.begins("AT+CIPSTART=") => {
                state_of(exchange).filter(|bearer| matches!(bearer, Self::Lost(_)))
            }
            Item::Exchange(exchange) => {
                let address = address_of(exchange).filter(|address| !address.is_unspecified());
                address.map(|_| Self::Up("up".into()))
            }
            Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
        }
    }
}

/// True if a step that sockets require was refused. Error 3 means that it was not allowed in this state (section 6):
/// the step was done already, or an earlier one was missing.
pub(super) fn is_bearer_step(exchange: &Exchange) -> bool {
    let required = ["AT+CIICR", "AT+CSTT", "AT+CIPMUX=1"].into_iter().any(|name| exchange.begins(name))
        && !is_question(exchange);
    required && exchange.is_refused() && exchange.cme() != Some(CmeError::OPERATION_NOT_ALLOWED)
}

fn is_question(exchange: &Exchange) -> bool {
    exchange.command.trim_end().ends_with('?')
}

pub(super) fn state_of<'a>(exchange: &'a Exchange) -> Option<Bearer<'a>> {
    let state = exchange.all_lines().map(String::as_bytes).find_map(|line| match Line::parse(line) {
        Line::State(state) => Some(String::from_utf8_lossy(state).into_owned()),
        _ => None,
    })?;
    match state.as_str() {
        "PDP DEACT" | "IP PDPDEACT" => Some(Bearer::Lost(exchange.proof())),
        "IP GPRSACT" | "IP STATUS" | "IP PROCESSING" | "CONNECT OK" => Some(Bearer::Up(state)),
        _ => None,
    }
}

/// True if the newest command about the bearer before this position ended it.
pub(super) fn is_ended_before(evidence: &Evidence, index: usize) -> bool {
    let earlier = evidence.items.iter().take(index).rev();
    { earlier }
        .find_map(|item| match item {
            Item::Exchange(exchange) if ends_bearer(&exchange.command) => Some(exchange.is_done()),
            item => (Bearer::of(item).is_some() || shows_service(item)).then_some(false),
        })
        .unwrap_or(false)
}

/// True if the module had service after this position: an active bearer, a connection, or an answer of the network. A
/// condition of it that was missing before was fulfilled then.
pub(super) fn has_service_after(evidence: &Evidence, index: usize) -> bool {
    evidence.after(index).any(shows_service)
}

fn shows_service(item: &Item) -> bool {
    match item {
        Item::Trial(trial) => trial.end == TrialEnd::Connected,
        Item::News { urc, .. } => matches!(urc, Urc::ConnectOk(_) | Urc::Resolved { .. }),
        Item::Exchange(exchange) => {
            let is_up = matches!(Bearer::of(item), Some(Bearer::Up(_)));
            let is_resolved = |line: &String| matches!(Urc::parse(line.as_bytes()), Urc::Resolved { .. });
            is_up
                || exchange.begins("AT+CDNSGIP=") && exchange.all_lines().any(is_resolved)
                || is_connected(exchange)
                || is_accepted(exchange, |_| true)
        }
        Item::Noise(_) => false,
    }
}

/// The address in an answer to `AT+CIFSR`: its line, or its final line.
pub(super) fn address_of(exchange: &Exchange) -> Option<Ipv4Addr> {
    if !exchange.begins("AT+CIFSR") {
        return None;
    }
    exchange.all_lines().find_map(|line| bare_address(line.as_bytes()))
}
