//! A pseudo-terminal with a modem's end and a host's end.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{self, OptionalActions};

/// A pseudo-terminal. The host opens [`path`](Self::path) like any serial port; it may close and open it again.
///
/// Both ends stay open here, so that the modem gets no report when a host leaves. A real modem gets none either.
#[derive(Debug)]
pub struct Pty {
    /// `None` while it is unplugged.
    ends: Option<Ends>,
    path: PathBuf,
    link: Option<PathBuf>,
}

#[derive(Debug)]
struct Ends {
    master: OwnedFd,
    /// Kept open: otherwise the master would report a hang-up between two hosts.
    slave: OwnedFd,
}

impl Pty {
    /// Opens a new one. Its line is raw, so that the modem's output is not echoed back to it, even before a host has
    /// set the line up.
    ///
    /// # Errors
    ///
    /// If the system has none left, or denies permission.
    pub fn open() -> io::Result<Self> {
        let (ends, path) = Ends::open()?;
        Ok(Self { ends: Some(ends), path, link: None })
    }

    /// Closes both ends and removes the link: the host's port hangs up.
    pub(super) fn unplug(&mut self) {
        // While the terminal is open, no other one has its name.
        self.remove_link();
        self.ends = None;
    }

    /// Opens a new terminal, usually with another number, at the same link or at one of this name in the same folder.
    /// If the name is not available, the link keeps its old one, and the port is still back.
    pub(super) fn plug_in(&mut self, name: Option<&str>) -> io::Result<()> {
        let (ends, path) = Ends::open()?;
        self.ends = Some(ends);
        self.path = path;
        let Some(link) = self.link.take() else { return Ok(()) };
        if let Some(name) = name {
            match self.link_beside(&link, name) {
                Ok(()) => return Ok(()),
                Err(error) => log::error!("the port is back at {}, not at {name:?}: {error}", link.display()),
            }
        }
        self.link(link)
    }

    /// Makes a link of this name in the folder of another link, unless the name leads to an existing file.
    fn link_beside(&mut self, link: &Path, name: &str) -> io::Result<()> {
        let mut parts = Path::new(name).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no name of a file"));
        }
        let link = link.with_file_name(name);
        if link.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.link(link)
    }

    /// The modem's end, while it is plugged in.
    pub fn master(&self) -> Option<BorrowedFd<'_>> {
        self.ends.as_ref().map(|ends| ends.master.as_fd())
    }

    /// The path that the host opens, such as `/dev/pts/3`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a symbolic link to it, as a constant name; it is removed when this is dropped. A dangling link, as a
    /// killed run leaves it, is replaced; other files are not.
    ///
    /// # Errors
    ///
    /// If the path has a file that is no link, or a link to an existing file, such as the terminal of another simulated
    /// modem; if the directory can't be written.
    pub fn link(&mut self, link: impl Into<PathBuf>) -> io::Result<()> {
        let link = link.into();
        if let Ok(target) = fs::read_link(&link) {
            // The terminal of a killed run may be this one now.
            if link.exists() && target != self.path {
                let why = format!("it leads to {}, which another program serves", target.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
            fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink(&self.path, &link)?;
        self.link = Some(link);
        Ok(())
    }

    /// The line rate that the host has set.
    pub(super) fn rate(&self) -> io::Result<u32> {
        let ends = self.ends.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        Ok(termios::tcgetattr(&ends.slave)?.output_speed())
    }

    fn remove_link(&self) {
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|target| target == self.path)
        {
            drop(fs::remove_file(link));
        }
    }

    /// Reads bytes of the host; `None` if there are none now.
    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(master) = self.master() else { return Ok(None) };
        retry(|| rustix::io::read(master, &mut *into))
    }

    /// Writes to the host; `None` if it does not read now.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let Some(master) = self.master() else { return Ok(None) };
        retry(|| rustix::io::write(master, bytes))
    }
}

impl Ends {
    fn open() -> io::Result<(Self, PathBuf)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd"))]
        let flags = flags | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let path = PathBuf::from(std::ffi::OsString::from_vec(name.into_bytes()));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&path, flags, Mode::empty())?;
        let mut line = termios::tcgetattr(&slave)?;
        line.make_raw();
        termios::tcsetattr(&slave, OptionalActions::Now, &line)?;
        let status = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, status | OFlags::NONBLOCK)?;
        Ok((Self { master, slave }, path))
    }
}

/// Removes the link, if it still leads to this terminal.
impl Drop for Pty {
    fn drop(&mut self) {
        self.remove_link();
    }
}

fn retry(mut call: impl FnMut() -> rustix::io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(count) => return Ok(Some(count)),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
