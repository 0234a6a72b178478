"""The fair lock, streams and cancellation, over the fake engine."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kimi_ros.vlm.errors import Busy, Cancelled, VlmError

TEXT = 'the red cup is on the table'


def test_stream_yields_pieces_then_returns_the_answer(model_saying, rgb):
    model, _ = model_saying(TEXT)
    stream = model.query(model.encode_image(rgb), 'What?', stream=True)
    pieces = list(stream)
    assert len(pieces) == 7
    assert ''.join(pieces) == TEXT
    assert stream.result().text == TEXT
    assert stream.result().finish == 'stop'


def test_stream_result_reads_the_rest(model_saying):
    model, _ = model_saying(TEXT)
    stream = model.query(None, 'What?', stream=True)
    assert next(stream) == 'the '
    assert stream.result().text == TEXT
    assert model.query(None, 'What?').text == TEXT


def test_calls_raise_busy_while_a_stream_is_open(model_saying, rgb):
    model, _ = model_saying(TEXT)
    image = model.encode_image(rgb)
    stream = model.query(image, 'What?', stream=True)
    for call in (
        lambda: model.query(image, 'What?'),
        lambda: model.query(image, 'What?', stream=True),
        lambda: model.caption(image),
        lambda: model.point(image, 'cup'),
        lambda: model.detect(image, 'cup'),
        lambda: model.encode_image(rgb),
        lambda: model.trace(rgb, [1, 2]),
    ):
        with pytest.raises(Busy, match='close'):
            call()
        next(stream, None)
    assert stream.result().text == TEXT
    model.query(image, 'What?')


def test_closed_stream_releases_the_lock(model_saying):
    model, _ = model_saying(TEXT)
    with model.query(None, 'What?', stream=True) as stream:
        next(stream)
    with pytest.raises(VlmError, match='before the answer was complete'):
        stream.result()
    assert model.query(None, 'What?').text == TEXT


def test_garbage_collected_stream_releases_the_lock(model_saying):
    model, _ = model_saying(TEXT)
    stream = model.query(None, 'What?', stream=True)
    next(stream)
    del stream
    assert model.query(None, 'What?').text == TEXT


def test_second_reader_of_a_stream_raises_busy(model_saying):
    model, engine = model_saying(TEXT)
    inside, go_on = hold(engine)
    stream = model.query(None, 'What?', stream=True)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(lambda: ''.join(stream))
        inside.wait(5)
        with pytest.raises(Busy, match='one reader'):
            next(stream)
        with pytest.raises(Busy):
            model.query(None, 'What?')
        go_on.set()
        assert first.result(5) == TEXT


def test_closing_a_stream_that_another_thread_reads(model_saying):
    model, engine = model_saying(TEXT)
    inside, go_on = hold(engine)
    stream = model.query(None, 'What?', stream=True)
    with ThreadPoolExecutor() as pool:
        reader = pool.submit(stream.result)
        inside.wait(5)
        stream.close()
        go_on.set()
        with pytest.raises(Cancelled):
            reader.result(5)
    assert len(engine.steps) == 1
    assert model.query(None, 'What?').text == TEXT


def test_model_context_manager_closes_its_stream(model_saying):
    model, engine = model_saying(TEXT)
    with pytest.raises(KeyError), model:
        stream = model.query(None, 'What?', stream=True)
        next(stream)
        raise KeyError
    assert engine.closed
    assert list(stream) == []


def test_closing_the_model_waits_for_the_reader_of_its_stream(model_saying):
    model, engine = model_saying(TEXT)
    inside, go_on = hold(engine)
    stream = model.query(None, 'What?', stream=True)
    with ThreadPoolExecutor() as pool:
        reader = pool.submit(stream.result)
        inside.wait(5)
        closing = pool.submit(model.close)
        time.sleep(0.05)
        assert not engine.closed
        go_on.set()
        closing.result(5)
        with pytest.raises(Cancelled):
            reader.result(5)
    assert engine.closed


def hold(engine):
    """Events that report the start of an engine step and let it end."""
    inside, go_on = threading.Event(), threading.Event()
    step = engine.step

    def waiting(embeds):
        inside.set()
        go_on.wait(5)
        return step(embeds)

    engine.step = waiting
    return inside, go_on


def test_cancelled_before_and_during_a_stream(model_saying):
    model, engine = model_saying(TEXT)
    cancel = threading.Event()
    stream = model.query(None, 'What?', stream=True, cancel=cancel)
    next(stream)
    steps = len(engine.steps)
    cancel.set()
    with pytest.raises(Cancelled):
        list(stream)
    assert len(engine.steps) == steps
    with pytest.raises(Cancelled):
        model.query(None, 'What?', cancel=cancel)
    assert model.query(None, 'What?').text == TEXT


def test_cancel_from_another_thread_ends_within_a_step(model_saying, rgb):
    model, engine = model_saying([50] * 2000, delay=0.02)
    image = model.encode_image(rgb)
    for call in (
        lambda cancel: model.query(image, 'What?', cancel=cancel),
        lambda cancel: model.query(image, 'What?', reasoning=True, cancel=cancel),
        lambda cancel: model.caption(image, cancel=cancel),
        lambda cancel: model.point(image, 'cup', max_objects=900, cancel=cancel),
        lambda cancel: model.detect(image, 'cup', max_objects=900, cancel=cancel),
    ):
        cancel = threading.Event()
        engine.steps.clear()
        timer = threading.Timer(0.1, cancel.set)
        timer.start()
        with pytest.raises(Cancelled):
            call(cancel)
        assert len(engine.steps) < 20
        timer.join()


def test_cancelled_encoding_stops_between_crops(model_saying, rgb):
    model, engine = model_saying()
    cancel = threading.Event()
    encode, seen = engine.encode, []

    def encode_and_cancel(crops):
        seen.append(len(crops))
        cancel.set()
        return encode(crops)

    engine.encode = encode_and_cancel
    with pytest.raises(Cancelled):
        model.encode_image(rgb.repeat(8, 0).repeat(8, 1), cancel=cancel)
    assert seen == [1]


def test_lock_serves_threads_in_order(model_saying):
    model, engine = model_saying(TEXT, delay=0.001)
    inside, most, answers = 0, 0, []
    step = engine.step

    def counting(embeds):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        try:
            return step(embeds)
        finally:
            inside -= 1

    engine.step = counting
    threads = [
        threading.Thread(target=lambda: answers.append(model.query(None, 'What?').text))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [TEXT] * 6
    assert most == 1


def test_waiting_for_the_lock_can_be_cancelled(model_saying):
    model, _ = model_saying([50] * 2000, delay=0.02)
    running, waiting = threading.Event(), threading.Event()
    errors = []

    def ask(cancel):
        try:
            model.query(None, 'What?', cancel=cancel)
        except Cancelled as error:
            errors.append(error)

    first = threading.Thread(target=ask, args=(running,))
    first.start()
    time.sleep(0.05)
    second = threading.Thread(target=ask, args=(waiting,))
    second.start()
    waiting.set()
    second.join(timeout=5)
    assert not second.is_alive()
    assert first.is_alive()
    running.set()
    first.join(timeout=5)
    assert len(errors) == 2


def test_failing_call_releases_the_lock(model_saying):
    model, engine = model_saying(TEXT)
    step = engine.step

    def fail(embeds):
        raise RuntimeError('out of memory')

    engine.step = fail
    with pytest.raises(RuntimeError):
        model.query(None, 'What?')
    engine.step = step
    assert model.query(None, 'What?').text == TEXT


def test_close_frees_the_engine(model_saying):
    with model_saying()[0] as model:
        engine = model._engine
    assert engine.closed
    model.close()
    with pytest.raises(VlmError, match='closed'):
        model.query(None, 'What?')
