// SPDX-License-Identifier: Apache-2.0
//! Passwords that everybody tries first. What people add to such a word, digits and signs at its ends, a
//! letter's look-alike, the word twice, does not make it another one; a longer list can be configured.

/// Words and rows of keys, as they are left when what is added was taken off; sorted.
const WORDS: &[&str] = &[
    "abc",
    "abcabc",
    "abcd",
    "abcde",
    "abcdef",
    "abcdefg",
    "abcdefgh",
    "abcdefghi",
    "abcdefghij",
    "abcdefghijk",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdefghijklmn",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz",
    "access",
    "admin",
    "adminadmin",
    "administrator",
    "adminpass",
    "adminpassword",
    "adminuser",
    "asdasdasd",
    "asdf",
    "asdfasdf",
    "asdfg",
    "asdfgh",
    "asdfghjk",
    "asdfghjkl",
    "asdfghjklqwertyuiop",
    "autumn",
    "azerty",
    "azertyuiop",
    "babygirl",
    "baseball",
    "basketball",
    "batman",
    "butterfly",
    "changeit",
    "changeitnow",
    "changeme",
    "changemenow",
    "changemeplease",
    "changethis",
    "changethispassword",
    "charlie",
    "chocolate",
    "christmas",
    "cocacola",
    "computer",
    "correcthorse",
    "correcthorsebatterystaple",
    "default",
    "defaultpassword",
    "dragon",
    "dragonball",
    "enterprise",
    "facebook",
    "february",
    "football",
    "footballfootball",
    "freedom",
    "goodluck",
    "google",
    "guest",
    "hallohallo",
    "hello",
    "hellohello",
    "helloworld",
    "iloveu",
    "iloveyou",
    "iloveyoubaby",
    "iloveyousomuch",
    "internet",
    "january",
    "jesuschrist",
    "jesusislord",
    "jesuslovesme",
    "jordan",
    "lazaret",
    "lazaretadmin",
    "lazaretpassword",
    "lazaretserver",
    "letmein",
    "letmeinletmein",
    "letmeinnow",
    "letmeinplease",
    "linkedin",
    "liverpool",
    "liverpoolfc",
    "login",
    "loginlogin",
    "lovelove",
    "loveyou",
    "manchester",
    "manchesterunited",
    "master",
    "masterkey",
    "masterpassword",
    "metallica",
    "michael",
    "microsoft",
    "minecraft",
    "monday",
    "monkey",
    "monkeymonkey",
    "motherfucker",
    "mypassword",
    "mypasswordis",
    "mysecret",
    "newpassword",
    "nopassword",
    "november",
    "october",
    "onetwothree",
    "onetwothreefour",
    "operator",
    "passpass",
    "passphrase",
    "passw",
    "password",
    "passwordis",
    "passwordpassword",
    "passwort",
    "pokemon",
    "princess",
    "qazwsx",
    "qazwsxedc",
    "qazwsxedcrfv",
    "qqqwww",
    "querty",
    "qwer",
    "qwerasdf",
    "qwerasdfzxcv",
    "qwerqwer",
    "qwert",
    "qwerty",
    "qwertyasdf",
    "qwertyqwerty",
    "qwertyui",
    "qwertyuiop",
    "qwertyuiopasdf",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertz",
    "qwertzuiop",
    "root",
    "rootpassword",
    "rootroot",
    "samsung",
    "secret",
    "secretpassword",
    "secretsecret",
    "security",
    "september",
    "server",
    "serverpassword",
    "shadow",
    "spiderman",
    "spring",
    "starwars",
    "summer",
    "sunshine",
    "superman",
    "supersecret",
    "superuser",
    "sysadmin",
    "system",
    "temporary",
    "temporarypassword",
    "temppassword",
    "test",
    "testpassword",
    "testtest",
    "testtesttest",
    "thisisasecret",
    "thisismypassword",
    "thomas",
    "topsecret",
    "trustno",
    "ubuntu",
    "unknown",
    "user",
    "username",
    "userpassword",
    "useruser",
    "vagrant",
    "vagrantvagrant",
    "welcome",
    "welcomehome",
    "welcometo",
    "welcomewelcome",
    "whatever",
    "william",
    "windows",
    "winter",
    "zaqwsx",
    "zxcvbn",
    "zxcvbnm",
    "zxcvbnmasdfghjkl",
];

/// As people see the signs.
fn letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// What is left of a password without what people add.
fn bare(password: &str) -> String {
    let lower = password.to_lowercase();
    let inner = lower.trim_matches(|c: char| !c.is_alphabetic() && c != '@' && c != '$');
    inner.chars().map(letter).filter(|c| c.is_alphanumeric()).collect()
}

/// A word that is written again and again is the word.
fn once(text: &str) -> &str {
    for (length, _) in text.char_indices().skip(1) {
        if text.len().is_multiple_of(length) && text[..length].repeat(text.len() / length) == text {
            return &text[..length];
        }
    }
    text
}

/// Digits or letters that only count up, count down, or stay.
fn row(text: &str) -> bool {
    let steps: Vec<i64> = text
        .chars()
        .zip(text.chars().skip(1))
        .map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a)))
        .collect();
    let odd = steps.iter().filter(|s| s.abs() > 1).count();
    // "12345678901234": some steps go back to the beginning.
    odd * 6 <= steps.len()
}

/// Whether everybody tries it.
pub(crate) fn known(password: &str) -> bool {
    let bare = bare(password);
    let lower = password.to_lowercase();
    let listed = |word: &str| WORDS.binary_search_by(|w| (*w).cmp(word)).is_ok();
    row(&lower) || listed(&bare) || listed(once(&bare)) || once(&lower).chars().count() < 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_do_not_help() {
        for bad in [
            "Password1234",
            "P@ssw0rd2026!!",
            "passwordpassword",
            "123456789012",
            "abcdefghijkl",
            "qwertyuiop123",
            "qwerty-qwerty",
            "Summer2026!!!",
            "lazaret-admin-1",
            "aaaaaaaaaaaa",
            "xyxyxyxyxyxy",
            "Welcome12345",
            "0987654321098",
            "correct horse battery staple",
        ] {
            assert!(known(bad), "{bad}");
        }
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn phrases_pass() {
        for good in [
            "a long and new one",
            "correct horse battery",
            "seven tired boats sing",
            "the password of our lake house",
            "k3tt3-rud3r-mond",
            "über die wipfel hin",
        ] {
            assert!(!known(good), "{good}");
        }
    }
}
