//! The operations as a client sees them: texts, statuses, headers and whole bodies, on both engines.

mod access;
mod authentication;

mod bad_input;
mod config;
mod document;
mod envelope;
mod limits;
mod messages;
mod probes;
mod races;
mod rooms;
mod support;
mod visitors;
