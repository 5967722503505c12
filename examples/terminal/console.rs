//! The conversation: typed lines, and the output of the module meanwhile.

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use air724ug::diagnosis::Checkup;
use air724ug::event::Event;
use air724ug::query::{Domain, DomainRegistration, Signal};
use air724ug::{Error, Identity, Modem, NotReady, Received, Socket};
use rustyline::ExternalPrinter;

use super::Options;
use super::commands::{COMMANDS, WORDS};
use super::common::{Failed, Usage, bring_up, host_and_port, pause, shell, step};
use super::editor::{LineEditor, StateLine, Typed};

/// The time-out of a connect, and of a close.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest wait for the first answers of the module, before its state is shown.
const ANSWER: Duration = Duration::from_secs(5);
/// The interval at which they are looked for.
const AGAIN: Duration = Duration::from_millis(50);

struct Console {
    modem: Modem,
    timeout: Duration,
    state: Arc<ConsoleState>,
    /// Prints received text.
    print: Print,
}

type Print = Arc<dyn Fn(String) + Send + Sync>;

/// The state for the line above the prompt.
struct ConsoleState {
    modem: Modem,
    connection: Mutex<Option<Connection>>,
    line: StateLine,
    /// True if a user types: errors are shown then, and do not end the program.
    is_interactive: bool,
}

struct Connection {
    socket: Socket,
    /// Prints what is received, until the socket ends.
    receiver: JoinHandle<()>,
}

impl ConsoleState {
    /// Reads the state again, if it is shown.
    fn look(&self) {
        if !self.is_interactive {
            return;
        }
        let is_connected = self.connection().as_ref().is_some_and(|it| it.socket.is_open());
        let connection = if is_connected { ", connected" } else { "" };
        let state = match self.modem.not_ready() {
            None => {
                let registration = self.modem.query(&DomainRegistration(Domain::Lte));
                let registration = registration.map_or_else(|_| "?".to_owned(), |it| it.to_string());
                let signal = self.modem.query(&Signal).map_or_else(|_| "?".to_owned(), |it| it.to_string());
                format!("ready: LTE {registration}, signal {signal}{connection}")
            }
            Some(why) => format!("not ready: {why}"),
        };
        self.line.set(shell::line(state));
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn run(options: Options) -> Result<(), Failed> {
    let modem = options.common.open_with(|config| config.urc_lines(true))?;
    let is_interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let line = StateLine::default();
    let mut editor = LineEditor::new(line.clone()).map_err(io::Error::other)?;
    if let Some(path) = &options.history {
        editor.load(path).map_err(|error| {
            let why = format!("the history can't be read from {}: {error}", path.display());
            Failed::Job(
                why,
                Some("--history takes the path of a file that this program has written, or of none"),
            )
        })?;
    }
    let print = printer(&mut editor, is_interactive)?;
    let state =
        Arc::new(ConsoleState { modem: modem.clone(), connection: Mutex::new(None), line, is_interactive });
    let listener = listen(state.clone(), print.clone());
    let console = Console { modem, timeout: options.timeout, state, print };
    step("port", options.common.port.as_deref().unwrap_or("a simulated modem"))?;
    if is_interactive {
        shell::print("`help` lists the words, Tab completes, F2 runs `doctor`, Ctrl-D ends.\n")
            .map_err(Failed::Output)?;
    }
    let result = console.talk(&mut editor);
    if console.modem.is_ready() {
        // The module would keep the connection open. A failure to close it at the end is not reported.
        let _ = console.close();
    }
    console.modem.close();
    // The last data and events may not be printed yet. A panic there has been printed.
    let connection = console.state.connection().take();
    if let Some(connection) = connection {
        let _ = connection.receiver.join();
    }
    let _ = listener.join();
    if let Some(path) = &options.history
        && let Err(error) = editor.save(path)
    {
        let why = format!("the history can't be written to {}: {error}", path.display());
        return result.and(Err(Failed::Job(why, Some("--history takes the path of a file"))));
    }
    result
}

/// Prints above the line that is typed, or to the standard output.
fn printer(editor: &mut LineEditor, is_interactive: bool) -> Result<Print, Failed> {
    if is_interactive {
        let printer = std::sync::Mutex::new(editor.printer().map_err(io::Error::other)?);
        return Ok(Arc::new(move |text| {
            if let Ok(mut printer) = printer.lock() {
                // The terminal is closed: the next read of a line returns the error.
                let _ = printer.print(shell::harmless(text));
            }
        }));
    }
    Ok(Arc::new(|text| {
        let _ = shell::print(shell::harmless(text));
    }))
}

/// Prints unsolicited output of the module, until the modem is closed.
fn listen(state: Arc<ConsoleState>, print: Print) -> JoinHandle<()> {
    let events = state.modem.events();
    thread::spawn(move || {
        let mut line = None;
        for event in events {
            // Closing the modem is announced like a loss of the port.
            if matches!(event, Event::PortLost) && state.modem.is_closed() {
                continue;
            }
            let is_news = matches!(event, Event::Ready(_) | Event::NotReady(_));
            if let Some(text) = event_text(event, &mut line) {
                if is_news {
                    state.look();
                }
                print(text);
            }
        }
    })
}

/// The text for an event: for a line, the module's text and its meaning.
fn event_text(event: Event, line: &mut Option<String>) -> Option<String> {
    Some(match event {
        Event::Line(text) => {
            *line = Some(text);
            return None;
        }
        // The payload of such lines is printed.
        Event::Urc(urc) if urc.luat_name() == Some("MSG_SOCK_RECV_IND") => return None,
        Event::Urc(urc) => match line.take() {
            // Some meanings contain the line.
            Some(line) if !urc.to_string().starts_with(line.trim_end()) => format!("<< {line}    {urc}\n"),
            _ => format!("<< {urc}\n"),
        },
        Event::Ready(_) => "-- ready: sockets can be opened\n".to_owned(),
        Event::NotReady(why) => format!("-- not ready: {why}\n"),
        Event::Restarted => "-- the module has restarted\n".to_owned(),
        Event::Unresponsive => "-- nothing answers on the port\n".to_owned(),
        Event::PortLost => "-- the port is lost; it is opened again when it is back\n".to_owned(),
        Event::PortBack => "-- the port is back\n".to_owned(),
        Event::OtherModule { before } => {
            format!("-- another module is at the port; before it was {before}\n")
        }
        Event::Fault(fault) => format!("-- the serial line was damaged: {fault}\n"),
        Event::Dropped(line) => format!("<< {line}    [late or stray]\n"),
        _ => return None,
    })
}

impl Console {
    fn talk(&self, editor: &mut LineEditor) -> Result<(), Failed> {
        loop {
            self.state.look();
            let line = match editor.read(self.state.is_interactive).map_err(unread)? {
                Typed::Line(line) => line,
                Typed::End => return Ok(()),
            };
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let done = match word {
                "" => continue,
                "quit" | "exit" => return Ok(()),
                "help" => help(),
                "status" => self.status(),
                "ready" => bring_up(&self.modem),
                "doctor" => self.doctor(rest),
                "connect" => self.connect(rest),
                "send" => self.send(rest),
                "close" => self.close(),
                _ => self.command(&line),
            };
            match done {
                Err(Failed::Modem(error)) if self.state.is_interactive && !self.modem.is_closed() => {
                    shell::print(format_args!("!! {}\n", shell::harmless(error))).map_err(Failed::Output)?;
                }
                Err(Failed::Job(why, advice)) if self.state.is_interactive => {
                    let advice = advice.map_or_else(String::new, |advice| format!(" ({advice})"));
                    shell::print(format_args!("!! {}{advice}\n", shell::harmless(why)))
                        .map_err(Failed::Output)?;
                }
                done => done?,
            }
        }
    }

    fn command(&self, line: &str) -> Result<(), Failed> {
        if !line.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("AT")) {
            let advice = "commands begin with AT; `help` lists the words of this program";
            return Err(Failed::Job(format!("there is no word {line:?}"), Some(advice)));
        }
        let began = Instant::now();
        let lines = self.modem.command(line, self.timeout).map_err(|error| match error {
            Error::InvalidInput { .. } => {
                let advice = "each line is one command; payload goes on a connection: `connect HOST:PORT`, then `send TEXT`";
                Failed::Job(error.to_string(), Some(advice))
            }
            error => error.into(),
        })?;
        for line in lines {
            shell::print(format_args!("{}\n", shell::harmless(line))).map_err(Failed::Output)?;
        }
        shell::print(format_args!("OK    [{:.1?}]\n", began.elapsed())).map_err(Failed::Output)
    }

    /// The first answers of the module, which come soon after the port was opened.
    fn identity(&self) -> Result<Identity, Error> {
        let until = Instant::now() + self.timeout.min(ANSWER);
        loop {
            let identity = self.modem.identity();
            let is_incomplete = match &identity {
                Ok(identity) => identity.imei.is_empty(),
                Err(Error::NotReady(reason)) => matches!(reason, NotReady::NoAnswer | NotReady::Starting),
                Err(_) => false,
            };
            if !is_incomplete || Instant::now() >= until {
                return identity;
            }
            pause(AGAIN);
        }
    }

    fn status(&self) -> Result<(), Failed> {
        let identity = self.identity()?;
        step("module", format_args!("{}, IMEI {}", identity.firmware, identity.imei))?;
        step("signal", self.modem.query(&Signal)?)?;
        step("registration", self.modem.registration()?)?;
        let statistics = self.modem.statistics();
        match self.modem.not_ready() {
            None => step("state", "ready")?,
            Some(why) => step("state", format_args!("not ready: {why}"))?,
        }
        let open = statistics.opened.saturating_sub(statistics.closed);
        step(
            "connections",
            format_args!("{open} open, {} made, {} failed", statistics.opened, statistics.failed),
        )?;
        step("payload", format_args!("{} bytes sent, {} received", statistics.sent, statistics.received))
    }

    fn doctor(&self, server: &str) -> Result<(), Failed> {
        let mut checkup = Checkup::default();
        if !server.is_empty() {
            let (host, port) = server_of("doctor", server)?;
            checkup = checkup.server(host, port);
        }
        let diagnosis =
            self.modem.diagnose_with_progress(&checkup, |what| (self.print)(format!("-- {what}\n")));
        shell::print(shell::harmless(diagnosis)).map_err(Failed::Output)
    }

    fn connect(&self, server: &str) -> Result<(), Failed> {
        self.close()?;
        let (host, port) = server_of("connect", server)?;
        self.modem.wait_ready(TIMEOUT)?;
        let socket = self.modem.tcp().connect((host, port))?;
        let (state, print, received) = (self.state.clone(), self.print.clone(), socket.clone());
        let receiver = thread::spawn(move || {
            let end = receive(&received, &print);
            if !state.modem.is_closed() {
                state.look();
                print(end);
            }
        });
        *self.state.connection() = Some(Connection { socket, receiver });
        Ok(())
    }

    fn send(&self, text: &str) -> Result<(), Failed> {
        let Some(socket) = self.state.connection().as_ref().map(|it| it.socket.clone()) else {
            return Err(Failed::Job("there is no connection".into(), Some("connect HOST:PORT makes one")));
        };
        socket.send(format!("{text}\r\n").as_bytes())?;
        Ok(())
    }

    fn close(&self) -> Result<(), Failed> {
        let connection = self.state.connection().take();
        let Some(Connection { socket, receiver }) = connection else { return Ok(()) };
        socket.close()?;
        let _ = receiver.join();
        Ok(())
    }
}

/// The server that is typed after a word.
fn server_of(word: &str, server: &str) -> Result<(String, u16), Failed> {
    host_and_port(word, server).map_err(|usage| match usage {
        Usage::Wrong(why) => Failed::Job(why, Some("`help` lists the words")),
        Usage::Help => usage.into(),
    })
}

/// The error of a line that can't be read.
fn unread(error: io::Error) -> Failed {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            Failed::Job("the input is no UTF-8 text".to_owned(), Some("a line of it is a command or a word"))
        }
        _ => error.into(),
    }
}

/// Prints received data until the connection ends. Returns the reason.
fn receive(socket: &Socket, print: &Print) -> String {
    loop {
        match socket.recv(Duration::MAX) {
            Ok(Received::Data(data)) => print(format!("< {}\n", data.escape_ascii())),
            Ok(_) => {}
            Err(Error::Closed(why)) => return format!("-- the connection was closed {why}\n"),
            Err(error) => return format!("-- the connection has ended: {error}\n"),
        }
    }
}

fn help() -> Result<(), Failed> {
    let mut text = String::new();
    for (name, what) in WORDS.iter().chain(COMMANDS) {
        text += &format!("  {name:<14} {what}\n");
    }
    shell::print(text).map_err(Failed::Output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use air724ug::event::Urc;

    #[test]
    fn the_line_stands_beside_what_it_means() {
        let mut line = None;
        let closed = || Event::Urc(Urc::Closed(None));
        assert_eq!(event_text(Event::Line("CLOSED ".into()), &mut line), None);
        assert_eq!(
            event_text(closed(), &mut line).unwrap(),
            "<< CLOSED     closed by the peer (MSG_SOCK_CLOSE_IND)\n"
        );
        assert_eq!(event_text(closed(), &mut line).unwrap(), "<< closed by the peer (MSG_SOCK_CLOSE_IND)\n");
    }
}
