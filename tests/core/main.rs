//! Tests of the engine against the simulated modem or a script, in virtual time. A few files repeat them with a
//! [`Modem`] on a pair of pipes.
//!
//! Without feature `sim-tls` the simulated modem refuses `AT+CIPSSL=1`, so the files that need it are left out.
//!
//! [`Modem`]: air724ug::Modem

#[path = "../support/mod.rs"]
mod support;

mod bring_up;
mod cancel;
mod captures_engine;
mod delivery;
mod exchanges;
mod extremes;
mod faults;
mod faults_pressure;
mod faults_restart;
mod fetch_counts;
mod heartbeat;
mod hostile;
mod hostile_stream;
mod lasting_echo;
mod late_answers;
mod line_damage;
mod line_floods;
mod main_job;
mod no_prompt;
mod port_back;
mod prompts;
mod quirks;
mod release;
mod results;
#[cfg(feature = "sim-tls")]
mod secrets;
mod secrets_shown;
mod services;
mod sim_fuzz;
mod slow_line;
mod statistics;
mod text_of_people;
#[cfg(feature = "sim-tls")]
mod tls;
mod tls_config;
mod tls_encrypted;
#[cfg(feature = "sim-tls")]
mod tls_files;
mod transparent;
mod transparent_pressure;
mod udp;
mod writes;
