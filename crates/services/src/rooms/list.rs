//! Lists of rooms: which there are, where they come from, and who serves how many.

use std::collections::BTreeSet;

use usher_domain::access::may_list;
use usher_domain::room::SourceKind;
use usher_store::{Tx, q};

pub use usher_store::q::room_lists::{Name, Order, Page, Share, SharePage, Shares, Span, State, Wanted};

use super::RoomWithMessage;
use crate::logins::Account;
use crate::{Error, Refusal, Services};

/// A request for rooms.
#[derive(Debug, Clone)]
pub struct RoomsQuery {
    /// Which.
    pub wanted: Wanted,
    /// Whether one of the departments has to exist.
    pub needs_department: bool,
    /// Whether what is asked for contradicts itself, or needs something that does not exist.
    pub is_impossible: bool,
    /// Which part of them.
    pub page: Page,
}

/// A room in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedRoom {
    /// The room with its latest message.
    pub room: RoomWithMessage,
    /// The name of its department.
    pub department_name: Option<String>,
}

/// A page of rooms.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedRooms {
    /// The rooms.
    pub rooms: Vec<ListedRoom>,
    /// How many there are on all pages.
    pub total: i64,
}

/// A page of who serves how many chats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedShares {
    /// The entries.
    pub shares: Vec<Share>,
    /// How many there are on all pages.
    pub total: i64,
}

impl Services {
    /// A page of rooms: of all agents, or of the caller alone.
    ///
    /// # Errors
    ///
    /// The caller may not see rooms of others and asks for more than its own, or there is none of the departments.
    pub async fn list_rooms(&self, account: &Account, query: RoomsQuery) -> Result<ListedRooms, Error> {
        let user = &account.user;
        let agents = Some(query.wanted.agents.as_slice()).filter(|agents| !agents.is_empty());
        if !may_list(&|permission| self.permits(user, permission), &user.id, agents) {
            return Err(Refusal::Unauthorized.into());
        }
        self.store
            .read(move |tx| {
                if query.needs_department && !any_department(tx, &query.wanted.departments)? {
                    return Err(Refusal::InvalidDepartment.into());
                }
                if query.is_impossible {
                    return Ok(ListedRooms { rooms: Vec::new(), total: 0 });
                }
                let (rooms, total) = q::room_lists::list(tx, &query.wanted, &query.page)?;
                let rooms = RoomWithMessage::read_all(tx, rooms)?;
                Ok(ListedRooms { rooms: with_departments(tx, rooms)?, total })
            })
            .await
    }

    /// Where rooms come from.
    pub async fn sources_of_rooms(&self) -> Result<Vec<SourceKind>, Error> {
        self.store
            .read(|tx| {
                let mut sources = Vec::new();
                for kind in SourceKind::ALL {
                    if q::room_lists::has_source(tx, kind)? {
                        sources.push(kind);
                    }
                }
                Ok(sources)
            })
            .await
    }

    /// A page of who serves how many open chats.
    pub async fn shares_of_agents(&self, wanted: Shares, page: SharePage) -> Result<ListedShares, Error> {
        self.store
            .read(move |tx| {
                let (shares, total) = q::room_lists::shares(tx, &wanted, &page)?;
                Ok(ListedShares { shares, total })
            })
            .await
    }
}

fn any_department(tx: &mut Tx<'_>, ids: &[String]) -> Result<bool, Error> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    Ok(!q::departments::names(tx, &ids)?.is_empty())
}

/// Rooms with the names of their departments.
fn with_departments(tx: &mut Tx<'_>, rooms: Vec<RoomWithMessage>) -> Result<Vec<ListedRoom>, Error> {
    let ids: BTreeSet<&str> = rooms.iter().filter_map(|room| room.room.department_id.as_deref()).collect();
    let names = q::departments::names(tx, &ids.into_iter().collect::<Vec<&str>>())?;
    let with_name = |room: RoomWithMessage| {
        let department_name = room.room.department_id.as_ref().and_then(|id| names.get(id)).cloned();
        ListedRoom { room, department_name }
    };
    Ok(rooms.into_iter().map(with_name).collect())
}
