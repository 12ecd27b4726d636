use super::zip::crc32;

const WIDTH: usize = 480;
const HEIGHT: usize = 270;
type Colour = [u8; 3];

/// A line of values over time, with the value that must not be passed as a dotted line.
pub(super) fn chart(values: &[i64]) -> Vec<u8> {
    let y = |value: i64| (HEIGHT as i64 - 20 - (value - 440) * (HEIGHT as i64 - 40) / 340).clamp(0, HEIGHT as i64 - 1) as usize;
    let mut pixels = vec![[250, 248, 243]; WIDTH * HEIGHT];
    for x in (30..WIDTH - 20).filter(|x| x % 8 < 4) {
        pixels[y(510) * WIDTH + x] = [176, 58, 46];
    }
    for x in 30..WIDTH - 20 {
        pixels[(HEIGHT - 20) * WIDTH + x] = [80, 80, 80];
    }
    let count = values.len().clamp(2, 28);
    for x in 30..WIDTH - 20 {
        let at = (x - 30) * (count - 1) / (WIDTH - 50);
        let (from, to) = (y(values[at]), y(values[(at + 1).min(count - 1)]));
        for row in from.min(to)..=from.max(to) + 1 {
            pixels[row.min(HEIGHT - 1) * WIDTH + x] = [29, 78, 137];
        }
    }
    png(&pixels)
}

/// A dam in the evening, with a wet patch.
pub(super) fn dam() -> Vec<u8> {
    let mut pixels = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            pixels.push(seen(x as i64, y as i64));
        }
    }
    png(&pixels)
}

fn seen(x: i64, y: i64) -> Colour {
    let hill = 90 + ((x - 150) * (x - 150)) / 900 - ((x % 37) - 18).abs() / 3;
    let patch = (x - 300) * (x - 300) / 4 + (y - 215) * (y - 215) < 420;
    match y {
        y if y < hill.min(120) => [(200 - y / 2) as u8, (170 + y / 6) as u8, (190 + y / 4) as u8],
        y if y < 120 => [74, 98, 70],
        y if y < 128 => [214, 210, 200],
        _ if patch => [92, 86, 74],
        y if y < 240 => {
            let joint = (x % 40 == 0) as u8 * 24;
            [168 - joint - (y / 12) as u8, 162 - joint - (y / 12) as u8, 150 - joint - (y / 12) as u8]
        }
        _ => [96, 112, 72],
    }
}

/// A PNG of RGB pixels, its data stored without compression (RFC 1950 and 1951).
fn png(pixels: &[Colour]) -> Vec<u8> {
    let rows: Vec<u8> = pixels.chunks(WIDTH).flat_map(|row| std::iter::once(0).chain(row.iter().flatten().copied())).collect();
    let mut data = vec![0x78, 0x01];
    let blocks = rows.chunks(65_535).count();
    for (number, block) in rows.chunks(65_535).enumerate() {
        let length = block.len() as u16;
        data.push(u8::from(number + 1 == blocks));
        data.extend_from_slice(&length.to_le_bytes());
        data.extend_from_slice(&(!length).to_le_bytes());
        data.extend_from_slice(block);
    }
    let (a, b) = rows.iter().fold((1u32, 0u32), |(a, b), byte| ((a + u32::from(*byte)) % 65_521, (b + a + u32::from(*byte)) % 65_521));
    data.extend_from_slice(&(b << 16 | a).to_be_bytes());
    let size = [(WIDTH as u32).to_be_bytes(), (HEIGHT as u32).to_be_bytes()].concat();
    let header = [&size[..], &[8, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", &data), chunk(b"IEND", b"")].concat()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&kind[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
}
