"""Makes small Whisper folders with random weights, and what transformers' generate says with each.

python make_whisper.py [FOLDER [VARIANT ...]]   (transformers 5.23, torch 2.15); without arguments the folders beside this file
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers as tf
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
BASE = dict(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_target_positions=24)
VARIANTS = {  # config, features, generation_config, seed
    "times": (dict(), dict(feature_size=20, chunk_length=1), dict(suppress_tokens=[1, 2, 3, 90], begin_suppress_tokens=[10, 256], max_initial_timestamp_index=10), 3),
    "wide": (dict(d_model=48, encoder_attention_heads=2, decoder_attention_heads=4, encoder_layers=2, decoder_layers=3, encoder_ffn_dim=40, decoder_ffn_dim=72, activation_function="relu", tie_word_embeddings=False),
             dict(feature_size=128, chunk_length=1, hop_length=200, n_fft=512), dict(), 4),
    "odd": (dict(d_model=20, encoder_attention_heads=1, decoder_attention_heads=4, activation_function="gelu_new", scale_embedding=True, max_target_positions=60), dict(feature_size=24, chunk_length=2, hop_length=320, n_fft=300), dict(max_length=30), 5),
    "forced": (dict(activation_function="silu"), dict(feature_size=20, chunk_length=1), dict(forced_decoder_ids=[[1, 259], [2, 261]]), 6),
    "english": (dict(), dict(feature_size=20, chunk_length=1), dict(is_multilingual=False, lang_to_id=None, task_to_id=None, forced_decoder_ids=[[1, 264]]), 7),
}


def wave(seconds, rate):
    """What the tests compute again: three tones, one of which rises, louder and softer."""
    t = np.arange(int(seconds * rate)) / rate
    x = 0.4 * np.sin(2 * np.pi * 220 * t) + 0.3 * np.sin(2 * np.pi * (500 + 400 * t) * t) + 0.1 * np.cos(2 * np.pi * 3100 * t)
    return (x * (0.6 + 0.4 * np.sin(2 * np.pi * 1.7 * t))).astype(np.float32)


def tokenizer(times):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    t = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    t.add_special_tokens(SPECIAL)
    t.add_tokens([AddedToken(f"<|{i * 0.02:.2f}|>", normalized=False) for i in range(times + 1)])
    return t


def numbers(t):
    return [float(f"{v:.8g}") for v in t.detach().float().flatten().tolist()]


def make(folder, name):
    change, features, generation, seed = VARIANTS[name]
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    fe = tf.WhisperFeatureExtractor(**features)
    fe.save_pretrained(folder)
    positions = fe.nb_max_frames // 2
    tok = tokenizer(positions)
    tok.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": SPECIAL[0], "eos_token": SPECIAL[0], "tokenizer_class": "PreTrainedTokenizerFast"}))
    I = tok.token_to_id
    cfg = tf.WhisperConfig(vocab_size=tok.get_vocab_size(), num_mel_bins=fe.feature_size, max_source_positions=positions, pad_token_id=I(SPECIAL[0]), bos_token_id=I(SPECIAL[0]), eos_token_id=I(SPECIAL[0]),
                           decoder_start_token_id=I(SPECIAL[1]), suppress_tokens=None, begin_suppress_tokens=None, **{**BASE, **change})
    cfg._attn_implementation = "eager"
    torch.manual_seed(seed)
    model = tf.WhisperForConditionalGeneration(cfg).eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "encoder.embed_positions" in key: continue
            if "norm.weight" in key: p.copy_(1 + 0.2 * torch.randn_like(p))
            else: p.copy_(torch.randn_like(p) * (0.1 if p.dim() == 1 else 0.5 if "embed" in key or "proj_out" in key else 1.5 / p[0].numel() ** 0.5))
    g = dict(decoder_start_token_id=I(SPECIAL[1]), eos_token_id=I(SPECIAL[0]), pad_token_id=I(SPECIAL[0]), bos_token_id=I(SPECIAL[0]), max_length=cfg.max_target_positions,
             lang_to_id={"<|en|>": I("<|en|>"), "<|de|>": I("<|de|>")}, task_to_id={"transcribe": I("<|transcribe|>"), "translate": I("<|translate|>")}, no_timestamps_token_id=I("<|notimestamps|>"), is_multilingual=True)
    model.generation_config = tf.GenerationConfig(**{k: v for k, v in {**g, **generation}.items() if v is not None})
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    golden = {"sampling_rate": fe.sampling_rate, "forward": [], "generate": []}
    with torch.no_grad():
        x = torch.stack([torch.tensor(fe(wave(s, fe.sampling_rate), sampling_rate=fe.sampling_rate, return_tensors="np").input_features[0]) for s in (0.8, 2.5)])
        ids = torch.tensor([[257, 258, 261, 264, 40, 60], [257, 259, 260, 264, 70, 30]])
        o = model(input_features=x, decoder_input_ids=ids, use_cache=False)
        golden["forward"] = {"seconds": [0.8, 2.5], "decoder_input_ids": ids.tolist(), "logits": numbers(o.logits), "encoder_last_hidden_state": numbers(o.encoder_last_hidden_state)}
        multilingual = generation.get("is_multilingual", True)
        for seconds in (0.7, 3.3):
            for timed in (False, True):
                for say in ([dict(language="en"), dict(language="de", task="translate"), dict(task="transcribe")] if multilingual else []) + ([dict()] if not multilingual or "forced_decoder_ids" in generation else []):
                    long = seconds > features["chunk_length"]
                    if long and not timed: continue
                    w = wave(seconds, fe.sampling_rate)
                    i = fe(w, sampling_rate=fe.sampling_rate, return_tensors="pt", return_attention_mask=True, **(dict(truncation=False, padding="longest") if long else {}))
                    out = model.generate(i.input_features, attention_mask=i.attention_mask, return_timestamps=timed, return_segments=True, **say)
                    golden["generate"].append({"seconds": seconds, "timestamps": timed, **say, "segments": [{"start": float(s["start"]), "end": float(s["end"]), "ids": s["tokens"].tolist()} for s in out["segments"][0]]})
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    print(name, cfg.vocab_size, sum(p.numel() for p in model.parameters()), [(c["timestamps"], c["seconds"], len(c["segments"]), [len(s["ids"]) for s in c["segments"]][:8]) for c in golden["generate"]])


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name in sys.argv[2:] or ["times", "forced"]: make(folder, name)
