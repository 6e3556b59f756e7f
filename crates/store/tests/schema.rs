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
    /// there are a few hundred of them; keys of receipts and rules of
    /// retention are as few as there were. The others read an index that holds nothing but what they want: users who are there, or the
    /// few erasures that are not sealed, or rooms that wait.
    const MAY_SCAN: [(&str, &str); 15] = [
        // There are as many as there are servers.
        ("SILENT", "processes"),
        ("ANY_PERSON", "users"),
        ("ALL", "settings"),
        ("ALL", "permissions"),
        ("ALL", "roles"),
        ("ALL", "receipt_keys"),
        ("ALL", "retention_rules"),
        ("GRANTS", "permission_roles"),
        ("THERE", "users_there"),
        ("UNFINISHED", "erasures_unsealed"),
        ("UNFINISHED_OF", "erasures_unsealed"),
        ("UNSEALED", "erasures_unsealed"),
        ("BEGIN_PASS", "erasures_unsealed"),
        ("END_PASS", "erasures_unsealed"),
        ("DEPARTMENTS", "rooms_queued_department"),
    ];
    let mut scans = Vec::new();
    for engine in Engine::all() {
        let store = open(&engine);
        for (name, sql) in q::serving() {
            let plan = store.write(move |tx| registry::plan(tx, sql)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let allowed = |line: &str| MAY_SCAN.iter().any(|(statement, index)| statement == name && line.contains(index));
            if plan.iter().any(|line| is_scan(line) && !allowed(line)) {
                scans.push((name, plan));
            }
        }
    }
    assert!(scans.is_empty(), "{scans:#?}");
}

/// A list that is not searched in follows an index in the order in which it is shown, and ends with its page.
#[tokio::test(flavor = "multi_thread")]
async fn lists_follow_an_index() {
    for engine in Engine::all() {
        let store = open(&engine);
        let of_departments = q::departments::lists().into_iter().chain(q::department_agents::lists());
        for sql in of_departments
            .chain(q::users::lists())
            .chain(q::visitor_lists::lists())
            .chain(q::custom_fields::lists())
            .chain(q::mails::lists())
            .chain(q::holdings::lists())
            .chain(q::retention::lists())
            .chain(q::queue::lists())
        {
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

/// Lists of rooms are narrowed, sorted and counted over indexes that hold all that they look at; only the rooms of one page are read,
/// by their ids.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_rooms_look_only_at_indexes() {
    /// A list, and the index that SQLite goes through for it, from end to end and in its order.
    const FOLLOWED: [(&str, &str); 8] = [
        ("WHERE NOT erasing ORDER BY opened_at,", "SCAN rooms USING COVERING INDEX rooms_opened"),
        ("WHERE NOT erasing ORDER BY COALESCE(closed_at, 0),", "SCAN rooms USING COVERING INDEX rooms_ended"),
        ("WHERE NOT erasing ORDER BY name_key,", "SCAN rooms USING COVERING INDEX rooms_named"),
        ("WHERE NOT erasing ORDER BY is_open,", "rooms_is_open"),
        ("is_open = FALSE AND NOT erasing ORDER BY opened_at,", "SEARCH rooms USING COVERING INDEX rooms_is_open (is_open=?)"),
        ("NOT is_open AND NOT erasing ORDER BY COALESCE(closed_at, 0) DESC,", "rooms_ended"),
        ("AND agent_id IN (?1) ORDER BY opened_at,", "SEARCH rooms USING COVERING INDEX rooms_agent (agent_id=?)"),
        (
            "NOT erasing AND department_id IN (?1) ORDER BY opened_at,",
            "SEARCH rooms USING COVERING INDEX rooms_department (department_id=?)",
        ),
    ];
    for engine in Engine::all() {
        let store = open(&engine);
        let is_sqlite = matches!(engine, Engine::Sqlite(_));
        let mut followed = BTreeSet::new();
        for sql in q::room_lists::lists() {
            let asked = sql.clone();
            let plan = store.write(move |tx| registry::plan(tx, &asked)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let is_allowed = |line: &String| !is_scan(line) || line.contains("USING COVERING INDEX") || line == "SCAN share";
            let rows_are_read = |line: &String| line.contains("SCAN rooms USING INDEX");
            assert!(plan.iter().all(is_allowed) && !plan.iter().any(rows_are_read), "{sql}: {plan:#?}");
            if !is_sqlite {
                continue;
            }
            let is_page = sql.contains("WHERE id IN (SELECT id FROM rooms");
            let begins_with_ids = plan[0] == "SEARCH rooms USING INDEX sqlite_autoindex_rooms_1 (id=?)";
            assert!(!is_page || begins_with_ids, "{sql}: {plan:#?}");
            for (part, index) in FOLLOWED.iter().filter(|(part, _)| is_page && sql.contains(part)) {
                followed.insert(*part);
                let inner = plan.iter().skip(1).find(|line| line.contains(index)).unwrap_or_else(|| panic!("{sql}: {plan:#?}"));
                let place = plan.iter().position(|line| line == inner).unwrap_or_default();
                let is_sorted_there = plan.get(place + 1).is_none_or(|line| !line.contains("TEMP B-TREE"));
                assert!(is_sorted_there, "{sql}: {plan:#?}");
            }
        }
        assert_eq!(followed.len(), if is_sqlite { FOLLOWED.len() } else { 0 }, "{followed:?}");
    }
}

fn is_scan(line: &str) -> bool {
    // A row of constants is no table.
    line.starts_with("SCAN") && line != "SCAN CONSTANT ROW" || line.contains("Seq Scan")
}

/// A search for visitors goes through an index that holds what is searched, and through no row.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_visitors_reads_an_index_alone() {
    let searches: Vec<String> = q::visitor_lists::lists().into_iter().filter(|sql| sql.contains("search_key LIKE")).collect();
    assert_eq!(searches.len(), 3, "the number of all, and the pages in two orders");
    for engine in Engine::all() {
        let store = open(&engine);
        for sql in &searches {
            let asked = sql.clone();
            let plan = store.write(move |tx| registry::plan(tx, &asked)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            // On an empty table PostgreSQL sees no difference between reading the index alone and the rows as well.
            let reads_index = |line: &String| match engine {
                Engine::Sqlite(_) => line.contains("USING COVERING INDEX visitors_created"),
                Engine::Postgres(_) => line.contains("visitors_created"),
            };
            assert!(plan.iter().any(reads_index), "{sql}: {plan:#?}");
        }
    }
}

/// The negative control of the tests above: it does see a scan.
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
        assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_newer_program_are_refused() {
    for engine in Engine::all() {
        let add = |tx: &mut Tx<'_>| tx.execute_one("INSERT INTO schema_migrations VALUES (?1, 'x', 0)", values![99_i64]);
        open(&engine).write(add).await.expect("a version can be added");
        let options = Options::safe(Arc::new(ManualClock::default()), Arc::new(Nobody));
        let refused = Store::open(&engine.location(), options).err().expect("it is refused");
        assert!(matches!(refused, OpenError::Newer { found: 99, known: 7 }), "{refused}");
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
    assert_eq!(dialect.matches("pub(crate) const ").count(), 37, "say it in one text in `q` if you can");
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
