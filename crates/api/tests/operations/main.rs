//! The operations as a client sees them: texts, statuses, headers and whole bodies, on both engines.

mod access;
mod authentication;
mod bad_input;
mod config;
mod document;
mod envelope;
mod fuzz;
mod limits;
mod messages;
mod methods;
mod paging;
mod permissions;
mod probes;
mod races;
mod requests;
mod roles;
mod rooms;
mod second_factor;
mod server;
mod settings;
mod support;
mod users;
mod visitors;
