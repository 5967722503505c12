//! The makers' log search: the events of a LuatOS trace about its sockets, and the faults in it.
//!
//! ```text
//! cargo run --example luat_trace -- [--json] [--findings] [FILE...]
//! ```

#[path = "common/shell.rs"]
mod shell;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;

use air724ug::luat::{Event, Finding, Findings, Interpreter, Origin, Reader, Severity};
use shell::{Argument, Arguments, complain};

const HELP: &str = "\
Reads traces of LuatOS firmware (Luatools or a UART, any encoding) and shows
what happened to the sockets, what is wrong, why, and what to do about it.

Usage: luat_trace [--json] [--findings] [FILE...]

  FILE...     traces; - is the standard input;
              without one, a fixture of this project is read
  --findings  only the findings
  --json      one JSON object a file and line
  --help      this text
  --version   its version

Exit code: 0 if nothing is wrong (harmless findings count as nothing), 1 if
there are warnings or errors, 2 if a file can't be read or is no trace, 74 if
the output can't be written.";

/// The file that is read by default.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/luat/faq.trace");

/// The message for a file without a record of a script.
const NO_TRACE: &str = "no line is a LuatOS script's, such as `[I]-[socket:connect: connect ok]`: is it the right file? \
                        AT commands and their answers are for the examples `replay` and `doctor --offline`";

/// The options of the command line.
struct Options {
    json: bool,
    only_findings: bool,
    files: Vec<OsString>,
}

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            let written = shell::print(format_args!("{HELP}\n"));
            return written
                .map_or_else(|error| shell::unwritten("luat_trace", &error), |()| ExitCode::SUCCESS);
        }
        Err(problem) => {
            complain(format_args!(
                "luat_trace: {problem}\nluat_trace: `luat_trace --help` lists the options"
            ));
            return ExitCode::from(2);
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut is_wrong, mut is_unreadable) = (false, false);
    for file in &options.files {
        match show_file(&mut out, file, &options) {
            Ok(wrong) => is_wrong |= wrong,
            Err(Failed::Input(error)) => {
                complain(format_args!("luat_trace: {}: {error}", visible(&file.display().to_string())));
                is_unreadable = true;
            }
            // A reader that has closed the output is no failure, and the exit code is that of the output so far.
            Err(Failed::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(Failed::Output(error)) => return shell::unwritten("luat_trace", &error),
        }
    }
    ExitCode::from(if is_unreadable { 2 } else { u8::from(is_wrong) })
}

impl Options {
    /// `None`: help is requested.
    fn parse() -> Result<Option<Self>, String> {
        let mut options = Self { json: false, only_findings: false, files: Vec::new() };
        let mut arguments = Arguments::of_process();
        while let Some(argument) = arguments.take()? {
            match argument {
                Argument::Help => return Ok(None),
                Argument::Operand(file) => options.files.push(file),
                Argument::Option(option) => match option.as_str() {
                    "--json" => options.json = true,
                    "--findings" => options.only_findings = true,
                    _ => return Argument::Option(option).unknown(),
                },
            }
        }
        if options.files.is_empty() {
            complain(format_args!("luat_trace: no FILE given, so here is one of our own: {FIXTURE}"));
            options.files.push(FIXTURE.into());
        }
        Ok(Some(options))
    }
}

/// The side of the program that failed.
enum Failed {
    Input(io::Error),
    Output(io::Error),
}

/// Prints a file or the standard input. Returns true if it has a fault.
fn show_file(out: &mut impl Write, file: &OsString, options: &Options) -> Result<bool, Failed> {
    let name = file.display().to_string();
    if file == "-" {
        return show(out, &name, io::stdin().lock(), options);
    }
    show(out, &name, BufReader::new(File::open(file).map_err(Failed::Input)?), options)
}

/// Events are printed as they become certain, so a file of any length needs limited memory.
fn show(out: &mut impl Write, name: &str, input: impl BufRead, options: &Options) -> Result<bool, Failed> {
    let mut printer = Printer { out, json: options.json, count: 0 };
    let mut findings = Findings::default();
    let mut interpreter = Interpreter::default();
    printer.begin(name, options.only_findings).map_err(Failed::Output)?;
    let mut take = |events: Vec<Event>| {
        for event in events {
            findings.add(&event);
            if !options.only_findings {
                printer.event(&event)?;
            }
        }
        Ok(())
    };
    let mut unread = None;
    let mut is_trace = false;
    for record in Reader::new(input) {
        match record {
            Ok(record) => {
                is_trace |= matches!(record.origin, Origin::Script { .. });
                take(interpreter.interpret(&record)).map_err(Failed::Output)?;
            }
            // The events before the error are printed.
            Err(error) => unread = Some(error),
        }
    }
    if !is_trace && unread.is_none() {
        // A file without records must not be reported as free of faults.
        unread = Some(io::Error::new(io::ErrorKind::InvalidData, NO_TRACE));
    }
    take(interpreter.finish()).map_err(Failed::Output)?;
    let findings = findings.finish();
    printer.findings(&findings, options.only_findings, unread.as_ref()).map_err(Failed::Output)?;
    let is_wrong = findings.iter().any(|finding| finding.severity() > Severity::Harmless);
    unread.map_or(Ok(is_wrong), |error| Err(Failed::Input(error)))
}

/// Text or JSON.
struct Printer<'a, W> {
    out: &'a mut W,
    json: bool,
    /// The number of events printed so far.
    count: u64,
}

impl<W: Write> Printer<'_, W> {
    fn begin(&mut self, name: &str, only_findings: bool) -> io::Result<()> {
        match (self.json, only_findings) {
            (false, _) => writeln!(self.out, "{}", visible(name)),
            (true, false) => write!(self.out, "{{\"file\":{},\"story\":[", quoted(name)),
            (true, true) => write!(self.out, "{{\"file\":{}", quoted(name)),
        }
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Event { lines, at, what, .. } = event;
        let comma = if self.count > 0 { "," } else { "" };
        self.count += 1;
        if self.json {
            let (at, what) = (at.map_or("null".to_owned(), |at| at.to_string()), quoted(&what.to_string()));
            return write!(self.out, "{comma}{{\"lines\":{lines:?},\"at\":{at},\"what\":{what}}}");
        }
        let at = at.map_or(String::new(), |at| at.to_string());
        writeln!(self.out, "{at:>16}  {}  [{}]", visible(&what.to_string()), list(lines))
    }

    fn findings(
        &mut self,
        findings: &[Finding],
        only_findings: bool,
        unread: Option<&io::Error>,
    ) -> io::Result<()> {
        if self.json {
            let end = if only_findings { "" } else { "]" };
            let findings: Vec<String> = findings.iter().map(json).collect();
            write!(self.out, "{end},\"findings\":[{}]", findings.join(","))?;
            if let Some(error) = unread {
                write!(self.out, ",\"error\":{}", quoted(&error.to_string()))?;
            }
            writeln!(self.out, "}}")?;
            return self.out.flush();
        }
        if findings.is_empty() && unread.is_none() {
            writeln!(self.out, "  nothing is wrong")?;
        }
        for finding in findings {
            let pattern = finding.pattern;
            let count = if finding.count == 1 { String::new() } else { format!(", {} times", finding.count) };
            writeln!(self.out, "\n  {}: {}{count}", severity(finding.severity()), pattern.title())?;
            for evidence in &finding.evidence {
                writeln!(self.out, "    {}: {}", list(&evidence.lines), visible(&evidence.what))?;
            }
            if finding.count > finding.evidence.len() as u64 {
                writeln!(self.out, "    and more; search for: {}", pattern.searched())?;
            }
            writeln!(self.out, "    cause:  {}\n    advice: {}", pattern.cause(), pattern.advice())?;
        }
        writeln!(self.out)?;
        self.out.flush()
    }
}

fn json(finding: &Finding) -> String {
    let pattern = finding.pattern;
    let evidence: Vec<String> = finding
        .evidence
        .iter()
        .map(|evidence| format!("{{\"lines\":{:?},\"what\":{}}}", evidence.lines, quoted(&evidence.what)))
        .collect();
    format!(
        "{{\"severity\":{},\"title\":{},\"count\":{},\"searched\":{},\"cause\":{},\"advice\":{},\"evidence\":[{}]}}",
        quoted(severity(finding.severity())),
        quoted(pattern.title()),
        finding.count,
        quoted(pattern.searched()),
        quoted(pattern.cause()),
        quoted(pattern.advice()),
        evidence.join(",")
    )
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Harmless => "harmless",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            // This includes characters that end a line for some readers.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                json.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => json.push(c),
        }
    }
    json + "\""
}

/// Text without control characters, because a trace may contain any and they would affect the terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn list(lines: &[u64]) -> String {
    let word = if lines.len() == 1 { "line" } else { "lines" };
    let numbers: Vec<String> = lines.iter().map(u64::to_string).collect();
    format!("{word} {}", numbers.join(", "))
}
