"""Boxes in training and prediction of a detector: what the default boxes are to say, the loss, and the way back to boxes.

encoding.py   which default box answers for which object, and offsets      multibox.py   the loss, with its hard negatives
decoding.py   from answers to boxes with scores                            moving.py     the affine of images with boxes

The boxes of a batch are one tensor, float32 (N, M, 5): the class, and left, top, right and bottom as shares of the side of the
square. What is not to be counted has the class -1 - class; rows of NaN fill up images with fewer than M boxes.
"""
