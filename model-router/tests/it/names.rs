//! Names in saved data are checked when they are loaded.

use bursar_model_router::{ModelId, ProviderId};

fn loaded(json: &str) -> Result<ModelId, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn a_damaged_name_is_an_error_when_it_is_loaded() {
    let id = ModelId::new("amazon.nova-lite-v1:0").unwrap();
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(loaded(&json), Ok(id));
    assert!(loaded("\"\"").unwrap_err().contains("cannot be empty"));
    assert!(loaded("\"a\\u0000\"").unwrap_err().contains("cannot hold"));
}

#[test]
fn a_provider_is_found_by_its_text() {
    let providers = std::collections::BTreeSet::from([ProviderId::new("aws").unwrap()]);
    assert!(providers.contains("aws"));
}
