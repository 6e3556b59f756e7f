//! Freshness: a right taken away, a setting written or a user deactivated counts from the very next request on, and in another process
//! on the same database within a second.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::engines::Folder;
use usher_testkit::postgres;

use crate::common::figures::{scale, seconds};
use crate::common::http::{Answer, Client};
use crate::common::server::{Server, Setup};
use crate::common::session::{Session, try_to_log_in};
use crate::common::wait::{PATIENCE, Stopwatch, wait_until};

/// How long it may take until a change counts in another process.
const LIMIT: Duration = Duration::from_secs(1);

/// The user who is there for others to take something from.
const USER: (&str, &str) = ("reader", "The password of a reader");

/// The right that is taken away.
const PERMISSION: &str = "view-privileged-setting";

/// What only those may read who have that right.
const PRIVILEGED: &str = "/api/v1/settings/Livechat_secret_token";

/// A server, and the administrator logged in there.
struct Place {
    client: Client,
    administrator: Session,
    /// Ends with the place.
    _server: Server,
}

impl Place {
    fn start(setup: &Setup) -> Place {
        let server = Server::start(setup).expect("the server starts");
        let client = server.client();
        Place { administrator: Session::of_administrator(&client), client, _server: server }
    }

    /// Makes a call that must work, as the administrator.
    fn demand(&self, method: &str, path: &str, body: &Value) -> Value {
        self.administrator.demand(&self.client, method, path, body)
    }

    fn call_as(&self, session: &Session, path: &str) -> Answer {
        session.call(&self.client, "GET", path, &Value::Null)
    }
}

/// Something that is on or off for all places.
trait Switch {
    /// What it is.
    fn name(&self) -> &'static str;

    /// Switches it at a place, by one call.
    fn set(&self, place: &Place, is_on: bool);

    /// Whether it is on as far as a place knows: one call, which is permitted only while it is.
    fn is_on(&self, place: &Place) -> bool;

    /// Looks at what else must be so at a place that has shown it.
    fn confirm(&self, _: &Place, _is_on: bool) {}
}

/// A permission that the role of a user has or has not.
struct Permission {
    session: Session,
}

impl Switch for Permission {
    fn name(&self) -> &'static str {
        "a permission"
    }

    fn set(&self, place: &Place, is_on: bool) {
        let roles: &[&str] = if is_on { &["admin", "user"] } else { &["admin"] };
        place.demand("POST", "/api/v1/permissions.update", &json!({"permissions": [{"_id": PERMISSION, "roles": roles}]}));
    }

    fn is_on(&self, place: &Place) -> bool {
        let answer = place.call_as(&self.session, PRIVILEGED);
        match answer.status {
            200 => true,
            403 => false,
            status => panic!("{PRIVILEGED}: {status} {}", answer.text),
        }
    }
}

/// A setting with a text that widgets are told.
struct Title;

impl Title {
    const TEXTS: [&str; 2] = ["The title before", "The title after"];
}

impl Switch for Title {
    fn name(&self) -> &'static str {
        "a text"
    }

    fn set(&self, place: &Place, is_on: bool) {
        let text = Title::TEXTS[usize::from(!is_on)];
        place.demand("POST", "/api/v1/settings/Livechat_title", &json!({"value": text}));
    }

    fn is_on(&self, place: &Place) -> bool {
        let config = config(place);
        let title = config["theme"]["title"].as_str().unwrap_or_else(|| panic!("there is a title: {config}"));
        title == Title::TEXTS[0]
    }
}

/// The setting that switches everything visitors do.
struct Livechat;

impl Switch for Livechat {
    fn name(&self) -> &'static str {
        "the master switch"
    }

    fn set(&self, place: &Place, is_on: bool) {
        place.demand("POST", "/api/v1/settings/Livechat_enabled", &json!({"value": is_on}));
    }

    fn is_on(&self, place: &Place) -> bool {
        let config = config(place);
        config["enabled"].as_bool().unwrap_or_else(|| panic!("it is on or off: {config}"))
    }
}

/// What a place tells widgets.
fn config(place: &Place) -> Value {
    let answer = place.client.get("/api/v1/livechat/config").expect("the server answers");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["config"].take()
}

/// A user who is active or not. A deactivated one has lost every login, so being activated is followed by logging in.
struct Activity {
    session: RefCell<Session>,
}

impl Switch for Activity {
    fn name(&self) -> &'static str {
        "a user"
    }

    fn set(&self, place: &Place, is_on: bool) {
        let user_id = self.session.borrow().user_id.clone();
        place.demand("POST", "/api/v1/users.setActiveStatus", &json!({"userId": user_id, "activeStatus": is_on}));
        if is_on {
            let (name, password) = USER;
            *self.session.borrow_mut() = Session::begin(&place.client, name, password);
        }
    }

    fn is_on(&self, place: &Place) -> bool {
        let answer = place.call_as(&self.session.borrow(), "/api/v1/me");
        match answer.status {
            200 => true,
            401 => false,
            status => panic!("/api/v1/me: {status} {}", answer.text),
        }
    }

    fn confirm(&self, place: &Place, is_on: bool) {
        if !is_on {
            let (name, password) = USER;
            let login = try_to_log_in(&place.client, &[], name, password);
            assert_eq!((login.status, &login.json()["error"]), (401, &json!("error-user-is-not-activated")), "{}", login.text);
        }
    }
}

/// Switches off and on again and again, each round at another place. Where it is switched the next request must show it, everywhere
/// else one within the limit, and before it every place must say the opposite. Gives the slowest, or says what was not so.
fn flip(places: &[Place], switch: &dyn Switch, rounds: usize) -> Result<Duration, String> {
    let name = switch.name();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let here = &places[round % places.len()];
        for is_on in [false, true] {
            let stale = places.iter().position(|place| switch.is_on(place) == is_on);
            if let Some(place) = stale {
                return Err(format!("{name}, round {round}: place {place} says {is_on} before that is so"));
            }
            switch.set(here, is_on);
            let watch = Stopwatch::start();
            if switch.is_on(here) != is_on {
                return Err(format!("{name}, round {round}: the next request does not show {is_on}"));
            }
            for (number, place) in places.iter().enumerate() {
                if !shows_in_time(switch, place, is_on, watch) {
                    return Err(format!("{name}, round {round}: place {number} does not show {is_on} within {LIMIT:?}"));
                }
            }
            slowest = slowest.max(watch.elapsed());
            places.iter().for_each(|place| switch.confirm(place, is_on));
        }
    }
    Ok(slowest)
}

fn shows_in_time(switch: &dyn Switch, place: &Place, is_on: bool, watch: Stopwatch) -> bool {
    let mut is_shown = false;
    wait_until("a place shows the change or is too late", LIMIT + PATIENCE, || {
        // The time is that before the call: what is late is not forgiven because its answer was slow.
        let is_late = watch.elapsed() > LIMIT;
        is_shown = !is_late && switch.is_on(place) == is_on;
        is_shown || is_late
    });
    is_shown
}

/// Switches everything there is, at all places of one database.
fn flip_all(engine: &str, places: &[Place]) {
    let (name, password) = USER;
    let first = &places[0];
    first.administrator.create_user(&first.client, name, password);
    let session = Session::begin(&first.client, name, password);
    let permission = Permission { session: session.clone() };
    permission.set(first, true);
    Title.set(first, true);
    let switches: [&dyn Switch; 4] = [&permission, &Title, &Livechat, &Activity { session: RefCell::new(session) }];
    let rounds = scale().of(40, 4);
    for switch in switches {
        // What was prepared above has to arrive as well.
        let watch = Stopwatch::start();
        for place in places {
            assert!(shows_in_time(switch, place, true, watch), "{engine}: {} is not on everywhere to begin with", switch.name());
        }
        let slowest = flip(places, switch, rounds).unwrap_or_else(|complaint| panic!("{engine}: {complaint}"));
        println!(
            "freshness on {engine}: {}, {} changes, each seen by the next request{}, slowest {}",
            switch.name(),
            2 * rounds,
            if places.len() > 1 { " and in the other process" } else { "" },
            milliseconds(slowest)
        );
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

#[test]
fn the_next_request_sees_every_change() {
    let folder = Folder::default();
    flip_all("SQLite", &[Place::start(&Setup::usual(folder.path()))]);
}

#[test]
fn another_process_sees_every_change_within_a_second() {
    let Some(database) = postgres::database() else { return };
    let folder = Folder::default();
    let place = |name: &str| {
        Place::start(&Setup::usual(&folder.path().join(name)).with("--database-url", &database.url).with("--files-url", "off"))
    };
    flip_all("PostgreSQL with two servers", &["first", "second"].map(place));
}

/// The negative control: two servers that share nothing never hear of each other, and the same check says so.
#[test]
fn servers_that_share_nothing_are_told_apart() {
    let folder = Folder::default();
    let places = ["one", "another"].map(|name| Place::start(&Setup::usual(&folder.path().join(name))));
    for place in &places {
        Title.set(place, true);
    }
    let watch = Stopwatch::start();
    let complaint = flip(&places, &Title, 1).expect_err("the check sees that a change did not arrive");
    assert!(complaint.contains("place 1 does not show false within 1s"), "{complaint}");
    println!("freshness, control: after {}: {complaint}", seconds(watch.elapsed()));
}
