/// A piece of RTF.
pub(super) enum Token<'a> {
    Open,
    Close,
    /// What follows may be skipped by those who do not know it.
    Starred,
    /// A control word with its number.
    Word(&'a [u8], Option<i32>),
    Symbol(u8),
    Hex(u8),
    Text(&'a [u8]),
    Binary(&'a [u8]),
}

pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let (&first, rest) = self.rest.split_first()?;
        if !first.is_ascii_alphabetic() {
            self.rest = rest;
            return Some(match (first, rest) {
                (b'*', _) => Token::Starred,
                (b'\'', [high, low, after @ ..]) => match (crate::transfer::hex(*high), crate::transfer::hex(*low)) {
                    (Some(high), Some(low)) => {
                        self.rest = after;
                        Token::Hex(high << 4 | low)
                    }
                    _ => Token::Symbol(b'\''),
                },
                _ => Token::Symbol(first),
            });
        }
        let length = self.rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let (word, rest) = self.rest.split_at(length);
        let digits = rest.iter().enumerate().take_while(|(n, b)| b.is_ascii_digit() || *n == 0 && **b == b'-').count();
        let number = std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok());
        let rest = &rest[digits..];
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        if word == b"bin" {
            let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0).min(self.rest.len());
            let (data, rest) = self.rest.split_at(length);
            self.rest = rest;
            return Some(Token::Binary(data));
        }
        Some(Token::Word(word, number))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (&first, rest) = self.rest.split_first()?;
            match first {
                b'{' | b'}' | b'\\' => self.rest = rest,
                b'\r' | b'\n' | 0 => {
                    self.rest = rest;
                    continue;
                }
                _ => {
                    let end =
                        self.rest.iter().position(|b| matches!(b, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0)).unwrap_or(self.rest.len());
                    let (text, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    return Some(Token::Text(text));
                }
            }
            return match first {
                b'{' => Some(Token::Open),
                b'}' => Some(Token::Close),
                _ => self.control(),
            };
        }
    }
}
