// SPDX-License-Identifier: Apache-2.0
//! File names as intruders choose them for who looks at a screen: a name is bytes without `/` and NUL.

/// All of them; none is the beginning of another one.
pub(super) fn hostile() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        // Markup, for whatever puts names into a page.
        "<img src=x onerror=alert(1)>.sh",
        "<svg onload=alert(document.domain)>",
        "\"><u onmouseover=alert(1)>x.sh",
        "&lt;b&gt;&amp;#x41;.sh",
        "javascript:alert(1)",
        // Templates, shells, spreadsheets.
        "{{constructor.constructor('alert(1)')()}}",
        "${7*7}`id`$(id).sh",
        "=HYPERLINK(\"x\",\"click\").csv",
        "+1-1@SUM(1).csv",
        "%2e%2e%2f%00.sh",
        "..\\..\\windows.sh",
        // What moves or colours what stands beside it.
        "two\nlines\r\tof text.sh",
        "bell\u{7}\u{1b}[31mred\u{1b}[0m.sh",
        "invoice\u{202e}hs.fdp",
        "left\u{2066}right\u{2069}\u{200f}.sh",
        "zero\u{200b}width\u{feff}\u{ad}.sh",
        "z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}.sh",
        "next\u{85}line\u{2028}\u{2029}.sh",
        " blanks around ",
        "-rf",
        // Ordinary for who reads it.
        "恶意程序 测试.sh",
        "😈.sh",
    ]
    .map(|n| n.as_bytes().to_vec())
    .to_vec();
    // No text in any encoding that people use here.
    names.push(b"no\xff\xfe\x80text\xc3.sh".to_vec());
    names.push(vec![b'n'; 255]);
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_is_a_file_name_of_its_own() {
        let names = hostile();
        assert!(names.len() > 20);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in &names {
            let fits = (1..=255).contains(&name.len()) && !name.iter().any(|b| [0, b'/'].contains(b));
            assert!(fits, "{}", name.escape_ascii());
        }
        assert!(names.iter().any(|n| std::str::from_utf8(n).is_err()));
    }
}
