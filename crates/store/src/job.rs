//! A piece of work on its way to an engine: the caller's closure, and the way back to the caller.
//!
//! A job may be attempted several times. It is finished exactly once, and only after its engine knows how the transaction ended.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;
use usher_domain::Event;

use crate::error::StoreError;
use crate::tx::{Backend, Tx};

/// What an attempt at a job came to.
pub(crate) enum Attempt {
    /// The closure succeeded: its work may be committed, and then these events are announced.
    Keep(Vec<Event>),
    /// The closure refused. Its work must be rolled back; the caller gets the closure's own answer.
    Refuse,
    /// A statement failed or the closure panicked. Its work must be rolled back.
    Fail(StoreError),
}

/// Work whose types are known only to its caller.
pub(crate) trait Job: Send {
    /// Runs the closure once.
    fn attempt(&mut self, backend: Backend<'_>) -> Attempt;

    /// Answers the caller: with the closure's own result of the last attempt, or with `failure`.
    fn finish(self: Box<Self>, failure: Option<StoreError>);
}

/// A caller's closure, its last result and the way back.
struct Typed<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

/// Wraps `work` as a job, and gives the place where its answer will be.
pub(crate) fn job<F, T, E>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Box::new(Typed { work, result: None, answer }), receiver)
}

impl<F, T, E> Job for Typed<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn attempt(&mut self, backend: Backend<'_>) -> Attempt {
        let mut tx = Tx::new(backend);
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| (self.work)(&mut tx))) else {
            return Attempt::Fail(StoreError::Panicked);
        };
        // Whatever the closure made of it, a failed statement decides.
        if let Some(failure) = tx.failure() {
            return Attempt::Fail(failure.clone());
        }
        let kept = result.is_ok();
        self.result = Some(result);
        if kept { Attempt::Keep(tx.into_events()) } else { Attempt::Refuse }
    }

    fn finish(self: Box<Self>, failure: Option<StoreError>) {
        let result = match failure {
            Some(failure) => Err(E::from(failure)),
            None => self.result.unwrap_or_else(|| Err(E::from(StoreError::Stopped))),
        };
        // A caller that left does not want its answer; its work is done all the same.
        let _ = self.answer.send(result);
    }
}
