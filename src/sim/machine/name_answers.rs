//! Answers of the network to `AT+CDNSGIP`.

use std::net::IpAddr;

use super::Machine;

impl Machine {
    /// The answer to `AT+CDNSGIP`. Every failure is reported with 10, the general error of 10 to 15.
    pub(super) fn resolved(&mut self, query: u64, addresses: &[IpAddr]) {
        let Some(name) = self.ip.queries.remove(&query) else {
            return;
        };
        let value = if addresses.is_empty() {
            "0,10".to_owned()
        } else {
            // At most two addresses (manual).
            let shown = addresses.iter().take(2).map(|address| format!(",\"{address}\""));
            format!("1,\"{name}\"{}", shown.collect::<String>())
        };
        let line = self.settings.profile.keyed("+CDNSGIP", &value);
        self.urc(&line);
    }
}
