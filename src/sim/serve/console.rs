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

/// The longest order; a longer one is an error (limits memory).
const MAX_LINE: u64 = 4096;
/// The most simultaneous connections; further ones are closed at once (limits threads).
const MAX_CONNECTIONS: usize = 16;

/// Executes an order in words, and returns the answer to print: `ok`, the state, the help, or the error.
///
/// A number before the order selects one of several modems, from 0, as in `2 net down`; without one the order is for
/// all of them.
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

/// A Unix socket for orders, one in each line. The answer is that of [`obey`] and an empty line.
///
/// The socket's file is removed when this is dropped.
#[derive(Debug)]
pub struct Console {
    path: PathBuf,
}

impl Console {
    /// Listens at a path. An existing socket without a listening program, as a killed run leaves it, is replaced; other
    /// files are not.
    ///
    /// # Errors
    ///
    /// If the path has another file, if another program listens to it, or if the directory can't be written.
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
            // Out of file descriptors: the connection ends.
            continue;
        };
        let (remotes, token) = (remotes.clone(), connections.clone());
        if Arc::strong_count(&connections) > MAX_CONNECTIONS + 1 {
            continue;
        }
        let talk = move || {
            // A connection with an error ends.
            drop(talk_over(&stream, &remotes));
            drop(token);
        };
        // Without a thread the connection ends.
        drop(thread::Builder::new().name("sim-console-talk".to_owned()).spawn(talk));
    }
}

/// Reads orders in words, one in each line, until the reader's end, and writes the answer of [`obey`] to each. Empty
/// lines are ignored; a line of more than 4096 bytes is an error, and so is one that is not UTF-8.
///
/// # Errors
///
/// An error of the reader or of `answer`.
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

/// Reads a line without its end. Returns true if it is complete; of a longer line only the beginning is kept. `None` at
/// the end.
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
