//! The schema against what is said of it: the registry of personal data, the plans of every statement, the migrations.

use std::collections::BTreeSet;
use std::sync::Arc;

use usher_store::{Location, Nobody, OpenError, Options, Store, StoreError, Tx, q, registry, values};
use usher_testkit::ManualClock;
use usher_testkit::engines::{Engine, Folder};

fn open(engine: &Engine) -> Store {
    engine.open(Arc::new(ManualClock::default()), Arc::new(Nobody))
}

/// A column that nobody registered, and an entry that no column backs, are both reported by name.
#[tokio::test(flavor = "multi_thread")]
async fn every_column_is_in_the_registry_of_personal_data() {
    for engine in Engine::all() {
        let store = open(&engine);
        let actual: BTreeSet<(String, String)> =
            store.read(registry::actual_columns).await.expect("the schema can be read").into_iter().collect();
        let registered: BTreeSet<(String, String)> = registry::TABLES
            .iter()
            .flat_map(|table| table.columns.iter().map(|(column, _)| (table.name.to_owned(), (*column).to_owned())))
            .collect();
        assert!(!actual.is_empty());
        assert_eq!(actual.difference(&registered).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not registered");
        assert_eq!(
            registered.difference(&actual).collect::<Vec<_>>(),
            Vec::<&(String, String)>::new(),
            "registered, but not there"
        );
    }
}

/// No statement that runs while the server serves reads a table from end to end.
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_scans_a_table() {
    /// `ANY_PERSON` stops at the first row or the second. Settings, permissions and roles are read whole, when one of them has changed:
    /// there are a few hundred of them. The others read an index that holds nothing but what they want: users who are there, or the
    /// few erasures that are not sealed.
    const MAY_SCAN: [(&str, &str); 10] = [
        ("ANY_PERSON", "users"),
        ("ALL", "settings"),
        ("ALL", "permissions"),
        ("ALL", "roles"),
        ("GRANTS", "permission_roles"),
        ("THERE", "users_there"),
        ("UNFINISHED", "erasures_unsealed"),
        ("UNSEALED", "erasures_unsealed"),
        ("BEGIN_PASS", "erasures_unsealed"),
        ("END_PASS", "erasures_unsealed"),
    ];
    for engine in Engine::all() {
        let store = open(&engine);
        for (name, sql) in q::serving() {
            let plan = store.write(move |tx| registry::plan(tx, sql)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let allowed = |line: &str| MAY_SCAN.iter().any(|(statement, index)| statement == name && line.contains(index));
            for line in plan.iter().filter(|line| is_scan(line)) {
                assert!(allowed(line), "{name}: {plan:#?}");
            }
        }
    }
}

/// A list that is not searched in follows an index in the order in which it is shown, and ends with its page.
#[tokio::test(flavor = "multi_thread")]
async fn lists_follow_an_index() {
    for engine in Engine::all() {
        let store = open(&engine);
        for sql in q::users::lists() {
            let asked = sql.clone();
            let plan = store.write(move |tx| registry::plan(tx, &asked)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let whole = |line: &&String| is_scan(line) && !line.contains("USING INDEX") && !line.contains("USING COVERING INDEX");
            assert_eq!(plan.iter().find(whole), None, "{sql}: {plan:#?}");
            let by_index =
                sql.contains("ORDER BY name_key") || sql.contains("ORDER BY created_at") || sql.contains("TRUE ORDER BY");
            assert!(
                !by_index || !plan.iter().any(|line| line.contains("TEMP B-TREE") || line.starts_with("Sort")),
                "{sql}: {plan:#?}"
            );
        }
    }
}

fn is_scan(line: &str) -> bool {
    line.starts_with("SCAN") || line.contains("Seq Scan")
}

/// The negative control of the test above: it does see a scan.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_recognised() {
    for engine in Engine::all() {
        let store = open(&engine);
        let plan = store.write(|tx| registry::plan(tx, "SELECT id FROM visitors WHERE host = ?1")).await.expect("it has a plan");
        assert!(plan.iter().any(|line| is_scan(line)), "{plan:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_again_changes_nothing() {
    for engine in Engine::all() {
        drop(open(&engine));
        let store = open(&engine);
        let versions = store
            .read(|tx: &mut Tx<'_>| tx.query("SELECT version FROM schema_migrations", values![], |row| row.integer(0)))
            .await
            .expect("the versions can be read");
        assert_eq!(versions, [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_newer_program_are_refused() {
    for engine in Engine::all() {
        let add = |tx: &mut Tx<'_>| tx.execute_one("INSERT INTO schema_migrations VALUES (?1, 'x', 0)", values![99_i64]);
        open(&engine).write(add).await.expect("a version can be added");
        let options = Options::safe(Arc::new(ManualClock::default()), Arc::new(Nobody));
        let refused = Store::open(&engine.location(), options).err().expect("it is refused");
        assert!(matches!(refused, OpenError::Newer { found: 99, known: 2 }), "{refused}");
        assert!(refused.to_string().contains("start the newer program"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_with_another_text_is_refused() {
    for engine in Engine::all() {
        let change =
            |tx: &mut Tx<'_>| tx.execute_one("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1", values![]);
        open(&engine).write(change).await.expect("a checksum can be changed");
        let options = Options::safe(Arc::new(ManualClock::default()), Arc::new(Nobody));
        assert!(matches!(Store::open(&engine.location(), options), Err(OpenError::Changed(1))));
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = Folder::default();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").expect("a file can be written");
    let options = Options::safe(Arc::new(ManualClock::default()), Arc::new(Nobody));
    let refused = Store::open(&Location::Folder(file.join("data")), options).err().expect("a file is no folder");
    assert!(refused.to_string().contains("data"), "{refused}");
}

/// Statements of one engine only are the exception; each new one has to be wanted.
#[test]
fn exceptions_for_one_engine_are_counted() {
    let dialect = include_str!("../src/dialect.rs");
    assert_eq!(dialect.matches("pub(crate) const ").count(), 31, "say it in one text in `q` if you can");
}

/// SQL stands in `q`, in `dialect` and in the migrations, nowhere else.
#[test]
fn sql_is_in_its_place() {
    let sources = concat!(
        include_str!("../src/store.rs"),
        include_str!("../src/tx.rs"),
        include_str!("../src/job.rs"),
        include_str!("../src/registry.rs"),
        include_str!("../src/migrations.rs"),
        include_str!("../src/sqlite/seal.rs"),
        include_str!("../src/sqlite/writer.rs"),
        include_str!("../src/sqlite/reader.rs"),
        include_str!("../src/postgres/worker.rs"),
        include_str!("../src/postgres/connection.rs"),
    );
    for word in ["SELECT ", "INSERT INTO", "DELETE FROM", "UPDATE "] {
        assert!(!sources.contains(word), "{word}");
    }
}

/// A closure cannot catch a failed statement and go on: the transaction is spoiled.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_spoils_the_transaction() {
    for engine in Engine::all() {
        let store = open(&engine);
        let caught = |tx: &mut Tx<'_>| {
            q::counters::take(tx, "kept", 1)?;
            let failed = tx.execute("INSERT INTO counters (name, value) VALUES ('x', NULL)", values![]);
            assert!(failed.is_err());
            Ok::<(), StoreError>(())
        };
        assert!(matches!(store.write(caught).await, Err(StoreError::Engine(_))));
        let next = store.write(|tx| q::counters::take(tx, "kept", 1)).await;
        assert_eq!(next, Ok(1), "nothing of the first was kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_counts_are_checked() {
    for engine in Engine::all() {
        let store = open(&engine);
        let missed = store.write(|tx| tx.execute_one("UPDATE counters SET value = 1 WHERE name = ?1", values!["nobody"])).await;
        assert_eq!(missed, Err(StoreError::RowCount { expected: 1, found: 0 }));
    }
}
