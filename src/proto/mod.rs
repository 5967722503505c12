//! State machines over the grammar: moments and inputs in, outputs out. No thread, no clock, no port.
//!
//! [`Engine`] is all that a shell needs. Inside, data flow one way: bytes to the decoder, tokens to the session (whose
//! answer is it?), what answers nothing to the channels as news; bring-up, channels and requests take turns with
//! commands.
//!
//! Public with the feature `unstable-core` alone: these names change without a new major version.

mod bearer;
mod bring_up;
mod channels;
mod engine;
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
mod transparent;

pub use bring_up::BringUpStep;
pub use channels::{Beat, HeartbeatFailure, HeartbeatStatistics, Joining, Pulse};
pub use engine::Engine;
pub use histogram::Histogram;
pub use interface::{Deadline, Event, Identity, Input, Output, Request, Ticket};
pub use response::Response;
pub use socket_id::SocketId;
pub use statistics::{CommandStatistics, SocketStatistics, Statistics};
// What the facade needs of the grammar, so that it need not name it.
pub use crate::at::{ChannelId, Command, Domain, PingReply, Protocol, Quotable, RegistrationStatus};
