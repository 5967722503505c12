//! The settings of a simulated modem before it is switched on.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::{Profile, Rule};

/// The state of the modem at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Boot {
    /// Switched on before: registered and silent.
    Warm,
    /// Switched on at the first call of [`Simulator::handle`](super::Simulator::handle): the boot banner and the URCs
    /// of the profile follow, each at its time.
    Cold,
}

/// The SIM card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimCard {
    /// No card.
    Absent,
    /// A card without a PIN request.
    Ready,
    /// A card locked by this PIN.
    Locked {
        /// Four to eight digits.
        pin: String,
    },
}

/// The access point names that activate a bearer. An empty one (the network's choice) does, except with [`Self::None`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApnPolicy {
    /// Every name.
    Any,
    /// Only these names; with another `AT+CIICR` fails as in capture a12.
    Only(Vec<String>),
    /// None, also not the network's own: a card without a data plan. `AT+CIICR` always fails as in capture a12.
    None,
}

/// The answer to an `AT+CIPSEND` that does not fit into the modem's send buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FullBuffer {
    /// `ERROR` instead of the prompt (Luat 2G library: 10220 unsent bytes, then `ERROR`).
    Refuse,
    /// The prompt comes. The result waits until the bytes are sent, and is `SEND FAIL` after 50 s (assumed; the time is
    /// that of openLuat's flow chart for a send).
    Wait,
}

/// The times of commands in captures, beyond the few milliseconds of every command: CFUN a14, files a21, the others
/// "about 100 ms in every capture" (protocol.md section 6).
const LIFELIKE: [(&str, u64); 5] =
    [("+CIPSHUT", 100), ("+CFUN", 130), ("+FSMKDIR", 30), ("+FSWRITE", 10), ("+FSDEL", 1)];

impl Settings {
    /// A modem that is switched on now, with the times of captures: 3 to 10 ms for most commands (a13, a26), more for
    /// some, 100 ms for the bearer, at 115200 bits a second.
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

    /// The time of this command beyond the latency of all commands.
    pub(super) fn latency_of(&self, command: &str) -> Duration {
        let own = self.latencies.iter().filter(|(name, _)| name == command).map(|(_, span)| *span);
        own.sum()
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr;)*) => {
        /// All settings of a simulated modem. The default is an Air724UG that was switched on before: registered, with
        /// echo, on a line without a rate, and with immediate answers.
        ///
        /// Each setting has a method with its name, which changes it and returns the settings:
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
    /// The rate of the line in bits a second, in both directions, with ten bits for a byte. Default: `None`, without a
    /// limit.
    baud: Option<u32> = None;
    /// The size of the UART buffer on either side of the line. Without flow control (`AT+IFC=2,2`) further bytes are
    /// lost, if the line has a rate. Default: `None`, no bytes are ever lost, as on USB.
    uart_buffer: Option<usize> = None;
    /// True if the rate of the line is detected at power-on, as with the module's default of `AT+IPR`. Then no boot
    /// line is printed before an upper-case `AT` has come, and this `AT` is not answered. The manual (IPR) says that
    /// the first is lost; that only one is lost is assumed. Default: false, the rate is known.
    autobaud: bool = false;
    /// Under `AT+CSCLK`, the time after the first byte to a sleeping modem in which bytes are lost. Default: 150 ms
    /// (assumed; the manual says that one `AT` often does not wake it, and drivers send several 100 to 200 ms apart).
    wake_time: Duration = Duration::from_millis(150);
    /// The time from a command to its answer. Default: zero; captures a13 and a26 show 3 to 10 ms.
    latency: Duration = Duration::ZERO;
    /// The largest random addition to `latency`. Default: zero.
    jitter: Duration = Duration::ZERO;
    /// The times of single commands beyond `latency`, by name as in `+CIPSHUT`. Default: none.
    latencies: Vec<(String, Duration)> = Vec::new();
    /// The seed of all random numbers. Default: 0.
    seed: u64 = 0;
    /// The state at the start. Default: [`Boot::Warm`].
    boot: Boot = Boot::Warm;
    /// The card. Default: [`SimCard::Ready`].
    sim: SimCard = SimCard::Ready;
    /// The PIN of a card that does not require it: `AT+CLCK="SC",1,"1234"` enables the requirement. Default: 1234 (the
    /// manual's example of CPWD).
    pin: String = "1234".to_owned();
    /// The PUK, which unblocks a card after three wrong PINs. Default: 12345678.
    puk: String = "12345678".to_owned();
    /// The card's own number for `AT+CNUM`, which few cards have. Default: none.
    number: String = String::new();
    /// The message centre on the card (`AT+CSCA?`). Default: +8613800100500, the operator's in Beijing.
    message_centre: String = "+8613800100500".to_owned();
    /// The registration in `AT+CREG?` when there is service: 1 home, 5 roaming, 2 searching, 3 denied, 0 not
    /// registered. Only 1 and 5 transfer data. Default: 1.
    registration: u8 = 1;
    /// True if the modem attaches automatically after registration. Default: true.
    attach: bool = true;
    /// The signal of `AT+CSQ`, 0 to 31, 99 unknown. Default: 24.
    signal: u8 = 24;
    /// The quality of the LTE signal as the fifth value of `AT+CESQ`, 0 to 34. Default: 20 (-10 dB).
    rsrq: u8 = 20;
    /// The power of the LTE signal as the sixth value of `AT+CESQ`, 0 to 97. Default: 50 (-91 dBm).
    rsrp: u8 = 50;
    /// The existing access points. Default: [`ApnPolicy::Any`].
    apn: ApnPolicy = ApnPolicy::Any;
    /// The address of the bearer. Default: 10.83.172.111 (the manual's examples).
    address: Ipv4Addr = Ipv4Addr::new(10, 83, 172, 111);
    /// The bearer's second address, of the other family, which only `AT+CGPADDR` shows. Default:
    /// `::18C9:CE33:97B7:75BD` (capture q01); `None`: the network provides one address.
    address6: Option<Ipv6Addr> = Some(Ipv6Addr::new(0, 0, 0, 0, 0x18c9, 0xce33, 0x97b7, 0x75bd));
    /// The duration of `AT+CIICR`. Default: zero; about 100 ms in every capture.
    bearer_time: Duration = Duration::ZERO;
    /// The time from `AT+CFUN=1` to service. Default: 1.5 s (capture a14).
    registration_time: Duration = Duration::from_millis(1_500);
    /// The time after which a connect without an answer fails. Default: 75 s (openLuat's flow chart, capture s04);
    /// `Duration::MAX`: never, as capture a27 shows for an unroutable address.
    connect_timeout: Duration = Duration::from_secs(75);
    /// In manual receive mode, the time for which unread data are kept after the peer's close, before `CLOSED` is
    /// reported and the data are lost. Default: 500 ms (the delay of the close event in openLuat's 8910 core).
    close_grace: Duration = Duration::from_millis(500);
    /// True if `CLOSED` is reported when the peer closes: firmware before V838 omitted it. Default: true.
    closed_reported: bool = true;
    /// The most bytes of a channel that the network has not accepted. Default: 10220 (Luat 2G library: 7 chunks of
    /// 1460).
    send_buffer: usize = 10_220;
    /// The reaction to more bytes. Default: [`FullBuffer::Refuse`].
    full_buffer: FullBuffer = FullBuffer::Refuse;
    /// The most bytes of a channel that wait for `AT+CIPRXGET`, at most 65535: drivers expect fewer than 65536 (CLI,
    /// protocol.md section 0). Default: 65535.
    receive_buffer: usize = 65_535;
    /// Echo at power-on (`ATE`). Default: true.
    echo: bool = true;
    /// The supply in millivolts (`AT+CBC`). Default: 3800, the nominal voltage.
    supply: u16 = 3_800;
    /// The charge of the battery in percent, and true while it is charged, if `AT+CBC` shows it. Default: 84, true
    /// (capture q01).
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
    /// The network's short name, at most 8 characters. Default: CMCC.
    operator_short: String = "CMCC".to_owned();
    /// The network's number. Default: 46000.
    operator_number: String = "46000".to_owned();
    /// The network's time at the origin, in seconds since 1970 (UTC). Default: 2024-07-23 00:35:01, as in capture a12.
    clock: u64 = 1_721_694_901;
    /// The local time's quarters of an hour ahead of UTC. Default: 32.
    time_zone: i8 = 32;
    /// The registration in `AT+CEREG?`, if LTE refuses the module and 2G accepts it: the socket guide's sign of arrears
    /// (FAQ 1.6). The number that a module shows then is unknown; 3, denied, is assumed. Default: none, as
    /// [`registration`](Self::registration).
    lte_registration: Option<u8> = None;
    /// The rate of the module's UART, for a host on a terminal with a rate of its own: if they differ, each reads
    /// garbage instead of the other's bytes. `AT+IPR` changes it. Default: none, the module follows the host (autobaud,
    /// USB).
    uart_rate: Option<u32> = None;
    /// True if a TLS context that sets a version before 1.2 (`sslversion` 0 to 2) gets 1.2; the simulated modem
    /// supports no earlier version. Default: false, its connects fail.
    tls_upgraded: bool = false;
    /// True if `AT+CLAC` lists the commands (27.007, 8.37). Default: false, `ERROR`: the manual does not list it, and
    /// general tools work without it (CLI, protocol.md section 0).
    lists_commands: bool = false;
    /// The faults with their triggers. Default: none.
    faults: Vec<Rule> = Vec::new();
}
