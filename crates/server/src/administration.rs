//! People who log in: the first of them, and a new password for one who has lost it.

use anyhow::{Context, bail};
use usher_config::{Admin, Config};
use usher_domain::password::PasswordDigest;
use usher_services::Services;
use usher_services::platform::SettingsOfEnvironment;
use usher_services::users::FirstUser;

use crate::opening;

/// Makes the first administrator if there is nobody yet. A password that nobody gave is generated and printed, this once.
pub async fn ensure_first(services: &Services, admin: Admin) -> anyhow::Result<()> {
    if services.has_users().await? {
        return Ok(());
    }
    let generated = admin.password.is_none().then(|| services.generate_password());
    let password = admin.password.or_else(|| generated.clone()).context("there is no password")?;
    let first = FirstUser {
        username: admin.username.clone(),
        email: admin.email,
        name: admin.username.clone(),
        password: PasswordDigest::of_plain(&password),
    };
    let is_first = services.create_first_user(first).await?;
    if let Some(password) = generated.filter(|_| is_first) {
        println!("The first administrator is `{}` with the password {password}", admin.username);
        println!("It is shown this once. `usher admin reset-password {}` gives another.", admin.username);
    }
    Ok(())
}

/// Gives a user another password and prints it.
pub async fn reset_password(config: &Config, settings: SettingsOfEnvironment, username: String) -> anyhow::Result<()> {
    let opened = opening::open(config, settings).await?;
    let password = opened.services.generate_password();
    let is_known = opened.services.reset_password(username.clone(), PasswordDigest::of_plain(&password)).await?;
    if !is_known {
        bail!("there is no user `{username}`");
    }
    println!("{password}");
    Ok(())
}
