//! The settings of a simulated modem before it is switched on.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::{Profile, Rule};

/// The state in which the modem begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// Switched on long ago: registered and silent.
    Warm,
    /// Power comes at the first call of [`Simulator::handle`](super::Simulator::handle): the boot banner and the
    /// URCs of the profile follow, each in its time.
    Cold,
}

/// The SIM card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimCard {
    /// No card.
    Absent,
    /// A card that asks for nothing.
    Ready,
    /// A card locked by this PIN.
    Locked {
        /// Four to eight digits.
        pin: String,
    },
}

/// The access point names that activate a bearer. An empty one (the network's own choice) does, but for [`Self::None`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApnPolicy {
    /// Every name.
    Any,
    /// These names only; another makes `AT+CIICR` fail as in capture a12.
    Only(Vec<String>),
    /// None, not even the network's own: a card without a data plan. `AT+CIICR` always fails as in capture a12.
    None,
}

/// The answer to an `AT+CIPSEND` that does not fit into the modem's send buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullBuffer {
    /// `ERROR` instead of the prompt (Luat 2G library: 10220 unsent bytes, then `ERROR`).
    Refuse,
    /// The prompt comes, the result waits until the bytes are out, and is `SEND FAIL` after 50 s (assumed; the time
    /// is that of openLuat's flow chart for a send).
    Wait,
}

/// What commands took in captures beyond the few milliseconds of all: CFUN a14, files a21, the rest "about 100 ms in
/// every capture" (protocol.md section 6).
const LIFELIKE: [(&str, u64); 5] =
    [("+CIPSHUT", 100), ("+CFUN", 130), ("+FSMKDIR", 30), ("+FSWRITE", 10), ("+FSDEL", 1)];

impl Settings {
    /// A modem that is switched on now and takes the time that captures show: 3 to 10 ms for most commands (a13, a26),
    /// more for some, 100 ms for the bearer, at 115200 bits a second.
    pub fn lifelike() -> Self {
        let latencies = LIFELIKE.map(|(name, millis)| (name.to_owned(), Duration::from_millis(millis)));
        Self::default()
            .boot(Boot::Cold)
            .baud(Some(115_200))
            .latency(Duration::from_millis(3))
            .jitter(Duration::from_millis(7))
            .bearer_time(Duration::from_millis(100))
            .latencies(latencies.to_vec())
    }

    /// The time that this command takes beyond the latency of all.
    pub(super) fn latency_of(&self, command: &str) -> Duration {
        let own = self.latencies.iter().filter(|(name, _)| name == command).map(|(_, span)| *span);
        own.sum()
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr;)*) => {
        /// Everything that can be set. The default is an Air724UG that was switched on long ago: registered, with
        /// echo, on a line without a rate, answering at once.
        ///
        /// Each setting has a method of its name, which changes it and returns the settings:
        ///
        /// ```
        /// use air724ug::sim::{Boot, Settings};
        /// use std::time::Duration;
        ///
        /// let settings = Settings::default().baud(Some(115_200)).latency(Duration::from_millis(5)).boot(Boot::Cold);
        /// assert_eq!(settings.baud, Some(115_200));
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct Settings {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Settings {
            $($(#[$doc])* #[must_use] pub fn $field(mut self, $field: $type) -> Self { self.$field = $field; self })*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

settings! {
    /// The dialect. Default: [`Profile::air724`].
    profile: Profile = Profile::air724();
    /// Bits a second on the line, both ways, ten to a byte. Default: `None`, infinitely fast.
    baud: Option<u32> = None;
    /// What the UART on either side of the line holds while it is not read. Without flow control (`AT+IFC=2,2`) more is
    /// lost, if the line has a rate. Default: `None`, nothing is ever lost, as on USB.
    uart_buffer: Option<usize> = None;
    /// Whether the rate of the line has to be found at power-on, which is the module's default of `AT+IPR`. Then no boot line
    /// is printed before an upper-case `AT` has come, and that `AT` is not answered. The manual (IPR) says that the first is
    /// lost; that only one is lost is assumed. Default: false, the rate is known.
    autobaud: bool = false;
    /// Under `AT+CSCLK`, what comes this long after the first byte that finds the modem asleep is lost. Default: 150 ms
    /// (assumed; the manual says that one `AT` often does not wake it, drivers send several 100 to 200 ms apart).
    wake_time: Duration = Duration::from_millis(150);
    /// How long a command takes until its answer begins. Default: zero; captures a13 and a26 show 3 to 10 ms.
    latency: Duration = Duration::ZERO;
    /// The most that chance adds to `latency`. Default: zero.
    jitter: Duration = Duration::ZERO;
    /// What single commands take beyond `latency`, by name as in `+CIPSHUT`. Default: nothing.
    latencies: Vec<(String, Duration)> = Vec::new();
    /// The number that all chance comes from. Default: 0.
    seed: u64 = 0;
    /// Where its life begins. Default: [`Boot::Warm`].
    boot: Boot = Boot::Warm;
    /// The card. Default: [`SimCard::Ready`].
    sim: SimCard = SimCard::Ready;
    /// The PIN of a card that does not ask for it: `AT+CLCK="SC",1,"1234"` makes it ask. Default: 1234 (the manual's
    /// example of CPWD).
    pin: String = "1234".to_owned();
    /// What unblocks a card after three wrong PINs. Default: 12345678.
    puk: String = "12345678".to_owned();
    /// The card's own number for `AT+CNUM`, as on few cards. Default: none.
    number: String = String::new();
    /// The message centre that the card knows (`AT+CSCA?`). Default: +8613800100500, the operator's in Beijing.
    message_centre: String = "+8613800100500".to_owned();
    /// The registration that `AT+CREG?` shows when there is service: 1 home, 5 roaming, 2 searching, 3 denied, 0 not
    /// registered. Only 1 and 5 carry data. Default: 1.
    registration: u8 = 1;
    /// Whether the modem attaches by itself once registered. Default: true.
    attach: bool = true;
    /// The signal of `AT+CSQ`, 0 to 31, 99 unknown. Default: 24.
    signal: u8 = 24;
    /// The quality of the LTE signal as the fifth value of `AT+CESQ`, 0 to 34. Default: 20 (-10 dB).
    rsrq: u8 = 20;
    /// Its power, the sixth value, 0 to 97. Default: 50 (-91 dBm).
    rsrp: u8 = 50;
    /// Which access points there are. Default: [`ApnPolicy::Any`].
    apn: ApnPolicy = ApnPolicy::Any;
    /// The address that the bearer gets. Default: 10.83.172.111 (the manual's examples).
    address: Ipv4Addr = Ipv4Addr::new(10, 83, 172, 111);
    /// Its second address, of the other family, which only `AT+CGPADDR` shows. Default: `::18C9:CE33:97B7:75BD` (capture
    /// q01); `None`: the network gives one address.
    address6: Option<Ipv6Addr> = Some(Ipv6Addr::new(0, 0, 0, 0, 0x18c9, 0xce33, 0x97b7, 0x75bd));
    /// How long `AT+CIICR` takes. Default: zero; about 100 ms in every capture.
    bearer_time: Duration = Duration::ZERO;
    /// From `AT+CFUN=1` to service. Default: 1.5 s (capture a14).
    registration_time: Duration = Duration::from_millis(1_500);
    /// A connect without an answer fails after this. Default: 75 s (openLuat's flow chart, capture s04);
    /// `Duration::MAX`: never, as capture a27 shows for an unroutable address.
    connect_timeout: Duration = Duration::from_secs(75);
    /// In manual receive mode, how long data that was not read yet outlives the peer's close, before `CLOSED` is
    /// reported and the data destroyed. Default: 500 ms (the delay of the close event in openLuat's 8910 core).
    close_grace: Duration = Duration::from_millis(500);
    /// Whether `CLOSED` is reported at all when the peer closes: firmware before V838 forgot it. Default: true.
    closed_reported: bool = true;
    /// Bytes of a channel that the network did not take yet. Default: 10220 (Luat 2G library: 7 chunks of 1460).
    send_buffer: usize = 10_220;
    /// What happens beyond it. Default: [`FullBuffer::Refuse`].
    full_buffer: FullBuffer = FullBuffer::Refuse;
    /// Bytes of a channel kept for `AT+CIPRXGET`, at most 65535: drivers expect fewer than 65536 (CLI,
    /// protocol.md section 0). Default: 65535.
    receive_buffer: usize = 65_535;
    /// Echo at power-on (`ATE`). Default: true.
    echo: bool = true;
    /// The supply in millivolts (`AT+CBC`). Default: 3800, the nominal voltage.
    supply: u16 = 3_800;
    /// How full the battery is, in percent, and whether it is charged, where `AT+CBC` tells it. Default: 84, true (capture q01).
    battery: (u8, bool) = (84, true);
    /// `AT+CGSN`. Default: 860000000000009, with the right check digit.
    imei: String = "860000000000009".to_owned();
    /// `AT+MUID?`: the number that openLuat gives each module. Default: that of trace l01.
    muid: String = "20200325172756A494915A9438914851".to_owned();
    /// `AT+CIMI`. Default: 460000000000000.
    imsi: String = "460000000000000".to_owned();
    /// `AT+ICCID`. Default: 89860000000000000001, with the right check digit.
    iccid: String = "89860000000000000001".to_owned();
    /// The network's name. Default: CHINA MOBILE.
    operator: String = "CHINA MOBILE".to_owned();
    /// Its short name, at most 8 characters. Default: CMCC.
    operator_short: String = "CMCC".to_owned();
    /// The network's number. Default: 46000.
    operator_number: String = "46000".to_owned();
    /// The network's time at the origin, in seconds since 1970 (UTC). Default: 2024-07-23 00:35:01, as in capture a12.
    clock: u64 = 1_721_694_901;
    /// Quarters of an hour that the local time is ahead of UTC. Default: 32.
    time_zone: i8 = 32;
    /// The registration that `AT+CEREG?` shows, if LTE does not take what 2G takes: the socket guide's sign of arrears
    /// (FAQ 1.6). Which number a module then shows is not known; 3, denied, is assumed. Default: none, as
    /// [`registration`](Self::registration).
    lte_registration: Option<u8> = None;
    /// The rate of the module's UART, for a host on a terminal that may have set another: each then reads garbage in
    /// place of the other's bytes. `AT+IPR` changes it. Default: none, the module follows the host (autobaud, USB).
    uart_rate: Option<u32> = None;
    /// Whether a TLS context that asks for a version before 1.2 (`sslversion` 0 to 2) gets 1.2; the simulated modem speaks none of
    /// them. Default: false, its connects fail.
    tls_upgraded: bool = false;
    /// Whether `AT+CLAC` lists the commands (27.007, 8.37). Default: false, `ERROR`: the manual does not list it, and
    /// general tools work without it (CLI, protocol.md section 0).
    lists_commands: bool = false;
    /// What goes wrong, and when. Default: nothing.
    faults: Vec<Rule> = Vec::new();
}
