//! Power, card, cell: whether there is service.

use super::card::{Card, Lock};
use super::settings::{Settings, SimCard};
use crate::time::Timestamp;

/// The state of the AT engine: running, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Since long.
    On,
    /// The boot began then; this many of its lines are out.
    Booting { since: Timestamp, printed: usize, listening: bool, training: Training },
}

/// The knowledge of the line's rate during a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Training {
    Done,
    /// It has to be found in an upper-case `AT`; the letter `A` may have come.
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
    /// Whether there is a cell.
    pub(super) covered: bool,
    pub(super) service: Service,
    pub(super) attached: bool,
    /// `AT+CREG`, `AT+CGREG`, `AT+CEREG`.
    pub(super) reports: [u8; 3],
    /// `AT+COPS=3,n`: how the operator is shown.
    pub(super) operator_format: u8,
    /// `AT+CBC`: the voltages that switch on and off.
    pub(super) supply_limits: [u16; 2],
    /// `AT+SETUSB`, which outlives a restart.
    pub(super) usb_mode: u8,
    /// `AT+COPS=n`: 0 automatic, 1 by hand, 2 deregistered.
    pub(super) operator_mode: u8,
}

impl Radio {
    /// On since long, with what the settings grant.
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
            // No source gives the values of a new module (assumed: no limits).
            supply_limits: [0; 2],
        };
        if radio.may_serve(settings) {
            radio.service = Service::On;
            radio.attached = settings.attach;
        }
        radio
    }

    /// Its state behind a reboot: the card and its lock, the cell.
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

    /// Whether there is a cell that a search would find.
    pub(super) fn is_searchable(&self) -> bool {
        self.function == 1 && self.covered && self.card != Card::Absent
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
        self.function == 1 && self.operator_mode != 2 && self.covered && self.card == Card::Ready
    }
}
