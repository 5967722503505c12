//! The content of `AT+FSWRITE`.

use super::{Machine, Mode};
use crate::sim::result::Continuation;

impl Machine {
    /// Takes a file's bytes, without echo (capture a21). Returns the number of bytes that belong to the file.
    pub(super) fn feed_file(&mut self, bytes: &[u8]) -> usize {
        let Mode::File(write) = &mut self.mode else {
            return 0;
        };
        let used = bytes.len().min(write.length - write.bytes.len());
        write.bytes.extend_from_slice(&bytes[..used]);
        if write.bytes.len() < write.length {
            return used;
        }
        let written = self.files.write(write);
        self.editor.skip_line_ends();
        if written {
            let until = self.after_latency();
            self.run_pause(until, Continuation::Written);
        } else {
            self.final_line("ERROR");
            self.free_line();
        }
        used
    }
}
