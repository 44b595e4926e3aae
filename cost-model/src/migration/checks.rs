//! When is a new machine healthy and quick enough to take over?

/// The numbers of the checks before a switch.
///
/// ```
/// use bursar_cost_model::migration::{Checks, EndpointVerdict};
///
/// let checks = Checks::default();
/// let chat = &checks.endpoints[2];
/// assert_eq!((&*chat.name, chat.expected_ms), ("chat", 1_500));
/// // Five calls of 2.2 s are within 1.5 × 1.5 s = 2.25 s.
/// assert_eq!(checks.judge(chat, &[Some(2_200); 5]), EndpointVerdict::Pass);
/// assert_eq!(checks.judge(chat, &[Some(2_300); 5]), EndpointVerdict::Warn);
/// assert_eq!(
///     checks.judge(chat, &[Some(900), Some(900), None, Some(900), Some(900)]),
///     EndpointVerdict::Fail,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Checks {
    /// Seconds between the launch and the first question.
    pub first_wait_s: u32,
    /// How often its health is asked for before it is given up.
    pub health_tries: u32,
    /// Seconds between two of these.
    pub health_interval_s: u32,
    /// Calls to each endpoint.
    pub calls_per_endpoint: u32,
    /// How slow the calls may be, in percent of what is expected.
    pub allowed_percent: u32,
    /// The share of calls that must be answered, in percent.
    pub success_percent: u32,
    /// Hours between the stop of the old machine and its termination.
    pub termination_delay_h: u32,
    /// What is called.
    pub endpoints: Vec<EndpointCheck>,
}

/// An endpoint, and how quick it is expected to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EndpointCheck {
    /// What it is called.
    pub name: Box<str>,
    /// How long an answer should take, in milliseconds.
    pub expected_ms: u32,
}

/// What the calls to one endpoint showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EndpointVerdict {
    /// Answered, and quick enough.
    Pass,
    /// Answered, and too slow: a person decides whether to go on.
    Warn,
    /// Too many calls were not answered, or fewer were made than asked for.
    Fail,
}

impl Default for Checks {
    /// 30 s, 10 tries 10 s apart, 5 calls to each of `health` (0.1 s), `generate` (2.0 s) and
    /// `chat` (1.5 s), all answered and within 1.5 times of that, termination after 24 h.
    fn default() -> Checks {
        let endpoint = |name: &str, expected_ms| EndpointCheck {
            name: name.into(),
            expected_ms,
        };
        Checks {
            first_wait_s: 30,
            health_tries: 10,
            health_interval_s: 10,
            calls_per_endpoint: 5,
            allowed_percent: 150,
            success_percent: 100,
            termination_delay_h: 24,
            endpoints: vec![
                endpoint("health", 100),
                endpoint("generate", 2_000),
                endpoint("chat", 1_500),
            ],
        }
    }
}

impl Checks {
    /// What calls to an endpoint show: their times in milliseconds, `None` for one that was not
    /// answered. The mean of the answered calls is compared.
    #[must_use]
    pub fn judge(&self, endpoint: &EndpointCheck, calls: &[Option<u32>]) -> EndpointVerdict {
        let answered: Vec<u64> = calls.iter().flatten().map(|&ms| ms.into()).collect();
        let (n_calls, n_answered) = (calls.len() as u128, answered.len() as u128);
        let enough = n_calls >= self.calls_per_endpoint.max(1).into();
        if !enough || n_answered * 100 < n_calls * u128::from(self.success_percent) {
            return EndpointVerdict::Fail;
        }
        let total: u128 = answered.into_iter().map(u128::from).sum();
        let allowed =
            u128::from(endpoint.expected_ms) * u128::from(self.allowed_percent) * n_answered;
        if total * 100 <= allowed {
            EndpointVerdict::Pass
        } else {
            EndpointVerdict::Warn
        }
    }
}
