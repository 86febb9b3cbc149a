"""Pictures of text into words, through the program `tesseract`.

It is called as a program, one thread a call, with Vietnamese and English data. Where words stand
is taken from it; what they make of a page is `ingest.layout`'s part.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.layout import Page, Word, text_of
from ingest.markup import Content, Pages
from rag.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

_LANGUAGES = ("vie", "eng")
_SECONDS = 180
"""For one page; one of dense text takes about ten on one core."""
_LEAST_CONFIDENCE = 80.0
"""Mean confidence (0-100) below which a page is tried again after looking which way up it is; a
page upside down gives about 60, a clean one 95."""
_WIDTH = 2480
"""Pixels across an A4 page at 300 dpi."""
_MOST_ENLARGED = 3.0


def read_image(path: Path, data: bytes, pages: Pages) -> Content:
    """Text of a picture; each frame of a TIFF is a page.

    Raises `InputError` when nothing can be read on it, when it has too many pages or pixels, or
    when `tesseract` or its Vietnamese data is missing; whatever Pillow raises when it is damaged.
    """
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            count = getattr(image, "n_frames", 1)
            pages.check(count, path)
            pages.announce(count)
            read = []
            for number, frame in enumerate(ImageSequence.Iterator(image), start=1):
                upright = ImageOps.exif_transpose(_on_white(frame))
                read.append(read_page(_enlarged(upright), f"page {number} of {path}"))
    except Image.DecompressionBombError as error:
        raise InputError(f"picture too large: {path}; save it with fewer pixels") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"no picture inside, or a damaged picture: {path}; save it again"
        ) from error
    text, starts = text_of(read)
    if not text.strip():
        raise InputError(f"no text found by OCR in {path}; scan it again, larger or darker")
    numbers = ",".join(str(number) for number, page in enumerate(read, start=1) if page.words)
    return Content(text, starts, {"ocr": numbers})


def read_page(image: Image, name: str) -> Page:
    """The words on a grey picture of a page; `name` is what an error calls it."""
    program = _program(name)
    straight = _straightened(image)
    words, confidence = _words(program, straight, name)
    sideways = _is_sideways(words)
    if confidence < _LEAST_CONFIDENCE or sideways:
        angle = _turn(program, straight)
        if angle:
            turned = _straightened(image.rotate(angle, expand=True, fillcolor=255))
            again, better = _words(program, turned, name)
            if better > confidence or (sideways and not _is_sideways(again)):
                straight, words = turned, again
    return Page(height=float(straight.height), words=words)


def is_blank(image: Image) -> bool:
    """Whether hardly anything on a grey picture is dark."""
    dark = sum(image.histogram()[:128])
    return dark < 0.0002 * image.width * image.height


# ---------------------------------------------------------------------------------------------
# Tesseract


def _program(name: str) -> str:
    program = shutil.which("tesseract")
    if program is None:
        raise InputError(
            f"needs OCR and tesseract is not installed: {name}; "
            "install the Debian packages tesseract-ocr and tesseract-ocr-vie"
        )
    missing = [language for language in _LANGUAGES if language not in _languages(program)]
    if missing:
        packages = " and ".join(f"tesseract-ocr-{language}" for language in missing)
        raise InputError(
            f"needs OCR and tesseract has no data for {', '.join(missing)}: {name}; "
            f"install the Debian package{'s' if len(missing) > 1 else ''} {packages}"
        )
    return program


@lru_cache(maxsize=4)
def _languages(program: str) -> frozenset[str]:
    done = subprocess.run(
        [program, "--list-langs"], capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    return frozenset(done.stdout.split())


def _run(program: str, image: Image, *options: str) -> str:
    """What tesseract prints of a picture; raises `subprocess.SubprocessError`."""
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=1, dpi=(300, 300))
    done = subprocess.run(
        ["env", "OMP_THREAD_LIMIT=1", program, "stdin", "stdout", *options],
        input=data.getvalue(),
        capture_output=True,
        check=True,
        timeout=_SECONDS,
    )
    return done.stdout.decode("utf-8", errors="replace")


def _words(program: str, image: Image, name: str) -> tuple[list[Word], float]:
    """The words and the mean confidence (0-100) in them; no words and 0 for an empty page."""
    try:
        table = _run(program, image, "-l", "+".join(_LANGUAGES), "--psm", "3", "tsv")
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"OCR took more than {_SECONDS} s: {name}; scan it again at 300 dpi"
        ) from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode("utf-8", errors="replace").strip().splitlines() or ["no reason"]
        raise InputError(f"tesseract failed ({lines[-1]}): {name}; save it again") from error
    words: list[Word] = []
    certain: list[float] = []
    for line in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (line["text"] or "").strip()
        if line["level"] != "5" or not text:
            continue
        confidence = float(line["conf"])
        # Specks and rules are seen as signs, seldom with any certainty.
        if not any(map(str.isalnum, text)) and (confidence < 60 or set(text) <= set("|_—~=\\/")):
            continue
        x0, top = float(line["left"]), float(line["top"])
        box = (x0, top, x0 + float(line["width"]), top + float(line["height"]))
        words.append(Word(text, *box))
        certain.append(confidence)
    return words, sum(certain) / len(certain) if certain else 0.0


def _is_sideways(words: list[Word]) -> bool:
    """Whether most longer words are taller than wide: Tesseract reads columns of letters too."""
    longer = [word for word in words if len(word.text) > 3]
    tall = sum(1 for word in longer if word.bottom - word.top > word.x1 - word.x0)
    return 2 * tall > len(longer)


def _turn(program: str, image: Image) -> int:
    """Degrees, anticlockwise, that bring a page upright; 0 when that cannot be told."""
    try:
        shown = _run(program, image, "--psm", "0")
    except subprocess.SubprocessError:
        return 0
    found = dict(line.split(":", 1) for line in shown.splitlines() if ":" in line)
    try:
        return int(found.get("Orientation in degrees", "0"))
    except ValueError:
        return 0


# ---------------------------------------------------------------------------------------------
# Pictures


def _on_white(image: Image) -> Image:
    """Grey, what is transparent shown as paper."""
    from PIL import Image as images

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        shown = image.convert("RGBA")
        paper = images.new("RGBA", shown.size, "white")
        return images.alpha_composite(paper, shown).convert("L")
    return image.convert("L")


def _enlarged(image: Image) -> Image:
    """A page of few pixels at about the size that Tesseract is trained for."""
    from PIL.Image import Resampling

    factor = min(_WIDTH / min(image.size), _MOST_ENLARGED)
    if factor < 1.2:
        return image
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Resampling.LANCZOS)


def _straightened(image: Image) -> Image:
    """A page turned by the few degrees by which it lay askew on the glass."""
    import numpy as np
    from PIL.Image import Resampling

    small = image.copy()
    small.thumbnail((800, 800))
    best, best_score = 0.0, 0.0
    for tenths in range(-30, 31, 3):
        turned = small.rotate(tenths / 10, resample=Resampling.BILINEAR, fillcolor=255)
        ink = 255.0 - np.asarray(turned, dtype=np.float64)
        # Where lines lie level, the sums along them differ most from one to the next.
        score = float(np.square(np.diff(ink.sum(axis=1))).sum())
        if score > best_score * (1.02 if tenths else 1.0):
            best, best_score = tenths / 10, score
    if abs(best) < 0.3:
        return image
    return image.rotate(best, resample=Resampling.BICUBIC, fillcolor=255)
