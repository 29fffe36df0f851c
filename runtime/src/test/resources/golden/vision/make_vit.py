"""Makes vit/: a ViT with random weights as transformers saves it, and golden.json with what it makes of pictures/rgb.png: logits,
what the class token sees with each head (layer by layer), and attention rollout computed as matrices. Needs torch, transformers
5.23 and Pillow; run it in this folder, after make_pictures.py."""
import json, torch, transformers
from PIL import Image
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

cfg = transformers.ViTConfig(hidden_size=24, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, image_size=[16, 24],
                             patch_size=8, hidden_act="gelu_new", qkv_bias=False, id2label={0: "cat", 1: "dog", 2: "bird"})
cfg._attn_implementation = "eager"
model = transformers.ViTForImageClassification(cfg).eval()
random = torch.Generator().manual_seed(11)
with torch.no_grad():
    for name, p in model.named_parameters():
        p.copy_(torch.randn(p.shape, generator=random) * 0.25 + (1 if "layernorm" in name and name.endswith("weight") else 0))
model.save_pretrained("vit")
pre = dict(image_processor_type="ViTImageProcessor", size=dict(height=16, width=24), resample=3, image_mean=[0.4, 0.5, 0.6])
json.dump(pre, open("vit/preprocessor_config.json", "w"))
with torch.no_grad():
    x = torch.tensor(ViTImageProcessorPil(**pre)(Image.open("pictures/rgb.png").convert("RGB"), return_tensors="np")["pixel_values"])
    out = model(x, output_attentions=True)
n = out.attentions[0].shape[-1]
rollout = torch.eye(n, dtype=torch.float64)
for a in out.attentions:
    a = a[0].double().mean(0) + torch.eye(n)
    rollout = (a / a.sum(-1, keepdim=True)) @ rollout
golden = dict(logits=out.logits[0].tolist(), probabilities=out.logits[0].softmax(-1).tolist(), rows=2, columns=3,
              heads=[[a[0, h, 0, 1:].tolist() for h in range(2)] for a in out.attentions], rollout=rollout[0, 1:].tolist())
json.dump(golden, open("vit/golden.json", "w"), indent=1)
