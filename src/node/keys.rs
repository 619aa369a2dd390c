//! The keys of one call, prefixed, sorted by their bytes and without duplicates.

use std::sync::Arc;

/// Most keys one call may lock: one bit each in a node's answer.
pub(crate) const MAX_KEYS: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Keys {
    One(Arc<str>),
    Many(Arc<[Box<str>]>),
}

impl Keys {
    pub(crate) fn one(key: &str) -> Self {
        Self::One(key.into())
    }

    pub(crate) fn many(mut keys: Vec<Box<str>>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        match keys.as_slice() {
            [key] => Self::one(key),
            _ => Self::Many(keys.into()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(keys) => keys.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many): (Option<&str>, &[Box<str>]) = match self {
            Self::One(key) => (Some(key), &[]),
            Self::Many(keys) => (None, keys),
        };
        one.into_iter().chain(many.iter().map(AsRef::as_ref))
    }

    /// Each key, as somebody may keep it.
    pub(crate) fn iter_shared(&self) -> impl Iterator<Item = Arc<str>> {
        let (one, many): (Option<&Arc<str>>, &[Box<str>]) = match self {
            Self::One(key) => (Some(key), &[]),
            Self::Many(keys) => (None, keys),
        };
        one.into_iter().cloned().chain(many.iter().map(|key| Arc::from(&**key)))
    }

    /// The only key, where there is only one.
    pub(crate) fn single(&self) -> Option<&Arc<str>> {
        match self {
            Self::One(key) => Some(key),
            Self::Many(_) => None,
        }
    }

    /// One bit for each key.
    pub(crate) fn mask(&self) -> u64 {
        u64::MAX >> (MAX_KEYS - self.len().clamp(1, MAX_KEYS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_sorted_by_bytes_and_deduplicated() {
        let keys = Keys::many(["z", "é", "a", "z"].map(Box::from).to_vec());
        assert_eq!(keys.iter().collect::<Vec<_>>(), ["a", "z", "é"]);
        assert_eq!(keys.mask(), 0b111);
    }

    #[test]
    fn many_of_one_is_one() {
        assert_eq!(Keys::many(vec!["a".into(), "a".into()]), Keys::one("a"));
        assert_eq!(Keys::one("a").mask(), 1);
    }

    #[test]
    fn the_mask_reaches_the_largest_number_of_keys() {
        let keys = (0..MAX_KEYS).map(|n| format!("{n:02}").into()).collect();
        assert_eq!(Keys::many(keys).mask(), u64::MAX);
    }
}
