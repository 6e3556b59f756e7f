//! Drawing pictures smaller.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use usher_services::ports::{Later, Pictures, Preview, SmallPicture};

/// The longer side of a smaller picture, in pixels. A picture that is no larger is shown as it is.
const SMALL: u32 = 480;

/// The longer side of what stands in for a picture while it is not there.
const TINY: u32 = 32;

/// How good a JPEG is, of 100.
const QUALITY: u8 = 80;

/// The most memory that drawing may take, in bytes.
const MEMORY: u64 = 256 << 20;

/// The longest side of a picture that is drawn, in pixels.
const LONGEST_SIDE: u32 = 20_000;

/// Draws pictures in this process, beside the threads that serve.
#[derive(Debug, Default)]
pub struct Painter;

impl Pictures for Painter {
    fn preview(&self, picture: Bytes) -> Later<'_, Option<Preview>> {
        Box::pin(async move {
            // A decoder that panics has not drawn the picture either.
            tokio::task::spawn_blocking(move || preview(&picture)).await.ok().flatten()
        })
    }
}

fn preview(bytes: &[u8]) -> Option<Preview> {
    let picture = decode(bytes)?;
    let is_large = picture.width().max(picture.height()) > SMALL;
    let small = if is_large { Some(small(&picture.thumbnail(SMALL, SMALL))?) } else { None };
    Some(Preview { tiny: jpeg(&picture.thumbnail(TINY, TINY))?, small })
}

fn decode(bytes: &[u8]) -> Option<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    reader.limits(limits);
    reader.decode().ok()
}

/// A picture through which one can see stays one.
fn small(picture: &DynamicImage) -> Option<SmallPicture> {
    let dimensions = (picture.width().into(), picture.height().into());
    if !picture.color().has_alpha() {
        return Some(SmallPicture { bytes: jpeg(picture)?.into(), media_type: "image/jpeg", dimensions });
    }
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(SmallPicture { bytes: bytes.into_inner().into(), media_type: "image/png", dimensions })
}

fn jpeg(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture.to_rgb8()).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("a picture can be written");
        bytes.into_inner()
    }

    #[test]
    fn large_pictures_get_smaller_ones() {
        let opaque = DynamicImage::from(RgbImage::from_pixel(1_200, 600, Rgb([200, 10, 10])));
        let preview = preview(&png(&opaque)).expect("it can be drawn");
        let small = preview.small.expect("it is worth a smaller one");
        assert_eq!((small.media_type, small.dimensions), ("image/jpeg", (480, 240)));
        let drawn = image::load_from_memory(&small.bytes).expect("the smaller one can be drawn");
        assert_eq!((drawn.width(), drawn.height()), (480, 240));
        assert!(preview.tiny.len() < 1_000 && image::load_from_memory(&preview.tiny).is_ok());
    }

    #[test]
    fn what_can_be_seen_through_stays_so() {
        let glass = DynamicImage::from(RgbaImage::from_pixel(600, 600, Rgba([0, 0, 0, 0])));
        let small = preview(&png(&glass)).and_then(|preview| preview.small).expect("it is worth a smaller one");
        assert_eq!((small.media_type, small.dimensions), ("image/png", (480, 480)));
    }

    #[test]
    fn small_pictures_and_other_bytes_get_none() {
        let little = DynamicImage::from(RgbImage::new(4, 3));
        assert!(preview(&png(&little)).is_some_and(|preview| preview.small.is_none()));
        assert_eq!(preview(b"no picture"), None);
        let mut cut = png(&DynamicImage::from(RgbImage::new(300, 300)));
        cut.truncate(60);
        assert_eq!(preview(&cut), None);
    }
}
