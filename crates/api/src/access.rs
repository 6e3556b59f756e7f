//! Who may call an operation, as the handler's signature says it.
//!
//! The last argument of every handler is one of [`crate::extract::Public`], [`crate::extract::Visitor`] and
//! [`crate::extract::Caller`], each with the operation's input; a handler whose last argument says nothing of access does not
//! compile as an operation. The same declaration goes into the OpenAPI document, from which the access test takes it.

use axum::handler::Handler;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::Shared;

/// The kinds of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever knows the token of a visitor, which comes with the input.
    Visitor,
    /// A user who is logged in.
    Caller,
}

impl Access {
    /// The name in the OpenAPI document, under `x-usher-access`.
    pub fn name(self) -> &'static str {
        match self {
            Access::Public => "public",
            Access::Visitor => "visitor",
            Access::Caller => "caller",
        }
    }
}

/// An argument that says who may call.
pub trait DeclaresAccess {
    /// Who.
    const ACCESS: Access;
}

/// The arguments of a handler, of which the last says who may call.
pub trait Arguments {
    /// Who.
    const ACCESS: Access;
}

impl<M, Last: DeclaresAccess> Arguments for (M, Last) {
    const ACCESS: Access = Last::ACCESS;
}

impl<M, First, Last: DeclaresAccess> Arguments for (M, First, Last) {
    const ACCESS: Access = Last::ACCESS;
}

/// Writes who may call `_handler` into the document of its route.
pub fn declare<H, T>(_handler: H, (schemas, mut paths, router): UtoipaMethodRouter<Shared>) -> UtoipaMethodRouter<Shared>
where
    H: Handler<T, Shared>,
    T: Arguments,
{
    for operation in paths.paths.values_mut().flat_map(operations_of) {
        let extension = ExtensionsBuilder::new().add("x-usher-access", T::ACCESS.name()).build();
        operation.extensions.get_or_insert_default().merge(extension);
        if T::ACCESS == Access::Caller {
            let both = SecurityRequirement::new("userId", Vec::<String>::new()).add("authToken", Vec::<String>::new());
            operation.security = Some(vec![both]);
        }
    }
    (schemas, paths, router)
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten()
}
