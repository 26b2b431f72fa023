//! What a visitor means who types instead of pressing.

use unicode_normalization::UnicodeNormalization;

/// What people write before a number.
const BEFORE_A_NUMBER: [&str; 6] = ["#", "(", "[", "n°", "no", "nr"];

/// What people write after one. Not a question mark: "2?" asks.
const AFTER_A_NUMBER: [char; 6] = ['.', ')', ']', ':', ',', '!'];

/// A cut label is recognised from so many characters on. Shorter ones are too easily typed by chance: "No…" is not the
/// option "No thanks".
const SHORTEST_CUT: usize = 10;

/// The option (from 0) that the visitor means by `text`, of options with these labels in their order: by its number as
/// long as numbers tell them apart, by its label whatever the case, by the line as it was shown, by the label as it was
/// cut. What fits several options means none.
pub fn understood(text: &str, labels: &[impl AsRef<str>]) -> Option<usize> {
    let said = folded(text);
    if said.is_empty() {
        return None;
    }
    let labels: Vec<_> = labels.iter().map(|label| folded(label.as_ref())).collect();
    let numbered = !speak_for_themselves(&labels);
    if numbered && let Some(option) = number_in(text, labels.len()) {
        return Some(option);
    }
    let number = number(text);
    let cut = said
        .strip_suffix("...")
        .map(str::trim_end)
        .filter(|start| start.chars().count() >= SHORTEST_CUT);
    only(&labels, |_, label| *label == said)
        .or_else(|| {
            only(&labels, |_, label| {
                number.is_some() && self::number(label) == number
            })
        })
        .or_else(|| only(&labels, |at, label| said == format!("{}. {label}", at + 1)))
        .or_else(|| {
            only(&labels, |_, label| {
                cut.is_some_and(|cut| label.starts_with(cut))
            })
        })
}

/// The option (from 0) that a number alone means, of `count` options. For options whose labels may be numbers
/// themselves, ask [`understood`].
pub fn number_in(text: &str, count: usize) -> Option<usize> {
    number(text)
        .filter(|number| (1..=count).contains(number))
        .map(|number| number - 1)
}

/// Whether options are better told apart by their labels alone. That is so when labels are numbers, as in "How likely,
/// from 0 to 10?": "1. 0" and "2. 1" would leave it open what "1" means.
pub(super) fn speak_for_themselves(labels: &[impl AsRef<str>]) -> bool {
    let mut all: Vec<_> = labels.iter().map(|label| folded(label.as_ref())).collect();
    all.sort_unstable();
    labels.iter().any(|label| number(label.as_ref()).is_some())
        && all.windows(2).all(|pair| pair[0] != pair[1])
}

/// A number and nothing that says more: "2", "2.", "#2", "No 2", "２".
fn number(text: &str) -> Option<usize> {
    let text = folded(text);
    let end = |c: char| c.is_whitespace() || AFTER_A_NUMBER.contains(&c);
    let text = text.trim_end_matches(end);
    let digits = BEFORE_A_NUMBER
        .iter()
        .find_map(|before| text.strip_prefix(before))
        .map_or(text, |rest| rest.strip_prefix('.').unwrap_or(rest).trim());
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn only(labels: &[String], matches: impl Fn(usize, &String) -> bool) -> Option<usize> {
    let mut found = (0..labels.len()).filter(|at| matches(*at, &labels[*at]));
    found.next().filter(|_| found.next().is_none())
}

/// Lower case, one blank between words, one spelling of each character: full-width digits are digits, an ellipsis is three
/// dots. What makes an emoji of a digit is left out.
fn folded(text: &str) -> String {
    let plain: String = text
        .nfkc()
        .filter(|c| !matches!(c, '\u{fe0f}' | '\u{20e3}'))
        .collect();
    super::split::on_one_line(&plain.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_understood_as_people_write_it() {
        for second in [
            "2", " 2. ", "2)", "#2", "# 2", "No 2", "no.2", "NO. 2", "n° 2", "N°2", "nº 2", "№ 2",
            "Nr. 2", "(2)", "[2]", "２", "２．", "2️⃣", "2!", "02", "2:",
        ] {
            assert_eq!(number_in(second, 3), Some(1), "{second}");
            assert_eq!(understood(second, &["a", "b", "c"]), Some(1), "{second}");
        }
    }

    #[test]
    fn what_says_more_than_a_number_is_none() {
        for other in [
            "",
            " ",
            "0",
            "4",
            "22",
            "2 mugs",
            "02:30",
            "2.5",
            "2?",
            "-2",
            "+2",
            "2 3",
            "no",
            "non 2",
            "#",
            "two",
            "2%",
            "99999999999999999999999",
        ] {
            assert_eq!(number_in(other, 3), None, "{other}");
            assert_eq!(understood(other, &["a", "b", "c"]), None, "{other}");
        }
        assert_eq!(number_in("22", 22), Some(21));
        assert_eq!(number_in("1", 0), None);
    }

    #[test]
    fn a_label_means_its_option_whatever_the_case() {
        let labels = ["Track it", "Café ou thé"];
        assert_eq!(understood(" track  IT\n", &labels), Some(0));
        assert_eq!(
            understood("CAFE\u{301} OU THÉ", &labels),
            Some(1),
            "composed or not"
        );
        assert_eq!(understood("2. Café ou thé", &labels), Some(1), "copied");
        assert_eq!(understood("1. Café ou thé", &labels), None, "which now?");
        assert_eq!(understood("track", &labels), None);
        assert_eq!(understood("2", &[""; 0]), None);
    }

    #[test]
    fn a_cut_label_means_the_one_option_that_begins_so() {
        let labels = ["Talk to somebody in sales", "Talk to somebody else"];
        assert_eq!(understood("Talk to somebody in…", &labels), Some(0));
        assert_eq!(understood("Talk to somebody…", &labels), None, "either");
        assert_eq!(understood("No…", &["No thanks", "Yes"]), None, "by chance");
    }

    #[test]
    fn a_label_that_stands_several_times_needs_its_number() {
        let labels = ["Choose", "Choose", "More"];
        assert_eq!(understood("choose", &labels), None);
        assert_eq!(understood("2", &labels), Some(1));
        assert_eq!(understood("2. Choose", &labels), Some(1));
    }

    #[test]
    fn labels_that_are_numbers_mean_themselves() {
        let marks: Vec<_> = (0..=10).map(|mark| mark.to_string()).collect();
        assert_eq!(understood("9", &marks), Some(9));
        assert_eq!(understood("0.", &marks), Some(0));
        assert_eq!(understood("１０", &marks), Some(10));
        assert_eq!(understood("11", &marks), None);
        assert_eq!(
            understood("2", &["5", "10", "more"]),
            None,
            "nobody offered 2"
        );
        assert!(
            !speak_for_themselves(&["2", "2"]),
            "alike: numbers must tell them apart"
        );
    }
}
