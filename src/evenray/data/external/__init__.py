"""Another set beside the one that was trained on: its classes, its copies of training images, how its images differ."""
