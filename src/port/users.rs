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

/// The program that has locked a port by a file with its number, `LCK..ttyUSB0` (FHS 3.0, section 5.9), as gammu,
/// gnokii, ser2net and others do. A lock by this program or by its parent is one for this driver and does not count.
/// `None` also if the program has ended or can't be seen.
pub(super) fn locker(root: &Path, port: &Path) -> Option<String> {
    let name = port.strip_prefix(root.join("dev")).ok()?.to_str()?.replace('/', "_");
    let lock = ["run/lock", "var/lock"].iter().find_map(|folder| {
        let path = root.join(folder).join(format!("LCK..{name}"));
        // Every user may write to this folder: a pipe there would never end, nor would some devices.
        let file = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let mut text = String::new();
        fs::File::open(&path).ok()?.take(LONGEST_LOCK).read_to_string(&mut text).ok()?;
        // The number may be followed by names.
        let number = text.split_whitespace().next()?.parse::<u32>().ok()?;
        Some((number, file.modified().ok()?))
    });
    let (number, locked) = lock.filter(|(number, _)| *number != std::process::id() && !is_parent(*number))?;
    let program = fs::read_to_string(root.join(format!("proc/{number}/comm"))).ok()?;
    // The number of a program that has ended without removing its lock is given to another one later.
    let is_left_over = began(&root.join("proc"), number).is_some_and(|began| began > locked);
    (!is_left_over).then(|| format!("{} ({number})", program.trim()))
}

/// The time at which a program began, or a second before.
fn began(proc: &Path, number: u32) -> Option<SystemTime> {
    // The 22nd field of `stat`, in hundredths of a second after the boot. The second one has spaces, and ends with `)`.
    let stat = fs::read_to_string(proc.join(format!("{number}/stat"))).ok()?;
    let began: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
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
