//! The answers about the network, and the reason why it provides no packet service.

use crate::at::{Domain, RegistrationStatus};
use crate::error::NotReady;
use crate::query::SignalQuality;

/// The newest answers about the network, from one round of questions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Network {
    signal: Option<SignalQuality>,
    lte: Option<RegistrationStatus>,
    packet: Option<RegistrationStatus>,
    circuit: Option<RegistrationStatus>,
}

impl Network {
    /// Begins a round with the signal; `None` if the module does not report one.
    pub(super) fn with_signal(signal: Option<SignalQuality>) -> Self {
        Self { signal, ..Self::default() }
    }

    pub(super) fn signal(&self) -> Option<SignalQuality> {
        self.signal
    }

    pub(super) fn registered(&mut self, domain: Domain, status: Option<RegistrationStatus>) {
        match domain {
            Domain::Lte => self.lte = status,
            Domain::Packet => self.packet = status,
            Domain::Circuit => self.circuit = status,
        }
    }

    pub(super) fn is_registered(&self) -> bool {
        self.statuses().any(RegistrationStatus::is_registered)
    }

    /// True if 2G has registered the card and 4G has not: the sign of arrears (guide 1.6).
    pub(super) fn is_only_2g(&self) -> bool {
        self.lte.is_some_and(|lte| !lte.is_registered()) && self.is_registered()
    }

    /// The reason why there is no packet service.
    pub(super) fn missing(&self) -> NotReady {
        if self.is_only_2g() {
            return NotReady::OnlyTwoG;
        }
        if self.is_registered() {
            return NotReady::NotAttached;
        }
        let status = self.status();
        match self.signal {
            // A network has answered, so the signal is not the cause.
            _ if is_answer(status) => NotReady::NotRegistered(status),
            Some(quality) if !quality.is_received() => NotReady::NoSignal,
            Some(quality) if quality.is_weak() => NotReady::WeakSignal(quality),
            Some(_) | None => NotReady::NotRegistered(status),
        }
    }

    /// The most informative status of the domains that are not registered.
    fn status(&self) -> RegistrationStatus {
        self.statuses().max_by_key(|status| weight(*status)).unwrap_or(RegistrationStatus::Unknown)
    }

    fn statuses(&self) -> impl Iterator<Item = RegistrationStatus> {
        [self.circuit, self.packet, self.lte].into_iter().flatten()
    }
}

/// True if the status is an answer of the network.
fn is_answer(status: RegistrationStatus) -> bool {
    weight(status) >= weight(RegistrationStatus::SmsOnly)
}

fn weight(status: RegistrationStatus) -> u8 {
    match status {
        RegistrationStatus::Unknown => 0,
        RegistrationStatus::NotRegistered => 1,
        RegistrationStatus::Searching => 2,
        RegistrationStatus::SmsOnly => 3,
        RegistrationStatus::EmergencyOnly => 4,
        RegistrationStatus::Denied => 5,
        RegistrationStatus::Home | RegistrationStatus::Roaming => 6,
    }
}
