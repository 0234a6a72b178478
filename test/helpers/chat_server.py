"""A server of the chat-completions protocol in its own process, which fails as it is told to.

`ChatServer()` starts it; as a script it serves, and prints its port.
"""

import argparse
import json
import re
import select
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_WAIT = 60.0  # seconds, an upper bound for a loaded machine


def plan(say, *steps, status='ok'):
    return json.dumps({'status': status, 'say': say, 'steps': list(steps)}, ensure_ascii=False)


def pick(thing):
    return {'skill': 'pick', 'object': thing}


class ChatServer:
    """The server's process; use it with `with`."""

    def __init__(self, **options):
        flags = [f'--{name.replace("_", "-")}={value}' for name, value in options.items()]
        self._process = subprocess.Popen(
            [sys.executable, __file__, *flags], stdout=subprocess.PIPE, text=True
        )
        self.root = f'http://127.0.0.1:{int(self._process.stdout.readline())}'
        self.url = f'{self.root}/v1'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def script(self, *behaviours):
        """Set what the next requests get; further ones get a plan."""
        data = json.dumps(behaviours).encode()
        urllib.request.urlopen(f'{self.root}/script', data, timeout=_WAIT).close()

    def reset(self):
        """Forget script, requests and counts."""
        urllib.request.urlopen(f'{self.root}/reset', b'{}', timeout=_WAIT).close()

    def state(self):
        """Return what the server has seen: requests, rejected, aborted, most at a time."""
        with urllib.request.urlopen(f'{self.root}/state', timeout=_WAIT) as response:
            return json.load(response)

    def bodies(self):
        return [request['body'] for request in self.state()['requests']]

    def wait_for(self, key, at_least, seconds=_WAIT):
        """Wait until a count of the state is large enough, and return the state."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.state()
            value = state[key]
            if (len(value) if isinstance(value, list) else value) >= at_least:
                return state
            assert time.monotonic() < deadline, f'{key} is {value} after {seconds} s'
            time.sleep(0.02)


class _State:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.slots = threading.Semaphore(options.slots)
        self.inside = self.working = 0
        self.reset()

    def reset(self):
        with self.lock:
            self.script = []
            self.requests = []
            self.counts = {'answered': 0, 'rejected': 0, 'aborted': 0, 'most_at_a_time': 0}

    def count(self, key):
        with self.lock:
            self.counts[key] += 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    state: _State

    def log_message(self, *_):
        pass

    def do_GET(self):
        state = self.state
        with state.lock:
            self._json({**state.counts, 'requests': state.requests})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        if self.path == '/reset':
            self.state.reset()
            self._json({})
            return
        if self.path == '/script':
            with self.state.lock:
                self.state.script = body
            self._json({})
            return
        with self.state.lock:
            request = {'body': body, 'authorization': self.headers.get('Authorization', '')}
            self.state.requests.append({**request, 'at': time.monotonic()})
            behaviour = self.state.script.pop(0) if self.state.script else {}
        try:
            self._chat(body, behaviour)
        except (BrokenPipeError, ConnectionResetError):
            self.state.count('aborted')
            self.close_connection = True

    def _chat(self, body, behaviour):
        state, options = self.state, self.state.options
        kind = (body.get('response_format') or {}).get('type', 'text')
        known = options.forms.split(',')
        if kind not in known or ('schema' in (body.get('response_format') or {})
                                 and 'schema' not in known):  # fmt: skip
            self._error(400, f'response_format {kind} is not supported')
            return
        if 'status' in behaviour:
            headers = {'Retry-After': behaviour['after']} if 'after' in behaviour else {}
            self._error(behaviour['status'], behaviour.get('message', 'scripted'), headers)
            return
        with state.lock:
            full = state.inside >= options.slots + options.queue
            state.inside += not full
        if full:
            state.count('rejected')
            self._error(429, 'the queue is full', {'Retry-After': str(options.after)})
            return
        try:
            with state.slots:
                with state.lock:
                    state.working += 1
                    most = max(state.counts['most_at_a_time'], state.working)
                    state.counts['most_at_a_time'] = most
                try:
                    self._pause(behaviour.get('hang', options.seconds))
                    self._answer(body, behaviour)
                finally:
                    with state.lock:
                        state.working -= 1
        finally:
            with state.lock:
                state.inside -= 1

    def _answer(self, body, behaviour):
        text = behaviour.get('text')
        if text is None:
            asked = body['messages'][-1]['content']
            if isinstance(asked, list):
                asked = next(part['text'] for part in asked if part['type'] == 'text')
            thing = re.sub('^.*(?:pick up the|pick up) ', '', asked)
            text = plan(f'I will pick up the {thing}.', pick(thing))
        ending = behaviour.get('ending', 'stop')
        usage = {'prompt_tokens': 100, 'completion_tokens': len(text), 'total_tokens': 0}
        if not body.get('stream'):
            whole = json.dumps(
                {
                    'id': 'x', 'object': 'chat.completion', 'created': 0, 'model': body['model'],
                    'choices': [{'index': 0, 'finish_reason': ending,
                                 'message': {'role': 'assistant', 'content': text}}],
                    'usage': usage,
                }
            ).encode()  # fmt: skip
            self.send_response(200)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Content-Length', str(len(whole)))
            self.end_headers()
            cut = behaviour.get('cut')
            self.wfile.write(whole if cut is None else whole[: len(whole) // 2])
            self._end(cut)
            return
        self.send_response(200)
        self.send_header('Content-Type', 'text/event-stream')
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        pieces = re.findall('.{1,8}', text, re.DOTALL)
        cut = behaviour.get('cut')
        for piece in pieces[:cut]:
            self._event({'delta': {'content': piece}, 'finish_reason': None})
            self._pause(behaviour.get('pause', 0))
        if cut is None:
            self._event({'delta': {}, 'finish_reason': ending})
            if (body.get('stream_options') or {}).get('include_usage'):
                self._event(None, usage)
        if cut is None or behaviour.get('polite'):
            self._chunk('data: [DONE]\n\n')
            self.wfile.write(b'0\r\n\r\n')
        self._end(None if behaviour.get('polite') else cut)

    def _end(self, cut):
        if cut is None:
            self.state.count('answered')
        else:
            self.close_connection = True

    def _event(self, choice, usage=None):
        event = {'id': 'x', 'object': 'chat.completion.chunk', 'created': 0, 'model': 'm'}
        event['choices'] = [] if choice is None else [{'index': 0, **choice}]
        self._chunk(f'data: {json.dumps(event | ({"usage": usage} if usage else {}))}\n\n')

    def _chunk(self, text):
        data = text.encode()
        self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))
        self.wfile.flush()

    def _pause(self, seconds):
        """Wait, or find that the client has gone."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.connection], [], [], min(left, 0.05))[0]:
                raise ConnectionResetError

    def _error(self, status, message, headers=()):
        data = json.dumps({'error': {'message': message, 'type': 'scripted'}}).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _json(self, content):
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--slots', type=int, default=64)
    parser.add_argument('--queue', type=int, default=64)
    parser.add_argument('--seconds', type=float, default=0.0)
    parser.add_argument('--after', type=float, default=1.0)
    parser.add_argument('--forms', default='json_schema,json_object,schema,text')
    options = parser.parse_args()

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_):
            pass  # a client that went away

    handler = type('Handler', (_Handler,), {'state': _State(options)})
    server = Server(('127.0.0.1', 0), handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == '__main__':
    main()
