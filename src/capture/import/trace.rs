//! Parsers of lines of a LuatOS trace, for the module `luat`.

#[cfg(feature = "luat")]
use super::stamp::{Stamp, stamp};

/// The stamp of a line in milliseconds, with its date, and the text after it: `[2024-10-10 15:53:37.317] ATI`.
#[cfg(feature = "luat")]
pub(crate) fn stamped(line: &[u8]) -> Option<(u64, &[u8])> {
    let (found, _) =
        stamp(line.get(..25)?).filter(|_| line.starts_with(b"[") && line.get(24) == Some(&b']'))?;
    let rest = line.get(25..)?;
    let Stamp::Count(millis) = found else { return None };
    Some((millis, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// The level and the text of a line that a script's log function printed, `[L]-[`.
#[cfg(feature = "luat")]
pub(crate) fn leveled(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'[', level @ (b'T' | b'D' | b'I' | b'W' | b'E' | b'F'), b']', b'-', b'[', rest @ ..] => {
            Some((*level, rest))
        }
        _ => None,
    }
}
