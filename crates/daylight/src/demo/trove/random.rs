/// A generator of numbers that are the same on every machine (SplitMix64), so that a demonstration is the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number from 0 to `bound` - 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// Fills `$names`, then chooses one side of every `{this|or that}`, the innermost first.
    pub(super) fn write(&mut self, template: &str, values: &[(&str, &str)]) -> String {
        let mut text = template.to_owned();
        for (name, value) in values {
            text = text.replace(&format!("${name}"), value);
        }
        while let Some(open) = text.rfind('{') {
            let Some(length) = text[open..].find('}') else { break };
            let sides: Vec<&str> = text[open + 1..open + length].split('|').collect();
            let chosen = (*self.pick(&sides)).to_owned();
            text.replace_range(open..=open + length, &chosen);
        }
        text
    }
}
