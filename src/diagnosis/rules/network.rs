//! The rules for signal, registration and attach.

use crate::at::{Domain, RegistrationStatus, Urc};
use crate::diagnosis::finding::Observation;
use crate::query::{Query, Signal, SignalQuality};

use super::super::evidence::{Evidence, Item};
use super::super::finding::Proof;
use super::super::{Code, Exchange, Finding, Severity};
use super::attempt::is_connected_once;
use super::bearer::{address_of, has_service_after};
use super::module::{is_card_closed, is_radio_off};

/// The newest registration in one domain.
struct Registered {
    /// The position of its line.
    index: usize,
    status: RegistrationStatus,
    proof: Proof,
}

const DOMAINS: [(Domain, &str); 3] =
    [(Domain::Circuit, "AT+CREG?"), (Domain::Packet, "AT+CGREG?"), (Domain::Lte, "AT+CEREG?")];

/// The newest registration in a domain. An answer with another key counts for its command (capture a19).
fn registered(evidence: &Evidence, domain: Domain) -> Option<Registered> {
    let (_, command) = DOMAINS.into_iter().find(|(of, _)| *of == domain)?;
    let (index, (status, proof)) = evidence.newest(|item| match item {
        Item::Exchange(exchange) if exchange.is(command) => {
            let list = ["+CEREG", "+CGREG", "+CREG"].into_iter().find_map(|key| exchange.info(key))?;
            Some((RegistrationStatus::new(list.get(1)?.number()?)?, exchange.proof()))
        }
        Item::News { urc: Urc::Registration(of, status), line } if *of == domain => {
            Some((*status, Proof::lines([line.clone()])))
        }
        Item::Exchange(_) | Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
    })?;
    Some(Registered { index, status, proof })
}

/// The registration over all domains.
struct Network {
    known: Vec<(Domain, Registered)>,
}

impl Network {
    fn of(evidence: &Evidence) -> Self {
        let known =
            DOMAINS.into_iter().filter_map(|(domain, _)| Some((domain, registered(evidence, domain)?)));
        Self { known: known.collect() }
    }

    fn any(&self, is: impl Fn(Domain, RegistrationStatus) -> bool) -> bool {
        self.known.iter().any(|(domain, registered)| is(*domain, registered.status))
    }

    fn is_registered(&self) -> bool {
        self.any(|_, status| status.is_registered())
    }

    /// True if 2G accepts the card and 4G does not: the sign of arrears.
    fn is_only_2g(&self) -> bool {
        self.any(|domain, status| domain == Domain::Lte && !status.is_registered()) && self.is_registered()
    }

    fn is_denied(&self) -> bool {
        !self.is_registered() && self.any(|_, status| status == RegistrationStatus::Denied)
    }

    fn is_limited(&self) -> bool {
        use RegistrationStatus::{EmergencyOnly, SmsOnly};
        !self.is_registered() && self.any(|_, status| matches!(status, EmergencyOnly | SmsOnly))
    }

    /// True if the module had service after the newest of these lines.
    fn is_outdated(&self, evidence: &Evidence) -> bool {
        let newest = self.known.iter().map(|(_, registered)| registered.index).max();
        newest.is_some_and(|index| has_service_after(evidence, index))
    }

    fn proofs(&self) -> impl Iterator<Item = Proof> {
        self.known.iter().map(|(_, registered)| registered.proof.clone())
    }

    fn shown(&self) -> String {
        let known = self.known.iter().map(|(domain, known)| format!("{domain} {}", known.status));
        known.collect::<Vec<_>>().join(", ")
    }
}

fn strength(evidence: &Evidence) -> Option<(SignalQuality, &Exchange)> {
    let exchange = evidence.answer_to("AT+CSQ")?;
    Some((Signal.read(&exchange.reply())?, exchange))
}

/// Unknown (99) and 0 mean that there is no signal, unless the network has answered, the card is closed or the radio is
/// off.
pub(super) fn signal(evidence: &Evidence) -> Observation {
    let Some((quality, exchange)) = strength(evidence) else { return Observation::nothing() };
    let network = Network::of(evidence);
    let has_service = evidence
        .newest(|item| matches!(item, Item::Exchange(one) if one == exchange).then_some(()))
        .is_some_and(|(index, ())| has_service_after(evidence, index));
    let answered = has_service || network.is_registered() || network.is_denied() || network.is_limited();
    let idle = is_card_closed(evidence) || is_radio_off(evidence);
    match quality.rssi() {
        None | Some(0) if answered || idle => Observation::fine(quality.to_string()),
        None | Some(0) => {
            let finding = Finding::error(Code::SignalNone, "there is no signal");
            Observation::found(quality.to_string(), finding.proved_by([exchange.proof()]))
        }
        Some(_) if quality.is_weak() => {
            let summary =
                format!("the signal is weak: {quality}, {} are recommended", SignalQuality::RECOMMENDED);
            let finding = Finding::warning(Code::SignalWeak, summary);
            Observation::found(quality.to_string(), finding.proved_by([exchange.proof()]))
        }
        Some(_) => Observation::fine(quality.to_string()),
    }
}

/// True if the module has, or had, an address or a connection.
fn is_connected(evidence: &Evidence) -> bool {
    let addressed =
        |exchange: &Exchange| address_of(exchange).is_some_and(|address| !address.is_unspecified());
    is_connected_once(evidence) || evidence.exchanges().any(addressed)
}

pub(super) fn registration(evidence: &Evidence) -> Observation {
    let network = Network::of(evidence);
    if network.known.is_empty() {
        return Observation::nothing();
    }
    let (code, severity, summary) = match () {
        () if network.is_only_2g() => {
            // A module with a connection works, independent of its reported registration.
            let severity = match (evidence.ready, is_connected(evidence)) {
                (_, true) => Severity::Note,
                (true, false) => Severity::Warning,
                (false, false) => Severity::Error,
            };
            (Code::Only2g, severity, "2G has registered the card, 4G has not: the sign of arrears")
        }
        () if network.is_registered() => return Observation::fine(network.shown()),
        () if network.is_outdated(evidence) => return Observation::fine("registered since then"),
        () if network.is_denied() => {
            (Code::RegistrationDenied, Severity::Error, "the network denies registration")
        }
        () if network.is_limited() => {
            (Code::RegistrationLimited, Severity::Error, "the network grants no data service")
        }
        () => (Code::NotRegistered, Severity::Error, "no network has registered the module"),
    };
    // A weak signal may be the cause.
    let weak = strength(evidence).filter(|(quality, _)| quality.is_weak());
    let weak = weak.filter(|_| code == Code::NotRegistered).map(|(_, exchange)| exchange.proof());
    let finding = Finding::new(code, severity, summary).proved_by(network.proofs()).proved_by(weak);
    Observation::found(network.shown(), finding)
}

pub(super) fn attach(evidence: &Evidence) -> Observation {
    let newest = evidence.newest(|item| match item {
        Item::Exchange(exchange) if exchange.is("AT+CGATT?") => {
            Some((exchange.info("+CGATT")?.first()?.number()?, exchange))
        }
        Item::Exchange(exchange) if exchange.is("AT+CGATT=1") && exchange.is_done() => Some((1, exchange)),
        Item::Exchange(_) | Item::News { .. } | Item::Trial(_) | Item::Noise(_) => None,
    });
    match newest.map(|(index, (attached, exchange))| (attached, exchange, index)) {
        Some((0, _, index)) if has_service_after(evidence, index) => Observation::fine("since then"),
        Some((0, exchange, _)) => {
            let finding = Finding::error(Code::NotAttached, "the module is not attached to packet service");
            Observation::found("no", finding.proved_by([exchange.proof()]))
        }
        Some(_) => Observation::fine("yes"),
        None => Observation::nothing(),
    }
}
