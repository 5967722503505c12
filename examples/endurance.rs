//! Eight connections that survive the loss of their port: each reports the interruption, and the numbers of threads,
//! descriptors and the memory stay constant.
//!
//! ```text
//! cargo run --example endurance
//! cargo run --release --example endurance -- --for 3600
//! cargo run --example endurance -- --port rfc2217://rack:2217 --connect example.com:7 --losses 5
//! ```

mod common;
#[path = "common/plug.rs"]
mod plug;

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, Sender, unbounded};
use air724ug::supervisor::{Policy, ReconnectingSocket, Step, Supervisor};
use air724ug::{Error, Event, Modem, Received};
use common::shell::Arguments;
use common::{Common, Failed, Usage, host_and_port, positive, seconds, step, unknown};

const USAGE: &str = "\
Echoes on several connections while the port is lost and comes back again and again, and looks whether every byte comes back,
every interruption is reported, and threads, descriptors and memory stay what they were. Without --port the simulated modem's port
vanishes by itself, in turn: pulled out and back, back as another port, gone with a restart of the module. With --port you
lose the port: pull the plug, or end the serial server and start it again.

usage: endurance [options]

  --connect HOST:PORT  an echo server [one in this program; with --port there is no default]
  --sockets N          connections, at most 8 [8]
  --losses N           ends after this number of losses that every connection has survived [any number]
  --for SECONDS        ends after that, or fails if --losses were not reached [20]
  --away SECONDS       how long the simulated port is gone [0.5]
  --every SECONDS      between its losses [1]
";

/// A limit for actions that take seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest time in which a module that was not restarted must be ready after its port is back.
const READY_AGAIN: Duration = Duration::from_secs(2);
/// The interval at which it is printed what the first connections wait for.
const SHOW: Duration = Duration::from_secs(5);
/// The pause of a connection between two echoes.
const BREATH: Duration = Duration::from_millis(50);
/// The rounds until all retained memory is allocated.
const WARM_UP: u64 = 6;
/// The KiB of memory beyond it that are tolerated.
const SLACK: u64 = 4 * 1024;

struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    sockets: u32,
    losses: Option<u32>,
    span: Duration,
    away: Duration,
    every: Duration,
}

fn main() -> ExitCode {
    common::main("endurance", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options {
        common: Common::default(),
        connect: None,
        sockets: 8,
        losses: None,
        span: Duration::from_secs(20),
        away: Duration::from_millis(500),
        every: Duration::from_secs(1),
    };
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--sockets" => options.sockets = positive(option, &value()?)?.min(8),
            "--losses" => options.losses = Some(positive(option, &value()?)?),
            "--for" => options.span = seconds(option, &value()?)?,
            "--away" => options.away = seconds(option, &value()?)?,
            "--every" => options.every = seconds(option, &value()?)?,
            other => return unknown(other),
        }
        Ok(())
    })?;
    Ok(options)
}

fn run(mut options: Options) -> Result<(), Failed> {
    let server = options.common.server(options.connect.as_ref(), common::echo_server)?;
    let plug = match options.common.port {
        Some(_) => None,
        None => Some(plug::Plug::new()?),
    };
    if let Some(plug) = &plug {
        options.common.port = Some(plug.path());
    }
    let modem = options.common.open()?;
    if plug.is_some() {
        step("modem", "a simulated one, whose port comes and goes")?;
    }
    let events = modem.events();
    common::bring_up(&modem)?;
    let supervisor = Supervisor::new(modem.clone(), Policy::default().pause(Duration::from_millis(20)));
    let steps = supervisor.events();
    let crew = Crew::start(&supervisor, &server, options.sockets)?;
    crew.wait_for(0, &steps)?;
    step("connected", format_args!("{} connections echo", crew.members.len()))?;
    let mut watch =
        Watch { modem, events, steps, crew, plug, options, measured: None, slowest: Duration::ZERO };
    let result = watch.rounds();
    watch.crew.stop();
    watch.modem.close();
    result
}

/// The whole run.
struct Watch {
    modem: Modem,
    events: Receiver<Event>,
    steps: Receiver<Step>,
    crew: Crew,
    plug: Option<plug::Plug>,
    options: Options,
    /// The values after the first rounds.
    measured: Option<Measure>,
    /// The longest time from the port's return until the module was ready, without restarts.
    slowest: Duration,
}

impl Watch {
    fn rounds(&mut self) -> Result<(), Failed> {
        let began = Instant::now();
        let mut shown = Instant::now();
        let mut round = 0;
        while self.goes_on(round, began) {
            let restarted = match &mut self.plug {
                Some(plug) => plug.lose(round, self.options.away),
                None => false,
            };
            if !self.port_was_lost(self.options.span.saturating_sub(began.elapsed()))? {
                break;
            }
            if let Some(plug) = &mut self.plug {
                plug.bring_back(round, self.options.away);
            }
            self.until(Event::PortBack, "return")?;
            let back = Instant::now();
            self.modem.wait_ready(TIMEOUT)?;
            if !restarted && self.plug.is_some() {
                self.slowest = self.slowest.max(back.elapsed());
            }
            round += 1;
            self.crew.wait_for(round, &self.steps)?;
            let measure = Measure::now();
            if round == WARM_UP {
                self.measured = Some(measure);
            }
            if round <= WARM_UP || shown.elapsed() >= self.options.span / 20 {
                shown = Instant::now();
                step(
                    "survived",
                    format_args!("{round} losses in {:.0} s: {measure}", began.elapsed().as_secs_f64()),
                )?;
            }
            if self.plug.is_some() {
                common::pause(self.options.every);
            }
        }
        self.conclude(round)
    }

    fn goes_on(&self, round: u64, began: Instant) -> bool {
        self.options.losses.is_none_or(|losses| round < u64::from(losses))
            && began.elapsed() < self.options.span
    }

    /// Waits for the next loss; `false` if there is none in time, which is an error if the loss was requested.
    fn port_was_lost(&mut self, left: Duration) -> Result<bool, Failed> {
        if self.plug.is_some() {
            return self.until(Event::PortLost, "loss").map(|()| true);
        }
        let until = Instant::now() + left;
        loop {
            match self.events.recv_deadline(until) {
                Ok(Event::PortLost) => return Ok(true),
                Ok(_) => {}
                Err(_) => return Ok(false),
            }
        }
    }

    fn until(&mut self, wanted: Event, what: &str) -> Result<(), Failed> {
        let until = Instant::now() + TIMEOUT;
        loop {
            match self.events.recv_deadline(until) {
                Ok(event) if event == wanted => return Ok(()),
                Ok(_) => {}
                Err(_) => {
                    let why = format!("the port's {what} was not reported within {TIMEOUT:?}");
                    return Err(Failed::Job(why, Some("is the port back under the same name?")));
                }
            }
        }
    }

    fn conclude(&self, rounds: u64) -> Result<(), Failed> {
        if self.options.losses.is_some_and(|losses| rounds < u64::from(losses)) {
            return Err(Failed::Job(format!("the port was lost {rounds} times only"), None));
        }
        let echoes: u64 = self.crew.members.iter().map(|member| member.echoes.load(Ordering::SeqCst)).sum();
        let now = Measure::now();
        step("survived", format_args!("{rounds} losses, {echoes} echoes: {now}"))?;
        if self.plug.is_some() {
            step(
                "ready",
                format_args!("at most {:.2} s after the port was back", self.slowest.as_secs_f64()),
            )?;
            if self.slowest > READY_AGAIN {
                return Err(Failed::Job(format!("that is longer than {READY_AGAIN:?}"), None));
            }
        }
        match &self.measured {
            Some(before) if now.has_grown_from(before) => {
                Err(Failed::Job(format!("it grew: after {WARM_UP} losses it was {before}"), None))
            }
            _ => Ok(()),
        }
    }
}

/// Threads, descriptors and KiB of this process, if the system reports them.
#[derive(Clone, Copy, Default)]
struct Measure {
    threads: u64,
    descriptors: u64,
    memory: u64,
}

impl Measure {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count() as u64);
        Self { threads: number("Threads:"), descriptors, memory: number("VmRSS:") }
    }

    /// Connections of the simulated module end with a delay: each has a descriptor, and its echo a thread.
    fn has_grown_from(&self, before: &Self) -> bool {
        self.threads > before.threads + 16
            || self.descriptors > before.descriptors + 32
            || self.memory > before.memory + SLACK
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads, {} descriptors, {} KiB", self.threads, self.descriptors, self.memory)
    }
}

/// The connections, each on a thread of its own.
struct Crew {
    members: Vec<Arc<Member>>,
    ends: Arc<AtomicBool>,
    problems: Receiver<String>,
}

/// The counts of a connection.
#[derive(Default)]
struct Member {
    gaps: AtomicU64,
    echoes: AtomicU64,
}

impl Crew {
    fn start(supervisor: &Supervisor, server: &(String, u16), count: u32) -> Result<Self, Failed> {
        let (sender, problems) = unbounded();
        let mut crew = Self { members: Vec::new(), ends: Arc::default(), problems };
        for number in 0..count {
            let member = Arc::<Member>::default();
            crew.members.push(member.clone());
            let socket = supervisor.tcp(server.0.clone(), server.1);
            let (sender, ends) = (sender.clone(), crew.ends.clone());
            let echo = move || member.echo(number, socket, &ends, &sender);
            thread::Builder::new().name("echo".to_owned()).spawn(echo)?;
        }
        Ok(crew)
    }

    fn stop(&self) {
        self.ends.store(true, Ordering::SeqCst);
    }

    /// Waits until every connection has reported this number of gaps and has echoed since. Prints what the first
    /// connections wait for.
    fn wait_for(&self, gaps: u64, steps: &Receiver<Step>) -> Result<(), Failed> {
        let (began, until) = (Instant::now(), Instant::now() + TIMEOUT);
        let (mut failure, mut shown) = (None, began);
        let echoed: Vec<_> = self.members.iter().map(|member| member.echoes.load(Ordering::SeqCst)).collect();
        loop {
            if let Ok(problem) = self.problems.try_recv() {
                return Err(Failed::Job(problem, None));
            }
            let mut behind = self.members.iter().zip(&echoed).enumerate().filter(|(_, (member, echoed))| {
                let reported = member.gaps.load(Ordering::SeqCst);
                reported < gaps || member.echoes.load(Ordering::SeqCst) <= **echoed
            });
            let Some((number, (member, _))) = behind.next() else { return Ok(()) };
            // A connection that has ended shows less than one that can't be made.
            let is_cause =
                |step: &Step| matches!(step, Step::Failed(why) if !why.starts_with("the socket is closed"));
            failure = steps.try_iter().filter(is_cause).last().or(failure);
            if gaps == 0
                && shown.elapsed() >= SHOW
                && let Some(Step::Failed(why)) = &failure
            {
                shown = Instant::now();
                let (seconds, most) = (began.elapsed().as_secs(), TIMEOUT.as_secs());
                step("waiting", format_args!("{why}; {seconds} s of at most {most} s"))?;
            }
            if Instant::now() > until {
                let reported = member.gaps.load(Ordering::SeqCst);
                let why =
                    format!("connection {number} is not back: {reported} gaps reported, {gaps} expected");
                let advice = (gaps == 0).then_some(
                    "the server must echo, and be reachable from the module's network; the example `doctor` finds out why it is not",
                );
                return Err(Failed::Job(why, advice));
            }
            common::pause(Duration::from_millis(5));
        }
    }
}

impl Member {
    fn echo(&self, number: u32, socket: ReconnectingSocket, ends: &AtomicBool, problems: &Sender<String>) {
        for record in 0_u64.. {
            let said = format!("connection {number}, record {record}\r\n").repeat(1 + record as usize % 20);
            if let Err(problem) = self.echo_once(&socket, said.as_bytes()) {
                if !ends.load(Ordering::SeqCst) {
                    let _ = problems.send(format!("connection {number}: {problem}"));
                }
                return;
            }
            if ends.load(Ordering::SeqCst) {
                return;
            }
            common::pause(BREATH);
        }
    }

    /// Sends until the echo is complete; after a gap from the beginning.
    fn echo_once(&self, socket: &ReconnectingSocket, said: &[u8]) -> Result<(), String> {
        let (mut received, mut is_sent) = (Vec::new(), false);
        while received.len() < said.len() {
            if !is_sent {
                match socket.send(said, TIMEOUT) {
                    Ok(()) => is_sent = true,
                    // recv returns this error, too.
                    Err(Error::Gap { .. }) => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
            match socket.recv(TIMEOUT).map_err(|error| error.to_string())? {
                Received::Data(data) => received.extend(data),
                Received::Gap(gap) => {
                    let gaps = self.gaps.fetch_add(1, Ordering::SeqCst) + 1;
                    if gap.number != gaps {
                        return Err(format!("gap {} is reported after gap {}", gap.number, gaps - 1));
                    }
                    received.clear();
                    is_sent = false;
                }
                Received::Timeout => return Err(format!("{} of {} bytes came", received.len(), said.len())),
            }
            if !said.starts_with(&received) {
                return Err("other bytes than were sent came back".to_owned());
            }
        }
        self.echoes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
