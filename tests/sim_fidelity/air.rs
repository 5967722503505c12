//! The captures of Air modules.

use std::net::Ipv4Addr;
use std::time::Duration;

use air724ug::sim::{Boot, Control, Peer, Profile, SimCard};

use super::scene::Act::{
    Beforehand, Instead, LeftOut, Passes, Peer as Sends, PeerCloses, Prints, Types, Wait, World, Writes,
};
use super::scene::Scene;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn revised(revision: &'static str) -> Profile {
    let mut profile = Profile::air780e();
    profile.revision = revision;
    profile
}

/// A module that is switched on, has no cell yet, and finds one as soon as it is there.
fn out_of_reach(scene: Scene, line: usize) -> Scene {
    scene.set(|settings| settings.registration_time(Duration::ZERO)).before(line, Beforehand(Control::NetworkDown))
}

pub fn scenes() -> Vec<Scene> {
    vec![
        a01(), a02(), a04(), a07(), a09(), a11(), a12(), a13(), a14(), a16(), a18(), a19(), a21(), a23(), a25(),
        a26(), a27(), a28(), a30(),
    ]
}

fn a01() -> Scene {
    Scene::new("a01", Profile::air780e(), true)
        .timed()
        .set(|settings| settings.address(Ipv4Addr::new(10, 74, 100, 63)))
        .listener("112.125.89.8", 43316)
        .before(1, Prints("+NITZ: 2024/10/16,13:14:22+0,0".into()))
}

fn a02() -> Scene {
    Scene::new("a02", Profile::air780e(), true)
        .timed()
        .listener("112.125.89.8", 43316)
        .before(20, Sends(0, b"1234567890".into()))
        .before(21, Sends(0, b"1234567890".into()))
}

fn a04() -> Scene {
    Scene::new("a04", Profile::air780e(), false)
        .timed()
        .set(|settings| settings.address(Ipv4Addr::new(10, 89, 99, 128)))
        .listener("112.125.89.8", 45214)
        .before(44, Sends(0, b"123456789".into()))
        .before(46, Sends(0, b"123456789".into()))
}

fn a07() -> Scene {
    let scene = Scene::new("a07", Profile::air780e(), false).timed();
    out_of_reach(scene, 1)
        .set(|settings| settings.clock(1_728_546_819 - 3).time_zone(0))
        .before(17, World(Control::NetworkUp))
}

fn a09() -> Scene {
    Scene::new("a09", revised("AirM2M_780E_V1165_LTE_AT"), true)
        .timed()
        .set(|settings| settings.address(Ipv4Addr::new(100, 68, 7, 200)))
        .listener("112.125.89.8", 46466)
        .before(55, Sends(0, b"data from tcp server".into()))
}

fn a11() -> Scene {
    Scene::new("a11", revised("AirM2M_780EP_V1007_LTE_AT"), true)
        .timed()
        .listener("112.125.89.8", 42795)
        .before(34, Sends(0, b"Air780EP AT TCP send 1234567890test".into()))
}

fn a12() -> Scene {
    let scene = Scene::new("a12", revised("AirM2M_780EPV_V1007_LTE_AT"), false);
    out_of_reach(scene, 3)
        .set(|settings| settings.signal(20).address(Ipv4Addr::new(10, 17, 70, 180)))
        .listener("112.125.89.8", 37076)
        .before(3, World(Control::NetworkUp))
        .before(22, Beforehand(Control::SimRemove))
        .before(26, Beforehand(Control::SimInsert))
        .before(26, Passes(seconds(2)))
        // The author cut and pasted: a module whose activation failed has no address.
        .before(77, Beforehand(Control::NetworkDown))
        .before(83, Beforehand(Control::NetworkUp))
        .before(83, Passes(seconds(2)))
        .before(83, Types("AT+CIPSHUT".into()))
        .before(83, Types("AT+CSTT".into()))
        .before(83, Types("AT+CIICR".into()))
        .after(91, Wait(seconds(13)))
}

fn a13() -> Scene {
    Scene::new("a13", Profile::air780e(), true)
        .timed()
        .listener("112.125.89.8", 46056)
        .before(34, Sends(0, b"test".into()))
        // Another session begins here.
        .before(44, Types("AT+CIPCLOSE".into()))
        .before(59, Sends(0, b"test".into()))
}

fn a14() -> Scene {
    Scene::new("a14", Profile::air780e(), true)
        .timed()
        .set(|settings| settings.clock(1_724_740_598 - 146).time_zone(0).registration_time(Duration::from_millis(1_500)))
        .before(41, World(Control::SimRemove))
        // Another session: there is no card in the slot that is chosen.
        .before(52, World(Control::SimInsert))
        .before(92, Beforehand(Control::SimRemove))
        .before(106, Beforehand(Control::SimInsert))
}

fn a16() -> Scene {
    Scene::new("a16", revised("AirM2M_780E_V1165_LTE_AT"), true).timed()
}

fn a18() -> Scene {
    Scene::new("a18", revised("AirM2M_780EP_V1010_LTE_AT"), false)
        .set(|settings| settings.signal(22).address(Ipv4Addr::new(10, 191, 209, 135)))
        .listener("www.armsoc.cn", 9002)
        .after(5, Wait(seconds(8)))
        .shown_twice(90)
}

fn a19() -> Scene {
    Scene::new("a19", revised("AirM2M_780EP_V1010_LTE_AT"), true)
        .set(|settings| settings.boot(Boot::Cold).clock(1_780_535_058 - 4).address(Ipv4Addr::new(10, 76, 1, 35)))
        .before(18, Wait(Duration::ZERO))
        .after(18, LeftOut("OK".into()))
        .after(20, LeftOut("OK".into()))
        .after(22, LeftOut("OK".into()))
}

fn a21() -> Scene {
    Scene::new("a21", Profile::air780e(), true).timed()
}

fn a23() -> Scene {
    Scene::new("a23", Profile::air780e(), false)
}

fn a25() -> Scene {
    Scene::new("a25", Profile::air780e(), false)
        .after(14, Writes(vec![b'-'; 1212]))
        .after(25, Writes(vec![b'-'; 1127]))
        .after(36, Writes(vec![b'-'; 1679]))
}

fn a26() -> Scene {
    Scene::new("a26", Profile::air780e(), true).timed()
}

fn a27() -> Scene {
    Scene::new("a27", revised("AirM2M_780EPV_V1004_LTE_AT"), false)
        .listener("example.com", 80)
        .peer("192.0.2.1", 80, Peer::silent())
        .set(|settings| settings.connect_timeout(Duration::MAX).sim(SimCard::Ready))
        .before(4, Types("ATE1".into()))
        .before(13, Types("AT+CSTT".into()))
        .before(13, Types("AT+CIICR".into()))
        .before(13, Types("AT+CIFSR".into()))
        .after(13, LeftOut("OK".into()))
        .cut(15)
        .before(15, Types("AT+CIPCLOSE=0".into()))
        .before(15, Types("AT+CIPSTART=0,\"TCP\",\"no.such.host\",80".into()))
        .after(15, Wait(seconds(13)))
        .before(16, Types("AT+CIPSTART=0,\"TCP\",\"example.com\",80".into()))
        .before(16, Instead("AT+CIPSTART=0,\"TCP\",\"example.com\",80".into()))
        .after(18, Wait(seconds(1_000)))
        .cut(20)
        .before(20, Types("AT+CIPSRIP=0".into()))
        .before(20, Sends(0, b"\xab\xab\xab\xab".into()))
        .cut(27)
        .before(27, Types("AT+CIPSTART=0,\"TCP\",\"example.com\",80".into()))
        .before(27, PeerCloses(0))
        .cut(28)
}

fn a28() -> Scene {
    Scene::new("a28", Profile::air780e(), false)
}

fn a30() -> Scene {
    Scene::new("a30", Profile::air724(), false)
}
