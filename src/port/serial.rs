//! A serial port by its path, on systems that have `poll`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serialport::{SerialPort, TTYPort};

#[cfg(target_os = "linux")]
use super::direct_read::{SerialDirectRead, SetAlarm, WaitSet};
use super::exclusive::open_device;
use super::explain::explain;
use super::users::lock_of;
#[cfg(target_os = "linux")]
use super::{Alarm, DirectRead};
use super::{CallerEnd, DirectWrite, LeadsElsewhere, Line, Port, Sleeper};
use crate::config::{Config, FlowControl};

/// Opens and configures a port.
///
/// `serialport` sets the port up and locks it for this process. The bytes go through a second, non-blocking descriptor
/// of the same device. The driver waits for that descriptor together with a wake-up, so an idle modem uses no processor
/// time.
pub(crate) fn open(path: &str, config: &Config) -> io::Result<Port> {
    let device = std::fs::canonicalize(path).unwrap_or_default();
    if let Some(lock) = lock_of(root_of(config), &device) {
        let (program, file) = (lock.program, lock.file.display());
        let text = format!("{path}: {program} has locked it by the file {file}; close that program first");
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
    }
    // The file is opened first: `open` fails once the port is locked for this process, and its errors are plainer.
    let file = open_device(path).map_err(|error| explain(path, error))?;
    let settings = set_up(path, &file, config).map_err(|error| explain(path, error))?;
    let file = Arc::new(file);
    #[cfg(target_os = "linux")]
    let set = WaitSet::new(&file).ok();
    #[cfg_attr(not(target_os = "linux"), allow(unused_mut, reason = "only Linux has epoll"))]
    let mut callers = CallerEnd {
        direct: Box::new(Direct(file.clone())),
        direct_read: None,
        alarm: None,
        leads_elsewhere: leads_elsewhere(path, &file),
    };
    #[cfg(target_os = "linux")]
    if let Some(set) = &set {
        let direct_read = SerialDirectRead::new(file.clone(), set.clone()).ok();
        callers.direct_read = direct_read.map(|direct_read| -> Box<dyn DirectRead> { Box::new(direct_read) });
        let alarm = SetAlarm::new(set).ok();
        callers.alarm = alarm.map(|alarm| -> Box<dyn Alarm> { Box::new(alarm) });
    }
    Ok(Port::Line {
        line: Box::new(SerialLine {
            file,
            settings,
            #[cfg(target_os = "linux")]
            set,
        }),
        callers,
    })
}

/// The folder that holds `run` and `proc`.
#[cfg(feature = "ports")]
fn root_of(config: &Config) -> &Path {
    config.root.as_deref().unwrap_or(Path::new("/"))
}

#[cfg(not(feature = "ports"))]
fn root_of(_: &Config) -> &Path {
    Path::new("/")
}

/// Compares the device behind the path with the one that was opened. A path without a device leads nowhere.
fn leads_elsewhere(path: &str, file: &File) -> Option<Box<LeadsElsewhere>> {
    let (path, opened) = (path.to_owned(), rustix::fs::fstat(file).ok()?.st_rdev);
    Some(Box::new(move || rustix::fs::stat(&*path).is_ok_and(|now| now.st_rdev != opened)))
}

fn set_up(path: &str, file: &File, config: &Config) -> io::Result<TTYPort> {
    let flow_control = match config.flow_control {
        FlowControl::None => serialport::FlowControl::None,
        FlowControl::RtsCts => serialport::FlowControl::Hardware,
    };
    // The first lock is a shared one. It is refused, and changes nothing, while another program has the port
    // exclusively.
    let builder = serialport::new(path, config.baud_rate).flow_control(flow_control).exclusive(false);
    let mut settings = TTYPort::open(&builder)?;
    settings.set_exclusive(true)?;
    if is_pseudo_terminal(file) {
        // The lock is sufficient, and every end of this process releases it. `TIOCEXCL`, which keeps other programs
        // from opening the device, would last until the other side closes the device.
        let _ = rustix::termios::ioctl_tiocnxcl(file);
    }
    // Bytes that an earlier program left unread are discarded.
    let _ = settings.clear(serialport::ClearBuffer::Input);
    Ok(settings)
}

/// Whether the device number is that of a pseudo-terminal. Only Linux defines these numbers (admin-guide/devices.txt:
/// 136 to 143).
fn is_pseudo_terminal(file: &File) -> bool {
    let major = || rustix::fs::fstat(file).map(|stat| rustix::fs::major(stat.st_rdev));
    cfg!(target_os = "linux") && major().is_ok_and(|major| (136..=143).contains(&major))
}

struct SerialLine {
    file: Arc<File>,
    /// Holds the lock of the port, and its settings.
    settings: TTYPort,
    #[cfg(target_os = "linux")]
    set: Option<WaitSet>,
}

impl Line for SerialLine {
    fn wait(&mut self, sleeper: &Sleeper, wants_write: bool, timeout: Option<Duration>) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(set) = &self.set {
            return sleeper.wait_for_set(set, wants_write.then_some(&*self.file), timeout);
        }
        sleeper.wait_for(&self.file, wants_write, timeout)
    }

    #[cfg(feature = "ports")]
    fn discard_unwritten(&mut self) {
        // The port is closed next, whatever this returns.
        let _ = self.settings.clear(serialport::ClearBuffer::Output);
    }

    #[cfg(target_os = "linux")]
    fn pass_over(&mut self) {
        if let Some(set) = &self.set {
            set.pass_over();
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self.file).read(buf)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write(bytes)
    }

    fn set_dtr(&mut self, on: bool) -> io::Result<()> {
        Ok(self.settings.write_data_terminal_ready(on)?)
    }
}

struct Direct(Arc<File>);

impl DirectWrite for Direct {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_opening_names_the_port_and_the_reason() {
        for (path, kind, hint) in [
            ("/dev/no-such-port", io::ErrorKind::NotFound, "plugged in"),
            ("/dev/usb:1", io::ErrorKind::NotFound, "plugged in"),
            ("rack:4001", io::ErrorKind::NotFound, "`tcp://HOST:PORT`"),
            ("tcp:rack:4001", io::ErrorKind::NotFound, "`tcp://HOST:PORT`"),
            ("/dev/null", io::ErrorKind::Other, "path of one"),
            ("/", io::ErrorKind::IsADirectory, "path of one"),
        ] {
            let Err(error) = open(path, &Config::default()) else { panic!("{path} was opened") };
            let text = error.to_string();
            assert!(text.starts_with(path) && text.contains(hint), "{text}");
            assert_eq!(error.kind(), kind, "{text}");
        }
    }

    /// A pseudo-terminal: its other side, and its path.
    fn pseudo_terminal() -> (rustix::fd::OwnedFd, String) {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let other = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&other).unwrap();
        unlockpt(&other).unwrap();
        let path = ptsname(&other, Vec::new()).unwrap().into_string().unwrap();
        (other, path)
    }

    /// Regression: the lock of the system does not stop root, so root opened the port of the other program, wrote to it
    /// and removed the lock.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_that_another_program_has_exclusively_is_refused_and_the_program_is_named() {
        use std::process::{Command, Stdio};
        let (other, path) = pseudo_terminal();
        // The program has only this side of the terminal.
        rustix::io::fcntl_setfd(&other, rustix::io::FdFlags::CLOEXEC).unwrap();
        let device = File::options().read(true).write(true).open(&path).unwrap();
        let mut program =
            Command::new("sleep").arg("60").stdin(Stdio::from(device.try_clone().unwrap())).spawn().unwrap();
        rustix::termios::ioctl_tiocexcl(&device).unwrap();
        drop(device);
        let config = Config::default();
        for _ in 0..2 {
            let error = open(&path, &config).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::ResourceBusy, "{error}");
            assert!(error.to_string().contains(&format!("sleep ({}) has it open", program.id())), "{error}");
        }
        program.kill().unwrap();
        program.wait().unwrap();
        // The system keeps the lock, which stops every user but root.
        let is_root = rustix::process::geteuid().is_root();
        assert_eq!(open(&path, &config).is_ok(), is_root);
    }

    #[test]
    fn a_link_that_leads_to_another_device_is_noticed() {
        let (first, second) = (pseudo_terminal(), pseudo_terminal());
        let link = std::env::temp_dir().join(format!("air724ug-link-{}", std::process::id()));
        let lead_to = |path: &str| {
            drop(std::fs::remove_file(&link));
            std::os::unix::fs::symlink(path, &link).unwrap();
        };
        lead_to(&first.1);
        let Port::Line { callers, .. } = open(link.to_str().unwrap(), &Config::default()).unwrap() else {
            panic!("the port has halves")
        };
        let leads_elsewhere = callers.leads_elsewhere.unwrap();
        assert!(!leads_elsewhere());
        lead_to(&second.1);
        assert!(leads_elsewhere());
        std::fs::remove_file(&link).unwrap();
        assert!(!leads_elsewhere(), "it leads nowhere");
    }
}
