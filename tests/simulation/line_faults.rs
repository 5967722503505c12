//! The effects of a damaged line in a run, and those that no driver can detect.

use air724ug::sim::{Direction, LineState};

use super::facts::Hurt;
use super::line::{Damage, Harm, Part, Place, harmed};
use super::rig::{FIRST_PORT, Rig, shown};

impl Rig {
    /// Damages bytes of the modem on their way to the host.
    pub(super) fn on_way_to_host(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let online = self.damages.iter().any(|damage| damage.way == Direction::ToHost)
            && self.modem.state().line == LineState::Online;
        let mut parts =
            if online { vec![Part::Body { channel: 0 }; bytes.len()] } else { self.grammar.parts(&bytes) };
        if self.losing > 0 {
            let count = self.losing.min(bytes.len());
            self.losing -= count;
            bytes.drain(..count);
            parts.drain(..count);
        }
        let is_answer = parts.iter().all(|part| *part == Part::Text)
            && bytes.starts_with(b"\r\n")
            && bytes.ends_with(b"\r\n");
        while let Some(index) = self.damages.iter().position(|damage| damage.way == Direction::ToHost) {
            let damage = self.damages[index];
            if damage.is_of_answers() {
                if !is_answer || bytes.is_empty() {
                    return bytes;
                }
                if damage.skip > 0 {
                    self.damages[index].skip -= 1;
                    return bytes;
                }
                self.damages.remove(index);
                return self.harm_answer(damage, bytes);
            }
            let fits = |part: &Part| match damage.place {
                Place::Anywhere => true,
                Place::Body => matches!(part, Part::Body { .. }),
                Place::Header => matches!(part, Part::Header { .. }),
                Place::Text => matches!(part, Part::Text),
            };
            let places: Vec<usize> =
                (0..bytes.len().min(parts.len())).filter(|at| fits(&parts[*at])).collect();
            let Some(at) = places.get(damage.skip).copied() else {
                self.damages[index].skip -= places.len();
                return bytes;
            };
            self.damages.remove(index);
            self.struck += 1;
            self.facts.damaged.push(Direction::ToHost);
            self.hurt_by_host(damage, &parts, at, &bytes);
            self.note(|| format!("! {} at {at} ({:?})", damage.name(), parts[at]));
            self.losing += harmed(damage.harm, &mut bytes, at);
            parts.resize(bytes.len(), Part::Text);
        }
        bytes
    }

    /// Notes the undetectable effects of a damage to bytes of the modem.
    fn hurt_by_host(&mut self, damage: Damage, parts: &[Part], at: usize, bytes: &[u8]) {
        let online = self.modem.state().line == LineState::Online;
        let stays_in_body = match (parts[at], damage.harm) {
            (Part::Body { .. }, Harm::Flip(_) | Harm::Replace(_)) => true,
            (Part::Body { .. }, Harm::Swap) => parts.get(at + 1) == Some(&parts[at]),
            (Part::Body { .. } | Part::Header { .. } | Part::Text, _) => false,
        };
        self.facts.may_hurt_all |= !stays_in_body;
        match (parts[at], damage.harm) {
            (Part::Body { channel }, Harm::Flip(_) | Harm::Replace(_)) => {
                self.of_channel(channel, |hurt| hurt.changed += 1)
            }
            (Part::Body { channel }, Harm::Swap) if parts.get(at + 1) == Some(&parts[at]) => {
                self.of_channel(channel, |hurt| hurt.changed += 2);
            }
            // The line of a stream is payload, so damage can't be detected there.
            (Part::Body { channel }, _) if online => self.of_channel(channel, |hurt| hurt.received = true),
            (Part::Header { channel, names }, harm) => {
                let becomes = match harm {
                    Harm::Flip(bit) => bytes[at] ^ (1 << (bit % 8)),
                    Harm::Replace(byte) => byte,
                    _ => return,
                };
                if names && becomes.is_ascii_digit() {
                    self.of_channel(channel, |hurt| hurt.received = true);
                    self.of_channel(becomes - b'0', |hurt| hurt.received = true);
                }
            }
            _ => {}
        }
    }

    /// Marks every connection that may use a channel.
    fn of_channel(&mut self, channel: u8, mark: impl Fn(&mut Hurt)) {
        for connection in &mut self.facts.connections {
            if connection.id.is_none_or(|id| id.channel().index() == usize::from(channel)) {
                mark(&mut connection.hurt);
            }
        }
    }

    fn harm_answer(&mut self, damage: Damage, bytes: Vec<u8>) -> Vec<u8> {
        self.struck += 1;
        self.facts.may_mislead = true;
        self.note(|| format!("! {}: {}", damage.name(), shown(&bytes)));
        match damage.harm {
            Harm::LoseAnswer => Vec::new(),
            Harm::DoubleAnswer => {
                self.facts.may_double_answers = true;
                [bytes.as_slice(), &bytes].concat()
            }
            Harm::LateAnswer(by) => {
                self.facts.may_delay_answers = true;
                let at = self.facts.now + by;
                let place = self.late.iter().take_while(|(other, _)| *other <= at).count();
                self.late.insert(place, (at, bytes));
                Vec::new()
            }
            _ => bytes,
        }
    }

    /// Damages bytes of the host on their way to the modem.
    pub(super) fn on_way_to_modem(&mut self, mut bytes: Vec<u8>, is_payload: bool) -> Vec<u8> {
        let line = self.modem.state().line;
        let is_body = is_payload || matches!(line, LineState::Payload | LineState::Online);
        while let Some(index) = self.damages.iter().position(|damage| damage.way == Direction::FromHost) {
            let damage = self.damages[index];
            let fits = match damage.place {
                Place::Anywhere => true,
                Place::Body => is_body,
                Place::Header => bytes.starts_with(b"AT+CIPSEND="),
                Place::Text => !is_body,
            };
            if !fits || bytes.len() <= damage.skip {
                if fits {
                    self.damages[index].skip -= bytes.len();
                }
                return bytes;
            }
            self.damages.remove(index);
            self.struck += 1;
            self.facts.damaged.push(Direction::FromHost);
            self.facts.may_be_deaf = true;
            let at = damage.skip;
            self.note(|| format!("! {} at {at}", damage.name()));
            match (is_body, damage.harm) {
                (true, Harm::Lose(_)) if line != LineState::Online => {}
                (true, _) => {
                    let channel = if line == LineState::Online { Some(0) } else { self.sending_on };
                    self.of_channel(channel.unwrap_or(0), |hurt| hurt.sent = true);
                }
                // A connect with another port.
                (false, _) if bytes.starts_with(b"AT+CIPSTART=") => {
                    let port = std::str::from_utf8(&bytes).ok();
                    let port = port.and_then(|text| text.trim_end().rsplit(',').next()?.parse::<u16>().ok());
                    let number = port.and_then(|port| port.checked_sub(FIRST_PORT)).map(|past| past / 3);
                    if let Some(index) = number.and_then(|number| self.facts.numbered(number)) {
                        let hurt = &mut self.facts.connections[index].hurt;
                        (hurt.sent, hurt.received) = (true, true);
                    }
                }
                // A send command with another channel.
                (false, _) if bytes.starts_with(b"AT+CIPSEND=") && (11..=12).contains(&at) => {
                    for connection in &mut self.facts.connections {
                        connection.hurt.sent = true;
                    }
                }
                // A send command with another end: its end becomes payload, or payload becomes its end.
                (false, Harm::Double | Harm::Insert(_) | Harm::Replace(_) | Harm::Swap)
                    if bytes.starts_with(b"AT+CIPSEND=") =>
                {
                    self.of_channel(self.sending_on.unwrap_or(0), |hurt| hurt.sent = true);
                }
                (false, Harm::Flip(_)) if bytes.starts_with(b"AT+CIPSEND=") && at + 2 >= bytes.len() => {
                    self.of_channel(self.sending_on.unwrap_or(0), |hurt| hurt.sent = true);
                }
                (false, _) => {}
            }
            if bytes.starts_with(b"AT+CIPSEND=") && at > 12 {
                self.of_channel(self.sending_on.unwrap_or(0), |hurt| hurt.length = true);
            }
            let _ = harmed(damage.harm, &mut bytes, at);
        }
        bytes
    }
}
