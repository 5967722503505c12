//! The answer to a command that is held back while more than one final result code comes.

use crate::at::{ChannelId, Command, IpStatus, Refusal};

use super::exchange::Failure;

/// The result that follows from several final result codes of a command.
pub(super) fn one_of(
    mut ends: Vec<(Vec<String>, Result<(), Refusal>)>,
    rest: Vec<String>,
    command: &Command,
) -> Result<Vec<String>, Failure> {
    // `OK` reports that the connection is being made; the line after it reports that it failed.
    let no_connection =
        |end: &Result<(), Refusal>| matches!(end, Err(Refusal::ConnectFail | Refusal::AlreadyConnect));
    if let Some((_, Err(refusal))) = ends.iter().find(|(_, end)| no_connection(end)) {
        return Err(Failure::Refused(*refusal));
    }
    if command.is_open_ended() {
        let refused = ends.iter().find_map(|(_, end)| end.err());
        let lines: Vec<String> = ends.into_iter().flat_map(|(lines, _)| lines).chain(rest).collect();
        if IpStatus::is_doubled(&lines) {
            return Err(Failure::Refused(Refusal::Ambiguous));
        }
        if !lines.is_empty() {
            return Ok(lines);
        }
        return Err(Failure::Refused(refused.unwrap_or(Refusal::Empty)));
    }
    // Data may have come without being recognised. A refusal beside them may belong to the question.
    let fetches = ChannelId::all().any(|channel| command.fetches(channel));
    if fetches && ends.iter().any(|(_, end)| *end == Err(Refusal::Empty)) {
        return Err(Failure::Refused(Refusal::Empty));
    }
    // A result without content is dropped if one with content came, too.
    if ends.iter().any(|(_, end)| *end != Err(Refusal::Empty)) {
        ends.retain(|(_, end)| *end != Err(Refusal::Empty));
    }
    let mut ends = ends.into_iter();
    let Some((mut lines, end)) = ends.next() else { return Err(Failure::Timeout) };
    for (more, other) in ends {
        let agrees = other == end && (lines.is_empty() || more.is_empty() || lines == more);
        if !agrees {
            return Err(Failure::Refused(Refusal::Ambiguous));
        }
        if lines.is_empty() {
            lines = more;
        }
    }
    end.map(|()| lines).map_err(Failure::Refused)
}
