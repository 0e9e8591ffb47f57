//! Windows: cues in a fixed order, with bounded gaps, inside one sentence.

/// A set of word classes, one bit each.
pub(crate) type Classes = u128;

/// What a token, or the term that starts at it, is to a window.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    /// Classes of this one token.
    pub(crate) word: Classes,
    /// Classes of the longest name or title that starts here …
    pub(crate) span: Classes,
    /// … and how many tokens it has.
    pub(crate) length: u8,
    /// A sentence ends here.
    pub(crate) stop: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cue {
    /// One of these classes.
    Any(Classes),
    /// Up to so many tokens of any kind.
    Gap(u8),
}

#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) cues: Vec<Cue>,
    pub(crate) term: u32,
}

impl Window {
    /// Does the window match somewhere? `all` is the union of all marks.
    pub(crate) fn matches(&self, marks: &[Mark], all: Classes) -> bool {
        let possible = self.cues.iter().all(|cue| match cue {
            Cue::Any(classes) => all & classes != 0,
            Cue::Gap(_) => true,
        });
        possible && (0..marks.len()).any(|at| follows(&self.cues, &marks[at..]))
    }
}

fn follows(cues: &[Cue], marks: &[Mark]) -> bool {
    let Some((cue, rest)) = cues.split_first() else {
        return true;
    };
    match *cue {
        Cue::Any(classes) => {
            let Some(mark) = marks.first() else {
                return false;
            };
            (mark.span & classes != 0 && follows(rest, &marks[usize::from(mark.length)..]))
                || (mark.word & classes != 0 && follows(rest, &marks[1..]))
        }
        Cue::Gap(width) => {
            for skip in 0..=usize::from(width) {
                if follows(rest, marks.get(skip..).unwrap_or(&[])) {
                    return true;
                }
                if marks.get(skip).is_none_or(|mark| mark.stop) {
                    return false;
                }
            }
            false
        }
    }
}
