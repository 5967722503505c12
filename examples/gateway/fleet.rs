//! All modems of the gateway, and the selection of one for a connection.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use air724ug::{Error, Remote, Socket};

use crate::member::Member;

/// The time-out of one connect.
const CONNECT: Duration = Duration::from_secs(75);
/// The interval of checks, because a channel may become free without an event.
const LOOK: Duration = Duration::from_secs(1);
/// The number of servers that can't be reached in a row, from which a ready modem is passed to its supervisor, unless
/// another connection is open on it.
const TOO_MANY: usize = 4;

/// The modems.
pub struct Fleet {
    pub members: Vec<Arc<Member>>,
    pub changes: Arc<Changes>,
    /// The time-out of a connection's wait for a channel or for a ready modem.
    pub wait: Duration,
    /// Connections that wait.
    pub waiting: AtomicU64,
    /// The servers that could not be reached since the last success, for each modem.
    unreached: Mutex<Vec<BTreeSet<String>>>,
}

/// The error of a connection that was not established.
#[derive(Debug)]
pub struct Refusal {
    pub kind: RefusalKind,
    pub why: String,
}

/// The kinds of refusals that protocols distinguish.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RefusalKind {
    BadAddress,
    NoSuchModem,
    NotReady,
    Full,
    Unresolved,
    Unreachable,
    Late,
    /// The client has left before there was a connection.
    Left,
}

impl RefusalKind {
    /// All kinds, for metrics that begin at zero.
    pub const ALL: [Self; 8] = [
        Self::BadAddress,
        Self::NoSuchModem,
        Self::NotReady,
        Self::Full,
        Self::Unresolved,
        Self::Unreachable,
        Self::Late,
        Self::Left,
    ];

    /// The label of a metric.
    pub fn label(self) -> &'static str {
        match self {
            Self::BadAddress => "bad_address",
            Self::NoSuchModem => "no_such_modem",
            Self::NotReady => "not_ready",
            Self::Full => "full",
            Self::Unresolved => "unresolved",
            Self::Unreachable => "unreachable",
            Self::Late => "late",
            Self::Left => "left",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Fleet {
    pub fn new(members: Vec<Arc<Member>>, wait: Duration) -> Self {
        let unreached = Mutex::new(vec![BTreeSet::new(); members.len()]);
        Self { members, changes: Arc::default(), wait, waiting: AtomicU64::new(0), unreached }
    }

    /// True if a user name selects a modem.
    pub fn knows(&self, name: &str) -> bool {
        self.wanted(Some(name)).next().is_some()
    }

    /// Connects through the selected modem, or any one; waits for a channel and for a ready modem as long as the client
    /// does.
    pub fn connect(
        &self,
        wanted: Option<&str>,
        host: &str,
        port: u16,
        has_left: impl Fn() -> bool,
    ) -> Result<(Arc<Member>, Socket), Refusal> {
        let remote = Remote::new(host, port)
            .map_err(|error| Refusal { kind: RefusalKind::BadAddress, why: error.to_string() })?;
        if self.wanted(wanted).next().is_none() {
            let why = format!("{:?} is no modem of this gateway", wanted.unwrap_or_default());
            return Err(Refusal { kind: RefusalKind::NoSuchModem, why });
        }
        let until = Instant::now() + self.wait;
        let _waiting = Waiting::begin(&self.waiting);
        loop {
            let seen = self.changes.number();
            let refusal = match self.try_each(wanted, &remote) {
                Ok(connection) => return Ok(connection),
                Err(refusal) => refusal,
            };
            match refusal.kind {
                RefusalKind::Full | RefusalKind::NotReady if Instant::now() < until => {
                    self.changes.wait(seen, until.min(Instant::now() + LOOK));
                    if has_left() {
                        let why = format!("the client has left; it waited because {}", refusal.why);
                        return Err(Refusal { kind: RefusalKind::Left, why });
                    }
                }
                _ => return Err(refusal),
            }
        }
    }

    /// The modems that a name selects, and their numbers; all without a name.
    fn wanted<'a>(&'a self, name: Option<&'a str>) -> impl Iterator<Item = (usize, &'a Arc<Member>)> {
        let is_wanted = move |number: usize, member: &Member| {
            name.is_none_or(|name| name.parse() == Ok(number + 1) || member.is_called(name))
        };
        self.members.iter().enumerate().filter(move |(number, member)| is_wanted(*number, member))
    }

    /// Tries the modems, the one with the fewest connections first.
    fn try_each(&self, wanted: Option<&str>, remote: &Remote) -> Result<(Arc<Member>, Socket), Refusal> {
        let mut members: Vec<_> = self.wanted(wanted).collect();
        members.sort_by_key(|(_, member)| member.open.load(Ordering::SeqCst));
        let (mut is_full, mut troubles) = (false, Vec::new());
        for (number, member) in members {
            let Some(link) = member.link().filter(|link| link.modem.is_ready()) else {
                troubles.push(member.trouble());
                continue;
            };
            let connected = match self.seems_disconnected(number, member) {
                true => link.supervisor.connect(remote, self.wait.max(CONNECT)),
                false => link.modem.tcp().timeout(CONNECT).connect(remote),
            };
            match connected {
                Ok(socket) => {
                    self.lock()[number].clear();
                    return Ok((member.clone(), socket));
                }
                Err(Error::NoFreeChannel) => is_full = true,
                Err(error) => match kind(&error) {
                    RefusalKind::NotReady => troubles.push(format!("{}: {error}", member.name)),
                    kind => {
                        if kind == RefusalKind::Unreachable || kind == RefusalKind::Late {
                            self.lock()[number].insert(remote.host().to_owned());
                        }
                        let hint = if kind == RefusalKind::Unreachable { member.reach() } else { "" };
                        let why = format!("{}: {error}{hint}", member.name);
                        return Err(Refusal { kind, why });
                    }
                },
            }
        }
        if is_full {
            let why = "all channels are in use: eight connections for each modem".to_owned();
            return Err(Refusal { kind: RefusalKind::Full, why });
        }
        Err(Refusal { kind: RefusalKind::NotReady, why: troubles.join("; ") })
    }

    fn seems_disconnected(&self, number: usize, member: &Member) -> bool {
        self.lock()[number].len() >= TOO_MANY && member.open.load(Ordering::SeqCst) == 0
    }

    fn lock(&self) -> MutexGuard<'_, Vec<BTreeSet<String>>> {
        self.unreached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The kind of refusal of a failed connect.
fn kind(error: &Error) -> RefusalKind {
    match error {
        Error::InvalidInput { .. } => RefusalKind::BadAddress,
        Error::ResolveFailed(_) => RefusalKind::Unresolved,
        Error::Timeout { .. } => RefusalKind::Late,
        Error::ConnectFailed(_) | Error::Refused { .. } | Error::Unexpected(_) => RefusalKind::Unreachable,
        _ => RefusalKind::NotReady,
    }
}

/// Counts a connection while it waits.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts the changes after which a waiting connection may continue.
#[derive(Default)]
pub struct Changes {
    number: Mutex<u64>,
    changed: Condvar,
}

impl Changes {
    pub fn notify(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    fn number(&self) -> u64 {
        *self.lock()
    }

    /// Waits until there was a change since `seen`.
    fn wait(&self, seen: u64, until: Instant) {
        let number = self.lock();
        let span = until.saturating_duration_since(Instant::now());
        let _ = self.changed.wait_timeout_while(number, span, |number| *number == seen);
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::PortChoice;
    use air724ug::Config;
    use air724ug::crossbeam_channel::unbounded;
    use air724ug::supervisor::Step;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[test]
    fn a_modem_that_reaches_no_server_is_given_to_its_supervisor_unless_a_connection_stands() {
        let (notes, _receiver) = unbounded();
        let member = Member::new("sim".to_owned(), PortChoice::Simulated(1), Config::default(), notes);
        let link = member.open().unwrap();
        link.modem.wait_ready(TIMEOUT).unwrap();
        let steps = link.supervisor.events();
        let fleet = Fleet::new(vec![member.clone()], Duration::from_millis(1));
        // A port without a listening server.
        let fails = |host: &str| {
            let refusal = fleet.connect(None, host, 1, || false).map(drop).unwrap_err();
            assert_eq!(refusal.kind, RefusalKind::Unreachable, "{refusal}");
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();

        // A single server that can't be reached shows nothing, and a server that is reached shows that the modem works.
        for _ in 0..2 * TOO_MANY {
            fails("127.0.0.1");
        }
        (2..=TOO_MANY).for_each(|host| fails(&format!("127.0.0.{host}")));
        let (_, socket) = fleet.connect(None, "127.0.0.1", port, || false).unwrap();
        socket.close().unwrap();
        (1..=TOO_MANY).for_each(|host| fails(&format!("127.0.0.{host}")));
        // The supervisor would end the open connection.
        member.open.store(1, Ordering::SeqCst);
        fails("127.0.0.9");
        member.open.store(0, Ordering::SeqCst);
        assert_eq!(steps.try_iter().filter(|step| matches!(step, Step::Climbing(_))).count(), 0);

        std::thread::scope(|scope| {
            let connect = || fleet.connect(None, "127.0.0.9", 1, || false).map(drop).unwrap_err();
            let waiting = scope.spawn(connect);
            while !matches!(steps.recv_timeout(TIMEOUT).unwrap(), Step::Climbing(_)) {}
            link.modem.close();
            assert_eq!(waiting.join().unwrap().kind, RefusalKind::NotReady);
        });
    }

    /// Regression: a connection was made for it, and ended at once.
    #[test]
    fn a_client_that_leaves_while_it_waits_gets_no_connection() {
        let (notes, _receiver) = unbounded();
        let member = Member::new("sim".to_owned(), PortChoice::Simulated(1), Config::default(), notes);
        let fleet = Fleet::new(vec![member.clone()], TIMEOUT);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let has_left = || {
            // From now on there would be a connection.
            let link = member.open().unwrap();
            link.modem.wait_ready(TIMEOUT).unwrap();
            true
        };
        let refusal = fleet.connect(None, "127.0.0.1", port, has_left).map(drop).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Left, "{refusal}");
        let statistics = member.link().unwrap().modem.statistics();
        assert_eq!((statistics.opened, statistics.failed), (0, 0));
        member.link().unwrap().modem.close();
    }
}
