//! The links of the pages: each relative link leads to an existing file, and the part after `#` to a heading of it.

use std::fs;
use std::path::Path;

/// The broken links of `text`, which is the page at the path `own`.
pub(crate) fn broken(text: &str, own: &Path) -> Vec<String> {
    let leads_somewhere = |link: &str| {
        let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
        let target = match file {
            "" => own.to_owned(),
            file => own.parent().unwrap_or(own).join(file),
        };
        match anchor {
            Some(anchor) => {
                fs::read_to_string(&target).is_ok_and(|page| anchors(&page).contains(&anchor.to_owned()))
            }
            None => target.exists(),
        }
    };
    links(text).into_iter().filter(|link| !link.contains("://") && !leads_somewhere(link)).collect()
}

/// The targets of the links of a page, without those in code.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        // Text in backquotes is shown, not linked.
        let outside: String = line.split('`').step_by(2).collect();
        let inline =
            outside.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next().map(str::to_owned));
        found.extend(inline);
        let reference = outside.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        found.extend(reference.map(|(_, target)| target.trim().to_owned()));
    }
    found
}

/// The differences of a translated page: the depths of its headings, and its code.
pub(crate) fn untranslated(page: &str, translated: &str) -> Vec<String> {
    let depths = |text| -> Vec<usize> {
        let headings = prose(text).filter(|line| line.starts_with('#'));
        headings.map(|line| line.len() - line.trim_start_matches('#').len()).collect()
    };
    let (own, other) = (depths(page), depths(translated));
    let mut unlike = Vec::new();
    if own != other {
        unlike.push(format!("{} headings, and {} in the other language", own.len(), other.len()));
    }
    let (own, other) = (code(page), code(translated));
    unlike.extend(own.iter().filter(|line| !other.contains(line)).map(|line| format!("lacks: {line}")));
    unlike.extend(other.iter().filter(|line| !own.contains(line)).map(|line| format!("has alone: {line}")));
    unlike
}

/// The lines of code.
fn code(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let within = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        is_code || is_fence
    };
    text.lines().filter(within).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let name = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    prose(page).filter(|line| line.starts_with('#')).map(|line| name(line.trim_start_matches('#'))).collect()
}

/// The lines outside blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_recipe_and_a_different_line_of_code_are_found() {
        let page = "# A\n## B\n```rust\nlet a = 1;\n```\n";
        assert!(untranslated(page, "# \u{7532}\n## \u{4e59}\n```rust\nlet a = 1;\n```\n").is_empty());
        let unlike = untranslated(page, "# \u{7532}\n```rust\nlet a = 2;\n```\n");
        assert_eq!(
            unlike,
            ["2 headings, and 1 in the other language", "lacks: let a = 1;", "has alone: let a = 2;"]
        );
    }

    #[test]
    fn a_broken_link_is_found() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/testing.md");
        let text = "[a](testing.md) [b](gone.md), [c](../README.md) and [d](https://x.test/gone)\n\
            [e](#gone) [f](protocol.md#0-sources) [g](protocol.md#gone) `[h](shown.md)`\n\
            ```sh\n[i](code.md)\n```\n[j]: gone.svg\n";
        assert_eq!(broken(text, &own), ["gone.md", "#gone", "protocol.md#gone", "gone.svg"]);
    }
}
