//! Openers of ports: of the first port of a modem, and of its later ones.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::module_mode::ModuleMode;
use super::open::{is_remote, open};
use super::{Port, wake_up};
use crate::config::Config;

/// The pause between two attempts to open the first port.
const PAUSE: Duration = Duration::from_millis(500);

/// Opens the port of a modem, and opens it again after each loss: for ports that this crate can't open by itself.
///
/// Closures are sources.
///
/// ```no_run
/// use air724ug::{Config, Modem};
/// use std::net::TcpStream;
///
/// let modem = Modem::start_from(
///     || {
///         let stream = TcpStream::connect("rack.example:4001")?;
///         Ok((Box::new(stream.try_clone()?) as _, Box::new(stream) as _))
///     },
///     Config::default(),
/// )?;
/// # Ok::<(), air724ug::Error>(())
/// ```
pub trait PortSource: Send + 'static {
    /// Opens the port: the half that the module's bytes come from, and the half that bytes for the module go to.
    ///
    /// The driver calls this some time after the port was lost, and then at growing intervals of at most half a second
    /// until it succeeds. Each call runs on a thread that waits for nothing else. [`Modem::close`](crate::Modem::close)
    /// waits at most a second for the present call.
    ///
    /// # Errors
    /// The port can't be opened now.
    fn open(&mut self) -> io::Result<(Box<dyn Read + Send>, Box<dyn Write + Send>)>;
}

impl<F> PortSource for F
where
    F: FnMut() -> io::Result<(Box<dyn Read + Send>, Box<dyn Write + Send>)> + Send + 'static,
{
    fn open(&mut self) -> io::Result<(Box<dyn Read + Send>, Box<dyn Write + Send>)> {
        self()
    }
}

/// Opens the port of a module that lost it in this mode.
type Open = dyn FnMut(&ModuleMode) -> io::Result<Port> + Send;

/// Opens a port, each time that [`open`](Self::open) is called.
pub(crate) struct Opener {
    open: Box<Open>,
    /// Whether a later call opens the same port as the first.
    is_lasting: bool,
    time: OpeningTime,
    /// Ends a call that is under way, if it can be ended.
    end: Option<Arc<AtomicBool>>,
}

/// The time that opening a port may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OpeningTime {
    /// Microseconds: a device of this machine is opened.
    Moment,
    /// Seconds: a search asks ports, or a source of the application runs. A port that it has opened in that time is not
    /// free for other programs.
    Questions,
    /// Seconds: another machine has to answer.
    Network,
}

impl OpeningTime {
    /// Whether closing the modem waits until such a call has returned.
    pub(crate) fn delays_close(self) -> bool {
        self != Self::Network
    }
}

impl Opener {
    /// An opener of the port with this name.
    pub(crate) fn named(name: &str, config: &Config) -> Self {
        let (name, config) = (name.to_owned(), config.clone());
        let is_lasting = is_lasting(Path::new(&name));
        let time = if is_remote(&name) { OpeningTime::Network } else { OpeningTime::Moment };
        Self { open: Box::new(move |_| open(&name, &config)), is_lasting, time, end: None }
    }

    /// An opener that searches for a module.
    #[cfg(all(feature = "ports", unix))]
    pub(crate) fn search(mut search: super::search::Search) -> Self {
        let (end, time) = (Some(search.end()), OpeningTime::Questions);
        Self { open: Box::new(move |mode| search.open(mode)), is_lasting: true, time, end }
    }

    /// An opener that calls the application's own source.
    pub(crate) fn source(mut source: impl PortSource) -> Self {
        let open = move |_: &ModuleMode| {
            source.open().map(|(reader, writer)| Port::Halves { reader, writer, end: None })
        };
        Self { open: Box::new(open), is_lasting: true, time: OpeningTime::Questions, end: None }
    }

    /// Opens the first port, in several attempts if it takes no longer than this time.
    pub(crate) fn first(&mut self, timeout: Duration) -> io::Result<Port> {
        let (begun, mut is_reported) = (Instant::now(), false);
        loop {
            match self.open(&ModuleMode::Command) {
                Err(error) if begun.elapsed() < timeout && may_succeed_later(&error) => {
                    if !std::mem::replace(&mut is_reported, true) {
                        log::info!("{error}; it is tried again for {timeout:?}");
                    }
                    let (_waker, sleeper) = wake_up()?;
                    sleeper.wait(Some(PAUSE))?;
                }
                opened => return opened,
            }
        }
    }

    /// Opens the port of a module that lost it in this mode.
    pub(crate) fn open(&mut self, mode: &ModuleMode) -> io::Result<Port> {
        (self.open)(mode)
    }

    pub(crate) fn time(&self) -> OpeningTime {
        self.time
    }

    /// The flag that ends a call that is under way, within a twentieth of a second. `None` if nothing ends it.
    pub(crate) fn end(&self) -> Option<Arc<AtomicBool>> {
        self.end.clone()
    }

    /// The opener for the time after a loss, if the same port can be opened again.
    pub(crate) fn again(self) -> Option<Self> {
        self.is_lasting.then_some(self)
    }
}

/// Whether a later attempt may succeed. Also a permission may come: udev changes that of a new port.
fn may_succeed_later(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// Whether the path leads to the same port later. A pseudo-terminal's number is given to the next program that asks for
/// one, which may be a shell. A link to a pseudo-terminal belongs to its owner.
fn is_lasting(path: &Path) -> bool {
    !path.starts_with("/dev/pts")
}
