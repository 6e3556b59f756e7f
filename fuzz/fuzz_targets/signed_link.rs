//! Tokens of signed links: whatever comes, it opens no file, unless it is the token that was made for that file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_domain::file::{File, FileState};
use usher_domain::settings::Settings;
use usher_domain::signed_link::LinkSigner;

fuzz_target!(|given: (&str, &str, i64)| {
    let (token, id, now) = given;
    let settings = Settings::with([("FileUpload_json_web_token_secret_for_files", "a key of this target".into())]);
    let signer = LinkSigner::of(&settings.expect("the setting exists")).expect("it signs");
    let now = now.clamp(0, 253_402_300_799_999);
    let file = File {
        id: id.to_owned(),
        name: String::new(),
        room_id: String::new(),
        visitor_id: String::new(),
        sender_id: String::new(),
        media_type: String::new(),
        size: 0,
        dimensions: None,
        state: FileState::Posted,
        message_id: None,
        created_at: 0,
    };
    let made = signer.token(id, "", now);
    assert!(signer.opens(&made, &file, now));
    assert!(token == made || !signer.opens(token, &file, now));
});
