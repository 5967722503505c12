//! The prints of the Lua libraries `socket`, `link`, `ril` and `sys`, as types.

mod parse;
mod terms;

pub(super) use parse::{SHOWN, sending};
pub use terms::{CoreId, Endpoint, Failure, Operation, Transport};

/// A print of a library of the Air724U's Lua firmware (protocol section 18), or of the older library that uses AT
/// commands. All other records of a trace are a script's own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Print {
    /// `socket.connect: ip not ready`: a connect before the bearer was up.
    IpNotReady,
    /// `socket:connect: core sock conn error`: the core created no socket.
    Refused(Endpoint),
    /// `socket:connect-coreid,prot,addr,port,cert,timeout`: the core created a socket and tries to connect it.
    Connecting {
        /// The core's number for it.
        id: CoreId,
        /// The remote end.
        endpoint: Endpoint,
        /// The script's time-out, in seconds.
        timeout: Option<u64>,
    },
    /// `socket:on_response:`: the core has finished an operation.
    Response {
        /// The socket.
        id: CoreId,
        /// The operation.
        operation: Operation,
        /// 0 for success. It has no meaning for [`Operation::Close`] (the core does not set it).
        result: Option<i64>,
    },
    /// `socket:connect: connect ok`.
    ConnectOk,
    /// `socket:connect: connect fail`.
    ConnectFail(Failure),
    /// `socket.send`: the script sends.
    Sending {
        /// The number of bytes.
        total: u64,
        /// The first bytes, at most 30: those on the line, or all of them with their line ends.
        shown: Vec<u8>,
    },
    /// `socket:send`, `send fail`.
    SendFail(Failure),
    /// `socket.recv`: the core has received.
    Received {
        /// The number of bytes.
        len: u64,
    },
    /// `-------------------使用缓冲区---------------`: the script takes data that came before it requested them.
    Buffered,
    /// `socket recv`, `out of stack block`: more than 256 pieces wait for the script.
    Overflow,
    /// `socket.rtos.MSG_SOCK_CLOSE_IND`: the peer has closed.
    ClosedByPeer,
    /// `socket:sock_close`: the script closes; `None` if the socket has no number.
    Closing(Option<CoreId>),
    /// `socket.client:send`, `error CLOSED`: the script uses a socket that has ended.
    UsedWhenDead {
        /// The function that it called.
        function: String,
        /// The reason why the socket had ended.
        reason: Failure,
    },
    /// `response on nil socket`: the core has finished an operation of a socket that the script has dropped.
    StrayResponse {
        /// The socket.
        id: Option<CoreId>,
        /// The operation.
        operation: Option<Operation>,
    },
    /// `response on invalid wait`: the core has finished an operation that the script was not waiting for.
    UnexpectedResponse {
        /// The socket.
        id: Option<CoreId>,
        /// The operation.
        operation: Option<Operation>,
    },
    /// `close ind on nil socket`: the peer closed, or data came (the text is the same), for a socket that the script
    /// has dropped.
    StrayIndication {
        /// The socket.
        id: Option<CoreId>,
    },
    /// `socket.socket: socket must be called in coroutine`.
    NotInCoroutine,
    /// `socket.socket: too many sockets` (older library).
    TooManySockets,
    /// `socket:connect: call exist, cannot connect` (older library): a voice call holds the radio.
    CallInProgress,
    /// `socket.httpDnsCb`: the core found no address for a name and a public server was asked over HTTP.
    HttpDns {
        /// The address, if there was one.
        address: Option<String>,
    },
    /// `publish IP_READY_IND`: the bearer is up.
    IpReady,
    /// `link.cgevurc`: an unsolicited line about a bearer.
    Bearer {
        /// The URC.
        line: String,
        /// The bearer that has been deactivated, if there is one.
        deactivated: Option<u8>,
    },
    /// `link.Pdp_Act`, `link.pdpCmdCnf`, `pdp active`, ...: a step of activating the bearer.
    Link {
        /// The tag.
        step: String,
        /// The text after it.
        text: String,
    },
    /// `ril.sendat`: a library sends a command to the core.
    Command(String),
    /// `ril.proatc`: a line from the core.
    Answer(String),
    /// `ril.defurc`: a URC that no library waits for; [`Print::Answer`] has shown it before.
    Unasked(String),
    /// `error promot cmd:`: the core asks for data of a command that has none.
    StrayPrompt(String),
    /// `sys.restart`: a script or library restarts the module, for this reason.
    Restart(String),
    /// `poweron reason:`: the module has started.
    PowerOn {
        /// The number of the reason ([`power_on_reason`]).
        reason: Option<u8>,
        /// Project, versions of script and libraries, core, as printed.
        firmware: String,
    },
}

/// The meaning of the number after `poweron reason:` (protocol section 18).
pub fn power_on_reason(reason: u8) -> Option<&'static str> {
    Some(match reason {
        0 => "the power key",
        3 => "a restart that software asked for",
        6 => "a crash",
        8 => "the watchdog",
        _ => return None,
    })
}
