//! The check characters: ISO 7064 MOD 11-2, GB 32100 MOD 31, Damm.

/// The ISO 7064 MOD 11-2 check character of `digits` (GB 11643 uses it over 17 digits).
///
/// Weights are powers of 2 modulo the prime 11, all different for neighbours, so every single
/// change and every swap of two different characters within ten places is found.
pub(crate) fn mod_11_2(digits: &[u8]) -> u8 {
    let sum = digits
        .iter()
        .fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => b'X',
        value => b'0' + value as u8,
    }
}

/// The characters of GB 32100 in the order of their values: no I, O, S, V, Z.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The values of [`CREDIT_ALPHABET`] by ASCII code; [`NO_VALUE`] elsewhere.
const CREDIT_VALUES: [u8; 128] = {
    let mut values = [NO_VALUE; 128];
    let mut value = 0;
    while value < CREDIT_ALPHABET.len() {
        values[CREDIT_ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

const NO_VALUE: u8 = u8::MAX;

/// The value of a character in GB 32100's alphabet.
pub(crate) fn credit_value(character: u8) -> Option<u8> {
    CREDIT_VALUES
        .get(usize::from(character))
        .copied()
        .filter(|&value| value != NO_VALUE)
}

/// The GB 32100 check character of `body`, or none if a character is outside the alphabet.
///
/// Weights are powers of 3 modulo the prime 31: every single change and every swap of neighbours
/// is found.
pub(crate) fn mod_31(body: &[u8]) -> Option<u8> {
    let mut weight = 1_u32;
    let mut sum = 0_u32;
    for &character in body {
        sum += u32::from(credit_value(character)?) * weight;
        weight = weight * 3 % 31;
    }
    Some(CREDIT_ALPHABET[((31 - sum % 31) % 31) as usize])
}

/// The totally anti-symmetric quasigroup of order 10 from H. M. Damm, "Total anti-symmetrische
/// Quasigruppen", Marburg 2004, p. 111, arranged so that the diagonal is zero.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The Damm check digit of ASCII `digits`, in ASCII; `b'0'` for digits that end with their own.
pub(crate) fn damm(digits: &[u8]) -> u8 {
    let state = digits.iter().fold(0, |state, digit| {
        DAMM[usize::from(state)][usize::from(digit - b'0')]
    });
    b'0' + state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mod_11_2_gives_the_check_characters_of_gb_11643() {
        assert_eq!(mod_11_2(b"11010519491231002"), b'X');
        assert_eq!(mod_11_2(b"44052418800101001"), b'4');
        // ISO 7064's own example for MOD 11-2.
        assert_eq!(mod_11_2(b"0794"), b'0');
        assert_eq!(mod_11_2(b"079"), b'X');
    }

    #[test]
    fn mod_31_gives_the_check_characters_of_published_codes() {
        assert_eq!(mod_31(b"91350100M000100Y4"), Some(b'3'));
        assert_eq!(mod_31(b"91110108551385082"), Some(b'Q'));
        assert_eq!(mod_31(b"9135010ZM000100Y4"), None);
    }

    #[test]
    fn damm_gives_the_published_example() {
        assert_eq!(damm(b"572"), b'4');
        assert_eq!(damm(b"5724"), b'0');
    }

    /// The three properties from which follows, for numbers of any length, that Damm finds every
    /// single error and every swap of neighbours, the check digit included.
    #[test]
    fn the_damm_table_is_a_totally_anti_symmetric_quasigroup_with_a_zero_diagonal() {
        let op = |a: usize, b: usize| usize::from(DAMM[a][b]);
        for a in 0..10 {
            assert_eq!(op(a, a), 0);
            for b in 0..10 {
                for c in (0..10).filter(|&c| c != b) {
                    assert_ne!(op(a, b), op(a, c), "row {a} repeats");
                    assert_ne!(op(b, a), op(c, a), "column {a} repeats");
                    assert_ne!(
                        op(op(a, b), c),
                        op(op(a, c), b),
                        "swap of {b} and {c} after {a}"
                    );
                }
            }
        }
    }
}
