// SPDX-License-Identifier: Apache-2.0
//! ROT47: the encoding of the source form. It hides nothing; it keeps patterns out of plain sight of
//! scanners, ours included, and stays readable with any ROT47 tool.

/// Turns the 94 printable ASCII characters (33 to 126) by 47 places, leaves all else alone, line ends
/// and spaces included. It is its own inverse.
#[must_use]
pub fn rot47(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|&b| match b {
            33..=79 => b + 47,
            80..=126 => b - 47,
            _ => b,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::rot47;

    #[test]
    fn is_its_own_inverse_and_keeps_lines() {
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(rot47(&rot47(&every)), every);
        assert_eq!(rot47(b"Hello, World!\n\tx"), b"w6==@[ (@C=5P\n\tI");
    }
}
