//! The realtime connection from the outside: a plain client over a real socket, on both engines.

mod cluster;
mod logins;
mod queue;
mod rooms;
mod session;
mod support;
mod typing;
mod users;
