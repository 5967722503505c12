//! The manners of an example in a shell: its arguments, its output, and its exit code.
#![allow(dead_code, reason = "each example uses its own part")]

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// `EX_IOERR` of sysexits.h: the output, or a capture, can't be written.
pub const IO_ERROR: u8 = 74;

/// Writes to the standard output, at once. `println!` would panic when nothing reads it any more.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// Writes a message to the standard error. If that can't be written, the message is lost.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// The end of a program whose output can't be written. A reader that has seen enough (`| head`) is no failure.
pub fn unwritten(name: &str, error: &io::Error) -> ExitCode {
    if error.kind() == ErrorKind::BrokenPipe {
        return ExitCode::SUCCESS;
    }
    complain(format_args!("{name}: the output can't be written: {error}"));
    ExitCode::from(IO_ERROR)
}

/// The arguments; or what is wrong, if one is no UTF-8.
pub fn arguments() -> Result<std::vec::IntoIter<String>, String> {
    let text = |argument: std::ffi::OsString| {
        argument.into_string().map_err(|argument| format!("{argument:?} is no UTF-8"))
    };
    Ok(std::env::args_os().skip(1).map(text).collect::<Result<Vec<_>, _>>()?.into_iter())
}
