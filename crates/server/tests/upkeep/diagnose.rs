// SPDX-License-Identifier: Apache-2.0
//! Diagnostics tell what helps, and nothing that would help somebody else.

use crate::Place;
use lazaret_server::config::Config;
use lazaret_server::{diagnose, init};
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn a_bundle_holds_none_of_the_secrets_that_the_setup_knows() {
    let place = Place::new().await;
    let token = init::token(&place.config, 1, 1).await.unwrap().token;
    let again = init::reset_password(&place.config, "admin").await.unwrap();
    let log = place.path("log");
    std::fs::write(
        &log,
        format!("a line\nenrolled with {token}\nGET x Authorization: Bearer lzs_abcdefgh\n"),
    )
    .unwrap();
    let mut secrets = vec![
        token.trim_start_matches("lzt_").to_owned(),
        place.password.clone(),
        again,
        "abcdefgh".to_owned(),
        "geheim".to_owned(),
        "$argon2".to_owned(),
        "PRIVATE KEY".to_owned(),
    ];
    // The keys themselves, line by line and as hexadecimal digits.
    let key = std::fs::read_to_string(place.path("data/authority/authority.key")).unwrap();
    secrets.extend(key.lines().filter(|l| l.len() > 20).map(str::to_owned));
    let key = std::fs::read(place.path("data/authority/content.key")).unwrap();
    secrets.push(key.iter().map(|b| format!("{b:02x}")).collect());
    // A configuration with an address that holds a password, for a database that is not there.
    let text = format!("{}database = \"postgres://lazaret:geheim@127.0.0.1:9/x\"\n", place.text);
    let gone = Config::parse(&text).unwrap();
    for (n, (config, text)) in [(&place.config, &place.text), (&gone, &text)].into_iter().enumerate() {
        let to = place.path(&format!("bundle-{n}.json"));
        diagnose::diagnose(config, text, &to, Some(&log)).await.unwrap();
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let bundle = std::fs::read_to_string(&to).unwrap();
        for secret in &secrets {
            assert!(!bundle.contains(secret.as_str()), "{secret} is in {bundle}");
        }
        let value: serde_json::Value = serde_json::from_str(&bundle).unwrap();
        assert!(value["version"].is_string() && value["host"]["limits"].is_array(), "{value}");
        assert_eq!(value["log"][0], "a line");
        assert!(value["configuration"].as_str().unwrap().contains("data"), "{value}");
        if n == 0 {
            assert_eq!(value["database"]["rows"]["users"], 1, "{value}");
        } else {
            assert!(value["database"]["error"].is_string(), "{value}");
        }
        assert!(diagnose::diagnose(config, text, &to, None).await.is_err(), "nothing is overwritten");
    }
}
