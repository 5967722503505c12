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
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// Text with the words of others in it, as a terminal may have it: control characters are shown, but for line ends and tabs.
pub fn harmless(text: impl Display) -> String {
    shown(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// The same as one line.
pub fn line(text: impl Display) -> String {
    shown(text, char::is_control)
}

fn shown(text: impl Display, is_shown: fn(char) -> bool) -> String {
    let text = text.to_string();
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        match is_shown(c) {
            true => harmless.extend(c.escape_default()),
            false => harmless.push(c),
        }
    }
    harmless
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_can_not_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{9b}1m\rc\td\n"), "a\\u{1b}[2Jb\\u{9b}1m\\rc\td\n");
        assert_eq!(line("a\nsim1 ready\u{7}"), "a\\nsim1 ready\\u{7}");
        assert_eq!(line("中国移动"), "中国移动");
    }
}
