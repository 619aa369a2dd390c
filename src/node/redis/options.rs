//! How to reach one server, and as whom.

use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp { host: String, port: u16 },
    Unix { path: PathBuf },
}

/// PEM texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct TlsOptions {
    pub(crate) ca: Option<String>,
    pub(crate) cert: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) servername: Option<String>,
    pub(crate) accept_any: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) address: Address,
    pub(crate) username: Option<String>,
    pub(crate) db: i64,
    pub(crate) client_name: Option<String>,
    pub(crate) tls: Option<TlsOptions>,
}
