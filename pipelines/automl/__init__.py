"""The AutoML pipeline: Azure's own search beside ours, judged by drops that neither side learned from."""
