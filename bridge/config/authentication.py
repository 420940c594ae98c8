"""Who prombridge is to a store: `basic_auth` and `authorization`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from bridge.config.fields import FileName, Reference, SecretText, Section, Text, joined
from bridge.model.secret import Secret
from bridge.remote.settings import Authorization, BasicAuth


class BasicAuthSection(Section):
    """`basic_auth`."""

    username: Text = ""
    username_file: FileName = ""
    username_ref: Reference = None
    password: SecretText = Secret("")
    password_file: FileName = ""
    password_ref: Reference = None

    def faults(self) -> Iterator[str]:
        """What contradicts itself, in the words of HTTPClientConfig.Validate."""
        if self.username and self.username_file:
            yield (
                "at most one of basic_auth username, username_file & username_ref "
                "must be configured"
            )
        if self.password and self.password_file:
            yield (
                "at most one of basic_auth password, password_file & password_ref "
                "must be configured"
            )

    def settings(self, folder: Path) -> BasicAuth:
        """The settings; file names are relative to `folder`."""
        return BasicAuth(
            username=self.username,
            username_file=joined(folder, self.username_file),
            password=self.password or None,
            password_file=joined(folder, self.password_file),
        )


class AuthorizationSection(Section):
    """`authorization`."""

    type: Annotated[Text, AfterValidator(str.strip)] = "Bearer"
    credentials: SecretText = Secret("")
    credentials_file: FileName = ""
    credentials_ref: Reference = None

    def faults(self) -> Iterator[str]:
        """What contradicts itself, in the words of HTTPClientConfig.Validate."""
        if self.credentials and self.credentials_file:
            yield "at most one of authorization credentials & credentials_file must be configured"
        if self.type.lower() == "basic":
            yield 'authorization type cannot be set to "basic", use "basic_auth" instead'

    def settings(self, folder: Path) -> Authorization:
        """The settings; file names are relative to `folder`."""
        return Authorization(
            type=self.type or "Bearer",
            credentials=self.credentials or None,
            credentials_file=joined(folder, self.credentials_file),
        )
