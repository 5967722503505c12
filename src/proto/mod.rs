//! The protocol as state machines. Their inputs are bytes, requests and the time; their outputs are bytes, answers and
//! events. There is no thread, no clock and no port.
//!
//! [`Engine`] is all that a shell needs. Inside, data flow in one direction: bytes go to the decoder, tokens to the
//! session, which finds the command that they answer. Unsolicited lines go to the channels. Bring-up, channels and
//! requests issue commands in turn.
//!
//! The module is public with the feature `unstable-core` only. Its names may change without a new major version.

mod bearer;
mod bring_up;
mod channels;
mod engine;
mod expected_echo;
mod histogram;
mod interface;
mod issuer;
mod outbox;
mod requests;
mod response;
mod self_check;
mod session;
mod socket_id;
mod statistics;
#[cfg(test)]
mod transition_table;
mod transparent;

pub use bring_up::BringUpStep;
pub use channels::{Beat, HeartbeatFailure, HeartbeatStatistics, Joining, Pulse};
pub use engine::Engine;
pub use histogram::Histogram;
pub use interface::{Deadline, Event, Identity, Input, Output, Request, Ticket};
pub use response::Response;
#[cfg(all(feature = "ports", unix))]
pub(crate) use session::{attempts_after_attention, attempts_to_escape};
pub use socket_id::SocketId;
pub use statistics::{CommandStatistics, SocketStatistics, Statistics};
// The types of the grammar that the facade uses without naming `at`.
pub use crate::at::{ChannelId, Command, Domain, PingReply, Protocol, Quotable, RegistrationStatus};
