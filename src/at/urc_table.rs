//! The table of unsolicited result codes (URCs). [`Urc`], the reading of text of people and the end of transparent data
//! use it. A new line is a row here.

use super::body::{self, Body, MessageText};
use super::channel_id::ChannelId;
use super::fields::{Field, each_field, fields};
use super::internet::{DnsError, PingReply};
use super::line::{ChannelNews, Final, Line, bare_address};
use super::reply::{AccessTechnology, Domain, ListForm, SimState, registration_status};
use super::transport_error::{TcpError, UdpError};
use super::urc::Urc;

/// One unsolicited line.
pub(crate) struct UrcRow {
    form: LineForm,
    /// The effect of the line on open connections.
    effect: Effect,
    place: Place,
    /// The text that follows it.
    body: Option<Body>,
    /// A line of this kind.
    sample: &'static str,
}

/// The form by which a line is recognised, and its parser. The parser returns `None` if the line only looks like this
/// one.
enum LineForm {
    /// News of a channel, with its number or without.
    News(&'static str, fn(Option<ChannelId>, ChannelNews) -> Option<Urc>),
    /// `+KEY: list`.
    Key(&'static str, fn(&str, &[u8]) -> Option<Urc>),
    /// Words at the beginning of the line.
    Words(&'static str, fn(&str) -> Option<Urc>),
    /// Words of the boot ROM. They need no line end before them, and any bytes may follow.
    Noise(&'static str, fn(&str) -> Option<Urc>),
    /// A result code that may end transparent data. It is unsolicited there, and no URC between answers.
    Code(&'static str, Final),
}

/// The effect of a line on open connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    None,
    /// A connection has ended for this reason: the line's own, or all of them if the bearer is lost.
    Ends(Ending),
    /// The module has restarted.
    Restarts,
}

/// The end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// The peer has closed it.
    Peer,
    /// It was interrupted.
    Reset,
    /// The bearer was lost, and all connections with it.
    Bearer,
}

/// The places where a line can stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Between answers, and at the end of transparent data.
    Anywhere,
    /// Between answers only: it is about several connections, or a send.
    AmongAnswers,
}

impl UrcRow {
    const fn new(form: LineForm, sample: &'static str) -> Self {
        Self { form, effect: Effect::None, place: Place::Anywhere, body: None, sample }
    }

    const fn ends(self, reason: Ending) -> Self {
        Self { effect: Effect::Ends(reason), ..self }
    }

    const fn restarts(self) -> Self {
        Self { effect: Effect::Restarts, ..self }
    }

    /// Text of people follows.
    const fn brings(self, body: Body) -> Self {
        Self { body: Some(body), ..self }
    }

    const fn among_answers(self) -> Self {
        Self { place: Place::AmongAnswers, ..self }
    }
}

const fn news(
    name: &'static str,
    read: fn(Option<ChannelId>, ChannelNews) -> Option<Urc>,
    sample: &'static str,
) -> UrcRow {
    UrcRow::new(LineForm::News(name, read), sample)
}

const fn key(name: &'static str, read: fn(&str, &[u8]) -> Option<Urc>, sample: &'static str) -> UrcRow {
    UrcRow::new(LineForm::Key(name, read), sample)
}

const fn words(name: &'static str, read: fn(&str) -> Option<Urc>) -> UrcRow {
    UrcRow::new(LineForm::Words(name, read), name)
}

/// Protocol sections 3, 8 to 13; 3GPP TS 27.005 section 3.4, TS 27.007 sections 6.6, 6.11, 7.15.
pub(crate) const URC_TABLE: &[UrcRow] = &[
    // Connections.
    news("CONNECT OK", |channel, _| Some(Urc::ConnectOk(channel)), "0, CONNECT OK").among_answers(),
    news("CONNECT FAIL", |channel, _| Some(Urc::ConnectFail(channel)), "0, CONNECT FAIL").among_answers(),
    news("ALREADY CONNECT", |channel, _| Some(Urc::AlreadyConnect(channel)), "0, ALREADY CONNECT")
        .among_answers(),
    news("SEND OK", |channel, _| Some(Urc::SendOk(channel)), "0, SEND OK").among_answers(),
    news("SEND FAIL", |channel, _| Some(Urc::SendFail(channel)), "0, SEND FAIL").among_answers(),
    news("DATA ACCEPT", data_accept, "DATA ACCEPT:0,5").among_answers(),
    news("CLOSE OK", |channel, _| Some(Urc::CloseOk(channel)), "0, CLOSE OK").ends(Ending::Peer),
    news("CLOSED", |channel, _| Some(Urc::Closed(channel)), "0, CLOSED").ends(Ending::Peer),
    news("TCP ERROR", transport_error, "TCP ERROR:12").ends(Ending::Reset),
    news("UDP ERROR", transport_error, "UDP ERROR:8").ends(Ending::Reset),
    UrcRow::new(LineForm::Code("NO CARRIER", Final::NoCarrier), "NO CARRIER").ends(Ending::Reset),
    key("+CIPRXGET", |_, list| data_waiting(list), "+CIPRXGET: 1,0").among_answers(),
    words("RECV FROM:", note_words),
    words("+RECV FROM:", note_words),
    // The bearer.
    key("+PDP", deactivated, "+PDP: DEACT").ends(Ending::Bearer),
    words("+PDP DEACT", |words| (words == "+PDP DEACT").then_some(Urc::PdpDeactivated)).ends(Ending::Bearer),
    UrcRow::new(LineForm::Words("+SAPBR ", sapbr), "+SAPBR 1: DEACT").ends(Ending::Bearer),
    key("+SAPBR", deactivated, "+SAPBR: DEACT").ends(Ending::Bearer),
    key("+CGEV", |_, list| Some(Urc::Bearer(trimmed(list))), "+CGEV: NW PDN DEACT 1"),
    key("*CGEV", |_, list| Some(Urc::Bearer(trimmed(list))), "*CGEV: DEACT,5"),
    // The start of the module.
    words("RDY", |words| (words == "RDY").then_some(Urc::Ready)).restarts(),
    UrcRow::new(LineForm::Noise("^boot.rom", |_| Some(Urc::BootRom)), "^boot.rom'v'!").restarts(),
    key("+CPIN", |_, list| Some(Urc::Sim(SimState::parse(list))), "+CPIN: READY"),
    key("+CFUN", |key, list| Some(Urc::Started(with_key(key, list))), "+CFUN: 1"),
    words("SMS READY", started),
    words("SMS Ready", started),
    words("Call Ready", started),
    // Network and card.
    key("+SIMDET", note, "+SIMDET: 1"),
    key("^CARDMODE", card_mode, "^CARDMODE: 2"),
    key("^MODE", mode, "^MODE: 17,17"),
    words("+E_UTRAN Service", service),
    words("+GSM Service", service),
    words("+GPRS Service", service),
    words("+NO Service", service),
    key("+NITZ", network_time, "+NITZ: 24/07/23,08:35:01+32,0"),
    key("+CTZE", network_time, "+CTZE: +32,0,\"2024/07/23,08:35:01\""),
    key("+CTZV", note, "+CTZV: +32"),
    key("+CTZEU", note, "+CTZEU: +32,0"),
    key("+CREG", registration, "+CREG: 1"),
    key("+CGREG", registration, "+CGREG: 5"),
    key("+CEREG", registration, "+CEREG: 1"),
    key("+CSCON", note, "+CSCON: 0"),
    key("+CIEV", note, "+CIEV: service, 1"),
    key("+EEMLTESVC", note, "+EEMLTESVC: 1120, 2, 26"),
    key("+EEMLTEINTRA", note, "+EEMLTEINTRA: 0, 1"),
    key("+EEMLTEINTER", note, "+EEMLTEINTER: 0, 1"),
    // Services.
    key("+CDNSGIP", |_, list| resolved(&fields(list)), "+CDNSGIP: 1,\"a.test\",\"1.2.3.4\""),
    key("+CIPPING", |_, list| PingReply::parse(&fields(list)).map(Urc::Ping), "+CIPPING: 1,\"1.2.3.4\",9,64"),
    key("+UPGRADEIND", note, "+UPGRADEIND: -1003"),
    key("+QIND", note, "+QIND: \"FOTA\",\"END\",0"),
    key("+HTTPACTION", note, "+HTTPACTION: 0,200,5"),
    key("+MUID", note, "+MUID: 1"),
    // Calls and messages.
    words("RING", call),
    words("BUSY", call),
    words("NO ANSWER", call),
    words("NO DIALTONE", call),
    key("+CRING", note, "+CRING: VOICE"),
    key("+CLIP", note, "+CLIP: \"+123\",145"),
    key("+CCWA", note, "+CCWA: \"+123\",145,1"),
    key("+CMTI", note, "+CMTI: \"SM\",3"),
    key("+CBMI", note, "+CBMI: \"BM\",3"),
    key("+CDSI", note, "+CDSI: \"SR\",3"),
    key("+CMT", message, "+CMT: \"+123\",,\"24/07/23,08:35:01+32\"").brings(Body::Message { text_from: 3 }),
    key("+CBM", message, "+CBM: 1,2,3,4,5").brings(Body::Message { text_from: 3 }),
    key("+CDS", message, "+CDS: 25").brings(Body::Report),
    key("+CUSD", message, "+CUSD: 0,\"text\",15").brings(Body::Ussd),
    key("+MSUB", message, "+MSUB: \"topic\",5 byte,hello").brings(Body::Counted { field: 1 }),
];

/// True if the text begins like the name of a row, with or without the number of a channel, or like its sample.
pub(crate) fn begins_row(text: &[u8]) -> bool {
    let of_channel = match text {
        [b'0'..=b'9'] | [b'0'..=b'9', b','] | [b'0'..=b'9', b',', b' '] => return true,
        [b'0'..=b'9', b',', b' ', name @ ..] | [b'0'..=b'9', b',', name @ ..] => Some(name),
        _ => None,
    };
    URC_TABLE.iter().any(|row| match row.form {
        LineForm::News(name, _) => name.as_bytes().starts_with(of_channel.unwrap_or(text)),
        LineForm::Words(name, _) | LineForm::Code(name, _) => name.as_bytes().starts_with(text),
        LineForm::Key(..) | LineForm::Noise(..) => row.sample.as_bytes().starts_with(text),
    })
}

impl Urc {
    /// Reads a line that is no answer.
    pub fn parse(line: &[u8]) -> Self {
        read(line).unwrap_or_else(|| Self::Unknown(text(line.trim_ascii())))
    }
}

impl ChannelNews {
    /// True if the module is not connecting the channel any more.
    pub(crate) fn settles_connection(self) -> bool {
        matches!(self, Self::ConnectOk | Self::ConnectFail | Self::AlreadyConnect) || self.ends()
    }

    /// True if it ends an open connection.
    pub(crate) fn ends(self) -> bool {
        let is_own = |row: &&UrcRow| matches!(row.form, LineForm::News(name, _) if name == self.name());
        URC_TABLE.iter().find(is_own).is_some_and(|row| matches!(row.effect, Effect::Ends(_)))
    }
}

/// The text of people that follows a line, if the line is its header and does not contain all of it.
pub(crate) fn text_after(line: &[u8]) -> Option<MessageText> {
    let parsed = Line::parse(line);
    let Line::Info { key, list } = parsed else { return None };
    let body = URC_TABLE.iter().filter(|row| row.has_name_of(&parsed)).find_map(|row| row.body);
    MessageText::after(key, list, body.or_else(|| body::of_answer(key))?)
}

/// The result code of a line; `None` if the line is unknown.
fn read(line: &[u8]) -> Option<Urc> {
    let parsed = Line::parse(line);
    URC_TABLE.iter().filter(|row| row.has_name_of(&parsed)).find_map(|row| row.read(&parsed))
}

/// The effect of a line at the end of transparent data; `None` if the line can't occur there.
pub(crate) fn amid_data(line: &[u8]) -> Option<Effect> {
    let parsed = Line::parse(line);
    let mut rows =
        URC_TABLE.iter().filter(|row| row.place == Place::Anywhere).filter(|row| row.has_name_of(&parsed));
    rows.find(|row| matches!(row.form, LineForm::Code(..)) || row.read(&parsed).is_some())
        .map(|row| row.effect)
}

/// The effect of an unsolicited line between answers.
#[cfg(test)]
fn effect(line: &[u8]) -> Effect {
    let parsed = Line::parse(line);
    let mut rows = URC_TABLE.iter().filter(|row| row.has_name_of(&parsed));
    rows.find(|row| row.read(&parsed).is_some()).map_or(Effect::None, |row| row.effect)
}

/// True if the bytes may be the beginning of a line at the end of transparent data.
pub(crate) fn may_begin_amid_data(line: &[u8]) -> bool {
    let rows = || URC_TABLE.iter().filter(|row| row.place == Place::Anywhere);
    // Some firmware prints the number of a channel there, too (section 12).
    match line {
        [b'0'..=b'9'] | [b'0'..=b'9', b','] | [b'0'..=b'9', b',', b' '] => true,
        [b'0'..=b'9', b',', b' ', rest @ ..] | [b'0'..=b'9', b',', rest @ ..] => {
            rows().any(|row| matches!(row.form, LineForm::News(name, _) if fits(rest, name)))
        }
        line => rows().any(|row| fits(line, row.form.name())),
    }
}

/// True if a line begins like the words of the boot ROM, which have no line end before them.
pub(crate) fn is_noise(line: &[u8]) -> bool {
    URC_TABLE.iter().any(|row| matches!(row.form, LineForm::Noise(name, _) if fits(line, name)))
}

/// True if one is the beginning of the other.
pub(crate) fn fits(line: &[u8], word: &str) -> bool {
    let len = line.len().min(word.len());
    line[..len] == word.as_bytes()[..len]
}

impl UrcRow {
    fn has_name_of(&self, line: &Line<'_>) -> bool {
        match (&self.form, line) {
            (LineForm::News(name, _), Line::Channel { news, .. }) => news.name() == *name,
            (LineForm::Key(name, _), Line::Info { key, .. }) => *key == name.as_bytes(),
            (LineForm::Words(name, _) | LineForm::Noise(name, _), Line::Text(text)) => {
                text.starts_with(name.as_bytes())
            }
            (LineForm::Code(_, code), Line::Final(found)) => found == code,
            (
                LineForm::News(..)
                | LineForm::Key(..)
                | LineForm::Words(..)
                | LineForm::Noise(..)
                | LineForm::Code(..),
                Line::Final(_)
                | Line::ShutOk
                | Line::Channel { .. }
                | Line::State(_)
                | Line::Row(_)
                | Line::Info { .. }
                | Line::Text(_),
            ) => false,
        }
    }

    fn read(&self, line: &Line<'_>) -> Option<Urc> {
        match (&self.form, line) {
            (LineForm::News(_, read), Line::Channel { channel, news }) => read(*channel, *news),
            (LineForm::Key(name, read), Line::Info { list, .. }) => read(name, list),
            (LineForm::Words(_, read), Line::Text(text)) => read(std::str::from_utf8(text).ok()?),
            (LineForm::Noise(_, read), Line::Text(text)) => read(&String::from_utf8_lossy(text)),
            (_, _) => None,
        }
    }
}

impl LineForm {
    fn name(&self) -> &'static str {
        match self {
            Self::News(name, _)
            | Self::Key(name, _)
            | Self::Words(name, _)
            | Self::Noise(name, _)
            | Self::Code(name, _) => name,
        }
    }
}

fn data_accept(channel: Option<ChannelId>, news: ChannelNews) -> Option<Urc> {
    match news {
        ChannelNews::DataAccept(len) => Some(Urc::DataAccept { channel, len }),
        _ => None,
    }
}

fn transport_error(channel: Option<ChannelId>, news: ChannelNews) -> Option<Urc> {
    match news {
        ChannelNews::TcpError(code) => Some(Urc::TcpError(channel, code.map(TcpError::new))),
        ChannelNews::UdpError(code) => Some(Urc::UdpError(channel, code.map(UdpError::new))),
        _ => None,
    }
}

fn deactivated(_: &str, list: &[u8]) -> Option<Urc> {
    (list.trim_ascii() == b"DEACT").then_some(Urc::PdpDeactivated)
}

fn sapbr(words: &str) -> Option<Urc> {
    words.ends_with("DEACT").then_some(Urc::PdpDeactivated)
}

fn started(words: &str) -> Option<Urc> {
    matches!(words, "SMS READY" | "SMS Ready" | "Call Ready").then(|| Urc::Started(words.to_owned()))
}

/// Results of a call, and its beginning (V.250 section 5.7.1). `NO CARRIER` is a result code everywhere.
fn call(words: &str) -> Option<Urc> {
    matches!(words, "RING" | "BUSY" | "NO ANSWER" | "NO DIALTONE").then(|| Urc::Note(words.to_owned()))
}

fn card_mode(_: &str, list: &[u8]) -> Option<Urc> {
    fields(list).first()?.number().map(Urc::CardMode)
}

fn mode(_: &str, list: &[u8]) -> Option<Urc> {
    match fields(list).as_slice() {
        [circuit, packet, ..] => Some(Urc::Mode(circuit.number()?, packet.number()?)),
        _ => None,
    }
}

fn service(words: &str) -> Option<Urc> {
    let access = match words {
        "+E_UTRAN Service" => AccessTechnology::Lte,
        "+GSM Service" => AccessTechnology::Gsm,
        "+GPRS Service" => AccessTechnology::Gprs,
        "+NO Service" => AccessTechnology::None,
        _ => return None,
    };
    Some(Urc::Service(access))
}

fn network_time(_: &str, list: &[u8]) -> Option<Urc> {
    Some(Urc::NetworkTime(trimmed(list)))
}

fn registration(key: &str, list: &[u8]) -> Option<Urc> {
    let status = registration_status(&fields(list), ListForm::Unsolicited)?;
    Some(Urc::Registration(Domain::of_key(key)?, status))
}

/// `+CIPRXGET: 1,<n>` and `+CIPRXGET: 1`. The vendor's `+CIPRXGET:<n>` can't be distinguished from the single
/// connection's `+CIPRXGET: 1`, so a single field counts as a channel, and the engine asks.
fn data_waiting(list: &[u8]) -> Option<Urc> {
    let mut fields = each_field(list);
    let channel = match (fields.next()?, fields.next(), fields.next()) {
        (only, None, _) => only,
        (mode, Some(channel), None) if mode.number() == Some(1) => channel,
        (_, Some(_), _) => return None,
    };
    ChannelId::new(channel.number()?).map(|channel| Urc::DataWaiting(Some(channel)))
}

fn resolved(fields: &[Field<'_>]) -> Option<Urc> {
    match fields {
        [failed, code] if failed.number() == Some(0) => {
            Some(Urc::ResolveFailed(DnsError::new(code.number()?)))
        }
        [_, host, addresses @ ..] => {
            let addresses = addresses.iter().filter_map(|field| bare_address(field.bytes())).collect();
            Some(Urc::Resolved { host: host.text(), addresses })
        }
        _ => None,
    }
}

/// A line that needs no action.
fn note(key: &str, list: &[u8]) -> Option<Urc> {
    Some(Urc::Note(with_key(key, list)))
}

/// The sender of the data that follow, after `AT+CIPSRIP=1` (protocol section 11; the vendor adds a `+`).
fn note_words(words: &str) -> Option<Urc> {
    Some(Urc::Note(words.to_owned()))
}

/// The header of a message, without its body.
fn message(key: &str, list: &[u8]) -> Option<Urc> {
    Some(Urc::Message { header: with_key(key, list), text: String::new() })
}

fn with_key(key: &str, list: &[u8]) -> String {
    format!("{key}: {}", trimmed(list))
}

fn trimmed(list: &[u8]) -> String {
    text(list.trim_ascii())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_known_and_has_its_effect() {
        for row in URC_TABLE {
            let (line, code) = (row.sample.as_bytes(), matches!(row.form, LineForm::Code(..)));
            assert_eq!(Urc::parse(line).is_known(), !code, "{}", row.sample);
            let restarts = Urc::parse(line).is_restart();
            assert_eq!(restarts, row.effect == Effect::Restarts, "{}", row.sample);
            if !code {
                assert_eq!(effect(line), row.effect, "{}", row.sample);
            }
        }
    }

    #[test]
    fn every_line_that_can_stand_among_data_is_found_there_from_its_first_byte_on() {
        for row in URC_TABLE {
            let amid = (row.place == Place::Anywhere).then_some(row.effect);
            assert_eq!(amid_data(row.sample.as_bytes()), amid, "{}", row.sample);
            for len in (1..=row.sample.len()).filter(|_| amid.is_some()) {
                assert!(may_begin_amid_data(&row.sample.as_bytes()[..len]), "{}", &row.sample[..len]);
            }
        }
    }

    #[test]
    fn a_line_that_only_begins_like_one_of_the_table_is_not_known() {
        for line in ["RDYX", "+PDP: UP", "SMS READY?", "+SAPBR 1: UP", "CLOSED BY ME", "+E_UTRAN Services"] {
            assert_eq!((read(line.as_bytes()), amid_data(line.as_bytes())), (None, None), "{line}");
        }
    }

    #[test]
    fn the_sender_of_data_is_known_in_every_spelling() {
        for line in ["RECV FROM:1.2.3.4:80", "RECV FROM: 1.2.3.4:80", "+RECV FROM:1.2.3.4:80"] {
            assert_eq!(Urc::parse(line.as_bytes()), Urc::Note(line.to_owned()));
        }
        assert!(!Urc::parse(b"RECV FROM").is_known());
    }
}
