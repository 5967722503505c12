//! A program without a driver: it writes, and reads until the expected bytes have come. No program on this port can be
//! faster.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::thread;

use air724ug::crossbeam_channel::{Receiver, unbounded};

pub(crate) struct Raw {
    port: File,
    /// The source of bytes, if it is not the port itself.
    reader: Option<Receiver<Vec<u8>>>,
    read: Vec<u8>,
}

impl Raw {
    pub(crate) fn open(path: &str) -> Self {
        let port = OpenOptions::new().read(true).write(true).open(path).unwrap();
        Self { port, reader: None, read: Vec::with_capacity(64 * 1024) }
    }

    /// From now on a thread reads and passes the bytes on, as a driver for several callers must: this is the cost of
    /// one more hop between threads. The thread ends with the port.
    pub(crate) fn with_reader(mut self) -> Self {
        let (sender, reader) = unbounded();
        let mut port = self.port.try_clone().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = port.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        self.reader = Some(reader);
        self
    }

    /// Opens a port with a new modem, and a socket on it.
    pub(crate) fn connect(path: &str, host: &str, port: u16) -> Self {
        let mut raw = Self::open(path);
        raw.ask(b"ATE0\r\n", b"OK\r\n");
        raw.ask(b"AT+CIPSHUT\r\n", b"SHUT OK\r\n");
        raw.ask(b"AT+CIPMUX=1;+CIPQSEND=1;+CSTT;+CIICR\r\n", b"OK\r\n");
        raw.ask(b"AT+CIFSR\r\n", b"\r\n");
        raw.ask(format!("AT+CIPSTART=0,\"TCP\",\"{host}\",{port}\r\n").as_bytes(), b"CONNECT OK\r\n");
        raw
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.port.write_all(bytes).unwrap();
    }

    /// Reads until the bytes end like this.
    pub(crate) fn expect(&mut self, end: &[u8]) {
        while !self.read.ends_with(end) {
            self.read_some();
        }
        self.read.clear();
    }

    /// Reads until `count` bytes have come.
    pub(crate) fn read_exact(&mut self, count: usize) {
        let mut left = count;
        let mut buffer = [0; 16 * 1024];
        while left > 0 {
            let most = left.min(buffer.len());
            left -= self.port.read(&mut buffer[..most]).unwrap();
        }
    }

    pub(crate) fn ask(&mut self, command: &[u8], end: &[u8]) {
        self.write(command);
        self.expect(end);
    }

    /// Sends a chunk on the socket.
    pub(crate) fn send(&mut self, data: &[u8]) {
        let len = data.len();
        self.ask(format!("AT+CIPSEND=0,{len}\r\n").as_bytes(), b"> ");
        self.write(data);
        self.expect(format!("DATA ACCEPT:0,{len}\r\n").as_bytes());
    }

    fn read_some(&mut self) {
        if let Some(reader) = &self.reader {
            self.read.extend(reader.recv().unwrap());
            return;
        }
        let mut buffer = [0; 4096];
        let count = self.port.read(&mut buffer).unwrap();
        assert!(count > 0, "the port ended");
        self.read.extend_from_slice(&buffer[..count]);
    }
}
