//! In how many steps is a limit with a burst exceeded?
//!
//! Networks and disks of machines give a baseline all day and more for minutes. Neither is
//! documented as an algorithm; what is promised is modeled, and nothing beyond.

/// A limit with a burst: what was left of the baseline is a reserve for minutes above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TokenBucket {
    /// What can be had all day.
    pub(crate) baseline: f64,
    /// The most that can be had.
    pub(crate) burst: f64,
    /// Reserve in units × seconds.
    pub(crate) capacity: f64,
    /// How it fills.
    pub(crate) refill: Refill,
}

/// How a reserve fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refill {
    /// By what is left of the baseline.
    UnusedBaseline,
    /// Evenly, once a day, whatever is used.
    Daily,
}

impl TokenBucket {
    /// A network: five minutes of burst. AWS promises bursts “typically from 5 to 60 minutes,
    /// depending on the instance size”, so the least is taken
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-network-bandwidth.html>).
    pub(crate) fn network(baseline: f64, burst: f64) -> TokenBucket {
        TokenBucket {
            baseline,
            burst,
            capacity: (burst - baseline).max(0.0) * 5.0 * 60.0,
            refill: Refill::UnusedBaseline,
        }
    }

    /// A path to volumes: AWS promises the maximum “for 30 minutes at least once every 24 hours”
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-optimized.html>), so that is all
    /// that fills it.
    pub(crate) fn volumes(baseline: f64, maximum: f64) -> TokenBucket {
        TokenBucket {
            baseline,
            burst: maximum,
            capacity: (maximum - baseline).max(0.0) * 30.0 * 60.0,
            refill: Refill::Daily,
        }
    }

    /// The share of samples, NaN for a missing one, that are not served in full when each is
    /// `stress` times as large and lasts `seconds`. The reserve is as the same series leaves it.
    pub(crate) fn share_short(&self, series: &[f64], seconds: f64, stress: f64) -> f64 {
        let mut reserve = 0.0;
        let (mut short, mut present) = (0u64, 0u64);
        for pass in 0..2 {
            for demand in series.iter().filter(|demand| !demand.is_nan()) {
                let served = self.step(demand * stress, seconds, &mut reserve);
                if pass == 1 {
                    present += 1;
                    short += u64::from(!served);
                }
            }
        }
        short as f64 / present.max(1) as f64
    }

    fn step(&self, demand: f64, seconds: f64, reserve: &mut f64) -> bool {
        let earned = match self.refill {
            Refill::UnusedBaseline => (self.baseline - demand).max(0.0) * seconds,
            Refill::Daily => self.capacity * seconds / (24.0 * 3600.0),
        };
        *reserve = (*reserve + earned).min(self.capacity);
        let needed = (demand.min(self.burst) - self.baseline).max(0.0) * seconds;
        let served = demand <= self.burst && needed <= *reserve;
        *reserve = (*reserve - needed).max(0.0);
        served
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_fast_for_thirty_minutes_a_day() {
        // 100 all day, 300 for 30 minutes: six samples of five minutes at 300 are served, the
        // seventh is not. Within a day of 288 samples the reserve comes back.
        let bucket = TokenBucket::volumes(100.0, 300.0);
        let mut series = vec![50.0; 288];
        for slot in series.iter_mut().take(6) {
            *slot = 300.0;
        }
        assert_eq!(bucket.share_short(&series, 300.0, 1.0), 0.0);
        // Eight samples leave 280 to earn for 5.83 of them, and the samples themselves earn 0.02
        // each: five are served.
        series[6] = 300.0;
        series[7] = 300.0;
        let short = bucket.share_short(&series, 300.0, 1.0) * 288.0;
        assert!((short - 3.0).abs() < 1e-9, "{short}");
    }

    #[test]
    fn a_demand_over_the_burst_is_never_served() {
        let bucket = TokenBucket::network(100.0, 200.0);
        assert_eq!(bucket.share_short(&[0.0, 250.0], 60.0, 1.0), 0.5);
        assert_eq!(bucket.share_short(&[0.0, 125.0], 60.0, 2.0), 0.5);
        assert_eq!(bucket.share_short(&[0.0, 125.0], 60.0, 1.0), 0.0);
    }

    #[test]
    fn a_network_bursts_on_what_it_left_unused() {
        // Five minutes of 100 above the baseline are earned by five minutes without use.
        let bucket = TokenBucket::network(100.0, 200.0);
        assert_eq!(bucket.share_short(&[0.0, 200.0], 300.0, 1.0), 0.0);
        assert_eq!(bucket.share_short(&[50.0, 200.0], 300.0, 1.0), 0.5);
    }
}
