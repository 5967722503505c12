//! Real sockets on an Air724UG LTE Cat.1 modem (openLuat, RDA8910) for a host on its UART or USB port.
//!
//! A blocking library in the manner of [`std::net`]: open a port, wait until the module is ready, connect up to eight
//! TCP sockets, read and write.
//!
//! ```no_run
//! use air724ug::{Config, Modem};
//! use std::io::{Read, Write};
//! use std::time::Duration;
//!
//! let modem = Modem::open("/dev/ttyUSB0", Config::default())?;
//! modem.wait_ready(Duration::from_secs(90))?;
//! let mut socket = modem.tcp().connect("example.com", 80)?;
//! socket.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
//! let mut page = String::new();
//! socket.read_to_string(&mut page)?;
//! println!("{page}");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Layers, top down
//!
//! * [`Modem`], [`Connector`], [`Socket`], [`TransparentStream`]: what an application holds.
//! * `driver` and `port`: one thread, the clock, the serial port.
//! * [`proto`]: the state machines, without io, threads or a clock. [`proto::Engine`] is all of them.
//! * [`query`]: typed questions, one file each.
//! * [`at`]: the text protocol, bytes to tokens and back.
//! * [`capture`]: recording sessions, reading captures, replaying them.
//! * [`luat`]: reading traces of LuatOS firmware: what happened to its sockets, and why.
//! * [`time`], [`error`], [`config`]: words that all layers share.
//! * `sim` (feature `sim`): a simulated modem that shares no code with the rest.
//!
//! # What it does not do
//!
//! No SMS, no calls, no `async`. Every modem has one thread of its
//! own and needs no runtime.

#![forbid(unsafe_code)]

pub mod at;
pub mod capture;
pub mod config;
pub mod diagnosis;
mod driver;
pub mod error;
pub mod luat;
mod modem;
mod port;
pub mod proto;
pub mod query;
pub mod time;
pub mod tls;

#[cfg(feature = "sim")]
pub mod sim;

pub use crossbeam_channel;

pub use at::{ChannelId, DnsError, Domain, PingReply, RegistrationStatus};
pub use config::{Config, FlowControl, ReceiveMode};
pub use error::{CloseReason, DeliveryUnknown, Error, InUse, NotReady, Result, TlsFailure, TlsPart, TlsStep};
pub use modem::{
    CloseError, Connector, Gap, Heartbeat, Incoming, Keepalive, Missing, Modem, Policy, Received,
    ReconnectingSocket, Registration, Rung, Socket, Step, Supervisor, TransparentStream, Unacknowledged,
    Wake,
};
pub use proto::{
    CommandStatistics, Event, HeartbeatFailure, HeartbeatStatistics, Histogram, Identity, SocketStatistics,
    Statistics,
};
pub use query::{ClockTime, SignalQuality};
pub use tls::{Certificate, CipherSuite, PrivateKey, SecurityLevel, TlsConfig, TlsVersion};
