//! Mail by SMTP.

use std::time::Duration;

use lettre::message::{Mailbox as Address, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use usher_domain::mail::{Encryption, Mail, MailServer, Mailbox, header};
use usher_services::ports::{Later, Mailer, Unsent};

/// How long a mail server may take for one step.
const STEP: Duration = Duration::from_secs(15);

/// How long it may take altogether.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends each mail over a connection of its own.
#[derive(Debug, Default, Clone, Copy)]
pub struct SmtpMailer;

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, server: &'a MailServer, mail: &'a Mail) -> Later<'a, Result<(), Unsent>> {
        Box::pin(async move {
            let message = message(server, mail)?;
            let transport = transport(server)?;
            let sending = tokio::time::timeout(PATIENCE, transport.send(message));
            let sent = sending.await.map_err(|_| Unsent::ForNow("timeout"))?;
            sent.map(|_| ()).map_err(|error| unsent(&error))
        })
    }
}

fn transport(server: &MailServer) -> Result<AsyncSmtpTransport<Tokio1Executor>, Unsent> {
    let parameters = || TlsParameters::new(server.host.clone()).map_err(|_| Unsent::ForNow("tls"));
    let tls = match server.encryption {
        Encryption::Never => Tls::None,
        Encryption::IfOffered => Tls::Opportunistic(parameters()?),
        Encryption::Demanded => Tls::Required(parameters()?),
        Encryption::FromTheStart => Tls::Wrapper(parameters()?),
    };
    let builder =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host).port(server.port).tls(tls).timeout(Some(STEP));
    let login = server.login.clone().map(|(username, password)| Credentials::new(username, password));
    Ok(match login {
        Some(login) => builder.credentials(login).build(),
        None => builder.build(),
    })
}

/// The mail as it goes over the wire.
fn message(server: &MailServer, mail: &Mail) -> Result<Message, Unsent> {
    let sender = Mailbox { name: mail.from.clone().or_else(|| server.sender.name.clone()), address: server.sender.address.clone() };
    let recipient = Mailbox { name: None, address: mail.to.clone() };
    let mut builder = Message::builder().from(address(&sender)?).to(address(&recipient)?).subject(header(&mail.subject));
    // An answer that cannot be addressed is no reason to lose the mail.
    if let Some(reply_to) = mail.reply_to.as_ref().and_then(|mailbox| address(mailbox).ok()) {
        builder = builder.reply_to(reply_to);
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    builder.multipart(body).map_err(|_| Unsent::ForGood("not-a-mail"))
}

/// The library cannot write a name with more than one line.
fn address(mailbox: &Mailbox) -> Result<Address, Unsent> {
    let address = mailbox.address.parse().map_err(|_| Unsent::ForGood("bad-address"))?;
    Ok(Address::new(mailbox.name.as_deref().map(header), address))
}

/// What went wrong, as a code. What the server said stays out of it: it may name whom the mail is for.
fn unsent(error: &Error) -> Unsent {
    /// Codes of the protocol about logging in: a wrong password is the settings' fault, not the mail's.
    const LOGIN: [&str; 5] = ["530", "534", "535", "538", "454"];
    let code = error.status().map(|status| status.to_string());
    match code {
        Some(code) if LOGIN.contains(&code.as_str()) => Unsent::ForNow("login-refused"),
        Some(_) if error.is_permanent() => Unsent::ForGood("refused"),
        Some(_) => Unsent::ForNow("refused-for-now"),
        None if error.is_timeout() => Unsent::ForNow("timeout"),
        None if error.is_tls() => Unsent::ForNow("tls"),
        None => Unsent::ForNow("unreachable"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> MailServer {
        let sender = Mailbox { name: None, address: "chat@example.com".to_owned() };
        MailServer { host: "localhost".to_owned(), port: 25, encryption: Encryption::Never, login: None, sender }
    }

    fn mail() -> Mail {
        Mail {
            from: Some("Märy, \"M\" - mary@example.com".to_owned()),
            reply_to: Some(Mailbox { name: Some("Märy".to_owned()), address: "mary@example.com".to_owned() }),
            to: "support@example.com".to_owned(),
            subject: "Hello: 😀".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            text: "Hello".to_owned(),
        }
    }

    fn headers(mail: &Mail) -> String {
        let text = String::from_utf8(message(&server(), mail).expect("it is a mail").formatted()).expect("mails are ASCII");
        text.split_once("\r\n\r\n").expect("a mail has headers").0.to_owned()
    }

    #[test]
    fn a_mail_has_its_headers_and_no_others() {
        let headers = headers(&mail());
        for expected in ["<chat@example.com>", "<mary@example.com>", "To: support@example.com", "multipart/alternative"] {
            assert!(headers.contains(expected), "{expected}: {headers}");
        }
        assert!(headers.is_ascii() && !headers.contains("Märy"), "{headers}");
    }

    /// What rules let through is not the only protection: nothing that breaks a line adds a header here either.
    #[test]
    fn no_text_adds_a_header() {
        let broken = "x\r\nBcc: victim@example.com\r\n\r\nbody";
        let mail = Mail { subject: broken.to_owned(), from: Some(broken.to_owned()), ..mail() };
        let headers = headers(&mail);
        assert!(!headers.lines().any(|line| line.starts_with("Bcc:")), "{headers}");
    }

    /// Whatever a visitor is called, the mail can be written.
    #[test]
    fn every_character_can_stand_in_a_name() {
        for start in (0..0x2_0000).step_by(128) {
            let characters: String = (start..start + 128).filter_map(char::from_u32).collect();
            let name = format!("x{characters}y");
            let reply_to = Some(Mailbox { name: Some(name.clone()), address: "mary@example.com".to_owned() });
            let headers = headers(&Mail { from: Some(name.clone()), reply_to, subject: name, ..mail() });
            assert_eq!(headers.matches("\r\nReply-To:").count(), 1, "{start:x}: {headers}");
        }
    }

    #[test]
    fn addresses_that_cannot_be_are_refused_for_good() {
        for to in ["", "nobody", "a@b\r\nBcc: c@d", "a@b, c@d"] {
            assert_eq!(
                message(&server(), &Mail { to: to.to_owned(), ..mail() }).err(),
                Some(Unsent::ForGood("bad-address")),
                "{to}"
            );
        }
        let unanswerable = Mailbox { name: None, address: "nonsense".to_owned() };
        assert!(!headers(&Mail { reply_to: Some(unanswerable), ..mail() }).contains("Reply-To"));
        assert!(message(&server(), &Mail { to: "a@b".to_owned(), ..mail() }).is_ok(), "a domain needs no dot");
    }
}
