//! Which domains take mail, as the directory of names says.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RData;
use tokio::sync::OnceCell;
use usher_services::ports::{Later, MailExchanges};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The directory that this system uses. It is looked for when it is first asked, so that a system without one can start.
#[derive(Default)]
pub struct SystemExchanges {
    resolver: OnceCell<Option<TokioResolver>>,
}

impl SystemExchanges {
    async fn ask(&self, domain: &str) -> bool {
        let resolver = self.resolver.get_or_init(|| async { TokioResolver::builder_tokio().ok()?.build().ok() }).await;
        let Some(resolver) = resolver else { return false };
        // With a dot at its end a name is whole: nothing of this system's own is put behind it.
        let Ok(answer) = resolver.mx_lookup(format!("{}.", domain.trim_end_matches('.'))).await else { return false };
        // An exchange without a name says that the domain takes no mail.
        answer.answers().iter().any(|record| matches!(&record.data, RData::MX(exchange) if !exchange.exchange.is_root()))
    }
}

impl MailExchanges for SystemExchanges {
    fn takes_mail<'a>(&'a self, domain: &'a str) -> Later<'a, bool> {
        Box::pin(async move { tokio::time::timeout(PATIENCE, self.ask(domain)).await.unwrap_or(false) })
    }
}
