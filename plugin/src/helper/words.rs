//! A command line, taken apart as a shell does it.

/// The words of a command line: between blanks, with `'quotes'`, `"quotes"` and, but on Windows, `\` before a character
/// that stands for itself. Nothing else means anything. `None` where a quote is not closed.
pub fn words(line: &str) -> Option<Vec<String>> {
    let has_escapes = !cfg!(windows);
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None | Some('"'), '\\') if has_escapes => {
                word.get_or_insert_default().push(characters.next()?);
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lie_between_blanks_and_in_quotes() {
        let is = |line, expected: &[&str]| assert_eq!(words(line).unwrap(), expected, "{line}");
        is("", &[]);
        is("  \t", &[]);
        is("ssh gpubox weft serve", &["ssh", "gpubox", "weft", "serve"]);
        is("'a b'\"c d\" ''", &["a bc d", ""]);
        is("\"it's\" 'so \"it\"'", &["it's", "so \"it\""]);
        assert_eq!(words("'open"), None);
        assert_eq!(words("weft \"serve"), None);
        if !cfg!(windows) {
            is(r#"a\ b \"c "d\"e" '\'"#, &["a b", "\"c", "d\"e", "\\"]);
            assert_eq!(words("weft \\"), None);
        }
    }
}
