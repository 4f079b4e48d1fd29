// SPDX-License-Identifier: Apache-2.0
//! The rules of the web console's sources: heads, lengths, and nothing that becomes markup.

use super::tree::Tree;

const FOLDER: &str = "console/";
const LICENCE: &str = "SPDX-License-Identifier: Apache-2.0";
const LONGEST: usize = 500;
/// By the end of a name: what opens a comment on the first line.
const SOURCES: [(&str, &str); 6] =
    [(".ts", "//"), (".tsx", "//"), (".mjs", "//"), (".js", "//"), (".css", "/*"), (".html", "<!--")];
/// Written by a program, from a document that has its own rules.
const GENERATED: [&str; 1] = ["console/src/api/schema.d.ts"];
/// What turns text into markup, or into code. Nothing that a host wrote may come near.
const MARKUP: [&str; 7] = [
    "dangerouslySetInnerHTML",
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "createContextualFragment",
    "document.write",
    "new Function(",
];

/// The sources of the console, with what opens a comment in them.
fn sources(tree: &Tree) -> impl Iterator<Item = (&str, &str, String)> {
    tree.texts("").filter(|(name, _)| name.starts_with(FOLDER) && !GENERATED.contains(name)).filter_map(
        |(name, text)| {
            let (_, open) = SOURCES.iter().find(|(end, _)| name.ends_with(end))?;
            Some((name, *open, text))
        },
    )
}

pub(super) fn heads(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, open, text) in sources(tree) {
        // A document says first that it is one.
        let mut lines = text.lines().skip_while(|l| l.starts_with("<!") && !l.starts_with("<!--"));
        if !lines.next().is_some_and(|l| l.starts_with(open) && l.contains(LICENCE)) {
            places.push(format!("{name}:1: the first line must be `{open} {LICENCE}`"));
        } else if open == "//" && !lines.next().is_some_and(says_something) {
            places.push(format!("{name}:2: the second line must be a comment that says what the file is"));
        }
    }
    places
}

/// A comment with words in it, which may begin on the next line.
fn says_something(line: &str) -> bool {
    let comment = line.strip_prefix("//").or_else(|| line.strip_prefix("/*"));
    comment.is_some_and(|rest| rest.starts_with('*') || rest.contains(char::is_alphabetic))
}

pub(super) fn lengths(tree: &Tree) -> Vec<String> {
    let long =
        sources(tree).map(|(name, _, text)| (name, text.lines().count())).filter(|(_, n)| *n > LONGEST);
    long.map(|(name, n)| format!("{name}: {n} lines, {LONGEST} are the most: split it by subject")).collect()
}

/// Scripts that look for these words themselves are not in the console.
pub(super) fn markup(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, _, text) in sources(tree).filter(|(name, ..)| name.starts_with("console/src/")) {
        for (number, line) in text.lines().enumerate() {
            for word in MARKUP.iter().filter(|word| line.contains(**word)) {
                places.push(format!("{name}:{}: `{word}`: show it as text", number + 1));
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_bad_heads() {
        let first = format!("// {LICENCE}\n");
        let tree = Tree::of([
            ("console/a.ts", format!("{first}/** What it is. */\n").as_str()),
            ("console/b.tsx", &format!("{first}// What it is.\n")),
            ("console/c.ts", &format!("{first}/**\n * What it is.\n */\n")),
            ("console/index.html", &format!("<!doctype html>\n<!-- {LICENCE} -->\n<html>\n")),
            ("console/s.css", &format!("/* {LICENCE} */\n")),
            ("console/package.json", "{}"),
            ("console/src/api/schema.d.ts", "export {};"),
            ("elsewhere/a.ts", "let a;"),
            ("console/bad1.ts", "/** What it is. */\n"),
            ("console/bad2.ts", &format!("{first}import a from 'a';\n")),
            ("console/bad3.mjs", &format!("{first}//\n")),
            ("console/bad.css", "a {}\n"),
        ]);
        let places = heads(&tree);
        assert_eq!(places.len(), 4, "{places:?}");
        assert!(places.iter().all(|p| p.starts_with("console/bad")), "{places:?}");
    }

    #[test]
    fn sees_long_files_and_markup() {
        let long = "x\n".repeat(501);
        let bad = format!("let a = 1;\nnode.{} = name;\n", concat!("inner", "HTML"));
        let tree = Tree::of([
            ("console/src/long.ts", long.as_str()),
            ("console/src/api/schema.d.ts", &long),
            ("console/src/bad.tsx", &bad),
            ("console/scripts/no-html.mjs", &bad),
        ]);
        let places = lengths(&tree);
        assert!(places.len() == 1 && places[0].starts_with("console/src/long.ts: 501"), "{places:?}");
        let places = markup(&tree);
        assert!(places.len() == 1 && places[0].starts_with("console/src/bad.tsx:2:"), "{places:?}");
    }
}
