//! The captures of Air modules.

use std::net::Ipv4Addr;
use std::time::Duration;

use air724ug::sim::{Boot, Control, Peer, Profile, SimCard};

use super::scenario::Act::{
    Asks, Beforehand, Instead, LeftOut, Passes, Peer as Sends, PeerCloses, Prints, Puts, Types, Wait, World,
};
use super::scenario::Scenario;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn revised(revision: &'static str) -> Profile {
    let mut profile = Profile::air780e();
    profile.revision = revision;
    profile.firmware = revision;
    profile
}

/// The Air780EP and Air780EPV print the year in two digits, and no second number after the context (a12, a18, a19).
fn of_the_p_family(revision: &'static str) -> Profile {
    let mut profile = revised(revision);
    profile.long_year = false;
    profile.service_on = &["^MODE: 17,17", "+E_UTRAN Service", "+CGEV: ME PDN ACT {cid}", "+NITZ: {time},0"];
    profile
}

/// A module that is switched on without a cell, and registers when a cell exists.
fn out_of_reach(scene: Scenario) -> Scenario {
    scene.set(|settings| settings.registration_time(Duration::ZERO)).opening(Beforehand(Control::NetworkDown))
}

pub fn scenes() -> Vec<Scenario> {
    vec![
        a01(),
        a02(),
        a04(),
        a07(),
        a09(),
        a11(),
        a12(),
        a13(),
        a14(),
        a16(),
        a18(),
        a19(),
        a21(),
        a23(),
        a25(),
        a26(),
        a27(),
        a28(),
        q01(),
    ]
}

fn a01() -> Scenario {
    Scenario::new("a01", Profile::air780e(), true)
        .timed()
        .set(|settings| settings.address(Ipv4Addr::new(10, 74, 100, 63)))
        .listener("112.125.89.8", 43316)
        .before(1, Prints("+NITZ: 2024/10/16,13:14:22+0,0".into()))
}

fn a02() -> Scenario {
    Scenario::new("a02", Profile::air780e(), true)
        .timed()
        .listener("112.125.89.8", 43316)
        .before(20, Sends(0, b"1234567890".into()))
        .before(21, Sends(0, b"1234567890".into()))
}

fn a04() -> Scenario {
    Scenario::new("a04", Profile::air780e(), false)
        .timed()
        .set(|settings| settings.address(Ipv4Addr::new(10, 89, 99, 128)))
        .listener("112.125.89.8", 45214)
        .before(44, Sends(0, b"123456789".into()))
        .before(46, Sends(0, b"123456789".into()))
}

fn a07() -> Scenario {
    let scene = Scenario::new("a07", Profile::air780e(), false).timed();
    out_of_reach(scene)
        .set(|settings| settings.clock(1_728_546_819 - 3).time_zone(0))
        .before(17, World(Control::NetworkUp))
}

fn a09() -> Scenario {
    Scenario::new("a09", revised("AirM2M_780E_V1165_LTE_AT"), true)
        .timed()
        .set(|settings| settings.address(Ipv4Addr::new(100, 68, 7, 200)))
        .listener("112.125.89.8", 46466)
        .before(55, Sends(0, b"data from tcp server".into()))
}

fn a11() -> Scenario {
    Scenario::new("a11", revised("AirM2M_780EP_V1007_LTE_AT"), true)
        .timed()
        .listener("112.125.89.8", 42795)
        .before(34, Sends(0, b"Air780EP AT TCP send 1234567890test".into()))
}

fn a12() -> Scenario {
    let scene = Scenario::new("a12", of_the_p_family("AirM2M_780EPV_V1007_LTE_AT"), false);
    out_of_reach(scene)
        .set(|settings| settings.signal(20).address(Ipv4Addr::new(10, 17, 70, 180)))
        .listener("112.125.89.8", 37076)
        .before(3, World(Control::NetworkUp))
        .before(22, Beforehand(Control::SimRemove))
        .before(26, Beforehand(Control::SimInsert))
        .before(26, Passes(seconds(2)))
        // The author pasted lines from several sessions: a module whose activation failed has no address.
        .before(77, Beforehand(Control::NetworkDown))
        .before(83, Beforehand(Control::NetworkUp))
        .before(83, Passes(seconds(2)))
        .before(83, Types("AT+CIPSHUT".into()))
        .before(83, Types("AT+CSTT".into()))
        .before(83, Types("AT+CIICR".into()))
        .after(91, Wait(seconds(13)))
}

fn a13() -> Scenario {
    Scenario::new("a13", Profile::air780e(), true)
        .timed()
        .listener("112.125.89.8", 46056)
        .before(34, Sends(0, b"test".into()))
        // A new session begins here.
        .before(44, Types("AT+CIPCLOSE".into()))
        .before(59, Sends(0, b"test".into()))
}

fn a14() -> Scenario {
    Scenario::new("a14", Profile::air780e(), true)
        .timed()
        .set(|settings| {
            settings.clock(1_724_740_598 - 146).time_zone(0).registration_time(Duration::from_millis(1_500))
        })
        .before(41, World(Control::SimRemove))
        // A new session: the selected slot has no card.
        .before(52, World(Control::SimInsert))
        .before(92, Beforehand(Control::SimRemove))
        .before(106, Beforehand(Control::SimInsert))
}

fn a16() -> Scenario {
    let advice = "the author's advice, not the module's words";
    Scenario::new("a16", revised("AirM2M_780E_V1165_LTE_AT"), true).timed().no_exchange(42, advice)
}

fn a18() -> Scenario {
    Scenario::new("a18", of_the_p_family("AirM2M_780EP_V1010_LTE_AT"), false)
        .set(|settings| settings.signal(22).address(Ipv4Addr::new(10, 191, 209, 135)))
        .listener("www.armsoc.cn", 9002)
        .after(5, Wait(seconds(8)))
        .no_exchange(90, "typed; line 92 is its echo")
}

fn a19() -> Scenario {
    let mut profile = revised("AirM2M_780EP_V1010_LTE_AT");
    profile.long_year = false;
    Scenario::new("a19", profile, true)
        .timed()
        .set(|settings| {
            settings.boot(Boot::Cold).clock(1_780_535_058 - 6).address(Ipv4Addr::new(10, 76, 1, 35))
        })
        .opening(Passes(Duration::from_millis(1_499)))
        .before(1, Wait(Duration::from_millis(1)))
        .after(18, LeftOut("OK".into()))
        .after(20, LeftOut("OK".into()))
        .after(22, LeftOut("OK".into()))
        .cut(30)
        .before(30, Asks("AT+CGACT?".into()))
        .after(30, LeftOut("OK".into()))
        .cut(31)
        .before(31, Asks("AT+CGPADDR=1".into()))
        .after(31, LeftOut("OK".into()))
}

fn a21() -> Scenario {
    Scenario::new("a21", Profile::air780e(), true).timed()
}

fn a23() -> Scenario {
    Scenario::new("a23", Profile::air780e(), false)
}

fn a25() -> Scenario {
    Scenario::new("a25", Profile::air780e(), false)
        .after(14, Puts(vec![b'-'; 1212]))
        .after(25, Puts(vec![b'-'; 1127]))
        .after(36, Puts(vec![b'-'; 1679]))
}

fn a26() -> Scenario {
    Scenario::new("a26", Profile::air780e(), true).timed()
}

fn a27() -> Scenario {
    Scenario::new("a27", revised("AirM2M_780EPV_V1004_LTE_AT"), false)
        .listener("example.com", 80)
        .peer("192.0.2.1", 80, Peer::silent())
        .set(|settings| settings.connect_timeout(Duration::MAX).sim(SimCard::Ready))
        // Each line is a separate observation.
        .before(4, Types("ATE1".into()))
        .before(5, Types("ATE1".into()))
        .before(6, Types("ATE0".into()))
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

fn a28() -> Scenario {
    Scenario::new("a28", Profile::air780e(), false)
        .listener("47.107.25.39", 9998)
        .listener("47.106.96.28", 10188)
        .prepared(&["AT+CIPQSEND=1", "AT+CIPMUX=1", "AT+CIPRXGET=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"])
        .prepared(&[
            "AT+CIPSTART=0,\"TCP\",\"47.107.25.39\",9998",
            "AT+CIPSTART=4,\"TCP\",\"47.106.96.28\",10188",
        ])
        .prepared(&["AT+CIPSEND=0,42", "123456789012345678901234567890123456789012", "AT+CIPCLOSE=4"])
        .before(4, Asks("AT+CIPACK=0".into()))
        .after(4, LeftOut("OK".into()))
        .before(9, Asks("AT+CIPACK=0".into()))
        .after(9, LeftOut("OK".into()))
        .before(12, Sends(0, b"xx\0\r\n2\r\nxx\0\r\n2\r\n\r\n\r\n".into()))
        .before(12, Asks("AT+CIPRXGET=2,0,1460".into()))
        .before(22, Asks("AT+CIPSTATUS".into()))
        .after(22, LeftOut("OK".into()))
        .after(32, LeftOut("OK".into()))
        .after(35, LeftOut("OK".into()))
        .before(38, Asks("AT+CGATT?".into()))
        .cut(41)
        .before(41, Asks("AT+CBC".into()))
        .cut(44)
        .before(44, World(Control::PdpLost))
}

/// The module itself. The recording tool kept the lengths of numbers and masked their digits.
fn q01() -> Scenario {
    Scenario::new("q01", Profile::luatos(), true).set(|settings| {
        settings
            .imei("860000000000092".into())
            .imsi("460000000000090".into())
            .iccid("89000000000000000022".into())
            .number("+8600000000077".into())
            .operator_number("46011".into())
            .signal(27)
            .rsrp(51)
            .rsrq(19)
            .supply(4_014)
            .address(Ipv4Addr::new(10, 32, 140, 122))
    })
}
