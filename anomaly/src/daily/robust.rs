//! The middle and the spread of numbers of which some are wrong.

/// The factor from the median absolute deviation of normal noise to its standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The median, for which the numbers are reordered; `None` of nothing.
pub(super) fn median(numbers: &mut [f64]) -> Option<f64> {
    let middle = numbers.len().checked_sub(1)? / 2;
    if numbers.len() <= FEW {
        sort_few(numbers);
        let upper = numbers[numbers.len() / 2];
        return Some(numbers[middle].midpoint(upper));
    }
    let is_even = numbers.len().is_multiple_of(2);
    let (_, lower, above) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = *lower;
    if !is_even {
        return Some(lower);
    }
    let upper = above.iter().copied().min_by(f64::total_cmp)?;
    Some(lower.midpoint(upper))
}

/// So many numbers are sorted sooner than selected from.
const FEW: usize = 12;

/// Sorts by insertion.
fn sort_few(numbers: &mut [f64]) {
    for end in 1..numbers.len() {
        let mut at = end;
        while at > 0 && numbers[at] < numbers[at - 1] {
            numbers.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// The spread around zero, in standard deviations of normal noise; `None` of nothing.
pub(super) fn spread_around_zero(numbers: &mut [f64]) -> Option<f64> {
    for number in &mut *numbers {
        *number = number.abs();
    }
    median(numbers).map(|median| median * MAD_TO_SIGMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_not_moved_by_one_wrong_number() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [4.0]), Some(4.0));
        assert_eq!(median(&mut [1.0, 9.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [1.0, 1e9, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn the_spread_of_a_quartile_is_a_standard_deviation() {
        // The quartiles of normal noise are at 0.674 49 standard deviations.
        let spread = spread_around_zero(&mut [-0.674_49, 0.674_49, 0.0, 0.674_49, 5.0]).unwrap();
        assert!((spread - 1.0).abs() < 1e-5, "{spread}");
    }
}
