//! The list of serial ports, read from trees that the tests make.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use air724ug::{Config, Error, Modem, PortKind, ports_below};

/// A tree that is removed at the end.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("air724ug-ports-{}-{name}", std::process::id()));
        let tree = Self(root);
        fs::create_dir_all(tree.0.join("sys/class/tty")).unwrap();
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A USB device at a place.
    fn device(&self, location: &str, vendor: &str, product: &str) {
        let folder = format!("sys/devices/usb1/1-1/{location}");
        self.write(&format!("{folder}/idVendor"), &format!("{vendor}\n"));
        self.write(&format!("{folder}/idProduct"), &format!("{product}\n"));
    }

    /// A port on an interface of it; drivers of serial adapters have a folder of their own for each.
    fn port(&self, location: &str, interface: u8, name: &str, driver: &str) {
        let folder = format!("sys/devices/usb1/1-1/{location}/{location}:1.{interface}");
        self.write(&format!("{folder}/bInterfaceNumber"), &format!("{interface:02x}\n"));
        let device = if driver == "cdc_acm" { folder } else { format!("{folder}/{name}") };
        self.tty(name, &device, driver);
    }

    fn tty(&self, name: &str, device: &str, driver: &str) {
        let (device, class) = (self.0.join(device), self.0.join("sys/class/tty").join(name));
        fs::create_dir_all(&device).unwrap();
        fs::create_dir_all(&class).unwrap();
        symlink(&device, class.join("device")).unwrap();
        let drivers = self.0.join("sys/drivers").join(driver);
        fs::create_dir_all(&drivers).unwrap();
        let _ = symlink(drivers, device.join("driver"));
    }

    fn holds_open(&self, process: u32, name: &str, port: &str) {
        self.write(&format!("proc/{process}/comm"), &format!("{name}\n"));
        fs::create_dir_all(self.0.join(format!("proc/{process}/fd"))).unwrap();
        let open = self.0.join("dev").join(port);
        symlink(open, self.0.join(format!("proc/{process}/fd/7"))).unwrap();
    }

    /// Name, kind and interface of each, in order.
    fn listed(&self) -> Vec<(String, PortKind, Option<u8>)> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let ports = ports_below(&self.0).unwrap().into_iter();
        ports.map(|port| (name(&port.path), port.kind, port.usb.and_then(|usb| usb.interface))).collect()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_modules_ports_come_first_in_the_order_of_their_interfaces() {
    let tree = Tree::new("order");
    tree.device("1-1.4", "1782", "4e00");
    tree.port("1-1.4", 4, "ttyUSB0", "option1");
    tree.port("1-1.4", 10, "ttyUSB7", "option1");
    tree.port("1-1.4", 2, "ttyUSB3", "option1");
    tree.device("1-1.2", "1a86", "7523");
    tree.port("1-1.2", 0, "ttyUSB1", "ch341-uart");
    tree.device("1-1.3", "1782", "4d12");
    tree.port("1-1.3", 0, "ttyACM0", "cdc_acm");
    tree.tty("ttyAMA0", "sys/devices/platform/uart0", "uart-pl011");
    let (module, other) = (PortKind::Module, PortKind::Other);
    assert_eq!(
        tree.listed(),
        [
            ("ttyUSB3".to_owned(), module, Some(2)),
            ("ttyUSB0".to_owned(), module, Some(4)),
            ("ttyUSB7".to_owned(), module, Some(10)),
            ("ttyUSB1".to_owned(), other, Some(0)),
            ("ttyACM0".to_owned(), PortKind::BootLoader, Some(0)),
            ("ttyAMA0".to_owned(), other, None),
        ]
    );
    let first = &ports_below(&tree.0).unwrap()[0];
    let usb = first.usb.clone().unwrap();
    assert_eq!((usb.vendor, usb.product, usb.serial, &*usb.location), (0x1782, 0x4e00, None, "1-1.4"));
    assert_eq!(first.driver.as_deref(), Some("option1"));
}

#[test]
fn a_uart_that_is_not_there_and_a_terminal_without_a_device_are_no_ports() {
    let tree = Tree::new("none");
    tree.tty("ttyS0", "sys/devices/platform/serial8250", "serial8250");
    tree.write("sys/class/tty/ttyS0/type", "0\n");
    fs::create_dir_all(tree.0.join("sys/class/tty/tty1")).unwrap();
    assert_eq!(tree.listed(), []);
    assert_eq!(ports_below(Path::new("/no-such-folder")).unwrap(), []);
}

#[test]
fn a_device_that_says_nonsense_is_not_on_usb_and_one_with_a_serial_number_has_it() {
    let tree = Tree::new("odd");
    tree.device("1-1.4", "xyz!", "");
    tree.port("1-1.4", 0, "ttyUSB0", "option1");
    tree.device("1-1.5", "1782", "4e00");
    tree.write("sys/devices/usb1/1-1/1-1.5/serial", "0123\n");
    tree.port("1-1.5", 2, "ttyUSB1", "option1");
    let ports = ports_below(&tree.0).unwrap();
    assert_eq!(ports[0].usb.as_ref().unwrap().serial.as_deref(), Some("0123"));
    assert_eq!((ports[1].kind, &ports[1].usb), (PortKind::Other, &None));
}

#[test]
fn a_program_that_has_a_port_open_is_named() {
    let tree = Tree::new("users");
    tree.device("1-1.4", "1782", "4e00");
    tree.port("1-1.4", 2, "ttyUSB0", "option1");
    tree.holds_open(712, "ModemManager", "ttyUSB0");
    tree.holds_open(713, "other", "ttyUSB9");
    assert_eq!(ports_below(&tree.0).unwrap()[0].users, ["ModemManager (712)"]);
}

#[test]
fn what_is_not_found_says_what_was_looked_for_and_what_to_do() {
    for name in ["imei:860000000000001", "usb:9-9.9.9"] {
        let Err(Error::Io(error)) = Modem::open(name, Config::default()) else { panic!("{name} was opened") };
        let text = error.to_string();
        assert!(text.starts_with(name) && text.contains("by its path"), "{text}");
    }
}
