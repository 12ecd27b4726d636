/// A zip of these files, stored, with fixed times.
pub(super) fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
    written(files, 0)
}

/// A zip whose files claim to be encrypted.
pub(super) fn locked(files: &[(&str, &[u8])]) -> Vec<u8> {
    written(files, 1)
}

fn written(files: &[(&str, &[u8])], encrypted: u16) -> Vec<u8> {
    const TIME_AND_DATE: [u8; 4] = [0, 0, 0x21, 0x46];
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        // Version 2.0, UTF-8 names (bit 11), method 0.
        let mut common = vec![20, 0];
        common.extend_from_slice(&(0x0800 | encrypted).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        common.extend_from_slice(&TIME_AND_DATE);
        common.extend_from_slice(&crc32(bytes).to_le_bytes());
        common.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        common.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        common.extend_from_slice(&(name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        let offset = zip.len() as u32;
        zip.extend_from_slice(&[b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat());
        directory.extend_from_slice(&[b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat());
    }
    let (count, start, length) = (files.len() as u16, zip.len() as u32, directory.len() as u32);
    zip.extend_from_slice(&directory);
    zip.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    zip.extend_from_slice(&[count.to_le_bytes(), count.to_le_bytes()].concat());
    zip.extend_from_slice(&[length.to_le_bytes(), start.to_le_bytes()].concat());
    zip.extend_from_slice(&[0, 0]);
    zip
}

/// CRC-32 as in zip and PNG.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
