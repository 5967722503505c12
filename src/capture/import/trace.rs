//! Lines of a LuatOS trace, for `luat`.

#[cfg(feature = "luat")]
use super::stamp::{Stamp, stamp};

/// The stamp with a date in milliseconds and the text behind it: `[2024-10-10 15:53:37.317] ATI`.
#[cfg(feature = "luat")]
pub(crate) fn stamped(line: &[u8]) -> Option<(u64, &[u8])> {
    let (found, _) =
        stamp(line.get(..25)?).filter(|_| line.starts_with(b"[") && line.get(24) == Some(&b']'))?;
    let rest = line.get(25..)?;
    let Stamp::Count(millis) = found else { return None };
    Some((millis, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// The letter of the level and what stands behind `[L]-[`, if a script's log function printed this.
#[cfg(feature = "luat")]
pub(crate) fn leveled(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'[', level @ (b'T' | b'D' | b'I' | b'W' | b'E' | b'F'), b']', b'-', b'[', rest @ ..] => {
            Some((*level, rest))
        }
        _ => None,
    }
}
