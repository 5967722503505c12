//! A WebSocket over the modem with `tungstenite`: echo, a ping, and a closing handshake.
//!
//! ```text
//! cargo run --features examples-net --example websocket
//! cargo run --features examples-net --example websocket -- --port /dev/ttyUSB0 ws://ws.example.com/echo
//! ```

mod common;

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::Error;
use common::shell::Arguments;
use common::{Common, Failed, Usage, positive, step, unknown};
use tungstenite::handshake::HandshakeError;
use tungstenite::http::Uri;
use tungstenite::{Message, client};

const USAGE: &str = "\
Opens a WebSocket to a server that echoes, sends messages and looks whether each comes back.

usage: websocket [options] [URL]

  URL                  ws://HOST[:PORT]/PATH [a server in this program; with --port there is no default]
  --message TEXT       what is sent [hello from the Air724UG]
  --count N            how many times [10]
";

/// The time-out of the server, and of the echo of a message, also while the server sends other messages.
const SILENCE: Duration = Duration::from_secs(30);

struct Options {
    common: Common,
    url: Option<Uri>,
    message: String,
    count: u32,
}

fn main() -> ExitCode {
    common::main("websocket", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options {
        common: Common::default(),
        url: None,
        message: "hello from the Air724UG".to_owned(),
        count: 10,
    };
    let (common, url) = common::options_and_operand(args, |option, value| {
        match option {
            "--message" => options.message = value()?,
            "--count" => options.count = positive(option, &value()?)?,
            other => return unknown(other),
        }
        Ok(())
    })?;
    options.common = common;
    options.url = url.as_deref().map(plain).transpose()?;
    if options.common.port.is_some() && options.url.is_none() {
        return Err(Usage::Wrong("--port needs the URL of a server that echoes".to_owned()));
    }
    Ok(options)
}

/// A URL without TLS.
fn plain(url: &str) -> Result<Uri, Usage> {
    let parsed = url.parse::<Uri>().ok();
    let parsed = parsed.filter(|uri| uri.scheme_str() == Some("ws") && uri.host().is_some());
    parsed.ok_or_else(|| {
        let is_tls = url.starts_with("wss:");
        let tls = if is_tls { "; for wss:// put rustls between, as https_get does" } else { "" };
        Usage::Wrong(format!("URL is ws://HOST[:PORT]/PATH, not \"{url}\"{tls}"))
    })
}

fn run(options: Options) -> Result<(), Failed> {
    let url = match options.url.clone() {
        Some(url) => url,
        None => {
            format!("ws://{}/", own_server()?).parse().map_err(|_| job("a URL can't be made".to_owned()))?
        }
    };
    let modem = options.common.open()?;
    common::bring_up(&modem)?;
    let (host, port) = (url.host().unwrap_or_default().to_owned(), url.port_u16().unwrap_or(80));
    let socket = modem.tcp().connect((&host, port))?;
    socket.set_read_timeout(Some(SILENCE))?;
    let (mut websocket, _) = client(&url, socket).map_err(|error| match error {
        HandshakeError::Failure(error) => in_words(&error),
        HandshakeError::Interrupted(_) => job("the server's answer did not come in time".to_owned()),
    })?;
    step("open", format_args!("{url}"))?;
    let began = Instant::now();
    for number in 1..=options.count {
        let sent = Message::text(format!("{} {number}", options.message));
        websocket.send(sent.clone()).map_err(|error| in_words(&error))?;
        let until = Instant::now() + SILENCE;
        loop {
            if Instant::now() > until {
                return Err(job(format!("message {number} did not come back in time")));
            }
            match websocket.read().map_err(|error| in_words(&error))? {
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                back if back == sent => break,
                // Some servers greet before they echo.
                Message::Text(text) if number == 1 => step("greeting", text)?,
                other => return Err(job(format!("\"{other}\" came back in place of message {number}"))),
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    step("echoed", format_args!("{} messages, all as they were sent, in {seconds:.2} s", options.count))?;
    websocket.close(None).map_err(|error| in_words(&error))?;
    let until = Instant::now() + SILENCE;
    loop {
        match websocket.read() {
            Ok(_) if Instant::now() > until => return Err(job("the server does not close".to_owned())),
            Ok(_) => {}
            Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => break,
            Err(error) => return Err(in_words(&error)),
        }
    }
    step("closed", "both sides have agreed")?;
    modem.close();
    Ok(())
}

fn job(why: String) -> Failed {
    Failed::Job(why, Some("is it really a WebSocket server that echoes?"))
}

fn in_words(error: &tungstenite::Error) -> Failed {
    match error {
        tungstenite::Error::Http(response) => job(format!("the server answers {}", response.status())),
        tungstenite::Error::Io(error) => job(format!("the connection: {error}")),
        other => job(format!("the WebSocket: {other}")),
    }
}

/// A server in this program.
fn own_server() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let Ok(mut websocket) = tungstenite::accept(stream) else { return };
                while let Ok(message) = websocket.read() {
                    // The library answers pings and the close.
                    if (message.is_text() || message.is_binary()) && websocket.send(message).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, String> {
        parse(&mut Arguments::of(args)).map_err(|usage| format!("{usage:?}"))
    }

    #[test]
    fn a_url_is_one_without_tls() {
        let url = plain("ws://example.com:8080/chat?room=1").unwrap();
        assert_eq!((url.host(), url.port_u16(), url.path()), (Some("example.com"), Some(8080), "/chat"));
        assert_eq!(plain("ws://example.com").unwrap().port_u16(), None);
        for wrong in ["", "example.com", "http://example.com/", "ws:///", "ws://a b/", "wss://example.com/"] {
            let Err(Usage::Wrong(why)) = plain(wrong) else { panic!("{wrong} is taken") };
            assert_eq!(why.contains("rustls"), wrong.starts_with("wss:"), "{why}");
        }
    }

    #[test]
    fn a_port_needs_a_server_on_the_internet() {
        assert!(parsed(&["--port", "/dev/ttyUSB0"]).is_err());
        let options = parsed(&["--port", "/dev/ttyUSB0", "ws://example.com/", "--count", "3"]).unwrap();
        assert_eq!((options.count, options.url.is_some()), (3, true));
        for wrong in [&["--count", "0"][..], &["--message"], &["--nothing"], &["ws://a/", "ws://b/"]] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_a_server_answers_instead_is_reported_in_words() {
        let refusal = tungstenite::http::Response::builder().status(403).body(None).unwrap();
        for (error, wanted) in [
            (tungstenite::Error::Http(Box::new(refusal)), "the server answers 403 Forbidden"),
            (tungstenite::Error::Io(std::io::ErrorKind::TimedOut.into()), "the connection: timed out"),
            (tungstenite::Error::ConnectionClosed, "the WebSocket: Connection closed normally"),
        ] {
            let Failed::Job(why, _) = in_words(&error) else { panic!("{error}") };
            assert_eq!(why, wanted);
        }
    }
}
