//! Calls that carry a file, as a form of several parts.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use futures_util::{Stream, StreamExt, stream};
use multer::{Constraints, Field, Multipart, SizeLimit};
use usher_services::files::{Arrival, FilePermit};
use usher_services::{Error, Refusal};

use crate::access::{Access, DeclaresAccess, Needs};
use crate::{ApiError, Shared};

/// The most bytes of a text in a form.
const TEXT_BYTES: u64 = 64 << 10;

/// The most bytes of all that is not the file.
const BESIDES_FILE: u64 = 1 << 20;

/// The most parts of a form.
const MOST_PARTS: usize = 16;

/// How long the next bytes may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The part that is the file.
const FILE: &str = "file";

/// A call by whoever may make `C`, with a form that is not read yet.
pub struct Upload<C> {
    /// The call.
    pub call: C,
    /// The form.
    pub form: Form,
}

impl<C: DeclaresAccess> DeclaresAccess for Upload<C> {
    const ACCESS: Access = C::ACCESS;
    const NEEDS: Needs = C::NEEDS;
}

impl<C: FromRequest<Shared, Rejection = ApiError>> FromRequest<Shared> for Upload<C> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Shared) -> Result<Upload<C>, ApiError> {
        let (head, body) = request.into_parts();
        let form = Form::new(&head, body);
        let call = C::from_request(Request::from_parts(head, Body::empty()), api).await?;
        Ok(Upload { call, form })
    }
}

/// The texts of a form.
pub type Texts = HashMap<String, String>;

/// A form with a file on its way.
pub struct Form {
    boundary: Option<String>,
    /// How long it says that it is, in bytes.
    announced: Option<u64>,
    body: Body,
}

impl Form {
    fn new(head: &Parts, body: Body) -> Form {
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        Form {
            boundary: header(CONTENT_TYPE).and_then(|kind| multer::parse_boundary(kind).ok()),
            announced: header(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            body,
        }
    }

    /// Reads the form: its file, as far as `permit` goes, and the texts of these names.
    ///
    /// # Errors
    ///
    /// It has no file, more than one, another part, or a file that is not taken. A form that says that it is too long is not read.
    pub async fn receive(self, permit: FilePermit, names: &[&str]) -> Result<(Arrival, Texts), Error> {
        let most = permit.most_bytes();
        if let Some(most) = most
            && self.announced.is_some_and(|announced| announced > most.saturating_add(BESIDES_FILE))
        {
            return Err(Refusal::FileTooLarge { most }.into());
        }
        let boundary = self.boundary.ok_or(Refusal::NoFile)?;
        let whole = most.map_or(u64::MAX, |most| most.saturating_add(BESIDES_FILE));
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
        let mut parts = Multipart::with_constraints(arriving(self.body), boundary, limits);
        let (mut texts, mut arrival) = (Texts::new(), None);
        for _ in 0..MOST_PARTS {
            let Some(part) = parts.next_field().await.map_err(interrupted)? else {
                return Ok((arrival.ok_or(Refusal::NoFile)?, texts));
            };
            let name = part.name().unwrap_or_default().to_owned();
            if name == FILE && arrival.is_none() {
                arrival = Some(receive_file(&permit, part).await?);
            } else if part.file_name().is_some() {
                return Err(Refusal::UnexpectedFile.into());
            } else if names.contains(&name.as_str()) {
                texts.insert(name, text(part).await?);
            } else {
                return Err(Refusal::Mismatch("Match error: Unknown key in a form".to_owned()).into());
            }
        }
        Err(Refusal::Mismatch("Match error: Too many parts in a form".to_owned()).into())
    }
}

/// The bytes of a body, each piece in good time.
fn arriving(body: Body) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    stream::unfold(body.into_data_stream(), |mut pieces| async move {
        let piece = match tokio::time::timeout(PATIENCE, pieces.next()).await {
            Ok(None) => return None,
            Ok(Some(Ok(piece))) => Ok(piece),
            Ok(Some(Err(_))) | Err(_) => Err(std::io::ErrorKind::UnexpectedEof.into()),
        };
        Some((piece, pieces))
    })
}

async fn receive_file(permit: &FilePermit, part: Field<'static>) -> Result<Arrival, Error> {
    let name = part.file_name().unwrap_or_default().to_owned();
    let said = part.content_type().map(|kind| kind.essence_str().to_owned()).unwrap_or_default();
    let pieces = part.map(|piece| piece.map_err(interrupted));
    permit.receive(&name, &said, Box::pin(pieces)).await
}

async fn text(mut part: Field<'static>) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(interrupted)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > TEXT_BYTES {
            return Err(Refusal::MessageSizeExceeded.into());
        }
    }
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| Refusal::Mismatch("Match error: Expected string in a form".to_owned()).into())
}

fn interrupted(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamSizeExceeded { limit } => Refusal::FileTooLarge { most: limit.saturating_sub(BESIDES_FILE) }.into(),
        _ => Refusal::FileInterrupted.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    /// A body whose pieces come so many seconds after each other.
    fn body(seconds: &'static [u64]) -> Body {
        let pieces = stream::iter(seconds).then(|seconds| async move {
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"piece"))
        });
        Body::from_stream(pieces)
    }

    async fn arrived(seconds: &'static [u64]) -> Vec<Result<Bytes, ErrorKind>> {
        let pieces = arriving(body(seconds)).map(|piece| piece.map_err(|error| error.kind()));
        pieces.take(seconds.len()).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn every_piece_has_half_a_minute() {
        let piece = Ok(Bytes::from_static(b"piece"));
        assert_eq!(arrived(&[1, 29, 29]).await, [piece.clone(), piece.clone(), piece.clone()]);
        assert_eq!(arrived(&[1, 31]).await, [piece, Err(ErrorKind::UnexpectedEof)]);
    }
}
