"""`kimi eval walk`: a walk along a simulated way, its narration compared with what is there."""

from kimi_ros.eval.walking.evaluation import FIGURES, figures_of, transcript, walk_number

__all__ = ['FIGURES', 'figures_of', 'transcript', 'walk_number']
