//! Where sound and textures come from and go to: files, and the standard input and output as `-`.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Read, Stdout, Write};
use std::path::{Path, PathBuf};

use weft_core::clip::{ClipError, SampleFormat, SoundFile, WavStream, WavWriter, check_writable};
use weft_core::network::Model;

use crate::error::CliError;

/// What stands for the standard input or output.
const STANDARD: &str = "-";
/// What the standard input is called where a file has a name.
pub const STANDARD_NAME: &str = "stdin";

/// Whether a path means the standard input or output.
pub fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD)
}

/// How a path is written in what is said.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// All bytes of the standard input.
fn read_standard() -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(CliError::StandardInput)?;
    Ok(bytes)
}

/// Reads a sound file.
pub fn read_sound(path: &Path) -> Result<SoundFile, CliError> {
    let file = if is_standard(path) {
        SoundFile::read_bytes(&read_standard()?, None)
    } else {
        SoundFile::read(path)
    };
    Ok(file?)
}

/// Reads a texture.
pub fn read_model(path: &Path) -> Result<Model, CliError> {
    if is_standard(path) {
        return model_from(&read_standard()?, path);
    }
    Model::read(path).map_err(|error| CliError::reading(path, error))
}

/// What a file may hold.
pub enum Content {
    /// A recording.
    Sound(SoundFile),
    /// A texture.
    Texture(Model),
}

/// Reads a sound file or a texture, known by its content.
pub fn read_any(path: &Path) -> Result<Content, CliError> {
    /// Before a `.weft` file's header stands its length, and it begins with this.
    const HEADER_AT: usize = 8;
    let looks_like_texture = |start: &[u8]| start.get(HEADER_AT) == Some(&b'{');
    if is_standard(path) {
        let bytes = read_standard()?;
        return if looks_like_texture(&bytes) {
            model_from(&bytes, path).map(Content::Texture)
        } else {
            Ok(Content::Sound(SoundFile::read_bytes(&bytes, None)?))
        };
    }
    let is_texture = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("weft"))
        || {
            let mut start = [0; HEADER_AT + 1];
            // What can't be read is told below.
            let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
            read.is_ok() && looks_like_texture(&start)
        };
    if is_texture {
        read_model(path).map(Content::Texture)
    } else {
        read_sound(path).map(Content::Sound)
    }
}

fn model_from(bytes: &[u8], path: &Path) -> Result<Model, CliError> {
    Model::from_bytes(bytes).map_err(|error| CliError::reading(path, error))
}

/// Where something is to be written.
#[derive(Debug, Clone)]
pub struct Output {
    /// The file, or `-`.
    pub path: PathBuf,
    /// Whether an existing file may be replaced.
    pub force: bool,
}

impl Output {
    /// Whether there is a file already that must not be replaced.
    pub fn is_kept(&self) -> bool {
        !self.force
            && !is_standard(&self.path)
            && fs::metadata(&self.path).is_ok_and(|m| m.is_file())
    }

    /// Whether it is `input` itself.
    pub fn is_same_as(&self, input: &Path) -> bool {
        !is_standard(&self.path) && is_same_file(input, &self.path)
    }

    /// Fails where it can't be written, would replace the input, or would replace another file without leave.
    /// Worth knowing before minutes of work.
    pub fn check(&self, input: Option<&Path>) -> Result<(), CliError> {
        if is_standard(&self.path) {
            if io::stdout().is_terminal() {
                return Err(CliError::Terminal);
            }
            return Ok(());
        }
        if input.is_some_and(|input| self.is_same_as(input)) {
            return Err(CliError::OutputIsInput {
                path: self.path.clone(),
            });
        }
        self.check_kept()?;
        Ok(check_writable(&self.path)?)
    }

    fn check_kept(&self) -> Result<(), CliError> {
        if self.is_kept() {
            return Err(CliError::Exists {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    /// Writes a texture.
    pub fn write_model(&self, model: &Model) -> Result<(), CliError> {
        let failed = |error| CliError::writing(&self.path, error);
        if is_standard(&self.path) {
            let bytes = model.to_bytes();
            Model::from_bytes(&bytes).map_err(failed)?;
            let mut output = io::stdout().lock();
            let written = output.write_all(&bytes).and_then(|()| output.flush());
            return written.map_err(CliError::StandardOutput);
        }
        // Somebody else may have made it during the fit.
        self.check_kept()?;
        model.write(&self.path).map_err(failed)
    }

    /// Opens a sound of `frames` frames to be written. `sample_rate` in Hz.
    pub fn create_wav(
        &self,
        sample_rate: u32,
        channels: usize,
        format: SampleFormat,
        frames: u64,
    ) -> Result<WavOutput<'_>, CliError> {
        let path = self.path.as_path();
        let sink = if is_standard(path) {
            let output = BufWriter::new(io::stdout());
            let stream = WavStream::new(output, path, sample_rate, channels, format, frames);
            WavSink::Stream(stream.map_err(of_standard_output)?)
        } else {
            WavSink::File(WavWriter::create(path, sample_rate, channels, format)?)
        };
        Ok(WavOutput { sink, output: self })
    }
}

/// A sound that is being written.
pub struct WavOutput<'a> {
    sink: WavSink,
    output: &'a Output,
}

enum WavSink {
    File(WavWriter),
    Stream(WavStream<BufWriter<Stdout>>),
}

impl WavOutput<'_> {
    /// Appends a block, one slice for each channel.
    pub fn write(&mut self, block: &[&[f32]]) -> Result<(), CliError> {
        match &mut self.sink {
            WavSink::File(writer) => Ok(writer.write(block)?),
            WavSink::Stream(stream) => stream.write(block).map_err(of_standard_output),
        }
    }

    /// Completes it.
    pub fn finish(self) -> Result<(), CliError> {
        match self.sink {
            WavSink::File(writer) => {
                // Somebody else may have made it meanwhile.
                self.output.check_kept()?;
                writer.finish()?;
            }
            WavSink::Stream(stream) => stream.finish().map_err(of_standard_output)?,
        }
        Ok(())
    }
}

/// What went wrong with a sound on its way to the standard output: there are neither folder nor disk.
fn of_standard_output(error: ClipError) -> CliError {
    match error {
        ClipError::Write { source, .. } => CliError::StandardOutput(source),
        other => other.into(),
    }
}

/// Whether two paths lead to one file. What does not exist yet is none.
fn is_same_file(a: &Path, b: &Path) -> bool {
    fs::canonicalize(b).is_ok_and(|b| fs::canonicalize(a).is_ok_and(|a| a == b))
}
