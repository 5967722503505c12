//! The module's file system (protocol section 14; capture a21).

use std::time::Duration;

use super::super::{Quotable, SecretLines};
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

/// The time that the module may need beyond its own time-out to write its flash memory and report the result. No source
/// gives a figure; this is an assumption.
const WRITE_MARGIN: Duration = Duration::from_secs(5);

impl Command {
    /// The most bytes of one `AT+FSWRITE`.
    pub const MAX_FILE: usize = 10_240;
    /// The longest name of a file, in bytes.
    pub const MAX_FILE_NAME: usize = 64;

    /// `AT+FSCREATE="name"`: creates an empty file; refused if the file exists.
    pub fn create_file(name: &Quotable) -> Self {
        Self::new(format!("AT+FSCREATE=\"{name}\""), Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+FSWRITE="name",0,<len>,<seconds>`: prompt, then exactly `len` bytes, which are written from the beginning of
    /// the file. Bytes of an older, longer content remain after them. After `seconds` the module ends the wait with
    /// `TimeOut`.
    pub fn write_file(name: &Quotable, len: usize, seconds: u32) -> Self {
        let timeout = WRITE_MARGIN.saturating_add(Duration::from_secs(seconds.into()));
        Self::new(format!("AT+FSWRITE=\"{name}\",0,{len},{seconds}"), Shape::Write, timeout)
    }

    /// `AT+FSFLSIZE="name"`: `+FSFLSIZE: <bytes>`; refused if the file does not exist.
    pub fn file_size(name: &Quotable) -> Self {
        let shape = Shape::Info { keys: &["+FSFLSIZE"], accepts: |list| list.len() == 1 };
        Self::new(format!("AT+FSFLSIZE=\"{name}\""), shape, DEFAULT_TIMEOUT)
    }

    /// `AT+FSDEL="name"`: removes a file; refused if the file does not exist.
    pub fn remove_file(name: &Quotable) -> Self {
        Self::new(format!("AT+FSDEL=\"{name}\""), Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// True if the module ends its wait for payload after the time in the command, and reports it. Such a payload is
    /// never written without a prompt, and no other bytes are written while the module may wait for it.
    pub fn gives_up(&self) -> bool {
        match self.shape {
            Shape::Write => true,
            Shape::WithPayload { given, .. } => given.waits,
            _ => false,
        }
    }

    /// True if its payload is the content of a file, which may be a key.
    pub fn writes_file(&self) -> bool {
        matches!(self.shape, Shape::Write) || SecretLines::hides_payload_of(self.text())
    }

    /// True if it may delete files that a TLS connection needs.
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
