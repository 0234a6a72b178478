"""`kimi eval walk`: a walk along a simulated way, its narration compared with what is there."""

from kimi_ros.eval.walking.evaluation import FIGURES, evaluate_walk, transcript

__all__ = ['FIGURES', 'evaluate_walk', 'transcript']
