//! What the server tells of itself in numbers. Labels are methods, route templates and statuses: nothing a client chose.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use usher_services::Services;

/// All numbers.
pub struct Observation {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram>,
    unsealed: Gauge<i64, AtomicI64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

impl Observation {
    /// The numbers of a server with these services.
    pub fn new(services: Arc<Services>) -> Observation {
        let mut registry = Registry::with_prefix("usher");
        let requests = Family::default();
        let durations = Family::new_with_constructor(histogram as fn() -> Histogram);
        let unsealed = Gauge::default();
        registry.register("http_requests", "Answered requests", requests.clone());
        registry.register("http_request_duration_seconds", "Time to answer, in seconds", durations.clone());
        registry.register("erasures_unsealed", "Erasures whose bytes may still be in a file", unsealed.clone());
        registry.register_collector(Box::new(Upkeep(services)));
        Observation { registry, requests, durations, unsealed }
    }

    /// Counts an answered request. A method that HTTP does not name counts as `other`, for clients choose those.
    pub fn count(&self, method: &str, route: &str, status: u16, took: Duration) {
        let method = if ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"].contains(&method) { method } else { "other" };
        let answered = Answered { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&answered).inc();
        self.durations.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Everything in Prometheus' text form, with `unsealed` erasures.
    pub fn text(&self, unsealed: i64) -> Result<String, std::fmt::Error> {
        self.unsealed.set(unsealed);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// From a quarter of a millisecond to eight seconds.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}

/// Numbers that others keep.
struct Upkeep(Arc<Services>);

impl std::fmt::Debug for Upkeep {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Upkeep")
    }
}

impl Collector for Upkeep {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let (commits, transactions) = self.0.store.written();
        for (name, help, count) in [
            ("store_commits", "Commits since the start", commits),
            ("store_transactions", "Transactions in those commits", transactions),
        ] {
            ConstCounter::new(count).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let gauges = [
            ("store_writing", "Whether writes are accepted", i64::from(self.0.store.is_writing())),
            ("realtime_connections", "Clients that are connected", i64::try_from(self.0.hub.connections()).unwrap_or(i64::MAX)),
        ];
        for (name, help, value) in gauges {
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}
