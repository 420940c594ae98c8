"""Keys of AWS: `sigv4`, as in Prometheus' remote_write.

It stands in prombridge's own file, since Prometheus refuses it in a remote_read entry.
"""

import configparser
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import model_validator

from bridge.config.fields import SecretText, Section, Text, unsupported, without_faults
from bridge.model.secret import Secret
from bridge.remote.settings import SigV4

_NO_ROLES: Final = "it assumes no roles; give the role's own keys, or a profile that holds them"


class SigV4Section(Section):
    """`sigv4`."""

    region: Text = ""
    access_key: Text = ""
    secret_key: SecretText = Secret("")
    profile: Text = ""
    role_arn: Annotated[None, unsupported(_NO_ROLES)] = None
    external_id: Annotated[None, unsupported(_NO_ROLES)] = None
    use_fips_sts_endpoint: Annotated[None, unsupported(_NO_ROLES)] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        return without_faults(self, self._faults())

    def _faults(self) -> Iterator[str]:
        if bool(self.access_key) != bool(self.secret_key):
            yield (
                "must provide a AWS SigV4 Access key and Secret Key if credentials are specified "
                "in the SigV4 config"
            )
        elif isinstance(found := self._found(), str):
            yield found

    def settings(self) -> SigV4:
        """The settings, with what is left out from the environment."""
        found = self._found()
        assert isinstance(found, SigV4)
        return found

    def _found(self) -> SigV4 | str:
        """The settings, or what is missing."""
        held = _from_environment(self.profile, os.environ)
        region = self.region or held.region
        if not region:
            return "region not configured in sigv4 or in default credentials chain"
        if self.access_key:
            return SigV4(region, self.access_key, self.secret_key)
        if held.secret_key is not None and not self.profile:
            return SigV4(region, held.access_key, held.secret_key, held.session_token)
        if not Path(held.profile_file).exists():
            return "no keys: neither here, nor in AWS_ACCESS_KEY_ID, nor in " + held.profile_file
        return SigV4(region, profile=held.profile, profile_file=held.profile_file)


def _from_environment(profile: str, environment: Mapping[str, str]) -> SigV4:
    """What AWS' own variables and files say."""
    # Without an entry among the users `~` stays: there is no such folder.
    home = Path(os.path.expanduser(environment.get("HOME") or "~")) / ".aws"  # noqa: PTH111
    profile = profile or environment.get("AWS_PROFILE", "") or "default"
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    config = Path(environment.get("AWS_CONFIG_FILE") or home / "config")
    secret = environment.get("AWS_SECRET_ACCESS_KEY")
    session = environment.get("AWS_SESSION_TOKEN")
    return SigV4(
        region or _region(config, profile),
        environment.get("AWS_ACCESS_KEY_ID", ""),
        Secret(secret) if secret else None,
        Secret(session) if session else None,
        profile,
        environment.get("AWS_SHARED_CREDENTIALS_FILE") or str(home / "credentials"),
    )


def _region(config: Path, profile: str) -> str:
    """The region that AWS' configuration file names for a profile; empty if none."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(config)
    except configparser.Error:
        return ""
    section = profile if profile == "default" else f"profile {profile}"
    return parser.get(section, "region", fallback="")
