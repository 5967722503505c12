//! Programs without a driver: one writes and reads in turn, the other has a thread that reads.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::foreign_modem::CHUNK;
use crate::work::{Contender, HOSTS};

pub struct Raw {
    port: File,
    /// The source of bytes, if it is not the port itself.
    reader: Option<Receiver<Vec<u8>>>,
    buffer: Vec<u8>,
    read: Vec<u8>,
    is_prompted: bool,
}

impl Raw {
    pub fn open(path: &str, has_reader: bool) -> Self {
        let port = File::options().read(true).write(true).open(path).unwrap();
        let reader = has_reader.then(|| read_on(port.try_clone().unwrap()));
        let mut raw = Self { port, reader, buffer: vec![0; 16 * 1024], read: Vec::new(), is_prompted: true };
        raw.ask("ATE0", "OK\r\n");
        raw.ask("AT+CIPMUX=1", "OK\r\n");
        for (channel, host) in HOSTS.iter().enumerate() {
            raw.ask(&format!("AT+CIPSTART={channel},\"TCP\",\"{host}\",7"), "CONNECT OK\r\n");
        }
        raw
    }

    /// Switches the prompt off.
    pub fn without_prompt(mut self) -> Self {
        self.ask("AT+CIPSPRT=0", "OK\r\n");
        Self { is_prompted: false, ..self }
    }

    fn ask(&mut self, command: &str, end: &str) {
        self.port.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.expect(end.as_bytes());
    }

    /// Reads until these bytes have come, and drops them with all bytes before them.
    fn expect(&mut self, end: &[u8]) {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|bytes| bytes == end) {
                self.read.drain(..at + end.len());
                return;
            }
            self.read_some();
        }
    }

    fn read_some(&mut self) {
        if let Some(reader) = &self.reader {
            self.read.extend(reader.recv().unwrap());
            return;
        }
        let count = self.port.read(&mut self.buffer).unwrap();
        assert!(count > 0, "the port ended");
        self.read.extend_from_slice(&self.buffer[..count]);
    }

    pub fn send_on(&mut self, channel: usize, bytes: &[u8]) {
        let command = format!("AT+CIPSEND={channel},{}", bytes.len());
        if self.is_prompted {
            self.ask(&command, "> ");
            self.port.write_all(bytes).unwrap();
        } else {
            self.port.write_all(&[command.as_bytes(), b"\r\n", bytes].concat()).unwrap();
        }
        self.expect(format!("DATA ACCEPT:{channel},{}\r\n", bytes.len()).as_bytes());
    }
}

fn read_on(mut port: File) -> Receiver<Vec<u8>> {
    let (sender, reader) = channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = port.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    reader
}

impl Contender for Raw {
    fn at(&mut self) {
        self.ask("AT", "OK\r\n");
    }

    fn echo(&mut self, bytes: &[u8]) {
        self.send_on(0, bytes);
        self.expect(bytes);
    }

    fn send(&mut self, bytes: &[u8]) {
        bytes.chunks(CHUNK).for_each(|chunk| self.send_on(1, chunk));
    }

    fn receive(&mut self, frames: usize) {
        self.send_on(2, format!("{frames}").as_bytes());
        let mut left = frames * ("\r\n+RECEIVE,2,1460:\r\n".len() + CHUNK);
        loop {
            left -= self.read.len();
            self.read.clear();
            if left == 0 {
                return;
            }
            self.read_some();
        }
    }
}
