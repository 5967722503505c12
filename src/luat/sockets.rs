//! The sockets of a trace by the core's numbers, and the assignment of events without a number.

use std::collections::{BTreeMap, VecDeque};

use crate::time::Timestamp;

use super::{Closer, CoreId, Endpoint, Transport};

/// The most closes by a peer that wait to be paired with a socket. At most ten sockets can close.
const MAX_UNPAIRED: usize = 16;

/// The number of connections without TLS that the firmware supports (FAQ 2).
const MAX_PLAIN: usize = 8;

/// One socket.
#[derive(Debug)]
struct Slot {
    /// `None` if the trace begins after the connect.
    endpoint: Option<Endpoint>,
    state: State,
    /// The side that ended the connection, and the line that shows it.
    end: Option<(Closer, u64)>,
    /// The line of the script's close.
    closing_line: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting {
        line: u64,
        at: Option<Timestamp>,
        timeout: Option<u64>,
    },
    Open,
    /// The connect failed; the core keeps the socket until it is closed.
    Failed,
}

impl Slot {
    /// The connection ended. A second end, or one after the script's close, is not its reason.
    fn end_by(&mut self, by: Closer, line: u64) {
        if self.closing_line.is_none() {
            self.end.get_or_insert((by, line));
        }
    }
}

/// All sockets. Numbers are bytes, so there are at most 256 sockets.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    slots: BTreeMap<CoreId, Slot>,
    /// The lines of closes by the peer that are not assigned to a socket.
    unpaired: VecDeque<u64>,
    /// True if such a close was never assigned: from then on any socket may have been closed by its peer.
    has_lost_close: bool,
}

impl Sockets {
    /// A connect begins. Returns true if there are too many sockets now.
    pub(super) fn connecting(
        &mut self,
        id: CoreId,
        endpoint: Endpoint,
        line: u64,
        at: Option<Timestamp>,
        timeout: Option<u64>,
    ) -> bool {
        let state = State::Connecting { line, at, timeout };
        let old =
            self.slots.insert(id, Slot { endpoint: Some(endpoint), state, end: None, closing_line: None });
        let is_plain = |slot: &&Slot| slot.endpoint.as_ref().is_some_and(|e| e.transport != Transport::Tls);
        old.is_none() && self.slots.values().filter(is_plain).count() > MAX_PLAIN
    }

    /// A socket is open. Returns the line where its connect began, if shown.
    pub(super) fn opened(&mut self, id: CoreId) -> Option<u64> {
        let slot = self.slot(id);
        let began = match slot.state {
            State::Connecting { line, .. } => Some(line),
            State::Open | State::Failed => None,
        };
        slot.state = State::Open;
        began
    }

    /// The core reported a failed connect, and the library drops the socket. Returns the line where it began.
    pub(super) fn refused(&mut self, id: CoreId) -> Option<u64> {
        match self.slots.remove(&id)?.state {
            State::Connecting { line, .. } => Some(line),
            State::Open | State::Failed => None,
        }
    }

    /// A connect failed for another reason: the socket stays until it is closed. Returns the line where it began.
    pub(super) fn failed(&mut self, id: CoreId) -> Option<u64> {
        let slot = self.slots.get_mut(&id)?;
        match std::mem::replace(&mut slot.state, State::Failed) {
            State::Connecting { line, .. } => Some(line),
            State::Open | State::Failed => None,
        }
    }

    /// The only socket that is connecting.
    pub(super) fn only_connecting(&self) -> Option<CoreId> {
        self.only(|slot| matches!(slot.state, State::Connecting { .. }))
    }

    /// The only socket whose connect has reached the script's time-out; without stamps the only one that is connecting.
    pub(super) fn only_overdue(&self, now: Option<Timestamp>) -> Option<CoreId> {
        let is_overdue = |slot: &Slot| match slot.state {
            State::Connecting { at: Some(at), timeout: Some(timeout), .. } => {
                // The tool stamps in batches, so a second is added.
                now.is_none_or(|now| (now - at).as_secs().saturating_add(1) >= timeout)
            }
            State::Connecting { .. } => true,
            State::Open | State::Failed => false,
        };
        self.only(is_overdue)
    }

    /// The only open socket.
    pub(super) fn only_open(&self) -> Option<CoreId> {
        self.only(|slot| slot.state == State::Open)
    }

    /// An event proves that a socket is open.
    pub(super) fn proven_open(&mut self, id: CoreId) {
        self.slot(id).state = State::Open;
    }

    /// The transport of the socket, if shown.
    pub(super) fn transport(&self, id: CoreId) -> Option<Transport> {
        Some(self.slots.get(&id)?.endpoint.as_ref()?.transport)
    }

    /// A peer closed a socket. Returns the only possible one; if there are several, the close waits for a close of the
    /// script directly after it.
    pub(super) fn closed_by_peer(&mut self, line: u64) -> Option<CoreId> {
        let only = self.only(|slot| slot.state != State::Failed && slot.end.is_none());
        match only {
            Some(id) => self.end(id, Closer::Peer, line),
            None if self.unpaired.len() < MAX_UNPAIRED => self.unpaired.push_back(line),
            None => self.has_lost_close = true,
        }
        only
    }

    /// Another event of a socket came: earlier closes by a peer can't be assigned any more.
    pub(super) fn forget_unpaired(&mut self) {
        self.has_lost_close |= !self.unpaired.is_empty();
        self.unpaired.clear();
    }

    /// The script closes a socket: a peer's close directly before it belongs to this socket.
    pub(super) fn closing(&mut self, id: CoreId, line: u64) {
        if self.slots.get(&id).is_none_or(|slot| slot.end.is_none())
            && let Some(line) = self.unpaired.pop_front()
        {
            self.end(id, Closer::Peer, line);
        }
        self.slot(id).closing_line.get_or_insert(line);
    }

    /// A socket is closed. Returns the side that ended it, and the lines that show it.
    pub(super) fn closed(&mut self, id: CoreId) -> (Closer, Vec<u64>) {
        let slot = self.slots.remove(&id);
        let Some(Slot { end, closing_line, .. }) = slot else {
            return (Closer::Unknown, Vec::new());
        };
        let by = match end {
            Some((by, _)) => by,
            None if closing_line.is_some() && !self.has_lost_close => Closer::Host,
            None => Closer::Unknown,
        };
        (by, end.map(|(_, line)| line).into_iter().chain(closing_line).collect())
    }

    /// The bearer is lost, so every socket has ended.
    pub(super) fn bearer_lost(&mut self, line: u64) {
        for slot in self.slots.values_mut() {
            slot.end_by(Closer::BearerLoss, line);
        }
    }

    /// The module started, so there are no sockets.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn end(&mut self, id: CoreId, by: Closer, line: u64) {
        self.slot(id).end_by(by, line);
    }

    fn slot(&mut self, id: CoreId) -> &mut Slot {
        let new = || Slot { endpoint: None, state: State::Open, end: None, closing_line: None };
        self.slots.entry(id).or_insert_with(new)
    }

    fn only(&self, wanted: impl Fn(&Slot) -> bool) -> Option<CoreId> {
        let mut ids = self.slots.iter().filter(|(_, slot)| wanted(slot)).map(|(id, _)| *id);
        let id = ids.next()?;
        ids.next().is_none().then_some(id)
    }
}
