//! The settings that the application chooses before the port is opened.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
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

/// The settings of a modem. The defaults suit a module with factory settings.
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
    /// The line rate of the port, in baud. Default 115200, 8N1. The module detects it (autobaud) or must be set to it
    /// before.
    pub baud_rate: u32,
    /// Whether bring-up sets the module to [`baud_rate`](Self::baud_rate) with `AT+IPR`. Default false: the module
    /// keeps its own setting, usually autobaud.
    pub fix_baud_rate: bool,
    /// Flow control, on the port and on the module (`AT+IFC`). Default none.
    pub flow_control: FlowControl,
    /// The access point name. Default none: the network provides one.
    pub apn: Option<String>,
    /// User name at the access point. Default none.
    pub apn_user: Option<String>,
    /// Password at the access point. Default none. Never logged.
    pub apn_password: Option<String>,
    /// The PIN of the SIM. Default none. It is tried once, because the third wrong PIN locks the card: a PIN that did
    /// not open the card is not tried again by a modem with this configuration or a clone of it. Never logged.
    pub pin: Option<String>,
    /// Whether bring-up switches on a radio that is off (`AT+CFUN` 0 or 4). Default true: an application that opens a
    /// modem needs a connection, and a program that ends between `AT+CFUN=0` and `AT+CFUN=1` of the official flow
    /// leaves the radio off. With false, the state is [`NotReady::RadioOff`](crate::NotReady::RadioOff). A radio that
    /// the application switches off ([`flight_mode`](crate::Modem::flight_mode)) stays off in any case. A radio that is
    /// switched off later by other means is only reported.
    pub switch_radio_on: bool,
    /// How received data reach the host. Default [`ReceiveMode::Push`].
    pub receive_mode: ReceiveMode,
    /// The limit of unread bytes of each socket. Default 4 MiB, at least two full frames. A socket uses memory for
    /// unread bytes only, and frees it when they are read. With the default a reader may pause for 3 s on a USB port at
    /// 10 Mbit/s, where pushed data have no flow control. A reader with longer pauses needs a larger window, or
    /// [`ReceiveMode::Manual`], where a full window slows the peer down.
    pub receive_window: usize,
    /// The limit of [queued](crate::Socket::queue) bytes of each socket that the module has not accepted yet. Default
    /// 256 KiB.
    pub send_queue: usize,
    /// Whether the module prints a prompt before it takes the payload of a send. Default true. With false the driver
    /// switches the prompt off (`AT+CIPSPRT=0`) and writes the payload of a plain stream with its command, which saves
    /// a turn of the line for each send. No capture shows such a send with several connections:
    /// `examples/hardware_check` tries one on a module. Sends wait for the prompt as before on UDP and TLS, for payload
    /// that could be read as commands if the module refuses it (most text), for messages of equal length, whose results
    /// can't be distinguished, and on firmware that writes `SEND OK`. After a prompt that comes nevertheless, or an
    /// echo after `ATE0`, all further sends wait for it.
    pub send_prompt: bool,
    /// Whether the module reports the sender of each datagram (`AT+CIPSRIP=1`), for
    /// [`Socket::recv_from`](crate::Socket::recv_from). Default false. The manual describes it for single connection
    /// mode only. Firmware that refuses the command is used without it.
    pub report_senders: bool,
    /// Whether an [`Event::Line`](crate::Event::Line) with the text of the line comes before each
    /// [`Event::Urc`](crate::Event::Urc). Default false.
    pub urc_lines: bool,
    /// The interval at which a silent channel is asked for data in manual receive mode. The module announces data only
    /// once, and the line may lose the announcement. Default 5 s, at least 100 ms.
    pub receive_poll: Duration,
    /// Whether a lost port is opened again when it is back. Default true. With false, a lost port is the end of the
    /// modem. The same applies to a pair of halves ([`Modem::start`](crate::Modem::start)), and to a pseudo-terminal
    /// unless its path is a link: the number in `/dev/pts/3` is given to the next program that opens one.
    pub reopen: bool,
    /// The time for which [`Modem::open`](crate::Modem::open) and [`Modem::start_from`](crate::Modem::start_from) wait
    /// for a port that is not there yet, is in use, or at which a search finds no module. Default zero: one attempt. A
    /// program that the system starts needs a minute: the module on USB starts with the system, and may take longer.
    /// The last attempt of a search and of a source may end after that time.
    pub open_timeout: Duration,
    /// The file that records every byte in both directions and every request, with masked secrets. An existing file is
    /// renamed: it gets the first free number, `NAME.1`. Default none.
    ///
    /// A separate thread writes the file, so that a slow file delays nothing; up to 4 MiB may wait. A capture that
    /// can't be written, or for which more bytes would wait, ends. This is logged, and reported by
    /// [`Event::CaptureEnded`](crate::Event::CaptureEnded), by [`Modem::flush_capture`](crate::Modem::flush_capture)
    /// and, if possible, by the last note of the file. The session continues. A pipe without a reader can't be opened.
    pub capture: Option<PathBuf>,
    /// The size in bytes after which a capture continues in a new file. The full file gets the first free number,
    /// `NAME.1`. Payload, and a command with its answer, are not divided unless the file would exceed the limit by 64
    /// KiB. Default none: one file without a limit.
    pub capture_limit: Option<u64>,
    /// Whether a session is appended to an existing [`capture`](Self::capture), with times that continue from its last.
    /// A file that is no capture, or whose last line is incomplete, is renamed nevertheless. Default false.
    pub capture_append: bool,
    /// The name of the modem in the log. Default: the path of [`Modem::open`](crate::Modem::open), otherwise `modem`.
    pub name: Option<String>,
    /// The folder with `sys`, `dev` and `proc` that a search uses, if it is another one than `/`.
    #[cfg(all(feature = "ports", unix))]
    pub(crate) root: Option<PathBuf>,
    spent_pin: SpentPin,
}

/// Flow control between host and module.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub enum FlowControl {
    /// None: the module drops bytes that the host does not read in time.
    #[default]
    None,
    /// RTS/CTS, as the vendor recommends. The chip has no XON/XOFF (protocol section 1).
    RtsCts,
}

/// The way in which received data reach the host.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ReceiveMode {
    /// The module pushes them (`+RECEIVE`). This is the fastest mode. A socket whose window is full fails; others are
    /// not affected.
    #[default]
    Push,
    /// The host fetches them (`AT+CIPRXGET`) while the window has room, so a slow reader slows the peer down. Some
    /// firmware destroys data that are not fetched when the peer closes.
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
            send_prompt: true,
            report_senders: false,
            urc_lines: false,
            receive_poll: Duration::from_secs(5),
            reopen: true,
            open_timeout: Duration::ZERO,
            capture: None,
            capture_limit: None,
            capture_append: false,
            name: None,
            #[cfg(all(feature = "ports", unix))]
            root: None,
            spent_pin: SpentPin::default(),
        }
    }
}

/// The shortest poll interval. Ten questions a second for each of eight channels use a third of a line of 115200 baud.
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

    /// Sets whether the module prints a [prompt before a send's payload](Self::send_prompt).
    #[must_use]
    pub fn send_prompt(self, send_prompt: bool) -> Self {
        Self { send_prompt, ..self }
    }

    /// Sets whether the module [reports senders](Self::report_senders).
    #[must_use]
    pub fn report_senders(self, report_senders: bool) -> Self {
        Self { report_senders, ..self }
    }

    /// Sets whether the [text of unsolicited lines](Self::urc_lines) is reported.
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

    /// Sets the [time for which a missing port is waited for](Self::open_timeout).
    #[must_use]
    pub fn open_timeout(self, open_timeout: Duration) -> Self {
        Self { open_timeout, ..self }
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

    /// Sets whether a session is [appended to an earlier one](Self::capture_append).
    #[must_use]
    pub fn capture_append(self, append: bool) -> Self {
        Self { capture_append: append, ..self }
    }

    /// Sets the folder with `sys`, `dev` and `proc` in which a search (`auto`, `imei:`, `usb:`) looks, for tests.
    #[cfg(all(feature = "ports", unix))]
    #[doc(hidden)]
    #[must_use]
    pub fn root(self, root: impl Into<PathBuf>) -> Self {
        Self { root: Some(root.into()), ..self }
    }

    /// Sets the name of the modem in the [log](Self::name).
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Checks all texts and numbers that will be part of a command.
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

/// The PIN that was tried on a card and did not open it. The clones of a configuration share it, so that a program that
/// opens its modem repeatedly does not lock the card. 0 is none.
#[derive(Clone, Default)]
struct SpentPin(Arc<AtomicU64>);

impl Credentials {
    /// True if the PIN was tried before and has not opened the card.
    pub(crate) fn is_pin_spent(&self) -> bool {
        self.pin.as_ref().is_some_and(|pin| self.spent_pin.0.load(Ordering::SeqCst) == number_of(pin))
    }

    /// The PIN is being tried.
    pub(crate) fn spend_pin(&self) {
        self.spent_pin.0.store(self.pin.as_ref().map_or(0, number_of), Ordering::SeqCst);
    }

    /// The PIN has opened the card.
    pub(crate) fn pin_was_right(&self) {
        self.spent_pin.0.store(0, Ordering::SeqCst);
    }
}

/// The digits of the PIN, at most eight, after a 1 that preserves leading zeros.
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
            .field("send_prompt", &self.send_prompt)
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
