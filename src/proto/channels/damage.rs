//! The sockets that may be affected by damage on the line.

use std::time::Duration;

use crate::at::{ChannelId, ChannelNews};
use crate::config::ReceiveMode;
use crate::error::CloseReason;
use crate::proto::outbox::Outbox;
use crate::proto::session::ChannelSet;
use crate::time::Timestamp;

use super::channel::{Doubt, End};
use super::link::Link;
use super::{Channels, STALE};

/// A channel counts as receiving if its last data are not older than this, although a header names another channel.
const RECENT: Duration = Duration::from_secs(1);

impl Channels {
    /// The channels that may be affected if a header names one channel.
    pub(in crate::proto) fn affected_by_name(&self, now: Timestamp, known: ChannelSet) -> ChannelSet {
        if self.mode == ReceiveMode::Manual {
            return known.with(self.last_fetches(now));
        }
        let is_recent = |channel: &ChannelId| now < self.all[channel.index()].last_data_at + RECENT;
        known.with(self.open().iter().filter(is_recent).collect())
    }

    /// The channels that may be affected by a loss of unknown length.
    pub(in crate::proto) fn affected_by_loss(&self, now: Timestamp, known: ChannelSet) -> ChannelSet {
        match self.mode {
            ReceiveMode::Manual => known.with(self.last_fetches(now)),
            ReceiveMode::Push => known.with(self.open()),
        }
    }

    /// A loss of unknown length may contain the first data of connections that are being made.
    pub(in crate::proto) fn lost_while_connecting(&mut self, now: Timestamp) {
        if self.mode == ReceiveMode::Push {
            ChannelId::all().for_each(|id| self.came_early(now, id));
        }
    }

    /// True if a fetch was refused just now.
    pub(in crate::proto) fn has_refused_fetch(&self, now: Timestamp) -> bool {
        self.refused_fetch(now) != ChannelSet::default()
    }

    /// The channels of the last fetches, if the damage may concern them: a refusal or an `OK` may have been payload.
    fn last_fetches(&self, now: Timestamp) -> ChannelSet {
        let unproved = self.unproved_fetch_at(now).into_iter().collect();
        self.refused_fetch(now).with(unproved)
    }

    /// The channel whose fetch was refused just now. The refusal may be part of the damage, and the module may have
    /// written the data.
    fn refused_fetch(&self, now: Timestamp) -> ChannelSet {
        self.refused_fetch
            .filter(|(_, at)| now < *at + RECENT)
            .map(|(channel, _)| channel)
            .into_iter()
            .collect()
    }

    /// Ends a socket that lacks bytes. A UDP socket lacks a datagram, which is no error.
    pub(in crate::proto) fn end_stream_of_bytes(
        &mut self,
        id: ChannelId,
        reason: CloseReason,
        out: &mut Outbox,
    ) {
        let socket = self.channel(id).open_socket();
        if socket.is_some_and(|socket| !socket.window.keeps_boundaries()) && self.channel(id).link.can_fetch()
        {
            self.end(id, End::Closed(reason), out);
        }
    }

    /// The affected channels that must be closed on the module.
    pub(in crate::proto) fn released(&self, channels: ChannelSet) -> ChannelSet {
        channels.iter().filter(|channel| matches!(self.all[channel.index()].link, Link::Used)).collect()
    }

    /// A command of the application may have ended connections. Its `CLOSE OK` may come twice or late.
    pub(in crate::proto) fn others_may_have_closed(&mut self, now: Timestamp) {
        for channel in &mut self.all {
            channel.late_close_until = now + STALE;
        }
        self.doubt_all();
    }

    /// Unsolicited lines may have been lost: the module is asked for the state of its channels.
    pub(in crate::proto) fn doubt_all(&mut self) {
        for channel in &mut self.all {
            let news = match &channel.link {
                Link::Up => ChannelNews::Closed,
                Link::Connecting(_) => ChannelNews::ConnectFail,
                Link::Idle | Link::Wanted(_) | Link::Preparing(_) | Link::Starting(_) => continue,
                Link::Draining(_) | Link::Used | Link::Closing | Link::Stream => continue,
            };
            channel.doubt.get_or_insert(Doubt::Suspicion(news));
        }
    }
}
