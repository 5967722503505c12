//! The rules from the port to the first answer.

use crate::diagnosis::finding::Observation;

use super::super::evidence::{Evidence, Item, Port};
use super::super::finding::Proof;
use super::super::{Code, End, Finding};

pub(super) fn port(evidence: &Evidence) -> Observation {
    match &evidence.port {
        Port::Unknown => Observation::nothing(),
        Port::Open { path, rate: Some(rate) } => Observation::fine(format!("{path} at {rate} baud")),
        Port::Open { path, rate: None } => Observation::fine(path),
        Port::Failed { fault, why } => {
            let finding = Finding::error(fault.code(), "the port can't be opened");
            Observation::found("can't be opened", finding.proved_by([Proof::lines([why.clone()])]))
        }
        Port::Lost(why) => {
            let finding = Finding::error(Code::PortLost, "the port was lost");
            Observation::found("lost", finding.proved_by([Proof::lines([why.clone()])]))
        }
    }
}

/// The bytes that came instead of answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Silence {
    Complete,
    Garbage,
    Echo,
    /// Text that is no answer: the rate is right.
    Text,
}

/// `None` if there was an answer, or no question, or if the port says why.
fn silence(evidence: &Evidence) -> Option<Silence> {
    if evidence.port_has_failed() {
        return None;
    }
    let asked = evidence.exchanges().any(|exchange| exchange.end == End::Silence);
    if !asked || evidence.is_answered() {
        return None;
    }
    Some(match () {
        () if evidence.sample.is_garbage() || noise(evidence).count() > 2 => Silence::Garbage,
        () if evidence.echo => Silence::Echo,
        () if evidence.sample.received() > 0 => Silence::Text,
        () => Silence::Complete,
    })
}

fn noise(evidence: &Evidence) -> impl Iterator<Item = &String> {
    evidence.items.iter().filter_map(|item| match item {
        Item::Noise(line) => Some(line),
        Item::Exchange(_) | Item::Trial(_) | Item::News { .. } => None,
    })
}

/// The other rates that were tried, in words.
fn rates(evidence: &Evidence) -> Option<Proof> {
    let tried = |wanted| {
        let rates = evidence.rates.iter().filter(move |(_, answered)| *answered == wanted);
        let rates: Vec<String> = rates.map(|(rate, _)| rate.to_string()).collect();
        (!rates.is_empty()).then(|| rates.join(", "))
    };
    let silent = tried(false).map(|rates| format!("no answer at {rates} baud either"));
    let answered = tried(true).map(|rates| format!("it answers at {rates} baud"));
    let lines: Vec<String> = silent.into_iter().chain(answered).collect();
    (!lines.is_empty()).then(|| Proof::lines(lines))
}

pub(super) fn answer(evidence: &Evidence) -> Observation {
    if evidence.is_answered() {
        return Observation::fine("answers");
    }
    match silence(evidence) {
        None => Observation::nothing(),
        Some(Silence::Garbage) => Observation { shown: Some("no answer".into()), findings: Vec::new() },
        Some(Silence::Echo) => Observation { shown: Some("only its echo".into()), findings: Vec::new() },
        Some(Silence::Complete | Silence::Text) => {
            let asked = evidence.exchanges().next().map(|exchange| exchange.proof());
            let text = evidence.sample.received() > 0;
            let sample = text.then(|| Proof::lines([format!("received {}", evidence.sample.shown())]));
            let finding = Finding::error(Code::NoAnswer, "nothing answers on this port")
                .proved_by(asked.into_iter().chain(sample).chain(rates(evidence)));
            Observation::found("nothing", finding)
        }
    }
}

pub(super) fn baud(evidence: &Evidence) -> Observation {
    let first = match &evidence.port {
        Port::Open { rate, .. } => *rate,
        Port::Unknown | Port::Failed { .. } | Port::Lost(_) => None,
    };
    if let Some((rate, _)) = evidence.rates.iter().find(|(_, answered)| *answered) {
        let at = first.map_or(String::new(), |first| format!(", not at {first}"));
        let silent = evidence.exchanges().find(|exchange| exchange.end == End::Silence);
        let sample = evidence.sample.received() > 0;
        let sample = sample.then(|| Proof::lines([format!("received {}", evidence.sample.shown())]));
        let finding = Finding::error(Code::WrongBaud, format!("the module answers at {rate} baud{at}"))
            .proved_by(
                silent.map(|exchange| exchange.proof()).into_iter().chain(sample).chain(rates(evidence)),
            );
        return Observation::found(rate.to_string(), finding);
    }
    if silence(evidence) == Some(Silence::Garbage) {
        let finding = Finding::error(Code::WrongBaud, "what comes is garbage: the line rate is wrong")
            .proved_by([Proof::lines([format!("received {}", evidence.sample.shown())])])
            .proved_by(rates(evidence));
        return Observation::found("garbage", finding);
    }
    let shown = if evidence.is_answered() { Observation::fine("right") } else { Observation::nothing() };
    let damaged: Vec<String> = noise(evidence).cloned().collect();
    let damage = (evidence.is_answered() && !damaged.is_empty()).then(|| {
        let summary = format!("{} damaged lines came between the answers", damaged.len());
        Finding::warning(Code::LineNoise, summary).proved_by([Proof::lines(damaged)])
    });
    shown.and(damage)
}

pub(super) fn echo(evidence: &Evidence) -> Observation {
    if silence(evidence) == Some(Silence::Echo) {
        let finding = Finding::error(Code::EchoOnly, "the echo comes back, and never an answer")
            .proved_by([Proof::answer("AT", [format!("received {}", evidence.sample.shown())])])
            .proved_by(rates(evidence));
        return Observation::found("nothing but echo", finding);
    }
    match (evidence.is_answered(), evidence.echo) {
        (true, true) => Observation::fine("on"),
        (true, false) => Observation::fine("off"),
        (false, _) => Observation::nothing(),
    }
}
