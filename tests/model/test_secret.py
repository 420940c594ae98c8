"""A secret is shown nowhere, and given only when asked for by name."""

import copy
import dataclasses

from bridge.model.secret import Secret
from bridge.remote.settings import BasicAuth, HttpSettings, StoreSettings


def test_every_way_to_show_a_secret_shows_a_mask() -> None:
    secret = Secret("hunter2")
    shown = f"{secret} {secret!s} {secret!r} {secret:>10} %s" % secret
    assert "hunter2" not in shown
    assert shown.count("<secret>") == 5
    assert secret.reveal() == "hunter2"


def test_secrets_hide_inside_settings() -> None:
    auth = BasicAuth("user", password=Secret("hunter2"))
    settings = StoreSettings("a", "http://h/read?p=hunter2", http=HttpSettings(basic_auth=auth))
    assert "hunter2" not in repr(settings)
    assert "<secret>" in str(dataclasses.asdict(settings)["http"])


def test_equal_texts_are_equal_secrets() -> None:
    assert Secret("a") == Secret("a") == copy.deepcopy(Secret("a"))
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("<secret>") != "<secret>"


def test_an_empty_secret_is_none() -> None:
    assert not Secret("")
    assert Secret("x")
