//! The counters of a modem and its sockets.

use super::transport::Transport;
use super::{Modem, Socket};
use crate::proto::{SocketStatistics, Statistics};

impl Modem {
    /// The counters of this modem since its port was opened. The call writes no command, and works after a loss of the
    /// port.
    ///
    /// ```no_run
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// let seen = modem.statistics();
    /// println!("{} connections, {} of them open", seen.opened, seen.opened - seen.closed);
    /// println!("{} of {} commands without an answer", seen.commands.timed_out, seen.commands.written);
    /// println!("99 of 100 answers within {:?}", seen.commands.latency.quantile(0.99));
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    pub fn statistics(&self) -> Statistics {
        self.driver.with_engine(|engine, _| engine.statistics().clone())
    }
}

impl<T: Transport> Socket<T> {
    /// The counters of this socket, also after its end. The call writes no command.
    ///
    /// If an application keeps handles of more than 256 closed sockets, the counters of the oldest are zero.
    pub fn statistics(&self) -> SocketStatistics {
        let id = self.socket_id();
        self.modem().driver.with_engine(|engine, _| engine.socket_statistics(id).cloned().unwrap_or_default())
    }
}
