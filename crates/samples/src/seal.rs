// SPDX-License-Identifier: Apache-2.0
//! Sealing and opening with age. `samples.key` is an identity file as `age-keygen` makes it: whoever has it opens all
//! samples with `age -d -i`.

use crate::SampleError;
use crate::disk;
use age::secrecy::{ExposeSecret as _, SecretString};
use age::x25519::{Identity, Recipient};
use sha2::Digest as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// Its name in the authority's folder.
const FILE: &str = "samples.key";
const BUFFER: usize = 128 << 10;
/// 64 MiB and some tenths of a second; `age` itself takes up to 22.
const WORK_FACTOR: u8 = 16;

/// What seals and opens.
pub(crate) struct Keys {
    recipient: Recipient,
    identities: Vec<Identity>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.recipient)
    }
}

impl Keys {
    /// Reads the key, or makes one where there is none yet. Of several processes that start at once, one makes it.
    pub(crate) fn open(folder: &Path) -> Result<Self, SampleError> {
        let path = folder.join(FILE);
        if !path.exists() {
            Self::make(folder, &path)?;
        }
        let wrong = |why: &dyn std::fmt::Display| {
            SampleError::Setup(format!("{}: {why}; restore it from a backup of the server", path.display()))
        };
        let meta = path.metadata().map_err(|e| wrong(&e))?;
        if meta.permissions().mode() & 0o077 != 0 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                .map_err(|e| wrong(&format!("it is open to others and cannot be closed: {e}")))?;
        }
        let text = std::fs::read_to_string(&path).map_err(|e| wrong(&e))?;
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let identities = lines
            .map(|l| l.parse::<Identity>().map_err(|e| wrong(&e)))
            .collect::<Result<Vec<_>, SampleError>>()?;
        let first = identities.first().ok_or_else(|| wrong(&"it holds no AGE-SECRET-KEY-"))?;
        Ok(Self { recipient: first.to_public(), identities })
    }

    fn make(folder: &Path, path: &Path) -> Result<(), SampleError> {
        let identity = Identity::generate();
        let text = format!(
            "# seals samples that hosts gave; `age -d -i` opens them with it\n# public key: {}\n{}\n",
            identity.to_public(),
            identity.to_string().expose_secret()
        );
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let partial = folder.join(format!("{FILE}.{}.{count}.partial", std::process::id()));
        // Of an earlier process with our number.
        disk::remove(&partial)?;
        let made = (|| {
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            match std::fs::hard_link(&partial, path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        })();
        disk::remove(&partial)?;
        made.map_err(|e| {
            SampleError::Setup(format!("{} cannot be made: {e}; run lazaret-server init", path.display()))
        })?;
        disk::sync_folder(folder)
    }

    pub(crate) fn recipient(&self) -> String {
        self.recipient.to_string()
    }

    /// A small thing, in memory.
    pub(crate) fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(plain.len() + 512);
        let mut writer = self.writer(&mut out)?;
        writer.write_all(plain)?;
        writer.finish()?;
        Ok(out)
    }

    /// The way back of [`Self::seal`], at most `most` bytes.
    pub(crate) fn open_small(&self, sealed: &[u8], most: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut reader = self.reader(sealed)?.take(most as u64 + 1);
        reader.read_to_end(&mut out)?;
        if out.len() > most {
            return Err(io::Error::other("it is longer than it may be"));
        }
        Ok(out)
    }

    fn writer<W: Write>(&self, out: W) -> io::Result<age::stream::StreamWriter<W>> {
        age::Encryptor::with_recipients(std::iter::once(&self.recipient as &dyn age::Recipient))
            .map_err(|e| io::Error::other(e.to_string()))?
            .wrap_output(out)
    }

    fn reader<R: io::BufRead>(&self, sealed: R) -> io::Result<age::stream::StreamReader<R>> {
        let decryptor = age::Decryptor::new_buffered(sealed).map_err(|e| io::Error::other(e.to_string()))?;
        let identities = self.identities.iter().map(|i| i as &dyn age::Identity);
        decryptor.decrypt(identities).map_err(|e| io::Error::other(e.to_string()))
    }

    /// Seals what `parts` gives piece by piece; gives hash and length of what was plain.
    pub(crate) fn seal_all(
        &self,
        mut parts: impl FnMut() -> io::Result<Option<Vec<u8>>>,
        out: &File,
    ) -> io::Result<(lazaret_model::Sha256, u64)> {
        let mut writer = self.writer(BufWriter::with_capacity(BUFFER, out))?;
        let (mut hash, mut length) = (sha2::Sha256::new(), 0_u64);
        while let Some(part) = parts()? {
            hash.update(&part);
            length += part.len() as u64;
            writer.write_all(&part)?;
        }
        writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((lazaret_model::Sha256(hash.finalize().into()), length))
    }

    /// Writes what is sealed into `out`, at most `most` bytes; gives its hash.
    pub(crate) fn open_all(
        &self,
        sealed: &File,
        out: &mut dyn Write,
        most: u64,
    ) -> io::Result<lazaret_model::Sha256> {
        let mut reader = self.reader(BufReader::with_capacity(BUFFER, sealed))?;
        let (mut hash, mut length, mut buffer) = (sha2::Sha256::new(), 0_u64, vec![0; BUFFER]);
        loop {
            let n = reader.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else { break };
            length += n as u64;
            if length > most {
                return Err(io::Error::other(format!("it is longer than {most} bytes")));
            }
            hash.update(bytes);
            out.write_all(bytes)?;
        }
        Ok(lazaret_model::Sha256(hash.finalize().into()))
    }
}

/// Seals for whoever has the password.
pub(crate) fn with_password(password: &str, mut plain: impl Read, out: &File) -> io::Result<()> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(password.to_owned()));
    recipient.set_work_factor(WORK_FACTOR);
    let mut writer = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .map_err(|e| io::Error::other(e.to_string()))?
        .wrap_output(BufWriter::with_capacity(BUFFER, out))?;
    io::copy(&mut plain, &mut writer)?;
    writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek as _, SeekFrom};

    #[test]
    fn the_key_is_made_once_and_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let first = Keys::open(dir.path()).unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Keys::open(dir.path()).unwrap().recipient(), first.recipient());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
        let sealed = first.seal(b"hello").unwrap();
        assert_eq!(Keys::open(dir.path()).unwrap().open_small(&sealed, 5).unwrap(), b"hello");
        assert!(first.open_small(&sealed, 4).is_err());
        std::fs::write(&path, "no key\n").unwrap();
        let e = Keys::open(dir.path()).unwrap_err().to_string();
        assert!(e.contains("samples.key") && e.contains("backup"), "{e}");
    }

    #[test]
    fn many_at_once_agree_on_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let mut seen: Vec<String> = std::thread::scope(|s| {
            let path = dir.path();
            let threads: Vec<_> =
                (0..8).map(|_| s.spawn(move || Keys::open(path).map(|k| k.recipient()))).collect();
            threads.into_iter().filter_map(|t| t.join().unwrap().ok()).collect()
        });
        seen.dedup();
        assert_eq!(seen.len(), 1, "{seen:?}");
    }

    #[test]
    fn another_key_does_not_open_it() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = Keys::open(one.path()).unwrap().seal(b"hello").unwrap();
        assert!(!sealed.windows(5).any(|w| w == b"hello"));
        let other = Keys::open(other.path()).unwrap();
        assert!(other.open_small(&sealed, 100).is_err());
        for cut in 0..sealed.len() {
            assert!(other.open_small(&sealed[..cut], 100).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(dir.path()).unwrap();
        let mut parts = [vec![1; 100_000], vec![2; 70_000]].into_iter();
        let mut file = tempfile::tempfile().unwrap();
        let (sha, length) = keys.seal_all(|| Ok(parts.next()), &file).unwrap();
        assert_eq!(length, 170_000);
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut plain = Vec::new();
        assert_eq!(keys.open_all(&file, &mut plain, 170_000).unwrap(), sha);
        assert_eq!((plain.len(), plain[99_999], plain[100_000]), (170_000, 1, 2));
        file.seek(SeekFrom::Start(0)).unwrap();
        assert!(keys.open_all(&file, &mut io::sink(), 169_999).is_err(), "bounded");
        let end = file.metadata().unwrap().len();
        for at in [0, 30, end / 2, end - 1] {
            let mut byte = [0];
            std::os::unix::fs::FileExt::read_exact_at(&file, &mut byte, at).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &[byte[0] ^ 1], at).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            assert!(keys.open_all(&file, &mut io::sink(), 1 << 20).is_err(), "{at}");
            std::os::unix::fs::FileExt::write_all_at(&file, &byte, at).unwrap();
        }
    }

    #[test]
    fn a_password_opens_what_it_sealed() {
        let mut file = tempfile::tempfile().unwrap();
        with_password("correct horse battery", &b"hello"[..], &file).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let open = |password: &str, file: &File| {
            let identity = age::scrypt::Identity::new(SecretString::from(password.to_owned()));
            let decryptor = age::Decryptor::new(file).map_err(|e| e.to_string())?;
            let mut out = String::new();
            decryptor
                .decrypt(std::iter::once(&identity as &dyn age::Identity))
                .map_err(|e| e.to_string())?
                .read_to_string(&mut out)
                .map_err(|e| e.to_string())?;
            Ok::<_, String>(out)
        };
        assert_eq!(open("correct horse battery", &file).unwrap(), "hello");
        file.seek(SeekFrom::Start(0)).unwrap();
        assert!(open("wrong horse battery", &file).is_err());
    }
}
