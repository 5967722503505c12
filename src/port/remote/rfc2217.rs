//! A serial port with its settings over telnet (RFC 2217).

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::{Halves, closed_after, is_closed, with_words};
use super::telnet::{self, DO, DONT, Decoder, IAC, Request, WILL, WONT};
use crate::config::{Config, FlowControl};
use crate::port::WrongProtocol;

/// Telnet options: RFC 856, RFC 858, RFC 2217.
const BINARY: u8 = 0;
const SUPPRESS_GO_AHEAD: u8 = 3;
const COM_PORT: u8 = 44;

/// Commands of RFC 2217 section 3. The server answers with the command plus 100.
const SET_BAUD_RATE: u8 = 1;
const SET_DATA_SIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOP_SIZE: u8 = 4;
const SET_CONTROL: u8 = 5;
const FLOW_CONTROL_SUSPEND: u8 = 8;
const FLOW_CONTROL_RESUME: u8 = 9;
const PURGE_DATA: u8 = 12;
const FROM_SERVER: u8 = 100;

/// A rate that differs by a fiftieth is the same: with 2 % the tenth bit of a character is still read in its middle.
const RATE_TOLERANCE: u32 = 50;
/// The longest write, so that doubling each byte 255 needs no large copy.
const PIECE: usize = 4 * 1024;
/// The time that a writer waits for a server that has suspended it, before the caller checks whether the port is still
/// wanted.
const SUSPENDED: Duration = Duration::from_millis(100);
/// The most bytes of the module that are kept during the negotiation. Later bytes are discarded, because the session
/// has not begun.
const MAX_EARLY: usize = 64 * 1024;

/// Negotiates the settings of the server's port.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for a server without RFC 2217, or with another line rate; [`io::ErrorKind::TimedOut`]
/// for a server that does not answer.
pub(super) fn open(mut stream: TcpStream, config: &Config, deadline: Instant) -> io::Result<Halves> {
    let mut agreement = Agreement::new(config);
    // A server that closes at once may reset the connection, but its words can still be read.
    let written = |written: io::Result<()>| {
        written.or_else(|error| if is_closed(&error) { Ok(()) } else { Err(error) })
    };
    written(stream.write_all(&agreement.greeting()))?;
    let (mut decoder, mut early, mut buf) = (Decoder::default(), Vec::new(), [0; 1024]);
    while !agreement.is_reached() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(with_words(agreement.is_late(), &early));
        }
        stream.set_read_timeout(Some(left))?;
        let count = match stream.read(&mut buf) {
            Ok(0) => return Err(closed_after(&early)),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                continue;
            }
            Err(error) if is_closed(&error) => return Err(closed_after(&early)),
            Err(error) => return Err(error),
        };
        let mut requests = Vec::new();
        let data = decoder.decode(&mut buf[..count], |request| requests.push(request));
        early.extend_from_slice(&buf[..data.min(MAX_EARLY.saturating_sub(early.len()))]);
        for request in requests {
            let answer = agreement.answer(&request).map_err(|error| with_words(error, &early))?;
            written(stream.write_all(&answer))?;
        }
    }
    stream.set_read_timeout(None)?;
    let out = Arc::new(Out {
        stream: Mutex::new(stream.try_clone()?),
        replies: Mutex::new(Vec::new()),
        suspended: Mutex::new(agreement.is_suspended),
        resumed: Condvar::new(),
    });
    let reader = PortReader { stream, decoder, early, options: agreement.options, out: Arc::clone(&out) };
    Ok((Box::new(reader), Box::new(PortWriter { out })))
}

/// The settings that the driver has requested, and those that the server has confirmed.
struct Agreement {
    options: Options,
    settings: Vec<(u8, Vec<u8>)>,
    baud_rate: u32,
    /// Commands that the server has answered.
    confirmed: Vec<u8>,
    has_com_port: bool,
    /// Whether the server has suspended the writer.
    is_suspended: bool,
}

impl Agreement {
    fn new(config: &Config) -> Self {
        let flow = match config.flow_control {
            FlowControl::None => vec![1],
            FlowControl::RtsCts => vec![3],
        };
        let mut settings = vec![
            (SET_BAUD_RATE, config.baud_rate.to_be_bytes().to_vec()),
            (SET_DATA_SIZE, vec![8]),
            (SET_PARITY, vec![1]),
            (SET_STOP_SIZE, vec![1]),
            (SET_CONTROL, flow),
            // DTR on.
            (SET_CONTROL, vec![8]),
        ];
        if config.flow_control == FlowControl::None {
            // RTS on. With flow control the server controls RTS.
            settings.push((SET_CONTROL, vec![11]));
        }
        settings.push((PURGE_DATA, vec![3]));
        Self {
            options: Options::default(),
            settings,
            baud_rate: config.baud_rate,
            confirmed: Vec::new(),
            has_com_port: false,
            is_suspended: false,
        }
    }

    fn greeting(&self) -> Vec<u8> {
        let asked = [
            (WILL, COM_PORT),
            (WILL, BINARY),
            (DO, BINARY),
            (WILL, SUPPRESS_GO_AHEAD),
            (DO, SUPPRESS_GO_AHEAD),
        ];
        asked.into_iter().flat_map(|(verb, option)| [IAC, verb, option]).collect()
    }

    /// Takes a request of the server, and returns the answer.
    fn answer(&mut self, request: &Request) -> io::Result<Vec<u8>> {
        match request {
            Request::Option(DO, COM_PORT) if !self.has_com_port => {
                self.has_com_port = true;
                let commands = self.settings.iter().map(|(command, values)| {
                    telnet::parameters(COM_PORT, &[&[*command], values.as_slice()].concat())
                });
                Ok(commands.flatten().collect())
            }
            Request::Option(DONT, COM_PORT) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the server speaks telnet without RFC 2217; enable it there, or set its port to raw and use `tcp://`",
            )),
            Request::Option(verb, option) => self.options.answer(*verb, *option),
            Request::Parameters(COM_PORT, values) => self.confirm(values).map(|()| Vec::new()),
            Request::Parameters(..) => Ok(Vec::new()),
        }
    }

    fn confirm(&mut self, values: &[u8]) -> io::Result<()> {
        let Some((command, values)) = values.split_first() else { return Ok(()) };
        let command = command.wrapping_sub(FROM_SERVER);
        let refused = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        match (command, values) {
            (SET_BAUD_RATE, &[a, b, c, d]) => {
                let rate = u32::from_be_bytes([a, b, c, d]);
                // A server may confirm the exact rate of its clock: 115384 for 115200.
                let tolerated = self.baud_rate / RATE_TOLERANCE;
                if rate.abs_diff(self.baud_rate) > tolerated {
                    return refused(format!(
                        "the server's port is at {rate} baud and can't be set to {}; use its rate if it is the module's, or \
                         set another one at the server",
                        self.baud_rate
                    ));
                }
            }
            (SET_DATA_SIZE, [8]) | (SET_PARITY | SET_STOP_SIZE, [1]) => {}
            (SET_DATA_SIZE | SET_PARITY | SET_STOP_SIZE, _) => {
                return refused(
                    "the server's port can't be set to 8 data bits, no parity, 1 stop bit; set it so at the server"
                        .to_owned(),
                );
            }
            (FLOW_CONTROL_SUSPEND, _) => self.is_suspended = true,
            (FLOW_CONTROL_RESUME, _) => self.is_suspended = false,
            _ => {}
        }
        if !self.confirmed.contains(&command) {
            self.confirmed.push(command);
        }
        Ok(())
    }

    fn is_reached(&self) -> bool {
        [SET_BAUD_RATE, SET_DATA_SIZE, SET_PARITY, SET_STOP_SIZE]
            .iter()
            .all(|command| self.confirmed.contains(command))
    }

    fn is_late(&self) -> io::Error {
        let why = if self.has_com_port {
            "the server did not confirm the settings of its port; does RFC 2217 work there? If its port is raw, use `tcp://`"
        } else {
            "the server did not answer as RFC 2217 says; if its port is raw, use `tcp://`"
        };
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

/// The options that were answered. Each is answered once, so that two sides never answer each other without end.
#[derive(Debug, Default)]
struct Options {
    answered: Vec<(u8, u8)>,
}

impl Options {
    /// # Errors
    /// The server refuses data as they are: it would add or remove a NUL after each CR (RFC 854), and may take the
    /// eighth bit. A server that does not answer the request is taken for one that leaves the data alone.
    fn answer(&mut self, verb: u8, option: u8) -> io::Result<Vec<u8>> {
        let is_ours = matches!(option, BINARY | SUPPRESS_GO_AHEAD);
        let reply = match verb {
            DONT | WONT if option == BINARY => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    WrongProtocol(Cow::Borrowed(
                        "the server refuses binary data (telnet option 0) and would change them: enable it there, or set its \
                         port to raw and use `tcp://`",
                    )),
                ));
            }
            // The other side confirms or refuses an option that the driver has requested: no answer is due.
            DO | WILL if is_ours => return Ok(Vec::new()),
            DO if option == COM_PORT => return Ok(Vec::new()),
            WILL if option == COM_PORT => DO,
            DO => WONT,
            WILL => DONT,
            _ => return Ok(Vec::new()),
        };
        if self.answered.contains(&(verb, option)) {
            return Ok(Vec::new());
        }
        self.answered.push((verb, option));
        Ok(vec![IAC, reply, option])
    }
}

/// The outgoing stream. The writer writes data to it, and the reader writes answers.
struct Out {
    stream: Mutex<TcpStream>,
    /// Answers that go out after the present write of the writer.
    replies: Mutex<Vec<u8>>,
    suspended: Mutex<bool>,
    resumed: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Out {
    fn reply(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        lock(&self.replies).extend_from_slice(bytes);
        match self.stream.try_lock() {
            Ok(mut stream) => self.write_replies(&mut stream),
            // The writer appends the answers to its data.
            Err(_) => Ok(()),
        }
    }

    fn write_replies(&self, stream: &mut TcpStream) -> io::Result<()> {
        let replies = std::mem::take(&mut *lock(&self.replies));
        stream.write_all(&replies)
    }

    fn suspend(&self, on: bool) {
        *lock(&self.suspended) = on;
        self.resumed.notify_all();
    }

    /// Whether data may be sent. This waits a moment while the server has suspended the writer.
    fn is_open(&self) -> bool {
        let suspended = lock(&self.suspended);
        let waited = self.resumed.wait_timeout_while(suspended, SUSPENDED, |suspended| *suspended);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

struct PortReader {
    stream: TcpStream,
    decoder: Decoder,
    /// Bytes of the module that came during the negotiation.
    early: Vec<u8>,
    options: Options,
    out: Arc<Out>,
}

impl Read for PortReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.early.is_empty() {
            let count = self.early.len().min(buf.len());
            buf[..count].copy_from_slice(&self.early[..count]);
            self.early.drain(..count);
            return Ok(count);
        }
        loop {
            let count = self.stream.read(buf)?;
            if count == 0 {
                return Ok(0);
            }
            let mut requests = Vec::new();
            let data = self.decoder.decode(&mut buf[..count], |request| requests.push(request));
            for request in requests {
                match request {
                    Request::Option(verb, option) => self.out.reply(&self.options.answer(verb, option)?)?,
                    Request::Parameters(COM_PORT, values) => {
                        match values.first().map(|first| first.wrapping_sub(FROM_SERVER)) {
                            Some(FLOW_CONTROL_SUSPEND) => self.out.suspend(true),
                            Some(FLOW_CONTROL_RESUME) => self.out.suspend(false),
                            _ => {}
                        }
                    }
                    Request::Parameters(..) => {}
                }
            }
            if data > 0 {
                return Ok(data);
            }
        }
    }
}

impl Drop for PortReader {
    fn drop(&mut self) {
        // The reader will see no resumption. A waiting writer then finds the connection closed.
        self.out.suspend(false);
    }
}

struct PortWriter {
    out: Arc<Out>,
}

impl Write for PortWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if !self.out.is_open() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let piece = &buf[..buf.len().min(PIECE)];
        let mut bytes = Vec::with_capacity(piece.len());
        telnet::escape(piece, &mut bytes);
        let mut stream = lock(&self.out.stream);
        stream.write_all(&bytes)?;
        self.out.write_replies(&mut stream)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::End;
    use super::*;
    use std::net::{Shutdown, TcpListener};
    use std::thread;

    /// A server that answers as RFC 2217 says until it receives the purge. It then calls `then` with the parameters
    /// that it has received.
    fn server(then: impl FnOnce(TcpStream, Vec<Vec<u8>>) + Send + 'static) -> TcpStream {
        scripted(|values| Some(values.to_vec()), then)
    }

    /// The same server with another answer to each command.
    fn scripted(
        answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static,
        then: impl FnOnce(TcpStream, Vec<Vec<u8>>) + Send + 'static,
    ) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut decoder, mut requested) = (Decoder::default(), Vec::new());
            // The module sends bytes during the negotiation, and the server offers options that nothing needs.
            stream.write_all(b"\r\nRDY\xff\xff\r\n\xff\xfb\x01\xff\xfd\x18").unwrap();
            while requested.last().is_none_or(|values: &Vec<u8>| values[0] != PURGE_DATA) {
                // The purge is read byte by byte, because the bytes after it are for `then`.
                let mut buf = [0; 1];
                let count = stream.read(&mut buf).unwrap();
                if count == 0 {
                    return;
                }
                let mut requests = Vec::new();
                assert_eq!(decoder.decode(&mut buf[..count], |request| requests.push(request)), 0);
                for request in requests {
                    match request {
                        Request::Option(WILL, option) => stream.write_all(&[IAC, DO, option]).unwrap(),
                        Request::Option(DO, option) => stream.write_all(&[IAC, WILL, option]).unwrap(),
                        Request::Option(..) => {}
                        Request::Parameters(option, values) => {
                            assert_eq!(option, COM_PORT);
                            if let Some(mut values) = answer(&values) {
                                values[0] += FROM_SERVER;
                                stream.write_all(&telnet::parameters(COM_PORT, &values)).unwrap();
                            }
                            requested.push(values);
                        }
                    }
                }
            }
            then(stream, requested);
        });
        client
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn the_settings_are_negotiated_and_no_byte_of_the_module_is_lost() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let client = server(move |mut stream, settings| {
            let mut received = [0; 8];
            stream.read_exact(&mut received).unwrap();
            sender.send((settings, received)).unwrap();
            stream.write_all(b"\xff\xff\xff\xfa\x2c\x6b\x01\xff\xf0more").unwrap();
            // A connection that is closed with unread bytes discards bytes that the client has not read yet.
            drop(stream.read_to_end(&mut Vec::new()));
        });
        let config = Config::default().baud_rate(921_600).flow_control(FlowControl::RtsCts);
        let (mut reader, mut writer) = open(client, &config, soon()).unwrap();
        writer.write_all(b"\xffdata\xff\r").unwrap();
        let (settings, received) = receiver.recv().unwrap();
        assert_eq!(received, *b"\xff\xffdata\xff\xff");
        let rate = [&[SET_BAUD_RATE][..], &921_600_u32.to_be_bytes()].concat();
        let wanted: [&[u8]; 7] = [&rate, &[2, 8], &[3, 1], &[4, 1], &[5, 3], &[5, 8], &[12, 3]];
        assert_eq!(settings, wanted);
        let mut all = [0; 13];
        reader.read_exact(&mut all).unwrap();
        assert_eq!(all, *b"\r\nRDY\xff\r\n\xffmore");
    }

    #[test]
    fn a_server_without_rfc2217_and_one_with_another_rate_have_different_errors() {
        let refuses = |reply: &'static [u8]| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(reply).unwrap();
                drop(stream.read_to_end(&mut Vec::new()));
            });
            let late = Instant::now() + Duration::from_millis(300);
            match open(client, &Config::default(), late) {
                Ok(_) => panic!("it was opened"),
                Err(error) => (error.kind(), error.to_string()),
            }
        };
        let (kind, text) = refuses(&[IAC, DONT, COM_PORT]);
        assert!(kind == io::ErrorKind::InvalidData && text.contains("without RFC 2217"), "{text}");
        for reply in [&[IAC, DO, COM_PORT, IAC, WONT, BINARY], &[IAC, DO, COM_PORT, IAC, DONT, BINARY]] {
            let (kind, text) = refuses(reply);
            assert!(kind == io::ErrorKind::InvalidData && text.contains("binary"), "{text}");
        }
        let (kind, text) = refuses(b"\r\nRDY\r\n");
        assert!(kind == io::ErrorKind::TimedOut && text.contains("`tcp://`"), "{text}");
        assert!(text.ends_with("It said \"RDY\""), "{text}");
        let (_, text) = refuses(b"220 mail.test ESMTP 4915112345678\r\n");
        assert!(text.ends_with("It said \"220 mail.test ESMTP *************\""), "{text}");
        let (kind, text) = refuses(b"login: \xff\xfe\x2c");
        assert!(kind == io::ErrorKind::InvalidData && text.ends_with("It said \"login:\""), "{text}");
        let (kind, text) = refuses(&[IAC, DO, COM_PORT]);
        assert!(kind == io::ErrorKind::TimedOut && text.contains("confirm"), "{text}");
        for (rate, is_same) in [(9_600_u32, false), (115_384, true), (112_896, true), (112_895, false)] {
            let answered = move |values: &[u8]| {
                let mut values = values.to_vec();
                if values[0] == SET_BAUD_RATE {
                    values[1..].copy_from_slice(&rate.to_be_bytes());
                }
                Some(values)
            };
            match open(scripted(answered, |_, _| {}), &Config::default(), soon()) {
                Ok(_) => assert!(is_same, "{rate}"),
                Err(error) => {
                    assert!(!is_same && error.to_string().contains(&format!("at {rate} baud")), "{error}");
                }
            }
        }
    }

    /// Regression: the words of the server were discarded, and the error spoke of another client in every case.
    #[test]
    fn the_error_for_a_server_that_closes_has_the_words_of_the_server() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // The bytes of ser2net for a port that does not exist.
            let words =
                b"\xff\xfb\x03\xff\xfd\x03\xff\xfd\x2cDevice open failure: Value or file not found\r\n";
            stream.write_all(words).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            drop(stream.read_to_end(&mut Vec::new()));
        });
        let Err(error) = open(client, &Config::default(), soon()) else { panic!("it was opened") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        assert!(
            error.to_string().contains("It said \"Device open failure: Value or file not found\""),
            "{error}"
        );
    }

    /// Regression: a NUL after each CR of the module's data was taken for data.
    #[test]
    fn a_server_that_refuses_binary_data_later_ends_the_port() {
        let (proceed, wait) = std::sync::mpsc::channel::<()>();
        let client = server(move |mut stream, _| {
            wait.recv().unwrap();
            stream.write_all(&[b'x', IAC, WONT, BINARY]).unwrap();
            drop(stream.read_to_end(&mut Vec::new()));
        });
        let (mut reader, _writer) = open(client, &Config::default(), soon()).unwrap();
        proceed.send(()).unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(WrongProtocol::has_ended(&error), "{error}");
    }

    #[test]
    fn the_writer_waits_from_suspend_to_resume_of_the_server() {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let client = server(move |mut stream, _| {
            stream.write_all(b"\xff\xfa\x2c\x6c\xff\xf0x").unwrap();
            wait.recv().unwrap();
            stream.write_all(b"\xff\xfa\x2c\x6d\xff\xf0y").unwrap();
            drop(stream.read_to_end(&mut Vec::new()));
        });
        let (mut reader, mut writer) = open(client, &Config::default(), soon()).unwrap();
        let mut early = [0; 9];
        reader.read_exact(&mut early).unwrap();
        assert_eq!(early, *b"\r\nRDY\xff\r\nx");
        assert_eq!(writer.write(b"data").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        go.send(()).unwrap();
        assert_eq!(reader.read(&mut early).unwrap(), 1);
        assert_eq!(writer.write(b"data").unwrap(), 4);
    }

    #[test]
    fn the_end_of_the_port_ends_calls_that_wait_for_a_server_that_reads_nothing_or_has_suspended_the_writer()
    {
        for stops in [&b""[..], b"\xff\xfa\x2c\x6c\xff\xf0"] {
            let (end_of_wait, wait) = std::sync::mpsc::channel::<()>();
            let client = server(move |mut stream, _| {
                stream.write_all(stops).unwrap();
                drop((wait.recv(), stream));
            });
            let end = End(client.try_clone().unwrap());
            let (mut reader, mut writer) = open(client, &Config::default(), soon()).unwrap();
            let reading =
                thread::spawn(move || while !matches!(reader.read(&mut [0; 99]), Ok(0) | Err(_)) {});
            let writing = thread::spawn(move || {
                let passes = |error: io::Error| error.kind() == io::ErrorKind::WouldBlock;
                while writer.write(&[0; 64 * 1024]).map_or_else(passes, |_| true) {}
            });
            drop(end);
            reading.join().unwrap();
            writing.join().unwrap();
            drop(end_of_wait);
        }
    }

    #[test]
    fn two_sides_do_not_answer_each_other_without_end() {
        let mut options = Options::default();
        assert_eq!(options.answer(WILL, 1).unwrap(), [IAC, DONT, 1]);
        assert_eq!(options.answer(DO, 24).unwrap(), [IAC, WONT, 24]);
        assert_eq!(options.answer(WILL, COM_PORT).unwrap(), [IAC, DO, COM_PORT]);
        for verb in [WILL, WONT, DO, DONT] {
            for option in [0, 1, 3, 24, COM_PORT] {
                let _ = options.answer(verb, option);
                assert!(options.answer(verb, option).map_or(option == BINARY, |answer| answer.is_empty()));
            }
        }
    }
}
