// SPDX-License-Identifier: Apache-2.0
//! What a bucket answered, for people, and whether it may go better later.

use crate::SampleError;

/// What a store says may be a page of anything.
const MOST: usize = 400;

/// Names the bucket, what was tried and the cause. [`SampleError::NotFound`] never comes from here.
pub(super) fn named(place: &str, what: &str, e: &object_store::Error) -> SampleError {
    let text = chain(e);
    let status = status(&text);
    let missing = text.contains("NoSuchBucket") || (status == Some(404) && !text.contains("NoSuchKey"));
    let (why, retryable) = if missing {
        ("there is no such bucket: make it, or correct [samples.s3] bucket".to_owned(), false)
    } else if matches!(status, Some(401 | 403)) || text.contains("InvalidAccessKeyId") {
        (format!("it refuses our key: check key_id, secret and what they may do ({})", short(&text)), false)
    } else {
        // Without a status nobody answered, or what came was none of its answers.
        let later = status.is_none_or(|s| s >= 500 || s == 408 || s == 429);
        (short(&text), later)
    };
    SampleError::Store { place: place.to_owned(), what: what.to_owned(), why, retryable }
}

/// Whether it says that this object is not there, and not that the bucket is not.
pub(super) fn is_absent(e: &object_store::Error) -> bool {
    matches!(e, object_store::Error::NotFound { .. }) && !chain(e).contains("NoSuchBucket")
}

/// It took longer than we wait.
pub(super) fn late(place: &str, what: &str) -> SampleError {
    SampleError::Store {
        place: place.to_owned(),
        what: what.to_owned(),
        why: "no end in time".to_owned(),
        retryable: true,
    }
}

/// The error with its causes, as far as they are not in it already.
fn chain(e: &object_store::Error) -> String {
    let mut text = e.to_string();
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        let more = e.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = e.source();
    }
    text
}

/// The first one that the client names; what the store wrote itself comes behind it.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// Without what a terminal or a log would take for something else.
fn short(text: &str) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn retryable_and_final_are_told_apart() {
        let says = |text: &str| named("the bucket b", "storing x", &generic(text));
        for text in [
            "Server returned non-2xx status code: 503 Service Unavailable: <html>status code: 403</html>",
            "Server returned non-2xx status code: 429 Too Many Requests: ",
            "error sending request: Connection refused",
            "Got invalid list response: expected element",
        ] {
            let e = says(text);
            assert!(e.is_retryable() && e.to_string().starts_with("the bucket b: storing x: "), "{e}");
        }
        for (text, word) in [
            (
                "Server returned non-2xx status code: 404 Not Found: <Code>NoSuchBucket</Code>",
                "no such bucket",
            ),
            (
                "Server returned non-2xx status code: 403 Forbidden: <Code>SignatureDoesNotMatch</Code>",
                "key_id",
            ),
            (
                "Server returned non-2xx status code: 400 Bad Request: <Code>EntityTooSmall</Code>",
                "EntityTooSmall",
            ),
        ] {
            let e = says(text);
            assert!(!e.is_retryable() && e.to_string().contains(word), "{e}");
        }
    }

    #[test]
    fn a_page_of_garbage_does_not_fill_a_log() {
        let e = named("b", "w", &generic(&format!("\u{1b}[2J\n{}", "x".repeat(100_000)))).to_string();
        assert!(e.chars().count() < MOST + 20 && !e.chars().any(char::is_control), "{e}");
    }
}
