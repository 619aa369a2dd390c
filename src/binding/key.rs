//! A key on its way in, read into the stack: the hot path does without a `String`.

#![expect(unsafe_code, reason = "a string's text is read into memory of ours")]

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue, ValueType};
use napi::{Error, Result, Status, sys};

/// Longest key in bytes; `js/` refuses longer ones with a better message.
const LIMIT: usize = 512;

pub struct KeyText {
    bytes: [u8; LIMIT + 1],
    length: usize,
}

impl KeyText {
    pub(super) fn as_str(&self) -> &str {
        // Node writes whole characters only, so that this never fails; a key that is not text locks nothing.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl TypeName for KeyText {
    fn type_name() -> &'static str {
        "String"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ValidateNapiValue for KeyText {}

impl FromNapiValue for KeyText {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut key = Self { bytes: [0; LIMIT + 1], length: 0 };
        let buffer = key.bytes.as_mut_ptr().cast();
        // SAFETY: Node writes at most the given number of bytes, of which the last is a NUL.
        let status =
            unsafe { sys::napi_get_value_string_utf8(env, value, buffer, key.bytes.len(), &raw mut key.length) };
        if status != sys::Status::napi_ok {
            return Err(Error::new(Status::from(status), "key must be a string"));
        }
        Ok(key)
    }
}
