//! The known meanings of a line of a trace.

use crate::luat::Failure;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Looks like a fault, but is none.
    Harmless,
    /// A fault that a working product meets at times, and must handle.
    Warning,
    /// A failure.
    Error,
}

/// A known meaning of a line of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pattern {
    /// `core sock conn error` (FAQ 3.1).
    CoreRefused,
    /// `connect fail`, with its reason (FAQ 3.1).
    ConnectFail(Failure),
    /// `send fail`, with its reason (FAQ 3.2).
    SendFail(Failure),
    /// `MSG_SOCK_CLOSE_IND` (FAQ 3.3).
    ClosedByPeer,
    /// `ip not ready`.
    IpNotReady,
    /// The server's address is a private one (FAQ 1.1).
    PrivateServer,
    /// More than eight connections without TLS (FAQ 2).
    TooManySockets,
    /// `call exist, cannot connect`.
    CallInProgress,
    /// `error CLOSED` or `error IP_ERROR_IND`: a socket that has ended is used.
    UsedWhenDead,
    /// `response on nil socket`.
    StrayResponse,
    /// `response on invalid wait`.
    UnexpectedResponse,
    /// `close ind on nil socket`.
    StrayIndication,
    /// `out of stack block`.
    Overflow,
    /// `socket must be called in coroutine`.
    NotInCoroutine,
    /// A name was resolved over HTTP only.
    HttpDns,
    /// A name was not resolved.
    NoAddress,
    /// `DEACT`, `IP_ERROR_IND`: the bearer was lost (FAQ 1.5).
    BearerLost,
    /// `ril.atimeout`.
    AtTimeout,
    /// `error promot cmd`.
    StrayPrompt,
    /// `sys.restart`.
    Restart,
    /// `poweron reason: 6`.
    Crash,
    /// `poweron reason: 8`.
    Watchdog,
    /// `+CPIN:` reports that there is no usable SIM card (FAQ 1.5).
    NoSim,
    /// `+CSQ:` reports a weak signal or none (FAQ 1.5).
    WeakSignal,
    /// `+CREG: 3` and similar lines (FAQ 1.5, 1.6).
    RegistrationDenied,
    /// `^MODE: 3`: 2G, but not 4G (FAQ 1.6).
    OnlyTwoG,
    /// The tool lost the port.
    ToolDisconnected,
    /// `使用缓冲区`.
    Buffered,
    /// `lualibc_fopen fail`.
    FileMissing,
    /// A send of 0 bytes.
    EmptySend,
    /// `SOCKET_CLOSE` with a number other than 0.
    CloseNumber,
    /// A line of a payload that has the form of a record.
    LookAlike,
}
