//! The file or the standard output that a body goes to, and the line that shows how far it is.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::Failed;
use crate::common::shell::complain;

/// Between two lines of progress.
const SHOWN: Duration = Duration::from_secs(1);

/// The place for a body.
pub struct Output {
    file: Option<File>,
    /// Whether it has a length: not a device or a pipe.
    is_regular: bool,
    /// Whether it has what is not wanted.
    is_old: bool,
    /// The bytes that it has.
    pub have: u64,
    began: Instant,
    began_with: u64,
    shown: Instant,
}

impl Output {
    /// A file, emptied once there is an answer, unless the rest of its content is wanted; or the standard output.
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
        Ok(Self { file, is_regular, is_old, have, began: now, began_with: have, shown: now })
    }

    /// The content comes: what is not wanted goes.
    pub fn begin(&mut self) -> Result<(), Failed> {
        match &self.file {
            Some(file) if self.is_regular && self.is_old => file.set_len(0).map_err(Failed::Output)?,
            _ => {}
        }
        self.is_old = false;
        Ok(())
    }

    /// Begins from the start; `false` where that is not possible.
    pub fn start_over(&mut self) -> Result<bool, Failed> {
        if let Some(file) = self.file.as_ref().filter(|_| self.is_regular) {
            file.set_len(0).map_err(Failed::Output)?;
            (self.have, self.began_with) = (0, 0);
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
        if self.shown.elapsed() >= SHOWN && io::stderr().is_terminal() {
            self.shown = Instant::now();
            complain(format_args!("{}", self.progress(whole)));
        }
        Ok(())
    }

    pub fn flush(&mut self) -> Result<(), Failed> {
        match &self.file {
            Some(_) if !self.is_regular => Ok(()),
            Some(file) => file.sync_all().map_err(Failed::Output),
            None => io::stdout().lock().flush().map_err(Failed::Output),
        }
    }

    /// `1.2 of 4.0 kB (30 %), 10.1 kB/s, 0 s left`.
    pub fn progress(&self, whole: Option<u64>) -> String {
        let rate = (self.have - self.began_with) as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        let kilo = |count: u64| count as f64 / 1000.0;
        let rated = format!("{:.1} kB/s", rate / 1000.0);
        match whole.filter(|whole| *whole > 0) {
            Some(whole) => {
                let left = whole.saturating_sub(self.have) as f64 / rate.max(1.0);
                let part = 100 * u128::from(self.have) / u128::from(whole);
                format!(
                    "{:.1} of {:.1} kB ({part} %), {rated}, {left:.0} s left",
                    kilo(self.have),
                    kilo(whole)
                )
            }
            None => format!("{:.1} kB, {rated}", kilo(self.have)),
        }
    }
}
