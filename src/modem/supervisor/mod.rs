//! Supervisors: connections that are made again after any failure.

mod gap;
mod policy;
mod reconnect_pause;
mod reconnecting;
mod reconnecting_state;
mod rungs;
mod sent_bytes;
mod stream;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use log::Level;

pub use gap::{Gap, Missing};
pub use policy::{Policy, Rung};
pub use reconnecting::ReconnectingSocket;

use super::deadline::Deadline;
use super::transport::Transport;
use super::{Connector, Modem, Remote, Socket, ToRemote};
use crate::driver::{LOG_TARGET, OneLine};
use crate::error::TlsStep;
use crate::error::{CloseReason, DeliveryUnknown, Error, Result};
use crate::tls::TlsConfig;
use policy::Ladder;

/// Makes connections. After failures it runs the steps of a [`Policy`]'s ladder: retry, bearer, flight mode, restart,
/// power.
///
/// Use one supervisor for each modem. Its sockets share the ladder, so that eight sockets that lose one bearer don't
/// restart the module eight times. Clones refer to the same supervisor.
///
/// ```no_run
/// use air724ug::{Config, Error, Modem, Received};
/// use air724ug::supervisor::{Policy, Supervisor};
/// use std::time::Duration;
///
/// let modem = Modem::open("/dev/ttyUSB0", Config::default())?;
/// let supervisor = Supervisor::new(modem, Policy::default());
/// let socket = supervisor.tcp("example.com", 7);
/// loop {
///     match socket.recv(Duration::from_secs(60))? {
///         Received::Data(data) => println!("{} bytes", data.len()),
///         Received::Gap(gap) => println!("reconnected; the peer may lack {}", gap.missing),
///         Received::Timeout => match socket.send(b"ping", Duration::from_secs(60)) {
///             // The gap comes from `recv`.
///             Ok(()) | Err(Error::Gap { .. }) => {}
///             Err(error) => return Err(error),
///         },
///     }
/// }
/// # #[allow(unreachable_code)] Ok::<(), air724ug::Error>(())
/// ```
#[derive(Clone)]
pub struct Supervisor {
    shared: Arc<SupervisorShared>,
}

struct SupervisorShared {
    modem: Modem,
    state: Mutex<State>,
}

struct State {
    ladder: Ladder,
    /// The number of steps so far, so that a failure from before a step does not repeat it.
    steps: u64,
    climber: LadderLock,
    power_hook: Option<PowerHook>,
    /// True if the port was lost during a flight mode, so that the radio must still be switched on.
    is_radio_pending: bool,
    listeners: Vec<Sender<Step>>,
    /// The name of the modem in the log.
    name: String,
}

type PowerHook = Box<dyn FnMut() + Send>;

/// The mark of a call that is running a step of the ladder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LadderLock {
    Free,
    Taken,
}

/// A step of a supervisor.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// A connection failed or could not be made, for this reason.
    Failed(String),
    /// This rung is being run.
    Climbing(Rung),
    /// The supervisor pauses for this span before the next attempt.
    Pausing(Duration),
    /// A connection was made.
    Connected,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => f.write_str(reason),
            Self::Climbing(rung) => write!(f, "{rung}"),
            Self::Pausing(pause) => write!(f, "the next attempt comes in {pause:.1?}"),
            Self::Connected => f.write_str("connected"),
        }
    }
}

/// The pause of a connection before it tries again, while another call is running a step.
const FOR_OTHERS: Duration = Duration::from_millis(200);
/// The most unread steps of a listener. Further ones are dropped.
const WAITING: usize = 1024;

impl Supervisor {
    /// Creates the supervisor of a modem.
    pub fn new(modem: Modem, policy: Policy) -> Self {
        let state = State {
            ladder: Ladder::new(policy),
            steps: 0,
            climber: LadderLock::Free,
            power_hook: None,
            is_radio_pending: false,
            listeners: Vec::new(),
            name: modem.driver.name(),
        };
        Self { shared: Arc::new(SupervisorShared { modem, state: Mutex::new(state) }) }
    }

    /// Sets the function of [`Rung::Power`]. It pulls the reset pin or switches the supply. Without it that rung is a
    /// restart.
    ///
    /// The function runs in the call whose connection failed, while other calls wait, and under no lock of this crate.
    /// It may block, and may use the modem or the supervisor. If it panics, the rung has failed ([`Step::Failed`]); it
    /// is called again at the next turn of the rung.
    ///
    /// A function that owns a handle of its supervisor or modem keeps the port open until [`Modem::close`].
    pub fn power_hook(&self, hook: impl FnMut() + Send + 'static) {
        // The previous function is dropped without the lock.
        let before = self.lock().power_hook.replace(Box::new(hook));
        drop(before);
    }

    /// Subscribes to all steps from now on.
    pub fn events(&self) -> Receiver<Step> {
        let (sender, receiver) = bounded(WAITING);
        self.lock().listeners.push(sender);
        receiver
    }

    /// A TCP connection that is made again after each end. The first one is made at its first use.
    pub fn tcp(&self, host: impl Into<String>, port: u16) -> ReconnectingSocket {
        ReconnectingSocket::new(self.clone(), self.shared.modem.tcp().any(), None, host.into(), port)
    }

    /// A TLS connection ([`Modem::tls`]) that is made again after each end. The first one is made at its first use.
    ///
    /// The module does not know which data the peer has received: gaps have [`Missing::Unknown`].
    pub fn tls(&self, config: TlsConfig, host: impl Into<String>, port: u16) -> ReconnectingSocket {
        let (connector, unknown) = (self.shared.modem.tls(config).any(), Some(DeliveryUnknown::Tls));
        ReconnectingSocket::new(self.clone(), connector, unknown, host.into(), port)
    }

    /// A UDP socket that is opened again after each end, for example after a loss of the bearer. A peer that is gone is
    /// not detected. The first one is opened at its first use.
    ///
    /// The module does not know which data the peer has received: gaps have [`Missing::Unknown`].
    pub fn udp(&self, host: impl Into<String>, port: u16) -> ReconnectingSocket {
        let (connector, unknown) = (self.shared.modem.udp().any(), Some(DeliveryUnknown::Datagrams));
        ReconnectingSocket::new(self.clone(), connector, unknown, host.into(), port)
    }

    /// The modem.
    pub fn modem(&self) -> &Modem {
        &self.shared.modem
    }

    /// Makes a TCP connection. After failures it runs the steps of the ladder.
    ///
    /// # Errors
    /// [`Error::Timeout`] after the time-out. At once, errors that another attempt can't change:
    /// [`Error::InvalidInput`], [`Error::NoFreeChannel`], [`Error::PortLost`], and [`Error::Tls`] while TLS connections
    /// are open that allow no plain ones beside them.
    pub fn connect(&self, remote: impl ToRemote, timeout: Duration) -> Result<Socket> {
        let deadline = Deadline::after(Some(timeout));
        self.connect_until(&self.shared.modem.tcp(), remote, deadline, timeout, || true)
    }

    /// Waits until the module is ready, and runs the steps of the ladder until it is. It is for programs that connect
    /// to many servers, where one server without an answer is no reason to restart the module. A ready module resets
    /// the ladder, like a connection.
    ///
    /// # Errors
    /// [`Error::Timeout`] after the time-out; [`Error::PortLost`] after the modem was closed.
    pub fn wait_ready(&self, timeout: Duration) -> Result<()> {
        let deadline = Deadline::after(Some(timeout));
        self.persist(deadline, timeout, "ready", || self.attempt_ready(deadline).map(drop), || true)
    }

    /// Makes a connection, as long as `is_wanted`.
    fn connect_until<T: Transport>(
        &self,
        connector: &Connector<T>,
        remote: impl ToRemote,
        deadline: Deadline,
        timeout: Duration,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Socket<T>> {
        let remote = remote.to_remote()?;
        let attempt = || self.attempt(connector, &remote, deadline);
        let socket = self.persist(deadline, timeout, "connect", attempt, is_wanted)?;
        self.lock().announce(&Step::Connected);
        Ok(socket)
    }

    /// Tries until it succeeds, the time-out has passed, no attempt can succeed, or the application does not want it
    /// any more. Runs the steps of the ladder in between.
    fn persist<R>(
        &self,
        deadline: Deadline,
        timeout: Duration,
        awaited: &'static str,
        attempt: impl Fn() -> Result<R>,
        is_wanted: impl Fn() -> bool,
    ) -> Result<R> {
        let mut refused_at = None;
        loop {
            if !is_wanted() {
                return Err(Error::Closed(CloseReason::Local));
            }
            let before = self.lock().steps;
            let error = match attempt() {
                Ok(result) => {
                    self.lock().ladder.succeeded();
                    return Ok(result);
                }
                // The application has closed the connection: no step is run.
                Err(_) if !is_wanted() => return Err(Error::Closed(CloseReason::Local)),
                Err(error) => error,
            };
            if matches!(error, Error::PortLost(_)) && !self.shared.modem.is_closed() {
                // A module that restarts on USB has this error, too. The next attempt waits until the port is back.
                self.lock().announce(&Step::Failed(error.to_string()));
                self.wait(FOR_OTHERS.min(deadline.left()));
                if deadline.left().is_zero() {
                    return Err(Error::timeout(awaited, timeout));
                }
                continue;
            }
            if is_final(&error, &mut refused_at) {
                return Err(error);
            }
            if deadline.left().is_zero() || !self.recover(before, &error, deadline)? {
                return Err(Error::timeout(awaited, timeout));
            }
        }
    }

    fn attempt<T: Transport>(
        &self,
        connector: &Connector<T>,
        remote: &Remote,
        deadline: Deadline,
    ) -> Result<Socket<T>> {
        let connect = self.attempt_ready(deadline)?;
        connector.clone().timeout(connect.min(deadline.left())).connect(remote)
    }

    /// Waits until the module is ready. Returns the time that a connect may take then.
    fn attempt_ready(&self, deadline: Deadline) -> Result<Duration> {
        let (ready, connect, is_radio_pending) = {
            let state = self.lock();
            let policy = state.ladder.policy();
            (policy.ready_timeout, policy.connect_timeout, state.is_radio_pending)
        };
        if is_radio_pending {
            self.radio_on(deadline)?;
        }
        self.shared.modem.wait_ready(ready.min(deadline.left()))?;
        Ok(connect)
    }

    /// Runs the next step of the ladder, unless another call is running one or has run one since. Returns `false` after
    /// the time-out.
    fn recover(&self, before: u64, error: &Error, deadline: Deadline) -> Result<bool> {
        let attempt = {
            let mut state = self.lock();
            state.announce(&Step::Failed(error.to_string()));
            match state.climber {
                // The step of the other call is for this connection as well.
                LadderLock::Taken => None,
                LadderLock::Free if state.steps != before => return Ok(!deadline.left().is_zero()),
                LadderLock::Free => {
                    state.climber = LadderLock::Taken;
                    let attempt = state.ladder.failed();
                    state.announce(&Step::Climbing(attempt.rung));
                    Some(attempt)
                }
            }
        };
        let Some(attempt) = attempt else {
            self.wait(FOR_OTHERS.min(deadline.left()));
            return Ok(!deadline.left().is_zero());
        };
        let climbed = self.climb(attempt.rung, deadline);
        let pause = attempt.pause.min(deadline.left());
        {
            let mut state = self.lock();
            if let Err(error) = &climbed {
                state.announce(&Step::Failed(error.to_string()));
            }
            state.announce(&Step::Pausing(pause));
        }
        match climbed {
            Err(error @ Error::PortLost(_)) if self.shared.modem.is_closed() => return Err(error),
            // The step may have ended the port, or found none.
            Ok(()) | Err(_) => self.wait(pause),
        }
        Ok(!deadline.left().is_zero())
    }

    /// Pauses. Returns true if time is left afterwards.
    fn pause(&self, span: Duration, deadline: Deadline) -> bool {
        self.wait(span.min(deadline.left()));
        span.is_zero() || !deadline.left().is_zero()
    }

    /// Waits for the span, or until the port is closed.
    fn wait(&self, span: Duration) {
        self.shared.modem.driver.wait_closed(span);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if the next attempt would fail in the same way. The steps of the ladder would not help, and would end other
/// connections.
///
/// Firmware without TLS, or without TLS beside plain connections, refuses the same step twice. A single refusal may be
/// the effect of a damaged command.
fn is_final(error: &Error, refused_at: &mut Option<TlsStep>) -> bool {
    match error {
        Error::InvalidInput { .. } | Error::NoFreeChannel | Error::PortLost(_) => true,
        Error::Tls { why, .. } if why.is_of_the_application() => true,
        Error::Tls { step: step @ (TlsStep::Configure(_) | TlsStep::Switch), why } if why.is_certain() => {
            refused_at.replace(*step) == Some(*step)
        }
        _ => {
            *refused_at = None;
            false
        }
    }
}

impl State {
    fn announce(&mut self, step: &Step) {
        let level = match step {
            Step::Failed(_) | Step::Climbing(_) => Level::Warn,
            Step::Connected | Step::Pausing(_) => Level::Info,
        };
        log::log!(target: LOG_TARGET, level, "{}: supervisor: {}", self.name, OneLine(step));
        self.listeners.retain(|listener| {
            !matches!(listener.try_send(step.clone()), Err(crossbeam_channel::TrySendError::Disconnected(_)))
        });
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("modem", &self.shared.modem).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NotReady;
    use crate::error::TlsFailure;

    #[test]
    fn only_what_the_application_must_change_or_what_is_refused_twice_is_final() {
        let switch = |why| Error::Tls { step: TlsStep::Switch, why };
        let mut refused_at = None;
        assert!(is_final(&Error::NoFreeChannel, &mut refused_at));
        assert!(is_final(&switch(TlsFailure::TlsOpen), &mut refused_at));
        let late = || switch(TlsFailure::Timeout(Duration::from_secs(9)));
        assert!(!is_final(&late(), &mut refused_at) && !is_final(&late(), &mut refused_at));
        let no = || switch(TlsFailure::REFUSED);
        assert!(!is_final(&no(), &mut refused_at), "the line may have garbled it");
        assert!(!is_final(&Error::NotReady(NotReady::NoSignal), &mut refused_at));
        assert!(!is_final(&no(), &mut refused_at), "not twice in a row");
        assert!(is_final(&no(), &mut refused_at));
        let handshake = || Error::Tls { step: TlsStep::Connect, why: TlsFailure::REFUSED };
        assert!(!is_final(&handshake(), &mut refused_at) && !is_final(&handshake(), &mut refused_at));
    }
}
