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

/// The differences of a translated page: the depths of its headings, its code without comments, and its links.
pub(crate) fn untranslated(page: &str, translated: &str) -> Vec<String> {
    let depths = |text| -> Vec<String> {
        let headings = prose(text).filter(|line| line.starts_with('#'));
        headings.map(|line| line[..line.len() - line.trim_start_matches('#').len()].to_owned()).collect()
    };
    let mut unlike = Vec::new();
    if depths(page) != depths(translated) {
        unlike.push(format!("headings: {}, not {}", depths(translated).join(" "), depths(page).join(" ")));
    }
    for (own, other) in [(code(page), code(translated)), (link_targets(page), link_targets(translated))] {
        let (lacks, alone) = (without(&own, &other), without(&other, &own));
        if lacks.is_empty() && alone.is_empty() && own != other {
            unlike.push(format!("another order: {other:?}"));
        }
        unlike.extend(lacks.iter().map(|line| format!("lacks: {line}")));
        unlike.extend(alone.iter().map(|line| format!("has alone: {line}")));
    }
    unlike
}

/// The lines that `other` has less often, or not at all.
fn without(lines: &[String], other: &[String]) -> Vec<String> {
    let mut other = other.to_vec();
    let is_left = |line: &&String| match other.iter().position(|one| one == *line) {
        Some(index) => {
            other.remove(index);
            false
        }
        None => true,
    };
    lines.iter().filter(is_left).cloned().collect()
}

/// The lines of code without comments at their ends. Of a block of `text` the fences alone count.
fn code(text: &str) -> Vec<String> {
    let (mut block, mut lines) = (None, Vec::new());
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```");
        if fence.is_some() || block.is_some_and(|name| name != "text") {
            let end = [" # ", " // "].iter().filter_map(|mark| line.find(mark)).min();
            lines.push(line[..end.unwrap_or(line.len())].trim_end().to_owned());
        }
        if let Some(name) = fence {
            block = block.is_none().then_some(name);
        }
    }
    lines
}

/// The pages that the links lead to, sorted: for a translated page its original. Headings have other names there.
fn link_targets(text: &str) -> Vec<String> {
    let page = |link: String| link.split('#').next().unwrap_or_default().replace(".zh.md", ".md");
    let mut pages: Vec<String> = links(text).into_iter().map(page).collect();
    pages.sort();
    pages
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
    fn a_missing_recipe_a_different_line_of_code_and_a_missing_link_are_found() {
        let page =
            "# A\n## B\n```rust\nlet a = 1; // one\nlet b = 1;\n```\n```text\nb\n```\n[a](a.md) [b](#b)\n";
        let translated =
            page.replace("A\n", "\u{7532}\n").replace("one", "\u{4e00}").replace("\nb\n", "\n\u{4e59}\n");
        let translated = translated.replace("a.md", "a.zh.md").replace("#b", "#\u{4e59}");
        assert!(untranslated(page, &translated).is_empty());
        let unlike = untranslated(page, &translated.replace("## B\n", "").replace("a = 1", "a = 2"));
        assert_eq!(unlike, ["headings: #, not # ##", "lacks: let a = 1;", "has alone: let a = 2;"]);
        let unlike = untranslated(page, &translated.replace("[b](#\u{4e59})", "[c](c.md)"));
        assert_eq!(unlike, ["lacks: ", "has alone: c.md"]);
        let reversed = translated.replace("let b = 1;\n", "").replace("let a", "let b = 1;\nlet a");
        assert!(untranslated(page, &reversed)[0].starts_with("another order"));
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
