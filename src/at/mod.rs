//! The text protocol of the module: tokens, lines, commands.
//!
//! [`Decoder`] divides bytes into [`Token`]s. [`Line`] is a line parsed without knowledge of the command in flight.
//! [`Command`] is a command that recognises its answer. [`Urc`] is an unsolicited line. Nothing here waits, measures
//! time or knows the command in flight; `proto` does.
//!
//! Public with the feature `unstable-core` only: these names change without a new major version.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod body;
mod channel_id;
mod cme;
mod cms;
mod code_table;
mod command;
mod data_ends;
mod decoder;
mod decoder_settings;
mod decoder_state;
mod fields;
mod fixed_lines;
mod framing;
mod header;
mod internet;
mod known_secrets;
mod line;
mod phone_keys;
mod reply;
mod secret_commands;
mod secret_lines;
mod secret_words;
mod secrets;
mod text;
mod token;
mod transport_error;
mod urc;
mod urc_debug;
mod urc_table;
mod urc_words;
mod url_credentials;
mod whole_secrets;

pub(crate) use body::{From as TextFrom, MessageText, Progress};
pub use channel_id::ChannelId;
pub use cme::CmeError;
pub use cms::CmsError;
#[cfg(feature = "unstable-core")]
pub use command::MAX_COMMAND;
pub use command::{
    Command, InvalidCommand, Payload, Protocol, Refusal, TlsKey, TlsValue, UrcAnswer, Verdict, harmless_len,
};
pub(crate) use command::{SendPrompt, commandless_len};
pub use decoder::Decoder;
pub(crate) use decoder_state::ImpossibleTokens;
pub use fields::{Field, fields};
pub(crate) use fixed_lines::is_fixed;
#[cfg(feature = "unstable-core")]
pub use header::MAX_PAYLOAD;
pub use header::{Header, HeaderKind};
pub(crate) use header::{RawHeader, Scan, announced, is_piece_of_fetched, of_line, resembles, scan};
pub use internet::{DnsError, PingReply};
pub(crate) use known_secrets::{KnownSecrets, Recent};
pub(crate) use line::is_torn_news;
pub use line::{ChannelNews, Final, Line, bare_address};
#[cfg(any(feature = "diagnosis", feature = "unstable-core"))]
pub use reply::ChannelRow;
pub(crate) use reply::ListForm;
pub use reply::{AccessTechnology, Domain, IpState, IpStatus, RegistrationStatus, SimState};
pub(crate) use secret_lines::SecretLines;
pub(crate) use secrets::{Scanner, SecretVerdict};
#[cfg(feature = "unstable-core")]
pub use text::MAX_HOST;
pub use text::{InvalidText, MAX_APN, MAX_CREDENTIAL, Quotable};
#[cfg(feature = "unstable-core")]
pub use token::MAX_LINE;
pub use token::{Expect, Fault, Token};
pub use transport_error::{TcpError, UdpError};
pub use urc::Urc;
pub(crate) use urc_table::{Effect, Ending, amid_data, fits, is_noise, may_begin_amid_data, text_after};
pub(crate) use url_credentials::mask_urls;
pub(crate) use whole_secrets::{LastCharacters, WholeSecrets};
