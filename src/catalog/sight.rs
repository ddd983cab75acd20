//! How many tokens a model makes of a picture, by its vendor's published rules.

/// A picture, as far as a request shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Width and height in pixels, where its bytes are in the request and say so.
    pub size: Option<(u32, u32)>,
    /// Whether `detail` is `low`.
    pub low: bool,
}

/// A vendor's rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// So much at once and for each tile of 512 pixels, after fitting into 2048 and shrinking the short side to 768
    /// (OpenAI, "Images and vision", models up to GPT-5).
    Tiles {
        /// At once.
        base: u32,
        /// For each tile.
        tile: u32,
    },
    /// A patch of 32 pixels is a token times a factor in hundredths, up to a number of patches (the same page, small and
    /// newer models).
    Patches {
        /// The factor.
        hundredths: u32,
        /// How many patches at most.
        most: u32,
    },
    /// An area of 750 pixels is a token, up to 4,784 of them (Anthropic, "Vision").
    Area,
    /// Crops of 258 tokens, or up to 2,240 by `media_resolution` (Google, "Understand and count tokens").
    Crops,
    /// No rule is known: the dearest of all.
    #[default]
    Unknown,
}

/// The side that is guessed where none is known.
const USUAL: u32 = 1_024;

/// The most tiles that fit: 2048 by 768.
const MOST_TILES: u64 = 8;

/// What no known rule exceeds for a picture of unknown size: eight of the dearest tiles.
const DEAREST: u64 = 2_833 + 5_667 * MOST_TILES;

impl Sight {
    /// The rule for a model by its id, wherever it runs.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let id = id.rsplit_once('/').map_or(id, |(_, id)| id);
        let has = |part: &str| id.contains(part);
        let tiles = |base, tile| Self::Tiles { base, tile };
        let patches = |hundredths, most| Self::Patches { hundredths, most };
        match id {
            _ if has("claude") => Self::Area,
            _ if has("gemini") => Self::Crops,
            _ if has("gpt-4o-mini") => tiles(2_833, 5_667),
            _ if has("gpt-4.1-mini") || has("gpt-5-mini") => patches(162, 1_536),
            _ if has("gpt-4.1-nano") || has("gpt-5-nano") => patches(246, 1_536),
            _ if has("o4-mini") => patches(172, 1_536),
            _ if has("gpt-4o") || has("gpt-4.1") => tiles(85, 170),
            "o1" | "o3" | "o3-pro" | "o1-pro" => tiles(75, 150),
            _ if id == "gpt-5" || has("gpt-5-chat") || id.starts_with("gpt-5-2025") => {
                tiles(70, 140)
            }
            // What is newer counts patches, and up to 10,000 of them with `detail: original`.
            _ if has("gpt-5") || has("gpt-6") => patches(246, 10_000),
            _ => Self::Unknown,
        }
    }

    /// Tokens at most.
    #[must_use]
    pub fn most(self, picture: Picture) -> u64 {
        match (self, picture.size) {
            (Self::Tiles { base, .. }, _) if picture.low => u64::from(base),
            (Self::Tiles { base, tile }, None) => u64::from(base) + u64::from(tile) * MOST_TILES,
            (Self::Patches { hundredths, most }, None) => hundred(u64::from(most), hundredths),
            (Self::Area, None) => 4_784,
            // A picture of 24 megapixels by the older rule.
            (Self::Crops, None) => 258 * 48,
            (Self::Unknown, None) => DEAREST,
            (Self::Crops, Some(_)) => self.by_size(picture).max(2_240),
            (Self::Unknown, Some(size)) => Self::dearest(size),
            (Self::Tiles { .. } | Self::Patches { .. } | Self::Area, Some(_)) => {
                self.by_size(picture)
            }
        }
    }

    /// Tokens, by guess.
    #[must_use]
    pub fn likely(self, picture: Picture) -> u64 {
        let size = picture.size.unwrap_or((USUAL, USUAL));
        let size = if picture.low { (512, 512) } else { size };
        match self {
            // Most others make about this much of a picture.
            Self::Unknown => Self::Area.by_size(Picture {
                size: Some(size),
                low: picture.low,
            }),
            Self::Tiles { .. } | Self::Patches { .. } | Self::Area | Self::Crops => {
                self.by_size(Picture {
                    size: Some(size),
                    low: picture.low,
                })
            }
        }
    }

    fn by_size(self, picture: Picture) -> u64 {
        let (width, height) = picture.size.unwrap_or((USUAL, USUAL));
        let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
        match self {
            Self::Tiles { base, .. } if picture.low => u64::from(base),
            Self::Tiles { base, tile } => u64::from(base) + u64::from(tile) * tiles(width, height),
            Self::Patches { hundredths, most } => {
                let patches = width.div_ceil(32).saturating_mul(height.div_ceil(32));
                hundred(patches.min(u64::from(most)), hundredths)
            }
            Self::Area => (width.saturating_mul(height) / 750 + 1).min(4_784),
            Self::Crops if width.max(height) <= 384 => 258,
            Self::Crops => {
                let unit = (width.min(height) * 2 / 3).clamp(256, 768);
                width
                    .div_ceil(unit)
                    .saturating_mul(height.div_ceil(unit))
                    .saturating_mul(258)
            }
            Self::Unknown => DEAREST,
        }
    }

    fn dearest(size: (u32, u32)) -> u64 {
        let rules = [
            Self::Tiles {
                base: 2_833,
                tile: 5_667,
            },
            Self::Patches {
                hundredths: 246,
                most: 10_000,
            },
            Self::Area,
            Self::Crops,
        ];
        let picture = Picture {
            size: Some(size),
            low: false,
        };
        rules
            .into_iter()
            .map(|rule| rule.most(picture))
            .max()
            .unwrap_or(DEAREST)
    }
}

/// Tiles of 512 after both shrinkings, each side rounded up.
fn tiles(width: u64, height: u64) -> u64 {
    let (long, short) = (width.max(height), width.min(height));
    let (long, short) = if long > 2_048 {
        (2_048, (short * 2_048).div_ceil(long))
    } else {
        (long, short)
    };
    let (long, short) = if short > 768 {
        ((long * 768).div_ceil(short), 768)
    } else {
        (long, short)
    };
    long.div_ceil(512) * short.div_ceil(512)
}

fn hundred(tokens: u64, hundredths: u32) -> u64 {
    tokens.saturating_mul(u64::from(hundredths)).div_ceil(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_own_examples_hold() {
        let size = |width, height| Picture {
            size: Some((width, height)),
            low: false,
        };
        let low = Picture {
            size: Some((4096, 8192)),
            low: true,
        };
        // OpenAI: 1024 x 1024 is 4 tiles and 765 tokens; 2048 x 4096 is 6 and 1,105; low detail is 85.
        let big = Sight::of("gpt-4o-2024-11-20");
        assert_eq!(
            [
                big.most(size(1024, 1024)),
                big.most(size(2048, 4096)),
                big.most(low)
            ],
            [765, 1_105, 85]
        );
        // Its example of patches: 1024 x 1024 is 1,024 of them; 1800 x 2400 is capped at 1,536.
        let small = Sight::of("gpt-5-mini");
        assert_eq!(
            [small.most(size(1024, 1024)), small.most(size(1800, 2400))],
            [1_659, 2_489]
        );
        // Anthropic: 1000 x 1000 is about 1,334 tokens. Google: up to 384 pixels 258 tokens; 960 x 540 six crops.
        assert_eq!(
            Sight::of("anthropic.claude-x").most(size(1000, 1000)),
            1_334
        );
        assert_eq!(Sight::of("gemini-2.5-flash").likely(size(384, 384)), 258);
        assert_eq!(
            Sight::of("gemini-2.5-flash").likely(size(960, 540)),
            6 * 258
        );
    }

    #[test]
    fn no_rule_is_dearer_than_the_unknown_one() {
        for id in [
            "gpt-4o-mini",
            "gpt-4.1-nano",
            "gpt-6-sol",
            "o3",
            "gpt-5",
            "claude-opus-5",
            "gemini-3.8-flash",
        ] {
            let rule = Sight::of(id);
            for size in [
                None,
                Some((1, 1)),
                Some((640, 480)),
                Some((4_000, 3_000)),
                Some((9_000, 20)),
            ] {
                let picture = Picture { size, low: false };
                assert!(
                    rule.most(picture) <= Sight::Unknown.most(picture),
                    "{id} {size:?}"
                );
                assert!(rule.likely(picture) <= rule.most(picture), "{id} {size:?}");
            }
        }
    }
}
