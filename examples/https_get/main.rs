//! An HTTPS page over the modem, with TLS on the host, which also protects the serial line.
//!
//! ```text
//! cargo run --features examples-net --example https_get
//! cargo run --features examples-net --example https_get -- --port /dev/ttyUSB0 https://example.com/ -o page.html
//! ```

#[path = "../common/mod.rs"]
mod common;
mod output;
mod own_server;
mod response;
mod tls;

use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use air724ug::{Error, Modem};
use common::shell::{Arguments, complain};
use common::{Common, Failed, Usage, host_and_port, number};
use output::Output;
use response::{Body, BodyForm, Head};
use rustls::ClientConfig;

const USAGE: &str = "\
Gets an HTTPS page over the modem, with TLS on this machine. The body goes to the standard output, or to a file. A transfer
that is cut short goes on where it stopped.

usage: https_get [options] [URL]

  URL                  https://HOST[:PORT]/PATH [a server in this program; with --port there is no default]
  -o FILE              writes the body to FILE
  --resume             keeps what FILE has and gets the rest
  --ca FILE            trusts the authorities in FILE (PEM), too
  --connect HOST:PORT  connects there in place of the URL's host
  --retries N          how often a transfer that was cut short goes on [5]
";

/// The time-out of the server.
const SILENCE: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: u32 = 5;

struct Options {
    common: Common,
    url: Option<Url>,
    output: Option<PathBuf>,
    resumes: bool,
    ca: Option<PathBuf>,
    connect: Option<(String, u16)>,
    retries: u32,
}

/// `https://host:port/path`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Url {
    host: String,
    port: u16,
    path: String,
}

/// The result of one connection.
enum Attempt {
    Done,
    /// The content is at another URL.
    Elsewhere(Url),
    /// The connection was lost; another one may transfer the rest.
    Lost(String),
}

fn main() -> ExitCode {
    common::main("https_get", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let mut options = Options {
        common: Common::default(),
        url: None,
        output: None,
        resumes: false,
        ca: None,
        connect: None,
        retries: 5,
    };
    let (common, url) = common::options_and_operand(args, |option, value| {
        match option {
            "-o" => options.output = Some(value()?.into()),
            "--resume" => options.resumes = true,
            "--ca" => options.ca = Some(value()?.into()),
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--retries" => options.retries = number(option, &value()?)?,
            other => return common::unknown(other),
        }
        Ok(())
    })?;
    options.common = common;
    if let Some(url) = url {
        let wrong = || Usage::Wrong(format!("URL is https://HOST[:PORT]/PATH, not \"{url}\""));
        options.url = Some(Url::parse(&url).ok_or_else(wrong)?);
    }
    if options.resumes && options.output.is_none() {
        return Err(Usage::Wrong("--resume needs -o FILE, whose rest is to come".to_owned()));
    }
    if options.common.port.is_some() && options.url.is_none() {
        return Err(Usage::Wrong("--port needs a URL".to_owned()));
    }
    Ok(options)
}

impl Url {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://")?.split('#').next()?;
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_at);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)?),
            None => (authority, 443),
        };
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_host = !host.is_empty() && is_plain(host) && !host.contains(['@', ':', '[', '"']);
        let slash = if path.starts_with('/') { "" } else { "/" };
        (is_host && is_plain(path)).then(|| Self {
            host: host.to_owned(),
            port,
            path: format!("{slash}{path}"),
        })
    }

    /// The URL of a `Location`, which may be complete or relative to this one.
    fn join(&self, location: &str) -> Option<Self> {
        if location.starts_with("//") {
            return Self::parse(&format!("https:{location}"));
        }
        let here = |path: &str| Self::parse(&format!("https://{}:{}{path}", self.host, self.port));
        let own = self.path.split('?').next().unwrap_or_default();
        let first = location.split(['/', '?', '#']).next().unwrap_or_default();
        match location.chars().next() {
            None => None,
            Some('/') => here(location),
            Some('?') => here(&format!("{own}{location}")),
            Some(_) if first.contains(':') => Self::parse(location),
            Some(_) => here(&format!("{}/{location}", own.rsplit_once('/').map_or("", |(above, _)| above))),
        }
    }
}

fn run(options: Options) -> Result<(), Failed> {
    let (url, connect, more) = match &options.url {
        Some(url) => (url.clone(), options.connect.clone(), &[][..]),
        None => {
            let port = own_server::serve()?;
            let url = Url { host: own_server::NAME.to_owned(), port, path: "/".to_owned() };
            (url, Some(("127.0.0.1".to_owned(), port)), own_server::CA)
        }
    };
    let config = tls::config(options.ca.as_deref(), more)?;
    let output = Output::open(options.output.as_deref(), options.resumes)?;
    if options.common.port.is_none() {
        complain("https_get: no --port given, so here is a simulated modem");
    }
    let modem = options.common.open_with(|config| config)?;
    wait_ready(&modem)?;
    let mut transfer = Transfer { modem, config, url, connect, output, validator: None };
    let (mut retries, mut redirects, mut most) = (options.retries, MAX_REDIRECTS, transfer.output.have);
    loop {
        match transfer.attempt()? {
            Attempt::Done => break,
            Attempt::Elsewhere(url) if redirects > 0 => {
                redirects -= 1;
                (transfer.url, transfer.validator) = (url, None);
            }
            Attempt::Elsewhere(_) => {
                return Err(Failed::Job("the URL leads to others without end".to_owned(), None));
            }
            Attempt::Lost(why) if retries > 0 => {
                // An attempt with more progress than ever resets the count.
                retries = if transfer.output.have > most { options.retries } else { retries - 1 };
                most = most.max(transfer.output.have);
                let have = transfer.output.have;
                transfer
                    .output
                    .aside(|| complain(format_args!("https_get: {why}; going on after {have} bytes")));
            }
            Attempt::Lost(why) => {
                let advice = "the same command with --resume -o FILE gets the rest";
                return Err(Failed::Job(
                    format!("{why}, after {} bytes", transfer.output.have),
                    Some(advice),
                ));
            }
        }
    }
    transfer.output.flush()?;
    if let Some(path) = &options.output {
        common::step("saved", format_args!("{} in {}", transfer.output.amount(), path.display()))?;
    }
    transfer.modem.close();
    Ok(())
}

/// The standard output gets the body only.
fn wait_ready(modem: &Modem) -> Result<(), Failed> {
    common::bring_up_with(modem, |how| {
        complain(format_args!("https_get: waiting: {how}"));
        Ok(())
    })
}

/// The state of the transfer.
struct Transfer {
    modem: Modem,
    config: Arc<ClientConfig>,
    url: Url,
    connect: Option<(String, u16)>,
    output: Output,
    /// The validator of the content that is partly in the output.
    validator: Option<String>,
}

impl Transfer {
    fn attempt(&mut self) -> Result<Attempt, Failed> {
        let (host, port) = self.connect.clone().unwrap_or((self.url.host.clone(), self.url.port));
        wait_ready(&self.modem)?;
        let socket = match self.modem.tcp().connect((&host, port)) {
            Ok(socket) => socket,
            // The next attempt waits for the module again.
            Err(error @ (Error::ModemRestarted | Error::NotReady(_))) => {
                return Ok(Attempt::Lost(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        socket.set_read_timeout(Some(SILENCE))?;
        let mut stream = tls::secure(&self.config, &self.url.host, socket)?;
        let asked = stream.write_all(self.request().as_bytes()).and_then(|()| stream.flush());
        let mut reader = BufReader::new(stream);
        match asked.and_then(|()| Head::read(&mut reader)) {
            Ok(head) => self.answered(&head, reader),
            Err(error) => lost(&error),
        }
    }

    fn request(&self) -> String {
        let Url { host, port, path } = &self.url;
        let port = if *port == 443 { String::new() } else { format!(":{port}") };
        let mut range = String::new();
        if self.output.have > 0 {
            range = format!("Range: bytes={}-\r\n", self.output.have);
            if let Some(validator) = &self.validator {
                range = format!("{range}If-Range: {validator}\r\n");
            }
        }
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: air724ug\r\nAccept: */*\r\n{range}Connection: close\r\n\r\n"
        )
    }

    fn answered(&mut self, head: &Head, reader: BufReader<tls::Secured>) -> Result<Attempt, Failed> {
        let have = self.output.have;
        match head.status {
            200 if have > 0 => {
                if !self.output.start_over()? {
                    let why = "the content has changed, or the server can't send the rest of it".to_owned();
                    return Err(Failed::Job(why, Some("-o FILE can begin from the start")));
                }
            }
            200 => {}
            206 if head.range().is_some_and(|(start, _)| start == have) => {}
            // The file is complete already.
            416 if head.field("Content-Range").is_some_and(|range| range == format!("bytes */{have}")) => {
                return Ok(Attempt::Done);
            }
            416 if have > 0 => {
                let why = format!("the file has {have} bytes, and the server has nothing to follow them");
                return Err(Failed::Job(why, Some("without --resume, -o FILE begins from the start")));
            }
            301 | 302 | 303 | 307 | 308 => {
                let location = head.field("Location").unwrap_or_default();
                let url = self.url.join(location).ok_or_else(|| {
                    Failed::Job(format!("the server leads to \"{location}\", which is no https:// URL"), None)
                })?;
                return Ok(Attempt::Elsewhere(url));
            }
            status => {
                let why = format!("the server answers {status} {}", head.reason);
                return Err(Failed::Job(why, status_advice(status)));
            }
        }
        let form = match head.body() {
            Ok(form) => form,
            Err(error) => return lost(&error),
        };
        self.output.begin()?;
        self.validator = head.validator().map(str::to_owned);
        let whole = match (head.range(), form) {
            (Some((_, whole)), _) if head.status == 206 => whole,
            (_, BodyForm::Length(length)) => Some(length),
            _ => None,
        };
        self.take(Body::new(reader, form), whole)
    }

    fn take(&mut self, mut body: impl Read, whole: Option<u64>) -> Result<Attempt, Failed> {
        let mut buf = [0; 16 * 1024];
        loop {
            match body.read(&mut buf) {
                Ok(0) if whole.is_some_and(|whole| self.output.have < whole) => {
                    return Ok(Attempt::Lost("the server sent a part alone".to_owned()));
                }
                Ok(0) => return Ok(Attempt::Done),
                Ok(count) => self.output.write(&buf[..count], whole)?,
                Err(error) => return lost(&error),
            }
        }
    }
}

/// The advice for the status of an answer that has no content.
fn status_advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 | 407 => "the server wants a login, which this example does not have",
        404 | 410 => "is the path in the URL right?",
        429 | 503 => "the server has too much to do; try again later",
        500..=599 => "the fault is at the server; does another client get the page?",
        _ => return None,
    })
}

/// An error of the connection: either the user must act, or another attempt may succeed.
fn lost(error: &io::Error) -> Result<Attempt, Failed> {
    if let Some(failed) = tls::in_words(error) {
        return Err(failed);
    }
    match error.kind() {
        io::ErrorKind::InvalidData => Err(Failed::Job(format!("the answer can't be read: {error}"), None)),
        io::ErrorKind::UnexpectedEof => Ok(Attempt::Lost("the connection was cut short".to_owned())),
        _ => Ok(Attempt::Lost(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str, port: u16, path: &str) -> Option<Url> {
        Some(Url { host: host.to_owned(), port, path: path.to_owned() })
    }

    #[test]
    fn urls_are_read_and_joined() {
        assert_eq!(Url::parse("https://example.com"), url("example.com", 443, "/"));
        assert_eq!(Url::parse("https://example.com:8443?a#b"), url("example.com", 8443, "/?a"));
        for wrong in [
            "http://a/",
            "https://",
            "https://a b/",
            "https://a/\r\nX: y",
            "https://[::1]/",
            "https://u@a/",
            "https://a:0/",
        ] {
            assert_eq!(Url::parse(wrong), None, "{wrong}");
        }
        let base = Url::parse("https://example.com:8443/a/b").unwrap();
        assert_eq!(base.join("/c"), url("example.com", 8443, "/c"));
        assert_eq!(base.join("//other.test/c"), url("other.test", 443, "/c"));
        assert_eq!(base.join("http://other.test/"), None);
        assert_eq!(base.join("mailto:a@b"), None);
        assert_eq!(base.join(""), None);
        assert_eq!(base.join("https://other.test"), url("other.test", 443, "/"));
        assert_eq!(base.join("c?d=:"), url("example.com", 8443, "/a/c?d=:"));
        assert_eq!(base.join("?d"), url("example.com", 8443, "/a/b?d"));
    }
}
