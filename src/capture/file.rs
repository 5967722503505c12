//! The file of a capture. It never delays the modem: records wait in memory, and a separate thread writes them.
//!
//! A pipe that is not read, a full or slow disk, or a network that hangs ends only the capture, with a warning, an
//! event and, if the file accepts it, a last note.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Recorder;
use super::appended::{Appended, earlier};
use super::new_file::fresh;
use super::rotation::Rotation;
use crate::config::Config;

/// The most bytes that wait for the file; with more the capture ends. The fastest line fills it in seconds, one of
/// 115200 baud in minutes: a slower disk is not suitable for captures.
const MAX_BEHIND: usize = 4 * 1024 * 1024;
/// Further bytes for the note with the reason why the capture ends.
const LAST_NOTE: usize = 1024;

/// The recorder of a session, with any destination.
pub(crate) type Recording = Recorder<Box<dyn Write + Send>>;

/// The file of a capture, for a [`Recorder`]. It accepts whole records at once, or fails, and never blocks the caller.
/// A separate thread writes them; up to 4 MiB may wait. When it is dropped, the capture is complete.
///
/// ```no_run
/// use air724ug::capture::{CaptureFile, Header, Recorder};
/// use air724ug::time::Timestamp;
/// use std::time::Duration;
///
/// let file = CaptureFile::create("session.capture")?;
/// let watch = file.watch();
/// let header = Header { what: "a probe".into(), source: "my tool".into(), expect: vec!["an answer".into()] };
/// let mut recorder = Recorder::new(file, &header);
/// recorder.to_modem(Timestamp::ZERO, b"AT\r\n");
/// watch.flush(Duration::from_secs(1))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct CaptureFile {
    shared: Arc<CaptureShared>,
}

/// Reports the state of a [`CaptureFile`].
#[derive(Clone, Debug)]
pub struct CaptureWatch {
    shared: Arc<CaptureShared>,
}

#[derive(Debug)]
struct CaptureShared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug)]
struct Queue {
    /// Records that the thread has not taken yet.
    waiting: Vec<u8>,
    /// The most bytes that wait.
    limit: usize,
    state: FileState,
    /// The numbers of bytes that were recorded and that are in the file.
    recorded: u64,
    written: u64,
}

#[derive(Debug)]
enum FileState {
    /// Records are accepted.
    Taking,
    /// The file was too slow: only the last note is accepted.
    Full,
    /// Nothing is accepted any more: the thread writes the waiting records and ends.
    Complete(CaptureEnd),
    /// The thread has ended.
    Ended(CaptureEnd),
}

/// The end of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CaptureEnd {
    /// Everything was written.
    Whole,
    /// The file was too slow. The records that waited for it were written.
    Short,
    /// Writing failed.
    Failed(Failure),
}

/// An error that can be returned several times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failure {
    Os(i32),
    Kind(io::ErrorKind),
}

/// The message about a file that was too slow.
const TOO_SLOW: &str = "the file takes less than is recorded";

impl CaptureFile {
    /// Creates the file and starts its thread. An existing capture is renamed: it gets the first free number after its
    /// name. It does not wait for the reader of a pipe.
    ///
    /// # Errors
    /// As of [`File::create`](std::fs::File::create); the text names the path. A pipe without a reader can't be opened.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open(path.as_ref(), false, None)
    }

    /// The same as [`create`](Self::create), with a new file of the same name whenever this one would exceed `limit`
    /// bytes; the full one gets the first free number after its name. Each file has the head of the first without its
    /// expectations, and its times continue. Waiting records are written together, up to 4 MiB, so a file can be longer
    /// by this size.
    ///
    /// # Errors
    /// As of [`create`](Self::create).
    pub fn rotating(path: impl AsRef<Path>, limit: u64) -> io::Result<Self> {
        Self::open(path.as_ref(), false, Some(limit))
    }

    /// The file of a configuration: [`Config::capture`], [`Config::capture_append`], [`Config::capture_limit`].
    ///
    /// # Errors
    /// As of [`create`](Self::create).
    pub fn configured(config: &Config) -> io::Result<Option<Self>> {
        let open = |path| Self::open(path, config.capture_append, config.capture_limit);
        config.capture.as_deref().map(open).transpose()
    }

    fn open(path: &Path, append: bool, limit: Option<u64>) -> io::Result<Self> {
        let limit = limit.unwrap_or(u64::MAX);
        let before = if append { earlier(path)? } else { None };
        match before {
            Some(earlier) => {
                let last_at = earlier.last_at;
                let file = Rotation::after(earlier, path.to_owned(), limit);
                Self::start(Box::new(Appended::new(file, last_at)), MAX_BEHIND)
            }
            None => Self::start(Box::new(Rotation::new(path.to_owned(), fresh(path)?, limit)), MAX_BEHIND),
        }
    }

    fn start(mut writer: Box<dyn Write + Send>, limit: usize) -> io::Result<Self> {
        let queue = Queue { waiting: Vec::new(), limit, state: FileState::Taking, recorded: 0, written: 0 };
        let shared = Arc::new(CaptureShared { queue: Mutex::new(queue), changed: Condvar::new() });
        let thread = shared.clone();
        let write: Box<dyn FnOnce() + Send> = Box::new(move || thread.write_to(&mut *writer));
        thread::Builder::new().name("air724ug-capture".into()).spawn(write)?;
        Ok(Self { shared })
    }

    /// A handle to the file's state, which remains when a recorder owns the file.
    pub fn watch(&self) -> CaptureWatch {
        CaptureWatch { shared: self.shared.clone() }
    }
}

impl Write for CaptureFile {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.shared.lock().take(record)?;
        self.shared.changed.notify_all();
        Ok(record.len())
    }

    /// Does nothing: the thread writes at once.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for CaptureFile {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        match queue.state {
            FileState::Taking => queue.state = FileState::Complete(CaptureEnd::Whole),
            FileState::Full => queue.state = FileState::Complete(CaptureEnd::Short),
            FileState::Complete(_) | FileState::Ended(_) => {}
        }
        self.shared.changed.notify_all();
    }
}

impl CaptureWatch {
    /// Waits until the file has everything that was recorded so far, at most for the time-out.
    ///
    /// # Errors
    /// The reason why the capture ended early, or `TimedOut`.
    pub fn flush(&self, timeout: Duration) -> io::Result<()> {
        let begun = Instant::now();
        let mut queue = self.shared.lock();
        let wanted = queue.recorded;
        loop {
            match queue.state {
                FileState::Ended(end) => return end.result(),
                FileState::Full | FileState::Complete(CaptureEnd::Short) => {
                    return CaptureEnd::Short.result();
                }
                FileState::Taking if queue.written >= wanted => return Ok(()),
                FileState::Taking | FileState::Complete(_) => {}
            }
            let left = timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, TOO_SLOW));
            }
            queue = self.shared.wait(queue, left);
        }
    }
}

impl Queue {
    /// Accepts a record, or returns the reason why the capture has ended.
    fn take(&mut self, record: &[u8]) -> io::Result<()> {
        let limit = match self.state {
            FileState::Taking => self.limit,
            FileState::Full => self.limit.saturating_add(LAST_NOTE),
            FileState::Complete(end) | FileState::Ended(end) => {
                return end.result().and(Err(io::ErrorKind::BrokenPipe.into()));
            }
        };
        let fits = self.waiting.len().saturating_add(record.len()) <= limit;
        if fits {
            self.waiting.extend_from_slice(record);
            self.recorded = self.recorded.saturating_add(record.len() as u64);
        }
        match (&self.state, fits) {
            (FileState::Taking, false) => self.state = FileState::Full,
            (FileState::Full, _) => self.state = FileState::Complete(CaptureEnd::Short),
            _ => {}
        }
        if fits { Ok(()) } else { CaptureEnd::Short.result() }
    }
}

impl CaptureShared {
    /// The thread's loop: writes waiting records until the capture is complete or the writer fails.
    fn write_to(&self, writer: &mut dyn Write) {
        let mut batch = Vec::new();
        loop {
            let mut queue = self.lock();
            while queue.waiting.is_empty() {
                match queue.state {
                    FileState::Taking | FileState::Full => {
                        queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    }
                    FileState::Complete(end) | FileState::Ended(end) => return self.end(queue, end),
                }
            }
            std::mem::swap(&mut queue.waiting, &mut batch);
            drop(queue);
            let written = writer.write_all(&batch).and_then(|()| writer.flush());
            let mut queue = self.lock();
            if let Err(error) = written {
                queue.waiting = Vec::new();
                return self.end(queue, CaptureEnd::Failed(Failure::of(&error)));
            }
            queue.written = queue.written.saturating_add(batch.len() as u64);
            drop(queue);
            self.changed.notify_all();
            batch.clear();
        }
    }

    fn end(&self, mut queue: MutexGuard<'_, Queue>, end: CaptureEnd) {
        queue.state = FileState::Ended(end);
        drop(queue);
        self.changed.notify_all();
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>, span: Duration) -> MutexGuard<'a, Queue> {
        self.changed.wait_timeout(queue, span).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CaptureEnd {
    fn result(self) -> io::Result<()> {
        match self {
            Self::Whole => Ok(()),
            Self::Short => Err(io::Error::other(TOO_SLOW)),
            Self::Failed(Failure::Os(code)) => Err(io::Error::from_raw_os_error(code)),
            Self::Failed(Failure::Kind(kind)) => Err(kind.into()),
        }
    }
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        error.raw_os_error().map_or(Self::Kind(error.kind()), Self::Os)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

    use crate::capture::Header;
    use crate::time::Timestamp;

    /// A limit for operations that take microseconds.
    const SOON: Duration = Duration::from_secs(20);

    /// A file whose writes wait for the test.
    struct Slow {
        written: Sender<Vec<u8>>,
        may_write: Receiver<io::Result<()>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // At the end of the test every write succeeds.
            self.may_write.recv().unwrap_or(Ok(()))?;
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow(limit: usize) -> (CaptureFile, Receiver<Vec<u8>>, Sender<io::Result<()>>) {
        let (written, seen) = unbounded();
        let (let_write, may_write) = bounded(0);
        (CaptureFile::start(Box::new(Slow { written, may_write }), limit).unwrap(), seen, let_write)
    }

    fn recorder(file: CaptureFile) -> Recording {
        let header = Header { what: "x".into(), source: "y".into(), expect: vec!["z".into()] };
        Recorder::new(Box::new(file), &header)
    }

    #[test]
    fn an_earlier_capture_is_set_aside_under_the_first_free_number() {
        let folder = std::env::temp_dir().join(format!("air724ug-aside-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("a.capture");
        for text in ["first", "second", "third"] {
            let mut file = CaptureFile::create(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let watch = file.watch();
            drop(file);
            watch.flush(SOON).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(
            [read("a.capture.1"), read("a.capture.2"), read("a.capture")],
            ["first", "second", "third"]
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_capture_behind_symbolic_links_is_set_aside_and_the_links_stay() {
        let folder = std::env::temp_dir().join(format!("air724ug-links-{}", std::process::id()));
        fs::create_dir_all(folder.join("captures")).unwrap();
        std::os::unix::fs::symlink("captures/a", folder.join("one")).unwrap();
        std::os::unix::fs::symlink(folder.join("one"), folder.join("two")).unwrap();
        for text in ["first", "second"] {
            let mut file = CaptureFile::create(folder.join("two")).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let watch = file.watch();
            drop(file);
            watch.flush(SOON).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!([read("captures/a.1"), read("two")], ["first", "second"]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_takes_nothing_ends_the_capture_and_holds_nothing_up() {
        let (file, seen, let_write) = slow(1_000);
        let (watch, mut recorder) = (file.watch(), recorder(file));
        let mut records = 0;
        while recorder.is_recording() {
            recorder.from_modem(Timestamp::ZERO, b"AT\r\n");
            records += 1;
        }
        assert!((20..2_000).contains(&records), "{records}");
        assert_eq!(recorder.take_error().unwrap().to_string(), TOO_SLOW);
        assert_eq!(watch.flush(SOON).unwrap_err().to_string(), TOO_SLOW, "reported at once");
        drop((recorder, let_write));
        // The waiting records were written, and the file has a note that it is incomplete.
        let text: Vec<u8> = seen.iter().flatten().collect();
        let capture = crate::capture::read_own(&text).unwrap();
        assert_eq!(capture.records.len(), records, "the one that did not fit is the note");
        let last = format!("{:?}", capture.records.last().unwrap().record.what);
        assert!(last.contains("the capture ends here") && last.contains(TOO_SLOW), "{last}");
    }

    #[test]
    fn a_file_that_fails_ends_the_capture_and_reports_why() {
        let (file, _seen, let_write) = slow(1_000);
        let (watch, mut recorder) = (file.watch(), recorder(file));
        let_write.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        assert_eq!(watch.flush(SOON).unwrap_err().kind(), io::ErrorKind::StorageFull);
        recorder.note(Timestamp::ZERO, "more");
        assert_eq!(recorder.take_error().unwrap().kind(), io::ErrorKind::StorageFull);
        drop(recorder);
        assert_eq!(watch.flush(SOON).unwrap_err().kind(), io::ErrorKind::StorageFull, "ever after");
    }

    #[test]
    fn what_was_recorded_is_in_the_file_when_it_is_flushed_or_dropped() {
        let (file, seen, let_write) = slow(1_000);
        let (watch, mut recorder) = (file.watch(), recorder(file));
        recorder.note(Timestamp::ZERO, "one");
        let late = watch.flush(Duration::from_millis(10));
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(let_write);
        watch.flush(SOON).unwrap();
        recorder.note(Timestamp::ZERO, "two");
        drop(recorder);
        watch.flush(SOON).unwrap();
        let text: Vec<u8> = seen.iter().flatten().collect();
        assert!(text.ends_with(b"; one\n0.000000 ; two\n"), "{}", text.escape_ascii());
    }
}
