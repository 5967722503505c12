//! Bearer, address, names.

use std::net::Ipv4Addr;

use crate::at::Urc;
use crate::diagnosis::finding::Observation;
use crate::error::NotReady;

use super::super::evidence::{Evidence, Item};
use super::super::finding::Proof;
use super::super::{Code, End, Exchange, Finding, Severity};
use super::bearer::{Bearer, address_of, is_bearer_step, is_ended_before, state_of};

pub(super) fn bearer(evidence: &Evidence) -> Observation {
    // Lines before a switch of the radio are outdated, and the switch was the program's intention.
    let is_switch = |item: &&Item| matches!(item, Item::Exchange(exchange) if exchange.begins("AT+CFUN="));
    let recent = || evidence.items.iter().enumerate().rev().take_while(|(_, item)| !is_switch(item));
    let states = || {
        recent().filter_map(|(index, item)| match Bearer::of(item)? {
            Bearer::Lost(_) if is_ended_before(evidence, index) => None,
            bearer => Some(bearer),
        })
    };
    let newest = states().next();
    let earlier = states().find_map(|bearer| match bearer {
        Bearer::Refused(exchange) => Some(("refused", exchange.proof())),
        Bearer::Lost(proof) => Some(("lost", proof)),
        Bearer::Up(_) => None,
    });
    if let (true, Some((what, proof))) = (is_up(evidence, &newest), earlier) {
        let summary = format!("the bearer was {what} once, and came back");
        // A loss that is over is normal in networks; a refusal may come again.
        let severity = if what == "lost" { Severity::Note } else { Severity::Warning };
        let finding = Finding::new(Code::BearerUnsteady, severity, summary).proved_by([proof]);
        return Observation::found("up again", finding);
    }
    match newest {
        _ if evidence.ready => Observation::fine("up"),
        Some(Bearer::Up(shown)) => Observation::fine(shown).and(unexplained(evidence)),
        Some(Bearer::Refused(exchange)) => refused(evidence, exchange),
        // The loss may be part of a refusal (capture a12), independent of their order.
        Some(Bearer::Lost(proof)) => match evidence.exchanges().find(|exchange| is_bearer_step(exchange)) {
            Some(exchange) => refused(evidence, exchange),
            None => {
                let finding = Finding::error(Code::BearerLost, "the network has ended the bearer");
                Observation::found("lost", finding.proved_by([proof]))
            }
        },
        None => Observation { shown: None, findings: unexplained(evidence).into_iter().collect() },
    }
}

fn is_up(evidence: &Evidence, newest: &Option<Bearer<'_>>) -> bool {
    evidence.ready || matches!(newest, Some(Bearer::Up(_)))
}

fn refused(evidence: &Evidence, exchange: &Exchange) -> Observation {
    let lost = evidence.items.iter().rev().find_map(|item| match item {
        Item::News { urc: Urc::PdpDeactivated, line } => Some(Proof::lines([line.clone()])),
        Item::News { .. } | Item::Exchange(_) | Item::Trial(_) | Item::Noise(_) => None,
    });
    let status = evidence.answer_to("AT+CIPSTATUS").filter(|exchange| state_of(exchange).is_some());
    let finding = Finding::error(Code::BearerRefused, "the bearer (PDP context) is refused")
        .proved_by([exchange.proof()])
        .proved_by(lost)
        .proved_by(status.map(Exchange::proof));
    Observation::found("refused", finding)
}

/// The finding that the driver reports the module as not ready, and no earlier check shows the reason.
fn unexplained(evidence: &Evidence) -> Option<Finding> {
    use super::{line, module, network};
    let reason = evidence.missing?;
    let before = [
        line::port,
        line::answer,
        line::baud,
        line::echo,
        module::power,
        module::firmware,
        module::radio,
        module::sim,
        network::signal,
        network::registration,
        network::attach,
    ];
    let found = before.iter().flat_map(|rule| rule(evidence).findings);
    if found.map(|finding| finding.severity).max() == Some(Severity::Error) {
        return None;
    }
    let code = match reason {
        NotReady::BearerLost => Code::BearerLost,
        NotReady::BearerRefused(_) => Code::BearerRefused,
        _ => Code::NotReady,
    };
    let summary = format!("the module is not ready: {reason}");
    Some(Finding::error(code, summary).proved_by([Proof::lines([reason.to_string()])]))
}

pub(super) fn address(evidence: &Evidence) -> Observation {
    let Some((address, exchange)) =
        evidence.exchanges().find_map(|exchange| Some((address_of(exchange)?, exchange)))
    else {
        return Observation::nothing();
    };
    if address.is_unspecified() {
        let finding = Finding::error(Code::AddressMissing, "the bearer has no address");
        return Observation::found("none", finding.proved_by([exchange.proof()]));
    }
    Observation::fine(address.to_string())
}

/// The result for the last name.
pub(super) fn resolved(evidence: &Evidence) -> Option<Vec<Ipv4Addr>> {
    evidence.items.iter().rev().find_map(|item| match item {
        Item::News { urc, .. } => addresses(urc),
        Item::Exchange(exchange) => {
            exchange.all_lines().find_map(|line| addresses(&Urc::parse(line.as_bytes())))
        }
        Item::Trial(_) | Item::Noise(_) => None,
    })
}

fn addresses(urc: &Urc) -> Option<Vec<Ipv4Addr>> {
    match urc {
        Urc::Resolved { addresses, .. } => Some(addresses.clone()),
        _ => None,
    }
}

pub(super) fn dns(evidence: &Evidence) -> Observation {
    let answer = evidence.items.iter().rev().find_map(|item| match item {
        Item::News { urc, line } => outcome(urc, || Proof::lines([line.clone()])),
        Item::Exchange(exchange) if exchange.begins("AT+CDNSGIP=") => {
            let said = exchange
                .all_lines()
                .find_map(|line| outcome(&Urc::parse(line.as_bytes()), || exchange.proof()));
            let failed = exchange.is_refused() || exchange.end == End::Silence;
            said.or_else(|| failed.then(|| Err((String::from("no answer"), exchange.proof()))))
        }
        Item::Exchange(_) | Item::Trial(_) | Item::Noise(_) => None,
    });
    match answer {
        None => Observation::nothing(),
        Some(Ok(shown)) => Observation::fine(shown),
        Some(Err((why, proof))) => {
            let finding = Finding::error(Code::DnsFailed, format!("the name can't be resolved: {why}"));
            Observation::found("failed", finding.proved_by([proof]))
        }
    }
}

fn outcome(urc: &Urc, proof: impl FnOnce() -> Proof) -> Option<Result<String, (String, Proof)>> {
    match urc {
        Urc::Resolved { host, addresses } => {
            let first =
                addresses.first().map_or("an address that is not IPv4".to_owned(), Ipv4Addr::to_string);
            Some(Ok(format!("{host} is {first}")))
        }
        Urc::ResolveFailed(code) => Some(Err((code.to_string(), proof()))),
        _ => None,
    }
}
