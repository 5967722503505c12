//! The plug: a port that vanishes while the modem lives on, or with its restart, and comes back, perhaps by another name.

use std::collections::VecDeque;

use super::control::Output;
use crate::time::Timestamp;

/// The state of the plug, and what the host's side has not been told of it.
#[derive(Debug, Default)]
pub(super) struct Plug {
    /// When a plug that is out comes back; `None`: it is in.
    back_at: Option<Timestamp>,
    news: VecDeque<Output>,
}

impl Plug {
    /// Whether the host has a port.
    pub(super) fn is_in(&self) -> bool {
        self.back_at.is_none()
    }

    /// When it comes back by itself.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.back_at.filter(|at| *at != Timestamp::MAX)
    }

    pub(super) fn take_news(&mut self) -> Option<Output> {
        self.news.pop_front()
    }

    /// The port vanishes until then.
    pub(super) fn pull_out(&mut self, back_at: Timestamp) {
        if self.is_in() {
            self.news.push_back(Output::Unplugged);
        }
        self.back_at = Some(back_at);
    }

    /// The port is back, under this name if one is given.
    pub(super) fn put_in(&mut self, name: Option<String>) {
        if self.back_at.take().is_some() {
            self.news.push_back(Output::PluggedIn(name));
        }
    }

    /// A port whose time has come is back.
    pub(super) fn put_in_if_due(&mut self, now: Timestamp) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.put_in(None);
        }
    }
}
