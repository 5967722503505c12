//! Traces of LuatOS firmware: the output of a module that runs Lua scripts, with its reports about sockets.
//!
//! The makers advise to search the trace of a faulty socket for certain texts (`connect fail`, `send fail`,
//! `MSG_SOCK_CLOSE_IND`). This part does the search and explains the results: the socket, the side that closed it, the
//! reason of a failed connect, and advice.
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
//! There are three steps. Each can be used alone, and each has limited memory for a trace of any length:
//!
//! 1. [`Reader`]: bytes to [`Record`]s. Any encoding, any line end, with or without stamps, and payload that contains
//!    line ends.
//! 2. [`Record::print`]: the meaning of a record, if a library of the firmware printed it ([`Print`]).
//! 3. [`Interpreter`]: records to [`Event`]s. [`Findings`] collects the faults in them, with cause and advice.
//!
//! [`Analysis::read`] does all three for a trace of moderate length.
//!
//! # The conclusions and their grounds
//!
//! The texts are those of protocol section 18, and of real traces (captures l01 to l11):
//!
//! * A connect succeeded if the core's last confirmation for its number is 0. A close succeeded with any number,
//!   because the core does not set it. A send failed if there is `send fail` or a confirmation other than 0. A missing
//!   confirmation is no failure; a send of 0 bytes has none.
//! * `connect ok`, sends, receives and the peer's close have no number. They are paired by the lines around them
//!   ([`SocketRef::Paired`]) or left open ([`SocketRef::Unknown`]), never guessed.
//! * Only a library's print is an event. Lines of the core and the tool, and a script's own prints, may contain
//!   payload, which may look like any line. So may the rest of a payload with line ends: the first thirty bytes of a
//!   send are counted, and in a trace with stamps a line without one continues the record before it.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
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
