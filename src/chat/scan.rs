//! Where JSON strings end and what in them cannot stand as it is, eight or thirty-two bytes at a time.

/// Where the first byte stands that cannot stand in a JSON string as it is.
///
/// Long text is looked at in blocks without a branch per byte, which compilers turn into vector code.
pub(super) fn special(bytes: &[u8]) -> Option<usize> {
    let (blocks, tail) = bytes.as_chunks::<32>();
    let clean = blocks
        .iter()
        .take_while(|block| {
            !block
                .iter()
                .fold(false, |any, &byte| any | is_special(byte))
        })
        .count();
    let start = clean.saturating_mul(32);
    let rest = blocks.get(clean).map_or(tail, |block| block);
    let (words, last) = rest.as_chunks::<8>();
    let mut at = start;
    for word in words {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            let byte = found.trailing_zeros() >> 3;
            return usize::try_from(byte)
                .ok()
                .map(|byte| at.saturating_add(byte));
        }
        at = at.saturating_add(8);
    }
    let found = last.iter().position(|&byte| is_special(byte))?;
    Some(at.saturating_add(found))
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The top bit of each byte of a word that cannot stand in a string; right up to the lowest that is set.
const fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    const TOPS: u64 = ONES << 7;
    let quote = word ^ (ONES.wrapping_mul(0x22));
    let slash = word ^ (ONES.wrapping_mul(0x5C));
    let low = word.wrapping_sub(ONES.wrapping_mul(0x20)) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let slash = slash.wrapping_sub(ONES) & !slash;
    (low | quote | slash) & TOPS
}

/// How long the inside of a JSON string is, up to the quote that closes it; `None` where it is malformed or does
/// not end.
#[must_use]
pub fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..)?;
        at = at.saturating_add(special(rest)?);
        let escape = match bytes.get(at..)? {
            [b'"', ..] => return Some(at),
            [b'\\', b'u', hex @ ..] => {
                let digits = hex.get(..4)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(6)?
            }
            [
                b'\\',
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                ..,
            ] => 2,
            _ => return None,
        };
        at = at.saturating_add(escape);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each byte alone, at every place of a block, so that words, blocks and tails agree.
    #[test]
    fn every_special_byte_is_found_wherever_it_stands() {
        for at in 0..75 {
            for byte in 0..=255_u8 {
                let mut bytes = vec![b'a'; 75];
                bytes[at] = byte;
                let expected = is_special(byte).then_some(at);
                assert_eq!(special(&bytes), expected, "{byte} at {at}");
            }
        }
        assert_eq!(
            special(&[0xFF, 0x80, 0x7F, 0x20, b'!', b'#', b'[', b']']),
            None
        );
    }

    #[test]
    fn strings_end_at_their_quote() {
        let table = [
            ("\"", Some(0)),
            ("abc\",", Some(3)),
            ("a\\\"b\"", Some(4)),
            ("\\\\\"", Some(2)),
            ("\\ud83d\"", Some(6)),
            ("é\\n\"\"", Some(4)),
            ("abc", None),
            ("a\\", None),
            ("a\\\"", None),
            ("\\x\"", None),
            ("\\u12\"4\"", None),
            ("a\nb\"", None),
        ];
        for (text, length) in table {
            assert_eq!(string_length(text.as_bytes()), length, "{text}");
        }
    }
}
