"""Makes the small images of this folder and pillow_decoded.txt, what Pillow decodes them to.

Run in this folder with Pillow 12.3 and NumPy. Each line of pillow_decoded.txt is
    FILE WIDTH HEIGHT RGB GREY
the size after EXIF orientation, and the values (H, W, 3) and (H, W) of convert("RGB") and convert("L"), deflated, Base64.
16-bit grey is the one exception: Pillow clips it to 255, here the high byte is taken, as Pillow does for 16-bit colour.
The pictures are computed; nobody's photograph is among them.
"""

import base64
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
OVERRIDES = {}


def picture(width, height):
    """Waves of different lengths in each channel with a bright disc: edges, gradients and saturated colours."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    channels = [127.5 + 127.5 * np.sin(x / (3 + 2 * c) + y / (9 - 2 * c) + c) for c in range(3)]
    rgb = np.stack(channels, axis=-1)
    disc = (x - width * 0.6) ** 2 + (y - height * 0.4) ** 2 < (min(width, height) * 0.3) ** 2
    rgb[disc] = (250, 220, 30)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def save(name, data):
    (HERE / name).write_bytes(data)


def encode(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


# JPEG


def exif(orientation, big_endian=False, kind=3, count=1, offset=8, entries=1):
    order = ">" if big_endian else "<"
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    tiff = (b"MM" if big_endian else b"II") + struct.pack(order + "HI", 42, offset)
    tiff += struct.pack(order + "H", entries) + struct.pack(order + "HHI", 0x0112, kind, count) + value
    return b"Exif\0\0" + tiff + struct.pack(order + "I", 0)


def segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segment(jpeg, marker, payload):
    return jpeg[:2] + segment(marker, payload) + jpeg[2:]


def without_adobe(jpeg):
    at = jpeg.index(b"\xff\xee\x00\x0eAdobe")
    return jpeg[:at] + jpeg[at + 16 :]


def adobe_transform(jpeg, transform):
    at = jpeg.index(b"\xff\xee\x00\x0eAdobe")
    return jpeg[: at + 15] + bytes([transform]) + jpeg[at + 16 :]


def jpegs():
    rgb = Image.fromarray(picture(37, 26))
    cmyk = Image.fromarray(np.concatenate([picture(37, 26), picture(37, 26)[..., :1] // 2], axis=-1), "CMYK")
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        save(f"baseline-{name}.jpg", encode(rgb, "JPEG", quality=90, subsampling=subsampling))
        save(f"progressive-{name}.jpg", encode(rgb, "JPEG", quality=90, subsampling=subsampling, progressive=True))
    baseline = encode(rgb, "JPEG", quality=85)
    save("optimized.jpg", encode(rgb, "JPEG", quality=60, optimize=True))
    save("restart.jpg", encode(rgb, "JPEG", quality=85, restart_marker_blocks=2))
    save("progressive-restart.jpg", encode(rgb, "JPEG", quality=85, progressive=True, restart_marker_rows=1))
    save("grey.jpg", encode(rgb.convert("L"), "JPEG", quality=85))
    save("grey-progressive.jpg", encode(rgb.convert("L"), "JPEG", quality=85, progressive=True))
    save("rgb-adobe.jpg", encode(rgb, "JPEG", quality=90, keep_rgb=True))
    save("cmyk-adobe.jpg", encode(cmyk, "JPEG", quality=90))
    save("cmyk.jpg", without_adobe(encode(cmyk, "JPEG", quality=90)))
    save("ycck-adobe.jpg", adobe_transform(encode(cmyk, "JPEG", quality=90), 2))
    save("ycck-progressive.jpg", adobe_transform(encode(cmyk, "JPEG", quality=90, progressive=True), 2))
    save("trailing-zeros.jpg", baseline + bytes(100))
    save("trailing-data.jpg", baseline + b"a preview or a film may follow" * 9)
    save("fill-bytes.jpg", baseline[:2] + b"\xff\xff\xff" + baseline[2:])
    save("no-jfif.jpg", baseline[:2] + baseline[20:])
    save("profile.jpg", encode(rgb, "JPEG", quality=85, icc_profile=bytes(range(256)) * 5, comment=b"c"))
    save("one-pixel.jpg", encode(rgb.crop((20, 8, 21, 9)), "JPEG", quality=85))
    small = encode(Image.fromarray(picture(13, 7)), "JPEG", quality=90, subsampling=0)
    for orientation in range(1, 9):
        save(f"exif-{orientation}.jpg", with_segment(small, 0xE1, exif(orientation)))
        save(f"exif-{orientation}-big-endian.jpg", with_segment(small, 0xE1, exif(orientation, big_endian=True)))
    grey = encode(Image.fromarray(picture(13, 7)).convert("L"), "JPEG", quality=90)
    save("exif-6-grey.jpg", with_segment(grey, 0xE1, exif(6)))
    broken = {
        "value-0": exif(0),
        "value-9": exif(9),
        "offset": exif(6, offset=0xFFFFFFF0),
        "byte-order": exif(6).replace(b"II", b"IM"),
        "cut": exif(6)[:20],
        "empty": b"Exif\0\0",
        "not-exif": b"http://ns.adobe.com/xap/1.0/\0<x/>",
    }
    for name, payload in broken.items():
        save(f"exif-broken-{name}.jpg", with_segment(small, 0xE1, payload))
    save("exif-many-entries.jpg", with_segment(small, 0xE1, exif(6, entries=60000)))


# PNG

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_rows(samples, depth):
    """Rows of (H, W, C) samples, packed; the filters take turns."""
    height, width, channels = samples.shape
    step = max(1, depth * channels // 8)
    out, above = b"", None
    for y in range(height):
        if depth == 16:
            row = samples[y].astype(">u2").tobytes()
        elif depth == 8:
            row = samples[y].astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in samples[y, :, 0])
            bits += "0" * (-len(bits) % 8)
            row = int(bits, 2).to_bytes(len(bits) // 8, "big")
        above = bytes(len(row)) if above is None else above
        out += bytes([y % 5]) + bytes(
            (v - predict(y % 5, row[i - step] if i >= step else 0, above[i], above[i - step] if i >= step else 0)) % 256
            for i, v in enumerate(row)
        )
        above = row
    return out


def predict(filter, left, up, corner):
    paeth = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))[2]
    return (0, left, up, (left + up) // 2, paeth)[filter]


def png(samples, depth, kind, before=b"", after=b"", interlaced=False, idat=None):
    height, width, _ = samples.shape
    if interlaced:
        passes = (samples[y::dy, x::dx] for x, y, dx, dy in ADAM7)
        data = b"".join(png_rows(p, depth) for p in passes if p.size)
    else:
        data = png_rows(samples, depth)
    data = zlib.compress(data, 9)
    cut = len(data) // 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced)))
        + before
        + (idat or chunk(b"IDAT", data[:cut]) + chunk(b"IDAT", data[cut:]))
        + after
        + chunk(b"IEND", b"")
    )


def pngs():
    rgb = picture(19, 14)
    grey = rgb[..., 1:2]
    fine = (rgb.astype(np.uint16) << 8) | rgb[::-1]
    alpha = rgb[::-1, :, :1]
    palette = np.random.default_rng(4).integers(0, 256, (256, 3)).astype(np.uint8)
    for interlaced in (False, True):
        suffix = "-interlaced.png" if interlaced else ".png"
        for depth in (1, 2, 4, 8):
            indices = grey >> (8 - depth)
            plte = chunk(b"PLTE", palette[: 1 << depth].tobytes())
            save(f"grey-{depth}{suffix}", png(indices, depth, 0, interlaced=interlaced))
            save(f"palette-{depth}{suffix}", png(indices, depth, 3, plte, interlaced=interlaced))
        save("grey-16" + suffix, png(fine[..., 1:2], 16, 0, interlaced=interlaced))
        OVERRIDES["grey-16" + suffix] = np.repeat(grey, 3, axis=-1)
        save("rgb-8" + suffix, png(rgb, 8, 2, interlaced=interlaced))
        save("rgb-16" + suffix, png(fine, 16, 2, interlaced=interlaced))
        save("rgba-8" + suffix, png(np.concatenate([rgb, alpha], -1), 8, 6, interlaced=interlaced))
    save("grey-alpha-8.png", png(np.concatenate([grey, alpha], -1), 8, 4))
    save("grey-alpha-16.png", png(np.concatenate([fine[..., 1:2], fine[..., :1]], -1), 16, 4))
    save("rgba-16.png", png(np.concatenate([fine, fine[::-1, :, :1]], -1), 16, 6))
    save("palette-transparent.png", png(grey >> 4, 4, 3, chunk(b"PLTE", palette[:16].tobytes()) + chunk(b"tRNS", bytes(range(0, 160, 10)))))
    save("grey-transparent.png", png(grey, 8, 0, chunk(b"tRNS", struct.pack(">H", int(grey[3, 3, 0])))))
    save("rgb-transparent.png", png(rgb, 8, 2, chunk(b"tRNS", struct.pack(">HHH", *map(int, rgb[3, 3])))))
    save("gamma.png", png(rgb, 8, 2, chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"sRGB", b"\0")))
    save("background.png", png(np.concatenate([rgb, alpha], -1), 8, 6, chunk(b"bKGD", struct.pack(">HHH", 9, 99, 200))))
    save("text.png", png(rgb, 8, 2, chunk(b"tEXt", b"Comment\0none"), chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 9999))))
    save("exif-6.png", png(rgb, 8, 2, chunk(b"eXIf", exif(6)[6:])))
    save("exif-8-behind.png", png(rgb, 8, 2, b"", chunk(b"eXIf", exif(8, big_endian=True)[6:])))
    save("one-pixel.png", png(rgb[:1, :1], 8, 2))
    save("thin-interlaced.png", png(rgb[:1, :3], 8, 2, interlaced=True))
    frames = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    save("animated.png", encode(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    frame = struct.pack(">IIIIIHHBB", 0, 6, 5, 3, 2, 1, 10, 0, 0)
    second = struct.pack(">I", 1) + zlib.compress(png_rows(rgb[:5, :6], 8))
    behind = chunk(b"fcTL", frame) + chunk(b"fdAT", second)
    save("animated-default-image.png", png(rgb, 8, 2, chunk(b"acTL", struct.pack(">II", 1, 0)), behind))


# WebP


def riff(*chunks):
    body = b"WEBP" + b"".join(k + struct.pack("<I", len(d)) + d + bytes(len(d) % 2) for k, d in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_chunks(webp):
    at, found = 12, {}
    while at < len(webp):
        length = struct.unpack_from("<I", webp, at + 4)[0]
        found.setdefault(webp[at : at + 4], webp[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return found


def u24(*values):
    return b"".join(struct.pack("<I", v)[:3] for v in values)


def webps():
    rgb = Image.fromarray(picture(35, 22))
    rgba = Image.fromarray(np.concatenate([picture(35, 22), picture(35, 22)[::-1, :, 2:]], -1))
    lossy = encode(rgb, "WEBP", quality=80)
    save("lossy.webp", lossy)
    save("lossless.webp", encode(rgb, "WEBP", lossless=True))
    save("lossy-alpha.webp", encode(rgba, "WEBP", quality=80))
    save("lossless-alpha.webp", encode(rgba, "WEBP", lossless=True, exact=True))
    save("exif-5.webp", encode(rgb, "WEBP", quality=80, exif=exif(5)[6:]))
    save("exif-7-prefixed.webp", encode(rgb, "WEBP", lossless=True, exif=exif(7, big_endian=True)))
    save("profile.webp", encode(rgb, "WEBP", quality=80, icc_profile=bytes(range(200))))
    save("one-pixel.webp", encode(rgb.crop((0, 0, 1, 1)), "WEBP", lossless=True))
    save("trailing-data.webp", lossy + b"something else")
    frames = [rgb, ImageOps.invert(rgb)]
    save("animated.webp", encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=50, lossless=True))
    save("animated-lossy-alpha.webp", encode(rgba, "WEBP", save_all=True, append_images=[rgba.rotate(180)], quality=70))
    part = webp_chunks(encode(rgb.crop((0, 0, 16, 9)), "WEBP", quality=80))[b"VP8 "]
    body = u24(4, 3, 15, 8, 100) + b"\0" + b"VP8 " + struct.pack("<I", len(part)) + part + bytes(len(part) % 2)
    canvas = b"\x02\0\0\0" + u24(34, 21)
    save("animated-partial.webp", riff((b"VP8X", canvas), (b"ANIM", b"\xff\x80\x40\xff\0\0"), (b"ANMF", body)))


# GIF


def placed(gif, width, height, left, top):
    """The same frame on a larger canvas."""
    at = 13 + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)
    while gif[at] == 0x21:
        at += 2
        while gif[at]:
            at += gif[at] + 1
        at += 1
    gif = bytearray(gif)
    struct.pack_into("<HH", gif, 6, width, height)
    struct.pack_into("<HH", gif, at + 1, left, top)
    return bytes(gif)


def gifs():
    rgb = Image.fromarray(picture(31, 23))
    indexed = rgb.quantize(200)
    plain = encode(indexed, "GIF", interlace=0)
    save("plain.gif", plain)
    save("interlaced.gif", encode(indexed, "GIF", interlace=1))
    save("grey.gif", encode(rgb.convert("L"), "GIF", interlace=0))
    save("two-colours.gif", encode(rgb.convert("1"), "GIF", interlace=0))
    save("five-colours.gif", encode(rgb.quantize(5), "GIF", interlace=1))
    save("transparent.gif", encode(indexed, "GIF", transparency=int(np.asarray(indexed)[4, 4]), interlace=0))
    save("placed.gif", placed(plain, 40, 33, 5, 7))
    save("placed-transparent.gif", placed((HERE / "transparent.gif").read_bytes(), 40, 33, 9, 10))
    save("beyond-canvas.gif", placed(plain, 20, 40, 3, 2))
    frames = [indexed, ImageOps.invert(rgb).quantize(30)]
    save("animated.gif", encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0))
    local = bytearray(encode(indexed, "GIF", interlace=0, include_color_table=True))
    save("local-palette.gif", bytes(local))
    at = 13 + 768
    save("no-palette.gif", plain[:10] + b"\x70" + plain[11:13] + plain[at:])
    save("87a.gif", b"GIF87a" + plain[6:])
    save("no-trailer.gif", plain[:-1])
    save("one-pixel.gif", encode(indexed.crop((3, 3, 4, 4)), "GIF"))
    large = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 90), dtype=np.uint8))
    save("full-table.gif", encode(large, "GIF", interlace=0))


def packed(values):
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 9)).decode()


def main():
    for old in HERE.iterdir():
        if old.suffix in (".jpg", ".png", ".webp", ".gif"):
            old.unlink()
    jpegs(), pngs(), webps(), gifs()
    lines = []
    for file in sorted(HERE.iterdir()):
        if file.suffix not in (".jpg", ".png", ".webp", ".gif"):
            continue
        try:
            image = ImageOps.exif_transpose(Image.open(file))
        except Exception as e:  # broken EXIF: Pillow's users catch this, and take the image as it is
            print(file.name, e)
            image = Image.open(file)
        rgb, grey = np.asarray(image.convert("RGB")), np.asarray(image.convert("L"))
        if file.name in OVERRIDES:
            rgb, grey = OVERRIDES[file.name], OVERRIDES[file.name][..., 0]
        lines.append(f"{file.name} {rgb.shape[1]} {rgb.shape[0]} {packed(rgb)} {packed(grey)}\n")
    (HERE / "pillow_decoded.txt").write_text("".join(lines))


main()
