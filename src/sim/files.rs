//! The module's file system: names and contents.

use std::collections::{BTreeMap, BTreeSet};

use super::data::FileWrite;
use super::machine::{Machine, Mode};
use super::result::Then;

/// The most that one `AT+FSWRITE` takes (protocol.md section 14).
pub(super) const WRITE_LIMIT: usize = 10_240;
/// What the file system holds: 64100 bytes (capture a21, `AT+FSMEM` of an empty one).
pub(super) const CAPACITY: usize = 64_100;
/// How many files and directories there can be: bounds the memory that empty ones take (assumed).
const MAX_FILES: usize = 256;

/// All files. They survive a reboot.
#[derive(Debug, Default)]
pub(super) struct Files {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
}

impl Files {
    pub(super) fn read(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// Makes an empty file; `false` if it exists or there is no room for its name.
    pub(super) fn create(&mut self, name: &str) -> bool {
        if self.files.contains_key(name) || self.is_full() {
            return false;
        }
        self.files.insert(name.to_owned(), Vec::new());
        true
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.files.remove(name).is_some()
    }

    /// Makes a directory; `false` if something of its name exists or there is no room for one.
    pub(super) fn make_directory(&mut self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        !self.is_full() && !self.files.contains_key(name) && self.directories.insert(name.to_owned())
    }

    /// Removes a directory; `false` if there is none or something is in it (that it must be empty is assumed).
    pub(super) fn remove_directory(&mut self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        self.list(name).is_empty() && self.directories.remove(name)
    }

    /// What is in a directory, as `AT+FSLS` lists it: files, then directories with a `\` behind them (capture a21).
    pub(super) fn list(&self, directory: &str) -> Vec<String> {
        let directory = directory.trim_end_matches('/');
        let inside = |name: &String| -> Option<String> {
            let inside = name.strip_prefix(directory)?.trim_start_matches('/');
            (!inside.is_empty() && !inside.contains('/')).then(|| inside.to_owned())
        };
        let directories = self.directories.iter().filter_map(inside).map(|name| name + "\\");
        self.files.keys().filter_map(inside).chain(directories).collect()
    }

    fn is_full(&self) -> bool {
        self.files.len() + self.directories.len() >= MAX_FILES
    }

    pub(super) fn free(&self) -> usize {
        CAPACITY - self.files.values().map(Vec::len).sum::<usize>()
    }

    /// Replaces or extends a file; `false` if it is not there or does not fit.
    fn write(&mut self, write: &FileWrite) -> bool {
        let free = self.free();
        let Some(content) = self.files.get_mut(&write.name) else {
            return false;
        };
        let released = if write.append { 0 } else { content.len() };
        if write.bytes.len() > free + released {
            return false;
        }
        if !write.append {
            content.clear();
        }
        content.extend_from_slice(&write.bytes);
        true
    }
}

impl Machine {
    /// Takes a file's bytes, not echoed (capture a21); answers how many belong to it.
    pub(super) fn feed_file(&mut self, bytes: &[u8]) -> usize {
        let Mode::File(write) = &mut self.mode else {
            return 0;
        };
        let used = bytes.len().min(write.length - write.bytes.len());
        write.bytes.extend_from_slice(&bytes[..used]);
        if write.bytes.len() < write.length {
            return used;
        }
        let written = self.files.write(write);
        self.editor.swallow_line_ends();
        if written {
            let until = self.after_latency();
            self.run_pause(until, Then::Written);
        } else {
            self.final_line("ERROR");
            self.free_line();
        }
        used
    }
}
