//! How often is each hash in a list?

use super::Gram;

/// Every hash once with its count (at most 65,535), in an order that depends on the list alone.
///
/// An open-addressing table of twice the size, in which nothing is sorted.
pub(super) fn count(hashes: &[u32]) -> Vec<Gram> {
    let size = (2 * hashes.len()).next_power_of_two().max(4);
    let mut table = vec![EMPTY; size];
    for &hash in hashes {
        insert(&mut table, hash);
    }
    table.retain(|gram| gram.count > 0);
    table
}

const EMPTY: Gram = Gram { hash: 0, count: 0 };

fn insert(table: &mut [Gram], hash: u32) {
    let mask = table.len() - 1;
    let mut at = hash as usize & mask;
    while table[at].count > 0 && table[at].hash != hash {
        at = (at + 1) & mask;
    }
    table[at].hash = hash;
    table[at].count = table[at].count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_share_a_slot_are_counted_apart() {
        let mut counted = count(&[5, 13, 5, 21, 0, 13, 5]);
        counted.sort_by_key(|gram| gram.hash);
        let pairs: Vec<_> = counted.iter().map(|it| (it.hash, it.count)).collect();
        assert_eq!(pairs, [(0, 1), (5, 3), (13, 2), (21, 1)]);
        assert!(count(&[]).is_empty());
    }
}
