//! Agents: who might get a chat, what is remembered of those who did, and when they were in service.

use std::sync::Arc;

use serde_json::Map;
use usher_domain::department::{Department, DepartmentAgent};
use usher_domain::routing::Candidate;
use usher_domain::user::Availability;
use usher_store::q::users::User;
use usher_store::{Nobody, Store, StoreError, Tx, q, values};
use usher_testkit::ManualClock;
use usher_testkit::engines::Engine;

fn open(engine: &Engine) -> Store {
    engine.open(Arc::new(ManualClock::default()), Arc::new(Nobody))
}

fn insert_user(tx: &mut Tx<'_>, id: &str, roles: &[&str], availability: Option<Availability>) -> Result<(), StoreError> {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    let user = User { username: id.to_owned(), availability, roles, ..User::new(id.to_owned(), 0) };
    q::users::insert(tx, &user)
}

fn insert_department(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    let department = Department {
        id: id.to_owned(),
        name: id.to_owned(),
        email: String::new(),
        enabled: true,
        archived: false,
        show_on_registration: true,
        show_on_offline_form: true,
        fallback_id: None,
        agent_count: 0,
        members: Map::new(),
        created_at: 0,
        updated_at: 0,
    };
    q::departments::insert(tx, &department)
}

fn put_into(tx: &mut Tx<'_>, department: &str, agent: &str, count: i64, order: i64) -> Result<(), StoreError> {
    let place = DepartmentAgent {
        id: format!("{department}-{agent}"),
        department_id: department.to_owned(),
        agent_id: agent.to_owned(),
        username: agent.to_owned(),
        department_enabled: true,
        count,
        order,
        updated_at: 0,
    };
    q::department_agents::upsert(tx, &place)
}

/// A room that somebody has in its list.
fn insert_chat(tx: &mut Tx<'_>, id: &str, agent: &str, department: Option<&str>, state: &str) -> Result<(), StoreError> {
    const ROOM: &str = "INSERT INTO rooms (id, visitor_id, visitor_username, visitor_status, contact_id, name, department_id, source_type,
            is_open, erasing, waiting_response, message_count, users_count, seq, opened_at, last_message_at, queued_at, updated_at, on_hold)
        VALUES (?1, ?1, 'v', 'online', 'c', 'n', ?2, 'api', ?3, FALSE, TRUE, 0, 1, 0, 0, 0, 0, 0, ?4)";
    tx.execute(ROOM, values![id, department, state != "closed", state == "on hold"])?;
    const SUBSCRIPTION: &str = "INSERT INTO subscriptions (id, room_id, user_id, unread, mentions, alert, is_shown, is_favorite,
            created_at, updated_at) VALUES (?1, ?1, ?2, 0, 0, FALSE, TRUE, FALSE, 0, 0)";
    tx.execute(SUBSCRIPTION, values![id, agent]).map(|_| ())
}

/// Two agents who take chats, one who takes none, one who may not log in, a program, and somebody who is no agent any more.
fn insert_everybody(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    const AGENT: &str = "livechat-agent";
    insert_user(tx, "adam", &[AGENT], Some(Availability::Available))?;
    insert_user(tx, "mary", &[AGENT, "user"], Some(Availability::Available))?;
    insert_user(tx, "none", &[AGENT], Some(Availability::NotAvailable))?;
    insert_user(tx, "new", &[AGENT], None)?;
    insert_user(tx, "robot", &["bot", AGENT], Some(Availability::Available))?;
    insert_user(tx, "former", &["user"], Some(Availability::Available))?;
    insert_user(tx, "locked", &[AGENT], Some(Availability::Available))?;
    tx.execute("UPDATE users SET active = FALSE WHERE id = 'locked'", values![])?;
    tx.execute("UPDATE users SET status = 'away' WHERE id = 'mary'", values![])?;
    q::agents::set_data(tx, "mary", Some(r#"{"maxNumberSimultaneousChat":"3"}"#), 0)?;
    insert_department(tx, "sales")?;
    insert_department(tx, "help")?;
    for (agent, count, order) in [("mary", 4, 1), ("none", 0, 0), ("former", 0, 0), ("locked", 0, 0)] {
        put_into(tx, "sales", agent, count, order)?;
    }
    put_into(tx, "help", "adam", 0, 0)?;
    for (id, agent, department, state) in [
        ("1", "mary", None, "open"),
        ("2", "mary", Some("sales"), "open"),
        ("3", "mary", Some("sales"), "on hold"),
        ("4", "mary", Some("sales"), "closed"),
        ("5", "adam", Some("help"), "open"),
    ] {
        insert_chat(tx, id, agent, department, state)?;
    }
    Ok(())
}

fn ids(candidates: &[Candidate]) -> Vec<&str> {
    candidates.iter().map(|candidate| candidate.id.as_str()).collect()
}

async fn candidates(store: &Store, department: Option<&'static str>) -> Vec<Candidate> {
    store.read(move |tx| q::agents::candidates(tx, department)).await.expect("they can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_department_every_agent_in_service_might_get_a_chat() {
    for engine in Engine::all() {
        let store = open(&engine);
        store.write(insert_everybody).await.expect("they can be inserted");
        let found = candidates(&store, None).await;
        assert_eq!(ids(&found), ["adam", "mary", "robot"]);
        assert!(found.iter().all(|candidate| candidate.is_in_service));
        assert_eq!(found.iter().map(|candidate| candidate.is_bot).collect::<Vec<_>>(), [false, false, true]);
        let mary = &found[1];
        assert_eq!((mary.username.as_str(), mary.status.name()), ("mary", "away"));
        assert_eq!((mary.chats, mary.chats_in_department, mary.limit), (2, 2, Some(3)));
        assert_eq!((mary.count, mary.order, mary.last_routed_at), (0, 0, None));
        assert_eq!((found[0].chats, found[0].limit), (1, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_department_everybody_is_looked_at_who_is_in_it() {
    for engine in Engine::all() {
        let store = open(&engine);
        store.write(insert_everybody).await.expect("they can be inserted");
        let found = candidates(&store, Some("sales")).await;
        assert_eq!(ids(&found), ["former", "locked", "mary", "none"]);
        let in_service: Vec<bool> = found.iter().map(|candidate| candidate.is_in_service).collect();
        assert_eq!(in_service, [false, false, true, false]);
        let mary = &found[2];
        assert_eq!((mary.chats, mary.chats_in_department), (2, 1));
        assert_eq!((mary.count, mary.order), (4, 1));
        // Whether the department is in service makes no difference.
        store.write(|tx| q::department_agents::set_enabled(tx, "sales", false, 1)).await.expect("it can be switched off");
        assert_eq!(candidates(&store, Some("sales")).await, found);
        assert_eq!(candidates(&store, Some("unknown")).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_got_a_chat_is_remembered() {
    for engine in Engine::all() {
        let store = open(&engine);
        store.write(insert_everybody).await.expect("they can be inserted");
        let write = store.write(|tx| {
            q::agents::count_routed(tx, "mary", Some("sales"), 5)?;
            q::agents::count_routed(tx, "mary", None, 6)?;
            q::agents::count_routed(tx, "mary", None, 7)?;
            q::agents::note_time_routed(tx, "adam", 8)
        });
        write.await.expect("they can be remembered");
        let everywhere = candidates(&store, None).await;
        assert_eq!((everywhere[1].count, everywhere[0].count, everywhere[0].last_routed_at), (2, 0, Some(8)));
        let in_sales = candidates(&store, Some("sales")).await;
        assert_eq!(in_sales[2].count, 5);
        assert_eq!(candidates(&store, Some("help")).await[0].count, 0, "another department is another count");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_time_in_service_runs_at_once() {
    for engine in Engine::all() {
        let store = open(&engine);
        let write = store.write(|tx| {
            q::agents::stop_session(tx, "mary", 1)?;
            q::agents::start_session(tx, "mary", 2)?;
            q::agents::start_session(tx, "mary", 3)?;
            q::agents::start_session(tx, "adam", 3)?;
            q::agents::stop_session(tx, "mary", 4)?;
            q::agents::stop_session(tx, "mary", 5)?;
            // Begun, ended and begun again in one moment.
            q::agents::start_session(tx, "mary", 6)?;
            q::agents::stop_session(tx, "mary", 6)?;
            q::agents::start_session(tx, "mary", 6)
        });
        write.await.expect("they can be kept");
        let sessions = async |id: &'static str| {
            let found = store.read(move |tx| q::agents::sessions(tx, id)).await.expect("they can be read");
            found.into_iter().map(|session| (session.started_at, session.stopped_at)).collect::<Vec<_>>()
        };
        assert_eq!(sessions("mary").await, [(2, Some(4)), (6, None)]);
        assert_eq!(sessions("adam").await, [(3, None)]);
        store.write(|tx| q::agents::forget_sessions(tx, "mary")).await.expect("they can be forgotten");
        assert_eq!((sessions("mary").await.len(), sessions("adam").await.len()), (0, 1));
    }
}
