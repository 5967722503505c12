//! The module's file system: names and contents.

use std::collections::{BTreeMap, BTreeSet};

use super::data::FileWrite;

/// The most bytes of one `AT+FSWRITE` (protocol.md section 14).
pub(super) const WRITE_LIMIT: usize = 10_240;
/// The size of the file system: 64100 bytes (capture a21, `AT+FSMEM` of an empty one).
pub(super) const CAPACITY: usize = 64_100;
/// The most files: limits the memory of empty ones (assumed).
const MAX_FILES: usize = 256;

/// All files and directories. A reboot preserves them. Names are stored without their leading `/` or `C:/`.
#[derive(Debug, Default)]
pub(super) struct Files {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
}

impl Files {
    pub(super) fn read(&self, name: &str) -> Option<&[u8]> {
        self.files.get(plain(name)).map(Vec::as_slice)
    }

    /// Creates an empty file; `false` if it exists, its directory does not, or its name has no room.
    pub(super) fn create(&mut self, name: &str) -> bool {
        let free = self.is_free(plain(name));
        if free {
            self.files.insert(plain(name).to_owned(), Vec::new());
        }
        free
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.files.remove(plain(name)).is_some()
    }

    /// Creates a directory; `false` as for a file.
    pub(super) fn make_directory(&mut self, name: &str) -> bool {
        self.is_free(plain(name)) && self.directories.insert(plain(name).to_owned())
    }

    /// Removes a directory; `false` if it does not exist or is not empty (assumed).
    pub(super) fn remove_directory(&mut self, name: &str) -> bool {
        let empty = self.list(name).is_some_and(|names| names.is_empty());
        empty && self.directories.remove(plain(name))
    }

    /// The content of a directory in the order of `AT+FSLS`: files, then directories with a backslash (capture a21).
    /// `None` if there is no such directory.
    pub(super) fn list(&self, directory: &str) -> Option<Vec<String>> {
        let directory = plain(directory);
        if !directory.is_empty() && !self.directories.contains(directory) {
            return None;
        }
        let inside = |name: &&String| parent(name) == directory;
        let files = self.files.keys().filter(inside).map(|name| last(name).to_owned());
        let directories = self.directories.iter().filter(inside).map(|name| format!("{}\\", last(name)));
        Some(files.chain(directories).collect())
    }

    fn is_free(&self, name: &str) -> bool {
        let taken = self.files.contains_key(name) || self.directories.contains(name);
        let housed = parent(name).is_empty() || self.directories.contains(parent(name));
        let room = self.files.len() + self.directories.len() < MAX_FILES;
        !name.is_empty() && !taken && housed && room
    }

    pub(super) fn free(&self) -> usize {
        CAPACITY - self.files.values().map(Vec::len).sum::<usize>()
    }

    /// Replaces or extends a file; `false` if it does not exist or has no room.
    pub(super) fn write(&mut self, write: &FileWrite) -> bool {
        let free = self.free();
        let Some(content) = self.files.get_mut(plain(&write.name)) else {
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

/// A name without the drive and slashes around it.
fn plain(name: &str) -> &str {
    name.strip_prefix("C:").unwrap_or(name).trim_matches('/')
}

/// The directory of a plain name; empty for the root.
fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn last(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}
