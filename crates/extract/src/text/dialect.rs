//! How a table that is kept as text is written: what stands between its fields, and whether its first row names its columns. Nothing is read otherwise
//! because of it; it is said so that whoever makes records of the rows can begin from it.

/// Rows that are looked at.
const ROWS: usize = 200;
/// A name of a column is not longer.
const LONGEST_NAME: usize = 100;

/// What a table's beginning tells, as lines of a property, empty if it is no table.
pub(super) fn describe(sample: &str) -> String {
    let tables = [(',', "comma"), (';', "semicolon"), ('\t', "tab"), ('|', "bar")].map(|(delimiter, word)| (word, rows(sample, delimiter)));
    let best = tables.iter().filter_map(|(word, rows)| regularity(rows).map(|score| (score, word, rows)));
    let Some(((_, columns), word, rows)) = best.max_by_key(|(score, ..)| *score) else { return String::new() };
    let quoted = if sample.contains('"') { "\"" } else { "nothing" };
    let header = match header(rows, columns) {
        Some(true) => "yes",
        Some(false) => "none, the columns have no names",
        None => "cannot be told",
    };
    format!("delimiter: {word}\nquoted with: {quoted}\ncolumns: {columns}\nheader row: {header}\n")
}

/// Rows as RFC 4180 has them, without the last one, which the sample may cut.
fn rows(sample: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = sample.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
                if rows.len() >= ROWS {
                    break;
                }
            }
            c => field.push(c),
        }
    }
    if rows.is_empty() && !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows.retain(|row| row.len() > 1 || row.first().is_some_and(|field| !field.trim().is_empty()));
    rows
}

/// How many rows in a hundred have the usual number of columns, and that number, if there is more than one column.
fn regularity(rows: &[Vec<String>]) -> Option<(usize, usize)> {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    rows.iter().for_each(|row| *counts.entry(row.len()).or_default() += 1);
    let (columns, count) = counts.into_iter().max_by_key(|(columns, count)| (*count, *columns))?;
    (columns > 1).then(|| (count * 100 / rows.len(), columns))
}

/// Whether the first row names the columns: its fields are words, none twice, and others below them are not.
fn header(rows: &[Vec<String>], columns: usize) -> Option<bool> {
    let (first, rest) = rows.split_first()?;
    let rest: Vec<_> = rest.iter().filter(|row| row.len() == columns).collect();
    let distinct = first.iter().collect::<std::collections::HashSet<_>>().len() == first.len();
    if first.iter().any(|field| is_value(field)) || !distinct || first.iter().any(|field| field.len() > LONGEST_NAME) {
        return Some(false);
    }
    let valued = (0..columns.min(first.len())).any(|column| {
        let values = rest.iter().filter(|row| is_value(&row[column])).count();
        values > 0 && values * 2 >= rest.iter().filter(|row| !row[column].trim().is_empty()).count()
    });
    valued.then_some(true)
}

/// A number, a date, a time, an address: what names no column.
fn is_value(field: &str) -> bool {
    let field = field.trim();
    let digits = field.bytes().filter(u8::is_ascii_digit).count();
    field.contains('@') || digits > 0 && field.bytes().all(|b| b.is_ascii_digit() || b" .,:;-+/%$()TZ\xe2\x82\xac".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_how_it_is_written() {
        let said =
            |sample: &str| describe(sample).lines().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>().join(" ");
        assert_eq!(said("name,born\n\"Lovelace, Ada\",1815\nNoether,1882\n"), "comma \" 2 yes");
        assert_eq!(said("Betrag;Ort\r\n1,5;Ulm\r\n2,5;\r\n"), "semicolon nothing 2 yes");
        assert_eq!(said("1\tx\n2\ty\n3\tz\n"), "tab nothing 2 none, the columns have no names");
        assert_eq!(said("who|what\nAda|engine\n"), "bar nothing 2 cannot be told");
        assert_eq!(said("a,\"two\nlines\",3\n"), "comma \" 3 none, the columns have no names");
        assert_eq!(said("one word a line\nand no more\n"), "");
    }
}
