//! Orders in words, from a terminal or over a Unix socket.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::remote::Remote;
use crate::sim::{Control, Order};

/// The longest order; a longer one is an error (bounds memory).
const MAX_LINE: u64 = 4096;
/// Connections at once; one more is closed at once (bounds threads).
const MAX_CONNECTIONS: usize = 16;

/// Carries out an order in words, and answers what to print: `ok`, the state, the help, or what is wrong.
///
/// A number in front picks one of several modems, from 0 on, as in `2 net down`; without one all are meant.
pub fn obey(remotes: &[Remote], line: &str) -> String {
    let line = line.trim();
    let (number, words) = match line.split_once(char::is_whitespace) {
        Some((number, words)) if number.bytes().all(|byte| byte.is_ascii_digit()) => (Some(number), words),
        _ => (None, line),
    };
    let meant: Vec<(usize, &Remote)> = match number.map(|number| number.parse::<usize>().ok()) {
        None => remotes.iter().enumerate().collect(),
        Some(Some(number)) if number < remotes.len() => vec![(number, &remotes[number])],
        Some(_) => return format!("error: there are {} modems, counted from 0", remotes.len()),
    };
    match words.parse() {
        Ok(Order::Help) => Order::HELP.to_owned(),
        Ok(Order::State) => states(&meant, remotes.len() > 1),
        Ok(Order::Control(Control::Replug(Some(name)))) if meant.len() > 1 => {
            format!("error: a name is for one modem; write its number in front, as in 0 replug {name}")
        }
        Ok(Order::Control(control)) => {
            let reached = meant.iter().filter(|(_, remote)| remote.send(control.clone())).count();
            if reached == meant.len() { "ok".to_owned() } else { "error: the modem does not run".to_owned() }
        }
        Err(bad) => format!("error: {bad}"),
    }
}

fn states(meant: &[(usize, &Remote)], numbered: bool) -> String {
    let one = |(number, remote): &(usize, &Remote)| {
        let state = remote.state().map_or("does not run".to_owned(), |state| state.to_string());
        if numbered { format!("modem {number}: {state}") } else { state }
    };
    meant.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// A Unix socket that takes orders, one a line, and answers each with what [`obey`] says and an empty line.
///
/// The socket's file is removed when this is dropped.
#[derive(Debug)]
pub struct Console {
    path: PathBuf,
}

impl Console {
    /// Listens at a path. A socket that stands there already is replaced if no program listens to it, as a run that was
    /// killed leaves one behind; anything else is not.
    ///
    /// # Errors
    ///
    /// If something else stands there, another program listens to it, or the directory can't be written.
    pub fn listen(path: impl Into<PathBuf>, remotes: Vec<Remote>) -> io::Result<Self> {
        let path = path.into();
        remove_stale(&path)?;
        let listener = UnixListener::bind(&path)?;
        let remotes: Arc<[Remote]> = remotes.into();
        thread::Builder::new().name("sim-console".to_owned()).spawn(move || serve(&listener, &remotes))?;
        Ok(Self { path })
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == ErrorKind::ConnectionRefused;
    if is_socket && UnixStream::connect(path).is_err_and(refused) {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn serve(listener: &UnixListener, remotes: &Arc<[Remote]>) {
    let connections = Arc::new(());
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Out of descriptors: the caller sees the connection end.
            continue;
        };
        let (remotes, token) = (remotes.clone(), connections.clone());
        if Arc::strong_count(&connections) > MAX_CONNECTIONS + 1 {
            continue;
        }
        let talk = move || {
            // A connection that breaks is over.
            drop(talk_over(&stream, &remotes));
            drop(token);
        };
        // Without a thread the connection ends.
        drop(thread::Builder::new().name("sim-console-talk".to_owned()).spawn(talk));
    }
}

/// Takes orders in words, one a line, until the reader's end, and gives what [`obey`] says to each. Empty lines are none; a
/// line of more than 4096 bytes is an error, and so is one that is not UTF-8.
///
/// # Errors
///
/// Those of the reader and of `answer`.
pub fn converse(
    remotes: &[Remote],
    mut reader: impl BufRead,
    mut answer: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = Vec::new();
    while let Some(is_whole) = next_line(&mut reader, &mut line)? {
        match str::from_utf8(&line) {
            _ if !is_whole => answer(&format!("error: an order has at most {MAX_LINE} bytes"))?,
            Ok(order) if order.trim().is_empty() => {}
            Ok(order) => answer(&obey(remotes, order))?,
            Err(_) => answer("error: an order is UTF-8")?,
        }
    }
    Ok(())
}

/// Reads a line without its end; whether it is whole. Of a longer one nothing is kept but its beginning. `None` at the end.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    if reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_some() || line.len() as u64 <= MAX_LINE {
        return Ok(Some(true));
    }
    reader.skip_until(b'\n')?;
    Ok(Some(false))
}

fn talk_over(mut stream: &UnixStream, remotes: &[Remote]) -> io::Result<()> {
    converse(remotes, BufReader::new(stream), |answer| writeln!(stream, "{answer}\n"))
}
