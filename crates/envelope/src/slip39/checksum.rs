//! RS1024: the checksum at the end of a share, a Reed-Solomon code over GF(1024) that finds any error in up to three words, and others but for one in
//! 2^30 (SLIP-0039, "Checksum").

/// How many words it has.
pub(super) const LENGTH: usize = 3;

const GENERATOR: [u32; 10] =
    [0x00e0_e040, 0x01c1_c080, 0x0383_8100, 0x0707_0200, 0x0e0e_0009, 0x1c0c_2412, 0x3808_6c24, 0x3090_fc48, 0x21b1_f890, 0x03f3_f120];

/// The checksum of words, given as their places in the list, under a customisation string.
pub(super) fn create(custom: &[u8], words: &[u16]) -> [u16; LENGTH] {
    let sum = residue(custom, words.iter().chain(&[0; LENGTH])) ^ 1;
    [20, 10, 0].map(|shift| (sum >> shift & 1023) as u16)
}

/// Whether words, their checksum among them, are as they were written.
pub(super) fn verify(custom: &[u8], words: &[u16]) -> bool {
    residue(custom, words.iter()) == 1
}

fn residue<'a>(custom: &[u8], words: impl Iterator<Item = &'a u16>) -> u32 {
    let values = custom.iter().map(|byte| u32::from(*byte)).chain(words.map(|word| u32::from(*word)));
    values.fold(1, |sum, value| {
        let high = sum >> 20;
        let low = (sum & 0xf_ffff) << 10 ^ value;
        // Masks instead of branches: most of these words are secret.
        GENERATOR.iter().enumerate().fold(low, |low, (bit, generator)| low ^ generator & (high >> bit & 1).wrapping_neg())
    })
}
