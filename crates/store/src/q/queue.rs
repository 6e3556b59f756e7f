//! The queue: open rooms that nobody serves.

use usher_domain::room::Room;

use super::statement::Statement;
use super::{rooms, statements};
use crate::{StoreError, Tx, Value, values};

statements! {
    DEPARTMENTS = "SELECT DISTINCT department_id FROM rooms WHERE is_open AND agent_id IS NULL AND NOT on_hold";
    FIRST_OF_DEPARTMENT = rooms::select!(
        "WHERE is_open AND agent_id IS NULL AND NOT on_hold AND department_id = ?1 ORDER BY opened_at, id LIMIT 1"
    );
    FIRST_WITHOUT_DEPARTMENT = rooms::select!(
        "WHERE is_open AND agent_id IS NULL AND NOT on_hold AND department_id IS NULL ORDER BY opened_at, id LIMIT 1"
    );
}

/// Whose view of the queue is wanted.
#[derive(Debug, Clone)]
pub enum View {
    /// All of it, or a department's.
    Whole {
        /// The department.
        department_id: Option<String>,
    },
    /// What an agent may take: what is reserved for the agent, what belongs to no department, and what belongs to some.
    OfAgent {
        /// The agent.
        user_id: String,
        /// The departments.
        department_ids: Vec<String>,
    },
}

/// What a list goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// When the rooms were opened.
    Opened,
    /// Their names.
    Name,
}

/// Which part of a list is wanted.
pub type Page = super::Page<Order>;

/// The departments that have rooms in the queue; `None` stands for rooms without any.
pub fn departments(tx: &mut Tx<'_>) -> Result<Vec<Option<String>>, StoreError> {
    tx.query(DEPARTMENTS, values![], |row| row.optional_text(0))
}

/// The first room in the queue of a department, or of those without any.
pub fn first(tx: &mut Tx<'_>, department_id: Option<&str>) -> Result<Option<Room>, StoreError> {
    match department_id {
        Some(department_id) => tx.query_optional(FIRST_OF_DEPARTMENT, values![department_id], rooms::read),
        None => tx.query_optional(FIRST_WITHOUT_DEPARTMENT, values![], rooms::read),
    }
}

/// The rooms of a view that wait where agents see them, and how many there are.
pub fn list(tx: &mut Tx<'_>, view: &View, page: &Page) -> Result<(Vec<Room>, i64), StoreError> {
    let counting = listing(view, "SELECT COUNT(*) FROM rooms", None);
    let total = tx.query_one(counting.sql(), counting.values(), |row| row.integer(0))?;
    let statement = listing(view, rooms::select!(""), Some(page));
    Ok((tx.query(statement.sql(), statement.values(), rooms::read)?, total))
}

fn listing<'a>(view: &'a View, what: &'static str, page: Option<&Page>) -> Statement<'a> {
    let mut statement = Statement::new(what);
    statement.add("WHERE is_open AND agent_id IS NULL AND NOT on_hold AND inquiry_status = 'queued'", &[]);
    match view {
        View::Whole { department_id: None } => {}
        View::Whole { department_id: Some(department_id) } => statement.add("AND department_id = ?", &[Value::Text(department_id)]),
        View::OfAgent { user_id, department_ids } => {
            statement
                .add("AND (default_agent_id = ? OR default_agent_id IS NULL AND (department_id IS NULL", &[Value::Text(user_id)]);
            statement.add_list("OR department_id IN (?)))", department_ids.iter().map(Value::from));
        }
    }
    if let Some(page) = page {
        let order = match (page.order, page.descending) {
            (Order::Opened, false) => "ORDER BY opened_at, id",
            (Order::Opened, true) => "ORDER BY opened_at DESC, id DESC",
            (Order::Name, false) => "ORDER BY name, id",
            (Order::Name, true) => "ORDER BY name DESC, id DESC",
        };
        statement.add_page(order, page);
    }
    statement
}

/// The statements of lists, so that a test can look at their plans.
pub fn lists() -> Vec<String> {
    let by = |order| Page { order, descending: true, offset: 0, count: Some(1) };
    let views = [
        View::Whole { department_id: None },
        View::Whole { department_id: Some(String::new()) },
        View::OfAgent { user_id: String::new(), department_ids: vec![String::new()] },
    ];
    let with_orders = views.iter().flat_map(|view| [(view, by(Order::Opened)), (view, by(Order::Name))]);
    with_orders.map(|(view, page)| listing(view, rooms::select!(""), Some(&page)).sql().to_owned()).collect()
}
