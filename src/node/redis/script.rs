//! The scripts that servers run for us, and how they are called.

use std::sync::LazyLock;

use redis::{Cmd, Script};

/// How scripts are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// With the text: the server does not know the hash (any more), and knows it from then on.
    pub(super) source: bool,
    /// Once for each key: a call for several failed, and the fault may be of one of them.
    pub(super) alone: bool,
    /// Releases without a fence go by the server's own command for them, which costs it less than a script.
    pub(super) own_release: Option<OwnRelease>,
}

/// A server's own command that deletes a key which holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnRelease {
    /// Valkey 9 and later.
    Delifeq,
    /// Redis 8.4 and later.
    Delex,
}

impl OwnRelease {
    pub(super) const ALL: [Self; 2] = [Self::Delifeq, Self::Delex];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Delifeq => "DELIFEQ",
            Self::Delex => "DELEX",
        }
    }
}

pub(super) struct OwnScript {
    pub(super) source: &'static str,
    hash: LazyLock<String>,
}

macro_rules! own_script {
    ($file:literal) => {
        OwnScript {
            source: include_str!(concat!("scripts/", $file)),
            hash: LazyLock::new(|| Script::new(include_str!(concat!("scripts/", $file))).get_hash().to_owned()),
        }
    };
}

pub(super) static EXTEND: OwnScript = own_script!("extend.lua");
pub(super) static EXTEND_MANY: OwnScript = own_script!("extend_many.lua");
pub(super) static RELEASE: OwnScript = own_script!("release.lua");
pub(super) static RELEASE_MANY: OwnScript = own_script!("release_many.lua");

pub(super) static ACQUIRE_FENCED: OwnScript = own_script!("acquire_fenced.lua");
pub(super) static EXTEND_FENCED: OwnScript = own_script!("extend_fenced.lua");
pub(super) static RELEASE_FENCED: OwnScript = own_script!("release_fenced.lua");

pub(super) static SCRIPTS: [&OwnScript; 7] =
    [&EXTEND, &EXTEND_MANY, &RELEASE, &RELEASE_MANY, &ACQUIRE_FENCED, &EXTEND_FENCED, &RELEASE_FENCED];

impl OwnScript {
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// The beginning of a call; so many keys follow, and then the arguments.
    pub(super) fn call(&self, form: Form, keys: usize, bytes: usize) -> Cmd {
        let mut cmd = Cmd::with_capacity(2 * keys + 4, bytes);
        if form.source {
            cmd.arg("EVAL").arg(self.source);
        } else {
            cmd.arg("EVALSHA").arg(self.hash());
        }
        cmd.arg(keys);
        cmd
    }
}
