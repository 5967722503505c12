//! Payload that can do no harm as a command.

/// How many bytes of `payload` can be sent as one chunk without any risk that they act as a command.
///
/// When the prompt is lost, the only thing that may go out on the wire is the payload itself (a modem that waits for
/// it would take anything else for payload). But the command may have been lost instead, and then the payload reads
/// as command lines. So a chunk never holds the beginning of a command - `AT` and a character that begins an
/// extended command, or `A/`, in any case: it ends between the `A` and what follows. Random data are cut by that about
/// once in 100 000 bytes.
///
/// Never zero for a payload that is not empty; at most `max`.
pub fn harmless_len(payload: &[u8], max: usize) -> usize {
    let chunk = &payload[..payload.len().min(max)];
    // A chunk that begins with the `A` of a command was cut off on purpose: the cut lies behind it.
    chunk
        .windows(2)
        .enumerate()
        .find(|(at, _)| begins_command(&payload[*at..]))
        .map_or(chunk.len(), |(at, _)| at.saturating_add(1))
}

fn begins_command(text: &[u8]) -> bool {
    match text {
        [b'A' | b'a', b'/', ..] => true,
        [b'A' | b'a', b'T' | b't', rest @ ..] => match rest.trim_ascii_start() {
            // The end of the payload: what the next send begins with is not known.
            [] => true,
            [b'D' | b'd', b'0'..=b'9' | b'+' | b'*' | b'#', ..] => true,
            [name, ..] => is_command_name(*name),
        },
        _ => false,
    }
}

/// Characters that begin extended commands. Basic commands (`ATE1`, `ATZ`) change settings that the session notices
/// and repairs; a dialled number is the exception above.
fn is_command_name(byte: u8) -> bool {
    matches!(byte, b'+' | b'*' | b'^' | b'&' | b'%' | b'$' | b'#' | b'@' | b'!' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(payload: &[u8], max: usize) -> Vec<&[u8]> {
        let mut rest = payload;
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at(harmless_len(rest, max));
            chunks.push(chunk);
            rest = tail;
        }
        chunks
    }

    #[test]
    fn ordinary_payload_is_one_chunk() {
        let text =
            b"GET /path HTTP/1.1\r\nDate: today\r\nContent-Type: application/json\r\nattention\r\n\r\n";
        assert_eq!(harmless_len(text, 1460), text.len());
        assert_eq!(harmless_len(&[0; 4000], 1460), 1460);
    }

    #[test]
    fn no_chunk_holds_the_beginning_of_a_command() {
        for payload in [
            &b"x\rAT+CFUN=0\r"[..],
            b"at+cipshut\r",
            b"\nA/\nA/",
            b"AT&F",
            b"ATD112;\r",
            b"AtAT+X AT",
            b"AAT+",
        ] {
            let chunks = chunks(payload, 1460);
            assert_eq!(chunks.concat(), payload);
            for chunk in chunks {
                let upper = chunk.to_ascii_uppercase();
                let harmful = upper.windows(2).any(|two| two == b"A/")
                    || upper.windows(3).any(|three| three.starts_with(b"AT") && b"+&D".contains(&three[2]));
                assert!(!harmful, "{:?}", String::from_utf8_lossy(chunk));
            }
        }
    }

    #[test]
    fn a_chunk_is_never_empty_and_never_too_long() {
        let hostile = b"AT+".repeat(1000);
        assert!(chunks(&hostile, 10).iter().all(|chunk| (1..=10).contains(&chunk.len())));
    }
}
