"""A font for the text of a stamp: found, looked through for missing glyphs, embedded as a subset.

ISO 32000-1 9.7.4 (CIDFonts) and 9.9 (embedded font programs). pyHanko embeds fonts too, but writes
widths in units of the font where PDF wants thousandths: text in a font of 2048 units, as nearly all
TrueType fonts are, comes out spaced wide.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fontTools.ttLib import TTFont, TTLibError
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import BasePdfFileWriter

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.pdf_reader import PARSE_ERRORS

USUAL_PLACES: Final = (
    # Debian, Ubuntu
    "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "/usr/share/fonts/opentype/ipaexfont-mincho/ipaexm.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
    "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
    "/usr/share/fonts/truetype/ipamj-mincho/ipamjm.ttf",
    "/usr/share/fonts/opentype/ipamj-mincho/ipamjm.ttf",
    # Fedora, Arch
    "/usr/share/fonts/ipa-ex-gothic-fonts/ipaexg.ttf",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/OTF/ipaexg.ttf",
    # macOS
    "/System/Library/Fonts/ヒラギノ角ゴシック W3.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    # Windows
    "C:/Windows/Fonts/YuGothM.ttc",
    "C:/Windows/Fonts/meiryo.ttc",
    "C:/Windows/Fonts/msgothic.ttc",
)
VARIATION_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
RESTRICTED_LICENSE: Final = 0x0002  # OS/2 fsType: may not be embedded at all
FONT_ERRORS: Final = (*PARSE_ERRORS, TTLibError)
DROPPED_TABLES: Final = ["BASE", "GDEF", "GPOS", "GSUB", "OS/2", "VORG", "post", "vhea", "vmtx"]


def clusters(text: str) -> Iterator[str]:
    """Yield the characters of a text, each with the variation selector that follows it."""
    held = ""
    for character in text:
        if any(ord(character) in selectors for selectors in VARIATION_SELECTORS):
            held += character
            continue
        if held:
            yield held
        held = character
    if held:
        yield held


def code_points(text: str) -> str:
    """Name the characters of a text without writing them: "U+845B U+E0100"."""
    return " ".join(f"U+{ord(character):04X}" for character in text)


@dataclass(frozen=True, slots=True)
class Face:
    """A font file that can be read and embedded; of a collection its first font."""

    path: Path
    units_per_em: int
    ascent: float  # in ems, above the base line
    descent: float  # in ems, below it, positive
    _widths: dict[str, tuple[int, int]] = field(repr=False)  # glyph: advance, left side bearing
    _glyphs: dict[int, str] = field(repr=False)  # code point: glyph
    _variations: dict[tuple[int, int], str | None] = field(repr=False)

    def glyph(self, cluster: str) -> str | None:
        """Return the name of the glyph for a cluster, None: the font has none."""
        base = ord(cluster[0])
        if len(cluster) == 1:
            return self._glyphs.get(base)
        key = (base, ord(cluster[1]))
        if len(cluster) > 2 or key not in self._variations:
            return None
        return self._variations[key] or self._glyphs.get(base)

    def missing(self, text: str) -> str:
        """Return what of a text the font has no glyph for, each cluster once."""
        found = dict.fromkeys(cluster for cluster in clusters(text) if self.glyph(cluster) is None)
        return "".join(found)

    def width(self, text: str) -> float:
        """Return how wide a text is, in ems. All of it must be in the font."""
        glyphs = [self.glyph(cluster) or ".notdef" for cluster in clusters(text)]
        return sum(self.advance(glyph) for glyph in glyphs) / self.units_per_em

    def advance(self, glyph: str) -> int:
        """Return the width of a glyph in units of the font."""
        return self._widths[glyph][0]


def load_face(path: Path) -> Face:
    """Read a TrueType or OpenType font, or the first of a collection.

    Raises:
        DocumentError: font-unusable.
    """
    try:
        with _open(path) as font:
            return _read_face(path, font)
    except OSError as error:
        detail = os.strerror(error.errno) if error.errno else "unreadable"
        raise DocumentError(DocumentFault.FONT_UNUSABLE, detail) from error
    except FONT_ERRORS as error:
        raise DocumentError(DocumentFault.FONT_UNUSABLE, "not a font") from error


def _read_face(path: Path, font: TTFont) -> Face:
    if font["OS/2"].fsType & 0x000F == RESTRICTED_LICENSE:
        raise DocumentError(DocumentFault.FONT_UNUSABLE, "its licence forbids embedding")
    units_per_em = font["head"].unitsPerEm
    return Face(
        path=path,
        units_per_em=units_per_em,
        ascent=font["hhea"].ascent / units_per_em,
        descent=-font["hhea"].descent / units_per_em,
        _widths=font["hmtx"].metrics,
        _glyphs=font.getBestCmap() or {},
        _variations={
            (base, selector): glyph
            for table in font["cmap"].tables
            if table.format == 14
            for selector, pairs in table.uvsDict.items()
            for base, glyph in pairs
        },
    )


def choose_face(path: Path | None, text: str) -> Face:
    """Return the font given, or the first of the usual ones that has every character of a text.

    Raises:
        DocumentError: font-missing, font-unusable; glyphs-missing with what the best one lacks.
    """
    if path is not None:
        faces = [load_face(path)]
    else:
        faces = []
        for place in map(Path, USUAL_PLACES):
            if not place.is_file():
                continue
            faces.append(load_face(place))
            if not faces[-1].missing(text):
                break
    if not faces:
        raise DocumentError(DocumentFault.FONT_MISSING)
    best = min(faces, key=lambda face: len(face.missing(text)))
    missing = best.missing(text)
    if missing:
        raise DocumentError(DocumentFault.GLYPHS_MISSING, code_points(missing))
    return best


@dataclass(frozen=True, slots=True)
class EmbeddedFont:
    """A subset of a font in a PDF that is being written."""

    reference: generic.IndirectObject
    codes: dict[str, int]  # cluster: CID

    def show(self, text: str) -> bytes:
        """Return the operator that shows a text, ISO 32000-1 9.4.3."""
        codes = (self.codes[cluster] for cluster in clusters(text))
        return b"<%s> Tj" % "".join(f"{code:04x}" for code in codes).encode()


def embed(face: Face, text: str, writer: BasePdfFileWriter) -> EmbeddedFont:
    """Add to a PDF those glyphs of a font that a text needs, and no others."""
    from fontTools import subset  # a tenth of a second, for what is embedded only

    glyphs = {cluster: face.glyph(cluster) or ".notdef" for cluster in clusters(text)}
    with _open(face.path) as font:
        name = _postscript_name(font)
        options = subset.Options(
            layout_features=[], hinting=False, glyph_names=False, notdef_outline=True, name_IDs=[]
        )
        options.drop_tables += DROPPED_TABLES
        subsetter = subset.Subsetter(options=options)
        subsetter.populate(glyphs=glyphs.values())
        subsetter.subset(font)
        program = _FontProgram(font)
        cids = {cluster: program.cid(glyph) for cluster, glyph in glyphs.items()}
        descriptor = _descriptor(face, font, name)
        descriptor[pdf_name(program.key)] = writer.add_object(program.stream())
    widths = {
        cids[cluster]: round(face.advance(glyph) * 1000 / face.units_per_em)
        for cluster, glyph in glyphs.items()
    }
    descendant = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Font"),
            pdf_name("/Subtype"): pdf_name(program.subtype),
            pdf_name("/BaseFont"): pdf_name(name),
            pdf_name("/CIDSystemInfo"): _system_info(),
            pdf_name("/FontDescriptor"): writer.add_object(descriptor),
            pdf_name("/W"): _widths(widths),
        }
    )
    if not program.is_cff:
        descendant[pdf_name("/CIDToGIDMap")] = pdf_name("/Identity")
    type0 = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Font"),
            pdf_name("/Subtype"): pdf_name("/Type0"),
            pdf_name("/BaseFont"): pdf_name(name),
            pdf_name("/Encoding"): pdf_name("/Identity-H"),
            pdf_name("/DescendantFonts"): generic.ArrayObject([writer.add_object(descendant)]),
            pdf_name("/ToUnicode"): writer.add_object(_to_unicode(cids)),
        }
    )
    return EmbeddedFont(reference=writer.add_object(type0), codes=cids)


class _FontProgram:
    """The subset as ISO 32000-1 Table 126 wants it: TrueType whole, of CFF the bare table."""

    def __init__(self, font: TTFont) -> None:
        self._font = font
        self.is_cff = "CFF " in font
        self._by_cid = self.is_cff and hasattr(font["CFF "].cff[0], "ROS")
        self.key = "/FontFile3" if self.is_cff else "/FontFile2"
        self.subtype = "/CIDFontType0" if self.is_cff else "/CIDFontType2"

    def cid(self, glyph: str) -> int:
        """Return the code of a glyph: in CFF fonts with CIDs that, else its place in the subset."""
        if self._by_cid and glyph != ".notdef":
            return int(glyph.removeprefix("cid"))
        return int(self._font.getGlyphID(glyph))

    def stream(self) -> generic.StreamObject:
        """Return the program as a stream."""
        data = io.BytesIO()
        extra: dict[Any, Any] = {}
        if self.is_cff:
            self._font["CFF "].cff.compile(data, self._font)
            extra = {pdf_name("/Subtype"): pdf_name("/CIDFontType0C")}
        else:
            del self._font["cmap"]  # of no use to a reader of PDF, which has the codes
            self._font.save(data)
        stream = generic.StreamObject(extra, stream_data=data.getvalue())
        stream.compress()
        return stream


@contextmanager
def _open(path: Path) -> Iterator[TTFont]:
    # Opened here: what is no font, fontTools would leave open.
    with path.open("rb") as file, TTFont(file, fontNumber=0, lazy=True) as font:
        yield font


def _postscript_name(font: TTFont) -> str:
    """Return /BaseFont: six letters that tell a subset, and the font's own name (9.6.4)."""
    own = font["name"].getDebugName(6) or "Font"
    letters = "".join(chr(ord("A") + byte % 26) for byte in os.urandom(6))
    return (
        "/" + letters + "+" + "".join(c for c in own if c.isascii() and (c.isalnum() or c in "-_"))
    )


def _system_info() -> generic.DictionaryObject:
    return generic.DictionaryObject(
        {
            pdf_name("/Registry"): generic.pdf_string("Adobe"),
            pdf_name("/Ordering"): generic.pdf_string("Identity"),
            pdf_name("/Supplement"): generic.NumberObject(0),
        }
    )


def _descriptor(face: Face, font: TTFont, name: str) -> generic.DictionaryObject:
    head = font["head"]
    box = (head.xMin, head.yMin, head.xMax, head.yMax)
    scaled = [round(value * 1000 / face.units_per_em) for value in box]
    ascent, descent = round(face.ascent * 1000), round(-face.descent * 1000)
    numbers = {"Ascent": ascent, "Descent": descent, "CapHeight": ascent}
    numbers |= {"Flags": 4, "ItalicAngle": 0, "StemV": 80}  # symbolic: codes of its own
    return generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/FontDescriptor"),
            pdf_name("/FontName"): pdf_name(name),
            pdf_name("/FontBBox"): generic.ArrayObject(map(generic.NumberObject, scaled)),
            **{pdf_name("/" + key): generic.NumberObject(value) for key, value in numbers.items()},
        }
    )


def _widths(widths: dict[int, int]) -> generic.ArrayObject:
    array = generic.ArrayObject()
    for cid, width in sorted(widths.items()):
        array.append(generic.NumberObject(cid))
        array.append(generic.ArrayObject([generic.NumberObject(width)]))
    return array


def _to_unicode(cids: dict[str, int]) -> generic.StreamObject:
    """Return the map from codes to text, ISO 32000-1 9.10.3, for searching and copying."""
    pairs = [f"<{cid:04x}> <{cluster.encode('utf-16-be').hex()}>" for cluster, cid in cids.items()]
    blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <ffff> endcodespacerange",
        *(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks),
        "endcmap CMapName currentdict /CMap defineresource pop end end",
    ]
    stream = generic.StreamObject(stream_data="\n".join(lines).encode())
    stream.compress()
    return stream
