//! The loop that serves any port on a pseudo-terminal.

use std::io::{self, Read, Write};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use super::pty::Pty;

/// The largest read, in either direction.
const READ_SIZE: usize = 4 * 1024;

/// Serves a port on a pseudo-terminal until the port ends: a program's bytes go to `writer`, the bytes of `reader` go
/// to the program. It is for ports other than a simulated modem, such as a `capture::Player` of feature `import`.
/// `passed` is called after each write of the program, with the bytes that the port answered before.
///
/// # Errors
///
/// If the terminal or the port fails.
pub fn play<R: Read + Send>(
    pty: &Pty,
    mut reader: R,
    mut writer: impl Write,
    mut passed: impl FnMut(usize) -> usize,
) -> io::Result<()> {
    thread::scope(|scope| {
        let output = scope.spawn(move || -> io::Result<()> {
            let mut bytes = [0; READ_SIZE];
            loop {
                let count = reader.read(&mut bytes)?;
                if count == 0 {
                    return Ok(());
                }
                write_all(pty, &bytes[..count])?;
            }
        });
        let mut bytes = [0; READ_SIZE];
        let mut before = 0;
        while !output.is_finished() {
            match pty.read(&mut bytes)? {
                Some(count) => {
                    writer.write_all(&bytes[..count])?;
                    before = passed(before);
                }
                None => wait(pty, PollFlags::IN)?,
            }
        }
        output.join().unwrap_or_else(|_| Err(io::Error::other("the port's thread has panicked")))
    })
}

fn write_all(pty: &Pty, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match pty.write(bytes)? {
            Some(count) => bytes = &bytes[count..],
            None => wait(pty, PollFlags::OUT)?,
        }
    }
    Ok(())
}

fn wait(pty: &Pty, flags: PollFlags) -> io::Result<()> {
    if let Some(master) = pty.master() {
        poll(&mut [PollFd::new(&master, flags)], None)?;
    }
    Ok(())
}
