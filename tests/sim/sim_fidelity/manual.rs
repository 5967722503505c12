//! The manual's examples, and traces of Lua modules as far as they show AT commands.

use std::net::Ipv4Addr;
use std::time::Duration;

use air724ug::sim::{Control, Profile, fault};

use super::scenario::Act::{
    Asks, Beforehand, Passes, Peer as Sends, PeerCloses, Prints, Puts, Wait, World, Writes,
};
use super::scenario::Scenario;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn scenes() -> Vec<Scenario> {
    vec![d01(), d02(), l01(), l02(), l10()]
}

const ONLINE: [&str; 3] = ["AT+CSTT", "AT+CIICR", "AT+CIFSR"];
const PLAIN: [&str; 1] = ["AT+CIPSSL=0"];

/// Independent examples, each of which begins without an active bearer. The peers do not use TLS, so it is switched off
/// before the connects of the examples that use it (`tests/tls/sim_tls.rs` tests handshakes).
fn d01() -> Scenario {
    let scene = Scenario::new("d01", Profile::air724(), false)
        .listener("60.166.18.9", 7500)
        .listener("60.166.18.9", 6100)
        .listener("60.166.12.210", 7500)
        .listener("60.166.12.210", 6100)
        .listener("60.166.13.215", 6100)
        .listener("tcplab.openluat.com", 57513)
        .named("WWW.SINA.COM.CN", [221, 179, 180, 76]);
    let scene = sending(scene);
    let scene = receiving(scene);
    transparent(scene)
        .prepared_before(318, &["AT+CIPSHUT", "AT+CIPMODE=0"])
        .prepared_before(318, &ONLINE)
        .before(325, World(Control::PdpLost))
}

fn sending(scene: Scenario) -> Scenario {
    scene
        .after(42, Wait(seconds(10)))
        .after(45, Wait(seconds(10)))
        .prepared_before(57, &["AT+CIPATS=0"])
        .prepared_before(65, &PLAIN)
        .prepared_before(75, &["AT+CIPSHUT", "AT+CIPSSL=0"])
        .after(87, Puts(vec![b'-'; 2080]))
        .after(90, Puts(vec![b'-'; 128]))
        .after(93, Puts(vec![b'-'; 188]))
        .prepared_before(120, &["AT+CIPSHUT"])
        .prepared_before(140, &["AT+CIPSHUT", "AT+FSDEL=\"client.crt\"", "AT+FSDEL=\"client.key\""])
        .prepared_before(108, &PLAIN)
        .after(152, Puts(vec![b'-'; 2080]))
        .after(155, Puts(vec![b'-'; 1962]))
        .after(158, Puts(vec![b'-'; 128]))
        .after(161, Puts(vec![b'-'; 188]))
        .prepared_before(196, &PLAIN)
        .prepared_before(233, &ONLINE)
        .after(248, Wait(seconds(10)))
}

fn receiving(scene: Scenario) -> Scenario {
    scene
        .prepared_before(256, &["AT+CIPSHUT", "AT+CIPATS=0", "AT+CIPMUX=0"])
        .prepared_before(256, &["AT+CIPSTART=\"TCP\",\"60.166.12.210\",7500"])
        .after(256, Sends(0, b"TEST".into()))
        .after(259, Sends(0, b"TEST".into()))
        .after(262, Sends(0, b"TEST".into()))
        .after(270, Sends(0, b"TEST".into()))
        .prepared_before(277, &["AT+CIPSHUT", "AT+CIPMUX=1"])
        .prepared_before(277, &ONLINE)
        .prepared_before(277, &["AT+CIPSTART=0,\"TCP\",\"60.166.12.210\",7500"])
        .prepared_before(277, &["AT+CIPSTART=1,\"TCP\",\"60.166.12.210\",7500"])
        .before(277, Sends(0, b"TEST123".into()))
        .before(277, Sends(1, b"TEST123456".into()))
}

fn transparent(scene: Scenario) -> Scenario {
    scene
        .prepared_before(283, &["AT+CIPSHUT", "AT+CIPMUX=0"])
        .before(289, Passes(seconds(2)))
        .after(289, Wait(seconds(1)))
        .before(295, PeerCloses(0))
        .prepared_before(300, &["AT+CIPSHUT"])
        .before(313, Passes(seconds(2)))
        .before(313, Writes(b"+++".into()))
        .before(313, Passes(seconds(1)))
}

fn d02() -> Scenario {
    Scenario::new("d02", Profile::air724(), false)
        .listener("36.9.88.120", 6001)
        .after(7, Sends(0, b"1234567890".into()))
        .after(14, Sends(0, b"HELLO".into()))
        .prepared_before(22, &["AT+CIPSHUT"])
        .after(32, Sends(3, b"AAAAA".into()))
}

fn l01() -> Scenario {
    // This firmware prints 0 where later firmware on the same chip prints 99 (q01).
    let mut profile = Profile::air724();
    profile.bit_error = 0;
    let late = fault::DetachedAnswer { command: 1, by: Duration::from_millis(30) };
    Scenario::new("l01", profile, false)
        .timed()
        .set(|settings| settings.signal(31).address(Ipv4Addr::LOCALHOST))
        .before(1, Asks("AT+MUID?".into()))
        // The log has two channels of the module: the answer on one comes after the command on the other.
        .before(6, Beforehand(Control::fault(late)))
        .after(12, Prints("+CPIN: READY".into()))
        .before(16, Prints("+CPIN: READY".into()))
        .before(24, Prints("^CARDMODE: 2".into()))
        .before(24, Prints("^CARDMODE: 2".into()))
}

fn l02() -> Scenario {
    Scenario::new("l02", Profile::air724(), false)
}

fn l10() -> Scenario {
    Scenario::new("l10", Profile::air724(), false)
}
