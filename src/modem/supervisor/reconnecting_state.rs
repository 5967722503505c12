//! The state of a connection that is made again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use super::super::transport::Any;
use super::super::{Received, Socket};
use super::gap::{Gap, Missing};
use super::reconnect_pause::ReconnectPause;
use super::sent_bytes::Sent;

/// The state that the handles share.
pub(super) struct ReconnectingState {
    pub(super) connection: ConnectionState,
    pub(super) sent: Sent,
    /// Unread data from before a gap, and the gaps.
    pub(super) unread: VecDeque<Received<Infallible, Gap>>,
    /// The number of gaps so far.
    pub(super) count: u64,
    /// The number of the last gap that a call has reported.
    pub(super) reported: u64,
    pub(super) read_timeout: Option<Duration>,
    pub(super) write_timeout: Option<Duration>,
    /// The gap that the last read has reported.
    pub(super) last_gap: Option<Gap>,
    pub(super) pause: ReconnectPause,
}

/// The connection, or the reason why there is none.
pub(super) enum ConnectionState {
    /// There was no connection yet.
    New,
    Connected(Socket<Any>),
    /// The connection ended at this moment.
    Away {
        since: Instant,
        reason: String,
        missing: Missing,
    },
    /// The application has closed it.
    Closed,
}

impl ReconnectingState {
    /// A connection was made. Returns a text about the gap that it ends, if any.
    pub(super) fn stands(&mut self, socket: Socket<Any>) -> Option<String> {
        self.sent = Sent::default();
        self.pause.stands(Instant::now());
        let before = std::mem::replace(&mut self.connection, ConnectionState::Connected(socket));
        let ConnectionState::Away { since, reason, missing } = before else { return None };
        let gap = Gap { number: self.count, reason, missing, lasted: since.elapsed() };
        let words = format!("gap {} is over after {:.1?}; missing: {}", gap.number, gap.lasted, gap.missing);
        self.unread.push_back(Received::Gap(gap));
        Some(words)
    }

    pub(super) fn next_unread(&mut self) -> Option<Received<Infallible, Gap>> {
        let next = self.unread.pop_front()?;
        if let Received::Gap(gap) = &next {
            self.reported = self.reported.max(gap.number);
        }
        Some(next)
    }

    /// The missing data of the last gap, if no call has returned it yet.
    pub(super) fn last_missing(&mut self) -> Option<&mut Missing> {
        if let ConnectionState::Away { missing, .. } = &mut self.connection {
            return Some(missing);
        }
        self.unread.iter_mut().rev().find_map(|unread| match unread {
            Received::Gap(gap) => Some(&mut gap.missing),
            Received::Data(_) | Received::Message(_) | Received::Timeout => None,
        })
    }
}

impl ConnectionState {
    pub(super) fn socket(&self) -> Option<Socket<Any>> {
        match self {
            Self::Connected(socket) => Some(socket.clone()),
            Self::New | Self::Away { .. } | Self::Closed => None,
        }
    }

    /// True if this is the present connection.
    pub(super) fn is(&self, socket: &Socket<Any>) -> bool {
        match self {
            Self::Connected(standing) => standing.socket_id() == socket.socket_id(),
            Self::New | Self::Away { .. } | Self::Closed => false,
        }
    }
}
