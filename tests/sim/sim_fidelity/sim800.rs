//! The captures of SIM800 modules.

use std::net::Ipv4Addr;
use std::time::Duration;

use air724ug::sim::{Boot, Control, Peer, Profile, fault};

use super::scenario::Act::{
    Asks, Beforehand, Instead, LeftOut, Passes, Peer as Sends, Prints, Puts, Types, Wait,
};
use super::scenario::Scenario;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub fn scenes() -> Vec<Scenario> {
    vec![s01(), s02(), s04(), s05(), s07(), s08(), s10(), s12(), s13()]
}

fn revised(revision: &'static str, model: &'static str) -> Profile {
    let mut profile = Profile::sim800();
    profile.revision = revision;
    profile.model = model;
    profile
}

/// Lines of different moments, each with its command.
fn s01() -> Scenario {
    let connect = "AT+CIPSTART=0,\"UDP\",\"81.161.156.81\",\"14450\"";
    Scenario::new("s01", Profile::sim800(), true)
        .set(|settings| {
            settings.boot(Boot::Cold).signal(29).address(Ipv4Addr::new(83, 73, 111, 73)).attach(false)
        })
        .listener("81.161.156.81", 14450)
        .peer("198.51.100.99", 1, Peer::discard().never_reads())
        .after(2, Wait(seconds(6)))
        .before(17, Types("AT+CGATT=1".into()))
        .prepared_before(25, &["AT+CIPSHUT", "AT+CSTT", "AT+CGATT=0"])
        .prepared_before(28, &["AT+CGATT=1", "AT+CIPSHUT", "AT+CSTT", "AT+CIICR"])
        .no_exchange(31, "the author's guess")
        .after(38, LeftOut("AT+CIPSEND=0".into()))
        .cut(41)
        .before(41, Puts(b"data\x1a".into()))
        .after(41, LeftOut("data".into()))
        .prepared_before(42, &["AT+CIPCLOSE=0", "AT+CIPSTART=0,\"UDP\",\"198.51.100.99\",1"])
        .after(42, Puts(b"data\x1a".into()))
        .after(42, Wait(seconds(51)))
        .after(42, LeftOut("AT+CIPSEND=0".into()))
        .after(42, LeftOut("> ".into()))
        .after(42, LeftOut("data".into()))
        .prepared_before(45, &["AT+CIPCLOSE=0", connect])
        .after(45, Puts(b"data\x1a".into()))
        .after(45, LeftOut("AT+CIPSEND=0".into()))
        .after(45, LeftOut("> ".into()))
        .after(45, LeftOut("data".into()))
        .after(47, LeftOut("AT+CIPSTATUS".into()))
        .after(47, LeftOut("OK".into()))
}

fn s02() -> Scenario {
    // The module had restarted or was busy, and received none of these.
    let ignored = [35, 38, 41, 44, 47, 50, 53, 56, 63, 66, 87, 96, 113, 122, 131];
    let deaf = || Beforehand(Control::fault(fault::Deaf { lasting: millis(1) }));
    ignored.into_iter().fold(s02_answered(), |scene, line| scene.before(line, deaf()))
}

fn s02_answered() -> Scenario {
    Scenario::new("s02", revised("SIM868 R14.18", "SIMCOM_SIM868"), true)
        .listener("198.51.100.7", 9000)
        .set(|settings| {
            settings
                .signal(25)
                .imei("350000000000000".into())
                .iccid("897000000000000000ff".into())
                .operator("MegaFon".into())
                .clock(1_072_915_200)
                .time_zone(0)
                .address(Ipv4Addr::new(10, 144, 82, 38))
        })
        // The module restarted here.
        .before(28, Beforehand(Control::Reset))
        .before(31, Wait(millis(1_350)))
        .before(59, Passes(seconds(6)))
        .before(150, Instead("AT+CIPSTART=\"TCP\",\"198.51.100.7\",9000".into()))
        .after(232, Sends(0, b"#AL#1\r\n".into()))
        .after(301, Sends(0, b"#AD#15\r\n#AD#1\r\n".into()))
}

fn s04() -> Scenario {
    Scenario::new("s04", Profile::sim800(), false)
        .timed()
        .set(|settings| settings.connect_timeout(millis(75_499)))
        .peer("mydomain.co.uk", 80, Peer::silent())
        .prepared(&["AT+CMEE=2", "AT+CIPMUX=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"])
        // The command was on the line when the connect failed.
        .before(16, Beforehand(Control::fault(fault::LateAnswer { command: 1, by: millis(2) })))
        .after(16, Wait(millis(5)))
}

fn s05() -> Scenario {
    Scenario::new("s05", revised("SIM808 R14.18", "SIMCOM_SIM808"), false)
        .pace(millis(10))
        .set(|settings| settings.address(Ipv4Addr::new(100, 83, 83, 249)))
        .prepared(&["AT+SAPBR=1,1", "AT+CIPMUX=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"])
        // The program waits for the restart and discards the module's output.
        .before(22, Passes(millis(1_505)))
        .before(47, Passes(seconds(1)))
        .before(76, Passes(seconds(8)))
}

fn s07() -> Scenario {
    let body = "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nAccess-Control-Allow-Origin: *\r\n\
                Content-Type: application/json; charset=utf-8\r\nContent-Length: 20\r\n\
                ETag: W/\"14-cbmD/auWoSatriSIgZCfCUgg0jw\"\r\nset-cookie: connect.sid=s%3AHppfMVIrDeQ3Z7wuBx";
    let body = format!("{body:-<428}");
    Scenario::new("s07", Profile::sim800(), false)
        .listener("example.com", 80)
        .prepared(&["AT+CIPMUX=1", "AT+CIPRXGET=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"])
        .prepared(&["AT+CIPSTART=1,\"TCP\",\"example.com\",80"])
        .opening(Sends(1, body.into_bytes()))
        .before(1, Asks("AT+CIPRXGET=2,1,63".into()))
        .no_exchange(6, "printed by the program")
        .before(21, Beforehand(Control::fault(fault::CutBody { missing: 25 })))
        .after(21, Asks("AT+CIPCLOSE=1".into()))
}

fn s08() -> Scenario {
    let late = fault::DetachedAnswer { command: 1, by: millis(350) };
    Scenario::new("s08", Profile::sim800(), false)
        .set(|settings| settings.registration(5).address(Ipv4Addr::new(10, 177, 109, 126)))
        .listener("vsh.pp.ua", 80)
        .named("vsh.pp.ua", [212, 237, 59, 104])
        .before(12, Beforehand(Control::fault(late)))
}

fn s10() -> Scenario {
    Scenario::new("s10", Profile::sim800(), false)
        .listener("51.116.145.38", 80)
        .prepared(&["AT+CIPMUX=1", "AT+CIPRXGET=1", "AT+CSTT", "AT+CIICR", "AT+CIFSR"])
        .prepared(&["AT+CIPSTART=0,\"TCP\",\"51.116.145.38\",80"])
}

/// The file has only the received side. The echo shows the commands.
fn s12() -> Scenario {
    let asked = [
        (1, "AT+CREG=1"),
        (3, "AT+CREG?"),
        (8, "AT+CMEE=2"),
        (10, "AT+SAPBR=3,1,\"CONTYPE\",\"GPRS\""),
        (12, "AT+SAPBR=3,1,APN,\"IOT.1NCE.NET\""),
        (14, "AT+SAPBR=1,1"),
        (16, "AT+SAPBR=2,1"),
        (22, "AT+HTTPINIT"),
        (24, "AT+HTTPSSL=1"),
        (26, "AT+HTTPACTION=0"),
        (28, "AT+HTTPREAD"),
    ];
    let scene = Scenario::new("s12", Profile::sim800(), true)
        .set(|settings| settings.registration(5).address(Ipv4Addr::new(10, 141, 7, 244)))
        .prepared(&["AT+SAPBR=1,1"]);
    let scene = asked
        .into_iter()
        .fold(scene, |scene, (line, command)| scene.cut(line).before(line, Asks(command.into())));
    scene.cut(31).cut(33).before(33, Prints("+CREG: 5".into()))
}

fn s13() -> Scenario {
    let scene = Scenario::new("s13", Profile::sim800(), true);
    let lost = || Beforehand(Control::fault(fault::LostAnswer { command: 1 }));
    [2, 4, 6, 9, 11, 13].into_iter().fold(scene, |scene, line| scene.before(line, lost()))
}
