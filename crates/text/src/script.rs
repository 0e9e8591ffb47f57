//! What the script of a text says about its language.

use crate::language::{Code, Plain};

/// Letters of one family of scripts in a text.
#[derive(Default)]
struct Count {
    latin: u32,
    kana: u32,
    han: u32,
    arabic: u32,
    persian: u32,
    urdu: u32,
    cyrillic: u32,
    devanagari: u32,
    /// Letters of a script that one language writes, and that language.
    own: u32,
    code: Option<&'static str>,
    /// A letter that only one language of the Cyrillic script has.
    cyrillic_code: Option<&'static str>,
}

/// The language, where script or letters allow one only.
pub(crate) fn decides(text: &Plain) -> Option<Code> {
    if text.text.is_ascii() {
        return None;
    }
    let mut count = Count::default();
    for c in text.text.chars() {
        count.add(c);
    }
    let code = count.decide()?;
    Code::new(code)
}

impl Count {
    fn add(&mut self, c: char) {
        match c {
            '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => self.latin += u32::from(c != ' '),
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => self.own("el"),
            '\u{400}'..='\u{52f}' => {
                self.cyrillic += 1;
                match c {
                    'ї' | 'є' | 'ґ' => self.cyrillic_code = Some("uk"),
                    'ў' => self.cyrillic_code = Some("be"),
                    'ђ' | 'ћ' => self.cyrillic_code = Some("sr"),
                    'ѓ' | 'ќ' | 'ѕ' => self.cyrillic_code = Some("mk"),
                    'қ' | 'ұ' | 'ғ' => self.cyrillic_code = Some("kk"),
                    _ => {}
                }
            }
            '\u{530}'..='\u{58f}' => self.own("hy"),
            '\u{590}'..='\u{5ff}' => self.own("he"),
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => {
                self.arabic += 1;
                match c {
                    'ٹ' | 'ڈ' | 'ڑ' | 'ں' | 'ے' | 'ہ' | 'ھ' => self.urdu += 1,
                    'پ' | 'چ' | 'ژ' | 'گ' | 'ک' | 'ی' => self.persian += 1,
                    _ => {}
                }
            }
            '\u{900}'..='\u{97f}' => self.devanagari += 1,
            '\u{980}'..='\u{9ff}' => self.own("bn"),
            '\u{a00}'..='\u{a7f}' => self.own("pa"),
            '\u{a80}'..='\u{aff}' => self.own("gu"),
            '\u{b00}'..='\u{b7f}' => self.own("or"),
            '\u{b80}'..='\u{bff}' => self.own("ta"),
            '\u{c00}'..='\u{c7f}' => self.own("te"),
            '\u{c80}'..='\u{cff}' => self.own("kn"),
            '\u{d00}'..='\u{d7f}' => self.own("ml"),
            '\u{d80}'..='\u{dff}' => self.own("si"),
            '\u{e00}'..='\u{e7f}' => self.own("th"),
            '\u{e80}'..='\u{eff}' => self.own("lo"),
            '\u{1000}'..='\u{109f}' => self.own("my"),
            '\u{10a0}'..='\u{10ff}' => self.own("ka"),
            '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}' => self.own("ko"),
            '\u{1200}'..='\u{137f}' => self.own("am"),
            '\u{1780}'..='\u{17ff}' => self.own("km"),
            '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => self.kana += 1,
            '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => self.han += 1,
            _ => {}
        }
    }

    fn own(&mut self, code: &'static str) {
        self.own += 1;
        self.code = Some(code);
    }

    /// A sign of a denser script says more than a Latin letter: Japanese and Chinese signs count
    /// two and a half times, Hangul and the others one and a half times.
    fn decide(&self) -> Option<&'static str> {
        let dense = (self.kana + self.han) * 5;
        let own = self.own * 3;
        let arabic = self.arabic * 3;
        let latin = self.latin * 2;
        let most = dense.max(own).max(arabic).max(self.cyrillic * 2).max(self.devanagari * 3);
        if most <= latin || most == 0 {
            return None;
        }
        if most == dense {
            return if self.kana > 0 { Some("ja") } else { Some("zh") };
        }
        if most == own {
            return self.code;
        }
        if most == arabic {
            if self.urdu * 12 >= self.arabic && self.urdu > 1 {
                return Some("ur");
            }
            if self.persian * 12 >= self.arabic && self.persian > 1 {
                return Some("fa");
            }
            return Some("ar");
        }
        if most == self.cyrillic * 2 {
            return self.cyrillic_code;
        }
        None
    }
}
