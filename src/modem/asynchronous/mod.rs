//! Futures in place of calls that block. The modem's thread wakes the tasks. There is no runtime, no timer and no
//! further thread.

mod connector;
mod events;
#[cfg(feature = "futures-io")]
mod futures_io;
mod modem;
mod pending;
mod socket;
#[cfg(feature = "tokio")]
mod tokio;
mod write_turn;

pub use connector::AsyncConnector;
pub use events::Events;
pub use modem::AsyncModem;
pub use socket::AsyncSocket;

#[cfg(feature = "embedded-nal")]
pub(super) use pending::Pending;

use super::transport;

/// A connection over which the module speaks TLS ([`AsyncModem::tls`]).
pub type AsyncTlsSocket = AsyncSocket<transport::Tls>;

/// A UDP association with one peer ([`AsyncModem::udp`]).
pub type AsyncUdpSocket = AsyncSocket<transport::Udp>;
