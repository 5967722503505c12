//! An interactive console: commands with history and completion, and unsolicited lines with their meaning.
//!
//! ```text
//! cargo run --example terminal --features examples-terminal
//! cargo run --example terminal --features examples-terminal -- --port auto
//! ```

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod console;
mod editor;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use common::shell::Arguments;
use common::{Common, Usage, seconds, unknown};

const USAGE: &str = "\
A console for a module: type commands (AT+CSQ), or `help`. Tab completes, the arrows go through the history, F2 runs
`doctor`, Ctrl-C drops the line, and ends the program where nothing is typed, as Ctrl-D does. Unsolicited output of the module is printed as it comes, its
meaning beside it. Reads commands from the standard input if that is no terminal, and fails with the first that fails.

usage: terminal [options]

  --timeout SECONDS    how long a command may take [30]
  --history FILE       keeps the history; lines with a password, a PIN or a key in them are not kept [none]
";

/// The options of the program.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) common: Common,
    pub(crate) timeout: Duration,
    pub(crate) history: Option<PathBuf>,
}

fn main() -> ExitCode {
    common::main("terminal", USAGE, parse, console::run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options { common: Common::default(), timeout: Duration::from_secs(30), history: None };
    options.common = common::options(args, |option, value| {
        match option {
            "--timeout" => options.timeout = seconds(option, &value()?)?,
            "--history" => options.history = Some(value()?.into()),
            other => return unknown(other),
        }
        Ok(())
    })?;
    Ok(options)
}
