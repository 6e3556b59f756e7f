//! Who may call an operation, as the handler's signature says it.
//!
//! The last argument of every handler is one of [`crate::extract::Public`], [`crate::extract::Anyone`], [`crate::extract::Visitor`] and
//! [`crate::extract::Caller`], each with the operation's input; a handler whose last argument says nothing of access does not
//! compile as an operation. A `Caller` also says which permissions it needs, and whether the second factor is asked for. The same
//! declaration goes into the OpenAPI document, from which the access test takes it.

use std::marker::PhantomData;

use axum::handler::Handler;
use serde_json::{Value, json};
use usher_domain::permission::{self, Grants, Permission};
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

/// What a caller must hold besides a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// All of these permissions; without any of them a login is enough.
    All(&'static [Permission]),
    /// One of these permissions.
    Any(&'static [Permission]),
}

impl Needs {
    /// Whether somebody with these roles has what is needed.
    pub fn are_met(self, roles: &[String], grants: &Grants) -> bool {
        let holds = |permission: &Permission| grants.permit(roles, permission.0);
        match self {
            Needs::All(permissions) => permissions.iter().all(holds),
            Needs::Any(permissions) => permissions.iter().any(holds),
        }
    }

    /// As the OpenAPI document says it, under `x-usher-permissions`.
    fn document(self) -> Option<Value> {
        let (word, permissions) = match self {
            Needs::All([]) => return None,
            Needs::All(permissions) => ("all", permissions),
            Needs::Any(permissions) => ("any", permissions),
        };
        let ids: Vec<&str> = permissions.iter().map(|permission| permission.0).collect();
        Some(json!({word: ids}))
    }
}

/// Whether the second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// It is not.
    NotAsked,
    /// It is, unless this login has shown it of late.
    Asked,
    /// It is, every time.
    AskedEveryTime,
}

/// What the first parameter of [`crate::extract::Caller`] declares.
pub trait Requirement: Send + Sync + 'static {
    /// The permissions.
    const NEEDS: Needs;
    /// The second factor.
    const SECOND_FACTOR: SecondFactor = SecondFactor::NotAsked;
}

/// A login is enough.
pub struct LoggedIn;

impl Requirement for LoggedIn {
    const NEEDS: Needs = Needs::All(&[]);
}

/// The same, and the second factor is asked for.
pub struct Delicate<R>(PhantomData<R>);

impl<R: Requirement> Requirement for Delicate<R> {
    const NEEDS: Needs = R::NEEDS;
    const SECOND_FACTOR: SecondFactor = SecondFactor::Asked;
}

/// The same, and the second factor is asked for every time.
pub struct VeryDelicate<R>(PhantomData<R>);

impl<R: Requirement> Requirement for VeryDelicate<R> {
    const NEEDS: Needs = R::NEEDS;
    const SECOND_FACTOR: SecondFactor = SecondFactor::AskedEveryTime;
}

/// Declares requirements: a type each, with the permissions it stands for.
macro_rules! requirements {
    ($($name:ident = $kind:ident [$($permission:ident)+];)*) => {
        $(
            #[doc = concat!("Needs ", stringify!($kind), " of: ", $(stringify!($permission), " "),+, ".")]
            pub struct $name;

            impl Requirement for $name {
                const NEEDS: Needs = Needs::$kind(&[$(permission::$permission),+]);
            }
        )*
    };
}

requirements! {
    AccessPermissions = All [ACCESS_PERMISSIONS];
    ChangeDepartmentAgents = Any [MANAGE_LIVECHAT_DEPARTMENTS ADD_LIVECHAT_DEPARTMENT_AGENTS];
    CloseRoom = All [CLOSE_LIVECHAT_ROOM];
    DeleteDepartment = Any [MANAGE_LIVECHAT_DEPARTMENTS REMOVE_LIVECHAT_DEPARTMENT];
    DeleteUser = All [DELETE_USER];
    EraseContacts = All [ERASE_CONTACTS];
    ExportContacts = All [EXPORT_CONTACTS];
    HoldContacts = All [HOLD_CONTACTS];
    EditPrivilegedSetting = All [EDIT_PRIVILEGED_SETTING];
    EditOtherUserActiveStatus = Any [EDIT_OTHER_USER_ACTIVE_STATUS MANAGE_MODERATION_ACTIONS];
    EditSettings = Any [EDIT_PRIVILEGED_SETTING MANAGE_SELECTED_SETTINGS];
    ManageAgents = All [MANAGE_LIVECHAT_AGENTS];
    ManageRetention = All [MANAGE_RETENTION];
    ManageDepartments = All [MANAGE_LIVECHAT_DEPARTMENTS];
    ViewDepartments = Any [VIEW_LIVECHAT_DEPARTMENTS VIEW_L_ROOM];
    RequestPrintedTranscript = All [REQUEST_PDF_TRANSCRIPT];
    SetServiceLevel = Any [VIEW_L_ROOM MANAGE_LIVECHAT_SLA];
    SendTranscript = All [SEND_OMNICHANNEL_CHAT_TRANSCRIPT];
    ViewDirectRoom = All [VIEW_D_ROOM];
    ViewErasureReceipts = All [VIEW_ERASURE_RECEIPTS];
    ViewLivechatManager = All [VIEW_LIVECHAT_MANAGER];
    ViewPrivilegedSetting = All [VIEW_PRIVILEGED_SETTING];
    ViewRoom = All [VIEW_L_ROOM];
}

/// An argument that says who may call.
pub trait DeclaresAccess {
    /// Who.
    const ACCESS: Access;
    /// What a caller must hold besides.
    const NEEDS: Needs = Needs::All(&[]);
}

/// The arguments of a handler, of which the last says who may call.
pub trait Arguments {
    /// Who.
    const ACCESS: Access;
    /// What a caller must hold besides.
    const NEEDS: Needs;
}

impl<M, Last: DeclaresAccess> Arguments for (M, Last) {
    const ACCESS: Access = Last::ACCESS;
    const NEEDS: Needs = Last::NEEDS;
}

impl<M, First, Last: DeclaresAccess> Arguments for (M, First, Last) {
    const ACCESS: Access = Last::ACCESS;
    const NEEDS: Needs = Last::NEEDS;
}

/// Writes who may call `_handler` into the document of its route.
pub fn declare<H, T>(_handler: H, (schemas, mut paths, router): UtoipaMethodRouter<Shared>) -> UtoipaMethodRouter<Shared>
where
    H: Handler<T, Shared>,
    T: Arguments,
{
    for operation in paths.paths.values_mut().flat_map(operations_of) {
        let mut extensions = ExtensionsBuilder::new().add("x-usher-access", T::ACCESS.name());
        if let Some(needs) = T::NEEDS.document() {
            extensions = extensions.add("x-usher-permissions", needs);
        }
        operation.extensions.get_or_insert_default().merge(extensions.build());
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
