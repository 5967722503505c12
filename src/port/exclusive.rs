//! Opens the device of a port as a user without privileges does: not while another program has it exclusively.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

/// Opens the device without waiting for it.
///
/// # Errors
/// [`io::ErrorKind::ResourceBusy`] if another program has it exclusively (`TIOCEXCL`).
pub(super) fn open_device(path: &str) -> io::Result<File> {
    let opened = as_unprivileged(|| open(path));
    match opened {
        // The lock of a pseudo-terminal outlives the program that took it, while the other side is open.
        Some(Err(error)) if error.kind() == io::ErrorKind::ResourceBusy && is_left_over(path) => open(path),
        Some(opened) => opened,
        None => open(path),
    }
}

fn open(path: &str) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    OpenOptions::new().read(true).write(true).custom_flags(flags as i32).open(path)
}

/// Calls this without the privilege that passes over locks of terminals (`CAP_SYS_ADMIN`), which root has: the kernel
/// has no other way to respect them. Only this thread is without it, for the time of the call. `None` if it has no such
/// privilege, or can't give it up.
#[cfg(target_os = "linux")]
fn as_unprivileged<T>(call: impl FnOnce() -> T) -> Option<T> {
    use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

    struct Restored(CapabilitySets);

    impl Drop for Restored {
        fn drop(&mut self) {
            // The privilege is still permitted, so this can't fail.
            let _ = set_capabilities(None, self.0);
        }
    }

    let before = capabilities(None).ok()?;
    let effective = before.effective.difference(CapabilitySet::SYS_ADMIN);
    if effective == before.effective {
        return None;
    }
    set_capabilities(None, CapabilitySets { effective, ..before }).ok()?;
    let _restored = Restored(before);
    Some(call())
}

#[cfg(not(target_os = "linux"))]
fn as_unprivileged<T>(_: impl FnOnce() -> T) -> Option<T> {
    None
}

/// Whether the path leads to a pseudo-terminal that no program has open.
fn is_left_over(path: &str) -> bool {
    let is_terminal = std::fs::canonicalize(path).is_ok_and(|path| path.starts_with("/dev/pts"));
    is_terminal && super::users::users(path).is_empty()
}
