//! A capture that continues in a new file when one is full.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::appended::{ExistingCapture, head};
use super::format::expecting_nothing;
use super::new_file::{fresh, release};
use super::open_exchange::OpenExchange;

/// The most bytes by which a file exceeds its limit for records that belong together: many frames of escaped payload.
const MAX_BEYOND: u64 = 64 * 1024;

/// A file of a capture that others follow. It takes whole records.
pub(super) struct Rotation {
    path: PathBuf,
    file: File,
    /// The head of each later file.
    head: Vec<u8>,
    /// The length of the head of this file.
    head_length: u64,
    limit: u64,
    /// The length of this file.
    written: u64,
    exchange: OpenExchange,
}

impl Rotation {
    pub(super) fn new(path: PathBuf, file: File, limit: u64) -> Self {
        Self {
            path,
            file,
            head: Vec::new(),
            head_length: 0,
            limit,
            written: 0,
            exchange: OpenExchange::default(),
        }
    }

    /// A rotation that continues with an existing file.
    pub(super) fn after(earlier: ExistingCapture, path: PathBuf, limit: u64) -> Self {
        let mut rotation = Self::new(path, earlier.file, limit);
        rotation.begun_by(&earlier.head);
        rotation.written = earlier.length;
        rotation
    }

    /// Keeps the head for later files, without the expectations, because their entries may be in this file.
    fn begun_by(&mut self, head: &[u8]) {
        self.head_length = head.len() as u64;
        self.head = expecting_nothing(head);
    }

    /// True if this file ends before the next records. Records that belong together stay in one file up to
    /// [`MAX_BEYOND`].
    fn is_full(&self, more: usize) -> bool {
        let length = self.written.saturating_add(more as u64);
        let beyond = if self.exchange.is_open() { MAX_BEYOND } else { 0 };
        self.written > self.head_length && length > self.limit.saturating_add(beyond)
    }

    /// Renames the full file and begins the next one.
    fn turn(&mut self) -> io::Result<()> {
        self.file.flush()?;
        release(&self.file);
        self.file = fresh(&self.path)?;
        self.file.write_all(&self.head)?;
        self.head_length = self.head.len() as u64;
        self.written = self.head_length;
        Ok(())
    }
}

impl Write for Rotation {
    fn write(&mut self, records: &[u8]) -> io::Result<usize> {
        if self.head.is_empty() {
            self.begun_by(&head(records));
        } else if self.is_full(records.len()) {
            self.turn()?;
        }
        self.file.write_all(records)?;
        if self.limit < u64::MAX {
            self.exchange.records(records);
        }
        self.written = self.written.saturating_add(records.len() as u64);
        Ok(records.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::capture::{Capture, CaptureFile, Entry, Header, Recorder, load_own};
    use crate::time::Timestamp;

    /// A rotation in a folder of its own.
    fn rotation(name: &str, limit: u64) -> (PathBuf, Rotation) {
        let folder = std::env::temp_dir().join(format!("air724ug-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("a.capture");
        let file = File::create(&path).unwrap();
        (folder, Rotation::new(path, file, limit))
    }

    #[test]
    fn a_full_file_is_set_aside_and_nothing_is_lost_between_them() {
        let folder = std::env::temp_dir().join(format!("air724ug-rotation-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("a.capture");
        let header = Header { what: "x".into(), source: "y".into(), expect: vec!["x".into()] };
        let file = CaptureFile::rotating(&path, 300).unwrap();
        let watch = file.watch();
        let mut recorder = Recorder::new(file, &header);
        for at in 0..40 {
            recorder.note(Timestamp::from_millis(at), &format!("note {at}"));
            watch.flush(Duration::from_secs(20)).unwrap();
        }
        drop(recorder);
        watch.flush(Duration::from_secs(20)).unwrap();
        let names = (1..).map(|number| folder.join(format!("a.capture.{number}")));
        let files: Vec<_> = names.take_while(|name| name.exists()).chain([path]).collect();
        assert!(files.len() > 2, "{files:?}");
        let mut notes = Vec::new();
        for file in &files {
            assert!(fs::metadata(file).unwrap().len() <= 300, "{}", file.display());
            let Capture { header: found, records, .. } = load_own(file).unwrap();
            let expect = if file == &files[0] { "x" } else { "not known" };
            assert_eq!(found, Some(Header { expect: vec![expect.into()], ..header.clone() }), "in part only");
            notes.extend(records.into_iter().filter_map(|located| match located.record.what {
                Entry::Note(words) => Some(words),
                _ => None,
            }));
        }
        assert_eq!(notes, (0..40).map(|at| format!("note {at}")).collect::<Vec<_>>());
        fs::remove_dir_all(&folder).unwrap();
    }

    /// This holds for any limit.
    #[test]
    fn no_file_has_a_header_alone() {
        let (folder, mut rotation) = rotation("headers", 1);
        for written in ["# what: \n", "0.0 one\n", "0.1 two\n"] {
            rotation.write_all(written.as_bytes()).unwrap();
        }
        drop(rotation);
        let content = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(content("a.capture.1"), "# what: \n0.0 one\n");
        assert_eq!(content("a.capture"), "# what: \n# expect: not known\n0.1 two\n");
        assert!(!folder.join("a.capture.2").exists());
        fs::remove_dir_all(folder).unwrap();
    }

    /// These are the payload of a header, a command with its answer, and a prompt with the bytes after it.
    #[test]
    fn what_belongs_together_stays_in_one_file() {
        let (folder, mut rotation) = rotation("together", 20);
        let together: [&[&str]; 8] = [
            &["< \\r\\n+RECEIVE,0,16:\\r\\nabcd", "< efghij", "? a remark", "< 123456\\r\\n"],
            &["< \\r\\n+CREG: 1", "< \\r\\n"],
            &["> AT+CSQ\\r\\n", "< \\r\\n+CSQ: 24,99\\r\\n", "< \\r\\nOK\\r\\n"],
            &["> AT+CIPSEND=0,2\\r\\n", "< \\r\\n> ", "> ab", "< \\r\\nDATA ACCEPT:0,2\\r\\n"],
            &[
                "> AT+CIPRXGET=2,0,9\\r\\n",
                "< \\r\\n+CIPRXGET: 2,0,4,0\\r\\na",
                "< bcd\\r\\n",
                "< \\r\\nOK\\r\\n",
            ],
            &["> AT+CIPSHUT\\r\\n", "~"],
            &["; whatever was under way is over"],
            &["< \\r\\n+CREG: 1\\r\\n"],
        ];
        rotation.write_all(b"# what: \n").unwrap();
        for record in together.iter().copied().flatten() {
            rotation.write_all(format!("0.0 {record}\n").as_bytes()).unwrap();
        }
        drop(rotation);
        let names = (1..8).map(|number| format!("a.capture.{number}")).chain(["a.capture".to_owned()]);
        for (name, records) in names.zip(together) {
            let content = fs::read_to_string(folder.join(&name)).unwrap();
            let found: Vec<_> = content.lines().filter_map(|line| line.strip_prefix("0.0 ")).collect();
            assert_eq!(found, records, "{name}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_command_that_is_never_answered_does_not_make_a_file_grow_without_end() {
        let (folder, mut rotation) = rotation("unanswered", 100);
        rotation.write_all(b"# what: \n").unwrap();
        rotation.write_all(b"0.0 > AT\n").unwrap();
        let line = format!("0.0 < {}\\r\\n\n", "a".repeat(1000));
        for _ in 0..200 {
            rotation.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
        fs::remove_dir_all(folder).unwrap();
    }
}
