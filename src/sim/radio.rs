//! Power, card, cell, and the service that they allow.

use super::card::{Card, Lock};
use super::settings::{Settings, SimCard};
use crate::time::Timestamp;

/// The state of the AT engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Running, with the boot completed.
    On,
    /// Booting since this time; this number of its lines is printed.
    Booting { since: Timestamp, printed: usize, listening: bool, training: Training },
}

/// The knowledge of the line's rate during a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Training {
    Done,
    /// The rate will be detected from an upper-case `AT`; the letter `A` may have come.
    Wanted {
        letter: bool,
    },
}

/// The progress of the search for a cell.
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
    pub(super) lock: Lock,
    /// `AT+CFUN`: 0 minimum, 1 full, 4 flight.
    pub(super) function: u8,
    /// True if there is a cell.
    pub(super) covered: bool,
    pub(super) service: Service,
    pub(super) attached: bool,
    /// `AT+CREG`, `AT+CGREG`, `AT+CEREG`.
    pub(super) reports: [u8; 3],
    /// `AT+COPS=3,n`: the format of the operator.
    pub(super) operator_format: u8,
    /// `AT+CBC`: the voltages at which the module starts and stops.
    pub(super) supply_limits: [u16; 2],
    /// `AT+SETUSB`; a restart preserves it.
    pub(super) usb_mode: u8,
    /// `AT+COPS=n`: 0 automatic, 1 manual, 2 deregistered.
    pub(super) operator_mode: u8,
}

impl Radio {
    /// The radio after the boot, with the service that the settings allow.
    pub(super) fn new(settings: &Settings) -> Self {
        let lock = Lock::new(settings);
        let mut radio = Self {
            power: Power::On,
            card: if settings.sim == SimCard::Absent { Card::Absent } else { lock.at_power_on() },
            lock,
            function: 1,
            covered: true,
            service: Service::None,
            attached: false,
            reports: [0; 3],
            operator_format: settings.profile.operator_format,
            operator_mode: 0,
            usb_mode: 1,
            // No source shows the values of a new module (assumed: no limits).
            supply_limits: [0; 2],
        };
        if radio.may_serve(settings) {
            radio.service = Service::On;
            radio.attached = settings.attach;
        }
        radio
    }

    /// The radio after a reboot: the card with its lock, and the cell.
    pub(super) fn rebooted(&self, settings: &Settings) -> Self {
        let card = if self.card == Card::Absent { Card::Absent } else { self.lock.at_power_on() };
        Self {
            card,
            lock: self.lock.clone(),
            covered: self.covered,
            usb_mode: self.usb_mode,
            service: Service::None,
            attached: false,
            ..Self::new(settings)
        }
    }

    /// True if the modem accepts commands.
    pub(super) fn listens(&self) -> bool {
        match self.power {
            Power::On => true,
            Power::Booting { listening, .. } => listening,
        }
    }

    /// True if all conditions of service are met.
    pub(super) fn may_serve(&self, settings: &Settings) -> bool {
        let registers = matches!(settings.registration, 1 | 5);
        registers && self.may_search()
    }

    /// The registration in `AT+CREG?`.
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

    /// True if a search would find a cell.
    pub(super) fn is_searchable(&self) -> bool {
        self.function == 1 && self.covered && self.card != Card::Absent
    }

    /// True if there is a signal: of a cell with service, or of one that refuses the module.
    pub(super) fn has_signal(&self, settings: &Settings) -> bool {
        let refused = !self.may_serve(settings) && self.may_search() && self.power == Power::On;
        self.in_service() || refused
    }

    /// True if the default bearer transfers data.
    pub(super) fn is_usable(&self) -> bool {
        self.in_service() && self.attached
    }

    fn may_search(&self) -> bool {
        self.function == 1 && self.operator_mode != 2 && self.covered && self.card == Card::Ready
    }
}
