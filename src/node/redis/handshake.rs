//! What a server is asked once for each connection, and what follows from its answers.

use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, Value};

use super::fault;
use super::options::Options;
use super::script::{OwnRelease, SCRIPTS};
use crate::node::{Fault, FaultCode, Identity};

/// One section of INFO a command: servers before 7.0 take no more.
const SECTIONS: [&str; 3] = ["server", "replication", "memory"];
/// Scripts and `SELECT` need more than one slot.
const CLUSTER: &str = "the server runs in cluster mode: nodes are independent servers";

pub(super) fn questions(options: &Options) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for section in SECTIONS {
        pipeline.cmd("INFO").arg(section);
    }
    for script in SCRIPTS {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(script.source);
    }
    // Called wrongly on purpose: a server that knows it complains of that, before it looks at any rights.
    OwnRelease::ALL.iter().for_each(|own| {
        pipeline.cmd(own.name());
    });
    for (field, value) in [("LIB-NAME", "quorlock"), ("LIB-VER", env!("CARGO_PKG_VERSION"))] {
        // Unknown before Redis 7.2, and perhaps denied: a name is only for people.
        pipeline.cmd("CLIENT").arg("SETINFO").arg(field).arg(value);
    }
    if let Some(name) = &options.client_name {
        pipeline.cmd("CLIENT").arg("SETNAME").arg(name);
    }
    pipeline
}

/// What a server that may vote says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// What tells this server from others, where it says so.
    pub(crate) identity: Identity,
    /// Rights that its ACL withholds, in words; the feature that needs them goes without.
    pub(crate) warning: Option<String>,
    /// What its wall clock shows, in microseconds since 1970, where it says so.
    pub(crate) clock: Option<u64>,
}

/// Reads the answers to [`questions`]: who it is, whether it may vote at all, and what it refused to say.
pub(super) fn look(answers: &[Value]) -> Result<Greeting, Fault> {
    for answer in answers {
        // It cannot vote now, whatever it would say later.
        if let Value::ServerError(error) = answer
            && matches!(error.code(), "NOAUTH" | "WRONGPASS" | "LOADING" | "BUSY" | "MASTERDOWN")
        {
            return Err(fault::from_server(error));
        }
    }
    let server = info(answers.first())?;
    let replication = info(answers.get(1))?;
    if let Some(role) = field(&replication, "role")
        && role != "master"
    {
        return Err(Fault::new(FaultCode::NotMaster, format!("the server is a {role}: only a primary can vote")));
    }
    // Valkey's name for it is the second.
    if ["redis_mode", "server_mode"].into_iter().any(|name| field(&server, name) == Some("cluster")) {
        return Err(Fault::new(FaultCode::Protocol, CLUSTER));
    }
    let refused = |index: usize| matches!(answers.get(index), Some(Value::ServerError(_)));
    let mut warnings = Vec::new();
    if refused(0) || refused(1) {
        warnings.push(
            "the server refuses INFO (two addresses of one server, replicas and restarts go unnoticed)".to_owned(),
        );
    }
    if (SECTIONS.len()..SECTIONS.len() + SCRIPTS.len()).any(refused) {
        warnings
            .push("the server refuses SCRIPT LOAD (the first release and extend send the script's text)".to_owned());
    }
    let memory = info(answers.get(2))?;
    if let Some(policy) = field(&memory, "maxmemory_policy")
        && policy != "noeviction"
        && field(&memory, "maxmemory") != Some("0")
    {
        warnings.push(format!("the server evicts keys when it is full (maxmemory-policy {policy}): locks may be lost"));
    }
    let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
    let uptime = field(&server, "uptime_in_seconds").and_then(|seconds| seconds.parse().ok());
    let identity = Identity {
        run: field(&server, "run_id").map(Arc::from),
        promotion: promotion(&replication).map(Arc::from),
        uptime: uptime.map(Duration::from_secs),
    };
    let clock = field(&server, "server_time_usec").and_then(|micros| micros.parse().ok());
    Ok(Greeting { identity, warning, clock })
}

/// A server that is promoted takes a new replication id and keeps its old master's as the second one. The first id alone
/// also changes when the first replica comes to a master, or the last one has been away for long; that has no second.
fn promotion(replication: &str) -> Option<&str> {
    let second = field(replication, "master_replid2")?;
    second.contains(|digit| digit != '0').then(|| field(replication, "master_replid")).flatten()
}

/// The command that releases without a script, where there is one.
pub(super) fn own_release(answers: &[Value]) -> Option<OwnRelease> {
    let is_known = |answer: &Value| match answer {
        Value::ServerError(error) => error.details().is_some_and(|text| text.starts_with("wrong number of arg")),
        _ => false,
    };
    let answers = answers.get(SECTIONS.len() + SCRIPTS.len()..)?;
    OwnRelease::ALL.into_iter().zip(answers).find(|(_, answer)| is_known(answer)).map(|(own, _)| own)
}

/// One section of INFO; nothing where the server refuses it. Whatever answers something else is no Redis.
fn info(answer: Option<&Value>) -> Result<String, Fault> {
    match answer {
        Some(Value::BulkString(bytes)) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Some(Value::VerbatimString { text, .. }) => Ok(text.clone()),
        Some(Value::ServerError(_)) => Ok(String::new()),
        _ => Err(Fault::new(FaultCode::Protocol, "the server does not answer INFO as a Redis server does")),
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn reads_identity_and_role() {
        let answers = [bulk("# Server\r\nrun_id:abc\r\nuptime_in_seconds:7\r\n"), bulk("role:master\r\n"), bulk("")];
        let identity =
            Identity { run: Some("abc".into()), uptime: Some(Duration::from_secs(7)), ..Identity::default() };
        assert_eq!(look(&answers), Ok(Greeting { identity, warning: None, clock: None }));
    }

    #[test]
    fn reads_the_clock_where_the_server_tells_it() {
        let clock = |server: &str| look(&[bulk(server), bulk("role:master\r\n"), bulk("")]).unwrap().clock;
        assert_eq!(clock("server_time_usec:1795912463858736\r\n"), Some(1_795_912_463_858_736));
        assert_eq!(clock("server_time_usec:soon\r\n"), None);
        assert_eq!(clock("server_time_usec:-1\r\n"), None);
    }

    #[test]
    fn a_master_that_has_been_a_replica_is_told_from_one_that_has_replicas() {
        let promotion = |first: &str, second: &str| {
            let text = format!("role:master\r\nmaster_replid:{first}\r\nmaster_replid2:{second}\r\n");
            look(&[bulk("run_id:abc\r\n"), bulk(&text), bulk("")]).unwrap().identity.promotion
        };
        assert_eq!(promotion("4dd6", &"0".repeat(40)), None);
        assert_eq!(promotion("d4a8", "5b55").as_deref(), Some("d4a8"));
        assert_eq!(promotion("d4a8", ""), None);
        let greeting = look(&[bulk("run_id:abc\r\n"), bulk("role:master\r\n"), bulk("")]).unwrap();
        assert_eq!(greeting.identity.promotion, None, "a server that does not say");
    }

    #[test]
    fn a_server_in_cluster_mode_is_no_node() {
        for mode in ["redis_mode", "server_mode"] {
            let answers = |value: &str| [bulk(&format!("{mode}:{value}\r\n")), bulk("role:master\r\n"), bulk("")];
            let fault = look(&answers("cluster")).unwrap_err();
            assert!(fault.message.contains("cluster mode"), "{}", fault.message);
            assert!(look(&answers("standalone")).is_ok());
        }
    }

    #[test]
    fn a_server_that_evicts_is_warned_about() {
        let warning = |memory: &str| look(&[bulk(""), bulk("role:master\r\n"), bulk(memory)]).unwrap().warning;
        let text = warning("maxmemory:1000000\r\nmaxmemory_policy:allkeys-lru\r\n").unwrap();
        assert!(text.contains("allkeys-lru"), "{text}");
        assert_eq!(warning("maxmemory:1000000\r\nmaxmemory_policy:noeviction\r\n"), None);
        assert_eq!(warning("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n"), None);
    }

    #[test]
    fn a_replica_does_not_vote() {
        let fault = look(&[bulk("run_id:abc\r\n"), bulk("role:slave\r\n")]).unwrap_err();
        assert_eq!(fault.code, FaultCode::NotMaster);
    }

    #[test]
    fn a_server_that_refuses_to_say_is_taken_as_it_is_with_a_warning() {
        let refused = || match redis::parse_redis_value(b"-NOPERM no\r\n") {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        };
        let greeting = look(&[refused(), refused(), refused(), refused()]).unwrap();
        assert_eq!((greeting.identity, greeting.clock), (Identity::default(), None));
        let warning = greeting.warning.unwrap();
        assert!(warning.contains("INFO") && warning.contains("SCRIPT LOAD"), "{warning}");
    }

    #[test]
    fn a_server_that_still_loads_does_not_vote_yet_and_is_not_accused_of_refusing() {
        let loading = redis::parse_redis_value(b"-LOADING Redis is loading the dataset in memory\r\n").unwrap();
        let fault = look(&[bulk("run_id:abc\r\n"), bulk("role:master\r\n"), loading]).unwrap_err();
        assert_eq!(fault.code, FaultCode::Loading);
    }

    #[test]
    fn a_server_that_complains_of_missing_arguments_knows_the_command() {
        let answer = |line: &[u8]| redis::parse_redis_value(line).unwrap();
        let knows =
            |last: [Value; 2]| own_release(&[vec![bulk(""); SECTIONS.len() + SCRIPTS.len()], last.to_vec()].concat());
        let wrong = answer(b"-ERR wrong number of arguments for 'delifeq' command\r\n");
        let unknown = answer(b"-ERR unknown command 'DELIFEQ', with args beginning with: \r\n");
        assert_eq!(knows([wrong.clone(), unknown.clone()]), Some(OwnRelease::Delifeq));
        assert_eq!(knows([unknown.clone(), wrong]), Some(OwnRelease::Delex));
        assert_eq!(knows([unknown.clone(), unknown]), None);
        assert_eq!(own_release(&[]), None);
    }

    #[test]
    fn what_says_ok_to_everything_is_no_redis() {
        for answers in [&[Value::Okay, Value::Okay][..], &[Value::Int(3)], &[]] {
            assert_eq!(look(answers).unwrap_err().code, FaultCode::Protocol);
        }
    }
}
