//! Shows the content of a capture: commands, answers, URCs and data, in order.
//!
//! ```text
//! cargo run --example replay -- [--quiet] [--remarks] [--marks FILE] [FILE...]
//! cargo run --example replay -- --html session.html session.capture
//! cargo run --example replay -- --diff good.capture bad.capture
//! ```

#[path = "common/diff.rs"]
mod diff;
#[path = "common/marks.rs"]
mod marks;
#[path = "common/output_file.rs"]
mod output_file;
#[path = "common/page.rs"]
mod page;
#[path = "common/shell.rs"]
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use air724ug::capture::{
    self, Capture, Coverage, Layout, Marks, Reason, Timeline, TimelineEntry, TimelineEntryKind,
};
use shell::{Argument, Arguments, complain};

const HELP: &str = "\
Decodes captures into timelines of commands, answers, URCs and data.

Usage: replay [--quiet] [--remarks] [--marks FILE] [FILE...]
       replay --html OUT [--marks FILE] FILE
       replay --diff [--marks FILE] A B

  FILE...       captures, in our own format or logs of any other program;
                without one, a fixture of this project is shown
  --marks FILE  more marks by which the program that wrote a log
                distinguishes the two sides, one a line: `sent host>`, `received modem>`
  --html OUT    draws one FILE as a page for a browser: a lane for each channel,
                latencies as bars, payload, errors, a field to search; OUT is
                a new file, or a page of this program
  --diff A B    shows where two sessions part; times make no difference
  --remarks     also the lines that are no part of the exchange, with the reason,
                and the number of lines of each kind, which add up to the file
  --quiet       only what is unexplained, and a line for each file
  --help        this text
  --version     its version

Exit code: 0 if every line is explained, 1 if one is not or if a capture of our
own is not as its header expects, or two sessions part, 2 if a file can't be read or is not understood,
74 if the output can't be written.";

/// The capture that is shown by default.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tcp_push.capture");

/// The options of the command line.
struct Options {
    quiet: bool,
    remarks: bool,
    diff: bool,
    html: Option<PathBuf>,
    marks: Marks,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let options = match Options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => return finish(writeln!(out, "{HELP}").and_then(|()| out.flush()), ExitCode::SUCCESS),
        Err(problem) => {
            complain(format_args!("replay: {problem}\nreplay: `replay --help` lists the options"));
            return ExitCode::from(2);
        }
    };
    if options.diff {
        return compare(&mut out, &options);
    }
    let mut code = 0;
    for file in &options.files {
        match capture::load_with(file, &options.marks) {
            Err(error) => {
                complain(format_args!("replay: {error}"));
                return ExitCode::from(2);
            }
            Ok(capture) => match show(&mut out, file, &capture, &options) {
                Ok(Verdict::Explained) => {}
                Ok(Verdict::Unexplained) if code == 0 => code = 1,
                Ok(Verdict::Unexplained) => {}
                Ok(Verdict::NotUnderstood) => code = 2,
                Err(error) => return finish(Err(error), ExitCode::from(code)),
            },
        }
    }
    finish(out.flush(), ExitCode::from(code))
}

impl Options {
    /// `None`: help is requested.
    fn parse() -> Result<Option<Self>, String> {
        let mut options = Self {
            quiet: false,
            remarks: false,
            diff: false,
            html: None,
            marks: Marks::default(),
            files: Vec::new(),
        };
        let mut arguments = Arguments::of_process();
        while let Some(argument) = arguments.take()? {
            let option = match argument {
                Argument::Help => return Ok(None),
                Argument::Operand(file) => {
                    options.files.push(file.into());
                    continue;
                }
                Argument::Option(option) => option,
            };
            match option.as_str() {
                "--quiet" | "-q" => options.quiet = true,
                "--remarks" => options.remarks = true,
                "--marks" => marks::add(&mut options.marks, &arguments.path()?)?,
                "--diff" => options.diff = true,
                "--html" => options.html = Some(arguments.path()?),
                _ => return Argument::Option(option).unknown(),
            }
        }
        if options.diff && options.files.len() != 2 {
            return Err("--diff takes two files".to_owned());
        }
        if let Some(page) = &options.html {
            if options.diff || options.files.len() > 1 {
                return Err("--html draws one file".to_owned());
            }
            let [file] = options.files.as_slice() else {
                return Err(
                    "--html takes two names: OUT, which is written, and FILE, which is drawn".to_owned()
                );
            };
            output_file::check(page, &[file], page::SIGN)?;
        }
        if options.files.is_empty() {
            complain(format_args!("replay: no FILE given, so here is one of our own: {FIXTURE}"));
            options.files.push(FIXTURE.into());
        }
        Ok(Some(options))
    }
}

/// The result for a file.
enum Verdict {
    Explained,
    Unexplained,
    NotUnderstood,
}

/// Prints a capture. Returns `Explained` if all of it is explained and its header's expectations are met.
fn show(out: &mut impl Write, file: &Path, capture: &Capture, options: &Options) -> io::Result<Verdict> {
    let timeline = capture::replay(capture);
    if !options.quiet {
        writeln!(out, "{} ({})", file.display(), layout(capture.layout))?;
        if let Some(header) = &capture.header {
            writeln!(out, "  {}", header.what)?;
        }
    }
    let coverage = Coverage::of(capture, &timeline);
    if let Some(page) = &options.html {
        let html = page::page(&file.display().to_string(), &timeline, &coverage);
        std::fs::write(page, html)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", page.display())))?;
    }
    for entry in &timeline.entries {
        let wanted = options.html.is_none() && !options.quiet;
        if wanted || matches!(entry.what, TimelineEntryKind::Unexplained { .. }) {
            print(out, entry)?;
        }
    }
    if options.remarks {
        print_remarks(out, capture, &timeline)?;
    }
    let unexplained = timeline.unexplained().count();
    writeln!(out, "{}: {} entries, {unexplained} unexplained", file.display(), timeline.entries.len())?;
    let kept = capture.header.as_ref().map(|header| timeline.meets(header));
    match &kept {
        None => {}
        Some(Ok(())) => writeln!(out, "  as its header expects")?,
        Some(Err(unmet)) => writeln!(out, "  not as its header expects: {unmet}")?,
    }
    if !coverage.is_understood {
        writeln!(out, "  not understood: {coverage}")?;
        writeln!(out, "  the program that wrote it could save {}", capture.layout.advice())?;
        return Ok(Verdict::NotUnderstood);
    }
    if coverage.cut.is_some() {
        writeln!(out, "  cut: {coverage}")?;
        return Ok(Verdict::NotUnderstood);
    }
    match unexplained == 0 && !matches!(kept, Some(Err(_))) {
        true => Ok(Verdict::Explained),
        false => Ok(Verdict::Unexplained),
    }
}

/// The form of a file.
fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::Own => "a capture of this library",
        Layout::Marked => "a log with a mark on each line",
        Layout::Blocks => "a log with marks above its lines",
        Layout::Terminal => "the output of a terminal",
        Layout::Dump => "bytes in hexadecimal",
        Layout::Notes => "answers beside commands",
        _ => "a log",
    }
}

/// Prints the lines that are no part of the exchange, and counts all lines, each once.
fn print_remarks(out: &mut impl Write, capture: &Capture, timeline: &Timeline) -> io::Result<()> {
    let unexplained: BTreeSet<usize> = timeline.unexplained().flat_map(|entry| entry.lines.clone()).collect();
    let records: BTreeSet<usize> = capture.records.iter().map(|located| located.line).collect();
    let reasons: BTreeMap<usize, Reason> =
        capture.remarks.iter().rev().map(|remark| (remark.line, remark.reason)).collect();
    let mut counts = BTreeMap::<String, usize>::new();
    for line in 1..=capture.lines {
        let kind = match reasons.get(&line) {
            _ if unexplained.contains(&line) => "unexplained".to_owned(),
            _ if records.contains(&line) => "exchange".to_owned(),
            Some(reason) => shell::words(reason),
            None => "header".to_owned(),
        };
        if !unexplained.contains(&line) && !records.contains(&line) {
            writeln!(out, "  line {line}: {kind}")?;
        }
        *counts.entry(kind).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    writeln!(out, "  {} lines: {}", capture.lines, counts.join(", "))
}

/// Prints the differences of two sessions.
fn compare(out: &mut impl Write, options: &Options) -> ExitCode {
    let mut sides = Vec::new();
    for file in &options.files {
        let capture = match capture::load_with(file, &options.marks) {
            Ok(capture) => capture,
            Err(error) => {
                complain(format_args!("replay: {error}"));
                return ExitCode::from(2);
            }
        };
        let timeline = capture::replay(&capture);
        let coverage = Coverage::of(&capture, &timeline);
        if !coverage.is_understood {
            complain(format_args!("replay: {} is not understood: {coverage}", file.display()));
            return ExitCode::from(2);
        }
        if coverage.cut.is_some() {
            complain(format_args!("replay: {} is cut: {coverage}", file.display()));
        }
        sides.push((file.display().to_string(), timeline));
    }
    let [(left, one), (right, other)] = sides.as_slice() else { return ExitCode::from(2) };
    match diff::diff(out, [left, right], [one, other]).and_then(|parted| out.flush().map(|()| parted)) {
        Ok(parted) => ExitCode::from(u8::from(parted > 0)),
        Err(error) => shell::unwritten("replay", &error),
    }
}

fn print(out: &mut impl Write, entry: &TimelineEntry) -> io::Result<()> {
    let lines: Vec<String> = entry.lines.iter().map(usize::to_string).collect();
    let arrow = match entry.what {
        TimelineEntryKind::Command(_) | TimelineEntryKind::Sent(_) => ">",
        TimelineEntryKind::Request(_) => "?",
        TimelineEntryKind::Note(_) | TimelineEntryKind::Gap => ";",
        TimelineEntryKind::Unexplained { .. } => "!",
        _ => "<",
    };
    writeln!(out, "{:>14} {arrow} {}  [line {}]", entry.at, entry.what, lines.join(", "))
}

fn finish(written: io::Result<()>, code: ExitCode) -> ExitCode {
    written.map_or_else(|error| shell::unwritten("replay", &error), |()| code)
}
