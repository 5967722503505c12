//! A serial port by its path, on systems without `poll`: the port and its clone as two halves.
#![cfg_attr(unix, allow(dead_code, reason = "a system with `poll` only tests it"))]

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::time::Duration;

use super::Port;
use super::explain::explain;
use crate::config::{Config, FlowControl};

/// The time-out of a read, and the longest delay of a write: Windows does one operation at a time on a port that is not
/// opened for overlapped ones.
const READ_TIMEOUT: Duration = Duration::from_millis(10);

/// Opens and configures a port.
pub(crate) fn open(path: &str, config: &Config) -> io::Result<Port> {
    open_serial(path, config).map_err(|error| explain(path, error))
}

fn open_serial(path: &str, config: &Config) -> io::Result<Port> {
    // `serialport` reports "no device" for a port that another program has open. The error of the system
    // distinguishes the two.
    let device = if path.starts_with('\\') { path.to_owned() } else { format!(r"\\.\{path}") };
    drop(OpenOptions::new().read(true).write(true).open(device).map_err(mark_busy)?);
    let flow_control = match config.flow_control {
        FlowControl::None => serialport::FlowControl::None,
        FlowControl::RtsCts => serialport::FlowControl::Hardware,
    };
    let writer =
        serialport::new(path, config.baud_rate).flow_control(flow_control).timeout(READ_TIMEOUT).open()?;
    let reader = writer.try_clone()?;
    Ok(Port::Halves { reader: Box::new(reader), writer: Box::new(HeldWriter(writer)), end: None })
}

/// The error of opening, with the kind that says busy: Windows denies access to a serial port that is open elsewhere
/// (`CreateFileW`, "Communications Resources").
fn mark_busy(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => io::Error::new(io::ErrorKind::ResourceBusy, error),
        _ => error,
    }
}

/// A writer that flow control may delay. Windows then reports after the time-out that it has written 0 bytes, which for
/// [`Write`] is an end.
struct HeldWriter<W>(W);

impl<W: Write> Write for HeldWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes)? {
            0 if !bytes.is_empty() => Err(io::ErrorKind::TimedOut.into()),
            count => Ok(count),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    /// Regression: the driver took the delay for a lost port.
    #[test]
    fn a_write_that_flow_control_delays_does_not_end_the_port() {
        struct BlockedPort;
        impl Write for BlockedPort {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Ok(0)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(HeldWriter(BlockedPort).write(b"AT\r").unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(HeldWriter(BlockedPort).write(b"").unwrap(), 0);
        assert_eq!(HeldWriter(Vec::new()).write(b"AT\r").unwrap(), 3);
    }

    #[test]
    fn a_port_that_is_open_elsewhere_is_reported_as_busy_with_its_name() {
        let error = explain("COM3", mark_busy(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        let text = error.to_string();
        assert!(text.starts_with("COM3: another program has it open"), "{text}");
    }
}
