"""Real-time inference, the code behind a managed online endpoint: model format, compiled trees, JSON and Arrow.

It is uploaded as it lies here and runs where nothing else of this repository is: it imports no other package of it.
"""
