"""Makes the sound files that `sound_files.py` compares: by libsndfile, ffmpeg and sox, and by our own bytes."""

import struct
import subprocess

import numpy
import soundfile

RATE = 44100
FRAMES = 57331

# Formats of libsndfile that a musician or a library of sounds has or once had.
SNDFILE_FORMATS = ["WAV", "WAVEX", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3", "W64", "RF64", "VOC", "NIST", "IRCAM",
                   "SVX", "AVR", "PAF", "PVF", "SDS"]
LOSSY = ("mp3", "vorbis", "opus", "aac", "mpeg", "m4a", "ogg", "m4b")


def is_lossy(name):
    """Whether decoders of the file may differ by more than the rounding of samples."""
    return any(word in name for word in LOSSY) and not any(word in name for word in ("flac", "alac"))


def truth(name, folder):
    """The samples and the rate that a damaged file or a chain was made of, if that is known."""
    links = sorted(folder.glob(f"source_of_{name}_*"))
    if links:
        sounds = [soundfile.read(link, dtype="float32", always_2d=True) for link in links]
        wide = max(sound.shape[1] for sound, _ in sounds)
        return numpy.concatenate([numpy.repeat(s, wide // s.shape[1], 1) for s, _ in sounds]), sounds[0][1]
    if name.startswith("sf_sds_"):
        # libsndfile loses the last packet, ffmpeg takes what fills it up for sound. Its period is in whole nanoseconds.
        sibling = folder / name.replace("sds", "aiff")
        return soundfile.read(sibling, dtype="float32", always_2d=True)[0], 10**9 // (10**9 // RATE)
    if name.startswith(("wav_data_", "wav_riff_", "aiff_ssnd_", "aiff_form_", "aiff_frames_")):
        return noise(2).astype("f4") / 32768, RATE
    return None


def noise(channels, seed=7, frames=FRAMES):
    """Reddish noise as 16-bit numbers."""
    random = numpy.random.default_rng(seed)
    white = random.standard_normal((frames + 2, channels))
    smooth = (white[:-2] + 2 * white[1:-1] + white[2:]) * 3000
    return numpy.clip(smooth, -32000, 32000).astype("<i2")


def make(folder):
    """Writes all files into `folder` and returns their paths in order."""
    before = {path for path in folder.iterdir()}
    for path in before:
        if path.is_file():
            path.unlink()
    by_sndfile(folder)
    by_ffmpeg(folder)
    by_sox(folder)
    wav_defects(folder)
    wav_formats(folder)
    aiff_defects(folder)
    other_defects(folder)
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("source"))


def by_sndfile(folder):
    for kind in SNDFILE_FORMATS:
        if kind not in soundfile.available_formats():
            continue
        for subtype in soundfile.available_subtypes(kind):
            for endian in ("FILE", "LITTLE", "BIG"):
                for channels in (1, 2, 6):
                    if channels == 6 and subtype not in ("PCM_16", "PCM_24", "FLOAT", "VORBIS"):
                        continue
                    if endian != "FILE" and channels != 2:
                        continue
                    rate = 48000 if subtype == "OPUS" else RATE
                    if subtype.startswith(("G72", "NMS", "VOX", "DWVW")) and channels > 1:
                        continue
                    if (kind, subtype) == ("SDS", "PCM_S8"):
                        # It writes other samples than it was given.
                        continue
                    end = "" if endian == "FILE" else f"_{endian.lower()}"
                    path = folder / f"sf_{kind}_{subtype}_{channels}{end}.{kind.lower()}".lower()
                    samples = noise(channels).astype("f8") / 32768
                    try:
                        soundfile.write(path, samples, rate, format=kind, subtype=subtype, endian=endian)
                    except (soundfile.LibsndfileError, ValueError):
                        path.unlink(missing_ok=True)


FFMPEG_FILES = [
    ("aac.m4a", "-c:a aac -b:a 192k"), ("aac_mono.m4a", "-ac 1 -c:a aac"), ("aac.m4b", "-c:a aac -f ipod"),
    ("aac_fragmented.mp4", "-c:a aac -movflags +frag_keyframe+empty_moov"), ("aac.mov", "-c:a aac"),
    ("aac_faststart.m4a", "-c:a aac -movflags +faststart"), ("aac.aac", "-c:a aac"), ("aac.caf", "-c:a aac"),
    ("aac_48.m4a", "-ar 48000 -c:a aac"), ("aac_noedits.m4a", "-c:a aac -use_editlist 0"),
    ("aac.mkv", "-c:a aac"), ("aac_51.m4a", "-ac 6 -c:a aac"),
    ("alac.m4a", "-c:a alac"), ("alac_24.m4a", "-sample_fmt s32p -c:a alac"), ("alac.caf", "-c:a alac"),
    ("alac.mov", "-c:a alac"), ("flac.mp4", "-c:a flac -strict -2"), ("flac.mkv", "-c:a flac"),
    ("mp3.mp4", "-c:a libmp3lame"), ("opus.mp4", "-c:a libopus"), ("opus.caf", "-c:a libopus"),
    ("opus.opus", "-c:a libopus"), ("opus.webm", "-c:a libopus"), ("opus_mono.opus", "-ac 1 -c:a libopus"),
    ("opus_voip.opus", "-ac 1 -c:a libopus -application voip -b:a 16k"),
    ("opus_hybrid.opus", "-c:a libopus -application voip -b:a 40k"),
    ("opus_short.opus", "-c:a libopus -frame_duration 2.5"), ("opus_long.opus", "-c:a libopus -frame_duration 60"),
    ("vorbis.ogg", "-c:a libvorbis"), ("vorbis_mono.ogg", "-ac 1 -c:a libvorbis"), ("vorbis.mkv", "-c:a libvorbis"),
    ("vorbis_low.ogg", "-ar 22050 -c:a libvorbis -q:a 0"), ("flac.oga", "-c:a flac"), ("vorbis_51.ogg", "-ac 6 -c:a libvorbis"),
    ("flac.flac", "-c:a flac"), ("flac_24.flac", "-sample_fmt s32 -c:a flac"), ("flac_51.flac", "-ac 6 -c:a flac"),
    ("mp3_cbr.mp3", "-c:a libmp3lame -b:a 128k"), ("mp3_vbr.mp3", "-c:a libmp3lame -q:a 3"),
    ("mp3_mono.mp3", "-ac 1 -c:a libmp3lame"), ("mp3_noxing.mp3", "-c:a libmp3lame -write_xing 0"),
    ("mp3_22.mp3", "-ar 22050 -c:a libmp3lame"), ("mp3_8.mp3", "-ar 8000 -c:a libmp3lame"),
    ("mp3_id3v23.mp3", "-c:a libmp3lame -id3v2_version 3 -write_id3v1 1 -metadata title=x"),
    ("mp3_id3v24.mp3", "-c:a libmp3lame -id3v2_version 4 -metadata title=x"),
    ("mp3_noid3.mp3", "-c:a libmp3lame -id3v2_version 0"), ("mp2.mp2", "-c:a mp2"),
    ("mp3.wav", "-c:a libmp3lame -f wav"), ("aac.wav", "-c:a aac -f wav"),
    ("adpcm_ms.wav", "-c:a adpcm_ms"), ("adpcm_ima.wav", "-c:a adpcm_ima_wav"),
    ("adpcm_ms_mono.wav", "-ac 1 -c:a adpcm_ms"), ("adpcm_ima_mono.wav", "-ac 1 -c:a adpcm_ima_wav"),
    ("ulaw.wav", "-c:a pcm_mulaw"), ("alaw.wav", "-c:a pcm_alaw"), ("u8.wav", "-c:a pcm_u8"),
    ("s16.wav", "-c:a pcm_s16le"), ("s24.wav", "-c:a pcm_s24le"), ("s32.wav", "-c:a pcm_s32le"),
    ("f32.wav", "-c:a pcm_f32le"), ("f64.wav", "-c:a pcm_f64le"), ("s16_51.wav", "-ac 6 -c:a pcm_s16le"),
    ("s24_51.wav", "-ac 6 -c:a pcm_s24le"), ("rf64.wav", "-c:a pcm_s16le -rf64 always"), ("s16.w64", "-c:a pcm_s16le"),
    ("s24.w64", "-c:a pcm_s24le"), ("ima_qt.aifc", "-c:a adpcm_ima_qt -f aiff"), ("s16.aiff", "-c:a pcm_s16be"),
    ("s24.aiff", "-c:a pcm_s24be"), ("s32.aiff", "-c:a pcm_s32be"), ("s8.aiff", "-c:a pcm_s8"),
    ("sowt.aifc", "-c:a pcm_s16le -f aiff"), ("fl32.aifc", "-c:a pcm_f32be -f aiff"),
    ("fl64.aifc", "-c:a pcm_f64be -f aiff"), ("ulaw.aifc", "-c:a pcm_mulaw -f aiff"),
    ("alaw.aifc", "-c:a pcm_alaw -f aiff"),
    ("s8.caf", "-c:a pcm_s8"), ("s16be.caf", "-c:a pcm_s16be"), ("s16le.caf", "-c:a pcm_s16le"),
    ("s24be.caf", "-c:a pcm_s24be"), ("s24le.caf", "-c:a pcm_s24le"), ("s32le.caf", "-c:a pcm_s32le"),
    ("s32be.caf", "-c:a pcm_s32be"), ("f32le.caf", "-c:a pcm_f32le"), ("f32be.caf", "-c:a pcm_f32be"),
    ("f64le.caf", "-c:a pcm_f64le"), ("f64be.caf", "-c:a pcm_f64be"), ("ulaw.caf", "-c:a pcm_mulaw"),
    ("alaw.caf", "-c:a pcm_alaw"), ("ima4.caf", "-c:a adpcm_ima_qt"), ("mp3.caf", "-c:a libmp3lame"),
    ("s16be.au", "-c:a pcm_s16be"), ("s24be.au", "-c:a pcm_s24be"), ("s32be.au", "-c:a pcm_s32be"),
    ("s8.au", "-c:a pcm_s8"), ("ulaw.au", "-c:a pcm_mulaw"), ("alaw.au", "-c:a pcm_alaw"),
    ("f32be.au", "-c:a pcm_f32be"), ("f64be.au", "-c:a pcm_f64be"),
    ("s16.voc", "-c:a pcm_s16le"), ("u8.voc", "-c:a pcm_u8"), ("s16le.mov", "-c:a pcm_s16le"),
    ("s24be.mov", "-c:a pcm_s24be"), ("f32.mov", "-c:a pcm_f32le"), ("ulaw.mov", "-c:a pcm_mulaw"),
    ("alaw.mov", "-c:a pcm_alaw"), ("s24le.mov", "-c:a pcm_s24le"), ("s32be.mov", "-c:a pcm_s32be"),
    ("s32le.mov", "-c:a pcm_s32le"), ("s16be.mov", "-c:a pcm_s16be"), ("s8.mov", "-c:a pcm_s8"),
    ("u8.mov", "-c:a pcm_u8"), ("f32be.mov", "-c:a pcm_f32be"), ("f64le.mov", "-c:a pcm_f64le"),
    ("f64be.mov", "-c:a pcm_f64be"), ("ima4.mov", "-c:a adpcm_ima_qt"), ("ima4_mono.mov", "-ac 1 -c:a adpcm_ima_qt"),
    ("gsm.mov", "-ar 8000 -ac 1 -c:a libgsm"), ("gsm.caf", "-ar 8000 -ac 1 -c:a libgsm"),
    ("alac_24.mov", "-sample_fmt s32p -c:a alac"), ("s24be_96.mov", "-ar 96000 -c:a pcm_s24be"),
    ("s16be_51.mov", "-ac 6 -c:a pcm_s16be"), ("alac_mono.mov", "-ac 1 -c:a alac"), ("mp3.mov", "-c:a libmp3lame"),
    ("wma.wma", "-c:a wmav2"), ("wavpack.wv", "-c:a wavpack"), ("tta.tta", "-c:a tta"), ("ac3.ac3", "-c:a ac3"),
    ("speex.spx", "-ar 16000 -ac 1 -c:a libspeex"), ("amr.amr", "-ar 8000 -ac 1 -c:a libopencore_amrnb"),
    ("gsm.wav", "-ar 8000 -ac 1 -c:a libgsm_ms"), ("g726.wav", "-ar 8000 -ac 1 -c:a g726"),
]


def ffmpeg(*arguments):
    command = ["ffmpeg", "-nostdin", "-v", "quiet", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True)


def by_ffmpeg(folder):
    source = folder / "source.wav"
    soundfile.write(source, noise(2), RATE, subtype="PCM_16")
    for name, options in FFMPEG_FILES:
        path = folder / f"ff_{name}"
        if ffmpeg("-i", source, *options.split(), path).returncode:
            path.unlink(missing_ok=True)
    # With pictures between its parts, as cameras make it.
    pictures = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=25", "-shortest", "-c:v", "mpeg4"]
    for kind, encoding in (("mov", "pcm_s16be"), ("mov", "pcm_s24be"), ("mov", "alac"), ("mov", "aac"), ("mov", "pcm_mulaw"),
                           ("mp4", "aac"), ("mp4", "alac"), ("mov", "adpcm_ima_qt")):
        path = folder / f"ff_video_{encoding}.{kind}"
        if ffmpeg("-i", source, *pictures, "-c:a", encoding, path).returncode:
            path.unlink(missing_ok=True)
    # To a pipe: no size is known.
    for kind, encoding in (("wav", "pcm_s16le"), ("wav", "pcm_s24le"), ("au", "pcm_s16be"), ("flac", "flac"),
                           ("mp3", "libmp3lame"), ("caf", "pcm_s16be")):
        output = ffmpeg("-i", source, "-c:a", encoding, "-f", kind, "-").stdout
        if output:
            (folder / f"ff_pipe_{encoding}.{kind}").write_bytes(output)
    chains(folder)


def chains(folder):
    """OGG streams one after the other, as stations and recorders that are stopped and go on make them."""
    for codec, kind in (("libvorbis", "ogg"), ("flac", "oga"), ("libopus", "opus")):
        links = []
        for number in range(3):
            source, path = folder / "source_link.wav", folder / f"source_link.{kind}"
            soundfile.write(source, noise(2, 20 + number, 31000), RATE, subtype="PCM_16")
            ffmpeg("-i", source, "-c:a", codec, "-serial_offset", number + 1, path)
            links.append(path.read_bytes())
        soundfile.write(source, noise(1, 30, 31000), RATE, subtype="PCM_16")
        ffmpeg("-i", source, "-c:a", codec, "-serial_offset", 9, path)
        mono = path.read_bytes()
        for name, chain in {"three": links, "same_serial": [links[0]] * 2, "mono": [links[0], mono],
                            "cut": [links[0], links[1][: len(links[1]) // 2]]}.items():
            name = f"ff_chain_{name}_{codec}.{kind}"
            (folder / name).write_bytes(b"".join(chain))
            for number, link in enumerate(chain if "cut" not in name else []):
                (folder / f"source_of_{name}_{number}.ogg").write_bytes(link)


SOX_FILES = [
    ("s16.wav", "-b 16"), ("s24.wav", "-b 24"), ("f32.wav", "-e floating-point -b 32"), ("u8.wav", "-b 8"),
    ("ms.wav", "-e ms-adpcm"), ("ima.wav", "-e ima-adpcm"), ("gsm.wav", "-r 8000 -c 1 -e gsm-full-rate"),
    ("ulaw.wav", "-e mu-law"), ("alaw.wav", "-e a-law"), ("s16.aiff", "-b 16"), ("s24.aiff", "-b 24"),
    ("s16.aifc", "-b 16"), ("f32.aifc", "-e floating-point -b 32"), ("s16.au", "-b 16"), ("ulaw.au", "-e mu-law"),
    ("s16_little.au", "-b 16 -L"), ("f32.au", "-e floating-point -b 32"), ("s16.snd", "-t au -b 16"),
    ("vorbis.ogg", ""), ("s16.flac", ""), ("mp3.mp3", ""), ("s16.w64", "-b 16"), ("s16.caf", "-b 16"),
    ("s16.sph", "-b 16"), ("ulaw.sph", "-e mu-law"), ("u8.voc", "-b 8 -c 1"), ("s16.voc", "-b 16"),
    ("s8.8svx", "-c 1 -b 8"), ("s16.sf", "-b 16"), ("s16.avr", "-b 16 -c 1"), ("s16_51.wav", "-b 16 -c 6"),
    ("g721.wav", "-r 8000 -c 1 -e ima-adpcm -b 4"), ("s8.au", "-b 8"), ("rifx.wav", "-B -b 16"),
    ("s32.paf", "-t paf -b 16"),
]


def by_sox(folder):
    for name, options in SOX_FILES:
        path = folder / f"sox_{name}"
        command = ["sox", "-D", "-V0", str(folder / "source.wav"), *options.split(), str(path)]
        if subprocess.run(command, capture_output=True).returncode:
            path.unlink(missing_ok=True)


def chunk(name, body, size=None, order="<", pad=True):
    size = len(body) if size is None else size & 0xFFFFFFFF
    padding = b"\0" if len(body) % 2 and pad else b""
    return name + struct.pack(order + "I", size) + body + padding


def riff(*chunks, magic=b"RIFF", size=None, order="<"):
    body = b"WAVE" + b"".join(chunks)
    size = len(body) if size is None else size & 0xFFFFFFFF
    return magic + struct.pack(order + "I", size) + body


def wave_format(tag=1, channels=2, bits=16, more=b"", block=None, order="<", rate=RATE):
    block = channels * -(-bits // 8) if block is None else block
    return struct.pack(order + "HHIIHH", tag, channels, rate, rate * block, block, bits) + more


def wav_defects(folder):
    data = noise(2).tobytes()
    fmt, sound, right = chunk(b"fmt ", wave_format()), chunk(b"data", data), len(data)
    info = b"INFOISFT\x05\0\0\0Suite\0IART\x04\0\0\0abc\0"
    files = {"plain": riff(fmt, sound)}
    for name, size in {"0": 0, "minus1": -1, "max": 0x7FFFFFFF, "plus8": right + 8, "minus8": right - 8,
                       "plus36": right + 36, "minus36": right - 36, "plus44": right + 44, "plus4": right + 4,
                       "odd": right - 1, "half": right // 2, "2gb": 0x7FFFF000}.items():
        files[f"data_{name}"] = riff(fmt, chunk(b"data", data, size))
        files[f"data_{name}_list"] = riff(fmt, chunk(b"data", data, size), chunk(b"LIST", info))
    for name, size in {"0": 0, "minus1": -1, "4": 4, "36": 36, "plus8": right + 44, "huge": 0x7FFFFFFF}.items():
        files[f"riff_{name}"] = riff(fmt, sound, size=size)
    files["both_0"] = riff(fmt, chunk(b"data", data, 0), size=0)
    files["both_minus1"] = riff(fmt, chunk(b"data", data, -1), size=-1)
    before = {
        "list": chunk(b"LIST", info), "list_unpadded": chunk(b"LIST", info + b"x", pad=False),
        "junk": chunk(b"JUNK", bytes(4321)), "bext": chunk(b"bext", bytes(602)), "fact_lies": chunk(b"fact", b"\1\0\0\0"),
        "fact_empty": chunk(b"fact", b""), "cue_lies": chunk(b"cue ", b"\xff" * 4), "smpl_short": chunk(b"smpl", bytes(9)),
        "id3": chunk(b"id3 ", b"ID3\3\0\0\0\0\0\5hello"), "id3_damaged": chunk(b"id3 ", b"ID3" + b"\xff" * 7),
        "list_lies": chunk(b"LIST", info, 10), "list_huge": chunk(b"LIST", info, 0x7FFFFFF0),
        "info_lies": chunk(b"LIST", b"INFOISFT\xff\xff\xff\xff"), "ixml": chunk(b"iXML", b"<a></a>"),
        "peak": chunk(b"PEAK", bytes(24)), "unknown": chunk(b"xyzw", bytes(100)), "acid": chunk(b"acid", bytes(24)),
        "strange_name": chunk(b"\xa9abc", bytes(6)), "large": chunk(b"JUNK", bytes(300_000)),
    }
    for name, description in before.items():
        files[f"{name}_first"] = riff(description, fmt, sound)
        files[f"{name}_between"] = riff(fmt, description, sound)
        files[f"{name}_behind"] = riff(fmt, sound, description)
    files["data_first"] = riff(sound, fmt)
    files["data_odd_unpadded"] = riff(fmt, chunk(b"data", data[:-1], pad=False), chunk(b"LIST", info))
    files["two_data"] = riff(fmt, sound, chunk(b"data", data[:4000]))
    files["two_fmt"] = riff(fmt, chunk(b"fmt ", wave_format(channels=1)), sound)
    files["zeros_behind"] = riff(fmt, sound) + bytes(100)
    files["id3v1_behind"] = riff(fmt, sound) + b"TAGtitle" + bytes(120)
    files["id3v2_before"] = b"ID3\4\0\0\0\0\0\5hello" + riff(fmt, sound)
    files["cut"] = riff(fmt, sound)[: right // 2 + 44]
    files["cut_frame"] = riff(fmt, sound)[:-3]
    order = ">"
    swapped = noise(2).astype(">i2").tobytes()
    big_fmt = chunk(b"fmt ", wave_format(order=order), order=order)
    files["rifx"] = riff(big_fmt, chunk(b"data", swapped, order=order), magic=b"RIFX", order=order)
    for magic in (b"RF64", b"BW64"):
        for name, size in {"": right, "_0": 0, "_lies": right + 8}.items():
            sizes = struct.pack("<QQQI", 4 + 36 + 24 + 8 + right, size, right // 4, 0)
            files[magic.decode().lower() + name] = riff(chunk(b"ds64", sizes), fmt, chunk(b"data", data, -1),
                                                        magic=magic, size=-1)
    for name, content in files.items():
        (folder / f"wav_{name}.wav").write_bytes(content)


def wav_formats(folder):
    tail = bytes.fromhex("000000001000800000aa00389b71")
    wide = noise(2).astype("<i4") << 16
    in_24 = numpy.frombuffer(wide.tobytes(), "u1").reshape(-1, 4)[:, 1:].tobytes()
    # Of twelve and twenty bits, those above; the others are nothing.
    twelve, twenty = (noise(2) & ~15).astype("<i2").tobytes(), in_24
    eight = ((noise(2) >> 8) + 128).astype("u1").tobytes()
    floats = (noise(2).astype("f8") / 32768)
    files = {
        "8": (wave_format(bits=8), eight), "12": (wave_format(bits=12), twelve),
        "20": (wave_format(bits=20), twenty), "24": (wave_format(bits=24), in_24),
        "32": (wave_format(bits=32), wide.tobytes()), "f32": (wave_format(3, bits=32), floats.astype("<f4").tobytes()),
        "f64": (wave_format(3, bits=64), floats.tobytes()),
        "24_in_32": (wave_format(bits=24, block=8), wide.tobytes()),
        "no_block": (wave_format(block=0), noise(2).tobytes()),
        "18_bytes": (wave_format(more=b"\0\0"), noise(2).tobytes()),
        "20_bytes": (wave_format(more=bytes(4)), noise(2).tobytes()),
        "40_bytes": (wave_format(more=b"\x16\0" + bytes(22)), noise(2).tobytes()),
        "wrong_rate_bytes": (wave_format()[:8] + bytes(4) + wave_format()[12:], noise(2).tobytes()),
        "6": (wave_format(channels=6), noise(6).tobytes()), "4": (wave_format(channels=4), noise(4).tobytes()),
        "mono": (wave_format(channels=1), noise(1).tobytes()),
    }
    for bits, valid, data in ((16, 16, noise(2).tobytes()), (16, 12, twelve), (24, 20, twenty), (24, 24, in_24),
                              (32, 24, wide.tobytes()), (32, 32, wide.tobytes()), (16, 0, noise(2).tobytes()),
                              (8, 8, eight)):
        for mask in (0, 3, 4, 0x3F, 0xFFFFFFFF):
            more = struct.pack("<HHIH", 22, valid, mask, 1) + tail
            files[f"extensible_{bits}_{valid}_{mask:x}"] = (wave_format(0xFFFE, bits=bits, more=more), data)
    more = struct.pack("<HHIH", 22, 32, 3, 3) + tail
    files["extensible_f32"] = (wave_format(0xFFFE, bits=32, more=more), floats.astype("<f4").tobytes())
    more = struct.pack("<HHIH", 22, 16, 0x3F, 1) + tail
    files["extensible_51"] = (wave_format(0xFFFE, 6, more=more), noise(6).tobytes())
    more = struct.pack("<HHIH", 0, 16, 3, 1) + tail
    files["extensible_size_0"] = (wave_format(0xFFFE, more=more), noise(2).tobytes())
    for tag, name in ((6, "alaw"), (7, "ulaw")):
        files[name] = (wave_format(tag, bits=8), eight)
        files[f"{name}_16_bits"] = (wave_format(tag, bits=16, block=2), eight)
    for name, (fmt, data) in files.items():
        (folder / f"fmt_{name}.wav").write_bytes(riff(chunk(b"fmt ", fmt), chunk(b"data", data)))


def extended(rate):
    """The rate as an 80-bit float."""
    exponent = rate.bit_length() - 1
    return struct.pack(">HQ", 16383 + exponent, rate << (63 - exponent))


def common(frames, bits=16, letters=None, channels=2):
    body = struct.pack(">HIH", channels, frames, bits) + extended(RATE)
    return chunk(b"COMM", body + (letters + b"\0\0" if letters else b""), order=">")


def form(*chunks, kind=b"AIFF", size=None):
    body = kind + b"".join(chunks)
    return b"FORM" + struct.pack(">I", (len(body) if size is None else size) & 0xFFFFFFFF) + body


def aiff_defects(folder):
    order = ">"
    data = noise(2).astype(">i2").tobytes()
    body = bytes(8) + data
    comm, ssnd = common(FRAMES), chunk(b"SSND", body, order=order)
    version = chunk(b"FVER", struct.pack(">I", 0xA2805140), order=order)
    files = {"plain": form(comm, ssnd), "ssnd_first": form(ssnd, comm)}
    for name, size in {"0": 0, "minus1": -1, "plus8": len(body) + 8, "minus8": len(body) - 8}.items():
        files[f"ssnd_{name}"] = form(comm, chunk(b"SSND", body, size, order))
    for name, size in {"0": 0, "minus1": -1, "4": 4}.items():
        files[f"form_{name}"] = form(comm, ssnd, size=size)
    for name, frames in {"0": 0, "more": FRAMES + 99, "fewer": FRAMES - 99}.items():
        files[f"frames_{name}"] = form(common(frames), ssnd)
    files["offset"] = form(comm, chunk(b"SSND", struct.pack(">II", 8, 0) + bytes(8) + data, order=order))
    files["block"] = form(comm, chunk(b"SSND", struct.pack(">II", 0, 512) + data, order=order))
    descriptions = {
        "mark_empty": chunk(b"MARK", b"", order=order), "mark_lies": chunk(b"MARK", b"\0\x09", order=order),
        "comt_lies": chunk(b"COMT", b"\xff\xff\xff", order=order), "id3": chunk(b"ID3 ", b"ID3\xff\xff", order=order),
        "name_unpadded": b"NAME\0\0\0\3odd", "anno_odd": chunk(b"ANNO", b"odd", order=order),
        "inst": chunk(b"INST", bytes(20), order=order), "appl": chunk(b"APPL", b"pdosname", order=order),
    }
    for name, description in descriptions.items():
        files[f"{name}_first"] = form(description, comm, ssnd)
        files[f"{name}_behind"] = form(comm, ssnd, description)
    wide = noise(2).astype(">i4") << 16
    big_bytes = numpy.frombuffer(wide.astype(">i4").tobytes(), "u1").reshape(-1, 4)
    floats = noise(2).astype("f8") / 32768
    kinds = {
        b"NONE": (16, data), b"twos": (16, data), b"sowt": (16, noise(2).tobytes()),
        b"in24": (24, big_bytes[:, :3].tobytes()), b"in32": (32, big_bytes.tobytes()),
        b"42ni": (24, big_bytes[:, 2::-1].tobytes()), b"23ni": (32, big_bytes[:, ::-1].tobytes()),
        b"fl32": (32, floats.astype(">f4").tobytes()), b"FL32": (32, floats.astype(">f4").tobytes()),
        b"fl64": (64, floats.astype(">f8").tobytes()), b"raw ": (8, ((noise(2) >> 8) + 128).astype("u1").tobytes()),
        b"ulaw": (8, data[::2]), b"alaw": (8, data[::2]), b"ULAW": (16, data[::2]),
    }
    for letters, (bits, sound) in kinds.items():
        name = letters.decode().strip() + ("_upper" if letters.isupper() else "")
        sound = chunk(b"SSND", bytes(8) + sound, order=order)
        files[f"c_{name}"] = form(version, common(FRAMES, bits, letters), sound, kind=b"AIFC")
    for bits, width in ((8, 1), (12, 2), (20, 3), (24, 3), (32, 4)):
        sound = big_bytes[:, :width].tobytes()
        if bits == 12:
            sound = (noise(2) & ~15).astype(">i2").tobytes()
        files[f"{bits}"] = form(common(FRAMES, bits), chunk(b"SSND", bytes(8) + sound, order=order))
    for name, content in files.items():
        (folder / f"aiff_{name}.aiff").write_bytes(content)


def other_defects(folder):
    """What else recorders, taggers and broken downloads make of files."""
    id3 = b"ID3\4\0\0\0\0\0\x14TIT2\0\0\0\4\0\0\0xyz" + bytes(6)
    ape = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0x80000000) + bytes(8)
    v1 = b"TAGtitle" + bytes(120)
    for kind in ("mp3_cbr.mp3", "mp3_vbr.mp3", "flac.flac", "aac.aac", "vorbis.ogg"):
        path = folder / f"ff_{kind}"
        if not path.exists():
            continue
        name, content = kind.replace(".", "_"), path.read_bytes()
        end = kind.rsplit(".", 1)[1]
        (folder / f"tag_{name}_id3v2.{end}").write_bytes(id3 + content)
        (folder / f"tag_{name}_id3v1.{end}").write_bytes(content + v1)
        (folder / f"tag_{name}_ape.{end}").write_bytes(content + ape + v1)
        (folder / f"cut_{name}.{end}").write_bytes(content[: len(content) * 9 // 10])
        (folder / f"wrong_name_{name}.wav").write_bytes(content)
    flac = bytearray((folder / "ff_flac.flac").read_bytes())
    for name, total in {"0": 0, "more": FRAMES + 5000, "fewer": FRAMES - 5000}.items():
        changed = bytearray(flac)
        # The lower 32 of 36 bits of the number of frames, in the first block's bytes 14 to 17.
        changed[8 + 14 : 8 + 18] = struct.pack(">I", total)
        (folder / f"flac_total_{name}.flac").write_bytes(changed)
    changed = bytearray(flac)
    changed[8 + 18 : 8 + 34] = bytes(range(16))
    (folder / "flac_md5_wrong.flac").write_bytes(changed)
    data = noise(2).astype(">i2").tobytes()
    for name, offset, size, magic, order in (("plain", 24, len(data), b".snd", ">"), ("unknown", 24, -1, b".snd", ">"),
                                             ("zero", 24, 0, b".snd", ">"), ("more", 24, len(data) + 9, b".snd", ">"),
                                             ("note", 64, len(data), b".snd", ">"), ("little", 32, len(data), b"dns.", "<")):
        sound = noise(2).tobytes() if order == "<" else data
        header = struct.pack(order + "IIIII", offset, size & 0xFFFFFFFF, 3, RATE, 2)
        header += bytes(offset - 24)
        (folder / f"au_{name}.au").write_bytes(magic + header + sound)
    caf = b"caff\0\1\0\0" + b"desc" + struct.pack(">q", 32)
    caf += struct.pack(">d4sIIIII", float(RATE), b"lpcm", 0, 4, 1, 2, 16)
    free = b"free" + struct.pack(">q", 400) + bytes(400)
    for name, size, between in (("plain", len(data) + 4, b""), ("unknown", -1, b""), ("more", len(data) + 44, b""),
                                ("free", len(data) + 4, free), ("zero", 0, b"")):
        sound = b"data" + struct.pack(">q", size) + bytes(4) + data
        (folder / f"caf_{name}.caf").write_bytes(caf + between + sound)
