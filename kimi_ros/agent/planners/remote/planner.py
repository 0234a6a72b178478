"""The planner that asks a server, and lets another plan where the server fails."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event

from kimi_ros.agent.draft import DraftPlan, Usage
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.plan import Status
from kimi_ros.agent.planners.protocol import Planner, PlanRequest
from kimi_ros.agent.planners.provisos import (
    forbidden_things,
    leave_alone,
    only_forbids,
    with_provisos,
)
from kimi_ros.agent.planners.question_forms import parse_question
from kimi_ros.agent.planners.remote.answers import read_draft, said_so_far
from kimi_ros.agent.planners.remote.client import Answer, ChatClient, client_for
from kimi_ros.agent.planners.remote.failures import Failure, RemoteError, notice
from kimi_ros.agent.planners.remote.prompts import (
    correction,
    image_data_url,
    messages,
    response_formats,
)
from kimi_ros.agent.planners.remote.settings import RemoteSettings
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.agent.vocabulary import name_pattern
from kimi_ros.vlm.errors import Cancelled

_LOG = logging.getLogger(__name__)
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds, doubled from attempt to attempt


class RemotePlanner:
    """Lets a server's model write plans, within a time; else `fallback` plans, and says so."""

    name = 'remote'

    def __init__(self, skills: SkillCatalogue, settings: RemoteSettings, fallback: Planner):
        """Raise RemoteSettingsError where the package openai is not installed."""
        self._skills = skills
        self._settings = settings
        self._fallback = fallback
        self._client = client_for(settings)

    def draft(
        self,
        request: PlanRequest,
        on_text: Callable[[str], None] | None = None,
        cancel: Event | None = None,
    ) -> DraftPlan:
        """Return the server's plan, or the fallback's with the notice that it is.

        Questions of known forms are for the local model, which sees. What the instruction forbids
        or makes conditional holds for the server's plan as for the model's. Raises Cancelled.
        """
        if only_forbids(request.words):
            return leave_alone(forbidden_things(request.words), request.language)
        if question := parse_question(request.words):
            return DraftPlan(Status.ANSWER, '', question=question)
        cancel = cancel or Event()
        try:
            draft = _Asking(self._client, self._settings, self._skills, request, cancel).draft(
                on_text
            )
        except RemoteError as error:
            _LOG.warning('the planning server failed (%s): %s plans', error, self._fallback.name)
            draft = self._fallback.draft(request, on_text, cancel)
            told = notice(error.failure, request.language)
            return replace(draft, planner=self._fallback.name, notice=told)
        if usage := draft.usage:
            _LOG.info(
                'the planning server answered in %.2f s (%d tokens read, %d written, %d attempts)',
                *(usage.seconds, usage.prompt_tokens, usage.completion_tokens, usage.attempts),
            )
        if not draft.steps:
            return draft
        return replace(with_provisos(draft, request.words, request.language), usage=usage)


class _Asking:
    """One request on its way through attempts, waits and forms of answer."""

    def __init__(
        self,
        client: ChatClient,
        settings: RemoteSettings,
        skills: SkillCatalogue,
        request: PlanRequest,
        cancel: Event,
    ):
        self._client = client
        self._settings = settings
        self._skills = skills
        self._request = request
        self._cancel = cancel
        self._started = time.monotonic()
        self._deadline = self._started + settings.timeout
        self._answers: list[Answer] = []
        self._form = client.form
        self._rejected = False
        url = ''
        if settings.send_image and request.rgb is not None:
            url = image_data_url(request.rgb, settings.image_size)
        self._sees = bool(url)
        language = settings.language or request.language
        self._messages = messages(request, skills, language, url)
        texts = [request.words, *(instruction for instruction, _ in request.history)]
        self._forms = response_formats(skills, name_pattern(texts))

    def draft(self, on_text: Callable[[str], None] | None) -> DraftPlan:
        """Return the server's draft; raises RemoteError or Cancelled."""
        with self._client.slot(self._deadline, self._cancel):
            for attempt in range(self._settings.retries + 1):
                last = attempt == self._settings.retries
                try:
                    answer = self._answer(on_text)
                except RemoteError as error:
                    if last or not error.retry:
                        raise
                    self._wait(error, attempt)
                    continue
                self._answers.append(answer)
                try:
                    draft = read_draft(
                        answer.text,
                        self._request,
                        self._skills,
                        may_answer=self._sees,
                        lenient=last,
                    )
                except InvalidDraftError as error:
                    if last:
                        raise RemoteError(Failure.INVALID, str(error)) from None
                    _LOG.info('the planning server wrote no valid plan: %s', error)
                    first = self._messages[: 2 + 2 * len(self._request.history)]
                    self._messages = [*first, *correction(answer.text, str(error))]
                    continue
                return replace(draft, usage=self._usage(attempt + 1))
        raise AssertionError('unreachable')

    def _answer(self, on_text: Callable[[str], None] | None) -> Answer:
        """Return an answer in the strictest form that the server takes, and remember it."""
        on_piece = None if on_text is None else _Say(on_text)
        while True:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise RemoteError(Failure.SLOW, f'no plan within {self._settings.timeout:g} s')
            form = self._forms[self._form]
            try:
                answer = self._client.ask(self._messages, form, left, self._cancel, on_piece)
            except RemoteError as error:
                if error.failure is not Failure.REJECTED or self._form + 1 == len(self._forms):
                    raise
                self._form += 1
                self._rejected = True
                continue
            if self._rejected:
                self._client.form = max(self._client.form, self._form)
            return answer

    def _wait(self, error: RemoteError, attempt: int) -> None:
        """Wait before the next attempt; raise the error where there is no time for one."""
        if error.retry_after is not None:
            # Jitter, or all robots that were turned away together come back together.
            seconds = error.retry_after + random.uniform(0, max(0.25, error.retry_after / 4))
        else:
            longest = min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT)
            seconds = random.uniform(longest / 2, longest)
        if time.monotonic() + seconds >= self._deadline:
            raise error
        if self._cancel.wait(seconds):
            raise Cancelled('cancelled while waiting to ask the planning server again')

    def _usage(self, attempts: int) -> Usage:
        return Usage(
            time.monotonic() - self._started,
            sum(a.prompt_tokens for a in self._answers),
            sum(a.completion_tokens for a in self._answers),
            attempts,
        )


class _Say:
    """Passes on the sentence of an answer while it is written."""

    def __init__(self, on_text: Callable[[str], None]):
        self._on_text = on_text
        self._text = ''
        self._said = ''

    def __call__(self, piece: str) -> None:
        self._text += piece
        said = said_so_far(self._text)
        if len(said) > len(self._said):
            self._said = said
            self._on_text(said)
