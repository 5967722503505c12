//! Sockets with the executor of the crate `futures`, and with a hand-written waker.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::io::{self, Read, Write};
use std::pin::{Pin, pin};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::{join, join_all};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures::stream::StreamExt;

use crate::support::driver::{MODES, SOON, memory, noise};
use air724ug::sim::{Settings, Simulator, serve};
use air724ug::{AsyncModem, AsyncSocket, Config, Error, Event, Modem};

fn modem(config: Config) -> AsyncModem {
    let (reader, writer, _) =
        serve::in_process(Simulator::new(Settings::default().baud(None), memory())).unwrap();
    let modem = AsyncModem::from(Modem::start(reader, writer, config).unwrap());
    block_on(modem.wait_ready(SOON)).unwrap();
    modem
}

/// Sends data and receives the echo, with the traits alone.
async fn echo(socket: impl AsyncRead + AsyncWrite, data: &[u8]) {
    let (mut reader, mut writer) = socket.split();
    let write = async {
        writer.write_all(data).await.unwrap();
        writer.flush().await.unwrap();
    };
    let mut back = vec![0; data.len()];
    join(write, async { reader.read_exact(&mut back).await.unwrap() }).await;
    assert!(back == data);
}

#[test]
fn eight_sockets_echo_on_one_thread() {
    for mode in MODES {
        let modem = modem(Config::default().receive_mode(mode));
        block_on(join_all((0..8).map(|number| {
            let modem = &modem;
            async move {
                let socket = modem.tcp().connect(("echo.test", 7)).await.unwrap();
                echo(socket, &noise(5_000, number)).await;
            }
        })));
    }
}

#[test]
fn events_are_a_stream_that_ends_with_the_modem() {
    let modem = modem(Config::default());
    let events = modem.events();
    block_on(async {
        let socket = modem.tcp().connect(("echo.test", 7)).await.unwrap();
        socket.close().await.unwrap();
        modem.blocking().close();
        let seen: Vec<Event> = events.collect().await;
        assert!(seen.iter().any(|event| matches!(event, Event::Connected(_))), "{seen:?}");
        assert_eq!(seen.last(), Some(&Event::PortLost));
    });
}

#[test]
fn closing_through_the_trait_ends_writes_and_leaves_reads() {
    let modem = modem(Config::default());
    block_on(async {
        let mut socket = modem.tcp().connect(("echo.test", 7)).await.unwrap();
        socket.write_all(b"hello").await.unwrap();
        AsyncWriteExt::close(&mut socket).await.unwrap();
        assert!(socket.write(b"x").await.is_err());
        let mut back = [0; 5];
        socket.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"hello");
    });
}

/// A waker that owns a socket and drops it when it is woken, as a runtime does with a task that only the waker holds.
struct Owner(Mutex<Option<AsyncSocket>>, crossbeam_channel::Sender<()>);

impl Wake for Owner {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
        let _ = self.1.send(());
    }
}

#[test]
fn a_waker_may_drop_the_socket_that_wakes_it() {
    let modem = modem(Config::default());
    let (sender, woken) = crossbeam_channel::unbounded();
    let socket = block_on(modem.tcp().connect(("echo.test", 7))).unwrap();
    let mut reader = socket.clone();
    let waker: Waker = Arc::new(Owner(Mutex::new(Some(socket.clone())), sender)).into();
    let mut cx = Context::from_waker(&waker);
    let mut buf = [0; 8];
    assert!(AsyncRead::poll_read(Pin::new(&mut reader), &mut cx, &mut buf).is_pending());
    drop(reader);
    {
        let mut recv = pin!(socket.recv());
        assert!(Future::poll(recv.as_mut(), &mut cx).is_pending());
        block_on(socket.send(b"hello")).unwrap();
        woken.recv_timeout(SOON).unwrap();
    }
    drop(socket);
    // The driver still works.
    block_on(modem.tcp().connect(("echo.test", 7))).unwrap();
}

/// A reader with a time-out, as that of a serial port.
struct Patient(mpsc::Receiver<Vec<u8>>);

impl Read for Patient {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.recv_timeout(Duration::from_millis(10)) {
            Ok(bytes) => {
                buf[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => Ok(0),
        }
    }
}

/// A writer that blocks while its gate is closed.
struct Gated<W> {
    writer: W,
    is_closed: Arc<(Mutex<bool>, Condvar)>,
}

impl<W: Write> Write for Gated<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (is_closed, opened) = &*self.is_closed;
        drop(opened.wait_while(is_closed.lock().unwrap(), |is_closed| *is_closed).unwrap());
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[test]
fn the_time_out_of_a_future_is_served_while_the_writer_blocks() {
    let simulator = Simulator::new(Settings::default().baud(None), memory());
    let (mut reader, writer, _) = serve::in_process(simulator).unwrap();
    let (bytes, patient) = mpsc::channel();
    thread::spawn(move || {
        let mut buf = [0; 1_024];
        while let Ok(count @ 1..) = reader.read(&mut buf) {
            if bytes.send(buf[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let is_closed = Arc::new((Mutex::new(false), Condvar::new()));
    let gated = Gated { writer, is_closed: is_closed.clone() };
    let modem = AsyncModem::from(Modem::start(Patient(patient), gated, Config::default()).unwrap());
    block_on(modem.wait_ready(SOON)).unwrap();
    *is_closed.0.lock().unwrap() = true;
    let (answer, answered) = mpsc::channel();
    let asking = modem.clone();
    thread::spawn(move || answer.send(block_on(asking.command("AT+CSQ", Duration::from_millis(200)))));
    let answer = answered.recv_timeout(SOON);
    *is_closed.0.lock().unwrap() = false;
    is_closed.1.notify_all();
    assert!(matches!(answer, Ok(Err(Error::Timeout { .. }))), "{answer:?}");
}
