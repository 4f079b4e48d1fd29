// SPDX-License-Identifier: Apache-2.0
//! What class a name of others speaks of: `Unix.Trojan.Mirai-1`, `trojan.mirai/ddos`, `Multios.Coinminer.Miner-2`.

use lazaret_model::MalwareClass;

/// The most telling words first: a name holds several, and `trojan` stands in nearly all of them.
const WORDS: [(&[&str], MalwareClass); 11] = [
    (&["webshell", "web-shell"], MalwareClass::WebShell),
    (&["reverseshell", "revshell"], MalwareClass::ReverseShell),
    (&["ransom", "locker", "cryptor", "filecoder"], MalwareClass::Ransomware),
    (&["miner", "coinminer", "cryptonight", "xmrig"], MalwareClass::Miner),
    (&["rootkit"], MalwareClass::Rootkit),
    (&["mirai", "gafgyt", "bashlite", "tsunami", "ddos", "botnet"], MalwareClass::Botnet),
    (&["worm"], MalwareClass::Worm),
    (&["backdoor"], MalwareClass::Backdoor),
    (&["virus"], MalwareClass::Virus),
    (&["hacktool", "exploit"], MalwareClass::HackTool),
    (&["trojan", "dropper", "downloader"], MalwareClass::Trojan),
];

/// The class that a name speaks of; unclassified when it does not say.
pub(crate) fn class(name: &str) -> MalwareClass {
    let name = name.to_ascii_lowercase();
    let spoken = WORDS.iter().find(|(words, _)| words.iter().any(|w| name.contains(w)));
    spoken.map_or(MalwareClass::Unclassified, |(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others() {
        for (name, wanted) in [
            ("Unix.Trojan.Mirai-7100807-0", MalwareClass::Botnet),
            ("Multios.Coinminer.Miner-6781728-2", MalwareClass::Miner),
            ("trojan.generic", MalwareClass::Trojan),
            ("Unix.Ransomware.LockBit", MalwareClass::Ransomware),
            ("Lazaret.Stand.In.UNOFFICIAL", MalwareClass::Unclassified),
            ("", MalwareClass::Unclassified),
        ] {
            assert_eq!(class(name), wanted, "{name}");
        }
    }
}
