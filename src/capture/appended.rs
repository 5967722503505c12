//! A session that is appended to an existing capture.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::time::Timestamp;

use super::format::{write_head_as_note, write_later};
use super::new_file::claim;
use super::{MAX_LINE, read_own};

/// An existing capture, opened to append to it.
pub(super) struct ExistingCapture {
    pub(super) file: File,
    /// The lines above its first record.
    pub(super) head: Vec<u8>,
    pub(super) length: u64,
    pub(super) last_at: Timestamp,
}

/// The lines at the start of a file that may be its head.
pub(super) fn head(file: &[u8]) -> Vec<u8> {
    let lines = file.split_inclusive(|byte| *byte == b'\n').take_while(|line| line.starts_with(b"#"));
    lines.flatten().copied().collect()
}

/// Opens the capture at this path to append to it. `None` if there is no file, or if its head or its last line is not
/// that of a capture.
///
/// # Errors
/// If another program records in it.
pub(super) fn earlier(path: &Path) -> io::Result<Option<ExistingCapture>> {
    if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return Ok(None);
    }
    let Ok(file) = OpenOptions::new().read(true).append(true).open(path) else { return Ok(None) };
    claim(&file).map_err(|error| {
        io::Error::new(error.kind(), format!("can't record in {}: {error}", path.display()))
    })?;
    Ok(whole(file))
}

/// The capture, if it is complete.
fn whole(mut file: File) -> Option<ExistingCapture> {
    let window = MAX_LINE.saturating_add(2) as u64;
    let (mut start, mut end) = (Vec::new(), Vec::new());
    let length = file.metadata().ok()?.len();
    (&file).take(window).read_to_end(&mut start).ok()?;
    file.seek(SeekFrom::Start(length.saturating_sub(window))).ok()?;
    (&file).take(window).read_to_end(&mut end).ok()?;
    let head = head(&start);
    let last = end.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let capture = read_own(&[&head, last, b"\n"].concat()).ok()?;
    let last_at = match capture.records.last() {
        Some(located) => located.record.at,
        None if length == head.len() as u64 => Timestamp::ZERO,
        None => return None,
    };
    Some(ExistingCapture { file, head, length, last_at })
}

/// Takes whole records of a session that begins at zero, and appends them to an earlier one: with the earlier one's
/// last time added, after a gap, and with a note of the head's `what`.
pub(super) struct Appended<W> {
    writer: W,
    origin: Timestamp,
    text: Vec<u8>,
}

impl<W> Appended<W> {
    pub(super) fn new(writer: W, origin: Timestamp) -> Self {
        Self { writer, origin, text: Vec::new() }
    }
}

impl<W: Write> Write for Appended<W> {
    fn write(&mut self, records: &[u8]) -> io::Result<usize> {
        self.text.clear();
        for line in records.split_inclusive(|byte| *byte == b'\n') {
            match line.starts_with(b"#") {
                true => write_head_as_note(self.origin, line, &mut self.text),
                false => write_later(self.origin, line, &mut self.text),
            }
        }
        self.writer.write_all(&self.text)?;
        Ok(records.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::capture::{CaptureFile, Entry, Header, Recorder, load_own};
    use crate::config::Config;

    /// A session of two records, recorded as the configuration says.
    fn record(config: &Config, what: &str) {
        let header = Header { what: what.into(), source: "y".into(), expect: vec!["z".into()] };
        let file = CaptureFile::configured(config).unwrap().unwrap();
        let watch = file.watch();
        let mut recorder = Recorder::new(file, &header);
        recorder.to_modem(Timestamp::from_millis(1), b"AT\\\r\n");
        recorder.note(Timestamp::from_nanos(2_000_001), "an end");
        drop(recorder);
        watch.flush(Duration::from_secs(20)).unwrap();
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("air724ug-appended-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn a_session_goes_after_the_earlier_one_and_later() {
        let folder = folder("sessions");
        let config = Config::default().capture(folder.join("a.capture")).capture_append(true);
        for what in ["one", "two \\", "three"] {
            record(&config, what);
        }
        let capture = load_own(folder.join("a.capture")).unwrap();
        assert_eq!(capture.header.unwrap().what, "one");
        let at = |nanos| Timestamp::from_nanos(nanos);
        let probe = || Entry::ToModem(b"AT\\\r\n".to_vec());
        let end = || Entry::Note("an end".into());
        let expected = [
            (at(1_000_000), probe()),
            (at(2_000_001), end()),
            (at(2_000_001), Entry::Gap),
            (at(2_000_001), Entry::Note("two \\".into())),
            (at(3_000_001), probe()),
            (at(4_000_002), end()),
            (at(4_000_002), Entry::Gap),
            (at(4_000_002), Entry::Note("three".into())),
            (at(5_000_002), probe()),
            (at(6_000_003), end()),
        ];
        let read: Vec<_> = capture.records.into_iter().map(|it| (it.record.at, it.record.what)).collect();
        assert_eq!(read, expected);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_earlier_session_counts_for_the_limit_and_its_head_stands_in_each_file() {
        let folder = folder("limit");
        let path = folder.join("a.capture");
        let config = Config::default().capture(&path).capture_append(true);
        for _ in 0..5 {
            record(&config, "one");
        }
        let length = fs::metadata(&path).unwrap().len();
        // One more record exceeds the limit, and the whole session fits into the next file.
        record(&config.capture_limit(length), "two");
        assert_eq!(fs::metadata(folder.join("a.capture.1")).unwrap().len(), length);
        let later = load_own(&path).unwrap();
        assert_eq!(later.header.unwrap().what, "one");
        assert_eq!(later.records.first().unwrap().record.what, Entry::Gap);
        fs::remove_dir_all(folder).unwrap();
    }

    /// No session is appended to a file that could not be read together with it.
    #[test]
    fn a_file_that_is_no_whole_capture_is_set_aside() {
        let folder = folder("others");
        let path = folder.join("a.capture");
        let config = Config::default().capture(&path).capture_append(true);
        let head = "# what: a\n# source: b\n# expect: c\n";
        let others = [
            "a letter\n".to_owned(),
            "0.5 > AT\n".to_owned(),
            format!("{head}0.5 > A"),
            format!("{head}0.5 > A\\\n"),
            format!("{head}0.5 > A\n\n"),
            format!("{head}0.5 > A\n# what: b\n"),
            format!("{head}{}\n", "a".repeat(MAX_LINE + 1)),
        ];
        for (number, other) in (1..).zip(others) {
            fs::write(&path, &other).unwrap();
            record(&config, "new");
            let aside = fs::read_to_string(folder.join(format!("a.capture.{number}"))).unwrap();
            assert_eq!(aside, other);
            assert_eq!(load_own(&path).unwrap().header.unwrap().what, "new");
            fs::remove_file(&path).unwrap();
        }
        // A capture without records is complete.
        fs::write(&path, head).unwrap();
        record(&config, "new");
        let capture = load_own(&path).unwrap();
        assert_eq!((capture.header.unwrap().what.as_str(), capture.records.len()), ("a", 4));
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn two_captures_never_share_a_file() {
        let folder = folder("shared");
        let path = folder.join("a.capture");
        let config = Config::default().capture(&path);
        let header = Header { what: "one".into(), source: "y".into(), expect: vec!["z".into()] };
        let file = CaptureFile::rotating(&path, 100).unwrap();
        let watch = file.watch();
        let mut recorder = Recorder::new(file, &header);
        // The session's own later files are not renamed by it.
        for at in 0..10 {
            recorder.note(Timestamp::from_millis(at), "a note of some length");
            watch.flush(Duration::from_secs(20)).unwrap();
        }
        assert!(folder.join("a.capture.2").exists());
        for config in [config.clone(), config.clone().capture_append(true)] {
            let error = CaptureFile::configured(&config).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
            assert!(
                error.to_string().ends_with("a.capture: another program records in this file"),
                "{error}"
            );
        }
        drop(recorder);
        record(&config.capture_append(true), "two");
        fs::remove_dir_all(folder).unwrap();
    }
}
