//! The words and the kinds of time-outs.

use std::fmt;
use std::io;

/// The names of the waits whose time-outs are those of a socket.
pub(crate) const READ: &str = "read";
pub(crate) const WRITE: &str = "write";

/// The kind of a socket's time-out, as the system has it.
pub(super) const TIMED_OUT: io::ErrorKind =
    if cfg!(windows) { io::ErrorKind::TimedOut } else { io::ErrorKind::WouldBlock };

/// The part of a time-out's message that names the wait.
pub(super) struct Awaited<'a>(pub(super) &'a str);

impl fmt::Display for Awaited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            READ => f.write_str("nothing came to be read"),
            WRITE => f.write_str("there was no room to write"),
            command => write!(f, "no answer to {command}"),
        }
    }
}

/// The part of a time-out's message about the bytes accepted before.
pub(super) struct AcceptedBefore(pub(super) u32);

impl fmt::Display for AcceptedBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            accepted => write!(f, " ({accepted} bytes were accepted before)"),
        }
    }
}
