//! How are many numbers written in few characters?
//!
//! As bytes in Base64 (RFC 4648), so that a saved state is JSON still. A text that is damaged is read
//! as `None`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Numbers of seven bits per byte, the lowest first; the upper bit says that more follow (LEB128).
pub(super) fn from_whole(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut bytes = Vec::new();
    for mut number in numbers {
        while number > 0x7f {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    STANDARD.encode(bytes)
}

pub(super) fn to_whole(text: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    let (mut number, mut shift) = (0_u64, 0);
    for byte in STANDARD.decode(text).ok()? {
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            numbers.push(u32::try_from(number).ok()?);
            (number, shift) = (0, 0);
        } else if shift > 28 {
            return None;
        }
    }
    (shift == 0).then_some(numbers)
}

/// Numbers that rise, by their differences.
pub(super) fn from_rising(numbers: &[u32]) -> String {
    let before = [0].into_iter().chain(numbers.iter().copied());
    from_whole(
        numbers
            .iter()
            .zip(before)
            .map(|(number, before)| number - before),
    )
}

pub(super) fn to_rising(text: &str) -> Option<Vec<u32>> {
    let mut number = 0_u32;
    let mut add = |step| {
        number = number.checked_add(step)?;
        Some(number)
    };
    to_whole(text)?.into_iter().map(&mut add).collect()
}

pub(super) fn from_small(numbers: &[i8]) -> String {
    STANDARD.encode(
        numbers
            .iter()
            .map(|it| it.cast_unsigned())
            .collect::<Vec<_>>(),
    )
}

pub(super) fn to_small(text: &str) -> Option<Vec<i8>> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(bytes.into_iter().map(u8::cast_signed).collect())
}

/// Two bytes each, the lower one first.
pub(super) fn from_middle(numbers: impl IntoIterator<Item = i16>) -> String {
    let bytes = numbers.into_iter().flat_map(i16::to_le_bytes);
    STANDARD.encode(bytes.collect::<Vec<_>>())
}

pub(super) fn to_middle(text: &str) -> Option<Vec<i16>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (pairs, rest) = bytes.as_chunks::<2>();
    let numbers = pairs.iter().map(|it| i16::from_le_bytes(*it)).collect();
    rest.is_empty().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let whole = [0, 1, 127, 128, 300, 16_384, u32::MAX];
        assert_eq!(to_whole(&from_whole(whole)).as_deref(), Some(&whole[..]));
        assert_eq!(to_rising(&from_rising(&whole)).as_deref(), Some(&whole[..]));
        let small = [0, 1, -1, 127, -128];
        assert_eq!(to_small(&from_small(&small)).as_deref(), Some(&small[..]));
        let middle = [0, -1, 256, i16::MAX, i16::MIN];
        assert_eq!(
            to_middle(&from_middle(middle)).as_deref(),
            Some(&middle[..])
        );
        // 300 is 0xac 0x02 in LEB128 (DWARF 5, appendix C, has 128 as 0x80 0x01).
        assert_eq!(from_whole([300]), STANDARD.encode([0xac, 0x02]));
    }

    #[test]
    fn what_is_damaged_is_not_read() {
        assert_eq!(to_whole("?"), None);
        assert_eq!(to_whole(&STANDARD.encode([0x80])), None);
        assert_eq!(to_whole(&STANDARD.encode([0xff; 9])), None);
        assert_eq!(to_rising(&from_whole([u32::MAX, 1])), None);
        assert_eq!(to_middle(&STANDARD.encode([1, 2, 3])), None);
        assert_eq!(to_small("A"), None);
    }
}
