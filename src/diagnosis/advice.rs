//! What a person can do about each finding. Facts and their sources are in docs/protocol.md; the list for connections
//! is that of the LuatOS socket guide (section 5), in our words.

use super::Code;

pub(super) fn of(code: Code) -> &'static str {
    match code {
        Code::PortMissing => {
            "Check the path, the cable and the module's power. On Linux the USB AT port is usually the first of the \
             three ttyUSB ports; `ls /dev/ttyUSB* /dev/serial/by-id` shows what is there."
        }
        Code::PortBusy => {
            "Close the other program that has the port (ModemManager, a serial terminal, another copy of this \
             application); `fuser -v PORT` names it."
        }
        Code::PortPermission => {
            "Add your user to the group that owns the port (often `dialout`) and log in again; `ls -l PORT` shows the \
             group."
        }
        Code::PortNotSerial => "This path is no serial port. Give the path of the module's AT port.",
        Code::PortFailed => "Read the system's message; plug the module in again.",
        Code::PortLost => {
            "The port went away: a loose cable, a module that restarts (power supply), or a hub that saves power."
        }
        Code::NoAnswer => {
            "Is it the AT port (UART1; on USB the first port, not the log ports; UART2 never answers)? Is the module \
             powered and switched on (PWRKEY low for 1 to 2 s)? Are TX and RX crossed, the levels 1.8 V, the ground \
             connected? If it answered before, pull its reset pin low for 150 ms."
        }
        Code::WrongBaud => {
            "Open the port at the module's rate, or fix the module's at yours with AT+IPR=<rate>;&W. A module that \
             finds the rate by itself needs upper-case AT several times."
        }
        Code::EchoOnly => {
            "What is sent comes back, and nothing else: TX and RX are joined (a loop-back plug, a short circuit), or \
             the module is not in command mode. Check the wiring, then restart the module."
        }
        Code::LineNoise => {
            "Some bytes are damaged on the way: check ground, levels and cable length, use RTS/CTS flow control \
             (AT+IFC=2,2), or a lower line rate."
        }
        Code::Restarts => {
            "The module starts again and again. The usual reason is its supply: a transmission draws about 2 A for \
             moments, so use a strong supply, short wires and a large capacitor close to the module."
        }
        Code::FirmwareUnknown => {
            "Only openLuat's AT firmware (AirM2M_...) has the commands that sockets need; a module with LuatOS \
             scripts or another maker's firmware does not. Flash the AT firmware, or use the module for which this \
             crate is made."
        }
        Code::FirmwareOld => {
            "Update the AT firmware. Before V838 the module does not report that a peer has closed, so use a \
             heartbeat until then."
        }
        Code::RadioOff => "Switch the radio on: AT+CFUN=1 (`flight_mode(false)`).",
        Code::SimMissing => {
            "Put the SIM card in the right way round and restart the module: most firmware looks for a card only when \
             it starts. Check the contacts of the holder."
        }
        Code::SimPin => {
            "Give the PIN (`Config::pin`), or take the card to a telephone and switch its PIN off. Three wrong ones \
             lock the card."
        }
        Code::SimPinRefused => {
            "The PIN is wrong. It is not tried again, because the third wrong one locks the card: check it with a \
             telephone first."
        }
        Code::SimPuk => "The card is locked. Unlock it in a telephone with the PUK that the operator gives.",
        Code::SimFailure => {
            "Clean or change the card, check the holder's contacts, try the card in a telephone."
        }
        Code::SignalNone => {
            "Connect the antenna to the right socket (main, not GNSS or Wi-Fi), and go where there is coverage. Without \
             SIM coverage of this operator, try another one's card."
        }
        Code::SignalWeak => {
            "openLuat recommends a value of 18 or more: improve the antenna or its place, away from metal and from the \
             module itself."
        }
        Code::RegistrationDenied => {
            "The network knows the card and says no. Is it in arrears, blocked, expired, never activated, or bound to \
             another device or region? Ask the operator, or try the card in a telephone."
        }
        Code::Only2g => {
            "This is how arrears show on a 4G module: 2G takes the card, 4G does not. Pay the account or ask the \
             operator; also possible: a card without 4G, or a place without 4G coverage. The guide \
             also advises against China Unicom's cards where only 2G is used."
        }
        Code::RegistrationLimited => {
            "The network grants emergency calls or short messages only: the card has no data service here. Ask the \
             operator."
        }
        Code::NotRegistered => {
            "Registration may take two minutes. Check antenna and coverage, and that the card works (arrears, \
             activation). Then try flight mode off and on, or restart the module."
        }
        Code::NotAttached => {
            "The network has taken the module but gives no packet service: is there a data plan, and are there \
             arrears? Firmware from V1066 also says so while the default bearer is down: check the APN."
        }
        Code::BearerRefused => {
            "Check the APN with its user and password, and that the card has a data plan and no arrears. Cards for \
             machines (IoT) usually have an APN of their own and may be bound to one device."
        }
        Code::BearerLost => {
            "The network has ended the data connection. The driver brings it up again; if it keeps failing, restart \
             the module, then cut its power."
        }
        Code::BearerUnsteady => {
            "It works now. If an APN is configured, it may be the one that was refused: the driver then tries without. \
             Otherwise look at signal and supply."
        }
        Code::AddressMissing => "The bearer is up without an address: restart the module, and check the APN.",
        Code::DnsFailed => {
            "Check the spelling of the name and that a computer resolves it. If other names fail too, set a server \
             (AT+CDNSCFG), or use the address; private networks (IoT cards) often allow only listed servers."
        }
        Code::ServerPrivate => {
            "The server must be public: the module is in the operator's network, not in yours, and can't reach an \
             address of a local network. Give the server a public address, forward a port of your router to it, or use \
             a tunnel."
        }
        Code::ServerRefuses => {
            "The answer is no at once: nothing listens on that port, or a firewall rejects it. Try the same address \
             and port with a TCP client on a computer outside of the server's network."
        }
        Code::ServerSilent => {
            "No answer at all: a firewall drops the packets, the address is wrong, or the card may only reach listed \
             servers. Try the same address and port with a TCP client on a computer outside of the server's network."
        }
        Code::ConnectFailed => {
            "Try the same address and port with a TCP client on a computer outside of the server's network; if that \
             works, look at the bearer and at what the card may reach."
        }
        Code::NoFreeChannel => "The module has eight connections, and all are in use. Close one first.",
        Code::TlsMissing => {
            "This firmware has no TLS of its own: flash one that has, or speak TLS on the host over a plain socket."
        }
        Code::NotReady => {
            "Wait longer, restart the module, and record the session with --capture to see where it stays."
        }
    }
}
