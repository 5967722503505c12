//! A serial port on another machine, behind a server. `tcp://host:port` carries its bytes unchanged,
//! `rfc2217://host:port` its settings as well (RFC 2217 over telnet, RFC 854).

mod connection;
mod raw;
mod rfc2217;
mod telnet;
mod url;

pub(super) use url::open;
