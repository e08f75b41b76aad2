//! Weft as a CLAP and VST3 instrument, and as an effect: it captures a few seconds of texture from its
//! input, has [`weft_core`] fit a small network to them, and plays that texture endlessly.
//!
//! From below, each room names only rooms before it:
//!
//! | room | what it is for | thread |
//! | --- | --- | --- |
//! | `text` | values as text, and back | any |
//! | `panics` | what a contained panic says | any |
//! | `background`, `link` | what passes between the plugin object and the adapter of its format | any |
//! | `rest` | whether the host may rest the plugin, and how it is asked to go on | any |
//! | `program` | other programs: found, started, read without being waited for, ended | those of the next two |
//! | `helper` | fits that another program makes, `weft serve` for one | the fits' own |
//! | `imprint` | a texture in another's matter, made by the command line tool | one of its own |
//! | `session` | the instrument, and the window's requests | any |
//! | `project` | the textures in the host's project | main |
//! | `parameters` | what a host moves, by group | made on main, read on audio |
//! | `instance` | these shared parts of one plugin instance | any |
//! | `capture`, `denormals`, `notes`, `channel_messages`, `mpe` | a block's input, its notes, and what is meant for all notes of a channel or zone | audio |
//! | `editor` | the window | main |
//! | `roles`, `plugin` | the plugin object: what nice-plug calls | main and audio |
//! | `host` | the entry points of the formats, and the adapters around nice-plug's objects | main and audio |

mod background;
mod capture;
mod channel_messages;
mod denormals;
mod editor;
mod helper;
mod host;
mod imprint;
mod instance;
mod link;
mod mpe;
mod notes;
mod panics;
mod parameters;
mod plugin;
mod program;
mod project;
mod rest;
mod roles;
mod session;
mod text;

pub use plugin::{Weft, WeftFx, WeftPlugin};
