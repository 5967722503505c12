//! Sleep under `AT+CSCLK`, wake-up, and the detection of the line's rate at power-on.

use std::time::Duration;

use super::{Machine, Mode};
use crate::sim::control::ModemEvent;
use crate::sim::profile::BootText;
use crate::sim::radio::{Power, Training};
use crate::sim::sleep::Sleep;
use crate::time::Timestamp;

impl Machine {
    /// True if the bytes that come now are lost to sleep. They wake the modem.
    pub(super) fn sleeps_through(&mut self) -> bool {
        match self.sleep {
            Sleep::Awake { .. } => {}
            Sleep::Asleep => {
                self.sleep = Sleep::Waking { until: self.now + self.settings.wake_time };
                return true;
            }
            Sleep::Waking { until } if self.now < until => return true,
            Sleep::Waking { .. } => self.happened(ModemEvent::Asleep(false)),
        }
        self.sleep = Sleep::Awake { active_at: self.now };
        false
    }

    /// DTR was switched on in mode 1: this wakes the modem, and bytes that the host writes meanwhile are lost
    /// (assumed).
    pub(super) fn wakes_for_dtr(&mut self) {
        if self.terminal.sleep == 1 && matches!(self.sleep, Sleep::Asleep) {
            self.sleep = Sleep::Waking { until: self.now + self.settings.wake_time };
        }
    }

    /// Output wakes the modem as well (manual, CSCLK: any URC).
    pub(super) fn stay_awake(&mut self) {
        match self.sleep {
            Sleep::Awake { .. } => {}
            Sleep::Asleep | Sleep::Waking { .. } => self.happened(ModemEvent::Asleep(false)),
        }
        self.sleep = Sleep::Awake { active_at: self.now };
    }

    /// Falls asleep after the idle time of the line.
    pub(super) fn fall_asleep(&mut self) -> bool {
        let due = self.sleep_deadline().is_some_and(|at| at <= self.now);
        if due {
            self.sleep = Sleep::Asleep;
            self.happened(ModemEvent::Asleep(true));
        }
        due
    }

    /// The time of falling asleep. In mode 1 the modem sleeps only while DTR is off (manual, CSCLK), after the same
    /// idle time (assumed).
    pub(super) fn sleep_deadline(&self) -> Option<Timestamp> {
        let idle = matches!(self.mode, Mode::Command) && self.out.line.len() == 0;
        let may = match self.terminal.sleep {
            0 => false,
            1 => !self.dtr,
            _ => true,
        };
        if !idle || !may || self.radio.power != Power::On {
            return None;
        }
        let wait = Duration::from_secs(self.terminal.sleeps_after.into());
        match self.sleep {
            Sleep::Awake { active_at } => Some(active_at + wait),
            Sleep::Waking { until } => Some(until + wait),
            Sleep::Asleep => None,
        }
    }

    /// The state of a boot that begins now.
    pub(super) fn booting(&self, since: Timestamp) -> Power {
        let searches = self.settings.autobaud && !self.terminal.has_rate();
        let training = if searches { Training::Wanted { letter: false } } else { Training::Done };
        Power::Booting { since, printed: 0, listening: false, training }
    }

    /// Searches for an upper-case `AT` while the rate is unknown (manual, IPR: `at`, `At` and `aT` are not accepted).
    /// It is accepted from the time of the boot's first line on.
    pub(super) fn train(&mut self, bytes: &[u8]) {
        let up = self.service_up_at().is_some_and(|at| at <= self.now);
        let Power::Booting { training, .. } = &mut self.radio.power else {
            return;
        };
        let Training::Wanted { letter } = training else {
            return;
        };
        if !up {
            return;
        }
        for byte in bytes {
            if *letter && *byte == b'T' {
                *training = Training::Done;
                self.happened(ModemEvent::RateFound);
                return;
            }
            *letter = *byte == b'A';
        }
    }

    /// The time at which the boot's first line is printed at a known rate.
    fn service_up_at(&self) -> Option<Timestamp> {
        let Power::Booting { since, .. } = self.radio.power else {
            return None;
        };
        let boot = self.settings.profile.boot;
        let first = boot.iter().find(|line| matches!(line.line, BootText::Urc(_)))?;
        Some(since + Duration::from_millis(first.after_millis.into()))
    }
}
