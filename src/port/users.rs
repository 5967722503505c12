//! The programs that have a port open, as far as this user may see them: root sees all, another user its own.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The most bytes of a lock file that are read. It has a number of ten places and a name or two.
const LONGEST_LOCK: u64 = 256;

/// A program that runs, and the files that it has open.
pub(super) struct Program {
    folder: PathBuf,
    number: u32,
    /// The number and the path of each.
    files: Vec<(OsString, PathBuf)>,
}

impl Program {
    /// Its name and number: `ModemManager (712)`.
    pub(super) fn name(&self) -> String {
        let name = fs::read_to_string(self.folder.join("comm")).unwrap_or_default();
        format!("{} ({})", name.trim(), self.number)
    }

    pub(super) fn has_open(&self, path: &Path) -> bool {
        self.files.iter().any(|(_, file)| file == path)
    }

    /// Whether it is the other side of this pseudo-terminal. Such a program may keep both sides open.
    fn serves(&self, terminal: &str) -> bool {
        let masters = self.files.iter().filter(|(_, file)| file.ends_with("ptmx"));
        let index = |text: String| {
            let index = text.lines().find_map(|line| line.strip_prefix("tty-index:"));
            index.is_some_and(|index| index.trim() == terminal)
        };
        masters
            .map(|(number, _)| self.folder.join("fdinfo").join(number))
            .any(|file| fs::read_to_string(file).is_ok_and(index))
    }
}

/// The other programs, by the folder `proc`.
pub(super) fn programs(proc: &Path) -> impl Iterator<Item = Program> {
    fs::read_dir(proc).into_iter().flatten().flatten().filter_map(|process| {
        let number = process.file_name().to_string_lossy().parse().ok()?;
        if number == std::process::id() {
            return None;
        }
        let folder = process.path();
        let files = fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
        let files =
            files.filter_map(|file| Some((file.file_name(), fs::read_link(file.path()).ok()?))).collect();
        Some(Program { folder, number, files })
    })
}

/// A lock of a port.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Lock {
    /// The name and the number of the program that holds it.
    pub(super) program: String,
    pub(super) file: PathBuf,
}

/// The lock of a port, if another program has it by a file with its number, `LCK..ttyUSB0` (FHS 3.0, section 5.9), as
/// gammu, gnokii, ser2net and others do. A lock by this program or by its parent is one for this driver and does not
/// count. `None` also if the program has ended or can't be seen.
pub(super) fn lock_of(root: &Path, port: &Path) -> Option<Lock> {
    let entries = |folder| fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    let locks = ["run/lock", "var/lock"].into_iter().flat_map(entries);
    let is_of_port = |lock: &fs::DirEntry| {
        let name = lock.file_name();
        name.to_str()
            .and_then(|name| name.strip_prefix("LCK.."))
            .is_some_and(|name| leads_to(root, name, port))
    };
    locks.filter(is_of_port).find_map(|lock| {
        let (program, file) = (holder(&root.join("proc"), &lock.path())?, lock.path());
        Some(Lock { program, file: Path::new("/").join(file.strip_prefix(root).unwrap_or(&file)) })
    })
}

/// Whether the name of a lock is that of the port, or of a link that leads to it (`/dev/modem`). For a device in a
/// folder, gensio replaces the `/` by `_`, and minicom takes the part after it.
fn leads_to(root: &Path, name: &str, port: &Path) -> bool {
    let dev = root.join("dev");
    let own = port.strip_prefix(&dev).ok().and_then(Path::to_str).map(|own| own.replace('/', "_"));
    let links = ["serial/by-id", "serial/by-path"].into_iter().map(|folder| {
        let rest = name.strip_prefix(&*format!("{}_", folder.replace('/', "_"))).unwrap_or(name);
        dev.join(folder).join(rest)
    });
    let device = fs::canonicalize(port).ok();
    let is_device = |path: PathBuf| device.is_some() && fs::canonicalize(path).ok() == device;
    own.is_some_and(|own| own == name) || links.chain([dev.join(name)]).any(is_device)
}

/// The program that holds a lock.
fn holder(proc: &Path, lock: &Path) -> Option<String> {
    // Every user may write to this folder: a pipe there would never end, nor would some devices.
    let file = fs::metadata(lock).ok().filter(fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    fs::File::open(lock).ok()?.take(LONGEST_LOCK).read_to_end(&mut bytes).ok()?;
    let number = program_number(&bytes)?;
    if number == std::process::id() || is_parent(number) {
        return None;
    }
    let program = fs::read_to_string(proc.join(format!("{number}/comm"))).ok()?;
    let stat = fs::read_to_string(proc.join(format!("{number}/stat"))).unwrap_or_default();
    // The second field has spaces, and ends with `)`.
    let fields: Vec<_> = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().collect();
    // A program that was killed keeps its number until its parent has asked for its end.
    let is_dead = fields.first() == Some(&"Z");
    // The number of a program that has ended without removing its lock is given to another one later.
    let is_other =
        began(proc, &fields).is_some_and(|began| file.modified().is_ok_and(|locked| began > locked));
    (!is_dead && !is_other).then(|| format!("{} ({number})", program.trim()))
}

/// The number in a lock: decimal digits, perhaps with names behind them (minicom), or the four bytes of an integer
/// (Kermit, older UUCP), the last of which is zero on machines with the usual order of bytes.
fn program_number(lock: &[u8]) -> Option<u32> {
    if let Ok(number @ [.., 0]) = <[u8; 4]>::try_from(lock) {
        return Some(u32::from_le_bytes(number));
    }
    let lock = lock.trim_ascii_start();
    let digits = lock.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The time at which a program began, or a second before, by the fields of its `stat` from the third on.
fn began(proc: &Path, fields: &[&str]) -> Option<SystemTime> {
    // The 22nd field, in hundredths of a second after the boot.
    let began: f64 = fields.get(19)?.parse().ok()?;
    let up: f64 = fs::read_to_string(proc.join("uptime")).ok()?.split_whitespace().next()?.parse().ok()?;
    let age = Duration::try_from_secs_f64(up - began / 100.0 + 1.0).ok()?;
    SystemTime::now().checked_sub(age)
}

#[cfg(unix)]
fn is_parent(number: u32) -> bool {
    std::os::unix::process::parent_id() == number
}

#[cfg(not(unix))]
fn is_parent(_: u32) -> bool {
    false
}

/// The programs that use the port with this path.
pub(super) fn users(path: &str) -> Vec<String> {
    let Ok(path) = fs::canonicalize(path) else { return Vec::new() };
    let terminal = path.strip_prefix("/dev/pts").ok().and_then(Path::to_str);
    programs(Path::new("/proc"))
        .filter(|program| {
            program.has_open(&path) && !terminal.is_some_and(|terminal| program.serves(terminal))
        })
        .map(|program| program.name())
        .collect()
}
