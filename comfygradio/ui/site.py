"""The name and the icon of the page, as tabs, shared links and home screens show them."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from comfygradio.errors import SettingsError
from comfygradio.media.pictures import PictureTooLarge, open_picture
from comfygradio.settings import Settings

ICON_PATH = "comfygradio/icon-{size}.png"

ICON_SIZES = (48, 192, 512)
"""Width and height of the icons, in pixels: of a tab, and those that browsers want of a page that
can be installed.
"""

MAX_LOGO_BYTES = 5_000_000

LOGO_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")

INDIGO = "#4f46e5"

OWN_LINES = re.compile(
    r'<meta\s[^<>]*(?:property="og:|name="twitter:)[^<>]*>|<link rel="manifest"[^<>]*>'
)
"""What Gradio's template says to websites that show a link: its own name and picture."""


@dataclass(frozen=True)
class Site:
    """The operator's title, description and icons (size in pixels → a square PNG)."""

    title: str
    description: str
    icons: Mapping[int, bytes]

    def write_head(self, page: str, address: str) -> str:
        """Write our title, description and icons into the HTML of a page, in place of Gradio's.

        `address` is that of the page, without a slash at its end.
        """
        head, end, body = page.partition("</head>")
        head = OWN_LINES.sub("", head)
        return f"{head}{self._make_lines(address)}{end}{body}"

    def _make_lines(self, address: str) -> str:
        title = html.escape(self.title)
        about = html.escape(self.description)
        base = html.escape(address)
        lines = [
            f"<title>{title}</title>",
            f'<link rel="icon" type="image/png" sizes="48x48" href="{base}/{name_icon(48)}">',
            f'<link rel="apple-touch-icon" href="{base}/{name_icon(192)}">',
            f'<link rel="manifest" href="{base}/manifest.json">',
            f'<meta property="og:title" content="{title}">',
            '<meta property="og:type" content="website">',
            f'<meta property="og:url" content="{base}/">',
            f'<meta property="og:image" content="{base}/{name_icon(512)}">',
            '<meta name="twitter:card" content="summary">',
        ]
        if about:
            lines.append(f'<meta name="description" content="{about}">')
            lines.append(f'<meta property="og:description" content="{about}">')
        return "\n".join(lines)

    def make_manifest(self) -> dict[str, object]:
        """Make the manifest with which browsers install the page.

        Addresses in it count from its own, so that they hold behind a proxy's path too.
        """
        icons = []
        for size in ICON_SIZES:
            icons.append(
                {
                    "src": f"./{name_icon(size)}",
                    "sizes": f"{size}x{size}",
                    "type": "image/png",
                }
            )
        return {
            "name": self.title,
            "short_name": self.title,
            "description": self.description,
            "start_url": "./",
            "scope": "./",
            "display": "standalone",
            "icons": icons,
        }


def name_icon(size: int) -> str:
    """Return the address of an icon, below that of the page."""
    return ICON_PATH.format(size=size)


def load_site(settings: Settings) -> Site:
    """Make the site of the settings. Raises SettingsError for a logo that cannot be used."""
    largest = max(ICON_SIZES)
    # Ours is drawn larger than it is shown, so that its edges are smooth.
    logo = load_logo(settings.logo, largest) if settings.logo else draw_logo(2 * largest)
    icons: dict[int, bytes] = {}
    for size in ICON_SIZES:
        buffer = io.BytesIO()
        logo.resize((size, size), Image.Resampling.LANCZOS).save(buffer, "PNG")
        icons[size] = buffer.getvalue()
    return Site(settings.title, settings.description, icons)


def load_logo(path: Path, size: int) -> Image.Image:
    """Load a picture as a square (size × size, RGBA); what it lacks to a square is transparent.

    Raises SettingsError.
    """
    try:
        if path.stat().st_size > MAX_LOGO_BYTES:
            raise SettingsError(f"--logo: {path} has more than {MAX_LOGO_BYTES // 1_000_000} MB.")
        with open_picture(path, LOGO_FORMATS) as picture:
            logo = ImageOps.exif_transpose(picture).convert("RGBA")
    except PictureTooLarge as error:
        raise SettingsError(f"--logo: {path}: {error}.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise SettingsError(f"--logo: {path} is no PNG, JPEG, WebP or GIF picture.") from error
    return ImageOps.pad(logo, (size, size), Image.Resampling.LANCZOS, color=(0, 0, 0, 0))


def draw_logo(size: int) -> Image.Image:
    """Draw our own logo (size × size, RGBA): a form, and the picture beside it."""
    unit = size / 16
    logo = Image.new("RGBA", (size, size))
    pen = ImageDraw.Draw(logo)

    def box(left: float, top: float, right: float, bottom: float, radius: float, fill: str) -> None:
        pen.rounded_rectangle(
            (left * unit, top * unit, right * unit, bottom * unit), radius * unit, fill
        )

    box(0, 0, 15.99, 15.99, 3.5, INDIGO)
    box(3, 4, 7, 5.4, 0.7, "white")
    box(3, 7.3, 7, 8.7, 0.7, "white")
    box(3, 10.6, 7, 12, 0.7, "#c7d2fe")
    box(8.6, 4, 13, 12, 1, "white")
    pen.ellipse((9.6 * unit, 5.2 * unit, 11.2 * unit, 6.8 * unit), fill="#fbbf24")
    pen.polygon(
        [(9.2 * unit, 11.2 * unit), (11 * unit, 8.2 * unit), (12.6 * unit, 11.2 * unit)],
        fill=INDIGO,
    )
    return logo
