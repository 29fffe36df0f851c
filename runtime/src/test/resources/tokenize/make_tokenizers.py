"""Trains the small tokenizers of these tests on the text below and writes what the reference gives for some strings.

Needs: pip install tokenizers==0.21.4. Run in this folder.
"""
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXT = [
    "The few-shot shell reads a prompt, shows the model a few examples and prints what the model says.",
    "A prompt is a text; a text is a list of tokens; a token is a number between nought and the size of the vocabulary.",
    "Every example has an input and an output. The shell's answer isn't magic: it's the most likely next token, again and again.",
    "In 2024 there were 366 days, 12 months and 52 weeks. 3.14159 is not pi, and 1,000,000 is not infinity.",
    "def add(a, b):\n    return a + b\n\nfor i in range(10):\n    print(i, add(i, i))\n",
    "Die Straße ist naß, das Café ist geschlossen. Où est la gare? ¿Dónde está? Доброе утро, мир.",
    "読み書き算盤。你好，世界。안녕하세요 세계. 🐱🐶 e\u0301 ½ ²",
]
TEXTS = TEXT + [
    "", " ", "  ", "\n", "\t\n ", "Hello world", " Hello  world ", "HELLO WORLD'S I'LL", "don't", "12345", "a1b2", "½ ² Ⅷ",
    "<s>", "</s>", "<|end|>", "say <|end|> and go on", "[CLS] [MASK]", "<unk>", "naïve café", "🦙🐱👩\u200d👩\u200d👧", "\u0000\u0001\ufffd",
    "ひらがな", "e\u0301e\u0300", "مرحبا", "<0x0A>", "▁", "\u00a0\u2003x",
]


def added(tokens):
    return [AddedToken(token, special=True, normalized=False) for token in tokens]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(
        vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.add_special_tokens(added(["<|begin|>", "<|end|>"]))
    tokenizer.add_tokens([AddedToken("    ", normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[
        ("<|begin|>", tokenizer.token_to_id("<|begin|>"))])
    return tokenizer, {"bos_token": "<|begin|>", "eos_token": "<|end|>"}


def sentence_piece():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator([word for text in TEXT for word in text.split()], trainers.BpeTrainer(
        vocab_size=420, special_tokens=special + ["<0x%02X>" % b for b in range(256)], limit_alphabet=60, show_progress=False))
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = [token for token in described["added_tokens"] if token["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=512))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(TEXT, trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer, {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(TEXT, trainers.UnigramTrainer(
        vocab_size=280, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer, {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


def end_of_word():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.BPEDecoder()
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False))
    return tokenizer, {"unk_token": "<unk>"}


for make in [byte_level, sentence_piece, word_piece, unigram, end_of_word]:
    tokenizer, config = make()
    folder = pathlib.Path(make.__name__)
    folder.mkdir(exist_ok=True)
    described = json.loads(tokenizer.to_str())
    (folder / "tokenizer.json").write_text(json.dumps(described, ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False) + "\n")
    cases = []
    for text in TEXTS:
        with_special = tokenizer.encode(text).ids
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        cases.append({"text": text, "ids": with_special, "ids_without_special": ids, "ids_plain": plain,
                      "decoded": tokenizer.decode(with_special, skip_special_tokens=False),
                      "decoded_skip": tokenizer.decode(with_special, skip_special_tokens=True)})
    (folder / "golden.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
