//! The call that writes without waiting for the module.

use crate::error::Result;
use crate::proto::SocketId;
use crate::proto::channels::Joining;
use crate::time::Timestamp;

use super::Engine;
use super::port::Port;

impl Engine {
    /// Accepts data for a stream without waiting, and joins them to the data that wait already. Returns the number of
    /// accepted bytes, from the front. `None` if there is no room; then
    /// [`Output::Writable`](crate::proto::Output::Writable) follows when there is. At most 16 KiB wait.
    ///
    /// Accepted data are not yet with the module. An error is returned by the next call, by
    /// [`is_flushed`](Self::is_flushed), a [`Request::Drain`](crate::proto::Request::Drain) or a
    /// [`Request::Close`](crate::proto::Request::Close).
    ///
    /// # Errors
    /// The reason why the socket ended, if it has.
    pub fn write<'a>(
        &mut self,
        now: Timestamp,
        socket: SocketId,
        parts: impl IntoIterator<Item = &'a [u8]>,
        joining: Joining,
    ) -> Result<Option<usize>> {
        let taken = self.channels.write(socket, parts, joining, &mut self.out)?;
        if matches!(self.port, Port::There) && taken.is_some() {
            self.pump(now);
        }
        Ok(taken)
    }
}
