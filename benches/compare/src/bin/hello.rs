//! A small application, for the size of its program: it opens a modem, and sends and receives on a socket.

use std::io::{Read, Write};
use std::time::Duration;

use air724ug::{Config, Modem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let modem = Modem::open(path, Config::default())?;
    modem.wait_ready(Duration::from_secs(60))?;
    let mut socket = modem.tcp().connect("example.com:80")?;
    socket.write_all(b"hello\n")?;
    let mut answer = [0; 64];
    let count = socket.read(&mut answer)?;
    std::io::stdout().write_all(&answer[..count])?;
    Ok(())
}
