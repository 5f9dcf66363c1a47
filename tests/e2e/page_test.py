"""The web page in a real browser."""
import json
import re
import shutil
import zlib

import pytest
from conftest import EXAMPLE, MODELS, model, serving

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="scripts/test_env.sh installs it")
    if CHROMIUM is None:
        pytest.skip("there is no chromium; scripts/test_env.sh installs it where the distribution has it as a package")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def page_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name in ("linear", "pair", "nhwc", "text"):
        (folder / f"{name}.onnx").write_bytes((MODELS / f"{name}.onnx").read_bytes())
    (folder / "broken.onnx").write_text("no model")
    with serving("--models", folder) as server:
        yield server


@pytest.fixture
def page(browser, page_server):
    context = browser.new_context()
    opened = context.new_page()
    opened.problems = []
    opened.on("console", lambda message: opened.problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.asked = set()
    opened.on("request", lambda request: opened.asked.add(request.url))
    opened.goto(page_server.url + "/")
    opened.wait_for_selector("#models tbody tr")
    yield opened
    context.close()


def predict(page, name, text=None):
    page.select_option("#model", name)
    if text is not None:
        page.fill("#input", text)
    page.click("button[type=submit]")
    page.wait_for_selector("#answer > *")
    return page.inner_text("#answer")


def test_it_lists_the_models(page, page_server):
    rows = page.locator("#models tbody tr")
    assert rows.count() == 5
    linear = rows.filter(has_text="linear").inner_text()
    assert "ready" in linear and "x FP32 [?, 3]" in linear
    assert "not a valid ONNX file" in rows.filter(has_text="broken").inner_text()
    assert page.inner_text("#state") == "4 of 5 models ready"
    assert not page.problems
    assert all(url.startswith((page_server.url, "data:")) for url in page.asked), "nothing comes from elsewhere"


def test_it_predicts_from_json(page):
    page.select_option("#model", "linear")
    assert json.loads(page.input_value("#input")) == {"input": [[0, 0, 0]]}
    assert "3\t5\t7" in predict(page, "linear", '{"input": [[1, 2, 3]]}')
    answer = predict(page, "pair", '{"inputs": {"a": [1, 2], "b": [1, 3]}}')
    assert re.search(r"total \[2\]\s+2\t5\s+same \[2\]\s+true\tfalse", answer)
    assert "ragged" in predict(page, "linear", '{"input": [[1, 2], [3]]}')
    assert page.get_attribute("#answer [role=alert]", "class") == "bad"
    assert [problem for problem in page.problems if "400" not in problem] == []


def png(size):
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    rows = b"".join(b"\0" + bytes(255 * ((x + y) % 2) for x in range(size)) for y in range(size))
    header = size.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_picture_gives_a_mask(browser):
    with serving(f"cells={EXAMPLE / 'Model.keras'}") as server:
        page = browser.new_page()
        page.goto(server.url + "/")
        page.wait_for_selector("#models tbody tr")
        page.set_input_files("#file", EXAMPLE / "sample1.png")
        assert page.is_visible("#preview") and page.is_disabled("#input")
        page.click("button[type=submit]")
        page.wait_for_selector("#answer canvas")
        size = page.evaluate("(([canvas]) => [canvas.width, canvas.height])(document.querySelectorAll('#answer canvas'))")
        assert size == [512, 512]
        grey = page.evaluate("""(() => { const canvas = document.querySelector('#answer canvas');
            return [...canvas.getContext('2d').getImageData(0, 0, 512, 512).data.filter((_, i) => i % 4 === 0)]; })()""")
        assert min(grey) < 50 and max(grey) > 200, "a mask has both"
        page.click("#clear")
        assert page.is_enabled("#input") and not page.is_visible("#preview")
        page.close()


def test_it_fits_a_phone(browser, page_server):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(page_server.url + "/")
    page.wait_for_selector("#models tbody tr")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_it_can_be_dropped(page):
    page.evaluate("""async (bytes) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "grey.png", {type: "image/png"}));
        document.getElementById("try").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
    }""", list(png(4)))
    assert page.is_visible("#preview")
    assert "[1, 4, 4, 1]" in predict(page, "nhwc")


def test_it_shows_what_goes_on(page):
    for _ in range(20):
        predict(page, "linear", '{"input": [[1, 2, 3]]}')
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(page.locator("[data-rate=linear]")).to_have_text(re.compile("[1-9]"))
    expect(page.locator("[data-p99=linear]")).not_to_have_text("–")
    assert "requests/s now" in page.inner_text("#rate-text")


def test_the_keyboard_and_names_suffice(page):
    for control in page.locator("input:visible, select:visible, textarea:visible").all():
        assert page.evaluate("(element) => element.labels.length", control.element_handle()) > 0
    page.focus("#model")
    page.keyboard.type("linear")
    page.focus("#input")
    page.keyboard.press("Control+A")
    page.keyboard.type('{"input": [[1, 2, 3]]}')
    while page.evaluate("document.activeElement.type") != "submit":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer table")
    assert "3\t5\t7" in page.inner_text("#answer")


def test_keys_are_asked_for(browser, tmp_path):
    (tmp_path / "keys").write_text("infer secret\n")
    with serving(model("linear"), "--keys", tmp_path / "keys") as server:
        page = browser.new_page()
        page.goto(server.url + "/")
        page.wait_for_selector("#key", state="visible")
        page.fill("#key", "secret")
        page.keyboard.press("Tab")
        page.wait_for_selector("#models tbody tr")
        assert "3\t5\t7" in predict(page, "linear", '{"input": [[1, 2, 3]]}')
        page.close()


@pytest.mark.parametrize("scheme, dark", [("light", False), ("dark", True)])
def test_light_and_dark(browser, page_server, scheme, dark):
    page = browser.new_page(color_scheme=scheme)
    page.goto(page_server.url + "/")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", colour)[:3])) < 200) == dark
    page.close()
