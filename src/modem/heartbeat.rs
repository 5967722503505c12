//! Keeping connections alive: our own heartbeat, TCP keepalive, the module's own heartbeat.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::transport::Transport;
use super::{Modem, Socket};
use crate::driver::Says;
use crate::error::{Error, Result};
use crate::proto::{Command, HeartbeatStatistics, Pulse, Request};

/// A heartbeat that keeps a silent connection alive (`c:asyncSelect(keepAlive, pingreq)`): it is sent when there has been no traffic
/// either way for `every`.
///
/// An address translator on the way drops a silent connection after a few minutes, unnoticed by both ends; the vendor recommends at
/// most 4 minutes, better 2 (protocol section 10).
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
    Function(Arc<Says>),
}

impl Heartbeat {
    /// The shortest span between heartbeats, 10 ms. A shorter one is refused: it would keep the line and a processor busy.
    pub const MIN_SPAN: Duration = Pulse::MIN_SPAN;

    /// A heartbeat of fixed bytes, sent after `every` of silence.
    pub fn new(every: Duration, payload: impl Into<Vec<u8>>) -> Self {
        Self { every, payload: Payload::Bytes(payload.into()), max_missed: None }
    }

    /// A heartbeat whose bytes a function makes, from the number of the heartbeat, from 1. No bytes: nothing is sent.
    ///
    /// It runs on a thread of its own, one for all heartbeats of a modem, and never under a lock of this crate: it may take
    /// its time and use the modem. While it runs, the other heartbeats with a function wait, and nothing else does. Its bytes
    /// must fit into a datagram (UDP) and into the rest of the [send queue](crate::Config::send_queue). Those that do not are not
    /// sent, count neither as sent nor as missed, and are told by
    /// [`Event::HeartbeatFailed`](crate::Event::HeartbeatFailed). If the function panics, the heartbeat of this socket ends with
    /// the same event, and everything else goes on.
    ///
    /// What it owns is dropped on that thread, or by the call that changes or ends the heartbeat.
    ///
    /// A function that owns a handle of its own socket keeps that socket open, and so the port, until the socket ends, its
    /// heartbeat is changed or ended, or the modem is closed ([`Modem::close`]). Handles of the modem do not.
    pub fn with(every: Duration, payload: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { every, payload: Payload::Function(Arc::new(payload)), max_missed: None }
    }

    /// An answer is expected: after this number of heartbeats in a row without any data from the peer the socket ends with
    /// [`CloseReason::HeartbeatLost`](crate::CloseReason::HeartbeatLost). Each one that is missed is an
    /// [`Event::HeartbeatMissed`](crate::Event::HeartbeatMissed). Default: none is expected.
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
    /// Silence before the first probe: 30 to 7200 s.
    pub idle: Duration,
    /// Between probes: 30 to 600 s.
    pub interval: Duration,
    /// Probes without an answer before the connection is given up: 1 to 9.
    pub count: u32,
}

/// The module's defaults.
impl Default for Keepalive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(7_200), interval: Duration::from_secs(75), count: 9 }
    }
}

/// The longest heartbeat of the module's own (protocol section 13).
const MAX_MODULE_HEARTBEAT: usize = 256;

impl<T: Transport> Socket<T> {
    /// Begins, changes or (with `None`) ends the heartbeat of this socket.
    ///
    /// It ends by itself when the socket ends, or its direction to the peer is [shut down](Socket::shutdown).
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a span shorter than [`Heartbeat::MIN_SPAN`], an empty payload or a datagram that is too
    /// long; the heartbeat stays as it was. [`Error::Io`] if no thread can be started for a function. The end of the socket, if it
    /// has ended.
    pub fn set_heartbeat(&self, heartbeat: impl Into<Option<Heartbeat>>) -> Result<()> {
        let mut says = None;
        let pulse = heartbeat.into().map(|heartbeat| {
            let (payload, function) = match heartbeat.payload {
                Payload::Bytes(bytes) => (Some(bytes), None),
                Payload::Function(function) => (None, Some(function)),
            };
            says = function;
            let mut pulse = Pulse::new(heartbeat.every, []);
            (pulse.payload, pulse.max_missed) = (payload, heartbeat.max_missed);
            pulse
        });
        let is_begun = pulse.is_some();
        let refuse = || if is_begun { self.check_write(&[]) } else { Ok(()) };
        self.modem().driver.set_heartbeat(self.socket_id(), pulse, says, refuse)
    }

    /// The counters of the heartbeats; `None` without a heartbeat.
    pub fn heartbeat_statistics(&self) -> Option<HeartbeatStatistics> {
        self.modem().driver.with_engine(|engine, _| engine.heartbeat_statistics(self.socket_id()))
    }

    /// Has the module itself send a heartbeat on this connection (`AT^HEARTCONFIG`, `AT^HEARTBEATHEX`), which goes on
    /// while the host sleeps; `None` ends it. 5 to 600 s, at most 256 bytes, one connection at a time. Firmware before
    /// V838 sent other bytes than it was given.
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
