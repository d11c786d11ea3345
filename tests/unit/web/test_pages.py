import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from fastapi import FastAPI

from gateway.domain.vocabulary import State
from gateway.web.pages import ADDRESSES, BUILT, add_pages, page

UI = Path(__file__).parents[3] / "gateway/web/ui"
CATALOGUE = UI / "src/texts.json"
# Names of namespaces and addresses in messages of libraries: nothing is loaded from there.
NAMES = re.compile(
    r"http://www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml|1998/Math/MathML|2000/xmlns/|"
    r"XML/1998/namespace)|https://vuejs\.org/error-reference/"
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    add_pages(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def sources() -> Iterator[Path]:
    found = [*(UI / "src").rglob("*.ts"), *(UI / "src").rglob("*.vue")]
    assert found
    yield from found


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_address_gives_the_page(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address.format(equipment="press-07", tab="history"))
    assert answer.status_code == 200
    assert '<div id="app"></div>' in answer.text


@pytest.mark.parametrize(
    ("cookie", "header", "lang"),
    [("", "en-US", "en"), ("", "zh-CN", "zh"), ("", "de", "zh"), ("lang=en", "zh-CN", "en")],
)
async def test_the_page_speaks_the_language_chosen_or_preferred(
    client: httpx.AsyncClient, cookie: str, header: str, lang: str
) -> None:
    answer = await client.get("/", headers={"Accept-Language": header, "Cookie": cookie})
    assert f'<html lang="{lang}">' in answer.text


async def test_files_named_after_their_content_are_kept(client: httpx.AsyncClient) -> None:
    asset = next((BUILT / "assets").iterdir())
    answer = await client.get(f"/static/app/assets/{asset.name}")
    assert "immutable" in answer.headers["Cache-Control"]
    missing = await client.get("/static/app/assets/gone.js")
    assert (missing.status_code, missing.headers.get("Cache-Control")) == (404, None)


def test_screens_that_were_not_built_say_so(tmp_path: Path) -> None:
    assert "make install" in page("en", tmp_path)


def test_no_file_served_names_another_host() -> None:
    for path in BUILT.rglob("*"):
        if path.is_file():
            text = NAMES.sub("", path.read_text(encoding="utf-8"))
            assert not re.search(r"[\"'(`](?:https?:)?//[\w.]", text), path.name


def test_the_page_needs_no_inline_script_or_style() -> None:
    built = (BUILT / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", built)


def test_every_text_has_both_languages() -> None:
    texts = orjson.loads(CATALOGUE.read_bytes())
    assert all(set(text) == {"zh", "en"} and all(text.values()) for text in texts.values())
    values = re.compile(r"\{\w+\}")
    for key, text in texts.items():
        assert set(values.findall(text["zh"])) == set(values.findall(text["en"])), key


def test_every_text_used_exists_and_every_text_is_used() -> None:
    texts = set(orjson.loads(CATALOGUE.read_bytes()))
    code = "".join(path.read_text(encoding="utf-8") for path in sources())
    code += (UI / "vite.config.ts").read_text(encoding="utf-8")
    named = set(re.findall(r"\bt\([\"']([\w.]+)[\"']", code))
    prefixes = set(re.findall(r"\bt\(`([\w.]+)\.\$\{", code))
    prefixes |= set(re.findall(r"\bword\([\"']([\w.]+)[\"']", code))
    assert named - texts == set()
    quoted = set(re.findall(r"[\"'.]([\w]+(?:\.\w+)*)\b", code))
    unused = {key for key in texts - quoted - named if key.rpartition(".")[0] not in prefixes}
    assert unused == set()


def test_every_state_is_named() -> None:
    texts = orjson.loads(CATALOGUE.read_bytes())
    assert {f"state.{state}" for state in State} <= set(texts)


def test_no_source_holds_a_text_of_its_own() -> None:
    for path in sources():
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", path.read_text("utf-8")), path.name


def test_every_state_has_its_glyph_and_its_colour() -> None:
    style = (UI / "src/style/base.css").read_text(encoding="utf-8")
    glyph = (UI / "src/components/StateGlyph.vue").read_text(encoding="utf-8")
    for state in State:
        assert f".{state} {{ --state:" in style
        assert f"'{state}'" in glyph or state is State.MAINTENANCE  # the last, so v-else
