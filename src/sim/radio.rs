//! Power, card, cell: whether there is service.

use super::settings::{Settings, SimCard};
use crate::time::Timestamp;

/// Wrong PINs that a card bears.
const PIN_TRIES: u8 = 3;

/// Whether the AT engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Since long.
    On,
    /// The boot began then; this many of its lines are out.
    Booting { since: Timestamp, printed: usize, listening: bool },
}

/// The card in the slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Card {
    Absent,
    Ready,
    Locked {
        pin: String,
        tries: u8,
    },
    /// Too many wrong PINs: `SIM PUK`.
    Blocked,
}

impl Card {
    pub(super) fn new(card: &SimCard) -> Self {
        match card {
            SimCard::Absent => Self::Absent,
            SimCard::Ready => Self::Ready,
            SimCard::Locked { pin } => Self::Locked { pin: pin.clone(), tries: PIN_TRIES },
        }
    }
}

/// How far the search for a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    None,
    Searching { until: Timestamp },
    On,
}

/// The radio's state.
#[derive(Debug)]
pub(super) struct Radio {
    pub(super) power: Power,
    pub(super) card: Card,
    /// `AT+CFUN`: 0 minimum, 1 full, 4 flight.
    pub(super) function: u8,
    /// Whether there is a cell.
    pub(super) covered: bool,
    pub(super) service: Service,
    pub(super) attached: bool,
    /// `AT+CREG`, `AT+CGREG`, `AT+CEREG`.
    pub(super) reports: [u8; 3],
    /// `AT+COPS=3,n`: how the operator is shown.
    pub(super) operator_format: u8,
}

impl Radio {
    /// On since long, with what the settings grant.
    pub(super) fn new(settings: &Settings) -> Self {
        let mut radio = Self {
            power: Power::On,
            card: Card::new(&settings.sim),
            function: 1,
            covered: true,
            service: Service::None,
            attached: false,
            reports: [0; 3],
            operator_format: 0,
        };
        if radio.may_serve(settings) {
            radio.service = Service::On;
            radio.attached = settings.attach;
        }
        radio
    }

    /// Whether the modem takes commands.
    pub(super) fn listens(&self) -> bool {
        match self.power {
            Power::On => true,
            Power::Booting { listening, .. } => listening,
        }
    }

    /// Whether everything is there that service needs.
    pub(super) fn may_serve(&self, settings: &Settings) -> bool {
        let registers = matches!(settings.registration, 1 | 5);
        registers && self.may_search()
    }

    /// The registration as `AT+CREG?` shows it.
    pub(super) fn registration(&self, settings: &Settings) -> u8 {
        match self.service {
            Service::On => settings.registration,
            Service::Searching { .. } => 2,
            Service::None if self.power != Power::On && self.may_search() => 2,
            Service::None if self.may_search() => settings.registration,
            Service::None => 0,
        }
    }

    pub(super) fn in_service(&self) -> bool {
        self.service == Service::On
    }

    /// Whether a cell is heard: one that serves, or one that does not take the module.
    pub(super) fn hears(&self, settings: &Settings) -> bool {
        let refused = !self.may_serve(settings) && self.may_search() && self.power == Power::On;
        self.in_service() || refused
    }

    /// Whether the default bearer carries data.
    pub(super) fn is_usable(&self) -> bool {
        self.in_service() && self.attached
    }

    fn may_search(&self) -> bool {
        self.function == 1 && self.covered && self.card == Card::Ready
    }
}
