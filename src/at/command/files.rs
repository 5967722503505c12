//! The module's file system (protocol section 14; capture a21).

use std::time::Duration;

use super::super::Quotable;
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

/// How much longer than its own time-out the module may take to write to its flash memory and to say so. No source
/// gives a figure; an assumption.
const WRITE_MARGIN: Duration = Duration::from_secs(5);

impl Command {
    /// The most bytes of one `AT+FSWRITE`.
    pub const MAX_FILE: usize = 10_240;
    /// The longest name of a file, in bytes.
    pub const MAX_FILE_NAME: usize = 64;

    /// `AT+FSCREATE="name"`: makes an empty file; refused if there is one of that name.
    pub fn create_file(name: &Quotable) -> Self {
        Self::new(format!("AT+FSCREATE=\"{name}\""), Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+FSWRITE="name",0,<len>,<seconds>`: prompt, then exactly `len` bytes, written from the file's beginning;
    /// what an older content has beyond them stays. The module itself gives up after `seconds` with `TimeOut`.
    pub fn write_file(name: &Quotable, len: usize, seconds: u32) -> Self {
        let timeout = WRITE_MARGIN.saturating_add(Duration::from_secs(seconds.into()));
        Self::new(format!("AT+FSWRITE=\"{name}\",0,{len},{seconds}"), Shape::Write, timeout)
    }

    /// `AT+FSFLSIZE="name"`: `+FSFLSIZE: <bytes>`; refused if there is no such file.
    pub fn file_size(name: &Quotable) -> Self {
        let shape = Shape::Info { keys: &["+FSFLSIZE"], accepts: |list| list.len() == 1 };
        Self::new(format!("AT+FSFLSIZE=\"{name}\""), shape, DEFAULT_TIMEOUT)
    }

    /// `AT+FSDEL="name"`: removes a file; refused if there is none.
    pub fn remove_file(name: &Quotable) -> Self {
        Self::new(format!("AT+FSDEL=\"{name}\""), Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// Whether the module waits for payload no longer than the command says, and tells when it has given up. Such a
    /// payload is never written without a prompt, and nothing else is written while the module may wait for it.
    pub fn gives_up(&self) -> bool {
        match self.shape {
            Shape::Write => true,
            Shape::WithPayload { given, .. } => given.waits,
            _ => false,
        }
    }

    /// Whether what follows it is the content of a file, which may be a key.
    pub fn writes_file(&self) -> bool {
        matches!(self.shape, Shape::Write) || self.has_key("+FSWRITE")
    }

    /// Whether it may delete files that a TLS connection needs.
    pub fn may_remove_files(&self) -> bool {
        self.text().to_ascii_uppercase().contains("+FSDEL")
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Line;
    use super::super::{Refusal, Verdict};
    use super::*;

    fn write() -> Command {
        Command::write_file(&Quotable::new("ca.crt", 64).unwrap(), 1212, 15)
    }

    #[test]
    fn a_file_is_written_as_the_manual_shows() {
        assert_eq!(write().wire(), b"AT+FSWRITE=\"ca.crt\",0,1212,15\r\n");
        assert!(write().timeout() > Duration::from_secs(15));
        assert!(write().gives_up());
        assert!(!Command::attention().gives_up());
    }

    #[test]
    fn writing_ends_with_ok_an_error_or_the_modules_own_time_out() {
        let judge = |line: &[u8]| write().judge(&Line::parse(line), false);
        assert_eq!(judge(b"OK"), Verdict::Done(Ok(())));
        assert_eq!(judge(b"ERROR"), Verdict::Done(Err(Refusal::Error)));
        assert_eq!(judge(b"TimeOut"), Verdict::Done(Err(Refusal::TimeOut)));
        assert_eq!(judge(b"0, SEND OK"), Verdict::NotMine);
        assert_eq!(Command::attention().judge(&Line::parse(b"TimeOut"), false), Verdict::NotMine);
    }

    #[test]
    fn only_a_removal_takes_files_away() {
        let name = Quotable::new("ca.crt", 64).unwrap();
        assert!(Command::remove_file(&name).may_remove_files());
        let user = |text| Command::of_user(text, Duration::from_secs(1)).unwrap();
        assert!(user("AT+CSQ;+fsdel=x").may_remove_files());
        assert!(!Command::create_file(&name).may_remove_files());
    }
}
