//! Payload whose every byte says where it belongs: records of 16 bytes with the direction, the connection and the place in
//! it, and between them words that a modem could say.

/// Bytes of a record.
const RECORD: usize = 16;

/// The side that sends the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// From the application to its peer.
    Application,
    /// From the peer to its application.
    Peer,
}

/// The content of the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Records alone.
    Records,
    /// Every third record is replaced with words of a modem.
    Traps,
}

/// Words that do something when they are taken for the modem's, 16 bytes each.
const TRAPS: [&[u8; RECORD]; 8] = [
    b"\r\n0, CLOSED\r\n\r\n\r",
    b"\r\n+PDP: DEACT\r\n.",
    b"\r\nOK\r\n\r\n> \r\nRDY\r",
    b"\r\nERROR\r\n\r\n> .\r\n",
    b"+RECEIVE,1,4:\r\nE",
    b"+++\r\nCLOSED\r\n...",
    b"DATA ACCEPT:0,9\r",
    b"\r\n+CREG: 0,1\r\n..",
];

/// The payload of one direction of one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload {
    /// Which side sends it.
    pub sender: Sender,
    /// The number of the connection.
    pub connection: u16,
    /// What it is made of.
    pub style: Style,
}

impl Payload {
    /// The bytes at these places.
    pub fn bytes(self, from: usize, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 2 * RECORD);
        let first = from / RECORD;
        let last = (from + len).div_ceil(RECORD);
        for number in first..last {
            bytes.extend(self.record(number));
        }
        bytes.drain(..from - first * RECORD);
        bytes.truncate(len);
        bytes
    }

    /// Whether these are the bytes at this place; otherwise how many are.
    pub fn agrees(self, from: usize, bytes: &[u8]) -> Result<(), usize> {
        let wanted = self.bytes(from, bytes.len());
        match wanted.iter().zip(bytes).position(|(one, other)| one != other) {
            None => Ok(()),
            Some(at) => Err(at),
        }
    }

    fn record(self, number: usize) -> [u8; RECORD] {
        if self.style == Style::Traps && number % 3 == 1 {
            return *TRAPS[(number / 3 + usize::from(self.connection)) % TRAPS.len()];
        }
        let mut record = *b"<A0000@00000000>";
        record[1] = match self.sender {
            Sender::Application => b'A',
            Sender::Peer => b'P',
        };
        digits(&mut record[2..6], self.connection.into());
        digits(&mut record[7..15], number * RECORD);
        record
    }
}

fn digits(into: &mut [u8], mut number: usize) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The connections that the records in these bytes name.
pub fn connections_in(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.windows(RECORD).filter_map(|record| {
        let is_record = record[0] == b'<' && matches!(record[1], b'A' | b'P') && record[6] == b'@';
        let number = std::str::from_utf8(&record[2..6]).ok().filter(|_| is_record && record[15] == b'>');
        number.and_then(|number| number.parse().ok())
    })
}
