//! Lists of visitors, and of a visitor's rooms.
//!
//! What is looked for is found in an index that holds it; only the rows of the page itself are read.

use std::collections::HashMap;

use usher_domain::room::Room;
use usher_domain::visitor::{Visitor, normalise_email};

use super::page::first_pages;
use super::statement::{Statement, beginning_with, containing};
use super::{rooms, visitors};
use crate::{StoreError, Tx, Value};

/// How many rows one statement reads by their ids.
const AT_ONCE: usize = 256;

/// The order of a list of visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the time they came into being.
    CreatedAt,
    /// By the time of their latest room; those who have had none come first.
    LastChat,
    /// By display name.
    Name,
    /// By user name.
    Username,
}

/// Which part of a list of visitors is wanted, in which order.
pub type Page = super::Page<Order>;

/// What is searched for, in the forms in which it is compared.
struct Term<'a> {
    given: &'a str,
    pattern: String,
    email: Option<String>,
}

impl<'a> Term<'a> {
    /// The term, unless it is empty: that finds everybody.
    fn of(given: &'a str) -> Option<Term<'a>> {
        (!given.is_empty()).then(|| Term { given, pattern: containing(given), email: normalise_email(given) })
    }

    fn values(&self) -> [Value<'_>; 3] {
        [Value::Text(&self.pattern), Value::from(&self.email), Value::Text(self.given)]
    }
}

/// The visitors whose name, user name or searchable fields contain `term` without regard to case, or whose e-mail address or phone
/// number it is; and how many there are. None of those whose erasure has begun.
pub fn search(tx: &mut Tx<'_>, term: &str, page: &Page) -> Result<(Vec<Visitor>, i64), StoreError> {
    let term = Term::of(term);
    let counting = searching(term.as_ref(), None);
    let total = tx.query_one(counting.sql(), counting.values(), |row| row.integer(0))?;
    let finding = searching(term.as_ref(), Some(page));
    let ids = tx.query(finding.sql(), finding.values(), |row| row.text(0))?;
    Ok((in_this_order(tx, &ids)?, total))
}

/// The ids of a page of those who are searched for, or without one how many there are.
fn searching<'a>(term: Option<&'a Term<'_>>, page: Option<&Page>) -> Statement<'a> {
    const WHO: &str = "FROM visitors WHERE id NOT IN (SELECT id FROM visitors WHERE token IS NULL)";
    const HERE: &str = r"AND (search_key LIKE ? ESCAPE '\'
         OR id IN (SELECT id FROM visitors WHERE email = ? UNION ALL SELECT id FROM visitors WHERE phone = ?))";
    // The index of another order does not hold what is searched.
    const THERE: &str = r"AND id IN (SELECT id FROM visitors WHERE search_key LIKE ? ESCAPE '\'
         UNION ALL SELECT id FROM visitors WHERE email = ? UNION ALL SELECT id FROM visitors WHERE phone = ?)";
    let mut statement = Statement::new(if page.is_some() { "SELECT id" } else { "SELECT COUNT(*)" });
    statement.add(WHO, &[]);
    if let Some(term) = term {
        let is_in_order = page.is_none_or(|page| page.order == Order::CreatedAt);
        statement.add(if is_in_order { HERE } else { THERE }, &term.values());
    }
    if let Some(page) = page {
        statement.add_page(order(page), page);
    }
    statement
}

fn order(page: &Page) -> &'static str {
    match (page.order, page.descending) {
        (Order::CreatedAt, false) => "ORDER BY created_at, id",
        (Order::CreatedAt, true) => "ORDER BY created_at DESC, id DESC",
        (Order::LastChat, false) => "ORDER BY COALESCE(last_chat_at, 0), id",
        (Order::LastChat, true) => "ORDER BY COALESCE(last_chat_at, 0) DESC, id DESC",
        (Order::Name, false) => "ORDER BY name_key, id",
        (Order::Name, true) => "ORDER BY name_key DESC, id DESC",
        (Order::Username, false) => "ORDER BY username, id",
        (Order::Username, true) => "ORDER BY username DESC, id DESC",
    }
}

/// The first `limit` visitors by name whose name begins with `term`, without regard to case, but those with the ids `except`.
pub fn beginning(tx: &mut Tx<'_>, term: &str, except: &[String], limit: i64) -> Result<Vec<Visitor>, StoreError> {
    let (first, pattern) = (term.to_lowercase(), beginning_with(term));
    let statement = offering(&first, &pattern, except, limit);
    let ids = tx.query(statement.sql(), statement.values(), |row| row.text(0))?;
    in_this_order(tx, &ids)
}

fn offering<'a>(first: &'a str, pattern: &'a str, except: &'a [String], limit: i64) -> Statement<'a> {
    let mut statement = Statement::new("SELECT id FROM visitors WHERE name_key <> ''");
    statement.add(r"AND name_key >= ? AND name_key LIKE ? ESCAPE '\'", &[Value::Text(first), Value::Text(pattern)]);
    statement.add("AND id NOT IN (SELECT id FROM visitors WHERE token IS NULL)", &[]);
    if !except.is_empty() {
        statement.add_list("AND id NOT IN (?)", except.iter().map(Value::from));
    }
    statement.add("ORDER BY name_key, id LIMIT ?", &[Value::Integer(limit)]);
    statement
}

/// The visitors with these ids, in the order of the ids.
fn in_this_order(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Visitor>, StoreError> {
    let mut found: HashMap<String, Visitor> = HashMap::with_capacity(ids.len());
    for some in ids.chunks(AT_ONCE) {
        let statement = reading(some);
        let read = tx.query(statement.sql(), statement.values(), visitors::read)?;
        found.extend(read.into_iter().map(|visitor| (visitor.id.clone(), visitor)));
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

fn reading(ids: &[String]) -> Statement<'_> {
    const VISITORS: &str = visitors::select!("", "token IS NOT NULL");
    let mut statement = Statement::new(VISITORS);
    statement.add_list("AND id IN (?)", ids.iter().map(Value::from));
    statement
}

/// Which rooms of a visitor are wanted.
#[derive(Debug, Clone, Default)]
pub struct WantedChats {
    /// The visitor.
    pub visitor_id: String,
    /// They are closed.
    pub closed: bool,
    /// An agent has them.
    pub served: bool,
    /// Where they come from contains this, without regard to case.
    pub source: Option<String>,
    /// A message in them contains this, letter by letter.
    pub text: Option<String>,
}

/// The order of a list of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatOrder {
    /// By the time they were opened.
    OpenedAt,
    /// By the time they were closed; open ones come first.
    ClosedAt,
    /// By the time of the message that is shown as the latest.
    LastMessage,
}

/// Which part of a list of rooms is wanted, in which order.
pub type ChatPage = super::Page<ChatOrder>;

/// The rooms of a visitor that are wanted, and how many there are.
pub fn chats(tx: &mut Tx<'_>, wanted: &WantedChats, page: &ChatPage) -> Result<(Vec<Room>, i64), StoreError> {
    let source = wanted.source.as_deref().map(containing);
    let counting = listing(wanted, source.as_deref(), None);
    let total = tx.query_one(counting.sql(), counting.values(), |row| row.integer(0))?;
    let statement = listing(wanted, source.as_deref(), Some(page));
    Ok((tx.query(statement.sql(), statement.values(), rooms::read)?, total))
}

fn listing<'a>(wanted: &'a WantedChats, source: Option<&'a str>, page: Option<&ChatPage>) -> Statement<'a> {
    const ROOMS: &str = rooms::select!("WHERE NOT erasing");
    let mut statement = Statement::new(if page.is_some() { ROOMS } else { "SELECT COUNT(*) FROM rooms WHERE NOT erasing" });
    statement.add("AND visitor_id = ?", &[Value::Text(&wanted.visitor_id)]);
    if wanted.closed {
        statement.add("AND closed_at IS NOT NULL", &[]);
    }
    if wanted.served {
        statement.add("AND agent_id IS NOT NULL", &[]);
    }
    if let Some(source) = source {
        statement.add(r"AND source_type LIKE ? ESCAPE '\'", &[Value::Text(source)]);
    }
    if let Some(text) = &wanted.text {
        // The engines agree on nothing else that tells upper case from lower case.
        const CONTAINS: &str = "AND EXISTS (SELECT 1 FROM messages WHERE messages.room_id = rooms.id AND NOT messages.hidden
             AND replace(messages.text, ?, '') <> messages.text)";
        statement.add(CONTAINS, &[Value::Text(text)]);
    }
    if let Some(page) = page {
        statement.add_page(order_of_chats(page), page);
    }
    statement
}

fn order_of_chats(page: &ChatPage) -> &'static str {
    match (page.order, page.descending) {
        (ChatOrder::OpenedAt, false) => "ORDER BY opened_at, id",
        (ChatOrder::OpenedAt, true) => "ORDER BY opened_at DESC, id DESC",
        (ChatOrder::ClosedAt, false) => "ORDER BY COALESCE(closed_at, 0), id",
        (ChatOrder::ClosedAt, true) => "ORDER BY COALESCE(closed_at, 0) DESC, id DESC",
        (ChatOrder::LastMessage, false) => "ORDER BY last_message_at, id",
        (ChatOrder::LastMessage, true) => "ORDER BY last_message_at DESC, id DESC",
    }
}

/// The statements of lists, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    let orders = [Order::CreatedAt, Order::LastChat, Order::Name, Order::Username];
    let page = |order, descending| Page { order, descending, offset: 0, count: Some(50) };
    let mut lists: Vec<String> = first_pages(orders).map(|page| searching(None, Some(&page)).sql().to_owned()).collect();
    let (term, ids) = (Term::of("a"), [String::new()]);
    let by_chat = page(Order::LastChat, true);
    let searches = [None, Some(&page(Order::CreatedAt, true)), Some(&by_chat)];
    lists.extend(searches.map(|page| searching(term.as_ref(), page).sql().to_owned()));
    lists.extend([&[] as &[String], &ids].map(|except| offering("", "", except, 10).sql().to_owned()));
    lists.push(reading(&ids).sql().to_owned());
    let filtered = WantedChats { closed: true, served: true, text: Some(String::new()), ..WantedChats::default() };
    for order in [ChatOrder::OpenedAt, ChatOrder::ClosedAt, ChatOrder::LastMessage] {
        let page = ChatPage { order, descending: true, offset: 0, count: Some(50) };
        lists.extend([&WantedChats::default(), &filtered].map(|wanted| listing(wanted, Some(""), Some(&page)).sql().to_owned()));
    }
    lists
}
