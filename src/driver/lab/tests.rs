use super::*;
use crate::driver::{Engine, Mail, MailEvent};
use crate::lock::tests::script::{self, ms};
use crate::lock::{Call, Event, Kind, Lost, RestartGuard, Retry, Slot, Verdict};
use crate::node::Keys;

fn config() -> Config {
    Config { restart_guard: RestartGuard::Observed, ..script::config(3) }
}

fn service(lab: &Arc<Lab>) -> Engine {
    Engine::start_in(lab, config(), 0, Arc::new(|| {}))
}

fn acquire(engine: &Engine, wait: u64, renew: bool) -> Slot {
    let retry = Retry::new(Some(ms(wait)), 10, ms(50), ms(1000));
    let call = Call { keys: Keys::one("k"), ttl: ms(1000), renew, once: false, retry };
    let slot = engine.call(|slot| Event::Acquire { slot, call });
    engine.flush();
    slot
}

/// What has happened to the calls of a service since it was last asked.
fn news(engine: &Engine) -> Vec<(Slot, Option<Kind>)> {
    let mut news = Vec::new();
    engine.collect(|Mail { slot, event }| {
        match event {
            MailEvent::Granted(_) => news.push((slot, None)),
            MailEvent::Turned(kind) => news.push((slot, Some(kind))),
            MailEvent::Words => {}
        }
        true
    });
    news
}

fn pass(lab: &Lab, span: u64) {
    let until = lab.now() + ms(span);
    while lab.step(until) {}
}

#[test]
fn a_lock_expires_when_its_time_has_passed_and_not_before() {
    let lab = Lab::new(3);
    let engine = service(&lab);
    let slot = acquire(&engine, 0, false);
    assert_eq!(news(&engine), [(slot, None)]);
    std::thread::sleep(ms(2));
    let whole = engine.remaining(slot);
    assert_eq!(whole, ms(1000 - 10 - 2));
    pass(&lab, 987);
    assert_eq!(engine.remaining(slot), ms(1));
    assert_eq!(news(&engine), []);
    pass(&lab, 1);
    assert_eq!(engine.remaining(slot), Duration::ZERO);
    assert_eq!(news(&engine), [(slot, Some(Kind::Lost(Lost::Expired)))]);
}

#[test]
fn renewal_keeps_a_lock_and_an_idle_service_is_not_taken_for_a_blocked_one() {
    let lab = Lab::new(3);
    let engine = service(&lab);
    let slot = acquire(&engine, 0, true);
    assert_eq!(news(&engine), [(slot, None)]);
    pass(&lab, 599_000);
    assert_eq!(news(&engine), []);
    assert!(engine.remaining(slot) > ms(600));
    pass(&lab, 2000);
    assert_eq!(news(&engine), [(slot, Some(Kind::Lost(Lost::MaxHold)))]);
}

#[test]
fn who_waits_gets_the_lock_at_the_moment_in_which_another_service_gives_it_back() {
    let lab = Lab::new(3);
    let (one, other) = (service(&lab), service(&lab));
    let slot = acquire(&one, 0, false);
    assert_eq!(news(&one), [(slot, None)]);
    let waiting = acquire(&other, 5000, false);
    assert_eq!(news(&other), []);
    one.tell(Event::Release { slot });
    assert!(one.flush());
    assert_eq!(news(&other), [(waiting, None)]);
    assert_eq!(lab.now(), Moment::default());
}

#[test]
fn who_waits_is_told_that_the_key_is_taken_when_the_wait_is_over() {
    let lab = Lab::new(3);
    let (one, other) = (service(&lab), service(&lab));
    acquire(&one, 0, true);
    news(&one);
    let waiting = acquire(&other, 5000, false);
    pass(&lab, 4900);
    assert_eq!(news(&other), []);
    pass(&lab, 100);
    assert_eq!(news(&other), [(waiting, Some(Kind::Failed(Verdict::Contended)))]);
}

#[test]
fn two_labs_that_are_asked_for_the_same_do_the_same() {
    let history = || {
        let lab = Lab::new(3);
        let (one, other) = (service(&lab), service(&lab));
        acquire(&one, 0, false);
        acquire(&other, 5000, false);
        let mut moments = Vec::new();
        while lab.step(Moment::default() + ms(5000)) {
            moments.push(lab.now());
        }
        moments
    };
    let first = history();
    assert!(first.len() > 2);
    assert_eq!(first, history());
}

#[test]
fn too_few_nodes_are_told_at_once_and_a_lock_is_granted_when_they_are_back() {
    let lab = Lab::new(3);
    let engine = service(&lab);
    lab.fail(2);
    let refused = acquire(&engine, 0, false);
    assert_eq!(news(&engine), [(refused, Some(Kind::Failed(Verdict::Unavailable)))]);
    let waiting = acquire(&engine, 5000, false);
    assert_eq!(news(&engine), []);
    lab.fail(0);
    assert_eq!(news(&engine), [(waiting, None)]);
    assert_eq!(lab.now(), Moment::default());
}

#[test]
fn a_key_that_is_forgotten_is_lost_at_once() {
    let lab = Lab::new(3);
    let (one, other) = (service(&lab), service(&lab));
    let slot = acquire(&one, 0, false);
    news(&one);
    assert!(!lab.forget("another"));
    assert_eq!(news(&one), []);
    assert!(lab.forget("k"));
    assert_eq!(news(&one), [(slot, Some(Kind::Lost(Lost::Gone)))]);
    assert!(!lab.forget("k"));
    let next = acquire(&other, 0, false);
    assert_eq!(news(&other), [(next, None)]);
}

#[test]
fn a_node_that_has_restarted_does_not_vote_for_a_while() {
    let lab = Lab::new(3);
    let engine = service(&lab);
    lab.restart(0);
    lab.restart(1);
    let refused = acquire(&engine, 0, false);
    assert_eq!(news(&engine), [(refused, Some(Kind::Failed(Verdict::Unavailable)))]);
    pass(&lab, 62_000);
    let slot = acquire(&engine, 0, false);
    assert_eq!(news(&engine), [(slot, None)]);
    lab.restart(99);
}

#[test]
fn whoever_ends_gives_back_what_it_holds() {
    let lab = Lab::new(3);
    let (one, other) = (service(&lab), service(&lab));
    acquire(&one, 0, true);
    news(&one);
    let waiting = acquire(&other, 5000, false);
    drop(one);
    assert_eq!(news(&other), [(waiting, None)]);
    assert_eq!(lab.state().members.len(), 1);
}
