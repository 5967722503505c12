//! State machines over the grammar: moments and inputs in, outputs out. No thread, no clock, no port.
//!
//! [`Engine`] is all that a shell needs. Inside, data flow one way: bytes to the decoder, tokens to the session (whose
//! answer is it?), what answers nothing to the channels as news; bring-up, channels and requests take turns with
//! commands.
//!
//! Public with the feature `unstable-core` alone: these names change without a new major version.

mod anew;
mod bearer;
mod bring_up;
mod channel;
mod channels;
mod check;
mod contract;
mod damage;
mod delivery;
mod effects;
mod engine;
mod exchange;
mod expiry;
mod fence;
mod fetch;
mod heartbeat;
mod histogram;
mod link;
mod lookup;
mod news;
mod open_send;
mod outbox;
mod pressure;
mod queue;
mod receive;
mod requests;
mod resync;
mod sends;
mod session;
mod statistics;
mod suspicion;
mod tls;
mod tokens;
mod traffic;
mod transparent;
mod unclaimed;
mod unconfirmed;
mod wake;
mod window;

pub use bring_up::BringUpStep;
pub use contract::{Deadline, Event, Identity, Input, Output, Request, Response, SocketId, Ticket};
pub use engine::Engine;
pub use heartbeat::{Beat, HeartbeatFailure, HeartbeatStatistics, Pulse};
pub use histogram::Histogram;
pub use statistics::{CommandStatistics, SocketStatistics, Statistics};
// What the facade needs of the grammar, so that it need not name it.
pub use crate::at::{ChannelId, Command, Domain, PingReply, Protocol, Quotable, RegistrationStatus};

/// For whom a command is in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner {
    BringUp,
    Channel(ChannelId),
    Caller(Ticket),
    Check(check::Check),
    /// The transparent stream.
    Stream,
}
