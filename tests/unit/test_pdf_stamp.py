"""The visible part of a PDF signature: every glyph is there, and nothing is cut off."""

import io
from pathlib import Path
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.ttCollection import TTCollection
from hypothesis import given, settings
from hypothesis import strategies as st
from support import pdf
from support.pki import AT
from support.signed_pdf import sign, verify

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.pdf import check_pdf
from jpki.signing.pdf_font import Face, choose_face, clusters, code_points, load_face
from jpki.signing.pdf_options import (
    Certification,
    Corner,
    PdfOptions,
    PdfStamp,
    Rectangle,
    StampPlace,
)
from jpki.signing.pdf_page import Page
from jpki.signing.pdf_stamp import PADDING, SMALLEST_SIZE, lay_out, place, stamp_text
from jpki.verification import Verdict

PLAIN = pdf.build(pdf.one_page())
GOTHIC = Path("/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf")
USUAL = [chr(code) for code in range(0x20, 0x7F)] + list(
    "　電子署名見本太郎番号花子年月日東京都一丁目承認"
)


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fonts made here: TrueType, CFF, a collection, one with a variation, one with a licence."""
    folder = tmp_path_factory.mktemp("fonts")
    build_font(folder / "truetype.ttf", USUAL)
    build_font(folder / "half.ttf", USUAL, units_per_em=2048)
    build_font(folder / "cff.otf", USUAL, is_cff=True)
    build_font(folder / "variation.ttf", [*USUAL, "葛"], variation=("葛", 0xE0100))
    build_font(folder / "restricted.ttf", USUAL, embedding=0x0002)
    build_font(folder / "latin.ttf", USUAL[:95])
    collection = TTCollection()
    from fontTools.ttLib import TTFont

    collection.fonts = [TTFont(folder / "truetype.ttf"), TTFont(folder / "latin.ttf")]
    collection.save(folder / "collection.ttc")
    return folder


def build_font(
    path: Path,
    characters: list[str],
    *,
    units_per_em: int = 1000,
    is_cff: bool = False,
    embedding: int = 0,
    variation: tuple[str, int] | None = None,
) -> None:
    """A font of boxes: half an em for ASCII, an em for the rest."""
    names = {character: f"g{ord(character):05X}" for character in characters}
    glyphs = [".notdef", *names.values()]
    if variation is not None:
        glyphs.append("variant")
    builder = FontBuilder(units_per_em, isTTF=not is_cff)
    builder.setupGlyphOrder(glyphs)
    cmap = {ord(character): name for character, name in names.items()}
    selectors = [] if variation is None else [(ord(variation[0]), variation[1], "variant")]
    builder.setupCharacterMap(cmap, uvs=selectors)
    widths = {
        name: units_per_em // 2 if ord(c) < 0x80 else units_per_em for c, name in names.items()
    }
    metrics = {glyph: (widths.get(glyph, units_per_em), 0) for glyph in glyphs}

    def draw(pen: Any, width: int) -> None:
        top = units_per_em // 2
        pen.moveTo((0, 0))
        for point in ((0, top), (width // 2, top), (width // 2, 0)):
            pen.lineTo(point)
        pen.closePath()

    drawn = {}
    for glyph, (width, _) in metrics.items():
        pen = T2CharStringPen(width, None) if is_cff else TTGlyphPen(None)
        draw(pen, width)
        drawn[glyph] = pen.getCharString() if is_cff else pen.glyph()
    if is_cff:
        builder.setupCFF("Boxes", {}, drawn, {})
    else:
        builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(metrics)
    builder.setupHorizontalHeader(
        ascent=int(0.88 * units_per_em), descent=-int(0.12 * units_per_em)
    )
    builder.setupNameTable(
        {"familyName": "Boxes", "styleName": "Regular", "psName": "Boxes-Regular"}
    )
    builder.setupOS2(fsType=embedding)
    builder.setupPost()
    builder.save(path)


def refused(**stamp: Any) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        check_pdf(io.BytesIO(PLAIN), PdfOptions(stamp=PdfStamp(**stamp)))
    return caught.value


# Places


@pytest.mark.parametrize(
    ("text", "page", "where"),
    [
        ("1:50,60,200,80", 1, Rectangle(x=50, y=60, width=200, height=80)),
        ("50,60,200,80", 1, Rectangle(x=50, y=60, width=200, height=80)),
        ("-1:0.5,0,10.25,3", -1, Rectangle(x=0.5, y=0, width=10.25, height=3)),
        ("bottom-right", 1, Corner.BOTTOM_RIGHT),
        ("12:top-left", 12, Corner.TOP_LEFT),
    ],
)
def test_a_place_is_read(text: str, page: int, where: object) -> None:
    assert StampPlace.parse(text) == StampPlace(page=page, where=where)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        *("", "middle", "0:top-left", "1:", "1:1,2,3", "1:1,2,3,4,5", "1:1,2,0,4", "1:1,2,-3,4"),
        *("1:nan,2,3,4", "1:1,2,inf,4", "x:1,2,3,4", "1:1;2;3;4", "1:1,2,3,"),
        "99999999999:top-left",
    ],
)
def test_what_is_no_place_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of any text
        StampPlace.parse(text)


def test_certifications_know_their_permission() -> None:
    assert [certify.permission for certify in Certification] == [1, 2, 3]


# Text


def test_a_stamp_says_name_time_in_japan_and_the_text() -> None:
    text = stamp_text(PdfStamp(text="承認\n東京"), "見本　太郎", AT)
    assert text.split("\n") == [
        "電子署名　見本　太郎",
        "2026年6月1日 12:00:00 (JST)",
        "承認",
        "東京",
    ]
    bare = PdfStamp(with_name=False, with_date=False, text="x")
    assert stamp_text(bare, "見本　太郎", AT) == "x"


def test_a_variation_belongs_to_its_character() -> None:
    assert list(clusters("a葛\U000e0100か\ufe00")) == ["a", "葛\U000e0100", "か\ufe00"]
    assert list(clusters("\ufe00a")) == ["\ufe00", "a"]
    assert code_points("葛\U000e0100") == "U+845B U+E0100"


def test_characters_that_the_font_lacks_are_named_and_not_written(fonts: Path) -> None:
    error = refused(text="髙橋𠮷髙", font=fonts / "truetype.ttf")
    assert error.fault is DocumentFault.GLYPHS_MISSING
    assert error.detail == "U+9AD9 U+6A4B U+20BB7"
    assert str(error).isascii()


def test_the_usual_font_lacks_a_character_that_is_named() -> None:
    error = refused(text="𠮷田")
    assert error.fault is DocumentFault.GLYPHS_MISSING
    assert error.detail == "U+20BB7"
    assert refused(text="a\tb").detail == "U+0009"


def test_a_name_that_the_font_lacks_is_refused_when_it_is_known(fonts: Path) -> None:
    from support.keys import CountingKey
    from support.pki import HOLDER, SIGNATURE_LEAF, holder_names, load_key

    from jpki.signing.pdf import sign_pdf

    names = holder_names(HOLDER | {1: "髙橋　太郎"})
    from dataclasses import replace

    leaf = replace(SIGNATURE_LEAF, names=names)
    certificate = leaf.build(load_key("signature").public_key(), load_key("signature-ca"))
    options = PdfOptions(stamp=PdfStamp(font=fonts / "truetype.ttf"))
    check_pdf(io.BytesIO(PLAIN), options)  # nobody knows the name yet
    with pytest.raises(DocumentError) as early:
        check_pdf(io.BytesIO(PLAIN), options, certificate)
    key = CountingKey(load_key("signature"))
    with pytest.raises(DocumentError) as late:
        sign_pdf(
            io.BytesIO(PLAIN), io.BytesIO(), key, certificate, signing_time=AT, options=options
        )
    assert early.value.detail == late.value.detail == "U+9AD9 U+6A4B"
    assert key.signed == []
    assert "髙" not in f"{late.value!r} {late.value.args}"


def test_a_variation_that_the_font_has_is_taken(fonts: Path) -> None:
    with_variation = "葛\U000e0100"
    signed = sign(PLAIN, stamp=PdfStamp(text=with_variation, font=fonts / "variation.ttf"))
    assert verify(signed).verdict is Verdict.PASSED
    error = refused(text="葛\U000e0101", font=fonts / "variation.ttf")
    assert error.detail == "U+845B U+E0101"


def test_without_a_font_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jpki.signing.pdf_font.USUAL_PLACES", ("/nowhere/font.ttf",))
    assert refused().fault is DocumentFault.FONT_MISSING


def test_the_first_usual_font_with_all_characters_is_taken(
    monkeypatch: pytest.MonkeyPatch, fonts: Path
) -> None:
    places = tuple(str(fonts / name) for name in ("latin.ttf", "truetype.ttf", "half.ttf"))
    monkeypatch.setattr("jpki.signing.pdf_font.USUAL_PLACES", places)
    assert choose_face(None, "abc").path.name == "latin.ttf"
    assert choose_face(None, "見本").path.name == "truetype.ttf"


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("nothing.ttf", "No such file or directory"),
        ("", "Is a directory"),
        ("text.ttf", "not a font"),
        ("cut.ttf", "not a font"),
        ("empty.ttf", "not a font"),
        ("restricted.ttf", "its licence forbids embedding"),
    ],
)
def test_a_font_that_cannot_be_used_is_refused(fonts: Path, name: str, detail: str) -> None:
    (fonts / "text.ttf").write_text("no font at all")
    (fonts / "cut.ttf").write_bytes((fonts / "truetype.ttf").read_bytes()[:300])
    (fonts / "empty.ttf").write_bytes(b"")
    error = refused(font=fonts / name)
    assert (error.fault, error.detail) == (DocumentFault.FONT_UNUSABLE, detail)


@pytest.mark.parametrize("name", ["truetype.ttf", "half.ttf", "cff.otf", "collection.ttc"])
def test_every_kind_of_font_is_embedded(fonts: Path, name: str) -> None:
    signed = sign(PLAIN, stamp=PdfStamp(text="承認", font=fonts / name))
    assert verify(signed).verdict is Verdict.PASSED
    assert (b"/FontFile3" if name == "cff.otf" else b"/FontFile2") in signed
    assert b"+Boxes-Regular" in signed


def test_only_the_glyphs_that_are_needed_are_embedded() -> None:
    signed = sign(PLAIN, stamp=PdfStamp(text="承認"))
    assert GOTHIC.stat().st_size > 4_000_000
    assert len(signed) < 30_000


# Layout


@pytest.fixture(scope="module")
def face(fonts: Path) -> Face:
    return load_face(fonts / "truetype.ttf")


@pytest.fixture(scope="session")
def session_face(fonts: Path) -> Face:
    return load_face(fonts / "truetype.ttf")


def test_a_long_line_is_broken_and_not_cut(face: Face) -> None:
    text = "東京都" * 20
    layout = lay_out(text, face, 200, 100, 14)
    assert "".join(layout.lines) == text
    assert len(layout.lines) > 1
    assert all(face.width(line) * layout.size <= 200 - 2 * PADDING for line in layout.lines)


def test_words_are_kept_together(face: Face) -> None:
    layout = lay_out("hello world and all", face, 60, 100, 10)
    assert "".join(layout.lines) == "hello world and all"
    assert {word for line in layout.lines for word in line.split()} == {
        "hello",
        "world",
        "and",
        "all",
    }


def test_what_does_not_fit_is_refused_with_the_size_that_would_do(face: Face) -> None:
    with pytest.raises(DocumentError) as caught:
        lay_out("東京都一丁目", face, 12, 12, 14)
    assert caught.value.fault is DocumentFault.STAMP_TOO_SMALL
    width, height = (int(number) for number in caught.value.detail.split(" × "))
    assert lay_out("東京都一丁目", face, width, height, 14).size >= SMALLEST_SIZE


def test_a_stamp_that_is_too_small_is_refused() -> None:
    tiny = StampPlace(where=Rectangle(x=10, y=10, width=20, height=10))
    assert refused(place=tiny).fault is DocumentFault.STAMP_TOO_SMALL


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.sampled_from([*"東京都 abcde　", "\n"]), max_size=200),
    width=st.floats(10, 600),
    height=st.floats(10, 600),
)
def test_nothing_is_ever_cut_off(
    session_face: Face, text: str, width: float, height: float
) -> None:
    try:
        layout = lay_out(text, session_face, width, height, 14)
    except DocumentError:
        return
    assert "".join(layout.lines) == text.replace("\n", "")
    assert layout.width <= width + 0.001
    assert layout.height <= height + 0.001


@pytest.mark.parametrize("corner", Corner)
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_corner_gets_a_stamp_within_the_page(face: Face, corner: Corner, rotation: int) -> None:
    page = Page(index=0, box=(100, 50, 695, 892), rotation=rotation)
    rectangle = place("電子署名　見本太郎\n2026年6月1日", face, corner, page)
    assert page.holds(rectangle)
    x1, y1, x2, y2 = page.to_own(rectangle)
    assert 100 <= x1 < x2 <= 695
    assert 50 <= y1 < y2 <= 892
    sideways = rotation in (90, 270)
    assert (page.width, page.height) == ((842, 595) if sideways else (595, 842))
    assert (x2 - x1 > y2 - y1) is not sideways


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_page_that_is_shown_turned_takes_a_stamp_all_the_same(rotation: int) -> None:
    objects = pdf.one_page(page=b"/Rotate %d" % rotation)
    signed = sign(pdf.build(objects), stamp=PdfStamp())
    assert verify(signed).verdict is Verdict.PASSED


def test_a_field_of_a_turned_page_is_used_as_it_is_shown() -> None:
    objects = pdf.with_form(pdf.signature_field(b"(tall)", rectangle=b"[100 100 160 400]"))
    objects[3] = objects[3].replace(b"/Type /Page ", b"/Type /Page /Rotate 90 ")
    signed = sign(pdf.build(objects), field_name="tall", stamp=PdfStamp())
    assert b"/BBox [ 0.0 0.0 300.0 60.0 ]" in signed or b"/BBox [ 0 0 300 60 ]" in signed


def test_what_a_page_inherits_counts() -> None:
    objects = pdf.one_page()
    objects[2] = b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 300 200] /Rotate 90 >>"
    objects[3] = objects[3].replace(b"/MediaBox [0 0 595 842]", b"/CropBox [10 10 290 5000]")
    with pytest.raises(DocumentError) as caught:
        check_pdf(
            io.BytesIO(pdf.build(objects)),
            PdfOptions(stamp=PdfStamp(place=StampPlace.parse("0,0,500,20"))),
        )
    assert caught.value.detail == "190 × 280"
