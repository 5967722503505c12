//! Real sockets on an Air724UG LTE Cat.1 modem (openLuat, RDA8910) for a host on its UART or USB port.
//!
//! A blocking library like [`std::net`]: open a port, wait until the module is ready, connect up to eight TCP sockets,
//! read and write. The feature `async` has the same as futures for any executor (`AsyncModem`, `AsyncSocket`). The
//! features `tokio` and `futures-io` add the `AsyncRead` and `AsyncWrite` of these crates.
//!
//! ```no_run
//! use air724ug::{Config, Modem};
//! use std::io::{Read, Write};
//! use std::time::Duration;
//!
//! let modem = Modem::open("/dev/ttyUSB0", Config::default())?;
//! modem.wait_ready(Duration::from_secs(90))?;
//! let mut socket = modem.tcp().connect(("example.com", 80))?;
//! socket.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
//! let mut page = String::new();
//! socket.read_to_string(&mut page)?;
//! println!("{page}");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Layers, top down
//!
//! * [`Modem`], [`Connector`], [`Socket`], [`TransparentStream`], [`supervisor`]: the types that an application uses.
//! * [`event`], [`statistics`]: events and counters.
//! * `diagnosis` (feature): the reasons why there is no connection.
//! * `driver` and `port`: one thread, the clock, the serial port.
//! * [`capture`]: recording of sessions; reading of other programs' logs, and replay (feature `import`).
//! * `proto` (feature `unstable-core`): the state machines, without I/O, threads or a clock.
//! * [`tls`]: certificates and keys for the module.
//! * [`query`]: typed queries, one file each.
//! * `at` (feature `unstable-core`): the text protocol: bytes to tokens, commands to bytes.
//! * [`time`], [`error`], [`config`]: types that all layers share.
//! * `luat` (feature): traces of LuatOS firmware: the events of its sockets, and their causes.
//! * `sim` (feature): a simulated modem that shares no code with the rest.
//!
//! # What it does not do
//!
//! No SMS, no calls, no runtime. A modem on a serial port has one thread, with the feature `async` as well; a pair of
//! halves has one more, as have a capture and heartbeats of functions.

#![forbid(unsafe_code)]

#[cfg(feature = "unstable-core")]
pub mod at;
#[cfg(not(feature = "unstable-core"))]
mod at;
pub mod capture;
pub mod config;
#[cfg(feature = "diagnosis")]
pub mod diagnosis;
mod driver;
pub mod error;
#[cfg(feature = "luat")]
pub mod luat;
mod modem;
mod port;
#[cfg(feature = "unstable-core")]
pub mod proto;
#[cfg(not(feature = "unstable-core"))]
mod proto;
pub mod query;
pub mod time;
pub mod tls;

#[cfg(feature = "sim")]
pub mod sim;

pub use crossbeam_channel;

/// The pages, whose code is doc tests.
#[cfg(all(doctest, feature = "sim", feature = "import"))]
mod pages {
    #[doc = include_str!("../docs/architecture.md")]
    mod architecture {}
    #[doc = include_str!("../docs/captures.md")]
    mod captures {}
    #[doc = include_str!("../docs/cookbook.md")]
    mod cookbook {}
    #[doc = include_str!("../docs/diagnosis.md")]
    mod diagnosis {}
    #[doc = include_str!("../docs/house.md")]
    mod house {}
    #[doc = include_str!("../docs/logging.md")]
    mod logging {}
    #[doc = include_str!("../docs/luatos.md")]
    mod luatos {}
    #[doc = include_str!("../docs/performance.md")]
    mod performance {}
    #[doc = include_str!("../docs/protocol.md")]
    mod protocol {}
    #[doc = include_str!("../docs/security.md")]
    mod security {}
    #[doc = include_str!("../docs/testing.md")]
    mod testing {}
}

/// Events of the module and the driver: [`Modem::events`].
pub mod event {
    pub use crate::at::{AccessTechnology, Domain, Fault, SimState, Urc};
    pub use crate::proto::{BringUpStep, Deadline, Event, HeartbeatFailure, SocketId};
}

/// Counters: [`Modem::statistics`], [`Socket::statistics`].
pub mod statistics {
    pub use crate::proto::{CommandStatistics, HeartbeatStatistics, Histogram, SocketStatistics, Statistics};
}

/// Connections that are made again after each end, by retries, flight mode, restart or a power hook.
pub mod supervisor {
    pub use crate::modem::{Gap, Missing, Policy, ReconnectingSocket, Rung, Step, Supervisor};
}

pub use at::{ChannelId, PingReply, RegistrationStatus};
pub use config::{Config, FlowControl, ReceiveMode};
pub use error::{CloseReason, Error, NotReady, Result};
#[cfg(feature = "embedded-nal")]
pub use modem::NalSocket;
#[cfg(feature = "async")]
pub use modem::{AsyncConnector, AsyncModem, AsyncSocket, AsyncTlsSocket, AsyncUdpSocket, Events};
pub use modem::{
    CloseError, Connector, Heartbeat, Keepalive, Modem, Received, Registration, Remote, Socket, TlsSocket,
    ToRemote, TransparentStream, UdpSocket, transport,
};
#[doc(hidden)]
pub use port::BarePort;
pub use port::PortSource;
#[cfg(feature = "ports")]
#[doc(hidden)]
pub use port::ports_below;
#[cfg(feature = "ports")]
pub use port::{PortInfo, PortKind, UsbInfo, ports};
pub use proto::{Event, Identity};
pub use query::{ClockTime, SignalQuality};
pub use tls::{Certificate, PrivateKey, TlsConfig};
