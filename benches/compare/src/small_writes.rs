//! Writes of 10 bytes: on one and on eight sockets, as separate sends, and on a `TcpStream` on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use crate::driver::{SOON, open};
use crate::foreign_modem::ForeignModem;
use crate::raw::Raw;
use crate::table::Table;

const PIECE: [u8; 10] = *b"0123456789";

pub fn measure(writes: usize, table: &mut Table) {
    for sockets in [1, 8] {
        with_the_driver(sockets, writes, false, table);
        // A tenth is sufficient for separate sends, which need an exchange each.
        with_the_driver(sockets, writes / 10, true, table);
    }
    let modem = ForeignModem::start(0);
    let mut raw = Raw::open(&modem.path, false);
    let begun = Instant::now();
    (0..writes / 10).for_each(|_| raw.send_on(1, &PIECE));
    add(table, "raw loop, one exchange each", 1, writes / 10, begun);
    for sockets in [1, 8] {
        on_loopback(sockets, writes, table);
    }
}

fn add(table: &mut Table, who: &str, sockets: usize, writes: usize, begun: Instant) {
    let each = begun.elapsed().as_secs_f64() * 1e6 / writes as f64;
    table.add(&format!("write of 10 bytes, {sockets} socket(s)"), "us", who, each);
}

fn with_the_driver(count: usize, writes: usize, is_flushed: bool, table: &mut Table) {
    let modem_process = ForeignModem::start(0);
    let modem = open(&modem_process.path);
    let mut sockets: Vec<_> = (0..count).map(|_| modem.tcp().connect(("discard.test", 7)).unwrap()).collect();
    let begun = Instant::now();
    for write in 0..writes {
        let socket = &mut sockets[write % count];
        socket.write_all(&PIECE).unwrap();
        if is_flushed {
            socket.flush().unwrap();
        }
    }
    sockets.iter_mut().for_each(|socket| socket.flush().unwrap());
    let who = if is_flushed { "air724ug, each flushed" } else { "air724ug" };
    add(table, who, count, writes, begun);
    let answer = modem.command("AT+SENDS?", SOON).unwrap();
    let sends: f64 = answer.iter().find_map(|line| line.strip_prefix("+SENDS: ")).unwrap().parse().unwrap();
    let bytes = (writes * PIECE.len()) as f64;
    table.add(&format!("bytes per exchange, {count} socket(s)"), "", who, bytes / sends);
    modem.close();
}

fn on_loopback(count: usize, writes: usize, table: &mut Table) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (mut streams, mut readers) = (Vec::new(), Vec::new());
    for _ in 0..count {
        streams.push(TcpStream::connect(address).unwrap());
        let (mut end, _) = listener.accept().unwrap();
        readers.push(thread::spawn(move || {
            let mut buffer = [0; 4096];
            while end.read(&mut buffer).unwrap() > 0 {}
        }));
    }
    let begun = Instant::now();
    (0..writes).for_each(|write| streams[write % count].write_all(&PIECE).unwrap());
    drop(streams);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    add(table, "TcpStream, loopback", count, writes, begun);
}
