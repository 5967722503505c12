//! The reasons for having no connection: evidence in, findings out.
//!
//! The checklist of the LuatOS socket guide (section 5), and what goes wrong before it: the port, the line rate, the
//! echo. A [`Diagnosis`] is a function of its [`Evidence`], so a live module and a capture of one give the same:
//!
//! * [`Modem::diagnose`](crate::Modem::diagnose) and [`Modem::diagnose_port`](crate::Modem::diagnose_port) ask a module
//!   the [`QUESTIONS`] and try what the [`Checkup`] says;
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

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
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
mod secure;
mod table;
mod trial;

pub use checklist::{Check, QUESTIONS, Question};
pub use checkup::{Checkup, OTHER_RATES, Server};
pub use code::Code;
pub use evidence::{Evidence, MAX_ITEMS};
pub use exchange::{End, Exchange};
pub use finding::{Finding, MAX_LINES, MAX_TEXT, Proof, Severity};
pub use port::PortFault;
pub use report::{Diagnosis, Step, StepState};
