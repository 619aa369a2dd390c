//! Parts of states. Most states share most of theirs with others: each part is kept once, together with its print.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::print::{ByPrint, print};

#[derive(Clone, Debug)]
struct Printed<T> {
    /// 0 while the part is being changed.
    print: u128,
    part: T,
}

#[derive(Clone, Debug)]
pub(super) struct Kept<T>(Arc<Printed<T>>);

impl<T: Clone + Hash> Kept<T> {
    pub(super) fn sealed(part: T, pool: &Pool<T>) -> Self {
        let mut kept = Self(Arc::new(Printed { print: 0, part }));
        kept.seal(pool);
        kept
    }

    pub(super) fn print(&self) -> u128 {
        self.0.print
    }

    /// Its own from now on, until it is [sealed](Self::seal).
    pub(super) fn edit(&mut self) -> &mut T {
        let own = Arc::make_mut(&mut self.0);
        own.print = 0;
        &mut own.part
    }

    /// It is as it will be.
    pub(super) fn seal(&mut self, pool: &Pool<T>) {
        if self.0.print == 0 {
            let own = Arc::make_mut(&mut self.0);
            own.print = print(&own.part);
            self.0 = pool.shelf(own.print).entry(own.print).or_insert_with(|| self.0.clone()).clone();
        }
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.part
    }
}

impl<T> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0.print as u64);
        hasher.write_u64((self.0.print >> 64) as u64);
    }
}

const SHELVES: usize = 64;

type Shelf<T> = HashMap<u128, Arc<Printed<T>>, ByPrint>;

/// All parts of one kind.
pub(super) struct Pool<T>([Mutex<Shelf<T>>; SHELVES]);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl<T> Pool<T> {
    fn shelf(&self, print: u128) -> MutexGuard<'_, Shelf<T>> {
        lock(&self.0[(print >> 64) as usize % SHELVES])
    }

    /// Forgets what no state has any more.
    pub(super) fn sweep(&self) {
        for shelf in &self.0 {
            lock(shelf).retain(|_, part| Arc::strong_count(part) > 1);
        }
    }
}

/// What was worked out before, by the print of the question.
pub(super) struct Memory<T>([Mutex<HashMap<u128, Arc<T>, ByPrint>>; SHELVES]);

/// So many answers a shelf has, before it forgets them all.
const MOST: usize = 1 << 12;

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl<T> Memory<T> {
    pub(super) fn find(&self, question: u128, work_out: impl FnOnce() -> T) -> Arc<T> {
        let shelf = &self.0[(question >> 64) as usize % SHELVES];
        if let Some(known) = lock(shelf).get(&question) {
            return known.clone();
        }
        let answer = Arc::new(work_out());
        lock(shelf).insert(question, answer.clone());
        answer
    }

    pub(super) fn sweep(&self) {
        for shelf in &self.0 {
            let mut shelf = lock(shelf);
            if shelf.len() > MOST {
                shelf.clear();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
