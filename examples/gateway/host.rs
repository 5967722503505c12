//! The names by which clients call this gateway. A page of another site whose name resolves to this machine (DNS
//! rebinding) has its own name in `Host`; such requests are refused.

use std::net::IpAddr;

/// True if this value of `Host` is the gateway: a name of this machine for itself, the address that the client has
/// reached, or one of these names.
pub fn is_own(host: &str, reached: IpAddr, names: &[String]) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let address = bare.parse::<IpAddr>().map(|address| address.to_canonical());
    address.is_ok_and(|address| address.is_loopback() || address == reached.to_canonical())
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|own| own.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_gateway_are_its_own() {
        let names = ["gateway.lan".to_owned(), "192.0.2.7".to_owned()];
        let own = |host: &str| is_own(host, "::ffff:10.0.0.5".parse().unwrap(), &names);
        for host in [
            "localhost",
            "LocalHost:8118",
            "127.0.0.1:8118",
            "127.8.0.1",
            "[::1]",
            "[::1]:8118",
            "10.0.0.5:8118",
            "Gateway.lan:80",
            "192.0.2.7",
        ] {
            assert!(own(host), "{host}");
        }
        for host in [
            "",
            ":8118",
            "evil.test",
            "evil.test:8118",
            "localhost.evil.test",
            "evil.test:localhost",
            "127.0.0.1.evil.test:8118",
            "10.0.0.6",
            "[::2]:8118",
            "localhost:8118.evil.test",
            "gateway.lan.evil.test",
            "192.0.2.8",
        ] {
            assert!(!own(host), "{host}");
        }
    }
}
