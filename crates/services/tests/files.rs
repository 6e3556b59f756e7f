//! Files whose place the configuration does not say any more.

use std::sync::Arc;

use usher_services::platform::SettingsOfEnvironment;
use usher_services::{Error, Hub, Services};
use usher_store::values;
use usher_testkit::engines::Engine;
use usher_testkit::outside::nothing_outside;
use usher_testkit::{ManualClock, SeededRandom};

/// An erasure counts as sealed when its files are unlinked. A server that takes no files cannot unlink those that it took before, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sealed_while_nobody_knows_where_the_files_are() {
    for engine in Engine::all() {
        let (clock, hub) = (Arc::new(ManualClock::default()), Arc::new(Hub::default()));
        let store = Arc::new(engine.open(clock.clone(), hub.clone()));
        let random = Arc::new(SeededRandom::new(1));
        let environment = SettingsOfEnvironment::default();
        let services = Services::start(Arc::clone(&store), hub, environment, false, clock, random, nothing_outside());
        let services = services.await.expect("it starts");
        assert_eq!(services.finish_erasures().await, Ok(0), "the control: there is nothing to unlink");

        let remove = "INSERT INTO removed_files (id, was_arriving, removed_at) VALUES (?1, FALSE, 0)";
        store.write(move |tx| tx.execute_one(remove, values!["gone"]).map_err(Error::from)).await.expect("a row can be added");
        let refused = services.finish_erasures().await;
        assert!(matches!(refused, Err(Error::Storage(_))), "{refused:?}");
    }
}
