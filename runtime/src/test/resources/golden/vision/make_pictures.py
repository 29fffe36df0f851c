"""Makes pictures/, pictures.txt and preprocessor.jsonl: pictures of every kind with what Pillow makes of them (width, height,
SHA-256 of the RGB bytes), and processors' settings with what transformers' Pillow backend makes of pictures of eight shapes
(SHA-256 of the float32 numbers). lossy/ has WebP files beside
PNG files of what Pillow makes of them. Needs numpy, Pillow 13.0, transformers 5.23; run it in this folder. The profile in icc.* bears
the time of its making."""
import struct, io, zlib, json, hashlib
from PIL import Image, ImageOps
import numpy as np, os
os.makedirs('pictures', exist_ok=True); os.chdir('pictures')
rng=np.random.default_rng(1)
def pic(h,w):
    y,x=np.mgrid[0:h,0:w]
    a=np.stack([127+120*np.sin(x/7+y/11),127+120*np.cos(x/5-y/9),255*((x+y)%40)/40],-1)+rng.normal(0,12,(h,w,3))
    return np.clip(a,0,255).astype(np.uint8)
P=pic(29,37); im=Image.fromarray(P)
alpha=Image.fromarray(pic(29,37)[:,:,0])
rgba=im.copy(); rgba.putalpha(alpha)
la=im.convert('L'); la.putalpha(alpha)
def chunk(t,d): return struct.pack('>I',len(d))+t+d+struct.pack('>I',zlib.crc32(t+d))
def png(name,w,h,bits,ct,rows,extra=b'',interlace=0):
    raw=b''.join(b'\0'+r for r in rows)
    open(name,'wb').write(b'\x89PNG\r\n\x1a\n'+chunk(b'IHDR',struct.pack('>IIBBBBB',w,h,bits,ct,0,0,interlace))+extra+chunk(b'IDAT',zlib.compress(raw))+chunk(b'IEND',b''))
# png
im.save('rgb.png'); rgba.save('rgba.png'); im.convert('L').save('grey.png'); la.save('la.png')
im.quantize(17).save('palette.png'); im.quantize(13).save('palette4.png',bits=4); im.quantize(4).save('palette2.png',bits=2); im.quantize(2).save('palette1.png',bits=1)
im.quantize(50).save('palette_trns.png',transparency=3)
im.convert('1').save('one.png')
for b in (2,4):
    g=rng.integers(0,1<<b,(29,37)); rows=[]
    for r in g:
        bs=''.join(format(v,f'0{b}b') for v in r); bs+='0'*(-len(bs)%8); rows.append(bytes(int(bs[i:i+8],2) for i in range(0,len(bs),8)))
    png(f'grey{b}.png',37,29,b,0,rows)
g=rng.integers(0,65536,(29,37)).astype('>u2'); g[0,:10]=range(250,260); png('grey16.png',37,29,16,0,[r.tobytes() for r in g])
c=rng.integers(0,65536,(29,37,3)).astype('>u2'); png('rgb16.png',37,29,16,2,[r.tobytes() for r in c])
c=rng.integers(0,65536,(29,37,4)).astype('>u2'); png('rgba16.png',37,29,16,6,[r.tobytes() for r in c])
c=rng.integers(0,65536,(29,37,2)).astype('>u2'); png('la16.png',37,29,16,4,[r.tobytes() for r in c])
png('rgb_trns_gamma.png',37,29,8,2,[r.tobytes() for r in P],extra=chunk(b'gAMA',struct.pack('>I',30000))+chunk(b'tRNS',struct.pack('>HHH',*P[0,0].tolist()))+chunk(b'tEXt',b'Comment\0x'))
ex=Image.Exif(); ex[0x0112]=6
im.save('exif.png',exif=ex)
from PIL import ImageCms
icc=ImageCms.ImageCmsProfile(ImageCms.createProfile('LAB')).tobytes() if False else ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
im.save('icc.png',icc_profile=icc)
# interlaced by hand (Adam7)
def adam7(a):
    out=b''
    for x0,y0,dx,dy in ((0,0,8,8),(4,0,8,8),(0,4,4,8),(2,0,4,4),(0,2,2,4),(1,0,2,2),(0,1,1,2)):
        s=a[y0::dy,x0::dx]
        if s.size:
            for r in s: out+=b'\0'+r.tobytes()
    return out
open('interlaced.png','wb').write(b'\x89PNG\r\n\x1a\n'+chunk(b'IHDR',struct.pack('>IIBBBBB',37,29,8,2,0,0,1))+chunk(b'IDAT',zlib.compress(adam7(P)))+chunk(b'IEND',b''))
# jpeg
im.save('a444.jpg',quality=90,subsampling=0); im.save('a422.jpg',quality=85,subsampling=1); im.save('a420.jpg',quality=60,subsampling=2)
im.save('prog.jpg',quality=80,progressive=True); im.convert('L').save('grey.jpg'); im.convert('CMYK').save('cmyk.jpg',quality=90)
im.save('keeprgb.jpg',quality=90,keep_rgb=True); im.save('icc.jpg',icc_profile=icc,quality=70); im.save('restart.jpg',restart_marker_rows=1,quality=80)
for o in range(1,9):
    ex=Image.Exif(); ex[0x0112]=o; ex[0x010F]='maker'; im.save(f'exif{o}.jpg',exif=ex,quality=75)
def cmyk(K):
    a=np.dstack([pic(29,37),K]); return Image.fromarray(a,'CMYK')
cmyk(pic(29,37)[:,:,2]).save('cmyk2.jpg',quality=90)
# ycck: write cmyk jpeg then patch? transform=2 over CMYK data is still a valid YCCK stream
d=bytearray(open('cmyk2.jpg','rb').read()); i=d.find(b'Adobe'); d[i+11]=2; open('ycck.jpg','wb').write(d)
d=bytearray(open('a444.jpg','rb').read()); i=d.find(b'\xff\xe0'); n=struct.unpack('>H',d[i+2:i+4])[0]; del d[i:i+2+n]; open('nojfif.jpg','wb').write(d)
# gif
im.save('a.gif'); im.quantize(7).save('b.gif',interlace=0); im.convert('L').save('grey.gif'); im.quantize(20).save('trns.gif',transparency=5)
im.quantize(16).save('anim.gif',save_all=True,append_images=[im.rotate(9).quantize(16)])
def gif_offset(name,left,top,trns=None,palette=True,screen=(50,40)):
    d=bytearray(open('b.gif','rb').read()); d[6:10]=struct.pack('<HH',*screen)
    i=d.index(b',',13+3*(2<<(d[10]&7)));
    d[i+1:i+5]=struct.pack('<HH',left,top)
    if trns is not None: d[i:i]=b'!\xf9\x04\x01\0\0'+bytes([trns])+b'\0'
    open(name,'wb').write(d)
gif_offset('off.gif',5,7); gif_offset('off_trns.gif',5,7,3); gif_offset('grow.gif',30,20)
# bmp
im.save('a.bmp'); im.convert('L').save('grey.bmp'); im.quantize(16).save('pal.bmp'); im.convert('1').save('one.bmp'); rgba.save('rgba.bmp')
def bmp(name,w,h,bits,comp,data,masks=b'',top=False):
    off=14+40+len(masks); open(name,'wb').write(b'BM'+struct.pack('<IHHI',off+len(data),0,0,off)+struct.pack('<IiiHHIIiiII',40,w,-h if top else h,1,bits,comp,len(data),0,0,0,0)+masks+data)
v=rng.integers(0,32768,(8,10)).astype('<u2'); bmp('b555.bmp',10,8,16,0,v.tobytes())
v=rng.integers(0,65536,(8,10)).astype('<u2'); bmp('b565.bmp',10,8,16,3,v.tobytes(),struct.pack('<III',0xF800,0x7E0,0x1F))
v=rng.integers(0,2**32,(8,10)).astype('<u4'); bmp('b32.bmp',10,8,32,0,v.tobytes()); bmp('b32top.bmp',10,8,32,0,v.tobytes(),top=True)
bmp('b32f.bmp',10,8,32,3,v.tobytes(),struct.pack('<III',0xFF0000,0xFF00,0xFF))
# webp
im.save('lossless.webp',lossless=True); rgba.save('lossless_a.webp',lossless=True,exact=True); 
im.save('lossless_icc.webp',lossless=True,icc_profile=icc); ex=Image.Exif(); ex[0x0112]=8; im.save('exif.webp',lossless=True,exif=ex)
im.save('anim.webp',save_all=True,append_images=[im.rotate(5)],lossless=True)
im.quantize(5).convert('RGB').save('lossless_pal.webp',lossless=True)
os.makedirs('../lossy',exist_ok=True)
im.save('../lossy/rgb.webp',quality=80); rgba.save('../lossy/rgba.webp',quality=60); Image.fromarray(pic(70,90)).save('../lossy/large.webp',quality=90)
for f in ('rgb','rgba','large'): Image.open(f'../lossy/{f}.webp').convert('RGB').save(f'../lossy/{f}.png')
os.chdir('..')
with open('pictures.txt','w') as out:
    for f in sorted(os.listdir('pictures')):
        if f.startswith('size'): continue
        q=ImageOps.exif_transpose(Image.open('pictures/'+f)).convert('RGB')
        out.write(f'{f} {q.width} {q.height} {hashlib.sha256(q.tobytes()).hexdigest()}\n')

from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
rng=np.random.default_rng(5)
def pic(h,w):
    y,x=np.mgrid[0:h,0:w]
    a=np.stack([127+120*np.sin(x/7+y/11),127+120*np.cos(x/5-y/9),255*((x+y)%40)/40],-1)+rng.normal(0,30,(h,w,3))
    return np.clip(a,0,255).astype(np.uint8)
sizes=[(32,32),(37,50),(50,37),(20,17),(7,90),(200,3),(123,131),(64,48)]
for i,(h,w) in enumerate(sizes): Image.fromarray(pic(h,w)).save(f'pictures/size{i}.png')
cases=[]
def add(cls,cfg):
    proc={'ViT':ViTImageProcessorPil,'DeiT':DeiTImageProcessorPil,'CLIP':CLIPImageProcessorPil,'Idefics3':Idefics3ImageProcessorPil,'SmolVLM':SmolVLMImageProcessorPil}[cls.replace('ImageProcessor','').replace('FeatureExtractor','').replace('Fast','')]
    cfg=dict(cfg); 
    for i in range(len(sizes)):
        im=Image.open(f'pictures/size{i}.png')
        try: o=proc(**cfg)(im,return_tensors='np',**({'return_row_col_info':True} if 'max_image_size' in cfg else {}))
        except Exception as e: print('skip',cls,cfg,sizes[i],repr(e)[:80]); continue
        v=np.asarray(o['pixel_values']).astype(np.float32)
        c=dict(config={**cfg,'image_processor_type':cls},picture=f'size{i}.png',shape=list(v.shape),sha256=hashlib.sha256(v.tobytes()).hexdigest())
        if 'rows' in o: c['rows']=int(o['rows'][0][0]); c['cols']=int(o['cols'][0][0]); c['mask']=bool((np.asarray(o['pixel_attention_mask'])==1).all()) if 'pixel_attention_mask' in o else None
        cases.append(c)
for r in range(6):
    add('ViTImageProcessor',dict(size={'height':32,'width':32},resample=r))
    add('ViTImageProcessorFast',dict(size={'height':61,'width':40},resample=r,image_mean=[.1,.2,.3],image_std=[.4,.5,.6]))
    add('CLIPImageProcessor',dict(size={'shortest_edge':31},crop_size={'height':30,'width':29},resample=r))
add('ViTFeatureExtractor',dict(size=24)); add('ViTImageProcessor',dict(size=[24,30]))
add('ViTImageProcessor',dict(do_resize=False)); add('ViTImageProcessor',dict(size=16,do_rescale=False)); add('ViTImageProcessor',dict(size=16,do_normalize=False)); add('ViTImageProcessor',dict(size=16,do_normalize=False,do_rescale=False))
add('ViTImageProcessor',dict(size=16,rescale_factor=0.01)); add('ViTImageProcessor',dict(size=16,image_mean=0.4,image_std=0.7)) 
add('DeiTImageProcessor',dict(size=40,crop_size=32)); add('DeiTImageProcessor',dict(size={'height':20,'width':24},crop_size={'height':33,'width':30})); add('DeiTFeatureExtractor',dict(size=20,crop_size=33,do_center_crop=True)); add('DeiTImageProcessor',dict(size=40,do_center_crop=False))
add('CLIPImageProcessor',dict(size=25,crop_size=25)); add('CLIPFeatureExtractor',dict(do_center_crop=False,size=30)); add('CLIPImageProcessor',dict(size={'shortest_edge':20,'longest_edge':27},do_center_crop=False)); add('ViTImageProcessor',dict(size={'max_height':30,'max_width':44})); add('CLIPImageProcessor',dict())
add('ViTImageProcessor',dict())
for r in (0,1,2,3):
    add('Idefics3ImageProcessor',dict(max_image_size={'longest_edge':32},size={'longest_edge':64},resample=r))
add('Idefics3ImageProcessor',dict(max_image_size={'longest_edge':24},size={'longest_edge':100}))
add('Idefics3ImageProcessor',dict(max_image_size={'longest_edge':24},size={'longest_edge':100},do_image_splitting=False))
add('Idefics3ImageProcessor',dict(max_image_size={'longest_edge':32},size={'longest_edge':64},do_resize=False))
add('Idefics3ImageProcessor',dict(max_image_size={'longest_edge':64},size={'longest_edge':64},image_mean=[.1,.2,.3]))
add('Idefics3ImageProcessor',dict(max_image_size={'longest_edge':64},size={'height':70,'width':90}))
add('SmolVLMImageProcessor',dict(max_image_size={'longest_edge':32},size={'longest_edge':64}))
open('preprocessor.jsonl','w').write(''.join(json.dumps(c)+'\n' for c in cases))
