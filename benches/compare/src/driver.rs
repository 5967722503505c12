//! A program with this crate.

use std::io::{Read, Write};
use std::time::Duration;

use air724ug::{Config, Modem, Socket};

use crate::foreign_modem::CHUNK;
use crate::work::{Contender, HOSTS};

pub const SOON: Duration = Duration::from_secs(60);

pub struct Driver {
    modem: Modem,
    sockets: Vec<Socket>,
    buffer: Vec<u8>,
}

impl Driver {
    pub fn open(path: &str, config: Config) -> Self {
        let modem = open_as(path, config);
        let sockets = HOSTS.iter().map(|host| modem.tcp().connect((*host, 7)).unwrap()).collect();
        Self { modem, sockets, buffer: vec![0; 64 * 1024] }
    }
}

pub fn open(path: &str) -> Modem {
    open_as(path, Config::default())
}

fn open_as(path: &str, config: Config) -> Modem {
    let modem = Modem::open(path, config).unwrap();
    modem.wait_ready(SOON).unwrap();
    modem
}

impl Contender for Driver {
    fn at(&mut self) {
        self.modem.command("AT", SOON).unwrap();
    }

    fn echo(&mut self, bytes: &[u8]) {
        self.sockets[0].write_all(bytes).unwrap();
        self.sockets[0].read_exact(&mut self.buffer[..bytes.len()]).unwrap();
    }

    fn send(&mut self, bytes: &[u8]) {
        self.sockets[1].write_all(bytes).unwrap();
        self.sockets[1].flush().unwrap();
    }

    fn receive(&mut self, frames: usize) {
        self.sockets[2].write_all(format!("{frames}").as_bytes()).unwrap();
        let mut left = frames * CHUNK;
        while left > 0 {
            left -= self.sockets[2].read(&mut self.buffer).unwrap();
        }
    }
}
