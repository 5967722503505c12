//! The settings that the application chooses before the port is opened.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::at::{MAX_APN, MAX_CREDENTIAL, Quotable};
use crate::error::{Error, Result};

/// The settings with which a modem is opened and used. Every setting has a default that fits a module fresh from the factory.
///
/// ```
/// use air724ug::{Config, ReceiveMode};
///
/// let config = Config::default().baud_rate(921_600).apn("cmiot").receive_mode(ReceiveMode::Manual);
/// assert_eq!(config.validate().is_ok(), true);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Line rate of the port, in baud. Default 115200, 8N1. The module trains itself to it (autobaud) or must have been
    /// set to it before.
    pub baud_rate: u32,
    /// Whether bring-up also fixes the module at [`baud_rate`](Self::baud_rate) with `AT+IPR`. Default false: the
    /// module's own setting, usually autobaud, stays.
    pub fix_baud_rate: bool,
    /// Flow control, on the port and on the module (`AT+IFC`). Default none.
    pub flow_control: FlowControl,
    /// Access point name. Default none: the network gives its own.
    pub apn: Option<String>,
    /// User name at the access point. Default none.
    pub apn_user: Option<String>,
    /// Password at the access point. Default none. Never logged.
    pub apn_password: Option<String>,
    /// PIN of the SIM. Default none. Tried once, never twice, because the third wrong one locks the card: a PIN that did
    /// not open the card is not given again to a modem that is opened with this configuration or a clone of it. Never
    /// logged.
    pub pin: Option<String>,
    /// Whether a radio that is found switched off (`AT+CFUN` 0 or 4) is switched on. Default true: an application
    /// that opens a modem wants a connection, and a program that dies in the official flow's pause between `AT+CFUN=0` and `AT+CFUN=1`
    /// leaves it off. With false, [`NotReady::RadioOff`](crate::NotReady::RadioOff) says so. What the application
    /// switches off ([`flight_mode`](crate::Modem::flight_mode)) stays off either way, and a radio that is
    /// switched off later by other means is only reported.
    pub switch_radio_on: bool,
    /// How received data reach the host. Default [`ReceiveMode::Push`].
    pub receive_mode: ReceiveMode,
    /// How many received bytes each socket keeps until they are read. Default 4 MiB, at least two full frames. It is a limit: a
    /// socket takes memory for what is unread, and gives it back when that is read. The default lets a reader pause for 3 s on
    /// a USB port at 10 Mbit/s, where nothing holds back what the module pushes. One that may pause for longer needs more, or
    /// [`ReceiveMode::Manual`], in which a full window holds the peer back.
    pub receive_window: usize,
    /// How many [queued](crate::Socket::queue) bytes each socket keeps that the module does not have yet.
    /// Default 256 KiB.
    pub send_queue: usize,
    /// Whether the module is asked to report the sender of each datagram (`AT+CIPSRIP=1`), for
    /// [`Socket::recv_from`](crate::Socket::recv_from). Default false. The manual knows it in single-connection mode only;
    /// firmware that refuses it is used without.
    pub report_senders: bool,
    /// Whether each [`Event::Urc`](crate::Event::Urc) is told as written, too, by an [`Event::Line`](crate::Event::Line) before it. Default
    /// false.
    pub urc_lines: bool,
    /// In manual mode, how often a silent channel is asked whether data wait, because the module announces them only
    /// once and the line may lose that. Default 5 s, at least 100 ms.
    pub receive_poll: Duration,
    /// Whether a port that is lost is opened again when it is back. Default true. A pair of halves
    /// ([`Modem::start`](crate::Modem::start)) can't be opened again, and of a pseudo-terminal only a link to it: the number in
    /// `/dev/pts/3` is given to the next program that asks for one. With these, and with false, a lost port is the end of the
    /// modem.
    pub reopen: bool,
    /// Where every byte both ways and every request is recorded, secrets masked. A file that is there already is
    /// set aside: it gets the first free number, `NAME.1`. Default none.
    ///
    /// A thread of its own writes it, so that a slow file holds up nothing; up to 4 MiB may wait for it. A capture that can't
    /// be written, or that falls behind further, ends. That is logged, and told by
    /// [`Event::CaptureEnded`](crate::Event::CaptureEnded), by [`Modem::flush_capture`](crate::Modem::flush_capture) and by the
    /// last note of the file, if the file takes one. The session goes on. A pipe that nothing reads from can't be opened.
    pub capture: Option<PathBuf>,
    /// The size in bytes beyond which a capture goes on in a new file; the full one gets the first free number, `NAME.1`. Payload, and a
    /// command with its answer, is not divided unless the file would get longer than that by 64 KiB. Default none: one file, however long.
    pub capture_limit: Option<u64>,
    /// Whether a session is recorded behind the one that [`capture`](Self::capture) has already, with times that go on from its last.
    /// A file that is no capture, or whose last line is not whole, is set aside all the same. Default false.
    pub capture_append: bool,
    /// What the modem is called in the log. Default: what [`Modem::open`](crate::Modem::open) was given, else `modem`.
    pub name: Option<String>,
    spent_pin: SpentPin,
}

/// Flow control between host and module.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub enum FlowControl {
    /// None: the module drops what the host does not take in time.
    #[default]
    None,
    /// RTS/CTS, which the vendor recommends. XON/XOFF is not available on the chip (protocol section 1).
    RtsCts,
}

/// The way in which received data reach the host.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ReceiveMode {
    /// The module pushes them (`+RECEIVE`). Fastest; a socket whose window is full fails, alone.
    #[default]
    Push,
    /// The host fetches them (`AT+CIPRXGET`), only while the window has room, so the peer is slowed down. But what the
    /// module still holds when the peer closes is destroyed by some firmware.
    Manual,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            baud_rate: 115_200,
            fix_baud_rate: false,
            flow_control: FlowControl::default(),
            apn: None,
            apn_user: None,
            apn_password: None,
            pin: None,
            switch_radio_on: true,
            receive_mode: ReceiveMode::default(),
            receive_window: 4 * 1024 * 1024,
            send_queue: 256 * 1024,
            report_senders: false,
            urc_lines: false,
            receive_poll: Duration::from_secs(5),
            reopen: true,
            capture: None,
            capture_limit: None,
            capture_append: false,
            name: None,
            spent_pin: SpentPin::default(),
        }
    }
}

/// The shortest poll: eight channels asked ten times a second are a third of what a line of 115200 baud carries.
const MIN_POLL: Duration = Duration::from_millis(100);
/// The smallest window: two full frames, so that one can be received while another is read.
const MIN_WINDOW: usize = 4 * 1024;

impl Config {
    /// Sets the [line rate](Self::baud_rate).
    #[must_use]
    pub fn baud_rate(self, baud_rate: u32) -> Self {
        Self { baud_rate, ..self }
    }

    /// Sets whether the module is [fixed at the line rate](Self::fix_baud_rate).
    #[must_use]
    pub fn fix_baud_rate(self, fix_baud_rate: bool) -> Self {
        Self { fix_baud_rate, ..self }
    }

    /// Sets the [flow control](Self::flow_control).
    #[must_use]
    pub fn flow_control(self, flow_control: FlowControl) -> Self {
        Self { flow_control, ..self }
    }

    /// Sets the [access point name](Self::apn).
    #[must_use]
    pub fn apn(self, apn: impl Into<String>) -> Self {
        Self { apn: Some(apn.into()), ..self }
    }

    /// Sets user name and password at the access point.
    #[must_use]
    pub fn apn_credentials(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { apn_user: Some(user.into()), apn_password: Some(password.into()), ..self }
    }

    /// Sets the [PIN](Self::pin).
    #[must_use]
    pub fn pin(self, pin: impl Into<String>) -> Self {
        Self { pin: Some(pin.into()), ..self }
    }

    /// Sets whether a radio that is off is [switched on](Self::switch_radio_on).
    #[must_use]
    pub fn switch_radio_on(self, switch_radio_on: bool) -> Self {
        Self { switch_radio_on, ..self }
    }

    /// Sets the [receive mode](Self::receive_mode).
    #[must_use]
    pub fn receive_mode(self, receive_mode: ReceiveMode) -> Self {
        Self { receive_mode, ..self }
    }

    /// Sets the [receive window](Self::receive_window), in bytes a socket.
    #[must_use]
    pub fn receive_window(self, receive_window: usize) -> Self {
        Self { receive_window, ..self }
    }

    /// Sets the [limit of queued data](Self::send_queue), in bytes a socket.
    #[must_use]
    pub fn send_queue(self, send_queue: usize) -> Self {
        Self { send_queue, ..self }
    }

    /// Sets whether the module [reports senders](Self::report_senders).
    #[must_use]
    pub fn report_senders(self, report_senders: bool) -> Self {
        Self { report_senders, ..self }
    }

    /// Sets whether unasked lines are [told as written, too](Self::urc_lines).
    #[must_use]
    pub fn urc_lines(self, urc_lines: bool) -> Self {
        Self { urc_lines, ..self }
    }

    /// Sets the [poll interval of manual mode](Self::receive_poll).
    #[must_use]
    pub fn receive_poll(self, receive_poll: Duration) -> Self {
        Self { receive_poll, ..self }
    }

    /// Sets whether a lost port is [opened again](Self::reopen).
    #[must_use]
    pub fn reopen(self, reopen: bool) -> Self {
        Self { reopen, ..self }
    }

    /// Sets the [file that the session is recorded in](Self::capture).
    #[must_use]
    pub fn capture(self, path: impl Into<PathBuf>) -> Self {
        Self { capture: Some(path.into()), ..self }
    }

    /// Sets the [size beyond which a capture goes on in a new file](Self::capture_limit).
    #[must_use]
    pub fn capture_limit(self, bytes: u64) -> Self {
        Self { capture_limit: Some(bytes), ..self }
    }

    /// Sets whether a session is recorded [behind an earlier one](Self::capture_append).
    #[must_use]
    pub fn capture_append(self, append: bool) -> Self {
        Self { capture_append: append, ..self }
    }

    /// Sets what the modem is called in the [log](Self::name).
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Checks everything that would end up in a command, before a byte is written.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] names the setting.
    pub fn validate(&self) -> Result<Credentials> {
        if self.baud_rate == 0 {
            return Err(Error::invalid("baud rate", "is zero"));
        }
        if self.receive_window < MIN_WINDOW {
            return Err(Error::invalid("receive window", format_args!("is smaller than {MIN_WINDOW} bytes")));
        }
        if self.receive_poll < MIN_POLL {
            return Err(Error::invalid("receive poll", format_args!("is shorter than {MIN_POLL:?}")));
        }
        if self.apn.is_none() && (self.apn_user.is_some() || self.apn_password.is_some()) {
            return Err(Error::invalid("APN", "is missing, but a user or password is given"));
        }
        let pin = quotable("PIN", self.pin.as_ref(), 8)?;
        if pin
            .as_ref()
            .is_some_and(|pin| pin.as_str().len() < 4 || !pin.as_str().bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(Error::invalid("PIN", "is not four to eight digits"));
        }
        Ok(Credentials {
            apn: quotable("APN", self.apn.as_ref(), MAX_APN)?,
            user: quotable("APN user", self.apn_user.as_ref(), MAX_CREDENTIAL)?,
            password: quotable("APN password", self.apn_password.as_ref(), MAX_CREDENTIAL)?,
            pin,
            spent_pin: self.spent_pin.clone(),
        })
    }
}

fn quotable(what: &'static str, text: Option<&String>, max: usize) -> Result<Option<Quotable>> {
    text.map(|text| Quotable::new(text, max).map_err(|why| Error::invalid_text(what, why))).transpose()
}

/// The texts of a [`Config`], checked.
#[derive(Clone, Default)]
pub struct Credentials {
    pub(crate) apn: Option<Quotable>,
    pub(crate) user: Option<Quotable>,
    pub(crate) password: Option<Quotable>,
    pub(crate) pin: Option<Quotable>,
    spent_pin: SpentPin,
}

/// The PIN that was given to a card which has not opened since, shared by the clones of a configuration: a program that
/// opens its modem again and again must not lock the card. 0: none.
#[derive(Clone, Default)]
struct SpentPin(Arc<AtomicU64>);

impl Credentials {
    /// Whether the PIN was given before and is not known to be right.
    pub(crate) fn is_pin_spent(&self) -> bool {
        self.pin.as_ref().is_some_and(|pin| self.spent_pin.0.load(Ordering::SeqCst) == number_of(pin))
    }

    /// The PIN is being given.
    pub(crate) fn spend_pin(&self) {
        self.spent_pin.0.store(self.pin.as_ref().map_or(0, number_of), Ordering::SeqCst);
    }

    /// The PIN has opened the card.
    pub(crate) fn pin_was_right(&self) {
        self.spent_pin.0.store(0, Ordering::SeqCst);
    }
}

/// Up to eight digits behind a 1, so that leading zeros count.
fn number_of(pin: &Quotable) -> u64 {
    pin.as_str()
        .bytes()
        .fold(1, |number, digit| number.saturating_mul(10).saturating_add(digit.saturating_sub(b'0').into()))
}

/// Shows neither password nor PIN.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("apn", &self.apn)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Shows neither password nor PIN.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("baud_rate", &self.baud_rate)
            .field("fix_baud_rate", &self.fix_baud_rate)
            .field("flow_control", &self.flow_control)
            .field("apn", &self.apn)
            .field("apn_user", &self.apn_user)
            .field("switch_radio_on", &self.switch_radio_on)
            .field("receive_mode", &self.receive_mode)
            .field("receive_window", &self.receive_window)
            .field("send_queue", &self.send_queue)
            .field("report_senders", &self.report_senders)
            .field("receive_poll", &self.receive_poll)
            .field("reopen", &self.reopen)
            .field("capture", &self.capture)
            .field("capture_limit", &self.capture_limit)
            .field("capture_append", &self.capture_append)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_would_break_a_command_are_refused() {
        for apn in ["", "a\"b", "a\r\nAT", &"a".repeat(101)] {
            let error = Config::default().apn(apn).validate().unwrap_err();
            assert!(matches!(error, Error::InvalidInput { what: "APN", .. }), "{apn:?}: {error}");
        }
        assert!(Config::default().pin("12a4").validate().is_err());
        assert!(Config::default().receive_window(0).validate().is_err());
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let config = Config::default().apn("cmiot").apn_credentials("user", "hunter2").pin("4711");
        let shown = format!("{config:?} {:?}", config.validate().unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
    }
}
