/// A format in which a file was found where a text was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The format, and what it is not.
    pub name: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

const fn format(name: &'static str, remedy: &'static str) -> Format {
    Format { name, remedy }
}

const ARROW: Format = format("an Arrow file, not text", "write it as CSV or Parquet");

/// What files of a format begin with, as the specification of each says.
const FORMATS: [(&[u8], Format); 17] = [
    (b"\xff\xfe", Format::UTF_16),
    (b"\xfe\xff", Format::UTF_16),
    (b"\x1f\x8b", format("compressed by gzip, not text", "decompress it: `gunzip FILE`")),
    (b"\x28\xb5\x2f\xfd", format("compressed by zstd, not text", "decompress it: `unzstd FILE`")),
    (b"BZh", format("compressed by bzip2, not text", "decompress it: `bunzip2 FILE`")),
    (b"\xfd7zXZ\0", format("compressed by xz, not text", "decompress it: `unxz FILE`")),
    (b"\x04\x22\x4d\x18", format("compressed by LZ4, not text", "decompress it: `unlz4 FILE`")),
    (
        b"PK\x03\x04",
        format("a zip archive or a spreadsheet, not text", "unpack it, or save the sheet as CSV"),
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        format("an old spreadsheet, not text", "save the sheet as CSV"),
    ),
    (
        b"PAR1",
        format("a Parquet file, not text", "write it as CSV: `df.to_csv(FILE, index=False)`"),
    ),
    (b"ARROW1", ARROW),
    (b"\xff\xff\xff\xff", ARROW),
    (b"ORC", format("an ORC file, not text", "write it as CSV or Parquet")),
    (b"Obj\x01", format("an Avro file, not text", "write it as CSV or Parquet")),
    (b"SQLite format 3\0", format("a database of SQLite, not text", "export a table as CSV")),
    (b"\x89HDF\r\n\x1a\n", format("an HDF5 file, not text", "write it as CSV or Parquet")),
    (b"\x93NUMPY", format("an array of NumPy, not text", "write it as CSV: `np.savetxt`")),
];

impl Format {
    /// Text in UTF-16. It has no signature of its own: most of its second bytes are zero.
    pub const UTF_16: Self = format("UTF-16, not UTF-8", "convert it: `iconv -f UTF-16 -t UTF-8`");

    /// The format of a file that is no text, told by its first bytes.
    #[must_use]
    pub fn of(beginning: &[u8]) -> Option<Self> {
        let known = FORMATS.iter().find(|(magic, _)| beginning.starts_with(magic));
        known.map(|(_, format)| *format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_as_a_file_of_another_format_does() {
        for text in
            ["", "a,b\n1,2\n", "{\"a\":1}\n", "\u{feff}a;b\n", "PK,b\n", "\u{ff}a\n", "Obj,b"]
        {
            assert_eq!(Format::of(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Format::of(b"\xfe\xff\0a"), Some(Format::UTF_16));
        assert_eq!(Format::of(b"PK\x03\x04\x14\0").unwrap().remedy, FORMATS[7].1.remedy);
    }
}
