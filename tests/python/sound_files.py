"""Compares what Weft reads of sound files with what libsndfile and ffmpeg read.

Makes files in every format, encoding and state of damage that they can be expected in, reads each with all three,
and prints by which it is read and whether the samples are the same. It needs ffmpeg, sox and the Python packages
numpy and soundfile (which brings libsndfile), and the example that reads as Weft does:

    cargo build -p weft-core --example clip_samples
    python tests/python/sound_files.py

The exit code is 1 if there is a file that both of the others read and Weft does not, or differently.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import soundfile

import sound_file_corpus

# Largest differences that are still called equal up to rounding: half a step of 16 bits, as decoders of lossy
# formats that calculate in whole numbers and in floats differ by.
ROUNDING = 0.6 / 32768
# Lossy decoders with noise of their own, or another order of sums, stay within this (-54 dB).
LOSSY_ROUNDING = 2e-3

HALF = 0.5**0.5
# Gains of the channels of 5.1 to left and right, as `Clip::read` documents them.
SURROUND = numpy.array([[1, 0], [0, 1], [HALF, HALF], [0, 0], [HALF, 0], [0, HALF]])


def read_by_libsndfile(path):
    """Samples in frames and channels and the sample rate, or None."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return (samples, rate) if len(samples) else None
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError):
        return None


def read_by_ffmpeg(path):
    """The same by ffmpeg, whose AU output says what it has decoded."""
    command = ["ffmpeg", "-nostdin", "-v", "quiet", "-i", str(path), "-map", "0:a:0"]
    command += ["-map_metadata", "-1", "-c:a", "pcm_f32be", "-f", "au", "-"]
    output = subprocess.run(command, capture_output=True, timeout=60).stdout
    if len(output) < 28:
        return None
    offset, _, _, rate, channels = numpy.frombuffer(output[4:24], ">u4")
    samples = numpy.frombuffer(output[offset:], ">f4")
    samples = samples[: len(samples) // channels * channels].reshape(-1, channels)
    return (samples.astype("f4"), int(rate)) if len(samples) else None


def read_by_weft(reader, paths, folder):
    """The same by Weft for each path, or why it can't be read."""
    output = subprocess.run([reader, folder, *paths], capture_output=True, text=True, timeout=900)
    results = ["the reader ended early"] * len(paths)
    for line in output.stdout.splitlines():
        number, *rest = line.split("\t")
        if len(rest) == 3:
            rate, channels, _ = map(int, rest)
            samples = numpy.fromfile(Path(folder) / f"{number}.f32", "<f4")
            results[int(number)] = (samples.reshape(-1, channels), rate)
        else:
            results[int(number)] = rest[0]
    return results


def mixes(sound):
    """The ways in which Weft mixes more than two channels: with and without speaker positions."""
    samples, rate = sound
    channels = samples.shape[1]
    if channels <= 2:
        return [sound]
    in_turn = numpy.array([[1, 0], [0, 1]] * channels)[:channels]
    gains = [SURROUND, in_turn] if channels == 6 else [in_turn]
    return [((samples.astype("f8") @ (g / g.sum(axis=0).max())).astype("f4"), rate) for g in gains]


def difference(weft, other):
    """The largest difference of samples; None if rates, channels or lengths differ."""
    differences = []
    for mixed in mixes(other):
        if weft[1] == mixed[1] and weft[0].shape == mixed[0].shape:
            pair = [numpy.nan_to_num(sound[0].astype("f8"), posinf=9, neginf=9) for sound in (weft, mixed)]
            differences.append(float(numpy.abs(pair[0] - pair[1]).max()))
    return min(differences, default=None)


def compared(weft, other, is_lossy, is_opus=False):
    """In a word how Weft's samples and another's differ."""
    if other is None:
        return "-"
    # The decoder for Opus ends at full scale.
    other = (numpy.clip(other[0], -1, 1), other[1]) if is_opus else other
    if isinstance(weft, str):
        return "unread"
    found = difference(weft, other)
    if found is None:
        return f"{len(weft[0])}x{weft[0].shape[1]}@{weft[1]}/{len(other[0])}x{other[0].shape[1]}@{other[1]}"
    if found == 0:
        return "equal"
    is_rounding = found <= (LOSSY_ROUNDING if is_lossy else ROUNDING)
    return f"{'rounding' if is_rounding else 'differs'} {found:.1e}"


def is_same(word):
    return word == "equal" or word.startswith("rounding")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", help="keep the files there (default: a temporary folder)")
    parser.add_argument("--reader", help="the built example (default: where cargo puts it)")
    parser.add_argument("--only", default="", help="only files whose names contain this")
    parser.add_argument("--bad", action="store_true", help="print only what is not the same everywhere")
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[2]
    built = root / "target" / "debug" / "examples" / "clip_samples"
    reader = Path(options.reader) if options.reader else built
    if not reader.exists():
        sys.exit("build the reader first: cargo build -p weft-core --example clip_samples")
    for tool in ("ffmpeg", "sox"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is needed: install it by your system's package manager")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [p for p in sound_file_corpus.make(folder) if options.only in p.name]
        (Path(temporary) / "read").mkdir(exist_ok=True)
        by_weft = read_by_weft(reader, paths, Path(temporary) / "read")
        sys.exit(report(paths, by_weft, options.bad))


def report(paths, by_weft, only_bad):
    names = ["sndfile", "ffmpeg", "both", "read", "equal", "rounding", "weft", "true"]
    counts = dict.fromkeys(names, 0)
    faults = []
    print(f"{'file':44} {'libsndfile':22} {'ffmpeg':22} weft")
    for path, weft in zip(paths, by_weft):
        sndfile, ffmpeg = read_by_libsndfile(path), read_by_ffmpeg(path)
        is_lossy = sound_file_corpus.is_lossy(path.name)
        is_opus = "opus" in path.name
        words = [compared(weft, other, is_lossy, is_opus) for other in (sndfile, ffmpeg)]
        is_read = not isinstance(weft, str)
        counts["sndfile"] += sndfile is not None
        counts["ffmpeg"] += ffmpeg is not None
        counts["weft"] += is_read
        best = min(words, key=lambda word: (word != "equal", not word.startswith("rounding")))
        if sndfile and ffmpeg:
            counts["both"] += 1
            counts["read"] += is_read
            counts["equal"] += best == "equal"
            counts["rounding"] += best.startswith("rounding")
            if not is_same(best):
                # Both others believe a size that the bytes contradict.
                truth = sound_file_corpus.truth(path.name, path.parent)
                is_true = is_read and truth is not None and is_same(compared(weft, truth, is_lossy, is_opus))
                counts["true"] += is_true
                if not is_true:
                    faults.append(path.name)
        is_bad = any(word not in ("-", "equal") for word in words) or (not is_read and (sndfile or ffmpeg))
        if is_bad or not only_bad:
            # Of an error, what is said after the file's name.
            told = weft.split("\" ", 1)[-1][:150] if not is_read else f"{len(weft[0])} frames"
            print(f"{path.name:44} {words[0]:22} {words[1]:22} {told}")
    print(
        f"{len(paths)} files; libsndfile reads {counts['sndfile']}, ffmpeg {counts['ffmpeg']}, Weft "
        f"{counts['weft']}; of the {counts['both']} that both others read, Weft reads {counts['read']}: as one "
        f"of them to the sample {counts['equal']}, up to rounding {counts['rounding']}; where neither has the "
        f"samples that were written, Weft has them in {counts['true']}"
    )
    print("differing: " + (", ".join(faults) or "none"))
    return 1 if faults else 0


if __name__ == "__main__":
    main()
