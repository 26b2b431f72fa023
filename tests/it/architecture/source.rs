//! Source files as the architecture tests see them: code without comments, and what it mentions.

use std::{collections::BTreeSet, fs, path::Path};

/// One file of Rust.
pub struct Source {
    /// From the root, with forward slashes.
    pub path: String,
    pub text: String,
}

impl Source {
    /// A file that exists in a test only.
    pub fn planted(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Whether it stands in one of these folders, or is one of these files.
    pub fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }

    /// It, or the folder it stands in, holds tests only.
    pub fn is_test(&self) -> bool {
        self.path
            .split(['/', '.'])
            .any(|part| part == "tests" || part == "conformance")
    }

    /// All code, tests included, without comments.
    pub fn code(&self) -> String {
        without_comments(&self.text)
    }

    /// What runs in production: no comments, no test module at the end.
    pub fn production(&self) -> String {
        let code = self.code();
        match code.find("#[cfg(test)]\nmod tests {") {
            Some(end) => code[..end].to_owned(),
            None => code,
        }
    }

    /// Lines without the test module at the end.
    pub fn production_lines(&self) -> usize {
        let end = self.text.find("#[cfg(test)]\nmod tests {");
        self.text[..end.unwrap_or(self.text.len())].lines().count()
    }
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the workspace.
pub fn sources() -> Vec<Source> {
    let mut found = vec![read(&root().join("build.rs"))];
    for folder in ["proto", "server", "client", "migrations", "tests"] {
        collect(&root().join(folder), &mut found);
    }
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(read(&path));
        }
    }
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("a readable source file");
    let path = path.strip_prefix(root()).unwrap_or(path);
    Source {
        path: path.to_string_lossy().replace('\\', "/"),
        text,
    }
}

/// The text without `//` comments. A `//` inside a string literal (an address, mostly) is kept.
fn without_comments(text: &str) -> String {
    text.lines().fold(String::new(), |mut code, line| {
        code.push_str(line[..comment_start(line)].trim_end());
        code.push('\n');
        code
    })
}

fn comment_start(line: &str) -> usize {
    line.match_indices("//")
        .find(|(at, _)| line[..*at].matches('"').count().is_multiple_of(2))
        .map_or(line.len(), |(at, _)| at)
}

/// Whether the code names `word`, alone or as the beginning of a snake-case name: `prost` is found in
/// `prost_types::Timestamp`, not in `prostrate` or `my_prost`.
pub fn mentions(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(part_of_name) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// The modules of its own crate that the code names: `crate::a::B` and `use crate::{a::B, c}`.
pub fn modules(code: &str) -> BTreeSet<String> {
    code.match_indices("crate::")
        .flat_map(|(at, start)| {
            let rest = &code[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => group_heads(group),
                None => vec![head(rest)],
            }
        })
        .collect()
}

/// The first name of each item in a group, up to the brace that closes it.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut item_begins) = (0, true);
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => item_begins = true,
            c if item_begins && !c.is_whitespace() => {
                heads.push(head(&group[at..]));
                item_begins = false;
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn comments_are_no_code_and_addresses_are_no_comments() {
    let source = Source::planted("a.rs", "use a; // like tonic\nlet u = \"http://b\"; // c\n");
    assert_eq!(source.production(), "use a;\nlet u = \"http://b\";\n");
}

#[test]
fn a_test_module_at_the_end_is_not_production() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    use tonic;\n}\n";
    assert!(!mentions(
        &Source::planted("a.rs", text).production(),
        "tonic"
    ));
    assert_eq!(Source::planted("a.rs", text).production_lines(), 1);
}

#[test]
fn a_word_is_found_as_a_whole_name_or_its_beginning() {
    assert!(mentions("use prost_types::Timestamp;", "prost"));
    assert!(mentions("a(&tonic::Status::ok())", "tonic"));
    assert!(!mentions("prostrate; my_prost; prosty", "prost"));
}

#[test]
fn modules_are_found_alone_and_in_groups() {
    let code =
        "use crate::{\n    domain::{Id, b::C},\n    store,\n};\nlet a = crate::grpc::serve();";
    let found: Vec<_> = modules(code).into_iter().collect();
    assert_eq!(found, ["domain", "grpc", "store"]);
}
