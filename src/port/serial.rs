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
/// `serialport` sets it up and keeps it for us alone; the bytes go through a second, non-blocking descriptor of the same
/// device, because only that can be waited on together with a wake-up, so that an idle modem costs nothing.
pub(crate) fn open(path: &str, config: &Config) -> io::Result<Port> {
    let flow_control = match config.flow_control {
        FlowControl::None => serialport::FlowControl::None,
        FlowControl::RtsCts => serialport::FlowControl::Hardware,
    };
    // Exclusive only after the second descriptor is open: it would be refused otherwise.
    let builder = serialport::new(path, config.baud_rate).flow_control(flow_control).exclusive(false);
    let mut settings = TTYPort::open(&builder).map_err(|error| explain(path, error.into()))?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags as i32)
        .open(path)
        .map_err(|error| explain(path, error))?;
    settings.set_exclusive(true).map_err(|error| explain(path, error.into()))?;
    // What an earlier owner left unread is not ours.
    let _ = settings.clear(serialport::ClearBuffer::Input);
    let file = Arc::new(file);
    let (sleeper, waker) = UnixStream::pair()?;
    sleeper.set_nonblocking(true)?;
    waker.set_nonblocking(true)?;
    let waker = Arc::new(Waker { stream: waker, woken: AtomicBool::new(false) });
    Ok(Port {
        line: Box::new(SerialLine { file: file.clone(), sleeper, waker: waker.clone(), _settings: settings }),
        wake: waker,
        direct: Some(Box::new(Direct(file))),
    })
}

/// Says which port it was, and what a person can do.
fn explain(path: &str, error: io::Error) -> io::Error {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "there is no such port; is the module plugged in?",
        io::ErrorKind::PermissionDenied => {
            "no permission; is your user in the group that owns it (often `dialout`)?"
        }
        io::ErrorKind::ResourceBusy => "another program has it open",
        _ if error.to_string().contains("exclusive") => "another program has it open",
        _ if error.to_string().contains("No such file") => "there is no such port; is the module plugged in?",
        _ => "it can't be opened as a serial port",
    };
    io::Error::new(error.kind(), format!("{path}: {hint} ({error})"))
}

struct SerialLine {
    file: Arc<File>,
    sleeper: UnixStream,
    waker: Arc<Waker>,
    /// Keeps the port ours, and its settings.
    _settings: TTYPort,
}

struct Waker {
    stream: UnixStream,
    /// Whether a byte is in the stream already.
    woken: AtomicBool,
}

struct Direct(Arc<File>);

impl Line for SerialLine {
    fn wait(&mut self, wants_write: bool, timeout: Option<Duration>) -> io::Result<()> {
        let interest = if wants_write { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut fds = [PollFd::new(&*self.file, interest), PollFd::new(&self.sleeper, PollFlags::IN)];
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if !fds[1].revents().is_empty() {
            self.waker.woken.store(false, Ordering::SeqCst);
            while (&self.sleeper).read(&mut [0; 16]).is_ok_and(|count| count > 0) {}
        }
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self.file).read(buf)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write(bytes)
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

impl DirectWrite for Direct {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }
}
