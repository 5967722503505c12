//! The destination of a body, a file or the standard output, and the progress bar.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use crate::common::Failed;

const BAR: &str = "{wide_bar} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
/// The bar's text while the length is unknown.
const COUNT: &str = "{spinner} {decimal_bytes}, {decimal_bytes_per_sec}";

/// The destination of a body.
pub struct Output {
    file: Option<File>,
    /// True if it has a length, unlike a device or a pipe.
    is_regular: bool,
    /// True if its content is not wanted.
    is_old: bool,
    /// The number of bytes in it.
    pub have: u64,
    began: Instant,
    began_with: u64,
    /// Hidden if the standard error is no terminal.
    bar: ProgressBar,
}

impl Output {
    /// A file, which is emptied at the first answer unless its content is continued; or the standard output.
    pub fn open(path: Option<&Path>, resumes: bool) -> Result<Self, Failed> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        };
        let opened = path.map(open).transpose().map_err(|error: io::Error| {
            let path = path.unwrap_or(Path::new("")).display();
            Failed::Job(format!("{path} can't be written: {error}"), Some("-o takes the path of a file"))
        })?;
        let is_regular = opened.as_ref().is_some_and(|(_, metadata)| metadata.is_file());
        let have =
            opened.as_ref().filter(|_| is_regular && resumes).map_or(0, |(_, metadata)| metadata.len());
        let (file, is_old, now) = (opened.map(|(file, _)| file), !resumes, Instant::now());
        // A bar between the lines of a body would make it unreadable.
        let is_shown = file.is_some() || !io::stdout().is_terminal();
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_finish(ProgressFinish::AndClear);
        bar.set_style(style(COUNT));
        Ok(Self { file, is_regular, is_old, have, began: now, began_with: have, bar })
    }

    /// The content begins: unwanted content is removed.
    pub fn begin(&mut self) -> Result<(), Failed> {
        match &self.file {
            Some(file) if self.is_regular && self.is_old => file.set_len(0).map_err(Failed::Output)?,
            _ => {}
        }
        self.is_old = false;
        Ok(())
    }

    /// Restarts with an empty output; `false` if that is not possible.
    pub fn start_over(&mut self) -> Result<bool, Failed> {
        if let Some(file) = self.file.as_ref().filter(|_| self.is_regular) {
            file.set_len(0).map_err(Failed::Output)?;
            (self.have, self.began_with) = (0, 0);
            self.bar.reset();
        }
        Ok(self.have == 0)
    }

    pub fn write(&mut self, data: &[u8], whole: Option<u64>) -> Result<(), Failed> {
        match &mut self.file {
            Some(file) => file.write_all(data),
            None => io::stdout().lock().write_all(data),
        }
        .map_err(Failed::Output)?;
        self.have += data.len() as u64;
        if let Some(whole) = whole.filter(|whole| self.bar.length() != Some(*whole)) {
            self.bar.set_style(style(BAR));
            self.bar.set_length(whole);
        }
        self.bar.set_position(self.have);
        Ok(())
    }

    /// Prints while the bar is hidden.
    pub fn aside(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    pub fn flush(&mut self) -> Result<(), Failed> {
        self.bar.finish_and_clear();
        match &self.file {
            Some(_) if !self.is_regular => Ok(()),
            Some(file) => file.sync_all().map_err(Failed::Output),
            None => io::stdout().lock().flush().map_err(Failed::Output),
        }
    }

    /// `1.2 kB, 10.1 kB/s`.
    pub fn amount(&self) -> String {
        let rate = (self.have - self.began_with) as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        format!("{:.1} kB, {:.1} kB/s", self.have as f64 / 1000.0, rate / 1000.0)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bars_can_be_drawn() {
        assert!([BAR, COUNT].into_iter().all(|template| ProgressStyle::with_template(template).is_ok()));
    }
}
