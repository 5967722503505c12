//! Results of sends. `Ok` stands for bytes that the module has accepted, and the peer gets the given bytes in their
//! order. The driver completes a send whose prompt or result was lost with carriage returns. The peer may get these
//! only if the socket has ended with an error.

use std::borrow::Cow;
use std::ops::Range;

use air724ug::proto::Response;
use air724ug::sim::Direction;

use super::Check;
use crate::simulation::facts::{Connection, Facts, Observation, Outcome, RequestKind, Send};
use crate::simulation::script::{Far, Wanted};

#[derive(Debug)]
pub struct Accepted;

impl Check for Accepted {
    fn promise(&self) -> &'static str {
        "accepted"
    }

    fn sees(&mut self, facts: &Facts, seen: &Observation<'_>) -> Result<(), String> {
        match seen {
            Observation::Answered(asked, Ok(Response::Sent { accepted, .. })) => {
                let RequestKind::Send { connection, .. } = asked.what else { return Ok(()) };
                taken(&facts.connections[connection], *accepted)
            }
            Observation::End { got } => {
                for (connection, got) in facts.connections.iter().zip(*got) {
                    if connection.id.is_some() && !connection.hurt.sent {
                        at_peer(facts, connection, got)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Checks that the module has accepted the bytes. Those of a transparent stream are accepted by the port.
fn taken(connection: &Connection, accepted: usize) -> Result<(), String> {
    let reported = connection.reported_accepted();
    if connection.wanted == Wanted::Transparent || connection.hurt.sent || reported <= connection.taken {
        return Ok(());
    }
    Err(format!(
        "connection {} got the report that {accepted} bytes were accepted, {reported} in all; the module took {}",
        connection.number, connection.taken
    ))
}

fn at_peer(facts: &Facts, connection: &Connection, got: &[u8]) -> Result<(), String> {
    let whole = whole(facts, connection, got);
    let mended = made_up(facts, connection, &whole);
    let got = mended.as_deref().unwrap_or(&whole);
    let good = followed(connection, got);
    let rest = &got[good..];
    let is_filled = rest.iter().all(|byte| *byte == b'\r') && receives_no_more(connection);
    // If filler can be lost as well, the module may take a question in its place.
    let is_filled =
        is_filled || (facts.may_be_deaf && receives_no_more(connection) && is_made_of_questions(rest));
    let is_filled = is_filled || (facts.may_be_deaf && is_filled_up(facts, connection, got));
    // The driver may take a doubled result for the answer in place of a prompt, or the late result of another command
    // if its own command is late. If the prompt comes seconds later, the questions asked until then are payload, and so
    // is the filler after them.
    let is_late = may_ask_too_soon(facts) && connection.has_typed_error();
    // The same applies if the filler was lost, and the prompt comes after a question.
    let is_deaf = facts.may_be_deaf && receives_no_more(connection);
    let is_after = |piece: &Vec<u8>| {
        // The modem may have taken the beginning of the piece before.
        let is_begun = |at: usize| {
            let longest = got.len().saturating_sub(piece.len());
            let such =
                |from: usize| piece.starts_with(&got[from..at]) && is_next(connection, &got[..from], piece);
            (longest.max(at.saturating_sub(piece.len()))..=at).any(such)
        };
        // The received part of the filler may begin with the same bytes as the piece.
        let is_tail = |at: usize| ends_with_questions(&got[at..], piece) && is_begun(at);
        let is_cut = begins_with_question(rest, piece) && is_next(connection, &got[..good], piece);
        (is_late || is_deaf) && is_cut || is_deaf && (good.saturating_sub(16)..=good).any(is_tail)
    };
    let is_filled = is_filled || (is_late && is_made_of_questions(rest));
    let is_filled = is_filled || connection.pieces.last().is_some_and(is_after);
    // A modem whose command names too many bytes takes questions for payload, and the piece that is written again
    // before each of them.
    let has_failed = connection.sends.iter().any(|send| matches!(send.outcome, Outcome::Unknown(_)));
    let last = connection.pieces.last().map_or(&[][..], Vec::as_slice);
    let is_filled = is_filled
        || (connection.hurt.length && has_failed && is_made_of_questions(&without_piece(last, rest)));
    // The payload may begin with the same bytes as the escape.
    let is_escape = |at: usize| got[at..].starts_with(b"+++");
    let escaped = connection.wanted == Wanted::Transparent && (good.saturating_sub(3)..=good).any(is_escape);
    if !rest.is_empty() && !is_filled && !escaped {
        let strange = &rest[..rest.len().min(60)];
        return Err(format!(
            "the peer of connection {} got \"{}\" at {good}, {:?}",
            connection.number,
            strange.escape_ascii(),
            connection.ended
        ));
    }
    let reported = connection.reported_accepted();
    let is_open = connection.ended.is_none() && !connection.left && !connection.peer_left;
    let reads = !matches!(connection.far, Far::ClosesAfter(_) | Far::ResetsAfter(_));
    // A connection that died without a report of the modem stays open until the host asks about it.
    let is_open = is_open && !(facts.may_lose_news && connection.is_gone);
    if is_open && reads && !connection.is_udp() && !connection.may_be_dead && got.len() < reported {
        return Err(format!(
            "the peer of connection {} has {} of {reported} accepted bytes, and the socket is open",
            connection.number,
            got.len()
        ));
    }
    Ok(())
}

/// Whether a result of another command may come in place of a prompt, and the prompt seconds later.
fn may_ask_too_soon(facts: &Facts) -> bool {
    (facts.may_double_answers || facts.may_delay_commands) && facts.may_delay_answers
}

/// Whether the application knows of the end: from an error, its own close, or a close by the peer after a send failed.
fn receives_no_more(connection: &Connection) -> bool {
    let has_failed = connection.sends.iter().any(|send| matches!(send.outcome, Outcome::Unknown(_)));
    connection.has_typed_error() || connection.left || (connection.ended.is_some() && has_failed)
}

/// The bytes of the peer without datagrams that no application has given. Each stands for a failed send. It consists of
/// carriage returns if its prompt did not come, or of other bytes if bytes were lost on the way to the modem, or of a
/// question.
fn whole<'a>(facts: &Facts, connection: &Connection, got: &'a [u8]) -> Cow<'a, [u8]> {
    let mut got = Cow::Borrowed(got);
    if !connection.is_udp() {
        return got;
    }
    for send in connection.sends.iter().filter(|send| matches!(send.outcome, Outcome::Unknown(_))) {
        let of_len = |is_such: &dyn Fn(&[u8]) -> bool| filling(connection, send.len, &got, is_such);
        let returned = of_len(&|bytes| bytes.iter().all(|byte| *byte == b'\r'));
        let questions = || of_len(&is_made_of_questions);
        // The prompt comes after a question that the module took for payload, and the driver then writes the piece.
        let late = || of_len(&|bytes| is_question_before_piece(connection, bytes));
        // The modem reads again from the middle of a piece on.
        let cut = || of_len(&|bytes| is_cut_piece(connection, bytes));
        // The bytes of a short piece may also be part of a long one. The right piece leaves the fewest unexplained
        // bytes.
        let filled = || {
            let all = connection.pieces.iter().filter_map(|piece| filled_up(facts, connection, piece, &got));
            // A modem whose command names too many bytes takes questions for payload as well.
            let most = if connection.hurt.length { MAX_QUESTION } else { 0 };
            let bytes: &[u8] = &got;
            let with_questions = |Range { start, end }: Range<usize>| {
                let ends = end..=bytes.len().min(end + most);
                ends.filter(move |to| is_made_of_questions(&bytes[end..*to])).map(move |to| start..to)
            };
            all.flat_map(with_questions).min_by_key(|range| unexplained_without(connection, &got, range))
        };
        let mixed = || connection.pieces.iter().find_map(|piece| mixed(connection, piece, &got));
        let is_deaf = facts.may_be_deaf;
        let strange = [
            returned,
            is_deaf.then(questions).flatten(),
            (is_deaf || may_ask_too_soon(facts)).then(late).flatten(),
            is_deaf.then(cut).flatten(),
            (is_deaf || connection.hurt.length).then(filled).flatten(),
            connection.hurt.length.then(mixed).flatten(),
        ];
        let fewest = |range: &Range<usize>| unexplained_without(connection, &got, range);
        let strange = strange.into_iter().flatten().min_by_key(fewest);
        let Some(strange) = strange else { continue };
        got.to_mut().drain(strange);
    }
    got
}

/// The range of `got` that is a datagram of `len` bytes, which `is_such` accepts, and without which fewer bytes are
/// unexplained. Its last bytes may also be the first ones of the next send, and bytes of that send may follow it.
fn filling(
    connection: &Connection,
    len: usize,
    got: &[u8],
    is_such: impl Fn(&[u8]) -> bool,
) -> Option<Range<usize>> {
    let good = followed(connection, got);
    let starts = (good.saturating_sub(len + ALIKE)..=good).rev().filter(|_| good < got.len() && len > 0);
    let ranges = starts.map(|from| from..from + len);
    let such = ranges.filter(|range| got.get(range.clone()).is_some_and(&is_such));
    let fewer = such.filter(|range| {
        range.contains(&good) || unexplained_without(connection, got, range) < got.len() - good
    });
    fewer.min_by_key(|range| unexplained_without(connection, got, range))
}

/// The number of bytes of the peer that nothing explains if these are left out.
fn unexplained_without(connection: &Connection, got: &[u8], range: &Range<usize>) -> usize {
    let rest = [&got[..range.start], &got[range.end..]].concat();
    rest.len() - followed(connection, &rest)
}

/// The most bytes at the end of a question that may also be the beginning of a send.
const ALIKE: usize = 4;
/// The most bytes of one send of the module.
const LONGEST_SEND: usize = 1_460;
/// The most bytes of questions that a modem takes for the rest of a payload.
const MAX_QUESTION: usize = 64;

/// Whether the peer's bytes end with the last piece, completed by the driver's second attempt because the line to the
/// modem has lost bytes of it. The modem counts bytes, and takes all bytes that are written then for payload, so no
/// driver can prevent it. The socket has ended with an error, or its application has dropped it.
fn is_filled_up(facts: &Facts, connection: &Connection, got: &[u8]) -> bool {
    let Some(piece) = connection.pieces.last().filter(|_| receives_no_more(connection)) else { return false };
    filled_up(facts, connection, piece, got).is_some_and(|strange| is_made_of_questions(&got[strange.end..]))
}

/// The bytes of a stream's peer with the piece in place of its damaged form: the line to the modem lost bytes of the
/// piece in one place. The driver wrote the same piece again because the result of its send did not come, and that
/// completed it. The modem's count is then right, and no driver can distinguish this case from a lost result (A90).
fn made_up(facts: &Facts, connection: &Connection, got: &[u8]) -> Option<Vec<u8>> {
    let good = followed(connection, got);
    if connection.is_udp() || !facts.may_be_deaf || !facts.may_lose_results || good == got.len() {
        return None;
    }
    connection.pieces.iter().find_map(|piece| {
        let mut places = good.saturating_sub(piece.len())..=good;
        places.find_map(|from| {
            let end = from + piece.len();
            let is_taken = end > good && taken_of(facts, piece, &got[from..]) == Some(piece.len());
            let mended = is_taken.then(|| [&got[..from], piece, &got[end.min(got.len())..]].concat())?;
            (followed(connection, &mended) >= end).then_some(mended)
        })
    })
}

/// The range of `got` that a modem takes for this piece, and that contains the first byte which was not given.
fn filled_up(facts: &Facts, connection: &Connection, piece: &[u8], got: &[u8]) -> Option<Range<usize>> {
    let good = followed(connection, got);
    // The filler may be longer than the piece.
    let from = good.saturating_sub(2 * piece.len());
    let mut places = (from..=good).rev().filter(|_| good < got.len());
    places.find_map(|from| {
        let count = taken_of(facts, piece, &got[from..])?;
        // The last byte of a datagram that is too long may be equal to the first byte of the next one.
        let reaches = from + count > good || (connection.is_udp() && from + count == good);
        let is_it = reaches && is_next(connection, &got[..from], piece);
        is_it.then_some(from..from + count)
    })
}

/// The number of these bytes that a modem takes for a piece: the piece and its filler (the piece again and a line end,
/// or carriage returns), without bytes lost in one place. The number is the length of the piece, unless the line has
/// changed the length in the command.
fn taken_of(facts: &Facts, piece: &[u8], got: &[u8]) -> Option<usize> {
    let filled = [piece, piece, b"\r\n"].concat();
    let returns = [piece, vec![b'\r'; piece.len()].as_slice(), b"\r\n"].concat();
    let same =
        |one: &[u8], other: &[u8]| one.iter().zip(other).take_while(|(one, other)| one == other).count();
    [filled, returns].iter().find_map(|written| {
        let begin = same(written, got);
        let rest = got.get(..piece.len()).and_then(|got| got.get(begin..)).unwrap_or_default();
        if !rest.is_empty() && (begin..written.len()).any(|at| written[at..].starts_with(rest)) {
            return Some(piece.len());
        }
        (begin > piece.len() && facts.is_damaged(Direction::FromHost)).then_some(begin)
    })
}

/// Questions of the driver, in any order. A module that has lost payload takes them for it.
const QUESTIONS: &[u8] =
    b"AT+CIPQSEND?AT+CIPMODE?AT+CIPMUX?AT+CGATT?AT+IPR?AT+CMEE?AT+CMGF?AT+CSCS?ATQ0ATV1+++AT";
/// The close of a damaged socket, up to the channel. A module may take this command for payload, too.
const CLOSE: &[u8] = b"AT+CIPCLOSE=";

/// Whether the bytes are carriage returns, and questions of the driver or parts of them.
fn is_made_of_questions(rest: &[u8]) -> bool {
    let closes = (b'0'..=b'7').map(|channel| [CLOSE, &[channel]].concat());
    let texts: Vec<Vec<u8>> = closes.chain([QUESTIONS.to_vec()]).collect();
    let is_in = |text: &[u8], line: &[u8]| text.windows(line.len()).any(|part| part == line);
    let is_question = |line: &[u8]| line.is_empty() || texts.iter().any(|text| is_in(text, line));
    // An ESC ends a prompt that no send explains.
    rest.split(|byte| matches!(byte, b'\r' | b'\n' | 0x1b)).all(is_question)
}

/// The range of `got` that is the datagram of a command that named more bytes than the piece has: the piece, and then
/// questions of the driver with the piece again before each of them.
fn mixed(connection: &Connection, piece: &[u8], got: &[u8]) -> Option<Range<usize>> {
    let good = followed(connection, got);
    let begins = |from: &usize| got[*from..].starts_with(piece) && is_next(connection, &got[..*from], piece);
    let from = (good.saturating_sub(2 * piece.len())..=good).filter(|_| good < got.len()).find(begins)?;
    let ends = good..=got.len().min(from + LONGEST_SEND);
    let such = ends.filter(|end| is_made_of_questions(&without_piece(piece, &got[from..*end])));
    such.map(|end| from..end).min_by_key(|range| unexplained_without(connection, got, range))
}

/// The bytes without a piece, which may be there several times, the last time in part.
fn without_piece(piece: &[u8], bytes: &[u8]) -> Vec<u8> {
    if piece.is_empty() {
        return bytes.to_vec();
    }
    let (mut kept, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(piece.len()).position(|part| part == piece) {
        kept.extend_from_slice(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    let begins = (0..rest.len()).find(|at| piece.starts_with(&rest[*at..])).unwrap_or(rest.len());
    kept.extend_from_slice(&rest[..begins]);
    kept
}

/// Whether the bytes are at most as many as the piece has, and consist of a question and the beginning of the piece.
fn begins_with_question(bytes: &[u8], piece: &[u8]) -> bool {
    let Some(end) = bytes.windows(2).position(|end| end == b"\r\n").map(|at| at + 2) else { return false };
    let (question, rest) = bytes.split_at(end);
    bytes.len() <= piece.len() && is_made_of_questions(question) && piece.starts_with(rest)
}

/// Whether the bytes are at most as many as the piece has, and consist of the end of the piece, the line end of the
/// filler, and questions with the piece before each: the modem has lost the beginning of the filler.
fn ends_with_questions(bytes: &[u8], piece: &[u8]) -> bool {
    let after = |at: usize| bytes.strip_prefix(&piece[at..])?.strip_prefix(b"\r\n");
    let is_rest = |rest: &[u8]| is_made_of_questions(&without_piece(piece, rest));
    bytes.len() <= piece.len() && (0..piece.len()).any(|at| after(at).is_some_and(is_rest))
}

/// Whether the bytes are questions, each with its line end, and the beginning of a piece.
fn is_question_before_piece(connection: &Connection, bytes: &[u8]) -> bool {
    let ends = bytes.windows(2).enumerate().filter(|(_, end)| *end == b"\r\n").map(|(at, _)| at + 2);
    ends.into_iter().any(|end| {
        let (questions, rest) = bytes.split_at(end);
        is_made_of_questions(questions) && connection.pieces.iter().any(|piece| piece.starts_with(rest))
    })
}

/// Whether the bytes are the end of a piece, the line end of the filler, questions, and perhaps the piece once more.
fn is_cut_piece(connection: &Connection, bytes: &[u8]) -> bool {
    connection.pieces.iter().any(|piece| {
        let after = |at: usize| bytes.strip_prefix(&piece[at..])?.strip_prefix(b"\r\n");
        (0..piece.len())
            .filter_map(after)
            .any(|rest| is_made_of_questions(rest) || is_question_before_piece(connection, rest))
    })
}

/// The number of the peer's bytes that agree with the given ones.
fn followed(connection: &Connection, got: &[u8]) -> usize {
    follow(connection, got).0
}

/// Whether a piece may follow the bytes of the peer, and none of it was reported as accepted.
fn is_next(connection: &Connection, got: &[u8], piece: &[u8]) -> bool {
    let given = connection.outgoing().bytes(0, connection.given());
    let (good, places) = follow(connection, got);
    let is_unreported = |number: usize, place: usize| {
        let send = &connection.sends[number];
        match send.outcome {
            Outcome::Accepted(_) | Outcome::Refused => false,
            Outcome::Unknown(least) => place >= send.from + least,
            Outcome::Open => true,
        }
    };
    let is_it = |number, place| is_unreported(number, place) && given[place..].starts_with(piece);
    good == got.len() && places.iter().any(|(number, place)| is_it(*number, *place))
}

/// Compares the given bytes with those of the peer. Returns the number of equal bytes, and the sends and places at
/// which the peer may be after them. There are several places after a send that was not accepted as a whole.
fn follow(connection: &Connection, got: &[u8]) -> (usize, Vec<(usize, usize)>) {
    let given = connection.outgoing().bytes(0, connection.given());
    let mut places = entered(connection, 0);
    for (at, byte) in got.iter().enumerate() {
        let mut next = Vec::with_capacity(places.len());
        let mut matched = false;
        for (number, place) in &places {
            let (number, place) = (*number, *place);
            let send = &connection.sends[number];
            let end = send.from + send.len;
            if send.outcome == Outcome::Refused || place >= end || given[place] != *byte {
                continue;
            }
            matched = true;
            if place + 1 < end {
                next.push((number, place + 1));
            }
            if place + 1 == end || may_end(connection, send, place + 1 - send.from) {
                next.extend(entered(connection, number + 1));
            }
        }
        if !matched {
            return (at, places);
        }
        next.sort_unstable();
        next.dedup();
        places = next;
    }
    (got.len(), places)
}

/// The beginning of a send, and of the next ones if the peer may have no byte of it.
fn entered(connection: &Connection, number: usize) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (number, send) in connection.sends.iter().enumerate().skip(number) {
        places.push((number, send.from));
        if send.len > 0 && !may_end(connection, send, 0) {
            break;
        }
    }
    places
}

/// Whether the peer may have this number of bytes of a send, followed by the next send.
fn may_end(connection: &Connection, send: &Send, had: usize) -> bool {
    match send.outcome {
        // A datagram may be lost as a whole. A part of it is lost only if the line has changed the length in the
        // command.
        Outcome::Unknown(least) if connection.is_udp() && connection.hurt.length => had >= least,
        _ if connection.is_udp() => had == 0,
        Outcome::Accepted(_) => false,
        Outcome::Unknown(least) => had >= least,
        Outcome::Refused => had == 0,
        Outcome::Open => false,
    }
}
