//! The search for a module's port: `auto`, `imei:86..`, `usb:1-1.4`.
//!
//! The search asks all candidates side by side whether they answer and which modules they are, for a bounded time, and
//! looks for new ones meanwhile. A port of another device is a candidate only if the application has named the place
//! that it is plugged in at. A port that another program has open is named in the error, not taken.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::candidates::{
    Answer, Candidate, Candidates, LONG_AT_ONCE, Outcome, Place, Questioner, is_same_place,
};
use super::identification::Identify;
use super::listing::{PortInfo, PortKind, ports_below};
use super::open::{SearchKind, search_words};
use super::{ModuleMode, Port, serial, wake_up};
use crate::config::Config;

/// The attempt in which a search for a lost module asks silent ports the long question a second time, about 15 s after
/// the first time. The long question has everything that can make a module answer. The number of attempts between two
/// of them doubles. During that question the port gets no `AT` for up to 1.7 s. So there is none of them in the first
/// 15 s, in which modules start, and a module that starts is found at once.
const SECOND_QUESTION: u32 = 16;

/// The longest wait for ports that other programs have open. Such a program may be a search, which needs this time.
const BUSY: Duration = Duration::from_secs(3);
/// The time that other ports have after the first answer, if any module may be the wanted one.
const OTHERS: Duration = Duration::from_secs(1);
/// The longest attempt with a few ports. It takes less unless ports come and go all the time.
const LONGEST: Duration = Duration::from_secs(15);
/// The time that is added for each further [`LONG_AT_ONCE`] ports, whose long questions wait for their turn.
const WAVE: Duration = Duration::from_secs(7);
/// The pause between two reports about ports that wait for their turn.
const PROGRESS: Duration = Duration::from_secs(5);
/// The pause between two checks for answers. If the search waits for a port in use, the list of ports is read as often.
const LOOK: Duration = Duration::from_millis(50);
/// The pause between two reads of the list of ports otherwise. The kernel's lists of ports and programs are long.
const LIST: Duration = Duration::from_millis(250);

/// Ports that another program has had open for longer than [`BUSY`]. A search tries them without a wait, until one can
/// be opened again.
static KEPT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The module that a search is for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Wanted {
    /// The only module of this machine.
    Any,
    /// The module with this IMEI.
    Imei(String),
    /// The module that is plugged in at this place.
    Location(String),
}

/// A search. Once it has found a module, later calls look for the same module. If the application has named a place,
/// later calls take any module there.
#[derive(Debug)]
pub(crate) struct Search {
    name: String,
    wanted: Wanted,
    config: Config,
    /// Opens a candidate.
    open: fn(&str, &Config) -> io::Result<Port>,
    identify: Identify,
    /// The folder that holds `sys`, `dev` and `proc`.
    root: PathBuf,
    /// Whether a module was found, and lost later.
    is_repeated: bool,
    /// The IMEI of the module that was found.
    found: Option<String>,
    /// The place at which it answered. In later attempts ports with its USB interface are asked first.
    place: Option<Place>,
    /// The number of attempts since then in which ports were silent.
    silent: u32,
    /// Set when the modem is closed, which ends the present attempt.
    end: Arc<AtomicBool>,
}

impl Search {
    /// The search with this name; `None` if the name is a path.
    pub(crate) fn named(name: &str, config: &Config, identify: Identify) -> Option<Self> {
        let wanted = match search_words(name)? {
            (SearchKind::Auto, _) => Wanted::Any,
            (SearchKind::Imei, imei) => Wanted::Imei(imei.to_owned()),
            (SearchKind::Usb, location) => Wanted::Location(location.to_owned()),
        };
        let root = config.root.clone().unwrap_or_else(|| PathBuf::from("/"));
        let (name, config) = (name.to_owned(), config.clone());
        Some(Self {
            name,
            wanted,
            config,
            open: serial::open,
            identify,
            root,
            is_repeated: false,
            found: None,
            place: None,
            silent: 0,
            end: Arc::default(),
        })
    }

    /// Ends the attempt that is under way, from another thread, and later ones.
    pub(super) fn end(&self) -> Arc<AtomicBool> {
        self.end.clone()
    }

    /// Opens the port of the module, which lost it in this mode.
    pub(super) fn open(&mut self, mode: &ModuleMode) -> io::Result<Port> {
        self.check_name()?;
        let (mut answers, notes, is_silent) = self.asked(mode)?;
        if answers.len() > 1 {
            let text = format!("{}: there are several modules; name one: {}", self.name, names(&answers));
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        let Some((info, port, imei)) = answers.pop() else { return Err(self.not_found(notes, is_silent)) };
        log::info!("{}: the module {imei} is at {}", self.name, info.path.display());
        for note in notes {
            log::info!("{}: not taken: {note}", self.name);
        }
        self.is_repeated = true;
        self.found = Some(imei).filter(|imei| !imei.is_empty());
        self.place = Place::of(&info);
        self.silent = 1;
        Ok(port)
    }

    /// Asks the candidates side by side. Returns the modules that may be taken, what is at the other ports, and whether
    /// one of these is silent.
    fn asked(&mut self, mode: &ModuleMode) -> io::Result<(Vec<Module>, Vec<String>, bool)> {
        let (config, begun) = (self.config.clone(), Instant::now());
        let (open, identify) = (self.open, self.identify);
        let place = self.place.clone();
        let (waker, sleeper) = wake_up()?;
        thread::scope(|scope| {
            let questioner = Questioner { config: &config, open, identify, mode, place: place.as_ref() };
            let mut candidates = Candidates::new(scope, questioner, waker);
            let mut loaders = self.list(&mut candidates)?;
            let (mut listed_at, mut reported_at, mut found_at) = (begun, begun, None);
            let (mut asks_long, mut waits) = (None, false);
            loop {
                if self.end.load(Ordering::SeqCst) {
                    return Err(ErrorKind::Interrupted.into());
                }
                if listed_at.elapsed() >= if waits { LOOK } else { LIST } {
                    loaders = self.list(&mut candidates)?;
                    listed_at = Instant::now();
                }
                for (info, answer) in candidates.answers() {
                    self.take(&info, answer, &mut candidates);
                }
                let is_found = candidates.all.iter().any(is_found);
                found_at = is_found.then(|| found_at.unwrap_or_else(Instant::now));
                waits = self.waits_for_busy(&candidates, begun, is_found);
                candidates.ask(waits);
                if !is_found
                    && candidates.have_outcomes()
                    && candidates.all.iter().any(is_silent)
                    && *asks_long.get_or_insert_with(|| self.asks_again())
                    && self.asks_long(&mut candidates)
                {
                    continue;
                }
                if candidates.waiting() > 0 && reported_at.elapsed() >= PROGRESS {
                    reported_at = Instant::now();
                    log::info!("{}: {} silent ports wait for their turn", self.name, candidates.waiting());
                }
                let is_late = begun.elapsed() >= longest(candidates.all.len());
                if self.is_over(found_at) || is_late || !(candidates.are_asked() || waits) {
                    break;
                }
                sleeper.wait(Some(LOOK))?;
            }
            Ok(results(&mut candidates, &loaders))
        })
    }

    /// Asks the long question to silent ports that it was not asked to. Returns true if there are some.
    fn asks_long(&self, candidates: &mut Candidates<'_, '_>) -> bool {
        let (count, limit) = (candidates.ask_silent(), longest(candidates.all.len()).as_secs());
        if count > 0 {
            log::info!(
                "{}: {count} silent ports are asked with all that can make a module answer; the search takes {limit} s at most",
                self.name
            );
        }
        count > 0
    }

    /// Lists the candidates. Returns the ports of modules in their boot loaders.
    fn list(&self, candidates: &mut Candidates<'_, '_>) -> io::Result<Vec<PortInfo>> {
        let (mut listed, loaders): (Vec<_>, Vec<_>) = ports_below(&self.root)?
            .into_iter()
            .filter(|info| self.is_candidate(info))
            .partition(|info| info.kind != PortKind::BootLoader);
        let interface = |info: &PortInfo| info.usb.as_ref().and_then(|usb| usb.interface);
        let last = self.place.as_ref().and_then(Place::interface);
        listed.sort_by_key(|info| last.is_some() && interface(info) != last);
        candidates.are_listed(listed);
        Ok(loaders)
    }

    /// Takes the answer of a candidate.
    fn take(&self, info: &PortInfo, answer: Answer, candidates: &mut Candidates<'_, '_>) {
        let is_busy = matches!(&answer, Err(error) if error.kind() == ErrorKind::ResourceBusy);
        kept().retain(|path| is_busy || *path != info.path);
        let outcome = match answer {
            Err(error) if error.kind() == ErrorKind::TimedOut => Outcome::Silent(error),
            Err(error) if is_busy => Outcome::Busy(error),
            Err(error) => Outcome::Failed(error),
            Ok((_, imei)) if self.imei().is_some_and(|wanted| *wanted != imei) => Outcome::Other(imei),
            Ok((port, imei)) => {
                let others = candidates.all.iter_mut().filter(|known| {
                    known.info.path != info.path && is_same_place(&known.info, info) && is_found(known)
                });
                match (imei.is_empty(), others.collect::<Vec<_>>()) {
                    // Another port of the module has answered already, and this one adds no IMEI.
                    (true, others) if !others.is_empty() => Outcome::Sibling,
                    (_, others) => {
                        others.into_iter().for_each(|other| other.outcome = Some(Outcome::Sibling));
                        Outcome::Found(port, imei)
                    }
                }
            }
        };
        candidates.note(info, outcome);
    }

    /// Whether the module is found, so that no other port is asked. If it may be any module, the others have some time
    /// to answer, too.
    fn is_over(&self, found_at: Option<Instant>) -> bool {
        found_at.is_some_and(|at| self.imei().is_some() || at.elapsed() >= OTHERS)
    }

    /// Whether the search waits for ports that other programs have open. A search for a lost
    /// module does not wait, because it is repeated soon.
    fn waits_for_busy(&self, candidates: &Candidates<'_, '_>, begun: Instant, is_found: bool) -> bool {
        let is_busy = |candidate: &&Candidate<'_>| matches!(candidate.outcome, Some(Outcome::Busy(_)));
        let busy = candidates.all.iter().filter(is_busy).map(|candidate| &candidate.info.path);
        let busy: Vec<_> = busy.filter(|path| !kept().contains(path)).collect();
        if self.is_repeated || busy.is_empty() {
            return false;
        }
        if begun.elapsed() >= BUSY {
            kept().extend(busy.into_iter().cloned());
            return false;
        }
        !is_found || begun.elapsed() < OTHERS
    }

    /// Counts an attempt with silent ports. Returns true if they are asked a second time.
    fn asks_again(&mut self) -> bool {
        let count = self.silent;
        self.silent = count.saturating_add(1);
        count == 0 || (count >= SECOND_QUESTION && count.is_power_of_two())
    }

    /// Refuses a name that no module can have.
    fn check_name(&self) -> io::Result<()> {
        let wrong = match &self.wanted {
            Wanted::Imei(imei) if imei.len() != 15 || !imei.bytes().all(|byte| byte.is_ascii_digit()) => {
                "an IMEI has 15 digits, as in `imei:860000000000001`"
            }
            Wanted::Location(location) if location.is_empty() => {
                "the place is missing, as in `usb:1-1.4`; the example `ports` shows those that there are"
            }
            Wanted::Imei(_) | Wanted::Location(_) | Wanted::Any => return Ok(()),
        };
        Err(io::Error::new(ErrorKind::InvalidInput, format!("{}: {wrong}", self.name)))
    }

    /// The IMEI of the only module that is taken.
    fn imei(&self) -> Option<&String> {
        match &self.wanted {
            Wanted::Imei(imei) => Some(imei),
            Wanted::Any => self.found.as_ref(),
            // Another module there replaces the one that was found.
            Wanted::Location(_) => None,
        }
    }

    fn is_candidate(&self, info: &PortInfo) -> bool {
        match (&self.wanted, &info.usb) {
            (Wanted::Location(wanted), Some(usb)) => usb.location == *wanted,
            (Wanted::Location(_), None) => false,
            (Wanted::Any | Wanted::Imei(_), _) => info.kind == PortKind::Module,
        }
    }

    fn not_found(&self, mut notes: Vec<String>, is_silent: bool) -> io::Error {
        if is_silent {
            notes.push("is the module on, and is this its line rate?".to_owned());
        }
        if let (Wanted::Any, Some(found), false) = (&self.wanted, &self.found, notes.is_empty()) {
            notes.push(format!(
                "only the module {found} is taken, which was found first (`usb:PLACE` takes any there)"
            ));
        }
        let why = match (&self.wanted, &*notes) {
            (Wanted::Any, []) => "no module is plugged in (USB 1782:4e00)".to_owned(),
            (Wanted::Imei(_), []) => {
                "no module is plugged in (USB 1782:4e00), so none has this IMEI".to_owned()
            }
            (Wanted::Location(_), []) => {
                "no serial port is plugged in there; the example `ports` shows the places".to_owned()
            }
            (_, notes) => notes.join("; "),
        };
        let text = format!("{}: {why}; a port of another adapter is opened by its path", self.name);
        io::Error::new(ErrorKind::NotFound, text)
    }
}

/// The longest attempt with this number of ports.
fn longest(count: usize) -> Duration {
    let waves = u32::try_from(count / LONG_AT_ONCE).unwrap_or(u32::MAX);
    LONGEST.saturating_add(WAVE.saturating_mul(waves))
}

/// A port, open, and the IMEI of its module.
type Module = (PortInfo, Port, String);

fn is_found(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.outcome, Some(Outcome::Found(..)))
}

fn is_silent(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.outcome, Some(Outcome::Silent(_)))
}

/// The modules that may be taken, what is at the other ports, and whether one of these is silent.
fn results(candidates: &mut Candidates<'_, '_>, loaders: &[PortInfo]) -> (Vec<Module>, Vec<String>, bool) {
    let loading = |info: &PortInfo| format!("{} is a module in its boot loader", info.path.display());
    let mut notes: Vec<_> = loaders.iter().map(loading).collect();
    let has_silent = candidates.all.iter().any(is_silent);
    let has_no_outcome =
        |candidate: &&Candidate<'_>| candidate.outcome.is_none() && !candidates.is_known(&candidate.info);
    let without_outcome: Vec<_> =
        candidates.all.iter().filter(has_no_outcome).map(|known| known.info.path.clone()).collect();
    let (mut answers, mut errors) = (Vec::new(), Vec::new());
    for candidate in &mut candidates.all {
        let path = candidate.info.path.display();
        match candidate.outcome.take() {
            Some(Outcome::Found(port, imei)) => answers.push((candidate.info.clone(), port, imei)),
            Some(Outcome::Other(imei)) if imei.is_empty() => notes.push(format!("{path} reports no IMEI")),
            Some(Outcome::Other(imei)) => notes.push(format!("{path} is the module {imei}")),
            Some(Outcome::Silent(error) | Outcome::Busy(error) | Outcome::Failed(error)) => {
                errors.push(error.to_string());
            }
            Some(Outcome::Sibling) | None => {}
        }
    }
    notes.append(&mut errors);
    if answers.is_empty() {
        notes.extend(
            without_outcome.iter().map(|path| format!("{} has given no answer in time", path.display())),
        );
    }
    (answers, notes, has_silent)
}

/// Names that distinguish these modules: the IMEI, or the place if two modules have the same IMEI or one has not
/// reported its own.
fn names(answers: &[Module]) -> String {
    let mut imeis: Vec<_> = answers.iter().map(|(_, _, imei)| imei).collect();
    imeis.sort();
    imeis.dedup();
    let is_named_by_imei = imeis.len() == answers.len() && imeis.iter().all(|imei| !imei.is_empty());
    let name = |(info, _, imei): &Module| match &info.usb {
        Some(usb) if imei.is_empty() => format!("usb:{} (reports no IMEI)", usb.location),
        Some(usb) if !is_named_by_imei => format!("usb:{} (IMEI {imei})", usb.location),
        _ => format!("imei:{imei}"),
    };
    answers.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn kept() -> MutexGuard<'static, Vec<PathBuf>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::identification::Ask;
    use crossbeam_channel::{Receiver, bounded};
    use std::fs;
    use std::os::unix::fs::symlink;

    /// Holds up the opening of `ttyUSB0` until the other end of the channel is gone.
    static HELD_UP: Mutex<Option<Receiver<()>>> = Mutex::new(None);

    fn open_unless_held_up(path: &str, _: &Config) -> io::Result<Port> {
        let held_up = HELD_UP.lock().unwrap().clone().filter(|_| path.ends_with("ttyUSB0"));
        if let Some(returns) = held_up {
            // Longer than a search.
            let _ = returns.recv_timeout(Duration::from_secs(60));
        }
        Ok(Port::Halves { reader: Box::new(io::empty()), writer: Box::new(io::sink()), end: None })
    }

    fn unasked(_: &mut Ask<'_>, _: &ModuleMode) -> io::Result<String> {
        Ok(String::new())
    }

    #[test]
    fn a_search_ends_at_its_time_although_the_kernel_does_not_open_a_port() {
        let root = std::env::temp_dir().join(format!("air724ug-search-{}", std::process::id()));
        for (location, name) in [("1-1.1", "ttyUSB0"), ("1-1.2", "ttyUSB1")] {
            let (device, class) =
                (root.join("sys/devices").join(location), root.join("sys/class/tty").join(name));
            fs::create_dir_all(&device).unwrap();
            fs::create_dir_all(&class).unwrap();
            fs::write(device.join("idVendor"), "1782\n").unwrap();
            fs::write(device.join("idProduct"), "4e00\n").unwrap();
            symlink(&device, class.join("device")).unwrap();
        }
        let config = Config::default().root(&root);
        let identify = Identify { imei: unasked, imei_of_silent: unasked };
        let search = |name| {
            let mut search = Search::named(name, &config, identify).unwrap();
            search.open = open_unless_held_up;
            let begun = Instant::now();
            (search.open(&ModuleMode::Command), begun.elapsed())
        };
        let hold_up = || {
            let (returns, is_returning) = bounded(0);
            *HELD_UP.lock().unwrap() = Some(is_returning);
            returns
        };
        let returns = hold_up();
        let (found, took) = search("auto");
        assert!(found.is_ok() && took < LONGEST, "the other module is found: {took:?}");
        let (found, took) = search("usb:1-1.2");
        assert!(found.is_ok() && took < LONGEST, "{took:?}");
        // The first search has left the opening, which is under way.
        let (busy, _) = search("usb:1-1.1");
        let text = busy.unwrap_err().to_string();
        assert!(text.contains("it is being opened already"), "{text}");
        drop(returns);
        let begun = Instant::now();
        while search("usb:1-1.1").0.is_err() {
            assert!(begun.elapsed() < LONGEST, "it is opened again");
        }
        let _returns = hold_up();
        let (late, took) = search("usb:1-1.1");
        let text = late.unwrap_err().to_string();
        assert!(text.contains("has given no answer in time"), "{text}");
        assert!(took >= LONGEST, "{took:?}");
        let _ = fs::remove_dir_all(&root);
    }

    /// Regression: 15 s were the limit for any number of ports, and the last of 40 were not asked the long question.
    #[test]
    fn the_limit_of_an_attempt_leaves_time_for_the_long_question_to_every_port() {
        const LONG_QUESTION: Duration = Duration::from_secs(7);
        for count in 1..200_usize {
            let waves = u32::try_from(count.div_ceil(LONG_AT_ONCE)).unwrap();
            assert!(longest(count) >= LONG_QUESTION * waves + Duration::from_secs(2), "{count} ports");
        }
        assert_eq!([1, 11, 40].map(|count| longest(count).as_secs()), [15, 15, 36]);
    }
}
