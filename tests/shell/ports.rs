//! The list of serial ports and the search for a module, in folders `sys`, `dev` and `proc` that the tests create.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use crate::support::driver::eventually;
use crate::support::hostile::{Random, for_each_seed};
use air724ug::sim::fault::{Deaf, LateAnswer, LostPrompt, WrongAnswer};
use air724ug::sim::{Control, MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{Config, Error, Event, Modem, PortKind, ports_below};
use crossbeam_channel::Receiver;

/// A limit: the awaited event comes within seconds, or the test fails.
const SOON: Duration = Duration::from_secs(30);

/// A folder in place of the root, removed when this is dropped.
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

    /// Adds a USB device at a place.
    fn device(&self, location: &str, vendor: &str, product: &str) {
        let folder = format!("sys/devices/usb1/1-1/{location}");
        self.write(&format!("{folder}/idVendor"), &format!("{vendor}\n"));
        self.write(&format!("{folder}/idProduct"), &format!("{product}\n"));
    }

    /// Adds a port on an interface of the device. Drivers of serial adapters have a folder for each port.
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

    /// Adds a device with a port, and a simulated modem on it.
    fn modem(&self, location: &str, [vendor, product]: [&str; 2], name: &str, imei: &str) -> Module {
        self.device(location, vendor, product);
        self.port(location, 2, name, "option1");
        fs::create_dir_all(self.0.join("dev")).unwrap();
        Module::at(&self.0.join("dev").join(name), imei)
    }

    /// Gives the port of a device another name, as the kernel does.
    fn renames(&self, location: &str, before: &str, now: &str) {
        fs::remove_dir_all(self.0.join("sys/class/tty").join(before)).unwrap();
        self.port(location, 2, now, "option1");
    }

    fn open(&self, name: &str) -> Result<Modem, Error> {
        Modem::open(name, Config::default().root(&self.0))
    }

    fn holds_open(&self, process: u32, name: &str, port: &str) {
        self.write(&format!("proc/{process}/comm"), &format!("{name}\n"));
        fs::create_dir_all(self.0.join(format!("proc/{process}/fd"))).unwrap();
        let open = self.0.join("dev").join(port);
        symlink(open, self.0.join(format!("proc/{process}/fd/7"))).unwrap();
    }

    /// The name, kind and interface of each port, in order.
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
    /// The bytes that the modem has received.
    received: Arc<Mutex<Vec<u8>>>,
    /// More bytes have come.
    has_received: Arc<Condvar>,
}

impl Module {
    fn at(link: &Path, imei: &str) -> Self {
        let mut pty = serve::Pty::open().unwrap();
        pty.link(link).unwrap();
        let (remote, inbox) = serve::remote().unwrap();
        let mut network = MemoryNetwork::new();
        network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
        let modem = Simulator::new(Settings::default().imei(imei.to_owned()), network);
        let received = Arc::new(Mutex::new(Vec::new()));
        let has_received = Arc::new(Condvar::new());
        let (kept, comes) = (received.clone(), has_received.clone());
        let served = thread::spawn(move || {
            serve::run_with(modem, pty, inbox, |_, entry| {
                if let serve::LogEntry::FromHost(bytes) = entry {
                    kept.lock().unwrap().extend_from_slice(bytes);
                    comes.notify_all();
                }
            })
        });
        Self { remote, served: Some(served), received, has_received }
    }

    fn received_count(&self) -> usize {
        self.received.lock().unwrap().len()
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
/// A serial adapter, which may be connected to any device.
const ADAPTER: [&str; 2] = ["1a86", "7523"];
const FIRST: &str = "860000000000009";
const SECOND: &str = "860000000000017";

fn imei(modem: &Modem) -> String {
    modem.wait_ready(SOON).unwrap();
    modem.identity().unwrap().imei
}

/// The error of opening this name.
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
    assert_eq!(other.received_count(), 0);
    modem.close();
}

#[test]
fn with_several_modules_the_imei_or_the_place_selects_one() {
    let tree = Tree::new("several");
    let first = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let second = tree.modem("1-1.4", MODULE, "ttyUSB3", SECOND);
    let text = refused(&tree, "auto");
    assert!(text.contains("imei:860000000000009, imei:860000000000017"), "{text}");
    let modem = tree.open("imei:860000000000017").unwrap();
    assert_eq!(imei(&modem), SECOND);
    modem.close();
    let before = second.received_count();
    let modem = tree.open("usb:1-1.2").unwrap();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
    assert_eq!(second.received_count(), before, "the module at the other place was asked");
    let text = refused(&tree, "imei:860000000000025");
    assert!(text.contains("ttyUSB0 is the module 860000000000009"), "{text}");
    drop(first);
}

/// Regression: the error listed the same IMEI twice, which selects either module.
#[test]
fn with_two_modules_of_one_imei_the_place_selects_one() {
    let tree = Tree::new("one-imei");
    let _first = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let second = tree.modem("1-1.4", MODULE, "ttyUSB3", FIRST);
    let text = refused(&tree, "auto");
    assert!(text.contains(&format!("usb:1-1.2 (IMEI {FIRST}), usb:1-1.4 (IMEI {FIRST})")), "{text}");
    let before = second.received_count();
    tree.open("usb:1-1.4").unwrap().close();
    assert!(second.received_count() > before);
}

#[test]
fn a_named_place_is_asked_with_any_device_in_it() {
    let tree = Tree::new("place");
    let _adapter = tree.modem("1-1.2", ADAPTER, "ttyUSB0", FIRST);
    let text = refused(&tree, "auto");
    assert!(text.contains("1782:4e00") && text.contains("by its path"), "{text}");
    let modem = tree.open("usb:1-1.2").unwrap();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
}

/// Regression: a module in its boot loader at the named place got commands at every restart.
#[test]
fn a_boot_loader_gets_nothing_and_is_named() {
    let tree = Tree::new("boot-loader");
    let loader = tree.modem("1-1.2", ["1782", "4d12"], "ttyUSB0", FIRST);
    let text = refused(&tree, "usb:1-1.2");
    assert!(text.contains("ttyUSB0 is a module in its boot loader"), "{text}");
    let text = refused(&tree, "auto");
    assert!(text.contains("no module is plugged in"), "{text}");
    assert_eq!(loader.received_count(), 0);
}

/// Regression: a search took a port without a lock that another program had open.
#[test]
fn a_port_that_another_program_has_open_is_named_and_gets_nothing() {
    let tree = Tree::new("in-use");
    let module = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    tree.holds_open(712, "ModemManager", "ttyUSB0");
    for name in ["auto".to_owned(), format!("imei:{FIRST}"), "usb:1-1.2".to_owned()] {
        let text = refused(&tree, &name);
        assert!(text.contains("ttyUSB0 is open in ModemManager (712)"), "{text}");
    }
    assert_eq!(module.received_count(), 0);
    fs::remove_dir_all(tree.0.join("proc/712")).unwrap();
    let modem = tree.open("auto").unwrap();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
}

/// Regression: only locks of the kernel were respected. Programs of other users that lock by a file were not seen.
#[test]
fn a_port_that_another_program_has_locked_by_a_file_is_named_and_gets_nothing() {
    let tree = Tree::new("locked-by-file");
    let module = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    tree.write("run/lock/LCK..ttyUSB0", "       712\n");
    tree.write("proc/712/comm", "gammu\n");
    assert_eq!(ports_below(&tree.0).unwrap()[0].users, ["gammu (712), locked by /run/lock/LCK..ttyUSB0"]);
    let text = refused(&tree, "auto");
    assert!(text.contains("ttyUSB0 is open in gammu (712), locked by /run/lock/LCK..ttyUSB0"), "{text}");
    let path = tree.0.join("dev/ttyUSB0");
    let Err(error) = Modem::open(&path, Config::default().root(&tree.0)) else { panic!("it was opened") };
    let text = error.to_string();
    assert!(text.contains("gammu (712) has locked it by the file /run/lock/LCK..ttyUSB0"), "{text}");
    assert_eq!(module.received_count(), 0);
    // The program began an hour before the lock, or ten seconds after it: it has the number of one that has ended.
    let began = |ago: u32| format!("712 (a (b) c) S {}{}00 0", "1 ".repeat(18), 10_000 - ago);
    tree.write("proc/uptime", "10000.00 1.00\n");
    tree.write("proc/712/stat", &began(3600));
    assert_eq!(ports_below(&tree.0).unwrap()[0].users, ["gammu (712), locked by /run/lock/LCK..ttyUSB0"]);
    let lock = fs::File::options().write(true).open(tree.0.join("run/lock/LCK..ttyUSB0")).unwrap();
    lock.set_modified(SystemTime::now() - Duration::from_secs(20)).unwrap();
    tree.write("proc/712/stat", &began(10));
    assert!(ports_below(&tree.0).unwrap()[0].users.is_empty());
    // The lock of a program that has ended, and one that says nothing.
    tree.write("proc/712/stat", &began(3600));
    fs::remove_dir_all(tree.0.join("proc/712")).unwrap();
    assert_eq!(imei(&tree.open("auto").unwrap()), FIRST);
    tree.write("run/lock/LCK..ttyUSB0", "");
    assert!(ports_below(&tree.0).unwrap()[0].users.is_empty());
    // A pipe in its place, which nothing writes to.
    let lock = tree.0.join("run/lock/LCK..ttyUSB0");
    fs::remove_file(&lock).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
    assert!(ports_below(&tree.0).unwrap()[0].users.is_empty());
}

/// The forms and names of locks are those of gensio (ser2net), minicom, lockdev and Kermit.
#[test]
fn a_lock_counts_in_every_form_and_under_every_name_of_the_port() {
    let tree = Tree::new("lock-forms");
    tree.device("1-1.4", MODULE[0], MODULE[1]);
    tree.port("1-1.4", 2, "ttyUSB0", "option1");
    tree.write("dev/ttyUSB0", "");
    fs::create_dir_all(tree.0.join("dev/serial/by-id")).unwrap();
    symlink("../../ttyUSB0", tree.0.join("dev/serial/by-id/usb-Air724-if02")).unwrap();
    symlink("ttyUSB0", tree.0.join("dev/modem")).unwrap();
    symlink("ttyUSB7", tree.0.join("dev/elsewhere")).unwrap();
    for program in [712, 12_344, std::process::id()] {
        tree.write(&format!("proc/{program}/comm"), "minicom\n");
    }
    let users = |folder: &str, name: &str, lock: &[u8]| {
        let path = tree.0.join(folder).join(format!("LCK..{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, lock).unwrap();
        let users = ports_below(&tree.0).unwrap().remove(0).users;
        fs::remove_file(path).unwrap();
        users
    };
    let huge = [b"712 ".as_slice(), &[b'x'; 1 << 20]].concat();
    for (lock, is_valid) in [
        (&b"       712\n"[..], true),
        (b"0000000712\n", true),
        (b"712", true),
        (b"712\n", true),
        (b"       712 minicom root\n", true),
        (b"       712\xff\n", true),
        (&huge, true),
        (&712_i32.to_ne_bytes(), true),
        // The first two bytes of the number are digits in ASCII.
        (&12_344_i32.to_ne_bytes(), true),
        (&(-712_i32).to_ne_bytes(), false),
        (&[0; 4], false),
        (&[0; 1 << 16], false),
        (b"", false),
        (b"\n", false),
        (b"-712\n", false),
        (b"minicom 712\n", false),
        (b"99999999999\n", false),
        (b"       999\n", false),
        (format!("{:10}\n", std::process::id()).as_bytes(), false),
    ] {
        let text = lock[..lock.len().min(40)].escape_ascii();
        assert_eq!(!users("run/lock", "ttyUSB0", lock).is_empty(), is_valid, "{text}");
    }
    for (name, is_its_own) in [
        ("modem", true),
        ("usb-Air724-if02", true),
        ("serial_by-id_usb-Air724-if02", true),
        ("elsewhere", false),
        ("ttyUSB", false),
        ("ttyUSB00", false),
        ("", false),
        (".", false),
    ] {
        for folder in ["run/lock", "var/lock"] {
            assert_eq!(!users(folder, name, b"       712\n").is_empty(), is_its_own, "{folder} {name}");
        }
    }
    // A program that was killed and whose end its parent has not noticed.
    tree.write("proc/712/stat", &format!("712 (mini com) Z {}", "1 ".repeat(30)));
    assert!(users("run/lock", "ttyUSB0", b"       712\n").is_empty());
    // What is no file, or leads nowhere, is no lock.
    let lock = tree.0.join("run/lock/LCK..ttyUSB0");
    fs::create_dir(&lock).unwrap();
    assert!(ports_below(&tree.0).unwrap()[0].users.is_empty());
    fs::remove_dir(&lock).unwrap();
    for target in ["LCK..ttyUSB0", "no-such-lock"] {
        symlink(target, &lock).unwrap();
        assert!(ports_below(&tree.0).unwrap()[0].users.is_empty(), "{target}");
        fs::remove_file(&lock).unwrap();
    }
}

#[test]
fn a_module_is_found_under_its_new_name_and_not_confused_with_another_at_the_old_name() {
    let tree = Tree::new("renamed");
    let module = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let modem = tree.open("auto").unwrap();
    assert_eq!(imei(&modem), FIRST);
    let events = modem.events();
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    tree.renames("1-1.2", "ttyUSB0", "ttyUSB3");
    let other = tree.modem("1-1.4", MODULE, "ttyUSB0", SECOND);
    // The search asks the other module repeatedly until the wanted module is back.
    let until = Instant::now() + SOON;
    while other.received_count() == 0 {
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
fn a_module_is_found_after_any_permutation_of_port_names() {
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
            eventually("no port exists", || names.iter().all(|name| !tree.0.join("dev").join(name).exists()));
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
                // Another module may stay away this time.
                if at == 0 || !random.one_in(3) {
                    modules[at].remote.send(Control::Replug(Some(names[at].to_owned())));
                }
            }
            while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
            assert_eq!(imei(&modem), FIRST);
        }
        assert!(!events.try_iter().any(|event| matches!(event, Event::OtherModule { .. })));
        modem.close();
        assert_eq!(modules[3].received_count(), 0, "bytes were written to a device that is no module");
        for module in &modules[1..3] {
            let received = String::from_utf8(module.received.lock().unwrap().clone()).unwrap();
            let is_question = |line: &str| matches!(line, "AT" | "AT+CGSN");
            assert!(received.lines().all(is_question), "another module received {received:?}");
        }
    });
}

#[test]
fn another_module_at_the_same_path_is_reported() {
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
    let expected = Event::OtherModule { before: FIRST.to_owned() };
    while events.recv_timeout(SOON).unwrap() != expected {}
    assert_eq!(imei(&modem), SECOND);
    modem.close();
}

/// Regression: the search continued for the module that had been there, so the other one was never taken.
#[test]
fn another_module_at_a_named_place_is_taken_and_reported() {
    for (kind, name) in [(MODULE, "usb:1-1.4"), (ADAPTER, "USB:1-1.4")] {
        let tree = Tree::new("exchanged");
        let first = tree.modem("1-1.4", kind, "ttyUSB0", FIRST);
        let modem = tree.open(name).unwrap();
        assert_eq!(imei(&modem), FIRST);
        let events = modem.events();
        drop(first);
        while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
        tree.renames("1-1.4", "ttyUSB0", "ttyUSB1");
        let _second = Module::at(&tree.0.join("dev/ttyUSB1"), SECOND);
        let expected = Event::OtherModule { before: FIRST.to_owned() };
        while events.recv_timeout(SOON).unwrap() != expected {}
        assert_eq!(imei(&modem), SECOND);
        modem.close();
    }
}

/// The module that comes back now is ready within the time that the documentation promises.
fn is_back_within_two_seconds(modem: &Modem, events: &Receiver<Event>) {
    let begun = Instant::now();
    while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
    modem.wait_ready(SOON).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// The module that was found comes back at another place, and meanwhile there is another module at its own.
#[test]
fn another_module_is_not_taken_by_a_search_without_a_place() {
    for name in ["auto".to_owned(), "AUTO".to_owned(), format!("imei:{FIRST}"), format!("IMEI:{FIRST}")] {
        let tree = Tree::new("stays");
        let first = tree.modem("1-1.4", MODULE, "ttyUSB0", FIRST);
        let modem = tree.open(&name).unwrap();
        assert_eq!(imei(&modem), FIRST);
        let events = modem.events();
        drop(first);
        while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
        let second = Module::at(&tree.0.join("dev/ttyUSB0"), SECOND);
        eventually("the other module was asked", || second.received_count() > 0);
        let _first = tree.modem("1-1.2", MODULE, "ttyUSB1", FIRST);
        while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
        assert_eq!(imei(&modem), FIRST);
        assert!(!events.try_iter().any(|event| matches!(event, Event::OtherModule { .. })), "{name}");
        modem.close();
    }
}

#[test]
fn the_error_names_ports_in_use_and_silent_ports() {
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

/// Regression: the error was that it does not answer.
#[test]
fn the_error_names_a_port_that_sends_without_end() {
    let tree = Tree::new("endless");
    tree.device("1-1.4", MODULE[0], MODULE[1]);
    tree.port("1-1.4", 2, "ttyUSB0", "option1");
    fs::create_dir_all(tree.0.join("dev")).unwrap();
    let mut pty = serve::Pty::open().unwrap();
    pty.link(tree.0.join("dev/ttyUSB0")).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let _ = rustix::io::write(pty.master().unwrap(), &[0xff; 64]);
                thread::yield_now();
            }
        });
        let text = tree.open("auto").map(|_| ()).unwrap_err().to_string();
        is_over.store(true, Ordering::SeqCst);
        assert!(text.contains(r"ttyUSB0 does not answer: it sends without end"), "{text}");
        assert!(text.contains(&r"\xff".repeat(40)) && !text.contains(&r"\xff".repeat(41)), "{text}");
    });
}

/// Regression: each attempt waited for the port, even the attempts to find a lost module again. The first time, the
/// other program may be another search.
#[test]
fn a_search_waits_only_once_for_a_port_in_use() {
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
    assert_eq!(imei(&modem), FIRST, "the port is free");
    modem.close();
    let holder = Modem::open(tree.0.join("dev/ttyUSB0"), Config::default()).unwrap();
    let again = attempt();
    assert!(again > first / 2, "the port was free in between: {again:?}");
    holder.close();
}

/// Regression: a search for a lost module waited 3 s for each port of other modules that other programs have open, if
/// the port had another name than before.
#[test]
fn a_search_for_a_lost_module_waits_for_no_other_program() {
    let tree = Tree::new("not-waiting");
    let other = tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND);
    let module = tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST);
    let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
    assert_eq!(imei(&modem), FIRST);
    let events = modem.events();
    other.remote.send(Control::Unplug);
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    eventually("the port does not exist", || !tree.0.join("dev/ttyUSB0").exists());
    tree.renames("1-1.2", "ttyUSB0", "ttyUSB2");
    other.remote.send(Control::Replug(Some("ttyUSB2".to_owned())));
    eventually("the port exists", || tree.0.join("dev/ttyUSB2").exists());
    let open = || Modem::open(tree.0.join("dev/ttyUSB2"), Config::default());
    // The search may ask it just now.
    let mut holder = open();
    eventually("the port is free", || {
        if holder.is_err() {
            holder = open();
        }
        holder.is_ok()
    });
    tree.renames("1-1.4", "ttyUSB1", "ttyUSB3");
    module.remote.send(Control::Replug(Some("ttyUSB3".to_owned())));
    is_back_within_two_seconds(&modem, &events);
    modem.close();
    holder.unwrap().close();
}

/// Waits until a deaf port is asked with what comes after `AT`. This takes the search some seconds.
fn long_question(port: &Module, before: usize) {
    let is_missing = |received: &mut Vec<u8>| !received[before..].windows(4).any(|bytes| bytes == b"ATQ0");
    let received = port.received.lock().unwrap();
    let (_received, waited) = port.has_received.wait_timeout_while(received, 4 * SOON, is_missing).unwrap();
    assert!(!waited.timed_out(), "the silent port is asked with AT alone");
}

/// A modem whose module has lost its port while the other one is silent, its events, and the number of bytes that the
/// silent port has received until then.
fn lost_beside_a_silent_port(
    tree: &Tree,
    silent: &Module,
    module: &Module,
) -> (Modem, Receiver<Event>, usize) {
    let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    silent.remote.send(Control::fault(Deaf { lasting: 10 * SOON }));
    let before = silent.received_count();
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    (modem, events, before)
}

/// Regression: the search looked for new ports only after the silent one had been asked for 5 s.
#[test]
fn a_lost_module_is_found_at_once_while_another_port_is_silent() {
    let tree = Tree::new("beside-silent");
    let (silent, module) =
        (tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND), tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST));
    let (modem, events, before) = lost_beside_a_silent_port(&tree, &silent, &module);
    tree.renames("1-1.4", "ttyUSB1", "ttyUSB3");
    long_question(&silent, before);
    module.remote.send(Control::Replug(Some("ttyUSB3".to_owned())));
    is_back_within_two_seconds(&modem, &events);
    assert_eq!(imei(&modem), FIRST);
    modem.close();
}

/// Regression: each silent port in front of the module's took 0.6 s.
#[test]
fn a_lost_module_is_found_at_once_behind_silent_ports() {
    let tree = Tree::new("behind-silent");
    let silent: Vec<_> = (0..5)
        .map(|number| tree.modem(&format!("1-1.{number}"), MODULE, &format!("ttyUSB{number}"), SECOND))
        .collect();
    for port in &silent {
        port.remote.send(Control::fault(Deaf { lasting: 10 * SOON }));
    }
    let module = tree.modem("1-1.9", MODULE, "ttyUSB9", FIRST);
    let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    let before = silent[0].received_count();
    eventually("the search asks", || silent[0].received_count() > before);
    module.remote.send(Control::Replug(None));
    is_back_within_two_seconds(&modem, &events);
    modem.close();
}

/// Regression: 2.7 s passed without `AT`, because the port was silent in four attempts and was asked with more.
#[test]
fn a_lost_module_that_starts_slowly_is_found_at_once_beside_a_silent_port() {
    const START: Duration = Duration::from_millis(3_400);
    let tree = Tree::new("slow-start");
    let silent = tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND);
    let module = tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST);
    let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
    modem.wait_ready(SOON).unwrap();
    let events = modem.events();
    silent.remote.send(Control::fault(Deaf { lasting: 10 * SOON }));
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    module.remote.send(Control::fault(Deaf { lasting: START }));
    module.remote.send(Control::Replug(None));
    let begun = Instant::now();
    while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
    modem.wait_ready(SOON).unwrap();
    assert!(begun.elapsed() < START + Duration::from_secs(2), "{:?}", begun.elapsed());
    modem.close();
}

/// Regression: the first search looked for ports only once, and ended after 8 s with an error.
#[test]
fn a_module_that_is_plugged_in_during_the_first_search_is_found_at_once() {
    let tree = Tree::new("meanwhile");
    let silent = tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND);
    silent.remote.send(Control::fault(Deaf { lasting: 10 * SOON }));
    thread::scope(|scope| {
        let opening = scope.spawn(|| tree.open("auto"));
        long_question(&silent, 0);
        let _module = tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST);
        let begun = Instant::now();
        let modem = opening.join().unwrap().unwrap();
        assert_eq!(imei(&modem), FIRST);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        modem.close();
    });
}

/// A module that starts with the system is missing first, and silent then.
#[test]
fn the_first_search_waits_for_a_module_that_starts_if_the_application_wants_it() {
    let tree = Tree::new("boots");
    thread::scope(|scope| {
        let config = Config::default().root(&tree.0).open_timeout(SOON);
        let opening = scope.spawn(|| Modem::open("auto", config));
        let module = tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST);
        module.remote.send(Control::fault(Deaf { lasting: Duration::from_secs(9) }));
        let modem = opening.join().unwrap().unwrap();
        assert_eq!(imei(&modem), FIRST);
        modem.close();
    });
    // What can't become right is an error at once.
    let begun = Instant::now();
    let config = Config::default().root(&tree.0).open_timeout(SOON);
    let Err(Error::Io(error)) = Modem::open("imei:1", config) else { panic!("it was opened") };
    assert!(error.kind() == io::ErrorKind::InvalidInput && begun.elapsed() < SOON / 2, "{error}");
}

/// Regression: `auto` waited 3 s for the other program.
#[test]
fn the_first_search_takes_a_module_at_once_while_another_is_in_use() {
    let tree = Tree::new("beside-used");
    let _taken = tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND);
    let _module = tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST);
    let holder = Modem::open(tree.0.join("dev/ttyUSB0"), Config::default()).unwrap();
    for name in ["auto".to_owned(), format!("imei:{FIRST}")] {
        let begun = Instant::now();
        let modem = tree.open(&name).unwrap();
        assert_eq!(imei(&modem), FIRST);
        assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {:?}", begun.elapsed());
        modem.close();
    }
    holder.close();
}

/// `auto` takes the module that answers. After a loss it takes no other one, although only another one answers.
#[test]
fn auto_takes_the_module_that_answers_first_and_keeps_to_it() {
    let tree = Tree::new("starting");
    let starting = tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND);
    let module = tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST);
    starting.remote.send(Control::fault(Deaf { lasting: Duration::from_secs(5) }));
    let modem = tree.open("auto").unwrap();
    assert_eq!(imei(&modem), FIRST, "the other one does not answer");
    let events = modem.events();
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    let before = starting.received_count();
    eventually("the other module is asked, and says which it is", || {
        starting.received.lock().unwrap()[before..].windows(7).any(|bytes| bytes == b"AT+CGSN")
    });
    module.remote.send(Control::Replug(None));
    while events.recv_timeout(SOON).unwrap() != Event::PortBack {}
    assert_eq!(imei(&modem), FIRST);
    assert!(!events.try_iter().any(|event| matches!(event, Event::OtherModule { .. })));
    modem.close();
}

/// Regression: the search asked them, and each silent one took seconds.
#[test]
fn other_ports_of_another_module_are_not_asked() {
    let tree = Tree::new("siblings");
    let _other = tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND);
    tree.port("1-1.2", 4, "ttyUSB1", "option1");
    let sibling = Module::at(&tree.0.join("dev/ttyUSB1"), SECOND);
    let _module = tree.modem("1-1.4", MODULE, "ttyUSB2", FIRST);
    let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
    assert_eq!(sibling.received_count(), 0);
}

#[test]
fn a_port_that_reports_the_imei_is_preferred_to_another_port_of_the_same_module() {
    let tree = Tree::new("no-imei");
    let mute = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let refuses = || {
        for command in 1..=4 {
            mute.remote.send(Control::fault(WrongAnswer { command, text: "ERROR".to_owned() }));
        }
    };
    refuses();
    let text = refused(&tree, &format!("imei:{SECOND}"));
    assert!(text.contains("ttyUSB0 reports no IMEI"), "{text}");
    tree.port("1-1.2", 4, "ttyUSB1", "option1");
    let speaks = Module::at(&tree.0.join("dev/ttyUSB1"), FIRST);
    refuses();
    let modem = tree.open("auto").unwrap();
    assert_eq!(imei(&modem), FIRST);
    assert!(speaks.received_count() > 0);
    modem.close();
}

/// Regression: it took 15 s, because the ports were asked one after the other.
#[test]
fn the_silent_ports_of_a_dead_module_are_asked_at_once() {
    let tree = Tree::new("dead");
    let _dead: Vec<_> = (0..3)
        .map(|number| {
            let name = format!("ttyUSB{number}");
            tree.device("1-1.2", MODULE[0], MODULE[1]);
            tree.port("1-1.2", number, &name, "option1");
            fs::create_dir_all(tree.0.join("dev")).unwrap();
            let port = Module::at(&tree.0.join("dev").join(name), FIRST);
            port.remote.send(Control::fault(Deaf { lasting: SOON }));
            port
        })
        .collect();
    let begun = Instant::now();
    let text = refused(&tree, "auto");
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    assert!(text.contains("ttyUSB2 does not answer") && text.contains("is the module on"), "{text}");
}

/// Regression: the question of the search went into the send, and the module was found after 7 s.
#[test]
fn a_module_that_was_lost_in_a_send_is_found_at_once_and_the_peer_gets_no_question() {
    let tree = Tree::new("in-a-send");
    let module = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    let modem = tree.open("auto").unwrap();
    modem.wait_ready(SOON).unwrap();
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let events = modem.events();
    let before = module.received_count();
    module.remote.send(Control::fault(LostPrompt));
    let sending = thread::spawn(move || socket.send(&[b'x'; 100]));
    eventually("the send has begun", || {
        module.received.lock().unwrap()[before..].windows(10).any(|bytes| bytes == b"AT+CIPSEND")
    });
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    assert!(sending.join().unwrap().is_err());
    let before = module.received_count();
    module.remote.send(Control::Replug(None));
    is_back_within_two_seconds(&modem, &events);
    assert_eq!(module.received.lock().unwrap()[before..][..100], [b'x'; 100], "the peer gets nothing else");
    modem.wait_ready(SOON).unwrap();
    modem.close();
}

/// Regression: the payload of the send was written to every module's port, of which another one may be in a send of
/// another program.
#[test]
fn the_payload_of_a_lost_send_goes_to_the_place_at_which_the_module_was_and_to_no_other_module() {
    let tree = Tree::new("other-payload");
    let other = tree.modem("1-1.1", MODULE, "ttyUSB0", SECOND);
    let module = tree.modem("1-1.2", MODULE, "ttyUSB1", FIRST);
    let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
    modem.wait_ready(SOON).unwrap();
    let socket = modem.tcp().connect(("echo.test", 7)).unwrap();
    let events = modem.events();
    let before = module.received_count();
    module.remote.send(Control::fault(LostPrompt));
    let sending = thread::spawn(move || socket.send(&[b'x'; 100]));
    eventually("the send has begun", || {
        module.received.lock().unwrap()[before..].windows(10).any(|bytes| bytes == b"AT+CIPSEND")
    });
    let (before, others) = (module.received_count(), other.received_count());
    module.remote.send(Control::Unplug);
    while events.recv_timeout(SOON).unwrap() != Event::PortLost {}
    assert!(sending.join().unwrap().is_err());
    eventually("the other module is asked", || other.received_count() > others);
    module.remote.send(Control::Replug(None));
    modem.wait_ready(SOON).unwrap();
    assert_eq!(module.received.lock().unwrap()[before..][..100], [b'x'; 100], "the peer gets nothing else");
    let asked = other.received.lock().unwrap()[others..].to_vec();
    assert!(asked.starts_with(b"AT") && !asked.contains(&b'x'), "{}", asked.escape_ascii());
    modem.close();
}

/// Regression: `close` waited for the search for a second, and the ports that it asked were in use for seconds more.
#[test]
fn closing_the_modem_ends_the_search_for_its_port_at_once_and_frees_the_ports() {
    let tree = Tree::new("closed-search");
    let (silent, module) =
        (tree.modem("1-1.2", MODULE, "ttyUSB0", SECOND), tree.modem("1-1.4", MODULE, "ttyUSB1", FIRST));
    let (modem, _, before) = lost_beside_a_silent_port(&tree, &silent, &module);
    long_question(&silent, before);
    modem.close();
    // Nothing is left of the question, which would take four seconds more.
    let port = Modem::open(tree.0.join("dev/ttyUSB0"), Config::default());
    port.unwrap_or_else(|error| panic!("{error}")).close();
}

/// A program writes these commands to the port, and ends.
fn program_that_ends(port: &Path, commands: &[&str]) {
    let mut port = fs::OpenOptions::new().read(true).write(true).open(port).unwrap();
    for &command in commands {
        port.write_all(command.as_bytes()).unwrap();
        let mut received = Vec::new();
        while command != "ATQ1\r" && ![&b"OK\r\n"[..], b">", b"0\r"].iter().any(|end| received.ends_with(end))
        {
            let mut byte = [0];
            port.read_exact(&mut byte).unwrap();
            received.extend(byte);
            assert!(!received.ends_with(b"ERROR\r\n"), "{command}");
        }
    }
}

/// Regression: a program that was killed left a module that no search found.
#[test]
fn a_search_finds_a_module_in_the_state_in_which_a_program_has_left_it() {
    let prompt_for_a_length = ["AT+FSCREATE=\"a\"\r", "AT+FSWRITE=\"a\",0,999,60\r"];
    for left in [&prompt_for_a_length[..], &["ATV0\r"], &["ATQ1\r"]] {
        let tree = Tree::new("left");
        let _module = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
        program_that_ends(&tree.0.join("dev/ttyUSB0"), left);
        let modem = tree.open("auto").unwrap_or_else(|error| panic!("{left:?}: {error}"));
        assert_eq!(imei(&modem), FIRST);
        modem.close();
    }
}

/// Regression: a port that became free while silent ports got the long question got only the short one, so a module in
/// a data prompt took each `AT` for payload.
#[test]
fn a_search_finds_the_module_of_a_program_that_dies_within_a_send() {
    let tree = Tree::new("dying");
    let sibling = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
    sibling.remote.send(Control::fault(Deaf { lasting: 10 * SOON }));
    tree.port("1-1.2", 4, "ttyUSB1", "option1");
    let path = tree.0.join("dev/ttyUSB1");
    let module = Module::at(&path, FIRST);
    for (count, is_held) in [(1460, true), (3, true), (1460, false)] {
        let modem = Modem::open(&path, Config::default()).unwrap();
        modem.wait_ready(SOON).unwrap();
        let _socket = modem.tcp().connect(("echo.test", 7)).unwrap();
        modem.close();
        program_that_ends(&path, &[&format!("AT+CIPSEND=0,{count}\r")]);
        let before = sibling.received_count();
        thread::scope(|scope| {
            let (locked, is_locked) = crossbeam_channel::bounded::<()>(0);
            let (path, sibling) = (&path, &sibling);
            scope.spawn(move || {
                let port = fs::File::open(path).unwrap();
                if is_held {
                    rustix::fs::flock(&port, rustix::fs::FlockOperation::LockExclusive).unwrap();
                    drop(locked);
                    long_question(sibling, before);
                }
            });
            let _ = is_locked.recv();
            let modem = tree.open("auto").unwrap_or_else(|error| panic!("{count} bytes: {error}"));
            assert_eq!(imei(&modem), FIRST);
            modem.close();
        });
    }
    drop(module);
}

/// Regression: if the last short question ended with another module's answer, the long one was not asked.
#[test]
fn a_silent_module_is_asked_the_long_question_although_another_one_answers_last() {
    let tree = Tree::new("answers-last");
    let _module = tree.modem("1-1.2", MODULE, "ttyUSB9", FIRST);
    program_that_ends(&tree.0.join("dev/ttyUSB9"), &["ATQ1\r"]);
    let _other = tree.modem("1-1.1", MODULE, "ttyUSB3", SECOND);
    let _silent: Vec<_> = [(0, "ttyUSB0"), (1, "ttyUSB1"), (3, "ttyUSB2")]
        .into_iter()
        .map(|(interface, name)| {
            tree.port("1-1.1", interface, name, "option1");
            let mut pty = serve::Pty::open().unwrap();
            pty.link(tree.0.join("dev").join(name)).unwrap();
            pty
        })
        .collect();
    let modem = tree.open(&format!("imei:{FIRST}")).unwrap();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
}

/// Regression: after 15 s the search was over, and a third of the ports had not been asked the long question.
#[test]
fn a_module_that_needs_the_long_question_is_found_behind_sixty_silent_ports() {
    let tree = Tree::new("sixty");
    let _module = tree.modem("1-1.9", MODULE, "ttyUSB99", FIRST);
    program_that_ends(&tree.0.join("dev/ttyUSB99"), &["ATQ1\r"]);
    let silent = |number: u32| {
        let (location, name) = (format!("1-1.{number}"), format!("ttyUSB{number}"));
        tree.device(&location, MODULE[0], MODULE[1]);
        tree.port(&location, 2, &name, "option1");
        let mut pty = serve::Pty::open().unwrap();
        pty.link(tree.0.join("dev").join(name)).unwrap();
        pty
    };
    let _silent: Vec<_> = (10..70).map(silent).collect();
    let last = ports_below(&tree.0).unwrap().pop().unwrap();
    assert!(last.path.ends_with("ttyUSB99"), "{last:?}");
    let begun = Instant::now();
    let modem = tree.open("auto").unwrap();
    let took = begun.elapsed();
    assert_eq!(imei(&modem), FIRST);
    modem.close();
    assert!(took < Duration::from_secs(15 + 5 * 7), "{took:?}");
}

#[test]
fn a_module_that_answers_late_is_found() {
    for name in ["auto".to_owned(), format!("imei:{FIRST}")] {
        for (count, millis) in [(1, 400), (1, 2_000), (3, 400), (3, 900)] {
            let tree = Tree::new("late");
            let module = tree.modem("1-1.2", MODULE, "ttyUSB0", FIRST);
            for command in 1..=count {
                module.remote.send(Control::fault(LateAnswer { command, by: Duration::from_millis(millis) }));
            }
            let modem = tree.open(&name).unwrap_or_else(|error| panic!("{name}, {millis} ms: {error}"));
            modem.close();
        }
    }
}

/// Each search asks the module that the other one looks for.
#[test]
fn two_simultaneous_searches_find_their_modules() {
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
fn the_ports_of_modules_come_first_in_the_order_of_their_interfaces() {
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
fn absent_uarts_and_terminals_without_a_device_are_not_listed() {
    let tree = Tree::new("none");
    tree.tty("ttyS0", "sys/devices/platform/serial8250", "serial8250");
    tree.write("sys/class/tty/ttyS0/type", "0\n");
    fs::create_dir_all(tree.0.join("sys/class/tty/tty1")).unwrap();
    assert_eq!(tree.listed(), []);
    assert_eq!(ports_below(Path::new("/no-such-folder")).unwrap(), []);
}

#[test]
fn invalid_usb_ids_are_ignored_and_a_serial_number_is_listed() {
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

/// Regression: a port that this user may not open was listed as free. Root may open every port, so the calling thread
/// becomes another user first.
#[test]
#[cfg(target_os = "linux")]
fn a_port_that_this_user_may_not_open_is_listed_as_such() {
    use rustix::process::{Gid, Uid, geteuid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

    let tree = Tree::new("permissions");
    fs::set_permissions(&tree.0, fs::Permissions::from_mode(0o755)).unwrap();
    tree.device("1-1.4", "1782", "4e00");
    let modes = [0o600, 0o000, 0o404, 0o402, 0o666];
    for (number, mode) in (0..).zip(modes) {
        let name = format!("ttyUSB{number}");
        tree.port("1-1.4", 2 + number, &name, "option1");
        tree.write(&format!("dev/{name}"), "");
        let port = tree.0.join("dev").join(name);
        fs::set_permissions(port, fs::Permissions::from_mode(mode)).unwrap();
    }
    let is_root = geteuid().is_root();
    let listed = thread::scope(|scope| {
        let list = || {
            if is_root {
                // The identity of this thread alone; it ends with the thread.
                let (user, group) = (Uid::from_raw(65534), Gid::from_raw(65534));
                set_thread_groups(&[group]).unwrap();
                set_thread_res_gid(group, group, group).unwrap();
                set_thread_res_uid(user, user, user).unwrap();
            }
            ports_below(&tree.0).unwrap()
        };
        scope.spawn(list).join().unwrap()
    });
    let permitted: Vec<bool> = listed.iter().map(|port| port.is_permitted).collect();
    // The owner of the files may do what the first digit of the mode says.
    let expected =
        if is_root { [false, false, false, false, true] } else { [true, false, false, false, true] };
    assert_eq!(permitted, expected);
}

#[test]
fn the_error_of_a_search_names_the_target_and_gives_advice() {
    for name in ["imei:860000000000001", "usb:9-9.9.9"] {
        let Err(Error::Io(error)) = Modem::open(name, Config::default()) else { panic!("{name} was opened") };
        let text = error.to_string();
        assert!(text.starts_with(name) && text.contains("by its path"), "{text}");
    }
    // No module can have such a name.
    for name in ["imei:", "imei:86000000000001", "imei:86000000000000x", "imei: 860000000000001", "usb:"] {
        let Err(Error::Io(error)) = Modem::open(name, Config::default()) else { panic!("{name} was opened") };
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    }
}
