//! The input of a script for the simulated modem: its settings, its faults, the network behind it, the words of its
//! host.

use std::time::Duration;

use air724ug::sim::{
    ApnPolicy, Boot, Direction, Fault, FullBuffer, MemoryNetwork, Peer, Profile, Rule, Settings, SimCard,
    Trigger, fault,
};

use super::script::Script;

/// The texts of a host.
pub const WORDS: &[&str] = &[
    "AT",
    "ATE0",
    "ATE1",
    "ATI",
    "ATZ",
    "AT&F",
    "ATO",
    "A/",
    "+++",
    "\r",
    "\n",
    "\r\n",
    "\x1a",
    "\x1b",
    "=",
    "?",
    "=?",
    ",",
    ";",
    "\"",
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "9",
    "1460",
    "99999999999999999999",
    "AT+CIPMUX=1\r\n",
    "AT+CIPMUX=0\r\n",
    "AT+CIPMODE=1\r\n",
    "AT+CIPQSEND=1\r\n",
    "AT+CIPQSEND=0\r\n",
    "AT+CIPQSEND=2\r\n",
    "AT+CSTT\r\n",
    "AT+CIICR\r\n",
    "AT+CIFSR\r\n",
    "AT+CIPSHUT\r\n",
    "AT+CIPSTATUS\r\n",
    "AT+CIPSTATUS=0\r\n",
    "AT+CIPRXGET=1\r\n",
    "AT+CIPRXGET=0\r\n",
    "AT+CIPRXGET=2,0,1460\r\n",
    "AT+CIPRXGET=3,0,720\r\n",
    "AT+CIPRXGET=4,0\r\n",
    "AT+CIPSTART=\"TCP\",\"echo.test\",7\r\n",
    "AT+CIPSTART=0,\"TCP\",\"echo.test\",7\r\n",
    "AT+CIPSTART=1,\"TCP\",\"source.test\",1\r\n",
    "AT+CIPSTART=2,\"UDP\",\"echo.test\",7\r\n",
    "AT+CIPSTART=3,\"TCP\",\"deaf.test\",1\r\n",
    "AT+CIPSTART=4,\"TCP\",\"silent.test\",1\r\n",
    "AT+CIPSTART=5,\"TCP\",\"bye.test\",1\r\n",
    "AT+CIPSTART=6,\"TCP\",\"nowhere.test\",1\r\n",
    "AT+CIPSEND\r\n",
    "AT+CIPSEND=10\r\n",
    "AT+CIPSEND=0,10\r\n",
    "AT+CIPSEND=0\r\n",
    "AT+CIPSEND=3,1460\r\n",
    "AT+CIPCLOSE=0\r\n",
    "AT+CIPCLOSE\r\n",
    "AT+CIPACK=0\r\n",
    "AT+CIPACK\r\n",
    "AT+CIPATS=1,1\r\n",
    "AT+CIPSPRT=0\r\n",
    "AT+CIPSPRT=2\r\n",
    "AT+CIPHEAD=1\r\n",
    "AT+CIPSHOWTP=1\r\n",
    "AT+CIPSRIP=1\r\n",
    "AT+CIPRXF=1\r\n",
    "AT+CDNSGIP=\"echo.test\"\r\n",
    "AT+CDNSGIP=\"x\"\r\n",
    "AT+CFUN=0\r\n",
    "AT+CFUN=1\r\n",
    "AT+CFUN=1,1\r\n",
    "AT+RESET\r\n",
    "AT+CGATT=0\r\n",
    "AT+CGATT=1\r\n",
    "AT+CPIN=\"1234\"\r\n",
    "AT+CPIN=0\r\n",
    "AT+IPR=9600\r\n",
    "AT+IPR=0\r\n",
    "AT+CMEE=2\r\n",
    "ATV0\r\n",
    "ATQ1\r\n",
    "AT+CREG=2\r\n",
    "AT+CREG?\r\n",
    "AT+COPS?\r\n",
    "AT+FSCREATE=\"a\"\r\n",
    "AT+FSWRITE=\"a\",0,10,2\r\n",
    "AT+FSREAD=\"a\",0,10,0\r\n",
    "AT+FSLS\r\n",
    "AT+FSDEL=\"a\"\r\n",
    "AT+FSMEM\r\n",
    "AT+CCLK?\r\n",
    "AT+CSQ;+CREG?;I\r\n",
    "AT+SSLCFG=\"",
    "AT+CIPSSL=1\r\n",
    "AT+CMGF=1\r\n",
    "AT+CNMI=",
];

/// Every form of every command, from the table of tests/sim/sim_forms.rs.
const FORMS: &str = include_str!("../../sim/sim_forms/forms.txt");

/// A line of a host: `AT` and a form of a command.
pub fn line(script: &mut Script<'_>) -> String {
    let mut forms = FORMS.lines().filter(|line| !line.starts_with(['#', '[', ' ']) && !line.is_empty());
    let count = forms.clone().count();
    let form = forms.nth(script.number() as usize % count).unwrap_or_default();
    format!("AT{}\r", form.split("  ").next().unwrap_or_default())
}

pub fn settings(script: &mut Script<'_>) -> Settings {
    let flags = script.byte();
    let flag = |bit: u8| flags & (1 << bit) != 0;
    let mut settings = Settings::default()
        .profile(script.one(&Profile::all()).clone())
        .seed(script.number())
        .boot(if flag(0) { Boot::Cold } else { Boot::Warm })
        .baud(flag(1).then_some(115_200))
        .echo(!flag(2))
        .full_buffer(if flag(3) { FullBuffer::Wait } else { FullBuffer::Refuse })
        .closed_reported(!flag(4));
    if flag(5) {
        settings = settings.latency(Duration::from_millis(5)).jitter(Duration::from_millis(20));
        settings = settings.bearer_time(Duration::from_millis(100));
    }
    if flag(6) {
        settings = settings.sim(SimCard::Locked { pin: "1234".into() });
        settings = rarer(settings, script);
    }
    if flag(7) {
        settings =
            settings.apn(ApnPolicy::Only(vec!["cmnet".into()])).receive_buffer(usize::from(script.byte()));
        settings = settings.faults(vec![rule(script), rule(script)]);
    }
    settings
}

fn rarer(settings: Settings, script: &mut Script<'_>) -> Settings {
    let flags = script.byte();
    let flag = |bit: u8| flags & (1 << bit) != 0;
    let mut settings = settings
        .sim(if flag(0) { SimCard::Absent } else { SimCard::Ready })
        .uart_buffer(flag(1).then_some(usize::from(script.byte())))
        .autobaud(flag(2))
        .attach(!flag(3))
        .number(if flag(4) { "+8613800000000".into() } else { String::new() });
    if flag(5) {
        settings = settings.connect_timeout(Duration::MAX).registration(script.byte() % 6);
    }
    if flag(6) {
        settings = settings.uart_rate(Some(9_600)).lte_registration(Some(3)).supply(3_300);
    }
    if flag(7) {
        settings = settings.close_grace(Duration::from_millis(script.number())).send_buffer(2_000);
    }
    settings
}

pub fn rule(script: &mut Script<'_>) -> Rule {
    let trigger = match script.byte() % 3 {
        0 => Trigger::Next,
        1 => Trigger::At(Duration::from_millis(script.number())),
        _ => Trigger::Chance(f64::from(script.byte()) / 255.0),
    };
    Rule { fault: any_fault(script), trigger }
}

/// Any fault but the hang-up, after which there are no outputs.
pub fn any_fault(script: &mut Script<'_>) -> Fault {
    let command = u32::from(script.byte());
    let by = Duration::from_millis(script.number());
    match script.byte() % 25 {
        0 => fault::LostPrompt.into(),
        1 => fault::LateAnswer { command, by }.into(),
        2 => fault::DetachedAnswer { command, by }.into(),
        3 => fault::LostAnswer { command }.into(),
        4 => fault::WrongAnswer { command, text: text(script) }.into(),
        5 => fault::CloseMidSend { after: usize::from(script.byte()) }.into(),
        6 => fault::ShortBody { missing: usize::from(script.byte()) }.into(),
        7 => fault::CutBody { missing: usize::from(script.byte()) }.into(),
        8 => fault::Garbage(script.bytes().to_vec()).into(),
        9 => fault::Reboot.into(),
        10 => fault::PdpLost.into(),
        11 => fault::NetworkLost.into(),
        12 => fault::SimRemoved.into(),
        13 => fault::SendFail.into(),
        14 => fault::SilentConnect.into(),
        15 => fault::Deaf { lasting: by }.into(),
        16 => fault::Urc(text(script)).into(),
        17 => fault::LostUrc.into(),
        18 => fault::DoubledUrc.into(),
        19 => fault::LateSend { by }.into(),
        20 => fault::BrownOut { times: command }.into(),
        21 => fault::StaleConnected.into(),
        22 | 23 => disturbance(script, by),
        _ => fault::LostAnswer { command: 0 }.into(),
    }
}

pub fn text(script: &mut Script<'_>) -> String {
    String::from_utf8_lossy(script.bytes()).into_owned()
}

fn direction(script: &mut Script<'_>) -> Direction {
    if script.byte().is_multiple_of(2) { Direction::ToHost } else { Direction::FromHost }
}

fn disturbance(script: &mut Script<'_>, by: Duration) -> Fault {
    let direction = direction(script);
    match script.byte() % 7 {
        0 => fault::DropByte(direction).into(),
        1 => fault::DuplicateByte(direction).into(),
        2 => fault::CorruptByte(direction).into(),
        3 => fault::SplitPiece { direction, bytes: usize::from(script.byte()) }.into(),
        4 => fault::MergePieces { direction, bytes: usize::from(script.number() as u16) }.into(),
        5 => fault::DelayPiece { direction, by }.into(),
        _ => fault::StallLine { direction, lasting: by }.into(),
    }
}

pub fn network() -> MemoryNetwork {
    let mut network = MemoryNetwork::new();
    network.set_latency(Duration::from_millis(3));
    network.serve("echo.test", 7, Peer::echo());
    network.serve("source.test", 1, Peer::source(100_000));
    network.serve("deaf.test", 1, Peer::discard().never_reads());
    network.serve("silent.test", 1, Peer::silent());
    network.serve("bye.test", 1, Peer::discard().greeting("good bye").close_when_sent());
    network.serve("gone.test", 1, Peer::echo().vanish_after(100));
    network
}
