//! Finishing what was erased, by hand.

use anyhow::Context;
use usher_config::Config;
use usher_services::platform::SettingsOfEnvironment;

use crate::opening;

/// Finishes and seals every erasure; with `rewrite`, rewrites all data as well.
pub async fn purge(config: &Config, settings: SettingsOfEnvironment, rewrite: bool) -> anyhow::Result<()> {
    let opened = opening::open(config, settings).await?;
    let services = &opened.services;
    let sealed = services.finish_erasures().await.context("the erasures could not be finished")?;
    if rewrite {
        println!("Rewriting all data. This takes about as long as reading and writing all of it once.");
        services.rewrite_data().await.context("the data could not be rewritten")?;
    }
    println!("Done. {sealed} erasures were sealed just now, {} are left.", services.unsealed_erasures().await?);
    Ok(())
}
