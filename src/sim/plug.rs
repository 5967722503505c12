//! The plug of a port, which may vanish during a restart or while the modem runs, and come back, possibly with another
//! name.

use std::collections::VecDeque;

use super::control::Output;
use crate::time::Timestamp;

/// The state of the plug, and the events for the host.
#[derive(Debug, Default)]
pub(super) struct Plug {
    /// The time at which an unplugged port comes back; `None`: it is plugged in.
    back_at: Option<Timestamp>,
    news: VecDeque<Output>,
}

impl Plug {
    /// True if the host has a port.
    pub(super) fn is_in(&self) -> bool {
        self.back_at.is_none()
    }

    /// The time at which it comes back automatically.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.back_at.filter(|at| *at != Timestamp::MAX)
    }

    pub(super) fn take_news(&mut self) -> Option<Output> {
        self.news.pop_front()
    }

    /// The port vanishes until this time.
    pub(super) fn pull_out(&mut self, back_at: Timestamp) {
        if self.is_in() {
            self.news.push_back(Output::Unplugged);
        }
        self.back_at = Some(back_at);
    }

    /// The port is back, with this name if one is given.
    pub(super) fn put_in(&mut self, name: Option<String>) {
        if self.back_at.take().is_some() {
            self.news.push_back(Output::PluggedIn(name));
        }
    }

    /// Brings a port back if it is due.
    pub(super) fn put_in_if_due(&mut self, now: Timestamp) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.put_in(None);
        }
    }
}
