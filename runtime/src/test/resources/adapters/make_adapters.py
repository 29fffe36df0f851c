"""LoRA adapters of every kind for the tiny models, and PEFT's logits of the last position: at scale 1, and with every scaling times 0.7.

usage: make_adapters.py TINY_MODELS [NAME...]     needs torch 2.15, transformers 5.23, peft 0.21
Matrices are drawn, not trained. PEFT's own scale_layer leaves embeddings out; here they are scaled like the others.
"""
import json
import os
import shutil
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import peft
import torch
import transformers
from peft.tuners.lora import LoraLayer

OUT = Path(__file__).resolve().parent


def L(**k):
    return dict(r=4, lora_alpha=8, task_type="CAUSAL_LM", **k)


SPECS = {
 "llama-rslora": ("llama", dict(r=8, lora_alpha=16, use_rslora=True, task_type="CAUSAL_LM", target_modules=["q_proj","k_proj","v_proj","o_proj"])),
 "llama-dora": ("llama", L(use_dora=True, target_modules=["q_proj","v_proj","down_proj"])),
 "gpt2-dora": ("gpt2", L(use_dora=True, fan_in_fan_out=True, target_modules=["c_attn","c_proj","c_fc"])),
 "llama-patterns": ("llama", L(target_modules=["q_proj","v_proj","up_proj"], rank_pattern={"^model.layers.0.*q_proj":2,"up_proj":6}, alpha_pattern={r"layers\.1\.self_attn\.v_proj":32,"up_proj":3})),
 "llama-regex": ("llama", L(target_modules=r".*\.layers\.(0|1)\.(self_attn\.[qk]_proj|mlp\.(gate|down)_proj)")),
 "qwen2-saved-head": ("qwen2", L(target_modules=["q_proj"], modules_to_save=["lm_head"])),
 "qwen2-saved-embed": ("qwen2", L(target_modules=["v_proj"], modules_to_save=["embed_tokens"])),
 "gpt2-embed": ("gpt2", L(target_modules=["wte","c_attn"], fan_in_fan_out=True)),
 "gpt2-bias-all": ("gpt2", L(target_modules=["c_attn"], bias="all", fan_in_fan_out=True)),
 "odd-dora": ("llama-odd-heads", L(target_modules=["q_proj","k_proj","v_proj","o_proj"], use_dora=True)),
 "llama-layers": ("llama", L(target_modules=["q_proj","gate_proj"], layers_to_transform=[1], layers_pattern="layers")),
 "llama-exclude": ("llama", L(target_modules=["q_proj","v_proj"], exclude_modules=["layers.0.self_attn.q_proj"])),
 "llama-tokens": ("llama", L(target_modules=["q_proj"], trainable_token_indices=[3,300,327])),
 "qwen2-tokens": ("qwen2", L(target_modules=["q_proj"], trainable_token_indices={"embed_tokens":[3,5,100]})),
 "gpt2-lora-bias": ("gpt2", L(target_modules=["c_attn"], lora_bias=True, fan_in_fan_out=True)),
 "neox-dora": ("gpt_neox", L(target_modules=["query_key_value"], use_dora=True)),
 "gemma3-lora": ("gemma3_text", L(target_modules=["q_proj","o_proj","gate_proj"])),
}


def main(tiny, *names):
    for name in names or SPECS:
        base, settings = SPECS[name]
        folder = OUT / name
        shutil.rmtree(folder, ignore_errors=True)
        torch.manual_seed(sum(map(ord, name)))
        load = lambda: transformers.AutoModelForCausalLM.from_pretrained(Path(tiny) / base, attn_implementation="eager").eval()
        model = peft.get_peft_model(load(), peft.LoraConfig(**settings))
        for key, p in model.named_parameters():
            if p.requires_grad:
                p.data.add_(torch.randn_like(p) * (0.15 if "lora_" in key and "magn" not in key else 0.05))
        model.eval()
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        config = json.loads((folder / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = base
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True))
        vocab = model.config.vocab_size
        ids = [1, 3, 300 % vocab, 327 % vocab, 5, 100 % vocab, 17, 3, 64, 99]
        golden = {"base": base, "input_ids": ids}
        with torch.no_grad():
            model = peft.PeftModel.from_pretrained(load(), str(folder)).eval()
            golden["logits_with"] = [float(f"{x:.9g}") for x in model(torch.tensor([ids])).logits[0, -1].tolist()]
            for module in model.modules():
                if isinstance(module, LoraLayer):
                    for key in module.scaling:
                        module.scaling[key] *= 0.7
                    for dora in module.lora_magnitude_vector.values():
                        dora._cache_clear()
            golden["logits_scaled"] = [float(f"{x:.9g}") for x in model(torch.tensor([ids])).logits[0, -1].tolist()]
        (folder / "golden.json").write_text(json.dumps(golden, separators=(",", ":")))


if __name__ == "__main__":
    main(*sys.argv[1:])
