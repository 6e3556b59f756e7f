//! Quotes: a text that links to a message shows it.

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::Setup;
use usher_testkit::engines::Engine;

use crate::chat::{Desk, md};
use crate::support::{MESSAGE, column, usual};

const SITE: &str = "https://chat.example.com";

fn with_site() -> Setup {
    usual().setting("Site_Url", SITE)
}

fn link(room: &str, id: &str) -> String {
    format!("{SITE}/live/{room}?msg={id}")
}

/// The text of the quotes in a message.
fn quoted(message: &Value) -> Vec<&str> {
    message["attachments"].as_array().into_iter().flatten().filter_map(|quote| quote["text"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_and_agents_quote() {
    for engine in Engine::all() {
        let desk = Desk::with(with_site(), &engine).await;
        desk.asks_as("hers", "Hello").await;
        let link = link(&desk.room, "hers");
        let quote = json!({
            "text": "Hello",
            "md": md("Hello"),
            "message_link": link,
            "author_name": "Mary",
            "author_icon": format!("{SITE}/avatar/guest-1"),
            "ts": "2024-01-31T12:00:00.003Z",
        });
        let by_agent = desk.says(&desk.agent, &format!("[ ]({link}) What is it?")).await;
        assert_eq!(by_agent["attachments"], json!([quote]));
        assert_eq!(by_agent["msg"], format!("[ ]({link}) What is it?"), "the text stays as it was sent");
        let by_visitor = desk.asks(&format!("See {link}.")).await;
        assert_eq!(by_visitor["attachments"], json!([quote]));
        let id = by_agent["_id"].as_str().expect("it has an id");
        let of_agent = desk.asks(&self::link(&desk.room, id)).await;
        assert_eq!(
            (&of_agent["attachments"][0]["author_name"], quoted(&of_agent["attachments"][0])),
            (&json!("ana"), vec!["Hello"])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_sender_may_see_is_quoted() {
    for engine in Engine::all() {
        let desk = Desk::with(with_site(), &engine).await;
        desk.asks_as("hers", "A secret of Mary").await;
        desk.app.register("token-2", "Bob").await;
        let other = desk.app.room("token-2").await;
        desk.app.post(MESSAGE, &json!({"token": "token-2", "rid": other, "msg": "A secret of Bob", "_id": "his"})).await.ok();
        let gone = desk.asks("Gone soon").await["_id"].as_str().expect("it has an id").to_owned();
        desk.post(&desk.admin, "/api/v1/chat.delete", &json!({"roomId": desk.room, "msgId": gone})).await.ok();
        let started = column(&desk.app, "SELECT id FROM messages WHERE kind = 'livechat-started' ORDER BY id").await[0].clone();
        let foreign = link(&other, "his");
        for text in [
            foreign.clone(),
            link(&desk.room, &gone),
            link(&desk.room, &started),
            link(&desk.room, "unknown"),
            "https://other.example.com/live/x?msg=hers".to_owned(),
        ] {
            assert_eq!(desk.asks(&text).await.get("attachments"), None, "{text}");
            assert_eq!(desk.says(&desk.agent, &text).await.get("attachments"), None, "{text}");
        }
        // The administrator may read both rooms. What Bob wrote is not for Mary all the same.
        assert_eq!(desk.says(&desk.admin, &foreign).await.get("attachments"), None);
        let copies = column(&desk.app, "SELECT id FROM messages WHERE details LIKE '%secret%'").await;
        assert_eq!(copies, Vec::<String>::new());
        assert_eq!(quoted(&desk.says(&desk.admin, &link(&desk.room, "hers")).await), ["A secret of Mary"], "the control");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_quotes_anew() {
    for engine in Engine::all() {
        let desk = Desk::with(with_site(), &engine).await;
        for id in ["one", "two"] {
            desk.asks_as(id, id).await;
        }
        desk.asks_as("mine", &link(&desk.room, "one")).await;
        let edit = |text: String| json!({"token": "token-1", "rid": desk.room, "msg": text});
        let path = format!("{MESSAGE}/mine");
        for (text, expected) in
            [(link(&desk.room, "two"), vec!["two"]), ("nothing".to_owned(), vec![]), (link(&desk.room, "one"), vec!["one"])]
        {
            let edited = desk.app.call(Method::PUT, &path).json(&edit(text)).send().await.ok();
            assert_eq!(quoted(&edited["message"]), expected);
        }
        let sent = desk.says(&desk.agent, "Which one?").await;
        let text = format!("{} {}", link(&desk.room, "one"), link(&desk.room, "two"));
        let body = json!({"roomId": desk.room, "msgId": sent["_id"], "text": text});
        let edited = desk.post(&desk.agent, "/api/v1/chat.update", &body).await.ok();
        assert_eq!(quoted(&edited["message"]), ["one", "two"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_in_quotes_have_an_end() {
    for (limit, expected) in [("1", &["three"] as &[&str]), ("2", &["three", "two"]), ("3", &["three", "two", "one"])] {
        for engine in Engine::all() {
            let desk = Desk::with(with_site().setting("Message_QuoteChainLimit", limit), &engine).await;
            desk.asks_as("one", "one").await;
            desk.asks_as("two", &format!("two {}", link(&desk.room, "one"))).await;
            desk.asks_as("three", &format!("three {}", link(&desk.room, "two"))).await;
            let mut inner = desk.asks(&link(&desk.room, "three")).await;
            let mut chain = Vec::new();
            while let Some(quote) = inner["attachments"].get(0).cloned() {
                chain.push(quote["text"].as_str().and_then(|text| text.split(' ').next()).expect("it has a text").to_owned());
                inner = quote;
            }
            assert_eq!(chain, expected, "{limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_know_its_address_quotes_nothing() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        assert_eq!(desk.asks(&link(&desk.room, "hers")).await.get("attachments"), None);
    }
}
