//! The sockets that a trace shows, by the core's numbers, and whose an event without a number is.

use std::collections::{BTreeMap, VecDeque};

use crate::time::Timestamp;

use super::{Closer, CoreId, Endpoint, Transport};

/// The most closes by a peer that wait to be paired with a socket. More than ten sockets can't close.
const MAX_UNPAIRED: usize = 16;

/// How many connections without TLS the firmware promises (FAQ 2).
const MAX_PLAIN: usize = 8;

/// One socket.
#[derive(Debug)]
struct Slot {
    /// `None` if the trace begins later.
    endpoint: Option<Endpoint>,
    state: State,
    /// What ended the connection, and the line that says so.
    end: Option<(Closer, u64)>,
    /// Whether the script's close was seen, and where.
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
    /// The connect failed; the core holds the socket until it is closed.
    Failed,
}

impl Slot {
    /// The connection ended. What ends it again, or after the script closed, is not why.
    fn end_by(&mut self, by: Closer, line: u64) {
        if self.closing_line.is_none() {
            self.end.get_or_insert((by, line));
        }
    }
}

/// All sockets. Numbers are bytes, so there are at most 256.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    slots: BTreeMap<CoreId, Slot>,
    /// Lines of closes by the peer that no socket is known for yet.
    unpaired: VecDeque<u64>,
    /// Whether such a close was never paired: from then on a socket may have been closed by its peer.
    has_lost_close: bool,
}

impl Sockets {
    /// A connect begins. Whether there are too many now.
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

    /// A socket is open. The line where its connect began, if that is shown.
    pub(super) fn opened(&mut self, id: CoreId) -> Option<u64> {
        let slot = self.slot(id);
        let began = match slot.state {
            State::Connecting { line, .. } => Some(line),
            State::Open | State::Failed => None,
        };
        slot.state = State::Open;
        began
    }

    /// A connect failed because the core said so: the library drops the socket. The line where it began.
    pub(super) fn refused(&mut self, id: CoreId) -> Option<u64> {
        match self.slots.remove(&id)?.state {
            State::Connecting { line, .. } => Some(line),
            State::Open | State::Failed => None,
        }
    }

    /// A connect failed for another reason: the socket stays until it is closed. The line where it began.
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

    /// The only socket whose connect has lasted as long as its script waits; without stamps the only one connecting.
    pub(super) fn only_overdue(&self, now: Option<Timestamp>) -> Option<CoreId> {
        let is_overdue = |slot: &Slot| match slot.state {
            State::Connecting { at: Some(at), timeout: Some(timeout), .. } => {
                // The tool stamps in batches: allow a second.
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

    /// Something shows that a socket is open.
    pub(super) fn proven_open(&mut self, id: CoreId) {
        self.slot(id).state = State::Open;
    }

    /// The transport of the socket, if it is shown.
    pub(super) fn transport(&self, id: CoreId) -> Option<Transport> {
        Some(self.slots.get(&id)?.endpoint.as_ref()?.transport)
    }

    /// A peer closed a socket; the only one it can be, or it waits for a close of the script directly behind.
    pub(super) fn closed_by_peer(&mut self, line: u64) -> Option<CoreId> {
        let only = self.only(|slot| slot.state != State::Failed && slot.end.is_none());
        match only {
            Some(id) => self.end(id, Closer::Peer, line),
            None if self.unpaired.len() < MAX_UNPAIRED => self.unpaired.push_back(line),
            None => self.has_lost_close = true,
        }
        only
    }

    /// Another event of a socket came: closes by a peer before it can't be paired any more.
    pub(super) fn forget_unpaired(&mut self) {
        self.has_lost_close |= !self.unpaired.is_empty();
        self.unpaired.clear();
    }

    /// The script closes a socket: if a peer's close stands directly before, it was for this one.
    pub(super) fn closing(&mut self, id: CoreId, line: u64) {
        if self.slots.get(&id).is_none_or(|slot| slot.end.is_none())
            && let Some(line) = self.unpaired.pop_front()
        {
            self.end(id, Closer::Peer, line);
        }
        self.slot(id).closing_line.get_or_insert(line);
    }

    /// A socket is gone: which side ended it, and the lines that say so.
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

    /// The bearer is lost: every socket has ended.
    pub(super) fn bearer_lost(&mut self, line: u64) {
        for slot in self.slots.values_mut() {
            slot.end_by(Closer::BearerLoss, line);
        }
    }

    /// The module started: no socket is left.
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
