//! What a server answers to a group, read for each of its requests.

use redis::Value;

use super::{is_fenced, is_one_call, key_count};
use crate::node::redis::command;
use crate::node::redis::script::Form;
use crate::node::{Answer, Command, Request};

/// Reads one group's values; what does not fit the command never counts as a vote. Returns the form in which the group
/// must be sent again, if it must.
pub(in crate::node::redis) fn read(
    group: &[Request],
    form: Form,
    values: &[Value],
    answers: &mut Vec<Answer>,
) -> Option<Form> {
    let errors = || values.iter().filter_map(server_error);
    // What was called with its text cannot be unknown.
    if !form.source && errors().any(|error| error.code() == "NOSCRIPT") {
        return Some(Form { source: true, ..form });
    }
    let is_release = matches!(group, [first, ..] if first.command == Command::Release && first.tokens.is_none());
    if form.own_release.is_some() && is_release && errors().any(|error| error.code() != "WRONGTYPE") {
        return Some(Form { own_release: None, ..form });
    }
    let single: Vec<Value>;
    let mut rest = values;
    if is_one_call(group, form) {
        if errors().next().is_some() {
            return Some(Form { alone: true, ..form });
        }
        rest = match values {
            [Value::Array(answers)] if answers.len() == key_count(group) => answers,
            _ => &[],
        };
    } else if is_fenced(group) {
        // One call for each key, of which each gives a list of one.
        single = values.iter().map(only).collect();
        rest = &single;
    }
    for request in group {
        let count = if request.command == Command::Probe { rest.len() } else { request.keys.len() };
        let (own, others) = rest.split_at(count.min(rest.len()));
        rest = others;
        answers.push(Answer { tag: request.tag, reply: command::read(request, own) });
    }
    None
}

/// The list is all that fits the command, unless it fails: then its error stands for it. An empty list fits nothing.
fn only(value: &Value) -> Value {
    match value {
        Value::Array(list) if list.len() == 1 => list[0].clone(),
        Value::ServerError(error) => Value::ServerError(error.clone()),
        _ => Value::Array(Vec::new()),
    }
}

fn server_error(value: &Value) -> Option<&redis::ServerError> {
    match value {
        Value::ServerError(error) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ACQUIRE, HASH, PROLONG, request};
    use super::*;
    use crate::node::redis::script::OwnRelease;
    use crate::node::{FaultCode, Keys, Reply};

    fn read_all(group: &[Request], form: Form, values: &[Value]) -> Result<Vec<Reply>, Form> {
        let mut answers = Vec::new();
        match read(group, form, values, &mut answers) {
            Some(form) => Err(form),
            None => Ok(answers.into_iter().map(|answer| answer.reply).collect()),
        }
    }

    fn error(line: &str) -> Value {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap()
    }

    const YES: Reply = Reply::Voted { yes: 1, no: 0, fault: None };
    const NO: Reply = Reply::Voted { yes: 0, no: 1, fault: None };

    #[test]
    fn the_servers_own_release_that_fails_is_made_again_by_the_script() {
        let own = Form { own_release: Some(OwnRelease::Delifeq), ..HASH };
        let group = [request(Command::Release, Keys::one("k"))];
        assert_eq!(read_all(&group, own, &[Value::Int(0)]), Ok(vec![YES]));
        assert_eq!(read_all(&group, own, &[error("NOPERM no")]), Err(HASH));
    }

    #[test]
    fn requests_that_share_no_call_have_a_value_each() {
        let group = ["k", "l"].map(|key| request(Command::Release, Keys::one(key)));
        assert_eq!(read_all(&group, HASH, &[Value::Int(1), Value::Int(0)]), Ok(vec![YES, YES]));
    }

    #[test]
    fn every_key_has_its_own_bit() {
        let keys = Keys::many(vec!["a".into(), "b".into(), "c".into()]);
        let replies = read_all(&[request(ACQUIRE, keys)], HASH, &[Value::Okay, Value::Nil, Value::Okay]);
        assert_eq!(replies, Ok(vec![Reply::Voted { yes: 0b101, no: 0b010, fault: None }]));
    }

    #[test]
    fn each_request_of_a_shared_call_gets_its_own_answer() {
        let pair = Keys::many(vec!["a".into(), "b".into()]);
        let group = [request(PROLONG, Keys::one("k")), request(PROLONG, pair), request(PROLONG, Keys::one("l"))];
        let values = [Value::Array([1, 0, 1, 0].map(Value::Int).to_vec())];
        let two = Reply::Voted { yes: 0b10, no: 0b01, fault: None };
        assert_eq!(read_all(&group, HASH, &values), Ok(vec![YES, two, NO]));
    }

    #[test]
    fn a_shared_call_that_fails_is_made_again_once_for_each_key() {
        let group = ["k", "l", "m"].map(|key| request(Command::Release, Keys::one(key)));
        let alone = Form { alone: true, ..HASH };
        assert_eq!(read_all(&group, HASH, &[error("NOPERM no")]), Err(alone));
        let unknown = [error("NOSCRIPT no")];
        assert_eq!(read_all(&group, HASH, &unknown), Err(Form { source: true, ..HASH }));
        assert_eq!(read_all(&group[..1], alone, &unknown), Err(Form { source: true, ..alone }));
        // Never a third time, whatever the server says.
        let last = read_all(&group[..1], Form { source: true, ..alone }, &unknown);
        assert!(matches!(last.as_deref(), Ok([Reply::Voted { yes: 0, no: 0, fault: Some(_) }])));
    }

    #[test]
    fn an_answer_of_the_wrong_length_is_a_fault_of_all() {
        let group = ["k", "l", "m"].map(|key| request(Command::Release, Keys::one(key)));
        for values in [&[Value::Array(vec![Value::Int(1)])][..], &[Value::Int(1)], &[]] {
            for reply in read_all(&group, HASH, values).unwrap() {
                assert!(matches!(reply, Reply::Voted { yes: 0, no: 0, fault: Some(_) }), "{reply:?}");
            }
        }
    }

    #[test]
    fn what_fits_another_command_is_no_vote() {
        let fenced = |command| {
            let tokens = Some(crate::node::Tokens::propose(1000, 0));
            [Request { tokens, ..request(command, Keys::one("k")) }]
        };
        let list = |value: Value| [Value::Array(vec![value])];
        let alone = Form { alone: true, ..HASH };
        let is_fault = |group: &[Request], form, values: &[Value]| {
            let replies = read_all(group, form, values).unwrap();
            matches!(&replies[..], [Reply::Voted { yes: 0, no: 0, fault: Some(fault) }] if fault.code == FaultCode::Protocol)
        };
        for form in [HASH, alone] {
            assert_eq!(read_all(&fenced(ACQUIRE), form, &list(Value::Int(1))), Ok(vec![YES]));
            assert_eq!(read_all(&fenced(ACQUIRE), form, &list(Value::Int(0))), Ok(vec![NO]));
            for wrong in
                [Value::Okay, Value::Nil, Value::Int(2), Value::Boolean(true), Value::Array(vec![Value::Int(1)])]
            {
                assert!(is_fault(&fenced(ACQUIRE), form, &list(wrong.clone())), "{wrong:?}");
            }
            for wrong in [Value::Okay, Value::Nil, Value::Int(1), Value::Array(vec![Value::Int(1), Value::Int(1)])] {
                assert!(is_fault(&fenced(ACQUIRE), form, std::slice::from_ref(&wrong)), "{wrong:?}");
                assert!(is_fault(&fenced(PROLONG), form, std::slice::from_ref(&wrong)), "{wrong:?}");
            }
        }
        for wrong in [Value::Int(1), Value::BulkString(b"OK".to_vec()), Value::SimpleString("ok".into())] {
            assert!(is_fault(&[request(ACQUIRE, Keys::one("k"))], HASH, &[wrong]));
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_a_fault_and_never_a_vote() {
        let fit = |command, value: &Value| matches!(command, Command::Release) && matches!(value, Value::Int(0 | 1));
        let values = [Value::Int(7), Value::SimpleString("yes".into()), Value::Array(vec![]), Value::Double(1.0)];
        for command in [ACQUIRE, PROLONG, Command::Release] {
            for value in &values {
                assert!(!fit(command, value));
                let group = [request(command, Keys::one("k"))];
                let replies = read_all(&group, HASH, std::slice::from_ref(value)).unwrap();
                let [Reply::Voted { yes, no, fault }] = &replies[..] else { panic!("a vote was expected") };
                assert_eq!((*yes, *no, fault.as_ref().map(|fault| fault.code)), (0, 0, Some(FaultCode::Protocol)));
            }
        }
    }
}
