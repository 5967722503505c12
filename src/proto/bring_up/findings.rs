//! The answers of the module that the rest of the engine wants to know.

use std::net::Ipv4Addr;

use crate::at::ChannelId;
use crate::proto::{Event, Identity};
use crate::query::SignalQuality;

use super::BringUp;

impl BringUp {
    /// The signal that the module told last.
    pub(in crate::proto) fn signal(&self) -> Option<SignalQuality> {
        self.network.signal()
    }

    /// That another module than before has answered since the last call.
    pub(in crate::proto) fn take_replaced(&mut self) -> Option<Event> {
        self.found.replaced.take().map(|before| Event::OtherModule { before })
    }

    pub(in crate::proto) fn identity(&self) -> &Identity {
        &self.found.identity
    }

    pub(in crate::proto) fn address(&self) -> Option<Ipv4Addr> {
        self.found.address
    }

    /// How many channels the firmware offers, told once.
    pub(in crate::proto) fn take_channels(&mut self) -> Option<usize> {
        self.found.channels.take()
    }

    /// The channels with connections of an earlier session, told once.
    pub(in crate::proto) fn take_in_use(&mut self) -> Vec<ChannelId> {
        std::mem::take(&mut self.found.in_use)
    }
}
