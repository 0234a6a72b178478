"""Where the remote planner's server is, and how long it may take."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kimi_ros.agent.errors import RemoteSettingsError

LANGUAGES = ('', 'en', 'zh')


@dataclass(frozen=True)
class RemoteSettings:
    """How an OpenAI-compatible server is asked.

    The API key itself is in an environment variable: settings may be logged and published.

    :ivar url: base URL of the API: 'http://localhost:8000/v1'.
    :ivar model: the model's name on the server.
    :ivar key_env: name of the environment variable that holds the API key; '' for none.
    :ivar timeout: seconds that the server has for one instruction, all attempts included.
    :ivar retries: attempts after the first.
    :ivar max_concurrent: requests at a time, of this process.
    :ivar send_image: let the camera image leave the machine.
    :ivar image_size: longest side of an image that is sent, pixels.
    :ivar language: of the skills' descriptions in the prompt: 'en', 'zh', or '' for that of the
        instruction.
    :ivar options: JSON object of further fields of each request: '{"temperature": 0}'.
    """

    url: str = ''
    model: str = ''
    key_env: str = ''
    timeout: float = 30.0
    retries: int = 2
    max_concurrent: int = 4
    send_image: bool = False
    image_size: int = 768
    language: str = ''
    options: str = ''

    def __post_init__(self) -> None:
        """Raise RemoteSettingsError for what cannot work."""
        if not self.url or not self.model:
            raise RemoteSettingsError(
                'the remote planner needs a server and a model: remote_url, such as '
                'http://localhost:8000/v1, and remote_model (kimi: --remote-url, --remote-model)'
            )
        parts = urlsplit(self.url)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise RemoteSettingsError(
                'remote_url must be like http://localhost:8000/v1 or https://HOST/v1'
            )
        if parts.username or parts.password or parts.query:
            raise RemoteSettingsError(
                'remote_url must hold no password and no key, since parameters can be read by '
                'all: put the key into an environment variable and its name into remote_key_env'
            )
        if self.key_env and not os.environ.get(self.key_env):
            raise RemoteSettingsError(
                f'the environment variable {self.key_env}, named by remote_key_env, is not set: '
                f'export {self.key_env}=YOUR_KEY'
                if self.key_env.isidentifier()
                else 'remote_key_env must be the name of an environment variable, not the key'
            )
        if self.timeout <= 0 or self.retries < 0 or self.max_concurrent < 1:
            raise RemoteSettingsError(
                'remote_timeout must be over 0, remote_retries 0 or more, the number of '
                'concurrent requests 1 or more'
            )
        if self.language not in LANGUAGES:
            raise RemoteSettingsError('remote_language must be en, zh or empty')
        _ = self.fields

    @property
    def key(self) -> str:
        """Return the API key, '' without one."""
        return os.environ.get(self.key_env, '') if self.key_env else ''

    @property
    def fields(self) -> dict[str, Any]:
        """Return the further fields of each request."""
        try:
            fields = json.loads(self.options or '{}')
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise RemoteSettingsError(
                'remote_options must be a JSON object, such as {"temperature": 0}'
            )
        return fields
