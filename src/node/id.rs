//! The value a lock's keys hold: 122 random bits, written as 32 lowercase hex characters.

use uuid::{Builder, Uuid};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(Uuid);

/// Length of an id on the wire, in bytes.
pub(crate) const HEX_LENGTH: usize = 32;

impl Id {
    /// Names no attempt: for requests that need no id.
    pub(crate) const NIL: Id = Id(Uuid::nil());

    pub(crate) fn from_bits(high: u64, low: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        Self(Builder::from_random_bytes(bytes).into_uuid())
    }

    pub(crate) fn hex(self, buffer: &mut [u8; HEX_LENGTH]) -> &str {
        self.0.simple().encode_lower(buffer)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_version_4_uuid_without_dashes() {
        let mut buffer = [0; HEX_LENGTH];
        let text = Id::from_bits(u64::MAX, 0).hex(&mut buffer).to_owned();
        assert_eq!(text, "ffffffffffff4fff8000000000000000");
    }
}
