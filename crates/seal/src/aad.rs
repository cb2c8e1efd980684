//! Where a sealed value belongs.

/// The place of a sealed value. It is authenticated with the value, so that nobody who can write to the database moves
/// one person's sealed number into another's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aad<'a> {
    /// The district's id.
    pub district: &'a str,
    /// The table.
    pub table: &'a str,
    /// The row's id.
    pub row: &'a str,
    /// The column, or the path of the field in a body.
    pub field: &'a str,
}

impl Aad<'_> {
    /// A label for the use, the header in front of the nonce, and the four parts; each with its length in front.
    pub(crate) fn bytes(&self, label: &str, header: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [
            label.as_bytes(),
            header,
            self.district.as_bytes(),
            self.table.as_bytes(),
            self.row.as_bytes(),
            self.field.as_bytes(),
        ] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}
