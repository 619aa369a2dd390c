//! What a state is known again by: 128 bits that follow from all of it.

use std::hash::{BuildHasherDefault, Hash, Hasher};

pub(super) fn print(of: &impl Hash) -> u128 {
    let mut lanes = Lanes { low: 0, high: 1 };
    of.hash(&mut lanes);
    let (low, high) = (stir(lanes.low), stir(lanes.high));
    u128::from(high) << 64 | u128::from(low)
}

/// Two hashes at once, of 64 bits each, that have nothing in common.
struct Lanes {
    low: u64,
    high: u64,
}

const LOW: u64 = 0x9E37_79B9_7F4A_7C15;
const HIGH: u64 = 0xD6E8_FEB8_6659_FD93;
const END: u64 = 0xBF58_476D_1CE4_E5B9;

impl Lanes {
    fn mix(&mut self, word: u64) {
        let low = (self.low ^ word).wrapping_mul(LOW);
        self.low = low ^ low >> 29;
        let high = self.high.rotate_left(23).wrapping_add(word).wrapping_mul(HIGH);
        self.high = high ^ high >> 32;
    }
}

fn stir(word: u64) -> u64 {
    let mixed = (word ^ word >> 30).wrapping_mul(END);
    mixed ^ mixed >> 31
}

impl Hasher for Lanes {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.mix(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.low
    }
}

/// Where what is looked up is such a print already.
#[derive(Default)]
pub(super) struct Low(u64);

pub(super) type ByPrint = BuildHasherDefault<Low>;

impl Hasher for Low {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only prints are looked up by themselves");
    }

    fn write_u128(&mut self, print: u128) {
        self.0 = print as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
