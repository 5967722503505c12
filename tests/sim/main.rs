//! Tests of the simulated modem without the driver: its commands, faults and fidelity.

#[path = "../support/mod.rs"]
mod support;

mod sim_behaviour;
mod sim_commands;
mod sim_dtr;
mod sim_failures;
mod sim_faults;
#[cfg(feature = "sim-tls")]
mod sim_fidelity;
mod sim_fidelity_fixtures;
mod sim_fidelity_guide;
mod sim_forms;
mod sim_manual;
mod sim_serve;
mod sim_transparent;
