//! Tests of the driver around the engine: real threads, pseudo-terminals and servers of this machine.

#[path = "../support/mod.rs"]
mod support;

mod api_line;
mod as_tcp_stream;
mod async_futures;
mod async_tokio;
mod close_acknowledged;
mod driver_load;
mod embedded;
mod interrupt;
mod port_back;
mod ports;
mod remote_port;
mod socket_stream;
mod socket_writes;
mod supervisor;
mod supervisor_stream;
mod supervisor_transfers;
mod transparent_port;
