//! The new file of a capture, and the renaming of an earlier one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::time::{Duration, Instant};

/// The highest number of a renamed capture. If all numbers are used, recording is refused.
const MAX_NUMBER: u32 = 9999;
/// The longest wait for another capture of the same file to end, and the pause between two attempts.
#[cfg(unix)]
const TIMEOUT: Duration = Duration::from_secs(2);
#[cfg(unix)]
const PAUSE: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
/// The number of symbolic links that Linux follows.
const MAX_LINKS: u32 = 40;

/// Creates a file, after renaming an existing one.
pub(super) fn fresh(path: &Path) -> io::Result<File> {
    let file = set_aside(path).and_then(|()| open(path));
    file.map_err(|error| io::Error::new(error.kind(), format!("can't record in {}: {error}", path.display())))
}

/// Opens the file without waiting for the reader of a pipe. Writes to a pipe wait, on the thread.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::io::Errno;
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).custom_flags(OFlags::NONBLOCK.bits() as i32);
    let file = options.open(path).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NXIO) => io::Error::new(error.kind(), "nothing reads from this pipe"),
        _ => error,
    })?;
    fcntl_setfl(&file, fcntl_getfl(&file)?.difference(OFlags::NONBLOCK))?;
    if file.metadata()?.is_file() {
        if is_printed_to(&file)? {
            let why = "this program prints to the same file, and each would write over the other";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        claim(&file)?;
        file.set_len(0)?;
    }
    Ok(file)
}

/// True if the standard output or the standard error is this file.
#[cfg(unix)]
fn is_printed_to(file: &File) -> io::Result<bool> {
    let own = rustix::fs::fstat(file)?;
    let is_own = |it: rustix::fs::Stat| (it.st_dev, it.st_ino) == (own.st_dev, own.st_ino);
    let printed = [rustix::fs::fstat(rustix::stdio::stdout()), rustix::fs::fstat(rustix::stdio::stderr())];
    Ok(printed.into_iter().flatten().any(is_own))
}

/// Locks a file until it is closed, so that two captures never use the same one.
///
/// # Errors
/// `ResourceBusy` if another capture does not end in time.
#[cfg(unix)]
pub(super) fn claim(file: &File) -> io::Result<()> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;

    let begun = Instant::now();
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            // There is no call that waits for a lock with a time-out.
            Err(Errno::WOULDBLOCK) if begun.elapsed() < TIMEOUT => {
                rustix::event::poll(&mut [], Some(&PAUSE))?;
            }
            Err(Errno::WOULDBLOCK) => {
                let why = "another program records in this file";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
            }
            // Some file systems have no locks.
            Ok(()) | Err(_) => return Ok(()),
        }
    }
}

/// Unlocks a file.
#[cfg(unix)]
pub(super) fn release(file: &File) {
    // Closing it does the same.
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

#[cfg(not(unix))]
pub(super) fn claim(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn release(_: &File) {}

/// Renames an existing capture with the first free number after its name, so that it is not overwritten.
fn set_aside(path: &Path) -> io::Result<()> {
    let Some(path) = file_after(path) else { return Ok(()) };
    // A file in which another program records is not renamed.
    let earlier = File::open(&path).ok();
    earlier.as_ref().map_or(Ok(()), claim)?;
    for number in 1..=MAX_NUMBER {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        if fs::symlink_metadata(&name).is_err() {
            fs::rename(&path, &name)?;
            log::info!("the capture that was in {} is now in {}", path.display(), Path::new(&name).display());
            return Ok(());
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many earlier captures stand there"))
}

/// The file that a path leads to, if it is not empty. `None` for the name of an open file, such as `/dev/stdout`,
/// because it is in use.
fn file_after(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let found = fs::symlink_metadata(&path).ok()?;
        if !found.is_symlink() {
            return (found.is_file() && found.len() > 0).then_some(path);
        }
        if path.starts_with("/dev") || path.starts_with("/proc") {
            return None;
        }
        let target = fs::read_link(&path).ok()?;
        path = path.parent()?.join(target);
    }
    None
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}
