//! A simulated Air724UG that shares no code with the driver.
//!
//! [`Simulator`] is the modem without io: bytes of the host in, bytes to the host out, told what time it is. Behind it
//! is a [`Network`]: [`MemoryNetwork`] for tests in virtual time. Its truth is the public manual and real captures; where
//! those are silent it says so (*assumed*).
//!
//! Top down: [`Simulator`] (line, time) - `machine` (modes, command lines) - `commands` (one file a family) - `ip`
//! (scene and channels), `radio` (power, card, cell), `files`.

mod card;
mod clock;
mod commands;
mod control;
mod data;
mod fault;
mod files;
mod flow;
mod heart;
mod host;
mod ip;
mod line;
mod link_options;
mod machine;
mod memory;
mod network;
mod online;
mod order;
mod phone;
mod ping;
mod printing;
mod profile;
mod radio;
mod result;
mod rng;
mod secure;
mod sending;
pub mod serve;
mod service;
mod settings;
mod simulator;
mod sleep;
mod state;
mod terminal;
mod tls;
mod virtual_host;
mod world;

pub use control::{Control, Happening, Input, Output};
pub use fault::{BadRule, Disturbance, Fault, Rule, Way, When};
pub use host::HostNetwork;
pub use link_options::{KeepAlive, LinkOptions};
pub use memory::{MemoryNetwork, Peer};
pub use network::{ConnectFailure, Link, Network, NetworkEvent, Protocol, Target, Waker};
pub use order::{BadOrder, Order};
pub use profile::{AlreadyStyle, BootLine, BootText, DataUrc, EchoStyle, Profile, UrcStyle};
pub use settings::{ApnPolicy, Boot, FullBuffer, Settings, SimCard};
pub use simulator::Simulator;
pub use state::{ChannelView, LineState, State};
pub use virtual_host::VirtualHost;

/// The users' guide, whose examples are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/simulator.md")]
#[derive(Debug)]
pub struct Guide;
