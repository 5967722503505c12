//! Echo servers on this machine.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use air724ug::crossbeam_channel::Receiver;
use air724ug::{Error, Event, NotReady};

/// A TCP server on this machine that sends back what it receives.
pub fn echo_server() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(stream, usize::MAX));
        }
    });
    Ok(address)
}

/// Sends received bytes back until the other side closes, or until at least `limit` bytes have come.
pub fn echo(mut stream: TcpStream, limit: usize) {
    let mut buf = [0; 16 * 1024];
    let mut echoed = 0;
    while echoed < limit
        && let Ok(count @ 1..) = stream.read(&mut buf)
        && stream.write_all(&buf[..count]).is_ok()
    {
        echoed += count;
    }
}

/// An echo server that closes its first connection after `lost_after` bytes, and listens again after flight mode.
pub fn server_with_a_gap(lost_after: usize, events: Receiver<Event>) -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let first = listener.accept();
        drop(listener);
        if let Ok((stream, _)) = first {
            echo(stream, lost_after);
        }
        let _ = events.iter().find(|event| matches!(event, Event::NotReady(NotReady::RadioOff)));
        drop(events);
        if let Ok(listener) = TcpListener::bind(address) {
            listener.incoming().flatten().for_each(|stream| echo(stream, usize::MAX));
        }
    });
    Ok(address)
}
