"""Trained models as files for elsewhere: a Python file that needs NumPy only, a C header that needs nothing, and the two model formats."""

from jitcnn.convert.suffixes import SUFFIXES, convert

__all__ = ["SUFFIXES", "convert"]
