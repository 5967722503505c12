//! The service of a simulated modem to a program: in the same process, or on a pseudo-terminal.

mod clock;
#[cfg(unix)]
mod console;
mod in_process;
mod log_entry;
#[cfg(not(unix))]
mod no_terminal;
#[cfg(unix)]
mod play;
#[cfg(unix)]
mod pty;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod run;

#[cfg(unix)]
pub use console::{Console, converse, obey};
pub use in_process::{Handle, Reader, Writer, in_process};
pub use log_entry::LogEntry;
#[cfg(not(unix))]
pub use no_terminal::{
    AbsentConsole as Console, AbsentInbox as Inbox, AbsentPty as Pty, AbsentRemote as Remote, converse, obey,
    play, remote, run, run_with,
};
#[cfg(unix)]
pub use play::play;
#[cfg(unix)]
pub use pty::Pty;
#[cfg(unix)]
pub use remote::{Inbox, Remote, remote};
#[cfg(unix)]
pub use run::{run, run_with};
