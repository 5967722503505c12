//! A small application of `serialport` only, to compare its size with that of `hello`.

use std::io::{Read, Write};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let mut port = serialport::new(path, 115_200).timeout(Duration::from_secs(1)).open()?;
    port.write_all(b"AT\r\n")?;
    let mut answer = [0; 64];
    let count = port.read(&mut answer)?;
    std::io::stdout().write_all(&answer[..count])?;
    Ok(())
}
