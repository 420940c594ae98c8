"""Whose request it is: tenants, how they are told apart, and what each of them is answered by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.origin import BEARER, TENANT, USER
from bridge.model.errors import BridgeError, Forbidden, Unauthenticated
from bridge.model.labels import Matcher, quoted

# Where a request's refusal is noted for the paths that are open to everybody.
REFUSAL: Final = "prombridge.refusal"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant: by what it is known, and what it may see.

    It is whoever came in as one of `users` or by one of `tokens` (their names), or bears one of
    `header_values`. Every selector of it is narrowed by `matchers`; `headers` go with every request
    to a store, in place of those of the same name; it reads of `stores` (names), of all if there
    are none. An `operator` sees what prombridge tells of itself as well, and may steer it.
    """

    name: str
    users: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    header_values: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    stores: tuple[str, ...] = ()
    operator: bool = False


# What everybody is without tenants: whoever was let in sees all there is.
EVERYBODY: Final = Tenant("", operator=True)


@dataclass(frozen=True, slots=True)
class TenancySettings:
    """All tenants; none at all if everybody sees the same.

    `header` is the name of the one header that may say whose a request is, if there is one.
    `default` is the tenant of requests that do not say whose they are; without it they are refused.
    """

    tenants: tuple[Tenant, ...] = ()
    header: str = ""
    default: str = ""


class Tenancy:
    """An ASGI application that passes each request on to that of its tenant.

    `apps` are those of tenants by name. `anyone` is asked in place of a tenant's where there is
    none: it has what is open to everybody, and tells of everything else the REFUSAL in the scope.
    It also answers preflights of CORS, which bear no credentials.
    """

    def __init__(
        self, settings: TenancySettings, apps: Mapping[str, ASGIApp], anyone: ASGIApp
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._anyone = anyone
        self._by_user = _by(settings, lambda one: one.users)
        self._by_token = _by(settings, lambda one: one.tokens)
        self._by_value = _by(settings, lambda one: one.header_values)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        app = self._anyone
        if scope["type"] == "http" and scope["method"] != "OPTIONS":
            try:
                scope[TENANT] = name = self.tenant_of(scope)
                app = self._apps[name]
            except BridgeError as refusal:
                scope[REFUSAL] = refusal
        await app(scope, receive, send)

    def tenant_of(self, scope: Scope) -> str:
        """The tenant of a request; raises Unauthenticated and Forbidden.

        A proven user or token that belongs to tenants decides; the header only chooses among them.
        """
        user, value = scope.get(USER), self._value(scope)
        known = self._by_token if scope.get(BEARER) else self._by_user
        own = known.get(user, ()) if user is not None else ()
        named = self._by_value.get(value, ()) if value is not None else ()
        header = self._settings.header
        if value is not None and not named:
            raise Forbidden(f"{header} names no tenant that is known: {quoted(value)}")
        if own and value is not None:
            own = tuple(one for one in own if one in named)
            if not own:
                raise Forbidden(f"{header} names a tenant that {_who(scope)} does not belong to")
        if len(own) > 1:
            raise Forbidden(f"{_who(scope)} belongs to several tenants: {_choose(header)}")
        found = (*own, *named, self._settings.default)[0]
        if found:
            return found
        if user is not None:
            raise Forbidden(f"{_who(scope)} belongs to no tenant")
        ways = (
            ["credentials of a user or a token of one"] if self._by_user or self._by_token else []
        )
        ways += [f"the header {header}"] if header else []
        raise Unauthenticated(
            f"the request does not say which tenant it is of: {' or '.join(ways)}"
        )

    def _value(self, scope: Scope) -> str | None:
        """What the header says; raises Forbidden if it says two things."""
        if not self._settings.header:
            return None
        values = set(Headers(scope=scope).getlist(self._settings.header))
        if len(values) > 1:
            raise Forbidden(f"the header {self._settings.header} is there twice")
        return values.pop() if values else None


def _by(
    settings: TenancySettings, names: Callable[[Tenant], tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Names of tenants by what they are known by."""
    found: dict[str, tuple[str, ...]] = {}
    for tenant in settings.tenants:
        for name in names(tenant):
            found[name] = (*found.get(name, ()), tenant.name)
    return found


def _who(scope: Scope) -> str:
    return f"{'token' if scope.get(BEARER) else 'user'} {quoted(scope[USER])}"


def _choose(header: str) -> str:
    return f"say which by the header {header}" if header else "no header may say which"
