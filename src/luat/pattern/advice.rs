//! Cause and advice for each pattern, as one table.

use Severity::{Error, Harmless, Warning};

use crate::luat::Failure;

use super::kinds::{Pattern, Severity};

/// The knowledge about a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) severity: Severity,
    pub(super) title: &'static str,
    pub(super) searched: &'static str,
    pub(super) cause: &'static str,
    pub(super) advice: &'static str,
}

/// All patterns.
#[cfg(test)]
pub(super) const ALL: [Pattern; 40] = [
    Pattern::CoreRefused,
    Pattern::ConnectFail(Failure::Response),
    Pattern::ConnectFail(Failure::Timeout),
    Pattern::ConnectFail(Failure::Closed),
    Pattern::ConnectFail(Failure::IpError),
    Pattern::ConnectFail(Failure::Other),
    Pattern::SendFail(Failure::Response),
    Pattern::SendFail(Failure::Timeout),
    Pattern::SendFail(Failure::Closed),
    Pattern::SendFail(Failure::IpError),
    Pattern::SendFail(Failure::Other),
    Pattern::ClosedByPeer,
    Pattern::IpNotReady,
    Pattern::PrivateServer,
    Pattern::TooManySockets,
    Pattern::CallInProgress,
    Pattern::UsedWhenDead,
    Pattern::StrayResponse,
    Pattern::UnexpectedResponse,
    Pattern::StrayIndication,
    Pattern::Overflow,
    Pattern::NotInCoroutine,
    Pattern::HttpDns,
    Pattern::NoAddress,
    Pattern::BearerLost,
    Pattern::AtTimeout,
    Pattern::StrayPrompt,
    Pattern::Restart,
    Pattern::Crash,
    Pattern::Watchdog,
    Pattern::NoSim,
    Pattern::WeakSignal,
    Pattern::RegistrationDenied,
    Pattern::OnlyTwoG,
    Pattern::ToolDisconnected,
    Pattern::Buffered,
    Pattern::FileMissing,
    Pattern::EmptySend,
    Pattern::CloseNumber,
    Pattern::LookAlike,
];

pub(super) fn row(pattern: Pattern) -> Row {
    match pattern {
        Pattern::ConnectFail(reason) => connect_fail(reason),
        Pattern::SendFail(reason) => send_fail(reason),
        Pattern::CoreRefused
        | Pattern::ClosedByPeer
        | Pattern::IpNotReady
        | Pattern::PrivateServer
        | Pattern::TooManySockets
        | Pattern::CallInProgress => of_connections(pattern),
        Pattern::UsedWhenDead
        | Pattern::StrayResponse
        | Pattern::UnexpectedResponse
        | Pattern::StrayIndication
        | Pattern::Overflow
        | Pattern::NotInCoroutine => of_scripts(pattern),
        Pattern::HttpDns
        | Pattern::NoAddress
        | Pattern::BearerLost
        | Pattern::NoSim
        | Pattern::WeakSignal
        | Pattern::RegistrationDenied
        | Pattern::OnlyTwoG => of_network(pattern),
        Pattern::AtTimeout
        | Pattern::StrayPrompt
        | Pattern::Restart
        | Pattern::Crash
        | Pattern::Watchdog
        | Pattern::ToolDisconnected => of_module(pattern),
        Pattern::Buffered
        | Pattern::FileMissing
        | Pattern::EmptySend
        | Pattern::CloseNumber
        | Pattern::LookAlike => harmless(pattern),
    }
}

fn connect_fail(reason: Failure) -> Row {
    let (title, cause, advice) = match reason {
        Failure::Response => (
            "a connect failed: the core said so",
            "The server refused or did not answer the core, the name has no address, or a TLS handshake failed.",
            "See whether the server is up and its port open to the internet, with a client on a PC. With TLS, see \
             whether the core has TLS, and compare certificates and clock. Wait between attempts; after about five in a \
             row switch flight mode on and off.",
        ),
        Failure::Timeout => (
            "a connect failed: no answer in time",
            "Nothing at all came back within the script's time-out: packets are dropped on the way, by a firewall, a \
             card that may reach only listed servers, or a network without service.",
            "Try another port and another card; look at signal and registration. Close the socket before the next \
             attempt: the core still holds it.",
        ),
        Failure::Closed => (
            "a connect failed: closed at once",
            "The peer accepted the connection and closed it before the core had reported it.",
            "Look into the server's log: too many clients, a block list, or TLS spoken to a port without it.",
        ),
        Failure::IpError => (
            "a connect failed: the bearer was lost",
            "The packet data connection broke down while the socket was connecting.",
            "Wait for IP_READY_IND before the next attempt. If it comes often, look at signal, antenna and power supply.",
        ),
        Failure::Other => (
            "a connect failed",
            "The reason is none that the library gives itself: something else woke the task of the socket.",
            "See which code resumes the task: only the socket library may while it waits.",
        ),
    };
    Row { severity: Error, title, searched: "socket:connect: connect fail", cause, advice }
}

fn send_fail(reason: Failure) -> Row {
    let (title, cause, advice) = match reason {
        Failure::Response => (
            "a send failed: the core said so",
            "The connection was gone before the data could leave, usually some time after the peer or the network had \
             dropped it.",
            "Close the socket, connect again and send again what the server has not confirmed. Send a heartbeat every \
             two to four minutes, or networks forget the connection.",
        ),
        Failure::Timeout => (
            "a send failed: no confirmation in time",
            "The peer acknowledged nothing: the link is dead or so slow that the core's buffer stays full.",
            "Close the socket and connect again; look at the signal. What was sent before may have arrived or not.",
        ),
        Failure::Closed => (
            "a send failed: the peer closed",
            "The peer closed the connection while data were on their way.",
            "Connect again and send again what the server has not confirmed; its log knows why it closed.",
        ),
        Failure::IpError => (
            "a send failed: the bearer was lost",
            "The packet data connection broke down while data were on their way.",
            "Close the socket, wait for IP_READY_IND, connect again and send again what the server has not confirmed.",
        ),
        Failure::Other => (
            "a send failed",
            "The reason of the failed send is none that the library gives: something else woke the task of the socket.",
            "See which code resumes the task: only the socket library may while it waits.",
        ),
    };
    Row { severity: Error, title, searched: "send fail", cause, advice }
}

fn of_connections(pattern: Pattern) -> Row {
    let row = |severity, title, searched, cause, advice| Row { severity, title, searched, cause, advice };
    match pattern {
        Pattern::CoreRefused => row(
            Error,
            "the core gave no socket",
            "socket:connect: core sock conn error",
            "All sockets are taken (sockets that failed or were closed by the peer count until the script closes them), \
             the name could not be resolved, or the core knows no TLS.",
            "Call close() after every connect that failed and every CLOSED. Check the server's name. For TLS take a core \
             that has it.",
        ),
        Pattern::ClosedByPeer => row(
            Warning,
            "the peer closed the connection",
            "socket.rtos.MSG_SOCK_CLOSE_IND",
            "The server, or a device between, ended the connection: it was done, or it missed a heartbeat or a login.",
            "Normal at the end of a download. Otherwise close the socket, wait a few seconds, connect again, and ask \
             the server's log for the reason.",
        ),
        Pattern::IpNotReady => row(
            Warning,
            "a connect before the bearer was up",
            "socket.connect: ip not ready",
            "The script connects although socket.isReady() is still false, or again after the bearer was lost.",
            "Wait for socket.isReady() or IP_READY_IND first. If it stays false for 90 seconds, look at card, arrears, \
             signal and registration, then restart.",
        ),
        Pattern::PrivateServer => row(
            Warning,
            "the server has a private address",
            "socket:connect-coreid",
            "The address belongs to a local network. The module is in the operator's network and can't reach it.",
            "Use the server's public address, with the port forwarded to it, unless the card has a private network.",
        ),
        Pattern::TooManySockets => row(
            Warning,
            "more than eight connections",
            "socket:connect-coreid",
            "More than eight sockets without TLS are open at once; the firmware promises eight.",
            "Close sockets that are done, also those whose connect failed or whose peer closed.",
        ),
        _ => row(
            Warning,
            "a connect during a call",
            "socket:connect: call exist, cannot connect",
            "A voice call holds the radio; on 2G, data must wait for its end.",
            "Connect again when the call is over.",
        ),
    }
}

fn of_scripts(pattern: Pattern) -> Row {
    let row = |severity, title, searched, cause, advice| Row { severity, title, searched, cause, advice };
    match pattern {
        Pattern::UsedWhenDead => row(
            Warning,
            "a dead socket is used",
            "socket.client:",
            "The script calls send, recv or another function of a socket that the peer or the loss of the bearer has \
             ended before.",
            "Leave the loop when send() or recv() returns false, close the socket and make a new one.",
        ),
        Pattern::StrayResponse => row(
            Warning,
            "an answer for a socket that the script has dropped",
            "response on nil socket",
            "The core finished something after the script had given the socket up, mostly after a time-out.",
            "Close a socket before dropping it, and allow longer time-outs; a connect may take 75 seconds and more.",
        ),
        Pattern::UnexpectedResponse => row(
            Warning,
            "an answer that no call waits for",
            "response on invalid wait",
            "The core confirmed something while the script was waiting for something else: the confirmation of an \
             earlier call came late.",
            "Look for a time-out of the same socket above. Its confirmations are one behind from there: close it.",
        ),
        Pattern::StrayIndication => row(
            Warning,
            "data or a close for a socket that the script has dropped",
            "close ind on nil socket",
            "The peer sent data or closed after the script had given the socket up; the text is the same for both.",
            "Call close() and wait for it before the variable of the socket is used for another one.",
        ),
        Pattern::Overflow => row(
            Error,
            "received data is not read",
            "out of stack block",
            "More than 256 pieces of data wait in the library because the script does not call recv(); the newest stays \
             in the core.",
            "Read in a task of its own that does nothing slow between two recv().",
        ),
        _ => row(
            Error,
            "a socket was made outside a task",
            "socket must be called in coroutine",
            "socket.tcp() or socket.udp() was called in a callback or at the top of a script and returned nil.",
            "Make and use a socket inside one function that sys.taskInit() runs.",
        ),
    }
}

fn of_network(pattern: Pattern) -> Row {
    let row = |severity, title, searched, cause, advice| Row { severity, title, searched, cause, advice };
    match pattern {
        Pattern::HttpDns => row(
            Warning,
            "a name was found over HTTP only",
            "socket.httpDnsCb",
            "The network's name servers did not answer for this name; the library asked a public server over HTTP.",
            "It works, but costs seconds at each connect. Set other name servers, or connect to the address.",
        ),
        Pattern::NoAddress => row(
            Error,
            "a name was not found",
            "socket.httpDnsCb",
            "Neither the network's name servers nor the public one that is asked over HTTP gave an address.",
            "Check how the name is spelled; look at card, arrears and signal: this is often the first sign of no data.",
        ),
        Pattern::BearerLost => row(
            Error,
            "the bearer was lost",
            "DEACT",
            "The network took the packet data connection back: weak signal, a change of cells, arrears, or a limit of \
             the card. Every socket ended with it.",
            "Close all sockets, wait for IP_READY_IND and connect again. If it comes often, look at signal and card.",
        ),
        Pattern::NoSim => row(
            Error,
            "no usable SIM card",
            "+CPIN:",
            "There is no card, it asks for a PIN or PUK, or its contacts are bad.",
            "Check card and holder; take the PIN off. A card that was put in later is found after a restart.",
        ),
        Pattern::WeakSignal => row(
            Warning,
            "weak or no signal",
            "+CSQ:",
            "The module receives the cell badly or not at all.",
            "Check antenna, its plug and the place. 18 or more of 31 is good; 99 means that nothing is received.",
        ),
        Pattern::RegistrationDenied => row(
            Error,
            "the network refuses the card",
            "+CREG:",
            "The card is not accepted: arrears, not activated, locked to another device, or not allowed here.",
            "Ask the operator about the card; try it in a phone, and another card in the module.",
        ),
        _ => row(
            Warning,
            "2G instead of 4G",
            "^MODE: 3",
            "The module found 2G service but no 4G. A 4G card in arrears looks like this, and so does a place without \
             4G.",
            "Check the card's balance and plan first, then the 4G coverage of its operator.",
        ),
    }
}

fn of_module(pattern: Pattern) -> Row {
    let row = |severity, title, searched, cause, advice| Row { severity, title, searched, cause, advice };
    match pattern {
        Pattern::AtTimeout => row(
            Error,
            "the core stopped answering commands",
            "ril.atimeout",
            "A command to the core's AT channel got no answer for three minutes, so the library restarts the module.",
            "Look at the last exchanges above. Let no script write to the AT channel directly; take a newer core.",
        ),
        Pattern::StrayPrompt => row(
            Warning,
            "the core asks for data, and there are none",
            "error promot cmd",
            "A command that takes data (an SMS, a file) was sent without any, so the core's `>` finds nothing to send.",
            "Send such commands through the library that knows their data.",
        ),
        Pattern::Restart => row(
            Warning,
            "the script restarts the module",
            "sys.restart",
            "A script or library asked for a restart and gave its reason.",
            "See the reason. If it is a script's own time-out, find out what it waited for.",
        ),
        Pattern::Crash => row(
            Error,
            "the module crashed",
            "poweron reason:] 6",
            "The firmware or a script ended in an exception before this start.",
            "Look at the lines before the start for a Lua error; take a newer core; check the power supply.",
        ),
        Pattern::Watchdog => row(
            Error,
            "the watchdog restarted the module",
            "poweron reason:] 8",
            "Nothing fed the watchdog: a script looped without sys.wait(), or the core hung.",
            "Look at what ran last before the start; let every loop wait.",
        ),
        _ => row(
            Warning,
            "the trace has a hole",
            "断开",
            "The tool lost its port: the module restarted, went to sleep, lost power, or the cable was pulled.",
            "The records between the loss of the port and its return are missing here. Look whether a start of the module follows.",
        ),
    }
}

fn harmless(pattern: Pattern) -> Row {
    let row = |title, searched, cause, advice| Row { severity: Harmless, title, searched, cause, advice };
    match pattern {
        Pattern::Buffered => row(
            "data came before recv() was called",
            "使用缓冲区",
            "The library kept data that came while the script was busy, and hands them out now.",
            "Nothing to do.",
        ),
        Pattern::FileMissing => row(
            "a file does not exist yet",
            "lualibc_fopen fail",
            "The C library looked for a file that is not there; a download prints this before it makes the file.",
            "Nothing to do, unless the script needs that file.",
        ),
        Pattern::EmptySend => row(
            "a send of 0 bytes",
            "socket.send] total 0 bytes",
            "The script sent an empty string. Nothing goes out and no confirmation follows.",
            "Nothing to do; don't wait for a confirmation.",
        ),
        Pattern::CloseNumber => row(
            "a close with a number other than 0",
            "SOCKET_CLOSE 1",
            "The core does not set the number of a finished close, so good closes show 0 and 1 alike.",
            "Nothing to do: the socket is closed.",
        ),
        _ => row(
            "data that look like a record",
            "[I]-[",
            "Data that a script printed hold a line with the form of a record. It was taken for data.",
            "If two traces were joined in this file, one with stamps and one without, read them one by one.",
        ),
    }
}
