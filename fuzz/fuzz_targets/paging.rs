//! Lists: whatever is asked for, a page has limits, and a projection keeps the id.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use usher_api::parse::paging::Paging;
use usher_domain::settings::Settings;

fuzz_target!(|given: (Option<i64>, Option<i64>, Option<String>, Option<String>)| {
    let (count, offset, sort, fields) = given;
    let paging = json!({"count": count, "offset": offset, "sort": sort, "fields": fields});
    let Ok(paging) = serde_json::from_value::<Paging>(paging) else { return };
    let Ok(page) = paging.page(&Settings::default()) else { return };
    assert!(page.offset >= 0 && page.count.is_none_or(|count| (1..=100).contains(&count)));
    let shown = page.show([json!({"_id": 1, "name": 2})].into_iter()).expect("an object can be shown");
    assert_eq!(shown[0]["_id"], 1);
});
