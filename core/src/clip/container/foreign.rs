//! Kinds of files that are known and can't be read, so that an error can say what a file is.

/// What a file begins with, and what it is then.
const KINDS: [(&[u8], &str); 21] = [
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
    (b"wvpk", "a WavPack file"),
    (b"MAC ", "a Monkey's Audio file"),
    (b"TTA1", "a True Audio file"),
    (b"\x0b\x77", "a Dolby AC-3 file"),
    (b"#!AMR", "an AMR file, as telephones record speech"),
    (b"DSD ", "a DSD file"),
    (b"FRM8", "a DSD file"),
    (b"MPCK", "a Musepack file"),
    (b"MP+", "a Musepack file"),
    (b"MThd", "a MIDI file, which holds notes and no sound"),
    (b"FLV\x01", "a Flash video"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
];
/// Where the kind of an OGG stream stands, and that of Speex.
const OGG_KIND_AT: usize = 28;
const SPEEX: &[u8] = b"Speex   ";
/// Bytes at the start that are looked at.
pub(super) const LOOKED_AT: u64 = 512;

/// What a file that begins with `start` is, if it is one of these.
pub(super) fn kind(start: &[u8]) -> Option<&'static str> {
    let known = KINDS.iter().find(|(magic, _)| start.starts_with(magic));
    if let Some((_, kind)) = known {
        return Some(kind);
    }
    let stream = start.get(OGG_KIND_AT..).unwrap_or_default();
    if start.starts_with(b"OggS") && stream.starts_with(SPEEX) {
        return Some("an OGG file of Speex");
    }
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e);
    (start.len() >= 16 && start.iter().all(is_text)).then_some("a text, such as a web page")
}
