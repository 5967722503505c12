//! Traces of LuatOS firmware: what a module that runs Lua scripts prints, and what it says about its sockets.
//!
//! The makers' advice for a socket that misbehaves is to search the trace for certain texts (`connect fail`,
//! `send fail`, `MSG_SOCK_CLOSE_IND`). This part does the search and tells the story around it: which socket, who closed
//! it, why a connect failed, what to do.
//!
//! ```
//! use air724ug::luat::Analysis;
//!
//! let trace = "\
//! [I]-[socket:connect-coreid,prot,addr,port,cert,timeout] 0 TCP 203.0.113.7 80 nil 120
//! [I]-[socket:on_response:] 0 SOCKET_CONNECT 1
//! [I]-[socket:connect: connect fail] RESPONSE
//! ";
//! let analysis = Analysis::read(trace.as_bytes())?;
//! let finding = &analysis.findings[0];
//! assert_eq!(finding.pattern.searched(), "socket:connect: connect fail");
//! assert_eq!(finding.evidence[0].lines, [1, 2, 3]);
//! println!("{}: {}", finding.pattern.cause(), finding.pattern.advice());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Three steps, each usable alone, each with bounded memory however long the trace is:
//!
//! 1. [`Reader`]: bytes to [`Record`]s. Any encoding, any line end, with stamps or without, payload with line ends in it.
//! 2. [`Record::print`]: what a record says, if a library of the firmware printed it ([`Print`]).
//! 3. [`Interpreter`]: records to [`Event`]s; [`Findings`] collects what is wrong with them, with cause and advice.
//!
//! [`Analysis::read`] is all three for a trace of moderate length.
//!
//! # What is concluded from what
//!
//! The texts are those of protocol section 18; real traces taught the rest (captures l01 to l11):
//!
//! * A connect succeeded if the core's last confirmation for its number is 0. A close is a close whatever number stands
//!   behind it: the core does not set it. A send failed if `send fail` or a confirmation other than 0 says so, never
//!   because a confirmation is missing; a send of 0 bytes gets none.
//! * `connect ok`, sends, receives and the peer's close carry no number. They are paired with the lines around them
//!   ([`SocketRef::Paired`]) or left open ([`SocketRef::Unknown`]); nothing is guessed.
//! * Only a library's print is an event. Core lines, the tool's lines and a script's own prints may hold payload, and
//!   payload may look like anything. So may the rest of a payload with line ends in it: the first thirty bytes of a
//!   send are counted, and in a trace with stamps a line without one continues the record before it.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod analysis;
mod assembler;
mod encoding;
mod event;
mod exchange;
mod finding;
mod interpreter;
mod lines;
mod pattern;
mod print;
mod reader;
mod record;
mod sends;
mod sockets;

pub use analysis::{Analysis, MAX_EVENTS};
pub use event::{Closer, Event, EventKind, SocketRef};
pub use finding::{Evidence, Finding, Findings, MAX_EVIDENCE};
pub use interpreter::Interpreter;
pub use lines::MAX_LINE;
pub use pattern::{Pattern, Severity};
pub use print::{CoreId, Endpoint, Failure, Operation, Print, Transport, power_on_reason};
pub use reader::Reader;
pub use record::{Level, MAX_RECORD, Origin, Record};
