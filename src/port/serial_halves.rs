//! A serial port by its path, on systems without `poll`: the port and its clone as two halves.

use std::io;
use std::time::Duration;

use super::Port;
use crate::config::{Config, FlowControl};

/// How long a read waits before it looks whether the modem was closed.
const READ_TIMEOUT: Duration = Duration::from_millis(100);

/// Opens and configures a port.
pub(crate) fn open(path: &str, config: &Config) -> io::Result<Port> {
    let flow_control = match config.flow_control {
        FlowControl::None => serialport::FlowControl::None,
        FlowControl::RtsCts => serialport::FlowControl::Hardware,
    };
    let writer =
        serialport::new(path, config.baud_rate).flow_control(flow_control).timeout(READ_TIMEOUT).open()?;
    let reader = writer.try_clone()?;
    Ok(Port::Halves { reader: Box::new(reader), writer: Box::new(writer) })
}
