"""Makes audio.json: log-mel features by transformers' WhisperFeatureExtractor, resampled signals by scipy's resample_poly.

python make_audio.py   (transformers 5.23, torch 2.15, scipy 1.17)
"""
import json
import math
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly
from transformers import WhisperFeatureExtractor


def wave(n, rate):
    """What the tests compute again: three tones, one of which rises."""
    t = np.arange(n) / rate
    return 0.4 * np.sin(2 * np.pi * 220 * t) + 0.3 * np.sin(2 * np.pi * (500 + 400 * t) * t) + 0.1 * np.cos(2 * np.pi * 3100 * t)


def features(samples, **config):
    f = WhisperFeatureExtractor(**config)
    x = f(wave(samples, f.sampling_rate).astype(np.float32), sampling_rate=f.sampling_rate, return_tensors="np").input_features[0]
    return {"config": json.loads(f.to_json_string()), "samples": samples, "shape": list(x.shape), "data": [round(float(v), 5) for v in x.flatten()]}


def longest(samples, **config):
    f = WhisperFeatureExtractor(**config)
    x = f(wave(samples, f.sampling_rate).astype(np.float32), sampling_rate=f.sampling_rate, return_tensors="np", truncation=False, padding="longest").input_features[0]
    return {"config": json.loads(f.to_json_string()), "samples": samples, "shape": list(x.shape), "data": [round(float(v), 5) for v in x.flatten()]}


def resampled(n, rate, to):
    common = math.gcd(rate, to)
    up, down = to // common, rate // common
    cutoff = 0.95 * min(1, up / down)                     # of the input's Nyquist frequency
    half = math.ceil(64 / cutoff) * up
    t = np.arange(-half, half + 1) / up                   # in input samples
    h = cutoff * np.sinc(cutoff * t) * np.where(np.abs(cutoff * t) < 64, np.i0(10.06 * np.sqrt(np.maximum(0, 1 - (cutoff * t / 64) ** 2))) / np.i0(10.06), 0)
    y = resample_poly(wave(n, rate), up, down, window=h / up)  # which multiplies by up
    return {"samples": n, "from": rate, "to": to, "data": [round(float(v), 6) for v in y]}


out = {
    "window": [features(4000, feature_size=20, chunk_length=1, sampling_rate=8000, n_fft=200, hop_length=400),
               features(9000, feature_size=16, chunk_length=1, sampling_rate=8000, n_fft=256, hop_length=250),
               features(16000, feature_size=128, chunk_length=1, n_fft=400, hop_length=1600),
               features(16000, feature_size=12, chunk_length=1, n_fft=201, hop_length=1000, padding_value=0.1),
               features(20000, feature_size=24, chunk_length=1, sampling_rate=24000, n_fft=360, hop_length=777, padding_value=0.25)],
    "whole": [longest(20011, feature_size=20, chunk_length=1, sampling_rate=8000, n_fft=200, hop_length=400),
              longest(19999, feature_size=80, chunk_length=1, n_fft=400, hop_length=1600)],
    "resampled": [resampled(900, 44100, 16000), resampled(300, 8000, 16000), resampled(900, 48000, 16000), resampled(300, 11025, 16000), resampled(700, 22050, 24000)],
}
Path(__file__).with_name("audio.json").write_text(json.dumps(out) + "\n")
