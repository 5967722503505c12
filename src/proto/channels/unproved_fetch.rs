//! The last fetch that was confirmed, until later bytes prove that its `OK` was the module's.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::time::Duration;

use crate::at::ChannelId;
use crate::time::Timestamp;

use super::Channels;
use super::channel::Socket;
use super::frame::UnprovedFetch;

/// For this span after a fetch its data may go on, if their count was too low and their `OK` was payload. The rest of
/// 1460 bytes takes 1.5 s at 9600 baud.
const UNPROVED: Duration = Duration::from_secs(5);

impl Channels {
    /// The data and the `OK` of a fetch came. An answer without data needs no proof.
    pub(super) fn fetch_is_unproved(&mut self, now: Timestamp, id: ChannelId) {
        let channel = self.channel(id);
        let has_data = |socket: &mut Socket| !socket.window.unfinished().iter().all(|piece| piece.is_empty());
        if channel.open_socket().is_some_and(has_data) {
            let socket = channel.socket_id();
            self.unproved_fetch = Some(UnprovedFetch { socket, at: now });
        }
    }

    /// A later command was answered by an `OK` alone.
    pub(in crate::proto) fn fetch_stays_unproved(&mut self, now: Timestamp) {
        if self.unproved_fetch_at(now).is_some()
            && let Some(fetch) = &mut self.unproved_fetch
        {
            fetch.at = now;
        }
    }

    /// The answer to a later command came, which proves that the bytes before it are complete; or a text of people
    /// came, after which an `OK` proves nothing, because it may be a line of the text.
    pub(in crate::proto) fn fetch_settled(&mut self) {
        self.unproved_fetch = None;
    }

    /// The channel of the last fetch, if nothing has proved yet that its `OK` was the module's.
    pub(in crate::proto) fn unproved_fetch_at(&self, now: Timestamp) -> Option<ChannelId> {
        let UnprovedFetch { socket, at } = self.unproved_fetch?;
        let is_same = self.all[socket.channel.index()].socket_id() == socket;
        (is_same && now < at + UNPROVED).then_some(socket.channel)
    }
}
