//! Three ways to keep connections alive: heartbeats of the driver, TCP keepalive, and heartbeats of the module.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::transport::Transport;
use super::{Modem, Socket};
use crate::driver::HeartbeatFunction;
use crate::error::{Error, Result};
use crate::proto::{Command, HeartbeatStatistics, Pulse, Request};

/// Data that keep a silent connection alive, as `c:asyncSelect(keepAlive, pingreq)` does on LuatOS. They are sent when
/// there was no traffic in either direction for the span `every`.
///
/// A NAT gateway between module and server forgets a silent connection after a few minutes, and neither end notices.
/// The vendor recommends a span of at most 4 minutes, better 2 (protocol section 10).
///
/// ```
/// use air724ug::Heartbeat;
/// use std::time::Duration;
///
/// let ping = Heartbeat::new(Duration::from_secs(120), b"ping").max_missed(3);
/// let counted = Heartbeat::with(Duration::from_secs(60), |count| format!("beat {count}").into_bytes());
/// # let _ = (ping, counted);
/// ```
#[derive(Clone)]
pub struct Heartbeat {
    every: Duration,
    payload: Payload,
    max_missed: Option<u32>,
}

#[derive(Clone)]
enum Payload {
    Bytes(Vec<u8>),
    Function(Arc<HeartbeatFunction>),
}

impl Heartbeat {
    /// The shortest span between heartbeats, 10 ms. A shorter span is refused, because it would occupy the serial line
    /// and a processor.
    pub const MIN_SPAN: Duration = Pulse::MIN_SPAN;

    /// A heartbeat of fixed bytes, sent after `every` of silence.
    pub fn new(every: Duration, payload: impl Into<Vec<u8>>) -> Self {
        Self { every, payload: Payload::Bytes(payload.into()), max_missed: None }
    }

    /// A heartbeat whose payload is the result of a function. The argument of the function is the number of the
    /// heartbeat, from 1. If the result is empty, nothing is sent.
    ///
    /// The function runs on a separate thread, one for all heartbeats of a modem, and never under a lock of this crate.
    /// It may block and may use the modem. While it runs, only the other heartbeats with a function wait.
    ///
    /// The payload must fit into a datagram (UDP) and into the rest of the [send queue](crate::Config::send_queue). A
    /// payload that does not fit is not sent, counts neither as sent nor as missed, and causes an
    /// [`Event::HeartbeatFailed`](crate::Event::HeartbeatFailed). If the function panics, the heartbeat of this socket
    /// ends with the same event; nothing else is affected.
    ///
    /// The function is dropped on that thread, or by the call that changes or ends the heartbeat.
    ///
    /// A function that owns a handle of its own socket keeps the socket and the port open until the socket ends, its
    /// heartbeat is changed or ended, or the modem is closed ([`Modem::close`]). A function that owns a handle of the
    /// modem does not.
    pub fn with(every: Duration, payload: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { every, payload: Payload::Function(Arc::new(payload)), max_missed: None }
    }

    /// Sets how many heartbeats in a row may stay without data from the peer. After this number the socket ends with
    /// [`CloseReason::HeartbeatLost`](crate::CloseReason::HeartbeatLost). Each heartbeat without an answer causes an
    /// [`Event::HeartbeatMissed`](crate::Event::HeartbeatMissed). Default: no answer is expected.
    #[must_use]
    pub fn max_missed(self, max_missed: u32) -> Self {
        Self { max_missed: Some(max_missed.max(1)), ..self }
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat")
            .field("every", &self.every)
            .field("max_missed", &self.max_missed)
            .finish_non_exhaustive()
    }
}

/// TCP keepalive of the module (`AT+CIPTKA`; protocol section 13).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keepalive {
    /// The silence before the first probe, 30 to 7200 s.
    pub idle: Duration,
    /// The span between probes, 30 to 600 s.
    pub interval: Duration,
    /// The number of probes without an answer after which the connection ends, 1 to 9.
    pub count: u32,
}

/// The module's defaults.
impl Default for Keepalive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(7_200), interval: Duration::from_secs(75), count: 9 }
    }
}

/// The longest payload of a heartbeat that the module itself sends (protocol section 13).
const MAX_MODULE_HEARTBEAT: usize = 256;

impl<T: Transport> Socket<T> {
    /// Begins, changes or (with `None`) ends the heartbeat of this socket.
    ///
    /// The heartbeat also ends when the socket ends, or when its direction to the peer is [shut
    /// down](Socket::shutdown).
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a span shorter than [`Heartbeat::MIN_SPAN`], an empty payload or a datagram that is
    /// too long; the heartbeat stays as it was. [`Error::Io`] if no thread can be started for a function. The end of
    /// the socket, if it has ended.
    pub fn set_heartbeat(&self, heartbeat: impl Into<Option<Heartbeat>>) -> Result<()> {
        let mut function = None;
        let pulse = heartbeat.into().map(|heartbeat| {
            let mut pulse = Pulse::new(heartbeat.every, []);
            pulse.max_missed = heartbeat.max_missed;
            pulse.payload = match heartbeat.payload {
                Payload::Bytes(bytes) => Some(bytes),
                Payload::Function(made_by) => {
                    function = Some(made_by);
                    None
                }
            };
            pulse
        });
        let is_begun = pulse.is_some();
        let refuse = || if is_begun { self.check_writable() } else { Ok(()) };
        self.modem().driver.set_heartbeat(self.socket_id(), pulse, function, refuse)
    }

    /// The counters of the heartbeats; `None` without a heartbeat.
    pub fn heartbeat_statistics(&self) -> Option<HeartbeatStatistics> {
        self.modem().driver.with_engine(|engine, _| engine.heartbeat_statistics(self.socket_id()))
    }

    /// Makes the module itself send a heartbeat on this connection (`AT^HEARTCONFIG`, `AT^HEARTBEATHEX`), also while
    /// the host sleeps. `None` ends it. The span is 5 to 600 s, the payload at most 256 bytes, and one connection at a
    /// time has such a heartbeat. Firmware before V838 sends other bytes than it was given.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] outside these limits; [`Error::Refused`] where the firmware does not have it.
    pub fn set_module_heartbeat(&self, heartbeat: Option<(Duration, &[u8])>) -> Result<()> {
        let run = |command| self.modem().driver.call(Request::Run(command)).map(drop);
        let Some((every, payload)) = heartbeat else {
            return run(Command::heartbeat_config(self.id(), None));
        };
        let secs = in_range("heartbeat", every, 5, 600)?;
        if payload.is_empty() || payload.len() > MAX_MODULE_HEARTBEAT {
            return Err(Error::invalid(
                "heartbeat",
                format_args!("is not 1 to {MAX_MODULE_HEARTBEAT} bytes"),
            ));
        }
        run(Command::heartbeat_payload(self.id(), payload))?;
        run(Command::heartbeat_config(self.id(), Some(secs)))
    }
}

impl Modem {
    /// Switches TCP keepalive on or off for connections made from now on.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] outside the module's limits; [`Error::Refused`] where the firmware does not have it.
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> Result<()> {
        let command = match keepalive {
            None => Command::keepalive_off(),
            Some(keepalive) => {
                let idle = in_range("keepalive idle", keepalive.idle, 30, 7_200)?;
                let interval = in_range("keepalive interval", keepalive.interval, 30, 600)?;
                if !(1..=9).contains(&keepalive.count) {
                    return Err(Error::invalid("keepalive count", "is not 1 to 9"));
                }
                Command::keepalive(idle, interval, keepalive.count)
            }
        };
        self.driver.call(Request::Run(command)).map(drop)
    }
}

fn in_range(what: &'static str, span: Duration, min: u32, max: u32) -> Result<u32> {
    let secs = u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
    if (min..=max).contains(&secs) {
        Ok(secs)
    } else {
        Err(Error::invalid(what, format_args!("is not {min} to {max} seconds")))
    }
}
