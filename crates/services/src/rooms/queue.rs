//! The queue: looking at it, and returning chats to it.

use serde_json::{Map, Value, json};
use usher_domain::inquiry::InquiryStatus;
use usher_domain::message::{Author, TRANSFERRED};
use usher_domain::room::{Person, Room};
use usher_store::q::queue::View;
pub use usher_store::q::queue::{Order as QueueOrder, Page as QueuePage};
use usher_store::{Tx, q};

use super::RoomWithMessage;
use super::routing::{Cause, Found, record};
use super::work::{RoomWork, SystemMessage};
use crate::documents::stored_moment;
use crate::logins::Account;
use crate::{Error, Refusal, Services};

/// A page of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedInquiries {
    /// The rooms.
    pub rooms: Vec<RoomWithMessage>,
    /// How many there are.
    pub total: i64,
}

impl Services {
    /// The queue, or that of the department with this id or name. A department that does not exist is no filter.
    pub async fn list_queue(&self, department: Option<String>, page: QueuePage) -> Result<ListedInquiries, Error> {
        self.store
            .read(move |tx| {
                let department_id = match &department {
                    Some(text) => q::departments::by_id_or_name(tx, text)?.map(|department| department.id),
                    None => None,
                };
                listed(tx, &View::Whole { department_id }, page)
            })
            .await
    }

    /// What an agent may take out of the queue, in the order in which chats are given.
    ///
    /// # Errors
    ///
    /// The department is none of the agent's.
    pub async fn queue_of_user(
        &self,
        account: &Account,
        department_id: Option<String>,
        page: QueuePage,
    ) -> Result<ListedInquiries, Error> {
        let user_id = account.user.id.clone();
        self.store
            .read(move |tx| {
                let own = q::department_agents::enabled_of_agent(tx, &user_id)?;
                let department_ids = match &department_id {
                    Some(wanted) if own.contains(wanted) => vec![wanted.clone()],
                    Some(_) if !own.is_empty() => return Err(Refusal::NotAuthorized.into()),
                    _ => own,
                };
                listed(tx, &View::OfAgent { user_id: user_id.clone(), department_ids }, page)
            })
            .await
    }

    /// The room with its place in the queue; `None` if there is no such room or it has none.
    pub async fn inquiry_of_room(&self, room_id: String) -> Result<Option<RoomWithMessage>, Error> {
        self.store
            .read(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.filter(|room| room.inquiry.is_some());
                Ok(room.map(|room| RoomWithMessage::read(tx, room)).transpose()?)
            })
            .await
    }

    /// Takes a chat from its agent and puts it into the queue, of another department if one is named. Gives whether there was an agent.
    ///
    /// # Errors
    ///
    /// There is no such room or department, or the room is closed or on hold.
    pub async fn return_to_queue(&self, room_id: String, department_id: Option<String>) -> Result<bool, Error> {
        let (rules, ids, now) = (self.rules(), self.ids(), self.now());
        let returned = self
            .store
            .write::<_, Error, _>(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Error::from(Refusal::NoSuchRoom))?;
                if !room.is_open {
                    return Err(Refusal::RoomClosed.into());
                }
                if room.on_hold {
                    return Err(Refusal::RoomOnHold.into());
                }
                let department = match &department_id {
                    Some(id) => Some(q::departments::by_id(tx, id)?.ok_or(Refusal::NotReturned)?),
                    None => None,
                };
                let (Some(served), Some(_)) = (room.served_by.clone(), &room.inquiry) else { return Ok(false) };
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                let author = author_by_name(work.tx, &served.agent)?;
                let mut transfer = transfer("queue", &author, "agent", now);
                transfer.insert("roomId".to_owned(), work.room.id.clone().into());
                if let Some(department) = department {
                    if let Some(former) = work.room.department_id.replace(department.id.clone()) {
                        transfer.insert("previousDepartment".to_owned(), former.into());
                    }
                    transfer.insert("departmentId".to_owned(), department.id.clone().into());
                    transfer.insert("nextDepartment".to_owned(), json!({"_id": department.id, "name": department.name}));
                }
                work.post(transferred(author, transfer))?;
                work.take_back()?;
                let found = Found::returned_by(&served.agent.id);
                record(work.tx, work.ids, &work.room, &rules, Cause::Returned, &found, now)?;
                work.finish()?;
                Ok(true)
            })
            .await?;
        self.chat_may_be_taken();
        Ok(returned)
    }

    /// Gives a chat that waits the service level called `level`. There are no service levels yet, so whatever is asked for is unknown.
    ///
    /// # Errors
    ///
    /// The room does not wait, or there is no such level.
    pub async fn set_service_level(&self, room_id: String, _level: String) -> Result<(), Error> {
        let is_queued = self.store.read(move |tx| {
            let room = q::rooms::by_id(tx, &room_id)?;
            Ok::<_, Error>(room.as_ref().is_some_and(waits))
        });
        Err(if is_queued.await? { Refusal::UnknownServiceLevel } else { Refusal::InvalidInquiry }.into())
    }
}

fn listed(tx: &mut Tx<'_>, view: &View, page: QueuePage) -> Result<ListedInquiries, Error> {
    let (rooms, total) = q::queue::list(tx, view, &page)?;
    Ok(ListedInquiries { rooms: RoomWithMessage::read_all(tx, rooms)?, total })
}

/// A user as the author of a message, with the name as it is now.
pub(crate) fn author_by_name(tx: &mut Tx<'_>, person: &Person) -> Result<Author, Error> {
    let name = q::users::by_id(tx, &person.id)?.and_then(|user| user.name);
    Ok(Author { name, ..person.into() })
}

/// What is kept of a transfer.
pub(crate) fn transfer(scope: &str, by: &Author, user_type: &str, now: i64) -> Map<String, Value> {
    let mut transferred_by = json!({"_id": by.id, "username": by.username, "userType": user_type});
    if let Some(name) = &by.name {
        transferred_by["name"] = name.as_str().into();
    }
    Map::from_iter([
        ("transferredBy".to_owned(), transferred_by),
        ("ts".to_owned(), stored_moment(now)),
        ("scope".to_owned(), scope.into()),
    ])
}

/// The message that says that a chat went to somebody else, or back into the queue.
pub(crate) fn transferred(author: Author, transfer: Map<String, Value>) -> SystemMessage {
    let details = Map::from_iter([("transferData".to_owned(), Value::Object(transfer))]);
    SystemMessage { details, is_news: true, ..SystemMessage::quiet(TRANSFERRED, author) }
}

/// Whether a room waits where agents see it.
fn waits(room: &Room) -> bool {
    room.inquiry.as_ref().is_some_and(|inquiry| inquiry.status == InquiryStatus::Queued)
}
