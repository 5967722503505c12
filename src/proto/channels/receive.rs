//! The way of received payload to its socket.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::net::SocketAddr;

use crate::at::{ChannelId, Command, Fault, Header, HeaderKind, Protocol, Scan, announced, scan};
use crate::config::ReceiveMode;
use crate::error::{CloseReason, Error};
use crate::proto::outbox::Outbox;
use crate::proto::session::ChannelSet;
use crate::proto::{Event, SocketId};
use crate::time::Timestamp;

use super::Channels;
use super::channel::{Doubt, End};
use super::frame::{LateFetch, Receiving, UnconfirmedFrame};
use super::link::Link;

impl Channels {
    /// A header announces payload. Returns a fault if the header can't be valid.
    pub(in crate::proto) fn begin_frame(
        &mut self,
        now: Timestamp,
        header: &Header,
        late: LateFetch,
        is_asked: bool,
        out: &mut Outbox,
    ) -> Option<Fault> {
        let (id, left, from) = match header.kind {
            HeaderKind::Pushed { channel, from } => (channel, None, from),
            HeaderKind::Fetched { channel, left, from } => (channel, Some(left), from),
            HeaderKind::Single if self.fetches_all() => return Some(Fault::NotAskedFor),
            HeaderKind::Single => return None,
        };
        if left.is_none() && self.fetches_all() {
            return Some(Fault::NotAskedFor);
        }
        if left.is_none() && self.channel(id).is_long_unused(now) {
            return Some(Fault::NoConnection { channel: id });
        }
        // Only datagrams can be empty.
        if left.is_none() && header.len == 0 && self.channel(id).has_stream_of_bytes() {
            return Some(Fault::ImpossibleLength { channel: Some(id), len: 0 });
        }
        // Fetched data without a fetch in flight are the late answer to a fetch that timed out, perhaps of an earlier
        // socket.
        let wanted = match left {
            Some(_) => is_asked,
            None => !self.is_stray(now, id, header.len, out),
        };
        if left.is_some() && wanted {
            let is_first = self.fetched.header_came();
            let asked = self.channel(id).open_socket().map_or(Command::MAX_CHUNK, |socket| socket.fetch_len);
            match late {
                LateFetch::Impossible if !is_first || header.len > asked => return Some(Fault::NotAskedFor),
                LateFetch::Possible if !is_first => self.fetched.came_twice(),
                LateFetch::Impossible | LateFetch::Possible => {}
            }
        }
        if let Some(left) = left.filter(|_| wanted)
            && self.channel(id).open_socket().is_some_and(|open| open.lacks_counted(header.len, left))
        {
            self.end(id, End::Closed(CloseReason::ReceiveUnconfirmed), out);
        }
        let channel = self.channel(id);
        channel.last_data_at = now;
        let socket = channel.socket_id();
        let is_unread = channel.open_socket().is_some_and(|open| open.is_leaving());
        let fits = channel.open_socket().filter(|_| wanted).map(|open| {
            if let Some(left) = left {
                open.waiting = left > 0;
                open.was_counted = std::mem::replace(&mut open.counted, left > 0);
                open.left = left;
            }
            open.window.begin_frame(from);
            open.window.room() >= header.len && !is_unread
        });
        if wanted && fits != Some(true) && !is_unread {
            self.overrun(id, header.len, out);
        }
        let (kept, fetched) = (fits == Some(true), left.is_some() && wanted);
        self.receiving = Some(Receiving { socket, len: header.len, kept, fetched });
        None
    }

    /// True if pushed data belong to no socket. The connection of their channel is not confirmed, so they belong to an
    /// earlier one, or to an unknown one.
    fn is_stray(&mut self, now: Timestamp, id: ChannelId, len: usize, out: &mut Outbox) -> bool {
        let channel = self.channel(id);
        match &channel.link {
            // A connection without a request.
            Link::Used | Link::Closing if channel.socket.is_none() => {}
            Link::Up | Link::Draining(_) | Link::Stream | Link::Used | Link::Closing => return false,
            Link::Idle | Link::Wanted(_) | Link::Preparing(_) | Link::Starting(_) | Link::Connecting(_) => {}
        }
        self.came_early(now, id);
        out.event(Event::Stray(id, len));
        true
    }

    /// Data came for a channel without a confirmed connection. The module is asked whether the connection was made:
    /// then they may be its first data.
    pub(in crate::proto) fn came_early(&mut self, now: Timestamp, id: ChannelId) {
        let question = self.question;
        let channel = self.channel(id);
        let is_connecting = channel.link.is_connecting();
        if let Some(opening) = channel.link.opening_mut().filter(|_| is_connecting)
            && opening.protocol == Protocol::Tcp
            && opening.strays.came(now, question)
        {
            channel.doubt.get_or_insert(Doubt::Standing);
        }
    }

    /// A piece of the payload.
    pub(in crate::proto) fn piece(&mut self, bytes: &[u8], last: bool, out: &mut Outbox) {
        let Some(receiving) = &self.receiving else { return };
        let Receiving { socket: id, kept, fetched, .. } = *receiving;
        if last {
            self.receiving = None;
            if fetched {
                self.fetched.data_ended();
            }
        }
        let Some(socket) =
            self.channel(id.channel).socket_of(id).filter(|socket| kept && socket.end.is_none())
        else {
            return;
        };
        socket.window.push(bytes);
        let unread = socket.window.held();
        out.count().unread(&mut socket.statistics, unread);
        if last && !fetched {
            self.unconfirmed = Some(UnconfirmedFrame::Plain(id));
        }
    }

    /// Makes the last pushed data readable, because the bytes after them have confirmed their length.
    pub(in crate::proto) fn prove(&mut self, now: Timestamp, out: &mut Outbox) {
        let Some(id) = self.unconfirmed.take().map(UnconfirmedFrame::socket) else { return };
        let Some(socket) = self.channel(id.channel).socket_of(id).filter(|socket| socket.end.is_none())
        else {
            return;
        };
        let was_empty = socket.window.readable() == 0;
        let len = socket.window.finish_frame();
        // An empty datagram counts as traffic, too.
        if len > 0 || socket.window.keeps_boundaries() {
            socket.received(now, len);
            out.event(Event::Received(id, len));
        }
        if was_empty && len > 0 {
            out.readable(id);
        }
    }

    /// No more bytes came. The last pushed data become readable, unless they may contain the beginning of the next line
    /// or frame.
    pub(in crate::proto) fn prove_unless_suspect(&mut self, now: Timestamp, out: &mut Outbox) {
        let Some(UnconfirmedFrame::Plain(id)) = self.unconfirmed else { return };
        let socket = self.channel(id.channel).socket_of(id);
        if socket.is_some_and(|socket| contains_header(socket.window.unfinished())) {
            self.unconfirmed = Some(UnconfirmedFrame::Suspect(id));
        } else {
            self.prove(now, out);
        }
    }

    /// True if data are held that may contain the beginning of the next line or frame.
    pub(in crate::proto) fn has_suspect(&self) -> bool {
        matches!(self.unconfirmed, Some(UnconfirmedFrame::Suspect(_)))
    }

    /// True if data are held whose last bytes are a whole header. If they lack as many bytes, the header is that of the
    /// next frame, and the payload of that frame follows.
    pub(in crate::proto) fn holds_header_at_end(&self) -> bool {
        let Some(id) = self.unconfirmed.map(UnconfirmedFrame::socket) else { return false };
        let channel = &self.all[id.channel.index()];
        let socket = channel.socket.as_ref().filter(|_| channel.socket_id() == id);
        socket.is_some_and(|socket| ends_with_header(socket.window.unfinished()))
    }

    /// The last data are damaged. Returns their channel, and the channels whose headers they contain.
    pub(in crate::proto) fn disprove(&mut self, out: &mut Outbox) -> ChannelSet {
        let Some(id) = self.unconfirmed.take().map(UnconfirmedFrame::socket) else {
            return ChannelSet::default();
        };
        let mut affected = ChannelSet::from_iter([id.channel]);
        if let Some(socket) = self.channel(id.channel).socket_of(id) {
            let came = socket.window.take_unfinished();
            out.count().lost(&mut socket.statistics, came.len());
            announced(&came).for_each(|channel| affected.insert(channel));
        }
        affected
    }

    /// The rest of the payload does not come. Returns its channel, the number of lost bytes, and the channels whose
    /// headers it contains.
    pub(in crate::proto) fn cut_short(&mut self, out: &mut Outbox) -> Option<(ChannelId, usize, ChannelSet)> {
        let receiving = self.receiving.take()?;
        let id = receiving.socket;
        let mut contained = ChannelSet::default();
        if let Some(socket) = self.channel(id.channel).socket_of(id).filter(|_| receiving.kept) {
            let came = socket.window.take_unfinished();
            out.count().lost(&mut socket.statistics, receiving.len);
            announced(&came).for_each(|channel| contained.insert(channel));
        }
        Some((id.channel, receiving.len, contained))
    }

    /// True if data of a connection may be on their way to the host, fetched or pushed.
    pub(in crate::proto) fn may_receive(&self) -> bool {
        let may = |link: &Link| match link {
            Link::Up | Link::Draining(_) | Link::Used | Link::Closing => true,
            Link::Idle | Link::Wanted(_) | Link::Preparing(_) => false,
            Link::Starting(_) | Link::Connecting(_) | Link::Stream => false,
        };
        self.all.iter().any(|channel| may(&channel.link))
    }

    /// Reads received data. `None` if there are none. The error is the reason why no more will come.
    pub(in crate::proto) fn read(
        &mut self,
        id: SocketId,
        buf: &mut [u8],
        keep: bool,
    ) -> Result<Option<usize>, Error> {
        let channel = self.channel(id.channel);
        let Some(socket) = channel.socket_of(id).filter(|socket| !socket.is_leaving()) else {
            return Err(Error::Closed(CloseReason::Local));
        };
        if buf.is_empty() {
            return Ok(Some(0));
        }
        if socket.window.readable() > 0 {
            let count = if keep { socket.window.peek(buf) } else { socket.window.read(buf) };
            return Ok(Some(count));
        }
        match &socket.end {
            None => Ok(None),
            // The end of a stream is no error, and does not report the loss of written data.
            Some(end @ End::Closed(CloseReason::Peer)) => Err(end.error()),
            Some(end) => {
                let error = end.error();
                socket.writes.take_loss();
                Err(error)
            }
        }
    }

    /// The sender of the next datagram, if the firmware reports it.
    pub(in crate::proto) fn sender(&mut self, id: SocketId) -> Option<SocketAddr> {
        self.channel(id.channel).socket_of(id)?.window.sender()
    }

    /// The number of bytes that can be read, and whether the socket has ended.
    pub(in crate::proto) fn readable(&mut self, id: SocketId) -> (usize, bool) {
        match self.channel(id.channel).socket_of(id) {
            Some(socket) if socket.is_leaving() => (0, true),
            Some(socket) => (socket.window.readable(), socket.end.is_some()),
            None => (0, true),
        }
    }

    /// True in push mode.
    pub(in crate::proto) fn is_pushed(&self) -> bool {
        self.mode == ReceiveMode::Push
    }

    /// True if the module writes data only when it is asked for them: the mode is set before connections are made.
    pub(in crate::proto) fn fetches_all(&self) -> bool {
        !self.is_pushed() && self.open() != ChannelSet::default()
    }

    /// True if all data of the fetch in flight came, and nothing after them.
    pub(in crate::proto) fn awaits_confirmation(&self) -> bool {
        self.fetched.awaits_confirmation()
    }

    /// A line of a late answer came after the data of the fetch in flight.
    pub(in crate::proto) fn fetch_interrupted(&mut self) {
        self.fetched.interrupted();
    }

    /// An `OK` came after the data of the fetch in flight. Returns true if it belongs to the fetch.
    pub(in crate::proto) fn fetch_confirmed(&mut self) -> bool {
        self.fetched.confirmed()
    }

    /// The channels with an open socket.
    pub(in crate::proto) fn open(&self) -> ChannelSet {
        let is_open = |channel: &&super::channel::Channel| {
            channel.socket.as_ref().is_some_and(|socket| socket.end.is_none()) && channel.link.can_fetch()
        };
        self.all.iter().filter(is_open).map(|channel| channel.id).collect()
    }

    /// Data wait in the module. It reports this once, perhaps while its `CONNECT OK` is still in doubt.
    pub(in crate::proto) fn data_wait(&mut self, id: ChannelId) {
        let channel = self.channel(id);
        if (channel.link.can_fetch() || channel.link.is_connecting())
            && let Some(socket) = channel.open_socket()
        {
            socket.waiting = true;
            socket.announced = true;
        }
    }

    /// Data came that do not fit into the window. Only this socket fails; further data are counted.
    fn overrun(&mut self, id: ChannelId, len: usize, out: &mut Outbox) {
        let lost = len as u64;
        if let Some(socket) = self.channel(id).open_socket() {
            out.count().lost(&mut socket.statistics, len);
            if socket.window.keeps_boundaries() {
                // A lost datagram is no error.
                return;
            }
            self.end(id, End::Overrun { lost }, out);
            return;
        }
        if let Some(socket) = &mut self.channel(id).socket
            && let Some(End::Overrun { lost: before }) = &mut socket.end
        {
            *before = before.saturating_add(lost);
            out.count().lost(&mut socket.statistics, len);
        }
    }
}

/// True if data end with a whole header of pushed data.
fn ends_with_header(data: [&[u8]; 2]) -> bool {
    /// More than the length of such a header.
    const LONGEST: usize = 32;
    let last = data.iter().rev().flat_map(|half| half.iter().rev()).take(LONGEST);
    let mut tail: Vec<u8> = last.copied().collect();
    tail.reverse();
    let is_whole =
        |header: &[u8]| matches!(scan(header), Scan::Complete { consumed, .. } if consumed == header.len());
    let begins = tail.windows(3).rposition(|three| three == b"\r\n+").map(|at| at.saturating_add(2));
    begins.and_then(|at| tail.get(at..)).is_some_and(is_whole)
}

/// True if data contain the name of a header, or end like the beginning of one. CR LF alone is no sign, because lines
/// end with it.
fn contains_header(data: [&[u8]; 2]) -> bool {
    const BEGINNING: &[u8] = b"\r\n+RECEIVE,";
    let mut tail = [0; BEGINNING.len()];
    let last = data.iter().rev().flat_map(|half| half.iter().rev());
    tail.iter_mut().rev().zip(last).for_each(|(cell, byte)| *cell = *byte);
    // The last byte is compared first, because this runs for each frame.
    let ends_as = |beginning: &[u8]| tail.last() == beginning.last() && tail.ends_with(beginning);
    let is_beginning = (3..=BEGINNING.len()).any(|len| ends_as(&BEGINNING[..len]));
    is_beginning || data.iter().any(|half| announced(half).next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_in_data_may_be_cut_at_the_end_and_between_the_halves() {
        for (first, second, contains) in [
            ("abc\r\n+RECE", "", true),
            ("abc\r\n+", "RECEIVE,", true),
            ("\r\n+RECEIVE,1,4:", "abc", true),
            ("abc,", "", false),
            ("abcE", "", false),
            ("+RECEIVE", " data", false),
        ] {
            assert_eq!(
                contains_header([first.as_bytes(), second.as_bytes()]),
                contains,
                "{first:?} {second:?}"
            );
        }
    }
}
