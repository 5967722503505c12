//! The search for a module's port: `auto`, `imei:86..`, `usb:1-1.4`.
//!
//! The search asks each candidate whether it answers and which module it is, for a bounded time. A port of another
//! device is a candidate only if the application has named the place that it is plugged in at. A port that another
//! program has open is named in the error, not taken.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::listing::{PortInfo, PortKind, ports_below};
use super::open::{SearchKind, search_words};
use super::serial;
use super::unanswered::Unanswered;
use super::{Line, ModuleMode, Port, Sleeper, after, wake_up};
use crate::config::Config;

/// Writes a question to a port and reads the answer. The arguments are the question, the time-out, and a function that
/// says whether the answer is complete.
pub(crate) type Ask<'a> = dyn FnMut(&[u8], Duration, fn(&[u8]) -> bool) -> io::Result<Vec<u8>> + 'a;
/// Finds the IMEI of the module that a port belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identify {
    /// Asks a module in this mode. This takes less than 3 s.
    pub(crate) imei: fn(&mut Ask<'_>, &ModuleMode) -> io::Result<String>,
    /// Makes a module answer that did not, whatever its state is, and asks it then. This takes up to 7 s.
    pub(crate) imei_of_silent: fn(&mut Ask<'_>, &ModuleMode) -> io::Result<String>,
}

/// The first attempt to find a module again in which silent ports are asked a second time, with everything that can
/// make a module answer. It is repeated after twice the number of attempts each time. Earlier, and in between, a module
/// that starts is found sooner.
const SECOND_QUESTION: u32 = 4;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024;

/// The longest wait for ports that other programs have open, which may be searches that ask for this time; and the
/// pause between two attempts.
const BUSY: Duration = Duration::from_secs(3);
const BUSY_PAUSE: Duration = Duration::from_millis(50);

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
    identify: Identify,
    /// The folder that holds `sys`, `dev` and `proc`.
    root: PathBuf,
    /// The IMEI of the module that was found.
    found: Option<String>,
    /// The number of attempts since then in which ports were silent.
    silent: u32,
}

/// The result of the questions to all candidates.
#[derive(Default)]
struct CandidateAnswers {
    answers: Vec<(PortInfo, Port, String)>,
    /// Ports that do not answer, with what they do.
    silent: Vec<(PortInfo, io::Error)>,
    /// Ports that another program has open, with the error.
    busy: Vec<(PortInfo, io::Error)>,
    /// The places of modules that have answered.
    places: Vec<String>,
    notes: Vec<String>,
}

impl CandidateAnswers {
    /// Whether another port of this module has answered.
    fn is_known(&self, info: &PortInfo) -> bool {
        info.usb.as_ref().is_some_and(|usb| self.places.contains(&usb.location))
    }
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
        Some(Self { name, wanted, config, identify, root, found: None, silent: 0 })
    }

    /// Opens the port of the module, which lost it in this mode.
    pub(super) fn open(&mut self, mode: &ModuleMode) -> io::Result<Port> {
        self.check_name()?;
        let mut asked = self.asked(mode)?;
        if asked.answers.is_empty() && !asked.silent.is_empty() && self.asks_again() {
            self.ask_silent(&mut asked, mode);
        }
        let CandidateAnswers { mut answers, silent, busy, mut notes, .. } = asked;
        if answers.len() > 1 {
            let text = format!("{}: there are several modules; name one: {}", self.name, names(&answers));
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        notes.extend(busy.iter().map(|(_, error)| error.to_string()));
        notes.extend(silent.iter().map(|(_, error)| error.to_string()));
        let is_silent = !silent.is_empty();
        let Some((info, port, imei)) = answers.pop() else { return Err(self.not_found(notes, is_silent)) };
        log::info!("{}: the module {imei} is at {}", self.name, info.path.display());
        self.found = Some(imei).filter(|imei| !imei.is_empty());
        self.silent = 1;
        Ok(port)
    }

    /// Asks the candidates.
    fn asked(&self, mode: &ModuleMode) -> io::Result<CandidateAnswers> {
        let mut asked = CandidateAnswers::default();
        let (candidates, loaders): (Vec<_>, Vec<_>) = ports_below(&self.root)?
            .into_iter()
            .filter(|info| self.is_candidate(info))
            .partition(|info| info.kind != PortKind::BootLoader);
        let loading = |info: PortInfo| format!("{} is a module in its boot loader", info.path.display());
        asked.notes.extend(loaders.into_iter().map(loading));
        // A port in use is left for later: the module may be at another one.
        self.ask_each(candidates, &mut asked, mode);
        let until = after(BUSY);
        // A search for a lost module is repeated soon, so it waits for no other program.
        while self.found.is_none() && !self.is_over(&asked) {
            let all = std::mem::take(&mut asked.busy);
            let (busy, is_kept): (Vec<_>, _) =
                all.into_iter().partition(|(info, _)| !kept().contains(&info.path));
            asked.busy = is_kept;
            if busy.is_empty() {
                break;
            }
            if Instant::now() >= until {
                kept().extend(busy.iter().map(|(info, _)| info.path.clone()));
                asked.busy.extend(busy);
                break;
            }
            let (_waker, sleeper) = wake_up()?;
            sleeper.wait(Some(BUSY_PAUSE))?;
            // With the programs that have them open now.
            let mut again = ports_below(&self.root)?;
            again.retain(|info| busy.iter().any(|(before, _)| before.path == info.path));
            self.ask_each(again, &mut asked, mode);
        }
        Ok(asked)
    }

    /// Asks one candidate after the other. One port of each module is asked.
    fn ask_each(&self, candidates: Vec<PortInfo>, asked: &mut CandidateAnswers, mode: &ModuleMode) {
        for info in candidates {
            if !asked.is_known(&info) && !self.is_over(asked) {
                let answer = ask(&info, &self.config, |ask| (self.identify.imei)(ask, mode));
                self.take(info, answer, asked);
            }
        }
    }

    /// Asks the silent candidates a second time, all at once, because it takes seconds.
    fn ask_silent(&self, asked: &mut CandidateAnswers, mode: &ModuleMode) {
        let silent = std::mem::take(&mut asked.silent);
        let answers: Vec<_> = thread::scope(|scope| {
            let identify = |ask: &mut Ask<'_>| (self.identify.imei_of_silent)(ask, mode);
            let ask = |info| move || ask(info, &self.config, identify);
            let asking: Vec<_> = silent
                .iter()
                .map(|(info, _)| thread::Builder::new().spawn_scoped(scope, ask(info)))
                .collect();
            let panicked = |_| Err(io::Error::other("its thread panicked"));
            asking.into_iter().map(|asking| asking?.join().unwrap_or_else(panicked)).collect()
        });
        for ((info, _), answer) in silent.into_iter().zip(answers) {
            if !asked.is_known(&info) {
                self.take(info, answer, asked);
            }
        }
    }

    /// Takes the answer of a candidate.
    fn take(&self, info: PortInfo, answer: io::Result<(Port, String)>, asked: &mut CandidateAnswers) {
        let is_busy = matches!(&answer, Err(error) if error.kind() == ErrorKind::ResourceBusy);
        kept().retain(|path| is_busy || *path != info.path);
        let place = info.usb.as_ref().map(|usb| usb.location.clone());
        let is_same = |known: &PortInfo| known.usb.as_ref().map(|usb| &usb.location) == place.as_ref();
        let path = info.path.display();
        match answer {
            Err(error) if error.kind() == ErrorKind::TimedOut => asked.silent.push((info, error)),
            Err(error) if is_busy => asked.busy.push((info, error)),
            Err(error) => asked.notes.push(error.to_string()),
            // Another port of the module may say more.
            Ok((_, imei)) if imei.is_empty() && asked.answers.iter().any(|(known, ..)| is_same(known)) => {}
            Ok((_, imei)) if self.imei().is_some_and(|wanted| *wanted != imei) => {
                if imei.is_empty() {
                    asked.notes.push(format!("{path} reports no IMEI"));
                } else {
                    asked.notes.push(format!("{path} is the module {imei}"));
                    asked.places.extend(place);
                }
            }
            Ok((port, imei)) => {
                asked.answers.retain(|(known, ..)| !is_same(known));
                if !imei.is_empty() {
                    asked.places.extend(place);
                }
                asked.answers.push((info, port, imei));
            }
        }
    }

    /// Whether the module is found, so that no other port is asked.
    fn is_over(&self, asked: &CandidateAnswers) -> bool {
        self.imei().is_some() && !asked.answers.is_empty()
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

/// Names that distinguish these modules: the IMEI, or the place if two modules have the same IMEI or one has not
/// reported its own.
fn names(answers: &[(PortInfo, Port, String)]) -> String {
    let mut imeis: Vec<_> = answers.iter().map(|(_, _, imei)| imei).collect();
    imeis.sort();
    imeis.dedup();
    let is_named_by_imei = imeis.len() == answers.len() && imeis.iter().all(|imei| !imei.is_empty());
    let name = |(info, _, imei): &(PortInfo, Port, String)| match &info.usb {
        Some(usb) if imei.is_empty() => format!("usb:{} (reports no IMEI)", usb.location),
        Some(usb) if !is_named_by_imei => format!("usb:{} (IMEI {imei})", usb.location),
        _ => format!("imei:{imei}"),
    };
    answers.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Opens a candidate and reads its IMEI, which is empty if the module does not report it.
fn ask(
    info: &PortInfo,
    config: &Config,
    identify: impl FnOnce(&mut Ask<'_>) -> io::Result<String>,
) -> io::Result<(Port, String)> {
    let path = info.path.display().to_string();
    // Not every program that uses a port locks it.
    if !info.users.is_empty() {
        let text = format!("{path} is open in {}", info.users.join(", "));
        return Err(io::Error::new(ErrorKind::ResourceBusy, text));
    }
    let (_waker, sleeper) = wake_up()?;
    let mut port = serial::open(&path, config)?;
    let Port::Line { line, .. } = &mut port else { return Ok((port, String::new())) };
    let mut unanswered = Unanswered::default();
    let imei = identify(&mut |question, timeout, is_answered| {
        exchange(&mut **line, &sleeper, (question, timeout), is_answered, &mut unanswered)
    });
    let named = |error: io::Error| {
        let text = match (error.kind(), unanswered.words()) {
            (ErrorKind::TimedOut, None) => format!("{path} does not answer"),
            (ErrorKind::TimedOut, Some(words)) => format!("{path} does not answer: {words}"),
            _ => format!("{path}: {error}"),
        };
        io::Error::new(error.kind(), text)
    };
    Ok((port, imei.map_err(named)?))
}

fn kept() -> MutexGuard<'static, Vec<PathBuf>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}
/// Writes a question and reads until the answer is complete.
fn exchange(
    line: &mut dyn Line,
    sleeper: &Sleeper,
    (question, timeout): (&[u8], Duration),
    is_answered: fn(&[u8]) -> bool,
    unanswered: &mut Unanswered,
) -> io::Result<Vec<u8>> {
    let (until, mut answer, mut buf) = (after(timeout), Vec::new(), [0; 256]);
    let mut unwritten = question;
    loop {
        if !unwritten.is_empty() {
            match line.write(unwritten) {
                Ok(count) => {
                    unanswered.wrote(&unwritten[..count]);
                    unwritten = &unwritten[count..];
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if answer.len() > MAX_ANSWER {
            unanswered.overflowed();
            return Err(ErrorKind::TimedOut.into());
        }
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        line.wait(sleeper, !unwritten.is_empty(), Some(left))?;
        match line.read(&mut buf) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                unanswered.read(&buf[..count]);
                answer.extend_from_slice(&buf[..count]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        if is_answered(&answer) {
            return Ok(answer);
        }
    }
}
