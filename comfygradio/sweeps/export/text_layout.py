"""Text in any script: measured, broken into lines, fitted into boxes, and drawn."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]

REGULAR_FONTS = (
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "segoeui.ttf",
    "Arial.ttf",
    "arial.ttf",
)
BOLD_FONTS = (
    "NotoSans-Bold.ttf",
    "LiberationSans-Bold.ttf",
    "segoeuib.ttf",
    "Arial Bold.ttf",
    "arialbd.ttf",
    "DejaVuSans-Bold.ttf",
)
FALLBACK_FONTS = (
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "YuGothR.ttc",
    "malgun.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "Nirmala.ttf",
    "Nirmala.ttc",
    "Arial Unicode.ttf",
    "seguisym.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "NotoEmoji-Regular.ttf",
    "NotoColorEmoji.ttf",
    "seguiemj.ttf",
    "unifont.otf",
)
"""Fonts of Linux, Windows and macOS; of each list those that are there, the last one for what no
other can write.
"""

BITMAP_SIZE = 109
"""The only size of Noto's color emoji."""

NO_CHARACTER = "\U0010ffff"
"""Fonts draw it as they draw everything that they lack."""

KEPT_CHARACTERS = "\n\u200c\u200d"
"""Line breaks, and what joins letters and emoji."""

LINE_BREAK = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")

HALF_CHARACTER = re.compile("[\ud800-\udfff]")

WORD = re.compile(r"\S+\s*")

BREAK = re.compile(r"(?<=[_/\\\-–,;:|.])(?=\w)|(?<=[⺀-鿿가-힣豈-\ufaff＀-￯])")
"""Where a word may be broken: in names after _ / - and the like, and after CJK."""

SHRINK_FACTOR = 0.92

FontFile = tuple[str, bool]
"""The path of a font, "" for the one inside Pillow, and whether it has one size only."""


@dataclass(frozen=True)
class Face:
    """A size of letters in pixels, regular or bold."""

    size: int
    is_bold: bool = False

    @property
    def line_height(self) -> int:
        """Pixels from one line to the next."""
        return round(self.size * 1.32)

    def measure(self, text: str) -> float:
        """Measure the width of a line in pixels."""
        return _measure(self, text)

    def draw(self, canvas: Image.Image, x: float, y: float, text: str, color: Color) -> None:
        """Draw a line whose upper left corner is at x, y."""
        base = y + self.size * 1.02
        draw = ImageDraw.Draw(canvas)
        for file, part in _split_runs(text, self.is_bold):
            _, is_bitmap = file
            if is_bitmap:
                _draw_bitmaps(canvas, file, self.size, x, base, part)
            else:
                font = _load(file, self.size)
                draw.text((x, base), part, color, font, anchor="ls")
            x += _measure_run(file, self.size, part)

    def wrap(self, text: str, width: float, most: int) -> tuple[list[str], bool]:
        """Break a text into at most `most` lines; what does not fit is cut off with ….

        Returns the lines, and whether all words stayed whole.
        """
        text = clean_text(text)
        if "\n" not in text and self.measure(text) <= width:
            return [text], True
        lines: list[str] = []
        is_whole = True
        for paragraph in text.split("\n"):
            line = ""
            for word in _split_words(paragraph):
                longer = (line + word).rstrip()
                if line and self.measure(longer) > width:
                    lines.append(line.rstrip())
                    line = ""
                # Not even a line of its own is long enough for this word.
                while self.measure(word.rstrip()) > width and len(word) > 1:
                    is_whole = False
                    cut = self._cut(word, width)
                    lines.append(word[:cut])
                    word = word[cut:]
                line += word
            lines.append(line.rstrip())
            # Further paragraphs would be cut off anyway.
            if len(lines) > most:
                break
        if len(lines) <= most:
            return lines, is_whole
        last = self.shorten(f"{lines[most - 1]} …", width)
        return [*lines[: most - 1], last], False

    def shorten(self, text: str, width: float) -> str:
        """Shorten a text with … so that it fits into a line."""
        if self.measure(text) <= width:
            return text
        room = width - self.measure("…")
        cut = self._cut(text, room)
        kept = text[:cut].rstrip(" …")
        return f"{kept}…"

    def _cut(self, text: str, width: float) -> int:
        """Count the characters that fit into a width; at least one."""
        # By bisection, since measuring is slow.
        low = 1
        high = max(1, len(text))
        while low < high:
            middle = (low + high + 1) // 2
            if self.measure(text[:middle]) <= width:
                low = middle
            else:
                high = middle - 1
        return low


def fit_texts(
    texts: Sequence[str], face: Face, width: float, most: int, smallest: int
) -> tuple[Face, list[list[str]]]:
    """Find the largest size, up to this face's, at which all texts fit into `most` lines with whole
    words.

    Returns the face and the lines of each text. At the smallest size, words are broken and texts
    cut off with ….
    """
    size = face.size
    while True:
        tried = Face(size, face.is_bold)
        wrapped = []
        are_whole = True
        for text in texts:
            lines, is_whole = tried.wrap(text, width, most)
            wrapped.append(lines)
            are_whole = are_whole and is_whole
        if are_whole or size <= smallest:
            return tried, wrapped
        shrunk = int(size * SHRINK_FACTOR)
        smaller = min(size - 1, shrunk)
        size = max(smallest, smaller)


@lru_cache(maxsize=20_000)
def clean_text(text: str) -> str:
    """Remove control characters and half characters. All kinds of line breaks become line feeds."""
    text = LINE_BREAK.sub("\n", text)
    text = text.replace("\t", " ")
    text = HALF_CHARACTER.sub("\ufffd", text)
    kept = [char for char in text if char.isprintable() or char in KEPT_CHARACTERS]
    return "".join(kept)


def _split_words(text: str) -> Iterator[str]:
    """Split a text where lines may be broken: after spaces, after _ / - and the like in names, and
    after CJK.
    """
    words = WORD.findall(text)
    if not words:
        words = [""]
    indent = len(text) - len(text.lstrip())
    words[0] = text[:indent] + words[0]
    for word in words:
        yield from BREAK.split(word)


@lru_cache(maxsize=50_000)
def _measure(face: Face, text: str) -> float:
    width = 0.0
    for file, part in _split_runs(text, face.is_bold):
        width += _measure_run(file, face.size, part)
    return width


def _measure_run(file: FontFile, size: int, text: str) -> float:
    _, is_bitmap = file
    font = _load(file, size)
    length = font.getlength(text)
    if not is_bitmap:
        return length
    scale = size / BITMAP_SIZE
    return length * scale


@lru_cache(maxsize=10_000)
def _split_runs(text: str, is_bold: bool) -> tuple[tuple[FontFile, str], ...]:
    """Split a text into runs of one font each. Marks and joiners stay with their letter."""
    runs: list[tuple[FontFile, str]] = []
    for char in text:
        if runs and unicodedata.category(char) in ("Mn", "Me", "Cf", "Sk"):
            file = runs[-1][0]
        else:
            file = _choose_font(char, is_bold)
        if runs and runs[-1][0] == file:
            _, part = runs.pop()
            runs.append((file, part + char))
        else:
            runs.append((file, char))
    return tuple(runs)


def _choose_font(char: str, is_bold: bool) -> FontFile:
    """Choose the first font that has a letter, else the first of all."""
    fonts = _find_fonts(is_bold)
    for file in fonts:
        if _has_glyph(file, char):
            return file
    return fonts[0]


@lru_cache(maxsize=50_000)
def _has_glyph(file: FontFile, char: str) -> bool:
    if char.isspace():
        return True
    font = _load(file, 16)
    found = font.getmask(char)
    none = font.getmask(NO_CHARACTER)
    return found.size != none.size or bytes(found) != bytes(none)


@lru_cache(maxsize=2)
def _find_fonts(is_bold: bool) -> tuple[FontFile, ...]:
    """Find the fonts of this machine: first the one for most texts, last the one inside Pillow."""
    found: list[FontFile] = []
    names = BOLD_FONTS if is_bold else REGULAR_FONTS
    for name in names:
        file = _find_font(name)
        if file is not None:
            found.append(file)
            break
    for name in FALLBACK_FONTS:
        file = _find_font(name)
        if file is not None:
            found.append(file)
    found.append(("", False))
    return tuple(dict.fromkeys(found))


@cache
def _find_font(name: str) -> FontFile | None:
    # A font of bitmaps can be opened at its own size only.
    for size in (16, BITMAP_SIZE):
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        return str(font.path), size == BITMAP_SIZE
    return None


@lru_cache(maxsize=200)
def _load(file: FontFile, size: int) -> ImageFont.FreeTypeFont:
    path, is_bitmap = file
    if path:
        return ImageFont.truetype(path, BITMAP_SIZE if is_bitmap else size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _draw_bitmaps(
    canvas: Image.Image, file: FontFile, size: int, x: float, base: float, text: str
) -> None:
    """Draw letters of a font that has pictures of a single size, scaled."""
    font = _load(file, size)
    ascent, descent = font.getmetrics()
    length = round(font.getlength(text))
    tile = Image.new("RGBA", (max(1, length), ascent + descent))
    draw = ImageDraw.Draw(tile)
    draw.text((0, ascent), text, font=font, anchor="ls", embedded_color=True)
    scale = size / BITMAP_SIZE
    width = round(tile.width * scale)
    height = round(tile.height * scale)
    small_size = (max(1, width), max(1, height))
    small = tile.resize(small_size, Image.Resampling.LANCZOS)
    left = round(x)
    top = round(base - ascent * scale)
    canvas.paste(small, (left, top), small)
