//! Mails as they are sent: tried again when the server is not there, sent again rather than lost, and gone when they are sent.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use usher_domain::mail::{Encryption, MailState, OfflineMessage, pause_after};
use usher_services::mails::{Delivery, MailPage};
use usher_services::platform::SettingsOfEnvironment;
use usher_services::ports::{Outside, Unsent};
use usher_services::{Error, Hub, Refusal, Services, StoreError};
use usher_store::{Tx, values};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;
use usher_testkit::outside::nothing_outside;
use usher_testkit::{FakeMailer, ManualClock, SeededRandom};

/// A server's use cases with what is outside of it.
struct World {
    services: Services,
    mailer: Arc<FakeMailer>,
    clock: Arc<ManualClock>,
}

/// The settings with which mails can be sent.
const READY: [(&str, &str); 3] = [
    ("Livechat_offline_email", "support@example.com"),
    ("SMTP_Host", "mail.example.com"),
    ("From_Email", "Chat <chat@example.com>"),
];

impl World {
    /// Starts on what `engine` holds, with these settings.
    async fn start(engine: &Engine, clock: &Arc<ManualClock>, settings: &[(&str, &str)]) -> World {
        let hub = Arc::new(Hub::default());
        let store = Arc::new(engine.open(clock.clone(), hub.clone()));
        let settings = settings.iter().chain(&[("Livechat_validate_offline_email", "false")]);
        let forced = usher_domain::settings::forced(settings.map(|(id, value)| ((*id).to_owned(), (*value).to_owned())));
        let environment = SettingsOfEnvironment { forced: forced.expect("the settings exist"), ..SettingsOfEnvironment::default() };
        let mailer = Arc::new(FakeMailer::default());
        let outside = Outside { mailer: mailer.clone(), ..nothing_outside() };
        let random = Arc::new(SeededRandom::new(7));
        let services = Services::start(store, hub, environment, false, clock.clone(), random, outside).await.expect("it starts");
        World { services, mailer, clock: clock.clone() }
    }

    async fn ready(engine: &Engine) -> World {
        World::start(engine, &Arc::new(ManualClock::default()), &READY).await
    }

    async fn leave(&self, text: &str) {
        let message =
            OfflineMessage { name: "Mary".to_owned(), email: "Mary@example.com".to_owned(), message: text.to_owned(), host: None };
        self.services.leave_offline_message(message, None).await.expect("the message is taken");
    }

    async fn send(&self) -> Delivery {
        self.services.send_next_mail().await.expect("mails can be looked at")
    }

    /// Each mail as `state attempts failure`, the newest first.
    async fn states(&self) -> Vec<String> {
        let (mails, _) = self.services.mails(MailPage::default()).await.expect("mails can be listed");
        let shown = mails
            .into_iter()
            .map(|mail| format!("{} {} {}", mail.state.name(), mail.attempts, mail.failure.as_deref().unwrap_or("-")));
        shown.collect()
    }

    async fn only(&self) -> String {
        let (mails, _) = self.services.mails(MailPage::default()).await.expect("mails can be listed");
        assert_eq!(mails.len(), 1);
        mails[0].id.clone()
    }

    fn subjects(&self) -> Vec<String> {
        self.mailer.mails().into_iter().map(|mail| mail.subject.rsplit(": ").next().unwrap_or_default().to_owned()).collect()
    }

    fn advance(&self, milliseconds: i64) {
        self.clock.advance(Duration::from_millis(milliseconds.unsigned_abs()));
    }

    /// Everything that the table of mails holds, as one text.
    async fn everything(&self) -> String {
        let sql = "SELECT COALESCE(content, '') || COALESCE(about, '') FROM mails";
        let read = |tx: &mut Tx<'_>| tx.query(sql, values![], |row| row.text(0));
        self.services.store.read::<_, StoreError, _>(read).await.expect("mails can be read").concat()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_out_and_leaves_no_content() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        assert_eq!(world.send().await, Delivery::Nothing(None));
        world.leave("Hello").await;
        // The control: before it is sent, it is there.
        assert!(world.everything().await.contains("Hello") && world.everything().await.contains("mary@example.com"));
        assert_eq!(world.send().await, Delivery::Sent);
        assert_eq!(world.states().await, ["sent 1 -"]);
        assert_eq!(world.everything().await, "");
        assert_eq!(world.send().await, Delivery::Nothing(None), "once is enough");

        let (mails, servers) = (world.mailer.mails(), world.mailer.servers());
        assert_eq!((mails.len(), mails[0].to.as_str()), (1, "support@example.com"));
        assert_eq!(mails[0].reply_to.as_ref().map(|mailbox| mailbox.address.as_str()), Some("Mary@example.com"));
        assert_eq!(
            (servers[0].host.as_str(), servers[0].port, servers[0].encryption),
            ("mail.example.com", 25, Encryption::IfOffered)
        );
        assert_eq!(servers[0].sender.address, "chat@example.com");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_tried_for_days() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        world.leave("Hello").await;
        let id = world.only().await;
        let pauses: Vec<i64> = (1..).map_while(pause_after).collect();
        world.mailer.fail(&vec![Unsent::ForNow("unreachable"); pauses.len() + 1]);
        for (attempt, pause) in (1..).zip(&pauses) {
            assert_eq!(world.send().await, Delivery::Unsent(id.clone(), "unreachable"), "attempt {attempt}");
            assert_eq!(world.states().await, [format!("waiting {attempt} unreachable")]);
            world.advance(pause - 1);
            let Delivery::Nothing(Some(next)) = world.send().await else { panic!("it is not time yet after attempt {attempt}") };
            world.advance(1);
            assert_eq!(next, START + pauses[..attempt as usize].iter().sum::<i64>());
        }
        assert_eq!(world.send().await, Delivery::Unsent(id.clone(), "unreachable"));
        assert_eq!(world.states().await, ["failed 11 unreachable"]);
        world.advance(pauses.iter().sum());
        assert_eq!(world.send().await, Delivery::Nothing(None), "it was given up");
        assert!(world.mailer.mails().is_empty());

        // An administrator has the last word.
        world.services.retry_mail(id).await.expect("what was given up can be tried again");
        assert_eq!(world.states().await, ["waiting 0 -"]);
        assert_eq!(world.send().await, Delivery::Sent);
        assert_eq!(world.subjects(), ["Hello"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_is_not_tried_again() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        world.leave("first").await;
        world.advance(1);
        world.leave("second").await;
        world.mailer.fail(&[Unsent::ForGood("refused")]);
        assert!(matches!(world.send().await, Delivery::Unsent(_, "refused")));
        assert_eq!(world.send().await, Delivery::Sent, "the next one is not kept back");
        assert_eq!(
            (world.states().await, world.subjects()),
            (vec!["sent 1 -".to_owned(), "failed 1 refused".to_owned()], vec!["second".to_owned()])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_handed_out_and_not_noted_is_sent_again() {
    for engine in Engine::all() {
        let clock = Arc::new(ManualClock::default());
        let first = World::start(&engine, &clock, &READY).await;
        first.leave("Hello").await;
        // As a process that is killed after the mail server took the mail: nothing more is noted.
        let handed_out = clock_now(&clock);
        let hand_out = first
            .services
            .store
            .write::<_, StoreError, _>(move |tx| usher_store::q::mails::hand_out(tx, handed_out, handed_out + 300_000));
        assert!(hand_out.await.expect("it is due").is_some());
        drop(first);

        let second = World::start(&engine, &clock, &READY).await;
        assert!(matches!(second.send().await, Delivery::Nothing(Some(_))), "somebody may still be at it");
        second.advance(300_000);
        assert_eq!(second.send().await, Delivery::Sent);
        assert_eq!((second.subjects(), second.states().await), (vec!["Hello".to_owned()], vec!["sent 2 -".to_owned()]));
    }
}

fn clock_now(clock: &ManualClock) -> i64 {
    usher_domain::Clock::now(clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailer_that_breaks_loses_nothing() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        world.leave("Hello").await;
        world.mailer.break_after_sending();
        assert!(matches!(world.send().await, Delivery::Unsent(_, "broken")));
        assert_eq!(world.states().await, ["waiting 1 broken"]);
        world.advance(60_000);
        assert_eq!(world.send().await, Delivery::Sent);
        assert_eq!(world.subjects(), ["Hello", "Hello"], "twice at worst, and never not at all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_mails_wait() {
    for engine in Engine::all() {
        let clock = Arc::new(ManualClock::default());
        for (settings, failure) in [(&READY[..1], "no-server"), (&READY[..2], "no-sender")] {
            let world = World::start(&engine, &clock, settings).await;
            if failure == "no-server" {
                world.leave("Hello").await;
            }
            assert_eq!(world.send().await, Delivery::Nothing(None));
            assert_eq!(world.states().await, [format!("waiting 0 {failure}")]);
            assert!(world.mailer.mails().is_empty());
        }
        clock.advance(Duration::from_secs(29 * 86_400));
        let world = World::start(&engine, &clock, &READY).await;
        assert_eq!(world.send().await, Delivery::Sent, "as soon as it is said who takes them");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_server_forever() {
    for engine in Engine::all() {
        let clock = Arc::new(ManualClock::default());
        let world = World::start(&engine, &clock, &READY[..1]).await;
        world.leave("Hello").await;
        world.advance(30 * 86_400_000);
        assert_eq!(world.send().await, Delivery::Nothing(None));
        assert_eq!(world.states().await, ["waiting 0 no-server"]);
        world.advance(1);
        assert_eq!(world.send().await, Delivery::Nothing(None));
        assert_eq!(world.states().await, ["failed 0 no-server"]);
        assert_eq!(world.services.prune_mails().await, Ok(0));
        world.advance(30 * 86_400_000);
        assert_eq!(world.services.prune_mails().await, Ok(1), "and its content is not kept forever");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_what_was_sent_are_kept_for_a_month() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        world.leave("Hello").await;
        assert_eq!(world.send().await, Delivery::Sent);
        world.advance(30 * 86_400_000);
        assert_eq!(world.services.prune_mails().await, Ok(0));
        world.advance(1);
        assert_eq!(world.services.prune_mails().await, Ok(1));
        assert!(world.states().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_looked_at_once_after_a_mail_was_sent() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        let seal = async || world.services.seal_sent_mails().await;
        assert_eq!(seal().await, Ok(false), "nothing was sent yet");
        world.leave("Hello").await;
        assert_eq!(world.send().await, Delivery::Sent);
        assert_eq!((seal().await, seal().await), (Ok(true), Ok(false)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_is_woken() {
    let world = World::ready(&Engine::sqlite()).await;
    world.leave("Hello").await;
    let woken = tokio::time::timeout(Duration::from_secs(10), world.services.mail_to_send()).await;
    assert!(woken.is_ok(), "a mail in the store wakes its sender");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_has_failed_is_tried_again() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        let refused = Err(Error::Refused(Refusal::NoMailToRetry));
        assert_eq!(world.services.retry_mail("unknown".to_owned()).await, refused);
        world.leave("Hello").await;
        let id = world.only().await;
        assert_eq!(world.services.retry_mail(id.clone()).await, refused, "nothing went wrong so far");
        assert_eq!(world.send().await, Delivery::Sent);
        assert_eq!(world.services.retry_mail(id).await, refused, "it was sent");
        let (sent, total) =
            world.services.mails(MailPage { state: Some(MailState::Sent), ..MailPage::default() }).await.expect("a list");
        assert_eq!((sent.len(), total), (1, 1));
    }
}

/// What the list tells names nobody.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_names_nobody() {
    for engine in Engine::all() {
        let world = World::ready(&engine).await;
        world.leave("Hello").await;
        let (mails, _) = world.services.mails(MailPage::default()).await.expect("mails can be listed");
        let shown: Vec<Value> = mails
            .iter()
            .map(|entry| serde_json::to_value(usher_services::documents::MailDocument::from(entry)).expect("it is JSON"))
            .collect();
        let text = Value::from(shown).to_string();
        for part in ["mary", "Mary", "example.com", "Hello"] {
            assert!(!text.contains(part), "{part}: {text}");
        }
    }
}
