//! The diagnosis of a live modem: asks the module for all evidence.

mod attempts;

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::Modem;
use super::deadline::Deadline;
use crate::capture::{self, CaptureFile, Entry, Header, Recorder};
use crate::config::Config;
use crate::diagnosis::{Checkup, Diagnosis, Evidence, Exchange, OTHER_RATES, PortFault, QUESTIONS, Question};
use crate::driver::Driver;
use crate::error::{Error, NotReady, Result};
use crate::port::{ModuleMode, has_rate, is_remote};
use crate::proto::{Engine, Event, RegistrationStatus};
use crate::time::Timestamp;

/// The interval of progress reports while the examination waits for the module.
const TICK: Duration = Duration::from_millis(250);
/// A cause that needs an action of the user counts after it has lasted for this span.
const SETTLED: Duration = Duration::from_secs(2);
/// A refusal of the network counts after it has lasted for this span, because another answer may follow. An assumption.
const REFUSED: Duration = Duration::from_secs(6);
/// The most bytes that are kept before the first answer. They are sufficient to distinguish garbage from text.
const MAX_RECORDED: usize = 64 * 1024;
/// The longest time until a port is free again after this process closed it.
const REOPEN: Duration = Duration::from_secs(3);

impl Modem {
    /// Finds the reason why there is no connection, or reports that there is no fault. It asks questions that change no
    /// setting. If [`Checkup`] names a server, it resolves the server's name and connects to it, on request with TLS as
    /// well. This takes seconds without a fault, otherwise up to the checkup's time-outs. The call never fails: a
    /// failure is part of the diagnosis.
    ///
    /// ```no_run
    /// # let modem = air724ug::Modem::open("/dev/ttyUSB0", Default::default())?;
    /// use air724ug::diagnosis::Checkup;
    ///
    /// let diagnosis = modem.diagnose(&Checkup::default().server("example.com", 80));
    /// if let Some(cause) = diagnosis.root_cause() {
    ///     println!("{}: {}", cause.summary, cause.advice());
    /// }
    /// # Ok::<(), air724ug::Error>(())
    /// ```
    pub fn diagnose(&self, checkup: &Checkup) -> Diagnosis {
        self.diagnose_with_progress(checkup, |_| {})
    }

    /// The same as [`diagnose`](Self::diagnose). Calls `progress` with each step, to show progress.
    pub fn diagnose_with_progress(&self, checkup: &Checkup, mut progress: impl FnMut(&str)) -> Diagnosis {
        let mut examination = Examination::new(self, checkup, Evidence::new(), &mut progress);
        let began = Instant::now();
        if !examination.wait_for_answer(checkup.answer_timeout) {
            examination.evidence.silent(began.elapsed());
        }
        examination.run()
    }

    /// Opens a port and [diagnoses](Self::diagnose) the modem on it. A port that can't be opened and a wrong line rate
    /// are found as well. If nothing answers at the configured rate, [`OTHER_RATES`] are tried, except on `tcp://`,
    /// where the server sets the rate. The port is closed afterwards. A radio that is off is reported and not switched
    /// on, regardless of [`Config::switch_radio_on`].
    ///
    /// A capture that can't be written affects only [`Diagnosis::capture_error`]. The capture contains the last opening
    /// of the port: at the rate at which the module answered, or at the last rate that was tried.
    pub fn diagnose_port(path: &str, config: &Config, checkup: &Checkup) -> Diagnosis {
        Self::diagnose_port_with_progress(path, config, checkup, |_, _| {})
    }

    /// The same as [`diagnose_port`](Self::diagnose_port). Calls `progress` with each step, and with the modem that is
    /// examined. [Closing](Self::close) that modem, from any thread, ends the examination at once.
    pub fn diagnose_port_with_progress(
        path: &str,
        config: &Config,
        checkup: &Checkup,
        mut progress: impl FnMut(&Self, &str),
    ) -> Diagnosis {
        let mut evidence = Evidence::new();
        let recorded = RecordedBytes::default();
        let config = &config.clone().switch_radio_on(false);
        let modem = match open(path, config, &recorded) {
            Ok(modem) => modem,
            Err(error) => {
                let text = error.to_string();
                evidence.port_failed(fault_of(path, &error, &text), text);
                return evidence.diagnose();
            }
        };
        let rate = has_rate(path).then_some(config.baud_rate);
        evidence.port_opened(path, rate);
        let first = rate.map_or_else(|| "asking".to_owned(), |rate| format!("asking at {rate} baud"));
        let mut own_progress = |step: &str| progress(&modem.modem, step);
        own_progress(&first);
        let began = Instant::now();
        let mut examination = Examination::new(&modem.modem, checkup, evidence, &mut own_progress);
        if examination.wait_for_answer(checkup.answer_timeout) {
            return examination.run().with_capture_error(modem.release());
        }
        examination.evidence.silent(began.elapsed());
        recorded.add_to(&mut examination.evidence);
        let evidence = examination.evidence;
        let capture_error = modem.release();
        if rate.is_none() || evidence.port_has_failed() {
            return evidence.diagnose().with_capture_error(capture_error);
        }
        at_other_rates(path, config, checkup, (evidence, capture_error), &mut progress)
    }
}

/// Tries other line rates, and examines the module at the first rate at which it answers.
fn at_other_rates(
    path: &str,
    config: &Config,
    checkup: &Checkup,
    (mut evidence, mut capture_error): (Evidence, Option<String>),
    progress: &mut dyn FnMut(&Modem, &str),
) -> Diagnosis {
    for rate in OTHER_RATES.into_iter().filter(|rate| *rate != config.baud_rate) {
        let Some(modem) = reopen(path, &config.clone().baud_rate(rate)) else {
            continue;
        };
        let mut progress = |step: &str| progress(&modem.modem, step);
        progress(&format!("asking at {rate} baud"));
        let mut examination = Examination::new(&modem.modem, checkup, evidence, &mut progress);
        let answers = examination.wait_for_answer(checkup.rate_timeout);
        examination.evidence.rate_tried(rate, answers);
        if answers {
            return examination.run().with_capture_error(modem.release());
        }
        evidence = examination.evidence;
        capture_error = modem.release();
        if evidence.port_has_failed() {
            break;
        }
    }
    evidence.diagnose().with_capture_error(capture_error)
}

/// One examination of an open modem.
struct Examination<'a> {
    modem: &'a Modem,
    checkup: &'a Checkup,
    events: Receiver<Event>,
    evidence: Evidence,
    progress: &'a mut dyn FnMut(&str),
}

impl<'a> Examination<'a> {
    fn new(
        modem: &'a Modem,
        checkup: &'a Checkup,
        evidence: Evidence,
        progress: &'a mut dyn FnMut(&str),
    ) -> Self {
        Self { modem, checkup, events: modem.events(), evidence, progress }
    }

    fn run(mut self) -> Diagnosis {
        if let Some(server) = &self.checkup.server {
            self.evidence.server(server.clone());
        }
        if self.modem.not_ready() != Some(NotReady::NoAnswer) {
            self.wait_until_settled();
            if !self.evidence.port_has_failed() {
                self.ask_all();
            }
            if let (true, Some(server)) = (self.modem.is_ready(), &self.checkup.server) {
                self.try_server(server);
            }
        }
        self.note_events();
        match self.modem.not_ready() {
            None => self.evidence.ready(),
            Some(reason) => self.evidence.not_ready(reason),
        }
        self.evidence.diagnose()
    }

    /// Waits for an answer of the module. Returns false after the time-out.
    fn wait_for_answer(&mut self, timeout: Duration) -> bool {
        let deadline = Deadline::after(Some(timeout));
        loop {
            let left = deadline.left();
            let result = self.modem.wait_ready(left.min(TICK));
            self.note_events();
            match result {
                Err(Error::NotReady(NotReady::NoAnswer)) if !left.is_zero() => {}
                Err(Error::PortLost(why)) => {
                    self.port_lost(&why);
                    return false;
                }
                Err(Error::NotReady(NotReady::NoPort)) => {
                    self.evidence.port_lost(NotReady::NoPort.to_string());
                    return false;
                }
                Err(Error::NotReady(NotReady::NoAnswer)) => return false,
                Ok(()) | Err(_) => return true,
            }
        }
    }

    /// Waits until the module is ready, or the reason why it is not ready is permanent, or the time-out has passed.
    fn wait_until_settled(&mut self) {
        let began = Instant::now();
        let mut reason = None;
        let mut since = began;
        while began.elapsed() < self.checkup.ready_timeout {
            let left = self.checkup.ready_timeout.saturating_sub(began.elapsed());
            let now = match self.modem.wait_ready(left.min(TICK)) {
                Err(Error::NotReady(NotReady::NoPort)) => {
                    return self.evidence.port_lost(NotReady::NoPort.to_string());
                }
                Err(Error::NotReady(now)) => now,
                Err(Error::PortLost(why)) => return self.port_lost(&why),
                Ok(()) | Err(_) => return,
            };
            self.note_events();
            if reason.replace(now) != Some(now) {
                since = Instant::now();
                (self.progress)(&format!("waiting: {now}"));
            }
            if settling_time(now).is_some_and(|span| since.elapsed() >= span) {
                return;
            }
        }
    }

    fn ask_all(&mut self) {
        let tls = self.checkup.tls.iter().flat_map(|_| Question::TLS);
        for question in QUESTIONS.into_iter().chain(tls) {
            if question.when_ready && !self.modem.is_ready() {
                continue;
            }
            (self.progress)(&format!("asking {}", question.command));
            let began = Instant::now();
            let result = self.modem.command(question.command, question.timeout);
            if let Err(Error::PortLost(why)) = &result {
                return self.port_lost(why);
            }
            self.note_events();
            self.evidence.exchange(Exchange::of(question.command, result, began.elapsed()));
            if self.modem.not_ready() == Some(NotReady::NoAnswer) {
                // The module fell silent. Every other question would take its full time-out.
                return;
            }
        }
    }

    /// The port is gone. One that leads to something else was never that of a module.
    fn port_lost(&mut self, why: &str) {
        match self.modem.is_wrong_port() {
            true => self.evidence.port_failed(PortFault::Remote, why),
            false => self.evidence.port_lost(why),
        }
    }

    fn note_events(&mut self) {
        for event in self.events.try_iter() {
            self.evidence.event(&event);
        }
    }
}

/// The span after which a cause counts as permanent; `None` for causes that may end by themselves.
fn settling_time(reason: NotReady) -> Option<Duration> {
    match reason {
        NotReady::NoAnswer
        | NotReady::NoSim
        | NotReady::PinRequired
        | NotReady::PinRefused
        | NotReady::PukRequired
        | NotReady::RadioOff => Some(SETTLED),
        NotReady::NotRegistered(RegistrationStatus::Denied | RegistrationStatus::EmergencyOnly)
        | NotReady::SimFailure
        | NotReady::BearerRefused(_) => Some(REFUSED),
        NotReady::Starting
        | NotReady::NoSignal
        | NotReady::WeakSignal(_)
        | NotReady::NotRegistered(_)
        | NotReady::OnlyTwoG
        | NotReady::NotAttached
        | NotReady::BearerLost
        | NotReady::Transparent
        | NotReady::Switching
        | NotReady::NoPort
        | NotReady::Restarting => None,
    }
}

/// The bytes that came over the line, as a capture in memory.
#[derive(Clone, Default)]
struct RecordedBytes(Arc<Mutex<Vec<u8>>>);

impl RecordedBytes {
    fn add_to(&self, evidence: &mut Evidence) {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(capture) = capture::read_own(&text) else { return };
        for located in &capture.records {
            if let Entry::FromModem(bytes) = &located.record.what {
                evidence.received(bytes);
            }
        }
    }
}

/// Keeps whole writes while there is room. The recorder writes one record at a time.
impl Write for RecordedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + bytes.len() <= MAX_RECORDED {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes to the capture and to the kept bytes. An early end of the capture does not affect the kept bytes.
struct Tee {
    capture: Option<CaptureFile>,
    recorded: RecordedBytes,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(Err(error)) = self.capture.as_mut().map(|capture| capture.write_all(bytes)) {
            log::warn!("the capture ends here: {error}");
            self.capture = None;
        }
        self.recorded.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A modem on a port that was opened to be examined.
struct OpenedModem {
    modem: Modem,
    /// The reason why there is no capture although one was requested.
    capture_error: Option<String>,
}

impl OpenedModem {
    /// Closes the modem and waits until its port is free. Returns the reason why its capture is incomplete, if it is.
    fn release(self) -> Option<String> {
        self.modem.close();
        self.capture_error.or_else(|| self.modem.flush_capture().err().map(|error| error.to_string()))
    }
}

/// Opens a port. Its bytes are kept in `recorded`, in addition to the capture of the configuration.
fn open(path: &str, config: &Config, recorded: &RecordedBytes) -> Result<OpenedModem> {
    let engine = Engine::new(config.clone(), Timestamp::ZERO)?;
    let port = super::opener(path, config).open(&ModuleMode::Command)?;
    // A capture that can't be written is no fault of the port, and does not prevent the examination.
    let capture = CaptureFile::configured(config);
    let capture_error = capture.as_ref().err().map(ToString::to_string);
    let capture = capture.unwrap_or_default();
    let watch = capture.as_ref().map(CaptureFile::watch);
    let header = Header {
        what: format!("an examination of {path}"),
        source: concat!("air724ug ", env!("CARGO_PKG_VERSION")).into(),
        expect: vec!["command AT".into()],
    };
    let both: Box<dyn Write + Send> = Box::new(Tee { capture, recorded: recorded.clone() });
    let driver =
        Driver::start(port, None, engine, (Some(Recorder::new(both, &header)), watch), config, path)?;
    Ok(OpenedModem { modem: Modem { driver: Arc::new(driver) }, capture_error })
}

/// Opens a port that this process has just closed.
fn reopen(path: &str, config: &Config) -> Option<OpenedModem> {
    let until = Instant::now() + REOPEN;
    loop {
        match open(path, config, &RecordedBytes::default()) {
            Ok(modem) => return Some(modem),
            // A serial server refuses the rate.
            Err(Error::Io(error)) if error.kind() == ErrorKind::InvalidData => return None,
            Err(_) if Instant::now() < until => {
                // The thread of the closed modem is about to end.
                let _ = crossbeam_channel::after(TICK / 10).recv();
            }
            Err(_) => return None,
        }
    }
}

/// The text of `serialport`'s error if another program has locked the port. The kind of the error does not show it.
const LOCKED: &str = "Unable to acquire";

fn fault_of(path: &str, error: &Error, text: &str) -> PortFault {
    // Cables, groups and programs of this machine are not the cause.
    if is_remote(path) {
        return PortFault::Remote;
    }
    let Error::Io(error) = error else { return PortFault::Other };
    match error.kind() {
        _ if text.contains(LOCKED) => PortFault::Busy,
        ErrorKind::ResourceBusy => PortFault::Busy,
        ErrorKind::NotFound => PortFault::Missing,
        ErrorKind::PermissionDenied => PortFault::Permission,
        ErrorKind::InvalidInput | ErrorKind::IsADirectory | ErrorKind::Unsupported => PortFault::NotSerial,
        _ if text.contains("Not a typewriter") || text.contains("Inappropriate ioctl") => {
            PortFault::NotSerial
        }
        _ => PortFault::Other,
    }
}
