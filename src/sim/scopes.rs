//! What is searched, and how far. The words are explained in `search::scope`.

use std::process::ExitCode;

use super::search::{Scope, search};

/// Searched in `npm test`.
const QUICK: &[&str] = &[
    "classic off acquires=1,1 releases=2",
    "classic off acquires=1,1 duplicates=1",
    "classic off acquires=1,1 extends=1 duplicates=1",
    "classic off acquires=1,1 expiries=1",
    "classic observed acquires=1,1 restarts=1",
    "classic off acquires=1,1 restarts=1 breaks",
    "fenced off acquires=1,1 releases=2",
    "fenced off acquires=1,1 duplicates=1",
    "fenced off acquires=1,1 expiries=1",
    "fenced observed acquires=1,1 restarts=1",
    "fenced strict acquires=1,1 restarts=1",
    "classic observed acquires=1,1 duplicates=1 restarts=1",
    "fenced off acquires=1,1 restarts=1 breaks",
    "fenced off acquires=1,1 handovers=1 releases=1",
    "fenced off ghosts acquires=1,1 releases=1",
    "classic strict latecomer acquires=1,1 restarts=1 ticks=1",
    "classic observed latecomer acquires=1,1 restarts=1 breaks",
    "classic observed absent acquires=1,1 restarts=1",
    "classic observed mutant=QuarantinedGrantCounted acquires=1,1 restarts=1 breaks",
    "classic off mutant=TimerOnlyValidity acquires=1,1 expiries=1 breaks",
    "classic off mutant=BlindRelease acquires=1,2 breaks",
    "classic off mutant=DeadlineFromReply acquires=1,1 extends=1 pauses=1 expiries=1 breaks",
    "classic off mutant=ResumeAfterDeadline acquires=1,1 extends=1 pauses=1 expiries=1 breaks",
    "classic strict mutant=ShortQuarantine latecomer acquires=1,1 restarts=1 ticks=1 breaks",
    "fenced observed mutant=QuarantineWithoutSkew ahead=3 acquires=1,1 restarts=1 ticks=1 breaks",
    "classic off mutant=FailedExtendReleases acquires=1,1 extends=1 ticks=1 breaks",
    "classic observed mutant=LatecomerTrusts absent acquires=1,1 restarts=1 breaks",
    "fenced off mutant=EqualBallot acquires=1,1 handovers=1 releases=1 breaks",
    "fenced off mutant=FenceAtFirst ahead=2 acquires=1,1 handovers=1 expiries=1 breaks",
    "fenced off mutant=NoTombstone ghosts acquires=1,1 releases=1 breaks",
];

/// Searched in `npm run test:full`, together with those.
const LONG: &[&str] = &[
    "classic off acquires=2,1 releases=2 ticks=1",
    "classic off acquires=1,1 releases=2 duplicates=1 expiries=1",
    "classic off acquires=1,1 extends=1 pauses=1 expiries=1",
    "classic observed acquires=1,1 releases=2 restarts=1 ticks=1",
    "classic observed acquires=1,1 restarts=1 expiries=1",
    "classic observed acquires=1,1 extends=1 pauses=1 restarts=1",
    "classic strict acquires=1,1 releases=2 restarts=1 ticks=1",
    "fenced off acquires=1,1 releases=2 ticks=1",
    "fenced off acquires=1,1 releases=2 duplicates=1",
    "fenced off acquires=1,1 extends=1 pauses=1 expiries=1",
    "fenced observed acquires=1,1 releases=1 restarts=1 ticks=1",
    "fenced observed acquires=1,1 restarts=1 expiries=1",
    "fenced observed acquires=1,1 extends=1 releases=1 restarts=1",
    "classic off acquires=1,1 extends=1 ticks=1",
    "fenced off acquires=1,1 extends=1 duplicates=1",
    "classic off acquires=1,1 extends=1 releases=1 duplicates=1",
    "fenced observed acquires=1,1 duplicates=1 restarts=1",
    "fenced strict latecomer acquires=1,1 restarts=1 ticks=1",
    "classic off acquires=1,1 extends=1 restarts=1 breaks",
    "fenced off acquires=1,1 extends=1 restarts=1 breaks",
    "fenced observed ahead=3 acquires=1,1 restarts=1 ticks=1",
    "fenced off mutant=MixedBallots acquires=1,2 releases=1 expiries=1 breaks",
    "classic off mutant=OneAckExtend acquires=1,1 extends=1 pauses=1 expiries=1 breaks",
];

/// `quick`, `full`, or one scope in words.
pub(super) fn main(extent: &str, threads: usize) -> ExitCode {
    let scopes: Vec<&str> = match extent {
        "quick" => QUICK.to_vec(),
        "full" => QUICK.iter().chain(LONG).copied().collect(),
        words => vec![words],
    };
    let is_one = scopes.len() == 1;
    let mut all_well = true;
    for words in scopes {
        let Some(scope) = Scope::parse(words) else {
            eprintln!("no scope is called so: {words}");
            return ExitCode::FAILURE;
        };
        let found = search(&scope, threads);
        let verdict = match &found.counterexample {
            None => "no promise broken".to_owned(),
            Some((path, broken)) => format!("{broken}, after {} steps", path.len()),
        };
        let (states, moves, depth, seconds) = (found.states, found.moves, found.depth, found.seconds);
        println!("{words}\t{states}\t{moves}\t{depth}\t{seconds:.1}\t{verdict}");
        let is_expected = found.counterexample.is_some() == scope.is_known_to_break;
        if !is_expected {
            all_well = false;
            eprintln!("  that is not what was to be found");
        }
        if let Some((path, _)) = found.counterexample.filter(|_| !is_expected || is_one) {
            eprintln!("  {path:?}");
        }
    }
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
