//! A receive that a message from another thread interrupts.

use std::time::Duration;

use crossbeam_channel::{Receiver, after, never, select};

use super::transport::Transport;
use super::{Received, Socket};
use crate::error::Result;

impl<T: Transport> Socket<T> {
    /// Waits for data or for a message from another thread, whichever comes first (`c:recv(timeout, msg)`). `None`
    /// waits without a limit.
    ///
    /// If both are available, the call returns the data, and the message stays in its channel for the next call.
    /// Nothing is lost. When every sender of the channel was dropped, the call waits for data only.
    ///
    /// ```no_run
    /// use air724ug::Received;
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// # let socket = modem.tcp().connect(("example.com", 7))?;
    /// let (publish, messages) = crossbeam_channel::unbounded::<Vec<u8>>();
    /// # drop(publish);
    /// loop {
    ///     match socket.recv_or(&messages, std::time::Duration::from_secs(120))? {
    ///         Received::Data(data) => println!("{} bytes from the server", data.len()),
    ///         Received::Message(data) => socket.send(&data)?,
    ///         Received::Timeout => socket.send(b"ping")?,
    ///     }
    /// }
    /// # #[allow(unreachable_code)] Ok::<(), air724ug::Error>(())
    /// ```
    ///
    /// # Errors
    /// The reason why the socket ended, after all of its data were read. Waiting messages stay in their channel.
    pub fn recv_or<M>(
        &self,
        messages: &Receiver<M>,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Received<M>> {
        let time_up = timeout.into().map_or_else(never, after);
        let silent = never();
        let mut messages = messages;
        loop {
            let data = self.try_recv()?;
            if !data.is_empty() {
                return Ok(Received::Data(data));
            }
            select! {
                recv(self.readable()) -> _ => {}
                recv(messages) -> message => match message {
                    Ok(message) => return Ok(Received::Message(message)),
                    Err(_) => messages = &silent,
                },
                recv(time_up) -> _ => return Ok(Received::Timeout),
            }
        }
    }
}
