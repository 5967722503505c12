//! The execution of the steps of a script.

use std::time::Duration;

use air724ug::at::{Command, Quotable};
use air724ug::proto::{Request, SocketId};
use air724ug::query::{Query, Signal};
use air724ug::sim::{Control, Direction, Fault, fault};

use super::facts::{Connection, Outcome, RequestKind, Send};
use super::rig::{Rig, protocol};
use super::script::{Act, Far, Script, Wanted};

/// The most bytes of a datagram.
const DATAGRAM: usize = 1_460;

impl Rig {
    /// Plays a script.
    pub fn play(&mut self, script: &Script) {
        for step in &script.steps {
            if self.failure.is_some() {
                return;
            }
            self.run_for(step.after);
            self.connect_again();
            self.act(&step.act);
        }
    }

    /// Executes one step.
    pub fn act(&mut self, act: &Act) {
        match *act {
            Act::Wait => {}
            Act::Connect { .. } => self.connect(act),
            Act::Send { connection, len, timeout } => self.send(connection, len, Some(timeout)),
            Act::Queue { connection, len } => self.send(connection, len, None),
            Act::AppSends { app, len, timeout } => {
                if let Some(connection) = self.connection_of_app(app) {
                    self.send(connection, len, Some(timeout));
                }
            }
            Act::Read { connection, most } => {
                if let Some(index) = self.facts.numbered(connection) {
                    self.read(index, most);
                    self.exchange();
                }
            }
            Act::Close { connection, timeout } => {
                if let Some(index) = self.facts.numbered(connection) {
                    self.leave(index, timeout);
                }
            }
            Act::Forget { connection } => {
                if let Some((index, socket)) = self.in_use(connection) {
                    self.facts.connections[index].left = true;
                    self.ask(RequestKind::Other, Duration::ZERO, Request::Forget { socket });
                }
            }
            Act::Flush { connection, timeout } => {
                self.about(connection, timeout, |socket| Request::Flush { socket, timeout });
            }
            Act::Drain { connection, timeout } => {
                self.about(connection, timeout, |socket| Request::Drain { socket, timeout });
            }
            Act::Unacknowledged { connection, timeout } => {
                self.about(connection, timeout, |socket| Request::Unacknowledged { socket, timeout });
            }
            Act::Escape { connection, timeout } => {
                self.about(connection, timeout, |socket| Request::Escape { socket, timeout });
            }
            Act::Resume { connection, timeout } => {
                self.about(connection, timeout, |socket| Request::Resume { socket, timeout });
            }
            Act::Command { text, timeout } => {
                if let Ok(command) = Command::of_user(text, timeout) {
                    self.ask(RequestKind::Command, timeout, Request::Run(command));
                }
            }
            Act::Signal => {
                let timeout = Signal.command().timeout();
                self.ask(RequestKind::Other, timeout, Request::query(&Signal));
            }
            Act::WaitReady { timeout } => {
                self.ask(RequestKind::Other, timeout, Request::WaitReady { timeout });
            }
            Act::ResetBearer => {
                self.facts.faults += 1;
                self.ask(RequestKind::Other, Duration::ZERO, Request::ResetBearer);
            }
            Act::Eager(eager) => {
                self.eager = eager;
                self.exchange();
            }
            Act::PortStands(stands) => {
                self.port_stands = stands;
                self.exchange();
            }
            _ => self.world(act),
        }
    }

    /// Executes a step of the peers, the modem, the line or the port.
    fn world(&mut self, act: &Act) {
        match act {
            Act::Push { connection, len } => self.push(*connection, *len),
            Act::PeerCloses { connection } => self.peer_leaves(*connection, false),
            Act::PeerResets { connection } => self.peer_leaves(*connection, true),
            Act::PeerReads { connection, reads } => {
                let Some(index) = self.facts.numbered(*connection) else { return };
                for link in self.facts.connections[index].links.clone() {
                    self.modem.network_mut().set_reading(link, *reads);
                }
                self.look_at_network();
            }
            // An unsolicited line is not a fault.
            Act::Control(Control::Urc(line)) => self.control(Control::Urc(line.clone())),
            Act::Control(control) => {
                self.facts.faults += 1;
                // A restart may interrupt everything.
                self.facts.may_cut_bodies |=
                    matches!(control, Control::Reset | Control::UsbRestart(_) | Control::Replace(_));
                if !matches!(control, Control::NetworkUp | Control::SimInsert | Control::Replug(_)) {
                    self.facts.resets_begin();
                }
                self.facts.may_lose_lines = true;
                match control {
                    Control::SimRemove => self.facts.card_is_out = true,
                    Control::SimInsert => self.facts.card_is_out = false,
                    Control::Replace(imei) => self.facts.imei.clone_from(imei),
                    Control::NetworkDown => self.facts.network_is_down = true,
                    Control::NetworkUp => self.facts.network_is_down = false,
                    _ => {}
                }
                self.control(control.clone());
            }
            Act::Fault(fault) => self.fault(fault),
            Act::Damage(damage) => self.damage(*damage),
            Act::PortLost => {
                self.facts.faults += 1;
                self.lose_port("pulled out");
            }
            Act::PortBack => self.bring_port_back(),
            _ => {}
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.facts.faults += 1;
        let facts = &mut self.facts;
        facts.may_cut_bodies |= matches!(
            fault,
            Fault::ShortBody(_)
                | Fault::CutBody(_)
                | Fault::Garbage(_)
                | Fault::Urc(_)
                | Fault::Reboot(_)
                | Fault::BrownOut(_)
                | Fault::UsbRestart(_)
        );
        if matches!(fault, Fault::ShortBody(_) | Fault::CutBody(_)) {
            facts.host_bytes.may_be_damaged();
        }
        facts.may_mislead |= matches!(
            fault,
            Fault::DetachedAnswer { .. }
                | Fault::StallLine(fault::StallLine { direction: Direction::ToHost, .. })
                | Fault::DelayPiece(fault::DelayPiece { direction: Direction::ToHost, .. })
        );
        facts.may_delay_commands |= matches!(
            fault,
            Fault::StallLine(fault::StallLine { direction: Direction::FromHost, .. })
                | Fault::DelayPiece(fault::DelayPiece { direction: Direction::FromHost, .. })
        );
        facts.may_delay_answers |= matches!(fault, Fault::LateAnswer(_));
        facts.may_lose_lines = true;
        facts.may_lose_news |= matches!(fault, Fault::LostUrc(_));
        let is_deaf = matches!(fault, Fault::Deaf(_));
        facts.may_be_deaf |= is_deaf;
        facts.may_lose_results |= !is_deaf;
        if matches!(fault, Fault::StaleConnected(_)) {
            facts.unended().for_each(|connection| connection.may_be_dead = true);
        }
        if matches!(
            fault,
            Fault::CloseMidSend(_)
                | Fault::UsbRestart(_)
                | Fault::PdpLost(_)
                | Fault::NetworkLost(_)
                | Fault::StaleConnected(_)
        ) {
            facts.resets_begin();
            facts.may_still_close = true;
        }
        self.control(Control::Fault(fault.clone()));
    }

    fn connect(&mut self, act: &Act) {
        let Act::Connect { connection: number, wanted, far, style, timeout } = *act else { return };
        if self.facts.numbered(number).is_some() {
            return;
        }
        let (host, port) = self.serve(number, far, b"");
        let Ok(host) = Quotable::host(host) else { return };
        let index = self.facts.connections.len();
        let may_be_reset = self.facts.may_still_close;
        let connection = Connection { may_be_reset, ..Connection::new(number, wanted, far, style) };
        self.facts.connections.push(connection);
        let request = match wanted {
            Wanted::Transparent => Request::Transparent { host, port, timeout },
            Wanted::Tcp | Wanted::Udp => Request::Connect { protocol: protocol(wanted), host, port, timeout },
        };
        self.ask(RequestKind::Connect { connection: index }, timeout, request);
    }

    fn in_use(&self, number: u16) -> Option<(usize, SocketId)> {
        let index = self.facts.numbered(number)?;
        let connection = &self.facts.connections[index];
        Some((index, connection.id.filter(|_| !connection.left)?))
    }

    fn about(&mut self, number: u16, timeout: Duration, request: impl FnOnce(SocketId) -> Request) {
        if let Some((_, socket)) = self.in_use(number) {
            self.ask(RequestKind::Other, timeout, request(socket));
        }
    }

    fn send(&mut self, number: u16, len: usize, timeout: Option<Duration>) {
        let Some((connection, socket)) = self.in_use(number) else { return };
        let about = &mut self.facts.connections[connection];
        let len = if about.is_udp() { len.clamp(1, DATAGRAM) } else { len };
        let from = about.given();
        let data = about.outgoing().bytes(from, len);
        let send = about.sends.len();
        about.sends.push(Send { from, len, outcome: Outcome::Open });
        match timeout {
            Some(timeout) => {
                let request = Request::Send { socket, data, timeout };
                self.ask(RequestKind::Send { connection, send }, timeout, request);
            }
            None => {
                self.ask(
                    RequestKind::Queue { connection, send },
                    Duration::ZERO,
                    Request::Queue { socket, data },
                );
            }
        }
    }

    fn push(&mut self, number: u16, len: usize) {
        let Some(index) = self.facts.numbered(number) else { return };
        let connection = &mut self.facts.connections[index];
        let len = if connection.is_udp() { len.clamp(1, DATAGRAM) } else { len };
        let Some(link) = connection.links.last().copied().filter(|_| connection.far != Far::Echo) else {
            return;
        };
        // A datagram that comes before the application has its socket is lost, as with any host.
        if connection.is_udp() && connection.id.is_none() {
            return;
        }
        if connection.peer_left || !connection.is_up || len == 0 || !self.modem.network().is_open(link) {
            return;
        }
        if let Far::ClosesAfter(most) | Far::ResetsAfter(most) = connection.far
            && self.modem.network().received_count(link) >= most
        {
            return;
        }
        let data = connection.incoming().bytes(connection.pushed_bytes(), len);
        connection.pushed.push(len);
        self.note(|| format!("! the peer of connection {index} sends {len} bytes"));
        self.modem.network_mut().push(link, &data);
        self.look_at_network();
    }

    fn peer_leaves(&mut self, number: u16, resets: bool) {
        let Some(index) = self.facts.numbered(number) else { return };
        let connection = &mut self.facts.connections[index];
        connection.peer_left = true;
        connection.peer_reset |= resets;
        let network = self.modem.network();
        let had = connection.links.iter().map(|link| network.received_count(*link)).sum::<u64>();
        if connection.is_up {
            connection.echoed.get_or_insert(had as usize);
        }
        for link in connection.links.clone() {
            let network = self.modem.network_mut();
            if resets { network.reset_by_peer(link) } else { network.close_by_peer(link) }
        }
        self.note(|| format!("! the peer of connection {index} leaves, resets: {resets}"));
        self.look_at_network();
    }
}
