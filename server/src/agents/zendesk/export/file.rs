//! One file of an export: its address, which is as good as a key, and the name it gets here.

use std::{collections::HashSet, fmt};

use reqwest::Url;

/// Characters of a name: what every file system takes, with room for a number before it.
const MAX_NAME: usize = 200;

/// A file that can be fetched for a while.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportFile {
    pub(super) url: Url,
    name: String,
}

impl ExportFile {
    /// A plain file name, unlike the others of its export.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whoever knows the URL can fetch the file.
impl fmt::Debug for ExportFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Gives each file a name of its own, also where case does not count.
pub(super) fn named(
    urls: impl Iterator<Item = anyhow::Result<Url>>,
) -> anyhow::Result<Vec<ExportFile>> {
    let mut taken = HashSet::new();
    let name = |url: anyhow::Result<Url>| {
        let url = url?;
        let plain = plain_name(&url);
        let mut name = plain.clone();
        let mut number = 1;
        while !taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{number}-{plain}");
        }
        Ok(ExportFile { url, name })
    };
    urls.map(name).collect()
}

/// The last part of the path, made of characters that mean nothing to any file system or terminal.
fn plain_name(url: &Url) -> String {
    // An object's name may hold slashes, which its store writes so.
    let path = url.path().replace("%2F", "/").replace("%2f", "/");
    let last = path.rsplit('/').find(|part| !part.is_empty());
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            c
        } else {
            '_'
        }
    };
    let name: String = last.unwrap_or_default().chars().map(plain).collect();
    let name: String = name
        .trim_start_matches(['.', '-'])
        .chars()
        .take(MAX_NAME)
        .collect();
    if name.is_empty() {
        return "export".to_owned();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(urls: &[&str]) -> Vec<String> {
        let urls = urls.iter().map(|url| Ok(url.parse()?));
        let files = named(urls).expect("URLs");
        files.iter().map(|file| file.name().to_owned()).collect()
    }

    #[test]
    fn a_file_is_named_by_the_last_part_of_its_path() {
        let urls = [
            "https://s.example.org/b/conversation_1_2026-09-29_000000000000.json?sig=x",
            "https://s.example.org/b/o/a%2Fpart.json?alt=media",
            "https://s.example.org/b/..%2f..%2Fetc%2fpasswd",
            "https://s.example.org/%2e%2e/.hidden",
            "https://s.example.org/a%00b%0Ac%5C..%5Cd",
            "https://s.example.org/",
            "https://s.example.org/a/-rf/",
        ];
        let expected = [
            "conversation_1_2026-09-29_000000000000.json",
            "part.json",
            "passwd",
            "hidden",
            "a_00b_0Ac_5C.._5Cd",
            "export",
            "rf",
        ];
        assert_eq!(names(&urls), expected);
        let long = format!("https://s.example.org/{}", "x".repeat(500));
        assert_eq!(names(&[&long])[0].len(), MAX_NAME);
    }

    #[test]
    fn files_of_one_name_are_kept_apart() {
        let urls = [
            "https://s.example.org/a/part.json",
            "https://s.example.org/b/part.json",
            "https://s.example.org/c/PART.json",
        ];
        assert_eq!(names(&urls), ["part.json", "2-part.json", "3-PART.json"]);
    }

    #[test]
    fn an_address_is_not_printed() {
        let url = "https://s.example.org/part.json?sig=secret";
        let file = named([Ok(url.parse().expect("a URL"))].into_iter());
        let shown = format!("{:?}", file.expect("a file"));
        assert!(
            shown.contains("part.json") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
