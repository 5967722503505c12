//! The calls that read from the core without asking the module.

use crate::error::Result;
use crate::proto::channels::{HeartbeatStatistics, Pulse};
use crate::proto::{Identity, SocketId, SocketStatistics, Statistics};
use crate::time::Timestamp;

use super::Engine;

impl Engine {
    /// The sender of the datagram that a socket reads next; `None` where the firmware does not report it.
    pub fn sender(&mut self, socket: SocketId) -> Option<std::net::SocketAddr> {
        self.channels.sender(socket)
    }

    /// The number of a socket's bytes that can be read now, and whether it has ended.
    pub fn readable(&mut self, socket: SocketId) -> (usize, bool) {
        self.channels.readable(socket)
    }

    /// Whether the module has all that was given to a socket.
    ///
    /// # Errors
    /// The reason why written data are lost, or how the socket ended.
    pub fn is_flushed(&mut self, socket: SocketId) -> Result<bool> {
        self.channels.is_flushed(socket)
    }

    /// From now on the module is asked what the peer has acknowledged of a socket's data, a second behind each send, so that
    /// [`SocketStatistics::acknowledged`] is not far behind.
    pub fn follow_delivery(&mut self, socket: SocketId) {
        self.channels.follow_delivery(socket);
    }

    /// The error of a socket that no call has been told yet.
    pub fn take_error(&mut self, socket: SocketId) -> Option<crate::Error> {
        self.channels.take_error(socket)
    }

    /// Whether a socket can send and has not ended.
    pub fn is_open(&mut self, socket: SocketId) -> bool {
        self.channels.is_open(socket)
    }

    /// Whether a socket that was closed still gives the module what was written.
    pub fn is_leaving(&self) -> bool {
        self.channels.has_leaving()
    }

    /// The number of a socket's bytes that the module does not have yet.
    pub fn queued(&mut self, socket: SocketId) -> usize {
        self.channels.queued(socket)
    }

    /// The identity of the module, as far as it has told it.
    pub fn identity(&self) -> &Identity {
        self.bring_up.identity()
    }

    /// The module's own address on the network, while it has one.
    pub fn local_address(&self) -> Option<std::net::Ipv4Addr> {
        self.bring_up.address()
    }

    /// The signal that the module last told in bring-up.
    pub fn signal(&self) -> Option<crate::query::SignalQuality> {
        self.bring_up.signal()
    }

    /// Whether [`take_report`](Self::take_report) is to tell of each command that ends from now on.
    pub fn report_commands(&mut self, wanted: bool) {
        self.out.report_commands(wanted);
    }

    /// A command that has ended, in a line without secrets: what was asked, what was answered, how long it took.
    pub fn take_report(&mut self) -> Option<String> {
        self.out.take_report()
    }

    /// The counters since the port was opened.
    pub fn statistics(&self) -> &Statistics {
        self.out.statistics()
    }

    /// The counters of a socket, also when it has ended, until it is [forgotten](crate::proto::Request::Forget). `None` then,
    /// or if 256 others have been closed since.
    pub fn socket_statistics(&self, socket: SocketId) -> Option<&SocketStatistics> {
        self.channels.statistics(socket)
    }
}

impl Engine {
    /// Begins, changes or ends the heartbeat of a socket.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a span shorter than [`Pulse::MIN_SPAN`], an empty payload or one that is longer than a
    /// datagram, and then the heartbeat stays as it was; how the socket ended, if it did.
    pub fn set_heartbeat(&mut self, now: Timestamp, socket: SocketId, pulse: Option<Pulse>) -> Result<()> {
        self.channels.set_heartbeat(now, socket, pulse)
    }

    /// The counters of a socket's heartbeats; `None` if it has none.
    pub fn heartbeat_statistics(&mut self, socket: SocketId) -> Option<HeartbeatStatistics> {
        self.channels.heartbeat_statistics(socket)
    }
}

impl Engine {
    /// Gives the buffer of an [`Output::Write`](crate::proto::Output::Write) back when its bytes are with the port, to be filled again, so that
    /// writing allocates nothing. A shell need not do so.
    pub fn reuse(&mut self, buffer: Vec<u8>) {
        self.out.reuse(buffer);
    }
}
