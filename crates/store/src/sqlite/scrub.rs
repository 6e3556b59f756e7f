//! The page scrub: zeroes what SQLite leaves in the unused parts of a page.
//!
//! `secure_delete` overwrites a row when it is deleted, but rows that were *moved* within the tree leave copies in the space between
//! a page's cell pointers and its cells. Nothing ever reads that space, so zeroing it changes nothing but what a stranger could find.

/// The kinds of tree page, by the first byte of their header, and the length of that header in bytes.
const TREE_PAGES: [(u8, usize); 4] = [(2, 12), (5, 12), (10, 8), (13, 8)];

/// Where the header of the first page's tree begins, after the file's own header.
const FILE_HEADER: usize = 100;

/// Zeroes the unused parts of page `number` (counted from 1): the gap before the cells, and the bodies of free blocks. Gives whether
/// anything was not zero. Pages that are no tree pages, and those whose header contradicts itself, are left alone.
pub fn scrub(number: u32, page: &mut [u8]) -> bool {
    let mut changed = false;
    for (start, end) in unused(number, page) {
        if page[start..end].iter().any(|byte| *byte != 0) {
            page[start..end].fill(0);
            changed = true;
        }
    }
    changed
}

/// Whether [`scrub`] would change the page.
pub fn has_residue(number: u32, page: &[u8]) -> bool {
    unused(number, page).into_iter().any(|(start, end)| page[start..end].iter().any(|byte| *byte != 0))
}

/// The unused ranges of a tree page.
fn unused(number: u32, page: &[u8]) -> Vec<(usize, usize)> {
    let header = if number == 1 { FILE_HEADER } else { 0 };
    layout(header, page).unwrap_or_default()
}

/// Reads a tree page's header; `None` if this is no tree page or its numbers cannot be true.
fn layout(header: usize, page: &[u8]) -> Option<Vec<(usize, usize)>> {
    let kind = *page.get(header)?;
    let (_, header_length) = TREE_PAGES.into_iter().find(|(flag, _)| *flag == kind)?;
    let cells = short(page, header + 3)?;
    let content = match short(page, header + 5)? {
        0 => 65_536,
        start => start,
    };
    let pointers_end = header + header_length + 2 * cells;
    if pointers_end > content || content > page.len() {
        return None;
    }
    let mut ranges = vec![(pointers_end, content)];
    let mut block = short(page, header + 1)?;
    let mut floor = content;
    while block != 0 {
        let (next, length) = (short(page, block)?, short(page, block + 2)?);
        if block < floor || length < 4 || block + length > page.len() {
            return None;
        }
        ranges.push((block + 4, block + length));
        floor = block + length;
        block = next;
    }
    Some(ranges)
}

/// The 16-bit number at `offset`.
fn short(page: &[u8], offset: usize) -> Option<usize> {
    let bytes = page.get(offset..offset + 2)?;
    Some(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A leaf page of 512 bytes with two cells at 400 and 450, and a free block at 420.
    fn leaf() -> Vec<u8> {
        let mut page = vec![0xAA; 512];
        page[..8].copy_from_slice(&[13, 1, 164, 0, 2, 1, 144, 0]);
        page[420..424].copy_from_slice(&[0, 0, 0, 20]);
        page
    }

    #[test]
    fn gap_and_free_blocks_are_zeroed_and_cells_are_not() {
        let mut page = leaf();
        assert!(has_residue(2, &page));
        assert!(scrub(2, &mut page));
        assert!(page[12..400].iter().all(|byte| *byte == 0), "the gap");
        assert!(page[424..440].iter().all(|byte| *byte == 0), "the free block");
        assert!(page[400..420].iter().chain(&page[440..]).all(|byte| *byte == 0xAA), "the cells");
        assert!(!scrub(2, &mut page) && !has_residue(2, &page), "a second time there is nothing to do");
    }

    #[test]
    fn pages_that_are_no_tree_pages_or_lie_are_left_alone() {
        let mut overflow = leaf();
        overflow[0] = 0;
        let mut lying = leaf();
        lying[3..5].copy_from_slice(&[1, 0]);
        let mut looping = leaf();
        looping[420..424].copy_from_slice(&[1, 164, 0, 20]);
        for page in [overflow, lying, looping] {
            let mut scrubbed = page.clone();
            assert!(!scrub(2, &mut scrubbed));
            assert_eq!(scrubbed, page);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(number in 1_u32..3, mut page in proptest::collection::vec(any::<u8>(), 0..1_024), kind in 0_usize..4) {
            if let Some(first) = page.first_mut() {
                *first = TREE_PAGES[kind].0;
            }
            scrub(number, &mut page);
            prop_assert!(!has_residue(number, &page));
        }
    }
}
