//! The results of bring-up that the other parts of the engine need.

use std::net::Ipv4Addr;

use crate::at::ChannelId;
use crate::proto::{Event, Identity};
use crate::query::SignalQuality;

use super::BringUp;

impl BringUp {
    /// The signal that the module reported last.
    pub(in crate::proto) fn signal(&self) -> Option<SignalQuality> {
        self.network.signal()
    }

    /// Returns an event once if another module than before has answered.
    pub(in crate::proto) fn take_replaced(&mut self) -> Option<Event> {
        self.found.replaced.take().map(|before| Event::OtherModule { before })
    }

    pub(in crate::proto) fn identity(&self) -> &Identity {
        &self.found.identity
    }

    pub(in crate::proto) fn address(&self) -> Option<Ipv4Addr> {
        self.found.address
    }

    /// Returns once the number of channels that the firmware offers.
    pub(in crate::proto) fn take_channels(&mut self) -> Option<usize> {
        self.found.channels.take()
    }

    /// Returns once the channels with connections of an earlier session.
    pub(in crate::proto) fn take_in_use(&mut self) -> Vec<ChannelId> {
        std::mem::take(&mut self.found.in_use)
    }
}
