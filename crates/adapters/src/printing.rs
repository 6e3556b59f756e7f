//! Printing transcripts as PDF.
//!
//! The layout is one column of lines on A4. A line is drawn in runs, each in the first typeface that has its characters: the one that
//! comes with the program, then those that the operator gave. What none of them has is printed as boxes.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use krilla::Document;
use krilla::color::luma;
use krilla::geom::Point;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};
use ttf_parser::Face;
use usher_domain::transcript::Sheet;
use usher_services::ports::{Later, Printer};

/// The size of a page in points: A4.
const PAGE: (f32, f32) = (595.28, 841.89);

/// The margin on each side, in points.
const MARGIN: f32 = 56.0;

/// How wide a line may be, in points.
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;

/// How a kind of text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Style {
    /// In points.
    size: f32,
    is_bold: bool,
    /// From 0 for black to 255 for white.
    grey: u8,
    /// What is left free above it, in points.
    above: f32,
}

const TITLE: Style = Style { size: 16.0, is_bold: true, grey: 0, above: 0.0 };
const FACT: Style = Style { size: 9.5, is_bold: false, grey: 70, above: 2.0 };
const REMARK: Style = Style { size: 9.5, is_bold: false, grey: 110, above: 14.0 };
const AUTHOR: Style = Style { size: 10.0, is_bold: true, grey: 0, above: 14.0 };
const MOMENT: Style = Style { size: 8.0, is_bold: false, grey: 110, above: 1.0 };
const TEXT: Style = Style { size: 10.0, is_bold: false, grey: 0, above: 2.0 };
const PAGE_NUMBER: Style = Style { size: 8.0, is_bold: false, grey: 110, above: 0.0 };

/// A font file that cannot be used. The text says which.
#[derive(Debug, thiserror::Error)]
#[error("the font file {0} cannot be used: {1}")]
pub struct FontError(String, String);

/// Prints in this process, beside the threads that serve.
#[derive(Debug, Default)]
pub struct Press {
    /// The font files that the operator gave.
    fonts: Vec<Arc<Vec<u8>>>,
}

impl Press {
    /// One that takes from these font files what the built-in typeface does not have; of a collection the first font counts.
    ///
    /// # Errors
    ///
    /// One of them cannot be read, or is no font.
    pub fn with(files: &[PathBuf]) -> Result<Press, FontError> {
        let read = |file: &PathBuf| {
            let unusable = |why: String| FontError(file.display().to_string(), why);
            let bytes = Arc::new(std::fs::read(file).map_err(|error| unusable(error.to_string()))?);
            Typeface::given(&bytes).ok_or_else(|| unusable("it holds no font that can be read".to_owned()))?;
            Ok(bytes)
        };
        Ok(Press { fonts: files.iter().map(read).collect::<Result<_, _>>()? })
    }
}

impl Printer for Press {
    fn print(&self, sheet: Sheet) -> Later<'_, Option<Bytes>> {
        let fonts = self.fonts.clone();
        Box::pin(async move {
            // A printer that panics has not printed the transcript either.
            tokio::task::spawn_blocking(move || print(&sheet, &fonts)).await.ok().flatten().map(Bytes::from)
        })
    }
}

/// A transcript as a PDF, with these fonts for what the built-in typeface does not have.
fn print(sheet: &Sheet, fonts: &[Arc<Vec<u8>>]) -> Option<Vec<u8>> {
    let regular = Typefaces::of(dejavu::sans::regular(), fonts)?;
    let bold = Typefaces::of(dejavu::sans::bold(), fonts)?;
    let lines = lines(sheet, &regular, &bold);
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(sheet.title.clone()));
    let pages = paged(&lines);
    for (number, lines) in (1..).zip(&pages) {
        let mut page = document.start_page_with(PageSettings::from_wh(PAGE.0, PAGE.1)?);
        let mut surface = page.surface();
        let mut draw = |line: &Line, baseline: f32| {
            let typefaces = if line.style.is_bold { &bold } else { &regular };
            draw(&mut surface, line, typefaces, baseline);
        };
        for (line, baseline) in lines {
            draw(line, *baseline);
        }
        let footer = Line { style: PAGE_NUMBER, text: format!("{number} / {}", pages.len()) };
        draw(&footer, PAGE.1 - MARGIN / 2.0);
        surface.finish();
        page.finish();
    }
    document.finish().ok()
}

/// A typeface: to be drawn, and to be measured.
struct Typeface<'a> {
    font: Font,
    face: Face<'a>,
}

impl<'a> Typeface<'a> {
    fn of(bytes: &'static [u8]) -> Option<Typeface<'a>> {
        Some(Typeface { font: Font::new(bytes.into(), 0)?, face: Face::parse(bytes, 0).ok()? })
    }

    fn given(bytes: &'a Arc<Vec<u8>>) -> Option<Typeface<'a>> {
        Some(Typeface { font: Font::new(Arc::clone(bytes).into(), 0)?, face: Face::parse(bytes, 0).ok()? })
    }

    /// How wide a character is at this size, in points. One that the typeface does not have is as wide as what stands in for it.
    fn width(&self, character: char, size: f32) -> f32 {
        let glyph = self.face.glyph_index(character).unwrap_or_default();
        let advance = self.face.glyph_hor_advance(glyph).unwrap_or_default();
        f32::from(advance) * size / f32::from(self.face.units_per_em())
    }
}

/// Typefaces in the order in which they are looked at for a character.
struct Typefaces<'a>(Vec<Typeface<'a>>);

impl<'a> Typefaces<'a> {
    fn of(first: &'static [u8], fonts: &'a [Arc<Vec<u8>>]) -> Option<Typefaces<'a>> {
        let all = std::iter::once(Typeface::of(first)).chain(fonts.iter().map(Typeface::given));
        all.collect::<Option<Vec<_>>>().map(Typefaces)
    }

    /// The place of the first one that has a character; of none it is that of the first.
    fn place_of(&self, character: char) -> usize {
        self.0.iter().position(|typeface| typeface.face.glyph_index(character).is_some()).unwrap_or(0)
    }

    /// How wide a character is at this size, in points.
    fn width(&self, character: char, size: f32) -> f32 {
        self.0.get(self.place_of(character)).map_or(0.0, |typeface| typeface.width(character, size))
    }

    /// A text in pieces, each with the place of the typeface that has its characters. Blanks stay with what is before them.
    fn runs<'t>(&self, text: &'t str) -> Vec<(usize, &'t str)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (start, character) in text.char_indices() {
            let place = self.place_of(character);
            match runs.last() {
                Some((last, _)) if *last == place || character.is_whitespace() => {}
                _ => runs.push((place, start)),
            }
        }
        let ends = runs.iter().skip(1).map(|(_, start)| *start).chain([text.len()]);
        runs.iter().zip(ends).map(|((place, start), end)| (*place, &text[*start..end])).collect()
    }
}

/// A line of one style.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    style: Style,
    text: String,
}

/// All lines of a transcript.
fn lines(sheet: &Sheet, regular: &Typefaces<'_>, bold: &Typefaces<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |style: Style, text: &str| {
        let typefaces = if style.is_bold { bold } else { regular };
        for (number, text) in broken(text, |character| typefaces.width(character, style.size)).into_iter().enumerate() {
            // Only the first line of a paragraph keeps its distance.
            let above = if number == 0 { style.above } else { 0.0 };
            lines.push(Line { style: Style { above, ..style }, text });
        }
    };
    add(TITLE, &sheet.title);
    for (name, value) in &sheet.facts {
        add(FACT, &format!("{name}: {value}"));
    }
    if let Some(remark) = sheet.remark {
        add(REMARK, remark);
    }
    for entry in &sheet.entries {
        add(AUTHOR, &entry.author);
        add(MOMENT, &entry.at);
        add(TEXT, &entry.text);
    }
    lines
}

/// A text in lines no wider than [`WIDTH`]: broken where it says so, then between words, and within a word that is too long by itself.
fn broken(text: &str, width: impl Fn(char) -> f32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let (mut line, mut taken) = (String::new(), 0.0);
        for word in paragraph.split_inclusive(char::is_whitespace) {
            // What cannot be seen takes no place; a tabulator is as good as a blank.
            let word: String = word.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect();
            let needed: f32 = word.trim_end().chars().map(&width).sum();
            if taken > 0.0 && taken + needed > WIDTH {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                taken = 0.0;
            }
            for character in word.chars() {
                let wide = width(character);
                if taken + wide > WIDTH && !character.is_whitespace() {
                    lines.push(std::mem::take(&mut line));
                    taken = 0.0;
                }
                line.push(character);
                taken += wide;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The lines of each page, with the heights of their baselines in points from above.
fn paged(lines: &[Line]) -> Vec<Vec<(&Line, f32)>> {
    let mut pages = vec![Vec::new()];
    let mut filled = MARGIN;
    for (place, line) in lines.iter().enumerate() {
        let height = |line: &Line| line.style.above + line.style.size * 1.35;
        // An author stands on the page where the text begins.
        let kept_together = if line.style.is_bold { 3 } else { 1 };
        let needed: f32 = lines[place..].iter().take(kept_together).map(height).sum();
        if filled + needed > PAGE.1 - MARGIN && filled > MARGIN {
            pages.push(Vec::new());
            filled = MARGIN;
        }
        filled += height(line);
        if let Some(page) = pages.last_mut() {
            page.push((line, filled));
        }
    }
    pages
}

fn draw(surface: &mut Surface<'_>, line: &Line, typefaces: &Typefaces<'_>, baseline: f32) {
    let size = line.style.size;
    surface.set_fill(Some(Fill { paint: luma::Color::new(line.style.grey).into(), ..Fill::default() }));
    let mut left = MARGIN;
    for (place, text) in typefaces.runs(&line.text) {
        let Some(typeface) = typefaces.0.get(place) else { continue };
        surface.draw_text(Point::from_xy(left, baseline), typeface.font.clone(), size, text, false, TextDirection::Auto);
        left += text.chars().map(|character| typeface.width(character, size)).sum::<f32>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_domain::transcript::Entry;

    fn sheet(texts: &[&str]) -> Sheet {
        let entry =
            |text: &&str| Entry { author: "Mary".to_owned(), at: "2024-01-31 12:00:00 UTC".to_owned(), text: (*text).to_owned() };
        Sheet {
            title: "Our shop: transcript of a chat".to_owned(),
            facts: vec![("Visitor", "Mary".to_owned())],
            remark: None,
            entries: texts.iter().map(entry).collect(),
        }
    }

    fn typefaces() -> (Typefaces<'static>, Typefaces<'static>) {
        let of = |bytes| Typefaces::of(bytes, &[]).expect("the typeface can be read");
        (of(dejavu::sans::regular()), of(dejavu::sans::bold()))
    }

    #[test]
    fn what_the_first_typeface_lacks_comes_from_the_next() {
        let fonts = [Arc::new(dejavu::sans::regular().to_vec())];
        let both = Typefaces::of(dejavu::sans::extra_light(), &fonts).expect("they can be read");
        assert_eq!(both.runs("Say שלום to me"), [(0, "Say "), (1, "שלום "), (0, "to me")]);
        assert_eq!(both.runs("你好"), [(0, "你好")], "nobody has these");
        assert_eq!(both.runs(""), []);
        let alone = typefaces().0;
        assert_eq!(both.width('ש', 10.0), alone.width('ש', 10.0));
        let printed = print(&sheet(&["Say שלום to me"]), &fonts).expect("it can be printed");
        assert!(printed.starts_with(b"%PDF-"));
    }

    #[test]
    fn font_files_are_looked_at_when_they_are_given() {
        let nowhere = Press::with(&[PathBuf::from("nowhere.ttf")]).expect_err("it is not there").to_string();
        assert!(nowhere.starts_with("the font file nowhere.ttf cannot be used: "), "{nowhere}");
        let other = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let told = Press::with(&[other]).expect_err("it is no font").to_string();
        assert!(told.ends_with("it holds no font that can be read"), "{told}");
        assert!(Press::with(&[]).is_ok());
    }

    #[test]
    fn any_text_can_be_printed() {
        for text in ["Hello", "", "Grüße, Ελλάδα, Привет", "שלום", "你好 😀", "\0\u{7f}\t\r\n", &"x".repeat(20_000)]
        {
            let printed = print(&sheet(&[text]), &[]).expect("it can be printed");
            assert!(printed.starts_with(b"%PDF-") && printed.ends_with(b"%%EOF"), "{text:?}");
        }
    }

    #[test]
    fn lines_are_broken_between_words_where_there_are_words() {
        let of_width = |wide: f32| move |_: char| wide;
        let a_third = of_width(WIDTH / 9.0);
        assert_eq!(broken("one two three", a_third), ["one two", "three"]);
        assert_eq!(broken("one two  \nthree", a_third), ["one two", "three"]);
        assert_eq!(broken("abcdefghijkl mn", a_third), ["abcdefghi", "jkl mn"]);
        assert_eq!(broken("a\tb\u{0}c", a_third), ["a bc"]);
        assert_eq!(broken("one\n\ntwo", a_third), ["one", "", "two"]);
        assert!(broken("", a_third).is_empty());
    }

    #[test]
    fn no_line_is_wider_than_the_page_and_no_page_longer() {
        let (regular, bold) = typefaces();
        let long = "The quick brown fox jumps over the lazy dog. ".repeat(40);
        let sheet = sheet(&[long.as_str(); 20]);
        let lines = lines(&sheet, &regular, &bold);
        for line in &lines {
            let typefaces = if line.style.is_bold { &bold } else { &regular };
            let wide: f32 = line.text.chars().map(|character| typefaces.width(character, line.style.size)).sum();
            assert!(wide <= WIDTH + 0.01, "{line:?}");
        }
        let pages = paged(&lines);
        assert!(pages.len() > 3);
        assert_eq!(pages.iter().map(Vec::len).sum::<usize>(), lines.len());
        for page in &pages {
            assert!(page.windows(2).all(|two| two[0].1 < two[1].1));
            assert!(page.last().is_some_and(|(line, baseline)| *baseline <= PAGE.1 - MARGIN && line.style != AUTHOR));
        }
    }
}
