// SPDX-License-Identifier: Apache-2.0
//! A sample for a person: an encrypted archive, so that nothing on the way runs it or reads it. For those
//! alone who may, and on record before a byte leaves.

use super::samples::record;
use super::{Of, OfProject};
use crate::api::extract::{Json, Path, Query};
use crate::api::gate::Access;
use crate::api::permission::Permission;
use crate::api::problem::{Kind, Problem};
use crate::api::route::{Routes, post};
use crate::api::state::Api;
use aws_lc_rs::rand;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use lazaret_samples::SampleError;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// Carries a password that was made up.
const PASSWORD: HeaderName = HeaderName::from_static("x-lazaret-archive-password");
/// Archives made at the same time: each takes the memory of its sample, twice.
static ROOM: Semaphore = Semaphore::const_new(2);
/// For room.
const PATIENCE: Duration = Duration::from_secs(20);
/// Read at a time.
const PART: usize = 128 << 10;
/// Random bytes of a password that is made up.
const RANDOM: usize = 18;

/// How it is encrypted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Download {
    /// Absent: one is made up, and the header `X-Lazaret-Archive-Password` names it.
    #[serde(default)]
    #[schema(min_length = 12, max_length = 256)]
    password: Option<String>,
}

/// For the audit log.
#[derive(Serialize)]
struct Taken {
    size: i64,
    archive_bytes: u64,
    password: &'static str,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::Download,
        post("/samples/{sha256}/download", "downloadSample", "A sample as an encrypted archive")
            .describe("An age file that opens with a password (`age -d`): the one of the body, or the one in the header `X-Lazaret-Archive-Password`. The file in it may be malicious. Each download is in the audit log.")
            .query::<OfProject>()
            .body::<Download>()
            .answers_with(200, "application/octet-stream")
            .problem(409),
        download,
    );
}

/// As it is said to people; where the server's own places fail, the log has more.
fn problem(e: &SampleError, digest: &str) -> Problem {
    match e {
        SampleError::NotFound(_) => Problem::no("sample", digest),
        SampleError::Corrupt { .. } => Problem::conflict(e.to_string()),
        SampleError::Invalid(why) => Problem::invalid(why.clone()),
        _ => {
            crate::log::line(&format!("api: the sample {digest}: {e}"));
            let why = "samples cannot be read now; the server's log says why";
            Problem::new(Kind::Unavailable, why).retry_after(10)
        }
    }
}

fn made_up() -> Result<String, Problem> {
    let mut random = [0; RANDOM];
    rand::fill(&mut random).map_err(|_| Problem::new(Kind::Internal, "the system gave no random bytes"))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random))
}

async fn download(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(of): Of,
    Json(ask): Json<Download>,
) -> Result<Response, Problem> {
    let at = of.place(&api, &access, &digest, "sample").await?;
    let row = at.sample(&api).await?;
    if let Some(given) = &ask.password {
        let length = given.chars().count();
        if !(12..=256).contains(&length) {
            return Err(Problem::invalid(format!("password: {length} characters; 12 to 256 are taken")));
        }
    }
    if row.state != "stored" {
        return Err(Problem::conflict(format!("the sample is {}, not stored", row.state)));
    }
    let (password, generated) = match ask.password {
        Some(given) => (given, false),
        None => (made_up()?, true),
    };
    let busy = || Problem::new(Kind::Unavailable, "other downloads are under way").retry_after(5);
    let room =
        tokio::time::timeout(PATIENCE, ROOM.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())?;
    let made = api.samples.archive(&at.project, &at.sha256, &password).await;
    let file = made.map_err(|e| problem(&e, &digest))?;
    let size = file
        .metadata()
        .map_err(|e| Problem::new(Kind::Internal, format!("the archive cannot be read: {e}")))?
        .len();
    let taken =
        Taken { size: row.size, archive_bytes: size, password: if generated { "made up" } else { "given" } };
    // Before a byte of it leaves.
    record(&access, &at, "sample.download").after(&taken).write(&api).await?;
    metrics::counter!("lazaret_api_samples_downloaded_total").increment(1);
    // The room is given back when the last part was read, or the client went away.
    let body = futures_util::stream::try_unfold(
        (tokio::fs::File::from_std(file), room),
        |(mut file, room)| async move {
            let mut part = vec![0; PART];
            let n = file.read(&mut part).await?;
            part.truncate(n);
            Ok::<_, std::io::Error>((n > 0).then(|| (Bytes::from(part), (file, room))))
        },
    );
    let name = format!("attachment; filename=\"{digest}.age\"");
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_DISPOSITION, name),
    ];
    let mut response = (headers, Body::from_stream(body)).into_response();
    if generated && let Ok(value) = HeaderValue::from_str(&password) {
        response.headers_mut().insert(PASSWORD, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_made_up_are_long_and_new() {
        let (one, two) = (made_up().ok().unwrap_or_default(), made_up().ok().unwrap_or_default());
        assert!(one.len() == 24 && one != two, "{one} {two}");
        assert!(HeaderValue::from_str(&one).is_ok());
    }
}
