//! The diagnosis of a module without a connection: findings from evidence.
//!
//! It follows the checklist of the LuatOS socket guide (section 5), with the port, the line rate and the echo before
//! it. A [`Diagnosis`] is a function of its [`Evidence`], so it is the same for a live module and for a capture of it:
//!
//! * [`Modem::diagnose`](crate::Modem::diagnose) and [`Modem::diagnose_port`](crate::Modem::diagnose_port) send the
//!   [`QUESTIONS`] to a module and try the connections in the [`Checkup`];
//! * `Evidence::of_capture` (feature `import`) takes the answers from a recorded session.
//!
//! ```
//! use air724ug::capture;
//! use air724ug::diagnosis::{Code, Evidence, Severity};
//!
//! let capture = capture::read(b"AT+CPIN?\n\n+CME ERROR: 10\n\nAT+CGATT?\n\n+CGATT: 0\n\nOK\n").unwrap();
//! let diagnosis = Evidence::of_capture(&capture).diagnose();
//! assert_eq!(diagnosis.root_cause().unwrap().code, Code::SimMissing);
//! assert_eq!(diagnosis.severity(), Some(Severity::Error));
//! ```

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod checklist;
mod checkup;
mod code;
mod evidence;
mod exchange;
mod finding;
mod json;
#[cfg(feature = "import")]
mod offline;
mod port;
mod report;
mod rules;
mod sample;
mod table;
mod tls_evidence;
mod trial;

pub use checklist::{Check, QUESTIONS, Question};
pub use checkup::{Checkup, OTHER_RATES, Server};
pub use code::Code;
pub use evidence::{Evidence, MAX_ITEMS};
pub use exchange::{End, Exchange};
pub use finding::{Finding, MAX_LINES, MAX_TEXT, Proof, Severity};
pub use port::PortFault;
pub use report::{Diagnosis, Step, StepState};
