//! How an operation gets into the router.

/// Makes the route of a handler: path, method and document from its attribute, access from its signature.
macro_rules! operation {
    ($($handler:tt)*) => {
        $crate::access::declare($($handler)*, utoipa_axum::routes!($($handler)*))
    };
}
pub(crate) use operation;
