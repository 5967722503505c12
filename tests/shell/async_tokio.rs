//! Sockets on tokio's single-threaded runtime.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failing io call shall fail the test, also in a helper.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::support::driver::{MODES, SOON, Terminal, eventually, memory, noise, server};
use air724ug::sim::{Control, HostNetwork, Network, Settings, Simulator, serve};
use air724ug::{AsyncModem, AsyncSocket, CloseReason, Config, Error, Event, Modem, NotReady, ReceiveMode};

const SHORT: Duration = Duration::from_millis(50);

/// Runs a future on this thread, with timers.
fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(async { timeout(3 * SOON, future).await.unwrap() })
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A modem in this process that is ready.
fn modem(network: impl Network + Send + 'static, config: Config) -> AsyncModem {
    let settings = Settings::default().baud(None);
    let (reader, writer, _) = serve::in_process(Simulator::new(settings, network)).unwrap();
    let modem = Modem::start(reader, writer, config).unwrap();
    modem.wait_ready(SOON).unwrap();
    modem.into()
}

/// Polls a future once.
async fn is_pending(mut future: Pin<&mut impl Future>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Sends data and receives the echo, with the traits alone.
async fn echo<S: AsyncRead + AsyncWrite>(socket: S, data: &[u8]) {
    let (mut reader, mut writer) = tokio::io::split(socket);
    let write = async {
        writer.write_all(data).await.unwrap();
        writer.flush().await.unwrap();
    };
    let mut back = vec![0; data.len()];
    let read = async { reader.read_exact(&mut back).await.unwrap() };
    tokio::join!(write, read);
    assert!(back == data);
}

#[test]
fn eight_sockets_echo_on_one_thread() {
    for mode in MODES {
        let modem = modem(memory(), Config::default().receive_mode(mode));
        run(async {
            let echoes = (0..8).map(|number| {
                let modem = modem.clone();
                async move {
                    let socket = modem.tcp().connect(("echo.test", 7)).await.unwrap();
                    echo(socket, &noise(5_000, number)).await;
                }
            });
            futures::future::join_all(echoes).await;
        });
    }
}

#[test]
fn every_future_is_send() {
    fn sent(_: impl Send) {}
    let modem = modem(memory(), Config::default());
    sent(modem.wait_ready(SHORT));
    sent(modem.tcp().connect("echo.test:7"));
    sent(async move {
        let socket = modem.tcp().connect("echo.test:7").await.unwrap();
        socket.send(b"x").await.unwrap();
        socket.recv().await.unwrap();
        modem.events().next().await.unwrap();
        socket.close().await.unwrap();
    });
}

#[test]
fn a_dropped_read_has_taken_no_byte() {
    for mode in MODES {
        let modem = modem(memory(), Config::default().receive_mode(mode));
        run(async {
            let mut socket = modem.tcp().connect(("echo.test", 7)).await.unwrap();
            let mut buf = [0; 16];
            assert!(timeout(SHORT, socket.recv()).await.is_err());
            assert!(timeout(SHORT, socket.read(&mut buf)).await.is_err());
            socket.send(b"hello").await.unwrap();
            socket.read_exact(&mut buf[..5]).await.unwrap();
            assert_eq!(&buf[..5], b"hello");
        });
    }
}

#[test]
fn cancelled_receives_lose_no_byte() {
    let modem = modem(memory(), Config::default());
    run(async {
        let socket = modem.tcp().connect(("echo.test", 7)).await.unwrap();
        let data = noise(20_000, 3);
        let (writer, mut back) = (socket.clone(), Vec::new());
        let write = async { writer.send(&data).await.unwrap() };
        let read = async {
            while back.len() < data.len() {
                tokio::select! {
                    biased;
                    () = tokio::task::yield_now() => {}
                    received = socket.recv() => back.extend(received.unwrap()),
                }
                // This receive wins the race sometimes.
                if let Ok(received) = timeout(Duration::from_micros(50), socket.recv()).await {
                    back.extend(received.unwrap());
                }
            }
        };
        tokio::join!(write, read);
        assert!(back == data);
    });
}

#[test]
fn a_dropped_connect_releases_its_channel() {
    let modem = modem(memory(), Config::default());
    run(async {
        for _ in 0..3 {
            let silent = (0..8).map(|_| async {
                let connect = modem.tcp();
                assert!(timeout(SHORT, connect.connect(("silent.test", 1))).await.is_err());
            });
            futures::future::join_all(silent).await;
        }
        let sockets = (0..8).map(|_| async { modem.tcp().connect(("echo.test", 7)).await.unwrap() });
        assert_eq!(futures::future::join_all(sockets).await.len(), 8);
    });
}

#[test]
fn a_connect_that_is_dropped_after_its_answer_releases_its_channel() {
    let modem = modem(memory(), Config::default());
    let mut events = modem.events();
    run(async {
        for _ in 0..20 {
            let connector = modem.tcp();
            let mut connect = Box::pin(connector.connect(("echo.test", 7)));
            // On a busy machine the connect is answered before this call returns.
            is_pending(connect.as_mut()).await;
            // The answer has come, and the future is dropped before it is polled again.
            while !matches!(events.next().await, Some(Event::Connected(_))) {}
            drop(connect);
        }
    });
}

#[test]
fn a_dropped_send_sends_its_beginning_and_the_next_send_follows() {
    let (sender, received) = crossbeam_channel::bounded(1);
    let server = server(move |mut stream| {
        let mut all = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut all).unwrap();
        sender.send(all).unwrap();
    });
    let modem = modem(HostNetwork::new(), Config::default());
    let data = noise(1_000_000, 9);
    run(async {
        let socket = modem.tcp().connect(server).await.unwrap();
        let mut send = Box::pin(socket.send(&data));
        let mut events = modem.events();
        assert!(is_pending(send.as_mut()).await);
        while !matches!(events.next().await, Some(Event::Sent(..) | Event::Received(..)))
            && socket.blocking().statistics().sent == 0
        {
            assert!(is_pending(send.as_mut()).await);
        }
        drop(send);
        socket.send(b"the next one").await.unwrap();
        socket.close().await.unwrap();
    });
    let all = received.recv_timeout(SOON).unwrap();
    let first = all.strip_suffix(b"the next one").expect("the next one came last");
    assert!(data.starts_with(first) && first.len() < data.len(), "{} bytes", first.len());
}

#[test]
fn timeouts_need_no_timer_of_the_runtime() {
    let modem = modem(memory(), Config::default());
    Builder::new_current_thread().build().unwrap().block_on(async {
        let connector = modem.tcp().timeout(SHORT);
        let error = connector.connect(("silent.test", 1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn a_send_ends_at_its_timeout_and_reports_the_accepted_bytes() {
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = AsyncModem::from(terminal.modem(Config::default()));
    run(async {
        let socket = modem.tcp().connect(("discard.test", 9)).await.unwrap();
        socket.blocking().set_write_timeout(Some(SHORT)).unwrap();
        terminal.fault(air724ug::sim::fault::LostAnswer { command: 0 });
        let error = socket.send(&[1; 3000]).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { after: SHORT, accepted: 0, .. }), "{error:?}");
    });
}

#[test]
fn a_future_waits_for_a_module_that_is_not_ready() {
    let settings = Settings::default().sim(air724ug::sim::SimCard::Absent);
    let (reader, writer, _) = serve::in_process(Simulator::new(settings, memory())).unwrap();
    let modem = AsyncModem::from(Modem::start(reader, writer, Config::default()).unwrap());
    run(async {
        assert!(timeout(SHORT, modem.wait_ready(SOON)).await.is_err());
        let error = modem.wait_ready(4 * SHORT).await.unwrap_err();
        assert!(matches!(error, Error::NotReady(NotReady::NoSim | NotReady::Starting)), "{error}");
    });
}

#[test]
fn closing_the_modem_ends_waiting_futures() {
    let modem = modem(memory(), Config::default());
    run(async {
        let socket = modem.tcp().connect(("discard.test", 9)).await.unwrap();
        let (mut events, connector) = (modem.events(), modem.tcp());
        let close = async {
            tokio::task::yield_now().await;
            modem.blocking().close();
        };
        let story = async { while events.next().await.is_some() {} };
        let (received, connected, (), ()) =
            tokio::join!(socket.recv(), connector.connect(("silent.test", 1)), story, close);
        assert!(matches!(received, Err(Error::PortLost(_))), "{received:?}");
        assert!(matches!(connected, Err(Error::PortLost(_))), "{connected:?}");
        assert!(modem.events().next().await.is_none());
    });
}

#[test]
fn a_shutdown_ends_waiting_futures_of_every_handle() {
    let modem = modem(memory(), Config::default());
    run(async {
        let mut socket = modem.tcp().connect(("discard.test", 9)).await.unwrap();
        let others = [socket.clone(), socket.clone()];
        let stop = async {
            tokio::task::yield_now().await;
            socket.blocking().shutdown(Shutdown::Read).unwrap();
        };
        let (first, second, ()) = tokio::join!(others[0].recv(), others[1].recv(), stop);
        for received in [first, second] {
            assert!(matches!(received, Err(Error::Closed(CloseReason::ShutDown))), "{received:?}");
        }
        assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
        socket.write_all(b"still").await.unwrap();
        AsyncWriteExt::shutdown(&mut socket).await.unwrap();
        assert_eq!(socket.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn data_before_the_peers_close_are_read_and_then_the_end() {
    let modem = modem(memory(), Config::default());
    run(async {
        let mut socket = modem.tcp().connect(("bye.test", 1)).await.unwrap();
        eventually("the peer has closed", || !socket.blocking().is_open());
        // A client of HTTP flushes before each read, and takes an error for the end of the connection.
        socket.flush().await.unwrap();
        let mut all = Vec::new();
        socket.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"hello, and bye");
        socket.flush().await.unwrap();
        assert!(matches!(socket.recv().await, Err(Error::Closed(CloseReason::Peer))));
    });
}

#[test]
fn a_writer_waits_while_the_buffer_is_full() {
    let settings = Settings::default().baud(Some(921_600));
    let (reader, writer, _) = serve::in_process(Simulator::new(settings, memory())).unwrap();
    let modem = AsyncModem::from(Modem::start(reader, writer, Config::default()).unwrap());
    run(async {
        modem.wait_ready(SOON).await.unwrap();
        let mut socket = modem.tcp().connect(("discard.test", 9)).await.unwrap();
        let mut written = 0;
        while !is_pending(pin!(socket.write(&[7; 4096]))).await {
            written += 1;
            assert!(written < 100, "the buffer is not bounded");
        }
        socket.write_all(&[7; 20_000]).await.unwrap();
        socket.flush().await.unwrap();
        assert_eq!(socket.blocking().queued(), 0);
        assert!(socket.blocking().statistics().sent >= 20_000);
    });
}

#[test]
fn datagrams_come_one_at_a_time() {
    let modem = modem(memory(), Config::default().receive_mode(ReceiveMode::Push));
    run(async {
        let socket = modem.udp().connect(("echo.test", 7)).await.unwrap();
        let mut buf = [0; 100];
        assert!(timeout(SHORT, socket.recv_from(&mut buf)).await.is_err());
        for text in [&b"one"[..], b"another"] {
            socket.send(text).await.unwrap();
            let (count, _) = socket.recv_from(&mut buf).await.unwrap();
            assert_eq!(&buf[..count], text);
        }
        socket.send_to(b"there", "echo.test:7").await.unwrap();
        assert_eq!(socket.recv_from(&mut buf).await.unwrap().0, 5);
        let refused = socket.send_to(b"elsewhere", ("echo.test", 8)).await;
        assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{refused:?}");
        assert!(matches!(socket.send(b"").await, Err(Error::InvalidInput { .. })));
    });
}

#[test]
fn queries_and_commands_are_futures() {
    let modem = modem(memory(), Config::default());
    run(async {
        modem.query(&air724ug::query::Signal).await.unwrap();
        let lines = modem.command("AT+CGMM", SOON).await.unwrap();
        assert!(!lines.is_empty());
        assert!(matches!(modem.command("AT+CIPSEND=0,5", SOON).await, Err(Error::InvalidInput { .. })));
    });
}

#[test]
fn a_runtime_ends_at_once_with_a_waiting_task() {
    let modem = modem(memory(), Config::default());
    let runtime = runtime();
    let socket = runtime.block_on(async { modem.tcp().connect(("discard.test", 9)).await.unwrap() });
    runtime.spawn(async move { socket.recv().await });
    runtime.block_on(tokio::task::yield_now());
    // This drops the task and its socket on this thread.
    drop(runtime);
    let free = || (0..8).map(|_| modem.blocking().tcp().connect(("discard.test", 9))).collect::<Vec<_>>();
    assert!(free().iter().all(Result::is_ok), "the channel is free again");
}

#[test]
fn a_restart_of_the_module_ends_the_wait_of_each_task() {
    let terminal = Terminal::with(Settings::default(), memory());
    let modem = AsyncModem::from(terminal.modem(Config::default()));
    run(async {
        let socket: AsyncSocket = modem.tcp().connect(("discard.test", 9)).await.unwrap();
        assert!(terminal.remote.send(Control::Reset));
        assert!(matches!(socket.recv().await, Err(Error::ModemRestarted)));
    });
}
