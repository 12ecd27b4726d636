/// What is known of the picture of a page that is published: it stands in the media type of its file, `image/png; page=3; of=12; width=1240; height=1754`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePicture {
    /// How its file is packed.
    pub form: PictureForm,
    /// Which page it is of, from 1.
    pub page: u32,
    /// How many pages the document has.
    pub of: u32,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// How a picture's file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureForm {
    /// PNG (ISO/IEC 15948).
    Png,
    /// JPEG (ISO/IEC 10918).
    Jpeg,
}

impl PictureForm {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            PictureForm::Png => "image/png",
            PictureForm::Jpeg => "image/jpeg",
        }
    }
}

impl PagePicture {
    /// The media type of its file, with everything that is known of it.
    pub fn media_type(&self) -> String {
        let Self { form, page, of, width, height } = self;
        format!("{}; page={page}; of={of}; width={width}; height={height}", form.media_type())
    }

    /// Reads such a media type; `None` if it is anything else. Parameters that are not known are passed over.
    pub fn parse(media_type: &str) -> Option<Self> {
        let mut pieces = media_type.split(';').map(str::trim);
        let bare = pieces.next()?;
        let form = [PictureForm::Png, PictureForm::Jpeg].into_iter().find(|form| form.media_type() == bare)?;
        let [mut page, mut of, mut width, mut height] = [None; 4];
        for (name, value) in pieces.filter_map(|piece| piece.split_once('=')) {
            let known = match name {
                "page" => &mut page,
                "of" => &mut of,
                "width" => &mut width,
                "height" => &mut height,
                _ => continue,
            };
            let plain = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
            *known = Some(value.parse::<u32>().ok().filter(|_| plain)?);
        }
        Some(Self { form, page: page?, of: of?, width: width?, height: height? }).filter(|one| one.page <= one.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_picture_stands_in_its_media_type() {
        let picture = PagePicture { form: PictureForm::Jpeg, page: 3, of: 12, width: 1240, height: 1754 };
        assert_eq!(picture.media_type(), "image/jpeg; page=3; of=12; width=1240; height=1754");
        assert_eq!(PagePicture::parse(&picture.media_type()), Some(picture));
        assert_eq!(PagePicture::parse("image/jpeg;height=1754; width=1240; of=12;page=3; new=x"), Some(picture));
        for bad in [
            "image/svg+xml; page=1; of=1; width=1; height=1",
            "image/png",
            "image/png; page=0; of=1; width=1; height=1",
            "image/png; page=2; of=1; width=1; height=1",
            "image/png; page=+1; of=1; width=1; height=1",
            "image/png; page=99999999999; of=1; width=1; height=1",
        ] {
            assert_eq!(PagePicture::parse(bad), None, "{bad}");
        }
    }
}
