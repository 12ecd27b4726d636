use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn nobody(_: &Path) -> Option<Passphrase> {
    None
}

fn says(text: &'static str) -> impl FnMut(&Path) -> Option<Passphrase> {
    move |_| Some(Zeroizing::new(text.to_owned()))
}

#[test]
fn a_plain_key_is_the_text_that_others_read_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ada.key");
    let made = SigningKeyFile::create(&path, "ada", None).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("PRIVATE+KEY+ada+") && text.ends_with('\n') && text.lines().count() == 1);
    assert_eq!(fs::read_to_string(public_path(&path)).unwrap(), format!("{}\n", made.key()));

    let read = SigningKeyFile::read(&path, &mut nobody).unwrap();
    assert_eq!((read.key(), read.warning()), (made.key(), None));
    assert!(matches!(SigningKeyFile::create(&path, "ada", None), Err(KeyError::Exists(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let warning = SigningKeyFile::read(&path, &mut nobody).unwrap().warning().unwrap();
    assert!(warning.contains("chmod 600"), "{warning}");
}

#[test]
fn a_passphrase_hides_the_key_in_an_age_file_that_only_it_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let made = SigningKeyFile::create(&path, "ada", Some(&Zeroizing::new("seven words".to_owned()))).unwrap();
    let content = fs::read_to_string(&path).unwrap();
    assert!(content.starts_with(ARMORED) && !content.contains("PRIVATE"));
    let identity = age::scrypt::Identity::new(SecretString::from("seven words"));
    let opened = age::decrypt(&identity, content.as_bytes()).unwrap();
    assert_eq!(opened, line(made.signer()).as_bytes());

    assert_eq!(SigningKeyFile::read(&path, &mut says("seven words")).unwrap().key(), made.key());
    assert!(matches!(SigningKeyFile::read(&path, &mut says("eight words")), Err(KeyError::WrongPassphrase(_))));
    assert!(matches!(SigningKeyFile::read(&path, &mut nobody), Err(KeyError::NeedsPassphrase(_))));
    fs::write(&path, content.replace("-----END", "A-----END")).unwrap();
    assert!(matches!(SigningKeyFile::read(&path, &mut says("seven words")), Err(KeyError::NotAKey { .. })));
}

#[test]
fn what_is_no_key_is_named_for_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let made = SigningKeyFile::create(&path, "ada", None).unwrap();
    let other = folder.path().join("other");
    let whole = fs::read_to_string(&path).unwrap();
    let damaged = whole.replacen("ada", "eve", 1);
    let cases = [(made.key().to_string(), "public half"), (String::new(), "empty"), ("hello".into(), "neither"), (damaged, "damaged")];
    for (content, expected) in cases {
        fs::write(&other, content).unwrap();
        let error = SigningKeyFile::read(&other, &mut nobody).err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains("other"), "{error}");
    }
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(matches!(SigningKeyFile::create(&folder.path().join("new"), name, None), Err(KeyError::BadName(_))));
    }
    assert!(!folder.path().join("new").exists());
    let missing = SigningKeyFile::read(&folder.path().join("none"), &mut nobody).err().unwrap();
    assert!(missing.to_string().contains("none"));
}

#[test]
fn the_logs_key_is_made_once_and_an_empty_file_is_an_interrupted_making() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.key");
    fs::write(&path, "").unwrap();
    let made = SigningKeyFile::read_or_create(&path, |public| format!("daylight-{:02x}", public[0])).unwrap();
    assert_eq!(made.key().name(), format!("daylight-{:02x}", made.key().public()[0]));
    let again = SigningKeyFile::read_or_create(&path, |_| "other".into()).unwrap();
    assert_eq!(again.key(), made.key());
    fs::write(&path, "x").unwrap();
    assert!(matches!(SigningKeyFile::read_or_create(&path, |_| "other".into()), Err(KeyError::NotAKey { .. })));
}
