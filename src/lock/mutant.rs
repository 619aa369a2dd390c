//! Known mistakes of lock clients, each of which can be switched on in the build that the simulator uses, and in no other:
//! what the simulator does not find there, it would not find here either.

use super::config::Config;

macro_rules! mutants {
    ($($(#[doc = $text:literal])* $name:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(not(feature = "sim"), allow(dead_code, reason = "made by simulated servers"))]
        pub(crate) enum Mutant {
            $($(#[doc = $text])* $name,)*
        }

        #[cfg(feature = "sim")]
        impl Mutant {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What it does, in words.
            pub(crate) fn text(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($text,)*).trim_ascii(),)*
                }
            }
        }
    };
}

mutants! {
    /// A server grants tokens that begin at its fence, not beyond it.
    EqualBallot,
    /// Grants of an earlier ballot count together with those of the present one.
    MixedBallots,
    /// A deadline is counted from the reply, not from the request.
    DeadlineFromReply,
    /// One node's word prolongs a lease.
    OneAckExtend,
    /// An extension that comes after the deadline makes the handle valid again.
    ResumeAfterDeadline,
    /// A node that is filled in quarantine counts, in the round that fills it.
    FillCountedInQuarantine,
    /// The quarantine is a second shorter: uptimes are in whole seconds.
    ShortQuarantine,
    /// The quarantine does not allow for wall clocks that differ.
    QuarantineWithoutSkew,
    /// A node that does not hold the lock confirms a new block of tokens.
    ForeignFenceAck,
    /// A server's fence is the first token of a block, not the last.
    FenceAtFirst,
    /// A release does not raise the fence.
    NoTombstone,
    /// An id is used again after its release was sent.
    ReusedId,
    /// A release deletes the key, whoever holds it.
    BlindRelease,
    /// What a round that failed was granted is not given back.
    NoReleaseAfterFailure,
    /// Who waits does not look again once it is told of releases.
    NoRecheck,
    /// Who waits relies on being told of releases.
    NoPoll,
    /// Servers compare tokens as text.
    TextCompare,
    /// A failed extension releases the lock.
    FailedExtendReleases,
    /// Two addresses of one server count twice.
    DuplicateCounted,
    /// A handle is valid until a timer has fired.
    TimerOnlyValidity,
    /// An extension by less than what is left shortens the key's life on the server.
    ExtendShortens,
    /// The grant of a node in quarantine counts.
    QuarantinedGrantCounted,
    /// A voter that has lost the key stays a voter.
    GoneStaysVoter,
    /// Nothing is taken off a validity for clocks of different speed.
    NoDrift,
    /// An answer to an earlier extension counts in the present one.
    LateAnswerCounted,
    /// Who was granted a lock too late to take it numbers its rounds as if that had not been renewed meanwhile.
    RenewalsForgotten,
    /// A node that was down when this process began, and has started since, votes at once.
    LatecomerTrusts,
    /// Nodes that a call had no time to ask are told to have failed.
    UnaskedAtFault,
    /// A lock is handed on in its process for ever, whoever else waits.
    EndlessHandOver,
}

impl Config {
    /// The mistake is switched on.
    #[cfg(feature = "sim")]
    pub(crate) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    #[cfg(not(feature = "sim"))]
    pub(crate) const fn has(&self, _: Mutant) -> bool {
        false
    }
}
