//! The end of a run: the faults end, requests in progress end, a clean exchange works, and the port is lost.

use std::time::Duration;

use air724ug::NotReady;
use air724ug::at::Quotable;
use air724ug::proto::Request;
use air724ug::query::Signal;
use air724ug::sim::{Control, Profile, fault};

use super::Kind;
use super::applications::is_of_an_application;
use super::checks::unseen;
use super::facts::{Connection, Observation, Outcome, RequestKind};
use super::payload::Style;
use super::rig::Rig;
use super::script::{Act, Far, Wanted};

/// The time after which everything in progress has ended: the longest time-out of a request, and a margin.
const SETTLING: Duration = Duration::from_secs(150);
/// The same time for runs in which commands of applications wait for each other.
const LONGEST_SETTLING: Duration = Duration::from_secs(600);
/// The number of attempts at a clean exchange. Pending faults strike in the first ones.
const ATTEMPTS: u16 = 25;
/// The number of the first connection of a clean exchange.
const FIRST_CLEAN: u16 = 9_000;
/// The time limit of a clean exchange, bring-up included.
const TIMEOUT: Duration = Duration::from_secs(400);

impl Rig {
    /// Ends a run.
    pub fn end(&mut self) {
        if self.facts.hung_up {
            self.close();
            return;
        }
        self.facts.healed = true;
        let began = self.facts.now;
        self.heal_line();
        // Replug has no effect on a port that is plugged in.
        self.control(Control::Replug(None));
        self.bring_port_back();
        if self.facts.card_is_out {
            self.control(Control::SimInsert);
        }
        if self.facts.network_is_down {
            self.control(Control::NetworkUp);
        }
        self.resume_streams();
        self.let_peers_read();
        self.bring_applications_back();
        self.facts.script.world.reconnecting = 0;
        self.eager = true;
        self.read_everything();
        self.run_for(SETTLING);
        self.read_everything();
        // A command of an application may occupy the line beyond the time-out of its caller.
        while self.failure.is_none() && self.facts.now < began + LONGEST_SETTLING && self.lacks_bytes() {
            self.run_for(SETTLING);
            self.read_everything();
        }
        let got = self.got();
        for connection in &mut self.facts.connections {
            let network = self.modem.network();
            connection.is_gone = connection.links.last().is_some_and(|link| !network.is_open(*link));
        }
        self.sees(&Observation::End { got: &got });
        self.unseen = unseen(&self.facts, &got);
        self.recover();
        self.close();
    }

    /// Checks that every application that connects again gets a connection after any loss of the port.
    fn bring_applications_back(&mut self) {
        if self.facts.script.kind != Kind::Port {
            return;
        }
        let is_back = |rig: &Self, app| {
            let number = rig.connection_of_app(app);
            number.is_some_and(|number| {
                rig.facts.numbered(number).is_some_and(|at| rig.facts.connections[at].id.is_some())
            })
        };
        let world = &self.facts.script.world;
        let (apps, profiles) = (world.reconnecting, Profile::all());
        let offered = profiles[world.profile % profiles.len()].channels;
        let mut back = 0;
        for _ in 0..ATTEMPTS {
            self.control(Control::Replug(None));
            // A connection requested earlier may be made only now.
            for index in 0..self.facts.connections.len() {
                if !is_of_an_application(self.facts.connections[index].number) {
                    self.leave(index, Duration::from_secs(40));
                }
            }
            self.connect_again();
            self.run_for(SETTLING);
            self.read_everything();
            back = (0..apps).filter(|app| is_back(self, *app)).count();
            if back >= usize::from(apps.min(offered.into())) {
                return;
            }
        }
        self.fail("back", format!("{back} of {apps} applications have a connection"));
    }

    /// Whether an open socket has fewer bytes than its peer has sent or echoed.
    fn lacks_bytes(&self) -> bool {
        let got = self.got();
        self.facts.connections.iter().zip(&got).any(|(connection, got)| {
            let is_open = connection.is_in_use() && connection.ended.is_none() && !connection.is_udp();
            let said = match connection.far {
                Far::Echo => connection.echoed.unwrap_or(got.len()),
                _ => connection.pushed_bytes(),
            };
            is_open && connection.read.len() < said
        })
    }

    /// Returns streams to data mode, in which the module delivers the data that it holds for them.
    fn resume_streams(&mut self) {
        for index in 0..self.facts.connections.len() {
            let connection = &self.facts.connections[index];
            if connection.wanted == Wanted::Transparent && connection.is_in_use() {
                let (connection, timeout) = (connection.number, Duration::from_secs(20));
                self.act(&Act::Resume { connection, timeout });
            }
        }
    }

    fn let_peers_read(&mut self) {
        let links: Vec<_> =
            self.facts.connections.iter().flat_map(|connection| connection.links.iter().copied()).collect();
        for link in links {
            self.modem.network_mut().set_reading(link, true);
        }
        self.look_at_network();
    }

    fn read_everything(&mut self) {
        for index in 0..self.facts.connections.len() {
            while self.failure.is_none() && self.read(index, 64 * 1024) {}
        }
        self.exchange();
    }

    /// Makes a clean exchange.
    fn recover(&mut self) {
        for index in 0..self.facts.connections.len() {
            self.leave(index, Duration::from_secs(40));
        }
        let began = self.facts.now;
        let mut said = String::new();
        for attempt in 0..ATTEMPTS {
            if self.failure.is_some() {
                return;
            }
            match self.clean_exchange(FIRST_CLEAN + attempt) {
                Ok(()) => {
                    let took = self.facts.now - began;
                    self.note(|| format!("= a clean exchange after {took:?}"));
                    self.sees(&Observation::Recovered(Ok(())));
                    return;
                }
                Err(why) => said = why,
            }
            if self.facts.script.world.pin && self.is_locked() {
                // The driver never enters a PIN twice unless it is known to be right. A person has to enter it.
                return;
            }
            // If no line shows the bad state of a module, the driver can't detect it (the supervisor restarts the
            // module).
            if attempt == ATTEMPTS / 2 {
                self.control(Control::Reset);
            }
        }
        self.sees(&Observation::Recovered(Err(&said)));
    }

    fn is_locked(&self) -> bool {
        matches!(self.engine.not_ready(), Some(NotReady::PinRefused | NotReady::PinRequired))
    }

    fn clean_exchange(&mut self, number: u16) -> Result<(), String> {
        let timeout = Duration::from_secs(180);
        let ready = self.ask(RequestKind::Other, timeout, Request::WaitReady { timeout });
        self.run_until(TIMEOUT, |rig| !rig.is_waiting(ready));
        let timeout = Duration::from_secs(120);
        let (wanted, far) = (Wanted::Tcp, Far::Echo);
        self.act(&Act::Connect { connection: number, wanted, far, style: Style::Records, timeout });
        let Some(index) = self.facts.numbered(number) else { return Err("no connection".to_owned()) };
        let connected = |rig: &Self| rig.facts.connections[index].id.is_some();
        let over = |rig: &Self| connected(rig) || rig.facts.connections[index].failed;
        self.run_until(TIMEOUT, over);
        if !connected(self) {
            return Err(format!("no connection: {:?}", self.engine.not_ready()));
        }
        let len = 3_000;
        self.act(&Act::Send { connection: number, len, timeout });
        let back = |connection: &Connection| {
            let is_answered = connection.sends[0].outcome != Outcome::Open;
            (connection.read.len() == len && is_answered) || connection.ended.is_some()
        };
        self.run_until(TIMEOUT, |rig| back(&rig.facts.connections[index]));
        let connection = &self.facts.connections[index];
        let is_good = connection.read.len() == len
            && connection.sends[0].outcome == Outcome::Accepted(len)
            && connection.outgoing().agrees(0, &connection.read).is_ok();
        let said = format!("{} of {len} bytes came back, {:?}", connection.read.len(), connection.ended);
        self.leave(index, Duration::from_secs(40));
        self.run_until(TIMEOUT, |rig| rig.facts.waiting.is_empty());
        if is_good { Ok(()) } else { Err(said) }
    }

    /// Ends the engine's port, so that every waiting request is answered.
    fn close(&mut self) {
        if self.failure.is_some() {
            return;
        }
        let timeout = Duration::MAX;
        let (host, port) = self.serve(FIRST_CLEAN - 1, Far::Silent, b"");
        if let Ok(host) = Quotable::host(host) {
            let protocol = air724ug::at::Protocol::Tcp;
            self.ask(RequestKind::Other, timeout, Request::Connect { protocol, host, port, timeout });
        }
        self.ask(RequestKind::Other, timeout, Request::WaitReady { timeout });
        self.control(Control::fault(fault::LostAnswer { command: 1 }));
        self.ask(RequestKind::Other, timeout, Request::query(&Signal));
        self.lose_port("closed");
    }
}
