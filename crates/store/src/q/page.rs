//! Which part of a list is wanted.

/// A part of a list. `Order` is what the list can be sorted by; its default is what it usually is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<Order> {
    /// What the list is sorted by.
    pub order: Order,
    /// From the end.
    pub descending: bool,
    /// How many are skipped.
    pub offset: i64,
    /// How many are given; `None` for all.
    pub count: Option<i64>,
}

impl<Order: Default> Page<Order> {
    /// All of the list in its usual order.
    pub fn whole() -> Page<Order> {
        Page { order: Order::default(), descending: false, offset: 0, count: None }
    }
}

impl<Order> Page<Order> {
    /// How many at most, as a statement says it: the engines agree on no word for "all".
    pub(crate) fn limit(&self) -> i64 {
        self.count.unwrap_or(i64::MAX)
    }
}

/// The first page of 50 in each of these orders, from either end: for tests of how lists run.
pub(crate) fn first_pages<Order: Copy>(orders: impl IntoIterator<Item = Order>) -> impl Iterator<Item = Page<Order>> {
    let both = |order| [false, true].map(|descending| Page { order, descending, offset: 0, count: Some(50) });
    orders.into_iter().flat_map(both)
}
