//! Which crate may depend on which. Everything that is not allowed here is forbidden.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The crates that each crate may depend on in what is delivered.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("usher-domain", &[]),
    ("usher-config", &[]),
    ("usher-store", &["usher-domain"]),
    ("usher-services", &["usher-store", "usher-domain"]),
    ("usher-api", &["usher-services", "usher-domain"]),
    ("usher-ddp", &["usher-services", "usher-domain"]),
    ("usher-jobs", &["usher-services", "usher-domain"]),
    ("usher-adapters", &["usher-services", "usher-domain"]),
    (
        "usher-server",
        &[
            "usher-api",
            "usher-ddp",
            "usher-jobs",
            "usher-services",
            "usher-adapters",
            "usher-store",
            "usher-config",
            "usher-domain",
        ],
    ),
];

/// These may depend on anything, and nothing that is delivered depends on them.
const TOOLS: [&str; 3] = ["usher-testkit", "bench", "xtask"];

/// Drivers and frameworks that one crate alone may use, so that the rest does not know them.
const KEPT_IN: [(&str, &[&str]); 6] = [
    ("rusqlite", &["usher-store"]),
    ("postgres", &["usher-store"]),
    ("axum", &["usher-api", "usher-ddp", "usher-server"]),
    ("clap", &["usher-config", "usher-server"]),
    ("lettre", &["usher-adapters"]),
    ("hickory-resolver", &["usher-adapters"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().expect("cargo describes the workspace")
}

/// Each edge of what is delivered, as two names.
fn edges(metadata: &Metadata) -> Vec<(String, String)> {
    let packages = metadata.packages.iter().filter(|package| !TOOLS.contains(&package.name.as_str()));
    let edges = packages.flat_map(|package| {
        let delivered = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        delivered.map(|dependency| (package.name.to_string(), dependency.name.clone()))
    });
    edges.collect()
}

fn is_ours(metadata: &Metadata, name: &str) -> bool {
    metadata.packages.iter().any(|package| package.name.as_str() == name)
}

/// What is wrong with an edge, if it is.
fn fault(metadata: &Metadata, from: &str, to: &str) -> Option<String> {
    if is_ours(metadata, to) {
        let allowed = ALLOWED.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, allowed)| allowed);
        return (!allowed.contains(&to)).then(|| format!("{from} must not depend on {to}"));
    }
    let keepers = KEPT_IN.iter().find(|(name, _)| *name == to).map(|(_, keepers)| *keepers)?;
    (!keepers.contains(&from)).then(|| format!("{from} must not use {to}: only {keepers:?} may"))
}

#[test]
fn no_crate_depends_on_what_it_must_not_know() {
    let metadata = metadata();
    let edges = edges(&metadata);
    assert!(edges.len() > 20, "the edges were found");
    let faults: Vec<String> = edges.iter().filter_map(|(from, to)| fault(&metadata, from, to)).collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_crate_is_named_here() {
    for package in &metadata().packages {
        let name = package.name.as_str();
        assert!(TOOLS.contains(&name) || ALLOWED.iter().any(|(known, _)| *known == name), "say what {name} may depend on");
    }
}

/// The control: edges that must not be are seen.
#[test]
fn a_forbidden_edge_is_recognised() {
    let metadata = metadata();
    for (from, to) in [
        ("usher-api", "usher-store"),
        ("usher-domain", "usher-services"),
        ("usher-services", "usher-api"),
        ("usher-server", "usher-testkit"),
        ("usher-services", "rusqlite"),
        ("usher-domain", "axum"),
    ] {
        assert!(fault(&metadata, from, to).is_some(), "{from} -> {to}");
    }
    assert_eq!(fault(&metadata, "usher-server", "usher-api"), None);
}
