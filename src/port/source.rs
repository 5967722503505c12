//! The openers of ports: of the one that a modem begins with, and of those that follow it.

use std::io::{self, Read, Write};
use std::path::Path;

use super::Port;
use super::open::{is_remote, open};
use crate::config::Config;

/// Opens the port of a modem, and opens it again whenever it is lost: for ports that this crate can't open by itself.
///
/// Closures are such sources.
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
    /// Opens the port: what the module sends, and what goes to it. Called some time after the port was lost and then at growing
    /// distances, at most half a second, until it succeeds, each time on a thread that waits for nothing else. [`Modem::close`](crate::Modem::close)
    /// waits at most a second for a call that is under way.
    ///
    /// # Errors
    /// It can't be opened now.
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

/// Opens a port, as often as it is called.
pub(crate) struct Opener {
    open: Box<dyn FnMut() -> io::Result<Port> + Send>,
    /// Whether what it opens later is what it opened first.
    is_lasting: bool,
    time: OpeningTime,
}

/// The time that opening a port may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OpeningTime {
    /// Microseconds.
    Moment,
    /// Seconds: ports are asked, or the application does what it likes. What it has opened meanwhile is not free for others.
    Questions,
    /// Seconds: another machine has to answer.
    Network,
}

impl OpeningTime {
    /// Whether a modem is closed only when such a call has returned.
    pub(crate) fn delays_close(self) -> bool {
        self != Self::Network
    }
}

impl Opener {
    /// Opens what the application has named.
    pub(crate) fn named(name: &str, config: &Config) -> Self {
        let (name, config) = (name.to_owned(), config.clone());
        let is_lasting = is_lasting(Path::new(&name));
        let time = if is_remote(&name) { OpeningTime::Network } else { OpeningTime::Moment };
        Self { open: Box::new(move || open(&name, &config)), is_lasting, time }
    }

    /// Looks for a module.
    #[cfg(all(feature = "ports", unix))]
    pub(crate) fn search(mut search: super::search::Search) -> Self {
        Self { open: Box::new(move || search.open()), is_lasting: true, time: OpeningTime::Questions }
    }

    /// Asks the application's own source.
    pub(crate) fn source(mut source: impl PortSource) -> Self {
        let open = move || source.open().map(|(reader, writer)| Port::Halves { reader, writer, end: None });
        Self { open: Box::new(open), is_lasting: true, time: OpeningTime::Questions }
    }

    pub(crate) fn open(&mut self) -> io::Result<Port> {
        (self.open)()
    }

    pub(crate) fn time(&self) -> OpeningTime {
        self.time
    }

    /// The same for a port that is lost, if that can be opened again.
    pub(crate) fn again(self) -> Option<Self> {
        self.is_lasting.then_some(self)
    }
}

/// The number of a pseudo-terminal is given to the next program that asks for one, which may be a shell. A link to one
/// stays its owner's.
fn is_lasting(path: &Path) -> bool {
    !path.starts_with("/dev/pts")
}
