//! Quotes: what tells the inputs of one from those of another.

use bursar_pricing::{
    Contract, ContractId, Model, PriceRequest, PricingPolicy, Quote, QuoteId, Scope, SupplyState,
    Term, Tier, TokenKind,
};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

const DAY: Date = date(2026, 11, 27);

fn request(cost: &str) -> PriceRequest<'static> {
    PriceRequest::new(cost.parse().unwrap(), &Tier::Growth, &Model::GPT_4, DAY)
}

fn quote(request: &PriceRequest<'_>) -> Quote {
    let (policy, id) = (PricingPolicy::standard(), QuoteId::new("q-1").unwrap());
    let (now, validity) = (Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1));
    Quote::issue(id, &policy, request, now, validity).unwrap()
}

#[test]
fn equal_inputs_have_one_fingerprint_and_others_have_others() {
    let contract = Contract::new(ContractId::new("c-1").unwrap(), date(2026, 1, 1), None).unwrap();
    let discount = Term::Discount("5%".parse().unwrap());
    let other = contract.clone().with(Scope::all(), discount).unwrap();
    let requests = [
        request("10 USD"),
        request("11 USD"),
        request("10 EUR"),
        PriceRequest::new("10 USD".parse().unwrap(), &Tier::Free, &Model::GPT_4, DAY),
        PriceRequest::new(
            "10 USD".parse().unwrap(),
            &Tier::Growth,
            &Model::CLAUDE,
            DAY,
        ),
        request("10 USD").kind(TokenKind::Input),
        request("10 USD").supply(SupplyState::Scarce),
        request("10 USD").cost_rise("1%".parse().unwrap()),
        request("10 USD").contract(&contract),
        request("10 USD").contract(&other),
    ];
    for (place, one) in requests.iter().enumerate() {
        for (other_place, other) in requests.iter().enumerate() {
            let (one, other) = (quote(one), quote(other));
            let is_same = place == other_place;
            assert_eq!(one == other, is_same, "{place} and {other_place}");
            assert_eq!(one.fingerprint() == other.fingerprint(), is_same);
        }
    }
    let with_zeros = quote(&request("10.0000000000000000000000 USD"));
    assert_eq!(
        with_zeros.fingerprint(),
        quote(&request("10 USD")).fingerprint()
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_quote_that_was_kept_is_still_for_its_inputs() {
    let (policy, issued) = (PricingPolicy::standard(), quote(&request("10 USD")));
    let kept: Quote = serde_json::from_str(&serde_json::to_string(&issued).unwrap()).unwrap();
    assert_eq!(kept, issued);
    assert_eq!(kept.fingerprint(), issued.fingerprint());
    assert!(kept.is_for(&policy, &request("10 USD")).unwrap());
    assert!(!kept.is_for(&policy, &request("11 USD")).unwrap());
}
