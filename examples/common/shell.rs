//! The shell interface of an example: its arguments, its output, and its exit code.
#![allow(dead_code, reason = "each example uses its own part")]

use std::ffi::{OsStr, OsString};
use std::fmt::{Debug, Display};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `EX_IOERR` of sysexits.h: the output, or a capture, can't be written.
pub const IO_ERROR: u8 = 74;

/// Writes to the standard output, and flushes. `println!` would panic if the reader has closed it.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// Writes a message to the standard error. If that can't be written, the message is lost.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// Text from other sources, safe for a terminal: control characters are shown, except line ends and tabs.
pub fn harmless(text: impl Display) -> String {
    shown(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// The same as one line.
pub fn line(text: impl Display) -> String {
    shown(text, char::is_control)
}

fn shown(text: impl Display, is_shown: fn(char) -> bool) -> String {
    let text = text.to_string();
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        match is_shown(c) {
            true => harmless.extend(c.escape_default()),
            false => harmless.push(c),
        }
    }
    harmless
}

/// The name of a variant in words: `BadRecordMac` is `bad record mac`.
pub fn words(variant: impl Debug) -> String {
    let mut words = String::new();
    for c in format!("{variant:?}").chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// The exit code if the output can't be written. A reader that has closed it (`| head`) is no failure.
pub fn unwritten(name: &str, error: &io::Error) -> ExitCode {
    ExitCode::from(unwritten_code(name, error))
}

fn unwritten_code(name: &str, error: &io::Error) -> u8 {
    if error.kind() == ErrorKind::BrokenPipe {
        return 0;
    }
    complain(format_args!("{name}: the output can't be written: {error}"));
    IO_ERROR
}

/// Prints the version and ends the program.
fn version(program: &Path) -> ! {
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let written = print(format_args!("{name} (air724ug) {}\n", env!("CARGO_PKG_VERSION")));
    std::process::exit(written.map_or_else(|error| unwritten_code(&name, &error), |()| 0).into())
}

/// One argument.
#[derive(PartialEq, Eq, Debug)]
pub enum Argument {
    /// `--help` or `-h`.
    Help,
    /// An option with its dashes.
    Option(String),
    /// An argument that is no option, such as the name of a file or `-`.
    Operand(OsString),
}

impl Argument {
    /// The error for an argument that the program does not know.
    pub fn unknown<T>(self) -> Result<T, String> {
        Err(match self {
            Self::Help => "there is no help".to_owned(),
            Self::Option(option) => format!("there is no option {option}"),
            Self::Operand(operand) => format!("{operand:?} is no option"),
        })
    }
}

/// The arguments of a program: `--option VALUE`, `--option=VALUE`, `-o VALUE`, `-oVALUE`, and operands, which may begin
/// with a dash after `--`.
#[derive(Debug)]
pub struct Arguments {
    parser: lexopt::Parser,
    /// The last option, whose value may be requested.
    option: String,
}

impl Arguments {
    /// The arguments of this process.
    pub fn of_process() -> Self {
        Self { parser: lexopt::Parser::from_env(), option: String::new() }
    }

    /// The arguments of a test.
    pub fn of(arguments: &[impl AsRef<OsStr>]) -> Self {
        Self { parser: lexopt::Parser::from_args(arguments.iter().map(AsRef::as_ref)), option: String::new() }
    }

    /// The next argument; an error if the last option has a value that it does not take. `--version` ends the program.
    pub fn take(&mut self) -> Result<Option<Argument>, String> {
        let argument = self.parser.next().map_err(|error| match error {
            lexopt::Error::UnexpectedValue { option, value } => {
                format!("{option} takes no value, and {value:?} is one")
            }
            other => other.to_string(),
        })?;
        let option = match argument {
            None => return Ok(None),
            Some(lexopt::Arg::Value(operand)) => return Ok(Some(Argument::Operand(operand))),
            Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) => return Ok(Some(Argument::Help)),
            Some(lexopt::Arg::Long("version") | lexopt::Arg::Short('V')) => {
                version(Path::new(self.parser.bin_name().unwrap_or_default()))
            }
            Some(lexopt::Arg::Long(name)) => format!("--{name}"),
            Some(lexopt::Arg::Short(name)) => format!("-{name}"),
        };
        self.option.clone_from(&option);
        Ok(Some(Argument::Option(option)))
    }

    /// Passes each option to `own`, for a program without operands. Returns true if help is requested.
    pub fn each_option<E: From<String>>(
        &mut self,
        mut own: impl FnMut(&str, &mut Self) -> Result<(), E>,
    ) -> Result<bool, E> {
        while let Some(argument) = self.take()? {
            match argument {
                Argument::Help => return Ok(true),
                Argument::Option(option) => own(&option, self)?,
                operand @ Argument::Operand(_) => return Ok(operand.unknown()?),
            }
        }
        Ok(false)
    }

    /// The value of the last option.
    pub fn value(&mut self) -> Result<String, String> {
        text(self.path()?.into_os_string()).map_err(|why| format!("{}: {why}", self.option))
    }

    /// The same as the name of a file, which may not be UTF-8.
    pub fn path(&mut self) -> Result<PathBuf, String> {
        self.parser.value().map(PathBuf::from).map_err(|_| format!("{} needs a value", self.option))
    }
}

/// An argument as text.
pub fn text(argument: OsString) -> Result<String, String> {
    argument.into_string().map_err(|argument| format!("{argument:?} is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All arguments, with the values of the options `--value` and `-v`.
    fn read(arguments: &[&str]) -> Result<Vec<String>, String> {
        let (mut arguments, mut read) = (Arguments::of(arguments), Vec::new());
        while let Some(argument) = arguments.take()? {
            read.push(match argument {
                Argument::Help => "help".to_owned(),
                Argument::Option(option) if matches!(option.as_str(), "--value" | "-v") => {
                    format!("{option} is {}", arguments.value()?)
                }
                Argument::Option(option) => option,
                Argument::Operand(operand) => text(operand)?,
            });
        }
        Ok(read)
    }

    #[test]
    fn options_and_values_have_the_forms_of_other_programs() {
        for form in [&["--value", "1"][..], &["--value=1"]] {
            assert_eq!(read(form).unwrap(), ["--value is 1"], "{form:?}");
        }
        for form in [&["-v", "1"][..], &["-v1"], &["-v=1"]] {
            assert_eq!(read(form).unwrap(), ["-v is 1"], "{form:?}");
        }
        assert_eq!(read(&["--value=", "--value", "--x"]).unwrap(), ["--value is ", "--value is --x"]);
        assert_eq!(
            read(&["-h", "--help", "-qx", "-", "--", "-h"]).unwrap(),
            ["help", "help", "-q", "-x", "-", "-h"]
        );
    }

    #[test]
    fn what_is_wrong_with_an_argument_is_reported() {
        assert_eq!(read(&["--value"]).unwrap_err(), "--value needs a value");
        assert_eq!(read(&["-v"]).unwrap_err(), "-v needs a value");
        assert_eq!(read(&["--quiet=1"]).unwrap_err(), "--quiet takes no value, and \"1\" is one");
        assert_eq!(Argument::Option("--x".into()).unknown::<()>().unwrap_err(), "there is no option --x");
        assert_eq!(Argument::Operand("x".into()).unknown::<()>().unwrap_err(), "\"x\" is no option");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_utf_8_is_a_file_and_no_text() {
        use std::os::unix::ffi::OsStrExt;
        let name = OsStr::from_bytes(b"c\xff");
        let mut arguments = Arguments::of(&[OsStr::new("--file"), name, OsStr::new("--port"), name]);
        arguments.take().unwrap();
        assert_eq!(arguments.path().unwrap().as_os_str(), name);
        arguments.take().unwrap();
        assert_eq!(arguments.value().unwrap_err(), "--port: \"c\\xFF\" is no UTF-8");
    }

    #[test]
    fn a_variant_is_shown_in_words() {
        assert_eq!((words(ErrorKind::BrokenPipe).as_str(), words("")), ("broken pipe", "\"\"".to_owned()));
    }

    #[test]
    fn text_of_others_can_not_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{9b}1m\rc\td\n"), "a\\u{1b}[2Jb\\u{9b}1m\\rc\td\n");
        assert_eq!(line("a\nsim1 ready\u{7}"), "a\\nsim1 ready\\u{7}");
        assert_eq!(line("中国移动"), "中国移动");
    }
}
