//! The calls that read the state of the core. None of them writes to the module.

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

    /// True if the module has accepted all data that were given to a socket.
    ///
    /// # Errors
    /// The reason why written data are lost, or why the socket ended.
    pub fn is_flushed(&mut self, socket: SocketId) -> Result<bool> {
        self.channels.is_flushed(socket)
    }

    /// Makes the driver ask the module for the peer's acknowledgements one second after each send, so that
    /// [`SocketStatistics::acknowledged`] is up to date.
    pub fn follow_delivery(&mut self, socket: SocketId) {
        self.channels.follow_delivery(socket);
    }

    /// The error of a socket that no call has returned yet.
    pub fn take_error(&mut self, socket: SocketId) -> Option<crate::Error> {
        self.channels.take_error(socket)
    }

    /// True if a socket can send and has not ended.
    pub fn is_open(&mut self, socket: SocketId) -> bool {
        self.channels.is_open(socket)
    }

    /// True while a closed socket still sends the data that were written.
    pub fn is_leaving(&self) -> bool {
        self.channels.has_leaving()
    }

    /// The number of a socket's bytes that the module does not have yet.
    pub fn queued(&mut self, socket: SocketId) -> usize {
        self.channels.queued(socket)
    }

    /// The identity of the module. A field is empty until the module has reported it.
    pub fn identity(&self) -> &Identity {
        self.bring_up.identity()
    }

    /// The module's own address on the network, while it has one.
    pub fn local_address(&self) -> Option<std::net::Ipv4Addr> {
        self.bring_up.address()
    }

    /// The signal that the module last reported in bring-up.
    pub fn signal(&self) -> Option<crate::query::SignalQuality> {
        self.bring_up.signal()
    }

    /// Sets whether [`take_report`](Self::take_report) returns a line for each command that ends from now on.
    pub fn report_commands(&mut self, wanted: bool) {
        self.out.report_commands(wanted);
    }

    /// A line about a command that has ended: command, answer and latency, without secrets.
    pub fn take_report(&mut self) -> Option<String> {
        self.out.take_report()
    }

    /// The counters since the port was opened.
    pub fn statistics(&self) -> &Statistics {
        self.out.statistics()
    }

    /// The counters of a socket. They are kept after its end until it is [forgotten](crate::proto::Request::Forget), or
    /// 256 others have been closed; then `None`.
    pub fn socket_statistics(&self, socket: SocketId) -> Option<&SocketStatistics> {
        self.channels.statistics(socket)
    }
}

impl Engine {
    /// Begins, changes or ends the heartbeat of a socket.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a span shorter than [`Pulse::MIN_SPAN`], an empty
    /// payload, or a payload longer than a datagram; the heartbeat stays unchanged. The reason why the socket ended, if
    /// it has.
    pub fn set_heartbeat(&mut self, now: Timestamp, socket: SocketId, pulse: Option<Pulse>) -> Result<()> {
        self.channels.set_heartbeat(now, socket, pulse)
    }

    /// The counters of a socket's heartbeats; `None` if it has none.
    pub fn heartbeat_statistics(&mut self, socket: SocketId) -> Option<HeartbeatStatistics> {
        self.channels.heartbeat_statistics(socket)
    }
}

impl Engine {
    /// Returns the buffer of an [`Output::Write`](crate::proto::Output::Write) after its bytes were written. The engine
    /// fills it again, so that writing allocates nothing. A shell need not call this.
    pub fn reuse(&mut self, buffer: Vec<u8>) {
        self.out.reuse(buffer);
    }
}
