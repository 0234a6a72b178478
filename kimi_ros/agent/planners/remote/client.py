"""One request to an OpenAI-compatible server, which can be cancelled at any moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Any

from kimi_ros.agent.errors import RemoteSettingsError
from kimi_ros.agent.planners.remote.failures import Failure, RemoteError
from kimi_ros.agent.planners.remote.settings import RemoteSettings
from kimi_ros.vlm.errors import Cancelled

_MAX_TOKENS = 2048  # thoughts included; `options` may say otherwise
_CONNECT_TIMEOUT = 5.0  # seconds
_POLL = 0.05  # seconds between looks at the cancel event
_REJECTED = (400, 404, 405, 415, 422, 501)  # perhaps for the form of answer
_DENIED = (401, 403)
_BUSY = (429, 503)
_NO_KEY = 'none'  # the library wants one


@dataclass(frozen=True)
class Answer:
    """What a server's model wrote, with the tokens that the server counted."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ChatClient:
    """Asks one server; `form` is the strictest form of answer that it is known to take.

    The requests run in an event loop of their own, where cancelling one closes its connection.
    """

    def __init__(self, settings: RemoteSettings):
        """Raise RemoteSettingsError where the package openai is not installed."""
        try:
            import openai
        except ImportError:
            raise RemoteSettingsError(
                'the remote planner needs the package openai: pip install "kimi_ros[remote]"'
            ) from None
        self._openai = openai
        self._settings = settings
        self._slots = BoundedSemaphore(settings.max_concurrent)
        self._starting = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = openai.AsyncOpenAI(
            base_url=settings.url,
            api_key=settings.key or _NO_KEY,
            max_retries=0,  # ours can be cancelled
            timeout=openai.Timeout(settings.timeout, connect=_CONNECT_TIMEOUT),
        )
        self.form = 0

    @contextmanager
    def slot(self, deadline: float, cancel: Event) -> Iterator[None]:
        """Wait until fewer than `max_concurrent` requests run; `deadline` is on time.monotonic."""
        while not self._slots.acquire(timeout=_POLL):
            if cancel.is_set():
                raise Cancelled('cancelled while other requests to the planning server ran')
            if time.monotonic() >= deadline:
                raise RemoteError(Failure.BUSY, 'other requests of this process took all the time')
        try:
            yield
        finally:
            self._slots.release()

    def ask(
        self,
        messages: Sequence[dict[str, Any]],
        response_format: dict[str, Any] | None,
        timeout: float,
        cancel: Event,
        on_piece: Callable[[str], None] | None = None,
    ) -> Answer:
        """Return the answer; raises RemoteError, or Cancelled when `cancel` is set meanwhile.

        :param timeout: seconds.
        :param on_piece: called with each piece of the answer; None asks for it as a whole.
        """
        body = {
            'model': self._settings.model,
            'messages': list(messages),
            'max_tokens': _MAX_TOKENS,
            **({'response_format': response_format} if response_format else {}),
        }
        pieces: SimpleQueue[str] = SimpleQueue()
        put = pieces.put if on_piece else None
        future = asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(self._request(body, put), timeout), self._running_loop()
        )
        future.add_done_callback(lambda _: pieces.put(''))
        while not (future.done() and pieces.empty()):
            if cancel.is_set():
                future.cancel()
                raise Cancelled('cancelled while the planning server wrote')
            try:
                piece = pieces.get(timeout=_POLL)
            except Empty:
                continue
            if piece and on_piece:
                on_piece(piece)
        try:
            return future.result()
        except (TimeoutError, asyncio.TimeoutError):
            raise RemoteError(Failure.SLOW, f'no answer within {timeout:.1f} s') from None

    async def _request(self, body: dict[str, Any], put: Callable[[str], None] | None) -> Answer:
        openai = self._openai
        try:
            if put is None:
                return self._whole(await self._create(body, stream=False))
            usage = {'include_usage': True} if 'response_format' in body else None
            extra = {'stream_options': usage} if usage else {}
            async with await self._create(body | extra, stream=True) as stream:
                return await self._streamed(stream, put)
        except (RemoteError, asyncio.CancelledError):
            raise
        except openai.APITimeoutError as error:
            raise RemoteError(Failure.UNREACHABLE, self._told(error), retry=True) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            failure = Failure.UNREACHABLE if 'connect' in type(cause).__name__.lower() else None
            raise RemoteError(failure or Failure.DROPPED, self._told(cause), retry=True) from None
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except openai.APIError as error:  # an error in the middle of a stream
            raise RemoteError(Failure.ERROR, self._told(error), retry=True) from None
        except Exception as error:  # of the HTTP library: the stream was cut
            raise RemoteError(Failure.DROPPED, self._told(error), retry=True) from None

    async def _create(self, body: dict[str, Any], stream: bool) -> Any:
        return await self._client.chat.completions.create(
            **body, stream=stream, extra_body=self._settings.fields or None
        )

    def _whole(self, completion: Any) -> Answer:
        choices = getattr(completion, 'choices', None)
        if not choices:
            raise RemoteError(Failure.ERROR, 'the answer has no choices: is this URL an API?')
        _check_ending(choices[0].finish_reason)
        usage = completion.usage
        return _answer([choices[0].message.content or ''], usage)

    async def _streamed(self, stream: Any, put: Callable[[str], None]) -> Answer:
        texts, ending, usage = [], None, None
        async for chunk in stream:
            usage = getattr(chunk, 'usage', None) or usage
            for choice in (chunk.choices or [])[:1]:
                ending = choice.finish_reason or ending
                if piece := choice.delta.content:
                    texts.append(piece)
                    put(piece)
        if ending is None:
            raise RemoteError(Failure.DROPPED, 'the answer ended in the middle', retry=True)
        _check_ending(ending)
        return _answer(texts, usage)

    def _refused(self, error: Any) -> RemoteError:
        status, message = error.status_code, self._told(error)
        if status in _BUSY:
            after = _retry_after(error.response.headers)
            return RemoteError(Failure.BUSY, message, retry=True, retry_after=after)
        if status in _DENIED:
            return RemoteError(Failure.DENIED, message)
        if status in _REJECTED:
            return RemoteError(Failure.REJECTED, message)
        again = status in (408, 409) or status >= 500
        after = _retry_after(error.response.headers) if again else None
        return RemoteError(Failure.ERROR, message, again, after)

    def _told(self, error: BaseException) -> str:
        """Return an error in one line, without the key, should a server repeat it."""
        text = f'{type(error).__name__}: {" ".join(str(error).split())[:300]}'
        key = self._settings.key
        return text.replace(key, '***') if key else text

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                Thread(target=self._loop.run_forever, name='remote planner', daemon=True).start()
            return self._loop


@lru_cache(maxsize=16)
def client_for(settings: RemoteSettings) -> ChatClient:
    """Return the client of a server: one per process, which remembers what the server can do."""
    return ChatClient(settings)


def _answer(texts: Sequence[str], usage: Any) -> Answer:
    return Answer(
        ''.join(texts),
        getattr(usage, 'prompt_tokens', 0) or 0,
        getattr(usage, 'completion_tokens', 0) or 0,
    )


def _check_ending(reason: str | None) -> None:
    if reason == 'length':
        raise RemoteError(Failure.INVALID, 'the answer was cut at the limit of tokens')
    if reason == 'content_filter':
        raise RemoteError(Failure.REJECTED, "the server's content filter stopped the answer")


def _retry_after(headers: Any) -> float | None:
    """Return the seconds that Retry-After asks for: a number or a date."""
    value = headers.get('retry-after', '')
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
