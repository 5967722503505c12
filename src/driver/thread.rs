//! The port's thread.

use std::io;
use std::sync::Arc;
use std::thread;

use super::Shared;
use crate::port::Line;

/// The most that one read takes. A pseudo-terminal gives 4 KiB at a time, USB 16 KiB.
const READ: usize = 16 * 1024;

pub(super) fn spawn(shared: Arc<Shared>, line: Box<dyn Line>) -> io::Result<()> {
    thread::Builder::new().name("air724ug".into()).spawn(move || run(&shared, line)).map(drop)
}

fn run(shared: &Shared, mut line: Box<dyn Line>) {
    let mut buf = vec![0; READ];
    // The first command of the session.
    shared.lock().tick(shared.now());
    let error = loop {
        match turn(shared, line.as_mut(), &mut buf) {
            Ok(Turn::Again) => {}
            Ok(Turn::Closed) => return,
            Err(error) => break error,
        }
    };
    log::warn!("the port is lost: {error}");
    shared.lock().close(shared.now(), &error.to_string());
}

enum Turn {
    Again,
    Closed,
}

/// Waits for whatever comes first, and does it.
fn turn(shared: &Shared, line: &mut dyn Line, buf: &mut [u8]) -> io::Result<Turn> {
    let (deadline, wants_write) = {
        let mut core = shared.lock();
        if core.closed {
            return Ok(Turn::Closed);
        }
        core.thread_waits()
    };
    line.wait(wants_write, deadline.map(|deadline| shared.until(deadline)))?;
    match line.read(buf) {
        Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the port hung up")),
        Ok(count) => shared.lock().received(shared.now(), &buf[..count]),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => shared.lock().tick(shared.now()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    let mut rest = shared.lock().take_unwritten(shared.now(), line)?;
    // Written without the lock: such a port may block.
    while !rest.is_empty() {
        let written = line.write(&rest)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        rest.drain(..written);
    }
    Ok(Turn::Again)
}
