//! The opening of a port of this machine, which the kernel may hold up.

use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

/// The pause between two checks whether the wait is over.
const LOOK: Duration = Duration::from_millis(50);

/// The ports whose opening has not returned. No port is opened twice at a time, so there is at most one thread that
/// waits in the kernel for each.
static UNDER_WAY: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Opens a port on a thread of its own, and waits for it until `is_over`. The kernel may wait in `open` for tens of
/// seconds, for a device that does not react, and nothing ends that. A port that is open after the wait is closed
/// again.
///
/// # Errors
/// [`ErrorKind::TimedOut`] after the wait; [`ErrorKind::ResourceBusy`] while an earlier opening of this port has not
/// returned; the error of the opening.
pub(super) fn open<T: Send + 'static>(
    path: &str,
    is_over: impl Fn() -> bool,
    open: impl FnOnce(&str) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let entry = Entry::new(path)?;
    let (opened, is_opened) = bounded(1);
    let begin = move || {
        let result = open(&entry.0);
        // If the wait is over, this closes the port, which may take long too, and ends the entry then.
        let _ = opened.send((result, entry));
    };
    thread::Builder::new().name("air724ug-open".into()).spawn(begin)?;
    loop {
        match is_opened.recv_timeout(LOOK) {
            Ok((result, _entry)) => return result,
            Err(RecvTimeoutError::Timeout) if !is_over() => {}
            Err(RecvTimeoutError::Timeout) => {
                let text = format!("{path}: the system has not opened it so far; its device does not react");
                return Err(io::Error::new(ErrorKind::TimedOut, text));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other(format!("{path}: the thread that opens it panicked")));
            }
        }
    }
}

/// A port in [`UNDER_WAY`].
struct Entry(String);

impl Entry {
    fn new(path: &str) -> io::Result<Self> {
        let mut paths = under_way();
        if paths.iter().any(|other| other == path) {
            let text =
                format!("{path}: it is being opened already; if that lasts, its device does not react");
            return Err(io::Error::new(ErrorKind::ResourceBusy, text));
        }
        paths.push(path.to_owned());
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        under_way().retain(|path| *path != self.0);
    }
}

fn under_way() -> MutexGuard<'static, Vec<String>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{Receiver, Sender};

    /// A port. The other end of the channel sees that it is closed.
    type Held = Sender<()>;

    #[test]
    fn an_opening_that_does_not_return_is_left_and_its_port_is_closed_later() {
        let ((returns, is_returning), (port, is_closed)) = (bounded::<()>(0), bounded::<()>(0));
        let left = open(
            "/dev/left",
            || true,
            move |_| {
                let _ = is_returning.recv();
                Ok(port)
            },
        );
        assert_eq!(left.unwrap_err().kind(), ErrorKind::TimedOut);
        let again = || open("/dev/left", || false, |path| Ok(path.to_owned()));
        assert_eq!(again().unwrap_err().kind(), ErrorKind::ResourceBusy);
        assert!(open("/dev/other", || false, |_| Ok(())).is_ok(), "another port");
        drop(returns);
        assert!(is_closed.recv().is_err(), "it is closed");
        assert_eq!(repeated(again).unwrap(), "/dev/left");
    }

    /// Repeats an opening while an earlier one is under way.
    fn repeated<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        let begun = std::time::Instant::now();
        loop {
            match open() {
                Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                    assert!(begun.elapsed() < Duration::from_secs(20), "{error}");
                    thread::yield_now();
                }
                opened => return opened,
            }
        }
    }

    /// A port whose closing is reported, and then waits.
    struct SlowlyClosed(Sender<()>, Receiver<()>);

    impl Drop for SlowlyClosed {
        fn drop(&mut self) {
            let _ = self.0.send(());
            let _ = self.1.recv();
        }
    }

    /// Regression: the path was free before the port was closed, and the next opening waited for the end of that.
    #[test]
    fn a_port_that_is_opened_late_is_busy_until_it_is_closed() {
        let ((returns, is_returning), (closes, is_closing)) = (bounded::<()>(0), bounded(0));
        let (closed, is_closed) = bounded(0);
        let left = open(
            "/dev/closing",
            || true,
            move |_| {
                let _ = is_returning.recv();
                Ok(SlowlyClosed(closes, is_closed))
            },
        );
        assert_eq!(left.err().map(|error| error.kind()), Some(ErrorKind::TimedOut));
        drop(returns);
        is_closing.recv().unwrap();
        let again = || open("/dev/closing", || false, |_| Ok(()));
        assert_eq!(again().unwrap_err().kind(), ErrorKind::ResourceBusy);
        drop(closed);
        repeated(again).unwrap();
    }

    #[test]
    fn an_opening_that_fails_or_panics_is_an_error_and_can_be_repeated() {
        for _ in 0..2 {
            let failed = open("/dev/failed", || false, |_| Err::<Held, _>(ErrorKind::NotFound.into()));
            assert_eq!(failed.unwrap_err().kind(), ErrorKind::NotFound);
            let panicked = open("/dev/panicked", || false, |_| -> io::Result<Held> { panic!("expected") });
            assert!(panicked.unwrap_err().to_string().contains("panicked"));
        }
    }
}
