use super::*;
use std::process::Command;

fn volume(members: &[&[u8]]) -> Vec<u8> {
    let mut layout = Layout::new();
    let mut writer = VolumeWriter::new(Vec::new());
    for bytes in members {
        let place = layout.place(bytes.len() as u64).unwrap();
        assert_eq!(writer.add(&Member::of(bytes), &mut &bytes[..]).unwrap(), place.offset);
    }
    writer.finish().unwrap()
}

#[test]
fn unzip_and_python_open_a_volume_and_find_every_byte() {
    let members: [&[u8]; 4] = [b"hello\n", b"", &[0xff; 70_000], "añil".as_bytes()];
    let bytes = volume(&members);
    assert_eq!(bytes, volume(&members), "there is one way to write it");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.zip");
    std::fs::write(&path, &bytes).unwrap();
    let script = "import sys,zipfile,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nfor i in z.infolist():\n assert hashlib.sha256(z.read(i)).hexdigest()==i.filename and i.date_time==(1980,1,1,0,0,0) and i.compress_type==0\n print(i.filename,i.file_size,i.header_offset+114)\n";
    let names: String = {
        let mut at = 0;
        let lines = members.iter().map(|bytes| {
            let line = format!("{} {} {}\n", Digest::of(bytes), bytes.len(), at + LOCAL_HEADER);
            at += LOCAL_HEADER + bytes.len() as u64;
            line
        });
        lines.collect()
    };
    match Command::new("python3").arg("-c").arg(script).arg(&path).output() {
        Ok(out) => assert_eq!(String::from_utf8_lossy(&out.stdout), names, "{}", String::from_utf8_lossy(&out.stderr)),
        Err(e) => tell(&format!("skipped: no python3: {e}")),
    }
    match Command::new("unzip").arg("-tqq").arg(&path).output() {
        Ok(out) => assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout)),
        Err(e) => tell(&format!("skipped: no unzip: {e}")),
    }
}

#[allow(clippy::print_stdout)]
fn tell(text: &str) {
    println!("{text}");
}

#[test]
fn a_volume_is_full_before_a_gibibyte_and_a_larger_member_is_alone() {
    let mut layout = Layout::new();
    let half = MAX_VOLUME / 2;
    let overhead = 2 * (LOCAL_HEADER + DIRECTORY_HEADER) + END;
    assert_eq!(layout.place(half), Some(Place { volume: 0, offset: 114 }));
    assert_eq!(layout.clone().place(half - overhead).map(|p| p.volume), Some(0), "exactly full");
    assert_eq!(layout.place(half - overhead + 1), Some(Place { volume: 1, offset: 114 }));
    assert_eq!(layout.place(3 * MAX_VOLUME), Some(Place { volume: 2, offset: 114 }));
    assert_eq!(layout.place(0), Some(Place { volume: 3, offset: 114 }));
    assert_eq!(layout.place(u64::MAX), None);
    assert_eq!(Layout::new().place(1 << 53), None);
}

#[test]
fn bytes_that_changed_after_they_were_measured_are_not_published() {
    let mut writer = VolumeWriter::new(Vec::new());
    assert!(writer.add(&Member::of(b"before"), &mut &b"after!"[..]).is_err());
    assert_eq!(Member::measure(&mut &b"abc"[..]).unwrap(), Member::of(b"abc"));
}
