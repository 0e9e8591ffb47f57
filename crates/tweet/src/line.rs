//! Text of a value, without a change of meaning.

use std::borrow::Cow;

/// The value on one line: line breaks between its tokens are removed (JSON text has none inside strings),
/// all else stays as it is.
pub fn one_line(value: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', value.as_bytes()).is_some() {
        Cow::Owned(value.replace(['\n', '\r'], ""))
    } else {
        Cow::Borrowed(value)
    }
}

/// HTML-unescapes a text, once: `&amp;lt;` becomes `&lt;`. The five named forms and the numeric ones.
pub(crate) fn unescape(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        match entity(rest) {
            Some((char, length)) => {
                out.push(char);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character of the entity that the text begins with, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    const LONGEST: usize = "&#x0010FFFF;".len();
    let end = text.bytes().take(LONGEST).position(|b| b == b';')?;
    let name = &text[1..end];
    let char = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = match number.strip_prefix(['x', 'X']) {
                Some(digits) => (digits, 16),
                None => (number, 10),
            };
            if digits.starts_with('+') {
                return None;
            }
            char::from_u32(u32::from_str_radix(digits, radix).ok()?).filter(|c| *c != '\0')?
        }
    };
    Some((char, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_once() {
        for (text, wanted) in [
            ("fish &amp; chips", "fish & chips"),
            ("&amp;lt;", "&lt;"),
            ("&lt;3 &gt;&quot;&apos;&#39;&#x27;&#X1F600;&#128512;", "<3 >\"'''😀😀"),
            (
                "a && b &; &amp &nbsp; &#; &#x; &#0; &#xD800; &#+65; &é;",
                "a && b &; &amp &nbsp; &#; &#x; &#0; &#xD800; &#+65; &é;",
            ),
            ("&", "&"),
        ] {
            assert_eq!(unescape(text.into()), wanted, "{text}");
        }
        assert!(matches!(unescape("plain".into()), Cow::Borrowed(_)));
    }

    #[test]
    fn breaks_between_tokens_go() {
        assert_eq!(one_line("{\r\n  \"a\": \"x\\ny\"\n}"), "{  \"a\": \"x\\ny\"}");
        assert!(matches!(one_line("{\"a\": 1}"), Cow::Borrowed(_)));
    }
}
