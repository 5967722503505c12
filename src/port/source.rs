//! Openers of ports: of the first port of a modem, and of its later ones.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[cfg(test)]
use crossbeam_channel::{Receiver, Sender};

use super::module_mode::ModuleMode;
use super::open::{is_remote, open};
use super::{Port, after, wake_up};
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

/// Opens the port of a module that lost it in this mode. A port of this machine is waited for until this moment.
type Open = dyn FnMut(&ModuleMode, Option<Instant>) -> io::Result<Port> + Send;

/// Opens a port, each time that [`open`](Self::open) is called.
pub(crate) struct Opener {
    open: Box<Open>,
    /// Whether a later call opens the same port as the first.
    is_lasting: bool,
    /// Whether closing the modem waits until a call has returned. A port that the call has opened is not free for other
    /// programs before that. A server on another machine is not waited for.
    delays_close: bool,
    /// Ends a call that is under way, if it can be ended.
    end: Option<Arc<AtomicBool>>,
}

impl Opener {
    /// An opener of the port with this name.
    pub(crate) fn named(name: &str, config: &Config) -> Self {
        let (name, config) = (name.to_owned(), config.clone());
        let (is_lasting, delays_close) = (is_lasting(Path::new(&name)), !is_remote(&name));
        let open = move |is_over: &dyn Fn() -> bool| open(&name, &config, is_over);
        Self { is_lasting, delays_close, ..Self::left_by(open) }
    }

    /// An opener whose calls return once their wait is over: at its moment, or by the flag.
    fn left_by(open: impl Fn(&dyn Fn() -> bool) -> io::Result<Port> + Send + 'static) -> Self {
        let end = Arc::<AtomicBool>::default();
        let is_ended = end.clone();
        let open = move |_: &ModuleMode, until: Option<Instant>| {
            let is_late = || until.is_some_and(|until| Instant::now() >= until);
            open(&|| is_ended.load(Ordering::SeqCst) || is_late())
        };
        Self { open: Box::new(open), is_lasting: true, delays_close: true, end: Some(end) }
    }

    /// An opener of a port of this machine that the kernel does not open before the other end of `returns` is gone.
    /// Each call of the kernel is reported.
    #[cfg(test)]
    pub(crate) fn held_up(path: &'static str, called: Sender<()>, returns: Receiver<()>) -> Self {
        Self::left_by(move |is_over| {
            let (called, returns) = (called.clone(), returns.clone());
            super::opening::open(path, is_over, move |_| {
                let _ = called.try_send(());
                let _ = returns.recv();
                Err(io::ErrorKind::NotFound.into())
            })
        })
    }

    /// An opener that searches for a module.
    #[cfg(all(feature = "ports", unix))]
    pub(crate) fn search(mut search: super::search::Search) -> Self {
        let end = Some(search.end());
        let open = move |mode: &ModuleMode, _| search.open(mode);
        Self { open: Box::new(open), is_lasting: true, delays_close: true, end }
    }

    /// An opener that calls the application's own source.
    pub(crate) fn source(mut source: impl PortSource) -> Self {
        let open = move |_: &ModuleMode, _| {
            source.open().map(|(reader, writer)| Port::Halves { reader, writer, end: None })
        };
        Self { open: Box::new(open), is_lasting: true, delays_close: true, end: None }
    }

    /// Opens the first port, in several attempts if it takes no longer than this time.
    pub(crate) fn first(&mut self, timeout: Duration) -> io::Result<Port> {
        let (begun, mut is_reported) = (Instant::now(), false);
        let until = (!timeout.is_zero()).then(|| after(timeout));
        loop {
            match (self.open)(&ModuleMode::Command, until) {
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
        (self.open)(mode, None)
    }

    /// Whether closing the modem waits until a call has returned.
    pub(crate) fn delays_close(&self) -> bool {
        self.delays_close
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

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;

    fn opener(open: Box<Open>) -> Opener {
        Opener { open, is_lasting: true, delays_close: true, end: None }
    }

    #[test]
    fn the_first_opening_ends_at_its_time_although_the_kernel_does_not_return() {
        let ((called, is_called), (_returns, is_returning)) = (bounded(1), bounded(0));
        let mut held_up = Opener::held_up("/dev/first", called, is_returning);
        let (ended, has_ended) = bounded(1);
        std::thread::spawn(move || {
            let opened = held_up.first(Duration::from_millis(100));
            ended.send(opened.err().map(|error| error.kind()))
        });
        is_called.recv().unwrap();
        let error = has_ended.recv_timeout(Duration::from_secs(20)).expect("it waits for the kernel");
        assert!(matches!(error, Some(io::ErrorKind::TimedOut | io::ErrorKind::ResourceBusy)), "{error:?}");
    }

    #[test]
    fn the_first_opening_is_tried_again_until_its_time_unless_that_is_useless() {
        for (kind, is_repeated) in [(io::ErrorKind::NotFound, true), (io::ErrorKind::InvalidInput, false)] {
            let count = Arc::new(std::sync::atomic::AtomicU32::new(0));
            let counted = count.clone();
            let mut failing = opener(Box::new(move |_, _| {
                counted.fetch_add(1, Ordering::SeqCst);
                Err(kind.into())
            }));
            assert_eq!(failing.first(Duration::ZERO).err().map(|error| error.kind()), Some(kind));
            assert_eq!(count.swap(0, Ordering::SeqCst), 1, "without a time");
            assert_eq!(failing.first(PAUSE / 2).err().map(|error| error.kind()), Some(kind));
            assert_eq!(count.load(Ordering::SeqCst), 1 + u32::from(is_repeated));
        }
    }
}
