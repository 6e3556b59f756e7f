//! The operations on visitors: registering, reading and erasing oneself, and what users see of visitors.

mod chats;
mod erase;
mod find;
mod matching;
mod pages;
mod read;
mod register;
mod status;
