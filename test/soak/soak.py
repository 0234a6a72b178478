"""`make soak`: an hour of faults, over which memory stays flat and every goal gets one result.

Two nodes with a scripted model, one with raw and one with JPEG images, in simulated time: two
cameras with faults of every kind, killed (SIGKILL) and started again at random; jumps of the clock;
goals that succeed, fail, wait for approval, are cancelled or come many at once. The exit status is
1 if memory grew, an image was older than the limit or a goal had no result, or two.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter, deque
from pathlib import Path

import simulated_clock
from soak_report import growth, plot, resident_megabytes

HERE = Path(__file__).resolve().parent
GROWTH = 0.02  # largest growth of memory after the warm-up
MAX_AGE = 1.0  # s, the parameter max_frame_age
RESULT_TIMEOUT = 180.0  # s, on any machine
SAMPLE_PERIOD = 5.0
SETTLING = 10.0  # s after a jump of the clock, until every process knows it
LAGS = 20  # newest diagnostics, by which it is judged how far a node's clock lags behind
NAMES = ('raw', 'compressed')
GOALS = {  # instruction, and how often
    'pick up the red cup': 8,
    'pick up the blue cup': 4,
    '拿起红色的杯子': 2,
    'the blue cup, too': 1,
    'what do you see?': 1,
    'is there a cup?': 1,
    'pick up the knife': 2,  # waits for approval
    'slowly pick up the red cup': 2,  # until it is cancelled
    'break the cup': 1,
    'crash, please': 1,
    '': 1,
    'x' * 5000: 1,
}
MAY_FAIL = ('crash',)  # these may end with UNKNOWN


class Soak:
    """One run: processes, goals, and what was seen of them."""

    def __init__(self, seconds, seed, folder):
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.executors import SingleThreadedExecutor
        from std_msgs.msg import String
        from std_srvs.srv import Trigger

        from kimi_ros.nodes import qos
        from kimi_ros.nodes.instruct_client import instruct_client

        self._seconds, self._folder = seconds, folder
        self._random = random.Random(seed)
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node('soak', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self.clock = simulated_clock.SimulatedClock(self._node)
        self._nodes, self._cameras = {}, {}
        self._clients, self._triggers = {}, {}
        self._goals = {}  # by number: those without a result
        self._number = 0
        self.codes, self.faults, self.done = Counter(), Counter(), Counter()
        self.planned = Counter()  # plans by node
        self._seen = set()  # cameras that have published since they were started
        self.failures, self.samples, self.stamps_checked = [], [], 0
        self._lags = {name: deque(maxlen=LAGS) for name in NAMES}
        self.largest_lag = 0.0
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.STATUS
        )
        for name in NAMES:
            self._clients[name] = instruct_client(self._node, f'/{name}/kimi')
            self._triggers[name] = [
                self._node.create_client(Trigger, f'/{name}/kimi/{verb}')
                for verb in ('stop', 'forget')
            ]
            self._node.create_subscription(
                String, f'/{name}/fault', lambda m, n=name: self._on_fault(n, m.data), qos.STATUS
            )

    def run(self):
        """Return the report."""
        for name in NAMES:
            self._start_node(name)
            self._start_camera(name)
        for name, client in self._clients.items():
            while not client.server_is_ready():
                self._check_processes()
                self._executor.spin_once(timeout_sec=0.1)
            self._warm_up(name, client)
            print(f'{name} is ready', flush=True)
        began = time.monotonic()
        due = {'sample': began, 'jump': began + 60, 'kill': began + 30, 'say': began + 60}
        while (now := time.monotonic()) < began + self._seconds:
            self._executor.spin_once(timeout_sec=0.05)
            self._send_goals()
            self._look_after_goals(now)
            if now >= due['sample']:
                self._sample(now - began)
                due['sample'] = now + SAMPLE_PERIOD
            if now >= due['jump']:
                self.clock.jump(self._random.choice([5, 120, 3600, -5, -60, -600]))
                due['jump'] = now + self._random.uniform(30, 90)
            if now >= due['kill']:
                self._kill_camera(self._random.choice(NAMES))
                due['kill'] = now + self._random.uniform(10, 60)
            if now >= due['say']:
                print(self.summary(now - began), flush=True)
                due['say'] = now + 60
        ending = time.monotonic() + RESULT_TIMEOUT
        while self._goals and time.monotonic() < ending:
            self._look_after_goals(time.monotonic())
            self._executor.spin_once(timeout_sec=0.05)
        for number, goal in self._goals.items():
            self._fail(f'goal {number} ({goal["text"][:40]!r}) has no result')
        return self._report()

    def _warm_up(self, name, client):
        """Ask for everything until a plan was made: what is loaded on first use is no growth."""
        while not self.planned[name]:
            self._check_processes()
            for text in GOALS:
                self._send(name, client, text)
                while self._goals:
                    self._look_after_goals(time.monotonic())
                    self._executor.spin_once(timeout_sec=0.05)

    def stop(self):
        for process in (*self._cameras.values(), *self._nodes.values()):
            process.stop()
        self.clock.stop()
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    # Processes.

    def _start(self, module, name, parameters):
        from kimi_ros.process import NodeProcess, ros_arguments

        path = os.pathsep.join([str(HERE), str(HERE.parent / 'nodes'), os.environ['PYTHONPATH']])
        log = self._folder / f'{module}_{name}.log'
        arguments = [*ros_arguments({**parameters, 'use_sim_time': True}), '-r', f'__ns:=/{name}']
        return NodeProcess(module, arguments, {**os.environ, 'PYTHONPATH': path}, log)

    def _start_node(self, name):
        pose = [0.0, 0.0, 0.5, -0.5, 0.5, -0.5, 0.5]
        parameters = {'max_frame_age': MAX_AGE, 'frame_wait': 1.0, 'camera_pose': pose}
        parameters['image_transport'] = name
        self._nodes[name] = self._start('scripted_node', name, parameters)

    def _start_camera(self, name):
        parameters = {'seed': self._random.getrandbits(30), 'compressed': name == 'compressed'}
        self._cameras[name] = self._start('faulty_camera', name, parameters)
        self._seen.discard(name)

    def _kill_camera(self, name):
        if name not in self._seen:  # a busy machine has not started it yet
            return
        os.killpg(self._cameras[name].pid, signal.SIGKILL)
        self._cameras[name].stop()
        self.faults['killed'] += 1
        self._start_camera(name)

    def _check_processes(self):
        for process in self._nodes.values():
            process.check()

    def _sample(self, seconds):
        self._check_processes()
        memory = {name: resident_megabytes(p.pid) for name, p in self._nodes.items()}
        self.samples.append({'seconds': round(seconds, 1), **memory, 'done': self.done.total()})

    def _fail(self, text):
        self.failures.append(text)
        print(text, flush=True)

    def _on_diagnostics(self, message):
        """Note how far a node's clock lags behind: a busy machine delivers /clock late."""
        name = message.status[0].name.split('/')[0]
        stamp = message.header.stamp.sec + message.header.stamp.nanosec / 1e9
        lag = self.clock.now() - stamp
        if name in self._lags and abs(lag) < 5:  # else the clock has just jumped
            self._lags[name].append(max(lag, 0.0))
            self.largest_lag = max(self.largest_lag, lag)

    def _on_fault(self, name, fault):
        self.faults[fault or 'none'] += 1
        self._seen.add(name)

    # Goals.

    def _send_goals(self):
        for name, client in self._clients.items():
            active = sum(goal['node'] == name for goal in self._goals.values())
            if active >= 2 and self._random.random() > 0.01:
                continue
            if not client.server_is_ready():
                continue
            many = 12 if self._random.random() < 0.02 else 1  # more than the queue takes
            for _ in range(many):
                self._send(name, client)
            if self._random.random() < 0.02:
                trigger = self._random.choice(self._triggers[name])
                if trigger.service_is_ready():
                    trigger.call_async(trigger.srv_type.Request())

    def _send(self, name, client, text=None):
        from kimi_msgs.action import Instruct

        if text is None:
            text = self._random.choices(list(GOALS), list(GOALS.values()))[0]
        self._number += 1
        number = self._number
        camera = 'nowhere' if self._random.random() < 0.01 else ''
        ends = any(word in text for word in ('slowly', 'knife'))  # they wait for somebody
        cancel = self._random.uniform(0.2, 2.0) if ends or self._random.random() < 0.05 else None
        self._goals[number] = {
            'node': name,
            'text': text,
            'sent': time.monotonic(),
            'stamp': self.clock.now(),
            'jumps': self.clock.jumps,
            'cancel': cancel,
            'handle': None,
        }
        future = client.send_goal_async(Instruct.Goal(instruction=text, camera=camera))
        future.add_done_callback(lambda f: self._on_accepted(number, f.result()))

    def _on_accepted(self, number, handle):
        goal = self._goals.get(number)
        if goal is None:
            self._fail(f'goal {number} was accepted after its result')
        elif not handle.accepted:
            self.codes['rejected'] += 1
            del self._goals[number]
        else:
            goal['handle'] = handle
            future = handle.get_result_async()
            future.add_done_callback(lambda f: self._on_result(number, f.result()))

    def _on_result(self, number, answer):
        from kimi_ros.nodes.codes import ErrorCode
        from kimi_ros.nodes.messages import nanoseconds

        goal = self._goals.pop(number, None)
        if goal is None:
            self._fail(f'goal {number} has two results')
            return
        result = answer.result
        code = ErrorCode(result.error_code)
        self.codes[code.name] += 1
        self.done[goal['node']] += 1
        self.planned[goal['node']] += bool(result.plan.id)
        if code is ErrorCode.UNKNOWN and not any(w in goal['text'] for w in MAY_FAIL):
            self._fail(f'{goal["text"]!r}: {result.error_msg}')
        # Around a jump of the clock nobody can say how old an image is.
        settled = goal['sent'] - self.clock.jumped > SETTLING and goal['jumps'] == self.clock.jumps
        if result.plan.id and settled:
            self.stamps_checked += 1
            age = goal['stamp'] - nanoseconds(result.plan.header.stamp) / 1e9
            lag = max(self._lags[goal['node']], default=0.0)
            if age > MAX_AGE + simulated_clock.PERIOD + lag:
                self._fail(
                    f'goal {number} used an image of {age:.2f} s before it; '
                    f'the clock of {goal["node"]} lags by {lag:.2f} s'
                )

    def _look_after_goals(self, now):
        for number, goal in list(self._goals.items()):
            age = now - goal['sent']
            if goal['cancel'] is not None and goal['handle'] and age > goal['cancel']:
                goal['cancel'] = None
                goal['handle'].cancel_goal_async()
            if age > RESULT_TIMEOUT:
                self._fail(f'goal {number} ({goal["text"][:40]!r}) has no result')
                del self._goals[number]

    # What came of it.

    def summary(self, seconds):
        memory = ', '.join(f'{n} {self.samples[-1][n]:.0f} MB' for n in NAMES)
        return (
            f'{seconds:6.0f} s: {self.done.total()} results, {memory}, '
            f'{self.faults.total()} faults, {self.clock.jumps} jumps, {len(self.failures)} failures'
        )

    def _report(self):
        grown = {name: round(growth(self.samples, name), 4) for name in NAMES}
        for name, value in grown.items():
            if value > GROWTH:
                self._fail(f'memory of {name} grew by {100 * value:.1f} %')
        return {
            'seconds': self._seconds,
            'goals': self._number,
            'results': dict(self.done),
            'plans': dict(self.planned),
            'codes': dict(self.codes),
            'faults': dict(self.faults),
            'clock_jumps': self.clock.jumps,
            'stamps_checked': self.stamps_checked,
            'largest_clock_lag': round(self.largest_lag, 3),
            'memory_growth': grown,
            'failures': self.failures,
            'samples': self.samples,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--minutes', type=float, default=60.0)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, default=Path('out/soak'))
    parser.add_argument('--plot', type=Path, help='write a plot to this SVG file')
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    from kimi_ros.process import isolated

    os.environ.update(isolated(os.environ))
    os.environ.setdefault('PYTHONPATH', '')
    soak = Soak(60 * arguments.minutes, arguments.seed, arguments.out)
    try:
        report = soak.run()
    finally:
        soak.stop()
    (arguments.out / 'report.json').write_text(json.dumps(report, indent=1, ensure_ascii=False))
    if arguments.plot:
        plot(report['samples'], NAMES, arguments.plot)
    print(json.dumps({k: v for k, v in report.items() if k != 'samples'}, ensure_ascii=False))
    return 1 if report['failures'] else 0


if __name__ == '__main__':
    sys.exit(main())
