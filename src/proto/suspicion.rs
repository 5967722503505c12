//! What may still come late, and whose answer could be mistaken for it.

use std::time::Duration;

use crate::at::{Command, Line};
use crate::time::Timestamp;

/// Commands that timed out, whose answers may come at any moment.
///
/// A module answers in order, so most late answers come before that of the next question; but firmware prints results
/// when it has them (capture s04: 75 s later, inside another command). While there is suspicion, a command of which the
/// answer could be another's is believed only when a question behind it was answered too and nothing came twice: its own
/// answer always comes, so a late one is the second.
#[derive(Debug)]
pub(super) struct Suspicion {
    until: Timestamp,
    /// Finals that have not come.
    owed: usize,
    feared: Vec<Command>,
    /// Whether there are more than are kept.
    of_all: bool,
}

/// How long after a time-out a late answer may still come: the longest time that any documented command may take
/// (`AT+COPS`, protocol section 15).
const SPAN: Duration = Duration::from_secs(300);
/// How many commands that timed out are kept. Whoever loses more in [`SPAN`] has a line on which nothing can be trusted:
/// then every command is feared.
const MAX_FEARED: usize = 16;

impl Suspicion {
    pub(super) fn none() -> Self {
        Self { until: Timestamp::ZERO, owed: 0, feared: Vec::new(), of_all: false }
    }

    pub(super) fn forget(&mut self) {
        *self = Self::none();
    }

    /// A command has timed out: its answer may come late, from now on.
    pub(super) fn begin(&mut self, now: Timestamp, command: &Command) {
        if now >= self.until {
            self.forget();
        }
        self.owed += 1;
        self.until = now + SPAN;
        if self.feared.iter().any(|feared| feared.text() == command.text()) {
            return;
        }
        if self.feared.len() < MAX_FEARED {
            self.feared.push(command.clone());
        } else {
            self.of_all = true;
        }
    }

    /// Finals that were nobody's have come.
    pub(super) fn paid(&mut self, finals: usize) {
        self.owed = self.owed.saturating_sub(finals);
        // What prints further lines behind its final, or none at all, has not been heard of to the end.
        let settled = self.feared.iter().all(Command::has_one_final) && !self.of_all;
        if self.owed == 0 && settled {
            self.forget();
        }
    }

    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// The commands, for whoever wants to keep out of their way.
    pub(super) fn feared(&self) -> &[Command] {
        &self.feared
    }

    /// Whether a final that names a command may yet be another's.
    pub(super) fn has_rival(&self, command: &Command) -> bool {
        self.of_all || self.feared.iter().any(|older| command.is_rival_of(older))
    }

    /// Whether a line is accounted for by a late answer. Bare text is not: half of any line looks like it.
    pub(super) fn explains(&self, line: &Line<'_>) -> bool {
        let may_be_of = |older: &Command| match line {
            Line::Text(_) => older.has_one_line() && older.may_print(line),
            line => older.may_print(line),
        };
        self.feared.iter().any(may_be_of)
    }

    /// Whether lines of an answer may be those of another.
    pub(super) fn may_have_mixed(&self, command: &Command, lines: &[String]) -> bool {
        // A status has its own way of telling.
        if command.is_open_ended() {
            return false;
        }
        lines.iter().any(|line| {
            let line = Line::parse(line.as_bytes());
            let key = match &line {
                Line::Info { key, .. } => std::str::from_utf8(key).ok().filter(|key| command.has_key(key)),
                _ => None,
            };
            let mut authors = self.feared.iter().filter(|older| match key {
                Some(key) => older.has_key(key) || older.is_chain(),
                None => older.may_print(&line),
            });
            // Its own answer always comes, so a late line is the second of its kind.
            let has_author = self.of_all || authors.clone().next().is_some();
            has_author && (lines.len() > 1 || !authors.all(|older| command.has_own_line(older)))
        })
    }
}
