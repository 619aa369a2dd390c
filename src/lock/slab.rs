//! Entries by slot. A generation tells a slot's tenants apart, so that a late answer finds nobody.

use super::event::Slot;

#[derive(Clone, Debug, Hash)]
struct Cell<T> {
    generation: u32,
    entry: Option<T>,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Slab<T> {
    cells: Vec<Cell<T>>,
    free: Vec<Slot>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { cells: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, entry: T) -> (Slot, u32) {
        if let Some(slot) = self.free.pop() {
            let cell = &mut self.cells[slot as usize];
            cell.entry = Some(entry);
            return (slot, cell.generation);
        }
        let slot = Slot::try_from(self.cells.len()).expect("fewer than 2^32 calls at once fit in memory");
        self.cells.push(Cell { generation: 0, entry: Some(entry) });
        (slot, 0)
    }

    pub(super) fn generation(&self, slot: Slot) -> u32 {
        self.cells.get(slot as usize).map_or(0, |cell| cell.generation)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        self.cells.get(slot as usize)?.entry.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.cells.get_mut(slot as usize)?.entry.as_mut()
    }

    /// The entry, if the slot still has the tenant of this generation.
    pub(super) fn tenant(&mut self, slot: Slot, generation: u32) -> Option<&mut T> {
        let cell = self.cells.get_mut(slot as usize)?;
        if cell.generation == generation { cell.entry.as_mut() } else { None }
    }

    pub(super) fn peek(&self, slot: Slot, generation: u32) -> Option<&T> {
        let cell = self.cells.get(slot as usize)?;
        if cell.generation == generation { cell.entry.as_ref() } else { None }
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<T> {
        let cell = self.cells.get_mut(slot as usize)?;
        let entry = cell.entry.take()?;
        cell.generation = cell.generation.wrapping_add(1);
        self.free.push(slot);
        Some(entry)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        (0..).zip(&self.cells).filter_map(|(slot, cell)| Some((slot, cell.entry.as_ref()?)))
    }

    #[cfg(any(test, feature = "sim"))]
    pub(super) fn len(&self) -> usize {
        self.cells.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_by_another_generation() {
        let mut slab = Slab::default();
        let (slot, generation) = slab.insert('a');
        assert_eq!(slab.remove(slot), Some('a'));
        assert_eq!(slab.remove(slot), None);
        let (again, next) = slab.insert('b');
        assert_eq!((again, next), (slot, generation + 1));
        assert_eq!(slab.tenant(slot, generation), None);
        assert_eq!(slab.tenant(slot, next), Some(&mut 'b'));
        assert_eq!(slab.iter().collect::<Vec<_>>(), [(slot, &'b')]);
        assert_eq!(slab.len(), 1);
    }
}
