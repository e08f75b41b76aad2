//! The messages between a plugin and a helper, through their public door: what is sent comes back, in whatever pieces it
//! travels, and whatever else comes in is refused within bounds.

mod support;

use std::ops::ControlFlow;
use std::sync::Mutex;

use weft_core::clip::Capture;
use weft_core::fit::protocol::{Decoder, DeviceKind, Message, ProtocolError, Reply, Request};
use weft_core::fit::{FitRequest, FitSettings, FitStart, fit};
use weft_core::procedural::{Texture, synthesize};

use support::allocator::{peak_bytes, watch_peak};
use support::mutations::mutate;
use support::random::Random;

/// Bytes before a message: magic, version, kind, length, checksum.
const HEADER: usize = 16;
/// Places in them.
const VERSION_AT: usize = 4;
const KIND_AT: usize = 6;
const LENGTH_AT: usize = 8;
const CHECKSUM_AT: usize = 12;
/// Changed messages of each kind of test.
const TRIES: usize = 600;

/// One test at a time, or their memory would be counted together.
static TURN: Mutex<()> = Mutex::new(());

fn settings() -> FitSettings {
    FitSettings {
        steps: 20,
        step_frames: Some(384),
        max_duration_s: Some(2.5),
        seed: u64::MAX - 1,
    }
}

/// One message of each kind to a helper.
fn requests() -> Vec<Request> {
    let clip = synthesize(Texture::Rain, 1, 8_000, 1.5);
    let capture = Capture::new(&clip).unwrap();
    let few_steps = FitSettings {
        steps: 1,
        ..FitSettings::default()
    };
    let model = fit(&clip, &few_steps, &mut |_| ControlFlow::Continue(())).unwrap();
    let of = |start| FitRequest {
        start,
        settings: settings(),
    };
    let trimmed = capture.trimmed(0.25..1.25).unwrap();
    vec![
        Request::Cancel { fit: 7 },
        Request::Fit {
            fit: 1,
            request: Box::new(of(FitStart::Capture(trimmed))),
        },
        Request::Fit {
            fit: 2,
            request: Box::new(of(FitStart::Texture(Box::new(model)))),
        },
    ]
}

/// One message of each kind from a helper.
fn replies() -> Vec<Reply> {
    let requests = requests();
    let Some(Request::Fit { request, .. }) = requests.last() else {
        panic!("the last one is a fit");
    };
    let FitStart::Texture(model) = &request.start else {
        panic!("the last fit goes on from a texture");
    };
    vec![
        Reply::Hello {
            kind: DeviceKind::Graphics,
            device: "a device with a naïve name".into(),
        },
        Reply::Queued {
            fit: 1,
            ahead: 2,
            wait_s: Some(12.5),
        },
        Reply::Queued {
            fit: 1,
            ahead: 1,
            wait_s: None,
        },
        Reply::Begun { fit: 1 },
        Reply::Progress {
            fit: 1,
            step: 3,
            steps: 20,
            loss: 0.25,
        },
        Reply::Snapshot {
            fit: 1,
            step: 3,
            texture: model.clone(),
        },
        Reply::Done { fit: 1 },
        Reply::Failed {
            fit: 1,
            reason: "out of bread".into(),
        },
    ]
}

fn one<M: Message>(bytes: &[u8]) -> Result<Option<M>, ProtocolError> {
    Decoder::default().take(&mut &bytes[..])
}

#[track_caller]
fn refused<M: Message>(bytes: &[u8]) -> ProtocolError {
    match one::<M>(bytes) {
        Err(error) => error,
        Ok(_) => panic!("it was taken"),
    }
}

/// Puts the right checksum into the frame that begins a stream.
fn set_checksum(bytes: &mut [u8]) {
    let sum = {
        let bytes = bytes[..CHECKSUM_AT].iter().chain(&bytes[HEADER..]);
        !bytes.fold(!0u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                (sum >> 1) ^ (0xEDB8_8320 * (sum & 1))
            })
        })
    };
    bytes[CHECKSUM_AT..HEADER].copy_from_slice(&sum.to_le_bytes());
}

/// Sends all of `messages` in random pieces; what came out, as bytes again.
fn through_pieces<M: Message>(messages: &[M], seed: u64) -> Vec<Vec<u8>> {
    let stream: Vec<u8> = messages.iter().flat_map(Message::to_bytes).collect();
    let (mut decoder, mut random) = (Decoder::<M>::default(), Random::new(seed));
    let (mut rest, mut came) = (&stream[..], Vec::new());
    while !rest.is_empty() {
        let most = 1 << random.below(17);
        let (mut piece, later) = rest.split_at((1 + random.below(most)).min(rest.len()));
        rest = later;
        while let Some(message) = decoder.take(&mut piece).unwrap() {
            came.push(message.to_bytes());
        }
        assert!(piece.is_empty());
    }
    came
}

#[test]
fn what_is_sent_comes_back_in_whatever_pieces_it_travels() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let (requests, replies) = (requests(), replies());
    for seed in 1..6 {
        let sent: Vec<_> = requests.iter().map(Message::to_bytes).collect();
        assert!(through_pieces(&requests, seed) == sent);
        let sent: Vec<_> = replies.iter().map(Message::to_bytes).collect();
        assert!(through_pieces(&replies, seed) == sent);
    }
    // What a fit is made of is the same to the bit.
    for request in &requests[1..] {
        let Request::Fit { fit, request } = request else {
            panic!("it is a fit");
        };
        let bytes = request_bytes(*fit, request);
        let Some(Request::Fit { request: back, .. }) = one(&bytes).unwrap() else {
            panic!("it is a fit");
        };
        assert_eq!(back.settings, settings());
        match (&back.start, &request.start) {
            (FitStart::Capture(back), FitStart::Capture(sent)) => assert!(back == sent),
            (FitStart::Texture(back), FitStart::Texture(sent)) => {
                assert_eq!(back.to_bytes(), sent.to_bytes());
            }
            _ => panic!("it starts from something else"),
        }
    }
}

fn request_bytes(fit: u32, request: &FitRequest) -> Vec<u8> {
    let request = Box::new(request.clone());
    Request::Fit { fit, request }.to_bytes()
}

#[test]
fn each_way_of_being_wrong_is_told_as_such() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let good = Reply::Begun { fit: 1 }.to_bytes();
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let greeting = refused::<Reply>(b"Welcome to gpubox!\r\n");
    assert!(matches!(greeting, ProtocolError::Foreign(text) if text.contains("Welcome")));
    // At once, however little has come.
    assert!(matches!(refused::<Reply>(b"x"), ProtocolError::Foreign(_)));
    let version = refused::<Reply>(&changed(VERSION_AT, &[9, 1]));
    assert_eq!(version, ProtocolError::Version { found: 0x109 });
    let kind = refused::<Reply>(&changed(KIND_AT, &[99, 0]));
    assert_eq!(kind, ProtocolError::Kind(99));
    // Requests are no replies, nor the other way round.
    assert!(matches!(
        refused::<Reply>(&Request::Cancel { fit: 1 }.to_bytes()),
        ProtocolError::Kind(_)
    ));
    assert!(matches!(refused::<Request>(&good), ProtocolError::Kind(_)));
    let long = refused::<Reply>(&changed(LENGTH_AT, &[5, 0, 0, 0]));
    assert!(matches!(
        long,
        ProtocolError::TooLong {
            length: 5,
            most: 4,
            ..
        }
    ));
    assert_eq!(
        refused::<Reply>(&changed(HEADER, &[2])),
        ProtocolError::Checksum
    );
    let mut late = Reply::Progress {
        fit: 1,
        step: 21,
        steps: 20,
        loss: 1.0,
    }
    .to_bytes();
    let late = refused::<Reply>(std::mem::take(&mut late).as_slice());
    assert!(matches!(late, ProtocolError::Contents(_)));
    let unfit = FitRequest {
        start: FitStart::Capture(Capture::new(&synthesize(Texture::Rain, 1, 8_000, 1.5)).unwrap()),
        settings: FitSettings {
            steps: 0,
            ..FitSettings::default()
        },
    };
    let refusal = refused::<Request>(&request_bytes(1, &unfit));
    assert!(matches!(refusal, ProtocolError::Contents(what) if what.contains("0 fit steps")));
    // What is going to be shown is one line.
    let rude = Reply::Failed {
        fit: 1,
        reason: "\x1b[2Jno\nway".into(),
    };
    let Some(Reply::Failed { reason, .. }) = one(&rude.to_bytes()).unwrap() else {
        panic!("it is a failure");
    };
    assert_eq!(reason, "[2Jnoway");
    let endless = Reply::Failed {
        fit: 1,
        reason: "ä".repeat(10_000),
    };
    assert!(one::<Reply>(&endless.to_bytes()).unwrap().is_some());
}

#[test]
fn a_length_that_is_only_claimed_costs_nothing() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    const LITTLE: usize = 256 * 1024;
    let mut frame = requests()[1].to_bytes();
    frame[LENGTH_AT..CHECKSUM_AT].copy_from_slice(&(64u32 << 20).to_le_bytes());
    let before = watch_peak();
    let mut decoder = Decoder::<Request>::default();
    assert!(decoder.take(&mut &frame[..1_000]).unwrap().is_none());
    assert!(peak_bytes() - before < LITTLE);
    // One byte at a time, for ever: no more than the longest message is kept, of which there is no more.
    let mut short = Reply::Begun { fit: 1 }.to_bytes();
    short.truncate(HEADER + 2);
    let mut decoder = Decoder::<Reply>::default();
    for byte in &short {
        assert!(
            decoder
                .take(&mut std::slice::from_ref(byte))
                .unwrap()
                .is_none()
        );
    }
    drop(decoder);
}

/// Takes changed versions of what is sent, with a checksum that fits and with none. Nothing may panic, and what is taken
/// must be of use.
fn hostile<M: Message>(corpus: &[Vec<u8>], most_bytes: usize) {
    let before = watch_peak();
    let mut random = Random::new(0x5eed);
    let mut taken = 0;
    for _ in 0..TRIES {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        for _ in 0..1 + random.below(3) {
            mutate(&mut bytes, corpus, &mut random);
        }
        if bytes.len() >= HEADER && random.below(4) != 0 {
            // The frame is right, what is in it is not.
            let length = (bytes.len() - HEADER) as u32;
            bytes[LENGTH_AT..CHECKSUM_AT].copy_from_slice(&length.to_le_bytes());
            set_checksum(&mut bytes);
        }
        let mut decoder = Decoder::<M>::default();
        let mut rest = &bytes[..];
        while let Ok(Some(message)) = decoder.take(&mut rest) {
            assert!(!message.to_bytes().is_empty());
            taken += 1;
        }
    }
    let most = peak_bytes() - before;
    println!(
        "{TRIES} tried, {taken} messages taken, {} KB at most",
        most >> 10
    );
    assert!(most < most_bytes, "{most} bytes");
}

#[test]
fn whatever_comes_in_is_bounded_and_nothing_panics() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    const SMALL: usize = 16 << 20;
    // A capture's header may claim a minute, which its stream then has not.
    const LARGE: usize = 256 << 20;
    let bytes = |messages: Vec<Reply>| messages.iter().map(Message::to_bytes).collect::<Vec<_>>();
    hostile::<Reply>(&bytes(replies()), SMALL);
    let requests: Vec<_> = requests().iter().map(Message::to_bytes).collect();
    hostile::<Request>(&requests, LARGE);
    // Nothing but noise.
    let mut random = Random::new(7);
    let noise: Vec<Vec<u8>> = (0..4)
        .map(|_| (0..2_000).map(|_| random.next() as u8).collect())
        .collect();
    hostile::<Reply>(&noise, SMALL);
}
