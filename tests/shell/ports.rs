//! The list of serial ports and the search for a module, in trees that the tests make.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::driver::eventually;
use crate::support::hostile::{Random, for_each_seed};
use air724ug::sim::fault::Deaf;
use air724ug::sim::{Control, MemoryNetwork, Settings, Simulator, serve};
use air724ug::{Config, Error, Event, Modem, PortKind, ports_below};

/// A ceiling for what takes seconds at most.
const SOON: Duration = Duration::from_secs(30);

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

    /// A modem on a port of a device.
    fn modem(&self, location: &str, [vendor, product]: [&str; 2], name: &str, imei: &str) -> Module {
        self.device(location, vendor, product);
        self.port(location, 2, name, "option1");
        fs::create_dir_all(self.0.join("dev")).unwrap();
        Module::at(&self.0.join("dev").join(name), imei)
    }

    /// The kernel gives the port of a device another name.
    fn renames(&self, location: &str, before: &str, now: &str) {
        fs::remove_dir_all(self.0.join("sys/class/tty").join(before)).unwrap();
        self.port(location, 2, now, "option1");
    }

    fn open(&self, name: &str) -> Result<Modem, Error> {
        Modem::open_below(&self.0, name, Config::default())
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

/// A simulated modem on a pseudo-terminal.
struct Module {
    remote: serve::Remote,
    served: Option<JoinHandle<io::Result<()>>>,
    /// What it has heard.
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Module {
    fn at(link: &Path, imei: &str) -> Self {
        let mut pty = serve::Pty::open().unwrap();
        pty.link(link).unwrap();
        let (remote, inbox) = serve::remote().unwrap();
        let modem = Simulator::new(Settings::default().imei(imei.to_owned()), MemoryNetwork::new());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        let served = thread::spawn(move || {
            serve::run_with(modem, pty, inbox, |_, entry| {
                if let serve::LogEntry::FromHost(bytes) = entry {
                    kept.lock().unwrap().extend_from_slice(bytes);
                }
            })
        });
        Self { remote, served: Some(served), heard }
    }

    fn has_heard(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.remote.send(Control::HangUp);
        let ended = self.served.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(Ok(())))));
    }
}

const MODULE: [&str; 2] = ["1782", "4e00"];
/// A serial adapter, behind which anything may be.
const ADAPTER: [&str; 2] = ["1a86", "7523"];
const FIRST: &str = "860000000000009";
const SECOND: &str = "860000000000017";

fn imei(modem: &Modem) -> String {
    modem.wait_ready(SOON).unwrap();
    modem.identity().unwrap().imei
}

/// Why a name opens nothing.
fn refused(tree: &Tree, name: &str) -> String {
    let Err(error) = tree.open(name) else { panic!("{name} was opened") };
    error.to_string()
}

#[test]
fn auto_finds_the_only_module_and_writes_to_no_other_device() {
    let tree = Tree::new("auto");
    let other = tree.modem("1-1.2", ADAPTER, "ttyUSB0", SECOND);
    let _module = tree.modem("1-1.4", MODULE, "ttyUSB3", FIRST);
    let modem = tree.open("auto").unwrap();
    assert_eq!(imei(&modem), FIRST);
    assert_eq!(other.has_heard(), 0);
    modem.close();
}

#[test]
fn of_several_modules_one_has_to_be_named_and_is_found_by_its_imei_or_place() {
    let tree = Tree::new("several");
    let first = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let second = tree.modem("1-1.4", MODULE, "ttyUSB3", SECOND);
    let text = refused(&tree, "auto");
    assert!(text.contains("imei:860000000000009, imei:860000000000017"), "{text}");
    let modem = tree.open("imei:860000000000017").unwrap();
    assert_eq!(imei(&modem), SECOND);
    modem.close();
    let before = second.has_heard();
    let modem = tree.open("usb:1-1.2").unwrap();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
    assert_eq!(second.has_heard(), before, "the other place was not named");
    let text = refused(&tree, "imei:860000000000025");
    assert!(text.contains("ttyUSB0 is the module 860000000000009"), "{text}");
    drop(first);
}

/// The error named one IMEI twice, which opens either.
#[test]
fn of_two_modules_with_one_imei_the_place_tells_which() {
    let tree = Tree::new("one-imei");
    let _first = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let second = tree.modem("1-1.4", MODULE, "ttyUSB3", FIRST);
    let text = refused(&tree, "auto");
    assert!(text.contains(&format!("usb:1-1.2 (IMEI {FIRST}), usb:1-1.4 (IMEI {FIRST})")), "{text}");
    let before = second.has_heard();
    tree.open("usb:1-1.4").unwrap().close();
    assert!(second.has_heard() > before);
}

#[test]
fn a_place_that_is_named_is_asked_whatever_is_plugged_in_there() {
    let tree = Tree::new("place");
    let _adapter = tree.modem("1-1.2", ADAPTER, "ttyUSB0", FIRST);
    let text = refused(&tree, "auto");
    assert!(text.contains("1782:4e00") && text.contains("by its path"), "{text}");
    let modem = tree.open("usb:1-1.2").unwrap();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
}

#[test]
fn a_module_that_comes_back_under_another_name_is_found_and_no_other_one_at_its_old_name() {
    let tree = Tree::new("renamed");
    let module = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let modem = tree.open("auto").unwrap();
    assert_eq!(imei(&modem), FIRST);
    let events = modem.events();
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    tree.renames("1-1.2", "ttyUSB0", "ttyUSB3");
    let other = tree.modem("1-1.4", MODULE, "ttyUSB0", SECOND);
    // It is asked who it is, again and again, until the module is there.
    let until = Instant::now() + SOON;
    while other.has_heard() == 0 {
        assert!(Instant::now() < until, "the search has ended");
        thread::yield_now();
    }
    module.remote.send(Control::Replug(Some("ttyUSB3".to_owned())));
    while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
    assert_eq!(imei(&modem), FIRST);
    assert!(!events.try_iter().any(|event| matches!(event, Event::OtherModule { .. })));
    modem.close();
}

#[test]
fn whatever_names_ports_come_back_under_the_module_is_found_and_no_other_port_is_used() {
    for_each_seed("names of ports", 3, |seed| {
        let mut random = Random::new(seed);
        let tree = Tree::new(&format!("shuffled-{seed}"));
        let mut names = ["ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3"];
        let places = ["1-1.1", "1-1.2", "1-1.3", "1-1.4"];
        let modules: Vec<Module> =
            [(MODULE, FIRST), (MODULE, SECOND), (MODULE, "860000000000025"), (ADAPTER, "860000000000033")]
                .into_iter()
                .enumerate()
                .map(|(at, (kind, imei))| tree.modem(places[at], kind, names[at], imei))
                .collect();
        let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
        assert_eq!(imei(&modem), FIRST);
        let events = modem.events();
        for _ in 0..4 {
            for module in &modules {
                module.remote.send(Control::Unplug);
            }
            while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
            eventually("no port is there", || {
                names.iter().all(|name| !tree.0.join("dev").join(name).exists())
            });
            for name in names {
                fs::remove_dir_all(tree.0.join("sys/class/tty").join(name)).unwrap();
            }
            for at in (1..names.len()).rev() {
                names.swap(at, random.below(at as u64 + 1) as usize);
            }
            let mut order = [0, 1, 2, 3];
            for at in (1..order.len()).rev() {
                order.swap(at, random.below(at as u64 + 1) as usize);
            }
            for at in order {
                tree.port(places[at], 2, names[at], "option1");
                // Another module may be away for this time.
                if at == 0 || !random.one_in(3) {
                    modules[at].remote.send(Control::Replug(Some(names[at].to_owned())));
                }
            }
            while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
            assert_eq!(imei(&modem), FIRST);
        }
        assert!(!events.try_iter().any(|event| matches!(event, Event::OtherModule { .. })));
        modem.close();
        assert_eq!(modules[3].has_heard(), 0, "a device that is no module was written to");
        for module in &modules[1..3] {
            let heard = String::from_utf8(module.heard.lock().unwrap().clone()).unwrap();
            let is_question = |line: &str| matches!(line, "AT" | "AT+CGSN");
            assert!(heard.lines().all(is_question), "another module was told {heard:?}");
        }
    });
}

#[test]
fn another_module_behind_the_same_path_is_told() {
    let tree = Tree::new("other");
    fs::create_dir_all(tree.0.join("dev")).unwrap();
    let path = tree.0.join("dev/modem");
    let first = Module::at(&path, FIRST);
    let modem = Modem::open(&path, Config::default()).unwrap();
    assert_eq!(imei(&modem), FIRST);
    let events = modem.events();
    drop(first);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    let _second = Module::at(&path, SECOND);
    let told = Event::OtherModule { before: FIRST.to_owned() };
    while events.recv_timeout(SOON).unwrap() != told {}
    assert_eq!(imei(&modem), SECOND);
    modem.close();
}

#[test]
fn a_port_that_another_program_has_and_one_that_is_silent_are_named() {
    let tree = Tree::new("taken");
    let _taken = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let silent = tree.modem("1-1.4", MODULE, "ttyUSB3", SECOND);
    let holder = Modem::open(tree.0.join("dev/ttyUSB0"), Config::default()).unwrap();
    silent.remote.send(Control::fault(Deaf { lasting: SOON }));
    let begun = Instant::now();
    let text = refused(&tree, "auto");
    assert!(begun.elapsed() < SOON / 2, "{:?}", begun.elapsed());
    assert!(text.contains("ttyUSB0: another program has it open"), "{text}");
    assert!(text.contains("ttyUSB3 does not answer"), "{text}");
    assert_eq!(imei(&holder), FIRST, "not disturbed");
    holder.close();
}

/// It may be another search, the first time. Each attempt used to wait for it, those to come back to a lost module included.
#[test]
fn a_port_that_another_program_keeps_is_waited_for_once() {
    let tree = Tree::new("kept");
    let _kept = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let holder = Modem::open(tree.0.join("dev/ttyUSB0"), Config::default()).unwrap();
    let attempt = || {
        let begun = Instant::now();
        let text = refused(&tree, "auto");
        assert!(text.contains("ttyUSB0: another program has it open"), "{text}");
        begun.elapsed()
    };
    let first = attempt();
    for _ in 0..3 {
        let later = attempt();
        assert!(later < first / 2, "{first:?}, then {later:?}");
    }
    holder.close();
    let modem = tree.open("auto").unwrap();
    assert_eq!(imei(&modem), FIRST, "it is free");
    modem.close();
    let holder = Modem::open(tree.0.join("dev/ttyUSB0"), Config::default()).unwrap();
    let again = attempt();
    assert!(again > first / 2, "it was free in between: {again:?}");
    holder.close();
}

/// Each asks the module that the other one looks for.
#[test]
fn two_searches_at_once_both_find_their_module() {
    let tree = Tree::new("at-once");
    let _first = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let _second = tree.modem("1-1.4", MODULE, "ttyUSB3", SECOND);
    let search = |imei: &str| tree.open(&format!("imei:{imei}")).map(|modem| modem.close());
    for _ in 0..3 {
        thread::scope(|scope| {
            let second = scope.spawn(|| search(SECOND));
            search(FIRST).unwrap();
            second.join().unwrap().unwrap();
        });
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
    // No module has such a name.
    for name in ["imei:", "imei:86000000000001", "imei:86000000000000x", "imei: 860000000000001", "usb:"] {
        let Err(Error::Io(error)) = Modem::open(name, Config::default()) else { panic!("{name} was opened") };
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    }
}
