"""Measures the whole system on gold questions: generate one record per question, then score."""

from eval.gold import GoldSet, Question, load_gold, load_squad
from eval.run import Report, evaluate

__all__ = ["GoldSet", "Question", "Report", "evaluate", "load_gold", "load_squad"]
