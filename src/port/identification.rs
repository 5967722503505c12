//! The questions by which a search identifies the module at a port. The modem's layer has their texts.

use std::io;
use std::time::Duration;

use super::ModuleMode;

/// Writes a question to a port and reads the answer. The arguments are the question, the time-out, and a function that
/// says whether the answer is complete.
pub(crate) type Ask<'a> = dyn FnMut(&[u8], Duration, fn(&[u8]) -> bool) -> io::Result<Vec<u8>> + 'a;

/// Finds the IMEI of the module that a port belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identify {
    /// Asks a module in this mode. This takes less than 3 s.
    pub(crate) imei: fn(&mut Ask<'_>, &ModuleMode) -> io::Result<String>,
    /// Makes a module answer that did not, whatever its state is, and asks it then. This takes less than 7 s, unless
    /// late answers to earlier questions come all the time.
    pub(crate) imei_of_silent: fn(&mut Ask<'_>, &ModuleMode) -> io::Result<String>,
}
