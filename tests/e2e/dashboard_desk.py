"""What the tests of the dashboard share: a bursard with keys, windows on its page, and what people do there."""


class Desk:
    """A bursard with keys, and windows on its page."""

    def __init__(self, chromium, bursard, bots):
        self.chromium, self.address, self.bots = chromium, bursard.http_addr, bots
        self.operator = self._create("OPERATOR")
        self.metadata = [("authorization", f"Bearer {self.operator}")]

    def _create(self, role, **fields):
        pb = self.bots.admin_pb
        request = pb.CreateKeyRequest(role=pb.Role.Value("ROLE_" + role), **{"label": f"{role.lower()} of a test", **fields})
        return self.bots.admin.CreateKey(request, metadata=getattr(self, "metadata", None), timeout=10).secret

    def key(self, role, **fields):
        return self._create(role.upper(), tenant="default", **fields)

    def admin(self, rpc, request):
        return getattr(self.bots.admin, rpc)(request, metadata=self.metadata, timeout=20)

    def check(self, user, **fields):
        return self.bots.limiter.Check(self.bots.request(user, **fields), metadata=self.metadata, timeout=20)

    def window(self, **options):
        # The first thing that the page asks is whether somebody is logged in.
        window = self.chromium.page(self.address, **options)
        window.expected.append("401 (Unauthorized)")
        return window

    def login(self, key=None, view="now", **options):
        window = self.window(**options)
        window.show(view)
        window.get_by_label("Key").fill(key or self.key("admin"))
        window.get_by_role("button", name="Log in").click()
        window.get_by_role("heading", level=1).and_(window.locator(".view h1")).wait_for()
        return window


def ready(window, heading):
    window.get_by_role("heading", name=heading, level=1, exact=True).wait_for()
    window.wait_for_function("() => !document.querySelector('[aria-busy=true], .wait')")


def confirm(window, verb, reason="a test"):
    window.get_by_role("dialog").get_by_label("Reason").fill(reason)
    window.get_by_role("dialog").get_by_role("button", name=verb).click()
    window.get_by_role("dialog").wait_for(state="detached")


def focus(window):
    return window.evaluate("document.activeElement.innerText || document.activeElement.id")
