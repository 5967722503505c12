//! The candidates of a search, which are asked side by side, so that none waits for another's time-outs.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::identification::{Ask, Identify};
use super::listing::PortInfo;
use super::unanswered::Unanswered;
use super::{Line, ModuleMode, Port, Sleeper, Waker, after, opening, wake_up};
use crate::config::Config;

/// The most questions at a time, and the most long ones, which leave room for a port that appears meanwhile. Each has a
/// thread and about ten descriptors.
const AT_ONCE: usize = 16;
pub(super) const LONG_AT_ONCE: usize = 12;
/// The time for which the questions to a port leave the other ports of its module alone. The first `AT` is unanswered
/// then.
const NEXT_PORT: Duration = Duration::from_millis(300);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024;

/// The parts of a question that are the same for each candidate.
#[derive(Clone, Copy)]
pub(super) struct Questioner<'env> {
    pub(super) config: &'env Config,
    /// Opens a candidate.
    pub(super) open: fn(&str, &Config) -> io::Result<Port>,
    pub(super) identify: Identify,
    /// The mode in which the module lost its port, and the place of that port.
    pub(super) mode: &'env ModuleMode,
    pub(super) place: Option<&'env Place>,
}

impl<'env> Questioner<'env> {
    /// The mode that a candidate is asked in. A module at another place is not the lost one, or has lost its power. The
    /// rest of a lost send is not written to it, because it may be waiting for the payload of another program.
    fn mode_of(self, info: &PortInfo) -> &'env ModuleMode {
        match self.place.is_some_and(|place| place.is_of(info)) {
            true => self.mode,
            false => &ModuleMode::Command,
        }
    }
}

/// The place of a port: that of its USB device, and its interface there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    location: String,
    interface: Option<u8>,
}

impl Place {
    pub(super) fn of(info: &PortInfo) -> Option<Self> {
        let usb = info.usb.as_ref()?;
        Some(Self { location: usb.location.clone(), interface: usb.interface })
    }

    fn is_of(&self, info: &PortInfo) -> bool {
        let usb = info.usb.as_ref();
        usb.is_some_and(|usb| usb.location == self.location && usb.interface == self.interface)
    }

    pub(super) fn interface(&self) -> Option<u8> {
        self.interface
    }
}

/// The result of a question: the open port, and the IMEI, which is empty if the module does not report one.
pub(super) type Answer = io::Result<(Port, String)>;

/// The result of the questions to a candidate so far.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The module that is wanted, or may be, and its IMEI, which is empty if it does not report one.
    Found(Port, String),
    /// Another module than the one that is wanted, with its IMEI, which may be empty.
    Other(String),
    /// Another port of a module that was found.
    Sibling,
    /// It does not answer.
    Silent(io::Error),
    /// Another program has it open.
    Busy(io::Error),
    Failed(io::Error),
}

/// A port that may be that of the module.
pub(super) struct Candidate<'scope> {
    pub(super) info: PortInfo,
    /// The latest outcome; `None` before the first.
    pub(super) outcome: Option<Outcome>,
    question: Option<Question<'scope>>,
    long: LongQuestion,
}

/// The long question to a candidate, which a search asks once in an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LongQuestion {
    Unasked,
    Due,
    Asked,
}

/// A question that is being asked.
struct Question<'scope> {
    begun: Instant,
    /// Whether the search goes on without an answer to it.
    is_repeated: bool,
    stop: Stop,
    /// Whether the answer is known. The thread then ends at once.
    has_ended: Arc<AtomicBool>,
    thread: ScopedJoinHandle<'scope, Answer>,
}

/// Ends a question from another thread.
#[derive(Clone)]
struct Stop {
    is_set: Arc<AtomicBool>,
    waker: Waker,
}

impl Stop {
    fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        self.waker.wake();
    }
}

/// Notes the end of a question, also by a panic, and wakes the search then.
struct NotesEnd(Arc<AtomicBool>, Waker);

impl Drop for NotesEnd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        self.1.wake();
    }
}

/// All candidates of a search. The questions end with this.
pub(super) struct Candidates<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    questioner: Questioner<'env>,
    /// Wakes the search when a question has ended.
    waker: Waker,
    pub(super) all: Vec<Candidate<'scope>>,
}

impl<'scope, 'env> Candidates<'scope, 'env> {
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        questioner: Questioner<'env>,
        waker: Waker,
    ) -> Self {
        Self { scope, questioner, waker, all: Vec::new() }
    }

    /// Takes the present list. A port that has gone is forgotten: the next one with its name may be another.
    pub(super) fn are_listed(&mut self, listed: Vec<PortInfo>) {
        let (stay, gone) =
            self.all.drain(..).partition(|known| listed.iter().any(|info| info.path == known.info.path));
        self.all = stay;
        stop(gone);
        let mut new = Vec::new();
        for info in listed {
            match self.all.iter_mut().find(|known| known.info.path == info.path) {
                Some(known) => known.info = info,
                None => {
                    let long = LongQuestion::Unasked;
                    new.push(Candidate { info, outcome: None, question: None, long });
                }
            }
        }
        // A port that appears is asked before those that wait for their turn.
        self.all.splice(..0, new);
    }

    /// The candidates whose question has ended, with the answers.
    pub(super) fn answers(&mut self) -> Vec<(PortInfo, Answer)> {
        let mut answers = Vec::new();
        for candidate in &mut self.all {
            let has_ended = |question: &mut Question<'_>| question.has_ended.load(Ordering::SeqCst);
            let Some(question) = candidate.question.take_if(has_ended) else { continue };
            let is_stopped = question.stop.is_set.load(Ordering::SeqCst);
            let answer = joined(question);
            // Its answer would be incomplete.
            if !is_stopped {
                answers.push((candidate.info.clone(), answer));
            }
        }
        answers
    }

    /// Notes an outcome. If it is an IMEI, the questions to other ports of the module end.
    pub(super) fn note(&mut self, info: &PortInfo, outcome: Outcome) {
        if let Some(candidate) = self.all.iter_mut().find(|known| known.info.path == info.path) {
            candidate.outcome = Some(outcome);
        }
        if self.is_known(info) {
            let siblings = self.all.iter().filter(|known| is_same_place(&known.info, info));
            siblings.filter_map(|sibling| sibling.question.as_ref()).for_each(|question| question.stop.set());
        }
    }

    /// Whether a port of the module at the place of this one has reported the IMEI, so that no other port of it is
    /// asked.
    pub(super) fn is_known(&self, info: &PortInfo) -> bool {
        self.all.iter().filter(|known| is_same_place(&known.info, info)).any(|known| {
            matches!(&known.outcome, Some(Outcome::Found(_, imei) | Outcome::Other(imei)) if !imei.is_empty())
        })
    }

    /// Whether questions are under way, or due, that the search waits for.
    pub(super) fn are_asked(&self) -> bool {
        self.all.iter().any(|candidate| match &candidate.question {
            Some(question) => !question.is_repeated || candidate.long == LongQuestion::Due,
            None => self.is_due(candidate),
        })
    }

    /// Whether each question has been answered, or has failed, at least once.
    pub(super) fn have_outcomes(&self) -> bool {
        self.all.iter().all(|candidate| candidate.outcome.is_some() || self.is_known(&candidate.info))
    }

    /// The number of ports whose long question waits for its turn.
    pub(super) fn waiting(&self) -> usize {
        let waits =
            |candidate: &&Candidate<'_>| candidate.long == LongQuestion::Due && self.is_due(candidate);
        self.all.iter().filter(waits).count()
    }

    /// Whether a question is due that the search waits for.
    fn is_due(&self, candidate: &Candidate<'_>) -> bool {
        candidate.question.is_none()
            && (candidate.outcome.is_none() || candidate.long == LongQuestion::Due)
            && !self.is_known(&candidate.info)
    }

    /// Asks silent ports, once each, with everything that can make a module answer. Returns their number.
    pub(super) fn ask_silent(&mut self) -> usize {
        let mut count = 0usize;
        let known: Vec<_> = self.all.iter().map(|candidate| self.is_known(&candidate.info)).collect();
        for (candidate, is_known) in self.all.iter_mut().zip(known) {
            let is_silent = !is_known && matches!(candidate.outcome, Some(Outcome::Silent(_)));
            if is_silent && candidate.long == LongQuestion::Unasked {
                candidate.long = LongQuestion::Due;
                count = count.saturating_add(1);
                if let Some(question) = &candidate.question {
                    question.stop.set();
                }
            }
        }
        count
    }

    /// Asks the questions that are due. While there are some, silent ports and those that could not be opened are asked
    /// again and again, because they may become ready in that time. With `waits_for_busy` the search waits for ports
    /// that other programs have open.
    pub(super) fn ask(&mut self, waits_for_busy: bool) {
        for at in 0..self.all.len() {
            if self.all.get(at).is_some_and(|candidate| self.is_due(candidate) && self.is_its_turn(candidate))
            {
                self.begin(at, false);
            }
        }
        let waits_for_turn = self.all.iter().any(|candidate| self.is_due(candidate));
        if waits_for_turn || !(self.are_asked() || waits_for_busy) {
            return;
        }
        for at in 0..self.all.len() {
            let Some(candidate) = self.all.get(at) else { continue };
            if candidate.question.is_some() || self.is_known(&candidate.info) {
                continue;
            }
            match &candidate.outcome {
                // The attempt to open a port that is still in use fails at once.
                Some(Outcome::Busy(_)) => self.begin(at, !waits_for_busy),
                Some(Outcome::Silent(_) | Outcome::Failed(_)) => self.begin(at, true),
                None | Some(Outcome::Found(..) | Outcome::Other(_) | Outcome::Sibling) => {}
            }
        }
    }

    /// Whether the first port of its module has had the time to answer.
    fn is_its_turn(&self, candidate: &Candidate<'_>) -> bool {
        candidate.long == LongQuestion::Due
            || !self.all.iter().any(|known| {
                let is_asked = |question: &Question<'_>| question.begun.elapsed() < NEXT_PORT;
                is_same_place(&known.info, &candidate.info) && known.question.as_ref().is_some_and(is_asked)
            })
    }

    fn begin(&mut self, at: usize, is_repeated: bool) {
        let running = self.all.iter().filter(|candidate| candidate.question.is_some()).count();
        let Some(candidate) = self.all.get_mut(at) else { return };
        let is_long = candidate.long == LongQuestion::Due;
        if running >= if is_long { LONG_AT_ONCE } else { AT_ONCE } {
            return;
        }
        let path = candidate.info.path.display();
        // Not every program that uses a port locks it.
        if !candidate.info.users.is_empty() {
            let text = format!("{path} is open in {}", candidate.info.users.join(", "));
            candidate.outcome = Some(Outcome::Busy(io::Error::new(ErrorKind::ResourceBusy, text)));
            candidate.long = LongQuestion::Unasked;
            return;
        }
        if is_long {
            candidate.long = LongQuestion::Asked;
        }
        let (scope, search) = (self.scope, self.waker.clone());
        match started(scope, self.questioner, &candidate.info, (is_long, is_repeated), search) {
            Ok(question) => candidate.question = Some(question),
            Err(error) => {
                let error = io::Error::new(error.kind(), format!("{path}: {error}"));
                candidate.outcome = Some(Outcome::Failed(error));
            }
        }
    }
}

impl Drop for Candidates<'_, '_> {
    fn drop(&mut self) {
        stop(std::mem::take(&mut self.all));
    }
}

/// Ends the questions to these candidates, whose ports are closed then.
fn stop(candidates: Vec<Candidate<'_>>) {
    let questions: Vec<_> = candidates.into_iter().filter_map(|candidate| candidate.question).collect();
    questions.iter().for_each(|question| question.stop.set());
    for question in questions {
        drop(joined(question));
    }
}

fn joined(question: Question<'_>) -> Answer {
    question.thread.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
}

pub(super) fn is_same_place(one: &PortInfo, other: &PortInfo) -> bool {
    let place = |info: &PortInfo| info.usb.as_ref().map(|usb| usb.location.clone());
    place(one) == place(other)
}

/// Starts the thread of a question.
fn started<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    questioner: Questioner<'env>,
    info: &PortInfo,
    (is_long, is_repeated): (bool, bool),
    search: Waker,
) -> io::Result<Question<'scope>> {
    let (waker, sleeper) = wake_up()?;
    let (stop, has_ended) = (Stop { is_set: Arc::default(), waker }, Arc::<AtomicBool>::default());
    let end = NotesEnd(has_ended.clone(), search);
    let (path, stopped, mode) = (info.path.display().to_string(), stop.clone(), questioner.mode_of(info));
    let question = move || {
        let _end = end;
        ask(&path, (questioner, mode), is_long, &sleeper, &stopped)
    };
    let thread = thread::Builder::new().name("air724ug-search".into()).spawn_scoped(scope, question)?;
    Ok(Question { begun: Instant::now(), is_repeated, stop, has_ended, thread })
}

/// Opens a candidate and reads its IMEI, which is empty if the module does not report it.
fn ask(
    path: &str,
    (questioner, mode): (Questioner<'_>, &ModuleMode),
    is_long: bool,
    sleeper: &Sleeper,
    stop: &Stop,
) -> Answer {
    let (open, config) = (questioner.open, questioner.config.clone());
    let is_stopped = || stop.is_set.load(Ordering::SeqCst);
    let mut port = opening::open(path, is_stopped, move |path| open(path, &config))?;
    let Port::Line { line, .. } = &mut port else { return Ok((port, String::new())) };
    let mut unanswered = Unanswered::default();
    let ask: &mut Ask<'_> = &mut |question, timeout, is_answered| {
        exchange(&mut **line, (sleeper, stop), (question, timeout), is_answered, &mut unanswered)
    };
    let identify = if is_long { questioner.identify.imei_of_silent } else { questioner.identify.imei };
    let imei = identify(ask, mode);
    if imei.is_err() {
        // The system would wait up to 30 s for a module that takes no bytes, before it closes the port.
        line.discard_unwritten();
    }
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

/// Writes a question and reads until the answer is complete.
fn exchange(
    line: &mut dyn Line,
    (sleeper, stop): (&Sleeper, &Stop),
    (question, timeout): (&[u8], Duration),
    is_answered: fn(&[u8]) -> bool,
    unanswered: &mut Unanswered,
) -> io::Result<Vec<u8>> {
    let (until, mut answer, mut buf) = (after(timeout), Vec::new(), [0; 256]);
    let mut unwritten = question;
    loop {
        if stop.is_set.load(Ordering::SeqCst) {
            return Err(ErrorKind::Interrupted.into());
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::listing::PortKind;
    use crate::port::serial;
    use crossbeam_channel::{Receiver, bounded};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    /// The questions that are being asked, and the most of them.
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);

    fn silent(ask: &mut Ask<'_>, _: &ModuleMode) -> io::Result<String> {
        MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let answer = ask(b"AT\r\n", Duration::from_millis(100), |_| false);
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        answer.map(|_| String::new())
    }

    fn endless(ask: &mut Ask<'_>, _: &ModuleMode) -> io::Result<String> {
        ask(b"AT\r\n", Duration::from_secs(600), |_| false).map(|_| String::new())
    }

    /// Pseudo-terminals without anything at their other sides, as ports of modules at as many places.
    fn ports(count: usize) -> (Vec<rustix::fd::OwnedFd>, Vec<PortInfo>) {
        use crate::port::listing::UsbInfo;
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let port = |place: usize| {
            let other = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&other).unwrap();
            unlockpt(&other).unwrap();
            let path = ptsname(&other, Vec::new()).unwrap().into_string().unwrap().into();
            let location = format!("1-{place}");
            let usb = UsbInfo { vendor: 0x1782, product: 0x4e00, serial: None, interface: None, location };
            let (driver, users, kind) = (None, Vec::new(), PortKind::Module);
            (other, PortInfo { path, driver, usb: Some(usb), kind, users, is_permitted: true })
        };
        (0..count).map(port).unzip()
    }

    fn questioner(config: &Config, identify: Identify) -> Questioner<'_> {
        Questioner { config, open: serial::open, identify, mode: &ModuleMode::Command, place: None }
    }

    #[test]
    fn many_candidates_are_asked_a_bounded_number_at_a_time() {
        let (_others, listed) = ports(2 * AT_ONCE + 3);
        let (config, identify) = (Config::default(), Identify { imei: silent, imei_of_silent: silent });
        let (waker, sleeper) = wake_up().unwrap();
        let asked = thread::scope(|scope| {
            let questioner = questioner(&config, identify);
            let mut candidates = Candidates::new(scope, questioner, waker);
            candidates.are_listed(listed.clone());
            let mut asked = Vec::new();
            candidates.ask(false);
            while candidates.are_asked() {
                sleeper.wait(None).unwrap();
                for (info, answer) in candidates.answers() {
                    asked.push(info.path.clone());
                    candidates.note(&info, Outcome::Silent(answer.unwrap_err()));
                }
                candidates.ask(false);
            }
            asked
        });
        assert!(listed.iter().all(|info| asked.contains(&info.path)), "{asked:?}");
        let most = MOST.load(Ordering::SeqCst);
        assert!((2..=AT_ONCE).contains(&most) && RUNNING.load(Ordering::SeqCst) == 0, "{most}");
    }

    #[test]
    fn the_questions_end_with_the_search_and_their_ports_are_free() {
        let (_others, listed) = ports(3);
        let (config, identify) = (Config::default(), Identify { imei: endless, imei_of_silent: endless });
        let begun = Instant::now();
        thread::scope(|scope| {
            let questioner = questioner(&config, identify);
            let mut candidates = Candidates::new(scope, questioner, wake_up().unwrap().0);
            candidates.are_listed(listed.clone());
            candidates.ask(false);
            // One port has gone.
            candidates.are_listed(listed[1..].to_vec());
            assert!(serial::open(listed[0].path.to_str().unwrap(), &config).is_ok());
        });
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        for info in &listed {
            assert!(serial::open(info.path.to_str().unwrap(), &config).is_ok());
        }
    }

    /// The path whose opening does not return before the other end of the channel is gone.
    static BLOCKED: Mutex<Option<(String, Receiver<()>)>> = Mutex::new(None);

    fn open_unless_blocked(path: &str, config: &Config) -> io::Result<Port> {
        let blocked = BLOCKED.lock().unwrap().clone();
        if let Some((_, returns)) = blocked.filter(|(blocked, _)| blocked == path) {
            let _ = returns.recv_timeout(Duration::from_secs(20));
        }
        serial::open(path, config)
    }

    fn answered(_: &mut Ask<'_>, _: &ModuleMode) -> io::Result<String> {
        Ok("860000000000001".into())
    }

    /// Regression: the search waited until the kernel had opened the port.
    #[test]
    fn a_port_that_the_kernel_does_not_open_delays_neither_the_others_nor_the_end() {
        let (_others, listed) = ports(2);
        let (config, identify) = (Config::default(), Identify { imei: answered, imei_of_silent: answered });
        let (returns, is_returning) = bounded(0);
        let path = |at: usize| listed[at].path.to_str().unwrap();
        *BLOCKED.lock().unwrap() = Some((path(0).to_owned(), is_returning));
        let (waker, sleeper) = wake_up().unwrap();
        thread::scope(|scope| {
            let questioner = Questioner { open: open_unless_blocked, ..questioner(&config, identify) };
            let mut candidates = Candidates::new(scope, questioner, waker);
            candidates.are_listed(listed.clone());
            candidates.ask(false);
            let mut answers = Vec::new();
            while answers.is_empty() {
                sleeper.wait(None).unwrap();
                answers = candidates.answers();
            }
            assert_eq!(answers[0].0.path, listed[1].path);
            // The blocked port has gone from the list.
            candidates.are_listed(listed[1..].to_vec());
        });
        let again = |at| opening::open(path(at), || false, |path| serial::open(path, &Config::default()));
        assert_eq!(again(0).err().map(|error| error.kind()), Some(ErrorKind::ResourceBusy));
        assert!(again(1).is_ok());
        drop(returns);
        let begun = Instant::now();
        while again(0).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is closed once it is open");
            thread::yield_now();
        }
    }
}
