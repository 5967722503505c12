//! The options for a capture of the session.

use std::path::PathBuf;

use air724ug::Config;

use super::shell::Arguments;

/// Help for the options of [`Recording`].
pub const HELP: &str = "\x20 \
  --capture FILE       records the session, passwords masked; a file that is there becomes FILE.1, FILE.2, ..
  --append             records after the session that FILE has already
  --capture-limit N    a new FILE whenever it would get longer than N bytes; the full one becomes FILE.1, FILE.2, ..
";

/// The capture of the session.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    pub file: Option<PathBuf>,
    pub append: bool,
    pub limit: Option<u64>,
}

impl Recording {
    /// Takes one option if it is one of these.
    pub fn take(&mut self, option: &str, args: &mut Arguments) -> Result<bool, String> {
        match option {
            "--capture" => self.file = Some(args.value()?.into()),
            "--append" => self.append = true,
            "--capture-limit" => {
                let text = args.value()?;
                let limit = text.parse().ok().filter(|limit| *limit > 0);
                self.limit =
                    Some(limit.ok_or_else(|| format!("{option} takes a number of bytes, not \"{text}\""))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Checks that the options fit together.
    pub fn check(&self) -> Result<(), String> {
        match (&self.file, self.append, self.limit) {
            (None, true, _) => Err("--append needs --capture FILE".to_owned()),
            (None, _, Some(_)) => Err("--capture-limit needs --capture FILE".to_owned()),
            _ => Ok(()),
        }
    }

    /// The configuration of a modem with this recording.
    pub fn of(&self, config: Config) -> Config {
        let mut config = config.capture_append(self.append);
        config.capture = self.file.clone();
        config.capture_limit = self.limit;
        config
    }
}
