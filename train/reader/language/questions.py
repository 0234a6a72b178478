"""Questions, small talk and unintelligible text."""

from __future__ import annotations

import functools

from kimi_train.reader.language import sentence_corpus
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.requests import RequestGenerator
from kimi_train.reader.language.sentence_templates import sentence_templates

__all__ = ['QuestionGenerator', 'question_templates']

# Shares of the questions; 'which' compares two things, 'describe_object' describes one.
_KINDS = (
    ('where', 16),
    ('presence', 16),
    ('count', 14),
    ('attribute', 12),
    ('which', 4),
    ('text', 8),
    ('relation', 6),
    ('relation_of_object', 4),
    ('what', 4),
    ('describe', 5),
    ('describe_object', 2),
    ('other', 9),
)
_WEIGHTED_KINDS = tuple(kind for kind, weight in _KINDS for _ in range(weight))
_KIND_OF = {
    'which': 'attribute',
    'relation_of_object': 'relation',
    'describe_object': 'describe',
}
# Skills that answer questions of a kind.
_ANSWERING = {
    'where': ('locate',),
    'text': ('read', 'read_text', 'read_label'),
    'describe': ('describe',),
}
_LABELLED_CLASSES = ('office', 'food', 'care', 'warehouse', 'any', 'container')


@functools.cache
def question_templates(lang: str) -> dict[str, tuple[str, ...]]:
    """Return the question templates by kind, those of the corpus included."""
    own = sentence_templates(lang)
    spoken = sentence_corpus.spoken_questions(lang)
    found = {kind: own[kind] + spoken.get(kind, ()) for kind, _ in _KINDS}

    def add(kind, corpus_kind, fits=lambda line: True):
        lines = sentence_corpus.questions(lang, corpus_kind)
        found[kind] += tuple(line for line in lines if fits(line))

    for kind in ('where', 'presence', 'count', 'text'):
        add(kind, kind)
    add('attribute', 'attribute', lambda line: '{2}' not in line)
    add('which', 'attribute', lambda line: '{2}' in line)
    add('other', 'other', lambda line: '{2}' not in line)
    # "What is on the table" asks for a relation.
    add('describe', 'describe', lambda line: not any(w in line for w in ('{', 'table', '桌')))
    add('describe_object', 'describe', lambda line: '{}' in line)
    return found


@functools.cache
def _small_talk(lang: str) -> tuple[str, ...]:
    return sentence_templates(lang)['small_talk'] + sentence_corpus.small_talk(lang)


@functools.cache
def _keywords(lang: str) -> dict[str, tuple[str, ...]]:
    """Return by kind the words that a skill's requests share with questions."""
    found: dict[str, tuple[str, ...]] = {}
    for line in sentence_templates(lang)['question_keywords']:
        kind, _, word = line.partition(': ')
        found[kind] = (*found.get(kind, ()), word)
    return found


class QuestionGenerator(RequestGenerator):
    """Generates questions about the view, and what asks for nothing."""

    space = ' '

    def question_phrase(self, template: str, noun_classes):
        """Return a question about a thing and its phrase, or None if they do not agree."""
        raise NotImplementedError

    def finish_question(self, text: str) -> str:
        """Return the question, mostly with a question mark."""
        raise NotImplementedError

    def question(self, instruction):
        """A question about the view."""
        kind = self.choose(_WEIGHTED_KINDS)
        template = self.choose(question_templates(self.lang)[kind])
        if self.may_request_skill(_KIND_OF.get(kind, kind), template):
            return False
        if kind == 'relation':
            text, things = self._about_a_place(template)
        elif kind == 'what' and self.random() < 0.65:
            text, things = self._about_something(template)
        elif '{' not in template:
            text, things = template, ()
        elif '{who}' in template:
            phrase = self.noun_phrases.person()
            text, things = template.replace('{who}', phrase.text), (phrase,)
        elif '{two}' in template:
            phrase = self._two_of_a_kind()
            text, things = template.replace('{two}', phrase.text), (phrase,)
        else:
            noun_classes = _LABELLED_CLASSES if kind == 'text' else ('any',)
            template = template.replace('{this}', '{}')
            found = self.question_phrase(template, noun_classes)
            if not found or (found[1].plural and kind in ('what', 'which', 'relation_of_object')):
                return False
            text, phrase = found
            things = (phrase,)
            if '{2}' in text:
                other = self.noun_phrases.definite(('any',))
                text, things = text.replace('{2}', other.text), (phrase, other)
            if '{p}' in text:
                phrase.relation, place, phrase.landmarks = self._place()
                text = text.replace('{p}', place)
        instruction.text = self.finish_question(text)
        instruction.question = _KIND_OF.get(kind, kind), things
        instruction.outcome = 'answer'
        return True

    def may_request_skill(self, kind: str, template: str) -> bool:
        """Tell whether a skill of the catalogue may be meant by the question."""
        return (
            self.catalogue.has(*_ANSWERING.get(kind, ()))
            or self.catalogue.mentions(*_keywords(self.lang).get(kind, ()))
            or (self.lang == 'en' and template.split(' ')[0] in self.catalogue.verbs)
            or (
                kind == 'presence'
                and self.catalogue.has('locate')
                and any(word in template for word in ('see', 'spot', 'visible', 'find', '看', '见'))
            )
        )

    def _two_of_a_kind(self):
        """Return "the two melons", 这两个西瓜."""
        phrases = self.noun_phrases
        noun = phrases.lexicon.noun(self.rng, ('any',), phrases.split)
        adjectives = (phrases.adjective(),) if self.random() < 0.2 else ()
        det = self.wording('two_of_a_kind')
        return phrases.build(noun, det, adjectives, number='2')

    def _place(self):
        return self.noun_phrases.place(static=True, nested=False)

    def _about_a_place(self, template):
        """Return a question about what is at a place: "what is left of the box?"."""
        word = next(w for w in sentence_templates(self.lang)['what_words'] if w in template)
        head, text = self.mark(word)
        words, text = self.mark(text)
        relation, place, landmarks = self._place()
        phrase = AnnotatedPhrase(text, words, head, relation=relation, landmarks=landmarks)
        return template.replace(word, text, 1).replace('{p}', place), (phrase,)

    def _about_something(self, template):
        """Return a question about something that is only pointed at: "what is that?"."""
        det, _, name = self.wording('this').rpartition('|')
        head, text = self.mark(name)
        words, text = self.mark(text)
        phrase = AnnotatedPhrase(det + text, words, head)
        return template.replace('{this}', phrase.text), (phrase,)

    def small_talk(self, instruction):
        """Small talk."""
        instruction.text = self.choose(_small_talk(self.lang))
        instruction.outcome = 'nothing'
        return True

    def unintelligible(self, instruction):
        """Filler words, nonwords or a truncated sentence."""
        r = self.random()
        if r < 0.4:
            words = [self.wording('fragments') for _ in range(2 + int(self.random() * 4))]
        elif r < 0.6:
            words = [
                self.wording('nonwords' if self.random() < 0.7 else 'fragments')
                for _ in range(1 + int(self.random() * 4))
            ]
        else:
            phrases = self.noun_phrases
            words = [self.wording('truncated')]
            while '{n}' in words[0]:
                noun = phrases.lexicon.noun(self.rng, ('any',), phrases.split)
                words[0] = words[0].replace('{n}', noun.word, 1)
        instruction.text = self.space.join(words)
        instruction.outcome = 'unclear'
        return True
