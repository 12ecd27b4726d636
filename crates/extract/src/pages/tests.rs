use crate::document::Memory;
use crate::read;
use crate::tests::{mutate, request};
use daylight_model::reading::{Drawn, Event, Request, SHOWN_PIXELS, Sink, Stop, Task};
use daylight_model::{Fault, FaultCode};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use std::io::Cursor;

/// Pages as they were drawn: number, width, height and bytes; and what was said against them.
#[derive(Default)]
struct Seen {
    pages: Vec<(u64, u32, u32, Vec<u8>)>,
    faults: Vec<Fault>,
    unread: Vec<(u32, bool)>,
    count: Option<u64>,
}

impl Sink for Seen {
    fn event(&mut self, event: Event) -> Result<(), Stop> {
        match event {
            Event::Page { width, height, .. } => self.pages.push((0, width, height, Vec::new())),
            Event::Bytes { bytes, .. } => self.pages.last_mut().unwrap().3.extend(bytes),
            Event::Cursor(number) => {
                if let Some(page) = self.pages.last_mut().filter(|page| page.0 == 0) {
                    page.0 = number;
                }
            }
            Event::Fault { fault, .. } => self.faults.push(fault),
            Event::Counted { expected, .. } => self.count = expected,
            Event::Unread { page, gibberish } => self.unread.push((page, gibberish)),
            other => panic!("{other:?}"),
        }
        Ok(())
    }
}

fn ask(bytes: &[u8], task: Task) -> Seen {
    let mut seen = Seen::default();
    read(&request("x", task), &Memory(bytes), &mut seen).unwrap();
    seen
}

fn draw(bytes: &[u8], pages: &[u32], form: Drawn) -> Seen {
    ask(bytes, Task::Draw { pages: pages.to_vec(), dots_per_inch: 72, form })
}

/// Twenty by thirty pixels, black on the left and nothing on the right.
fn half() -> DynamicImage {
    RgbaImage::from_fn(20, 30, |x, _| if x < 10 { Rgba([0, 0, 0, 255]) } else { Rgba([0, 0, 0, 0]) }).into()
}

fn packed(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

#[test]
fn every_format_gives_the_same_pixels_and_what_can_be_seen_through_is_white() {
    let expected: Vec<u8> = (0..600).map(|at| if at % 20 < 10 { 0 } else { 255 }).collect();
    let opaque: DynamicImage = RgbaImage::from_fn(20, 30, |x, _| if x < 10 { Rgba([0, 0, 0, 255]) } else { Rgba([255; 4]) }).into();
    let plain: DynamicImage = opaque.to_rgb8().into();
    for (image, format) in [
        (half(), ImageFormat::Png),
        (half(), ImageFormat::WebP),
        (half(), ImageFormat::Gif),
        (half(), ImageFormat::Tiff),
        (plain.clone(), ImageFormat::Bmp),
        (plain.clone(), ImageFormat::Jpeg),
        (plain.to_luma8().into(), ImageFormat::Png),
    ] {
        let bytes = packed(&image, format);
        let seen = draw(&bytes, &[1, 2], Drawn::Grey);
        let (number, width, height, grey) = &seen.pages[0];
        assert_eq!((*number, *width, *height, grey.len()), (1, 20, 30, 600), "{format:?}");
        let far = grey.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(far <= 8, "{format:?}: {far}");
        assert_eq!((seen.pages.len(), seen.faults.len(), seen.faults[0].code), (1, 1, FaultCode::NoReader), "{format:?}");
        let file = &draw(&bytes, &[1], Drawn::Png).pages[0].3;
        assert_eq!(image::load_from_memory(file).unwrap().to_luma8().into_raw(), *grey, "{format:?}");
        mutate(&bytes, 200, |changed| {
            draw(changed, &[1], Drawn::Grey);
        });
    }
}

#[test]
fn each_page_of_a_fax_is_drawn_and_named() {
    // Two pages of one row: 16 pixels of one bit, the first page's left half dark, the second page's right half.
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for (page, row) in [[0x00, 0xffu8], [0xff, 0x00]].into_iter().enumerate() {
        let start = bytes.len() as u32;
        let (data, next) = (start + 2 + 8 * 12 + 4, if page == 0 { start + 2 + 8 * 12 + 4 + 2 } else { 0 });
        bytes.extend(8u16.to_le_bytes());
        for (tag, value) in [(0x100u16, 16u32), (0x101, 1), (0x102, 1), (0x103, 1), (0x106, 1), (0x111, data), (0x116, 1), (0x117, 2)] {
            bytes.extend([&tag.to_le_bytes()[..], &4u16.to_le_bytes(), &1u32.to_le_bytes(), &value.to_le_bytes()].concat());
        }
        bytes.extend(next.to_le_bytes());
        bytes.extend(row);
    }
    assert_eq!(ask(&bytes, Task::Unread).unread, [(1, false), (2, false)]);
    let seen = draw(&bytes, &[1, 2], Drawn::Grey);
    assert!(seen.faults.is_empty(), "{:?}", seen.faults);
    let rows: Vec<&[u8]> = seen.pages.iter().map(|page| page.3.as_slice()).collect();
    assert_eq!(rows, [[[0; 8], [255; 8]].concat(), [[255; 8], [0; 8]].concat()]);
}

#[test]
fn what_is_to_be_shown_is_small_and_comes_in_its_colours() {
    let red: DynamicImage = image::RgbImage::from_pixel(3000, 2000, image::Rgb([200, 10, 10])).into();
    let seen = draw(&packed(&red, ImageFormat::Png), &[1, 2, 3], Drawn::Shown);
    let (number, width, height, pixels) = &seen.pages[0];
    assert_eq!((seen.pages.len(), *number, seen.count, seen.faults.len()), (1, 1, Some(1), 0));
    assert!(u64::from(width * height) <= SHOWN_PIXELS && width * height > 2_400_000, "{width} x {height}");
    assert_eq!((pixels.len() as u32, &pixels[..3]), (width * height * 3, &[200, 10, 10][..]));
    let grey = draw(&packed(&red.to_luma8().into(), ImageFormat::Png), &[1], Drawn::Shown);
    assert_eq!(grey.pages[0].3.len() as u32, grey.pages[0].1 * grey.pages[0].2);
}

#[test]
fn what_is_protected_is_drawn_once_it_is_open_and_nothing_else_is_said() {
    let open: [(&[u8], &[&str]); 4] = [
        (include_bytes!("../pdf/encrypted/rc4-40.pdf"), &[]),
        (include_bytes!("../pdf/encrypted/aes-256.pdf"), &[]),
        (include_bytes!("../pdf/encrypted/user-rc4-128.pdf"), &["wrong", "user"]),
        (include_bytes!("../pdf/encrypted/user-aes-128.pdf"), &["owner"]),
    ];
    for (bytes, passwords) in open {
        let ask = |task: Task| {
            let mut seen = Seen::default();
            let passwords = passwords.iter().map(ToString::to_string).collect();
            read(&Request { passwords, ..request("x.pdf", task) }, &Memory(bytes), &mut seen).unwrap();
            seen
        };
        let seen = ask(Task::Draw { pages: vec![1, 2], dots_per_inch: 72, form: Drawn::Shown });
        assert_eq!((seen.pages.len(), seen.count, seen.faults.len()), (1, Some(1), 0), "{:?}", seen.faults);
        assert!(seen.pages[0].3.iter().any(|pixel| *pixel < 128), "its words are drawn");
        let seen = ask(Task::Unread);
        assert!(seen.unread.is_empty() && seen.faults.is_empty());
    }
    let shut = draw(open[3].0, &[1], Drawn::Shown);
    assert_eq!((shut.pages.len(), shut.faults[0].code), (0, FaultCode::Encrypted));
}

#[test]
fn what_has_no_pages_says_so() {
    for task in [Task::Unread, Task::Draw { pages: vec![1], dots_per_inch: 72, form: Drawn::Png }] {
        let seen = ask(b"only words", task);
        assert_eq!((seen.pages.len(), seen.faults.len(), seen.faults[0].code), (0, 1, FaultCode::NoReader));
    }
}
