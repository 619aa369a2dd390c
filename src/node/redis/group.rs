//! Requests that share a command: a call of a script costs a server more than what it does for one key.

mod read;

use redis::{Cmd, Pipeline};

pub(super) use read::read;

use super::script::{EXTEND_MANY, Form, RELEASE_MANY};
use super::{command, fenced};
use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Request};

/// Fewest keys for which a shared call costs a server less than calls of their own.
const GROUP_KEYS_MIN: usize = 3;
/// Most keys that one script call serves: a server answers nobody else meanwhile, some microseconds here.
const GROUP_KEYS: usize = 64;

/// Splits requests into groups, each of which one command or one script call for each of its keys serves. Releases
/// that follow each other share a call, and so do extensions: the order of requests stays.
pub(super) fn groups(requests: &[Request], form: Form) -> impl Iterator<Item = &[Request]> {
    let mut rest = requests;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut keys = 0;
        let fits = |request: &&Request| {
            keys += request.keys.len();
            keys <= GROUP_KEYS && shares_script(first, request, form)
        };
        let length = if form.alone { 1 } else { rest.iter().take_while(fits).count().max(1) };
        let (group, others) = rest.split_at(length);
        rest = others;
        Some(group)
    })
}

fn shares_script(one: &Request, other: &Request, form: Form) -> bool {
    let fenced = match (one.tokens, other.tokens) {
        (Some(one), Some(other)) if fenced::share_call(one, other) => true,
        (None, None) => false,
        _ => return false,
    };
    match (one.command, other.command) {
        (Command::Acquire { .. }, Command::Acquire { .. }) => fenced,
        (Command::Release, Command::Release) => fenced || form.own_release.is_none(),
        (Command::Extend { .. }, Command::Extend { .. }) => true,
        _ => false,
    }
}

fn is_fenced(group: &[Request]) -> bool {
    matches!(group, [first, ..] if first.tokens.is_some())
}

fn key_count(group: &[Request]) -> usize {
    group.iter().map(|request| request.keys.len()).sum()
}

/// One script call serves all keys of the group.
fn is_one_call(group: &[Request], form: Form) -> bool {
    let scripted = matches!(group, [first, ..] if shares_script(first, first, form));
    scripted && !form.alone && (is_fenced(group) || key_count(group) >= GROUP_KEYS_MIN)
}

/// Values that the server sends back for one group.
pub(super) fn value_count(group: &[Request], form: Form) -> usize {
    match group {
        _ if is_one_call(group, form) => 1,
        [Request { command: Command::Probe, .. }, ..] => key_count(group) * 2,
        _ => key_count(group),
    }
}

pub(super) fn pack(group: &[Request], form: Form, pipeline: &mut Pipeline) {
    if is_fenced(group) {
        let parts = fenced::parts(group);
        let size = if is_one_call(group, form) { parts.len() } else { 1 };
        for cmd in parts.chunks(size.max(1)).filter_map(|parts| fenced::pack(parts, form)) {
            pipeline.add_command(cmd);
        }
    } else if is_one_call(group, form) {
        pipeline.add_command(pack_many(group, form));
    } else {
        group.iter().for_each(|request| command::pack(request, form, pipeline));
    }
}

fn pack_many(group: &[Request], form: Form) -> Cmd {
    let keys = key_count(group);
    let bytes =
        group.iter().flat_map(|request| request.keys.iter()).map(|key| key.len() + HEX_LENGTH + 8).sum::<usize>();
    let extends = matches!(group, [Request { command: Command::Extend { .. }, .. }, ..]);
    let script = if extends { &EXTEND_MANY } else { &RELEASE_MANY };
    let mut cmd = script.call(form, keys, bytes + 64);
    for key in group.iter().flat_map(|request| request.keys.iter()) {
        cmd.arg(key);
    }
    let mut buffer = [0; HEX_LENGTH];
    for request in group {
        let id = request.id.hex(&mut buffer);
        request.keys.iter().for_each(|_| {
            cmd.arg(id);
        });
    }
    for request in group {
        if let Command::Extend { ttl_ms } = request.command {
            request.keys.iter().for_each(|_| {
                cmd.arg(ttl_ms);
            });
        }
    }
    cmd
}

#[cfg(test)]
mod tests {
    use super::super::script::{OwnRelease, RELEASE};
    use super::*;
    use crate::node::{Id, Keys, Tag};

    pub(super) fn request(command: Command, keys: Keys) -> Request {
        Request { tag: Tag { slot: 0, generation: 0, round: 0 }, command, keys, id: Id::NIL, tokens: None }
    }

    pub(super) const HASH: Form = Form { source: false, alone: false, own_release: None };
    pub(super) const ACQUIRE: Command = Command::Acquire { ttl_ms: 5000 };
    pub(super) const PROLONG: Command = Command::Extend { ttl_ms: 5000 };

    fn packed(group: &[Request], form: Form) -> String {
        let mut pipeline = Pipeline::new();
        pack(group, form, &mut pipeline);
        String::from_utf8(pipeline.get_packed_pipeline()).unwrap()
    }

    #[test]
    fn acquire_is_a_plain_set() {
        let text = packed(&[request(ACQUIRE, Keys::one("k"))], HASH);
        let id = "0".repeat(32);
        assert_eq!(
            text,
            format!("*6\r\n$3\r\nSET\r\n$1\r\nk\r\n$32\r\n{id}\r\n$2\r\nNX\r\n$2\r\nPX\r\n$4\r\n5000\r\n")
        );
    }

    #[test]
    fn a_script_goes_by_its_hash_or_with_its_text() {
        let release = [request(Command::Release, Keys::one("k"))];
        assert!(packed(&release, HASH).contains(RELEASE.hash()));
        let source = Form { source: true, ..HASH };
        assert!(packed(&release, source).contains("redis.call('DEL', KEYS[1])"));
    }

    #[test]
    fn a_release_goes_by_the_servers_own_command_where_there_is_one() {
        let own = Form { own_release: Some(OwnRelease::Delifeq), ..HASH };
        let group = ["k", "l", "m"].map(|key| request(Command::Release, Keys::one(key)));
        assert_eq!(groups(&group, own).map(<[Request]>::len).collect::<Vec<_>>(), [1, 1, 1]);
        let id = "0".repeat(32);
        assert_eq!(packed(&group[..1], own), format!("*3\r\n$7\r\nDELIFEQ\r\n$1\r\nk\r\n$32\r\n{id}\r\n"));
        let delex = Form { own_release: Some(OwnRelease::Delex), ..HASH };
        assert_eq!(
            packed(&group[..1], delex),
            format!("*4\r\n$5\r\nDELEX\r\n$1\r\nk\r\n$4\r\nIFEQ\r\n$32\r\n{id}\r\n")
        );
    }

    #[test]
    fn two_keys_are_not_worth_a_shared_call() {
        let group = ["k", "l"].map(|key| request(Command::Release, Keys::one(key)));
        assert_eq!(value_count(&group, HASH), 2);
        assert_eq!(packed(&group, HASH).matches(RELEASE.hash()).count(), 2);
    }

    #[test]
    fn a_plain_acquire_has_a_value_for_each_key() {
        let keys = Keys::many(vec!["a".into(), "b".into(), "c".into()]);
        assert_eq!(value_count(&[request(ACQUIRE, keys)], HASH), 3);
    }

    #[test]
    fn neighbours_of_one_kind_share_a_call_and_the_order_stays() {
        let kinds = [ACQUIRE, ACQUIRE, Command::Release, Command::Release, ACQUIRE, Command::Release, PROLONG, PROLONG];
        let requests = kinds.map(|command| request(command, Keys::one("k")));
        let lengths = |form| groups(&requests, form).map(<[Request]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(HASH), [1, 1, 2, 1, 1, 2]);
        assert_eq!(lengths(Form { alone: true, ..HASH }), [1; 8]);
    }

    #[test]
    fn a_call_serves_a_limited_number_of_keys_and_at_least_one_request() {
        let many = |count: usize| Keys::many((0..count).map(|key| key.to_string().into()).collect());
        let requests = [40, 30, 64, 1].map(|count| request(Command::Release, many(count)));
        let lengths: Vec<_> = groups(&requests, HASH).map(<[Request]>::len).collect();
        assert_eq!(lengths, [1, 1, 1, 1]);
        let small = vec![request(Command::Release, Keys::one("k")); GROUP_KEYS + 1];
        let lengths: Vec<_> = groups(&small, HASH).map(<[Request]>::len).collect();
        assert_eq!(lengths, [GROUP_KEYS, 1]);
    }

    #[test]
    fn one_call_for_many_has_all_keys_then_all_ids_then_all_ttls() {
        let pair = Keys::many(vec!["b".into(), "c".into()]);
        let group = [request(PROLONG, Keys::one("a")), request(Command::Extend { ttl_ms: 70 }, pair)];
        assert_eq!(value_count(&group, HASH), 1);
        let text = packed(&group, HASH);
        let words: Vec<_> = text.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect();
        let id = "0".repeat(32);
        assert_eq!(words, ["EVALSHA", EXTEND_MANY.hash(), "3", "a", "b", "c", &id, &id, &id, "5000", "70", "70", ""]);
    }
}
