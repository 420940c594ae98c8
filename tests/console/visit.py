"""What a visitor does on the console: opens, types, executes, reads."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page

NODE_CPU = 'sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))'


class Visit:
    """A page of the console at `url`; `complaints` are the browser's, of scripts and of policy."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        # A refused query is an answer: the browser says so, and so does the page.
        if message.type == "error" and "server responded with a status of 4" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str = "/", parameters: Mapping[str, str] | None = None) -> None:
        """Goes to a page and waits until it stands."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        self.page.goto(f"{self.url}{path}{query}")
        self.page.get_by_role("heading", level=1).first.wait_for(state="attached")

    def panel(self, number: int = 1) -> Locator:
        return self.page.get_by_role("region", name=f"Panel {number}", exact=True)

    def editor(self, number: int = 1) -> Locator:
        return self.panel(number).get_by_role("textbox", name="Expression")

    def expression(self, number: int = 1) -> str:
        """What stands in an editor."""
        return self.editor(number).inner_text()

    def enter(self, text: str, number: int = 1) -> None:
        """Replaces an expression, all at once."""
        self.editor(number).click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def execute(self, number: int = 1) -> None:
        self.panel(number).get_by_role("button", name="Execute").click()
        self.settle(number)

    def settle(self, number: int = 1) -> None:
        """Waits for the answer that is under way."""
        self.panel(number).locator(".result[aria-busy=false]").wait_for()

    def tab(self, title: str, number: int = 1) -> None:
        self.panel(number).get_by_role("tab", name=title).click()

    def parameters(self) -> dict[str, str]:
        """The parameters in the address."""
        held = parse_qs(urlsplit(self.page.url).query, keep_blank_values=True)
        return {name: values[0] for name, values in held.items()}
