//! Payload in which every byte shows its place: records of 16 bytes with the direction, the connection and the
//! position, and between them lines that look like a modem's.

/// The length of a record in bytes.
pub const RECORD: usize = 16;

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
    /// Records only.
    Records,
    /// Every third record is replaced by a line that looks like a modem's.
    Traps,
}

/// Lines of 16 bytes that have an effect if they are taken for the modem's.
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

/// The payload of one direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload {
    /// The side that sends the payload.
    pub sender: Sender,
    /// The number of the connection.
    pub connection: u16,
    /// The content of the payload.
    pub style: Style,
}

impl Payload {
    /// The bytes from this place on.
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

    /// Compares bytes at this place. An error has the number of equal bytes.
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

/// The numbers of the connections in the records among these bytes.
pub fn connections_in(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.windows(RECORD).filter_map(|record| {
        let is_record = record[0] == b'<' && matches!(record[1], b'A' | b'P') && record[6] == b'@';
        let number = std::str::from_utf8(&record[2..6]).ok().filter(|_| is_record && record[15] == b'>');
        number.and_then(|number| number.parse().ok())
    })
}
