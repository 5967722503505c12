//! A simulated Air724UG. It shares no code with the driver.
//!
//! [`Simulator`] is the modem without I/O: the caller passes in the time and the bytes of the host, and takes out the
//! bytes for the host. Connections go to a [`Network`]; [`MemoryNetwork`] is one for tests in virtual time. The
//! behaviour is that of the public manual and of real captures. Behaviour that neither shows is marked *assumed*.
//!
//! The parts, from the top:
//!
//! * [`Simulator`]: the line, the time, and which command runs;
//! * `commands`: one file for each family of commands;
//! * `machine`: the modes of the line, command lines, and events that concern several parts;
//! * the state of each part: `ip` (IP application and channels), `radio` (power, card, cell), `terminal`, `files`,
//!   `phone`, `sleep` and others.

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

pub use control::{Control, Input, ModemEvent, Output};
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
