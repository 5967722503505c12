//! Names of ports on other machines.

use std::io::{self, Read, Write};

use super::connection::{CONNECT_TIMEOUT, End, closed, connect, ended, is_closed};
use super::{raw, rfc2217};
use crate::config::Config;
use crate::port::{Port, after};

/// Opens a port on another machine.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a malformed name; [`io::ErrorKind::InvalidData`] for a server that speaks
/// another protocol than the name says; the error of the connection.
pub(in crate::port) fn open(name: &str, config: &Config) -> io::Result<Port> {
    let explain = |error| explain(name, &error);
    let (scheme, address) = split(name).map_err(explain)?;
    let stream = connect(address).map_err(explain)?;
    let end = End(stream.try_clone()?);
    let (reader, writer) = match scheme {
        Scheme::Tcp => raw::open(stream),
        Scheme::Rfc2217 => rfc2217::open(stream, config, after(CONNECT_TIMEOUT)),
    }
    .map_err(explain)?;
    let (reader, writer) = (Box::new(OpenReader(reader)), Box::new(OpenWriter(writer)));
    Ok(Port::Halves { reader, writer, end: Some(Box::new(end)) })
}

/// A half whose end names the server.
struct OpenReader(Box<dyn Read + Send>);

impl Read for OpenReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf) {
            Ok(0) if !buf.is_empty() => Err(ended()),
            Err(error) if is_closed(&error) => Err(ended()),
            read => read,
        }
    }
}

/// The other half.
struct OpenWriter(Box<dyn Write + Send>);

impl Write for OpenWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|error| if is_closed(&error) { ended() } else { error })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The error with the name and a hint.
fn explain(name: &str, error: &io::Error) -> io::Error {
    match error.kind() {
        kind if is_closed(error) => io::Error::new(kind, format!("{name}: {}", closed())),
        kind => io::Error::new(kind, format!("{name}: {error}")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scheme {
    Tcp,
    Rfc2217,
}

/// Splits a name into its scheme and `host:port`.
fn split(name: &str) -> io::Result<(Scheme, &str)> {
    let wrong = |hint| io::Error::new(io::ErrorKind::InvalidInput, hint);
    let (scheme, address) = name.split_once("://").unwrap_or(("", name));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "tcp" | "socket" => Scheme::Tcp,
        "rfc2217" => Scheme::Rfc2217,
        _ => return Err(wrong("unknown scheme; `tcp://HOST:PORT` and `rfc2217://HOST:PORT` are known")),
    };
    let address = address.strip_suffix('/').unwrap_or(address);
    if address.contains(['/', '?', '@']) {
        return Err(wrong(
            "only `HOST:PORT` may follow `://`; the settings of the port are those of the modem",
        ));
    }
    let Some((_, port)) = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()) else {
        return Err(wrong("`HOST:PORT` is missing after `://`"));
    };
    match port.parse::<u16>() {
        Ok(1..) => Ok((scheme, address)),
        _ => Err(wrong("a TCP port is a number from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    fn server(serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("tcp://{}", listener.local_addr().unwrap());
        thread::spawn(move || serve(listener.accept().unwrap().0));
        name
    }

    /// Both ends of a connection. The words of the server have come, whatever the machine does meanwhile.
    fn greeted(words: &[u8]) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(words).unwrap();
        client.peek(&mut [0]).unwrap();
        (client, server)
    }

    fn refused(name: &str) -> io::Error {
        match open(name, &Config::default()) {
            Ok(_) => panic!("{name} was opened"),
            Err(error) => error,
        }
    }

    #[test]
    fn a_name_has_a_known_scheme_a_host_and_a_port() {
        assert_eq!(split("tcp://rack:4001").unwrap(), (Scheme::Tcp, "rack:4001"));
        assert_eq!(split("socket://10.0.0.1:1/").unwrap(), (Scheme::Tcp, "10.0.0.1:1"));
        assert_eq!(split("rfc2217://[::1]:2217").unwrap(), (Scheme::Rfc2217, "[::1]:2217"));
        assert_eq!(split("TCP://rack:4001").unwrap(), (Scheme::Tcp, "rack:4001"));
        for name in ["http://x:80", "tcp://x", "tcp://:1", "tcp://x:", "tcp://x:0", "tcp://x:70000", "://x:1"]
        {
            assert_eq!(refused(name).kind(), io::ErrorKind::InvalidInput, "{name}");
        }
        // Names with options of pyserial or with other parts of a URL.
        for name in ["rfc2217://x:1?ign_set_control", "tcp://x:1/path", "tcp://user@x:1"] {
            let error = refused(name);
            assert!(
                error.kind() == io::ErrorKind::InvalidInput && error.to_string().contains("only"),
                "{error}"
            );
        }
    }

    #[test]
    fn bytes_pass_unchanged_in_both_directions() {
        let name = server(|mut stream| {
            let mut received = [0; 4];
            stream.read_exact(&mut received).unwrap();
            stream.write_all(&received).unwrap();
        });
        let Ok(Port::Halves { mut reader, mut writer, end: _end }) = open(&name, &Config::default()) else {
            panic!()
        };
        writer.write_all(&[0, 0xff, 0xff, 13]).unwrap();
        let mut answer = [0; 4];
        reader.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0, 0xff, 0xff, 13]);
    }

    #[test]
    fn a_telnet_server_after_tcp_is_refused_whenever_it_speaks() {
        let (client, _server) = greeted(b"\xff\xfb\x01\xff\xfb\x03");
        let error = raw::open(client).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("rfc2217://"), "{error}");
        // The reader finds a server that speaks after the first words, for every split of the bytes.
        let (proceed, wait) = std::sync::mpsc::channel::<()>();
        let name = server(move |mut stream| {
            wait.recv().unwrap();
            stream.write_all(b"\xff").unwrap();
            wait.recv().unwrap();
            stream.write_all(b"\xfd\x2c").unwrap();
            let _ = stream.read(&mut [0]);
        });
        let Ok(Port::Halves { mut reader, writer, end: _end }) = open(&name, &Config::default()) else {
            panic!()
        };
        proceed.send(()).unwrap();
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 1);
        proceed.send(()).unwrap();
        assert_eq!(reader.read(&mut [0; 9]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(writer);
    }

    /// Regression: these ports were opened, and the modem waited for a module.
    #[test]
    fn the_error_names_a_server_of_another_kind_and_the_words_of_a_server_that_closes() {
        let says = |words: &[u8]| {
            let (client, server) = greeted(words);
            drop(server);
            raw::open(client).err().unwrap().to_string()
        };
        assert!(says(b"SSH-2.0-OpenSSH_9.2\r\n").contains("SSH server"));
        assert!(says(b"HTTP/1.1 400 Bad Request\r\n\r\n").contains("web server"));
        let text = says(b"Port already in use\r\n");
        assert!(text.contains("another client") && text.contains("Port already in use"), "{text}");
        // A web server sends only an answer.
        let name = server(|mut stream| {
            let _ = stream.read_exact(&mut [0; 2]);
            for piece in [&b"HTT"[..], b"P/1.0 400"] {
                stream.write_all(piece).unwrap();
            }
        });
        let Ok(Port::Halves { mut reader, mut writer, end: _end }) = open(&name, &Config::default()) else {
            panic!()
        };
        writer.write_all(b"AT").unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(
            error.kind() == io::ErrorKind::InvalidData && error.to_string().contains("web server"),
            "{error}"
        );
        let error = refused("tcp://no-such-host.invalid:4001").to_string();
        assert!(error.contains("is the host's name right"), "{error}");
    }

    /// Regression: the words were discarded if the server had not read everything, as a busy ser2net.
    #[test]
    #[cfg(unix)]
    fn the_words_of_a_server_that_resets_the_connection_are_reported() {
        for scheme in [Scheme::Tcp, Scheme::Rfc2217] {
            let (client, server) = greeted(b"Port already in use\r\n");
            rustix::net::sockopt::set_socket_linger(&server, Some(std::time::Duration::ZERO)).unwrap();
            drop(server);
            let opened = match scheme {
                Scheme::Tcp => raw::open(client),
                Scheme::Rfc2217 => rfc2217::open(client, &Config::default(), after(CONNECT_TIMEOUT)),
            };
            let text = opened.err().unwrap().to_string();
            assert!(text.contains("another client") && text.contains("Port already in use"), "{text}");
        }
    }

    #[test]
    fn the_first_bytes_of_a_module_are_not_lost() {
        // In the second case a transparent stream to a web server is open, which has received `AT`.
        for (first, second) in [
            ("\r\nRDY\r\nSS", "H-"),
            ("HTTP/1.1 400 Bad Request\r\n", "\r\nCLOSED\r\n"),
            ("", "HTTP/1.1 400 Bad Request\r\n"),
        ] {
            let name = server(move |mut stream| {
                stream.write_all(first.as_bytes()).unwrap();
                let _ = stream.read(&mut [0]);
                stream.write_all(second.as_bytes()).unwrap();
                drop(io::copy(&mut stream, &mut io::sink()));
            });
            let Ok(Port::Halves { mut reader, mut writer, end: _end }) = open(&name, &Config::default())
            else {
                panic!("{first}")
            };
            writer.write_all(b"A").unwrap();
            let mut all = vec![0; first.len() + second.len()];
            reader.read_exact(&mut all).unwrap();
            assert_eq!(all, [first, second].concat().as_bytes());
        }
    }

    #[test]
    fn a_server_that_closes_or_does_not_exist_is_an_error_with_its_name() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        drop(listener.accept().unwrap());
        let Err(error) = raw::open(stream) else { panic!("it was opened") };
        let error = explain("tcp://rack:4001", &error).to_string();
        assert!(error.starts_with("tcp://rack:4001: ") && error.contains("another client"), "{error}");
        let name = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            format!("tcp://{}", listener.local_addr().unwrap())
        };
        let error = refused(&name);
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(error.to_string().starts_with(&name), "{error}");
    }

    /// Regression: the write waited without end, with the connection open.
    #[test]
    fn the_end_of_a_port_ends_its_blocked_calls() {
        let (proceed, wait) = std::sync::mpsc::channel::<()>();
        let name = server(move |stream| drop((wait.recv(), stream)));
        let Ok(Port::Halves { mut reader, mut writer, end }) = open(&name, &Config::default()) else {
            panic!()
        };
        let reading = thread::spawn(move || reader.read(&mut [0; 9]));
        let writing = thread::spawn(move || while writer.write(&[0; 64 * 1024]).is_ok() {});
        drop(end);
        assert!(matches!(reading.join().unwrap(), Ok(0) | Err(_)));
        writing.join().unwrap();
        drop(proceed);
    }
}
