//! The serial ports of this machine, and which of them may be a module. The list is read from the kernel; no port is
//! opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::users::{lock_of, programs};

/// A serial port of this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PortInfo {
    /// The path to open: `/dev/ttyUSB0`.
    pub path: PathBuf,
    /// The kernel's driver: `option1`, `cdc_acm`.
    pub driver: Option<String>,
    /// The USB device that the port belongs to, if any.
    pub usb: Option<UsbInfo>,
    /// Whether it may be the port of a module.
    pub kind: PortKind,
    /// The programs that have the port open, as far as this user may see them, `ModemManager (712)`, and the one that
    /// has locked it by a file: `minicom (712), locked by /run/lock/LCK..ttyUSB0`. Users other than root see only their
    /// own programs.
    pub users: Vec<String>,
    /// Whether the permissions of the port let this user open it.
    pub is_permitted: bool,
}

/// A USB device, and the port's interface of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct UsbInfo {
    /// The USB vendor ID.
    pub vendor: u16,
    /// The USB product ID.
    pub product: u16,
    /// The serial number, if the device has one.
    pub serial: Option<String>,
    /// The number of the interface.
    pub interface: Option<u8>,
    /// The place that the device is plugged in at: `1-1.4`. It stays the same when the port's name changes.
    pub location: String,
}

/// The kind of a port, by its USB identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PortKind {
    /// A module (1782:4e00), and an interface of it that may take commands.
    Module,
    /// A module in its boot loader (1782:4d12). It takes no commands, and restarts soon.
    BootLoader,
    /// Another device, or a port that is not on USB. The driver writes to it only if the application names it.
    Other,
}

/// Lists the serial ports of this machine, those that may be a module first. No port is opened or written to.
///
/// Systems without sysfs (all but Linux) list none. Open the port by its path there.
///
/// # Errors
/// The kernel's list can't be read.
pub fn ports() -> io::Result<Vec<PortInfo>> {
    ports_below(Path::new("/"))
}

/// Lists the ports of a tree with `sys`, `dev` and `proc` elsewhere, for tests.
#[doc(hidden)]
pub fn ports_below(root: &Path) -> io::Result<Vec<PortInfo>> {
    let entries = match fs::read_dir(root.join("sys/class/tty")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut ports: Vec<_> = entries.flatten().filter_map(|entry| port(root, &entry.path())).collect();
    ports.sort_by_key(|port| {
        let place = port.usb.as_ref().map(|usb| (usb.location.clone(), usb.interface));
        (port.kind != PortKind::Module, place.is_none(), place, port.path.clone())
    });
    if !ports.is_empty() {
        name_users(root, &mut ports);
    }
    Ok(ports)
}

fn port(root: &Path, class: &Path) -> Option<PortInfo> {
    let device = fs::canonicalize(class.join("device")).ok()?;
    // A UART that does not exist.
    if text(&class.join("type")).as_deref() == Some("0") {
        return None;
    }
    let link = fs::read_link(device.join("driver")).ok();
    let driver = link.and_then(|link| Some(link.file_name()?.to_string_lossy().into_owned()));
    let usb = usb(&device);
    let kind = match usb.as_ref().map(|usb| (usb.vendor, usb.product)) {
        Some((0x1782, 0x4e00)) => PortKind::Module,
        Some((0x1782, 0x4d12)) => PortKind::BootLoader,
        Some(_) | None => PortKind::Other,
    };
    let path = root.join("dev").join(class.file_name()?);
    let is_permitted = is_permitted(&path);
    Some(PortInfo { path, driver, usb, kind, users: Vec::new(), is_permitted })
}

/// The USB device of a port. The interface and the device are folders above the port's own.
fn usb(port: &Path) -> Option<UsbInfo> {
    let above = |file: &str| port.ancestors().find(|folder| folder.join(file).exists());
    let device = above("idVendor")?;
    let interface = above("bInterfaceNumber").and_then(|folder| text(&folder.join("bInterfaceNumber")));
    let id = |file: &str| u16::from_str_radix(&text(&device.join(file))?, 16).ok();
    Some(UsbInfo {
        vendor: id("idVendor")?,
        product: id("idProduct")?,
        serial: text(&device.join("serial")),
        interface: interface.and_then(|number| u8::from_str_radix(&number, 16).ok()),
        location: device.file_name()?.to_string_lossy().into_owned(),
    })
}

#[cfg(unix)]
fn is_permitted(port: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(port, Access::READ_OK | Access::WRITE_OK) != Err(rustix::io::Errno::ACCESS)
}

#[cfg(not(unix))]
fn is_permitted(_: &Path) -> bool {
    true
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// Adds the programs that have a port open. Programs of other users are left out unless this user has the rights.
fn name_users(root: &Path, ports: &mut [PortInfo]) {
    for program in programs(&root.join("proc")) {
        for port in ports.iter_mut().filter(|port| program.has_open(&port.path)) {
            port.users.push(program.name());
        }
    }
    for port in ports {
        let lock = lock_of(root, &port.path).filter(|lock| !port.users.contains(&lock.program));
        port.users.extend(lock.map(|lock| format!("{}, locked by {}", lock.program, lock.file.display())));
    }
}
