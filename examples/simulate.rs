//! Runs scenarios of driver, simulated modem, network and applications on a virtual clock. Each is generated from a
//! number.
//!
//! ```text
//! cargo run --release --example simulate -- --seeds 1000000
//! cargo run --release --example simulate -- --kind line --seed 42
//! ```

#[path = "common/shell.rs"]
mod shell;
#[path = "../tests/simulation/mod.rs"]
mod simulation;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use air724ug::ReceiveMode;
use shell::{Argument, Arguments};
use simulation::{Kind, Report, Unseen};

const HELP: &str = "\
Runs scenarios of driver, simulated modem, network and applications in virtual time. A seed chooses what the
applications do, when, and what fails: the modem, the line, the host, the network. After each, promises are checked:
what is read is what was sent, a hole is reported, Ok is a fact, every call ends in time, and others.

Usage: simulate [--seeds N] [--from N] [--kind NAME] [--seed N] [--jobs N] [--digest] [--quiet]

  --seeds N         how many seeds [10000]
  --from N          the first one [0]
  --kind NAME       scenarios of one kind alone [each seed has its own]: KINDS
  --seed N          this one alone, with the trace of the line
  --jobs N          threads [one for each processor]
  --digest          prints one number for all bytes of the wire and their moments: equal before and after a change that
                    changes no behaviour
  --quiet           no progress
  --help            this text
  --version         its version

A seed that fails is made as short as it can be and printed with the trace of the line and the command that repeats it.

Exit code: 0 every promise held; 1 one did not, or nothing reads the output any more; 2 a wrong option; 74 the output
can't be written.
";

/// The interval of progress messages.
const PROGRESS: Duration = Duration::from_secs(10);
/// The number of seeds that a thread takes at once.
const BATCH: u64 = 64;
/// The number of failures of one kind and promise that are shown; the others are counted.
const SHOWN: u64 = 1;
/// The number of failures of one kind and promise whose seeds are listed.
const LISTED: usize = 100;

struct Options {
    seeds: u64,
    from: u64,
    kind: Option<Kind>,
    seed: Option<u64>,
    jobs: usize,
    digest: bool,
    quiet: bool,
}

/// The sum over many runs.
#[derive(Default)]
struct Total {
    seeds: u64,
    lasted: Duration,
    kinds: BTreeMap<&'static str, u64>,
    faults: BTreeMap<String, u64>,
    failures: BTreeMap<(&'static str, &'static str), Vec<u64>>,
    /// The runs with damage on the line to the host, those in which changed bytes of payload went unseen, and those in
    /// which other damage did: with data pushed, and with data fetched.
    damages: [[u64; 3]; 2],
    /// The sum of the digests of all runs.
    digest: u64,
}

fn main() -> ExitCode {
    let options = match options(&mut Arguments::of_process()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            let kinds: Vec<&str> = Kind::ALL.iter().map(|(_, name)| *name).collect();
            let help = HELP.replace("KINDS", &kinds.join(", "));
            return shell::print(help)
                .map_or_else(|error| shell::unwritten("simulate", &error), |()| ExitCode::SUCCESS);
        }
        Err(why) => {
            shell::complain(format_args!("simulate: {why}\nsimulate: `simulate --help` lists the options"));
            return ExitCode::from(2);
        }
    };
    simulation::catch_panics();
    let done = match options.seed {
        Some(seed) => one(options.kind.unwrap_or_else(|| Kind::of_seed(seed)), seed),
        None => many(&options),
    };
    match done {
        Ok(code) => code,
        // A reader that closes the output ends the run, so not all promises were checked.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => shell::unwritten("simulate", &error),
    }
}

fn options(args: &mut Arguments) -> Result<Option<Options>, String> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut options =
        Options { seeds: 10_000, from: 0, kind: None, seed: None, jobs, digest: false, quiet: false };
    let wants_help = args.each_option(|option, args| {
        let mut value = || args.value();
        match option {
            "--seeds" => options.seeds = number(option, &value()?)?,
            "--from" => options.from = number(option, &value()?)?,
            "--seed" => options.seed = Some(number(option, &value()?)?),
            "--jobs" => options.jobs = number::<usize>(option, &value()?)?.clamp(1, 256),
            "--digest" => options.digest = true,
            "--quiet" => options.quiet = true,
            "--kind" => {
                let name = value()?;
                let kinds: Vec<&str> = Kind::ALL.iter().map(|(_, name)| *name).collect();
                let unknown = || format!("there is no kind \"{name}\"; there are {}", kinds.join(", "));
                options.kind = Some(Kind::named(&name).ok_or_else(unknown)?);
            }
            _ => return Argument::Option(option.to_owned()).unknown(),
        }
        Ok(())
    })?;
    if wants_help {
        return Ok(None);
    }
    match options.seeds {
        0 => Err("--seeds is zero: there is nothing to do".to_owned()),
        _ => Ok(Some(options)),
    }
}

fn number<T: std::str::FromStr>(option: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{option} takes a number, not \"{text}\""))
}

/// Runs one seed and prints it.
fn one(kind: Kind, seed: u64) -> io::Result<ExitCode> {
    let script = simulation::script(kind, seed);
    let report = simulation::play(&script, true);
    let mut out = io::stdout().lock();
    if report.failure.is_some() {
        return show(&mut out, kind, seed);
    }
    for line in &report.trace {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "seed {seed} of kind {} holds, {:.0} s of virtual time",
        kind.name(),
        report.lasted.as_secs_f64()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a failing seed, shortened as far as possible.
fn show(out: &mut dyn Write, kind: Kind, seed: u64) -> io::Result<ExitCode> {
    let script = simulation::script(kind, seed);
    let Some(failure) = simulation::play(&script, false).failure else {
        writeln!(
            out,
            "seed {seed} of kind {} holds when it is run again: it depends on more than its number",
            kind.name()
        )?;
        return Ok(ExitCode::FAILURE);
    };
    let short = simulation::shrunk(&script, &failure);
    let report = simulation::play(&short, true);
    for line in &report.trace {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "world: {:?}", short.world)?;
    for step in &short.steps {
        writeln!(out, "step: after {:?} {:?}", step.after, step.act)?;
    }
    let failure = report.failure.unwrap_or(failure);
    writeln!(out, "broken promise: {}: {}", failure.check, failure.what)?;
    writeln!(
        out,
        "repeat it: cargo run --release --example simulate -- --kind {} --seed {seed}",
        kind.name()
    )?;
    Ok(ExitCode::FAILURE)
}

/// Runs many seeds.
fn many(options: &Options) -> io::Result<ExitCode> {
    let next = AtomicU64::new(options.from);
    let end = options.from.saturating_add(options.seeds);
    let stop = AtomicBool::new(false);
    let (reports, inbox) = mpsc::sync_channel::<(Kind, u64, Report)>(1_024);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            let reports = reports.clone();
            let (next, stop) = (&next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let first = next.fetch_add(BATCH, Ordering::Relaxed);
                    if first >= end {
                        return;
                    }
                    for seed in first..end.min(first + BATCH) {
                        let kind = options.kind.unwrap_or_else(|| Kind::of_seed(seed));
                        let report = simulation::play(&simulation::script(kind, seed), false);
                        if stop.load(Ordering::Relaxed) || reports.send((kind, seed, report)).is_err() {
                            return;
                        }
                    }
                }
            });
        }
        drop(reports);
        let gathered = gather(options, &inbox);
        stop.store(true, Ordering::Relaxed);
        drop(inbox);
        gathered
    })
}

/// Counts the reports, and prints failures and the progress.
fn gather(options: &Options, inbox: &mpsc::Receiver<(Kind, u64, Report)>) -> io::Result<ExitCode> {
    let began = Instant::now();
    let mut reported_at = began;
    let mut total = Total::default();
    let mut out = io::stdout().lock();
    for (kind, seed, report) in inbox {
        total.seeds += 1;
        total.lasted += report.lasted;
        total.digest = total.digest.wrapping_add(report.digest.of_run(kind.name(), seed));
        *total.kinds.entry(kind.name()).or_default() += 1;
        for (fault, count) in report.faults {
            *total.faults.entry(fault).or_default() += count;
        }
        if let Some((mode, unseen)) = report.damage {
            let [runs, changed, holes] = &mut total.damages[usize::from(mode == ReceiveMode::Manual)];
            *runs += 1;
            *changed += u64::from(unseen == Some(Unseen::ChangedBytes));
            *holes += u64::from(unseen == Some(Unseen::Hole));
        }
        if let Some(failure) = report.failure {
            let seeds = total.failures.entry((kind.name(), failure.check)).or_default();
            seeds.push(seed);
            if seeds.len() as u64 <= SHOWN {
                writeln!(out, "seed {seed} of kind {} fails:", kind.name())?;
                show(&mut out, kind, seed)?;
            }
        }
        if !options.quiet && reported_at.elapsed() >= PROGRESS {
            reported_at = Instant::now();
            writeln!(out, "{}", rate(&total, began))?;
        }
    }
    for (fault, count) in &total.faults {
        writeln!(out, "{count:>9}  {fault}")?;
    }
    let kinds: Vec<String> = total.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    writeln!(out, "kinds: {}", kinds.join(", "))?;
    for ([runs, changed, holes], mode) in total.damages.iter().zip(["Push", "Manual"]) {
        if *runs > 0 {
            writeln!(
                out,
                "damaged lines with ReceiveMode::{mode}: {runs}; {} went unseen: {changed} changed bytes of payload, {holes} \
                 others",
                changed + holes
            )?;
        }
    }
    writeln!(out, "{}", rate(&total, began))?;
    if options.digest {
        writeln!(out, "digest {:016x}", total.digest)?;
    }
    for ((kind, check), seeds) in &total.failures {
        let some: Vec<String> = seeds.iter().take(LISTED).map(u64::to_string).collect();
        writeln!(out, "FAILED: {check} in {} seeds of kind {kind}: {}", seeds.len(), some.join(" "))?;
    }
    Ok(if total.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rate(total: &Total, began: Instant) -> String {
    let took = began.elapsed().as_secs_f64().max(0.001);
    let failed: usize = total.failures.values().map(Vec::len).sum();
    format!(
        "{} seeds in {took:.0} s, {:.0} a second, {:.0} simulated hours, {failed} failed",
        total.seeds,
        total.seeds as f64 / took,
        total.lasted.as_secs_f64() / 3_600.0
    )
}
