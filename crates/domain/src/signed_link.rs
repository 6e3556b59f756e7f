//! Signed links to files: addresses that open one file for an hour to whoever has them, for systems that have no login.
//!
//! The signature is a JSON web token (HS256) by a key that administrators share with nobody but this server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use crate::file::File;
use crate::settings::{FILE_SIGNED_LINKS, FILE_SIGNING_KEY, Settings};

/// For how long a link opens its file, in seconds.
const LASTS: i64 = 3_600;

/// Whom tokens are for: those for anything else open no file.
const AUDIENCE: &str = "RocketChat";

/// The head of every token: no other algorithm is taken.
const HEAD: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Signs links to files, and looks whether it did.
#[derive(Clone)]
pub struct LinkSigner(Hmac<Sha256>);

#[derive(Deserialize)]
struct Claims {
    aud: String,
    nbf: i64,
    exp: i64,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "fileId")]
    file_id: String,
}

impl LinkSigner {
    /// The signer of these settings; `None` where links are not signed. An empty key signs nothing.
    pub fn of(settings: &Settings) -> Option<LinkSigner> {
        let key = settings.text(&FILE_SIGNING_KEY);
        if !settings.get(&FILE_SIGNED_LINKS) || key.is_empty() {
            return None;
        }
        Hmac::new_from_slice(key.as_bytes()).ok().map(LinkSigner)
    }

    /// The token that opens a file from `now` (milliseconds UTC) on for an hour.
    pub fn token(&self, file_id: &str, room_id: &str, now: i64) -> String {
        let now = now.div_euclid(1_000);
        let context = json!({"rid": room_id, "fileId": file_id});
        let claims = json!({"iat": now, "nbf": now, "exp": now + LASTS, "aud": AUDIENCE, "context": context});
        let signed = format!("{}.{}", BASE64.encode(HEAD), BASE64.encode(claims.to_string()));
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64.encode(signature))
    }

    /// Whether a token opens a file at `now` (milliseconds UTC).
    pub fn opens(&self, token: &str, file: &File, now: i64) -> bool {
        self.claims(token).is_some_and(|claims| {
            let now = now.div_euclid(1_000);
            claims.aud == AUDIENCE && claims.nbf <= now && now < claims.exp && claims.context.file_id == file.id
        })
    }

    /// What a token says that this signer made.
    fn claims(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let is_signed = self.0.clone().chain_update(signed).verify_slice(&BASE64.decode(signature).ok()?).is_ok();
        if !is_signed || BASE64.decode(head).ok()? != HEAD.as_bytes() {
            return None;
        }
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::FileState;
    use proptest::prelude::*;

    const NOW: i64 = 1_706_702_400_000;

    fn signer(key: &str) -> LinkSigner {
        let pairs = [("FileUpload_json_web_token_secret_for_files", json!(key))];
        LinkSigner::of(&Settings::with(pairs).expect("the setting exists")).expect("it signs")
    }

    fn file(id: &str) -> File {
        File {
            id: id.to_owned(),
            name: "a.png".to_owned(),
            room_id: "room".to_owned(),
            visitor_id: "visitor".to_owned(),
            sender_id: "visitor".to_owned(),
            media_type: "image/png".to_owned(),
            size: 1,
            dimensions: None,
            state: FileState::Posted,
            message_id: None,
            created_at: 0,
        }
    }

    #[test]
    fn only_with_a_key_and_where_settings_say_so() {
        let with = |on: bool, key: &str| {
            let pairs = [
                ("FileUpload_Enable_json_web_token_for_files", json!(on)),
                ("FileUpload_json_web_token_secret_for_files", json!(key)),
            ];
            LinkSigner::of(&Settings::with(pairs).expect("the settings exist")).is_some()
        };
        assert_eq!([with(true, "key"), with(false, "key"), with(true, ""), with(false, "")], [true, false, false, false]);
    }

    #[test]
    fn a_token_opens_its_file_for_an_hour() {
        let (ours, token) = (signer("ours"), signer("ours").token("1", "room", NOW));
        for (now, opens) in [(NOW - 1, false), (NOW, true), (NOW + 3_599_999, true), (NOW + 3_600_000, false)] {
            assert_eq!(ours.opens(&token, &file("1"), now), opens, "{}", now - NOW);
        }
        assert!(!ours.opens(&token, &file("2"), NOW) && !signer("theirs").opens(&token, &file("1"), NOW));
    }

    #[test]
    fn tokens_are_those_that_other_programs_make() {
        // Made by another program: HS256 of the same claims with the key `ours`.
        let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
            eyJhdWQiOiJSb2NrZXRDaGF0IiwiY29udGV4dCI6eyJmaWxlSWQiOiIxIiwicmlkIjoicm9vbSJ9LCJleHAiOjE3MDY3MDYwMDAsImlhdCI6MTcw\
            NjcwMjQwMCwibmJmIjoxNzA2NzAyNDAwfQ.\
            nwcwHM49QkiqWROpxA4xT43JjuI_Ka3c-kZrmpBlqcc";
        assert_eq!(signer("ours").token("1", "room", NOW), expected);
    }

    #[test]
    fn tokens_without_a_signature_of_ours_open_nothing() {
        let claims = json!({"aud": AUDIENCE, "nbf": 0, "exp": i64::MAX, "context": {"fileId": "1"}}).to_string();
        let signed = |head: &str, claims: &str| {
            let signed = format!("{}.{}", BASE64.encode(head), BASE64.encode(claims));
            let signature = signer("ours").0.chain_update(&signed).finalize().into_bytes();
            (signed, BASE64.encode(signature))
        };
        let opens = |token: &str| signer("ours").opens(token, &file("1"), NOW);
        let (good, signature) = signed(HEAD, &claims);
        assert!(opens(&format!("{good}.{signature}")), "the control");
        let (none, of_none) = signed(r#"{"alg":"none"}"#, &claims);
        let (other, of_other) = signed(HEAD, &claims.replace(AUDIENCE, "somebody else"));
        for token in [
            format!("{good}."),
            good.clone(),
            format!("{none}."),
            format!("{none}.{of_none}"),
            format!("{other}.{of_other}"),
            format!("{good}.{}", BASE64.encode("nonsense")),
            format!("{good}.{}", &signature[..20]),
            String::new(),
            "..".to_owned(),
        ] {
            assert!(!opens(&token), "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_opens(text in "\\PC{0,200}") {
            prop_assert!(!signer("ours").opens(&text, &file("1"), NOW));
        }

        #[test]
        fn a_changed_token_opens_nothing(place in 0..200_usize, letter in proptest::char::range('A', 'z')) {
            let token = signer("ours").token("1", "room", NOW);
            let place = place % token.len();
            let changed: String = token.chars().enumerate().map(|(at, old)| if at == place { letter } else { old }).collect();
            // The last letter of a piece has bits that say nothing; the decoder refuses those that are not zero.
            prop_assert!(changed == token || !signer("ours").opens(&changed, &file("1"), NOW));
        }
    }
}
