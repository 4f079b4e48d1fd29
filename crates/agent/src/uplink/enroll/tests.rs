// SPDX-License-Identifier: Apache-2.0
//! Answers that do not fit are not believed.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    Authority { issuer: Issuer::new(params, key), der }
}

fn certificate(authority: &Authority, csr: &[u8], name: &str) -> Vec<u8> {
    let mut params = rcgen::CertificateSigningRequestParams::from_der(&csr.to_vec().into()).unwrap();
    params.params.distinguished_name = rcgen::DistinguishedName::new();
    params.params.distinguished_name.push(DnType::CommonName, name);
    params.signed_by(&authority.issuer).unwrap().der().to_vec()
}

fn entrance(authority: &Authority) -> Entrance {
    Entrance {
        address: Address::parse("wss://s:1").unwrap(),
        token: "t".into(),
        fingerprint: digest(&authority.der),
    }
}

#[test]
fn an_answer_has_to_fit() {
    let good = authority();
    let other = authority();
    let host = uuid::Uuid::now_v7().to_string();
    let request = Request::new("name").unwrap();
    let own = certificate(&good, &request.csr, &host);
    let answer = v1::EnrollAnswer {
        host: host.clone(),
        chain: vec![own, good.der.clone()],
        authority: good.der.clone(),
        error: String::new(),
        content_key: vec![1; 32],
    };
    let says = |answer: v1::EnrollAnswer, word: &str| {
        let request = Request { key: request.key.clone(), csr: request.csr.clone() };
        let e = format!("{:#}", take(&entrance(&good), request, answer).err().expect("refused"));
        assert!(e.contains(word), "{word}: {e}");
    };
    says(v1::EnrollAnswer { error: "the token has expired\x1b".into(), ..answer.clone() }, "expired\\u{1b}");
    says(v1::EnrollAnswer { authority: other.der.clone(), ..answer.clone() }, "fingerprint");
    says(v1::EnrollAnswer { host: "../x".into(), ..answer.clone() }, "id that is none");
    says(v1::EnrollAnswer { chain: Vec::new(), ..answer.clone() }, "no certificate");
    says(v1::EnrollAnswer { chain: vec![vec![1, 2, 3]], ..answer.clone() }, "no certificate");
    let named = certificate(&good, &request.csr, "somebody");
    says(v1::EnrollAnswer { chain: vec![named], ..answer.clone() }, "somebody");
    let foreign = certificate(&good, &Request::new("x").unwrap().csr, &host);
    says(v1::EnrollAnswer { chain: vec![foreign], ..answer.clone() }, "does not fit");
    let identity = take(&entrance(&good), request, answer).unwrap();
    assert_eq!((identity.host.as_str(), identity.chain.len()), (host.as_str(), 2));
}
