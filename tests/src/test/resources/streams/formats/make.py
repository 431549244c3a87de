"""Makes the files in this folder: python make.py FOLDER (GNU tar 1.34, Python 3.11, Pillow, pyarrow)."""

import io
import os
import subprocess
import sys
import tarfile
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

out = os.path.abspath(sys.argv[1])
LONG = "n" * 150


def picture(grey, form="PNG"):
    data = io.BytesIO()
    Image.new("L", (6, 4), grey).save(data, form)
    return data.getvalue()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def tars():
    names = ["a/one.png", "a/one.cls", f"a/{LONG}é.png", f"a/{LONG}é.cls", "b/two.seg.png", "b/two.PNG", "b/two.cls",
             "b/link.png", "b/hard.png", "b"]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number, name in enumerate(n for n in names if n.endswith("one.png") or n.endswith("é.png") or "two" in n):
            if name.lower().endswith("png"):
                write(name, picture(10 * number))
        write("a/one.cls", b"1\n")
        write(f"a/{LONG}é.cls", b"2\n")
        write("b/two.cls", b"3\n")
        os.symlink("two.PNG", "b/link.png")
        os.link("b/two.PNG", "b/hard.png")
        common = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--no-recursion"]
        for form in ("gnu", "posix"):
            subprocess.run(["tar", "cf", f"{form}.tar", f"--format={form}", *common, *names], check=True)
        # A ustar path is split at a slash into two fields; v7 knows 100 bytes only.
        os.makedirs("d" * 90)
        for suffix in ("png", "cls"):
            os.rename(f"a/{LONG}é.{suffix}", "d" * 90 + f"/é.{suffix}")
        split = [name.replace(f"a/{LONG}", "d" * 90 + "/") for name in names]
        subprocess.run(["tar", "cf", "ustar.tar", "--format=ustar", *common, *split], check=True)
        short = [name for name in split if not name.startswith("d")]
        subprocess.run(["tar", "cf", "v7.tar", "--format=v7", *common, *short], check=True)
        with open("sparse.png", "wb") as file:
            file.write(picture(1))
            file.truncate(1 << 20)
            file.seek(900_000)
            file.write(b"end")
        for form in ("gnu", "posix"):
            subprocess.run(["tar", "cSf", f"sparse-{form}.tar", f"--format={form}", *common, "sparse.png", "b/two.PNG"],
                           check=True)
        with tarfile.open("python.tar", "w") as archive:  # as WebDataset's writer makes them
            for name, data in (("a/one.png", picture(0)), ("a/one.cls", b"1"), (f"a/{LONG}é.png", picture(10)),
                               (f"a/{LONG}é.cls", b"2"), ("b/two.PNG", picture(30)), ("b/two.cls", b"3")):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        for name in sorted(os.listdir(".")):
            if name.endswith(".tar"):
                subprocess.run(f"gzip -9nc {name} > {out}/{name}.gz", shell=True, check=True)


def parquet():
    rows = 7
    images = [{"bytes": picture(10 * i, "JPEG" if i % 2 else "PNG"), "path": "image.png"} for i in range(rows)]
    images[4] = None
    laion = pa.table({
        "image": images,
        "class_id": pa.array([0, 1, 2, 3, 4, None, -1], pa.int32()),
        "caption": ["a cat", "two dogs on a sofa", "", None, "a bird", "one two three", "x"],
        "aesthetic_score": pa.array([6.1, 4.0, float("nan"), 5.0, 7.5, 5.5, None], pa.float32()),
        "similarity": [0.31, 0.2, 0.3, 0.29, 0.4, 0.35, 0.1],
        "nsfw": [False, False, True, False, False, False, False],
        "meta": [{"width": 6, "source": "web"}] * rows,
        "tags": [["a", "b"]] * rows,
    })
    for codec in ("gzip", "lz4", "none", "snappy", "zstd"):
        pq.write_table(laion, f"{out}/fields-{codec}.parquet", compression=codec, row_group_size=3,
                       data_page_version="2.0" if codec in ("lz4", "gzip") else "1.0", write_page_checksum=True)
    cifar = pa.table({"img": [picture(i) for i in range(3)], "fine_label": [5, 6, 7], "label": [0, 0, 1]})
    pq.write_table(cifar, f"{out}/plain.parquet")
    pq.write_table(pa.table({"text": ["no", "images"]}), f"{out}/no-images.parquet")


tars()
parquet()
