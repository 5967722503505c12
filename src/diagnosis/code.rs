//! The codes of all findings, each with its name, its check, and advice for the user.
//!
//! The advice is based on docs/protocol.md; for connections it follows the list of the LuatOS socket guide (section 5).

use std::fmt;

use super::Check;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident, $name:literal, $check:ident, $advice:literal;)*) => {
        /// The code of a finding. [`Code::as_str`] does not change between versions.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// A name for programs.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// The check of the finding.
            pub fn check(self) -> Check {
                match self {
                    $(Self::$code => Check::$check,)*
                }
            }

            /// The advice, in words.
            pub fn advice(self) -> &'static str {
                match self {
                    $(Self::$code => $advice,)*
                }
            }
        }
    };
}

codes! {
    /// There is no such port.
    PortMissing, "port-missing", Port,
        "Check the path, the cable and the module's power. On Linux the USB AT port is usually the first of \
         the three ttyUSB ports; `ls /dev/ttyUSB* /dev/serial/by-id` shows what is there.";
    /// Another program uses the port.
    PortBusy, "port-busy", Port,
        "Close the other program that has the port (ModemManager, a serial terminal, another copy of this \
         application); `fuser -v PORT` names it.";
    /// This user may not open the port.
    PortPermission, "port-permission", Port,
        "Add your user to the group that owns the port (often `dialout`) and log in again; `ls -l PORT` \
         shows the group.";
    /// The path is no serial port.
    PortNotSerial, "port-not-serial", Port,
        "This path is no serial port. Give the path of the module's AT port.";
    /// The serial server of a port on another machine can't be reached, or refuses the port.
    RemotePort, "remote-port", Port,
        "Read the message. Is the other machine on, and does its serial server (ser2net, for one) listen at this host and \
         TCP port? Is its port that of the module, and has no other client taken it? `nc -v HOST PORT` shows \
         whether it listens.";
    /// The port can't be opened for another reason.
    PortFailed, "port-failed", Port,
        "Read the system's message; plug the module in again.";
    /// The port was lost.
    PortLost, "port-lost", Port,
        "The port went away: a loose cable, a module that restarts (power supply), or a hub that saves \
         power; of a port on another machine also its serial server or the network.";
    /// No answer.
    NoAnswer, "no-answer", Answer,
        "Is it the AT port (UART1; on USB the first port, not the log ports; UART2 never answers)? Is the \
         module powered and switched on (PWRKEY low for 1 to 2 s)? Are TX and RX crossed, the levels 1.8 V, \
         the ground connected? If it answered before, pull its reset pin low for 150 ms. \
         Behind a serial server, look whether it serves this port at the module's rate. If text came that is \
         no answer, another device or server is at this port.";
    /// The module uses another line rate.
    WrongBaud, "wrong-baud", Baud,
        "Open the port at the module's rate, or fix the module's at yours with AT+IPR=<rate>;&W. A module \
         that finds the rate by itself needs upper-case AT several times.";
    /// Some answers are corrupted on the line.
    LineNoise, "line-noise", Baud,
        "Some bytes are damaged on the way: check ground, levels and cable length, use RTS/CTS flow control \
         (AT+IFC=2,2), or a lower line rate.";
    /// Only the echo comes back.
    EchoOnly, "echo-only", Echo,
        "The bytes that are sent come back, and nothing else: TX and RX are joined (a loop-back plug, a short \
         circuit), or the module is not in command mode. Check the wiring, then restart the module. \
         Behind a serial server, look whether the TCP port is that of an echo server.";
    /// The module restarts repeatedly.
    Restarts, "restarts", Power,
        "The module starts again and again. The usual reason is its supply: a transmission draws about 2 A \
         for moments, so use a strong supply, short wires and a large capacitor close to the module.";
    /// The firmware is not openLuat's AT firmware.
    FirmwareUnknown, "firmware-unknown", Firmware,
        "Only openLuat's AT firmware (AirM2M_...) has the commands that sockets need; a module with LuatOS \
         scripts or another maker's firmware does not. Flash the AT firmware, or use the module for which \
         this crate is made.";
    /// The firmware has a known fault that affects sockets.
    FirmwareOld, "firmware-old", Firmware,
        "Update the AT firmware. Before V838 the module does not report that a peer has closed, so use a \
         heartbeat until then.";
    /// Flight mode.
    RadioOff, "radio-off", Radio,
        "Switch the radio on: AT+CFUN=1 (`flight_mode(false)`).";
    /// No SIM card.
    SimMissing, "sim-missing", Sim,
        "Put the SIM card in the right way round and restart the module: most firmware looks for a card only \
         when it starts. Check the contacts of the holder.";
    /// The card requires its PIN.
    SimPin, "sim-pin", Sim,
        "Give the PIN (`Config::pin`, or `--pin` of an example), or take the card to a telephone and switch its PIN off. \
         Three wrong ones lock the card.";
    /// The card refused the PIN.
    SimPinRefused, "sim-pin-refused", Sim,
        "The PIN is wrong. It is not tried again, because the third wrong one locks the card: check it with \
         a telephone first.";
    /// The card is locked and requires its PUK.
    SimPuk, "sim-puk", Sim,
        "The card is locked. Unlock it in a telephone with the PUK that the operator gives.";
    /// The card does not work.
    SimFailure, "sim-failure", Sim,
        "Clean or change the card, check the holder's contacts, try the card in a telephone.";
    /// No signal.
    SignalNone, "signal-none", Signal,
        "Connect the antenna to the right socket (main, not GNSS or Wi-Fi), and go where there is coverage. \
         Without SIM coverage of this operator, try another one's card.";
    /// A weak signal.
    SignalWeak, "signal-weak", Signal,
        "openLuat recommends a value of 18 or more: improve the antenna or its place, away from metal and \
         from the module itself.";
    /// The network refuses the module.
    RegistrationDenied, "registration-denied", Registration,
        "The network knows the card and says no. Is it in arrears, blocked, expired, never activated, or \
         bound to another device or region? Ask the operator, or try the card in a telephone.";
    /// 2G accepts the module, 4G does not: the sign of arrears.
    Only2g, "only-2g", Registration,
        "This is how arrears show on a 4G module: 2G takes the card, 4G does not. Pay the account or ask the \
         operator; also possible: a card without 4G, or a place without 4G coverage. The guide also advises \
         against China Unicom's cards where only 2G is used.";
    /// Emergency calls or short messages only.
    RegistrationLimited, "registration-limited", Registration,
        "The network grants emergency calls or short messages only: the card has no data service here. Ask \
         the operator.";
    /// No network has been found.
    NotRegistered, "not-registered", Registration,
        "Registration may take two minutes. Check antenna and coverage, and that the card works (arrears, \
         activation). Then try flight mode off and on, or restart the module.";
    /// Registered, but not attached.
    NotAttached, "not-attached", Attach,
        "The network has taken the module but gives no packet service: is there a data plan, and are there \
         arrears? Firmware from V1066 also says so while the default bearer is down: check the APN.";
    /// The bearer is refused.
    BearerRefused, "bearer-refused", Bearer,
        "Check the APN with its user and password, and that the card has a data plan and no arrears. Cards \
         for machines (IoT) usually have an APN of their own and may be bound to one device.";
    /// The bearer was lost.
    BearerLost, "bearer-lost", Bearer,
        "The network has ended the data connection. The driver brings it up again; if it keeps failing, \
         restart the module, then cut its power.";
    /// The bearer was refused or lost, and is active again.
    BearerUnsteady, "bearer-unsteady", Bearer,
        "It works now. If an APN is configured, it may be the one that was refused: the driver then tries \
         without. Otherwise look at signal and supply.";
    /// The module is not ready, and no earlier check shows the reason.
    NotReady, "not-ready", Bearer,
        "Wait longer, restart the module, and record the session with --capture to see where it stays.";
    /// The bearer has no address.
    AddressMissing, "address-missing", Address,
        "The bearer is up without an address: restart the module, and check the APN.";
    /// The name can't be resolved.
    DnsFailed, "dns-failed", Dns,
        "Check the spelling of the name and that a computer resolves it. If other names fail too, set a \
         server (AT+CDNSCFG), or use the address; private networks (IoT cards) often allow only listed \
         servers.";
    /// The server's address is private.
    ServerPrivate, "server-private", Server,
        "The server must be public: the module is in the operator's network, not in yours, and can't reach \
         an address of a local network. Give the server a public address, forward a port of your router to \
         it, or use a tunnel.";
    /// The server refuses the connection.
    ServerRefuses, "server-refuses", Server,
        "The answer is no at once: nothing listens on that port, or a firewall rejects it. Try the same \
         address and port with a TCP client on a computer outside of the server's network.";
    /// The server does not answer.
    ServerSilent, "server-silent", Server,
        "No answer at all: a firewall drops the packets, the address is wrong, or the card may only reach \
         listed servers. Try the same address and port with a TCP client on a computer outside of the \
         server's network.";
    /// The connection failed for an unknown reason.
    ConnectFailed, "connect-failed", Server,
        "Try the same address and port with a TCP client on a computer outside of the server's network; if \
         that works, look at the bearer and at what the card may reach.";
    /// The module reports a connection as closed.
    ConnectionClosed, "connection-closed", Server,
        "The peer, the network or a time-out has closed the connection, and the program may not have seen it: read \
         `<n>, CLOSED`, use a heartbeat, and connect again.";
    /// Data were not sent.
    SendFailed, "send-failed", Server,
        "The connection is not open any more (error 3), or the network lost it while data were on the way (SEND \
         FAIL): look at AT+CIPSTATUS, close the channel, check bearer and signal, and connect again.";
    /// All channels are in use.
    NoFreeChannel, "no-free-channel", Server,
        "The module has eight connections, and all are in use. Close one first.";
    /// A plain connection was not tried, because TLS connections are open.
    TlsOpen, "tls-open", Server,
        "The module has one switch between TLS and plain, so a plain connection is not tried beside TLS ones. \
         Close them, and examine the module again.";
    /// The firmware has no TLS.
    TlsMissing, "tls-missing", Tls,
        "This firmware has no TLS of its own: flash one that has, or speak TLS on the host over a plain \
         socket.";
    /// A certificate or key can't be written to the module.
    TlsUpload, "tls-upload", Tls,
        "The module does not take the file: its store may be full (AT+FSMEM shows the room, AT+FSLS the \
         files, AT+FSDEL removes one), or the line loses bytes. A file has at most 10240 bytes.";
    /// The module refuses a setting of TLS.
    TlsSetting, "tls-setting", Tls,
        "The firmware does not know this setting or this value of AT+SSLCFG: leave the setting out of the \
         configuration if it is not needed, or update the firmware.";
    /// The module refuses to switch TLS on, or reports it as off afterwards.
    TlsSwitch, "tls-switch", Tls,
        "The module knows TLS and does not switch it on now. Some firmware may refuse while connections are \
         open: close all, and try again; then restart the module.";
    /// Certificates are not valid at the time of the module's clock.
    TlsTime, "tls-time", Tls,
        "The module compares the dates of certificates with its own clock (AT+CCLK?), which the network sets \
         some seconds after registration: wait for that, or set it. If the clock is right, the server's \
         certificate has expired or is not valid yet: renew it. Or give up the check of dates \
         (`TlsConfig::ignore_local_time`, AT+SSLCFG=\"ignorelocaltime\",<n>,1).";
    /// The server's certificate is for another name.
    TlsName, "tls-name", Tls,
        "The server does not go by the name that it was asked for: connect by the name in its certificate, or \
         give that name (`TlsConfig::server_name`).";
    /// The server's certificate is not from the given authority.
    TlsCertificate, "tls-certificate", Tls,
        "Give the certificate of the authority that signed the server's (`openssl s_client -showcerts -connect \
         HOST:PORT` shows the chain; the last one or its issuer is the authority's). If it is the right one, \
         another server answers in its place.";
    /// The server accepts a connection, but no handshake succeeds.
    TlsHandshake, "tls-handshake", Tls,
        "The module does not say why. Does this port speak TLS at all (`openssl s_client -connect HOST:PORT`)? \
         The module offers TLS 1.2 at best, with RSA key exchange by its manual: does the server still take \
         that? Does it ask for a client's certificate? Firmware from V301840 has more cipher suites.";
    /// The connection with TLS failed at an unknown step.
    TlsConnect, "tls-connect", Tls,
        "The module does not say whether the server could not be reached or the handshake failed. Try a plain \
         TCP connection to the same port: if that works it is the handshake, so look at the certificate, its \
         name and dates, and the module's clock.";
    /// The server was not verified.
    TlsUnverified, "tls-unverified", Tls,
        "Any server is accepted, a false one too. Give the authority's certificate to verify the server \
         (`TlsConfig::verified`, `doctor --ca FILE`).";
}

/// The same as [`Code::as_str`].
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_in_the_order_of_the_checks_and_have_names_of_their_own() {
        assert!(Code::ALL.iter().map(|code| code.check()).is_sorted());
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn every_advice_is_a_sentence_that_a_terminal_can_show() {
        for code in Code::ALL {
            let advice = code.advice();
            assert!(advice.ends_with('.') && !advice.contains("  "), "{code}: {advice}");
            assert!(advice.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{code}: {advice}");
        }
    }
}
