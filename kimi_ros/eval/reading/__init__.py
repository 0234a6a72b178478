"""Does a planner read what people say? Sentences with the skills and the things they ask for."""

from kimi_ros.eval.reading.cases import Case, read_cases
from kimi_ros.eval.reading.scoring import METRICS, Prediction, score

__all__ = ['METRICS', 'Case', 'Prediction', 'read_cases', 'score']
