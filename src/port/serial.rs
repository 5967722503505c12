//! A serial port by its path, on systems that have `poll`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use serialport::{SerialPort, TTYPort};

use super::{DirectWrite, Line, Port, Wake};
use crate::config::{Config, FlowControl};

/// Opens and configures a port.
///
/// `serialport` sets it up and locks it for this process; the bytes go through a second, non-blocking descriptor of the same
/// device, because only that can be waited on together with a wake-up, so that an idle modem costs nothing.
pub(crate) fn open(path: &str, config: &Config) -> io::Result<Port> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    // This comes first, because it would be refused once the port is locked for this process, and its errors are plainer.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags as i32)
        .open(path)
        .map_err(|error| explain(path, error))?;
    let settings = set_up(path, &file, config).map_err(|error| explain(path, error))?;
    let file = Arc::new(file);
    let (waker, sleeper) = sleeper()?;
    Ok(Port::Line {
        line: Box::new(SerialLine { file: file.clone(), sleeper, settings }),
        wake: waker,
        direct: Box::new(Direct(file)),
    })
}

fn set_up(path: &str, file: &File, config: &Config) -> io::Result<TTYPort> {
    let flow_control = match config.flow_control {
        FlowControl::None => serialport::FlowControl::None,
        FlowControl::RtsCts => serialport::FlowControl::Hardware,
    };
    // A shared lock first: it is refused, and nothing is changed, while another program has the port for itself.
    let builder = serialport::new(path, config.baud_rate).flow_control(flow_control).exclusive(false);
    let mut settings = TTYPort::open(&builder)?;
    settings.set_exclusive(true)?;
    if is_pseudo_terminal(file) {
        // The lock is enough, and ends with this process however it ends. The mark that keeps others from opening the
        // device would stay for as long as the other side has it open.
        let _ = rustix::termios::ioctl_tiocnxcl(file);
    }
    // Bytes that an earlier program left unread are dropped.
    let _ = settings.clear(serialport::ClearBuffer::Input);
    Ok(settings)
}

/// By the device's number, which only Linux gives a meaning (admin-guide/devices.txt: 136 to 143).
fn is_pseudo_terminal(file: &File) -> bool {
    let major = || rustix::fs::fstat(file).map(|stat| rustix::fs::major(stat.st_rdev));
    cfg!(target_os = "linux") && major().is_ok_and(|major| (136..=143).contains(&major))
}

/// Says which port it was, and what a person can do.
fn explain(path: &str, error: io::Error) -> io::Error {
    let text = error.to_string();
    // `serialport` says so of a port that another program has locked, but calls it `NotFound`.
    let is_locked = text.contains("Unable to acquire");
    let busy =
        "another program has it open (ModemManager, a serial terminal, a second copy?); `fuser -v` names it";
    let (kind, hint) = match error.kind() {
        _ if is_locked => (io::ErrorKind::ResourceBusy, busy),
        kind @ io::ErrorKind::ResourceBusy => (kind, busy),
        kind @ io::ErrorKind::NotFound => (
            kind,
            "there is no such port; is the module plugged in and on? `ls /dev/ttyUSB* /dev/serial/by-id` shows what is \
             there",
        ),
        kind @ io::ErrorKind::PermissionDenied => (
            kind,
            "no permission; add your user to the group that owns it, often with `sudo usermod -aG dialout $USER`, and \
             log in again",
        ),
        kind => (kind, "it can't be opened as a serial port; is it the path of one?"),
    };
    io::Error::new(kind, format!("{path}: {hint} ({text})"))
}

struct SerialLine {
    file: Arc<File>,
    sleeper: Sleeper,
    /// Keeps the lock of the port, and its settings.
    settings: TTYPort,
}

impl Line for SerialLine {
    fn wait(&mut self, wants_write: bool, timeout: Option<Duration>) -> io::Result<()> {
        let interest = if wants_write { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut fds = [PollFd::new(&*self.file, interest), PollFd::new(&self.sleeper.stream, PollFlags::IN)];
        match poll(&mut fds, timeout.map(timespec).as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if !fds[1].revents().is_empty() {
            self.sleeper.wake_up();
        }
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self.file).read(buf)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write(bytes)
    }

    fn set_dtr(&mut self, on: bool) -> io::Result<()> {
        Ok(self.settings.write_data_terminal_ready(on)?)
    }
}

struct Direct(Arc<File>);

impl DirectWrite for Direct {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }
}

/// The two ends of a wake-up.
fn sleeper() -> io::Result<(Arc<Waker>, Sleeper)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    let waker = Arc::new(Waker { stream: theirs, woken: AtomicBool::new(false) });
    Ok((waker.clone(), Sleeper { stream: ours, waker }))
}

/// Many calls before the wait hears one wake it once.
struct Waker {
    stream: UnixStream,
    /// Whether a byte is on its way already.
    woken: AtomicBool,
}

struct Sleeper {
    stream: UnixStream,
    waker: Arc<Waker>,
}

impl Sleeper {
    /// Makes the next call wake again. The next wait hears every call from now on; the calls before are served now.
    fn wake_up(&self) {
        self.hear(&self.stream);
    }

    fn hear(&self, mut stream: impl Read) {
        while stream.read(&mut [0; 16]).is_ok_and(|count| count > 0) {}
        // Behind the read: a call in between would write a byte that the read takes away, and its mark would stay, so
        // that no later call wrote one again.
        self.waker.woken.store(false, Ordering::SeqCst);
    }
}

impl Wake for Waker {
    fn wake(&self) {
        if !self.woken.swap(true, Ordering::SeqCst) {
            // A full stream wakes too.
            let _ = (&self.stream).write(&[0]);
        }
    }
}

fn timespec(span: Duration) -> Timespec {
    let tv_sec = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: span.subsec_nanos().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wake-up is called right behind each read.
    struct CalledMeanwhile<'a>(&'a Sleeper);

    impl Read for CalledMeanwhile<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = (&self.0.stream).read(buf)?;
            self.0.waker.wake();
            Ok(count)
        }
    }

    fn is_called(sleeper: &Sleeper) -> bool {
        let mut fds = [PollFd::new(&sleeper.stream, PollFlags::IN)];
        poll(&mut fds, Some(&timespec(Duration::ZERO))).unwrap() > 0
    }

    /// The mark used to be taken back before the byte was read: a call in between was the last one ever heard.
    #[test]
    fn a_call_between_hearing_and_sleeping_does_not_silence_the_next() {
        let (waker, sleeper) = sleeper().unwrap();
        waker.wake();
        assert!(is_called(&sleeper));
        sleeper.hear(CalledMeanwhile(&sleeper));
        assert!(!is_called(&sleeper));
        waker.wake();
        assert!(is_called(&sleeper));
    }

    #[test]
    fn a_thousand_calls_wake_once() {
        let (waker, sleeper) = sleeper().unwrap();
        (0..1000).for_each(|_| waker.wake());
        assert_eq!((&sleeper.stream).read(&mut [0; 16]).unwrap(), 1);
    }

    #[test]
    fn what_can_not_be_opened_says_why_and_which() {
        for (path, kind, hint) in [
            ("/dev/no-such-port", io::ErrorKind::NotFound, "plugged in"),
            ("/dev/null", io::ErrorKind::Other, "path of one"),
            ("/", io::ErrorKind::IsADirectory, "path of one"),
        ] {
            let Err(error) = open(path, &Config::default()) else { panic!("{path} was opened") };
            let text = error.to_string();
            assert!(text.starts_with(path) && text.contains(hint), "{text}");
            assert_eq!(error.kind(), kind, "{text}");
        }
    }
}
