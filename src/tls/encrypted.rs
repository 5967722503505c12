//! Private keys with a password: PKCS#8, encrypted by RFC 5958 and RFC 8018 (PBES2). The cost parameters of the key are
//! checked before a key is derived from the password.

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;

use crate::error::{Error, Result};

use super::der;
use super::label::Label;
use super::secret::Secret;

/// The most iterations of PBKDF2: about a second of work. OpenSSL writes 2048; OWASP recommends 600 000 for passwords
/// (2023).
const MAX_ITERATIONS: u32 = 2_000_000;
/// The most memory for scrypt: four times that of OpenSSL's default.
const MAX_MEMORY: u128 = 64 << 20;
/// The most blocks for scrypt, `N * r * p`: eight times OpenSSL's default, less than a second of work.
const MAX_BLOCKS: u128 = 1 << 20;
/// The size of one of those blocks, in bytes.
const BLOCK: u128 = 128;

const WHAT: &str = "private key";

/// The decrypted key, as DER of PKCS#8.
pub(super) fn decrypt(encrypted: &[u8], password: &[u8]) -> Result<Secret> {
    let unsupported = "is encrypted in a way that is not supported, or damaged: `openssl pkcs8 -topk8 -v2 aes256` \
                       encrypts it again";
    let info =
        EncryptedPrivateKeyInfoRef::try_from(encrypted).map_err(|_| Error::invalid(WHAT, unsupported))?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(Error::invalid(WHAT, unsupported));
    };
    if !is_bearable(&parameters.kdf) {
        let why = format!(
            "would take more work to decrypt than is done here: {} iterations of PBKDF2, or {} MiB and \
             {MAX_BLOCKS} blocks of scrypt",
            MAX_ITERATIONS,
            MAX_MEMORY >> 20
        );
        return Err(Error::invalid(WHAT, why));
    }
    let mut buffer = Secret::new(info.encrypted_data.as_bytes().to_vec());
    let decrypted = parameters.decrypt_in_place(password, buffer.as_mut()).map_err(|why| match why {
        pkcs8::pkcs5::Error::DecryptFailed => Error::WrongPassword,
        _ => Error::invalid(WHAT, unsupported),
    })?;
    // For one wrong password in 256 the result has valid padding, but is no key.
    if der::key_label(decrypted) != Some(Label::PrivateKey) {
        return Err(Error::WrongPassword);
    }
    Ok(Secret::new(decrypted.to_vec()))
}

fn is_bearable(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Pbkdf2(parameters) => parameters.iteration_count <= MAX_ITERATIONS,
        Kdf::Scrypt(parameters) => {
            let row = u128::from(parameters.cost_parameter).saturating_mul(parameters.block_size.into());
            let rows = u128::from(parameters.parallelization);
            row.saturating_mul(BLOCK) <= MAX_MEMORY && row.saturating_mul(rows) <= MAX_BLOCKS
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkcs8::pkcs5::pbes2::{Pbkdf2Params, ScryptParams};

    #[test]
    fn each_limit_holds_on_both_sides() {
        let pbkdf2 = |iterations| Kdf::from(Pbkdf2Params::hmac_sha256(iterations, b"salt").unwrap());
        assert!(is_bearable(&pbkdf2(MAX_ITERATIONS)) && !is_bearable(&pbkdf2(MAX_ITERATIONS + 1)));
        let scrypt = |cost_parameter, block_size, parallelization| {
            let salt = b"salt".as_slice().try_into().unwrap();
            is_bearable(
                &ScryptParams { salt, cost_parameter, block_size, parallelization, key_length: None }.into(),
            )
        };
        assert!(scrypt(1 << 14, 8, 1), "OpenSSL's default");
        assert!(scrypt(1 << 16, 8, 2) && !scrypt(1 << 17, 8, 1) && !scrypt(1 << 16, 9, 1), "memory");
        assert!(scrypt(1 << 14, 8, 8) && !scrypt(1 << 14, 8, 9), "blocks");
        assert!(!scrypt(u64::MAX, u16::MAX, u16::MAX));
    }
}
