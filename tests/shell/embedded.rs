//! Sockets and modems through the traits of `embedded-io` and `embedded-nal`, in functions that use only these traits.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use embedded_nal_async::{AddrType, TcpConnect};
use futures::executor::block_on;

use crate::support::driver::{SOON, memory};
use air724ug::sim::{MemoryNetwork, Peer, Settings, Simulator, serve};
use air724ug::{AsyncModem, Config, Modem};

/// The address of an echo server, and a modem that reaches it.
fn world() -> (SocketAddr, Modem) {
    let mut network: MemoryNetwork = memory();
    network.name("echo.test", [10, 1, 0, 1]).serve("echo.test", 7, Peer::echo());
    let (reader, writer, _) = serve::in_process(Simulator::new(Settings::default(), network)).unwrap();
    let modem = Modem::start(reader, writer, Config::default()).unwrap();
    modem.wait_ready(SOON).unwrap();
    (SocketAddr::from(([10, 1, 0, 1], 7)), modem)
}

#[test]
fn embedded_io_echoes() {
    fn echo(socket: &mut (impl embedded_io::Read + embedded_io::Write + embedded_io::ReadReady)) {
        assert!(!socket.read_ready().unwrap());
        socket.write_all(b"hello").unwrap();
        socket.flush().unwrap();
        let mut back = [0; 5];
        socket.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"hello");
    }
    let (server, modem) = world();
    let mut socket = modem.tcp().connect(server).unwrap();
    echo(&mut socket);
    socket.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
    let error = embedded_io::Read::read(&mut socket, &mut [0]).unwrap_err();
    assert_eq!(embedded_io::Error::kind(&error), embedded_io::ErrorKind::TimedOut);
}

#[test]
fn embedded_io_async_echoes_over_a_connection_of_embedded_nal_async() {
    async fn echo(stack: &impl TcpConnect, server: SocketAddr) {
        use embedded_io_async::{Read, Write};
        let mut socket = stack.connect(server).await.unwrap();
        socket.write_all(b"hello").await.unwrap();
        socket.flush().await.unwrap();
        let mut back = [0; 5];
        socket.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"hello");
    }
    let (server, modem) = world();
    block_on(echo(&AsyncModem::from(modem), server));
}

#[test]
fn embedded_nal_echoes_and_sees_the_end() {
    fn echo<S: embedded_nal::TcpClientStack<Error: Debug>>(stack: &mut S, server: SocketAddr) {
        let mut socket = stack.socket().unwrap();
        assert!(stack.send(&mut socket, b"x").is_err(), "the socket is not connected");
        again(|| stack.connect(&mut socket, server));
        let mut sent = 0;
        while sent < 5 {
            sent += again(|| stack.send(&mut socket, &b"hello"[sent..]));
        }
        let mut back = Vec::new();
        while back.len() < 5 {
            let mut buf = [0; 5];
            let count = again(|| stack.receive(&mut socket, &mut buf));
            back.extend_from_slice(&buf[..count]);
        }
        assert_eq!(back, b"hello");
        stack.close(socket).unwrap();
    }
    let (server, mut modem) = world();
    echo(&mut modem, server);
}

/// Repeats a call until it does not return `WouldBlock`.
fn again<T, E: Debug>(mut call: impl FnMut() -> embedded_nal::nb::Result<T, E>) -> T {
    loop {
        match call() {
            Ok(done) => return done,
            Err(embedded_nal::nb::Error::WouldBlock) => std::thread::yield_now(),
            Err(embedded_nal::nb::Error::Other(error)) => panic!("{error:?}"),
        }
    }
}

#[test]
fn both_traits_look_up_names() {
    const WANTED: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 1));
    let (_, mut modem) = world();
    fn blocking(stack: &mut impl embedded_nal::Dns) {
        assert_eq!(again(|| stack.get_host_by_name("echo.test", AddrType::Either)), WANTED);
        assert!(stack.get_host_by_name("echo.test", AddrType::IPv6).is_err());
        assert!(stack.get_host_by_address(WANTED, &mut []).is_err());
    }
    async fn polled(stack: &impl embedded_nal_async::Dns) {
        assert_eq!(stack.get_host_by_name("echo.test", AddrType::IPv4).await.unwrap(), WANTED);
        assert!(stack.get_host_by_name("echo.test", AddrType::IPv6).await.is_err());
        assert!(stack.get_host_by_address(WANTED, &mut []).await.is_err());
    }
    blocking(&mut modem);
    block_on(polled(&AsyncModem::from(modem)));
}

#[test]
fn embedded_nal_async_sends_datagrams() {
    async fn echo(socket: &mut impl embedded_nal_async::ConnectedUdp) {
        socket.send(b"hello").await.unwrap();
        let mut back = [0; 16];
        assert_eq!(socket.receive_into(&mut back).await.unwrap(), 5);
        assert_eq!(&back[..5], b"hello");
    }
    let (server, modem) = world();
    block_on(async { echo(&mut AsyncModem::from(modem).udp().connect(server).await.unwrap()).await });
}
