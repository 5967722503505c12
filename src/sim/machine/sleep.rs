//! Falls asleep under `AT+CSCLK`, wakes, and looks for the rate of the line at power-on.

use std::time::Duration;

use super::{Machine, Mode};
use crate::sim::control::Happening;
use crate::sim::profile::BootText;
use crate::sim::radio::{Power, Training};
use crate::sim::sleep::Sleep;
use crate::time::Timestamp;

impl Machine {
    /// Whether bytes that come now are lost to sleep. They wake.
    pub(super) fn sleeps_through(&mut self) -> bool {
        match self.sleep {
            Sleep::Awake { .. } => {}
            Sleep::Asleep => {
                self.sleep = Sleep::Waking { until: self.now + self.settings.wake_time };
                return true;
            }
            Sleep::Waking { until } if self.now < until => return true,
            Sleep::Waking { .. } => self.happened(Happening::Asleep(false)),
        }
        self.sleep = Sleep::Awake { active_at: self.now };
        false
    }

    /// DTR came on in mode 1: that wakes, and what the host writes meanwhile is lost (assumed).
    pub(super) fn wakes_for_dtr(&mut self) {
        if self.terminal.sleep == 1 && matches!(self.sleep, Sleep::Asleep) {
            self.sleep = Sleep::Waking { until: self.now + self.settings.wake_time };
        }
    }

    /// Something is printed: that wakes as well (manual, CSCLK: any URC).
    pub(super) fn stay_awake(&mut self) {
        match self.sleep {
            Sleep::Awake { .. } => {}
            Sleep::Asleep | Sleep::Waking { .. } => self.happened(Happening::Asleep(false)),
        }
        self.sleep = Sleep::Awake { active_at: self.now };
    }

    /// Nothing has happened on the line for long enough.
    pub(super) fn fall_asleep(&mut self) -> bool {
        let due = self.sleep_deadline().is_some_and(|at| at <= self.now);
        if due {
            self.sleep = Sleep::Asleep;
            self.happened(Happening::Asleep(true));
        }
        due
    }

    /// The moment at which it falls asleep. In mode 1 only while DTR is off (manual, CSCLK); that the pause is the same is assumed.
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

    /// Looks for an upper-case `AT` in what comes while the rate is unknown (manual, IPR: `at`, `At` and `aT` do not
    /// do). It is heard from the moment on when the first line of the boot would be printed.
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
                self.happened(Happening::RateFound);
                return;
            }
            *letter = *byte == b'A';
        }
    }

    /// The moment at which the boot's first line is printed, at a known rate.
    fn service_up_at(&self) -> Option<Timestamp> {
        let Power::Booting { since, .. } = self.radio.power else {
            return None;
        };
        let boot = self.settings.profile.boot;
        let first = boot.iter().find(|line| matches!(line.line, BootText::Urc(_)))?;
        Some(since + Duration::from_millis(first.after_millis.into()))
    }
}
