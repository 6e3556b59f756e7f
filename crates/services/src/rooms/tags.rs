//! Tags of rooms.

/// Stands between tags in what the store reads, so that no tag can have it.
const SEPARATOR: char = '\u{1e}';

/// These tags in their order, each once.
pub(super) fn distinct<'a>(given: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in given {
        let tag = tag.replace(SEPARATOR, "");
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_stay_in_their_order_and_come_once() {
        let given = ["b", "a", "b", "", "A", "x\u{1e}y", "xy"].map(str::to_owned);
        assert_eq!(distinct(&given), ["b", "a", "", "A", "xy"]);
    }
}
