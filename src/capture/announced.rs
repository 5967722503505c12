//! The commands that ask the host for data.

/// The data that a command asks for: a length, or up to Ctrl-Z (`None`). The outer `None` is for other commands. `mux`
/// is true if the number of `AT+CIPSEND=1` is a channel.
pub(super) fn announced(command: &str, mux: bool) -> Option<Option<usize>> {
    let upper = command.to_ascii_uppercase();
    if let Some(arguments) = upper.strip_prefix("AT+FSWRITE=") {
        return Some(Some(arguments.split(',').nth(2)?.trim().parse().ok()?));
    }
    let arguments = upper.strip_prefix("AT+CIPSEND")?;
    if arguments.is_empty() {
        return Some(None);
    }
    let list = arguments.strip_prefix('=').filter(|list| *list != "?")?;
    let mut fields = list.split(',');
    match (fields.next_back()?, fields.next_back()) {
        (_, None) if mux => Some(None),
        (length, _) => Some(Some(length.trim().parse().ok()?)),
    }
}
