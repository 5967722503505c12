//! Sends that wait for their confirmations. The line of a send has no number of its socket, that of a confirmation no
//! length.

use std::collections::VecDeque;

use super::{CoreId, Transport};

/// The most sends that wait: 64. A script's task sends one at a time and the module has ten sockets, so a larger number
/// comes from a trace with gaps; the oldest is dropped.
const MAX_WAITING: usize = 64;

/// Sends without confirmation, oldest first.
#[derive(Debug, Default)]
pub(super) struct Sends {
    waiting: VecDeque<Send>,
}

/// A send without confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Send {
    /// The line of the file.
    pub(super) line: u64,
    /// The number of all its bytes.
    pub(super) total: u64,
    /// The socket, known after the confirmation of a piece.
    id: Option<CoreId>,
    pieces: u64,
    /// True if a confirmation may have been for it or for another send.
    is_ambiguous: bool,
}

/// The send or connect that a confirmation is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// This complete send.
    Whole(Send),
    /// A piece of a send with more bytes than the core accepts at once.
    Piece,
    /// A send that is not in the trace, or one of several.
    Unknown,
}

impl Sends {
    /// A send begins. Returns the one that is dropped for it.
    pub(super) fn begin(&mut self, line: u64, total: u64) -> Option<Send> {
        let oldest = (self.waiting.len() >= MAX_WAITING).then(|| self.waiting.pop_front()).flatten();
        self.waiting.push_back(Send { line, total, id: None, pieces: 0, is_ambiguous: false });
        oldest
    }

    /// The core confirms a piece for a socket.
    pub(super) fn confirm(&mut self, id: CoreId, transport: Option<Transport>) -> Confirmed {
        let Some(at) = self.of(id) else {
            return Confirmed::Unknown;
        };
        let send = &mut self.waiting[at];
        send.id = Some(id);
        send.pieces = send.pieces.saturating_add(1);
        let piece = transport.unwrap_or(Transport::Tcp).piece();
        if send.pieces.saturating_mul(piece) < send.total {
            return Confirmed::Piece;
        }
        self.take(at)
    }

    /// A send failed; `id` is its socket if known.
    pub(super) fn fail(&mut self, id: Option<CoreId>) -> Confirmed {
        let at = match id {
            Some(id) => self.of(id),
            None => self.unassigned(),
        };
        at.map_or(Confirmed::Unknown, |at| self.take(at))
    }

    /// Removes the sends without confirmation of a socket that is closed, or of all sockets.
    pub(super) fn give_up(&mut self, gone: Option<CoreId>) -> Vec<Send> {
        let is_over = |send: &Send| gone.is_none() || send.id == gone;
        let (over, waiting) = self.waiting.drain(..).partition(is_over);
        self.waiting = waiting;
        Vec::from_iter::<VecDeque<Send>>(over)
    }

    /// The send of a socket.
    fn of(&mut self, id: CoreId) -> Option<usize> {
        self.waiting.iter().position(|send| send.id == Some(id)).or_else(|| self.unassigned())
    }

    /// The oldest send without a known socket. If there are several, the confirmation may be for any of them.
    fn unassigned(&mut self) -> Option<usize> {
        let mut unassigned: Vec<&mut Send> =
            self.waiting.iter_mut().filter(|send| send.id.is_none()).collect();
        if unassigned.len() > 1 {
            unassigned.iter_mut().for_each(|send| send.is_ambiguous = true);
        }
        self.waiting.iter().position(|send| send.id.is_none())
    }

    fn take(&mut self, at: usize) -> Confirmed {
        match self.waiting.remove(at) {
            Some(send) if !send.is_ambiguous => Confirmed::Whole(send),
            _ => Confirmed::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: CoreId = CoreId::new(0);
    const B: CoreId = CoreId::new(1);

    fn whole(confirmed: &Confirmed) -> Option<(u64, u64)> {
        match confirmed {
            Confirmed::Whole(send) => Some((send.line, send.total)),
            Confirmed::Piece | Confirmed::Unknown => None,
        }
    }

    #[test]
    fn one_send_and_one_confirmation_belong_together() {
        let mut sends = Sends::default();
        assert_eq!(sends.begin(7, 48), None);
        assert_eq!(whole(&sends.confirm(A, None)), Some((7, 48)));
        assert_eq!(sends.confirm(A, None), Confirmed::Unknown);
    }

    #[test]
    fn two_sends_at_once_are_not_distinguished_and_the_next_one_is() {
        let mut sends = Sends::default();
        sends.begin(1, 10);
        sends.begin(2, 20);
        assert_eq!(sends.confirm(B, None), Confirmed::Unknown);
        assert_eq!(sends.confirm(A, None), Confirmed::Unknown);
        sends.begin(5, 30);
        assert_eq!(whole(&sends.confirm(A, None)), Some((5, 30)));
    }

    #[test]
    fn a_send_that_the_core_takes_in_pieces_needs_them_all() {
        for (total, transport, pieces) in [
            (11_200, Some(Transport::Tcp), 1),
            (11_201, Some(Transport::Tcp), 2),
            (11_201, None, 2),
            (33_600, Some(Transport::Tls), 3),
            (1_473, Some(Transport::Udp), 2),
        ] {
            let mut sends = Sends::default();
            sends.begin(1, total);
            for _ in 1..pieces {
                assert_eq!(sends.confirm(A, transport), Confirmed::Piece, "{total}");
            }
            assert_eq!(whole(&sends.confirm(A, transport)), Some((1, total)));
        }
    }

    #[test]
    fn a_send_in_pieces_stays_with_its_socket() {
        let mut sends = Sends::default();
        sends.begin(1, 20_000);
        assert_eq!(sends.confirm(A, None), Confirmed::Piece);
        sends.begin(3, 5);
        assert_eq!(whole(&sends.confirm(B, None)), Some((3, 5)));
        assert_eq!(whole(&sends.confirm(A, None)), Some((1, 20_000)));
    }

    #[test]
    fn sends_without_confirmation_are_bounded() {
        let mut sends = Sends::default();
        let given_up = (0..10_000).filter_map(|line| sends.begin(line, 1)).count();
        assert_eq!(given_up, 10_000 - MAX_WAITING);
        assert_eq!(sends.give_up(None).len(), MAX_WAITING);
    }
}
