//! A simulated Air724UG that shares no code with the driver.
//!
//! [`Simulator`] is the modem without io: bytes of the host in, bytes to the host out, told what time it is. Behind it
//! is a [`Network`]: [`MemoryNetwork`] for tests in virtual time. Its truth is the public manual and real captures; where
//! those are silent it says so (*assumed*).
//!
//! Top down: [`Simulator`] (line, time, runs commands) - `commands` (one file a family) - `machine` (modes of the line,
//! command lines, what happens to several parts at once) - the state of each part: `ip` (state machine of the
//! application, channels), `radio` (power, card, cell), `terminal`, `files`, `phone`, `sleep` and others. No file imports
//! in a circle with another.

mod card;
mod clock;
mod commands;
mod control;
mod data;
mod distant;
pub mod fault;
mod files;
mod heartbeat;
mod host;
mod ip;
mod line;
mod link_options;
mod machine;
mod memory;
mod network;
mod order;
mod output_kind;
mod phone;
mod ping;
mod plug;
mod profile;
mod radio;
mod result;
mod rng;
pub mod serve;
mod settings;
mod simulator;
mod sleep;
mod state;
mod terminal;
mod tls;
mod virtual_host;

pub use control::{Control, Happening, Input, Output};
pub use distant::Distant;
pub use fault::{BadRule, Direction, Fault, Rule, Trigger};
pub use host::HostNetwork;
pub use link_options::{KeepAlive, LinkOptions};
pub use memory::{MemoryNetwork, Peer};
pub use network::{ConnectFailure, Link, Network, NetworkEvent, Protocol, Target, Waker};
pub use order::{BadOrder, Order};
pub use profile::{AlreadyStyle, BootLine, BootText, DataUrc, EchoStyle, Profile, SupplyStyle, UrcStyle};
pub use settings::{ApnPolicy, Boot, FullBuffer, Settings, SimCard};
pub use simulator::Simulator;
pub use state::{ChannelView, LineState, State};
pub use virtual_host::VirtualHost;

/// The users' guide, whose examples are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/simulator.md")]
#[derive(Debug)]
pub struct Guide;
