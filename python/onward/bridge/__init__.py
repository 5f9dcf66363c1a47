"""Exports a model that exists only as a class and a weights file, and records what it answers to a sample.

Run as `python -m onward.bridge torch|keras …`; see __main__.py. Imports nothing beyond the standard library until the
framework is known.
"""
