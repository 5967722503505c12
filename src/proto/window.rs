//! The bytes of one socket that wait to be read.

use std::collections::VecDeque;

/// A bounded queue of received bytes. A frame becomes readable when it is whole, because a module may announce more
/// than it delivers (capture s07).
#[derive(Debug)]
pub(super) struct Window {
    bytes: VecDeque<u8>,
    /// How many of the bytes belong to whole frames.
    whole: usize,
    limit: usize,
}

impl Window {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: VecDeque::new(), whole: 0, limit }
    }

    /// How many bytes can be read now.
    pub(super) fn readable(&self) -> usize {
        self.whole
    }

    /// How many more bytes fit.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }

    /// Adds a piece of an unfinished frame. The caller has checked the room for the whole frame.
    pub(super) fn push(&mut self, piece: &[u8]) {
        debug_assert!(piece.len() <= self.room());
        self.bytes.extend(piece);
    }

    /// The frame is whole.
    pub(super) fn finish_frame(&mut self) {
        self.whole = self.bytes.len();
    }

    /// Takes back the pieces of the unfinished frame.
    pub(super) fn take_unfinished(&mut self) -> Vec<u8> {
        self.bytes.drain(self.whole..).collect()
    }

    /// Moves bytes into `buf`; how many.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> usize {
        let count = self.peek(buf);
        self.bytes.drain(..count);
        self.whole -= count;
        count
    }

    /// Copies bytes into `buf` and keeps them; how many.
    pub(super) fn peek(&self, buf: &mut [u8]) -> usize {
        let count = buf.len().min(self.whole);
        let (front, back) = self.bytes.as_slices();
        let from_front = count.min(front.len());
        buf[..from_front].copy_from_slice(&front[..from_front]);
        buf[from_front..count].copy_from_slice(&back[..count - from_front]);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_readable_when_it_is_whole() {
        let mut window = Window::new(8);
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
        let mut window = Window::new(5);
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
        }
        assert!(read.iter().enumerate().all(|(at, byte)| *byte == at as u8));
    }
}
