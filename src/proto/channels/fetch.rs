//! Fetches of data in manual receive mode, and their results.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::time::Duration;

use crate::at::{ChannelId, ChannelNews, CmeError, Command, Refusal};
use crate::error::CloseReason;
use crate::proto::Event;
use crate::proto::outbox::Outbox;
use crate::proto::session::{Failure, Finished};
use crate::time::Timestamp;

use super::channel::{Doubt, End, Socket};
use super::frame::Fetched;
use super::link::Link;
use super::{Channels, STALE};

/// The number of refused or empty fetches of announced data in a row after which the socket ends.
const MAX_REFUSALS: u32 = 3;

/// The number of empty fetches in a row after which an announcement is followed at [`EMPTY_PAUSE`] only.
const MAX_EMPTY: u32 = 3;

/// The pause between fetches that brought nothing although the module has announced data.
const EMPTY_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after such an answer, also with a longer poll interval.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The number of different lengths in successive fetches.
const LENGTHS: usize = 64;

impl Socket {
    /// Whether a reader is left for more data, and room.
    pub(super) fn may_fetch(&self) -> bool {
        !self.is_leaving() && self.window.room() >= Command::MAX_CHUNK
    }

    /// Whether an announcement is followed at once. One whose data do not come is followed after a pause.
    pub(super) fn follows_announcement(&self) -> bool {
        self.waiting && self.refusals == 0 && self.empty_fetches < MAX_EMPTY
    }

    /// True if the module holds fewer bytes than it has counted, and a fetch was refused since. The refusal was that of
    /// another command, and the answer of the fetch was lost with the bytes.
    pub(super) fn lacks_counted(&self, len: usize, left: usize) -> bool {
        self.refusals > 0 && !self.window.keeps_boundaries() && len.saturating_add(left) < self.left
    }

    /// The length of the next fetch: one byte less than the last one. A late full answer to the last fetch is then
    /// longer than the length asked for. Datagrams must not be cut.
    pub(super) fn next_fetch(&mut self) -> usize {
        let was_last = self.fetch_len.saturating_add(LENGTHS) <= Command::MAX_CHUNK;
        self.fetch_len = if was_last || self.window.keeps_boundaries() {
            Command::MAX_CHUNK
        } else {
            self.fetch_len.saturating_sub(1)
        };
        self.fetch_len
    }
}

impl Channels {
    pub(super) fn fetch_finished(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        finished: &Finished,
        out: &mut Outbox,
    ) {
        let (poll, fetched) = (self.poll, std::mem::take(&mut self.fetched));
        let channel = self.channel(id);
        let draining = draining(&channel.link);
        let Some(socket) = channel.open_socket() else { return };
        socket.poll_at = now + poll;
        match (fetched, &finished.result) {
            // A complete answer with its own `OK` is accepted, whatever the session's result is.
            (Fetched::Confirmed, _) => self.fetched_whole(now, id, out),
            (Fetched::Nothing, Err(Failure::Refused(refusal)))
                if draining.is_some() && says_closed(*refusal) =>
            {
                let reason = draining.unwrap_or(CloseReason::Peer);
                let reason = if socket.waiting { CloseReason::PeerWithDataLost } else { reason };
                self.end(id, End::Closed(reason), out);
            }
            (Fetched::Nothing, Err(Failure::Refused(refusal)))
                if *refusal != Refusal::Empty && *refusal != Refusal::Ambiguous =>
            {
                if says_closed(*refusal) {
                    // A report of a close may have been lost, or this may be chance: the module is asked.
                    channel.doubt.get_or_insert(Doubt::News(ChannelNews::Closed));
                }
                self.gave_nothing(now, id, *refusal, out);
            }
            // Data may have come without being recognised, or belong to an older fetch.
            // A lost datagram is no error.
            (_, _) if socket.window.keeps_boundaries() => {
                socket.window.take_unfinished();
                if let (Fetched::Nothing, Err(Failure::Refused(refusal))) = (fetched, &finished.result) {
                    self.gave_nothing(now, id, *refusal, out);
                }
            }
            (_, _) => {
                channel.stale_until = now + STALE;
                self.end(id, End::Closed(CloseReason::ReceiveUnconfirmed), out);
            }
        }
    }

    fn fetched_whole(&mut self, now: Timestamp, id: ChannelId, out: &mut Outbox) {
        self.fetch_is_unproved(now, id);
        let channel = self.channel(id);
        let draining = draining(&channel.link);
        let socket_id = channel.socket_id();
        let Some(socket) = channel.open_socket() else { return };
        let was_empty = socket.window.readable() == 0;
        let len = socket.window.finish_frame();
        let was_counted = std::mem::take(&mut socket.was_counted);
        if len == 0 && (socket.waiting || was_counted) {
            // What the module has counted and does not give any more is lost.
            if draining.is_some() && was_counted && !socket.counted {
                return self.end(id, End::Closed(CloseReason::PeerWithDataLost), out);
            }
            socket.counted |= was_counted;
            return self.gave_nothing(now, id, Refusal::Empty, out);
        }
        // The module may have written the announcement before an answer that does not include those data.
        let is_due_again = len > 0 && socket.announced;
        if is_due_again {
            socket.poll_at = now;
        }
        socket.refusals = 0;
        socket.empty_fetches =
            if len == 0 && socket.was_announced { socket.empty_fetches.saturating_add(1) } else { 0 };
        if socket.empty_fetches >= MAX_EMPTY {
            socket.poll_at = socket.poll_at.min(now + EMPTY_PAUSE);
        }
        if len > 0 {
            socket.received(now, len);
            out.event(Event::Received(socket_id, len));
        }
        if was_empty && len > 0 {
            out.readable(socket_id);
        }
        if let Some(reason) = draining.filter(|_| !socket.waiting && !is_due_again) {
            self.end(id, End::Closed(reason), out);
        }
    }

    /// Announced data did not come. The module is asked again, at most [`MAX_REFUSALS`] times in a row.
    fn gave_nothing(&mut self, now: Timestamp, id: ChannelId, refusal: Refusal, out: &mut Outbox) {
        let poll = self.poll;
        self.refused_fetch = Some((id, now));
        let Some(socket) = self.channel(id).open_socket() else { return };
        socket.poll_at = now + poll.min(LONGEST_PAUSE);
        socket.refusals = socket.refusals.saturating_add(1);
        if socket.refusals >= MAX_REFUSALS {
            self.end(id, End::Closed(CloseReason::ReceiveRefused(refusal)), out);
        }
    }
}

/// The reason why the connection has ended, if only the data that the module still holds can come.
fn draining(link: &Link) -> Option<CloseReason> {
    match link {
        Link::Draining(reason) => Some(*reason),
        Link::Idle | Link::Wanted(_) | Link::Preparing(_) | Link::Starting(_) | Link::Connecting(_) => None,
        Link::Up | Link::Used | Link::Closing | Link::Stream => None,
    }
}

/// Whether a fetch or a send is refused because there is no connection (protocol sections 4, 9 and 11).
pub(super) fn says_closed(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Error
            | Refusal::Cme(
                CmeError::OPERATION_NOT_ALLOWED | CmeError::PDP_NOT_ACTIVE | CmeError::NOT_CONNECTED
            )
    )
}
