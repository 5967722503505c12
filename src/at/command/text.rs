//! The text of a command. Short texts, which every send and every fetch needs, are stored without heap memory.

use std::fmt;

/// The longest command of a transfer is shorter.
const SHORT: usize = 30;

#[derive(Clone)]
pub(super) enum CommandText {
    Fixed(&'static str),
    Short { len: u8, bytes: [u8; SHORT] },
    Long(String),
}

impl CommandText {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            // Only whole strings were copied, so the bytes are UTF-8.
            Self::Short { len, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
            Self::Long(text) => text,
        }
    }
}

impl From<&'static str> for CommandText {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

impl From<String> for CommandText {
    fn from(text: String) -> Self {
        Self::Long(text)
    }
}

impl From<fmt::Arguments<'_>> for CommandText {
    fn from(arguments: fmt::Arguments<'_>) -> Self {
        let mut text = Self::Short { len: 0, bytes: [0; SHORT] };
        // The buffer grows as needed, so this can't fail.
        let _ = fmt::Write::write_fmt(&mut text, arguments);
        text
    }
}

impl fmt::Write for CommandText {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        match self {
            Self::Short { len, bytes } => {
                let start = usize::from(*len);
                let end = start.saturating_add(more.len());
                match (bytes.get_mut(start..end), u8::try_from(end)) {
                    (Some(room), Ok(end)) => {
                        room.copy_from_slice(more.as_bytes());
                        *len = end;
                    }
                    (None, _) | (_, Err(_)) => *self = Self::Long([self.as_str(), more].concat()),
                }
            }
            Self::Fixed(text) => *self = Self::Long([*text, more].concat()),
            Self::Long(text) => text.push_str(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_on_either_side_of_the_border() {
        for len in 0..2 * SHORT {
            let (first, second) = ("é".repeat(len / 4), "x".repeat(len - len / 4 * 2));
            let text = CommandText::from(format_args!("{first}{second}"));
            assert_eq!(text.as_str(), format!("{first}{second}"));
            assert_eq!(matches!(text, CommandText::Short { .. }), len <= SHORT, "{len} bytes");
        }
    }

    #[test]
    fn more_can_be_written_after_any_text() {
        for mut text in [
            CommandText::from("AT"),
            CommandText::from("AT".to_owned()),
            CommandText::from(format_args!("AT")),
        ] {
            fmt::Write::write_str(&mut text, "+CSQ").unwrap();
            assert_eq!(text.as_str(), "AT+CSQ");
        }
    }
}
