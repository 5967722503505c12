//! Both sides as a script wants them.

use std::time::Duration;

use air724ug::Config;
use air724ug::proto::Engine;
use air724ug::sim::{Boot, MemoryNetwork, Profile, Settings, SimCard, Simulator};
use air724ug::time::Timestamp;

use super::script::Script;

/// The host of every peer.
pub const HOST: &str = "peer.test";
/// The password at the access point and the card's PIN: neither may show in an event or an error.
pub const SECRETS: [&str; 2] = ["Gr8-Passw0rd", "73519264"];

/// Engine and modem.
pub fn both(script: &Script) -> (Engine, Simulator<MemoryNetwork>) {
    let world = &script.world;
    let mut config = Config::default()
        .receive_mode(world.mode)
        .receive_window(world.window)
        .urc_lines(true)
        .baud_rate(world.baud.unwrap_or(115_200))
        .apn("cmiot")
        .apn_credentials("user", SECRETS[0]);
    if world.pin {
        config = config.pin(SECRETS[1]);
    }
    let profiles = Profile::all();
    let latency = Duration::from_millis(world.latency_ms);
    let mut settings = Settings::default()
        .seed(script.seed)
        .profile(profiles[world.profile % profiles.len()].clone())
        .boot(if world.cold { Boot::Cold } else { Boot::Warm })
        .latency(latency)
        .jitter(latency)
        .baud(world.baud);
    if world.pin {
        settings = settings.sim(SimCard::Locked { pin: SECRETS[1].to_owned() });
    }
    let mut network = MemoryNetwork::new();
    network.name(HOST, [10, 1, 0, 1]).set_latency(Duration::from_millis(world.network_ms));
    // A wrong setting would be a mistake of the script's.
    let engine = Engine::new(config, Timestamp::ZERO).unwrap_or_else(|error| panic!("{error}"));
    (engine, Simulator::new(settings, network))
}
