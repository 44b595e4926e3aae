//! What contracts change, and what they cannot.

use bursar_pricing::{
    Bound, Clamp, Contract, ContractId, Model, Price, PriceRequest, PricingError, PricingPolicy,
    Scope, Step, Term, TermName, Tier, TokenKind,
};
use bursar_units::{Currency, Money};
use jiff::civil::{Date, date};

const DAY: Date = date(2026, 11, 27);

fn usd(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

fn contract(terms: &[Term]) -> Contract {
    let id = ContractId::new("acme").unwrap();
    let contract = Contract::new(id, date(2026, 1, 1), Some(date(2026, 12, 31))).unwrap();
    let with = |contract: Contract, term: &Term| contract.with(Scope::all(), *term);
    terms.iter().try_fold(contract, with).unwrap()
}

/// Growth, `gpt-4`, balanced: 10.00 costs 14.00 by the policy, within 11.77 to 20.00.
fn priced(terms: &[Term]) -> Result<Price, PricingError> {
    let contract = contract(terms);
    let request = PriceRequest::new(usd("10.00"), &Tier::Growth, &Model::GPT_4, DAY);
    PricingPolicy::standard().price(&request.contract(&contract))
}

fn discount(text: &str) -> Term {
    Term::Discount(text.parse().unwrap())
}

#[test]
fn terms_act_inside_the_margin_bounds() {
    for (terms, price, clamp) in [
        (vec![], "14.00", None),
        (vec![discount("5%")], "13.30", None),
        // 14 × 0.8 is 11.20, under the floor of 10 ÷ 0.85.
        (
            vec![discount("20%")],
            "11.77",
            Some(Clamp::Margin(Bound::Floor)),
        ),
        (
            vec![Term::Floor(usd("15"))],
            "15.00",
            Some(Clamp::Contract(Bound::Floor)),
        ),
        (vec![Term::Floor(usd("13"))], "14.00", None),
        (
            vec![Term::Ceiling(usd("12.50"))],
            "12.50",
            Some(Clamp::Contract(Bound::Ceiling)),
        ),
        // A discount comes first, then the floor.
        (
            vec![discount("10%"), Term::Floor(usd("13"))],
            "13.00",
            Some(Clamp::Contract(Bound::Floor)),
        ),
        // A ceiling that is no multiple of the quantum: the multiple under it.
        (
            vec![Term::Ceiling(usd("12.3456"))],
            "12.34",
            Some(Clamp::Contract(Bound::Ceiling)),
        ),
        (
            vec![Term::Floor(usd("15.0001"))],
            "15.01",
            Some(Clamp::Contract(Bound::Floor)),
        ),
    ] {
        let found = priced(&terms).unwrap();
        assert_eq!(found.price(), usd(price), "{terms:?}");
        assert_eq!(found.clamp(), clamp, "{terms:?}");
        assert_eq!(found.exposure(), None, "{terms:?}");
    }
}

#[test]
fn a_fixed_price_is_honored_and_its_exposure_reported() {
    for (fixed, exposure, margin) in [
        // 10 ÷ 0.85 is 11.7647…; the gap is rounded up to six places, four more than cents.
        ("9.50", Some((Bound::Floor, "2.264706")), "-0.052632"),
        ("11.76", Some((Bound::Floor, "0.004706")), "0.149660"),
        ("11.77", None, "0.150382"),
        ("20", None, "0.500000"),
        ("20.01", Some((Bound::Ceiling, "0.01")), "0.500250"),
        ("1000000", Some((Bound::Ceiling, "999980")), "0.999990"),
    ] {
        let found = priced(&[Term::FixedPrice(usd(fixed)), discount("50%")]).unwrap();
        assert!(found.is_fixed());
        assert_eq!(found.price(), usd(fixed));
        let found_exposure = found.exposure().map(|it| (it.bound, it.gap));
        let expected = exposure.map(|(bound, gap)| (bound, usd(gap)));
        assert_eq!(found_exposure, expected, "{fixed}");
        assert_eq!(found.margin().to_string(), margin, "{fixed}");
        let sum = found.waterfall().steps().map(|(_, money)| money);
        assert_eq!(Money::try_sum(sum).unwrap(), Some(usd(fixed)));
        assert_eq!(found.waterfall().amount(Step::Rounding), usd("0"));
    }
}

#[test]
fn a_fixed_price_need_not_be_a_multiple_of_the_quantum() {
    let found = priced(&[Term::FixedPrice(usd("12.3456789"))]).unwrap();
    assert_eq!(found.price(), usd("12.3456789"));
}

#[test]
fn a_term_that_leaves_no_price_is_named() {
    let error = priced(&[Term::Floor(usd("20.01"))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the floor of 20.01 USD in contract `acme` leaves no price: by the margin the ceiling is about 20.00 USD"
    );
    let error = priced(&[Term::Ceiling(usd("11.76"))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ceiling of 11.76 USD in contract `acme` leaves no price: by the margin the floor is about 11.77 USD"
    );
    assert!(matches!(
        error,
        PricingError::ContractConflict {
            term: TermName::Ceiling,
            bound: Bound::Floor,
            ..
        }
    ));
}

#[test]
fn terms_of_two_scopes_may_contradict_where_they_meet() {
    let contract = contract(&[Term::Floor(usd("15"))])
        .with(Scope::of_model(Model::GPT_4), Term::Ceiling(usd("14.50")))
        .unwrap();
    let policy = PricingPolicy::standard();
    let price = |model: &Model| {
        let request = PriceRequest::new(usd("10.00"), &Tier::Growth, model, DAY);
        policy.price(&request.contract(&contract))
    };
    assert!(matches!(
        price(&Model::GPT_4),
        Err(PricingError::ContractContradiction { .. })
    ));
    assert_eq!(price(&Model::CLAUDE).unwrap().price(), usd("15.00"));
}

#[test]
fn the_narrowest_scope_applies() {
    let fixed = |amount: &str| Term::FixedPrice(usd(amount));
    let kind = Scope {
        model: None,
        kind: Some(TokenKind::Output),
    };
    let contract = contract(&[fixed("12")])
        .with(kind, fixed("13"))
        .and_then(|it| it.with(Scope::of(Model::GPT_4, TokenKind::Output), fixed("15")))
        .and_then(|it| it.with(Scope::of_model(Model::GPT_4), fixed("14")))
        .unwrap();
    let policy = PricingPolicy::standard();
    let price = |model: &Model, kind: Option<TokenKind>| {
        let mut request = PriceRequest::new(usd("10.00"), &Tier::Growth, model, DAY);
        if let Some(kind) = kind {
            request = request.kind(kind);
        }
        policy.price(&request.contract(&contract)).unwrap().price()
    };
    assert_eq!(price(&Model::CLAUDE, None), usd("12"));
    assert_eq!(price(&Model::CLAUDE, Some(TokenKind::Input)), usd("12"));
    assert_eq!(price(&Model::CLAUDE, Some(TokenKind::Output)), usd("13"));
    assert_eq!(price(&Model::GPT_4, Some(TokenKind::Input)), usd("14"));
    assert_eq!(price(&Model::GPT_4, None), usd("14"));
    assert_eq!(price(&Model::GPT_4, Some(TokenKind::Output)), usd("15"));
}

#[test]
fn a_contract_holds_from_its_first_to_its_last_day() {
    let contract = contract(&[Term::FixedPrice(usd("13"))]);
    let policy = PricingPolicy::standard();
    for (day, price, is_named) in [
        (date(2025, 12, 31), "14", false),
        (date(2026, 1, 1), "13", true),
        (date(2026, 12, 31), "13", true),
        (date(2027, 1, 1), "14", false),
    ] {
        let request = PriceRequest::new(usd("10.00"), &Tier::Growth, &Model::GPT_4, day);
        let found = policy.price(&request.contract(&contract)).unwrap();
        assert_eq!(found.price(), usd(price), "{day}");
        assert_eq!(found.contract().is_some(), is_named, "{day}");
    }
}

#[test]
fn terms_that_cannot_be_are_refused_when_they_are_made() {
    let id = || ContractId::new("acme").unwrap();
    let contract = || Contract::new(id(), DAY, None).unwrap();
    let refused = |contract: Contract, term| contract.with(Scope::all(), term).unwrap_err();
    for amount in ["0", "-1"] {
        for term in [Term::FixedPrice, Term::Floor, Term::Ceiling] {
            let error = refused(contract(), term(usd(amount)));
            assert!(
                matches!(error, PricingError::TermNotPositive { .. }),
                "{error}"
            );
        }
    }
    let with_floor = contract()
        .with(Scope::all(), Term::Floor(usd("5")))
        .unwrap();
    let error = refused(with_floor.clone(), Term::Floor(usd("6")));
    assert!(matches!(error, PricingError::DuplicateTerm { .. }));
    let error = refused(with_floor.clone(), Term::Ceiling(usd("4.99")));
    assert!(matches!(error, PricingError::ContractContradiction { .. }));
    let euros = Money::parse("6", Currency::EUR).unwrap();
    let error = refused(with_floor, Term::Ceiling(euros));
    assert!(matches!(error, PricingError::Money(_)));
    let backward = Contract::new(id(), DAY, Some(date(2026, 11, 26)));
    assert!(matches!(
        backward,
        Err(PricingError::ContractEndsBefore { .. })
    ));
}

#[test]
fn a_term_in_another_currency_is_an_error() {
    let euros = Money::parse("13", Currency::EUR).unwrap();
    for term in [
        Term::FixedPrice(euros),
        Term::Floor(euros),
        Term::Ceiling(euros),
    ] {
        assert!(matches!(
            priced(&[term]),
            Err(PricingError::Currency { .. })
        ));
    }
}
