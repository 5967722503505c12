//! The identifier of a socket.

use std::fmt;

use crate::at::ChannelId;

/// Identifies a socket: its channel, and a number that differs between the sockets of that channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketId {
    pub(crate) channel: ChannelId,
    pub(crate) generation: u32,
}

impl SocketId {
    /// The module's channel.
    pub fn channel(self) -> ChannelId {
        self.channel
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socket {}.{}", self.channel, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_shows_its_channel_and_its_generation() {
        let channel = ChannelId::new(3).unwrap();
        assert_eq!(format!("{:?}", SocketId { channel, generation: 7 }), "socket 3.7");
    }
}
