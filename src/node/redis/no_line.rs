//! Stands for `line.rs` where there are no descriptors that an event loop could watch.

use std::io;

use crate::node::Watched;

/// There is none.
pub(crate) enum Line {}

impl Line {
    pub(super) fn descriptor(&self) -> io::Result<Watched> {
        match *self {}
    }

    pub(crate) fn is_on_loop(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_blocked(&self) -> bool {
        match *self {}
    }

    pub(crate) fn note_readable(&self) {
        match *self {}
    }

    pub(super) fn give_to_loop(&self) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn give_to_io_thread(&self) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn close(&self) {
        match *self {}
    }
}
