//! Telnet (RFC 854): data with commands in between, each after a byte 255.

/// The byte that begins a command. Data bytes of this value are doubled.
pub(super) const IAC: u8 = 255;
pub(super) const SB: u8 = 250;
pub(super) const SE: u8 = 240;
pub(super) const WILL: u8 = 251;
pub(super) const WONT: u8 = 252;
pub(super) const DO: u8 = 253;
pub(super) const DONT: u8 = 254;

/// The longest parameters of an option that are kept, in bytes. Those of RFC 2217 are shorter, except for signatures.
const MAX_PARAMETERS: usize = 64;

/// A request of the other side, found among its data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// WILL, WONT, DO or DONT, and the option.
    Option(u8, u8),
    /// An option's parameters, unescaped and cut at [`MAX_PARAMETERS`].
    Parameters(u8, Vec<u8>),
}

/// Separates the commands from the data of a stream that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
    parameters: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Data,
    Command,
    Option(u8),
    Parameters,
    ParametersCommand,
}

impl Decoder {
    /// Moves the data of `bytes` to the front and returns their length. `take` is called with each request.
    pub(super) fn decode(&mut self, bytes: &mut [u8], mut take: impl FnMut(Request)) -> usize {
        let mut data = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            let (state, is_data) = match (self.state, byte) {
                (State::Data, IAC) => (State::Command, false),
                (State::Data, _) => (State::Data, true),
                (State::Command, IAC) => (State::Data, true),
                (State::Command, WILL..=DONT) => (State::Option(byte), false),
                (State::Command, SB) => {
                    self.parameters.clear();
                    (State::Parameters, false)
                }
                // No-operation, data mark and the like have no parameters, and no meaning for a serial port.
                (State::Command, _) => (State::Data, false),
                (State::Option(verb), option) => {
                    take(Request::Option(verb, option));
                    (State::Data, false)
                }
                (State::Parameters, IAC) => (State::ParametersCommand, false),
                (State::Parameters, _) | (State::ParametersCommand, IAC) => {
                    if self.parameters.len() <= MAX_PARAMETERS {
                        self.parameters.push(byte);
                    }
                    (State::Parameters, false)
                }
                // Every command other than SE ends the parameters without a request.
                (State::ParametersCommand, _) => {
                    if let (SE, Some((option, parameters))) = (byte, self.parameters.split_first()) {
                        take(Request::Parameters(*option, parameters.to_vec()));
                    }
                    (State::Data, false)
                }
            };
            self.state = state;
            if is_data {
                bytes[data] = byte;
                data = data.saturating_add(1);
            }
        }
        data
    }
}

/// Appends data with each byte 255 doubled.
pub(super) fn escape(data: &[u8], into: &mut Vec<u8>) {
    for byte in data {
        into.push(*byte);
        if *byte == IAC {
            into.push(IAC);
        }
    }
}

/// The bytes that send an option's parameters.
pub(super) fn parameters(option: u8, values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![IAC, SB, option];
    escape(values, &mut bytes);
    bytes.extend([IAC, SE]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(decoder: &mut Decoder, pieces: &[&[u8]]) -> (Vec<u8>, Vec<Request>) {
        let (mut data, mut requests) = (Vec::new(), Vec::new());
        for piece in pieces {
            let mut bytes = piece.to_vec();
            let count = decoder.decode(&mut bytes, |request| requests.push(request));
            data.extend_from_slice(&bytes[..count]);
        }
        (data, requests)
    }

    #[test]
    fn commands_are_removed_wherever_the_stream_is_split() {
        let stream = [
            b"AT\r\n\xff\xff\xff\xfb\x2cOK".as_slice(),
            b"\xff\xfa\x2c\x65\x00\x01\xff\xff\xff\xf0",
            b"\xff\xf1more\xff\xfd\x00\xff\xff",
        ]
        .concat();
        let whole = decoded(&mut Decoder::default(), &[&stream]);
        assert_eq!(whole.0, b"AT\r\n\xffOKmore\xff");
        let requests = [
            Request::Option(WILL, 44),
            Request::Parameters(44, vec![0x65, 0, 1, 255]),
            Request::Option(DO, 0),
        ];
        assert_eq!(whole.1, requests);
        for at in 0..=stream.len() {
            let (one, other) = stream.split_at(at);
            assert_eq!(decoded(&mut Decoder::default(), &[one, other]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(decoded(&mut Decoder::default(), &bytes), whole);
    }

    #[test]
    fn escaped_data_are_decoded_to_the_same_data() {
        let data: Vec<u8> = (0..=255).chain([255, 255, 0, 240]).collect();
        let mut bytes = Vec::new();
        escape(&data, &mut bytes);
        assert_eq!(decoded(&mut Decoder::default(), &[&bytes]), (data, Vec::new()));
        let bytes = parameters(44, &[1, 255, 240, 255]);
        let request = Request::Parameters(44, vec![1, 255, 240, 255]);
        assert_eq!(decoded(&mut Decoder::default(), &[&bytes]), (Vec::new(), vec![request]));
    }

    #[test]
    fn parameters_without_end_need_bounded_memory() {
        let mut decoder = Decoder::default();
        decoded(&mut decoder, &[b"\xff\xfa"]);
        for _ in 0..1_000 {
            decoded(&mut decoder, &[&[7; 1_000]]);
        }
        assert!(decoder.parameters.capacity() <= 4 * MAX_PARAMETERS);
        assert_eq!(decoded(&mut decoder, &[b"\xff\xf0data"]).0, b"data");
    }

    #[test]
    fn no_bytes_make_the_decoder_panic() {
        let mut random = 7_u64;
        let mut decoder = Decoder::default();
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let byte = if random >> 60 < 8 { IAC } else { (random >> 40) as u8 };
            let (data, requests) = decoded(&mut decoder, &[&[byte]]);
            assert!(data.len() + requests.len() <= 1);
        }
    }
}
