//! The size of a picture, from the first bytes of its `data:` URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How much of the base64 is looked at: the headers of all formats, and the metadata that may precede a JPEG's.
const LOOKED_AT: usize = 16 * 1024;

/// Width and height; `None` for another kind of URL, an unknown format, or a size further in.
pub(super) fn size(url: &str) -> Option<(u32, u32)> {
    let (_, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    let whole = base64.len().min(LOOKED_AT) / 4 * 4;
    let bytes = STANDARD.decode(base64.get(..whole)?).ok()?;
    of(&bytes)
}

fn of(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => {
            let big = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
            Some((big(16)?, big(20)?))
        }
        [b'G', b'I', b'F', ..] => {
            let little = |at: usize| {
                Some(u32::from(u16::from_le_bytes(
                    *bytes.get(at..)?.first_chunk()?,
                )))
            };
            Some((little(6)?, little(8)?))
        }
        [0xFF, 0xD8, rest @ ..] => jpeg(rest),
        _ => None,
    }
}

/// Goes from segment to segment to the frame header (ITU T.81, B.2.2).
fn jpeg(mut rest: &[u8]) -> Option<(u32, u32)> {
    while let [0xFF, marker, high, low, segment @ ..] = rest {
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let [_, high, low, wide, narrow, ..] = segment else {
                return None;
            };
            let (height, width) = (
                u16::from_be_bytes([*high, *low]),
                u16::from_be_bytes([*wide, *narrow]),
            );
            return Some((u32::from(width), u32::from(height)));
        }
        let length = usize::from(u16::from_be_bytes([*high, *low])).checked_sub(2)?;
        rest = segment.get(length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_headers() {
        let png = [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(),
            &[0, 0, 4, 0, 0, 0, 3, 0],
            &[8, 6],
        ]
        .concat();
        let gif = b"GIF89a\x40\x01\xf0\x00rest".to_vec();
        let frame = [0xFF, 0xC0, 0, 17, 8, 0x02, 0x58, 0x03, 0x20, 3, 1];
        let jpeg = [&[0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2][..], &frame].concat();
        for (bytes, expected) in [(png, (1024, 768)), (gif, (320, 240)), (jpeg, (800, 600))] {
            let mut padded = bytes;
            padded.resize(60, 0);
            let url = format!("data:image/x;base64,{}", STANDARD.encode(&padded));
            assert_eq!(size(&url), Some(expected));
        }
        for none in [
            "https://x/y.png",
            "data:image/png;base64,",
            "data:image/png;base64,!!!!",
            "data:,x",
        ] {
            assert_eq!(size(none), None, "{none}");
        }
    }
}
