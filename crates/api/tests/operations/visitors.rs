//! `POST`, `GET` and `DELETE livechat/visitor`: registering, reading and erasing oneself.

mod erase;
mod read;
mod register;
