"""Whatever tokens a model emits under the grammar: a valid plan, or a named error."""

import numpy as np
import pytest

from kimi_ros.agent import Agent, Approval, Plan, Status
from kimi_ros.agent.errors import AgentError
from kimi_ros.agent.schema import MAX_STEPS
from kimi_ros.vlm.grammar import GrammarCompiler
from kimi_ros.vlm.tokenizer import TextTokenizer

hypothesis = pytest.importorskip('hypothesis', reason='pip install hypothesis')
st = hypothesis.strategies
INSTRUCTIONS = ('pick up the red cup and put it on the plate', '拿起红色的杯子', 'x "}], {;}')


@pytest.fixture(scope='module')
def compiler():
    from kimi_ros.resources import share

    tokenizer = TextTokenizer.from_file(share('models/nano') / 'tokenizer.json')
    vocab = tokenizer.vocab_size
    return GrammarCompiler(tokenizer, vocab, eos_id=0), tokenizer, vocab


def walk(compiler, grammar, seed, length):
    """Return random tokens that the grammar allows, cut off after `length`."""
    compile_, tokenizer, vocab = compiler
    rng, constraint, tokens = np.random.default_rng(seed), compile_.compile(grammar), []
    while not constraint.done and len(tokens) < length:
        tokens += constraint.fast_forward()
        if constraint.done:
            break
        logits = rng.gumbel(size=vocab)
        constraint.mask(logits)
        token = int(np.argmax(logits))
        constraint.consume(token)
        tokens.append(token)
    return tokenizer.decode([t for t in tokens if t])


@hypothesis.settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(
    seed=st.integers(0, 2**32),
    length=st.sampled_from([1, 20, 80, 320]),
    instruction=st.sampled_from(INSTRUCTIONS),
    seen=st.lists(st.sampled_from(['cup', 'red cup', 'plate', '杯子']), unique=True),
)
def test_any_tokens_give_a_plan_or_a_named_error(
    kit, catalogue, policy, frame, compiler, seed, length, instruction, seen
):
    class RandomVlm(kit.FakeVlm):
        def query(self, image, question, *, grammar=None, **more):
            if grammar is not None:
                self.plan = self.supposed = walk(compiler, grammar, seed, length)
            return super().query(image, question, grammar=grammar, **more)

    boxes = {name: [(0.1 * i, 0.1, 0.1 * i + 0.08, 0.2)] for i, name in enumerate(seen)}
    agent = Agent(RandomVlm({}, boxes), catalogue, policy, lambda: 0.0, 'model')
    try:
        plan = agent.run(frame, instruction)
    except AgentError:
        return
    assert Plan.from_json(plan.to_json()) == plan and plan.hash == plan.content_hash()
    assert len(plan.steps) <= MAX_STEPS
    assert bool(plan.steps) is (plan.status is Status.OK)
    ids = {o.id for o in plan.objects}
    assert all(s.skill in {k.name for k in catalogue} for s in plan.steps)
    assert all(i in ids for s in plan.steps for i in s.object_ids)
    waits = any(s.needs_approval for s in plan.steps)
    assert (plan.approval is Approval.PENDING) is waits
