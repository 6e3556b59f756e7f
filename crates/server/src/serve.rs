//! Serving: start in an order in which nothing is offered before it works, stop in the opposite one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use usher_api::{Api, TrustedProxies};
use usher_config::Config;
use usher_ddp::Realtime;
use usher_jobs::Jobs;
use usher_services::platform::SettingsOfEnvironment;

use crate::{administration, logging, opening};

/// How long requests in flight may take to finish once the server is told to stop.
const FINISHING: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
///
/// Anything that keeps it from starting, with what to do about it.
pub async fn serve(config: Config, settings: SettingsOfEnvironment) -> anyhow::Result<()> {
    logging::start(&config.log)?;
    let proxies = trusted(&config)?;
    let opened = opening::open(&config, settings).await?;
    let services = &opened.services;
    administration::ensure_first(services, config.admin.clone()).await?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("cannot listen at {}: choose another address with --listen", config.listen))?;
    let address = listener.local_addr()?;
    let realtime = Realtime::new(Arc::clone(services), {
        let proxies = proxies.clone();
        Arc::new(move |head| proxies.client_of(head))
    });
    let telling = realtime.start();
    let api = Arc::new(Api::new(Arc::clone(services), proxies).with_widget(widget(&config)?));
    let jobs = Jobs::start(services);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);

    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let application = usher_api::router(api).merge(usher_ddp::router(realtime)).into_make_service_with_connect_info::<SocketAddr>();
    // Answers are small and wanted at once.
    let listener = listener.tap_io(|connection| {
        // A connection that cannot be set up like this is closed already.
        let _ = connection.set_nodelay(true);
    });
    let stopped = async {
        // A sender that is gone says the same as one that has sent.
        let _ = stopping.await;
    };
    let serving = tokio::spawn(axum::serve(listener, application).with_graceful_shutdown(stopped).into_future());
    println!("Usher is ready at http://{address}");

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no further connections, requests in flight are finished");
    drop(stop);
    telling.stop().await;
    if tokio::time::timeout(FINISHING, serving).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
    jobs.stop().await;
    drop(opened);
    tracing::info!("stopped");
    Ok(())
}

/// The folder with the widget, which must have its page.
fn widget(config: &Config) -> anyhow::Result<Option<PathBuf>> {
    if let Some(folder) = &config.widget_dir {
        let page = folder.join("index.html");
        anyhow::ensure!(page.is_file(), "widget_dir: there is no {}: name the `build` folder of a widget", page.display());
    }
    Ok(config.widget_dir.clone())
}

fn trusted(config: &Config) -> anyhow::Result<TrustedProxies> {
    TrustedProxies::parse(&config.trusted_proxies).map_err(anyhow::Error::msg)
}
