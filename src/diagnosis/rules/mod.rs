//! The rules, check by check. Each rule is a pure function of all the evidence.

mod attempt;
mod bearer;
mod internet;
mod line;
mod module;
mod network;
mod server;
mod tls;

use super::Check;
use super::evidence::Evidence;
use super::finding::Observation;

/// Every check with its observation, in order.
pub(super) fn apply(evidence: &Evidence) -> Vec<(Check, Observation)> {
    Check::ALL.map(|check| (check, rule(check)(evidence))).into()
}

fn rule(check: Check) -> fn(&Evidence) -> Observation {
    match check {
        Check::Port => line::port,
        Check::Answer => line::answer,
        Check::Baud => line::baud,
        Check::Echo => line::echo,
        Check::Power => module::power,
        Check::Firmware => module::firmware,
        Check::Radio => module::radio,
        Check::Sim => module::sim,
        Check::Signal => network::signal,
        Check::Registration => network::registration,
        Check::Attach => network::attach,
        Check::Bearer => internet::bearer,
        Check::Address => internet::address,
        Check::Dns => internet::dns,
        Check::Server => server::server,
        Check::Tls => tls::tls,
    }
}
