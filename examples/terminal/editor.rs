//! The line editor: completion, history, and a printer for what comes while a line is typed.

use std::fs;
use std::io;
use std::path::Path;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory, SearchDirection};
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter, Helper};

use super::commands::{COMMANDS, completions};

/// Lines with one of these in them are not kept.
const SECRET: [&str; 9] = ["PIN", "PW", "PASS", "PUK", "KEY", "AUTH", "CSTT=", "SAPBR", "CLCK"];

struct Known;

impl Helper for Known {}
impl Highlighter for Known {}
impl Validator for Known {}

/// Says in grey what the command that stands there does.
impl Hinter for Known {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        let is_whole = position == line.len();
        let known = COMMANDS.iter().find(|(name, _)| is_whole && name.eq_ignore_ascii_case(line))?;
        Some(format!("   {}", known.1))
    }
}

impl Completer for Known {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok((0, completions(&line[..position]).into_iter().map(str::to_owned).collect()))
    }
}

/// A line of a person, or the end of the input.
pub enum Typed {
    Line(String),
    /// Ctrl-C or Ctrl-D.
    End,
}

/// A line editor with a history.
pub struct LineEditor(Editor<Known, MemHistory>);

impl LineEditor {
    pub fn new() -> rustyline::Result<Self> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(false).build();
        let mut editor = Editor::with_history(config.clone(), MemHistory::with_config(&config))?;
        editor.set_helper(Some(Known));
        Ok(Self(editor))
    }

    /// Takes the history of earlier sessions. The first time there is none.
    pub fn load(&mut self, path: &Path) -> io::Result<()> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        // Of too many the oldest go.
        text.lines().try_for_each(|line| self.keep(line))
    }

    /// Prints above the line that is being typed.
    pub fn printer(&mut self) -> rustyline::Result<impl ExternalPrinter + Send + 'static> {
        self.0.create_external_printer()
    }

    pub fn read(&mut self, prompt: &str) -> io::Result<Typed> {
        match self.0.readline(prompt) {
            Ok(line) => {
                let line = line.trim().to_owned();
                if !line.is_empty() && !is_secret(&line) {
                    self.keep(&line)?;
                }
                Ok(Typed::Line(line))
            }
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => Ok(Typed::End),
            Err(ReadlineError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    pub fn save(&self, path: &Path) -> io::Result<()> {
        let history = self.0.history();
        let entry = |index| history.get(index, SearchDirection::Forward).ok().flatten();
        let entries = (0..history.len()).filter_map(entry);
        let lines: String = entries.map(|line| format!("{}\n", line.entry)).collect();
        fs::write(path, lines)
    }

    fn keep(&mut self, line: &str) -> io::Result<()> {
        self.0.add_history_entry(line).map(drop).map_err(io::Error::other)
    }
}

/// Whether a line may hold a secret.
fn is_secret(line: &str) -> bool {
    let line = line.to_ascii_uppercase();
    line.contains('=') && SECRET.iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_secret_is_not_kept() {
        for line in
            ["AT+CPIN=\"1234\"", "at+cpwd=\"SC\",\"1\",\"2\"", "AT+CSTT=\"net\",\"me\",\"pw\"", "AT+FTPPW=x"]
        {
            assert!(is_secret(line), "{line}");
        }
        for line in ["AT+CPIN?", "AT+CSQ", "AT+CFUN=1", "send Hello, PIN"] {
            assert!(!is_secret(line), "{line}");
        }
    }
}
