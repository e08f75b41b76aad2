//! Pages of remote controls: what the knobs of a controller do that a CLAP host puts on the plugin.
//! Main thread.

use nice_plug::prelude::*;

/// Places of a page.
const PLACES: u8 = 8;

/// A page of remote controls. They come in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// What is moved while playing.
    Play,
    /// Where in pitch and time, and its edges.
    Sound,
    /// How loud it is when.
    Amp,
    /// How notes and the host's song are followed.
    NotesAndSong,
    /// How a texture comes in.
    Capture,
    /// How a texture is learned.
    Fit,
    /// What wheel, pressure, slide and velocity move.
    Modulation,
    /// What of which slots becomes a new texture.
    Imprint,
}

impl Page {
    const ALL: [Self; 8] = [
        Self::Play,
        Self::Sound,
        Self::Amp,
        Self::NotesAndSong,
        Self::Capture,
        Self::Fit,
        Self::Modulation,
        Self::Imprint,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Play => "Play",
            Self::Sound => "Sound",
            Self::Amp => "Amp",
            Self::NotesAndSong => "Notes and Song",
            Self::Capture => "Capture",
            Self::Fit => "Fit",
            Self::Modulation => "Modulation",
            Self::Imprint => "Imprint",
        }
    }
}

/// A place on a page, which takes the parameter that belongs there of all that it is offered.
pub struct Place<'a, P> {
    page: Page,
    number: u8,
    host: &'a mut P,
}

impl<P: RemoteControlsPage> Place<'_, P> {
    /// Offers a parameter that stands at `places`: pages, and places on them from 0 to 7.
    pub fn offer(&mut self, param: &impl Param, places: &[(Page, u8)]) {
        if places.contains(&(self.page, self.number)) {
            self.host.add_param(param);
        }
    }
}

/// A group of parameters with places on the pages.
pub trait OnPages {
    /// Offers its parameters to `place`.
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>);
}

/// Describes all pages to a host, of the parameters of `group`.
pub fn describe(group: &impl OnPages, host: &mut impl RemoteControlsContext) {
    host.add_section("Weft", |section| {
        for page in Page::ALL {
            section.add_page(page.name(), |host| {
                for number in 0..PLACES {
                    group.offer_to(&mut Place { page, number, host });
                }
            });
        }
    });
}
