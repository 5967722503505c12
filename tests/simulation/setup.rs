//! The engine and the modem for a script.

use std::time::Duration;

use air724ug::Config;
use air724ug::proto::Engine;
use air724ug::sim::{Boot, MemoryNetwork, Profile, Settings, SimCard, Simulator};
use air724ug::time::Timestamp;

use super::script::Script;

/// The host of every peer.
pub const HOST: &str = "peer.test";
/// The password of the access point and the card's PIN. No event and no error may contain them.
pub const SECRETS: [&str; 2] = ["Gr8-Passw0rd", "73519264"];

/// The engine and the modem.
pub fn both(script: &Script) -> (Engine, Simulator<MemoryNetwork>) {
    let world = &script.world;
    let mut config = Config::default()
        .receive_mode(world.mode)
        .receive_window(world.window)
        .send_prompt(world.send_prompt)
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
    // An invalid setting would be an error of the script.
    let engine = Engine::new(config, Timestamp::ZERO).unwrap_or_else(|error| panic!("{error}"));
    (engine, Simulator::new(settings, network))
}
