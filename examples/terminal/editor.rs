//! The line editor: completion, history, a line with the state above the prompt, and a printer for output while a line
//! is typed.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory, SearchDirection};
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext,
    EventHandler, ExternalPrinter, Helper, KeyCode, KeyEvent, Modifiers, RepeatCount,
};

use super::commands::{COMMANDS, completions};

/// Lines with one of these are not kept in the history.
const SECRET: [&str; 9] = ["PIN", "PW", "PASS", "PUK", "KEY", "AUTH", "CSTT=", "SAPBR", "CLCK"];

/// The line above the prompt. It is drawn again with every output, also while a line is typed.
#[derive(Clone, Default)]
pub struct StateLine(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    text: String,
    /// The width of the terminal: a longer line would use two rows.
    columns: usize,
    /// Something is typed after the prompt.
    is_typed: bool,
    /// The word of the key that was pressed.
    word: Option<&'static str>,
}

impl StateLine {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, text: String) {
        self.lock().text = text;
    }

    /// The line and, below it, the prompt.
    fn prompt(&self) -> String {
        let state = self.lock();
        let line: String = state.text.chars().take(state.columns.saturating_sub(1)).collect();
        format!("{line}\n> ")
    }
}

struct Known(StateLine);

impl Helper for Known {}
impl Validator for Known {}

/// Highlights without colours: it only supplies the current prompt, because the editor calls it each time that it
/// draws.
impl Highlighter for Known {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, is_default: bool) -> Cow<'b, str> {
        // A search in the history has a prompt of its own.
        if is_default { Cow::Owned(self.0.prompt()) } else { Cow::Borrowed(prompt) }
    }
}

/// Shows the effect of the typed command after it. The editor asks at every change of the line.
impl Hinter for Known {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        self.0.lock().is_typed = !line.is_empty();
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

/// Keys that stand for a word, whatever is typed at the moment.
const KEYS: [(KeyCode, &str); 1] = [(KeyCode::F(2), "doctor")];

/// Ends the line, and keeps the word of the key.
struct WordKey(&'static str, StateLine);

impl ConditionalEventHandler for WordKey {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.1.lock().word = Some(self.0);
        Some(Cmd::AcceptLine)
    }
}

/// A line of the user, or the end of the input.
pub enum Typed {
    Line(String),
    /// Ctrl-D, or Ctrl-C where nothing is typed.
    End,
}

/// A line editor with a history.
pub struct LineEditor {
    editor: Editor<Known, MemHistory>,
    state: StateLine,
    /// The line that a key has interrupted. It is typed on afterwards.
    interrupted: String,
}

impl LineEditor {
    pub fn new(state: StateLine) -> rustyline::Result<Self> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(false);
        let config = config.color_mode(ColorMode::Forced).build();
        let mut editor = Editor::with_history(config.clone(), MemHistory::with_config(&config))?;
        editor.set_helper(Some(Known(state.clone())));
        for (key, word) in KEYS {
            let handler = EventHandler::Conditional(Box::new(WordKey(word, state.clone())));
            editor.bind_sequence(KeyEvent(key, Modifiers::NONE), handler);
        }
        Ok(Self { editor, state, interrupted: String::new() })
    }

    /// Loads the history of earlier sessions. The first time there is none.
    pub fn load(&mut self, path: &Path) -> io::Result<()> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        // Beyond the limit the oldest are dropped.
        text.lines().try_for_each(|line| self.keep(line))
    }

    /// Prints above the line that is being typed.
    pub fn printer(&mut self) -> rustyline::Result<impl ExternalPrinter + Send + 'static> {
        self.editor.create_external_printer()
    }

    /// The next line; an interactive user sees the state above it.
    pub fn read(&mut self, is_interactive: bool) -> io::Result<Typed> {
        let columns = self.editor.dimensions().map_or(80, |(columns, _)| columns.into());
        {
            let mut state = self.state.lock();
            (state.columns, state.is_typed, state.word) = (columns, false, None);
        }
        let prompt = if is_interactive { self.state.prompt() } else { String::new() };
        let begun = std::mem::take(&mut self.interrupted);
        let read = self.editor.readline_with_initial(&prompt, (&begun, ""));
        let word = self.state.lock().word;
        match (read, word) {
            (Ok(line), Some(word)) => {
                self.interrupted = line;
                Ok(Typed::Line(word.to_owned()))
            }
            (Ok(line), None) => {
                let line = line.trim().to_owned();
                if !line.is_empty() && !is_secret(&line) {
                    self.keep(&line)?;
                }
                Ok(Typed::Line(line))
            }
            (Err(ReadlineError::Interrupted), _) if self.state.lock().is_typed => {
                Ok(Typed::Line(String::new()))
            }
            (Err(ReadlineError::Interrupted | ReadlineError::Eof), _) => Ok(Typed::End),
            (Err(ReadlineError::Io(error)), _) => Err(error),
            (Err(error), _) => Err(io::Error::other(error)),
        }
    }

    pub fn save(&self, path: &Path) -> io::Result<()> {
        let history = self.editor.history();
        let entry = |index| history.get(index, SearchDirection::Forward).ok().flatten();
        let entries = (0..history.len()).filter_map(entry);
        let lines: String = entries.map(|line| format!("{}\n", line.entry)).collect();
        fs::write(path, lines)
    }

    fn keep(&mut self, line: &str) -> io::Result<()> {
        self.editor.add_history_entry(line).map(drop).map_err(io::Error::other)
    }
}

/// True if a line may contain a secret.
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
