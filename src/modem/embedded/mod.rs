//! Sockets and modems as the crates of the embedded world see them: `embedded-io` and `embedded-nal`, each a feature.

mod io;
#[cfg(feature = "embedded-io-async")]
mod io_async;
#[cfg(feature = "embedded-nal")]
mod nal;
#[cfg(feature = "embedded-nal-async")]
mod nal_async;

#[cfg(feature = "embedded-nal")]
pub use nal::NalSocket;

#[cfg(feature = "embedded-nal")]
use std::net::{IpAddr, Ipv4Addr};

#[cfg(feature = "embedded-nal")]
use crate::error::{Error, Result};

/// The address of a name. The module has IPv4 alone.
#[cfg(feature = "embedded-nal")]
fn first(addresses: &[Ipv4Addr], kind: &embedded_nal::AddrType) -> Result<IpAddr> {
    if *kind == embedded_nal::AddrType::IPv6 {
        return Err(Error::invalid("address type", "is IPv6, which the module has not"));
    }
    let first = addresses.first().ok_or_else(|| Error::Unexpected("a name without an address".into()))?;
    Ok(IpAddr::V4(*first))
}

/// No command of the module finds the name of an address.
#[cfg(feature = "embedded-nal")]
fn no_names() -> Error {
    Error::invalid("address", "has no name: the module finds addresses of names only")
}
