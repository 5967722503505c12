//! The captures of SIM800 modules.

use std::net::Ipv4Addr;
use std::time::Duration;

use air724ug::sim::{Boot, Control, Fault, Profile};

use super::scene::Act::{Beforehand, Passes, Peer as Sends, Types, Wait, World};
use super::scene::Scene;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn scenes() -> Vec<Scene> {
    vec![s01(), s02(), s04(), s05(), s07(), s08(), s10(), s12(), s13()]
}

fn s01() -> Scene {
    Scene::new("s01", Profile::sim800(), true)
        .set(|settings| settings.boot(Boot::Cold).signal(29).address(Ipv4Addr::new(83, 73, 111, 73)))
        .listener("81.161.156.81", 14450)
        .after(2, Wait(seconds(6)))
}

fn s02() -> Scene {
    Scene::new("s02", Profile::sim800(), true)
        .listener("YOUR", 80)
        .set(|settings| settings.signal(25).address(Ipv4Addr::new(10, 144, 82, 38)))
}

fn s04() -> Scene {
    Scene::new("s04", Profile::sim800(), false)
        .timed()
        .set(|settings| {
            settings.connect_timeout(Duration::from_millis(75_499)).latency(Duration::from_millis(2))
        })
        .peer("mydomain.co.uk", 80, air724ug::sim::Peer::silent())
        .before(1, Types("AT+CMEE=2;+CIPMUX=1;+CSTT;+CIICR".into()))
        .before(1, Passes(seconds(1)))
        .before(1, Types("AT+CIFSR".into()))
        .before(1, Passes(seconds(1)))
}

fn s05() -> Scene {
    Scene::new("s05", Profile::sim800(), false)
}

fn s07() -> Scene {
    Scene::new("s07", Profile::sim800(), false)
}

fn s08() -> Scene {
    Scene::new("s08", Profile::sim800(), false)
        .set(|settings| settings.registration(5).address(Ipv4Addr::new(10, 177, 109, 126)))
        .listener("vsh.pp.ua", 80)
}

fn s10() -> Scene {
    Scene::new("s10", Profile::sim800(), false)
        .listener("51.116.145.38", 80)
        .before(1, Types("AT+CIPMUX=1;+CIPRXGET=1;+CSTT;+CIICR".into()))
        .before(1, Types("AT+CIFSR".into()))
        .before(1, Types("AT+CIPSTART=0,\"TCP\",\"51.116.145.38\",80".into()))
}

fn s12() -> Scene {
    Scene::new("s12", Profile::sim800(), true)
}

fn s13() -> Scene {
    let lost = || Beforehand(Control::Fault(Fault::LostAnswer { command: 1 }));
    Scene::new("s13", Profile::sim800(), true)
        .before(2, lost())
        .before(4, lost())
        .before(6, lost())
        .before(9, lost())
        .before(11, lost())
        .before(13, lost())
}
