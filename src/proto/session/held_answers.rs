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

#[cfg(test)]
mod tests {
    use super::*;

    type Held<'a> = (&'a [&'a str], Result<(), Refusal>);
    type Case<'a> = (&'a [Held<'a>], Result<Vec<String>, Failure>);

    fn result(command: &Command, ends: &[Held<'_>], rest: &[&str]) -> Result<Vec<String>, Failure> {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        one_of(ends.iter().map(|(lines, end)| (owned(lines), *end)).collect(), owned(rest), command)
    }

    #[test]
    fn results_that_agree_are_one_and_others_are_ambiguous() {
        let (ok, error, empty) = (Ok(()), Err(Refusal::Error), Err(Refusal::Empty));
        let ambiguous = || Err(Failure::Refused(Refusal::Ambiguous));
        let lines = |lines: &[&str]| Ok(lines.iter().map(|line| (*line).to_owned()).collect());
        let cases: [Case<'_>; 11] = [
            (&[], Err(Failure::Timeout)),
            (&[(&["a"], ok)], lines(&["a"])),
            (&[(&["a"], ok), (&["a"], ok)], lines(&["a"])),
            (&[(&[], ok), (&["a"], ok)], lines(&["a"])),
            (&[(&["a"], ok), (&[], ok)], lines(&["a"])),
            (&[(&["a"], ok), (&["b"], ok)], ambiguous()),
            (&[(&["a"], ok), (&["a"], error)], ambiguous()),
            (&[(&[], error), (&[], error)], Err(Failure::Refused(Refusal::Error))),
            (&[(&[], empty)], Err(Failure::Refused(Refusal::Empty))),
            (&[(&[], empty), (&["a"], ok)], lines(&["a"])),
            (&[(&[], empty), (&[], empty)], Err(Failure::Refused(Refusal::Empty))),
        ];
        for (ends, expected) in cases {
            assert_eq!(result(&Command::attention(), ends, &[]), expected, "{ends:?}");
        }
    }

    #[test]
    fn the_lines_of_an_answer_without_an_end_are_those_before_and_after_its_final_result_codes() {
        let status = Command::ip_status();
        let (ok, error) = (Ok(()), Err(Refusal::Error));
        let state = "STATE: IP STATUS";
        assert_eq!(result(&status, &[(&[], ok)], &[state]), Ok(vec![state.to_owned()]));
        assert_eq!(result(&status, &[(&[state], ok)], &[]), Ok(vec![state.to_owned()]));
        assert_eq!(result(&status, &[(&[], ok)], &[]), Err(Failure::Refused(Refusal::Empty)));
        assert_eq!(result(&status, &[(&[], error)], &[]), Err(Failure::Refused(Refusal::Error)));
        let doubled = result(&status, &[(&[state], ok)], &[state]);
        assert_eq!(doubled, Err(Failure::Refused(Refusal::Ambiguous)));
    }

    #[test]
    fn a_refusal_beside_data_that_were_not_recognised_is_no_refusal() {
        let fetch = Command::fetch(ChannelId::all().next().unwrap(), 100);
        let ends: [Held<'_>; 2] = [(&[], Err(Refusal::Empty)), (&[], Err(Refusal::Error))];
        assert_eq!(result(&fetch, &ends, &[]), Err(Failure::Refused(Refusal::Empty)));
        assert_eq!(result(&fetch, &ends[1..], &[]), Err(Failure::Refused(Refusal::Error)));
    }
}
