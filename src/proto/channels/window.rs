//! The receive window: the unread bytes of a socket.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::collections::VecDeque;
use std::net::SocketAddr;

/// An empty window keeps memory of this size and frees the rest. A transfer with a fast reader needs no more.
const KEPT: usize = 64 * 1024;

/// A bounded queue of received bytes, whose memory grows with its contents. A frame becomes readable when it is
/// complete, because a module may announce more bytes than it writes (capture s07).
#[derive(Debug)]
pub(super) struct Window {
    bytes: VecDeque<u8>,
    /// The number of bytes in complete frames.
    whole: usize,
    limit: usize,
    boundaries: Boundaries,
    /// The sender of the unfinished frame.
    from: Option<SocketAddr>,
}

/// The boundaries between frames.
#[derive(Debug)]
enum Boundaries {
    /// A stream: boundaries have no meaning.
    None,
    /// Datagrams: each complete frame is one.
    Datagrams(VecDeque<Datagram>),
}

/// The length and the sender of a datagram.
#[derive(Debug)]
struct Datagram {
    len: usize,
    /// The sender, if the firmware reports it.
    from: Option<SocketAddr>,
}

impl Window {
    /// Creates the window of a stream.
    pub(super) fn stream(limit: usize) -> Self {
        Self { bytes: VecDeque::new(), whole: 0, limit, boundaries: Boundaries::None, from: None }
    }

    /// Creates a window of datagrams.
    pub(super) fn datagrams(limit: usize) -> Self {
        Self { boundaries: Boundaries::Datagrams(VecDeque::new()), ..Self::stream(limit) }
    }

    /// True for datagrams.
    pub(super) fn keeps_boundaries(&self) -> bool {
        matches!(self.boundaries, Boundaries::Datagrams(_))
    }

    /// The number of bytes that one read can return now: all bytes of a stream, or one datagram.
    pub(super) fn readable(&self) -> usize {
        match &self.boundaries {
            Boundaries::None => self.whole,
            Boundaries::Datagrams(all) => all.front().map_or(0, |datagram| datagram.len),
        }
    }

    /// The sender of the next datagram, if the firmware reports it.
    pub(super) fn sender(&self) -> Option<SocketAddr> {
        match &self.boundaries {
            Boundaries::None => None,
            Boundaries::Datagrams(all) => all.front()?.from,
        }
    }

    /// The number of bytes in complete frames and in the unfinished one.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// The number of bytes that still fit.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }

    /// Begins a frame. `from` is its sender, if the firmware reports it.
    pub(super) fn begin_frame(&mut self, from: Option<SocketAddr>) {
        self.from = from;
    }

    /// Adds a piece of an unfinished frame. The caller has checked the room for the whole frame.
    pub(super) fn push(&mut self, piece: &[u8]) {
        debug_assert!(piece.len() <= self.room());
        self.bytes.extend(piece);
    }

    /// Completes the frame. Returns its length. An empty frame is not kept, not even as a datagram.
    pub(super) fn finish_frame(&mut self) -> usize {
        let len = self.bytes.len().saturating_sub(self.whole);
        self.whole = self.bytes.len();
        if let (Boundaries::Datagrams(all), 1..) = (&mut self.boundaries, len) {
            all.push_back(Datagram { len, from: self.from.take() });
        }
        len
    }

    /// The pieces of the unfinished frame.
    pub(super) fn unfinished(&self) -> [&[u8]; 2] {
        let (front, back) = self.bytes.as_slices();
        match self.whole.checked_sub(front.len()) {
            None => [&front[self.whole..], back],
            Some(whole) => [&back[whole..], &[]],
        }
    }

    /// Removes and returns the pieces of the unfinished frame.
    pub(super) fn take_unfinished(&mut self) -> Vec<u8> {
        self.bytes.drain(self.whole..).collect()
    }

    /// Moves bytes into `buf` and returns their number. The rest of a datagram that does not fit is lost, as with
    /// [`std::net::UdpSocket`].
    pub(super) fn read(&mut self, buf: &mut [u8]) -> usize {
        let count = self.peek(buf);
        let taken = match &mut self.boundaries {
            Boundaries::None => count,
            Boundaries::Datagrams(all) => all.pop_front().map_or(0, |datagram| datagram.len),
        };
        self.bytes.drain(..taken);
        self.whole = self.whole.saturating_sub(taken);
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT {
            self.bytes.shrink_to(KEPT);
        }
        count
    }

    /// Copies bytes into `buf`, keeps them, and returns their number.
    pub(super) fn peek(&self, buf: &mut [u8]) -> usize {
        let count = buf.len().min(self.readable());
        let (front, back) = self.bytes.as_slices();
        let from_front = count.min(front.len());
        buf[..from_front].copy_from_slice(&front[..from_front]);
        buf[from_front..count].copy_from_slice(&back[..count.saturating_sub(from_front)]);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_readable_when_it_is_whole() {
        let mut window = Window::stream(8);
        let mut buf = [0; 8];
        window.push(b"abc");
        assert_eq!(window.read(&mut buf), 0);
        window.finish_frame();
        window.push(b"de");
        assert_eq!((window.read(&mut buf), &buf[..3]), (3, &b"abc"[..]));
        assert_eq!(window.take_unfinished(), b"de");
        assert_eq!(window.room(), 8);
    }

    #[test]
    fn bytes_come_out_in_order_around_the_edge_of_the_ring() {
        let mut window = Window::stream(5);
        let (mut written, mut read) = (0u8, Vec::new());
        for _ in 0..100 {
            while window.room() > 0 {
                window.push(&[written]);
                window.finish_frame();
                written = written.wrapping_add(1);
            }
            let mut buf = [0; 3];
            assert_eq!(window.peek(&mut buf), 3);
            let peeked = buf;
            assert_eq!(window.read(&mut buf), 3);
            assert_eq!(peeked, buf);
            read.extend_from_slice(&buf);
            window.push(b"ab");
            assert_eq!(window.unfinished().concat(), b"ab");
            assert_eq!(window.take_unfinished(), b"ab");
        }
        assert!(read.iter().enumerate().all(|(at, byte)| *byte == at as u8));
    }

    #[test]
    fn an_empty_window_costs_nothing_however_much_it_has_held() {
        let mut window = Window::stream(4 << 20);
        assert_eq!(window.bytes.capacity(), 0);
        while window.room() > 0 {
            window.push(&[7; 1024]);
            window.finish_frame();
        }
        assert_eq!(window.read(&mut vec![0; 4 << 20]), 4 << 20);
        assert!(window.bytes.capacity() <= KEPT, "{}", window.bytes.capacity());
    }

    #[test]
    fn datagrams_keep_their_borders() {
        let mut window = Window::datagrams(100);
        let sender = "10.0.0.1:5000".parse().ok();
        for (datagram, from) in [(&b"one"[..], sender), (b"", sender), (b"three", None)] {
            window.begin_frame(from);
            window.push(datagram);
            window.finish_frame();
        }
        let mut buf = [0; 4];
        assert_eq!(window.sender(), sender);
        assert_eq!((window.readable(), window.peek(&mut buf), window.read(&mut buf)), (3, 3, 3));
        assert_eq!(window.sender(), None);
        assert_eq!((window.read(&mut buf), &buf), (4, b"thre"));
        assert_eq!((window.readable(), window.room()), (0, 100));
    }
}
