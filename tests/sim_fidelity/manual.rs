//! The manual's examples and the traces of Lua modules, as far as they show AT commands.

use std::time::Duration;

use air724ug::sim::{Control, Profile};

use super::scene::Act::{Beforehand, Passes, Peer as Sends, PeerCloses, Types, Wait, World, Writes};
use super::scene::Scene;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn scenes() -> Vec<Scene> {
    vec![d01(), d02(), d03(), l01(), l02(), l10()]
}

fn d01() -> Scene {
    Scene::new("d01", Profile::air724(), false)
}

fn d02() -> Scene {
    Scene::new("d02", Profile::air724(), false)
}

fn d03() -> Scene {
    Scene::new("d03", Profile::air724(), false)
}

fn l01() -> Scene {
    Scene::new("l01", Profile::air724(), false).set(|settings| settings.signal(31))
}

fn l02() -> Scene {
    Scene::new("l02", Profile::air724(), false)
}

fn l10() -> Scene {
    Scene::new("l10", Profile::air724(), false)
}
