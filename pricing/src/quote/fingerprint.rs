//! Were two quotes made from the same inputs?

use std::fmt;

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::contract::Term;
use crate::demand::Supply;
use crate::policy::PricingPolicy;
use crate::price::{Price, PriceRequest};

/// The SHA-256 of all that a price depends on: the request and the rules that applied to it.
///
/// Names enter with their lengths, amounts without zeros at their ends and rates in billionths, so that
/// different inputs differ and equal ones do not. The text is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a quote was made from: the inputs themselves while they are at hand, or their hash where that alone
/// was kept. Hashing takes longer than pricing, and most quotes are never compared.
#[derive(Clone)]
pub(super) enum Origin {
    Inputs(Vec<u8>),
    #[cfg(feature = "serde")]
    Kept(Fingerprint),
}

impl Origin {
    /// The request, and the rules that applied to it.
    pub(super) fn of(policy: &PricingPolicy, request: &PriceRequest<'_>, price: &Price) -> Self {
        let mut inputs = Inputs::new();
        inputs.text("bursar quote 1");
        inputs.text(request.cost.currency().code());
        inputs.number(request.cost.amount());
        inputs.text(request.tier.as_str());
        inputs.text(request.model.as_str());
        inputs.text(request.kind.map_or("", |kind| kind.as_str()));
        inputs.supply(request.supply);
        inputs.date(request.date);
        inputs.billionths(request.cost_rise.billionths());
        inputs.billionths(request.volume_discount.billionths());
        inputs.contract(request);
        inputs.flag(price.tier().is_base());
        inputs.billionths(price.tier().margin().billionths());
        inputs.billionths(price.model_factor().billionths());
        inputs.billionths(price.supply_factor().billionths());
        inputs.billionths(policy.bounds().least().billionths());
        inputs.billionths(policy.bounds().most().billionths());
        let quantum = policy.quantum().step_in(request.cost.currency());
        inputs.number(quantum.unwrap_or_default());
        Self::Inputs(inputs.bytes)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Inputs(bytes) => Fingerprint(Sha256::digest(bytes).into()),
            #[cfg(feature = "serde")]
            Self::Kept(fingerprint) => *fingerprint,
        }
    }
}

/// Inputs are compared themselves where both are at hand.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inputs(these), Self::Inputs(those)) => these == those,
            #[cfg(feature = "serde")]
            _ => self.fingerprint() == other.fingerprint(),
        }
    }
}

impl Eq for Origin {}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fingerprint().fmt(f)
    }
}

/// The inputs as one text of bytes, in which every part says where it ends.
struct Inputs {
    bytes: Vec<u8>,
}

impl Inputs {
    fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(384),
        }
    }

    fn text(&mut self, text: &str) {
        // Names have at most 128 bytes.
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    fn number(&mut self, number: Decimal) {
        self.bytes.extend(without_zeros(number).serialize());
    }

    fn billionths(&mut self, billionths: u64) {
        self.bytes.extend(billionths.to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.bytes.push(flag.into());
    }

    fn date(&mut self, date: jiff::civil::Date) {
        self.bytes.extend(date.year().to_le_bytes());
        self.bytes.extend(date.month().to_le_bytes());
        self.bytes.extend(date.day().to_le_bytes());
    }

    fn supply(&mut self, supply: Supply) {
        match supply {
            Supply::State(state) => self.bytes.extend([0, state as u8]),
            Supply::Utilization(utilization) => {
                self.bytes.push(1);
                self.billionths(utilization.billionths().into());
            }
        }
    }

    /// The terms of a contract that is in force.
    fn contract(&mut self, request: &PriceRequest<'_>) {
        let in_force = request.contract.filter(|it| it.is_in_force(request.date));
        self.flag(in_force.is_some());
        let Some(contract) = in_force else {
            return;
        };
        self.text(contract.id().as_str());
        let terms = contract.applicable(request.model, request.kind);
        let terms = [
            terms.fixed_price.map(Term::FixedPrice),
            terms.discount.map(Term::Discount),
            terms.floor.map(Term::Floor),
            terms.ceiling.map(Term::Ceiling),
        ];
        for term in terms {
            self.flag(term.is_some());
            match term {
                Some(Term::FixedPrice(money) | Term::Floor(money) | Term::Ceiling(money)) => {
                    self.number(money.amount());
                }
                Some(Term::Discount(discount)) => self.billionths(discount.billionths()),
                None => {}
            }
        }
    }
}

/// The number with as few places as it can be written with; short ones without the divisions of 96 bits.
fn without_zeros(number: Decimal) -> Decimal {
    let Ok(mut mantissa) = i64::try_from(number.mantissa()) else {
        return number.normalize();
    };
    let mut scale = number.scale();
    while let (0, Some(shorter)) = (mantissa % 10, scale.checked_sub(1)) {
        (mantissa, scale) = (mantissa / 10, shorter);
    }
    Decimal::try_new(mantissa, scale).unwrap_or(number)
}

/// 64 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

/// Why a text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits in lower case")]
pub struct FingerprintError(());

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
            b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
            _ => None,
        };
        let mut bytes = [0; 32];
        let pairs = text.as_bytes().chunks(2);
        if text.len() != 64 {
            return Err(FingerprintError(()));
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digits = pair.first().copied().and_then(digit);
            let digits = digits.zip(pair.last().copied().and_then(digit));
            let (high, low) = digits.ok_or(FingerprintError(()))?;
            *byte = (high << 4) | low;
        }
        Ok(Self(bytes))
    }
}
