//! The lines of the module that may stand at the end of transparent data.

use crate::at::{Effect, amid_data, may_begin_amid_data};
use crate::error::CloseReason;

/// A line of the module at the end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// The connection has ended, for this reason.
    Closed(CloseReason),
    /// The module has restarted.
    Restarted,
}

/// The longest line that is compared.
pub(super) const MAX_WORD: usize = 80;

/// True if it may be the beginning of an unsolicited line.
pub(super) fn may_begin_word(line: &[u8]) -> bool {
    line.len() <= MAX_WORD && may_begin_amid_data(line)
}

/// The effect of an unsolicited line on the connection.
pub(super) fn meaning(line: &[u8]) -> Option<Option<Ending>> {
    if line.trim_ascii() != line || !may_begin_word(line) {
        return None;
    }
    amid_data(line).map(|effect| match effect {
        Effect::None => None,
        Effect::Ends(reason) => Some(Ending::Closed(reason.into())),
        Effect::Restarts => Some(Ending::Restarted),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_compared_up_to_80_bytes_and_without_blanks_around_it() {
        let line = |length: usize| format!("{:1<length$}", "+CGEV: NW PDN DEACT ").into_bytes();
        assert!(may_begin_word(&line(80)) && !may_begin_word(&line(81)));
        assert_eq!((meaning(&line(80)).is_some(), meaning(&line(81))), (true, None));
        assert_eq!(meaning(b"CLOSED"), Some(Some(Ending::Closed(CloseReason::Peer))));
        for padded in [&b"CLOSED "[..], b" CLOSED", b"+CREG: 1 "] {
            assert_eq!(meaning(padded), None, "{}", padded.escape_ascii());
        }
    }
}
